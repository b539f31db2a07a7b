"""How tests read pages: strictly, as HTML's grammar has it, and with an eye on what no page may have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
from starlette.testclient import TestClient

#: What a browser asks for.
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def read(page: str) -> Element:
    """The page as a tree; what is no valid HTML fails."""
    builder = html5lib.getTreeBuilder("etree")
    parser = html5lib.HTMLParser(builder, strict=True, namespaceHTMLElements=False)
    found: Element = parser.parse(page)
    require_fit(found)
    return found


def page(client: TestClient, path: str, status: int = 200) -> Element:
    """The page that a browser is answered."""
    answer = client.get(path, headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8"), path
    return read(answer.text)


def require_fit(page: Element) -> None:
    """Hold a page to what the grammar does not say: ids that are one, labels, texts for pictures, no inline script."""
    ids = [one.get("id") for one in page.iter() if one.get("id") is not None]
    assert len(ids) == len(set(ids)), [one for one in ids if ids.count(one) > 1]
    for one in page.iter():
        assert not [name for name in one.attrib if name.startswith("on") or name == "style"], one.attrib
        assert one.get("for") is None or one.get("for") in ids
        for name in (one.get("aria-labelledby") or "").split():
            assert name in ids
        if one.tag == "img":
            assert one.get("alt") is not None
        if one.tag in ("ul", "ol"):
            assert {child.tag for child in one} <= {"li"}
        if one.tag == "tr":
            assert {child.tag for child in one} <= {"th", "td"}
        assert one.tag != "style"
        if one.tag == "script" and one.get("type") == "application/ld+json":
            json.loads(one.text or "")  # a data block, which is never run
        else:
            assert one.tag != "script" or (one.get("src") and not (one.text or "").strip())
        for name in ("href", "src", "action"):
            assert re.match(r"https?://|#", one.get(name) or "#"), one.get(name)
    assert [one.tag for one in page.iter("h1")] == ["h1"]
    assert page.find("head/title") is not None
    assert page.get("lang") == "en"


def text(one: Element) -> str:
    """What a reader reads of an element, its blanks made one."""
    return " ".join("".join(one.itertext()).split())


def every(page: Element, tag: str, **attributes: str) -> Iterator[Element]:
    """Elements of a tag with certain attributes."""
    for one in page.iter(tag):
        if all(one.get(name.rstrip("_")) == value for name, value in attributes.items()):
            yield one


def addresses(page: Element) -> set[str]:
    """Where the links of a page lead."""
    return {one.get("href", "") for one in page.iter("a")}


def cells(page: Element) -> list[list[str]]:
    """The texts of the rows of all tables, heads first."""
    return [[text(cell) for cell in row] for row in page.iter("tr")]


def terms(page: Element) -> dict[str, list[str]]:
    """The properties that a page lists: by name in words, what is said of each."""
    (listed,) = every(page, "dl", class_="properties")
    found = {}
    for group in listed:
        name = (group[0].text or "").strip()
        found[name] = [text(one[0]) if len(one) and one[0].tag == "bdi" else text(one) for one in group[1:]]
    return found


def said(value: Any) -> str:
    """A plain value as a page says it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return " ".join(str(value).split())
