"""``strikeatlas map``: a mapping drafted from files, and how their first rows would be loaded with it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from api.cli.common import AsJson, output, progress_bar
from api.serializers import load_report as serialize
from api.settings import BASEMAP, BASEMAP_SHOWN
from api.terminal.console import add_row, console, counted, errors
from api.wording.catalogue import text as worded
from api.wording.problems import problem_values
from layers.filesystem.atomic_file import write_file
from layers.model.problems import ProblemsError, ReadResult
from layers.model.records import RECORD_TYPES, Record, Records
from layers.reference import basemap
from layers.sources.column_mapping.draft.file_sample import read_samples
from layers.sources.column_mapping.draft.mapping_draft import draft
from layers.sources.column_mapping.draft.tables import mapping_text
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.mapping_file import parse
from layers.sources.reader.record_builder import slug
from layers.sources.registry import FORMATS, LoadOptions

EPILOG = "Example: strikeatlas map companies.csv holdings.csv -o holdings.toml"

#: The name of a mapping in the commands that would write it and load with it.
_NAME = "mapping.toml"
#: Rows of each table that are previewed, and faults that are listed.
_PREVIEWED, _FAULTS = 10, 10
#: Columns of a preview, in their order; a row has those that any previewed row has.
_SHOWN = (
    "id", "when", "title", "name", "kind", "type", "place", "region", "host_country", "registered_in", "geometry",
    "uncertainty_m", "basis", "targets", "target_kinds", "weapons", "capacity", "status", "owner", "owned", "share_min",
    "share_max", "since", "until", "asset", "entity", "relation",
)  # fmt: skip
#: Letters of a cell of a preview for people, and of the terminal for each column.
_CELL, _COLUMN = 32, 13
#: An id with its dataset.
_ID = re.compile(r"[a-z0-9][a-z0-9._-]*/[a-z0-9._/>@-]+")

MappedTable = Literal["strikes", "assets", "entities", "stakes"]


def map_(
    files: Annotated[list[Path], typer.Argument(help="Tables, GeoJSON, JSON or layers that belong together.")],
    out: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the mapping here; without it, to standard output.")
    ] = None,
    table: Annotated[MappedTable | None, typer.Option(help="What the rows are, where the guess is wrong.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file of --output if there is one.")] = False,
    base: Annotated[
        Path,
        typer.Option(
            "--basemap",
            help="Tells which of a pair of degrees comes first, where it is there.",
            show_default=BASEMAP_SHOWN,
        ),
    ] = BASEMAP,
    as_json: AsJson = False,
) -> None:
    """Draft the mapping of files that no format knows, and preview how their rows would be loaded; nothing is loaded.

    Every line of the mapping says why it is there; what could not be guessed is written as a comment. Exit code 1: no
    row could be loaded with the draft.
    """
    if out is not None and out.exists() and not force:
        raise FileExistsError(f"{out} is there; --force replaces it")
    sources = SourceFile.all_of(files)
    with progress_bar("reading"):
        country_at = basemap.read(base).country_at if base.is_file() else None
        drafts = [one for file in sources for one in draft(read_samples(file), table, country_at)]
        fmt = drafts[0].sample.fmt
        text = mapping_text(drafts)
        dataset = f"{fmt}/{slug(sources[0].stem)[:60].strip('-') or 'file'}"
        reading = _reading(out.name if out else _NAME, text, fmt, sources, dataset)
    remarks = [*dict.fromkeys(remark for one in drafts for remark in one.remarks), *map(worded, reading.warnings)]
    unused = {f"{one.sample.file.name}: {one.records}": one.unused for one in drafts if one.unused}
    options = [*(("--table", table) if table else ()), *(("--basemap", str(base)) if base != BASEMAP else ())]
    write = None if out else shlex.join(["strikeatlas", "map", *map(str, files), *options, "-o", _NAME])
    answer = {**_answer(text, fmt, sources, out, reading), "write": write, "remarks": remarks, "unused": unused}
    if out is not None:
        write_file(out, text.encode())
    if as_json:
        output(answer, True, "")
    elif out is None:
        typer.echo(text, nl=False)
        errors.print(_preview(answer))
    else:
        output(answer, False, _preview(answer))
    if not any(answer["loads"].values()):
        raise typer.Exit(1)


def _reading(name: str, text: str, fmt: str, files: Sequence[SourceFile], dataset: str) -> ReadResult:
    """Read the files with the drafted mapping; what a record needs and no column gives is a problem of the mapping."""
    try:
        mapping = parse(name, text)
    except ProblemsError as error:
        return ReadResult(Records.of({}), {}, error.problems)
    return FORMATS[fmt].read(files, LoadOptions(dataset, mapping=mapping))


def _answer(text: str, fmt: str, files: Sequence[SourceFile], out: Path | None, reading: ReadResult) -> dict[str, Any]:
    """Return the mapping and what would become of the rows as JSON values."""
    rejected = serialize.rejected_rows(reading.problems)
    tables = {name: reading.records.table(name) for name in RECORD_TYPES if name != "sources"}
    first = {name: [_row(record) for record in list(table.values())[:_PREVIEWED]] for name, table in tables.items()}
    command = ["strikeatlas", "load", fmt, *(str(file.path) for file in files), "--mapping", str(out or _NAME)]
    return {
        "mapping": text,
        "written": str(out) if out else None,
        "format": fmt,
        "rows": {"read": reading.rows, "skipped": sum(reading.skipped.values()), "rejected": len(rejected)},
        "loads": {name: len(table) for name, table in tables.items() if table},
        "preview": {name: rows for name, rows in first.items() if rows},
        "problems": [problem_values(problem) for problem in reading.problems[:_FAULTS]],
        "problem_count": len(reading.problems),
        "load": shlex.join([*command, *(["--partial"] if reading.problems else [])]),
    }


def _row(record: Record) -> dict[str, Any]:
    values = record.model_dump(mode="json", exclude_defaults=True)
    return {name: values[name] for name in _SHOWN if name in values}


def _preview(answer: dict[str, Any]) -> RenderableType:
    parts: list[RenderableType] = [
        _rows_of(name, rows, answer["loads"][name]) for name, rows in answer["preview"].items()
    ]
    if answer["problems"]:
        title = counted(answer["problem_count"], "faults")
        table = Table("where", "column", "value", "expected", title=title, title_justify="left")
        for problem in answer["problems"]:
            where = f"{problem['file']}:{problem['row']}" if problem["row"] else problem["file"]
            add_row(table, where, *(str(problem[name])[:200] for name in ("column", "value", "expected")))
        parts.append(table)
    parts += (Text(f"Look at this: {remark}.") for remark in answer["remarks"])
    parts += (Text(f"Columns not used, {table}: {', '.join(names)}.") for table, names in answer["unused"].items())
    rows = answer["rows"]
    counts = ", ".join(counted(count, name) for name, count in answer["loads"].items()) or "nothing"
    read = f"{counted(rows['read'], 'rows')} read, {rows['skipped']} skipped, {rows['rejected']} with faults"
    parts.append(Text(f"{read}; would load {counts}."))
    written = f"The mapping is in {answer['written']}. " if answer["written"] else f"Write it: {answer['write']}\n"
    parts.append(Text(f"{written}Check it, then: {answer['load']}"))
    return Group(*parts)


def _rows_of(name: str, rows: Sequence[dict[str, Any]], count: int) -> Table:
    heads = [head for head in _SHOWN if any(head in row for row in rows)][: max(4, console.width // _COLUMN)]
    table = Table(*heads, title=f"{name}: the first {len(rows)} of {count}", title_justify="left")
    for row in rows:
        add_row(table, *(_cell(row.get(head, "")) for head in heads))
    return table


def _cell(value: Any) -> str:
    """Return a value for people, an id without its dataset."""
    if isinstance(value, list):
        value = ", ".join(part["kind"] if isinstance(part, dict) else str(part) for part in value)
    text = str(value)
    text = text.rpartition("/")[2] if _ID.fullmatch(text) else text
    return text if len(text) <= _CELL else f"{text[: _CELL - 1]}…"
