"""What comes later: mended rows, a newer file of a dataset, and others who write at the same time."""

from __future__ import annotations

import json
import shlex
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.cli import load as load_command
from layers.model.records import Records
from layers.store.store import Store
from tests.load_runner import ACLED, KINDS, TIMEMAP, Run, edited, faultless, is_change, load, of_dataset
from tests.store_copies import opened_copy
from tests.store_kinds import again


def test_mended_rows_that_are_appended_give_what_a_faultless_file_does(
    run: Run, own: Store, few_store: Store, tmp_path: Path
) -> None:
    whole = opened_copy(few_store, tmp_path / "whole.gpkg")
    options = ("--dataset", "acled/one", "--retrieved", "2025-11-25")
    load(run, "acled", edited(ACLED, tmp_path / "mended.csv", faultless), *options, on=whole.name)
    told = load(run, "acled", ACLED, *options, "--partial", "--rejected", tmp_path / "rejected.csv")
    assert told["rejected_files"] == [str(tmp_path / "rejected.csv")]
    assert len(of_dataset(own, "acled/one")["strikes"]) == 6
    edited(tmp_path / "rejected.csv", tmp_path / "rejected.csv", faultless)
    command, *rest = shlex.split(told["mend"])
    assert command == "strikeatlas"
    mended = run(*rest, "--json").report
    assert mended["changes"]["strikes"]["added"] == ["acled/ukr900008", "acled/ukr900009"]
    assert not any(mended["changes"][name][kind] for name in mended["changes"] for kind in KINDS[1:])
    assert of_dataset(own, "acled/one") == of_dataset(whole, "acled/one")
    again = load(run, "acled", tmp_path / "mended.csv", *options)
    assert not is_change(again)


def test_mended_rows_are_loaded_with_the_files_that_tell_of_them(
    run: Run, own: Store, few_store: Store, tmp_path: Path
) -> None:
    def mend(path: Path) -> None:
        events = [event for event in json.loads(path.read_text()) if isinstance(event, dict)]
        for event in events:
            event |= {"TST0003": {"date": "12/31/2022", "latitude": "46.3"}}.get(event["id"], {})
            event |= {"sources": ["src1"]} if event["id"] == "TST0003" else {}
        unique = {event["id"]: event for event in reversed(events)}
        path.write_text(json.dumps([*reversed(unique.values())]))

    whole, folder = opened_copy(few_store, tmp_path / "whole.gpkg"), tmp_path / "whole"
    folder.mkdir()
    for file in TIMEMAP:
        shutil.copy(file, folder)
    mend(folder / TIMEMAP[0].name)
    load(run, "timemap", *(folder / file.name for file in TIMEMAP), "--dataset", "timemap/one", on=whole.name)
    rejected = tmp_path / "rejected"
    told = load(run, "timemap", *TIMEMAP, "--dataset", "timemap/one", "--partial", "--rejected", rejected)
    assert [Path(name).name for name in told["rejected_files"]] == [TIMEMAP[0].name]
    events = json.loads((rejected / TIMEMAP[0].name).read_text())
    assert [event["id"] for event in events if isinstance(event, dict)] == ["TST0002", "TST0003"]
    kept = [event for event in events if isinstance(event, dict) and event["id"] == "TST0003"]
    (rejected / TIMEMAP[0].name).write_text(json.dumps(kept))
    mend(rejected / TIMEMAP[0].name)
    run(*shlex.split(told["mend"])[1:])
    assert of_dataset(own, "timemap/one") == of_dataset(whole, "timemap/one")
    assert "https://example.org/film" in {one.url for one in own.records().sources.values()}


