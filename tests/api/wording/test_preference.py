"""The language of an answer: by lang, by Accept-Language, in pages and in sentences of answers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.html import pages
from api.wording import catalogue, preference
from api.wording.countries import country_names, region_names
from api.wording.dates import date_in_words
from api.wording.preference import preferred
from layers.model.records import Records

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


def test_the_sentences_of_static_pages_are_found_in_them() -> None:
    source = (STATIC / "index.html").read_text(encoding="utf-8") + (STATIC / "review.html").read_text(encoding="utf-8")
    assert all(catalogue.phrase(code) in source for code in catalogue.codes("html.static."))


def test_what_is_declared_in_english_is_found_in_the_code() -> None:
    """Of adjacent literals the whole counts."""
    files = [path for ring in ("layers", "api") for path in (STATIC.parent / ring).rglob("*.py")]
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in files)
    texts = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert [code for code in catalogue.codes("declared.") if catalogue.phrase(code) not in texts] == []


@pytest.fixture
def strike(client: TestClient) -> str:
    found: str = client.get("/collections/strikes/items?limit=1").json()["features"][0]["id"]
    return found


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
    assert '<html lang="de">' in client.get("/collections/strikes/items?limit=5&lang=de", headers=BROWSER).text
    assert '<html lang="en">' in client.get("/nowhere", headers=BROWSER).text
    assert "Daten" in client.get("/nowhere?lang=de", headers=BROWSER).text


@pytest.mark.usefixtures("german")
def test_the_map_comes_in_that_language(client: TestClient) -> None:
    answer = client.get("/map", headers={"accept-language": "de"})
    assert '<html lang="de">' in answer.text
    assert "Zur Liste der Angriffe" in answer.text
    assert answer.headers["vary"].startswith("Accept-Language")
    assert client.get("/map").text == (STATIC / "index.html").read_text(encoding="utf-8")


WORDED = ("/strikes/{strike}/attribution", "/policy", "/corrections", "/search?q=Ukraine", "/about")


@pytest.mark.parametrize("path", WORDED)
def test_answers_in_words_differ_by_language_for_caches(client: TestClient, strike: str, path: str) -> None:
    address = path.format(strike=strike)
    plain = client.get(address)
    answers = {tag: client.get(address, headers={"accept-language": tag}) for tag in ("en", "uk", "de")}
    assert len({answer.headers["etag"] for answer in answers.values()}) == 3
    assert (plain.content, plain.headers["etag"]) == (answers["en"].content, answers["en"].headers["etag"])
    for tag, answer in answers.items():
        assert answer.headers["content-language"] == tag
        assert answer.headers["vary"].startswith("Accept, Accept-Language")
        known = {"accept-language": tag, "if-none-match": answer.headers["etag"]}
        assert client.get(address, headers=known).status_code == 304
        assert (
            client.get(address, headers={**known, "accept-language": "uk" if tag != "uk" else "de"}).status_code == 200
        )


def test_headlines_are_said_in_each_language(client: TestClient, strike: str) -> None:
    english, ukrainian, german = (
        client.get(f"/strikes/{strike}/attribution?lang={tag}").json() for tag in ("en", "uk", "de")
    )
    assert len({told["headline"] for told in (english, ukrainian, german)}) == 3
    assert re.search("[а-щ]", ukrainian["headline"])
    said = ("headline", "headline_parts", "readings", "owners", "related", "assets", "candidates")
    assert {name: part for name, part in english.items() if name not in said} == {
        name: part for name, part in german.items() if name not in said
    }


def test_features_do_not_depend_on_the_language(client: TestClient) -> None:
    english, ukrainian = (
        client.get("/collections/strikes/items?limit=3", headers={"accept-language": tag}) for tag in ("en", "uk")
    )
    assert english.content == ukrainian.content
    assert english.headers["etag"] == ukrainian.headers["etag"]
    assert "accept-language" not in ukrainian.headers["vary"].lower()


def test_pages_have_a_switch_that_leads_to_themselves_in_each_language(client: TestClient) -> None:
    page = client.get("/collections/strikes/items?limit=5&lang=uk", headers=BROWSER).text
    assert re.search(r'href="[^"]*/collections/strikes/items\?limit=5&amp;lang=de" lang="de"', page)
    assert 'lang="uk" hreflang="uk" aria-current="true"' in page
    assert "/collections?lang=uk" in page


def test_countries_are_named_in_each_language() -> None:
    english = {"AZ": "Azerbaijan", "X1": "Nowhere"}
    assert country_names(english, "en") == english
    assert [country_names(english, tag)["AZ"] for tag in ("uk", "de")] == ["Азербайджан", "Aserbaidschan"]
    assert country_names(english, "uk")["X1"] == "Nowhere"


def test_each_region_of_the_bundled_strikes_has_a_name_in_each_language(records: Records) -> None:
    regions = {strike.region for strike in records.strikes.values() if strike.region}
    assert {region for region in regions if region_names(region).keys() != {"de", "uk"}} == set()
    assert region_names("Odesa oblast") == {"de": "Oblast Odessa", "uk": "Одеська область"}
    assert region_names("Nowhere") == region_names(None) == {}


@pytest.mark.parametrize(
    ("tag", "day", "range_"),
    [
        ("en", "6 August 2025", "5–6 August 2025"),
        ("uk", "6 серпня 2025 року", "5–6 серпня 2025 року"),
        ("de", "6. August 2025", "5.–6. August 2025"),
    ],
)
def test_dates_are_written_as_in_the_language(tag: str, day: str, range_: str) -> None:
    assert date_in_words("2025-08-06", tag) == day
    assert date_in_words("2025-08-05/2025-08-06", tag) == range_
