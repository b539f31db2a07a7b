"""What a row of a tracker is: told by its words, never guessed against them, and named where nobody knows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from layers.model.problems import ReadResult
from layers.sources.files.tables import RowTable
from layers.sources.gem.trackers import parse_tables
from tests.layers.english import english_counts

HEADER = ["id", "name", "owner", "status", "tracker-display", "capacity", "geometry"]
LINE, POINT = "LINESTRING (30 50, 31 50)", "POINT (30 50)"


def read(header: Sequence[str], rows: Sequence[Sequence[str]]) -> ReadResult:
    return parse_tables(
        [RowTable.of_text("map-2025-01-31.csv", "\n".join("\t".join(cells) for cells in (header, *rows)))]
    )


def kinds(reading: ReadResult) -> list[str]:
    return [asset.kind for asset in reading.records.assets.values()]


def typed(word: str, count: int, first: int = 1) -> list[list[str]]:
    return [[f"X{n}", f"Name {n}", "A [100%]", "operating", word, "1", POINT] for n in range(first, first + count)]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("gas pipeline", "pipeline"), ("oil_pipelines", "pipeline"), ("NGL-Pipelines", "pipeline"),
        ("LNG import terminal", "lng-plant"), ("GGIT - export", "lng-plant"), ("lng_terminal", "lng-plant"),
        ("oil & gas power station", "power-plant"), ("gas_power_plant", "power-plant"), ("GOGPT", "power-plant"),
        ("hydropower plant", "hydro-plant"), ("Nuclear", "nuclear-plant"), ("coal mine", "mine"),
        ("coal terminal", "port-terminal"), ("Oil and Gas Extraction Areas", "oil-field"), ("GIST", "steelworks"),
        ("gas_extraction_area", "gas-field"), ("cement plant", "factory"),
    ],
)  # fmt: skip
def test_the_words_for_a_type(word: str, kind: str) -> None:
    reading = read(HEADER, typed(word, 2))
    assert (kinds(reading), reading.problems) == ([kind, kind], ())


def test_a_terminal_is_no_pipeline_whatever_its_columns_are_called() -> None:
    header = ["ProjectID", "PipelineName", "SegmentName", "Owner", "Status", "Type", "WKTFormat"]
    rows = [
        ["T9001", "Reed", "1", "A [100%]", "operating", "LNG terminal", POINT],
        ["T9002", "Quiet LNG Terminal", "", "A [100%]", "operating", "", POINT],
        ["P9003", "LNG Terminal Supply Pipeline", "", "A [100%]", "operating", "", LINE],
    ]
    assert kinds(read(header, rows)) == ["lng-plant", "lng-plant", "pipeline"]


def test_an_unknown_type_of_more_than_a_row_in_a_hundred_is_an_error_with_counts() -> None:
    reading = read(HEADER, [*typed("gas pipeline", 150), *typed("wave farm", 3, 500), *typed("salt cavern", 1, 600)])
    (fault,) = reading.problems
    assert (fault.row, fault.column) == (None, "type")
    assert fault.value.arguments == {"word": "wave farm", "count": 3, "rows": 154}
    assert english_counts(reading.skipped) == {"of an unknown type: wave farm": 3, "of an unknown type: salt cavern": 1}
    assert (reading.rows, len(reading.records.assets)) == (154, 150)


def test_an_unknown_type_of_fewer_rows_is_skipped_and_counted() -> None:
    reading = read(HEADER, [*typed("gas pipeline", 200), *typed("salt cavern", 2, 500)])
    assert (reading.problems, sum(reading.skipped.values()), len(reading.records.assets)) == ((), 2, 200)


def test_rows_that_nothing_tells_are_named_too() -> None:
    reading = read(["GEM unit ID", "name", "owner", "status"], [["X1", "Reed", "A [100%]", "operating"]])
    (fault,) = reading.problems
    assert fault.value.arguments == {"word": "", "count": 1, "rows": 1}


def test_plumes_are_no_assets_and_no_error() -> None:
    header = ["name", "owner", "status", "tracker", "country"]
    rows = [["Reed", "", "", "plumes-unattrib", "Iran"], ["Reed mine", "A", "operating", "coal-mines", "Iran"]]
    reading = read(header, rows)
    assert (reading.problems, english_counts(reading.skipped)) == ((), {"no asset: plumes-unattrib": 1})


def test_a_pipeline_that_is_a_point_and_an_owner_with_a_share_in_its_name_are_warned_of() -> None:
    row = ["P9001", "Reed", "X (30%) [100%]", "operating", "gas pipeline", "1", POINT]
    assert english_counts(read(HEADER, [row]).warnings) == {
        "a pipeline whose place is a point": 1,
        "an owner whose name holds a share": 1,
    }


@pytest.mark.parametrize(
    ("oil", "gas", "name", "kind"),
    [
        ("3.5", "100", "Dolyna Oil and Gas Field", "oil-field"),
        ("0.1", "900", "Dolyna Oil and Gas Field", "gas-field"),
        # A million barrels of oil is as much as 164 million cubic metres of gas.
        ("1", "164", "Dolyna", "oil-field"),
        ("1", "165", "Dolyna", "gas-field"),
        ("", "", "Shebelynka Gas Field", "gas-field"),
        ("", "", "Dolyna Oil and Gas Field", "oil-field"),
        ("not stated", "", "Dolyna", "oil-field"),
    ],
)
def test_a_field_is_of_what_it_gives_more_of(oil: str, gas: str, name: str, kind: str) -> None:
    amounts = ["Production - Oil (Million bbl/y)", "Production - Gas (Million m³/y)"]
    header = ["Unit ID", "Wiki name", "Status", "Owner", *amounts]
    assert kinds(read(header, [["OG1", name, "operating", "A (100%)", oil, gas]])) == [kind]


def shares(reading: ReadResult) -> dict[str, Any]:
    return {stake.owner: (stake.share_min, stake.note) for stake in reading.records.stakes.values()}


def test_parents_stand_for_owners_where_a_file_has_none_and_the_stake_says_so() -> None:
    header = ["project", "unit", "type", "parent", "status", "url"]
    reading = read(
        header, [["Amber", "", "oil_pipelines", "A [60%]; B [unknown %]", "operating", "https://www.gem.wiki/A"]]
    )
    said = "The file has no owners: GEM names it as a parent, and not who is between"
    assert shares(reading) == {"gem/name/a": (60.0, said), "gem/name/b": (0.0, f"{said}; GEM gives no share")}
    assert english_counts(reading.warnings) == {"the file has no owners: the parents stand in their place": 1}
    without = read(["ProjectID", "PipelineName", "status"], [["P1", "Amber", "operating"]])
    assert (len(without.records.assets), len(without.records.stakes), without.problems) == (1, 0, ())


def test_a_repeated_row_is_read_once_and_parts_of_one_unit_are_both_read() -> None:
    header = ["id", "phase_id", "plant_phase", "status", "project", "owner", "steel_capacity", "url"]
    first = ["P1", "S1", "phase 1", "operating", "Reed", "A", "100", "https://www.gem.wiki/Reed"]
    reading = read(header, [first, first, [*first[:3], "announced", *first[4:6], "50", first[7]]])
    assert english_counts(reading.skipped) == {"a row that says the same as an earlier one": 1}
    assert {key: asset.status for key, asset in reading.records.assets.items()} == {
        "gem/s1": "operating", "gem/s1/2": "announced", "gem/p1": "operating",
    }  # fmt: skip
    assert reading.problems == ()
