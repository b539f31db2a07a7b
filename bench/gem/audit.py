"""Audit of a GEM tracker file: the sums of its owner and parent columns, and whether the two agree with each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from bench.gem.agreement import Agreement, OwnerColumns, Split, compare_columns
from layers.model.problems import Problem
from layers.sources.gem.columns import TrackerRow
from layers.sources.gem.trackers import LOSSES, Tracker, TrackerRows
from layers.sources.reader.owner_grammar import ODDITIES, Sum, parse_owners

#: Sums whose rows are listed one by one.
NAMED: tuple[Sum, ...] = ("over", "under", "full-and-unknown")


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
    file = TrackerRows.of(table)
    return tuple(_listed(row, file.step) for row in file.rows), tuple(table.problems)


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
    counts: dict[str, int] = {name: sums[name] for name in get_args(Sum)}
    return ColumnAudit(column, len(rows), counts, unmarked, dict(sorted(oddities.items())), tuple(findings))
