"""The country in which a strike happened, where its record does not state it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest
import shapely

from layers.attribution.host_country import Host, HostCountries
from layers.model.cache import Lazy
from layers.model.records import Records, Strike
from layers.reference.basemap import Basemap
from layers.snapshot.snapshot import Snapshot
from tests.conftest import GAZETTEER

KREMENCHUK, BLACK_SEA, KHARKIV, BORDER = (33.42, 49.16), (34.0, 43.5), (36.25, 50.0), (36.36, 50.31)
MOSCOW_QUAY = (30.72, 46.50)  # off Odesa, seaward of the coast as drawn


def strike(at: tuple[float, float] | None, radius_m: float = 1000.0, basis: str = "site", **values: Any) -> Strike:
    place: dict[str, Any] = {}
    if at is not None:
        place = {"geometry": shapely.Point(at), "uncertainty_m": radius_m, "basis": basis, "place_source": "s"}
    stated = {"id": "x", "title": "X", "when": "2025-08-08", "place": "p", "status": "reported", "checked": "read"}
    return Strike.model_validate({**stated, "sources": ("s",), **place, **values})


@pytest.fixture(scope="module")
def hosts(whole_base: Basemap) -> HostCountries:
    return HostCountries(Lazy(lambda: whole_base.land))


@pytest.mark.parametrize(
    ("one", "sites", "expected"),
    [
        (strike(KREMENCHUK, host_country="PL"), ["RU"], Host("PL", "stated")),
        (strike(KREMENCHUK), ["RU"], Host("UA", "point")),
        (strike(MOSCOW_QUAY), [], Host("UA", "point")),
        (strike(KHARKIV, 15_000), [], Host("UA", "point")),
        (strike(KHARKIV, 60_000, "region"), [], Host("UA", "point")),
        (strike(BLACK_SEA), ["RU"], Host(None, "sea")),
        (strike((29.9, 46.0), 90_000, "sea-area"), ["UA"], Host(None, "sea")),
        (strike(BORDER, 10_000), [], Host()),
        (strike(BORDER, 10_000), ["RU", "RU"], Host("RU", "site")),
        (strike(BORDER, 10_000, region="Kharkiv oblast"), ["RU"], Host("UA", "region")),
        (strike(BLACK_SEA, 250_000), [], Host()),
        (strike(None, region="Одеська область"), [], Host("UA", "region")),
        (strike(None, region="Nowhere"), ["UA"], Host("UA", "site")),
        (strike(None), ["UA", "RU"], Host()),
        (strike(None), ["UA", None], Host()),
        (strike(None), [], Host()),
    ],
)
def test_the_first_that_says_a_country_is_taken(
    hosts: HostCountries, one: Strike, sites: list[str | None], expected: Host
) -> None:
    assert hosts.of(one, sites) == expected


@pytest.mark.parametrize(
    ("name", "at", "host"),
    [
        ("Zmiinyi", (30.2044, 45.2551), None),
        ("off Zmiinyi, in its territorial sea", (30.3, 45.2), None),
        ("Das", (52.873, 25.151), None),
        ("Zirku", (53.08, 24.88), None),
        ("Halul", (52.41, 25.67), None),
        ("Farsi", (50.17, 27.99), None),
        ("Greater Tunb, which two states claim", (55.30, 26.26), None),
        ("Koh Tao", (99.838, 10.098), None),
        ("Taganak", (118.312, 6.073), None),
        ("Enewetak", (162.337, 11.347), None),
        ("Ponza", (12.959, 40.895), None),
        ("Kastellorizo, 2 km off Türkiye", (29.594, 36.149), None),
        ("Matsu, off China", (119.933, 26.15), None),
        ("Abyei", (28.435, 9.595), None),
        ("the Golan Heights", (35.79, 33.13), None),
        ("Kharg", (50.31, 29.24), "IR"),
        ("Sirri", (54.54, 25.91), "IR"),
        ("Lavan", (53.35, 26.80), "IR"),
        ("Kish", (53.98, 26.53), "IR"),
        ("Hengam", (55.88, 26.65), "IR"),
        ("Hulhumale", (73.54, 4.21), "MV"),
        ("Berezan", (31.41, 46.60), "UA"),
        ("the spit of Berdiansk", (36.77, 46.64), "UA"),
    ],
)
def test_no_island_is_at_sea_nor_in_a_state_that_may_not_have_it(
    hosts: HostCountries, name: str, at: tuple[float, float], host: str | None
) -> None:
    assert hosts.of(strike(at), []) == Host(host, "point" if host else None), name
    assert hosts.of(strike(at), ["AE"]) == (Host(host, "point") if host else Host("AE", "site")), name


@pytest.mark.parametrize("at", [(1.9, 58.4), (2.9, 56.55), (1.95, 61.2), (49.95, 42.7), (-90.0, 27.5), (51.0, 27.0)])
def test_a_platform_far_from_all_land_is_at_sea(hosts: HostCountries, at: tuple[float, float]) -> None:
    assert hosts.of(strike(at), ["NO"]) == Host(None, "sea")


def test_no_place_of_the_gazetteer_is_at_sea(hosts: HostCountries) -> None:
    with closing(sqlite3.connect(GAZETTEER)) as base:
        places = base.execute("SELECT lon, lat FROM places").fetchall()
    strikes = [strike(place) for place in places[::23]]
    hosts.look_up(strikes)
    assert [one.geometry.wkt for one in strikes if one.geometry and hosts.of(one, []).basis == "sea"] == []


def test_looking_many_up_at_once_changes_nothing(whole_base: Basemap, records: Records) -> None:
    bare = [one.model_copy(update={"host_country": None}) for one in records.strikes.values()]
    together, alone = (HostCountries(Lazy(lambda: whole_base.land)) for _ in range(2))
    together.look_up(bare)
    found = [together.of(one, []) for one in bare]
    assert found == [alone.of(one, []) for one in bare]
    named = [(one.host_country, host) for one, host in zip(records.strikes.values(), found, strict=True)]
    assert sum(host.basis == "point" for _, host in named) > 300
    assert all(stated == host.country for stated, host in named if stated and host.basis == "point")


def test_without_a_base_map_points_say_nothing() -> None:
    assert HostCountries().of(strike(KREMENCHUK), ["UA"]) == Host("UA", "site")


def test_derived_countries_are_columns_and_the_record_stays_as_it_is(snapshot: Snapshot) -> None:
    strikes, key = snapshot.collections["strikes"], "ru-cpc-nelsa-2026-07-21"
    row: Any = strikes.features[strikes.rows_by_id[key]]
    assert (row.host_country, row.host_basis) == ("RU", "region")
    assert snapshot.records.strikes[key].host_country is None
    at_sea: Any = strikes.features[strikes.rows_by_id["nord-stream-2-2022-09-26"]]
    assert (at_sea.host_country, at_sea.host_basis) == (None, "sea")
    assert key in [one.strike.id for one in snapshot.concerning("RU")]
