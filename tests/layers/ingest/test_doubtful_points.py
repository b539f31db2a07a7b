"""Points and days that contradict record, file or calendar are remarked on, each kind by itself; right ones are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.ingest.doubtful_points import with_doubts
from layers.model.problems import ReadResult
from layers.model.records import Asset, Claim, Record, Strike
from layers.reference.basemap import Basemap
from layers.reference.gazetteer import Gazetteer
from layers.sources.files.source_file import SourceFile
from layers.sources.registry import LoadOptions, recognise
from tests.conftest import GAZETTEER
from tests.layers.english import english, english_counts
from tests.layers.load_builders import asset, read, strike

STATED = "a point that is not in the country that is stated"
NAMED = "a point that is in another country than place, region or texts name"
FAR = "a point that is far from the region or town that is named as its place"
OUTSIDE = "a point that is far outside the theatre of the others"


def test_days_that_have_not_come_or_are_long_gone_are_remarked_on(base: Basemap) -> None:
    days = ("1825-08-08", "1899/1901", "1943-08", "2026-01-03", "2026-01-04", "2026/..", "2031-08-08")
    reading = doubted(base, *(strike(f"d/{day[:4]}-{number}", "d", when=day) for number, day in enumerate(days)))
    assert [(doubt.column, doubt.value, doubt.expected) for doubt in english(reading.doubts)] == [
        ("when", day, "a day from 1900-01-01 to 2026-01-03") for day in ("1825-08-08", "2026-01-04", "2031-08-08")
    ]
    assert english_counts(reading.warnings) == {"a day that has not come, or is before 1900": 3}


@pytest.fixture(scope="module")
def towns() -> Iterator[Gazetteer]:
    """The gazetteer that `make setup` builds."""
    opened = Gazetteer.open(GAZETTEER)
    yield opened
    opened.close()


def at(lon: float, lat: float, **values: Any) -> dict[str, Any]:
    return {"geometry": f"POINT ({lon} {lat})", "uncertainty_m": 1000, "basis": "site", "place_source": "d/s", **values}


def hit(name: str, lon: float, lat: float, **values: Any) -> Strike:
    return strike(name, "d", **at(lon, lat, **values))


def site(name: str, lon: float, lat: float, **values: Any) -> Asset:
    return asset(name, "d", **at(lon, lat, **values))


def report(text: str, record: str) -> Claim:
    values = {"field": "description", "source": "d/s", "checked": "unverified", "private": True}
    return Claim.model_validate(
        {"id": f"{record}/description-1", "dataset": "d", "record": record, "value": text, **values}
    )


def doubted(base: Basemap, *given: Record, **how: Any) -> ReadResult:
    return with_doubts(read(*given), base, today=date(2026, 1, 2), **how)


def sentences(result: ReadResult) -> list[str]:
    assert sum(english_counts(result.warnings).values()) == len(result.doubts)
    return [f"{doubt.record}: {doubt.expected}" for doubt in english(result.doubts)]


def test_a_doubt_tells_file_row_record_point_and_contradiction_and_is_counted(base: Basemap) -> None:
    result = doubted(base, hit("fits", 30.7, 46.5, host_country="UA"), hit("odd", 37.77, 44.72, host_country="UA"))
    assert [tuple(doubt[:-1]) for doubt in english(result.doubts)] == [
        ("file.csv", 3, "strike odd", "geometry", "POINT (37.77 44.72)", "a place in UA; this is in RU")
    ]
    assert english_counts(result.warnings) == {STATED: 1}
    assert result.records.strikes.keys() == {"fits", "odd"}


def test_a_point_that_fits_with_its_degrees_exchanged_may_be_swapped(base: Basemap) -> None:
    result = doubted(
        base,
        hit("swapped", 46.48, 30.71, host_country="UA"),
        hit("named", 46.48, 30.71, place="Odesa, Ukraine"),
        hit("odd", 2.3, 48.9, host_country="UA"),
    )
    swapped = ["swapped?" in doubt.expected for doubt in english(result.doubts)]
    assert swapped == [True, True, False]
    assert english_counts(result.warnings) == {STATED: 2, NAMED: 1}


# Chop lies 1 km from Slovakia and 2 km from Hungary; Tulcea 12 km from Ukraine. Snake Island is 36 km off.
INSIDE = {
    "on a border, as exactly as the base map draws it": hit("x", 22.165, 48.430, host_country="UA"),
    "over a border by less than the point may err": hit("x", 28.79, 45.18, host_country="UA", uncertainty_m=20_000),
    "at a quay that the base map has in the sea": hit("x", 30.757, 46.490, host_country="UA"),
    "an island": hit("x", 30.204, 45.255, host_country="UA"),
    "in the economic zone": hit("x", 31.2, 44.4, host_country="UA"),
    "in a strait, just off the other coast": site("x", 103.8, 1.466, host_country="SG"),
    "a field on the shelf, 450 km off": site("x", -46.67, 47.957, host_country="CA"),
    "a territory under its state": site("x", -66.11, 18.0, host_country="US"),
    "a territory that the base map has in its state": site("x", 55.45, -20.9, host_country="RE"),
    "Crimea": site("x", 34.1, 44.95, host_country="UA"),
    "where no country is stated": hit("x", 37.77, 44.72),
    "over the antimeridian": site("x", -179.9, 65.0, host_country="RU"),
    "without a point": strike("x", "d", host_country="RU"),
    "a line": asset("x", "d", **at(0, 0) | {"geometry": "LINESTRING (37 44, 38 45)"}, host_country="UA"),
}


@pytest.mark.parametrize("name", INSIDE)
def test_a_point_that_may_be_in_its_country_is_not_remarked_on(base: Basemap, name: str) -> None:
    assert sentences(doubted(base, INSIDE[name])) == []


@pytest.mark.parametrize(
    ("record", "found"),
    [
        (hit("x", 28.79, 45.18, host_country="UA"), "RO"),
        # A region reaches over the border, but is not beyond it.
        (hit("x", 36.0, 51.7, host_country="UA", uncertainty_m=230_000, basis="region"), "RU"),
        (hit("x", 113.0, 12.0, host_country="MY"), "no country"),
        (site("x", 106.709, 0.448, host_country="VN"), "no country"),
        (site("x", 52.5, 47.5, host_country="CA"), "KZ"),
        (site("x", 34.1, 44.95, host_country="RU"), "UA"),
    ],
)
def test_a_point_outside_its_stated_country_is_remarked_on(base: Basemap, record: Strike | Asset, found: str) -> None:
    (sentence,) = sentences(doubted(base, record))
    assert sentence.endswith(f"a place in {record.host_country}; this is in {found}")


def test_points_that_were_held_to_their_countries_before_are_not_again(base: Basemap) -> None:
    assert sentences(doubted(base, hit("x", 37.77, 44.72, host_country="UA"), is_checked=True)) == []


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"title": "НПЗ у Краснодарському краї атаковано"},
            "a place in RU, by title: Краснодарському краї; this is in UA",
        ),
        ({"targets": ("depot in Tambov oblast",)}, "a place in RU, by targets: Tambov oblast; this is in UA"),
        ({"title": "На Кубани горит завод"}, "a place in RU, by title: Кубани; this is in UA"),
        ({"region": "Krasnodar krai"}, "a place in RU, by region: Krasnodar krai; this is in UA"),
        ({"region": "Belgorod"}, "a place in RU, by region: Belgorod; this is in UA"),
        ({"place": "Sulina, Romania"}, "a place in RO, by place: Sulina, Romania; this is in UA"),
        ({"place": "Dmytrivka, Tambov region"}, "a place in RU, by place: Tambov region; this is in UA"),
    ],
)
def test_a_strike_that_names_another_country_than_that_of_its_point_is_remarked_on(
    base: Basemap, values: dict[str, Any], sentence: str
) -> None:
    result = doubted(base, hit("x", 36.2, 49.0, host_country="UA", **values))
    assert sentences(result) == [f"strike x: {sentence}"]
    assert english_counts(result.warnings) == {NAMED: 1}


def test_a_report_is_read_for_regions_and_only_their_words_are_shown(base: Basemap) -> None:
    text = "Вибух на заводі «Авангард» у Башкортостані: подробиці"
    assert sentences(doubted(base, hit("x", 30.6, 46.47), report(text, "x"))) == [
        "strike x: a place in RU, by description: Башкортостані; this is in UA"
    ]


@pytest.mark.parametrize(
    "values",
    [
        {"title": "Удар по нафтобазі в Одеській області"},
        # Who struck is not where.
        {"title": "Russia attacked a depot"},
        # What came from there.
        {"title": "Ракеты запускали из Курской области"},
        # Districts of cities, towns and plants have the adjectives of regions.
        {"title": "Склад в Кировском районе Донецка"},
        {"title": "A school in Primorsky district, Mariupol"},
        {"title": "Novhorodske was shelled"},
        # Two countries say nothing.
        {"title": "Удари по Курській області та Одеській області"},
        # What the title repeats of the place is no other witness.
        {"title": "Strike, Belgorod (region)", "place": "Belgorod (region)", "region": "Odesa"},
        {"place": "Kirovsky, Donetsk"},
        {"region": "Odesa", "place": "Orlivka, Ukraine"},
    ],
)
def test_a_text_that_does_not_contradict_is_not_remarked_on(base: Basemap, values: dict[str, Any]) -> None:
    assert sentences(doubted(base, hit("x", 30.7, 46.5, **values))) == []


def test_words_of_the_other_side_of_a_near_border_do_not_contradict(base: Basemap) -> None:
    near = hit("x", 28.6, 45.5, region="Tulcea", uncertainty_m=30_000)
    assert sentences(doubted(base, near)) == []
    assert len(sentences(doubted(base, near.model_copy(update={"uncertainty_m": 1_000.0})))) == 1


@pytest.mark.parametrize(
    ("lon", "lat", "values", "named"),
    [
        (37.65, 47.10, {"place": "Poltava"}, "Poltava (UA), by place"),
        (37.687, 52.785, {"place": "Volna", "region": "Krasnodar krai"}, "Krasnodar Krai (RU), by region"),
    ],
)
def test_a_strike_far_from_its_region_or_town_is_remarked_on(
    base: Basemap, towns: Gazetteer, lon: float, lat: float, values: dict[str, Any], named: str
) -> None:
    result = doubted(base, hit("x", lon, lat, **values), gazetteer=towns)
    (sentence,) = sentences(result)
    assert f"a place in or near {named}; this is in" in sentence
    assert english_counts(result.warnings) == {FAR: 1}
    assert sentences(doubted(base, hit("x", lon, lat, **values))) == []


@pytest.mark.parametrize(
    ("lon", "lat", "values"),
    [
        (34.55, 49.59, {"place": "Poltava"}),
        # The region is called by its town.
        (33.3, 50.3, {"place": "Poltava"}),
        (37.65, 47.10, {"place": "Poltava", "uncertainty_m": 150_000}),
        # Many places are called so, or the town of that name is in another country than stated.
        (31.9, 49.0, {"place": "Ivanivka"}),
        (-97.7, 30.3, {"place": "Odessa", "host_country": "US"}),
        (8.6, 26.2, {"place": "Tiguentourine", "region": "Illizi", "host_country": "DZ"}),
    ],
)
def test_a_strike_near_its_place_or_at_one_of_several_is_not_remarked_on(
    base: Basemap, towns: Gazetteer, lon: float, lat: float, values: dict[str, Any]
) -> None:
    assert sentences(doubted(base, hit("x", lon, lat, **values), gazetteer=towns)) == []


def test_another_name_of_a_town_far_abroad_is_no_contradiction_and_an_open_country_is_not_named(
    base: Basemap, towns: Gazetteer
) -> None:
    """Kavkaz is one of the names of Caucasia in Colombia; at Yahodyn two states are within 2 km."""
    assert sentences(doubted(base, hit("x", 36.655, 45.345, place="Port Kavkaz"), gazetteer=towns)) == []
    at_border = hit("x", 23.81, 51.18, place="Poltava")
    for one in (at_border, at_border.model_copy(update={"host_country": "US"})):
        expected = sentences(doubted(base, one, gazetteer=towns))
        assert [sentence.rpartition("; ")[2] for sentence in expected] == [
            "this is in a place whose country is not sure"
        ]


def in_ukraine(count: int) -> list[Strike]:
    return [hit(f"s{number}", 30 + number / 100, 49) for number in range(count)]


FAR_OFF = (hit("ryazan", -74.0, 40.7), hit("dakar", -17.5, 14.7))
NEAR_BY = hit("przewodow", 23.93, 50.47)


@pytest.mark.parametrize(
    ("others", "theatre", "doubts"),
    [
        (98, (), []),  # 97 of 100
        (140, (), []),  # 139 of 142, or 97.9 %
        (200, (), ["ryazan", "dakar"]),
        (2, ("UA", "RU"), ["ryazan", "dakar"]),
        (0, (), []),
    ],
)
def test_points_far_outside_the_theatre_are_remarked_on(
    base: Basemap, others: int, theatre: Sequence[str], doubts: list[str]
) -> None:
    result = doubted(base, *in_ukraine(others)[: max(others - 1, 0)], *FAR_OFF, NEAR_BY, theatre=theatre)
    assert [doubt.record for doubt in result.doubts] == [f"strike {name}" for name in doubts]
    assert all("within 200 nautical miles of" in sentence for sentence in sentences(result))
    assert english_counts(result.warnings) == ({OUTSIDE: len(doubts)} if doubts else {})


def test_a_file_of_many_countries_has_no_theatre(base: Basemap) -> None:
    spread = [
        site(f"a{number}", lon, lat) for number, (lon, lat) in enumerate([(30, 50), (10, 50), (2, 47), (-3, 40)] * 50)
    ]
    assert sentences(doubted(base, *spread, site("far", -74.0, 40.7))) == []


def test_a_point_has_one_doubt(base: Basemap, towns: Gazetteer) -> None:
    odd = hit("x", -74.6, 40.3, host_country="RU", region="Krasnodar krai", place="Poltava")
    result = doubted(base, *in_ukraine(200), odd, gazetteer=towns, theatre=("UA", "RU"))
    assert english_counts(result.warnings) == {STATED: 1}


def test_no_record_has_no_doubt_and_other_warnings_stay(base: Basemap) -> None:
    assert doubted(base).doubts == ()


coordinates = st.tuples(st.floats(-180, 180), st.floats(-90, 90))


@given(st.lists(coordinates, max_size=6), st.sampled_from(("UA", "RU", "FJ", "US", "NZ", "XX")))
def test_a_point_on_the_land_of_its_country_is_never_remarked_on_and_order_does_not_matter(
    base: Basemap, places: list[tuple[float, float]], stated: str
) -> None:
    given_ = [site(f"a{number}", lon, lat, host_country=stated) for number, (lon, lat) in enumerate(places)]
    remarked = {doubt.record for doubt in doubted(base, *given_).doubts}
    inside = {f"asset a{number}" for number, place in enumerate(places) if base.country_at(*place) == stated}
    assert not remarked & inside
    assert remarked == {doubt.record for doubt in doubted(base, *reversed(given_)).doubts}
    assert stated != "XX" or not remarked


@pytest.mark.parametrize(
    ("file", "doubts"),
    [
        (
            "wri_gppd/WRI_Russia.csv",
            {
                "wri/wri1062060/balaklava-sevastopol-thermal-power-station",
                "wri/wri1062061/taurian-simferopol-thermal-power-station",
            },
        ),
        ("gem_ggit_2024_10/ggit_map_2024-10-08.csv", {"gem/t028901", "gem/t107400"}),
        ("osm_power_ukraine/power_stations_with_oblasts.geojson", set()),
    ],
)
def test_doubts_of_real_files_of_assets(base: Basemap, real_data: Path, file: str, doubts: set[str]) -> None:
    files = SourceFile.all_of([real_data / file])
    reading = with_doubts(recognise(files[0], False).read(files, LoadOptions("d")), base, today=date.today())
    assert {doubt.record.removeprefix("asset ") for doubt in reading.doubts} == doubts
