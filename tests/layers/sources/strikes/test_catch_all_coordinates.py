"""Places that stand for a region: what is known, what it widens to, and how others show themselves."""

import csv
import sqlite3
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers.reference.gazetteer_import import region_radius_m
from layers.reference.gazetteer_scoring import distance_m
from layers.sources.strikes.named_places import (
    SAME_PLACE_M,
    WidenedLocation,
    known_coordinates,
    mentions_place,
    widen_uncertainty,
)
from tests.conftest import GAZETTEER
from tools.catch_all_candidates import MAX_NAMING_SHARE, MIN_REPORTS, candidates, mentions_region

BILKA = (30.405789, 46.908223)
REGIONAL = [sink for sink in known_coordinates() if sink.kind == "region"]
# Of the sinks that were first told of, those that these reports hold.
FIRST_TOLD = {"Bilka", "Posich", "Deremezna", "Voronyne", "Chorna Dolyna"}


def places_of(country: str, admin1: str) -> np.ndarray:
    base = sqlite3.connect(GAZETTEER)
    rows = base.execute("SELECT lon, lat FROM places WHERE country = ? AND admin1 = ?", (country, admin1)).fetchall()
    base.close()
    return np.array(rows)


def test_the_table_is_whole() -> None:
    assert {sink.name for sink in known_coordinates()} >= FIRST_TOLD | {"Port", "Druzhba"}
    assert len({sink.id for sink in known_coordinates()}) == len(known_coordinates()) == 19
    assert len({sink.admin1 for sink in REGIONAL}) == 16
    assert all(sink.reports >= MIN_REPORTS and sink.names for sink in REGIONAL)


@pytest.mark.parametrize("sink", REGIONAL, ids=lambda sink: sink.name)
def test_the_radius_of_a_sink_is_that_of_its_region(sink: object) -> None:
    assert sink.uncertainty_m == pytest.approx(  # type: ignore[attr-defined]
        region_radius_m(sink.lon, sink.lat, places_of(sink.country, sink.admin1)),  # type: ignore[attr-defined]
        abs=1000,
    )


def test_bilka_stands_for_odesa_oblast_in_viina_only() -> None:
    found = widen_uncertainty(*BILKA, "viina", "Odessa")
    assert found is not None
    assert (found.basis, found.region) == ("region", "Odesa oblast")
    # Orlivka, the far corner, is within.
    assert distance_m(*BILKA, 28.44046, 45.31659) < found.uncertainty_m
    assert "Bilka" in found.reason
    assert widen_uncertainty(*BILKA, "acled", "Odessa") is None
    assert widen_uncertainty(*BILKA, "viina", "Львівська область") is None
    assert widen_uncertainty(*BILKA, "viina", "Одеська область") == widen_uncertainty(*BILKA, "viina") == found
    assert widen_uncertainty(BILKA[0] + 0.05, BILKA[1], "viina") is None


def test_a_report_that_names_the_place_means_it() -> None:
    simferopol = (34.0994127132379, 44.9536335)
    assert widen_uncertainty(*simferopol, "viina", "Crimea", text="У Сімферополі пролунали вибухи") is None
    found = widen_uncertainty(*simferopol, "viina", "Crimea", text="У Криму пролунали вибухи")
    assert found is not None
    assert found.region == "Crimea"


@pytest.mark.parametrize(("lon", "lat"), [(37.762, 44.732), (39.083, 44.101), (37.39, 45.28)])
def test_port_near_odesa_may_be_any_of_the_ports_it_stood_for(lon: float, lat: float) -> None:
    found = widen_uncertainty(31.00479, 46.72451, "viina", "Odessa", text="Порт Туапсе зупинив роботу")
    assert isinstance(found, WidenedLocation)
    assert found.region is None
    assert distance_m(31.00479, 46.72451, lon, lat) < found.uncertainty_m


@given(st.floats(-180, 180), st.floats(-90, 90), st.sampled_from(["viina", "acled", ""]), st.text(max_size=20))
def test_only_what_is_at_a_sink_is_widened(lon: float, lat: float, source: str, text: str) -> None:
    found = widen_uncertainty(lon, lat, source, text, text=text)
    near = any(distance_m(lon, lat, sink.lon, sink.lat) <= SAME_PLACE_M for sink in known_coordinates())
    assert found is None or near


@pytest.mark.parametrize(
    ("text", "names", "is_named"),
    [
        ("В Орлівці горить станція", ["Орлівка"], False),
        ("Біля Орлівки горить станція", ["Орлівка"], True),
        ("Удар по Новій Каховці; під Новою Каховкою", ["Нова Каховка"], True),
        ("a strike on Bilka.", ["Білка"], True),
        ("Bilkagrad", ["Білка"], False),
        ("", ["Білка"], False),
        ("Білка", [], False),
        ("Білка", ["", " "], False),
    ],
)
def test_a_text_names_a_place_by_its_stem(text: str, names: list[str], is_named: bool) -> None:
    assert mentions_place(text, names) is is_named


