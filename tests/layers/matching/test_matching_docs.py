"""The page on matching has the weights and thresholds in use, and its figures are of strikes not learnt from."""

from __future__ import annotations

from pathlib import Path

from bench import labelled
from bench.matching_quality import FOLDS, folds
from layers.decisions.hits import PUBLISH_FROM, SHOW_FROM
from layers.matching import weights

PAGE = Path(__file__).resolve().parents[3] / "docs" / "matching.md"


def test_the_page_has_the_table_of_weights() -> None:
    table = weights.read()
    page = PAGE.read_text(encoding="utf-8")
    for name, says in weights.REASONS.items():
        weight = f"{table[name]:+.2f}" if name in table.by_name else f"down to {table.ceiling:.2f}"
        error = f"{table.errors[name]:.2f}" if name in table.errors else ""
        assert f"| `{name}` | {weight} | {error} | {says} |" in page
    said = " ".join(page.split())
    assert f"`tests/labelled/events.csv` has {table.events} strikes" in said
    assert f"a part of {table.missing:.2f} is told as an asset which the layer lacks" in said


def test_the_page_has_the_thresholds() -> None:
    said = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert f"**published** as probable from {PUBLISH_FROM}" in said
    assert f"**shown** from {SHOW_FROM}" in said


def test_strikes_on_one_site_or_of_one_place_and_day_are_never_learnt_from_and_tested() -> None:
    labels = labelled.read(None)
    fold = folds(labels)
    assert set(fold) == set(range(FOLDS))
    kept: dict[object, set[int]] = {}
    for label, number in zip(labels, fold.tolist(), strict=True):
        for key in (*label.right, ("group", label.group), (label.strike.when, label.strike.place)):
            kept.setdefault(key, set()).add(number)
    assert all(len(numbers) == 1 for numbers in kept.values())