def test_a_newer_file_shows_what_changed(run: Run, own: Store, tmp_path: Path) -> None:
    load(run, "acled", ACLED, "--partial", "--dataset", "acled/one")

    def newer(row: dict[str, str]) -> None:
        faultless(row)
        if row["event_id_cnty"] == "UKR900001":
            row |= {"fatalities": "4", "geo_precision": "2"}
        if row["event_id_cnty"] == "UKR900003":
            row.clear()

    file = edited(ACLED, tmp_path / "newer.csv", newer)
    said = run("load", "acled", file, "--dataset", "acled/one", "--dry-run")
    text = " ".join(said.out.split())
    assert "acled/ukr900001 │ changed: uncertainty_m, basis, killed_min, killed_max" in text
    assert "acled/ukr900003 │ removed: no longer in the files" in text
    told = load(run, "acled", file, "--dataset", "acled/one", "--replace")
    assert told["changes"]["strikes"] == {
        "added": ["acled/ukr900008", "acled/ukr900009"],
        "changed": {"acled/ukr900001": ["uncertainty_m", "basis", "killed_min", "killed_max"]},
        "removed": ["acled/ukr900003"],
        "unchanged": 4,
    }
    assert (told["written"]["changed"]["strikes"], told["written"]["removed"]["strikes"]) == (1, 1)
    change = next(one for one in own.revisions() if one.record == "acled/ukr900001" and one.before is not None)
    assert change.before is not None
    assert change.after is not None
    assert (change.author, change.before["killed_max"], change.after["killed_max"]) == ("strikeatlas load", 2, 4)


def test_what_a_decision_rests_on_stays_when_a_newer_file_lacks_it(run: Run, own: Store, tmp_path: Path) -> None:
    load(run, "acled", ACLED, "--partial", "--dataset", "acled/one")
    decision = next(iter(own.records().decisions.values()))
    kept = {"id": "desk/1", "dataset": "desk", "strike": "acled/ukr900003", "asset": None, "verdict": "unsure"}
    own.append("decisions", decision.model_copy(update={**kept, "sources": ()}), author="Ann")

    def newer(row: dict[str, str]) -> None:
        faultless(row)
        if row["event_id_cnty"] in ("UKR900002", "UKR900003"):
            row.clear()

    said = run("load", "acled", edited(ACLED, tmp_path / "newer.csv", newer), "--dataset", "acled/one", "--replace")
    assert "kept: acled/ukr900003 (decision desk/1 of desk refers to it)" in " ".join(said.out.split())
    strikes = own.records().strikes
    assert "acled/ukr900003" in strikes
    assert "acled/ukr900002" not in strikes


# Others at work.


def statement_of_a_state(name: str, code: str) -> dict[str, Any]:
    """A state as a BODS 0.4 statement."""
    return {
        "statementId": "00000000-0000-0000-0000-000000000001",
        "declarationSubject": "register-1",
        "recordId": "register-1",
        "recordType": "entity",
        "recordStatus": "new",
        "statementDate": "2026-01-01",
        "publicationDetails": {
            "publicationDate": "2026-01-01",
            "bodsVersion": "0.4",
            "publisher": {"name": "A register"},
        },
        "recordDetails": {
            "entityType": {"type": "state"},
            "name": name,
            "jurisdiction": {"name": name, "code": code},
            "isComponent": False,
        },
    }


def test_what_somebody_else_writes_meanwhile_is_not_undone(
    run: Run, own: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A load that unites an entity brings all of the known one's dataset to what it was when it was compared."""
    tries: list[int] = []
    plan_load = load_command.plan_load

    def slow(stored: Records, *args: Any) -> Any:
        found = plan_load(stored, *args)
        if not tries:
            socar = stored.entities["socar"].model_copy(update={"note": "Edited meanwhile."})
            edited = replace(stored, entities={**stored.entities, "socar": socar})
            again(own).load(edited, author="Ann")
        tries.append(1)
        return found

    monkeypatch.setattr(load_command, "plan_load", slow)
    file = tmp_path / "states.json"
    file.write_text(json.dumps([statement_of_a_state("Republic of Azerbaijan", "AZ")]))
    told = load(run, "bods", file)
    assert len(tries) == 2
    entities = own.records().entities
    assert entities["socar"].note == "Edited meanwhile."
    ((name, same),) = told["same"].items()
    assert name not in entities
    assert "Republic of Azerbaijan" in entities[same["known"]].aliases


def test_where_others_never_stop_writing_the_load_gives_up(
    run: Run, own: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_load = load_command.plan_load
    source = own.records().sources[next(iter(own.records().sources))]

    def busy(stored: Records, *args: Any) -> Any:
        own.append("sources", source.model_copy(update={"id": f"desk/{own.seq()}", "dataset": "desk"}), author="Ann")
        return plan_load(stored, *args)

    monkeypatch.setattr(load_command, "plan_load", busy)
    said = run("load", "acled", ACLED, "--partial")
    assert (said.code, said.out) == (5, "")
    assert "nothing was written" in said.err
    assert not any(strike.private for strike in own.records().strikes.values())
