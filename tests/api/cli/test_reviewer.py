"""``strikeatlas reviewer`` and ``audit``: people, roles and tokens from the shell, and the trail of what they did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from api.requests.reviewer_tokens import DEFAULT_ROLES, ROLES, authenticate, read_reviewers
from api.server.audit_trail import AuditTrail, audit_path
from layers.model.records import Source
from layers.store.store import Edit
from tests.command_runner import Run, shell
from tests.store_kinds import NewStore


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return shell(capsys, monkeypatch)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "reviewers.json"


def test_a_reviewer_from_their_first_token_to_the_last(run: Run, file: Path) -> None:
    options = ("--reviewers", file, "--json")
    first = run("reviewer", "add", "Ann", *options).report
    assert first["name"] == "Ann"
    [row] = run("reviewer", "list", *options).report
    assert (row["name"], row["roles"], row["expires"], row["tokens"]) == ("Ann", list(DEFAULT_ROLES), None, 1)
    set_ = run("reviewer", "roles", "ann", "--role", "publish", "--role", "edit", *options).report
    assert set_["roles"] == ["edit", "publish"]
    second = run("reviewer", "rotate", "ANN", "--overlap", "1", *options).report
    [row] = run("reviewer", "list", *options).report
    assert (row["roles"], row["tokens"]) == (["edit", "publish"], 2)
    for token in (first["token"], second["token"]):
        assert authenticate(read_reviewers(file), f"Bearer {token}").name == "Ann"
    run("reviewer", "rotate", "Ann", "--overlap", "0", *options)
    assert run("reviewer", "list", *options).report[0]["tokens"] == 1
    assert run("reviewer", "remove", "Ann", *options).report == {"removed": "Ann"}
    assert run("reviewer", "list", *options).report == []


def test_a_token_with_an_end_is_listed_with_it(run: Run, file: Path) -> None:
    run("reviewer", "add", "Ann", "--reviewers", file, "--expires", "2099-01-31T12:00:00+02:00", "--role", "review")
    listed = run("reviewer", "list", "--reviewers", file)
    assert "Ann: review; holds until 2099-01-31T10:00:00Z" in listed.out


def test_all_roles_are_listed_with_what_they_allow(run: Run) -> None:
    assert run("reviewer", "roles", "--json").report == dict(ROLES)
    said = " ".join(run("reviewer", "roles").out.split())
    assert all(f"{role}: {allows}" in said for role, allows in ROLES.items())


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("add", "Ann", "--role", "owner"), "owner"),
        (("add", "Ann", "--expires", "tomorrow"), "tomorrow"),
        (("add", "Ann", "--expires", "2099-01-31"), "2099-01-31"),
        (("add", "Ann", "--expires", "2001-01-31T00:00:00Z"), "2001"),
        (("add", "A\u200bnn"), "U+200B"),
        (("roles", "Ann"), "role"),
        (("rotate", "Nobody"), "Nobody"),
        (("remove", "Nobody"), "Nobody"),
    ],
)
def test_what_cannot_be_is_wrong_usage_and_named(run: Run, file: Path, arguments: tuple[str, ...], named: str) -> None:
    refused = run("reviewer", *arguments, "--reviewers", file)
    assert (refused.code, named in refused.err) == (2, True)
    assert read_reviewers(file) == ()


def test_the_trail_is_listed_by_person_and_time_and_checked(run: Run, tmp_path: Path) -> None:
    store = tmp_path / "atlas.gpkg"
    assert run("audit", "--store", store, "--json").report["lines"] == []
    trail = AuditTrail(audit_path(store))
    for who in ("Ann", "Ben", "Ann"):
        trail.append("read", who=who, method="GET", route="/review/queue", records=["s-1"], seq=4)
    done = trail.append("write", who="Ann", method="POST", route="/review/decisions", records=["s-2"], seq=4)
    trail.append("written", of=done, who="Ann", seq=5)
    report = run("audit", "--store", store, "--who", "ANN", "--json").report
    assert [line["event"] for line in report["lines"]] == ["read", "read", "write", "written"]
    assert (report["faults"], report["open"]) == ([], [])
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    assert run("audit", "--store", store, "--since", tomorrow, "--json").report["lines"] == []
    said = run("audit", "--store", store)
    assert (said.code, "the chain holds" in said.out, report["head"][:20] in said.out) == (0, True, True)
    assert run("audit", "--store", store, "--since", "soon").code == 2
    lines = trail.path.read_bytes().splitlines(keepends=True)
    trail.path.write_bytes(b"".join(lines[1:]))
    broken = run("audit", "--store", store, "--json")
    assert (broken.code, orjson.loads(broken.out)["faults"][0]["line"]) == (1, 1)


def test_of_a_write_without_an_outcome_history_tells_whether_it_took_place(
    run: Run, new_shared_store: NewStore
) -> None:
    store = new_shared_store()
    trail = AuditTrail(audit_path(store.beside))
    begun = [trail.append("write", who="Ann", records=[key], seq=0) for key in ("s-1", "s-2", "s-3")]
    for key, author in (("s-1", "Ben"), ("s-2", "Ann")):
        source = Source(id=key, dataset="d", publisher="p")
        store.write(Edit("sources", key, source, None), author=author)
    store.close()
    report = run("audit", "--store", store.name, "--json").report
    assert report["open"] == [{"id": key, "seq": seq} for key, seq in zip(begun, (None, 2, None), strict=True)]
    said = run("audit", "--store", store.name).out
    assert "it is change 2" in said
    assert "nothing was written" in said
