"""``strikeatlas verify``: whether a store is what its history says, and as this program writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from api.cli.common import STORE, AsJson, StoreAddress, output
from api.cli.figure import verify_figure
from api.serializers.figures import FigureCode
from api.settings import BASEMAP
from api.wording.catalogue import text
from layers.reference import basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.store.verification import verify_file

EPILOG = "Example: strikeatlas verify data/atlas.gpkg; strikeatlas verify AZ.s412.20261126.9f3c2a7b10"


def verify(
    target: Annotated[
        str | None, typer.Argument(metavar="FILE|CODE", help="A store, or the code that stands under a figure.")
    ] = None,
    store: StoreAddress = STORE,
    base: Annotated[Path, typer.Option("--basemap", help="The base map built by `make setup`.")] = BASEMAP,
    as_json: AsJson = False,
) -> None:
    """Check the whole store, a finding a line, or build a printed figure again from its history; change nothing.

    Exit code 0 if it is valid, or the same; 1 if not.
    """
    if target is not None and FigureCode.is_code(target) and not Path(target).exists():
        verify_figure(FigureCode.parse(target), store, base, as_json)
        return
    store = target or store
    findings = list(verify_file(Path(store), full_rewrite(basemap.read(base), text)))
    values = {
        "store": store,
        "findings": [{"code": one.code, "arguments": dict(one.arguments), "text": text(one)} for one in findings],
    }
    lines = [text(one) for one in findings] or [f"{store} is valid."]
    output(values, as_json, escape("\n".join(lines)))
    if findings:
        raise typer.Exit(1)
