"""Words about a strike: a draft is named as one, and independent sources are counted beside its sources."""

from __future__ import annotations

import pytest

from api.wording.strikes import sources_in_words, strike_title


@pytest.mark.parametrize(
    ("sources", "voices", "said"),
    [
        (1, 1, "1 source"),
        (1, 0, "1 source, no independent report"),
        (3, 2, "3 sources, 2 of them independent"),
        (3, 1, "3 sources, 1 of them independent"),
        (2, 2, "2 sources, all of them independent"),
        (2, 0, "2 sources, no independent report"),
        (0, 0, "0 sources"),
    ],
)
def test_voices_are_said_beside_the_sources(sources: int, voices: int, said: str) -> None:
    assert sources_in_words(sources, voices) == said


def test_only_a_draft_has_a_word_beside_its_title() -> None:
    assert strike_title("Depot", "draft") == "Depot (draft)"
    for status in ("reported", "corroborated", "verified", "retracted", None):
        assert strike_title("Depot", status) == "Depot"
