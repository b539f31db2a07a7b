"""Pages that are cited, in another language: what they say is said in it, and their links stay in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree.ElementTree import Element

import html5lib
import pytest
from starlette.testclient import TestClient

from api.wording.catalogue import Sentence, catalogue
from tests.api.html_reading import BROWSER, every, text

STATIC = Path(__file__).resolve().parents[3] / "static"
STRIKE = "/collections/strikes/items/ua-socar-depot-2025-08-08"
COUNTRY = "/countries/AZ"
#: Pages of each kind, and a view of the map, whose head is in words.
PAGES = (
    STRIKE,
    "/collections/strikes/items/ru-cpc-kropotkinskaya-2025-02-17",
    "/collections/assets/items/a-abq",
    "/entities/socar/holdings",
    COUNTRY,
    "/map?country=AZ&kinds=oil&from=2025-01-01&to=2025-12-31&within=5000&certainty=sure",
)
LANGUAGES = ("uk", "de")
#: What stays in the language it was written in: quotations and titles of sources; columns and members are folded away.
_AS_WRITTEN = (("q", None), ("ol", "numbered"), ("details", None), ("section", "links"))
_GAP = re.compile(r"\{[^{}]*\}")


def sentences(language: str) -> Iterator[str]:
    """Texts of the page and of the server in a language, each plural form by itself."""
    yield from json.loads((STATIC / f"text.{language}.json").read_text(encoding="utf-8")).values()
    entries: Iterator[Sentence] = iter(catalogue(language).values())
    for entry in entries:
        yield from (entry,) if isinstance(entry, str) else entry.values()


def pieces(language: str) -> set[str]:
    """Whatever such a text has between its gaps, where that is longer than two words."""
    parts = (part.strip(" .,;:()“”") for sentence in sentences(language) for part in _GAP.split(sentence))
    return {part for part in parts if len(part.split()) > 2}


def without_what_was_written(page: Element) -> Element:
    for parent in list(page.iter()):
        for child in list(parent):
            if any(child.tag == tag and name in (None, child.get("class")) for tag, name in _AS_WRITTEN):
                parent.remove(child)
    return page


def shown(client: TestClient, path: str, language: str) -> Element:
    answer = client.get(f"{path}{'&' if '?' in path else '?'}lang={language}", headers=BROWSER)
    assert answer.status_code == 200, path
    builder = html5lib.getTreeBuilder("etree")
    found: Element = html5lib.HTMLParser(builder, namespaceHTMLElements=False).parse(answer.text)
    assert found.get("lang") == language
    return found


def said(page: Element) -> str:
    """What a page says to its reader, and in its head."""
    head = [one.get("content", "") for one in page.iter("meta")]
    labels = [value for one in page.iter() for name in ("aria-label", "alt") if (value := one.get(name))]
    body = " ".join(text(one) for one in page.iter("main"))
    return "\n".join((text(next(page.iter("title"))), *head, *labels, body))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_no_sentence_in_english(client: TestClient, path: str, language: str) -> None:
    page = without_what_was_written(shown(client, path, language))
    content = said(page)
    assert text(next(page.iter("title"))).endswith(" · StrikeAtlas"), "what it says comes first"
    assert sorted(part for part in pieces("en") - pieces(language) if part in content) == []


def test_such_sentences_would_be_found(client: TestClient) -> None:
    """In English the same pages have many."""
    for path in PAGES[:-1]:
        content = said(without_what_was_written(shown(client, path, "en")))
        assert sum(part in content for part in pieces("en")) > 10, path


@pytest.mark.parametrize(
    ("language", "name", "other"), [("uk", "Азербайджан", "Росія"), ("de", "Aserbaidschan", "Russ")]
)
def test_countries_are_named_in_the_language(client: TestClient, language: str, name: str, other: str) -> None:
    country = shown(client, COUNTRY, language)
    assert [text(one) for one in country.iter("h1")] == [name]
    assert "Azerbaijan," not in said(without_what_was_written(country))
    assert name in said(shown(client, "/entities/socar/holdings", language))
    consortium = said(shown(client, "/collections/strikes/items/ru-cpc-kropotkinskaya-2025-02-17", language))
    assert other in consortium
    assert re.search(r"\d,\d+\s%", consortium), "decimals have a comma"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_strike_has_the_title_of_its_record_in_the_language(client: TestClient, language: str) -> None:
    record = client.get("/strikes/ua-socar-depot-2025-08-08/attribution").json()["strike"]
    page = shown(client, STRIKE, language)
    assert text(next(page.iter("h1"))) == record["titles"][language]
    (data,) = [one.text or "" for one in page.iter("script") if one.get("type") == "application/ld+json"]
    assert json.loads(data)["about"]["name"] == record["titles"][language]
    assert json.loads(data)["inLanguage"] == language


@pytest.mark.parametrize(
    ("language", "region", "france"),
    [("uk", "Ленінградська область", "Франція"), ("de", "Oblast Leningrad", "Frankreich")],
)
def test_a_strike_names_its_region_and_the_small_holders(
    client: TestClient, language: str, region: str, france: str
) -> None:
    page = said(shown(client, "/collections/strikes/items/ru-novatek-2025-08-24", language))
    assert region in page
    assert re.search(rf"{france}\s19,4\s%", page), "TotalEnergies in Novatek"


@pytest.mark.parametrize("path", PAGES[:-1])
def test_links_between_pages_stay_in_the_language(client: TestClient, path: str) -> None:
    page = shown(client, path, "uk")
    for group in (*every(page, "section", class_="links"), *every(page, "nav", class_="languages")):
        group.clear()
    found = [one.get("href", "") for one in page.iter("a") if not str(one.get("download", "")).startswith("strikes.")]
    own = [urlsplit(one) for one in found if one.startswith("http://testserver/") and "/static/" not in one]
    assert len(own) > 10
    assert [one.geturl() for one in own if parse_qs(one.query).get("lang") != ["uk"]] == []
    (canonical,) = [one.get("href", "") for one in every(page, "link", rel="canonical")]
    assert canonical == f"http://testserver{path}?lang=uk"
    cited = client.get("/cite", params={"url": canonical, "lang": "uk"}).json()
    assert cited["url"] == canonical
    assert text(next(page.iter("title"))).split() == [*cited["title"].split(), "·", "StrikeAtlas"]


@pytest.mark.parametrize("iso", ["RU", "AZ", "QA"])
def test_shares_in_whole_sites_have_two_decimals(client: TestClient, iso: str) -> None:
    owner = client.get(f"/countries/{iso}").json()["relations"]["owner"]
    ends = "–".join(dict.fromkeys(f"{round(owner[end], 2):g}" for end in ("assets_min", "assets_max")))
    assert re.search(rf"in site equivalents\s*{re.escape(ends)}(?!\d)", said(shown(client, f"/countries/{iso}", "en")))
    assert re.search(rf"\D{ends.replace('.', ',')}(?!\d)", said(shown(client, f"/countries/{iso}", "de")))
