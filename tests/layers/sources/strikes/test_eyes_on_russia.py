"""Eyes on Russia: days that stand only in a title, descriptions cut at a colon, groups that are no attack."""

import pytest
from hypothesis import given

from layers.model.problems import ReadResult
from layers.sources.files.source_file import SourceFile
from layers.sources.strikes.eyes_on_russia import FORMAT, MAPPING
from layers.sources.strikes.location_precision import EYES_ON_RUSSIA
from layers.sources.strikes.target_extraction import EYES_GROUPS
from tests.layers.english import english_counts
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
def sample() -> ReadResult:
    return read(FORMAT, "eyes-on-russia.csv")


def test_a_row_becomes_a_strike(sample: ReadResult) -> None:
    strike = sample.records.strikes["eyes-on-russia/uw9001"]
    assert strike.title == "Bombing, shelling or explosion, Vyshneva"
    assert (strike.when, strike.place, strike.region) == ("2022-03-04", "Vyshneva", "Odesa Oblast")
    assert (strike.basis, strike.uncertainty_m, strike.host_country) == ("site", 500, "UA")
    assert [weapon.kind for weapon in strike.weapons] == ["Kh-99"]
    assert (strike.targets, strike.target_kinds) == (("Vyshneva oil depot",), ("oil-depot",))
    urls = [sample.records.sources[one].url for one in strike.sources]
    assert urls == ["https://example.org/v", "https://example.org/g", "https://eyesonrussia.org/"]


def test_a_point_claims_no_more_than_its_digits(sample: ReadResult) -> None:
    assert sample.records.strikes["eyes-on-russia/uw9002"].uncertainty_m == 7872


def test_a_day_that_stands_only_in_the_title_is_read_day_first(sample: ReadResult) -> None:
    assert sample.records.strikes["eyes-on-russia/uw9003"].when == "2022-02-17"


def test_a_link_that_is_hidden_is_no_source(sample: ReadResult) -> None:
    assert sample.records.strikes["eyes-on-russia/uw9002"].sources == ("eyes-on-russia/sample",)


def test_groups_that_are_no_attack_are_skipped_also_unknown_ones(sample: ReadResult) -> None:
    assert english_counts(sample.skipped) == {
        "troop movements": 1,
        "no attack": 1,
        "a group that is not known: Penguins": 1,
    }


def test_every_fault_of_a_row_is_named(sample: ReadResult) -> None:
    assert faulty(sample) == {8: {"date", "lon, lat", "town/city", "entry"}}
    assert_every_row_ends_once(sample)


def test_records_are_private_until_a_licence_is_named(sample: ReadResult) -> None:
    assert all(strike.private for strike in sample.records.strikes.values())
    assert sample.records.sources["eyes-on-russia/sample"].licence == "no licence stated"
    licensed = read(FORMAT, "eyes-on-russia.csv", licence="by letter of CIR").records
    assert not any(strike.private for strike in licensed.strikes.values())
    assert licensed.sources["eyes-on-russia/sample"].licence == "by letter of CIR"


def test_files_are_recognised_by_their_columns() -> None:
    recognised = {path.name for path in SAMPLES.iterdir() if FORMAT.recognises(SourceFile.of(path).sniff())}
    assert recognised == {"eyes-on-russia.csv"}


def test_the_tables_are_in_the_docs(docs_page: str) -> None:
    assert_documented(docs_page, "## Eyes on Russia", MAPPING, {})
    assert all(f"| {group} |" in docs_page for group in EYES_GROUPS)
    assert f"{EYES_ON_RUSSIA.uncertainty_m:,.0f} m: {EYES_ON_RUSSIA.reason}." in docs_page


CELLS = {
    "entry": ["", "UW1", "UW2", "../../x"],
    "date": ["", "2022-02-30", "2022-03-01"],
    "event_group": ["Other", "", "Bombing, shelling or explosion", "CIVILIAN INFRASTRUCTURE DAMAGE MAY 2022"],
    "lat": ["46", "", "x", "1e400"],
    "lon": ["30", "-200"],
    "town/city": ["", "Лісне"],
    "link": ["", "http://", "https://example.org/\u0301", "javascript:alert(1)"],
}


@given(rows=rows_of("eyes-on-russia.csv", CELLS))
def test_any_rows_end_once_and_read_the_same_twice(rows: Rows) -> None:
    assert_every_row_ends_once(reading_of(FORMAT, rows))
