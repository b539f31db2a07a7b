"""The coverage statement names strikes that the records hold, and drafts as drafts."""

from __future__ import annotations

import re
from pathlib import Path

from layers.model.records import Records

PAGE = Path(__file__).resolve().parents[1] / "docs" / "coverage.md"
_ID = re.compile(r"\b[a-z]{2,6}(?:-[a-z0-9]+)+-[0-9]{4}(?:-[0-9]{2}){0,2}\b")


def _held() -> list[str]:
    series = PAGE.read_text(encoding="utf-8").partition("\n## Not entered, and why\n")[0]
    return [line for line in series.splitlines() if line.startswith("Held")]


def test_what_is_said_to_be_held_is_held(records: Records) -> None:
    named = {name for line in _held() for name in _ID.findall(line)}
    assert named - records.strikes.keys() == set()
    assert len(named) > 300


def test_drafts_are_said_to_be_drafts(records: Records) -> None:
    for line in _held():
        certain, _, drafts = line.partition("As drafts:")
        marked = set(re.findall(rf"({_ID.pattern})`? \(draft\)", certain)) | set(_ID.findall(drafts))
        for name in _ID.findall(line):
            assert (records.strikes[name].status == "draft") == (name in marked), name
