"""``strikeatlas verify``: whether a store is what its history says, and as this program writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from api.cli.common import STORE, AsJson, output
from api.settings import BASEMAP
from api.wording.catalogue import text
from layers.reference import basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.store.verification import verify_file

EPILOG = "Example: strikeatlas verify data/atlas.gpkg"


def verify(
    store: Annotated[str, typer.Argument(metavar="FILE", help="The GeoPackage that holds the records.")] = STORE,
    base: Annotated[Path, typer.Option("--basemap", help="The base map built by `make setup`.")] = BASEMAP,
    as_json: AsJson = False,
) -> None:
    """Check the whole file, a finding a line, and change nothing: exit code 0 if it is valid, 1 if not."""
    findings = list(verify_file(Path(store), full_rewrite(basemap.read(base), text)))
    values = {
        "store": store,
        "findings": [{"code": one.code, "arguments": dict(one.arguments), "text": text(one)} for one in findings],
    }
    lines = [text(one) for one in findings] or [f"{store} is valid."]
    output(values, as_json, escape("\n".join(lines)))
    if findings:
        raise typer.Exit(1)
