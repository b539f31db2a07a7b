"""``strikeatlas place``: look places up in the gazetteer, add other gazetteers to it, begin it anew."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from api.cli.common import AsJson, output
from api.serializers import places
from api.settings import BUNDLED, GAZETTEER_SHOWN, OWN_GAZETTEER, gazetteer_path
from api.terminal.console import add_row, counted
from api.wording.catalogue import text as wording
from layers.reference import gazetteer_import
from layers.reference.gazetteer import MAX_LIMIT, Gazetteer, PlaceSearch

app = typer.Typer(help="Look places up by name, and add gazetteers.", no_args_is_help=True)

GazetteerOption = Annotated[
    Path | None, typer.Option("--gazetteer", help="An index of places.", show_default=GAZETTEER_SHOWN)
]
OwnGazetteerOption = Annotated[Path, typer.Option("--gazetteer", help="The index of places that is written.")]


@app.command(epilog="Example: strikeatlas place find Орлівка --region 'Odesa oblast'")
def find(
    text: Annotated[str, typer.Argument(help="A name in Latin or Cyrillic letters, or a region.")],
    region: Annotated[str | None, typer.Option(help="The region it lies in, in any spelling.")] = None,
    country: Annotated[str | None, typer.Option(help="ISO 3166-1 alpha-2 code or name.")] = None,
    near: Annotated[str | None, typer.Option(help="lon,lat of a point that it is within 300 km of.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MAX_LIMIT, help="Most candidates.")] = 10,
    gazetteer: GazetteerOption = None,
    as_json: AsJson = False,
) -> None:
    """List the places that a text may mean, best first, and say whether one alone fits."""
    opened = Gazetteer.open(gazetteer_path(gazetteer))
    point = None if near is None else places.parse_near(near)
    search = opened.find(text, region=region, country=country, near=point, limit=limit)
    output(places.places_answer(search, opened.origins()), as_json, _printed(search))


@app.command(epilog="Example: strikeatlas place add UA.zip")
def add(
    file: Annotated[Path, typer.Argument(help="A GeoNames country file such as UA.txt, or a zip of it.")],
    gazetteer: OwnGazetteerOption = OWN_GAZETTEER,
    as_json: AsJson = False,
) -> None:
    """Add the places of a GeoNames country file; adding a file again changes nothing."""
    if gazetteer == OWN_GAZETTEER and not gazetteer.exists():
        gazetteer_import.begin(gazetteer, BUNDLED / OWN_GAZETTEER.name)
    imported = gazetteer_import.add(gazetteer, file)
    added = f"{counted(imported.added, 'places')} added, {imported.changed:,} changed"
    outcome = "was there already" if imported.known else added
    output(asdict(imported), as_json, escape(f"{imported.origin}: {outcome}, {imported.unchanged:,} unchanged."))


@app.command(epilog="Example: strikeatlas place build")
def build(gazetteer: OwnGazetteerOption = OWN_GAZETTEER, as_json: AsJson = False) -> None:
    """Make the gazetteer anew of the one that came with the program; what was added has to be added again."""
    gazetteer_import.begin(gazetteer, BUNDLED / OWN_GAZETTEER.name)
    size = gazetteer.stat().st_size
    output({"file": str(gazetteer), "bytes": size}, as_json, escape(f"{gazetteer}: {size / 1e6:.0f} MB"))


def _printed(search: PlaceSearch) -> RenderableType:
    table = Table("", "place", "region", "lon, lat", "± km", "because")
    for candidate in search.candidates:
        reasons = ", ".join(reason.name for reason in candidate.reasons if reason.name != "people")
        where = f"{candidate.lon:.2f}, {candidate.lat:.2f}"
        size_km = f"{candidate.uncertainty_m / 1000:.0f} ({candidate.basis})"
        mark = "→" if candidate == search.best else ""
        add_row(table, mark, candidate.name, f"{candidate.country} {candidate.region or ''}", where, size_km, reasons)
    answer = "ambiguous" if search.ambiguous else "no answer" if search.best is None else search.best.name
    return Group(*([table] if search.candidates else []), escape(f"{answer}: {wording(search.explanation)}."))
