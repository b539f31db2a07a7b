"""The chain of history: its canonical form, and that nothing in it can be changed without being found."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.store.history_chain import (
    COLUMNS,
    EMPTY,
    ChainBreak,
    Head,
    Linked,
    Unlinked,
    first_break,
    link,
    linked,
    unsalted_link,
)
from layers.store.store import Store
from tests.layers.store.store_killed import strikes

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
rows = st.tuples(texts, texts, texts, texts, st.none() | texts, st.none() | texts, st.none() | texts)
histories = st.lists(rows, min_size=1, max_size=6)


def canonical(*members: object) -> str:
    """SHA-256 of a JSON array by Python's own JSON, which escapes as RFC 8785, 3.2.2.2, says."""
    text = json.dumps(members, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@given(texts, st.integers(1, 2**53), rows, texts, texts)
def test_the_hash_is_that_of_canonical_json(previous: str, seq: int, row: Unlinked, salt: str, older: str) -> None:
    assert link(previous, seq, row, salt) == canonical(previous, salt, seq, *row)
    assert link(previous, seq, row, salt, older) == canonical(previous, salt, seq, *row, older)


def test_a_known_row_has_a_known_hash() -> None:
    row = ("2025-08-09T12:00:00.000Z", "Ann", "strikes", "k", None, '{"id":"k","title":"Орлівка \\"x\\"\\n"}', None)
    text = (
        '["0000000000000000000000000000000000000000000000000000000000000000","5a",1,"2025-08-09T12:00:00.000Z","Ann",'
        '"strikes","k",null,"{\\"id\\":\\"k\\",\\"title\\":\\"Орлівка \\\\\\"x\\\\\\"\\\\n\\"}",null]'
    )
    assert link(EMPTY.hash, 1, row, "5a") == hashlib.sha256(text.encode()).hexdigest()
    assert unsalted_link(EMPTY.hash, 1, row) == "9673d6f75be5a1ef46f0abcfaa7837b76898bbad72616efd263bd17881533ca2"


def test_before_there_were_salts_a_reason_was_a_ninth_member() -> None:
    row = ("2025-08-09T12:00:00.000Z", "Ann", "strikes", "k", None, '{"id":"k"}')
    assert unsalted_link(EMPTY.hash, 1, (*row, "Орлівка")) == canonical(EMPTY.hash, 1, *row, "Орлівка")


@given(rows, rows)
def test_two_rows_have_the_same_hash_only_if_they_are_the_same(one: Unlinked, other: Unlinked) -> None:
    for another in (other, (*one[:6], other[6]), (*one[:5], other[5], one[6])):
        assert (link(EMPTY.hash, 1, one, "") == link(EMPTY.hash, 1, another, "")) == (one == another)


def test_each_row_has_a_salt_of_its_own() -> None:
    row = ("2025-08-09T12:00:00.000Z", "Ann", "strikes", "k", None, "{}", None)
    drawn = [one[8] for _ in range(2) for one in linked(EMPTY, [row] * 600)]
    assert len({*drawn}) == 1200
    assert {len(bytes.fromhex(salt)) for salt in drawn} == {32}


@pytest.mark.parametrize("why", [None, "", "another reason"])
def test_a_reason_that_is_altered_or_removed_is_found(why: str | None, tmp_path: Path) -> None:
    store = Store.create(tmp_path / "atlas.gpkg")
    store.load(strikes(3, "a"), author="test", why="a reason")
    store.close()
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("DROP TRIGGER history_no_update")
        connection.execute("UPDATE history SET why = ? WHERE seq = 2", (why,))
    with store.reading() as connection:
        found = first_break(EMPTY, connection.execute(f"SELECT {COLUMNS} FROM history ORDER BY seq"))
    assert isinstance(found, ChainBreak)
    assert found.seq == 2


def test_a_reason_that_is_added_is_found(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "atlas.gpkg")
    store.load(strikes(3, "a"), author="test")
    store.close()
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("DROP TRIGGER history_no_update")
        connection.execute("UPDATE history SET why = '' WHERE seq = 3")
    with store.reading() as connection:
        found = first_break(EMPTY, connection.execute(f"SELECT {COLUMNS} FROM history ORDER BY seq"))
    assert isinstance(found, ChainBreak)
    assert found.seq == 3


@given(histories)
def test_what_is_linked_follows(history: Sequence[Unlinked]) -> None:
    chained = list(linked(EMPTY, history))
    assert [row[1:8] for row in chained] == list(history)
    assert first_break(EMPTY, chained) == Head(len(history), chained[-1][-1], history[-1][0])
    for cut in range(len(history)):
        head = first_break(EMPTY, chained[:cut])
        assert isinstance(head, Head)
        assert first_break(head, chained[cut:]) == first_break(EMPTY, chained)


@given(histories, st.data())
def test_any_other_value_is_found_where_it_stands(history: Sequence[Unlinked], data: st.DataObject) -> None:
    chained = list(linked(EMPTY, history))
    at = data.draw(st.integers(0, len(chained) - 1))
    column = data.draw(st.sampled_from([*range(9), 10]))
    other = data.draw((st.integers(1, 99) if not column else texts).filter(lambda value: value != chained[at][column]))
    spoilt: list[Linked] = [*chained]
    spoilt[at] = (*chained[at][:column], other, *chained[at][column + 1 :])  # type: ignore[assignment]
    found = first_break(EMPTY, spoilt)
    assert isinstance(found, ChainBreak)
    assert found.expected_seq == at + 1


@given(histories, st.data())
def test_a_row_that_is_gone_is_found(history: Sequence[Unlinked], data: st.DataObject) -> None:
    chained = list(linked(EMPTY, history))
    at = data.draw(st.integers(0, len(chained) - 1))
    found = first_break(EMPTY, chained[:at] + chained[at + 1 :])
    # The last row leaves no gap: whoever has noted the head finds another one.
    assert found == first_break(EMPTY, chained[:-1]) if at == len(chained) - 1 else isinstance(found, ChainBreak)


def test_the_head_of_a_store_is_its_last_row(store: Store) -> None:
    assert store.head() == EMPTY
    store.load(strikes(3, "a"), author="test")
    heads = [store.head()]
    store.load(strikes(3, "b"), author="test")
    heads.append(store.head())
    assert [head.seq for head in heads] == [4, 7]
    assert [head.at for head in heads] == [row.at for row in store.revisions() if row.seq in (4, 7)]
    assert len({EMPTY.hash, *(head.hash for head in heads)}) == 3


def test_anyone_can_check_it_as_the_page_says(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "history.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    store = Store.create(tmp_path / "atlas.gpkg")
    store.load(strikes(1, 'Орлівка "a" \x7f \u2028'), author="test")
    store.load(strikes(3, 'Орлівка "a" \x7f \u2028'), author="test", why='Орлівка "b" \u2028')
    store.close()
    check = [sys.executable, "-c", code, store.path]
    said = subprocess.run(check, capture_output=True, text=True, check=True).stdout
    assert said == f"valid up to row 4, hash {store.head().hash}\n"
    store.close()
    connection = sqlite3.connect(store.path)
    with connection:
        connection.execute("DROP TRIGGER history_no_update")
        connection.execute("UPDATE history SET who = 'Bob' WHERE seq = 3")
    connection.close()
    found = subprocess.run(check, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (1, "row 3 does not follow on row 2\n")
