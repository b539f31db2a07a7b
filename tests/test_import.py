"""Owners of other sources go in beside the curated records, and out again as BODS."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from api.cli import app
from layers.basemap import Basemap
from layers.derived import deriving
from layers.schema import Identity, Records
from layers.snapshot import Snapshot
from layers.store import Store
from tests.conftest import BASEMAP

DATA = Path(__file__).parent / "data"


@pytest.fixture
def own(records: Records, base: Basemap, tmp_path: Path) -> Store:
    """A store of this test's own with the bundled records."""
    made = Store.create(tmp_path / "own.gpkg")
    made.load(records, who="tests", derive=deriving(base))
    return made


def run(store: Store, *arguments: str) -> dict[str, object]:
    options = ["--store", str(store.path), "--basemap", str(BASEMAP), "--json"]
    result = CliRunner().invoke(app, [*arguments, *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    told: dict[str, object] = orjson.loads(result.stdout)
    return told


@pytest.mark.parametrize(
    ("fmt", "file"),
    [("bods", "bods/indirect.json"), ("wikidata", "wikidata/owners.json")],
)
def test_an_import_adds_and_a_second_one_changes_nothing(own: Store, fmt: str, file: str) -> None:
    before = own.records()
    first = run(own, "import", fmt, str(DATA / file), "--partial")
    assert first["written"]["added"]["entities"] > 0  # type: ignore[index]
    after = own.records()
    assert after.strikes == before.strikes
    assert after.decisions == before.decisions
    assert before.stakes.items() <= after.stakes.items()
    seq = own.seq()
    run(own, "import", fmt, str(DATA / file), "--partial")
    assert own.seq() == seq


def test_a_dry_run_writes_nothing(own: Store) -> None:
    seq = own.seq()
    told = run(own, "import", "bods", str(DATA / "bods/indirect.json"), "--dry-run")
    assert told["written"] is None
    assert own.seq() == seq


def test_faults_stop_an_import_unless_it_is_partial(own: Store) -> None:
    seq = own.seq()
    arguments = ["import", "wikidata", str(DATA / "wikidata/faulty.json"), "--store", str(own.path)]
    result = CliRunner().invoke(app, [*arguments, "--basemap", str(BASEMAP)])
    assert type(result.exception).__name__ == "ProblemsError"
    assert own.seq() == seq


def test_unknown_formats_are_refused(own: Store) -> None:
    result = CliRunner().invoke(app, ["import", "paper", "x", "--store", str(own.path)])
    assert "one of bods" in str(result.exception)


def test_a_judgement_unites_two_entities_and_can_be_undone(records: Records, base: Basemap, snapshot: Snapshot) -> None:
    def judged(*verdicts: str) -> Snapshot:
        identities = {
            f"i{number}": Identity.model_validate(
                {
                    "id": f"i{number}",
                    "one": "gazprom",
                    "other": "gip",
                    "verdict": verdict,
                    "who": "A",
                    "when": "2025",
                    "why": "B",
                }
            )
            for number, verdict in enumerate(verdicts)
        }
        known = Records(**{**vars(records), "identities": identities})
        return Snapshot.of(known, base, 1, snapshot.data_date)

    assert "gip" not in judged("same").records.entities
    owners = judged("same").owners("a-ns2")
    assert {row.country for row in owners.shares} == {"RU"}
    assert judged("same", "undone").records.stakes == records.stakes


def test_all_owners_go_out_as_bods_and_come_back(own: Store, tmp_path: Path) -> None:
    out = tmp_path / "owners.json"
    run(own, "export", "bods", "-o", str(out))
    told = run(own, "import", "bods", str(out), "--dry-run")
    assert told["problems"] == []
    assert told["read"]["stakes"] == len(own.records().stakes)  # type: ignore[index]
