"""The parts of a printed map: frames, letters, extents, stories and the placement of symbols."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from api.exports.printed_map.drawing import Drawing, ExtentList, Letters
from api.exports.printed_map.extent import extent_of, fitted, projection_for
from api.exports.printed_map.lettering import balanced_width, printable, width_of, wrapped
from api.exports.printed_map.look import COLOUR, GREY, LOOKS
from api.exports.printed_map.map_strikes import StruckPlace
from api.exports.printed_map.print_words import PrintWords
from api.exports.printed_map.sheet_contents import owners_in_words
from api.exports.printed_map.story import CLASSES, StoryTeller, country_class, region_class, sites_of
from api.exports.printed_map.symbol_placement import NoRoom, circle_around, on_page, place_symbols
from api.exports.symbols import colour_of
from api.exports.text import with_country_names
from api.wording.catalogue import catalogue, gaps
from api.wording.countries import country_names as spoken
from layers.ownership.walk import Interval
from layers.reference.basemap import Basemap
from tests.api.exports.making import struck

WORDS = PrintWords("en", {"AZ": "Azerbaijan", "UA": "Ukraine", "DE": "Germany", "CH": "Switzerland"})
spots = st.lists(st.tuples(st.floats(28.3, 32.7), st.floats(45.2, 47.8)), min_size=1, max_size=25)


@pytest.mark.parametrize("bbox", [(28, 45, 33, 48), (175, -20, -175, -14), (10, -5, 40, 8), (20, 70, 60, 80)])
def test_a_frame_shows_its_extent_and_finds_its_way_back(bbox: tuple[float, ...]) -> None:
    extent = extent_of(bbox)
    frame = fitted(extent, projection_for(extent), (10, 10, 150, 100))
    mm = frame.mm(extent.outline())
    assert frame.shows(mm).all()
    back = frame.lonlat(mm)
    assert np.abs((back[:, 0] - extent.outline()[:, 0] + 180) % 360 - 180).max() < 1e-7
    assert frame.window.west <= extent.west
    assert frame.window.east >= extent.east


def test_north_is_up_and_the_scale_is_true_at_the_middle() -> None:
    extent = extent_of((28, 45, 33, 48))
    frame = fitted(extent, projection_for(extent), (10, 10, 150, 100))
    south, north = frame.mm(np.array([[30.5, 45.5], [30.5, 47.5]]))
    assert north[1] < south[1]
    left, right = frame.lonlat(frame.middle + np.array([[-10.0, 0], [10, 0]]))
    metres = Geod(ellps="WGS84").inv(*left, *right)[2]
    assert metres == pytest.approx(20 * frame.true_metres_per_mm, rel=1e-4)


@pytest.mark.parametrize("place", [(30.7, 46.5), (179.99, 0.0), (0.0, 89.9)])
def test_circles_have_the_true_radius(place: tuple[float, float]) -> None:
    circle = circle_around(StruckPlace(*place, 5000))
    count = np.ones(len(circle))
    distance = Geod(ellps="WGS84").inv(place[0] * count, place[1] * count, *circle.T)[2]
    np.testing.assert_allclose(distance, 5000, rtol=1e-6)


@given(st.text(alphabet="ab Жö-", max_size=80))
def test_lines_fit_and_lose_nothing(text: str) -> None:
    lines = wrapped(text, 2.5, 20)
    assert all(width_of(line, 2.5) <= 20 for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_a_title_is_broken_into_no_more_lines_than_it_needs() -> None:
    title = "Ukraine: 18 to 25 of 35 recorded strikes hit sites owned mostly abroad"
    width = balanced_width(title, 5.3, 180)
    assert width < 180
    assert len(wrapped(title, 5.3, width, True)) == len(wrapped(title, 5.3, 180, True))


def test_letters_that_no_font_has_are_replaced() -> None:
    assert printable("Ж中\nș’–") == "Ж\ufffd ș’–"


def test_extents_know_what_is_free() -> None:
    extents = ExtentList()
    for number in range(200):  # more than there is room for at first
        extents.claim(shapely.box(3 * number, 0, 3 * number + 2, 2))
    assert extents.is_free(shapely.box(2.3, 0, 2.7, 1), 0.25)
    assert not extents.is_free(shapely.box(2.1, 0, 2.2, 1), 0.25)
    assert extents.is_free(shapely.box(0, 3, 600, 4), 0.25)
    assert not extents.is_free(shapely.box(598, 1, 602, 4), 0.0)


def test_a_text_takes_what_it_covers_and_is_met_once_in_a_page() -> None:
    extent = extent_of((28, 45, 33, 48))
    drawing = Drawing(fitted(extent, projection_for(extent), (10, 10, 150, 100)), LOOKS["180"])
    drawing.write("labels-places", Letters(10, 10, "Odesa <1>", 2.0, "#222", halo=0.5))
    assert shapely.Point(11, 9.5).within(drawing.extents.shapes[0])
    assert drawing.body(True).count("Odesa &lt;1&gt;") == 1
    assert drawing.body(False).count("Odesa &lt;1&gt;") == 2
    assert 'id="halo-labels-places"' in drawing.body(False)


# --- stories ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("owners", "of_country", "of_region"),
    [
        ({"AZ": (100, 100)}, "whole", "abroad"),
        ({"AZ": (40, 60), "UA": (40, 60)}, "part", "unclear"),
        ({"AZ": (0, 100), "UA": (0, 100)}, "maybe", "unclear"),
        ({"UA": (50.1, 50.1), None: (49.9, 49.9)}, "other", "home"),
        # Of what is not Ukraine's and has an owner, all is of others, whoever of them had how much.
        ({"DE": (20, 70), "CH": (10, 60), "UA": (10, 20)}, "other", "abroad"),
        ({None: (100, 100)}, "other", "unclear"),
    ],
)
def test_bounds_decide_the_class(owners: dict[Any, tuple[float, float]], of_country: str, of_region: str) -> None:
    strike = struck(1, owners=tuple((owner, Interval(*bounds)) for owner, bounds in owners.items()))
    assert country_class(strike, "AZ") == of_country
    assert region_class(strike) == of_region


def test_the_host_alone_decides_nothing() -> None:
    abroad = struck(1, host="KZ")
    assert (region_class(struck(1)), region_class(abroad)) == ("abroad", "abroad")
    assert country_class(abroad, "KZ") == "other"
    assert country_class(struck(2, tied=frozenset({"KZ"})), "KZ") == "tied"


def test_a_title_counts_from_what_is_sure_to_what_may_be() -> None:
    open_share = ((None, Interval(0, 100)), ("AZ", Interval(0, 100)))
    strikes = [struck(1), struck(2), struck(3, owners=open_share), struck(4, owners=(("UA", Interval(100, 100)),))]
    strikes.append(struck(5, is_sure=False, status="draft"))
    told = StoryTeller(WORDS).of_country(strikes, "AZ")
    assert (
        told.title
        == "Azerbaijan owned all or part of what was hit in 2\u00a0to\u00a04 of 5 recorded strikes in this area"
    )
    assert [one.kind for one in told.numbered] == ["whole", "whole", "maybe", "maybe"]
    assert dict(told.key)["whole"] == "Owned wholly by Azerbaijan (2)"
    assert [one.number for one in told.numbered] == [1, 2, 3, 4]
    assert [(one.kind, one.number) for one in told.others] == [("other", None)]
    region = StoryTeller(WORDS, no_place=2).of_region(strikes)
    assert region.title == (
        "Ukraine: 2\u00a0to\u00a03 of 5 recorded strikes in this area hit sites owned mostly abroad; "
        "for 1 that is not established"
    )
    assert "2 strikes of which no place is given are not drawn." in region.subtitle
    assert dict(region.key)["abroad"] == "Owners abroad over 50 % (3)"
    for story in (told, region):  # title and key add up
        assert "1 of those counted is a draft, which is never sure." in story.subtitle
    assert "In 1 of them that is not settled." in told.subtitle


def test_a_title_says_what_is_not_established_of_most_and_which_strikes_it_counts() -> None:
    unknown = ((None, Interval(100, 100)),)
    strikes = [
        struck(1),
        struck(2, is_sure=False, status="draft"),
        *(struck(number, owners=unknown) for number in (3, 4)),
    ]
    region = StoryTeller(WORDS, scope="in this area (2025)").of_region(strikes)
    assert region.title == (
        "Ukraine: for 2 of 4 recorded strikes in this area (2025) it is not established who owned most of what was hit"
    )
    assert "1\u00a0to\u00a02 hit sites owned mostly abroad. 1 of those counted is a draft" in region.subtitle
    told = StoryTeller(WORDS).of_country(strikes, "AZ")
    assert "For 2 of the others it is not established who owned most." in told.subtitle
    assert dict(told.key)["other"] == "Other strikes: other or unknown owners (2)"


@pytest.mark.parametrize("language", ["en", "de", "uk"])
def test_every_number_of_a_title_says_of_which_strikes_it_is(language: Any) -> None:
    every = catalogue(language)
    titles = {code for code in every if code.startswith("print.title.") and "{n}" in str(every[code])}
    assert titles
    assert all("{area}" in form for code in titles for form in map(str, [every[code]]))


def test_countries_that_were_struck_come_in_the_order_of_what_the_map_tells_of() -> None:
    strikes = [struck(1, host="RU"), *(struck(number, host="IQ", owners=()) for number in (2, 3)), struck(4, host=None)]
    assert StoryTeller(WORDS).of_country(strikes, "AZ").hosts == ["RU", "IQ"]


def test_nothing_selected_is_said() -> None:
    for story in (StoryTeller(WORDS).of_region([]), StoryTeller(WORDS).of_country([], "AZ")):
        assert story.title == "No recorded strikes here match"
        assert not story.strikes


def test_a_story_of_one_strike_numbers_those_on_its_line() -> None:
    line = frozenset({"a-line"})
    strikes = [struck(1), struck(2, lines=line, assets=frozenset({"x"})), struck(3, lines=line, assets=frozenset())]
    story = StoryTeller(WORDS).of_strike(strikes, "s-2")
    assert [one.strike.id for one in story.numbered] == ["s-2", "s-3"]
    assert [one.strike.id for one in story.others] == ["s-1"]
    assert dict(story.key)["other"] == "Other strikes (1)"
    assert story.title == "Depot 2: Azerbaijan\u00a0100\u00a0%"
    assert story.struck_lines == line


def test_strikes_at_one_place_share_a_symbol_and_possible_sites_stand_together() -> None:
    two = (StruckPlace(30.0, 46.0), StruckPlace(31.0, 46.0))
    strikes = [struck(1), struck(2), struck(3, places=two), struck(4, places=two, alternatives=True)]
    sites = sites_of(StoryTeller(WORDS).of_region(strikes).numbered)
    members = sorted([one.strike.id for one in site.strikes] for site in sites)
    assert members == [["s-1", "s-2"], ["s-3"], ["s-3"], ["s-4"]]
    assert max(len(site.places) for site in sites) == 2


# --- placement -------------------------------------------------------------------------------------


@given(spots)
def test_no_symbol_is_moved_without_a_leader_and_none_touches_another(places: list[tuple[float, float]]) -> None:
    extent, look = extent_of((28, 45, 33, 48)), LOOKS["180"]
    frame = fitted(extent, projection_for(extent), (0, 0, *look.frame))
    strikes = [struck(number, places=(StruckPlace(*place),)) for number, place in enumerate(places)]
    sites = sites_of(StoryTeller(WORDS).of_region(strikes).numbered)
    try:
        placed = place_symbols(Drawing(frame, look), sites, np.empty(0, dtype=object))
    except NoRoom:
        return  # the map then has dots
    assert not any(one.box.intersects(other.box) for one, other in combinations(placed, 2))
    assert len(placed) == len(sites)
    for symbol in placed:
        assert symbol.targets == on_page(frame, symbol.site.places)
        assert symbol.has_leader or math.dist(symbol.at, symbol.targets[0]) < 1e-6


# --- looks and words -------------------------------------------------------------------------------


@pytest.mark.parametrize("palette", [COLOUR, GREY])
def test_classes_of_one_story_differ_in_more_than_colour(palette: Any) -> None:
    def lightness(colour: str) -> float:
        red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
        return 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2

    assert set(palette.classes) == set(CLASSES)
    for story in (("whole", "part", "maybe", "tied"), ("abroad", "home", "unclear")):
        looks = [palette.classes[kind] for kind in story]
        signs = {(one.outline, one.dashed, lightness(one.fill) > 0.25) for one in looks}
        assert len(signs) == len(story)
    for drawn in palette.classes.values():
        ratio = sorted((lightness(drawn.fill) + 0.05, lightness(drawn.letters) + 0.05))
        assert drawn.edge == "#ffffff" or ratio[1] / ratio[0] > 4.5


@pytest.mark.parametrize("language", ["uk", "de"])
def test_every_language_says_all_with_the_same_gaps(language: Any) -> None:
    english, other = (
        {code: entry for code, entry in catalogue(tag).items() if code.startswith("print.")} for tag in ("en", language)
    )
    assert english.keys() == other.keys()
    for code, entry in english.items():
        assert gaps(entry) == gaps(other[code]), code


@pytest.mark.parametrize(
    ("when", "english", "german", "ukrainian"),
    [
        ("2025-08-06", "6 Aug 2025", "6. Aug. 2025", "6 серп. 2025"),
        ("2025-08-05/2025-08-06", "5–6 Aug 2025", "5.–6. Aug. 2025", "5–6 серп. 2025"),
        ("2022-03~", "about Mar 2022", "etwa März 2022", "близько бер. 2022"),
        ("2025-07-30/2025-08-02", "30 July 2025 – 2 Aug 2025", "30. Juli 2025 – 2. Aug. 2025",
         "30 лип. 2025 – 2 серп. 2025"),
        ("../2025", "2025 or earlier", "2025 oder früher", "2025 або раніше"),
        ("", "date not known", "Datum unbekannt", "дата невідома"),
    ],
)  # fmt: skip
def test_dates_are_no_more_exact_than_they_are(when: str, english: str, german: str, ukrainian: str) -> None:
    said = [PrintWords(language, {}).date(when) for language in ("en", "de", "uk")]
    assert [text.replace("\u00a0", " ").replace("\u2060", "") for text in said] == [english, german, ukrainian]


def test_owners_are_named_with_their_bounds() -> None:
    owners = (("DE", Interval(50.1, 54.1)), ("CH", Interval(45.9, 49.9)), (None, Interval(0, 1.5)))
    said = owners_in_words(struck(1, owners=owners), WORDS).replace("\u2060", "").replace("\u00a0", " ")
    assert said == "Germany 50.1–54.1 %, Switzerland 45.9–49.9 %, not established 0–1.5 %"
    german = owners_in_words(struck(1, owners=owners), PrintWords("de", {"DE": "Deutschland"}))
    assert german.replace("\u2060", "").startswith("Deutschland\u00a050,1–54,1")


def test_a_line_ends_within_no_share_and_within_no_short_owner() -> None:
    words = PrintWords("en", {"US": "United States of America", "CD": "Democratic Republic of the Congo"})
    assert " " not in words.owner("US", Interval(22.5, 22.5))
    assert words.owner("CD", Interval(46.48, 46.54)).split(" ")[-1].startswith("Congo\u00a0")


def test_shares_of_an_owners_text_are_named() -> None:
    assert with_country_names("RU 47.325, XX 0-22.5, unattributed 1.75", {"RU": "Russia"}) == (
        "Russia\u00a047.325, XX\u00a00–22.5, unattributed\u00a01.75"
    )


def test_a_base_abroad_does_not_rename_its_country(small_base: Basemap) -> None:
    assert small_base.country_names["GB"] == "United Kingdom"
    assert PrintWords.of("de", small_base).country("GB") == "Vereinigtes Königreich"


def test_print_names_countries_as_pages_do(small_base: Basemap) -> None:
    english = small_base.country_names
    assert PrintWords.of("uk", small_base).countries == spoken(english, "uk")
    assert PrintWords.of("de", small_base).countries == spoken(english, "de")


def test_two_hosts_have_a_colour_and_all_others_one_neutral() -> None:
    assert (colour_of("UA"), colour_of("RU")) == ("#0063A6", "#A83C00")
    assert colour_of("KZ") == colour_of(None) not in (colour_of("UA"), colour_of("RU"))
