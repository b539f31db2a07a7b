"""Reviewers: names that no reader confuses, roles, tokens that end and overlap, and a file that loses nobody."""

from __future__ import annotations

import json
import multiprocessing
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.requests import reviewer_tokens
from api.requests.reviewer_tokens import (
    DEFAULT_ROLES,
    ROLES,
    InsufficientRole,
    InvalidName,
    NotAllowed,
    ReviewersError,
    Role,
    UnknownRole,
    UnknownToken,
    add_reviewer,
    authenticate,
    display_name,
    name_key,
    parse_roles,
    read_reviewers,
    remove_reviewer,
    require_role,
    role_for,
    rotate_token,
    set_roles,
)

DIGEST = "0123456789abcdef" * 4


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "reviewers.json"


def bearer(token: str) -> str:
    return f"Bearer {token}"


# Names.


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "-",
        "x" * 121,
        "Ann\u00a0Editor",
        "Ann\u2003Editor",
        "Ann\tEditor",
        "Ann\n",
        "Ann\u200b",
        "Ann\u202eEditor",
        "Ann\x00",
        "Ann\u3164",
        "Ann\ufe0f",
        "Ann\u2800Editor",
        "Ann\ud800",
    ],
)
def test_a_name_that_shows_otherwise_than_it_is_is_refused(file: Path, name: str) -> None:
    with pytest.raises(InvalidName):
        display_name(name)
    with pytest.raises(ReviewersError):
        add_reviewer(file, name)
    assert read_reviewers(file) == ()


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Ann Editor", "ann editor"),
        ("Ann Editor", "  Ann   Editor "),
        ("Stra\u00dfe", "STRASSE"),
        ("Zo\u00eb", "Zoe\u0308"),
        ("Ann 1", "\uff21\uff4e\uff4e \uff11"),
        ("\u0130lker", "i\u0307lker"),
    ],
)
def test_two_names_that_a_reader_takes_for_one_are_one(file: Path, name: str, other: str) -> None:
    add_reviewer(file, name)
    with pytest.raises(ReviewersError, match="there is a reviewer"):
        add_reviewer(file, other)
    rotate_token(file, other)
    remove_reviewer(file, other)
    assert read_reviewers(file) == ()


@given(st.text(max_size=130))
def test_a_shown_name_is_shown_as_it_is_and_its_key_is_that_of_the_name(name: str) -> None:
    try:
        shown = display_name(name)
    except InvalidName:
        return
    assert display_name(shown) == shown
    assert name_key(shown) == name_key(name)
    assert all(unicodedata.category(one)[0] not in "CZ" or one == " " for one in shown)


@given(st.text(max_size=40))
def test_a_key_is_its_own_key_in_whichever_case_and_form(name: str) -> None:
    key = name_key(name)
    assert name_key(key) == key
    assert name_key(f"  {name} ") == key
    assert all(name_key(unicodedata.normalize(form, name)) == key for form in ("NFC", "NFD", "NFKC", "NFKD"))


# Roles.


@given(st.sets(st.sampled_from(get_args(Role))), st.sets(st.sampled_from(get_args(Role)), min_size=1))
def test_a_role_allows_where_it_is_needed_or_is_admin(held: set[Role], needed: set[Role]) -> None:
    role = role_for(held, tuple(needed))
    assert (role is None) == (not held & (needed | {"admin"}))
    assert role is None or role in held
    assert role != "admin" or "admin" in needed or not held & needed


def test_roles_are_a_closed_set_of_words() -> None:
    assert set(get_args(Role)) == set(ROLES)
    assert parse_roles(["review", "edit", "edit"]) == ("edit", "review")
    with pytest.raises(UnknownRole, match="'Edit', 'owner'"):
        parse_roles(["edit", "owner", "Edit"])


def test_roles_are_given_and_taken(file: Path) -> None:
    token = add_reviewer(file, "Ann", ("edit",))
    [ann] = read_reviewers(file)
    assert require_role(ann, "review", "edit") == "edit"
    with pytest.raises(InsufficientRole, match="publish is needed"):
        require_role(ann, "publish")
    set_roles(file, "ann", ("admin",))
    assert require_role(authenticate(read_reviewers(file), bearer(token)), "publish") == "admin"
    with pytest.raises(ReviewersError, match="no reviewer 'Ben'"):
        set_roles(file, "Ben", ("edit",))


# Tokens.


def test_a_token_ends_at_its_time(file: Path) -> None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    token = add_reviewer(file, "Ann", expires=end)
    reviewers = read_reviewers(file)
    assert authenticate(reviewers, bearer(token), end - timedelta(seconds=1)).name == "Ann"
    with pytest.raises(NotAllowed, match="expired at") as caught:
        authenticate(reviewers, bearer(token), end)
    assert (caught.value.error, type(caught.value)) == ("invalid_token", NotAllowed)
    assert reviewers[0].expires(end - timedelta(seconds=1)) == end
    assert reviewers[0].expires(end) == end


