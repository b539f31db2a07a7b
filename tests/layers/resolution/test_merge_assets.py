"""Assets judged to be one: the best place stands, nothing is lost or added up, and undoing restores all."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import shapely
from hypothesis import given
from hypothesis import strategies as st

from api.wording.catalogue import text
from layers.decisions.hits import finding
from layers.model.records import (
    RECORD_TYPES,
    Asset,
    Claim,
    Decision,
    Entity,
    Record,
    Records,
    Relation,
    Source,
    Stake,
)
from layers.ownership.owners import OwnersByDate
from layers.ownership.stake_graph import StakeColumns
from layers.resolution.resolve import apply_judgements, apply_judgements_with_remarks
from layers.snapshot.public_records import public
from tests.layers.strike_builders import judged, records, strike


def asset(key: str, at: tuple[float, float] | None = None, unsure_m: float = 5_000.0, **values: Any) -> Asset:
    place: dict[str, Any] = {}
    if at is not None:
        point = shapely.Point(at)
        place = {"geometry": point, "uncertainty_m": unsure_m, "basis": "site", "place_source": values["sources"][0]}
    defaults = {"name": f"Plant {key}", "kind": "power-plant", "dataset": key, "sources": ("s",)}
    return Asset(**{**defaults, "checked": "unverified", **place, "id": key, **values})


def entity(key: str) -> Entity:
    return Entity(id=key, name=key.upper(), type="registeredEntity", registered_in="UA", checked="unverified")


def stake(key: str, owned: str, owner: str, share: float, **values: Any) -> Stake:
    defaults = {"share_min": share, "share_max": share, "source": "s", "checked": "unverified", "dataset": owned}
    return Stake(**{**defaults, "id": key, "owned": owned, "owner": owner, **values})


def claims(known: Records, field: str) -> set[tuple[str, str]]:
    return {(claim.value, claim.source) for claim in known.claims.values() if claim.field == field}


SOURCES = tuple(Source(id=key, publisher=key) for key in ("g", "w"))
GEM = asset(
    "gem",
    (33.4, 49.0),
    sources=("g",),
    name="Kremenchuk power station",
    names={"uk": "Кременчуцька ТЕЦ"},
    external_ids={"gem": "G1", "wikidata": "Q1"},
    capacity=255.0,
    capacity_unit="MW",
    note="of GEM",
)
WRI = asset(
    "wri",
    (33.42, 49.07),
    100.0,
    sources=("w", "s"),
    name="Kremenchug CHP",
    names={"uk": "Кременчуцька станція", "ru": "Кременчугская ТЭЦ"},
    external_ids={"gppd": "W1", "wikidata": "Q2"},
    capacity=250.0,
    capacity_unit="MW",
    commodity="Gas",
    host_country="UA",
    note="of WRI",
    checked="read",
)
JUDGED = judged("gem", "wri")


def test_the_best_place_stands_and_the_rest_is_united() -> None:
    (one,) = apply_judgements(records(*SOURCES, GEM, WRI, JUDGED)).assets.values()
    assert (one.id, one.name, one.dataset, one.capacity, one.commodity) == (
        "gem",
        "Kremenchuk power station",
        "gem",
        255.0,
        "Gas",
    )
    place = (one.geometry, one.uncertainty_m, one.place_source, one.checked)
    assert place == (WRI.geometry, 100.0, "w", "read")
    assert one.names == {"uk": "Кременчуцька ТЕЦ", "ru": "Кременчугская ТЭЦ"}
    assert set(one.aliases) == {"Kremenchug CHP", "Кременчуцька станція"}
    assert one.external_ids == {"gem": "G1", "wikidata": "Q1", "gppd": "W1"}
    assert (one.sources, one.host_country, one.note) == (("g", "w", "s"), "UA", "of GEM of WRI")


def test_what_either_said_otherwise_is_a_claim_with_its_source() -> None:
    merged = apply_judgements(records(*SOURCES, GEM, WRI, JUDGED))
    assert {claim.record for claim in merged.claims.values()} == {"gem"}
    assert claims(merged, "geometry") == {("POINT (33.4 49)", "g")}
    assert claims(merged, "uncertainty_m") == {("5000", "g")}
    assert claims(merged, "capacity") == {("250", "w")}
    assert claims(merged, "external_ids") == {("wikidata Q2", "w")}
    assert claims(merged, "name") == set()


def test_a_place_is_taken_whole_from_the_first_of_equals() -> None:
    again = WRI.model_copy(update={"uncertainty_m": 5_000.0})
    (one,) = apply_judgements(records(*SOURCES, GEM, again, JUDGED)).assets.values()
    assert (one.geometry, one.place_source) == (GEM.geometry, "g")


def owners(known: Records, owned: str) -> dict[str, tuple[float, float]]:
    found = OwnersByDate(StakeColumns.of(known)).on(None, None).of(owned)
    return {str(share.country): (share.share.low, share.share.high) for share in found.shares}


def test_two_tables_of_owners_are_never_added_up() -> None:
    holders = [entity("x"), entity("y")]
    stakes = [
        stake("g1", "gem", "x", 50.0, source="g"),
        stake("w1", "wri", "x", 100.0, source="w"),
        stake("w2", "wri", "y", 20.0, source="w"),
    ]
    about = Claim(id="c", record="w2", field="share_max", value="25", source="w", checked="read")
    merged = apply_judgements(records(*SOURCES, GEM, WRI, *holders, *stakes, about, JUDGED))
    assert {(one.owned, one.owner, one.share_max) for one in merged.stakes.values()} == {("gem", "x", 50.0)}
    assert claims(merged, "owner") == {("X 100 %", "w"), ("Y 20 %", "w"), ("25", "w")}
    assert owners(merged, "gem")["UA"][1] <= 50.0


def test_stakes_of_the_other_stand_where_the_one_has_none_and_repeats_are_no_claims() -> None:
    known = [*SOURCES, GEM, WRI, entity("x")]
    merged = apply_judgements(records(*known, stake("w1", "wri", "x", 100.0), JUDGED))
    assert {(one.owned, one.owner) for one in merged.stakes.values()} == {("gem", "x")}
    both = [stake("g1", "gem", "x", 100.0), stake("w1", "wri", "x", 100.0)]
    merged = apply_judgements(records(*known, *both, JUDGED))
    assert (list(merged.stakes), claims(merged, "owner")) == (["g1"], set())


def test_parts_ties_and_decisions_follow() -> None:
    unit = asset("unit", part_of="wri")
    ties = [
        Relation(id=key, asset=owned, entity="x", relation="operator", source="s", checked="read")
        for key, owned in (("r1", "gem"), ("r2", "wri"))
    ]
    hit = Decision(
        id="d", strike="k", asset="wri", verdict="confirmed", who="A", when="2026-01-01", why="w", sources=("s",)
    )
    merged = apply_judgements(records(*SOURCES, GEM, WRI, unit, entity("x"), strike("k"), *ties, hit, JUDGED))
    assert merged.assets["unit"].part_of == "gem"
    assert [(one.id, one.asset) for one in merged.relations.values()] == [("r1", "gem")]
    assert merged.decisions["d"].asset == "gem"


def test_decisions_on_two_records_of_one_site_are_one_hit_once_they_are_one() -> None:
    decided = [
        Decision(id=f"d{key}", strike="k", asset=key, verdict="confirmed", who="A", when="2026-01-01", why="w")
        for key in ("gem", "wri")
    ]
    merged = apply_judgements(records(*SOURCES, GEM, WRI, strike("k"), *decided, JUDGED))
    assert [hit.asset for hit in finding("k", merged.decisions.values(), None).hits] == ["gem"]


def test_an_asset_is_no_part_of_itself_and_that_is_said() -> None:
    unit = asset("unit", part_of="gem")
    merged = apply_judgements_with_remarks(records(*SOURCES, GEM, unit, judged("unit", "gem")))
    assert merged.records.assets["unit"].part_of is None
    assert [text(remark) for remark in merged.remarks] == [
        "asset unit would be a part of itself, and is taken as a part of none"
    ]
    chain = [asset("a", part_of="b"), asset("b", part_of="c"), asset("c")]
    assert apply_judgements(records(*chain, judged("a", "c"))).assets["a"].part_of is None


def test_a_private_asset_is_not_published_by_a_judgement() -> None:
    hidden = WRI.model_copy(update={"private": True})
    secret = JUDGED.model_copy(update={"private": True})
    known = records(*SOURCES, GEM, hidden, secret)
    assert apply_judgements(known).assets["gem"].private
    assert apply_judgements(public(known)).assets["gem"] == GEM


def test_an_asset_is_never_one_with_a_strike_or_an_entity() -> None:
    known = records(GEM, *SOURCES, strike("k"), entity("x"), judged("gem", "k"), judged("x", "gem"))
    merged = apply_judgements_with_remarks(known)
    assert merged.merged_into == {}
    assert all("records of two kinds" in text(remark) for remark in merged.remarks)
    assert len(merged.remarks) == 2


NAMES = "abcdef"
PAIRS = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda pair: pair[0] != pair[1])
VERDICTS = st.lists(st.tuples(PAIRS, st.sampled_from(["same", "different"])), max_size=6)


def layer() -> list[Record]:
    assets = [
        asset(
            name,
            (30.0 + at, 50.0),
            100.0 * (at + 1),
            sources=("s",),
            capacity=100.0 + at if at % 2 else None,
            part_of="a" if at == 5 else None,
            external_ids={"gem": name},
        )
        for at, name in enumerate(NAMES)
    ]
    stakes = [stake(f"k{name}", name, "x", 10.0 * (at + 1)) for at, name in enumerate(NAMES[1:4])]
    return [*assets, entity("x"), *stakes]


def facts(known: Records) -> dict[str, dict[str, Record]]:
    return {f.name: dict(known.table(f.name)) for f in fields(Records) if f.name != "identities"}


@given(VERDICTS)
def test_merging_and_undoing_gives_the_same_records(verdicts: list[tuple[tuple[str, str], str]]) -> None:
    before = records(*layer())
    judgements = [judged(*pair, verdict, number) for number, (pair, verdict) in enumerate(verdicts)]
    undone = [judged(*pair, "undone", 100 + number) for number, (pair, _) in enumerate(verdicts)]
    merged = apply_judgements(records(*layer(), *judgements))
    assert set(merged.assets) <= set(before.assets)
    assert {claim.record for claim in merged.claims.values()} <= set(merged.assets)
    assert {one.owned for one in merged.stakes.values()} <= set(merged.assets)
    names = {name for one in merged.assets.values() for name in (one.name, *one.aliases)}
    assert names == {one.name for one in before.assets.values()}
    assert facts(apply_judgements(records(*layer(), *judgements, *undone))) == facts(before)


@given(VERDICTS, st.randoms(use_true_random=False))
def test_the_order_of_the_records_does_not_matter(verdicts: list[tuple[tuple[str, str], str]], random: Any) -> None:
    judgements = [judged(*pair, verdict, number) for number, (pair, verdict) in enumerate(verdicts)]
    shuffled = layer()
    random.shuffle(shuffled)
    assert facts(apply_judgements(records(*shuffled, *judgements))) == facts(
        apply_judgements(records(*layer(), *judgements))
    )


def test_every_table_is_there_after_a_merge() -> None:
    merged = apply_judgements(records(*SOURCES, GEM, WRI, JUDGED))
    assert all(merged.table(name) is not None for name in RECORD_TYPES)
    assert list(merged.identities) == [JUDGED.id]


def test_a_course_of_many_corners_is_a_claim_of_fewer() -> None:
    corners = [(30 + number / 1000, 50 + (number % 7) / 1000) for number in range(3000)]
    one, other = asset("a", (30.0, 50.0), 10.0, sources=("g",)), asset("b", sources=("w",))
    course = {"geometry": shapely.LineString(corners), "uncertainty_m": 50.0, "basis": "site", "place_source": "w"}
    merged = apply_judgements(records(*SOURCES, one, other.model_copy(update=course), judged("a", "b")))
    (claim,) = (one for one in merged.claims.values() if one.field == "geometry")
    assert len(claim.value) <= 2000
    assert shapely.from_wkt(claim.value).distance(shapely.Point(corners[-1])) == 0


def test_an_asset_judged_a_part_of_another_is_one_and_neither_is_merged() -> None:
    field, platform = asset("field"), asset("platform")
    whole = judged("platform", "field").model_copy(update={"verdict": "part"})
    merged = apply_judgements_with_remarks(records(field, platform, *SOURCES, whole))
    assert merged.records.assets["platform"].part_of == "field"
    assert merged.records.assets["field"] == field
    assert merged.merged_into == {}
    # It holds of what the whole became one with, and not where the record names another whole, or would be its own.
    united = apply_judgements(records(GEM, field, platform, *SOURCES, whole, judged("gem", "field")))
    assert united.assets["platform"].part_of == "gem"
    named = asset("platform", part_of="gem")
    assert apply_judgements(records(GEM, field, named, *SOURCES, whole)).assets["platform"].part_of == "gem"
    within = records(asset("field", part_of="platform"), platform, *SOURCES, whole)
    assert apply_judgements(within).assets["platform"].part_of is None
    assert apply_judgements(records(platform, *SOURCES, whole)).assets["platform"].part_of is None
