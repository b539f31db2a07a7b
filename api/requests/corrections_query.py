"""Reads which entries of the corrections log a request wants."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from api.requests.parameters import BadParameter
from layers.corrections.log import CorrectionsQuery, EntryKind
from layers.model.records import RECORD_TYPES
from layers.model.timestamps import timestamp
from layers.store.history_pages import RecordKey

#: Entries of a page, by default and at most.
LIMIT, LIMIT_MAX = 100, 1000
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_EXPECTED = "a day such as 2025-08-08, or a time with a zone such as 2025-08-08T04:06:00Z (RFC 3339)"


def parse_moment(name: str, text: str, is_end: bool = False) -> str:
    """Read a day in UTC or a time with a zone as a time in UTC as the history has it; the end of a day is the next.

    Raises
    ------
    BadParameter
        If it is neither.
    """
    try:
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text) + timedelta(days=is_end)
            return f"{day.isoformat()}T00:00:00.000Z"
        if _INSTANT.fullmatch(text):
            return timestamp(datetime.fromisoformat(text.upper()))
    except (ValueError, OverflowError):
        pass
    raise BadParameter(name, text, _EXPECTED)


def of_record(record: str) -> frozenset[RecordKey]:
    """The keys of a record, of whichever table it is."""
    return frozenset((table, record) for table in RECORD_TYPES)


def corrections_query(
    *,
    since: str | None = None,
    until: str | None = None,
    country: str | None = None,
    kind: EntryKind | None = None,
    keys: frozenset[RecordKey] | None = None,
    limit: int = LIMIT,
    below: int | None = None,
) -> CorrectionsQuery:
    """Read the texts of a request; a limit over the largest is cut.

    Raises
    ------
    BadParameter
        If since or until is no day or time.
    """
    return CorrectionsQuery(
        limit=min(limit, LIMIT_MAX),
        below=below,
        kind=kind,
        country=None if country is None else country.upper(),
        keys=keys,
        since=None if since is None else parse_moment("since", since),
        until=None if until is None else parse_moment("until", until, is_end=True),
    )
