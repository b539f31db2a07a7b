"""Cells as people write them: pairs of degrees, lines, shares, countries, days, and cells that say nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers.reference.country_names import code_of
from layers.sources.column_mapping.mapped_row import parse_share
from layers.sources.reader.coordinates import DateFormat, parse_angle, parse_positions
from tests.layers.english import english
from tests.layers.sources.column_mapping.mapped_files import read
from tests.layers.sources.making_files import file_of

DEGREES = st.tuples(st.integers(-9_000_000, 9_000_000), st.integers(-18_000_000, 18_000_000)).map(
    lambda pair: (pair[0] / 100_000, pair[1] / 100_000)
)
LINES = st.lists(DEGREES, min_size=1, max_size=6)


@given(
    LINES,
    st.sampled_from(["latlon", "lonlat"]),
    st.sampled_from([":", " ", "|", ";", "\n"]),
    st.sampled_from([",", ", "]),
)
def test_a_list_of_pairs_is_their_line(
    pairs: list[tuple[float, float]], order: Literal["latlon", "lonlat"], between: str, within: str
) -> None:
    turned = pairs if order == "latlon" else [(lon, lat) for lat, lon in pairs]
    text = between.join(f"{first:.5f}{within}{second:.5f}" for first, second in turned)
    shape = parse_positions(text, order)
    assert shape is not None
    assert [tuple(xy) for xy in shapely.get_coordinates(shape)] == [(lon, lat) for lat, lon in pairs]
    assert shape.geom_type == ("Point" if len(pairs) == 1 else "LineString")


@given(DEGREES)
def test_a_point_is_the_same_in_every_notation(pair: tuple[float, float]) -> None:
    lat, lon = pair
    comma = f"{lat:.5f}; {lon:.5f}".replace(".", ",")
    letters = f"{abs(lat):.5f}° {'NS'[lat < 0]}, {abs(lon):.5f}° {'EW'[lon < 0]}"
    turned = f"{abs(lon):.5f} {'EW'[lon < 0]} {abs(lat):.5f} {'NS'[lat < 0]}"
    for shape in (
        parse_positions(f"[{lat:.5f}, {lon:.5f}]", "latlon"),
        parse_positions(comma, "latlon", ","),
        parse_positions(letters, "latlon"),
        parse_positions(turned, "latlon"),
    ):
        assert shape is not None
        assert shapely.get_coordinates(shape).tolist() == [[lon, lat]]


@pytest.mark.parametrize("text", ["46,48; 30,72", "46,48 30,72", "46,48,30,72", "(-46,48) (30,72)", "46,48:30,72"])
def test_a_pair_with_decimal_commas_is_no_line_of_whole_degrees(text: str) -> None:
    assert parse_positions(text, "latlon") is None
    assert isinstance(parse_positions(text, "latlon", ","), shapely.Point)
    assert isinstance(parse_positions("[[46,48],[30,72]]", "latlon"), shapely.LineString)


@given(st.text(max_size=60))
def test_any_text_is_a_place_or_none(text: str) -> None:
    for order in ("latlon", "lonlat"):
        shape = parse_positions(text, order)  # type: ignore[arg-type]
        assert shape is None or not shape.is_empty
    angle = parse_angle(text)
    assert angle is None or isinstance(angle, float)


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("46°28′30″N", 46.475),
        ("46 28 30 S", -46.475),
        ("30,72° E", 30.72),
        ("50°27′ с. ш.", 50.45),
        ("30°31′ зх. д.", -(30 + 31 / 60)),
        ("12°30'", 12.5),
        ("12°75'", None),
        ("N", None),
        ("²", None),
        ("46 N 30 E", None),
    ],
)
def test_an_angle_is_read_as_it_is_written(text: str, degrees: float | None) -> None:
    assert parse_angle(text) == (None if degrees is None else pytest.approx(degrees))


def test_lines_of_lines_are_several() -> None:
    shape = parse_positions("46.1,30.1:46.2,30.2;47.1,31.1:47.2,31.2", "latlon")
    assert shape == shapely.MultiLineString([[(30.1, 46.1), (30.2, 46.2)], [(31.1, 47.1), (31.2, 47.2)]])
    assert parse_positions("46.1,30.1:46.2,30.2;47.1,31.1", "latlon") is None
    assert parse_positions("46.1,30.1,47.1", "latlon") is None


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("51,3", (51.3, 51.3)),
        ("100%", (100, 100)),
        ("50 % + 1 share", (50.0000001, 50.01)),
        ("50%+1 акція", (50.0000001, 50.01)),
        ("25 % плюс одна акция", (25.0000001, 25.01)),
        ("25 % - 1 Aktie", (24.99, 24.9999999)),
        ("over 75 %", (75, 100)),
        ("не менее 50 %", (50, 100)),
        ("bis zu 10 %", (0, 10)),
        ("менше 50", (0, 50)),
        ("25-50 %", (25, 50)),
        ("between 25 and 50 %", (25, 50)),
        ("1/4", (25, 25)),
        ("unknown", (0, 100)),
        ("н/д", (0, 100)),
        ("wholly owned", (100, 100)),
        ("Majority", (50, 100)),
        ("50-25 %", None),
        ("101", None),
        ("1/0", None),
        ("half", None),
        ("10 20 30", None),
        ("7 rubles", None),
        ("", None),
    ],
)
def test_a_share_is_read_as_it_is_written(text: str, bounds: tuple[float, float] | None) -> None:
    share = parse_share(text)
    assert (None if share is None else (share.least, share.largest)) == bounds


@given(st.floats(0, 1))
def test_a_fraction_is_a_hundred_times_as_many_percent(part: float) -> None:
    plain, percent = parse_share(f"{part:.6f}", 100.0), parse_share(f"{100 * part:.4f}%", 100.0)
    assert plain is not None
    assert percent is not None
    assert plain.least == pytest.approx(percent.least, abs=1e-4)


@given(st.text(max_size=40))
def test_any_text_is_a_share_within_0_and_100_or_none(text: str) -> None:
    share = parse_share(text)
    assert share is None or 0 <= share.least <= share.largest <= 100


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Ukraine", "UA"), ("Україна", "UA"), ("УКРАИНА", "UA"), ("Russische Föderation", "RU"), ("РФ", "RU"),
        ("ru", "RU"), ("RUS", "RU"), ("USA", "US"), ("США", "US"), ("Türkei", "TR"), ("Côte d’Ivoire", "CI"),
        ("Czech Republic", "CZ"), ("  Deutschland ", "DE"), ("UK", "GB"), ("Польща", "PL"), ("中国", "CN"),
        ("Niger", "NE"), ("Nigeria", "NG"), ("Nowhere", None), ("", None), ("Ukraine / Russia", None),
    ],
)  # fmt: skip
def test_a_country_is_known_by_its_name_in_many_languages(text: str, code: str | None) -> None:
    assert code_of(text) == code


@pytest.mark.parametrize(
    ("text", "form", "day"),
    [
        ("3 May 2024", "D MON YYYY", "2024-05-03"),
        ("3 травня 2024 р.", "D MON YYYY", "2024-05-03"),
        ("3 мая 2024 года", "D MON YYYY", "2024-05-03"),
        ("3. März 2024", "D. MON YYYY", "2024-03-03"),
        ("Fri, 03 May 2024 14:00:00 GMT", "D MON YYYY", "2024-05-03"),
        ("Dec. 31, 2024", "MON D, YYYY", "2024-12-31"),
        ("31 Smarch 2024", "D MON YYYY", None),
        ("31 ²²² 2024", "D MON YYYY", None),
        ("1714701600", "unix", "2024-05-03"),
        ("1714701600000", "unix-ms", "2024-05-03"),
        ("999999999999999", "unix", None),
        ("2024-05-03T04:10:00.000+03:00", "YYYY-MM-DD", "2024-05-03"),
        ("03.05.2024, 14:00", "DD.MM.YYYY", "2024-05-03"),
        ("17.08-18.08.2025", "D.M.YYYY", "2025-08-17/2025-08-18"),
        ("17–18.08.2025", "D.M.YYYY", "2025-08-17/2025-08-18"),
        ("31.12.2024 - 01.01.2025", "D.M.YYYY", "2024-12-31/2025-01-01"),
        ("17-18 серпня 2025 року", "D MON YYYY", "2025-08-17/2025-08-18"),
        ("07-08.2025", "M.YYYY", "2025-07/2025-08"),
        ("18.08-17.08.2025", "D.M.YYYY", None),
        ("17.08.2025-", "D.M.YYYY", None),
        ("ніч на 14.09.2025", "D.M.YYYY", "2025-09-13/2025-09-14"),
        ("в ночь на 1 января 2025", "D MON YYYY", "2024-12-31/2025-01-01"),
        ("ніч на 09.2025", "M.YYYY", None),
        ("ніч на вівторок", "D.M.YYYY", None),
        ("2025-08-17/2025-08-18", "EDTF", "2025-08-17/2025-08-18"),
        ("2025-08~", "EDTF", "2025-08~"),
        ("17.08.2025", "EDTF", None),
    ],
)
def test_a_day_is_read_by_name_and_by_stamp(text: str, form: str, day: str | None) -> None:
    date_format = DateFormat.of(form)
    assert date_format is not None
    assert date_format.edtf(text) == day


SITES = """
table = "assets"
source.publisher = "P"
id.row = true
[columns]
name = "Name"
kind = "Kind"
latlon = "Where"
host_country = "Country"
note = "Note"
[constants]
basis = "site"
uncertainty_m = 100
[blank]
note = "nothing more is known"
[empty]
"*" = ["-", "n/a"]
geometry = ["0, 0"]
[skip]
kind = ["hospital"]
"""


def test_blank_empty_and_skipped_cells(tmp_path: Path) -> None:
    rows = (
        'A,refinery,"46.1, 30.1",Україна,here\nB,refinery,"0, 0",n/a,-\nC,hospital,"46.1, 30.1",,\n'
        "D,refinery,46.1,Atlantis,\nE,refinery,,XX,\n"
    )
    reading = read([file_of(tmp_path / "a.csv", f"Name,Kind,Where,Country,Note\n{rows}")], SITES)
    assert [(asset.name, asset.host_country, asset.note) for asset in reading.records.assets.values()] == [
        ("A", "UA", "here"),
        ("B", None, "nothing more is known"),
    ]
    assert [asset.geometry for asset in reading.records.assets.values()] == [shapely.Point(30.1, 46.1), None]
    assert [str(reason.arguments["word"]) for reason in reading.skipped] == ["hospital"]
    assert [(fault.row, fault.column, fault.value, fault.expected) for fault in english(reading.problems)] == [
        (5, "Country", "Atlantis", "a country, by its name or the two letters of its ISO 3166-1 code"),
        (
            5,
            "Where",
            "46.1",
            'degrees as lat, lon, or several such pairs; decimal commas need decimal = "," in the mapping',
        ),
        (6, "Country", "XX", "a country, by its name or the two letters of its ISO 3166-1 code"),
    ]


def test_a_line_for_a_strike_is_a_fault_of_its_cell(tmp_path: Path) -> None:
    toml = """
table = "strikes"
source.publisher = "P"
columns = {title = "What", latlon = "Where"}
constants = {place = "P", status = "reported", when = "2025", uncertainty_m = 9, basis = "site"}
id = {row = true}
"""
    reading = read([file_of(tmp_path / "a.csv", 'What,Where\nA,"46.1,30.1 46.2,30.2"\n')], toml)
    (fault,) = english(reading.problems)
    assert (fault.column, fault.value) == ("Where", "46.1,30.1 46.2,30.2")
    assert fault.expected.startswith("a point;")
