"""One search for all that has a name, in any script."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient


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


def test_sites_that_were_struck_more_come_first(client: TestClient) -> None:
    strikes = [row["strikes"] for row in results(client, "refinery", limit="20")["asset"]]
    assert strikes == sorted(strikes, reverse=True)
    assert strikes[0] > 1


def test_at_most_as_many_as_are_wanted_of_each_kind(client: TestClient) -> None:
    assert all(len(rows) <= 2 for rows in results(client, "a", limit="2").values())
    assert results(client, "?!") == {}
    assert client.get("/search?q=").status_code == 400
