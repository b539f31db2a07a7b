"""Duplicates by HTTP: the pairs that wait, judgements that merge and are undone, and who may see what."""

from __future__ import annotations

from typing import Any

import pytest

from api.requests import reviewer_tokens
from layers.model.records import Records
from layers.store.store import Store
from tests.api.routes.conftest import DEPOT, Desk, undecided
from tests.store_kinds import NewStore

BURSHTYN = "a-burshtyn"


@pytest.fixture(scope="module")
def waiting(records: Records, new_shared_store: NewStore) -> Store:
    """A store with two more records of a plant, one of them private."""
    store = undecided(records, new_shared_store)
    seen = records.assets[BURSHTYN].model_copy(
        update={"id": "seen", "dataset": "seen", "name": "Бурштинська ТЕС", "aliases": ()}
    )
    store.append("assets", seen, author="tests")
    hidden = seen.model_copy(update={"id": "hidden", "dataset": "hidden", "private": True})
    store.append("assets", hidden, author="tests")
    return store


def judge(desk: Desk, by: dict[str, str], **values: Any) -> Any:
    body = {"one": BURSHTYN, "other": "seen", "verdict": "same", "why": "the same plant", **values}
    return desk.client.post("/review/judgements", json=body, headers=by)


def pairs(desk: Desk, by: dict[str, str], table: str = "assets", **query: Any) -> Any:
    answer = desk.client.get("/review/duplicates", params={"table": table, **query}, headers=by)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    return answer.json()


def ids(told: Any) -> set[frozenset[str]]:
    return {frozenset((row["one"]["id"], row["other"]["id"])) for row in told["pairs"]}


def reviewer_without_private(desk: Desk) -> dict[str, str]:
    return {"Authorization": f"Bearer {reviewer_tokens.add_reviewer(desk.reviewers, 'Cy', roles=('review',))}"}


def test_pairs_wait_are_judged_and_merge_and_part_again(desk: Desk) -> None:
    told = pairs(desk, desk.ann)
    assert told["numberMatched"] == told["numberReturned"] == len(told["pairs"])
    assert frozenset((BURSHTYN, "seen")) in ids(told)
    (row,) = (one for one in told["pairs"] if {one["one"]["id"], one["other"]["id"]} == {BURSHTYN, "seen"})
    assert row["table"] == "assets"
    assert {"place", "name", "same-name", "kind"} <= {reason["name"] for reason in row["reasons"]}
    assert row["one"]["geometry"]["type"] == "Point"

    answer = judge(desk, desk.ann)
    assert answer.status_code == 201
    assert (answer.json()["judgement"]["who"], answer.json()["judgement"]["verdict"]) == ("Ann", "same")
    assert desk.client.get("/collections/assets/items/seen").status_code == 404
    assert desk.client.get(f"/collections/assets/items/{BURSHTYN}").status_code == 200
    assert frozenset((BURSHTYN, "seen")) not in ids(pairs(desk, desk.ann))

    listed = desk.client.get("/review/judgements", headers=desk.ben).json()["judgements"]
    schemas = desk.client.get("/api").json()["components"]["schemas"]
    required = schemas["Judgements"]["properties"]["judgements"]["items"]["required"]
    assert all(set(required) <= one.keys() for one in listed)
    assert set(schemas["Judged"]["properties"]["judgement"]["required"]) <= answer.json()["judgement"].keys()
    (own, *bundled) = [(one["table"], one["other"], one["stands"]) for one in listed]
    assert own == ("assets", "seen", True)
    assert len(bundled) == len(desk.store.records().identities) - 1
    assert judge(desk, desk.ben, verdict="undone", why="a slip").status_code == 201
    assert desk.client.get("/collections/assets/items/seen").status_code == 200
    assert frozenset((BURSHTYN, "seen")) in ids(pairs(desk, desk.ann))
    assert judge(desk, desk.ben, verdict="different", why="its unit").status_code == 201
    assert frozenset((BURSHTYN, "seen")) not in ids(pairs(desk, desk.ann))


def test_who_may_not_read_private_records_knows_of_none(desk: Desk) -> None:
    cy = reviewer_without_private(desk)
    assert any("hidden" in pair for pair in ids(pairs(desk, desk.ann)))
    assert not any("hidden" in pair for pair in ids(pairs(desk, cy)))
    unknown, hidden = (judge(desk, cy, other=name) for name in ("nobody", "hidden"))
    assert (unknown.status_code, hidden.status_code) == (404, 404)
    assert hidden.json()["detail"].replace("hidden", "nobody") == unknown.json()["detail"]
    secret = judge(desk, desk.ann, other="hidden")
    assert (secret.status_code, secret.json()["judgement"]["private"]) == (201, True)
    assert desk.client.get(f"/collections/assets/items/{BURSHTYN}").status_code == 200
    bundled = len(desk.store.records().identities) - 1
    assert desk.client.get("/review/judgements", headers=cy).json()["numberMatched"] == bundled
    assert desk.client.get("/review/judgements", headers=desk.ann).json()["numberMatched"] == bundled + 1


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"other": BURSHTYN}, 422),
        ({"other": DEPOT}, 422),
        ({"verdict": "undone"}, 422),
        ({"verdict": "perhaps"}, 400),
        ({"why": " "}, 400),
        ({"other": "nobody"}, 404),
        ({"extra": 1}, 400),
    ],
)
def test_what_means_nothing_is_refused_and_nothing_is_written(
    idle_desk: Desk, values: dict[str, Any], status: int
) -> None:
    seq = idle_desk.store.seq()
    answer = judge(idle_desk, idle_desk.ann, **values)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert idle_desk.store.seq() == seq


def test_nobody_reads_or_judges_without_a_token(idle_desk: Desk) -> None:
    for path in ("/review/duplicates", "/review/judgements"):
        assert idle_desk.client.get(path).status_code == 401
    assert judge(idle_desk, {}).status_code == 401


def test_a_judgement_is_appended_once_by_key(desk: Desk) -> None:
    keyed = {**desk.ann, "Idempotency-Key": '"4f6f0a51"'}
    first, again = judge(desk, keyed), judge(desk, keyed)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()


@pytest.mark.parametrize("table", ["strikes", "entities"])
def test_other_collections_have_pairs_too(idle_desk: Desk, table: str) -> None:
    told = pairs(idle_desk, idle_desk.ann, table, limit=1)
    assert told["numberReturned"] == min(1, told["numberMatched"])
    assert all(row["table"] == table for row in told["pairs"])
    assert idle_desk.client.get("/review/duplicates?table=sources", headers=idle_desk.ann).status_code == 400
