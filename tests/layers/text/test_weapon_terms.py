"""Weapons as people write them: kind and count, and nothing lost."""

from __future__ import annotations

import pytest

from layers.text.weapon_terms import weapon_of


@pytest.mark.parametrize(
    ("text", "kind", "count"),
    [
        ("БПЛА", "drone", None),
        ("7 БПЛА", "drone", 7),
        ("12 х дронів", "drone", 12),
        ("ударні БПЛА", "drone", None),
        ("Шахед", "Shahed drone", None),
        ("БПЛА типу Шахед", "Shahed drone", None),
        ("Shahed-136", "Shahed drone (Shahed-136)", None),
        ("БПЛА «Лютий»", "drone (БПЛА «Лютий»)", None),
        ("крилата ракета", "cruise missile", None),
        ("3 балістичні ракети", "ballistic missile", 3),
        ("Drones", "drone", None),
        ("FPV drone", "FPV drone", None),
        ("drone", "drone", None),
        ("ракети та дрони", "ракети та дрони", None),
        ("HIMARS rocket", "HIMARS rocket", None),
        ("explosive charge", "explosive charge", None),
    ],
)
def test_a_kind_is_said_in_the_words_of_the_records(text: str, kind: str, count: int | None) -> None:
    assert weapon_of(text) == (kind, count)
