"""What people read in the terminal: tables and trees."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from layers.collections.feature_types import interval_text
from layers.model.problems import ProblemsError
from layers.ownership.walk import REACHES, Interval
from layers.store.store import LoadReport

console = Console()
errors = Console(stderr=True)

Json = Mapping[str, Any]

#: The columns of a list that fit a terminal; the rest is in ``--json``.
_LISTED: Mapping[str, tuple[str, ...]] = {
    "strikes": ("when", "id", "host_country", "owners", "relations", "rests_on"),
    "assets": ("id", "name", "kind", "host_country", "owners"),
    "attributions": ("strike", "asset", "relation", "country", "share_min", "share_max", "rests_on"),
    "countries": ("id", "name", "owned_strikes", "owned_strikes_sure", "hosted_strikes", "related_strikes"),
    "entities": ("id", "name", "type", "registered_in", "headquartered_in", "joint"),
    "stakes": ("owned", "owner", "share_min", "share_max", "since", "until", "checked"),
    "sources": ("id", "publisher", "published", "url"),
}


def fault(error: Exception, as_json: bool) -> None:
    """Say an error on standard error; as JSON on standard output for programs."""
    problems = error.problems if isinstance(error, ProblemsError) else ()
    if as_json:
        told = {"error": str(error), "problems": [problem.as_dict() for problem in problems]}
        sys.stdout.buffer.write(orjson.dumps(told, option=orjson.OPT_INDENT_2) + b"\n")
        sys.stdout.buffer.flush()
    elif problems:
        table = Table("where", "record", "column", "value", "expected", title=f"{len(problems)} fault(s)")
        for problem in problems:
            where = f"{problem.file}:{problem.row}" if problem.row else problem.file
            add_row(table, where, problem.record, problem.column, problem.value, problem.expected)
        errors.print(table)
    else:
        errors.print(f"[red]error:[/] {escape(str(error))}")


def add_row(table: Table, *values: object) -> None:
    """Add a row of plain values, never read as markup; ``None`` is empty."""
    table.add_row(*(escape("" if value is None else str(value)) for value in values))


def load_report(path: Path, report: LoadReport) -> RenderableType:
    """How many records of each table were added, changed, removed or left."""
    kinds = ("added", "changed", "removed", "unchanged")
    table = Table("table", *kinds, title=f"{path}, change {report.seq}")
    for name in dict.fromkeys(name for kind in kinds for name in getattr(report, kind)):
        add_row(table, name, *(getattr(report, kind).get(name, 0) for kind in kinds))
    return table


def table_of(name: str, rows: Iterable[Json]) -> RenderableType:
    """The records of a collection, a row each."""
    table = Table(*_LISTED[name], title=name)
    for row in rows:
        add_row(table, *(row[column] for column in _LISTED[name]))
    return table


def strike(told: Json) -> RenderableType:
    """One strike: whose it was, and what that rests on."""
    about = told["strike"]
    host = told["host"]["name"] if told["host"] else "none (high seas or not known)"
    head = Table.grid(padding=(0, 2))
    for name, value in (
        ("strike", f"{about['title']} ({about['id']})"),
        ("when", f"{about['when']} {about['when_note'] or ''}"),
        ("where", f"{about['place']}; sure to {_km(about['uncertainty_m'])}, {about['basis'] or 'no place known'}"),
        ("host", host),
        ("rests on", told["rests_on"]),
    ):
        add_row(head, name, value)
    parts: list[RenderableType] = [head, _shares(told["owners"], f"Owners by {told['basis']}")]
    parts += _ties(told["related"])
    for hit in told["assets"]:
        parts += [_asset(hit), *_control(hit)]
    parts += _claims(told)
    return Group(*parts)


def _km(metres: float | None) -> str:
    return "an unknown distance" if metres is None else f"{metres / 1000:g} km"


def _shares(rows: Iterable[Json], title: str) -> Table:
    table = Table("country", "share %", *REACHES, "why", title=title, title_justify="left")
    for row in rows:
        share = interval_text(Interval(row["share_min"], row["share_max"]))
        reaches = [interval_text(Interval(*row[reach])) if reach in row else "" for reach in REACHES]
        add_row(table, row["country"] or row["name"], share, *reaches, "; ".join(row.get("reasons", ())))
    return table


def _ties(rows: list[Json]) -> list[RenderableType]:
    if not rows:
        return []
    table = Table("relation", "who", "country", "asset", "note", title="Not owners", title_justify="left")
    for row in rows:
        add_row(table, row["relation"], row["name"], row["country"], row["asset"], row["note"])
    return [table]


def _asset(hit: Json) -> RenderableType:
    asset = hit["asset"]
    decided = f": {hit['decision']['why']}" if hit["decision"] else ""
    return _chains(f"{asset['name']} ({asset['id']}), {hit['verdict']}{decided}", hit)


def _chains(title: str, hit: Json) -> RenderableType:
    tree = Tree(escape(title))
    for chain in hit["chains"]:
        end = _end(chain)
        steps = " <- ".join(f"{s['name']} {_step_share(s)}" for s in chain["steps"]) or "no owner known"
        share = interval_text(Interval(chain["share_min"], chain["share_max"]))
        tree.add(escape(f"{share} % {end}: {steps}"))
    if hit["rest"]["share_max"] > 0:
        tree.add(f"rest, in loops and small chains: at most {hit['rest']['share_max']:g} %")
    for warning in hit["warnings"]:
        tree.add(f"[yellow]warning:[/] {escape(warning)}")
    return tree


def _end(chain: Json) -> str:
    if chain["country"] is None:
        return f"unattributed: {chain['reason']}"
    stays = chain["stays_with"]
    passed = chain["steps"] and chain["steps"][-1]["owner"] != stays["entity"]
    return f"{chain['country']} ({chain['reach']}{', stays with ' + stays['name'] if passed else ''})"


def _control(hit: Json) -> list[RenderableType]:
    """Who controls it, apart from the shares; for each span of days where that differs."""
    spans = hit["control_days"]
    if len(spans) == 1:
        return [f"Control: {_controller(spans[0]['control'])}"]
    told = [f"  {days_text(span['first'], span['last'])}: {_controller(span['control'])}" for span in spans]
    return ["Control differs over the days it may have been:", *told]


def days_text(first: object, last: object) -> str:
    """Days from first to last; ``None`` is open."""
    if first == last and first is not None:
        return str(first)
    return f"{first or '..'} to {last or '..'}"


def _controller(told: Json | None) -> str:
    if told is None:
        return "nobody surely has more than half, and none is declared."
    steps = " <- ".join(
        f"{step['name']} ({_share_of(step)} by {', '.join(holder['name'] for holder in step['holders'])})"
        for step in reversed(told["steps"])
    )
    return escape(f"{told['name']}, {told['country'] or 'country not known'}: {steps}")


def _share_of(step: Json) -> str:
    share = interval_text(Interval(step["share_min"], step["share_max"])) + " %"
    return f"{share}, {', '.join(step['declared'])}" if step["declared"] else share


def holdings(told: Json) -> RenderableType:
    """What an entity holds on a day."""
    table = Table("held", "kind", "direct %", "in all %", title=f"Held by {told['entity']['name']} on {told['on']}")
    for row in told["holdings"]:
        shares = (interval_text(Interval(row[part]["min"], row[part]["max"])) for part in ("direct", "effective"))
        add_row(table, f"{row['name']} ({row['id']})", row["kind"], *shares)
    return table if table.row_count else f"{told['entity']['name']} holds nothing on {told['on']}."


def _step_share(step: Json) -> str:
    mark = " (unverified)" if step["checked"] == "unverified" else ""
    return interval_text(Interval(step["share_min"], step["share_max"])) + mark


def _claims(told: Json) -> list[RenderableType]:
    table = Table("source", "field", "says", title="What each source says", title_justify="left")
    for claim in told["claims"]:
        add_row(table, told["sources"].get(claim["source"], {}).get("publisher"), claim["field"], claim["value"])
    return [table] if told["claims"] else []


def owners(told: Json) -> RenderableType:
    """Who owns an asset or entity on a day."""
    about = told.get("asset") or told["entity"]
    title = f"Owners of {about['name']} on {told['on']} by {told['basis']}"
    return Group(_shares(told["owners"], title), *_ties(told["related"]), _chains(about["name"], told), *_control(told))
