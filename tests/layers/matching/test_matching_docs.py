"""The page on matching has the weights and thresholds in use, and its figures are those of the results in the repo."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from layers.decisions.hits import NONE_FROM, PUBLISH_FROM, SHOW_FROM
from layers.matching import weights

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "matching.md"
LABELLED = ROOT / "tests" / "labelled"


def rows(name: str) -> list[dict[str, str]]:
    with (LABELLED / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def said() -> str:
    return " ".join(PAGE.read_text(encoding="utf-8").split())


def test_the_page_has_the_table_of_weights() -> None:
    table = weights.read()
    page = PAGE.read_text(encoding="utf-8")
    for name, says in weights.REASONS.items():
        weight = f"{table[name]:+.2f}" if name in table.by_name else f"down to {table.ceiling:.2f}"
        error = f"{table.errors[name]:.2f}" if name in table.errors else ""
        assert f"| `{name}` | {weight} | {error} | {says} |" in page
    assert f"a part of {table.missing:.2f} counts as an asset that the layer lacks" in said()


def test_the_page_has_the_thresholds() -> None:
    assert f"**published** as probable from {PUBLISH_FROM}" in said()
    assert f'**"None of these"** is said from {NONE_FROM}' in said()
    assert f"**shown** from {SHOW_FROM}" in said()


def test_the_figures_of_all_sources_follow_from_the_results() -> None:
    results = rows("matching_results.csv")
    labels = {row["id"]: row for name in ("reports.csv", "events.csv") for row in rows(name)}
    assert {row["id"].removesuffix("-headline") for row in results} <= {
        name for name, row in labels.items() if row["asset"] != "unknown"
    }
    assert weights.read().events == len(results)
    named = [row for row in results if row["asset"] != "none"]
    none = [row for row in results if row["asset"] == "none"]
    right = sum(row["right"] == "yes" for row in named)
    assert f"| all | {len(results)} | {right / len(named):.3f} " in PAGE.read_text(encoding="utf-8")
    share = sum(row["right"] == "yes" for row in none) / len(none)
    assert f'"none of these" is right in {share:.3f} of the cases' in said()
    published = [row for row in named if float(row["probability"]) >= PUBLISH_FROM]
    correct = sum(row["right"] == "yes" for row in published)
    assert f"{correct} of {len(published)} = {correct / len(published):.3f}" in said()


@pytest.mark.parametrize("name", ["reports.csv", "events.csv"])
def test_labels_are_each_of_one_report(name: str) -> None:
    ids = [row["id"] for row in rows(name)]
    assert len(set(ids)) == len(ids)
    assert all(row["asset"] for row in rows(name))
