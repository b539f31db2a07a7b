"""One search for all that has a name, in any script."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

#: Strikes at Kremenchuk, newest first; the newest is a draft.
KREMENCHUK = [
    "ua-refineries-2025-06-29",
    "ua-kremenchuk-refinery-2025-06-15",
    "ua-kremenchuk-refinery-2023-09-20",
    "ua-kremenchuk-refinery-2022-06-18",
    "ua-kremenchuk-refinery-2022-05-12",
    "ua-kremenchuk-refinery-2022-04-24",
    "ua-kremenchuk-refinery-2022-04-02",
]


def results(client: TestClient, text: str, **more: str) -> dict[str, list[dict[str, Any]]]:
    answer = client.get("/search", params={"q": text, **more})
    assert answer.status_code == 200, answer.text
    return {group["kind"]: group["results"] for group in answer.json()["groups"]}


@pytest.mark.parametrize(
    ("text", "kind", "key"),
    [
        ("Shell", "company", "shell"),
        ("SOCAR", "company", "socar"),
        ("сокар", "company", "socar"),
        ("State Oil Company of the Azer", "company", "socar"),
        ("Azerbaijan", "country", "AZ"),
        ("socar", "company", "socar"),
        ("ru-cpc-kropotkinskaya-2025-02-17", "strike", "ru-cpc-kropotkinskaya-2025-02-17"),
    ],
)
def test_the_name_itself_comes_first(client: TestClient, text: str, kind: str, key: str) -> None:
    assert results(client, text)[kind][0]["id"] == key


@pytest.mark.parametrize("text", ["Кременчук", "Kremenchuk"])
def test_a_town_is_found_with_its_sites_and_strikes(client: TestClient, text: str) -> None:
    groups = results(client, text)
    assert any("Kremenchuk" in row["name"] for row in groups["asset"])
    assert all("Kremenchuk" in row["name"] or "Kremenchuk" in row["matched"] for row in groups["strike"])
    assert groups["place"][0]["name"] == "Kremenchuk"
    assert groups["place"][0]["lon"] == pytest.approx(33.42, abs=0.1)


SPELLINGS = (
    "Kremenchuk",
    "Кременчук",
    "Кременчуг",
    "Kremenchug",
    "Krementschuk",
    "кременчук нпз",
    "refinery kremenchug",
)


@pytest.mark.parametrize("text", SPELLINGS)
def test_every_spelling_and_the_word_of_a_kind_find_the_same_strikes_newest_first(
    client: TestClient, text: str
) -> None:
    answer = client.get("/search", params={"q": text, "limit": "50"}).json()
    groups = {group["kind"]: group for group in answer["groups"]}
    listed = client.get("/collections/strikes/items", params={"q": text, "limit": "50"}).json()
    assert [row["id"] for row in groups["strike"]["results"]] == KREMENCHUK
    assert {one["id"] for one in listed["features"]} == set(KREMENCHUK)
    assert "a-kremenchuk" in [row["id"] for row in groups["asset"]["results"]]
    assert answer["count"] == sum(group["total"] for group in answer["groups"])


def test_what_is_counted_is_shown_or_said_to_be_more(client: TestClient) -> None:
    groups = client.get("/search", params={"q": "НПЗ", "limit": "2"}).json()["groups"]
    of = {group["kind"]: group for group in groups}
    matched = client.get("/collections/strikes/items", params={"q": "НПЗ", "limit": "1"}).json()["numberMatched"]
    assert of["strike"]["total"] == matched > 100
    assert of["asset"]["total"] > 40
    assert all(len(group["results"]) == min(2, group["total"]) for group in groups)


def test_a_place_is_found_by_another_name_that_the_gazetteer_has(client: TestClient) -> None:
    answer = client.get("/search", params={"q": "Николаев", "limit": "50"}).json()
    groups = {group["kind"]: group for group in answer["groups"]}
    assert answer["searched"] == "Mykolayiv"
    listed = client.get("/collections/strikes/items", params={"q": answer["searched"]}).json()
    assert len(listed["features"]) == groups["strike"]["total"] > 1
    assert all("Mykolaiv" in row["name"] for row in groups["strike"]["results"])


def test_a_strike_is_sure_to_be_of_a_kind_only_where_every_site_is(client: TestClient) -> None:
    query = {
        "q": "TES",
        "limit": "1000",
        "certainty": "possible",
        "filter": "status IN ('reported','corroborated','verified')",
    }
    for feature in client.get("/collections/strikes/items", params=query).json()["features"]:
        assert len(feature["properties"]["assets"]) > 1


def test_sites_that_were_struck_more_come_first(client: TestClient) -> None:
    strikes = [row["strikes"] for row in results(client, "refinery", limit="20")["asset"]]
    assert strikes == sorted(strikes, reverse=True)
    assert strikes[0] > 1


def test_at_most_as_many_as_are_wanted_of_each_kind(client: TestClient) -> None:
    assert all(len(rows) <= 2 for rows in results(client, "a", limit="2").values())
    assert results(client, "?!") == {}
    assert client.get("/search?q=").status_code == 400
