"""Strikes of the labelled pairs, loaded into one store that also holds the bundled records."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from api.cli import main
from layers.model.records import Records
from layers.store.store import Store

_VIINA, _TIMEMAP = "viina_deepstrike_2022_2025", "bellingcat_timemap_2023"
#: Files of each load, by its dataset and format.
LOADS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("viina", "viina", tuple(f"{_VIINA}/VIINA_{year}_REBUILD.csv" for year in (2022, 2023, 2025))),
    ("viina/reuters", "viina", (f"{_VIINA}/REUTERS_2025_CONFIRMED_NEW_EVENTS_V4.csv",)),
    ("viina/register", "viina", (f"{_VIINA}/VIINA_RUSSIA_CANDIDATE_REGISTER_CLEAN.csv",)),
    ("ucdp", "ucdp", ("ucdp_ged_ukraine_2014_2023/UCDP-Ukraine.csv",)),
    ("timemap", "timemap", (f"{_TIMEMAP}/export_events.json", f"{_TIMEMAP}/export_sources.json")),
)


def labelled_records(real: Path, folder: Path, basemap: Path) -> Records:
    """Load the files of the folder ``real`` into a new store in ``folder``, and give its records.

    Rows that have only the name of a place are placed by the gazetteer of the set-up, if it is there.
    """
    store = folder / "labelled.gpkg"
    common = ["--store", str(store), "--basemap", str(basemap), "--json"]
    _run("init", *common)
    for dataset, fmt, files in LOADS:
        paths = [str(real / file) for file in files]
        _run("load", fmt, *paths, "--dataset", dataset, "--partial", *common)
    opened = Store.open(store)
    records = opened.records()
    opened.close()
    return records


def _run(*arguments: str) -> None:
    result = CliRunner().invoke(main.app, list(arguments))
    if result.exit_code:
        raise RuntimeError(f"strikeatlas {' '.join(arguments)}: {result.output}")
