"""Audit of a GEM tracker file: the sums of its owner and parent columns, and whether the two agree with each other.

Run as `python -m layers.sources.gem.audit FILE` for tables, or with `--json`.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

import orjson
from rich.console import Console
from rich.table import Table as Printed
from rich.text import Text

from layers.model.problems import Problem
from layers.sources import curated
from layers.sources.files.source_file import SourceFile
from layers.sources.gem.agreement import Agreement, OwnerColumns, Split, compare_columns, curated_splits
from layers.sources.gem.owner_grammar import ODDITIES, Sum, parse_owners
from layers.sources.gem.trackers import LOSSES, Tracker, TrackerRow, form_of, rows_of

SUMS: Mapping[Sum, str] = {
    "whole": "sum to 100 (within 0.5)",
    "all-unknown": "all shares unknown",
    "part-unknown": "some shares unknown",
    "full-and-unknown": "known make 100, and an unknown is listed",
    "under": "under 100",
    "over": "over 100",
    "not-given": "nothing given",
}
#: Sums whose rows are listed one by one.
NAMED: tuple[Sum, ...] = ("over", "under", "full-and-unknown")
assert set(SUMS) == set(get_args(Sum))


@dataclass(frozen=True, slots=True)
class Finding:
    """A listed row: its id and line, the remark, the sum of known shares in percent, and the text."""

    id: str
    line: int
    what: str
    known: float
    text: str


@dataclass(frozen=True, slots=True)
class ColumnAudit:
    """The audit of one column: rows by sum, rows by oddity, rows without any share, and the listed rows."""

    column: str
    rows: int
    sums: Mapping[str, int]
    unmarked: int
    oddities: Mapping[str, int]
    findings: tuple[Finding, ...]

    @property
    def unreadable(self) -> tuple[Finding, ...]:
        """Findings in which a part of the text was lost."""
        return tuple(finding for finding in self.findings if finding.what in LOSSES)


@dataclass(frozen=True, slots=True)
class Audit:
    """The audits of both columns of a file, their agreement, and the rows that could not be read."""

    rows: int
    owner: ColumnAudit
    parent: ColumnAudit
    agreement: Agreement
    problems: tuple[Problem, ...]


def read_columns(table: Tracker) -> tuple[tuple[OwnerColumns, ...], tuple[Problem, ...]]:
    """Return both columns of every row of a tracker, and the problems of its file."""
    step = form_of(table.header).step
    return tuple(_listed(row, step) for row in rows_of(table)), tuple(table.problems)


def _listed(row: TrackerRow, step: float) -> OwnerColumns:
    name = row["id"] or ", ".join(part for part in (row["name"], row["unit"]) if part)
    return OwnerColumns(name, row.line, parse_owners(row["owner"], step), parse_owners(row["parent"]))


def audit(rows: Sequence[OwnerColumns], lent: Mapping[str, Split], problems: tuple[Problem, ...] = ()) -> Audit:
    """Count and list oddities of both columns, and compare these; ``lent`` holds splits as in ``agreement``."""
    return Audit(len(rows), _column("owner", rows), _column("parent", rows), compare_columns(rows, lent), problems)


def _column(column: str, rows: Sequence[OwnerColumns]) -> ColumnAudit:
    lists = [(row, row.owner if column == "owner" else row.parent) for row in rows]
    sums = Counter(owners.sum for _, owners in lists)
    oddities = Counter(name for _, owners in lists for name in {oddity.name for oddity in owners.oddities})
    findings = [
        Finding(row.id, row.line, remark, owners.known_sum, owners.text)
        for row, owners in lists
        for remark in (owners.sum, *sorted({oddity.name for oddity in owners.oddities}))
        if remark in NAMED or (remark in ODDITIES and remark not in ("not-given", "no-share"))
    ]
    unmarked = sum(
        bool(owners.entries) and sum(o.name == "no-share" for o in owners.oddities) == len(owners.entries)
        for _, owners in lists
    )
    counts: dict[str, int] = {name: sums[name] for name in SUMS}
    return ColumnAudit(column, len(rows), counts, unmarked, dict(sorted(oddities.items())), tuple(findings))


def print_audit(result: Audit, console: Console) -> None:
    """Print the tables; text of the file is never interpreted as markup."""
    console.print(_sums(result))
    console.print(_oddities(result))
    for column in (result.owner, result.parent):
        rows = [[f.id, f.what, f"{f.known:.2f}", f.text] for f in column.findings]
        console.print(_table(f"Rows named, {column.column} column", ("row", "what", "known %", "text"), rows))
    compared = result.agreement
    counts = {
        "rows with one owner of the whole": compared.single_rows,
        "companies that these teach": compared.companies,
        "of these, with more than one shareholder": compared.several,
        "companies of which every share is known": compared.companies_known,
        "of these, with more than one shareholder ": compared.several_known,
        "companies that contradict themselves": len(compared.contradictions),
        "rows with several owners": len(compared.compared),
        "of these, agree": len(compared.of("agree")),
        "of these, disagree": len(compared.of("disagree")),
        "of these, chain not known": len(compared.of("unknown")),
    }
    console.print(_table("Owner to parent", ("", "count"), [[name, str(count)] for name, count in counts.items()]))
    split = [[c.company, text, ", ".join(ids)] for c in compared.contradictions for text, ids in c.splits]
    console.print(_table("Companies that contradict themselves", ("company", "shareholders", "rows"), split))
    differ = [[row.id, row.ours, row.theirs, row.why] for row in compared.of("disagree")]
    console.print(_table("Disagreements", ("row", "ours", "GEM's", "why"), differ))
    console.print(_table("Could not be read", ("problem",), [[str(problem)] for problem in result.problems]))


def _sums(result: Audit) -> Printed:
    rows = [["rows", str(result.owner.rows), str(result.parent.rows)]]
    rows += [[words, str(result.owner.sums[name]), str(result.parent.sums[name])] for name, words in SUMS.items()]
    rows.append(["no share on any name", str(result.owner.unmarked), str(result.parent.unmarked)])
    rows.append(
        ["unreadable in part", *(str(len({f.line for f in c.unreadable})) for c in (result.owner, result.parent))]
    )
    return _table("What the columns sum to", ("", "owner", "parent"), rows)


def _oddities(result: Audit) -> Printed:
    owner, parent = result.owner.oddities, result.parent.oddities
    names = [name for name in ODDITIES if name in owner or name in parent]
    rows = [[name, str(owner.get(name, 0)), str(parent.get(name, 0)), ODDITIES[name]] for name in names]
    return _table("Oddities, in rows", ("", "owner", "parent", "what is done"), rows)


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Printed:
    table = Printed(title=f"{title} ({len(rows)})")
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    """Audit one file; curated companies stand in where the file does not show the shareholders of a company."""
    parser = argparse.ArgumentParser(
        description="Audit the owner and parent columns of a GEM tracker file (CSV, xlsx)."
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--json", action="store_true", help="as JSON, not as tables")
    given = parser.parse_args(arguments)
    rows, problems = read_columns(SourceFile.of(given.file).table())
    result = audit(rows, curated_splits(curated.read().records), problems)
    if given.json:
        print(orjson.dumps(asdict(result), option=orjson.OPT_INDENT_2).decode())
    else:
        print_audit(result, Console())


if __name__ == "__main__":
    main()
