"""TimeMap: month-first days in two styles, coordinates as texts, sources and filters in other files."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.model.problems import ReadResult
from layers.sources.files.limits import FileRefused
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import LoadOptions
from layers.sources.strikes.location_precision import TIMEMAP
from layers.sources.strikes.timemap import FORMAT, MAPPING
from tests.layers.english import raises
from tests.layers.sources.strikes.strike_files import (
    SAMPLES,
    assert_documented,
    assert_every_row_ends_once,
    faulty,
    read,
    reading_of,
)

FILES = ("timemap-events.json", "timemap-sources.json", "timemap-associations.json")


@pytest.fixture(scope="module")
def sample() -> ReadResult:
    return read(FORMAT, *FILES)


def test_an_event_becomes_a_strike(sample: ReadResult) -> None:
    strike = sample.records.strikes["timemap/tst0001"]
    assert (strike.title, strike.when, strike.when_note) == ("Civilian harm, Vyshneva", "2022-03-07", None)
    assert (strike.basis, strike.uncertainty_m) == ("site", 450)
    assert [weapon.kind for weapon in strike.weapons] == ["Loitering munition"]
    assert strike.damage == "Area affected: Industrial."
    assert (strike.targets, strike.target_kinds) == (("Vyshneva power station",), ("power-plant",))


def test_days_with_and_without_leading_zeros_are_one_and_a_time_is_kept(sample: ReadResult) -> None:
    strike = sample.records.strikes["timemap/tst0002"]
    assert (strike.when, strike.when_note, strike.place) == ("2022-03-07", "At 14:30, as given.", "place not named")


def test_sources_come_of_the_other_file_and_hidden_ones_are_none(sample: ReadResult) -> None:
    strike = sample.records.strikes["timemap/tst0001"]
    told = [sample.records.sources[one].url for one in strike.sources]
    assert told == ["https://example.org/film", "https://ukraine.bellingcat.com/"]


def test_associations_mean_nothing_without_their_file() -> None:
    strike = read(FORMAT, *FILES[:2]).records.strikes["timemap/tst0001"]
    assert (strike.weapons, strike.damage) == ((), None)


def test_an_export_with_sources_and_filters_inside() -> None:
    records = read(FORMAT, "timemap-export.json").records
    strike = records.strikes["timemap/tst0009"]
    assert (strike.when, strike.weapons, strike.damage) == ("2022-04-05", (), "Area affected: Healthcare.")
    assert records.sources[strike.sources[0]].url == "https://example.org/h"


def test_every_fault_of_an_event_is_named_also_an_id_twice(sample: ReadResult) -> None:
    assert faulty(sample) == {3: {"id"}, 4: {"date", "latitude"}, 5: {"event"}}
    assert_every_row_ends_once(sample)


def test_records_are_private_until_a_licence_is_named(sample: ReadResult) -> None:
    assert all(strike.private for strike in sample.records.strikes.values())
    assert not any(one.private for one in read(FORMAT, *FILES, licence="CC0").records.strikes.values())


def test_sources_alone_are_refused() -> None:
    with raises(FileRefused, match="a JSON array of events"):
        read(FORMAT, *FILES[1:])


def test_files_are_recognised_by_their_keys() -> None:
    recognised = {path.name for path in SAMPLES.iterdir() if FORMAT.recognises(SourceFile.of(path).sniff())}
    assert recognised == {*FILES, "timemap-export.json"}


def test_the_tables_are_in_the_docs(docs_page: str) -> None:
    assert_documented(docs_page, "## TimeMap", MAPPING, {})
    assert f"{TIMEMAP.uncertainty_m:,.0f} m: {TIMEMAP.reason}." in docs_page


EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from(["A1", "A2", "", None]),
            "date": st.sampled_from(["1/2/2022", "13/01/2022", "", None, 3]),
            "latitude": st.sampled_from(["50.1", 50.1, "", "x", None]),
            "longitude": st.sampled_from(["30.1", 30.1, "", [30.1]]),
            "location": st.sampled_from(["Лісне", "", None]),
            "description": st.sampled_from(["Damage to the Zoria refinery.", ""]),
            "sources": st.sampled_from([[], None, ["s"], [{"path": "https://example.org/1"}], [{"paths": "x"}]]),
            "filters": st.sampled_from([[], [{"key": "Weapon System", "value": "Small arms"}], [{"key": 1}], "x"]),
        }
    )
    | st.sampled_from([None, 1, "x", []]),
    min_size=1,
    max_size=8,
)


@given(events=EVENTS)
def test_any_events_end_once_and_read_the_same_twice(events: list[object]) -> None:
    def write(path: Path) -> None:
        path.write_text(json.dumps(events), encoding="utf-8")

    assert_every_row_ends_once(reading_of(FORMAT, [], write))


def test_the_mirrored_export_loads_whole(real_data: Path) -> None:
    folder = real_data / "bellingcat_timemap_2023"
    files = [SourceFile.of(folder / name) for name in ("export_events.json", "export_sources.json")]
    reading = FORMAT.read(files, LoadOptions("timemap/mirror"))
    assert (reading.rows, len(reading.records.strikes), reading.skipped) == (1159, 1158, {})
    (twice,) = reading.problems
    assert (twice.column, twice.record) == ("id", "strike timemap/civ1553")
    assert {len(strike.when) for strike in reading.records.strikes.values()} == {10}
    assert_every_row_ends_once(reading)
