"""Capacity hit and capacity-days lost: examples worked out by hand, and a count over every way it can have been."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.attribution.attribute import HitOwnership, StrikeAttribution
from layers.attribution.capacity import Capacity, Holder, capacity_days, capacity_hit, host, owner, struck_sites
from layers.attribution.outages import AssetOutages, OwnedSpan
from layers.decisions.hits import Hit, StrikeOutcome
from layers.model.records import Asset, Records, Strike
from layers.ownership.chains import Chains
from layers.ownership.owners import Owners
from layers.ownership.walk import CountryShare, Interval
from layers.reference.basemap import Basemap
from layers.snapshot.snapshot import Snapshot
from tests.outage_records import DATA_DATE, outage_records, outage_snapshot

NONE, ALL = Interval(0.0, 0.0), Interval(100.0, 100.0)
YEAR = (date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture(scope="module")
def outage(base: Basemap) -> Snapshot:
    return outage_snapshot(base)


def hit(snapshot: Snapshot, holder: Holder, basis: Any = "registration", days: Any = YEAR) -> dict[str | None, Any]:
    assets, answers = snapshot.records.assets, snapshot.answers(basis).values()
    return {
        unit: values_of(part)
        for unit, part in capacity_hit(assets, struck_sites(assets, answers, holder, *days)).items()
    }


def lost(snapshot: Snapshot, holder: Holder, basis: Any = "registration", days: Any = YEAR) -> dict[Any, Any]:
    sums = capacity_days(snapshot.records.assets, snapshot.outages(basis), holder, *days)
    return {key: values_of(part) for key, part in sums.items()}


def values_of(part: Capacity) -> tuple[float, float, int, int]:
    return round(part.low, 6), round(part.high, 6), part.sites, part.sites_sure


# Five examples on the records of tests/data/outages, worked out by hand.


def test_1_a_refinery_of_two_owners_that_was_out_for_ten_days(outage: Snapshot) -> None:
    # 100,000 bbl/d, 60 % of it AZ's and 40 % KZ's; out from 2 March until 12 March, that is on 10 days.
    assert hit(outage, owner("AZ"))["bbl/d"] == (60_000, 60_000, 1, 1)
    assert lost(outage, owner("AZ"))["strike", "bbl/d"] == (600_000, 600_000, 1, 1)
    assert hit(outage, owner("KZ"))["bbl/d"] == (40_000, 40_000, 1, 1)
    assert lost(outage, owner("KZ"))["strike", "bbl/d"] == (400_000, 400_000, 1, 1)
    assert lost(outage, host("UA"))["strike", "bbl/d"] == (1_000_000, 1_000_000, 1, 1)
    # Of its days, 5 are from 7 March on: 5 x 60,000.
    march = (date(2026, 3, 7), date(2026, 3, 31))
    assert lost(outage, owner("AZ"), days=march)["strike", "bbl/d"] == (300_000, 300_000, 1, 1)
    assert "bbl/d" not in hit(outage, owner("AZ"), days=march)  # it was hit before


def test_2_a_station_that_changed_hands_while_it_worked_in_part(outage: Snapshot) -> None:
    # 1,000 MW at 40 to 60 %, so 400 to 600 MW lost, on 20 days from 21 April: 10 in April AZ's, 10 in May KZ's.
    assert lost(outage, owner("AZ"))["strike", "MW"] == (4_000, 6_000, 1, 1)
    assert lost(outage, owner("KZ"))["strike", "MW"] == (4_000, 6_000, 1, 1)
    assert lost(outage, host("UA"))["strike", "MW"] == (8_000, 12_000, 1, 1)
    # On the day of the strike all of it was AZ's.
    assert hit(outage, owner("AZ"))["MW"] == (1_000, 1_000, 1, 1)
    assert "MW" not in hit(outage, owner("KZ"))


def test_3_a_plant_of_which_no_source_tells_when_it_worked_again(outage: Snapshot) -> None:
    # 7.3 Mt/y, half of it AZ's: 3.65 Mt/y. At least its first day; at most from 2 March to 25 November, the day of the
    # data: 30 + 30 + 31 + 30 + 31 + 31 + 30 + 31 + 25 = 269 days.
    assert hit(outage, owner("AZ"))["t/y"] == (3_650_000, 3_650_000, 1, 1)
    assert lost(outage, owner("AZ"))["strike", "t/y"] == (3_650_000, 269 * 3_650_000, 1, 1)
    # To the end of March it is 1 to 30 days, and in April none to 30.
    assert lost(outage, owner("AZ"), days=(None, date(2026, 3, 31)))["strike", "t/y"][:2] == (3_650_000, 109_500_000)
    april = date(2026, 4, 1), date(2026, 4, 30)
    assert lost(outage, owner("AZ"), days=april)["strike", "t/y"] == (0, 109_500_000, 1, 0)


def test_4_one_of_two_depots_was_hit(outage: Snapshot) -> None:
    # Depot A, 30,000 t, all AZ's; or depot B, 50,000 t, half AZ's and half KZ's.
    assert hit(outage, owner("AZ"))["t"] == (25_000, 30_000, 2, 0)
    assert hit(outage, owner("KZ"))["t"] == (0, 25_000, 1, 0)
    assert hit(outage, host("UA"))["t"] == (30_000, 50_000, 2, 0)
    assert ("strike", "t") not in lost(outage, owner("AZ"))  # no source tells of days without them


def test_5_a_field_and_the_train_in_it_count_once(outage: Snapshot) -> None:
    # The field makes 20 bcm/y with the 5 of its train; both were hit.
    assert hit(outage, owner("KZ"))["bcm/y"] == (20, 20, 2, 2)
    # On 10 days the field lost 20 to 30 % of 20, that is 4 to 6, and the train 5, which is in it: 5 to 6 a day.
    assert lost(outage, owner("KZ"))["strike", "bcm/y"] == (50, 60, 2, 2)


def test_an_occupation_is_apart_and_an_unknown_capacity_is_no_zero(outage: Snapshot) -> None:
    # 200 MW under occupation from 1 to 30 July.
    assert lost(outage, owner("KZ"))["occupied", "MW"] == (6_000, 6_000, 1, 1)
    assert hit(outage, owner("AZ"))[None] == (0, 0, 1, 1)
    assert lost(outage, owner("AZ"))["strike", None] == (0, 0, 1, 1)


def test_the_reading_says_whose_it_is(outage: Snapshot) -> None:
    assert lost(outage, owner("US")) == {}
    assert lost(outage, owner("US"), "headquarters") == lost(outage, owner("KZ"))
    assert hit(outage, owner("US"), "headquarters") == hit(outage, owner("KZ"))


def changed(table: str, **values: dict[str, Any]) -> Records:
    """The records with other values of some of them, by id."""
    tables = {name: dict(outage_records().table(name)) for name in Records.__dataclass_fields__}
    for key, update in values.items():
        key = key.replace("__", "/").replace("_", "-")
        tables[table][key] = tables[table][key].model_copy(update=update)
    return Records.of(tables)


def test_a_strike_that_does_not_stand_brought_nothing_about(base: Basemap) -> None:
    struck = outage_snapshot(base, changed("strikes", s1={"status": "retracted"}))
    assert "bbl/d" not in hit(struck, owner("AZ"))
    days = lost(struck, owner("AZ"))
    assert ("strike", "bbl/d") not in days
    assert days["other", "bbl/d"] == (600_000, 600_000, 1, 1)


def test_an_outage_of_a_site_that_may_not_have_been_hit_is_possible(base: Basemap) -> None:
    struck = outage_snapshot(base, changed("decisions", s1__refinery={"verdict": "possible"}))
    assert hit(struck, owner("AZ"))["bbl/d"] == (0, 60_000, 1, 0)
    assert lost(struck, owner("AZ"))["strike", "bbl/d"] == (0, 600_000, 1, 0)


def test_a_strike_that_may_have_been_outside_the_period_may_add_nothing(base: Basemap) -> None:
    struck = outage_snapshot(base, changed("strikes", s1={"when": "2026-03"}))
    assert hit(struck, owner("AZ"), days=(None, date(2026, 3, 15)))["bbl/d"] == (0, 60_000, 1, 0)
    assert hit(struck, owner("AZ"), days=(date(2026, 3, 1), date(2026, 3, 31)))["bbl/d"] == (60_000, 60_000, 1, 1)
    assert "bbl/d" not in hit(struck, owner("AZ"), days=(date(2026, 4, 1), None))


def test_parts_that_go_round_in_a_circle_count_once(base: Basemap) -> None:
    struck = outage_snapshot(base, changed("assets", field={"part_of": "train"}))
    assert hit(struck, owner("KZ"))["bcm/y"] == (20, 20, 2, 2)
    assert lost(struck, owner("KZ"))["strike", "bcm/y"] == (50, 60, 2, 2)


# Algebra.

HOLDERS = [owner(iso) for iso in ("AZ", "KZ")] + [host(iso) for iso in ("UA", "QA", "IQ")]


@given(st.integers(0, 320), st.integers(0, 320))
def test_adding_up_periods_is_adding_up_days(outage: Snapshot, cut: int, end: int) -> None:
    first, middle, last = date(2026, 1, 15), *sorted(date(2026, 1, 15) + timedelta(days=n) for n in (cut, end))
    for holder in HOLDERS:
        whole = lost(outage, holder, days=(first, last))
        parts = [lost(outage, holder, days=(first, middle)), lost(outage, holder, days=(middle + timedelta(1), last))]
        for key, (low, high, _, _) in whole.items():
            for bound, place in ((low, 0), (high, 1)):
                assert sum(part.get(key, (0, 0))[place] for part in parts) == pytest.approx(bound)
        assert {key for part in parts for key in part} == whole.keys()


def test_shares_of_all_owners_sum_within_the_total(outage: Snapshot) -> None:
    everything = Holder(lambda *_: ALL, lambda *_: ALL)
    for of in (hit, lost):
        total = of(outage, everything)
        owned = [of(outage, owner(iso)) for iso in ("AZ", "KZ")]
        for key, (low, high, sites, _) in total.items():
            assert sum(part.get(key, (0, 0))[0] for part in owned) <= low
            assert all(part.get(key, (0, 0))[1] <= high and part.get(key, (0, 0, 0))[2] <= sites for part in owned)
        assert {key for part in owned for key in part} <= total.keys()


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9), st.integers(0, 4), st.integers(0, 4)), max_size=5),
    st.lists(st.integers(0, 100), min_size=2, max_size=2),
)
def test_days_lost_are_those_of_each_day_added_up(spans: list[tuple[int, int, int, int]], shares: list[int]) -> None:
    asset = site("a", 8.0)
    share, rows, begun = Interval(*map(float, sorted(shares))), [], date(2026, 3, 1)
    expected = [0.0, 0.0]
    for gap, length, *parts in spans:
        low, high = (25.0 * part for part in sorted(parts))
        begun += timedelta(days=gap)
        ended = begun + timedelta(days=length - 1)
        rows.append(OwnedSpan(begun, ended, {"strike": Interval(low, high)}, {"AZ": share}))
        expected[0] += length * 8 * low / 100 * share.low / 100
        expected[1] += length * 8 * high / 100 * share.high / 100
        begun = ended + timedelta(days=1)
    found = capacity_days({"a": asset}, [AssetOutages(asset, None, (), tuple(rows))], owner("AZ"))
    assert found.keys() <= {("strike", "MW")}
    low, high = next((part.low, part.high) for part in found.values()) if found else (0.0, 0.0)
    assert (low, high) == pytest.approx(tuple(expected))


# A count over every set of sites that may have been hit.


def site(name: str, capacity: float | None, part_of: str | None = None) -> Asset:
    values = {"id": name, "name": name, "kind": "refinery", "sources": ("s",), "checked": "read", "part_of": part_of}
    return Asset.model_validate({**values, "capacity": capacity, "capacity_unit": "MW"})


SITES = {
    "a": site("a", 8), "b": site("b", 4), "c": site("c", 2, "b"), "d": site("d", 1, "c"), "e": site("e", None),
}  # fmt: skip
SHARES = {"a": (50, 100), "b": (20, 60), "c": (100, 100), "d": (0, 100), "e": (40, 60)}


def struck(name: str, verdicts: Mapping[str, str], shares: Mapping[str, tuple[int, int]] = SHARES) -> StrikeAttribution:
    values = {"id": name, "title": name, "when": "2026-03-05", "place": "p", "status": "reported", "checked": "read"}
    hits = tuple(
        HitOwnership(
            Hit(asset, verdict, None),  # type: ignore[arg-type]
            Owners(
                (CountryShare("AZ", Interval(*map(float, shares[asset])), {}),), NONE, (), (), lambda: Chains((), NONE)
            ),
            (),
        )
        for asset, verdict in verdicts.items()
    )
    strike = Strike.model_validate({**values, "sources": ("s",)})
    return StrikeAttribution(
        strike, StrikeOutcome(name, (), "decision", None), hits, (), NONE, (), "registration", "stay"
    )


def each_world(verdicts: Mapping[str, str]) -> list[set[str]]:
    sure = {name for name, verdict in verdicts.items() if verdict == "confirmed"}
    candidates = [name for name, verdict in verdicts.items() if verdict != "confirmed"]
    return [sure | {name} for name in candidates] + ([sure] if sure or len(candidates) < 2 else [])


VERDICTS = st.dictionaries(
    st.sampled_from([*SITES]), st.sampled_from(["confirmed", "possible"]), min_size=1, max_size=3
)


@given(st.lists(VERDICTS, max_size=4))
def test_capacity_hit_equals_a_count_over_every_world(drawn: list[dict[str, str]]) -> None:
    answers = [struck(f"s{n}", verdicts) for n, verdicts in enumerate(drawn)]
    found = capacity_hit(SITES, struck_sites(SITES, answers, owner("AZ")))
    worlds = [set().union(*chosen) for chosen in product(*map(each_world, drawn))]
    above = {"c": {"b"}, "d": {"b", "c"}}
    sums = {
        end: [
            sum(
                SITES[name].capacity * SHARES[name][end] / 100
                for name in world - {"e"}
                if not above.get(name, set()) & world
            )  # type: ignore[operator]
            for world in worlds
        ]
        for end in (0, 1)
    }
    sure = set.intersection(*worlds)
    known, unknown = ({name for world in worlds for name in world} & names for names in ({*"abcd"}, {"e"}))
    expected = {}
    if known:
        expected["MW"] = (min(sums[0]), max(sums[1]), len(known), len(sure & known - {"d"}))
    if unknown:
        expected[None] = (0, 0, 1, len(sure & unknown))
    assert {unit: pytest.approx(values_of(part)) for unit, part in found.items()} == expected


def test_very_many_open_strikes_have_outer_bounds() -> None:
    sites = {f"x{n:02}": site(f"x{n:02}", 1) for n in range(40)}
    shares = dict.fromkeys(sites, (100, 100))
    pairs = [struck(f"s{n}", {f"x{n:02}": "possible", f"x{n + 1:02}": "possible"}, shares) for n in range(39)]
    sure = struck("s", {"x00": "confirmed"}, shares)
    found = capacity_hit(sites, struck_sites(sites, [sure, *pairs], owner("AZ")))["MW"]
    assert values_of(found) == (1, 40, 40, 1)


def test_no_day_after_that_of_the_data_is_counted(outage: Snapshot) -> None:
    assert max(span.last for one in outage.outages() for span in one.spans) == DATA_DATE
