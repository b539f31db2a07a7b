"""Someone's files with a column mapping, for the tests of the generic readers: one table in every container."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas
import pyogrio
from shapely.geometry.base import BaseGeometry

from layers.model.problems import ReadResult
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.mapping_file import parse
from layers.sources.registry import FORMATS, LoadOptions
from tests.layers.english import english
from tests.layers.sources.making_files import csv_text, file_of, sheet_xml, workbook

Rows = Sequence[Sequence[str]]

STRIKES = """
table = "strikes"

[source]
publisher = "Sample archive"
title = "Strikes by hand"
licence = "CC BY 4.0"

[columns]
id = "No"
title = "What"
when = "Day"
place = "Town"
lon = "E"
lat = "N"
uncertainty_m = "Within, km"
status = "State"
weapon = "With"
targets = "Aimed at"
target_kinds = "Sort"
killed_min = "Dead"
source_url = "Link"

[constants]
basis = "settlement"
host_country = "UA"

[units]
uncertainty_m = "km"

[numbers]
decimal = ","

[dates]
when = ["DD.MM.YYYY", "MM.YYYY", "YYYY"]

[lists]
targets = ";"
target_kinds = ";"
weapon = "+"
source_url = " "

[values.status]
"confirmed" = "verified"
"*" = "reported"

[values.target_kinds]
"depot" = "oil-depot"
"port" = "port-terminal"
"house" = ""
"""

HEADER = ("No", "What", "Day", "Town", "E", "N", "Within, km", "State", "With", "Aimed at", "Sort", "Dead", "Link")
ROWS: Rows = (
    (
        "7", "Fire at a depot", "08.08.2025", "Верхнє", "30,5", "46,25", "1,5", "confirmed", "drone + missile",
        "the depot; berth 3", "depot; port; house", "2", "https://example.org/a https://example.net/b",
    ),
    ("8", "Blast", "07.2025", "Nyzhnie", "", "", "", "rumour", "", "", "", "", ""),
)  # fmt: skip

#: A good row between two that are mended by one word.
BAD: list[Sequence[str]] = [
    HEADER,
    ("1", "Fire", "someday", "A", "", "", "", "x", "", "", "", "", ""),
    ROWS[0],
    ("3", "Fire, again", "someday", "Б", "30,5", "46,25", "2", "x", 'a "b"; c', "", "", "", ""),
]

ASSETS = """
table = "assets"
private = true
layer = "Sites"

[source]
publisher = "Sample register"

[columns]
id = "Code"
name = "Name"
kind = "Type"
owner = "Owner"
operator = "Run by"
capacity = "Capacity"
{place}

[constants]
basis = "site"
uncertainty_m = 200

[lists]
owner = ";"

[values.kind]
"NPZ" = "refinery"
"trunk" = "pipeline"
"""


def read(files: Sequence[SourceFile], mapping: str, name: str = "csv", **request: str | None) -> ReadResult:
    """Read files by a mapping, as the dataset ``own``."""
    return FORMATS[name].read(files, LoadOptions("own", mapping=parse("mapping.toml", mapping), **request))  # type: ignore[arg-type]


def of_csv(
    folder: Path, rows: Rows, mapping: str = STRIKES
) -> tuple[dict[str, Any], list[tuple[int | None, str, str]]]:
    """The records of the mapping's noun by the end of their id, and the faults: row, column, value."""
    made = parse("mapping.toml", mapping)
    reading = read([file_of(folder / "a.csv", csv_text(rows))], mapping)
    found = {key.removeprefix("own/"): record for key, record in reading.records.table(made.table).items()}
    return found, [(problem.row, problem.column, problem.value) for problem in english(reading.problems)]


def cells_of(file: SourceFile) -> list[dict[str, str]]:
    return [dict(cells) for _, cells in file.table()]


def features(rows: Rows, shapes: Sequence[BaseGeometry | None] = ()) -> str:
    """A FeatureCollection of the rows after the header; an empty cell is null."""
    header, *body = rows
    shapes = shapes or [None] * len(body)
    made = [
        {
            "type": "Feature",
            "properties": {name: cell or None for name, cell in zip(header, row, strict=True)},
            "geometry": None if shape is None else shape.__geo_interface__,
        }
        for row, shape in zip(body, shapes, strict=True)
    ]
    return json.dumps({"type": "FeatureCollection", "features": made})


def layer(
    path: Path,
    rows: Rows,
    shapes: Sequence[BaseGeometry | None] = (),
    crs: str | None = "EPSG:4326",
    name: str = "Sites",
) -> SourceFile:
    """A GeoPackage layer of the rows after the header, as GDAL writes it."""
    header, *body = rows
    values: Mapping[str, list[str | None]] = {
        column: [row[at] or None for row in body] for at, column in enumerate(header)
    }
    frame = geopandas.GeoDataFrame(values, geometry=list(shapes) or [None] * len(body), crs=crs)
    pyogrio.write_dataframe(frame, path, layer=name, driver="GPKG", append=path.exists())
    return SourceFile.of(path)


#: How the same rows are written in each container, and by which format they are read.
CONTAINERS: Mapping[str, tuple[str, Callable[[Path, Rows], SourceFile]]] = {
    "comma": ("csv", lambda folder, rows: file_of(folder / "a.csv", csv_text(rows))),
    "semicolon": ("csv", lambda folder, rows: file_of(folder / "a.csv", csv_text(rows, ";"))),
    "tab": ("csv", lambda folder, rows: file_of(folder / "a.tsv", csv_text(rows, "\t"))),
    "xlsx": ("csv", lambda folder, rows: workbook(folder / "a.xlsx", {"Data": sheet_xml(rows)})),
    "geojson": ("geojson", lambda folder, rows: file_of(folder / "a.geojson", features(rows))),
    "gpkg": ("gpkg", lambda folder, rows: layer(folder / "a.gpkg", rows)),
}
