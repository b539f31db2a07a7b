"""The corrections log as an Atom feed (RFC 4287), paged as RFC 5005, section 3 says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from xml.etree import ElementTree

from api.serializers.corrections import sentences, title
from api.wording.catalogue import ENGLISH, phrase
from layers.corrections.log import CorrectionEntry

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
