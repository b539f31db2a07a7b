"""What reviewers write: every fault of a body at once, what is held against the records, what shows and when."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.conftest import Writers, feature
from tests.api.feature_client import Json

ITEMS = "/collections/strikes/items"
PATCH = {"content-type": "application/merge-patch+json", "if-match": "*"}


def faults(answer: Any) -> dict[str, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    told: Json = answer.json()
    assert told["status"] == answer.status_code
    return {fault["pointer"]: fault["expected"] for fault in told["errors"]}


def test_every_fault_of_a_body_is_reported_at_once(writers: Writers) -> None:
    told = feature(
        title=..., when="some day", status="sure", killed_min=-1, sources=["nothing", 7], weapons=[{"kind": ""}],
        host_country="Ukraine", colour="red", n_sources=3, dataset="mine", basis=None, uncertainty_m="5 km",
    )  # fmt: skip
    answer = writers.client.post(ITEMS, json=told, headers=writers.ann)
    assert answer.status_code == 400
    found = faults(answer)
    assert found.keys() == {
        f"/properties/{name}"
        for name in ("title", "when", "status", "killed_min", "sources/0", "sources/1", "weapons/0/kind",
                     "host_country", "colour", "n_sources", "dataset", "basis", "uncertainty_m")
    }  # fmt: skip
    assert found["/properties/n_sources"] == "nothing: it is read only"
    assert found["/properties/sources/0"] == "the id of a source"
    assert found["/properties/basis"] == "it where there is a geometry"
    assert answer.json()["detail"].startswith("13 fault(s); first: ")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/type"),
        ({**feature(), "type": "Strike"}, "/type"),
        ({**feature(), "properties": None}, "/properties"),
        ({**feature(), "properties": [1]}, "/properties"),
        ({**feature(), "title": "out of place"}, "/title"),
        ({**feature(), "geometry": "POINT (1 2)"}, "/geometry"),
        ({**feature(), "geometry": {"type": "Point", "coordinates": ["x", 1]}}, "/geometry"),
        ({**feature(), "geometry": {"type": "Point", "coordinates": [500, 100]}}, "/geometry"),
        ({**feature(), "geometry": {"type": "Point", "coordinates": []}}, "/geometry"),
        ({**feature(), "geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}}, "/geometry"),
        ({**feature(), "geometry": {"type": "Point", "coordinates": [30.72, 46.48, 12]}}, "/geometry"),
    ],
)
def test_what_is_no_feature_says_where(writers: Writers, body: Json, pointer: str) -> None:
    answer = writers.client.post(ITEMS, json=body, headers=writers.ann)
    assert answer.status_code == 400, answer.text
    assert pointer in faults(answer)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'{"type": NaN}', b"[" * 60_000, b'"x"'])
def test_what_is_no_json_object_is_400(writers: Writers, body: bytes) -> None:
    for method, path, more in (("POST", ITEMS, {}), ("PATCH", f"{ITEMS}/ua-orlivka-2025-08-06", PATCH)):
        headers = {"content-type": "application/json", **writers.ann, **more}
        answer = writers.client.request(method, path, content=body, headers=headers)
        assert answer.status_code == 400
        assert "" in faults(answer)


def test_sources_and_places_are_held_against_what_is_known(writers: Writers) -> None:
    answer = writers.add(sources=["nothing"], geometry=(37.6, 55.75), host_country="UA")
    assert answer.status_code == 422
    found = faults(answer)
    assert found["/properties/sources/0"] == "the id of a source"
    assert "UA" in found["/geometry"]
    assert "RU" in found["/geometry"]


def test_what_was_there_before_is_not_held_against_a_change(writers: Writers) -> None:
    """A record that a load brought from beyond its border can still be retracted."""
    strike = next(iter(writers.store.records().strikes.values()))
    moved = strike.model_copy(update={"id": "zz-moved", "dataset": "mine", "sources": ("gone",), "host_country": "BR"})
    writers.store.append("strikes", moved, author="tests")
    path = f"{ITEMS}/zz-moved"
    answer = writers.client.patch(path, json={"status": "retracted"}, headers={**writers.ann, **PATCH})
    assert answer.status_code == 200, answer.text
    wrong = writers.client.patch(path, json={"host_country": "CL"}, headers={**writers.ann, **PATCH})
    assert wrong.status_code == 422


def test_weapons_in_words_are_kinds_and_read_back_the_same(writers: Writers) -> None:
    words = "3 drone; 122 mm rocket"
    made = writers.add(weapons=words)
    assert made.json()["properties"]["weapons"] == [
        {"kind": "3 drone", "count_min": None, "count_max": None},
        {"kind": "122 mm rocket", "count_min": None, "count_max": None},
    ]
    assert writers.client.get(made.headers["location"]).json()["properties"]["weapons"] == words


def test_what_is_written_shows_in_every_answer_at_once(writers: Writers) -> None:
    before = writers.client.get(f"{ITEMS}?limit=1")
    made = writers.add(title="Shown at once", when="2026-11-01")
    key = made.json()["id"]
    after = writers.client.get(f"{ITEMS}?limit=1", headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.json()["numberMatched"] == before.json()["numberMatched"] + 1
    assert writers.client.get(f"{ITEMS}?title=Shown at once").json()["features"][0]["id"] == key
    assert writers.client.get(f"/strikes/{key}/attribution").status_code == 200
    assert writers.client.get("/about").json()["history"] == writers.store.head().hash


def test_a_private_strike_is_written_and_shown_to_nobody(writers: Writers) -> None:
    made = writers.add(private=True)
    assert made.status_code == 201
    path = made.headers["location"]
    assert writers.client.get(path).status_code == 404
    assert made.json()["id"] not in writers.client.get(f"{ITEMS}?limit=10000").text
    headers = {**writers.ann, **PATCH, "if-match": made.headers["etag"]}
    refused = writers.client.patch(path, json={"private": False}, headers=headers)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/properties/private")
    assert writers.client.patch(path, json={"private": True, "note": "n"}, headers=headers).status_code == 200
    assert writers.client.get(path).status_code == 404


def test_a_public_strike_is_not_made_private_by_an_edit(writers: Writers) -> None:
    made = writers.add()
    headers = {**writers.ann, "if-match": "*"}
    for body, status in ((feature(private=True), 422), (feature(private=False), 200), (feature(private="no"), 400)):
        assert writers.client.put(made.headers["location"], json=body, headers=headers).status_code == status


def test_a_body_is_bounded(writers: Writers) -> None:
    huge = writers.client.post(ITEMS, json=feature(note="x" * 70_000), headers=writers.ann)
    assert huge.status_code == 413
    many = feature(**{f"p{number}": 1 for number in range(2000)})
    answer = writers.client.post(ITEMS, json=many, headers=writers.ann)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("2000 fault(s)")
    assert len(answer.json()["errors"]) == 50


numbers = st.integers(-10, 10**12) | st.floats(allow_nan=False, allow_infinity=False)
plain = st.none() | st.booleans() | numbers | st.text(max_size=8)
anything = st.recursive(plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))
names = st.sampled_from(
    ["title", "when", "sources", "weapons", "geometry", "type", "properties", "id", "status", "basis"]
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.dictionaries(names, anything), inner=st.dictionaries(names, anything))
def test_no_body_fails_the_server_or_is_half_written(writers: Writers, told: Json, inner: Json) -> None:
    seq = writers.store.seq()
    for method, path, body, more in (
        ("POST", ITEMS, {**feature(**inner), **told}, {}),
        ("PUT", f"{ITEMS}/us-nothing", {**feature(), "properties": inner, **told}, {"if-match": "*"}),
        ("PATCH", f"{ITEMS}/ua-socar-depot-2025-08-08", {"properties": inner, **told}, PATCH),
        ("PATCH", f"{ITEMS}/ua-socar-depot-2025-08-08", {**inner, **told}, PATCH),
    ):
        answer = writers.client.request(method, path, json=body, headers={**writers.ann, **more})
        assert answer.status_code in (200, 201, 400, 412, 422), answer.text
        if answer.status_code >= 400:
            assert writers.store.seq() == seq
        seq = writers.store.seq()
