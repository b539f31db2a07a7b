"""``strikeatlas upgrade``: a store that an earlier program wrote, brought to the tables of this one."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from api.cli.common import STORE, AsJson, BasemapOption, output
from api.settings import BASEMAP, open_layer
from api.wording.catalogue import text
from layers.model.timestamps import timestamp
from layers.reference import basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.store.backends import path_of
from layers.store.upgrade import Upgrade
from layers.store.upgrade import upgrade as upgrade_file

EPILOG = "Example: strikeatlas upgrade data/atlas.gpkg"


def upgrade(
    store: Annotated[str, typer.Argument(metavar="STORE", help="The GeoPackage that holds the records.")] = STORE,
    base: BasemapOption = BASEMAP,
    as_json: AsJson = False,
) -> None:
    """Bring a store of an earlier program to this one's tables: a copy beside it first, then all steps or none."""
    done = upgrade_file(path_of(store), timestamp(), full_rewrite(basemap.read(base), text, open_layer()))
    values = {
        "store": store,
        "before": done.before,
        "after": done.after,
        "backup": str(done.backup) if done.backup else None,
        "steps": list(done.steps),
        "recorded": done.recorded,
        "fault": done.fault,
    }
    output(values, as_json, escape("\n".join(_lines(store, done))))


def _lines(store: str, done: Upgrade) -> list[str]:
    if done.backup is None:
        return [f"{store} is of version {done.after} already; nothing was done."]
    lines = [f"{store} is of version {done.after} now; as it was, version {done.before}, it is in {done.backup}."]
    lines += [f"- {title}" for title in done.steps]
    if done.recorded:
        lines.append(f"{done.recorded:,} records that other programs had edited are in the history now.")
    if done.fault is not None:
        lines.append(f"The layers that follow from the records are as they were, as one is not valid: {done.fault}")
    return lines