def test_after_a_rotation_both_tokens_hold_for_the_overlap(file: Path) -> None:
    former = add_reviewer(file, "Ann")
    token = rotate_token(file, "Ann", timedelta(hours=2))
    reviewers, now = read_reviewers(file), datetime.now(UTC)
    for one in (former, token):
        assert authenticate(reviewers, bearer(one), now + timedelta(hours=1)).name == "Ann"
    with pytest.raises(NotAllowed, match="expired"):
        authenticate(reviewers, bearer(former), now + timedelta(hours=3))
    assert authenticate(reviewers, bearer(token), now + timedelta(days=3000)).name == "Ann"


def test_a_rotation_prolongs_no_token_and_without_overlap_ends_all(file: Path) -> None:
    end = datetime.now(UTC) + timedelta(minutes=5)
    former = add_reviewer(file, "Ann", expires=end)
    second = rotate_token(file, "Ann", timedelta(hours=2))
    with pytest.raises(NotAllowed, match="expired"):
        authenticate(read_reviewers(file), bearer(former), end)
    last = rotate_token(file, "Ann", timedelta(0))
    for one in (former, second):
        with pytest.raises(UnknownToken):
            authenticate(read_reviewers(file), bearer(one))
    assert authenticate(read_reviewers(file), bearer(last)).name == "Ann"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "Token x"])
def test_what_is_no_bearer_token_is_none(file: Path, header: str | None) -> None:
    add_reviewer(file, "Ann")
    with pytest.raises(NotAllowed) as caught:
        authenticate(read_reviewers(file), header)
    assert (caught.value.error, type(caught.value)) == (None, NotAllowed)


# The file.


def test_the_first_form_of_the_file_is_read_and_brought_up_to_date_by_a_change(file: Path) -> None:
    file.parent.mkdir()
    file.write_text(json.dumps([{"name": "Ann", "digest": DIGEST}]), encoding="utf-8")
    [ann] = read_reviewers(file)
    assert (ann.name, ann.roles, ann.expires(datetime.now(UTC))) == ("Ann", DEFAULT_ROLES, None)
    assert set(DEFAULT_ROLES) == {"edit", "review", "read-private"}
    add_reviewer(file, "Ben")
    document = json.loads(file.read_text(encoding="utf-8"))
    assert (document["format"], [one["name"] for one in document["reviewers"]]) == (2, ["Ann", "Ben"])
    assert read_reviewers(file)[0] == ann


def test_names_of_the_first_form_that_are_one_are_told_apart_by_their_letters_and_one_must_go(file: Path) -> None:
    file.parent.mkdir()
    former = [{"name": name, "digest": digest} for name, digest in (("Ann", DIGEST), ("ann", DIGEST[::-1]))]
    file.write_text(json.dumps(former), encoding="utf-8")
    with pytest.raises(ReviewersError, match="'Ann' and 'ann' are one name"):
        add_reviewer(file, "Ben")
    assert len(read_reviewers(file)) == 2
    remove_reviewer(file, "ann")
    add_reviewer(file, "Ben")
    assert [one.name for one in read_reviewers(file)] == ["Ann", "Ben"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        '{"format": 3, "reviewers": []}',
        '{"format": 2, "reviewers": [{"name": "Ann", "roles": ["owner"], "tokens": []}]}',
        '{"format": 2, "reviewers": [{"name": "Ann", "tokens": []}, {"name": "ANN", "tokens": []}]}',
        '{"format": 2, "reviewers": [{"name": "Ann", "tokens": [{"digest": "x"}]}]}',
        '[{"name": "Ann"}]',
    ],
)
def test_a_file_that_is_something_else_is_refused_and_left(file: Path, content: str) -> None:
    file.parent.mkdir()
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ReviewersError, match="no list of reviewers"):
        add_reviewer(file, "Ann")
    assert file.read_text(encoding="utf-8") == content


def test_a_change_that_fails_leaves_the_file_as_it_was(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_reviewer(file, "Ann")
    before = file.read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(reviewer_tokens.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        add_reviewer(file, "Ben")
    assert file.read_bytes() == before
    assert sorted(one.name for one in file.parent.iterdir()) == ["reviewers.json", "reviewers.json.lock"]


def _add(path: str, number: int) -> None:
    add_reviewer(Path(path), f"Reviewer {number}")


@pytest.mark.long
def test_of_reviewers_who_are_added_at_once_none_is_lost(file: Path) -> None:
    count = 20
    context = multiprocessing.get_context("forkserver")
    adding = [context.Process(target=_add, args=(str(file), number)) for number in range(count)]
    for process in adding:
        process.start()
    for process in adding:
        process.join()
    assert [process.exitcode for process in adding] == [0] * count
    assert sorted(one.name for one in read_reviewers(file)) == sorted(f"Reviewer {number}" for number in range(count))
    assert file.stat().st_mode & 0o777 == 0o600
