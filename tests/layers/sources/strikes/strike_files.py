"""What the tests of strike readers share: reading a file, how its rows ended, and made-up files of random cells."""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hypothesis import strategies as st

from layers.model.problems import ReadResult
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import Format, LoadOptions
from layers.sources.strikes.location_precision import CodedPrecision
from layers.sources.strikes.strike_builder import FieldRules

SAMPLES = Path(__file__).resolve().parents[3] / "data" / "strikes"

Rows = list[dict[str, str]]


def read(form: Format, *names: str, licence: str | None = None, gazetteer: object = None) -> ReadResult:
    """Read samples as one load."""
    request = LoadOptions(f"{form.name}/sample", retrieved="2026-11-25", licence=licence, gazetteer=gazetteer)
    return form.read([SourceFile.of(SAMPLES / name) for name in names], request)


def assert_every_row_ends_once(reading: ReadResult) -> None:
    """Rows are loaded, skipped or rejected, each once; what is loaded and placed says how sure its place is."""
    ends = len(reading.records.strikes) + sum(reading.skipped.values())
    assert reading.rows == ends + len({(problem.file, problem.row) for problem in reading.problems})
    for strike in reading.records.strikes.values():
        if strike.geometry is not None:
            assert strike.basis is not None
            assert strike.uncertainty_m is not None
            assert strike.place_source in reading.records.sources
        assert set(strike.sources) <= set(reading.records.sources)
    for claim in reading.records.claims.values():
        assert claim.record in reading.records.strikes
        assert claim.source in reading.records.sources


def assert_documented(page: str, title: str, rules: FieldRules, metres: Mapping[str, CodedPrecision | None]) -> None:
    """The first table under a title has the fields that have a rule, and the codes stand there with their metres."""
    table = page.partition(f"{title}\n")[2].partition("| field | columns | how |\n")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([^`]+)` \|", table, flags=re.MULTILINE) == list(rules)
    for code, precision in metres.items():
        if precision is not None:
            assert f"| {code} | {precision.basis} | {precision.uncertainty_m:,.0f} | {precision.reason} |" in page


def faulty(reading: ReadResult) -> dict[int | None, set[str]]:
    """The columns at fault, by row."""
    found: dict[int | None, set[str]] = {}
    for problem in reading.problems:
        found.setdefault(problem.row, set()).add(problem.column)
    return found


def rows_of(sample: str, cells: Mapping[str, Sequence[str]]) -> st.SearchStrategy[Rows]:
    """Rows of a sample in which some columns hold some other cells, right and wrong ones."""
    with (SAMPLES / sample).open(encoding="utf-8", errors="replace", newline="") as file:
        rows = list(csv.DictReader(file))
    changes = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in cells.items()})
    changed = st.builds(lambda row, change: {**row, **change}, st.sampled_from(rows), changes)
    return st.lists(changed, min_size=1, max_size=8)


def reading_of(form: Format, rows: Rows, write: Callable[[Path], None] | None = None) -> ReadResult:
    """Read rows that are written to a file first, twice; both readings must be the same."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        if write is not None:
            write(path)
        else:
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
        first, second = (form.read([SourceFile.of(path)], LoadOptions(f"{form.name}/rows")) for _ in range(2))
    assert first == second
    return first
