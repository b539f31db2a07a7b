"""Published records are what the policy lets be published, and say so; later versions are judged as if alone."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from shapely.geometry import Point

from layers.disclosure.policy import OPEN, Policy, parse
from layers.disclosure.ruling import withheld_fields
from layers.model import edtf
from layers.model.records import RECORD_TYPES, Claim, Identity, Record, Records, Strike
from layers.resolution.resolve import apply_judgements
from layers.snapshot.disclosure import Disclosure, disclose
from layers.store.store import Store
from tests.layers.snapshot.test_public_records import telling, with_private

DEPOT, ORLIVKA = "ua-socar-depot-2025-08-08", "ua-orlivka-2025-08-06"
NOW = datetime(2026, 11, 25, tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)
HELD = parse('[[embargo]]\nhours = 87000\ncountries = ["UA"]')
COARSE = parse('[[rounding]]\ntable = "strikes"\nmetres = 20000\n[[withhold]]\ntable = "strikes"\nfields = ["damage"]')


def with_strike(records: Records, strike: Strike) -> Records:
    return dataclasses.replace(records, strikes={**records.strikes, strike.id: strike})


def test_without_rules_the_records_are_the_stored_ones(records: Records) -> None:
    assert disclose(records, OPEN, NOW).records is records


def test_a_policy_about_nothing_changes_nothing(records: Records) -> None:
    nothing = disclose(records, parse("[[embargo]]\nhours = 1"), NOW)
    assert nothing.records is records
    assert nothing.withheld == {}
    assert nothing.last_due is not None


def test_an_embargoed_strike_goes_with_all_that_tells_of_it(records: Records) -> None:
    assert telling(records, DEPOT)["claims"]
    held = disclose(records, HELD, NOW)
    assert telling(held.records, DEPOT) == {name: set() for name in RECORD_TYPES}
    old = (NOW - timedelta(hours=87000)).date()
    shown = (s for s in held.records.strikes.values() if s.host_country in ("UA", None))
    assert all((edtf.parse(strike.when).latest or old) <= old for strike in shown)
    gone = len(records.strikes) - len(held.records.strikes)
    assert gone == held.withheld["embargo"]["strikes"] > 0


def test_sources_that_only_embargoed_records_cite_are_withheld_too(records: Records) -> None:
    held = disclose(records, HELD, NOW).records
    gone = records.sources.keys() - held.sources.keys()
    assert gone
    for name in RECORD_TYPES:
        for record in held.table(name).values():
            cited = {getattr(record, column, None) for column in ("source", "place_source")}
            assert gone.isdisjoint({*cited, *getattr(record, "sources", ())})


def test_an_embargo_ends_by_itself(records: Records) -> None:
    held = disclose(records, HELD, NOW)
    assert held.next_due is not None
    later = disclose(records, HELD, held.next_due, held)
    before = disclose(records, HELD, held.next_due - timedelta(milliseconds=1), held)
    assert len(later.records.strikes) > len(before.records.strikes) == len(held.records.strikes)
    assert later.last_due == held.next_due
    assert disclose(records, HELD, LATEST).next_due is None


def test_of_strikes_judged_to_be_one_each_is_held_as_the_strictest(records: Records) -> None:
    open_, held = (next(key for key, one in records.strikes.items() if one.host_country == iso) for iso in ("RU", "UA"))
    judged = Identity(
        id="judgement/1", one=open_, other=held, verdict="same", who="A", when="2026-11-01", why="the same event"
    )
    records = dataclasses.replace(records, identities={judged.id: judged})
    assert open_ in disclose(records, parse("[[embargo]]\nhours = 1"), NOW).records.strikes
    assert open_ not in disclose(records, HELD, NOW).records.strikes
    coarse = parse('[[rounding]]\ntable = "strikes"\ndecimals = 1\ncountries = ["UA"]')
    published = disclose(records, coarse, NOW).records.strikes
    assert published[open_].basis == published[held].basis == "rounded"


def test_of_assets_judged_to_be_one_each_is_published_by_the_strictest_rule(records: Records) -> None:
    exact, ruled = (
        next(key for key, one in records.assets.items() if one.host_country == iso and one.geometry is not None)
        for iso in ("RU", "UA")
    )
    judged = Identity(id="j/1", one=exact, other=ruled, verdict="same", who="A", when="2026-11-01", why="the same site")
    coarse = parse('[[rounding]]\ntable = "assets"\ndecimals = 1\ncountries = ["UA"]')
    assert withheld_fields(disclose(records, coarse, NOW).records.assets[exact]) == ()
    one_site = dataclasses.replace(records, identities={"j/1": judged})
    published = disclose(one_site, coarse, NOW)
    assert published.ruling("assets", exact) == published.ruling("assets", ruled)
    merged = apply_judgements(published.records)
    places = {exact: published.records.assets[exact].geometry, ruled: published.records.assets[ruled].geometry}
    assert merged.assets[exact].geometry in places.values()
    assert merged.assets[exact].basis == "rounded"
    assert withheld_fields(merged.assets[exact]) == ("geometry",)


def test_a_judgement_that_is_undone_holds_nothing_any_more(records: Records) -> None:
    open_, held = (next(key for key, one in records.strikes.items() if one.host_country == iso) for iso in ("RU", "UA"))
    judged = Identity(id="j/1", one=open_, other=held, verdict="same", who="A", when="2026-11-01", why="the same event")
    undone = judged.model_copy(update={"id": "j/2", "verdict": "undone"})
    before = disclose(dataclasses.replace(records, identities={"j/1": judged}), HELD, NOW)
    after = disclose(dataclasses.replace(records, identities={"j/1": judged, "j/2": undone}), HELD, NOW, before)
    assert open_ not in before.records.strikes
    assert open_ in after.records.strikes
    assert after.records.strikes.keys() == disclose(records, HELD, NOW).records.strikes.keys()


def test_a_rounded_record_says_so_and_is_less_certain(records: Records) -> None:
    exact, published = records.strikes[ORLIVKA], disclose(records, COARSE, NOW).records.strikes[ORLIVKA]
    assert isinstance(exact.geometry, Point)
    assert isinstance(published.geometry, Point)
    assert published.geometry != exact.geometry
    assert published.basis == "rounded"
    assert published.uncertainty_m is not None
    assert exact.uncertainty_m is not None
    assert published.uncertainty_m > exact.uncertainty_m
    assert published.damage is None
    assert withheld_fields(published) == ("damage", "geometry")
    assert published.model_dump()["withheld"] == ("damage", "geometry")


def test_a_field_is_said_to_be_withheld_whether_or_not_it_is_stated(records: Records) -> None:
    rule = parse('[[withhold]]\ntable = "strikes"\nfields = ["when_note"]')
    published = disclose(records, rule, NOW)
    assert {one.when_note is None for one in records.strikes.values()} == {True, False}
    assert {withheld_fields(one) for one in published.records.strikes.values()} == {("when_note",)}
    assert published.withheld == {"fields": {"strikes": len(records.strikes)}}


def test_a_withheld_geometry_takes_all_that_describes_it_along(records: Records) -> None:
    rule = parse('[[withhold]]\ntable = "strikes"\nfields = ["geometry"]')
    published = disclose(records, rule, NOW).records.strikes[ORLIVKA]
    assert (published.geometry, published.uncertainty_m, published.basis, published.place_source) == (None,) * 4


def test_claims_do_not_give_away_what_is_withheld(records: Records) -> None:
    told = {"place": "POINT (28.4 45.3)", "geometry": "POINT (28.4 45.3)", "lat": "45.3", "damage": "a fire"}
    claims = {
        f"c/{field}": Claim(
            id=f"c/{field}", record=ORLIVKA, field=field, value=value, source="kp-orlivka", checked="read"
        )
        for field, value in told.items()
    }
    records = dataclasses.replace(records, claims=claims)
    assert set(disclose(records, COARSE, NOW).records.claims) == {"c/place"}


def test_private_records_are_not_counted(records: Records) -> None:
    hidden = with_private(records, "strikes", DEPOT)
    counts, all_ = (disclose(one, HELD, NOW).withheld["embargo"] for one in (hidden, records))
    assert counts["strikes"] == all_["strikes"] - 1
    assert counts["claims"] < all_["claims"]


def versions(records: Records) -> list[Records]:
    strike = records.strikes[ORLIVKA]
    moved = strike.model_copy(update={"geometry": Point(28.5, 45.4), "host_country": "RU"})
    added = strike.model_copy(update={"id": "new", "when": "2026-11"})
    without = {key: one for key, one in records.strikes.items() if key != ORLIVKA}
    claims = {key: one for key, one in records.claims.items() if one.record != ORLIVKA}
    decisions = {key: one for key, one in records.decisions.items() if one.strike != ORLIVKA}
    relations = {key: one for key, one in records.relations.items() if one.strike != ORLIVKA}
    removed = dataclasses.replace(records, strikes=without, claims=claims, decisions=decisions, relations=relations)
    return [records, with_strike(records, moved), with_strike(records, added), removed, records]


@pytest.mark.parametrize("policy", [HELD, COARSE, Policy(embargo=HELD.embargo, rounding=COARSE.rounding)])
def test_a_later_version_is_as_if_judged_by_itself(records: Records, policy: Policy) -> None:
    before: Disclosure | None = None
    for version in versions(records):
        before, anew = disclose(version, policy, NOW, before), disclose(version, policy, NOW)
        for name in RECORD_TYPES:
            assert dict(before.records.table(name)) == dict(anew.records.table(name))
        assert before.withheld == anew.withheld
        assert before.next_due == anew.next_due


def test_packed_tables_are_disclosed_alike(
    records: Records, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.create(tmp_path_factory.mktemp("packed") / "atlas.gpkg")
    store.load(records, author="tests")
    plain = store.records()
    monkeypatch.setattr("layers.store.reader.MANY", 10)
    _, packed = store.version(packed=True)
    policy = Policy(embargo=HELD.embargo, rounding=COARSE.rounding, withhold=COARSE.withhold)
    one, other = disclose(packed, policy, NOW), disclose(plain, policy, NOW)
    assert one.withheld == other.withheld
    for name in RECORD_TYPES:
        table: dict[str, Record] = dict(one.records.table(name))
        assert table == dict(other.records.table(name))
        assert len(one.records.table(name)) == len(table)
