"""The page of all countries says of each what its JSON says, in the same order, and how else one may count."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

import pytest
from starlette.testclient import TestClient

from tests.api.html_reading import BROWSER, addresses, every, page, text


def rows_of(shown: Element) -> list[list[str]]:
    (body,) = shown.iter("tbody")
    return [[text(cell) for cell in row] for row in body]


def said(count: dict[str, int]) -> str:
    possible = count["strikes"] - count["strikes_sure"]
    if not count["strikes"]:
        return "– none"
    return f"{count['strikes_sure']}" + (f" + {possible} possible" if possible else "")


@pytest.mark.parametrize("query", ["", "?basis=headquarters&minority=follow"])
def test_each_row_says_what_the_json_says(client: TestClient, query: str) -> None:
    countries: list[Any] = client.get(f"/countries{query}").json()["countries"]
    shown = rows_of(page(client, f"/countries{query}"))
    assert [row[0] for row in shown] == [one["name"] for one in countries]
    for row, one in zip(shown, countries, strict=True):
        owner, host = one["relations"]["owner"], one["relations"]["host"]
        assert (row[1], row[4]) == (said(owner), said(host))
        assert row[3] == (str(owner["hits"]) if owner["hits"] else "")
        ends = [float(end) for end in row[2].split("–") if end]
        assert ends == [] if not owner["hits"] else ends[-1] == pytest.approx(owner["assets_max"], abs=0.006)
        ties = {name: count for name, count in one["relations"].items() if name not in ("owner", "host")}
        assert sum(count["strikes"] > 0 for count in ties.values()) == len([*filter(None, row[5].split(", "))])


def test_bars_are_as_long_as_their_numbers(client: TestClient) -> None:
    first, second = (one["relations"]["owner"] for one in client.get("/countries").json()["countries"][:2])
    cells = every(page(client, "/countries"), "td", class_="measure")
    widths = [[float(str(part.get("width"))) for part in cell.iter() if part.tag.endswith("rect")] for cell in cells]
    assert sum(widths[0]) == pytest.approx(100, abs=0.01)
    assert widths[0][0] == pytest.approx(100 * first["strikes_sure"] / first["strikes"], abs=0.01)
    assert sum(widths[1]) == pytest.approx(100 * second["strikes"] / first["strikes"], abs=0.01)


def test_countries_are_ranked_by_another_relation(client: TestClient) -> None:
    countries: list[Any] = client.get("/countries?relation=operator").json()["countries"]
    shown = page(client, "/countries?relation=operator")
    assert rows_of(shown) == [[one["name"], said(one["relations"]["operator"])] for one in countries]
    assert "operator" in text(next(every(shown, "p", class_="lead")))


def test_the_page_leads_to_other_ways_to_count_and_to_each_country(client: TestClient) -> None:
    there = addresses(page(client, "/countries?minority=follow&lang=en"))
    assert "http://testserver/countries?basis=headquarters&minority=follow&lang=en" in there
    assert "http://testserver/countries?lang=en" in there
    assert "http://testserver/countries/AZ?lang=en" in there
    above = client.get("/countries/AZ", headers=BROWSER).text.partition("<h1>")[0]
    assert 'href="http://testserver/countries"' in above


@pytest.mark.parametrize(("language", "name"), [("de", "Vereinigte Staaten"), ("uk", "Сполучені Штати")])
def test_countries_have_their_names_in_the_language_of_the_page(client: TestClient, language: str, name: str) -> None:
    shown = client.get(f"/countries?lang={language}", headers=BROWSER).text
    assert f"<bdi>{name}</bdi>" in shown


def test_where_no_country_has_a_strike_that_is_said(client: TestClient) -> None:
    countries = client.get("/countries?relation=charterer").json()["countries"]
    shown = page(client, "/countries?relation=charterer")
    assert bool(countries) == bool([*shown.iter("table")])
    assert countries or "No strike is recorded." in text(shown)
