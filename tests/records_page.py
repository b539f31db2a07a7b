"""Writes docs/records.md from the schema: ``python -m tests.records_page``."""

from __future__ import annotations

from pydantic import BaseModel

from layers.collections.feature_types import AssetFeature, AttributionFeature, CountryFeature, StrikeFeature
from layers.collections.hit_features import HitFeature
from layers.model.records import RECORD_TYPES, Match, Weapon
from layers.model.types import Column, columns

HEAD = """# Records

Every column of every table, written from `layers/model/records.py` by `make docs`; a test keeps this page in step.
Coordinates are longitude, latitude (OGC:CRS84). Times are EDTF level 1. Shares are percent. Lists and objects are
stored as JSON text in the GeoPackage.
"""

INSIDE: dict[str, type[BaseModel]] = {"a weapon, in `strikes.weapons`": Weapon, "`matches` (derived)": Match}
LAYERS: dict[str, type[BaseModel]] = {
    "strikes": StrikeFeature,
    "assets": AssetFeature,
    "attributions": AttributionFeature,
    "hits": HitFeature,
    "countries": CountryFeature,
}


def markdown() -> str:
    """The whole page. A column that a section before has in the same words is only named."""
    described: dict[str, str] = {}
    parts = [HEAD, "## Tables\n"]
    parts += [section(f"`{name}`", record_type, described) for name, record_type in RECORD_TYPES.items()]
    parts += [section(title, record_type, described) for title, record_type in INSIDE.items()]
    parts.append("## Layers\n\nFlat features of the API, the tiles and the exports, derived from the tables.\n")
    parts += [section(f"`/collections/{name}`", feature, described) for name, feature in LAYERS.items()]
    return "\n".join(parts)


def section(title: str, record_type: type[BaseModel], described: dict[str, str]) -> str:
    """One table: a row a column. ``described`` has the title of the section that has a row first."""
    lines = [f"### {title}\n", f"{record_type.__doc__}\n", "| column | type | meaning |", "|---|---|---|"]
    named: dict[str, list[str]] = {}
    for column in columns(record_type):
        row = _row(column)
        if described.setdefault(row, title) == title:
            lines.append(row)
        else:
            named.setdefault(described[row], []).append(f"`{column.name}`")
    as_before = "; ".join(f"as in {first}: {', '.join(names)}" for first, names in named.items())
    return "\n".join(lines) + (f"\n\n{as_before[0].upper()}{as_before[1:]}." if named else "") + "\n"


def _row(column: Column) -> str:
    kind = ", ".join(filter(None, [column.type, column.unit, "required" if column.required else ""]))
    choices = f" One of {', '.join(f'`{choice}`' for choice in column.choices)}." if column.choices else ""
    return f"| `{column.name}` | {kind} | {column.doc}{choices} |"


if __name__ == "__main__":
    print(markdown(), end="")
