"""Review by HTTP: the queue, what a reviewer sees, and decisions that lose nothing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from api.requests import reviewer_tokens
from layers.model.records import Records
from layers.store.store import Store
from tests.api.routes.conftest import CPC, CPC_ASSET, DEPOT, Desk, undecided
from tests.store_kinds import NewStore


@pytest.fixture(scope="module")
def waiting(records: Records, new_shared_store: NewStore) -> Store:
    return undecided(records, new_shared_store)


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer nobody"}, {"Authorization": "Basic YTpi"}])
@pytest.mark.parametrize("path", ["/review/queue", f"/review/strikes/{CPC}"])
def test_nobody_reads_without_a_token(idle_desk: Desk, path: str, header: dict[str, str]) -> None:
    answer = idle_desk.client.get(path, headers=header)
    assert answer.status_code == 401
    unknown = 'Bearer error="invalid_token", error_description="no reviewer has this token"'
    assert answer.headers["WWW-Authenticate"] == (unknown if "nobody" in str(header) else "Bearer")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert idle_desk.decide(header, seen=None).status_code == 401
    assert idle_desk.store.head().hash == idle_desk.client.get("/about").json()["history"]


def test_the_queue_holds_what_is_open_largest_change_first(idle_desk: Desk) -> None:
    told = idle_desk.client.get("/review/queue?limit=500", headers=idle_desk.ann)
    assert told.headers["Cache-Control"] == "no-store"
    queue = told.json()["queue"]
    gains = [row["gain"] for row in queue]
    assert gains == sorted(gains, reverse=True)
    assert all(0 <= gain <= 1 for gain in gains)
    assert CPC in [row["strike"] for row in queue]
    assert {row["rests_on"] for row in queue} <= {"match", "nothing", "alternatives", "decision"}
    second = idle_desk.client.get("/review/queue?limit=1&offset=1", headers=idle_desk.ann).json()
    assert second["queue"] == queue[1:2]
    assert second["numberMatched"] == len(queue)


@pytest.mark.parametrize("text", ["0.0", "+1", "1_0", "1e1", " 1", "١", "", "9" * 30])
@pytest.mark.parametrize("path", ["/review/queue?limit={}", "/review/queue?offset={}", "/places?q=Orlivka&limit={}"])
def test_numbers_are_in_digits(idle_desk: Desk, path: str, text: str) -> None:
    answer = idle_desk.client.get(path.format(quote(text)), headers=idle_desk.ann)
    assert (answer.status_code, answer.json()["title"]) == (400, "A parameter cannot be read")


def test_a_reviewer_sees_candidates_claims_and_what_is_private(idle_desk: Desk) -> None:
    told = idle_desk.client.get(f"/review/strikes/{CPC}", headers=idle_desk.ann).json()
    [found] = [one for one in told["candidates"] if one["asset"] == CPC_ASSET]
    assert found["geometry"]["type"] == "Point"
    assert found["reasons"]
    assert told["decisions"] == []
    assert told["seen"] is None
    private = idle_desk.client.get(f"/review/strikes/{DEPOT}", headers=idle_desk.ann).json()
    assert private["strike"]["private"]
    assert private["claims"]
    assert idle_desk.client.get(f"/strikes/{DEPOT}/attribution").status_code == 404


def test_a_decision_is_appended_and_shows_at_once(desk: Desk) -> None:
    answer = desk.decide(desk.ann, seen=None)
    assert answer.status_code == 201
    decision = answer.json()["decision"]
    assert decision["who"] == "Ann"
    last = list(desk.store.revisions(answer.json()["seq"] - 1))[-1]
    assert (last.author, last.table, last.record, last.before) == ("Ann", "decisions", decision["id"], None)
    told = desk.client.get(f"/strikes/{CPC}/attribution").json()
    assert told["rests_on"] == "decision"
    assert told["assets"][0]["decision"]["why"] == "named in the report"
    assert CPC not in [row["strike"] for row in desk.client.get("/review/queue", headers=desk.ann).json()["queue"]]


def test_a_decision_is_undone_and_the_undoing_too(desk: Desk) -> None:
    before = desk.client.get(f"/strikes/{CPC}/attribution").json()
    first = desk.decide(desk.ann, seen=None).json()["decision"]["id"]
    after = desk.client.get(f"/strikes/{CPC}/attribution").json()
    undo = desk.decide(desk.ben, verdict="undone", asset=None, undoes=first, why="wrong site", seen=first)
    assert undo.status_code == 201
    again = desk.client.get(f"/strikes/{CPC}/attribution").json()
    assert again.pop("updated") > before.pop("updated")
    assert again == before
    undone = undo.json()["decision"]["id"]
    assert desk.decide(desk.ann, verdict="undone", asset=None, undoes=undone, seen=undone).status_code == 201
    assert {**desk.client.get(f"/strikes/{CPC}/attribution").json(), "updated": after["updated"]} == after
    assert len(desk.client.get(f"/review/strikes/{CPC}", headers=desk.ann).json()["decisions"]) == 3


def test_two_who_decide_at_once_lose_nothing(desk: Desk) -> None:
    together = threading.Barrier(8)

    def decide(number: int) -> tuple[int, Any]:
        together.wait()
        answer = desk.decide(desk.ann if number % 2 else desk.ben, seen=None, why=f"reader {number}")
        return answer.status_code, answer.json()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(decide, range(8)))
    [(_, won)] = [one for one in answers if one[0] == 201]
    lost = [told for status, told in answers if status == 409]
    assert len(lost) == 7
    assert {told["newest"] for told in lost} == {won["decision"]["id"]}
    again = desk.decide(desk.ben, seen=lost[0]["newest"], verdict="unsure", asset=None)
    assert again.status_code == 201
    told = desk.client.get(f"/review/strikes/{CPC}", headers=desk.ann).json()["decisions"]
    assert [one["id"] for one in told] == [again.json()["decision"]["id"], won["decision"]["id"]]


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"strike": "no-such-strike"}, 404),
        ({"asset": "no-such-asset"}, 404),
        ({"sources": ["no-such-source"]}, 404),
        ({"verdict": "undone", "asset": None, "undoes": "no-such-decision"}, 404),
        ({"asset": None}, 422),
        ({"verdict": "none"}, 422),
        ({"verdict": "undone", "asset": None}, 422),
        ({"verdict": "perhaps"}, 400),
        ({"why": "  "}, 400),
        ({"why": "x" * 2001}, 400),
        ({"who": "somebody else"}, 400),
        ({"strike": 7}, 400),
    ],
)
def test_a_decision_that_cannot_stand_is_refused(idle_desk: Desk, values: dict[str, Any], status: int) -> None:
    answer = idle_desk.decide(idle_desk.ann, seen=None, **values)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert idle_desk.seen() is None


def test_a_body_is_bounded_and_must_be_json(idle_desk: Desk) -> None:
    headers = {**idle_desk.ann, "Content-Type": "application/json"}
    huge = idle_desk.client.post("/review/decisions", content=b" " * 70_000, headers=headers)
    assert huge.status_code == 413
    drip = idle_desk.client.post("/review/decisions", content=(b" " * 1000 for _ in range(70)), headers=headers)
    assert drip.status_code == 413
    for wrong in (b"{", b"[]", b"\xff\xfe", b'{"strike": NaN}', b"[" * 60_000):
        answer = idle_desk.client.post("/review/decisions", content=wrong, headers=headers)
        assert answer.status_code == 400, wrong[:20]
    assert idle_desk.client.put("/review/decisions", headers=headers).headers["Allow"] == "POST, OPTIONS"


def test_a_token_is_kept_as_a_digest_only(tmp_path: Path) -> None:
    file = tmp_path / "reviewers.json"
    token = reviewer_tokens.add_reviewer(file, "Ann")
    assert token not in file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o077 == 0
    assert reviewer_tokens.authenticate(reviewer_tokens.read_reviewers(file), f"Bearer {token}").name == "Ann"
    with pytest.raises(reviewer_tokens.ReviewersError, match="there is a reviewer"):
        reviewer_tokens.add_reviewer(file, "Ann")
    reviewer_tokens.remove_reviewer(file, "Ann")
    with pytest.raises(reviewer_tokens.NotAllowed):
        reviewer_tokens.authenticate(reviewer_tokens.read_reviewers(file), f"Bearer {token}")
    with pytest.raises(reviewer_tokens.ReviewersError, match="no reviewer"):
        reviewer_tokens.remove_reviewer(file, "Ann")
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(reviewer_tokens.ReviewersError, match="no list"):
        reviewer_tokens.read_reviewers(file)
