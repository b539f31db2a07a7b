"""The digest depends on the rows, and on nothing else."""

from __future__ import annotations

import hashlib
from random import Random

import orjson
from hypothesis import given
from hypothesis import strategies as st

from layers.batch.digest import digest_of, row_hashes

rows = st.lists(st.tuples(st.text(max_size=3), st.one_of(st.none(), st.floats(0, 1))), max_size=50)


@given(rows, st.integers(1, 6), st.randoms(use_true_random=False))
def test_any_partition_in_any_order_has_the_digest_of_all_rows_sorted(
    all_rows: list[tuple[str, float | None]], parts: int, random: Random
) -> None:
    hashes = sorted(hashlib.sha256(orjson.dumps(row)).digest() for row in all_rows)
    mixed = random.sample(all_rows, len(all_rows))
    part = [row_hashes(mixed[number::parts]) for number in range(parts)]
    assert digest_of(random.sample(part, parts)) == hashlib.sha256(b"".join(hashes)).hexdigest()


@given(rows.filter(bool))
def test_a_row_more_or_another_value_changes_it(all_rows: list[tuple[str, float | None]]) -> None:
    digest = digest_of([row_hashes(all_rows)])
    assert digest_of([row_hashes([*all_rows, all_rows[0]])]) != digest
    assert digest_of([row_hashes([(f"{all_rows[0][0]}x", all_rows[0][1]), *all_rows[1:]])]) != digest
