"""Reads which entries of the corrections log a request wants."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from api.requests.parameters import DATE, TIME, ZONE, BadParameter, in_utc
from layers.corrections.concerned import records_of_answer, records_of_asset, records_of_entity
from layers.corrections.log import CorrectionsQuery, EntryKind
from layers.model.records import RECORD_TYPES
from layers.model.timestamps import timestamp
from layers.snapshot.snapshot import Snapshot
from layers.store.history_pages import RecordKey

#: Entries of a page, by default and at most.
LIMIT, LIMIT_MAX = 100, 1000
_DAY = re.compile(DATE)
_INSTANT = re.compile(rf"{DATE}{TIME}(\.[0-9]{{1,6}})?{ZONE}")
INSTANT_PATTERN = f"^{_INSTANT.pattern}$"
#: A day, or a time with a zone; that 29 February is in leap years only is beyond a pattern.
MOMENT_PATTERN = rf"^{DATE}({TIME}(\.[0-9]{{1,6}})?{ZONE})?$"
#: The last millisecond of the last day that can be written.
_END_OF_TIME = "9999-12-31T23:59:59.999Z"
_EXPECTED = "a day such as 2025-08-08, or a time with a zone such as 2025-08-08T04:06:00Z (RFC 3339)"


def parse_moment(name: str, text: str, is_end: bool = False) -> str:
    """Read a day in UTC or a time with a zone as a time in UTC as the history has it; the end of a day is the next.

    Raises BadParameter if it is neither.
    """
    try:
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text)
            if is_end and day == date.max:
                return _END_OF_TIME
            return f"{(day + timedelta(days=is_end)).isoformat()}T00:00:00.000Z"
        if _INSTANT.fullmatch(text):
            return timestamp(in_utc(datetime.fromisoformat(text.upper())))
    except ValueError:
        pass
    raise BadParameter(name, text, _EXPECTED)


def parse_instant(name: str, text: str) -> str:
    """Read a time with a zone as a time in UTC as the history has it.

    Raises BadParameter if it is none.
    """
    if not _INSTANT.fullmatch(text):
        raise BadParameter(name, text, "a time with a zone such as 2025-08-08T04:06:00Z (RFC 3339)")
    return parse_moment(name, text)


def of_record(record: str) -> frozenset[RecordKey]:
    """The keys of a record, of whichever table it is."""
    return frozenset((table, record) for table in RECORD_TYPES)


def keys_of(
    snapshot: Snapshot,
    *,
    record: str | None = None,
    strike: str | None = None,
    asset: str | None = None,
    entity: str | None = None,
) -> frozenset[RecordKey] | None:
    """The records that are asked about: what all of the parameters that are given have in common; ``None`` for all.

    Raises UnknownRecord if there is no such strike.
    """
    chosen = (
        (record, lambda _, key: of_record(key)),
        (strike, records_of_answer),
        (asset, records_of_asset),
        (entity, records_of_entity),
    )
    found = [of(snapshot, key) for key, of in chosen if key is not None]
    return frozenset.intersection(*found) if found else None


def corrections_query(
    *,
    since: str | None = None,
    until: str | None = None,
    country: str | None = None,
    kind: EntryKind | None = None,
    keys: frozenset[RecordKey] | None = None,
    followed: str | None = None,
    limit: int = LIMIT,
    before: str | None = None,
) -> CorrectionsQuery:
    """Read the texts of a request; a limit over the largest is cut.

    Raises BadParameter if since or until is no day or time.
    """
    return CorrectionsQuery(
        limit=min(limit, LIMIT_MAX),
        before=before,
        kind=kind,
        country=None if country is None else country.upper(),
        keys=keys,
        followed=followed,
        since=None if since is None else parse_moment("since", since),
        until=None if until is None else parse_moment("until", until, is_end=True),
    )
