"""Heat as a witness: the join against brute force, what burns always, what is not known, and the words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from math import cos, floor, log, radians
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from api.wording.catalogue import text
from layers.matching.heat import MAX_DAYS, Witness, with_heat, witness
from layers.model.heat import NO_HEAT, SENSORS, HeatColumns
from layers.model.records import Asset, Match, Strike

DAY = date(2025, 8, 8)
LON, LAT = 30.75, 46.5
_METRE = 1 / 111_195
_GEOD = Geod(ellps="WGS84")
#: minute, lon, lat, sensor, radius_m, confidence, frp_mw, type
Observation = tuple[int, float, float, int, float, int, float, int]


def minute(day: date, clock: str = "10:30") -> int:
    hours, minutes = map(int, clock.split(":"))
    return (day - date(1970, 1, 1)).days * 1440 + hours * 60 + minutes


def seen(day: date = DAY, clock: str = "10:30", north_m: float = 0, **more: Any) -> Observation:
    values = {"sensor": 3, "radius_m": 265.0, "confidence": 1, "frp_mw": 5.0, "type": 0, "lon": LON, **more}
    kind = (values["sensor"], values["radius_m"], values["confidence"], values["frp_mw"], values["type"])
    return (minute(day, clock), values["lon"], LAT + north_m * _METRE, *kind)


def watched(days: int = 60) -> list[Observation]:
    """Heat elsewhere in the region on days before the strike."""
    return [seen(DAY - timedelta(number), north_m=100_000) for number in range(1, days + 1)]


def heat(rows: Sequence[Observation]) -> HeatColumns:
    return HeatColumns.of(*(list(zip(*rows, strict=True)) or [()] * 8))


def strike(when: str = "2025-08-08") -> Strike:
    return Strike(id="s", title="T", when=when, place="P", status="reported", sources=("x",), checked="read")


def asset(geometry: Any = None, uncertainty_m: float = 100) -> Asset:
    values = {"geometry": geometry or shapely.Point(LON, LAT), "uncertainty_m": uncertainty_m}
    placed = {**values, "basis": "site", "place_source": "x"}
    return Asset(id="a", name="A", kind="refinery", sources=("x",), checked="read", **placed)


def found(*rows: Observation, when: str = "2025-08-08", **of_asset: Any) -> Witness | None:
    return witness(strike(when), asset(**of_asset), heat([*watched(), *rows]))


def test_unusual_heat_at_the_site_witnesses() -> None:
    said = found(seen(DAY, "23:41", 320), seen(DAY, "10:30", 340))
    assert said is not None
    assert (said.minute, said.sensor, said.days, said.watched) == (minute(DAY, "23:41"), 3, 0, 60)
    assert said.distance_m == pytest.approx(320, rel=0.01)
    assert said.surprise == pytest.approx(-log(1 - (1 - 1 / 62) ** 3))


@pytest.mark.parametrize(
    ("days", "clock", "is_there"),
    # Mean solar time is 2:03 ahead of UTC here.
    [(-1, "21:56", False), (-1, "21:58", True), (0, "12:00", True), (2, "21:56", True), (2, "21:58", False)],
)
def test_the_days_are_those_of_the_strike_and_two_after(days: int, clock: str, is_there: bool) -> None:
    assert (found(seen(DAY + timedelta(days), clock)) is not None) is is_there


def test_the_pixel_or_the_place_reaches_to_the_site() -> None:
    assert found(seen(north_m=360)) is not None
    assert found(seen(north_m=370)) is None
    assert found(seen(north_m=370), uncertainty_m=120) is not None
    assert found(seen(north_m=1_990, radius_m=2_600)) is not None
    assert found(seen(north_m=2_010, radius_m=2_600)) is None


@pytest.mark.parametrize("more", [{"confidence": 0}, {"type": 2}, {"type": 1}])
def test_what_is_doubtful_or_always_burns_witnesses_nothing(more: dict[str, int]) -> None:
    assert found(seen(**more)) is None
    assert found(seen(), seen(clock="11:00", **more)) is not None


def test_a_flare_says_the_less_the_more_often_it_burns() -> None:
    surprise = []
    for number in (0, 3, 6, 9, 12, 60):
        burning = [seen(DAY - timedelta(day), "02:00") for day in range(1, number + 1)]
        said = found(seen(), *burning)
        assert said is None or said.days == number
        surprise.append(0.0 if said is None else said.surprise)
    assert surprise == sorted(surprise, reverse=True)
    assert surprise[-2:] == [0, 0]


def test_without_days_before_nothing_is_known() -> None:
    def after(days: int) -> Witness | None:
        return witness(strike(), asset(), heat([*watched(days), seen()]))

    few = after(8)
    assert after(0) is None
    assert after(2) is None
    assert few is not None
    assert few.watched == 8
    assert few.surprise < 1.5


@pytest.mark.parametrize(
    ("when", "is_there"),
    [
        ("2025-08", True),
        ("2025-08-01/2025-09-01", False),
        ("2025", False),
        ("2025-08-08/..", False),
        ("2025-08?", False),
    ],
)
def test_a_vague_day_has_no_witness(when: str, is_there: bool) -> None:
    rows = [seen(date(2025, 8, 1) - timedelta(number), north_m=100_000) for number in range(1, 61)]
    usual = found(seen(), *rows, when=when)
    assert MAX_DAYS == 31
    assert (usual is not None) is is_there


@pytest.mark.parametrize("when", ["0001-01-01", "9999-12-31"])
def test_a_strike_of_any_year_is_looked_at(when: str) -> None:
    assert found(seen(), when=when) is None


def test_a_line_or_a_place_that_is_hardly_known_has_no_witness() -> None:
    assert found(seen(), geometry=shapely.LineString([(LON, LAT), (LON, LAT + 5)])) is None
    assert found(seen(), uncertainty_m=2_001) is None
    area = shapely.box(LON - 0.1, LAT, LON + 0.1, LAT + 0.1)
    inside = found(seen(north_m=5_000), geometry=area)
    assert inside is not None
    assert inside.distance_m == 0


def test_a_box_lies_across_the_antimeridian() -> None:
    site = asset(geometry=shapely.Point(179.9999, LAT))
    before = [seen(DAY - timedelta(number), north_m=100_000, lon=-179.5) for number in range(60)]
    said = witness(strike(), site, heat([*before, seen(lon=-179.9999, north_m=30)]))
    assert said is not None
    assert said.watched == 59
    assert said.distance_m == pytest.approx(34, abs=2)


# --- against brute force ------------------------------------------------------------------------


def _solar_day(row: Observation) -> int:
    return floor((row[0] + 4 * LON) / 1440)


def _here(row: Observation, site: Asset) -> float | None:
    assert site.geometry is not None
    distance_m = float(_GEOD.inv(site.geometry.x, site.geometry.y, row[1], row[2])[2])
    return distance_m if distance_m <= min(row[4] + (site.uncertainty_m or 0), 2_000) else None


def by_brute_force(site: Asset, rows: Sequence[Observation], first: int, last: int) -> Witness | None:
    assert site.geometry is not None
    here = [(distance_m, row) for row in rows if (distance_m := _here(row, site)) is not None]
    during = [
        (d, row) for d, row in here if first <= _solar_day(row) <= last + 2 and row[5] > 0 and row[7] not in (1, 2)
    ]
    if not during:
        return None
    near = [row for row in rows if abs(row[2] - LAT) <= 2 and abs(row[1] - LON) <= 2 / cos(radians(LAT + 2))]
    watched_days = {day for row in near if first - 60 <= (day := _solar_day(row)) < first}
    usual = {day for _, row in here if first - 60 <= (day := _solar_day(row)) < first}
    chance = 1 - (1 - (len(usual) + 1) / (len(watched_days) + 2)) ** (last - first + 3)
    if chance > 0.5:
        return None
    distance_m, row = min(during, key=lambda item: (item[0], item[1][0]))
    return Witness(row[0], row[3], distance_m, len(usual), len(watched_days), -log(chance))


_ROWS = st.lists(
    st.builds(
        lambda day, clock, north, east, far, more: (
            minute(DAY + timedelta(day)) + clock, LON + east * _METRE + far * 0.7, LAT + north * _METRE + far, *more
        ),
        st.integers(-64, 6), st.integers(-630, 800), st.floats(-3_000, 3_000), st.floats(-3_000, 3_000),
        st.sampled_from([0.0, 0.0, 0.0, 1.5, -1.9, 2.5]),
        st.tuples(
            st.integers(1, 5), st.floats(200, 2_600), st.integers(0, 2), st.just(1.0), st.sampled_from([-1, 0, 2, 3]),
        ),
    ),
    max_size=40,
)  # fmt: skip


@given(_ROWS, st.integers(0, 40), st.integers(0, 4), st.floats(1, 2_000))
def test_the_witness_is_that_of_brute_force(
    rows: list[Observation], before: int, length: int, uncertainty_m: float
) -> None:
    site, last = asset(uncertainty_m=uncertainty_m), DAY + timedelta(length)
    every = [*watched(before), *rows]
    unique = {(row[0], row[1], row[2], row[3]): row for row in sorted(every, reverse=True)}
    first = minute(DAY, "00:00") // 1440
    expected = by_brute_force(site, list(unique.values()), first, first + length)
    said = witness(strike(f"{DAY}/{last}"), site, heat(every))
    assert (said is None) is (expected is None)
    if said is not None and expected is not None:
        assert (said.days, said.watched) == (expected.days, expected.watched)
        assert said.distance_m == pytest.approx(expected.distance_m, rel=1e-4, abs=0.5)
        assert said.surprise == pytest.approx(expected.surprise)


# --- beside the other reasons -------------------------------------------------------------------

MATCHES = (Match(strike="s", asset="a", probability=0.6), Match(strike="s", asset=None, probability=0.4))


def test_the_reason_has_its_words_and_no_weight() -> None:
    said, none = with_heat(MATCHES, strike(), {"a": asset()}, heat([*watched(), seen(DAY, "23:41", 320, sensor=4)]))
    (reason,) = said.reasons
    assert (reason.name, reason.weight, said.probability, none) == ("heat", 0, 0.6, MATCHES[1])
    assert reason.value == pytest.approx(-log(1 - (1 - 1 / 62) ** 3), abs=0.001)
    assert text(reason.detail) == (
        "VIIRS on NOAA-20 saw heat 320 m from here at 23:41 UTC on 2025-08-08; there was heat on 0 of the 60 days "
        "before that could be compared. No proof, and not weighed"
    )


def test_without_observations_or_a_witness_matches_stay_as_they_are() -> None:
    assert with_heat(MATCHES, strike(), {"a": asset()}, NO_HEAT) == MATCHES
    assert with_heat(MATCHES, strike(), {"a": asset()}, heat(watched())) == MATCHES


def test_no_satellite_is_called_after_the_code_of_another() -> None:
    assert len(set(SENSORS)) == len(SENSORS)
    assert np.isin([1, 2], [index for index, name in enumerate(SENSORS) if "MODIS" in name]).all()
