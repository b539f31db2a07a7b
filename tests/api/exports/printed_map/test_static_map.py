"""The printed map: sizes, words, projections, and that the same input gives the same bytes."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from PIL import Image
from pypdf import PdfReader

from api.exports.printed_map import static_map
from api.exports.strike_rows import ExportError
from geo.errors import CRSError
from layers.reference.basemap import Basemap
from tests.api.exports.making import DAY, ODESA, frame_of, strike

TITLE = "Strikes near Odesa, $5 & <more>"


@pytest.fixture
def draw(strikes: geopandas.GeoDataFrame, assets: geopandas.GeoDataFrame, small_base: Basemap) -> Any:
    """Draw a map of the small world."""

    def made(strikes: geopandas.GeoDataFrame = strikes, **options: Any) -> bytes:
        chosen = {"bbox": ODESA, "fmt": "svg", "title": TITLE, "data_date": DAY, "dpi": 60} | options
        return static_map.render(strikes, assets, small_base, static_map.MapOrder(**chosen))

    return made


def words_of(svg: bytes) -> list[str]:
    """All texts of an SVG, in order."""
    tree = ElementTree.fromstring(svg)
    return ["".join(node.itertext()).strip() for node in tree.iter("{http://www.w3.org/2000/svg}text")]


def test_png_has_the_requested_size_and_resolution(draw: Any) -> None:
    picture = Image.open(io.BytesIO(draw(fmt="png", width_mm=150, height_mm=180, dpi=100)))
    assert picture.size == (int(150 / 25.4 * 100), int(180 / 25.4 * 100))
    assert picture.info["dpi"] == pytest.approx((100, 100), abs=0.1)
    assert picture.info["Author"] == "StrikeAtlas"


def test_svg_is_whole_and_asks_for_nothing(draw: Any) -> None:
    svg = draw(sources=["Trend (APA)", "Trend", "RBC-Ukraine"])
    words = words_of(svg)
    assert TITLE in words
    note = " ".join(words[words.index("Azerbaijan 100") :] if "Azerbaijan 100" in words else words)
    for told in ("Natural Earth", "GeoNames (CC BY 4.0)", "after Trend, RBC-Ukraine.", "25 November 2026", "Lambert"):
        assert told in note
    # Namespaces are names; whatever would be fetched is in href, url() or a document type.
    assert not re.search(rb'<!DOCTYPE|href="(?!#)|url\((?!#|data:)', svg)
    assert b"font-family:'DejaVu Sans'" in svg


def test_strikes_are_numbered_and_listed_with_their_owners(draw: Any) -> None:
    words = words_of(draw())
    assert {"1", "2", "8"} <= set(words)
    assert "1 August 2025 Depot 0" in words
    assert sum("owners in %: AZ 100 (decided by a person)" in text for text in words) == 8
    assert any("Not drawn: 1 strike without a known place and 1 retracted strike." in text for text in words)


def test_only_what_is_in_view_is_in_the_legend(draw: Any) -> None:
    words = words_of(draw())
    assert {"Oil (8)", "Ukraine (8)", "Reported only (8)", "Gas pipeline (simplified)"} <= set(words)
    assert not {"Gas (1)", "Russia (1)", "Corroborated or verified (1)"} & set(words)


def test_many_strikes_are_counted_and_not_listed(draw: Any) -> None:
    many = frame_of([strike(n, geometry=shapely.Point(29 + n / 10, 46.5)) for n in range(20)])
    words = words_of(draw(many))
    assert "Oil (20)" in words
    assert not any("Depot" in text for text in words)


def test_many_uncertain_places_do_not_hide_the_map(draw: Any) -> None:
    wide = [
        strike(n % 28, id=f"s-{n}", uncertainty_m=200_000.0, geometry=shapely.Point(29 + n / 50, 46.5))
        for n in range(150)
    ]
    few, many = frame_of(wide[:9]), frame_of(wide)
    assert "The place struck is somewhere in the circle" in " ".join(words_of(draw(few)))
    assert "somewhere in the circle or tinted area" in " ".join(words_of(draw(many)))
    with Image.open(io.BytesIO(draw(many, fmt="png"))) as image:
        red = np.asarray(image.convert("RGB"))[image.height // 6 : image.height // 2, :, 0]
    # The colour of strikes in Ukraine has no red, that of sea and land much.
    assert np.median(red) > 150


@pytest.mark.parametrize("fmt", ["png", "svg", "pdf"])
def test_same_input_same_bytes(draw: Any, fmt: str) -> None:
    assert draw(fmt=fmt, table=True) == draw(fmt=fmt, table=True)


def test_pdf_has_pages_fonts_words_and_dates(draw: Any) -> None:
    pdf = PdfReader(io.BytesIO(draw(fmt="pdf", table=True, subtitle="What was hit")))
    assert len(pdf.pages) == 2
    assert [float(side) / 72 * 25.4 for side in pdf.pages[0].mediabox[2:]] == pytest.approx([210, 297], abs=0.1)
    assert (pdf.metadata.title, pdf.metadata.author, pdf.metadata.subject) == (TITLE, "StrikeAtlas", "What was hit")
    assert pdf.metadata.creation_date.date() == DAY
    fonts = [font.get_object() for font in pdf.pages[0]["/Resources"]["/Font"].values()]
    assert fonts
    assert {font["/Subtype"] for font in fonts} == {"/Type0"}
    assert {font["/DescendantFonts"][0]["/Subtype"] for font in fonts} == {"/CIDFontType2"}
    assert TITLE in pdf.pages[0].extract_text()
    table = pdf.pages[1].extract_text()
    assert "Not owners" in table
    assert table.count("decided by a person") == 8


def test_long_table_goes_over_pages_and_loses_no_row(draw: Any) -> None:
    many = frame_of([strike(n % 25, id=f"m-{n:03}", title=f"Depot <{n}>") for n in range(120)])
    pdf = PdfReader(io.BytesIO(draw(many, fmt="pdf", table=True)))
    text = "".join(page.extract_text() for page in pdf.pages)
    assert len(pdf.pages) > 3
    assert {int(number) for number in re.findall(r"Depot <(\d+)>", text)} == set(range(120))


def test_an_extent_over_the_antimeridian_shows_both_sides(draw: Any) -> None:
    words = words_of(draw(bbox=(175, -20, -175, -14)))
    assert "Port (1)" in words
    assert "Suva" in words
    # All of Fiji is one land: were one half elsewhere, there would be no room for its name.
    assert any("F\u200aI\u200aJ\u200aI" in text for text in words)


@pytest.mark.parametrize(
    ("bbox", "projection"),
    [
        ((-180, -90, 180, 90), "Equal Earth"),
        ((10, -5, 40, 8), "Mercator, true to scale at 1.5°N"),
        ((-180, 70, 180, 90), "Lambert azimuthal equal-area about 90°N"),
        ((20, 60, 60, 88), "Lambert azimuthal equal-area about 90°N"),
        ((-170, 5, -60, 80), "Lambert azimuthal equal-area about 42.5°N"),
        ((30.7, 46.5, 30.7, 46.5), "Lambert conformal conic"),
    ],
)
def test_each_part_of_the_world_has_its_projection(draw: Any, bbox: tuple[float, ...], projection: str) -> None:
    words = words_of(draw(bbox=bbox))
    note = " ".join(words)
    assert projection in note
    world = projection == "Equal Earth"
    assert ("No scale bar" in note) == world
    assert any(re.fullmatch(r"[\d,]+ k?m", text) for text in words) != world


def test_an_empty_extent_says_so(draw: Any, strikes: geopandas.GeoDataFrame) -> None:
    for found in (strikes, strikes.iloc[:0]):
        words = words_of(draw(found, bbox=(-4, 51, 0, 55)))
        assert "No strikes in this extent" in words
        assert not any("Target of the strike" in text for text in words)


def test_input_is_left_as_it_was(draw: Any, strikes: geopandas.GeoDataFrame) -> None:
    before = strikes.copy(deep=True)
    draw(strikes)
    assert_geodataframe_equal(strikes, before)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fmt": "tiff"}, "png, svg, pdf"),
        ({"bbox": (1, 2, 3)}, "four numbers"),
        ({"bbox": (28, 48, 33, 45)}, "south not above north"),
        ({"bbox": (28, 45, 333, 48)}, "lon -180 to 180"),
        ({"bbox": (28, 45, float("nan"), 48)}, "four numbers"),
        ({"bbox": "ab"}, "four numbers"),
        ({"dpi": 5000}, "50 to 600"),
        ({"width_mm": 20}, "120 to 1200 mm"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(draw: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ExportError, match=re.escape(said)):
        draw(**options)


def test_a_frame_without_a_crs_is_refused(draw: Any, strikes: geopandas.GeoDataFrame) -> None:
    with pytest.raises(CRSError):
        draw(strikes.set_crs(None, allow_override=True))


def test_strange_letters_and_long_words_do_not_break_the_page(draw: Any) -> None:
    odd = frame_of([strike(0, title="Ж\u4e2d\n" + "x" * 400, when="2022-03~", owners="")])
    words = words_of(draw(odd, title="y" * 300))
    assert any("about March 2022" in text for text in words)
    assert any("\ufffd" in text for text in words)
    assert any("owner not known" in text for text in words)
