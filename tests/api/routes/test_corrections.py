"""The corrections log over HTTP: JSON with keyset links, a page, and a feed that is valid by the rules of RFC 4287."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from starlette.testclient import TestClient

from layers.store.store import ANY, Edit
from tests.api.conftest import Own, Writers
from tests.api.feature_client import links, problem

ATOM = "{http://www.w3.org/2005/Atom}"
DEPOT = "ua-socar-depot-2025-08-08"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def edited(writers: Writers) -> Writers:
    """Five edits of one strike, by a reviewer; the fourth has a reason."""
    for number in range(5):
        reason = {"Change-Reason": '%"<b>%d0%ba</b> &amp; ]]> %e2%80%ae"'} if number == 3 else {}
        answer = writers.client.patch(
            f"/collections/strikes/items/{DEPOT}",
            json={"properties": {"note": f"note {number} <b>&amp;"}},
            headers={**writers.ann, "If-Match": "*", "Content-Type": "application/merge-patch+json", **reason},
        )
        assert answer.status_code == 200, answer.text
    return writers


def walked(client: TestClient, url: str) -> Iterator[Json]:
    while url:
        answer = client.get(url)
        assert answer.status_code == 200, answer.text
        document = answer.json()
        yield from document["corrections"]
        url = links(document).get("next", {}).get("href", "")


def test_edits_are_listed_newest_first(edited: Writers) -> None:
    document = edited.client.get("/corrections").json()
    assert document["numberReturned"] == len(document["corrections"]) == 6
    newest = document["corrections"][0]
    assert newest["changes"] == [{"field": "note", "before": "note 3 <b>&amp;", "after": "note 4 <b>&amp;"}]
    assert (newest["kind"], newest["table"], newest["record"]) == ("correction", "strikes", DEPOT)
    assert newest["why"] is None
    assert newest["author"] is None
    assert "Ann" not in str(document)


def test_a_reason_is_told_as_text(edited: Writers) -> None:
    reason = "<b>к</b> &amp; ]]> \u202e"
    address = f"/corrections?record={DEPOT}&limit=2"
    document = edited.client.get(address).json()
    assert [entry["why"] for entry in document["corrections"]] == [None, reason]
    feed = ElementTree.fromstring(edited.client.get(f"{address}&f=atom").content)
    contents = [entry.findtext(f"{ATOM}content") or "" for entry in feed.findall(f"{ATOM}entry")]
    assert [reason in content for content in contents] == [False, True]
    page = edited.client.get(f"{address}&f=html").text
    assert "<bdi>&lt;b&gt;к&lt;/b&gt; &amp;amp; ]]&gt; \u202e</bdi>" in page


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_next_links_lead_through_all(edited: Writers, limit: int) -> None:
    whole = [entry["id"] for entry in walked(edited.client, "/corrections?limit=1000")]
    assert [entry["id"] for entry in walked(edited.client, f"/corrections?limit={limit}")] == whole
    filtered = f"/corrections?limit={limit}&kind=correction&strike={DEPOT}"
    assert [entry["id"] for entry in walked(edited.client, filtered)] == whole[:5]


def test_pages_stay_as_they_are_while_changes_come(edited: Writers) -> None:
    first = edited.client.get("/corrections?limit=2").json()
    following = links(first)["next"]["href"]
    before = edited.client.get(following).json()["corrections"]
    store = edited.store
    strike = store.records().strikes["ua-orlivka-2025-08-06"]
    store.write(Edit("strikes", strike.id, strike.model_copy(update={"note": "later"}), ANY), author="Ben")
    edited.app.state.atlas.refresh()
    assert edited.client.get(following).json()["corrections"] == before
    assert edited.client.get("/corrections?limit=1").json()["corrections"][0]["record"] == strike.id
    store.write(Edit("strikes", strike.id, strike, ANY), author="Ben")
    edited.app.state.atlas.refresh()


def test_every_entry_has_an_address(edited: Writers) -> None:
    for entry in walked(edited.client, "/corrections"):
        assert edited.client.get(f"/corrections/{entry['id']}").json() == entry
        assert edited.client.get(f"/corrections/{entry['id']}?f=html").status_code == 200


@pytest.mark.parametrize("entry", ["999999", "0", "load-2", "999999999999999"])
def test_an_entry_that_is_not_there(edited: Writers, entry: str) -> None:
    problem(edited.client, f"/corrections/{entry}", 404)


@pytest.mark.parametrize(
    "query",
    ["since=yesterday", "since=2026-02-30", "until=2026-13-01", "since=2026-01-01T10:00:00", "kind=other", "limit=0",
     "limit=x", "before=0", "before=1e3", "country=AZE", "country=%D0%90%D0%91", "colour=red", "f=rss", "since="]
)  # fmt: skip
def test_what_cannot_be_read_is_refused(edited: Writers, query: str) -> None:
    problem(edited.client, f"/corrections?{query}", 400)


def test_an_unknown_strike_is_not_found(edited: Writers) -> None:
    problem(edited.client, "/corrections?strike=nope", 404)
    assert edited.client.get("/corrections?record=nope").json()["corrections"] == []


def test_a_site_and_an_owner_have_feeds_of_their_own(edited: Writers) -> None:
    for parameter in ("asset=a-socar-sintez", "entity=socar", "country=AZ"):
        told = [entry["record"] for entry in walked(edited.client, f"/corrections?{parameter}")]
        assert told.count(DEPOT) >= 5, parameter
        feed = ElementTree.fromstring(edited.client.get(f"/corrections?{parameter}&f=atom&limit=2").content)
        assert feed.findtext(f"{ATOM}id", "").endswith(f"/corrections?{parameter}")
        assert len(feed.findall(f"{ATOM}entry")) == 2
    for parameter in ("asset=a-abq", "entity=aramco"):
        entries = [*walked(edited.client, f"/corrections?{parameter}")]
        assert DEPOT not in {entry["record"] for entry in entries}
    assert edited.client.get("/corrections?asset=nothing").json()["corrections"] == []


def test_the_page_shows_all_as_text(edited: Writers) -> None:
    answer = edited.client.get("/corrections", headers={"Accept": "text/html"})
    assert answer.headers["content-type"].startswith("text/html")
    assert "note 4 &lt;b&gt;&amp;amp;" in answer.text
    assert "no reason was stated" in answer.text
    assert "Ann" not in answer.text
    for path in ("/", f"/collections/strikes/items/{DEPOT}"):
        assert "/corrections" in edited.client.get(path, headers={"Accept": "text/html"}).text


def test_the_log_is_linked(edited: Writers) -> None:
    landing = edited.client.get("/").json()
    assert {link["type"] for link in landing["links"] if link["href"].split("?")[0].endswith("/corrections")} == {
        "application/json",
        "application/atom+xml",
    }
    answer = edited.client.get(f"/strikes/{DEPOT}/attribution").json()
    address = answer["corrections"]
    assert urlsplit(address).path == "/corrections"
    assert [entry["kind"] for entry in walked(edited.client, address)][:5] == ["correction"] * 5


def test_answers_are_revalidated(edited: Writers) -> None:
    for form in ("json", "html", "atom"):
        first = edited.client.get(f"/corrections?f={form}")
        again = edited.client.get(f"/corrections?f={form}", headers={"If-None-Match": first.headers["etag"]})
        assert again.status_code == 304


class TestFeed:
    """A feed of RFC 4287, by the clauses that are named."""

    @pytest.fixture
    def feed(self, edited: Writers) -> ElementTree.Element:
        answer = edited.client.get("/corrections?limit=3", headers={"Accept": "application/atom+xml"})
        assert answer.headers["content-type"].startswith("application/atom+xml")
        root = ElementTree.fromstring(answer.content)
        assert root.tag == f"{ATOM}feed"
        return root

    def test_a_feed_has_one_id_title_and_time(self, feed: ElementTree.Element) -> None:
        """4.1.1: exactly one of each; an author where entries have none."""
        for part in (feed, *feed.iter(f"{ATOM}entry")):
            for name in ("id", "title", "updated"):
                assert len(part.findall(f"{ATOM}{name}")) == 1
        assert feed.findtext(f"{ATOM}author/{ATOM}name")

    def test_times_are_those_of_rfc_3339(self, feed: ElementTree.Element) -> None:
        """3.3."""
        stamps = [part.text or "" for name in ("updated", "published") for part in feed.iter(f"{ATOM}{name}")]
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", stamp) for stamp in stamps)
        assert feed.findtext(f"{ATOM}updated") == max(stamps, key=datetime.fromisoformat)

    def test_ids_are_absolute_and_unique(self, feed: ElementTree.Element) -> None:
        """4.2.6."""
        ids = [part.text or "" for part in feed.iter(f"{ATOM}id")]
        assert len(ids) == len(set(ids)) == 4
        assert all(urlsplit(one).scheme and urlsplit(one).netloc for one in ids)

    def test_links_name_the_feed_its_other_forms_and_older_entries(self, feed: ElementTree.Element) -> None:
        """4.1.1: one self link is recommended; RFC 5005, 3: next leads to older entries."""
        found = [(link.get("rel"), link.get("type")) for link in feed.findall(f"{ATOM}link")]
        assert found.count(("self", "application/atom+xml")) == 1
        assert ("next", "application/atom+xml") in found
        assert len(found) == len(set(found)), "no two alternate links of one type"

    def test_an_entry_has_content_or_an_alternate_link(self, feed: ElementTree.Element, edited: Writers) -> None:
        """4.1.2; the address of an entry is there."""
        for entry in feed.iter(f"{ATOM}entry"):
            (alternate,) = [one for one in entry.findall(f"{ATOM}link") if one.get("rel") == "alternate"]
            assert edited.client.get(urlsplit(alternate.get("href", "")).path).status_code == 200
            assert "no reason was stated" in (entry.findtext(f"{ATOM}content") or "")

    def test_pages_of_the_feed_are_those_of_the_log(self, edited: Writers) -> None:
        address, found = "/corrections?f=atom&limit=2", []
        while address:
            root = ElementTree.fromstring(edited.client.get(address).content)
            found += [(entry.findtext(f"{ATOM}id") or "").rpartition("/")[2] for entry in root.iter(f"{ATOM}entry")]
            following = [one.get("href", "") for one in root.findall(f"{ATOM}link") if one.get("rel") == "next"]
            address = following[0] if following else ""
        assert found == [entry["id"] for entry in walked(edited.client, "/corrections")]

    def test_characters_that_xml_cannot_hold_are_replaced(self, own: Own) -> None:
        strike = own.store.records().strikes[DEPOT]
        bad = strike.model_copy(update={"note": "a\x0bb\uffff\U0001f600"})
        own.store.write(Edit("strikes", DEPOT, bad, ANY), author="tests")
        own.app.state.atlas.refresh()
        root = ElementTree.fromstring(own.client.get("/corrections?f=atom&limit=1").content)
        assert "a\ufffdb\ufffd\U0001f600" in (root.findtext(f"{ATOM}entry/{ATOM}content") or "")
        own.store.write(Edit("strikes", DEPOT, strike, ANY), author="tests")
        own.app.state.atlas.refresh()

    def test_an_empty_page_is_a_feed_too(self, edited: Writers) -> None:
        root = ElementTree.fromstring(edited.client.get("/corrections?f=atom&record=nope").content)
        assert root.findtext(f"{ATOM}updated")
        assert not list(root.iter(f"{ATOM}entry"))
