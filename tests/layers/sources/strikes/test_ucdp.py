"""UCDP GED: two date styles in cp1252, codes of place and time, deaths of all sides, and the Ukraine file."""

from pathlib import Path

import pytest
from hypothesis import given

from layers.model.problems import ReadResult
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import LoadOptions
from layers.sources.strikes.location_precision import UCDP
from layers.sources.strikes.ucdp import FORMAT, MAPPING
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
    return read(FORMAT, "ucdp.csv")


def test_a_row_becomes_a_strike_of_a_town(sample: ReadResult) -> None:
    strike = sample.records.strikes["ucdp/900001"]
    assert (strike.title, strike.place) == ("Fighting with a state, Vyshneva town", "Vyshneva town")
    assert (strike.basis, strike.uncertainty_m, strike.host_country) == ("settlement", 10_000, "RU")
    assert (strike.killed_min, strike.killed_max) == (3, 3)
    assert strike.casualties == "Killed by best estimate: Rebels of Vyšehrad 2, civilians 1."
    assert strike.status_note == "According to the mayor – of “Vyshneva”"
    assert strike.attacker is None
    assert not strike.private


def test_the_month_stands_before_the_day_in_both_styles(sample: ReadResult) -> None:
    strikes = sample.records.strikes
    assert strikes["ucdp/900001"].when == "2014-09-05"
    assert strikes["ucdp/900002"].when == "2014-08-29/2014-08-31"
    assert strikes["ucdp/900002"].when_note == "within two to six days"


def test_a_summary_of_a_month_is_the_month(sample: ReadResult) -> None:
    strike = sample.records.strikes["ucdp/900003"]
    assert (strike.when, strike.when_note) == ("2014-08", "within a month")
    assert "aggregate report" in str(strike.note)


def test_estimates_out_of_order_give_the_widest_range_and_a_claim(sample: ReadResult) -> None:
    strike = sample.records.strikes["ucdp/900003"]
    assert (strike.killed_min, strike.killed_max) == (6, 7)
    assert sample.records.claims["ucdp/900003/claim-1"].value == "best estimate 7, low 7, high 6"


def test_each_code_of_place_has_its_metres_and_a_country_is_no_place(sample: ReadResult) -> None:
    found = {key: (one.basis, one.uncertainty_m) for key, one in sample.records.strikes.items()}
    assert found["ucdp/900002"] == ("district", 30_000)
    assert found["ucdp/900003"] == ("region", 150_000)
    assert found["ucdp/900005"] == ("sea-area", 200_000)
    assert found["ucdp/900006"] == ("district", 40_000)
    assert found["ucdp/900007"] == ("region", 250_000)
    assert english_counts(sample.skipped) == {"the place is a whole country": 1}
    assert UCDP["6"] is None


def test_only_one_sided_violence_has_an_attacker(sample: ReadResult) -> None:
    assert sample.records.strikes["ucdp/900005"].attacker == "Government of Ruritania, as coded by UCDP"


def test_each_article_is_a_source(sample: ReadResult) -> None:
    strike = sample.records.strikes["ucdp/900001"]
    told = [sample.records.sources[one] for one in strike.sources]
    assert [(one.publisher, one.published, one.title) for one in told[:2]] == [
        ("Wire", "2014-09-06", "Shells hit Vyshneva"),
        ("Wire", "2014-09-07", "More shells, two dead"),
    ]
    assert told[2].licence == "CC BY 4.0"


def test_every_fault_of_a_row_is_named(sample: ReadResult) -> None:
    assert faulty(sample) == {9: {"date_start", "where_prec", "best"}, 10: {"date_end"}}
    assert_every_row_ends_once(sample)


def test_files_are_recognised_by_their_columns() -> None:
    recognised = {path.name for path in SAMPLES.iterdir() if FORMAT.recognises(SourceFile.of(path).sniff())}
    assert recognised == {"ucdp.csv"}


def test_the_tables_are_in_the_docs(docs_page: str) -> None:
    assert_documented(docs_page, "## UCDP GED", MAPPING, UCDP)


CELLS = {
    "id": ["1", "2", "", "x"],
    "where_prec": ["1", "2", "3", "4", "5", "6", "7", "8"],
    "date_prec": ["1", "5", "6"],
    "date_start": ["2014-01-01", "1/2/2014 12:00:00 AM", "13/13/2014"],
    "date_end": ["2014-12-31", "13/02/2014 00:00"],
    "source_article": ["", ";;;", '"a,b', '"Wire,2014-01-01,""Quoted"" headline"'],
    "latitude": ["48", "-91", ""],
    "best": ["", "12", "many"],
}


@given(rows=rows_of("ucdp.csv", CELLS))
def test_any_rows_end_once_and_read_the_same_twice(rows: Rows) -> None:
    assert_every_row_ends_once(reading_of(FORMAT, rows))


def test_the_ukraine_file_loads_whole(real_data: Path) -> None:
    file = SourceFile.of(real_data / "ucdp_ged_ukraine_2014_2023" / "UCDP-Ukraine.csv")
    reading = FORMAT.read([file], LoadOptions("ucdp/ukraine"))
    assert (reading.rows, len(reading.records.strikes), len(reading.problems)) == (3883, 3846, 0)
    assert english_counts(reading.skipped) == {"the place is a whole country": 37}
    assert {strike.host_country for strike in reading.records.strikes.values()} == {"UA"}
    assert_every_row_ends_once(reading)
