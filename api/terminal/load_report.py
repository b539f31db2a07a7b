"""Reports of loads, the list of formats, and what keeps records from being printed, as tables for the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from api.http.json import Json
from api.terminal.console import add_row, counted, visible
from api.wording.catalogue import phrase
from api.wording.problems import located_sentence
from layers.ingest.publishable import PublishReport
from layers.sources.reader.format import Format

#: The largest number of ids, problems and proposals that is shown; JSON has them all.
_SHOWN = 20
#: How the twins of a table are judged.
_JUDGE = {
    "strikes": "at /review, or by strikeatlas duplicates and strikeatlas judge",
    "assets": "by strikeatlas duplicates --table assets and strikeatlas judge",
}


def load(answer: Json) -> RenderableType:
    """Show the report of a load."""
    parts: list[RenderableType] = [_head(answer), _tables(answer)]
    parts += [_counted("rejected because", answer["rejected"])] if answer["rejected"] else []
    parts += [_counted("skipped", answer["skipped"])] if answer["skipped"] else []
    parts += [_counted("read, and to be looked at", answer["warnings"])] if answer["warnings"] else []
    parts += [_doubted(answer["doubts"])] if answer["doubts"] else []
    # Where faults stop a load all are told, on standard error.
    parts += [_faults(answer["problems"])] if answer["problems"] and answer["written"] else []
    parts += _changed(answer["changes"])
    parts += [_proposed(answer["proposals"])] if answer["proposals"] else []
    parts += [Text(line) for line in _remarks(answer)]
    return Group(*parts)


def _head(answer: Json) -> Table:
    grid, rows = Table.grid(padding=(0, 2)), answer["rows"]
    more = f" and {len(answer['files']) - _SHOWN} more" if len(answer["files"]) > _SHOWN else ""
    partly = f" ({rows['of_which_partly_read']} of them partly read)" if rows["of_which_partly_read"] else ""
    add_row(grid, "format", answer["format"])
    add_row(grid, "dataset", answer["dataset"])
    number, read = answer["private_records"], sum(answer["read"].values()) - answer["read"].get("heat", 0)
    part = "" if answer["private"] else f"{number:,} of {counted(read, 'records')} "
    add_row(grid, "licence", answer["licence"] + (f" ({part}private: not published)" if number or not part else ""))
    add_row(grid, "files", ", ".join(answer["files"][:_SHOWN]) + more)
    add_row(grid, "rows", f"{rows['read']} read, {rows['skipped']} skipped, {rows['rejected']} rejected{partly}")
    return grid


def _tables(answer: Json) -> Table:
    title = "written" if answer["written"] else "nothing was written"
    heads = ("table", "read", "added", "changed", "removed", "unchanged", "known")
    table = Table(*heads, title=title, title_justify="left")
    for name in dict.fromkeys((*answer["read"], *answer["changes"])):
        if name == "heat":  # told below: observations are no records
            continue
        change = answer["changes"].get(name, {"added": (), "changed": (), "removed": (), "unchanged": 0})
        counts = [len(change[kind]) for kind in ("added", "changed", "removed")]
        known = answer["already_known"].get(name, "")
        add_row(table, name, answer["read"].get(name, 0), *counts, change["unchanged"], known)
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
    title = counted(len(problems), "faults") + cut
    table = Table("where", "record", "column", "value", "expected", title=title, title_justify="left")
    for problem in problems[:_SHOWN]:
        where = f"{problem['file']}:{problem['row']}" if problem["row"] else problem["file"]
        add_row(table, where, *(problem[name] for name in ("record", "column", "value", "expected")))
    return table


def _doubted(doubts: list[Json]) -> Table:
    """Points and days that contradict, those of one contradiction together; the most frequent first."""
    alike: dict[str, list[Json]] = {}
    for doubt in doubts:
        alike.setdefault(doubt["expected"], []).append(doubt)
    groups = sorted(alike.values(), key=len, reverse=True)
    hidden = sum(map(len, groups[_SHOWN:]))
    title = f"{counted(len(doubts), 'doubts')}; each in --json"
    table = Table("records", "the first", "record", "expected", title=title, title_justify="left")
    for first, *others in groups[:_SHOWN]:
        where = f"{first['file']}:{first['row']}" if first["row"] else first["file"]
        add_row(table, 1 + len(others), where, first["record"], first["expected"])
    if hidden:
        add_row(table, hidden, f"{len(groups) - _SHOWN} more", "", "in --json")
    return table


def _changed(changes: Mapping[str, Json]) -> list[RenderableType]:
    """Ids of what is changed or removed; what is new is counted above."""
    table = Table("table", "id", "what", title="Changed", title_justify="left")
    for name, change in changes.items():
        answer = [(key, f"changed: {', '.join(columns)}") for key, columns in change["changed"].items()]
        answer += [(key, "removed: no longer in the files") for key in change["removed"]]
        for key, what in answer[:_SHOWN]:
            add_row(table, name, key, what)
        if len(answer) > _SHOWN:
            add_row(table, name, f"{len(answer) - _SHOWN} more", "in --json")
    return [table] if table.row_count else []


def _proposed(proposals: list[Json]) -> Table:
    title = f"May be one with a known entity ({len(proposals)}); a person decides"
    table = Table("read", "known", "score", "reasons", title=title, title_justify="left")
    for item in proposals[:_SHOWN]:
        add_row(table, item["incoming"], item["known"], f"{item['score']:.2f}", "; ".join(item["reasons"]))
    return table


def _remarks(answer: Json) -> Iterable[str]:
    if answer["same"]:
        yield f"Known by id or identifier, and united with what is known: {counted(len(answer['same']), 'entities')}."
    yield from (*answer["conflicts"], *answer["remarks"])[:_SHOWN]
    for name, count in answer["without_place"].items():
        yield f"Without coordinates, and on no map: {count} of {counted(answer['read'][name], name)}."
    for name, twins in answer["probably_known"].items():
        key, twin = next(iter(twins.items()))
        new = counted(len(answer["changes"][name]["added"]), f"new {name}")
        yield (
            f"Probably known already, and counted beside what is known until somebody judges: {len(twins)} of {new}; "
            f"{_JUDGE[name]}. The likeliest: {key} is {twin['known']} ({twin['score']:.2f})."
        )
    for dataset, counts in answer["to_confirm"].items():
        yield f"To be removed from {dataset}, once --replace is given: {_listed(counts)}."
    for dataset, one in answer["events_to_confirm"].items():
        listed = ", ".join(f"{column} of {count}" for column, count in one["columns"].items())
        count = f"{one['events']} of {one['of']} ({listed})"
        yield f"To become other events in {dataset}, once --replace is given: {count}."
        yield from (f"{event['id']}: {event['column']} {event['before']} → {event['after']}" for event in one["first"])
    if answer["left_out"]:
        yield f"Left out with the rejected records they refer to: {_listed(answer['left_out'])}."
    if (heat := answer["heat"]) is not None:
        before = f"in place of {heat['before']:,}" if heat["is_change"] else "as the store has them"
        yield f"{counted(heat['observations'], 'observations')} of heat, {before}; they witness, and prove nothing."
    if answer["staying"]:
        (key, why), *others = answer["staying"].items()
        rest = f" and {len(others)} more" if others else ""
        yield f"No longer in the files, and kept: {key} ({why}){rest}."
    if answer["rejected_files"]:
        yield f"Rejected rows: {', '.join(answer['rejected_files'])}. When they are mended: {answer['mend']}"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(counted(count, name) for name, count in counts.items())


def formats(known: Iterable[Format]) -> RenderableType:
    """The formats that can be loaded."""
    table = Table("format", "what", "gives", "licence", "private", "recognised by")
    for item in known:
        private = "yes: not published" if item.private else ""
        add_row(table, item.name, item.title, item.provides, item.licence, private, item.signature)
    return table


def print_publish_problems(report: PublishReport) -> None:
    """Print each problem as a line on standard error, in the order of files and lines."""
    for one in report.problems:
        strikes = phrase("publishable.strikes", n=len(one.strikes))
        line = phrase("publishable.in-line", sentence=located_sentence(one.problem), rule=one.rule, strikes=strikes)
        print(visible(line), file=sys.stderr)


def publish_tables(values: Json) -> RenderableType:
    """Show how many records and strikes each rule finds, and how well the events are established."""
    rules = Table("rule", "records", "strikes", "what it finds", title="What an editor would not print")
    rules.columns[0].no_wrap = True
    for name, counts in values["rules"].items():
        add_row(rules, name, counts["records"], counts["strikes"], phrase(f"publishable.{name}"))
    drafts, others = values["events"]["drafts"], values["events"]["others"]
    events = Table("events", "drafts", "others", "in all", title="Events")
    for name, words in (
        ("events", "all"),
        ("two_voices", "on two or more independent sources"),
        ("located", "located to 3 km, or on a stated line or area"),
    ):
        add_row(events, words, drafts[name], others[name], drafts[name] + others[name])
    return Group(rules, events)
