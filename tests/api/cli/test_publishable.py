"""``strikeatlas check --publishable``: every fault at once with its place, the numbers by rule, and those of events."""

from __future__ import annotations

from pathlib import Path

import pytest

from layers.ingest.publishable import RULES, WARNINGS
from tests.command_runner import Run, shell
from tests.conftest import BASEMAP
from tests.layers.ingest.test_publishable import GOOD


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return shell(capsys, monkeypatch)


def write(folder: Path, records: str) -> Path:
    file = folder / "x.toml"
    file.write_text(records, encoding="utf-8")
    return file


def test_records_that_are_fit_to_print_pass(run: Run, tmp_path: Path) -> None:
    passed = run("check", write(tmp_path, GOOD), "--publishable", "--basemap", BASEMAP, "--json")
    assert passed.code == 0
    assert passed.report["problems"] == passed.report["warnings"] == []
    assert passed.report["rules"] == {name: {"records": 0, "strikes": 0} for name in (*RULES, *WARNINGS)}
    assert passed.report["events"]["others"] == {"events": 1, "two_voices": 1, "located": 1}


def test_every_fault_is_named_at_once_with_its_place(run: Run, tmp_path: Path) -> None:
    faulty = GOOD.replace('quote = "a tank burnt out"\n', "").replace('title = "Depot burns"\n', "")
    file = write(tmp_path, faulty.replace('"Ann Bee"', '"editors"'))
    refused = run("check", file, "--publishable", "--basemap", BASEMAP, "--json")
    assert refused.code == 1
    at = {line: number for number, line in enumerate(faulty.splitlines(), 1)}
    source, strike = refused.report["problems"]
    assert (source["file"], source["row"], source["record"]) == ("x.toml", at['id = "paper"'] - 1, "source paper")
    assert (source["column"], source["rule"]) == ("title", "source-without-title-or-date")
    assert (strike["record"], strike["strikes"], strike["value"]) == ("strike k", ["k"], "1 claim, without a quote")
    assert [one["rule"] for one in refused.report["warnings"]] == ["anonymous-decision"]
    assert refused.report["rules"]["anonymous-decision"] == {"records": 1, "strikes": 1}
    said = run("check", file, "--publishable", "--basemap", BASEMAP)
    assert said.code == 1
    assert len(said.err.splitlines()) == 2
    assert said.err.startswith(
        f"x.toml:{source['row']}: source paper: title = (missing): expected the title as printed"
    )
    assert "on two or more independent sources" in said.out


def test_what_cannot_be_read_is_a_fault_first(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path, GOOD.replace('asset = "depot"', 'asset = "no-depot"'))
    refused = run("check", file, "--publishable", "--basemap", BASEMAP, "--json")
    assert refused.code == 1
    assert [one["column"] for one in refused.report["problems"]] == ["asset"]


def test_of_the_bundled_records_every_strike_is_counted(run: Run) -> None:
    events = run("check", "--publishable", "--basemap", BASEMAP, "--json").report["events"]
    assert events["others"]["events"] > 80
    assert events["others"]["two_voices"] > 50
