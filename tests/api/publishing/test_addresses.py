"""Each answer has one file, no two have the same, and what has none leads to the page that says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.publishing.addresses import PublishedAddresses, subject_name
from api.publishing.directory import is_safe

BASE = "https://atlas.example/maps"
OWN = PublishedAddresses(BASE, "uk", ("en", "uk"))
IDS = st.from_regex(r"[a-z0-9][a-z0-9._/>@-]{0,40}", fullmatch=True)


@pytest.mark.parametrize(
    ("path", "query", "file"),
    [
        ("/", {}, "uk/index.html"),
        ("/", {"lang": "en"}, "index.html"),
        ("/map", {"strike": "x"}, "uk/map.html?strike=x"),
        ("/static/pages.css", {}, "static/pages.css"),
        ("/collections/strikes/items/a%3Eb", {}, "uk/strikes/a%3Eb.html"),
        ("/strikes/wri/1/attribution", {"f": "json"}, "uk/strikes/wri/1.json"),
        ("/assets/a/owners", {"f": "html"}, "uk/assets/a.html"),
        ("/entities/e/holdings", {}, "uk/entities/e.html"),
        ("/countries/AZ", {"f": "json"}, "uk/countries/AZ.json"),
        ("/collections", {}, "uk/index.html#data"),
        ("/collections/strikes/items", {"country": "AZ", "certainty": "sure"}, "uk/map.html?country=AZ&certainty=sure"),
        ("/corrections", {"f": "atom"}, "uk/corrections.xml"),
        ("/corrections", {"before": 7, "f": "json", "limit": 10}, "uk/corrections/before-7.json"),
        ("/corrections/load-3", {}, "uk/corrections/load-3.html"),
    ],
)
def test_an_answer_has_a_file(path: str, query: dict[str, object], file: str) -> None:
    assert OWN.find(path, query) == f"{BASE}/{file}"
    assert OWN.find_or_say(path, query) == f"{BASE}/{file}"


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api", {}),
        ("/cite", {"url": "x"}),
        ("/map", {"f": "png"}),
        ("/", {"lang": "de"}),
        ("/collections/strikes/items/x", {"f": "json"}),
        ("/collections/strikes/items", {"f": "csv"}),
        ("/corrections/load-3", {"f": "atom"}),
        ("/records/strikes/x", {}),
        ("", {"f": "json"}),
    ],
)
def test_what_needs_a_server_leads_to_the_page_that_says_so(path: str, query: dict[str, object]) -> None:
    assert OWN.find(path, query) is None
    assert OWN.find_or_say(path, query) == f"{BASE}/uk/index.html#server" == OWN.needs_server


@given(IDS)
def test_the_files_of_any_id_lie_in_their_folder(key: str) -> None:
    assert is_safe(f"{subject_name('strikes', key)}.html")


@given(st.lists(IDS, min_size=2, max_size=2, unique=True))
def test_no_file_is_that_of_two_ids_nor_the_folder_of_another(keys: list[str]) -> None:
    one, other = (f"{subject_name('strikes', key)}.html" for key in keys)
    assert one != other
    assert not other.startswith(f"{one}/")
