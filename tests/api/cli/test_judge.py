"""Judging on the command line: what may be one is listed, said, followed and undone."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import orjson
import pytest

from layers.model.records import Record, Records
from layers.resolution import resolve
from layers.store.store import Store
from tests.command_runner import CommandResult, Run, shell
from tests.conftest import BASEMAP
from tests.layers.strike_builders import strike
from tests.load_runner import of_plants
from tests.store_kinds import NewAddress, needs_a_file, raw

ORLIVKA, SOCAR_DEPOT = "ua-orlivka-2025-08-06", "ua-socar-depot-2025-08-08"


@pytest.fixture
def run(own: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on that store as the shell would."""
    told = shell(capsys, monkeypatch)

    def ran(*args: object) -> CommandResult:
        more = ["--basemap", BASEMAP] if args[0] in ("judge", "load", "list") else []
        return told(*args, "--store", own.name, *more)

    return ran


def say(run: Run, one: str, other: str, verdict: str = "same") -> CommandResult:
    return run("judge", one, other, verdict, "--why", "checked by hand", "--who", "A. Editor", "--json")


def facts(known: Records) -> dict[str, dict[str, Record]]:
    return {f.name: dict(known.table(f.name)) for f in fields(Records) if f.name != "identities"}


def entity_statement(number: int, name: str) -> dict[str, Any]:
    """An entity as a BODS 0.4 statement."""
    return {
        "statementId": f"00000000-0000-0000-0000-00000000000{number}",
        "declarationSubject": f"socar-{number}",
        "recordId": f"socar-{number}",
        "recordType": "entity",
        "recordStatus": "new",
        "statementDate": "2026-01-01",
        "publicationDetails": {
            "publicationDate": "2026-01-01",
            "bodsVersion": "0.4",
            "publisher": {"name": "A register"},
        },
        "recordDetails": {
            "entityType": {"type": "registeredEntity"},
            "name": name,
            "jurisdiction": {"name": "Azerbaijan", "code": "AZ"},
            "isComponent": False,
        },
    }


SPELLINGS = ("State Oil Company of the Azerbaijan Republic", "ДНКАР", "SOC of Azerbaijan [LEI]")


def test_four_spellings_end_as_one_from_reading_to_judgement_to_undo(run: Run, own: Store, tmp_path: Path) -> None:
    file = tmp_path / "register.json"
    file.write_bytes(orjson.dumps([entity_statement(number, name) for number, name in enumerate(SPELLINGS)]))
    assert run("load", "bods", file, "--json").code == 0
    before = own.records()
    read = [entity.id for entity in before.entities.values() if entity.name in SPELLINGS]
    assert len(read) == 3

    rows = run("duplicates", "--table", "entities", "--json").report
    proposed = {frozenset((row["one"]["id"], row["other"]["id"])): row for row in rows}
    assert all(frozenset(("socar", name)) in proposed for name in read)
    assert all(row["reasons"][0]["detail"] for row in rows)

    for name in read:
        told = say(run, "socar", name).report
        assert told["united"] == {name: "socar"}
    merged = resolve.apply_judgements(own.records())
    assert not set(read) & set(merged.entities)
    kept = merged.entities["socar"]
    assert {"SOCAR", *SPELLINGS} <= {kept.name, *kept.aliases, *kept.names.values()}
    left = run("duplicates", "--table", "entities", "--json").report
    assert not any(set(read) & {row["one"]["id"], row["other"]["id"]} for row in left)

    for name in read:
        assert say(run, "socar", name, "undone").report["united"] == {}
    assert facts(resolve.apply_judgements(own.records())) == facts(before) == facts(own.records())
    rows = run("judgements", "--json").report
    assert [row["stands"] for row in rows if row["other"] in read] == [False] * 6


def test_two_strikes_become_one_and_two_again(run: Run, own: Store) -> None:
    depot = own.records().strikes[SOCAR_DEPOT]
    again = depot.model_copy(
        update={"id": "seen-again", "dataset": "seen", "when": "2025-08-09", "title": "Нафтобаза SOCAR горить"}
    )
    own.append("strikes", again, author="tests")
    before = own.records()
    (row,) = (r for r in run("duplicates", "--json").report if "seen-again" in (r["one"]["id"], r["other"]["id"]))
    assert {row["one"]["id"], row["other"]["id"]} == {SOCAR_DEPOT, "seen-again"}
    assert row["score"] >= 0.6
    assert {reason["name"] for reason in row["reasons"]} >= {"prior", "place", "target"}

    said = say(run, SOCAR_DEPOT, "seen-again")
    assert said.report["united"] == {"seen-again": SOCAR_DEPOT}
    merged = resolve.apply_judgements(own.records())
    assert "seen-again" not in merged.strikes
    assert tuple(
        claim.value
        for field in ("when", "title")
        for claim in merged.claims.values()
        if (claim.record, claim.field) == (SOCAR_DEPOT, field) and claim.id.startswith("seen-again")
    ) == ("2025-08-09", "Нафтобаза SOCAR горить")
    assert "seen-again" not in run("list", "strikes", "--json").out
    say(run, SOCAR_DEPOT, "seen-again", "undone")
    assert facts(resolve.apply_judgements(own.records())) == facts(before)
    assert "seen-again" in run("list", "strikes", "--json").out


