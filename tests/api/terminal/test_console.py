"""What is printed to a terminal."""

from __future__ import annotations

import pytest

from api.terminal.console import counted


@pytest.mark.parametrize(
    ("number", "plural", "expected"),
    [
        (1, "strikes", "1 strike"),
        (1, "entities", "1 entity"),
        (1, "new identities", "1 new identity"),
        (0, "sources", "0 sources"),
        (2000, "entities", "2,000 entities"),
    ],
)
def test_a_number_stands_with_its_noun(number: int, plural: str, expected: str) -> None:
    assert counted(number, plural) == expected
