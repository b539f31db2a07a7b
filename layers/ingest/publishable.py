"""What keeps a set of records from being printed, all at once, and how many of its events are established how well.

A record at fault is named once for each rule and column, with all strikes that cannot be printed for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from layers.ingest.publish_rules import (
    RULES,
    WARNINGS,
    Objection,
    PublishedStrikes,
    Rule,
    confirmed_assets,
    outcome_of,
)
from layers.model.problems import Problem, ReadResult, SourceLocation
from layers.model.records import RECORD_TYPES, Asset, Records, Strike
from layers.resolution.voices import voices_of

#: An event is located if its place is known to so many metres.
LOCATED_M = 3000.0


@dataclass(frozen=True, slots=True)
class PublishProblem:
    """A record at fault by one rule, where it stands, and the strikes that cannot be printed for it."""

    rule: str
    problem: Problem
    strikes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventCounts:
    """Numbers of events, which are strikes that are not retracted and that nobody decided were none.

    Attributes
    ----------
    events
        All of them.
    two_voices
        Those that two or more independent voices report.
    located
        Those whose place is known to `LOCATED_M`, or that hit a line or an area that a decision confirms.
    """

    events: int
    two_voices: int
    located: int


@dataclass(frozen=True, slots=True)
class PublishReport:
    """All that keeps records from being printed, what editors are warned of, and the events by status."""

    problems: tuple[PublishProblem, ...]
    warnings: tuple[PublishProblem, ...]
    drafts: EventCounts
    others: EventCounts


def check_publishable(result: ReadResult) -> PublishReport:
    """Find all that keeps the strikes of a read from being printed, in the order of files and lines."""
    records = result.records
    published = PublishedStrikes(records)
    drafts: list[Strike] = []
    others: list[Strike] = []
    for strike in records.strikes.values():
        if _is_event(records, strike):
            (drafts if strike.status == "draft" else others).append(strike)
    return PublishReport(
        _problems(RULES, published, result.locations),
        _problems(WARNINGS, published, result.locations),
        _counts(records, drafts),
        _counts(records, others),
    )


def _problems(
    rules: Mapping[str, Rule], published: PublishedStrikes, locations: Mapping[tuple[str, str], SourceLocation]
) -> tuple[PublishProblem, ...]:
    """Name each record at fault once by rule and column, with the strikes that it keeps from being printed."""
    strikes: dict[tuple[str, str, str, str], dict[str, None]] = defaultdict(dict)
    first: dict[tuple[str, str, str, str], Objection] = {}
    for rule, look in rules.items():
        for objection in look(published):
            key = (rule, objection.table, objection.record, objection.column)
            first.setdefault(key, objection)
            strikes[key][objection.strike] = None
    problems = [
        PublishProblem(key[0], _problem(objection, locations), tuple(strikes[key])) for key, objection in first.items()
    ]
    return tuple(sorted(problems, key=lambda one: (one.problem.file, one.problem.row or 0, one.rule)))


def _problem(objection: Objection, locations: Mapping[tuple[str, str], SourceLocation]) -> Problem:
    location = locations.get((objection.table, objection.record))
    file, row = (location.file, location.row) if location else (objection.table, None)
    record = f"{RECORD_TYPES[objection.table].__name__.lower()} {objection.record}"
    return Problem(file, row, record, objection.column, objection.value, objection.expected)


def _is_event(records: Records, strike: Strike) -> bool:
    decision = outcome_of(records, strike).decision
    return strike.status != "retracted" and (decision is None or decision.verdict != "not-a-strike")


def _counts(records: Records, strikes: Iterable[Strike]) -> EventCounts:
    events = list(strikes)
    return EventCounts(
        len(events),
        sum(len(voices_of(strike, records.sources)) >= 2 for strike in events),
        sum(is_located(records, strike) for strike in events),
    )


def is_located(records: Records, strike: Strike) -> bool:
    """Return whether a strike is placed to 3 km, or on a line or an area that a decision confirms.

    One on several sites has no point of its own that is as good: it is located where each of them is.
    """
    sites = tuple(confirmed_assets(records, strike))
    if _is_placed(strike) or not sites:
        return _is_placed(strike)
    return all(_has_extent(site) or (len(sites) > 1 and _is_placed(site)) for site in sites)


def _is_placed(record: Strike | Asset) -> bool:
    return record.geometry is not None and record.uncertainty_m is not None and record.uncertainty_m <= LOCATED_M


def _has_extent(site: Asset) -> bool:
    return site.geometry is not None and site.geometry.length > 0
