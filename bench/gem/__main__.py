"""The audit of a GEM tracker file, printed: `python -m bench.gem FILE` for tables, or with `--json`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import orjson
from rich.table import Table as Printed
from rich.text import Text

from api.http.json import Json
from api.terminal.console import console
from api.wording.catalogue import phrase
from api.wording.problems import located_sentence, problem_values
from bench.gem.agreement import Compared, curated_splits
from bench.gem.audit import Audit, audit, read_columns
from layers.sources import curated
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.owner_grammar import ODDITIES, Sum

SUMS: Mapping[Sum, str] = {
    "whole": "sum to 100 (within 0.5)",
    "all-unknown": "all shares unknown",
    "part-unknown": "some shares unknown",
    "full-and-unknown": "known make 100, and an unknown is listed",
    "under": "under 100",
    "over": "over 100",
    "not-given": "nothing given",
}


def print_audit(result: Audit) -> None:
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
    split = [[c.company, shares, ", ".join(ids)] for c in compared.contradictions for shares, ids in c.splits]
    console.print(_table("Companies that contradict themselves", ("company", "shareholders", "rows"), split))
    differ = [[row.id, row.ours, row.theirs, _reasons(row)] for row in compared.of("disagree")]
    console.print(_table("Disagreements", ("row", "ours", "GEM's", "why"), differ))
    console.print(
        _table("Could not be read", ("problem",), [[located_sentence(problem)] for problem in result.problems])
    )


def _reasons(row: Compared) -> str:
    return "; ".join(row.why)


def _values(result: Audit) -> Json:
    """Return an audit as plain values, its reasons and problems in words."""
    values = asdict(replace(result, problems=(), agreement=replace(result.agreement, compared=())))
    values["agreement"]["compared"] = [
        {**asdict(replace(row, why=())), "why": _reasons(row)} for row in result.agreement.compared
    ]
    values["problems"] = [problem_values(problem) for problem in result.problems]
    return values


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
    rows = [[name, str(owner.get(name, 0)), str(parent.get(name, 0)), phrase(f"gem.oddity.{name}")] for name in names]
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
        print(orjson.dumps(_values(result), option=orjson.OPT_INDENT_2).decode())
    else:
        print_audit(result)


if __name__ == "__main__":
    main()
