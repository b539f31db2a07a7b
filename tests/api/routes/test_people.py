"""Who may do what by HTTP: tokens, roles, wrong tokens; what is in the audit trail; requests that are sent again."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.requests import reviewer_tokens
from api.requests.reviewer_tokens import ROLES, Role
from api.responses.authorisation import FREE
from api.responses.person_write import PersonWrite
from api.server import audit_trail
from api.server.audit_trail import AuditTrail, AuditTrailError, audit_path
from api.server.keys_at_work import KeysAtWork
from api.server.live_snapshot import LiveSnapshot
from api.settings import Settings
from layers.model.records import Records
from layers.store.store import Edit, Store
from tests.api.conftest import feature
from tests.conftest import BASEMAP, ROOT
from tests.store_kinds import NewStore

ITEMS = "/collections/strikes/items"
CURATED, PRIVATE = "ua-orlivka-2025-08-06", "ua-socar-depot-2025-08-08"
MERGE = "application/merge-patch+json"
KEY = "Idempotency-Key"
Headers = dict[str, str]


@dataclasses.dataclass(frozen=True)
class House:
    """A server with a private strike, and its people by their roles."""

    client: TestClient
    store: Store
    file: Path
    trail: Path

    def person(self, *roles: Role, name: str = "", expires: datetime | None = None) -> Headers:
        name = name or f"Person {len(reviewer_tokens.read_reviewers(self.file))}"
        return {"Authorization": f"Bearer {reviewer_tokens.add_reviewer(self.file, name, roles, expires)}"}

    def lines(self) -> list[dict[str, Any]]:
        report = audit_trail.read(self.trail)
        assert report.faults == []
        return report.lines

    def add(self, by: Headers, key: str | None = None, **properties: Any) -> Any:
        headers = by if key is None else {**by, KEY: key}
        return self.client.post(ITEMS, json=feature(**properties), headers=headers)

    def decide(self, by: Headers, seen: str | None, key: str | None = None, **values: Any) -> Any:
        body = {"strike": CURATED, "verdict": "unsure", "why": "read", "seen": seen, **values}
        return self.client.post("/review/decisions", json=body, headers=by if key is None else {**by, KEY: key})

    def seen(self, by: Headers) -> str | None:
        seen: str | None = self.client.get(f"/review/strikes/{CURATED}", headers=by).json()["seen"]
        return seen


@pytest.fixture(scope="module")
def house(records: Records, new_shared_store: NewStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    store = new_shared_store()
    secret = records.strikes[PRIVATE].model_copy(update={"private": True})
    store.load(dataclasses.replace(records, strikes={**records.strikes, PRIVATE: secret}), author="tests")
    file = folder / "reviewers.json"
    app = create_app(store, Settings(basemap=BASEMAP, reviewers=file, follow_every_s=0))
    with closing(store), TestClient(app, raise_server_exceptions=False) as client:
        yield House(client, store, file, audit_path(store.beside))


def attempt(house: House, path: str, method: str, by: Headers) -> Any:
    """A request of an operation that gets as far as its role, and no further."""
    address = re.sub(r"\{\w+\}", "nothing", path)
    headers = {**by, "if-match": '"x"'}
    if method == "patch":
        return house.client.patch(address, content=b"{}", headers={**headers, "content-type": MERGE})
    if path == "/review/decisions":
        return house.decide(headers, None, strike="nothing")
    body = {"json": feature(sources=["nothing"])} if method in ("post", "put") else {}
    return house.client.request(method.upper(), address, headers=headers, **body)


# Tokens and roles.


def test_each_operation_is_allowed_in_its_roles_and_says_so(house: House) -> None:
    people = {role: house.person(role) for role in get_args(Role)}
    operations = [
        (path, method, operation)
        for path, item in house.client.get("/api").json()["paths"].items()
        for method, operation in item.items()
        if "security" in operation
    ]
    assert len(operations) == 11
    for path, method, operation in operations:
        needed = operation["x-roles"]
        for role, by in people.items():
            answer = attempt(house, path, method, by)
            assert answer.status_code in (200, 400, 403, 404, 412, 422), answer.text
            assert (answer.status_code != 403) == (role in needed or role == "admin"), (path, method, role)
            if answer.status_code == 403:
                scope = f'Bearer error="insufficient_scope", scope="{" ".join(needed)}"'
                assert answer.headers["www-authenticate"] == scope
                assert answer.headers["content-type"] == "application/problem+json"
        assert all(ROLES[role] in operation["description"] for role in needed)
        assert {"401", "403", "429"} <= operation["responses"].keys()
        assert attempt(house, path, method, {}).status_code == 401
    assert house.store.seq() == house.client.app.state.atlas.view.snapshot.seq  # type: ignore[attr-defined]


def test_the_table_of_roles_in_the_page_is_that_of_the_program() -> None:
    page = (ROOT / "docs" / "review.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", page, re.MULTILINE)
    assert [row for row in rows if row[0] in ROLES] == list(ROLES.items())


def test_an_expired_token_is_told_from_an_unknown_one_and_none(house: House) -> None:
    by = house.person("review", expires=datetime.now(UTC) + timedelta(microseconds=1))
    answers = [house.client.get("/review/queue", headers=one) for one in (by, {"Authorization": "Bearer x"}, {})]
    assert [one.status_code for one in answers] == [401] * 3
    said = [one.headers["www-authenticate"] for one in answers]
    assert said[0].startswith('Bearer error="invalid_token", error_description="this token expired at ')
    assert said[1:] == ['Bearer error="invalid_token", error_description="no reviewer has this token"', "Bearer"]


def test_wrong_tokens_are_slowed_down_and_right_ones_never(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "reviewers.json"
    right = {"Authorization": f"Bearer {reviewer_tokens.add_reviewer(file, 'Ann')}"}
    app = create_app(store, Settings(basemap=BASEMAP, reviewers=file, follow_every_s=0, proxies=("192.0.2.0/24",)))
    wrong = {"Authorization": "Bearer wrong"}
    with TestClient(app, client=("192.0.2.1", 50000)) as client:
        attacker = {"X-Forwarded-For": "203.0.113.5"}
        found = [client.get("/review/queue", headers={**wrong, **attacker}) for _ in range(FREE + 2)]
        assert [one.status_code for one in found] == [401] * FREE + [429] * 2
        assert [one.headers.get("retry-after") for one in found[-2:]] == ["2", "4"]
        assert found[-1].headers["content-type"] == "application/problem+json"
        assert client.get("/review/queue", headers={**right, **attacker}).status_code == 200
        assert client.get("/review/queue", headers=attacker).status_code == 401
        for other in ({"X-Forwarded-For": "203.0.113.6"}, {}):
            assert client.get("/review/queue", headers={**wrong, **other}).status_code == 401
    with TestClient(app, client=("198.51.100.1", 50000)) as client:
        # Nobody's word counts here but the address.
        found = [client.get("/review/queue", headers={**wrong, "X-Forwarded-For": f"203.0.113.{n}"}) for n in range(11)]
        assert [one.status_code for one in found] == [401] * FREE + [429]


def test_who_may_not_read_what_is_private_neither_reads_nor_writes_it(house: House) -> None:
    editor, reviewer, reader = house.person("edit"), house.person("review"), house.person("read-private")
    path = f"{ITEMS}/{PRIVATE}"
    any_version = {"if-match": "*"}
    for by, status in ((editor, 404), (reader, 403)):
        sent = {**by, **any_version, "content-type": MERGE}
        assert house.client.patch(path, content=b'{"note": "x"}', headers=sent).status_code == status
    assert house.client.delete(path, headers={**editor, **any_version}).status_code == 404
    assert house.client.put(path, json=feature(), headers={**editor, **any_version}).status_code == 412
    assert house.client.get(f"/review/strikes/{PRIVATE}", headers=reviewer).status_code == 404
    assert house.decide(reviewer, None, strike=PRIVATE).status_code == 404
    assert house.client.get(f"/review/strikes/{PRIVATE}", headers=reader).status_code == 200
    assert PRIVATE not in house.client.get("/review/queue?limit=500", headers=reviewer).text
    assert house.store.records().strikes[PRIVATE].private


def test_a_private_strike_becomes_public_in_the_role_of_a_publisher_alone(house: House) -> None:
    added = house.add(house.person("edit", "read-private"), private=True, title="Not yet").json()["id"]
    path, publication = f"{ITEMS}/{added}", {"json": {"why": "The witness agrees."}}
    everything = house.person("edit", "read-private", "publish")
    patched = house.client.patch(
        path, content=b'{"private": false}', headers={**everything, "if-match": "*", "content-type": MERGE}
    )
    assert patched.status_code == 422
    for roles, status in ((("edit", "read-private"), 403), (("publish",), 404), (("read-private", "publish"), 200)):
        answer = house.client.post(f"/review/strikes/{added}/publication", headers=house.person(*roles), **publication)
        assert answer.status_code == status, answer.text
        assert (house.client.get(path).status_code == 200) == (status == 200)
    assert house.lines()[-1]["event"] == "written"
    again = house.client.post(f"/review/strikes/{added}/publication", headers=everything, **publication)
    assert again.status_code == 409
    assert again.json()["title"] == f"{added} is public already"


def test_no_role_publishes_what_is_private_as_a_whole(house: House) -> None:
    strike = (
        house.store.records()
        .strikes[CURATED]
        .model_copy(update={"id": "withheld", "dataset": "closed/events", "private": True})
    )
    house.store.write(Edit("strikes", strike.id, strike, None), author="tests")
    for command in ("strikeatlas dataset publish closed/events withheld", "strikeatlas dataset publish closed/events"):
        sent = house.client.post(
            f"/review/strikes/{strike.id}/publication", json={"why": "x"}, headers=house.person("admin")
        )
        assert sent.status_code == 409
        assert sent.json()["title"].endswith(f"by {command}")
        house.store.make_private(strike.dataset, author="tests", why="licence")
    assert house.client.get(f"{ITEMS}/{strike.id}").status_code == 404


# The audit trail.


def test_a_write_leaves_two_lines_and_nothing_of_the_record(house: House) -> None:
    ann = house.person("edit", "review", name="Ann Example")
    before, seq = len(house.lines()), house.store.seq()
    added = house.add(ann, key='"secret key"', title="A title of its own")
    begun, done = house.lines()[before:]
    key = added.json()["id"]
    assert (begun["event"], begun["who"], begun["role"]) == ("write", "Ann Example", "edit")
    assert (begun["method"], begun["route"], begun["records"], begun["seq"]) == ("POST", ITEMS, [key], seq)
    assert (done["event"], done["of"], done["seq"]) == ("written", begun["id"], seq + 1)
    assert re.fullmatch("[0-9a-f]{64}", begun["key"])
    text = house.trail.read_text(encoding="utf-8")
    assert not any(one in text for one in ("secret key", "A title of its own", ann["Authorization"][7:]))


def test_each_way_to_write_is_in_the_trail_and_what_was_refused_too(house: House) -> None:
    by = house.person("admin", name="Chief")
    path = f"{ITEMS}/{house.add(by).json()['id']}"
    tagged = {**by, "if-match": "*"}
    before = len(house.lines())
    assert house.client.put(path, json=feature(title="B"), headers=tagged).status_code == 200
    patched = house.client.patch(path, content=b'{"note": "n"}', headers={**tagged, "content-type": MERGE})
    assert patched.status_code == 200
    assert house.client.delete(path, headers=tagged).status_code == 204
    assert house.decide(by, "somebody/else").status_code == 409
    lines = house.lines()[before:]
    assert [line["method"] for line in lines if line["event"] == "write"] == ["PUT", "PATCH", "DELETE", "POST"]
    assert {line["role"] for line in lines if line["event"] == "write"} == {"admin"}
    assert [line["event"] for line in lines[1::2]] == ["written", "written", "written", "refused"]
    assert lines[-1]["reason"] == "Conflict"
    assert audit_trail.read(house.trail).open == []


def test_a_request_that_is_refused_before_it_writes_is_no_write(house: House) -> None:
    by = house.person("edit")
    before = len(house.lines())
    assert house.add(by, sources=["nothing"]).status_code == 422
    assert house.client.delete(f"{ITEMS}/nothing", headers={**by, "if-match": "*"}).status_code == 404
    assert house.add({}).status_code == 401
    assert house.decide(by, None).status_code == 403
    assert len(house.lines()) == before


def test_whoever_reads_what_is_private_is_in_the_trail(house: House) -> None:
    reader, reviewer = house.person("read-private", name="Reader"), house.person("review", name="No reader")
    before = len(house.lines())
    queue = house.client.get("/review/queue?limit=500", headers=reader).json()
    house.client.get(f"/review/strikes/{PRIVATE}", headers=reader)
    house.client.get(f"/review/strikes/{PRIVATE}", headers=reviewer)
    house.client.get("/review/queue", headers=reviewer)
    listed, case = house.lines()[before:]
    assert (listed["event"], listed["who"], listed["route"]) == ("read", "Reader", "/review/queue")
    assert listed["count"] == queue["numberReturned"]
    assert listed["records"] == [row["strike"] for row in queue["queue"] if row["private"]]
    assert (case["route"], case["records"]) == ("/review/strikes/{strike}", [PRIVATE])
    assert case["seq"] == house.store.seq()


def test_where_the_trail_cannot_be_written_nothing_is_written_or_read(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    by = house.person("edit", "review", "read-private")
    seen = house.seen(by)

    def full(handle: int, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    before = (house.store.seq(), house.trail.read_bytes())
    monkeypatch.setattr(audit_trail.os, "write", full)
    for answer in (house.add(by), house.decide(by, seen), house.client.get("/review/queue", headers=by)):
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert "No space left on device" in answer.json()["detail"]
    assert (house.store.seq(), house.trail.read_bytes()) == before
    assert house.client.get(ITEMS).status_code == 200
    monkeypatch.undo()
    assert house.add(by).status_code == 201


def test_a_write_whose_end_cannot_be_noted_stands_and_is_open(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    append = AuditTrail.append

    def failing(self: AuditTrail, event: Any, **members: Any) -> str:
        if event == "written":
            raise AuditTrailError("no space")
        return append(self, event, **members)

    monkeypatch.setattr(AuditTrail, "append", failing)
    added = house.add(house.person("edit"))
    assert added.status_code == 201
    assert added.json()["id"] in house.store.records().strikes
    left = audit_trail.read(house.trail).open
    assert [line["records"] for line in house.lines() if line["id"] in left] == [[added.json()["id"]]]


# Requests that are sent again.


def test_a_request_that_is_sent_again_is_given_the_first_answer(house: House) -> None:
    by = house.person("edit")
    first = house.add(by, '"one"')
    seq = house.store.seq()
    assert house.add(by, title="Between").status_code == 201
    again = house.add(by, '"one"')
    assert (again.status_code, again.content) == (first.status_code, first.content)
    names = ("location", "etag", "content-type", "atlas-seq", "cache-control")
    assert [again.headers[name] for name in names] == [first.headers[name] for name in names]
    # After it a row of history tells of the answer.
    assert first.headers["atlas-seq"] == str(seq - 1)
    assert house.store.seq() == seq + 1
    tagged = {**by, "if-match": again.headers["etag"], "content-type": MERGE}
    assert house.client.patch(again.headers["location"], content=b'{"note": "n"}', headers=tagged).status_code == 200


def test_a_request_with_a_reason_is_sent_again_with_it(house: House) -> None:
    by = {**house.person("edit"), "change-reason": '"a report"'}
    first = house.add(by, '"reasoned"')
    again = house.add(by, '"reasoned"')
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    (row,) = [row for row in house.store.revisions() if row.record == first.json()["id"]]
    assert row.why == "a report"


@pytest.mark.parametrize(
    ("method", "content"),
    [("PATCH", {"note": "by key"}), ("PUT", feature(title="By key")), ("DELETE", None)],
)
def test_a_change_whose_answer_was_lost_is_sent_again_with_its_key(house: House, method: str, content: Any) -> None:
    by = house.person("edit")
    added = house.add(by, title="To be changed")
    place = added.headers["location"]
    kind = {"PATCH": MERGE, "PUT": "application/geo+json"}.get(method)
    tagged = {**by, "if-match": added.headers["etag"], KEY: f'"{method}"', **({"content-type": kind} if kind else {})}
    body = json.dumps(content).encode() if content else None
    first = house.client.request(method, place, content=body, headers=tagged)
    assert first.status_code == (204 if method == "DELETE" else 200)
    seq = house.store.seq()
    again = house.client.request(method, place, content=body, headers=tagged)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["atlas-seq"] == first.headers["atlas-seq"] == str(seq - 1)
    assert house.store.seq() == seq
    other = house.client.request(method, place, content=body, headers={**tagged, "if-match": "*"})
    assert other.status_code == 422
    unkeyed = {name: value for name, value in tagged.items() if name != KEY}
    lost = house.client.request(method, place, content=body, headers=unkeyed)
    assert lost.status_code == (404 if method == "DELETE" else 412)


def test_a_change_by_another_server_beside_this_one_is_given_its_answer(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    by = house.person("edit")
    added = house.add(by, title="Changed twice at once")
    place = added.headers["location"]
    tagged = {**by, "if-match": added.headers["etag"], KEY: '"twice"', "content-type": MERGE}
    before, answered = PersonWrite._before, []

    def first_is_done_meanwhile(self: PersonWrite) -> Any:
        found = before(self)
        if not answered:
            answered.append(None)
            monkeypatch.setattr(KeysAtWork, "holding", lambda *_: nullcontext())
            answered[0] = house.client.patch(place, content=b'{"note": "once"}', headers=tagged)
        return found

    monkeypatch.setattr(PersonWrite, "_before", first_is_done_meanwhile)
    again = house.client.patch(place, content=b'{"note": "once"}', headers=tagged)
    assert (again.status_code, again.content) == (200, answered[0].content)
    assert again.headers["atlas-seq"] == answered[0].headers["atlas-seq"] == str(house.store.seq() - 1)


def test_a_key_belongs_to_one_request_of_one_person(house: House) -> None:
    ann, ben = house.person("edit", "review", "read-private"), house.person("edit")
    first = house.add(ann, '"mine"')
    seq = house.store.seq()
    for other in (
        house.add(ann, '"mine"', title="Another"),
        house.decide(ann, house.seen(ann), '"mine"'),
        house.client.post(
            ITEMS,
            json=feature(),
            headers={**ann, KEY: '"mine"', "content-crs": "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"},
        ),
        house.client.post(ITEMS, json=feature(), headers={**ann, KEY: '"mine"', "change-reason": '"another"'}),
    ):
        assert other.status_code == 422
        assert other.json()["title"] == "The key belongs to another request"
    assert house.store.seq() == seq
    own = house.add(ben, '"mine"')
    assert (own.status_code, own.json()["id"] == first.json()["id"]) == (201, False)


def test_a_request_that_was_refused_may_be_sent_again_with_its_key(house: House) -> None:
    by = house.person("edit", "review", "read-private")
    assert house.add(by, '"again"', sources=["nothing"]).status_code == 422
    assert house.add(by, '"again"').status_code == 201
    assert house.decide(by, "somebody/else", '"decided"').status_code == 409
    assert house.decide(by, house.seen(by), '"decided"').status_code == 201


def test_a_decision_that_is_sent_again_is_the_same(house: House) -> None:
    by = house.person("review", "read-private")
    seen = house.seen(by)
    first = house.decide(by, seen, '"decision"')
    assert first.status_code == 201
    again = house.decide(by, seen, '"decision"')
    assert (again.status_code, again.content, again.headers["atlas-seq"]) == (
        201,
        first.content,
        str(first.json()["seq"]),
    )


@pytest.mark.parametrize("key", ["bare", '"', '""', '"a", "b"', '"a";b', '"' + "x" * 300 + '"', '"é"'])
def test_what_is_no_key_is_400(house: House, key: str) -> None:
    by = house.person("edit", "review")
    seq = house.store.seq()
    headers = {**by, KEY: key.encode("latin-1")}
    for answer in (
        house.client.post(ITEMS, json=feature(), headers=headers),
        house.client.post(
            "/review/decisions", json={"strike": "s", "verdict": "unsure", "why": "w", "seen": None}, headers=headers
        ),
    ):
        assert (answer.status_code, answer.json()["parameter"]) == (400, KEY)
    assert house.store.seq() == seq


def test_while_the_first_is_worked_on_the_second_is_409(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    by = house.person("edit")
    write, during = LiveSnapshot.write, []

    def writing(self: LiveSnapshot, *edits: Any, **named: Any) -> int:
        if not during:
            during.append(house.add(by, '"slow"'))
        return write(self, *edits, **named)

    monkeypatch.setattr(LiveSnapshot, "write", writing)
    seq = house.store.seq()
    assert house.add(by, '"slow"').status_code == 201
    assert (during[0].status_code, during[0].json()["title"]) == (409, "A request with this key is being answered")
    assert house.store.seq() == seq + 2, "the record, and that it was answered"


def test_of_fifty_requests_with_one_key_one_writes(house: House) -> None:
    by = house.person("edit")
    seq = house.store.seq()
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: house.add(by, '"fifty"'), range(50)))
    good = [one for one in answers if one.status_code == 201]
    assert {one.status_code for one in answers} <= {201, 409}
    assert len({one.json()["id"] for one in good}) == 1
    assert house.store.seq() == seq + 2, "the record, and that it was answered"
    assert house.add(by, '"fifty"').content == good[0].content
