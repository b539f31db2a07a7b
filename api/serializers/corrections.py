"""Entries of the corrections log as JSON values, in words, and as an Atom feed (RFC 4287; RFC 5005, section 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from xml.etree import ElementTree

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


NAMESPACE = "http://www.w3.org/2005/Atom"


def atom_feed(
    entries: Sequence[CorrectionEntry],
    links: Sequence[Mapping[str, str]],
    address: str,
    of_entry: Callable[[str], str],
    updated: str,
    language: str = ENGLISH,
    *,
    feed: str | None = None,
) -> bytes:
    """Write a page of entries as a feed.

    Parameters
    ----------
    links
        Of the page: rel, href and type.
    address
        Of the whole log.
    of_entry
        Gives the address of an entry by its id.
    updated
        When the data changed last (RFC 3339), for a page without entries.
    feed
        Address that names the feed, where it is of a part of the log.
    """
    root = ElementTree.Element("feed", {"xmlns": NAMESPACE, "xml:lang": language})
    _add(root, "id", feed or address)
    _add(root, "title", phrase("corrections.feed", language))
    _add(root, "updated", max((entry.at for entry in entries), default=updated))
    _add(_added(root, "author"), "name", "StrikeAtlas")
    for link in links:
        _added(root, "link", {name: link[name] for name in ("rel", "href", "type")})
    for entry in entries:
        _add_entry(root, entry, of_entry(entry.id), language)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _add_entry(feed: ElementTree.Element, entry: CorrectionEntry, own: str, language: str) -> None:
    part = _added(feed, "entry")
    _add(part, "id", own)
    _add(part, "title", title(entry, language))
    _add(part, "updated", entry.at)
    _add(part, "published", entry.at)
    if entry.author is not None:
        _add(_added(part, "author"), "name", entry.author)
    _added(part, "link", {"rel": "alternate", "href": own, "type": "text/html"})
    for term in (entry.kind, *entry.countries):
        _added(part, "category", {"term": term})
    _add(part, "content", "\n".join(sentences(entry, language)))


def _added(parent: ElementTree.Element, name: str, attributes: Mapping[str, str] | None = None) -> ElementTree.Element:
    return ElementTree.SubElement(parent, name, dict(attributes or {}))


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    """Add an element of text; characters that XML cannot hold (XML 1.0, 2.2) are replaced."""
    _added(parent, name).text = "".join(letter if _is_fit(letter) else "\ufffd" for letter in text)


def _is_fit(letter: str) -> bool:
    number = ord(letter)
    return letter in "\t\n\r" or 0x20 <= number <= 0xD7FF or 0xE000 <= number <= 0xFFFD or number >= 0x10000
