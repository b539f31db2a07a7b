"""Reports as JSON values: of a load its rows, rejected rows and changes; of publishing what keeps records out."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from api.http.json import Json
from api.wording.catalogue import text
from api.wording.problems import problem_values
from layers.ingest.load_plan import LoadPlan, TableChange
from layers.ingest.publishable import RULES, WARNINGS, PublishProblem, PublishReport, Rule
from layers.model.problems import Problem, ReadResult
from layers.model.records import RECORD_TYPES, Records
from layers.resolution.candidates import MatchCandidate
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import Format, LoadOptions
from layers.sources.reader.mapping_file import NO_LICENCE

#: Events of a dataset that are shown with their values before and after.
_FIRST = 3


def load_report(
    fmt: Format,
    request: LoadOptions,
    files: Sequence[SourceFile],
    reading: ReadResult,
    arrival: LoadPlan,
    done: Mapping[str, TableChange],
    known: Mapping[str, Mapping[str, tuple[str, float]]],
) -> Json:
    """Give the report of a load.

    ``heat``, ``written``, ``to_confirm``, ``events_to_confirm`` and ``rejected_files`` are for the caller to fill.
    ``known`` are the records that are probably in the store already, as ``probable_duplicates`` finds them.
    """
    problems, mapping = all_problems(reading, arrival), request.mapping
    private, read = _private_records(reading, arrival), sum(len(reading.records.table(name)) for name in RECORD_TYPES)
    return {
        "format": fmt.name,
        "dataset": request.dataset,
        "licence": request.licence or (mapping.source.get("licence", NO_LICENCE) if mapping else fmt.licence),
        "private": private == read if read else fmt.private,
        "private_records": private,
        "files": [file.name for file in files],
        "rows": {
            "read": reading.rows,
            "skipped": sum(reading.skipped.values()),
            "rejected": len(rejected_rows(problems)),
            "of_which_partly_read": len(rejected_rows(problems) & _placed(reading)),
        },
        "read": _read(reading),
        "without_place": _without_place(reading),
        "probably_known": {
            name: {key: {"known": twin, "score": score} for key, (twin, score) in twins.items()}
            for name, twins in known.items()
        },
        "skipped": {text(reason): count for reason, count in Counter(reading.skipped).most_common()},
        "warnings": {text(doubt): count for doubt, count in Counter(reading.warnings).most_common()},
        "doubts": [problem_values(doubt) for doubt in reading.doubts],
        "rejected": reasons(problems),
        "problems": [problem_values(problem) for problem in problems],
        "already_known": dict(arrival.already_covered),
        "left_out": dict(arrival.dropped),
        "staying": {key: text(reason) for key, reason in arrival.retained.items()},
        "same": {name: {"known": known, "by": text(by)} for name, (known, by) in arrival.resolution.same.items()},
        "proposals": [_proposal(proposal) for proposal in arrival.resolution.proposals],
        "conflicts": [text(conflict) for conflict in arrival.resolution.conflicts],
        "remarks": [text(note) for note in arrival.notes],
        "changes": {name: _change(change) for name, change in done.items()},
        "to_confirm": {},
        "events_to_confirm": {},
        "heat": None,
        "written": None,
        "rejected_files": [],
    }


def _read(reading: ReadResult) -> dict[str, int]:
    counts = {name: len(reading.records.table(name)) for name in RECORD_TYPES}
    counts["heat"] = 0 if reading.heat is None else len(reading.heat)
    return {name: count for name, count in counts.items() if count}


def _without_place(reading: ReadResult) -> dict[str, int]:
    tables: Mapping[str, Iterable[Any]] = {name: reading.records.table(name).values() for name in ("strikes", "assets")}
    counts = {name: sum(record.geometry is None for record in table) for name, table in tables.items()}
    return {name: count for name, count in counts.items() if count}


def _proposal(candidate: MatchCandidate) -> Json:
    return {
        "incoming": candidate.incoming,
        "known": candidate.known,
        "score": candidate.score,
        "reasons": [text(reason) for reason in candidate.reasons],
        "exact": candidate.exact,
    }


def _private_records(reading: ReadResult, arrival: LoadPlan) -> int:
    """Count the records read that will be private, as descriptions are in every dataset."""
    read = ((name, key) for name in RECORD_TYPES for key in reading.records.table(name))
    planned = (arrival.records.table(name).get(key) or reading.records.table(name)[key] for name, key in read)
    return sum(record.private for record in planned)


def _change(change: TableChange) -> Json:
    return {
        "added": list(change.added),
        "changed": {key: list(columns) for key, columns in change.changed.items()},
        "removed": list(change.removed),
        "unchanged": change.unchanged,
    }


def events_to_confirm(
    stored: Records, arrival: LoadPlan, others: Mapping[str, Mapping[str, Sequence[str]]]
) -> dict[str, Json]:
    """Give by dataset how many of its events would become others, in which columns, and the first with both values."""
    return {
        dataset: {
            "events": len(events),
            "of": sum(event.dataset == dataset for event in stored.strikes.values()),
            "columns": dict(Counter(column for columns in events.values() for column in columns)),
            "first": [
                {"id": key, "column": column, "before": str(before), "after": str(after)}
                for key, columns in list(events.items())[:_FIRST]
                for column in columns
                for before, after in [[getattr(of.strikes[key], column) for of in (stored, arrival.records)]]
            ],
        }
        for dataset, events in others.items()
    }


def all_problems(reading: ReadResult, arrival: LoadPlan) -> tuple[Problem, ...]:
    """List every problem of a load once: curated records are checked by themselves and again with all records."""

    def place(fault: Problem) -> tuple[object, ...]:
        return fault.file, fault.row, fault.record, fault.column

    seen = set(map(place, reading.problems))
    return (*reading.problems, *(fault for fault in arrival.problems if place(fault) not in seen))


def rejected_rows(problems: Sequence[Problem]) -> set[tuple[str, int]]:
    """Collect file and row of every row with a problem."""
    return {(problem.file, problem.row) for problem in problems if problem.row is not None}


def _placed(reading: ReadResult) -> set[tuple[str, int]]:
    """Collect the rows that gave a record."""
    return {(place.file, place.row) for (table, _), place in reading.locations.items() if table != "sources"}


def reasons(problems: Sequence[Problem]) -> dict[str, int]:
    """Count problems by column and expectation, the most frequent first."""
    counts = Counter(f"{problem.column}: expected {_general(text(problem.expected))}" for problem in problems)
    return dict(counts.most_common())


def _general(expected: str) -> str:
    """Return an expectation without the file and row in it, so that like expectations are counted together."""
    return re.sub(r"(?<!\S)\S+:\d+", "...", expected)[:200]


def reload_command(
    fmt: str, dataset: str, files: Sequence[SourceFile], written: Sequence[Path], again: Sequence[str]
) -> str:
    """Write the command that loads corrected rows beside the loaded ones; empty where no row could be written.

    Files without rejected rows are named again in their positions, as a row may refer to another file.
    ``again`` are further options.
    """
    if not written:
        return ""
    paths = [path for file in files for path in (_rejected_of(file, written) or [file.path])]
    named = dict.fromkeys(map(str, (*paths, *written) if len(files) > 1 else written))
    return shlex.join(["strikeatlas", "load", fmt, *named, "--dataset", dataset, *again, "--append"])


def _rejected_of(file: SourceFile, written: Sequence[Path]) -> list[Path]:
    return [path for path in written if path.name.startswith(file.stem)]


def publish_values(report: PublishReport) -> Json:
    """Give every problem and warning, the numbers of both by rule, and those of the events."""
    return {
        "problems": [_publish_problem(one) for one in report.problems],
        "warnings": [_publish_problem(one) for one in report.warnings],
        "rules": by_rule(RULES, report.problems) | by_rule(WARNINGS, report.warnings),
        "events": {"drafts": asdict(report.drafts), "others": asdict(report.others)},
    }


def _publish_problem(one: PublishProblem) -> Json:
    return {"rule": one.rule, **problem_values(one.problem), "strikes": list(one.strikes)}


def by_rule(rules: Mapping[str, Rule], problems: tuple[PublishProblem, ...]) -> Json:
    """Count by rule the records at fault, and the strikes that cannot be printed for them, each once."""
    counts: Json = {}
    for rule in rules:
        of_rule = [one for one in problems if one.rule == rule]
        strikes = {strike for one in of_rule for strike in one.strikes}
        counts[rule] = {"records": len({one.problem.record for one in of_rule}), "strikes": len(strikes)}
    return counts
