"""Counts of a selection of strikes: each is the number of features of that selection, and that of its countries."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.routes.strike_counts import strike_clusters, strike_counts
from layers.snapshot.snapshot import Snapshot

Json = dict[str, Any]
STRIKES = "/collections/strikes/items"


def counts(client: TestClient, **selection: object) -> Json:
    answer = client.get("/strikes/counts", params={name: str(value) for name, value in selection.items()})
    assert answer.status_code == 200, answer.text
    counted: Json = answer.json()
    return counted


def matched(client: TestClient, **selection: object) -> int:
    answer = client.get(STRIKES, params={"limit": "1", **{name: str(value) for name, value in selection.items()}})
    assert answer.status_code == 200, answer.text
    number: int = answer.json()["numberMatched"]
    return number


SELECTIONS: tuple[Json, ...] = (
    {},
    {"country": "AZ"},
    {"country": "AZ", "datetime": "2025-01-01/2025-12-31"},
    {"country": "RU", "min_share": 25},
    {"country": "RU", "min_share": 25, "reading": "headquarters", "datetime": "2024-06-15/2025-02-16"},
    {"country": "AZ", "reading": "control"},
    {"country": "UA", "relation": "host", "filter": "\"group\" = 'gas'"},
    {"country": "AZ", "relation": "related"},
    {"country": "AZ", "relation": "operator", "q": "Одеса"},
    {"entity": "shell"},
    {"entity": "socar", "min_share": 51},
    {"entity": "socar", "relation": "operator"},
    {"q": "Кременчук"},
    {"commodity": "grain", "datetime": "../2023-01-01"},
)


@pytest.mark.parametrize("selection", SELECTIONS, ids=str)
def test_counts_are_those_of_the_features_of_the_same_selection(client: TestClient, selection: Json) -> None:
    counted = counts(client, **selection)
    assert counted["strikes"] == matched(client, **selection) > 0
    assert counted["sure"] == matched(client, **selection, certainty="sure")
    assert counted["possible"] == matched(client, **selection, certainty="possible")
    assert counted["sure"] + counted["possible"] == counted["strikes"]
    assert sum(counted["reasons"].values()) == counted["possible"]


@pytest.mark.parametrize("by", ["group", "status", "commodity", "country"])
@pytest.mark.parametrize(
    "selection", [{}, {"country": "RU", "datetime": "2025-03-01/2025-10-31", "min_share": 30}], ids=str
)
def test_each_group_is_as_large_as_its_own_selection(client: TestClient, by: str, selection: Json) -> None:
    counted = counts(client, **selection, by=by)["groups"]
    assert len(counted) >= 2
    sizes = [group["strikes"] for group in counted]
    assert sizes == sorted(sizes, reverse=True)
    for group in counted[:5]:
        value = group["value"]
        if value is None:
            own = {"filter": f'"{by}" IS NULL'}
        elif by in ("group", "status"):
            own = {"filter": f"\"{by}\" = '{value}'"}
        else:
            own = {by: value}
        assert group["strikes"] == matched(client, **{**selection, **own}), group


@pytest.mark.parametrize("role", [{"reading": "control"}, {"relation": "related"}, {"relation": "host"}], ids=str)
def test_a_country_has_as_many_strikes_among_all_as_by_itself(client: TestClient, role: dict[str, str]) -> None:
    """The web map reads the number of a chosen country off the counts by country, in each role."""
    for more in ({}, {"q": "depot"}, {"datetime": "2025-03-01/2025-10-31", "entity": "socar"}):
        groups = counts(client, **role, **more, by="country")["groups"]
        sizes = {group["value"]: group["strikes"] for group in groups}
        for iso in ("AZ", "KZ", "RU", "UA"):
            assert counts(client, **role, **more, country=iso)["strikes"] == sizes.get(iso, 0)


@pytest.mark.parametrize("unit", ["day", "week", "month", "year"])
def test_each_span_of_time_is_as_large_as_its_own_selection(client: TestClient, unit: str) -> None:
    counted = counts(client, country="UA", by=unit)
    spans = counted["spans"]
    assert counted["by"] == unit
    assert all(one["last"] < other["first"] for one, other in pairwise(spans))
    assert sum(span["sure"] for span in spans) <= counted["sure"]
    full = [span for span in spans if span["sure"] or span["possible"]]
    assert len(full) > 3
    for span in full[:12]:
        days = f"{span['first']}/{span['last']}"
        for certainty in ("sure", "possible"):
            assert span[certainty] == matched(client, country="UA", datetime=days, certainty=certainty), span


@pytest.mark.parametrize("iso", ["AZ", "RU", "UA", "KZ", "US", "GB"])
@pytest.mark.parametrize("days", [None, ("2025-01-01", "2025-12-31")], ids=["always", "a year"])
def test_a_country_is_counted_as_its_own_page_counts(
    client: TestClient, iso: str, days: tuple[str, str] | None
) -> None:
    period = {"since": days[0], "until": days[1]} if days else {}
    window = {"datetime": "/".join(days)} if days else {}
    for basis in ("registration", "headquarters"):
        relations = client.get(f"/countries/{iso}", params={"basis": basis, **period}).json()["relations"]
        counted = counts(client, country=iso, reading=basis, filter="status <> 'retracted'", **window)
        assert counted["strikes"] == relations["owner"]["strikes"]
        if not days:
            assert counted["sure"] == relations["owner"]["strikes_sure"]
    for relation in ("host", "operator", "supplier"):
        counted = counts(client, country=iso, relation=relation, filter="status <> 'retracted'", **window)
        relations = client.get(f"/countries/{iso}", params=period).json()["relations"]
        assert counted["strikes"] == relations[relation]["strikes"]


def test_spans_that_would_be_too_many_are_longer(client: TestClient) -> None:
    counted = counts(client, country="AZ", by="day")
    assert counted["by"] == "week"
    assert len(counted["spans"]) <= 5001


def test_a_share_is_sure_of_several_sites_if_it_is_of_each(client: TestClient) -> None:
    low, high = (counts(client, country="AZ", min_share=share) for share in (1, 100))
    assert 0 < high["strikes"] <= low["strikes"] <= counts(client, country="AZ")["strikes"]
    hits = client.get(
        "/collections/hits/items", params={"filter": "country = 'AZ' AND reading = 'registration'", "limit": "1000"}
    ).json()["features"]
    for least in (1, 25, 50, 99, 100):
        may = {hit["properties"]["strike"] for hit in hits if hit["properties"]["share_max"] >= least}
        assert counts(client, country="AZ", min_share=least)["strikes"] == len(may)


def test_a_holder_is_found_through_others(client: TestClient) -> None:
    features = client.get(STRIKES, params={"entity": "shell", "limit": "100"}).json()["features"]
    assert "ru-cpc-kropotkinskaya-2025-02-17" in {feature["id"] for feature in features}
    assert matched(client, entity="nobody-of-this-name") == 0


def test_who_controlled_is_another_question_than_who_owned(client: TestClient) -> None:
    controlled, owned = (matched(client, entity="state-az", reading=reading) for reading in ("control", "registration"))
    assert 0 < controlled <= owned
    country = matched(client, country="AZ", reading="control")
    assert controlled <= country


@pytest.mark.parametrize("text", ["Кременчук", "kremenchuk", "KREMENCHUK refinery"])
def test_words_are_found_in_any_script(client: TestClient, text: str) -> None:
    titles = [f["properties"]["title"] for f in client.get(STRIKES, params={"q": text}).json()["features"]]
    assert titles
    assert all("Kremenchuk" in title or "refiner" in title for title in titles)


def test_pages_of_a_selection_follow_each_other(client: TestClient) -> None:
    seen: list[str] = []
    address = f"{STRIKES}?country=RU&limit=7&sortby=-day_last,title"
    while address:
        page = client.get(address).json()
        seen += [feature["id"] for feature in page["features"]]
        address = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
    assert len(seen) == len(set(seen)) == matched(client, country="RU")


@pytest.mark.parametrize(
    "query",
    [
        "country=AZE",
        "min_share=101",
        "min_share=nan",
        "relation=friend",
        "certainty=maybe",
        "reading=x",
        "q=",
        "entity=",
    ],
)
def test_what_cannot_be_read_is_refused(client: TestClient, query: str) -> None:
    for path in (STRIKES, "/strikes/counts"):
        answer = client.get(f"{path}?{query}")
        assert answer.status_code == 400
        assert query.split("=")[0] in answer.json()["detail"]
    assert client.get(f"/collections/assets/items?{query}").status_code == 400
    assert client.get("/strikes/counts?by=colour").status_code == 400
    assert client.get("/strikes/counts?nothing=1").status_code == 400


@pytest.mark.parametrize("find", [strike_counts, strike_clusters], ids=["counts", "clusters"])
def test_an_answer_is_found_once_for_a_version(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, find: Callable[[Snapshot, dict[str, str]], bytes]
) -> None:
    asked = list[dict[str, str]]()

    def noted(snapshot: Snapshot, query: dict[str, str]) -> bytes:
        asked.append(query)
        return find(snapshot, query)

    monkeypatch.setattr(inspect.getmodule(find), find.__name__, noted)
    path = f"/strikes/{find.__name__.removeprefix('strike_')}"
    first, again, other = (
        client.get(f"{path}?{query}") for query in ("q=depot&country=RU", "country=RU&q=depot", "q=depot&country=UA")
    )
    assert first.json() == again.json() != other.json()
    assert len(asked) == 2
    unchanged = client.get(f"{path}?q=depot&country=RU", headers={"If-None-Match": first.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
