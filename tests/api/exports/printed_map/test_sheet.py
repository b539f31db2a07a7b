"""Whole sheets: sizes, languages, what they say, that nothing overlaps, and that equal input gives equal bytes."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader

from api.exports.errors import ExportError
from api.exports.printed_map import sheet
from api.exports.printed_map.look import LOOKS
from api.exports.printed_map.map_strikes import MapLine, MapStrike, SheetOrigin, StruckPlace, map_lines, map_strikes
from api.exports.printed_map.sheet import MapOrder, MapSheet
from api.serializers.figures import EXAMPLE
from layers.ownership.walk import Interval
from layers.reference.basemap import Basemap
from layers.snapshot.snapshot import Snapshot
from tests.api.exports.drawn_extents import drawn_frames, hidden_sites, unled_symbols
from tests.api.exports.making import DAY, ODESA, struck

ORIGIN = SheetOrigin(day=DAY, history="9f3c2a7b10d4e5f6", remarks=[f"Figure map:28,45,33,48{EXAMPLE[2:]}"])
LINES = [MapLine("a-2", "Line <&>", shapely.LineString([(20, 47), (45, 47)]))]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def eleven() -> list[MapStrike]:
    """Three strikes on one spot, five beside, one in Russia, one of two possible sites, and one without a place."""
    strikes = [struck(number) for number in range(3)]
    strikes += [struck(number, places=(StruckPlace(29 + number * 0.3, 46.8, 8000.0),)) for number in range(3, 8)]
    strikes.append(struck(8, host="RU", places=(StruckPlace(40.5, 45.4),)))
    either = (StruckPlace(29.0, 45.6), StruckPlace(29.6, 45.5))
    strikes.append(struck(9, places=either, alternatives=True, lines=frozenset({"a-2"})))
    return [*strikes, struck(10, places=())]


def order_of(**options: Any) -> MapOrder:
    return MapOrder(**({"bbox": ODESA, "fmt": "svg", "origin": ORIGIN, "dpi": 60} | options))


@pytest.fixture
def draw(eleven: list[MapStrike], small_base: Basemap) -> Any:
    """Draw a map of the small world."""

    def drawn(strikes: list[MapStrike] = eleven, **options: Any) -> bytes:
        return sheet.drawn_file(sheet.composed(strikes, LINES, small_base, None, order_of(**options)))

    return drawn


def words_of(svg: bytes) -> list[str]:
    """All texts of an SVG but its halos, in order."""
    tree = ElementTree.fromstring(svg)
    halos = {
        id(text) for group in tree.iter(f"{SVG}g") if group.get("aria-hidden") for text in group.iter(f"{SVG}text")
    }
    return ["".join(node.itertext()).strip() for node in tree.iter(f"{SVG}text") if id(node) not in halos]


def test_svg_is_whole_has_named_layers_and_asks_for_nothing(draw: Any) -> None:
    svg = draw()
    words = " ".join(words_of(svg)).replace("\u00a0", " ")
    for told in ("Ukraine: 9 of 9 recorded strikes", "Natural Earth", "25 Nov 2026", "history 9f3c2a7b10d4e5f6",
                 "Depot 3", "±8", f"Figure map:28,45,33,48{EXAMPLE[2:]}", "AZ 100"):  # fmt: skip
        assert told in words
    labels = re.findall(rb'inkscape:label="([^"]+)"', svg)
    assert {b"title", b"map", b"sea", b"land", b"lines-struck", b"symbols", b"key", b"table", b"notes"} <= {*labels}
    # Namespaces are names; whatever would be fetched is in href, url() or a document type.
    assert not re.search(rb'<!DOCTYPE|href="(?!#)|url\((?!#|data:)', svg)


@pytest.mark.parametrize(("language", "word"), [("en", "(draft)"), ("uk", "(чернетка)"), ("de", "(Entwurf)")])
def test_a_draft_is_named_as_one_in_the_language_of_the_map(draw: Any, language: str, word: str) -> None:
    words = " ".join(words_of(draw([struck(1, status="draft")], language=language))).replace("\u00a0", " ")
    assert f"Depot 1 {word}" in words


def test_numbers_stand_on_the_map_and_in_the_table(draw: Any) -> None:
    words = words_of(draw())
    for number in range(1, 10):
        assert words.count(str(number)) == 2
    assert words_of(draw(table=False)).count("1") == 0


def test_png_has_the_size_and_resolution_and_says_what_it_is(draw: Any) -> None:
    for size in ("85", "slide"):
        picture = Image.open(io.BytesIO(draw(fmt="png", size=size, dpi=100)))
        width, height = LOOKS[size].page  # type: ignore[index]
        assert picture.size[0] == pytest.approx(width / 25.4 * 100, abs=1.5)
        assert height is None or picture.size[1] == pytest.approx(height / 25.4 * 100, abs=1.5)
        assert picture.info["dpi"] == pytest.approx((100, 100), abs=0.1)
        assert picture.info["Author"] == "StrikeAtlas"
        assert "recorded strikes" in picture.info["Title"]


def test_pdf_is_tagged_titled_and_dated_and_speaks_to_those_who_do_not_see_it(draw: Any) -> None:
    pdf = PdfReader(io.BytesIO(draw(fmt="pdf", size="a4", language="de", title="Wem es $5 #x <gehörte>")))
    root = pdf.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "de"
    assert b"pdfuaid:part" in root["/Metadata"].get_object().get_data()
    assert pdf.metadata is not None
    assert (pdf.metadata.title, pdf.metadata.author) == ("Wem es $5 #x <gehörte>", "StrikeAtlas")
    assert pdf.metadata.creation_date is not None
    assert pdf.metadata.creation_date.date() == DAY
    assert [float(side) / 72 * 25.4 for side in pdf.pages[0].mediabox[2:]] == pytest.approx([210, 297], abs=0.1)
    text = " ".join(pdf.pages[0].extract_text().split())
    assert "Eigentümer am Tag" in text
    assert "9 von 9 erfassten Angriffen" in text
    assert "\ufffd" not in text


@pytest.mark.parametrize("fmt", ["png", "svg", "pdf"])
def test_same_input_same_bytes(draw: Any, fmt: str) -> None:
    assert draw(fmt=fmt, size="85") == draw(fmt=fmt, size="85")


def test_a_full_frame_has_dots_and_the_table_on_a_page_of_its_own(draw: Any) -> None:
    places = [(StruckPlace(28.2 + n % 40 / 9, 45.2 + n / 130),) for n in range(320)]
    many = [struck(n % 25, id=f"m-{n:03}", title=f"Depot <{n}>", places=place) for n, place in enumerate(places)]
    pdf = PdfReader(io.BytesIO(draw(many, fmt="pdf", size="a4")))
    first, rest = pdf.pages[0].extract_text(), "".join(page.extract_text() for page in pdf.pages[1:])
    assert "each dot is a strike" in " ".join(first.split())
    assert "Depot <" not in first
    assert {int(number) for number in re.findall(r"Depot <(\d+)>", rest)} == set(range(320))
    assert "1" not in words_of(draw(many, size="slide"))


def test_where_not_all_have_numbers_the_first_have_and_the_rest_is_counted(draw: Any) -> None:
    places = [(StruckPlace(28.2 + n % 10 / 2.5, 45.3 + n / 20),) for n in range(40)]
    many = [struck(n % 25, id=f"m-{n:03}", places=place) for n, place in enumerate(places)]
    words = words_of(draw(many, size="slide"))
    assert words.count("14") == 2
    assert "15" not in words
    assert any("26 more strikes are not listed" in text for text in words)


def test_an_extent_over_the_antimeridian_shows_both_sides(draw: Any) -> None:
    ports = [
        struck(1, host="FJ", places=(StruckPlace(-179.5, -17),)),
        struck(2, host="FJ", places=(StruckPlace(178, -17.5),)),
    ]
    words = words_of(draw(ports, bbox=(175, -20, -175, -14)))
    assert words.count("2") == words.count("1") == 2
    assert "Suva" in words
    assert "FIJI" in words


@pytest.mark.parametrize(
    ("bbox", "projection"),
    [
        ((-180, -90, 180, 90), "Equal Earth"),
        ((10, -5, 40, 8), "Mercator"),
        ((-180, 70, 180, 90), "Lambert azimuthal equal-area"),
        ((-170, 5, -60, 80), "Lambert azimuthal equal-area"),
        ((30.7, 46.5, 30.7, 46.5), "Lambert conformal conic"),
    ],
)
def test_each_part_of_the_world_has_its_projection(draw: Any, bbox: tuple[float, ...], projection: str) -> None:
    words = words_of(draw(bbox=bbox))
    note = " ".join(words)
    assert projection in note
    assert ("No scale bar" in note) != any(re.fullmatch(r"\d+ km", text) for text in words)


def test_an_empty_extent_says_so(draw: Any, eleven: list[MapStrike]) -> None:
    for found in (eleven, []):
        assert "No recorded strikes here match" in words_of(draw(found, bbox=(-4, 51, 0, 55)))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fmt": "tiff"}, "png, svg, pdf"),
        ({"size": "a5"}, "85, 120, 180, a4, a3, slide"),
        ({"bbox": (1, 2, 3)}, "four numbers"),
        ({"bbox": (28, 48, 33, 45)}, "south not above north"),
        ({"bbox": (28, 45, 333, 48)}, "lon -180 to 180"),
        ({"bbox": (28, 45, float("nan"), 48)}, "four numbers"),
        ({"dpi": 5000}, "50 to 600"),
        ({"strike": "s-8"}, "within the map"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(draw: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ExportError, match=re.escape(said)):
        draw(**options)


def test_strange_letters_and_long_words_do_not_break_the_page(draw: Any) -> None:
    odd = [struck(0, title="Ж\u4e2d\n" + "x" * 400, when="2022-03~", owners=())]
    for fmt in ("svg", "pdf"):
        assert draw(odd, fmt=fmt, size="85", title="y" * 300)
    words = " ".join(words_of(draw(odd)))
    for told in ("about Mar", "\ufffd", "not established"):
        assert told in words.replace("\u00a0", " ")


# --- the bundled records ---------------------------------------------------------------------------

MAPS: dict[str, dict[str, Any]] = {
    "danube": {"bbox": (27.75, 44.75, 32.6, 47.2), "country": "AZ"},
    "ukraine": {"bbox": (21.9, 44.1, 40.4, 52.5)},
    "gulf": {"bbox": (46.4, 23.2, 57.4, 30.4)},
    "one": {"bbox": (35.8, 43.0, 54.6, 47.75), "strike": "ru-cpc-kropotkinskaya-2025-02-17"},
    "azerbaijan": {"bbox": (22.0, 38.4, 43.0, 52.4), "country": "AZ"},
}
#: Each map, each size, each language and grey, not each with each: 30 sheets.
SHEETS = [
    (name, size, ("en", "uk", "de")[(row + column) % 3], (row + column) % 2 == 1)
    for row, name in enumerate(MAPS)
    for column, size in enumerate(LOOKS)
]


def test_pipelines_are_named_in_the_language_of_the_map_where_they_have_a_name_in_it(snapshot: Snapshot) -> None:
    english, german = ({one.id: one.name for one in map_lines(snapshot.records, tag)} for tag in ("en", "de"))
    assert (english["a-trans-balkan"], german["a-trans-balkan"]) == (
        "Trans-Balkan gas pipeline",
        "Trans-Balkan-Pipeline",
    )
    unnamed = [key for key in german if "de" not in snapshot.records.assets[key].names]
    assert unnamed
    assert all(german[key] == english[key] for key in unnamed)


@pytest.mark.parametrize(("name", "size", "language", "in_grey"), SHEETS)
def test_nothing_overlaps_and_nothing_is_moved_unmarked(
    snapshot: Snapshot, name: str, size: str, language: Any, in_grey: bool
) -> None:
    answers = snapshot.answers().values()
    if name in ("danube", "ukraine"):
        answers = [answer for answer in answers if answer.strike.host_country == "UA"]  # type: ignore[assignment]
    strikes = map_strikes(snapshot.records, answers, language).strikes
    order = order_of(size=size, language=language, in_grey=in_grey, **MAPS[name])
    drawn: MapSheet = sheet.composed(strikes, map_lines(snapshot.records, language), snapshot.basemap, None, order)
    assert [pair for frame in drawn_frames(drawn.picture) for pair in frame.overlaps()] == []
    assert unled_symbols(drawn.picture) == []
    assert hidden_sites(drawn.picture) == []
    assert all(symbol.has_leader or symbol.at == symbol.targets[0] for symbol in drawn.picture.symbols)
    numbers = {one.number for one in drawn.picture.story.numbered}
    assert numbers == {one.number for symbol in drawn.picture.symbols for one in symbol.site.numbered}
    assert "\ufffd" not in sheet.page_values(drawn, True)


NAMED: Sequence[tuple[dict[str, Any], frozenset[str]]] = (
    (
        {"size": "slide", "country": "US", "bbox": (0.1, 0.6, 59.3, 55.4)},
        frozenset(("UKRAINE", "RUSSIA", "IRAQ", "SAUDI ARABIA")),
    ),
    ({"size": "a4", "bbox": (46, 22, 58, 32)}, frozenset(("KUWAIT", "BAHRAIN", "QATAR", "UNITED ARAB EMIRATES"))),
    ({"size": "slide", "bbox": (46, 22, 58, 32)}, frozenset(("KUWAIT", "BAHRAIN", "QATAR", "UNITED ARAB EMIRATES"))),
)


@pytest.mark.parametrize(("options", "wanted"), NAMED)
def test_countries_that_were_struck_are_named(
    snapshot: Snapshot, options: dict[str, Any], wanted: frozenset[str]
) -> None:
    strikes = map_strikes(snapshot.records, snapshot.answers().values(), "en").strikes
    drawn = sheet.composed(strikes, map_lines(snapshot.records), snapshot.basemap, None, order_of(**options))
    assert wanted <= {text.text for text in drawn.picture.drawing.texts}
    assert [pair for frame in drawn_frames(drawn.picture) for pair in frame.overlaps()] == []


@pytest.mark.parametrize("size", ["85", "a4", "slide"])
@pytest.mark.parametrize("bbox", [(28, 45, 33, 48), (30.5, 46.3, 31, 46.7), (30.6, 46.4, 30.85, 46.55)])
def test_the_map_of_a_city_names_it_in_its_frame(snapshot: Snapshot, size: str, bbox: tuple[float, ...]) -> None:
    strikes = map_strikes(snapshot.records, snapshot.answers().values(), "en").strikes
    order = order_of(size=size, bbox=bbox, country="AZ")
    whole, *_ = drawn_frames(
        sheet.composed(strikes, map_lines(snapshot.records), snapshot.basemap, None, order).picture
    )
    assert any("Ode" in name for name, _ in whole.names)


def test_what_is_known_within_a_radius_is_no_crisp_symbol(draw: Any, small_base: Basemap) -> None:
    far = [
        struck(n, id=f"m-{n}", places=(StruckPlace(28.2 + n % 20 / 4.3, 45.2 + n / 90, 15_000.0),)) for n in range(25)
    ]
    order = order_of(size="slide", country="KZ")
    drawn = sheet.composed(far, LINES, small_base, None, order)
    circles = [part for part in drawn.picture.drawing.body(True).split("<path") if 'stroke-dasharray="0.9 0.6"' in part]
    assert len(circles) == 25
    assert "circle" in drawn.picture.samples
    assert not drawn.picture.areas_left_out
    many = [
        struck(n % 25, id=f"m-{n}", places=(StruckPlace(28.2 + n % 20 / 4.3, 45.2 + n / 90, 9_000.0 + n),))
        for n in range(200)
    ]
    full = sheet.composed(many, LINES, small_base, None, order)
    assert full.picture.areas_left_out
    assert any("only the largest are drawn" in note for note in full.contents.notes)


def test_dots_of_a_class_are_dashed_on_the_map_and_in_the_key(draw: Any) -> None:
    unknown = ((None, Interval(100.0, 100.0)),)
    strikes = [
        *(struck(n, places=(StruckPlace(28.5 + n / 7, 46.0),)) for n in range(14)),
        struck(20, owners=unknown, places=(StruckPlace(32, 47),)),
    ]
    svg = draw(strikes, size="slide").decode()
    assert svg.count('stroke-dasharray="0.45 0.3"') == 2


def test_a_sea_without_room_for_its_name_does_not_bear_the_name_of_the_next(snapshot: Snapshot) -> None:
    strikes = map_strikes(snapshot.records, snapshot.answers().values(), "en").strikes
    order = order_of(size="85", language="en", strike=MAPS["one"]["strike"], bbox=(36.136, 43.106, 55.646, 48.731))
    picture = sheet.composed(strikes, map_lines(snapshot.records), snapshot.basemap, None, order).picture
    whole, *_ = drawn_frames(picture)
    at = {name: picture.frame.lonlat(np.array(box.centroid.coords))[0] for name, box in whole.names}
    assert "Caspian Sea" in at
    assert "Black Sea" not in at or at["Black Sea"][1] < 45.42


def test_the_letter_of_an_inset_covers_no_true_place_that_a_symbol_was_moved_from(snapshot: Snapshot) -> None:
    placed = [answer for _, answer in sorted(snapshot.answers().items()) if answer.strike.geometry is not None]
    strikes = map_strikes(snapshot.records, placed[::7]).strikes
    order = order_of(size="120", bbox=(34.85, 41.0, 40.85, 55.0))
    picture = sheet.composed(strikes, map_lines(snapshot.records), snapshot.basemap, None, order).picture
    whole, inset = drawn_frames(picture)
    assert [*whole.overlaps(), *inset.overlaps()] == []


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_of_any_selection_nothing_overlaps_and_nothing_is_moved_unmarked(
    snapshot: Snapshot, data: st.DataObject
) -> None:
    every = sorted(key for key, answer in snapshot.answers().items() if answer.strike.geometry is not None)
    middle = snapshot.answers()[data.draw(st.sampled_from(every))].strike.geometry
    assert middle is not None
    width, height = data.draw(st.floats(0.5, 12)), data.draw(st.floats(0.5, 8))
    west, south, east, north = middle.centroid.buffer(1.0).bounds
    box = (west - width, south - height, east + width, north + height)
    # Every so manieth: a set that is drawn one by one is seldom a crowd.
    chosen = every[data.draw(st.integers(0, 7)) :: data.draw(st.integers(1, 8))]
    strikes = map_strikes(snapshot.records, [snapshot.answers()[one] for one in chosen]).strikes
    order = order_of(
        size=data.draw(st.sampled_from(sorted(LOOKS))), bbox=box, country=data.draw(st.sampled_from([None, "US", "RU"]))
    )
    picture = sheet.composed(strikes, map_lines(snapshot.records), snapshot.basemap, None, order).picture
    assert [pair for frame in drawn_frames(picture) for pair in frame.overlaps()] == []
    assert unled_symbols(picture) == []
    assert hidden_sites(picture) == []


def test_a_line_of_a_roughly_known_course_is_dashed_and_the_notes_say_why(
    eleven: list[MapStrike], small_base: Basemap
) -> None:
    known = shapely.LineString([(20, 47), (45, 47)])
    for line, is_rough in ((MapLine("x", "X", known, is_rough=True), True), (MapLine("x", "X", known), False)):
        made = sheet.composed(eleven, [line], small_base, None, order_of())
        assert ("Dashed: a pipeline" in " ".join(made.contents.notes)) is is_rough
        (drawn,) = made.picture.drawing.layers["lines"]
        assert ("stroke-dasharray" in str(drawn)) is is_rough


def test_open_data_is_credited_where_it_is_drawn(draw: Any, eleven: list[MapStrike], small_base: Basemap) -> None:
    tracker, plants = ("A tracker", "CC BY 4.0"), ("Plants", "ODbL")
    there, away = (shapely.LineString([(20, lat), (45, lat)]) for lat in (47, -20))
    lines = [
        MapLine("x", "X", there, (tracker,)),
        MapLine("far", "Far", away, (("Far", "CC0"),)),
        MapLine("never", "Never", there, (("Never built", "CC0"),), only_struck=True),
    ]

    def notes(strikes: list[MapStrike], lines: list[MapLine], **options: Any) -> str:
        return " ".join(sheet.composed(strikes, lines, small_base, None, order_of(**options)).contents.notes)

    assert "open data: A tracker (CC BY 4.0). Source:" in notes(eleven, lines)
    assert "open data: A tracker (CC BY 4.0), Plants (ODbL)." in notes([struck(1, credits=(plants,))], lines)
    assert "offenen Daten: A tracker (CC BY 4.0)." in notes(eleven, lines, language="de")
    assert "open data" not in notes(eleven, [*LINES, *lines[1:]])
    assert "Never built (CC0)" in notes([struck(1, lines=frozenset({"never"}))], lines)
