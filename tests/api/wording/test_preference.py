"""The language of an answer: by lang, by Accept-Language, and of pages where a second language has a file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.html import pages
from api.wording import catalogue, preference
from api.wording.catalogue import ENGLISH, languages
from api.wording.preference import preferred

STATIC = Path(__file__).resolve().parents[3] / "static"
OFFERED = ("en", "de", "uk", "zh-Hant")
BROWSER = {"accept": "text/html"}
GERMAN = """
[language]
plurals = "one-other"
[html.base]
skip = "Zum <Inhalt>"
data = "Daten"
[html.items]
count = { one = "{number} Objekt, {shown} hier.", other = "{number} Objekte, {shown} hier." }
[html.static]
map-skip = "Zur Liste der Angriffe"
"""


@pytest.mark.parametrize(
    ("lang", "accepted", "language"),
    [
        (None, None, "en"),
        (None, "", "en"),
        (None, "de", "de"),
        (None, "de-AT, en;q=0.5", "de"),
        (None, "fr, de;q=0.4, uk;q=0.9", "uk"),
        (None, "fr, *;q=0.1", "en"),
        (None, "en-GB, de", "en"),
        (None, "de;q=0, uk;q=0.0", "en"),
        (None, "ZH-hant-TW", "zh-Hant"),
        (None, "de;q=x, , ;;, \u00e4, uk", "uk"),
        ("uk", "de", "uk"),
        ("DE-ch", None, "de"),
        ("fr", "de", "de"),
        ("../../etc/passwd", None, "en"),
    ],
)
def test_lang_counts_first_and_then_the_header_by_its_weights(
    lang: str | None, accepted: str | None, language: str
) -> None:
    assert preferred(lang, accepted, OFFERED) == language


def gaps(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_the_texts_of_the_page_have_a_catalogue_and_the_gaps_of_the_english_ones() -> None:
    tables = {
        path.name.split(".")[1]: json.loads(path.read_text(encoding="utf-8")) for path in STATIC.glob("text.*.json")
    }
    english = tables[ENGLISH]
    assert tables.keys() <= set(languages())
    for table in tables.values():
        for name, text in table.items():
            other = re.sub(r"_(zero|one|two|few|many)$", "_other", name)
            assert gaps(text) <= gaps(english.get(name, english.get(other, ""))), name
            assert name in english or other in english, name


def test_the_sentences_of_static_pages_are_found_in_them() -> None:
    source = (STATIC / "index.html").read_text(encoding="utf-8") + (STATIC / "review.html").read_text(encoding="utf-8")
    assert all(catalogue.phrase(code) in source for code in catalogue.codes("html.static."))


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A second language: a catalogue with a few sentences beside the English one."""
    english = Path(catalogue.__file__).with_name("en.toml")
    (tmp_path / "en.toml").write_bytes(english.read_bytes())
    (tmp_path / "de.toml").write_text(GERMAN, encoding="utf-8")
    monkeypatch.setattr("api.wording.catalogue._FOLDER", tmp_path)
    caches = (catalogue.languages, catalogue.catalogue, catalogue.codes, preference.preferred, pages.templates)
    for cached in caches:
        cached.cache_clear()
    yield
    monkeypatch.undo()
    for cached in caches:
        cached.cache_clear()


@pytest.mark.usefixtures("german")
def test_pages_come_in_a_language_that_has_a_file_and_missing_sentences_in_english(client: TestClient) -> None:
    english = client.get("/collections/strikes/items?limit=5", headers=BROWSER)
    german = client.get("/collections/strikes/items?limit=5", headers={**BROWSER, "accept-language": "de-AT"})
    assert '<html lang="de">' in german.text
    assert "Zum &lt;Inhalt&gt;" in german.text
    assert "Objekte, 5 hier." in german.text
    assert "Show all" not in german.text
    assert "Sort by" in german.text
    assert english.headers["etag"] != german.headers["etag"]
    for answer in (english, german):
        assert "Accept-Language" in answer.headers["vary"]
    assert client.get("/collections/strikes/items?limit=5&lang=de", headers=BROWSER).text.count('lang="de"') == 1
    assert '<html lang="en">' in client.get("/nowhere", headers=BROWSER).text
    assert "Daten" in client.get("/nowhere?lang=de", headers=BROWSER).text


@pytest.mark.usefixtures("german")
def test_the_map_comes_in_that_language(client: TestClient) -> None:
    answer = client.get("/map", headers={"accept-language": "de"})
    assert '<html lang="de">' in answer.text
    assert "Zur Liste der Angriffe" in answer.text
    assert answer.headers["vary"].startswith("Accept-Language")
    assert client.get("/map").text == (STATIC / "index.html").read_text(encoding="utf-8")


def test_with_english_alone_nothing_depends_on_the_language(client: TestClient) -> None:
    if len(languages()) > 1:
        pytest.skip("there are more languages")
    plain = client.get("/", headers=BROWSER)
    german = client.get("/", headers={**BROWSER, "accept-language": "de"})
    assert (plain.content, dict(plain.headers)) == (german.content, dict(german.headers))
    assert client.get("/collections?lang=de").status_code == 400
