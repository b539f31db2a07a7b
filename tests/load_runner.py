"""Shared by tests of loading: sample files, a command runner on a store, and the report of a load."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from layers.model.records import RECORD_TYPES, Record
from layers.store.store import Store
from tests.command_runner import CommandResult, Run, shell
from tests.conftest import BASEMAP

DATA = Path(__file__).parent / "data"
STRIKES = DATA / "strikes"
ACLED = STRIKES / "acled.csv"
TIMEMAP = [STRIKES / f"timemap-{name}.json" for name in ("events", "sources", "associations")]
KINDS = ("added", "changed", "removed")
#: A test whose subject is all of the bundled records; others change a store of a few of the strikes.
of_all_records = pytest.mark.parametrize("own", ["store"], indirect=True)
#: One whose subject is a power plant.
of_plants = pytest.mark.parametrize("own", ["plants_store"], indirect=True)


def runner(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, base: Path = BASEMAP
) -> Run:
    """A function that runs a command on a store, or on that of an address, as the shell would."""
    run = shell(capsys, monkeypatch)

    def ran(*args: object, on: str | None = None) -> CommandResult:
        return run(*args, "--store", on or store.name, "--basemap", base)

    return ran


def load(run: Run, *args: object, **how: Any) -> Any:
    """The report of a load that goes well."""
    said = run("load", *args, "--json", **how)
    assert said.code == 0, said.out + said.err
    return said.report


def of_dataset(store: Store, dataset: str) -> dict[str, dict[str, Record]]:
    records = store.records()
    return {name: {k: r for k, r in records.table(name).items() if r.dataset == dataset} for name in RECORD_TYPES}


def is_change(report: Any) -> bool:
    return any(change[kind] for change in report["changes"].values() for kind in KINDS)


def edited(path: Path, out: Path, edit: Callable[[dict[str, str]], None]) -> Path:
    """A CSV file with each row changed in place; a row whose cells are all taken out is left out."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        edit(row)
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(row for row in rows if row)
    return out


def faultless(row: dict[str, str]) -> None:
    """Mend the rows of the sample."""
    if row["event_id_cnty"] == "UKR900008":
        row |= {"event_date": "2025-08-09", "latitude": "46.5", "geo_precision": "1", "fatalities": "3"}
    if row["event_id_cnty"] == "UKR900009":
        row |= {"sub_event_type": "Air/drone strike"}
