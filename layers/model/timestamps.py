"""Times as history, audit trail and answers have them."""

from __future__ import annotations

from datetime import UTC, datetime


def timestamp(at: datetime | None = None) -> str:
    """Write a time as RFC 3339 in UTC with milliseconds, so that texts are ordered as times are; now if None.

    Raises
    ------
    ValueError
        If the time has no zone.
    """
    at = at or datetime.now(UTC)
    if at.tzinfo is None:
        raise ValueError("a time with a zone expected")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
