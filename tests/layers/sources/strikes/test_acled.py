"""ACLED: town codes are no sites, precision of place and time are not swapped, and nothing of it is public."""

from hypothesis import given
from shapely import Point

from layers.snapshot.public_records import public
from layers.sources.files.source_file import SourceFile
from layers.sources.strikes.acled import FORMAT, MAPPING
from layers.sources.strikes.location_precision import ACLED
from layers.sources.strikes.target_extraction import ACLED_EVENTS
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


def test_a_row_becomes_a_strike() -> None:
    strike = read(FORMAT, "acled.csv").records.strikes["acled/ukr900001"]
    assert strike.title == "Air or drone strike, Vyshneva"
    assert (strike.when, strike.place, strike.region, strike.host_country) == ("2025-08-06", "Vyshneva", "Odesa", "UA")
    assert strike.geometry == Point(30.4321, 46.1234)
    assert strike.attacker == "Military Forces of Ruritania, as coded by ACLED"
    assert [weapon.kind for weapon in strike.weapons] == ["aircraft or drone"]
    assert (strike.killed_min, strike.killed_max) == (2, 2)
    assert strike.targets == ("Vyshneva oil depot in Odesa region",)
    assert strike.target_kinds == ("oil-depot",)
    assert strike.status == "reported"


def test_a_town_is_a_town_and_the_two_precisions_are_not_swapped() -> None:
    strikes = read(FORMAT, "acled.csv").records.strikes
    month_in_a_town, day_in_a_region = strikes["acled/ukr900002"], strikes["acled/ukr900003"]
    assert (month_in_a_town.when, month_in_a_town.basis, month_in_a_town.uncertainty_m) == (
        "2025-05",
        "settlement",
        10_000,
    )
    assert (day_in_a_region.when, day_in_a_region.basis, day_in_a_region.uncertainty_m) == (
        "2025-05-16",
        "region",
        150_000,
    )
    assert not any(strike.basis == "site" for strike in strikes.values())


def test_a_week_reaches_six_days_either_way_and_a_month_without_its_middle_fifteen() -> None:
    strikes = read(FORMAT, "acled.csv").records.strikes
    assert strikes["acled/ukr900004"].when == "2025-05-22/2025-06-03"
    assert strikes["acled/ukr900004"].basis == "district"
    assert strikes["acled/ukr900010"].when == "2025-05-15/2025-06-14"


def test_no_deaths_coded_is_not_none_killed() -> None:
    strike = read(FORMAT, "acled.csv").records.strikes["acled/ukr900003"]
    assert (strike.killed_min, strike.killed_max) == (None, None)


def test_what_is_no_attack_on_a_place_is_skipped_with_the_reason() -> None:
    reading = read(FORMAT, "acled.csv")
    assert english_counts(reading.skipped) == {"a protest": 1, "fighting, not an attack on a place": 1}
    assert reading.records.strikes["acled/ukr900007"].title == "Intercepted or failed attack, Vyshneva"


def test_every_fault_of_a_row_is_named() -> None:
    reading = read(FORMAT, "acled.csv")
    assert faulty(reading) == {
        9: {"event_date", "geo_precision", "fatalities"},
        10: {"sub_event_type"},
    }
    assert_every_row_ends_once(reading)


def test_everything_is_private_also_sources_and_claims_and_whatever_licence_is_named() -> None:
    for licence in (None, "CC BY 4.0"):
        records = read(FORMAT, "acled.csv", licence=licence).records
        assert records.strikes
        assert records.claims
        assert all(one.private for one in (*records.strikes.values(), *records.sources.values()))
        assert all(claim.private for claim in records.claims.values())
        shown = public(records)
        assert not shown.strikes
        assert not shown.sources
        assert not shown.claims


def test_the_reports_and_the_terms_are_sources() -> None:
    records = read(FORMAT, "acled.csv").records
    strike = records.strikes["acled/ukr900001"]
    assert [records.sources[one].publisher for one in strike.sources] == [
        "Vyshneva Post",
        "Ruritania Wire",
        "Armed Conflict Location & Event Data (ACLED)",
    ]
    assert "redistribution is not permitted" in str(records.sources["acled/sample"].licence)
    assert records.sources["acled/sample"].retrieved == "2026-11-25"


def test_files_from_before_march_2023() -> None:
    reading = read(FORMAT, "acled-old.csv")
    strikes = reading.records.strikes
    assert list(strikes) == ["acled/ukr70001", "acled/ukr70002"]
    assert strikes["acled/ukr70001"].when == "2022-03-10"
    assert strikes["acled/ukr70002"].title == "Shelling, bombing or air strike, Bereza"
    assert english_counts(reading.skipped) == {"a protest": 1}
    assert_every_row_ends_once(reading)


def test_files_are_recognised_by_their_columns() -> None:
    recognised = {path.name for path in SAMPLES.iterdir() if FORMAT.recognises(SourceFile.of(path).sniff())}
    assert recognised == {"acled.csv", "acled-old.csv"}


def test_the_tables_are_in_the_docs(docs_page: str) -> None:
    assert_documented(docs_page, "## ACLED", MAPPING, ACLED)
    assert all(f"| {code} |" in docs_page for code in ACLED_EVENTS)


CELLS = {
    "event_id_cnty": ["", "UKR1", "UKR2"],
    "event_date": ["2025-02-29", "1 January 2025", "", "2025-12-31"],
    "time_precision": ["1", "2", "3", "0", ""],
    "geo_precision": ["1", "2", "3", "9"],
    "sub_event_type": ["Air/drone strike", "Armed clash", "?", ""],
    "latitude": ["91", "", "46", "nan"],
    "longitude": ["181", "", "30.5"],
    "fatalities": ["", "3", "-1", "2.0"],
    "notes": ["", 'Удар по НПЗ "Зоря" у Вишневій', "oil depot " * 50],
}


@given(rows=rows_of("acled.csv", CELLS))
def test_any_rows_end_once_and_read_the_same_twice(rows: Rows) -> None:
    assert_every_row_ends_once(reading_of(FORMAT, rows))