@of_plants
def test_two_assets_become_one_and_two_again(run: Run, own: Store) -> None:
    known = own.records()
    burshtyn = known.assets["a-burshtyn"]
    seen = burshtyn.model_copy(
        update={"id": "seen", "dataset": "seen", "name": "Бурштинська ТЕС", "aliases": (), "commodity": "coal"}
    )
    own.append("assets", seen, author="tests")
    before = own.records()
    rows = run("duplicates", "--table", "assets", "--json").report
    (row,) = (row for row in rows if "seen" in (row["one"]["id"], row["other"]["id"]))
    assert (row["table"], row["one"]["id"], row["other"]["id"]) == ("assets", "a-burshtyn", "seen")
    assert {reason["name"] for reason in row["reasons"]} >= {"prior", "place", "name", "same-name", "kind"}
    assert "Бурштинська ТЕС" in run("duplicates", "--table", "assets").out

    said = say(run, "a-burshtyn", "seen").report
    assert (said["table"], said["united"], said["remarks"]) == ("assets", {"seen": "a-burshtyn"}, [])
    merged = resolve.apply_judgements(own.records())
    assert "seen" not in merged.assets
    assert "Бурштинська ТЕС" in merged.assets["a-burshtyn"].aliases
    assert run("duplicates", "--table", "assets", "--json").report == [one for one in rows if one != row]
    assert '"seen"' not in run("list", "assets", "--json").out
    assert run("owners", "seen").code == 3

    say(run, "a-burshtyn", "seen", "undone")
    assert facts(resolve.apply_judgements(own.records())) == facts(before)
    say(run, "a-burshtyn", "seen", "different")
    assert run("duplicates", "--table", "assets", "--json").report == [one for one in rows if one != row]
    assert '"seen"' in run("list", "assets", "--json").out


def test_different_is_kept_apart_and_a_conflict_is_said(run: Run, own: Store) -> None:
    for name in ("x1", "x2", "x3"):
        own.append("strikes", strike(name, sources=own.records().strikes[ORLIVKA].sources, at=None), author="tests")
    say(run, "x1", "x2", "different")
    say(run, "x1", "x3")
    said = say(run, "x3", "x2").report
    assert said["united"] == {"x3": "x1"}
    assert "judged different" in said["remarks"][0]
    assert {"x1", "x2"} <= resolve.apply_judgements(own.records()).strikes.keys()


@pytest.mark.parametrize(
    ("one", "other", "verdict", "code", "words"),
    [
        ("nobody", "socar", "same", 3, "no entity, asset or strike 'nobody'"),
        ("socar", "nobody", "same", 3, "no entity, asset or strike 'nobody'"),
        ("socar", "socar", "same", 2, "two records, not"),
        ("socar", ORLIVKA, "same", 2, "two entities, two assets or two strikes, not socar and"),
        ("socar", "bp", "undone", 2, "a judgement to undo, which socar and bp have not"),
        ("socar", "bp", "perhaps", 2, "perhaps"),
    ],
)
def test_what_means_nothing_is_refused(
    run: Run, own: Store, one: str, other: str, verdict: str, code: int, words: str
) -> None:
    seq = own.seq()
    said = run("judge", one, other, verdict, "--why", "w", "--who", "A")
    assert (said.code, said.out) == (code, "")
    assert words in " ".join(said.err.split())
    assert own.seq() == seq


def test_who_and_why_must_be_said(run: Run, own: Store) -> None:
    before = own.records().identities
    assert run("judge", "socar", "bp", "different", "--who", "A").code == 2
    said = run("judge", "socar", "bp", "different", "--who", "A", "--why", " ")
    assert (said.code, "why" in said.err) == (2, True)
    assert own.records().identities == before


def test_the_same_judgement_twice_is_two_records(run: Run, own: Store) -> None:
    say(run, "socar", "bp", "different")
    say(run, "socar", "bp", "different")
    held = [one for one in own.records().identities.values() if one.dataset == "judgements"]
    assert len(held) == 2
    assert {(one.who, one.why) for one in held} == {("A. Editor", "checked by hand")}
    rows = [row for row in run("judgements", "--json").report if row["one"] == "socar"]
    assert [row["stands"] for row in rows] == [False, True]


def test_a_store_without_judgements_says_so(
    new_shared_address: NewAddress, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told, address = shell(capsys, monkeypatch), new_shared_address()
    assert told("init", "--empty", "--store", address, "--basemap", BASEMAP).code == 0
    assert "Nothing was judged yet" in told("judgements", "--store", address).out


def test_people_read_tables(run: Run, own: Store) -> None:
    assert "Nothing is proposed" in run("duplicates").out
    copy = own.records().strikes[ORLIVKA].model_copy(update={"id": "copy", "dataset": "seen"})
    own.append("strikes", copy, author="tests")
    assert "same-night" in run("duplicates").out
    said = run("judge", ORLIVKA, "copy", "same", "--why", "w", "--who", "A")
    assert f"copy is now {ORLIVKA}" in said.out
    assert "copy" in run("judgements").out
    assert "Judgements" in run("judgements").out


def test_layers_for_a_gis_follow_a_judgement(run: Run, own: Store) -> None:
    copy = own.records().strikes[ORLIVKA].model_copy(update={"id": "copy", "dataset": "seen"})
    own.append("strikes", copy, author="tests")
    say(run, "copy", ORLIVKA)
    with raw(own) as file:
        struck = {row[0] for row in file.execute("SELECT DISTINCT strike FROM attributions")}
    assert "copy" in struck
    assert ORLIVKA not in struck


@needs_a_file("a database is not taken away while somebody is connected")
def test_a_missing_store_is_4(run: Run, own: Store) -> None:
    own.path.unlink()
    for command in (("duplicates",), ("judgements",), ("judge", "a", "b", "same", "--why", "w", "--who", "A")):
        assert run(*command).code == 4
