"""The page on loading says what the code has, and its example loads as it says."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from api.wording.catalogue import text
from layers.geopackage import geopackage
from layers.model import types
from layers.model.problems import ProblemsError
from layers.sources import firms
from layers.sources.files import limits
from layers.sources.files.source_file import SourceFile
from layers.sources.reader import mapping_file
from layers.sources.registry import FORMATS, LoadOptions
from layers.store.store import Store
from tests.load_runner import Run, load, of_dataset, runner
from tests.store_copies import opened_copy
from tests.test_docs import DOCS

PAGE = (DOCS / "sources.md").read_text(encoding="utf-8")


@pytest.fixture
def own(store: Store, tmp_path: Path) -> Store:
    return opened_copy(store, tmp_path / "own.gpkg")


@pytest.fixture
def run(own: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(own, capsys, monkeypatch)


def section(title: str) -> str:
    """The text under a heading, up to the next one."""
    return re.split(r"^#+ ", PAGE.partition(f"# {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def table(title: str, number: int = 0) -> list[list[str]]:
    """The rows of a table of a section, but its head."""
    found = re.findall(r"(?:^\|.*\|\n)+", section(title), flags=re.MULTILINE)[number]
    return [[cell.strip() for cell in line.strip("|\n").split(" | ")] for line in found.splitlines()[2:]]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", section("A column mapping"), flags=re.MULTILINE | re.DOTALL)


def test_the_formats_are_those_of_the_code() -> None:
    rows = [[names(name)[0], *rest] for name, *rest in table("Formats")]
    assert rows == [
        [one.name, one.title, one.provides, one.licence, "yes" if one.private else ""] for one in FORMATS.values()
    ]


def test_the_bounds_are_those_of_the_code() -> None:
    assert [most for _, most in table("Bounds")] == [
        f"{most:,}"
        for most in (
            limits.MAX_TABLE_BYTES,
            limits.MAX_TEXT_BYTES,
            limits.MAX_JSON_VALUES,
            limits.MAX_RATIO,
            limits.MAX_MEMBERS,
            limits.MAX_ROWS,
            firms.MAX_OBSERVATIONS,
            limits.MAX_PROBLEMS,
            limits.MAX_COLUMNS,
            limits.MAX_ROW,
            limits.MAX_TEXT_CELL,
            limits.MAX_CELL,
            geopackage.MAX_NESTING,
            limits.MAX_XML_DEPTH,
            limits.MAX_DEPTH,
            types.MAX_VERTICES,
            mapping_file.MOST_LETTERS,
        )
    ]
    assert f"more than {limits.FREE_BYTES // 10**6} MB" in section("Bounds")


def test_the_options_are_those_of_the_command() -> None:
    told = {name.split()[0] for row in table("A row ends once") for name in names(row[0])}
    helped = (DOCS / "cli.md").read_text(encoding="utf-8").partition("## `strikeatlas load`")[2].partition("\n## ")[0]
    also = "".join(re.findall(r"^Also .*$", helped, flags=re.MULTILINE))
    helped_of = {*re.findall(r"^\* `(--[a-z-]+)", helped, flags=re.MULTILINE), *re.findall(r"--[a-z-]+", also)}
    assert told == helped_of - {"--store", "--basemap", "--who"}


def test_a_mapping_s_tables_and_columns_are_those_of_the_code() -> None:
    told = {re.sub(r"\.COLUMN|[\[\]]", "", name) for row in table("What a mapping says") for name in names(row[0])}
    with pytest.raises(ProblemsError) as raised:
        mapping_file.parse("m.toml", "nothing = 1\nnoun = 'strikes'")
    known = next(text(problem.expected) for problem in raised.value.problems if problem.column == "nothing")
    assert told == set(re.findall(r"\w+", known.removeprefix("one of ")))
    nouns, units = (
        next(row[1] for row in table("What a mapping says") if name in row[0]) for name in ("table", "units")
    )
    assert tuple(names(nouns)) == mapping_file.MAPPED_TABLES
    shares = {*mapping_file.SHARE_COLUMNS, *mapping_file.POINTS}
    assert set(names(units)) == {"uncertainty_m", *mapping_file.METRES, *shares}
    side = {
        (noun, column)
        for row in table("What a mapping says", 1)
        for noun in row[0].split(", ")
        for column in names(row[1])
    }
    assert side == {(noun, column) for noun, listed in mapping_file.SIDE_COLUMNS.items() for column in listed}
    references = re.search(r"Columns that refer to records \(([^)]+)\)", section("What a mapping says"))
    assert references
    assert set(names(references[1])) == set(mapping_file.REFERENCE_COLUMNS)


def test_every_mapping_of_the_page_can_be_read() -> None:
    found = re.findall(r"^```toml\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    tables = ["strikes", "stakes", "strikes", "strikes", "assets", "assets", "entities"]
    assert [mapping_file.parse("page.toml", text).table for text in found] == tables


EXAMPLES = ("Ids that no column has", "Nested JSON", "Several lists of a document", "Places", "Names in place of ids")


@pytest.mark.parametrize("title", EXAMPLES)
def test_the_example_of_a_section_loads_as_it_says(tmp_path: Path, title: str) -> None:
    named = re.findall(r"`([\w.-]+)`:\n\n```\w+\n(.*?)^```", section(title), flags=re.MULTILINE | re.DOTALL)
    files = [SourceFile.of(_written(tmp_path / name, text)) for name, text in named if not name.endswith(".toml")]
    mapping = mapping_file.parse("page.toml", next(text for name, text in named if name.endswith(".toml")))
    reading = FORMATS["csv"].read(files, LoadOptions("x", mapping=mapping))
    assert reading.problems == ()
    told = re.findall(r"^```json\n(.*?)^```", section(title).rpartition("as\n\n")[2], flags=re.MULTILINE | re.DOTALL)
    listed = reading.records.table(mapping.tables[-1].table).values()
    left_out = {"dataset", "place_source", "sources", "source", "checked"}
    made = [record.model_dump(mode="json", exclude_defaults=True, exclude=left_out) for record in listed]
    assert made == json.loads(told[0])


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files of the example, to be in."""
    (tmp_path / "strikes.csv").write_text(blocks("csv")[0], encoding="utf-8")
    (tmp_path / "strikes.toml").write_text(blocks("toml")[0], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def arguments(command: str) -> list[str]:
    return shlex.split(command.replace("\\\n", " "))[2:]


def records(own: Store) -> list[Any]:
    strikes = of_dataset(own, "archive/2025")["strikes"].values()
    return [strike.model_dump(mode="json", exclude_defaults=True) for strike in strikes]


def test_the_example_loads_as_the_page_says(run: Run, own: Store, example: Path) -> None:
    first, mend = blocks("sh")
    problems, strikes = map(json.loads, blocks("json"))
    told = load(run, *arguments(first))
    assert told["problems"] == problems
    assert records(own) == strikes
    assert told["rows"] == {"read": 3, "skipped": 0, "rejected": 1, "of_which_partly_read": 0}
    assert (example / "faults.csv").read_text(encoding="utf-8") == blocks("csv")[1]
    assert told["mend"] == mend.strip()
    assert (told["licence"], told["private"]) == ("CC BY 4.0", False)
    keys = {name for row in table("The report") for name in names(row[0])}
    assert keys == set(told)


def test_the_mended_row_of_the_example_loads_beside_the_others_and_the_whole_again_changes_nothing(
    run: Run, own: Store, example: Path
) -> None:
    first, mend = blocks("sh")
    load(run, *arguments(first))
    for name in ("faults.csv", "strikes.csv"):
        path = example / name
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline=""), delimiter=";"))
        rows[-1] |= {"Day": "09.08.2025", "N": "46,61", "Sort": "depot", "Link": "https://example.org/news/3"}
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]), delimiter=";")
            writer.writeheader()
            writer.writerows(rows)
    told = load(run, *arguments(mend))
    assert told["problems"] == []
    assert told["changes"]["strikes"]["added"] == ["archive/2025/3"]
    assert not any(change[kind] for change in told["changes"].values() for kind in ("changed", "removed"))
    assert [one["id"] for one in records(own)] == [f"archive/2025/{number}" for number in (1, 2, 3)]
    again = load(run, *(one for one in arguments(first) if one not in ("--partial", "--rejected", "faults.csv")))
    assert not any(change[kind] for change in again["changes"].values() for kind in ("added", "changed", "removed"))
