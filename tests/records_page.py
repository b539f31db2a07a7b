"""Writes docs/records.md from the schema: ``python -m tests.records_page``."""

from __future__ import annotations

from pydantic import BaseModel

from layers.collections.feature_types import AssetFeature, AttributionFeature, CountryFeature, StrikeFeature
from layers.collections.hit_features import HitFeature
from layers.model.records import RECORD_TYPES, Match, Weapon
from layers.model.types import columns

HEAD = """# Records

Every column of every table, written from `layers/model/records.py` by `make docs`; a test keeps this page in step.
Coordinates are longitude, latitude (OGC:CRS84). Times are EDTF level 1. Shares are percent. Lists and objects are
kept as JSON text in the GeoPackage.
"""

LAYERS: dict[str, type[BaseModel]] = {
    "strikes": StrikeFeature,
    "assets": AssetFeature,
    "attributions": AttributionFeature,
    "hits": HitFeature,
    "countries": CountryFeature,
}


def markdown() -> str:
    """The whole page."""
    parts = [HEAD, "## Tables\n"]
    parts += [section(f"`{name}`", noun) for name, noun in RECORD_TYPES.items()]
    parts += [section("A weapon, in `strikes.weapons`", Weapon), section("`matches` (derived)", Match)]
    parts.append("## Layers\n\nFlat features of the API, the tiles and the exports, derived from the tables.\n")
    parts += [section(f"`/collections/{name}`", feature) for name, feature in LAYERS.items()]
    return "\n".join(parts)


def section(title: str, noun: type[BaseModel]) -> str:
    """One table: a row a column."""
    lines = [f"### {title}\n", f"{noun.__doc__}\n", "| column | type | required | meaning |", "|---|---|---|---|"]
    for column in columns(noun):
        kind = column.type + (f", {column.unit}" if column.unit else "")
        meaning = column.doc + (
            f" One of {', '.join(f'`{choice}`' for choice in column.choices)}." if column.choices else ""
        )
        lines.append(f"| `{column.name}` | {kind} | {'yes' if column.required else ''} | {meaning} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")
