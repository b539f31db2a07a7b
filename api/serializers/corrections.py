"""Entries of the corrections log as JSON values and in words."""

from __future__ import annotations

from dataclasses import asdict

from api.http.json import Json
from api.wording.catalogue import ENGLISH, phrase
from layers.corrections.log import CorrectionEntry

#: Most letters of a value in a sentence.
_MAX_LETTERS = 200


def entry_values(entry: CorrectionEntry, language: str = ENGLISH) -> Json:
    """Give an entry: what changed from which value to which, when, why, and what it concerns."""
    table, record = entry.key or (None, None)
    return {
        "id": entry.id,
        "at": entry.at,
        "kind": entry.kind,
        "table": table,
        "record": record,
        "title": title(entry, language),
        "changes": [asdict(change) for change in entry.changes],
        "counts": [asdict(count) for count in entry.counts],
        "by": entry.role,
        "author": entry.author,
        "why": entry.why,
        "strikes": list(entry.strikes),
        "may_follow": list(entry.may_follow),
        "countries": list(entry.countries),
    }


def title(entry: CorrectionEntry, language: str = ENGLISH) -> str:
    """Name an entry in one line."""
    kind = phrase(f"corrections.{entry.kind}", language)
    if entry.key is None:
        datasets = sorted({count.dataset for count in entry.counts})
        return phrase("corrections.of-a-load", language, kind=kind, datasets=datasets)
    table, record = entry.key
    return phrase("corrections.of-a-record", language, kind=kind, table=table, name=entry.name or record)


def sentences(entry: CorrectionEntry, language: str = ENGLISH) -> list[str]:
    """Say in words what an entry changed, why, and what it concerns."""
    lines = [
        phrase("corrections.change", language, field=one.field, before=_plain(one.before), after=_plain(one.after))
        for one in entry.changes
    ]
    lines += [phrase("corrections.count", language, **asdict(count)) for count in entry.counts]
    lines.append(phrase("corrections.why", language, why=entry.why or phrase("corrections.no-why", language)))
    if entry.strikes:
        lines.append(phrase("corrections.concerns", language, strikes=list(entry.strikes)))
    return lines


def _plain(value: object) -> str:
    text = "–" if value is None else str(value)
    return text if len(text) <= _MAX_LETTERS else f"{text[:_MAX_LETTERS]}…"
