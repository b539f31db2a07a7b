"""Files of FIRMS on the command line, and the reason that candidates of a strike get by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from layers.store.store import Store
from tests.command_runner import shell
from tests.heat_files import background, csv_text, row
from tests.load_runner import Run, load, of_plants

STRIKE, ASSET = "ua-trypilska-2024-04-11", "a-trypilska"
LON, LAT = 30.74667, 50.133377
SEEN = row(longitude="30.747", latitude="50.1360", acq_date="2024-04-11", acq_time="1048", satellite="N")


def file_of(path: Path, *rows: Mapping[str, str], days: int = 60) -> Path:
    before = background(LON, LAT, date(2024, 2, 11), days)
    path.write_text(csv_text("viirs-archive", [*before, *rows]))
    return path


def reasons(run: Run) -> list[dict[str, Any]]:
    answer = run("match", STRIKE, "--json").report
    (best,) = [match for match in answer[STRIKE] if match["asset"] == ASSET]
    return [reason for reason in best["reasons"] if reason["name"] == "heat"]


def counts(report: Mapping[str, Any]) -> Sequence[int]:
    return [report["rows"][kind] for kind in ("read", "skipped", "rejected")]


@of_plants
def test_heat_is_a_reason_that_changes_no_probability(run: Run, tmp_path: Path) -> None:
    before = run("match", STRIKE, "--json").report[STRIKE]
    report = load(run, "auto", file_of(tmp_path / "fires.csv", SEEN))
    assert (report["format"], report["dataset"], report["private"]) == ("firms", "firms/fires", False)
    assert report["read"] == {"sources": 1, "heat": 61}
    assert report["heat"] == {"observations": 61, "before": 0, "is_change": True}
    (reason,) = reasons(run)
    assert reason["weight"] == 0
    assert reason["detail"].startswith("VIIRS on Suomi NPP saw heat 293 m from here at 10:48 UTC on 2024-04-11; ")
    after = run("match", STRIKE, "--json").report[STRIKE]
    assert [match["probability"] for match in after] == [match["probability"] for match in before]
    for match in after:
        match["reasons"] = [one for one in match["reasons"] if one["name"] != "heat"]
    assert after == before


@of_plants
def test_heat_is_shown_wherever_reasons_are(run: Run, tmp_path: Path) -> None:
    load(run, "firms", file_of(tmp_path / "fires.csv", SEEN))
    (reason,) = reasons(run)
    words = reason["detail"][:40]
    assert f"+0.00 heat: {words}" in run("match", STRIKE).out
    assert words in run("match", STRIKE, "--explain").out
    every = run("match", "--json").report
    assert reason in [one for match in every[STRIKE] for one in match["reasons"]]
    answer = run("show", STRIKE, "--json").report
    listed = [hit["match"] for hit in answer["assets"] if hit["asset"]["id"] == ASSET]
    listed += [candidate for candidate in answer["candidates"] if candidate["asset"] == ASSET]
    assert [one for match in listed for one in match["reasons"] if one["name"] == "heat"] == [reason] * len(listed)
    assert listed


@of_plants
def test_a_load_of_the_same_changes_nothing_and_a_newer_one_replaces(run: Run, own: Store, tmp_path: Path) -> None:
    file = file_of(tmp_path / "fires.csv", SEEN)
    first = load(run, "firms", file)["written"]["seq"]
    again = load(run, "firms", file)
    assert again["heat"] == {"observations": 61, "before": 61, "is_change": False}
    assert again["written"] == {"seq": first}
    newer = load(run, "firms", file_of(file))
    assert (newer["heat"]["observations"], newer["written"]["changed"]["sources"]) == (60, 1)
    assert len(own.heat()) == 60
    assert reasons(run) == []
    assert [*own.verify()] == []


def test_appended_rows_join_those_of_before(run: Run, own: Store, tmp_path: Path) -> None:
    bad = row(acq_date="2024-04-11", satellite="L8")
    file, faults = file_of(tmp_path / "fires.csv", SEEN, bad), tmp_path / "faults.csv"
    refused = run("load", "firms", file, "--json")
    assert (refused.code, len(own.heat())) == (1, 0)
    report = load(run, "firms", file, "--partial", "--rejected", faults)
    assert (counts(report), len(own.heat())) == ([62, 0, 1], 61)
    assert "satellite = L8: expected Terra, Aqua, Suomi NPP" in faults.read_text()
    faults.write_text(faults.read_text().replace(",L8,", ",N,"))
    mended = load(run, "firms", faults, "--dataset", "firms/fires", "--append")
    assert mended["heat"] == {"observations": 62, "before": 61, "is_change": True}
    assert len(own.heat()) == 62
    assert [*own.verify()] == []


def test_a_dry_run_writes_nothing(run: Run, own: Store, tmp_path: Path) -> None:
    report = load(run, "firms", file_of(tmp_path / "fires.csv", SEEN), "--dry-run")
    assert report["heat"]["is_change"]
    assert report["written"] is None
    assert len(own.heat()) == 0


def test_a_file_without_an_observation_is_refused(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.write_text(csv_text("viirs-nrt", []))
    refused = run("load", "auto", path)
    assert refused.code == 1
    assert "none is one for firms" in refused.err


def test_datasets_are_listed_with_their_observations(
    run: Run, own: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    load(run, "firms", file_of(tmp_path / "fires.csv", SEEN))
    every = shell(capsys, monkeypatch)("dataset", "list", "--store", own.name, "--json").report
    (listed,) = [one for one in every if one["dataset"] == "firms/fires"]
    assert (listed["records"], listed["heat"], listed["private_since"]) == (1, 61, None)


@of_plants
def test_a_private_dataset_witnesses_nothing(run: Run, own: Store, tmp_path: Path) -> None:
    load(run, "firms", file_of(tmp_path / "fires.csv", SEEN))
    own.make_private("firms/fires", author="Ann", why="a test")
    assert reasons(run) == []
