"""What people read in the terminal of a load, and of the formats there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from api.terminal.attribution import add_row
from layers.sources.reader.format import Format

#: Most ids, faults and proposals shown to people; JSON has them all.
_SHOWN = 20

Json = Mapping[str, Any]


def load(told: Json) -> RenderableType:
    """The report of a load."""
    parts: list[RenderableType] = [_head(told), _tables(told)]
    parts += [_counted("rejected because", told["rejected"])] if told["rejected"] else []
    parts += [_counted("skipped", told["skipped"])] if told["skipped"] else []
    # Where faults stop a load all are told, on standard error.
    parts += [_faults(told["problems"])] if told["problems"] and told["written"] else []
    parts += _changed(told["changes"])
    parts += [_proposed(told["proposals"])] if told["proposals"] else []
    parts += [Text(line) for line in _remarks(told)]
    return Group(*parts)


def _head(told: Json) -> Table:
    grid, rows = Table.grid(padding=(0, 2)), told["rows"]
    partly = f" ({rows['of_which_partly_read']} of them partly read)" if rows["of_which_partly_read"] else ""
    add_row(grid, "format", told["format"])
    add_row(grid, "dataset", told["dataset"])
    add_row(grid, "licence", told["licence"] + (" (private: never published)" if told["private"] else ""))
    add_row(grid, "files", ", ".join(told["files"][:_SHOWN]) + _more(told["files"]))
    add_row(grid, "rows", f"{rows['read']} read, {rows['skipped']} skipped, {rows['rejected']} rejected{partly}")
    return grid


def _tables(told: Json) -> Table:
    title = "written" if told["written"] else "nothing was written"
    heads = ("table", "read", "added", "changed", "removed", "unchanged", "known")
    table = Table(*heads, title=title, title_justify="left")
    for name in dict.fromkeys((*told["read"], *told["changes"])):
        change = told["changes"].get(name, {"added": (), "changed": (), "removed": (), "unchanged": 0})
        counts = [len(change[kind]) for kind in ("added", "changed", "removed")]
        known = told["already_known"].get(name, "")
        add_row(table, name, told["read"].get(name, 0), *counts, change["unchanged"], known)
    return table


def _counted(title: str, counts: Mapping[str, int]) -> Table:
    table = Table("rows", title, title_justify="left")
    for reason, count in list(counts.items())[:_SHOWN]:
        add_row(table, count, reason)
    if len(counts) > _SHOWN:
        add_row(table, sum(list(counts.values())[_SHOWN:]), f"{len(counts) - _SHOWN} more reasons")
    return table


def _faults(problems: list[Json]) -> Table:
    cut = f", the first {_SHOWN}; all in --json" if len(problems) > _SHOWN else ""
    title = f"{len(problems)} fault(s){cut}"
    table = Table("where", "record", "column", "value", "expected", title=title, title_justify="left")
    for problem in problems[:_SHOWN]:
        where = f"{problem['file']}:{problem['row']}" if problem["row"] else problem["file"]
        add_row(table, where, *(problem[name] for name in ("record", "column", "value", "expected")))
    return table


def _changed(changes: Mapping[str, Json]) -> list[RenderableType]:
    """Ids of what is changed or removed; what is new is counted above."""
    table = Table("table", "id", "what", title="Changed", title_justify="left")
    for name, change in changes.items():
        told = [(key, f"changed: {', '.join(columns)}") for key, columns in change["changed"].items()]
        told += [(key, "removed: no longer in the files") for key in change["removed"]]
        for key, what in told[:_SHOWN]:
            add_row(table, name, key, what)
        if len(told) > _SHOWN:
            add_row(table, name, f"{len(told) - _SHOWN} more", "in --json")
    return [table] if table.row_count else []


def _proposed(proposals: list[Json]) -> Table:
    title = f"May be one with a known entity ({len(proposals)}); a person decides"
    table = Table("read", "known", "score", "reasons", title=title, title_justify="left")
    for one in proposals[:_SHOWN]:
        add_row(table, one["incoming"], one["known"], f"{one['score']:.2f}", "; ".join(one["reasons"]))
    return table


def _remarks(told: Json) -> Iterable[str]:
    if told["same"]:
        yield f"{len(told['same'])} entities are known by id or identifier and were united with the known ones."
    yield from (*told["conflicts"], *told["remarks"])[:_SHOWN]
    if told["left_out"]:
        counts = ", ".join(f"{count} {name}" for name, count in told["left_out"].items())
        yield f"Left out with the rejected records they refer to: {counts}."
    if told["staying"]:
        (key, why), *others = told["staying"].items()
        rest = f" and {len(others)} more" if others else ""
        yield f"No longer in the files, and kept: {key} ({why}){rest}."
    if told["rejected_files"]:
        yield f"Rejected rows: {', '.join(told['rejected_files'])}. When they are mended: {told['mend']}"


def _more(items: list[Any]) -> str:
    return f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""


def formats(known: Iterable[Format]) -> RenderableType:
    """The formats that can be loaded."""
    table = Table("format", "what", "gives", "licence", "private", "recognised by")
    for one in known:
        private = "yes: never published" if one.private else ""
        add_row(table, one.name, one.title, one.gives, one.licence, private, one.known_by)
    return table
