"""The printed audit of a GEM tracker file: its tables, and JSON whose reasons and problems are in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.gem.__main__ import main

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "gem" / "pipelines-2024-01-31.csv"


def test_tables_and_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    main([str(SAMPLE)])
    printed = capsys.readouterr().out
    assert "Disagreements (3)" in printed
    assert "Ödd Öne (12%)" in printed
    main([str(SAMPLE), "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert answer["owner"]["sums"]["whole"] == 7
    assert {row["id"]: row["why"] for row in answer["agreement"]["compared"]}["P9006"] == (
        "no row has A; Odd One; Ödd Öne alone"
    )
    assert [problem["expected"] for problem in answer["problems"]] == ["14 cells, as in the header"]
