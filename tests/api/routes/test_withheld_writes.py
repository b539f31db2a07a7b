"""Who may write and not read all: answers tell what is published, and nothing withheld is lifted without the role."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.requests import reviewer_tokens
from api.requests.reviewer_tokens import Role
from api.settings import Settings
from api.wording.catalogue import text
from layers.disclosure.policy import parse
from layers.model.records import Claim, Records, Source
from layers.reference.basemap import Basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.store.store import Store
from tests.api.conftest import feature
from tests.api.routes.test_policy import PLACE, strike
from tests.conftest import BASEMAP
from tests.store_kinds import NewStore, set_policy

ITEMS = "/collections/strikes/items"
COARSE, LATE, TWIN, PLAIN, UNSEEN = "x-coarse", "x-late", "x-twin", "x-plain", "x-unseen"
SECRET = "x-secretsource"
MERGE = "application/merge-patch+json"
POLICY = """
[[rounding]]
table = "strikes"
decimals = 1
kinds = ["refinery"]

[[withhold]]
table = "strikes"
fields = ["damage", "killed_min", "killed_max"]
kinds = ["refinery"]

[[embargo]]
hours = 80000
countries = ["GE"]
"""
#: What no writer without `read-private` may be told.
SECRETS = ("33.773", "49.442", "damagemarker", "8713", SECRET)


@dataclasses.dataclass(frozen=True)
class Desk:
    client: TestClient
    store: Store
    file: Path

    def person(self, *roles: Role) -> dict[str, str]:
        name = f"Person {len(reviewer_tokens.read_reviewers(self.file))}"
        return {"Authorization": f"Bearer {reviewer_tokens.add_reviewer(self.file, name, roles)}"}

    def patch(self, by: dict[str, str], key: str, tag: str = "*", **values: Any) -> Any:
        headers = {**by, "If-Match": tag, "Content-Type": MERGE}
        return self.client.patch(f"{ITEMS}/{key}", content=json.dumps({"properties": values}), headers=headers)

    def stored(self, key: str) -> Any:
        return self.store.records().strikes[key]


@pytest.fixture
def desk(few_records: Records, base: Basemap, new_store: NewStore, tmp_path: Path) -> Iterator[Desk]:
    store = new_store()
    exact: dict[str, Any] = {"host_country": "UA", "target_kinds": ("refinery",), "damage": "damagemarker"}
    strikes = [
        strike(COARSE, killed_min=8713, killed_max=8713, sources=("24tv-pmi", SECRET), **exact),
        strike(LATE, host_country="GE", target_kinds=("port-terminal",), when="2026-03-01"),
        strike(TWIN, host_country="UA", target_kinds=("port-terminal",), geometry=None, uncertainty_m=None, basis=None),
        strike(PLAIN, host_country="UA", target_kinds=("port-terminal",), dataset="review"),
        strike(UNSEEN, host_country="UA", target_kinds=("port-terminal",), private=True),
    ]
    claim = Claim(id="x-claim", record=PLAIN, field="place", value="p", source=SECRET, checked="read", private=True)
    records = dataclasses.replace(
        few_records,
        sources={**few_records.sources, SECRET: Source(id=SECRET, publisher="p", private=True)},
        strikes={**few_records.strikes, **{one.id: one for one in strikes}},
        claims={**few_records.claims, claim.id: claim},
    )
    store.load(records, author="tests", derive=full_rewrite(base, text))
    set_policy(store, parse(POLICY))
    app = create_app(store, Settings(basemap=BASEMAP, reviewers=tmp_path / "reviewers.json", follow_every_s=0))
    with closing(store), TestClient(app, raise_server_exceptions=False) as client:
        yield Desk(client, store, tmp_path / "reviewers.json")


def secrets_in(answer: Any) -> list[str]:
    return [secret for secret in SECRETS if secret in answer.text + str(answer.headers)]


def test_a_writer_is_answered_by_what_is_published(desk: Desk) -> None:
    editor, all_ = desk.person("edit"), desk.person("edit", "read-private")
    for values in ({}, {"note": "n"}):
        answer = desk.patch(editor, COARSE, **values)
        assert answer.status_code == 200, answer.text
        assert not secrets_in(answer)
        assert answer.json()["geometry"]["coordinates"] == [33.8, 49.4]
        assert answer.json()["properties"]["sources"] == ["24tv-pmi"]
        assert set(answer.json()["properties"]["withheld"]) == {"damage", "killed_min", "killed_max", "geometry"}
    after = desk.stored(COARSE)
    assert (after.note, after.geometry, after.damage, after.sources) == (
        "n",
        PLACE,
        "damagemarker",
        ("24tv-pmi", SECRET),
    ), "what the writer could not see stays as it was"
    assert {"33.773", "damagemarker", SECRET} <= set(secrets_in(desk.patch(all_, COARSE)))


def test_a_tag_that_was_given_can_be_written_with_and_no_exact_one_tried(desk: Desk) -> None:
    from layers.store.row_mapping import TABLES

    editor = desk.person("edit")
    key = desk.store.version_key()
    exact = TABLES["strikes"].version(desk.stored(COARSE), key)
    assert desk.patch(editor, COARSE, f'"{exact}"', note="1").status_code == 412
    case = desk.client.get(f"/review/strikes/{COARSE}", headers=desk.person("review"))
    assert case.status_code == 200
    assert exact not in case.text
    tag = desk.client.get(f"{ITEMS}/{COARSE}").headers["etag"]
    first = desk.patch(editor, COARSE, tag, note="1")
    assert first.status_code == 200
    assert exact not in first.headers["etag"]
    assert TABLES["strikes"].version(desk.stored(COARSE), key) not in first.headers["etag"]
    assert desk.patch(editor, COARSE, first.headers["etag"], note="2").status_code == 200
    assert desk.patch(editor, COARSE, tag, note="3").status_code == 412


@pytest.mark.parametrize(
    "patch",
    [
        {"geometry": {"type": "Nonsense"}},
        {"geometry": {"type": "Point"}},
        {"properties": {"killed_min": 8713}},
        {"properties": {"host_country": "RU"}},
        {"properties": {"uncertainty_m": None}},
        {"damage": "other"},
    ],
)
def test_what_is_checked_against_a_withheld_value_tells_nothing(desk: Desk, patch: dict[str, Any]) -> None:
    headers = {**desk.person("edit"), "If-Match": "*", "Content-Type": MERGE}
    answer = desk.client.patch(f"{ITEMS}/{COARSE}", content=json.dumps(patch), headers=headers)
    assert answer.status_code == 403, answer.text
    assert 'scope="read-private"' in answer.headers["www-authenticate"]
    assert not secrets_in(answer)


def test_a_strike_of_which_something_is_withheld_is_not_replaced_unseen(desk: Desk) -> None:
    editor = desk.person("edit")
    for body in (feature(), {"type": "Feature", "geometry": None, "properties": {}}):
        answer = desk.client.put(f"{ITEMS}/{COARSE}", json=body, headers={**editor, "If-Match": "*"})
        assert answer.status_code == 403
        assert not secrets_in(answer)
    assert desk.client.put(f"{ITEMS}/{PLAIN}", json=feature(), headers={**editor, "If-Match": "*"}).is_success


def test_a_request_that_is_sent_again_is_answered_by_what_is_published(desk: Desk) -> None:
    name = "Eve"
    both = {"Authorization": f"Bearer {reviewer_tokens.add_reviewer(desk.file, name, ('edit', 'read-private'))}"}
    key = {"Idempotency-Key": '"k-1"'}
    first = desk.patch({**both, **key}, COARSE, note="again")
    assert "damagemarker" in secrets_in(first)
    assert desk.patch({**both, **key}, COARSE, note="again").text == first.text
    reviewer_tokens.set_roles(desk.file, name, ("edit",))
    again = desk.patch({**both, **key}, COARSE, note="again")
    assert again.status_code == 200
    assert not secrets_in(again)
    assert again.json()["properties"]["note"] == "again"
    posted = [desk.client.post(ITEMS, json=feature(), headers={**both, "Idempotency-Key": '"k-2"'}) for _ in range(2)]
    assert posted[0].status_code == posted[1].status_code == 201
    assert posted[0].json() == posted[1].json()
    assert posted[0].headers["location"] == posted[1].headers["location"]


def test_what_lifts_a_rule_needs_the_role_publish(desk: Desk) -> None:
    editors = [desk.person("edit"), desk.person("edit", "read-private")]
    publisher = desk.person("edit", "read-private", "publish")
    exact = desk.stored(COARSE)
    for editor in editors:
        answer = desk.patch(editor, COARSE, target_kinds=["port-terminal"])
        assert answer.status_code == 403, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert 'scope="publish"' in answer.headers["www-authenticate"]
        detail = answer.json()["detail"]
        assert "rounding of coordinates" in detail
        assert "withholding of damage, killed_min, killed_max" in detail
        assert desk.stored(COARSE) == exact
    for lifting in ({"host_country": "UA"}, {"when": "1990-01-01"}):
        answer = desk.patch(editors[1], LATE, **lifting)
        assert answer.status_code == 403, lifting
        assert "embargo" in answer.json()["detail"]
    assert desk.patch(editors[1], LATE, when="2026-04-01", note="stricter").status_code == 200
    assert desk.patch(editors[0], PLAIN, target_kinds=["refinery"]).status_code == 200, "stricter is for all"
    assert desk.patch(publisher, COARSE, target_kinds=["port-terminal"]).status_code == 200
    shown = desk.client.get(f"{ITEMS}/{COARSE}").json()
    assert shown["geometry"]["coordinates"] == [PLACE.x, PLACE.y]


def test_a_judgement_that_lifts_a_rule_needs_it_too(desk: Desk) -> None:
    reviewer = desk.person("review", "read-private")
    publisher = desk.person("review", "read-private", "publish")

    def judge(by: dict[str, str], verdict: str) -> Any:
        body = {"one": TWIN, "other": COARSE, "verdict": verdict, "why": "read"}
        return desk.client.post("/review/judgements", json=body, headers=by)

    assert judge(reviewer, "same").status_code == 201
    for verdict in ("undone", "different"):
        answer = judge(reviewer, verdict)
        assert answer.status_code == 403, answer.text
        assert "withholding of damage" in answer.json()["detail"]
    assert judge(publisher, "different").status_code == 201


def test_an_unknown_and_a_private_record_are_answered_alike(desk: Desk) -> None:
    editor, reviewer = desk.person("edit"), desk.person("review")

    def added(source: str) -> Any:
        return desk.client.post(ITEMS, json=feature(sources=["24tv-pmi", source]), headers=editor)

    def patched(key: str, source: str) -> Any:
        return desk.patch(editor, key, sources=["24tv-pmi", source])

    def decided(**values: Any) -> Any:
        body = {"strike": PLAIN, "verdict": "unsure", "why": "read", "seen": None, **values}
        return desk.client.post("/review/decisions", json=body, headers=reviewer)

    def judged(other: str) -> Any:
        body = {"one": PLAIN, "other": other, "verdict": "same", "why": "read"}
        return desk.client.post("/review/judgements", json=body, headers=reviewer)

    def method(name: str, key: str) -> Any:
        body = {} if name == "DELETE" else {"json": feature()}
        return desk.client.request(name, f"{ITEMS}/{key}", headers={**editor, "If-Match": "*"}, **body)

    part = desk.patch(editor, PLAIN, place_source="24tv")
    assert part.status_code == 422, "a part of the id of the source that it had is no source"
    none_source, none_strike = "x-nosuchsource", "x-nosuch"
    for private, unknown in (
        (added(SECRET), added(none_source)),
        (patched(PLAIN, SECRET), patched(PLAIN, none_source)),
        (patched(COARSE, SECRET), patched(COARSE, none_source)),
        (decided(sources=[SECRET]), decided(sources=[none_source])),
        (decided(strike=UNSEEN), decided(strike=none_strike)),
        (judged(UNSEEN), judged(none_strike)),
        (desk.patch(editor, UNSEEN), desk.patch(editor, none_strike)),
        (method("PUT", UNSEEN), method("PUT", none_strike)),
        (method("DELETE", UNSEEN), method("DELETE", none_strike)),
    ):
        assert 400 <= private.status_code < 500
        assert private.status_code == unknown.status_code
        said = unknown.text.replace(none_source, SECRET).replace(none_strike, UNSEEN)
        assert private.text == said


def test_a_strike_that_a_private_record_speaks_of_is_not_removed_and_says_not_by_which(desk: Desk) -> None:
    editor, all_ = desk.person("edit"), desk.person("edit", "read-private")
    refused = [desk.client.delete(f"{ITEMS}/{PLAIN}", headers={**by, "If-Match": "*"}).json() for by in (editor, all_)]
    assert [one["status"] for one in refused] == [409, 409]
    assert "x-claim" not in str(refused[0])
    assert "x-claim" in str(refused[1])


def test_of_a_newer_decision_that_is_private_no_id_is_shown(desk: Desk) -> None:
    reviewer, all_ = desk.person("review"), desk.person("review", "read-private")
    body = {"strike": PLAIN, "verdict": "unsure", "why": "read", "seen": None, "sources": [SECRET]}
    made = desk.client.post("/review/decisions", json=body, headers=all_).json()["decision"]["id"]
    refused = desk.client.post("/review/decisions", json={**body, "sources": []}, headers=reviewer)
    assert refused.status_code == 409
    assert made not in refused.text
    assert refused.json()["newest"] is None


def test_a_private_strike_is_added_by_whoever_may_read_it(desk: Desk) -> None:
    private = feature(private=True)
    refused = desk.client.post(ITEMS, json=private, headers=desk.person("edit"))
    assert (refused.status_code, 'scope="read-private"' in refused.headers["www-authenticate"]) == (403, True)
    assert desk.client.post(ITEMS, json=private, headers=desk.person("edit", "read-private")).status_code == 201