@pytest.mark.parametrize(
    ("text", "code", "is_named"),
    [
        ("На Одещині атакували нафтобазу", "17", True),
        ("порт в Одесской области", "17", True),
        ("вибухи в Одесі", "17", False),
        ("у Луганську вибухи", "14", False),
        ("у Луганській області вибухи", "14", True),
        ("на Херсонщині", "17", False),
    ],
)
def test_a_text_names_a_region(text: str, code: str, is_named: bool) -> None:
    assert mentions_region(text, "UA", code) is is_named


def test_a_sink_shows_itself() -> None:
    place = ["sink"] * 10 + ["town"] * 10 + ["rare"] * 4
    naming = [True] + [False] * 9 + [True] * 10 + [False] * 4
    found = candidates(place, naming)
    assert found["place"].tolist() == ["sink"]
    assert found["reports"].tolist() == [10]
    assert found["naming"].tolist() == [0.1]
    assert candidates(place, naming, regional=[False] * 24).empty
    assert candidates(place, naming, regional=[True] * 24)["regional"].tolist() == [1.0]
    assert candidates([], []).empty


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=60))
def test_candidates_are_what_counting_by_hand_gives(reports: list[tuple[int, bool]]) -> None:
    places, naming = [one[0] for one in reports], [one[1] for one in reports]
    expected = {
        place
        for place in set(places)
        if places.count(place) >= MIN_REPORTS and reports.count((place, True)) / places.count(place) <= MAX_NAMING_SHARE
    }
    assert set(candidates(places, naming)["place"]) == expected


def reports(folder: Path) -> list[dict[str, str]]:
    found = []
    for file in sorted((folder / "viina_deepstrike_2022_2025").glob("VIINA_20*_REBUILD.csv")):
        with file.open(encoding="utf-8", newline="") as stream:
            found += [row for row in csv.DictReader(stream) if row["geonameid"] and row["representative_text"]]
    return found


def test_the_known_sinks_are_those_that_the_rule_finds_in_real_reports(real_data: Path) -> None:
    listed = {sink.id: sink for sink in REGIONAL}
    rows = [row for row in reports(real_data) if int(row["geonameid"]) in listed]
    sinks = [listed[int(row["geonameid"])] for row in rows]
    texts = [row["representative_text"] for row in rows]
    naming = [mentions_place(text, sink.names) for text, sink in zip(texts, sinks, strict=True)]
    regional = [mentions_region(text, sink.country, sink.admin1) for text, sink in zip(texts, sinks, strict=True)]
    found = candidates([sink.id for sink in sinks], naming, regional)
    assert set(found["place"]) == set(listed)
    assert dict(zip(found["place"], found["reports"], strict=True)) == {sink.id: sink.reports for sink in REGIONAL}


def test_reports_at_known_sinks_are_widened_and_those_at_cities_are_not(real_data: Path) -> None:
    rows = reports(real_data)
    widened = [
        row["asciiname"]
        for row in rows
        if widen_uncertainty(
            float(row["longitude"]), float(row["latitude"]), "viina", row["ADM1_NAME"], text=row["representative_text"]
        )
    ]
    assert 600 < len(widened) < 750
    assert not {"Odessa", "Kherson", "Dnipro", "Kharkiv", "Lviv", "Izmayil"} & set(widened)
    assert {"Bilka", "Port", "Simferopol", "Druzhba"} <= set(widened)


def test_the_radius_holds_nearly_all_of_the_region_s_land(real_data: Path) -> None:
    """Against polygons that the radii were not made from; Kherson's spits have hardly a place on them."""
    import geopandas

    land = geopandas.read_file(real_data / "geoboundaries_ukr_adm1" / "geoBoundaries-UKR-ADM1_simplified.geojson")
    for sink in REGIONAL:
        shape = land[land.contains(shapely.Point(sink.lon, sink.lat))].geometry.iloc[0]
        west, south, east, north = shape.bounds
        grid = shapely.points(*np.meshgrid(np.linspace(west, east, 60), np.linspace(south, north, 60)))
        inside = grid[shapely.contains(shape, grid)]
        within = [distance_m(sink.lon, sink.lat, point.x, point.y) <= sink.uncertainty_m for point in inside]
        assert np.mean(within) >= (0.9 if sink.region == "Kherson oblast" else 0.98), sink.name
