"""VIINA: five kinds of file, points that stand for a region or for a word, targets as headlines print them."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given

from layers.model.problems import ReadResult
from layers.model.records import Strike
from layers.sources.files.limits import FileRefused
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import LoadOptions
from layers.sources.strikes.location_precision import VIINA
from layers.sources.strikes.target_extraction import VIINA_TARGETS, VIINA_TITLES, language_of, targets
from layers.sources.strikes.viina import CANDIDATES, FORMAT, MAPPING, candidate_place_names
from tests.layers.english import english_counts, raises
from tests.layers.sources.strikes.strike_files import (
    SAMPLES,
    Rows,
    assert_documented,
    assert_every_row_ends_once,
    faulty,
    read,
    reading_of,
    rows_of,
)


@pytest.fixture(scope="module")
def derived() -> ReadResult:
    return read(FORMAT, "viina-derived.csv")


def test_an_event_of_version_1() -> None:
    reading = read(FORMAT, "viina-1.0.csv")
    strike = reading.records.strikes["viina/1.0-11"]
    assert (strike.title, strike.when) == ("Strike on oil depot, Україна, Вишнева", "2022-03-04~")
    assert (strike.basis, strike.uncertainty_m) == ("settlement", 2_000)
    assert strike.attacker == "Russian forces, as VIINA's classifier has it"
    assert [weapon.kind for weapon in strike.weapons] == ["air strike"]
    assert (strike.targets, strike.target_kinds) == (('нафтобаза "Зоря"',), ("oil-depot",))
    source = reading.records.sources[strike.sources[0]]
    assert (source.publisher, source.language, source.published) == ("УНІАН", "uk", "2022-03-04")
    assert reading.records.sources["viina/sample"].licence == "ODbL 1.0"
    assert english_counts(reading.skipped) == {
        "not about military operations (t_mil_b)": 1,
        "no attack on a place (no label of one)": 1,
    }
    assert faulty(reading) == {5: {"date", "latitude"}}
    assert_every_row_ends_once(reading)


def test_reports_of_version_2_with_their_labels_are_one_event_a_day() -> None:
    reading = read(FORMAT, "viina-info.csv", "viina-labels.csv")
    strikes = reading.records.strikes
    assert list(strikes) == ["viina/71", "viina/72"]
    urls = [reading.records.sources[one].url for one in strikes["viina/71"].sources]
    assert set(urls) >= {"https://example.org/1", "https://example.org/2"}
    assert strikes["viina/71"].attacker == "Russian forces, as VIINA's classifier has it"
    assert strikes["viina/71"].target_kinds == ()
    assert english_counts(reading.skipped) == {
        "a further report of an event that is loaded": 1,
        "no attack on a place (no label of one)": 1,
        "no labels are given for the report": 1,
    }
    assert faulty(reading) == {7: {"date", "longitude", "event_id_1pd"}}
    assert_every_row_ends_once(reading)


def test_the_order_of_the_files_does_not_matter() -> None:
    one, other = (read(FORMAT, *names) for names in _both("viina-info.csv", "viina-labels.csv"))
    assert one.records == other.records


def _both(*names: str) -> Sequence[tuple[str, ...]]:
    return names, names[::-1]


def test_an_oblast_stays_an_oblast_in_the_raw_files_too() -> None:
    strike = read(FORMAT, "viina-info.csv", "viina-labels.csv").records.strikes["viina/72"]
    assert (strike.basis, strike.place) == ("region", "Odessa (oblast)")
    assert "Bilka" not in strike.title
    assert "VIINA's point is at Bilka." in (strike.note or "")
    assert strike.uncertainty_m is not None
    assert strike.uncertainty_m > 150_000


def test_events_without_text_or_with_the_texts_of_the_reports() -> None:
    alone = read(FORMAT, "viina-1pd.csv").records
    assert (alone.strikes["viina/71"].title, alone.strikes["viina/71"].basis) == (
        "Strike by drone, Vyshneva",
        "settlement",
    )
    assert [alone.sources[one].publisher for one in alone.strikes["viina/71"].sources][:2] == ["ЛІГА.net", "НВ"]
    assert (alone.strikes["viina/75"].basis, alone.strikes["viina/75"].place) == ("district", "Ivanivs'kyi (district)")
    both = read(FORMAT, "viina-1pd.csv", "viina-info.csv")
    assert list(both.records.strikes) == ["viina/71"]
    assert_every_row_ends_once(both)


def test_labels_alone_are_refused() -> None:
    with raises(FileRefused, match="event_info of the same year"):
        read(FORMAT, "viina-labels.csv")


def test_a_hamlet_that_stands_for_an_oblast_is_widened(derived: ReadResult) -> None:
    strike = derived.records.strikes["viina/501"]
    assert (strike.basis, strike.region, strike.host_country) == ("region", "Odessa", "UA")
    assert strike.uncertainty_m is not None
    assert strike.uncertainty_m > 150_000
    assert strike.targets == ("нафтобазі ZORIA",)
    assert "Bilka" in str(strike.note)


def test_a_place_is_one_only_if_the_headline_names_it(derived: ReadResult) -> None:
    named, unnamed = (derived.records.strikes[f"viina/{key}"] for key in (502, 503))
    assert (named.basis, named.uncertainty_m) == ("settlement", 10_000)
    assert (unnamed.basis, unnamed.uncertainty_m) == ("region", 230_000)


@pytest.mark.parametrize(
    ("district", "region", "text", "place"),
    [
        ("Lisnens'ka", "Odessa", "Удар по нафтобазі у Лісному", ("Lisnens'ka (district)", "settlement", 20_000)),
        ("Lisnens'kyi", "Odessa", "Удар по нафтобазі у Лісному", ("Lisnens'kyi (district)", "district", 40_000)),
        ("Lisnens'ka", "Odessa", "Удар у Лісненському районі", ("Lisnens'ka (district)", "district", 40_000)),
        ("Lisnens'kyi", "Kiev City", "Удар у Лісненському районі", ("Lisnens'kyi (district)", "settlement", 20_000)),
        ("Lisnens'kyi", "Odessa", "Удар у Вишневому", ("Odessa (oblast)", "region", 230_000)),
        ("Lisnens'kyi", "Kiev City", "Удар у столиці", ("Kiev City", "region", 50_000)),
    ],
)
def test_a_headline_that_names_the_district_or_its_town_places_the_event_in_it(
    tmp_path: Path, district: str, region: str, text: str, place: tuple[str, str, float]
) -> None:
    changes = {"asciiname": "Zoriane", "ADM1_NAME": region, "ADM2_NAME": district, "representative_text": text}
    strike = _derived_row(tmp_path, **changes)
    assert (strike.place, strike.basis, strike.uncertainty_m) == place


def _derived_row(folder: Path, **changes: str) -> Strike:
    """The strike of a row of the sample with other cells."""
    with (SAMPLES / "viina-derived.csv").open(encoding="utf-8", newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["event_id_1pd"] == "502")
    with (folder / "one.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow({**row, **changes})
    return FORMAT.read([SourceFile.of(folder / "one.csv")], LoadOptions("viina/sample")).records.strikes["viina/502"]


@pytest.mark.parametrize(
    ("text", "title", "targets", "kinds"),
    [
        ("Бої неподалік від Вишневського НПЗ", "Strike", (), ()),
        ("Вибухи біля Вишневського НПЗ", "Strike", ("біля Вишневського НПЗ",), ()),
        (
            "Удар по Вишневському НПЗ; бої неподалік від Лісного НПЗ",
            "Strike on refinery or gas or petrochemical plant",
            ("Вишневському НПЗ",),
            ("refinery", "gas-plant", "petrochemical-plant"),
        ),
    ],
)
def test_a_site_that_the_headline_only_has_near_something_is_no_target(
    tmp_path: Path, text: str, title: str, targets: tuple[str, ...], kinds: tuple[str, ...]
) -> None:
    one = _derived_row(tmp_path, representative_text=text, target_classes="REFINING_PETROCHEM_GAS")
    assert one.title.startswith(f"{title}, ")
    assert (one.targets, set(one.target_kinds)) == (targets, set(kinds))
    assert ("only to say that something was near it" in str(one.note)) == (not kinds)


def test_a_word_taken_for_a_name_is_no_place(derived: ReadResult) -> None:
    port, pipeline = (derived.records.strikes[f"viina/{key}"] for key in (504, 505))
    for strike in (port, pipeline):
        assert (strike.geometry, strike.region, strike.host_country) == (None, None, None)
        assert strike.place == "not placed by its source"
    assert port.targets == ("Порт Вигадане",)
    assert pipeline.targets == ('нафтопровід "Дружба"',)


def test_a_class_that_is_not_known_is_a_fault(derived: ReadResult) -> None:
    assert faulty(derived) == {7: {"target_classes"}}
    assert_every_row_ends_once(derived)


def test_a_point_without_a_name_is_a_district_at_best(derived: ReadResult) -> None:
    strike = derived.records.strikes["viina/508"]
    assert (strike.basis, strike.place, strike.host_country) == ("district", "place not named", "RU")


def test_registers_have_targets_by_name_and_no_point() -> None:
    reading = read(FORMAT, "viina-candidates.csv", "viina-confirmed.csv")
    candidate = reading.records.strikes["viina/test-ru-001"]
    assert (candidate.when, candidate.targets) == ("2025-03-11", ("Vyshneva oil pumping station",))
    assert (candidate.region, candidate.host_country, candidate.geometry) == ("Bryansk Oblast", "RU", None)
    assert candidate.target_kinds == ("pipeline", "pump-station")
    confirmed = reading.records.strikes["viina/reuters-2025-1"]
    assert (confirmed.host_country, confirmed.status) == ("RU", "reported")
    assert reading.records.claims["viina/reuters-2025-1/claim-1"].quote == "An invented agency reported a fire"
    assert faulty(reading) == {3: {"CandidateID", "CanonicalEventDate", "TargetName", "TargetClass"}}
    assert_every_row_ends_once(reading)


class _Found:
    """A gazetteer of one answer."""

    def __init__(self, best: object, candidates: Sequence[object]) -> None:
        self.best, self.candidates, self.asked = best, candidates, []  # type: ignore[var-annotated]

    def find(self, text: str, **how: object) -> "_Found":
        self.asked.append((text, how))
        return self

    def origins(self) -> tuple[tuple[str, str, int], ...]:
        return (("Made-up places", "CC0", 1),)


class _Place:
    def __init__(self, name: str, basis: str = "settlement") -> None:
        self.lon, self.lat, self.country, self.basis, self.uncertainty_m = 33.0, 53.0, "RU", basis, 8_000.0
        self.reasons = [type("R", (), {"name": name})()]


def test_a_gazetteer_places_what_a_register_names_and_is_the_source_of_it() -> None:
    found = _Found(_Place("own-name"), [_Place("own-name")])
    records = read(FORMAT, "viina-candidates.csv", gazetteer=found).records
    strike = records.strikes["viina/test-ru-001"]
    assert (strike.basis, strike.uncertainty_m, strike.place_source) == ("settlement", 8_000, "viina/sample/gazetteer")
    assert records.sources["viina/sample/gazetteer"].licence == "CC0"
    assert found.asked[0] == ("Vyshneva, Bryansk Oblast, Russia", {"country": "RU"})


@pytest.mark.parametrize(
    ("best", "candidates", "placed"),
    [
        (_Place("own-name"), [_Place("own-name")], True),
        (_Place("own-name"), [_Place("own-name"), _Place("other-name")], False),
        (_Place("other-name"), [_Place("other-name")], False),
        (None, [_Place("own-name"), _Place("own-name")], False),
    ],
    ids=["the only one", "another had the name", "only a former name", "ambiguous"],
)
def test_a_name_without_its_region_is_placed_only_if_nothing_else_is_called_so(
    best: object, candidates: list[object], placed: bool
) -> None:
    records = read(FORMAT, "viina-confirmed.csv", gazetteer=_Found(best, candidates)).records
    assert (records.strikes["viina/reuters-2025-1"].geometry is not None) == placed


def test_the_name_of_a_place_in_a_target() -> None:
    assert candidate_place_names("Vyshneva oil refinery") == ["Vyshneva"]
    assert candidate_place_names("Zoria UAV plant Lisne") == ["Lisne"]
    assert candidate_place_names("Naftoco Vyshneva refinery") == ["Naftoco Vyshneva", "Vyshneva"]
    assert candidate_place_names("an oil depot") == []


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("Дрони знову атакували нафтобазу ZORIA", ("нафтобазу ZORIA",)),
        ("Пожежу на Вишневському НПЗ ліквідовано", ("Вишневському НПЗ",)),
        ("Удар по підстанції у Лісній області вночі", ("підстанції у Лісній області",)),
        ('Горит нефтебаза ""Заря"" под Лесным', ('нефтебаза "Заря" под Лесным',)),
        ("Горит нефтеперекачивающая станция «Заря»", ("нефтеперекачивающая станция «Заря»",)),
        ("У районі нафтобази вибухи", ()),
        ("Тести складено", ()),
        ("Вибух у селі Залізний Порт", ()),
        ("Rockets hit the Vyshneva oil depot in Lisne", ("Vyshneva oil depot in Lisne",)),
        ("", ()),
    ],
)
def test_a_target_is_printed_as_the_headline_has_it(text: str, phrases: tuple[str, ...]) -> None:
    assert targets(text)[0] == phrases


def test_a_language_is_told_by_letters_that_only_it_has() -> None:
    assert [language_of(text) for text in ("Вибух у Києві", "Взрыв в Крыму", "Порт", "")] == ["uk", "ru", None, None]


def test_files_are_recognised_by_their_columns() -> None:
    recognised = {path.name for path in SAMPLES.iterdir() if FORMAT.recognises(SourceFile.of(path).sniff())}
    assert recognised == {path.name for path in SAMPLES.glob("viina-*")}


def test_the_tables_are_in_the_docs(docs_page: str) -> None:
    assert_documented(docs_page, "## VIINA", MAPPING, VIINA)
    assert_documented(docs_page, "The register of candidates:", CANDIDATES, {})
    assert set(VIINA_TARGETS) == set(VIINA_TITLES)
    assert all(
        f"| {name} | {', '.join(kinds) or 'none of ours'} |" in docs_page for name, kinds in VIINA_TARGETS.items()
    )


CELLS = {
    "event_id_1pd": ["1", "2", "", "x"],
    "date": ["20250101", "2025-01-01", "20250230", ""],
    "asciiname": ["", "Port", "Kharkiv", "Simferopol"],
    "longitude": ["", "30.406", "0", "999"],
    "latitude": ["", "46.908", "0"],
    "target_classes": ["", "PIPELINE_PUMPING|ENERGY_GRID_SUPPORT", "NONE"],
    "source_urls": ["", "https://example.org/1|https://example.org/2", "ftp://x", "https://"],
    "representative_text": ["", "НПЗ НПЗ НПЗ", "Порт", '""', "a" * 3000],
}


@given(rows=rows_of("viina-derived.csv", CELLS))
def test_any_rows_end_once_and_read_the_same_twice(rows: Rows) -> None:
    assert_every_row_ends_once(reading_of(FORMAT, rows))


#: Real file to its rows, strikes, rows skipped and rows rejected.
REAL = {
    "VIINA_2022_REBUILD.csv": (2060, 2060, 0, 0),
    "VIINA_2023_REBUILD.csv": (650, 650, 0, 0),
    "VIINA_2025_REBUILD.csv": (325, 325, 0, 0),
    "viina_review_classified.csv": (97, 87, 10, 0),
    "VIINA_RUSSIA_CANDIDATE_REGISTER_CLEAN.csv": (20, 20, 0, 0),
    "REUTERS_2025_CONFIRMED_NEW_EVENTS_V4.csv": (47, 47, 0, 0),
}


@pytest.mark.parametrize("name", REAL)
def test_the_derived_tables_load_whole(real_data: Path, name: str) -> None:
    file = SourceFile.of(real_data / "viina_deepstrike_2022_2025" / name)
    reading = FORMAT.read([file], LoadOptions("viina/real"))
    ends = (reading.rows, len(reading.records.strikes), sum(reading.skipped.values()), len(reading.problems))
    assert ends == REAL[name]
    assert_every_row_ends_once(reading)


def test_the_known_traps_come_out_right(real_data: Path) -> None:
    file = SourceFile.of(real_data / "viina_deepstrike_2022_2025" / "VIINA_2025_REBUILD.csv")
    strikes = FORMAT.read([file], LoadOptions("viina/real")).records.strikes
    depot = strikes["viina/320976"]
    assert (depot.basis, depot.targets) == ("region", ("нафтобазу SOCAR",))
    ports = [strike for strike in strikes.values() if strike.targets[:1] in {("Порт Туапсе",), ("Порт Новоросійськ",)}]
    assert ports
    assert all(strike.geometry is None and strike.host_country is None for strike in ports)
