"""What a load read and did, as plain values for JSON and for tables."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from layers.ingest.load_plan import Arrival, Change
from layers.model.problems import Problem
from layers.model.read_result import Reading
from layers.model.records import NOUNS
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import Format, Request

Json = dict[str, Any]


def load(
    fmt: Format,
    request: Request,
    files: Sequence[SourceFile],
    reading: Reading,
    arrival: Arrival,
    done: Mapping[str, Change],
) -> Json:
    """The report of a load; ``written`` and ``rejected_files`` are for the caller to fill."""
    problems = faults(reading, arrival)
    return {
        "format": fmt.name,
        "dataset": request.dataset,
        "licence": request.licence or _mapped_licence(request) or fmt.licence,
        "private": _is_private(fmt, reading),
        "files": [file.name for file in files],
        "rows": {
            "read": reading.rows,
            "skipped": sum(reading.skipped.values()),
            "rejected": len(rejected(problems)),
            "of_which_partly_read": len(rejected(problems) & _placed(reading)),
        },
        "read": {name: len(reading.records.table(name)) for name in NOUNS if reading.records.table(name)},
        "skipped": dict(sorted(reading.skipped.items(), key=lambda item: -item[1])),
        "rejected": reasons(problems),
        "problems": [problem.as_dict() for problem in problems],
        "already_known": dict(arrival.known),
        "left_out": dict(arrival.left_out),
        "staying": dict(arrival.staying),
        "same": {name: {"known": known, "by": by} for name, (known, by) in arrival.resolution.same.items()},
        "proposals": [asdict(proposal) for proposal in arrival.resolution.proposals],
        "conflicts": list(arrival.resolution.conflicts),
        "remarks": list(arrival.remarks),
        "changes": {name: _change(change) for name, change in done.items()},
        "written": None,
        "rejected_files": [],
    }


def _mapped_licence(request: Request) -> str | None:
    return request.mapping.source.get("licence") if request.mapping else None


def _is_private(fmt: Format, reading: Reading) -> bool:
    """Whether anything read is private; where nothing was, whether the format is."""
    records = [record for name in NOUNS for record in reading.records.table(name).values()]
    return any(record.private for record in records) if records else fmt.private


def _change(change: Change) -> Json:
    changed = {key: list(columns) for key, columns in change.changed.items()}
    return {
        "added": list(change.added),
        "changed": changed,
        "removed": list(change.removed),
        "unchanged": change.unchanged,
    }


def faults(reading: Reading, arrival: Arrival) -> tuple[Problem, ...]:
    """Every fault of a load, each once: curated records are looked through before, and again beside all others."""
    seen = {(fault.file, fault.row, fault.record, fault.column) for fault in reading.problems}
    more = [fault for fault in arrival.problems if (fault.file, fault.row, fault.record, fault.column) not in seen]
    return (*reading.problems, *more)


def rejected(problems: Sequence[Problem]) -> set[tuple[str, int]]:
    """File and row of every row with a fault."""
    return {(problem.file, problem.row) for problem in problems if problem.row is not None}


def _placed(reading: Reading) -> set[tuple[str, int]]:
    """Rows of which a record was made."""
    return {(place.file, place.row) for (table, _), place in reading.places.items() if table != "sources"}


def reasons(problems: Sequence[Problem]) -> dict[str, int]:
    """Faults counted by column and what was expected, the most frequent first."""
    counts = Counter(f"{problem.column}: expected {_general(problem.expected)}" for problem in problems)
    return dict(counts.most_common())


def _general(expected: str) -> str:
    """An expectation without the place that it names, so that like ones are counted together."""
    return re.sub(r"\S+:\d+", "...", expected)[:200]


def how_to_mend(
    fmt: str, dataset: str, files: Sequence[SourceFile], written: Sequence[Path], again: Sequence[str]
) -> str:
    """The command that loads mended rows beside those that are loaded; empty where no row could be written.

    Files without rejected rows are named again in their places: a row may need what another file says of it.
    ``again`` are further options.
    """
    if not written:
        return ""
    paths = [path for file in files for path in (_rejected_of(file, written) or [file.path])]
    named = dict.fromkeys(map(str, (*paths, *written) if len(files) > 1 else written))
    return shlex.join(["strikeatlas", "load", fmt, *named, "--dataset", dataset, *again, "--append"])


def _rejected_of(file: SourceFile, written: Sequence[Path]) -> list[Path]:
    return [path for path in written if path.name.startswith(file.stem)]
