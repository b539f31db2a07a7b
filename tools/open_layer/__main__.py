"""Builds the open layer from a folder of pinned files: `python -m tools.open_layer FOLDER [--into FILE]`.

The files are those of `origins.toml`, which says where each was published; nothing is fetched. The same files give the
same bytes. With ``--against`` it says how the layer differs from an older one.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path
from typing import Any

from rich.console import Console

from layers.model.records import Records
from layers.reference import basemap
from layers.store.open_layer import OpenLayer
from layers.store.row_mapping import TABLES
from tools.open_layer import archive, pinned, refine, repeats
from tools.open_layer.pinned import Origin
from tools.open_layer.refine import Correction, OwnerRow

HERE = Path(__file__).parent
_BUNDLED = HERE.parent.parent / "layers" / "reference" / "data"
#: Who judged which owners and sites are those of the records, and when.
_WHO, _WHEN = "StrikeAtlas, editor of the open layer", "2026-12-02"
#: The dataset of fields, whose owners hold licences or contracts, and that of plants which others may have.
_FIELDS, _SPARE = "gem/goget", "wri"


def build(folder: Path, say: Any = lambda _: None) -> tuple[Records, dict[str, Any]]:
    """Build the layer; give its records, and what is said about it.

    Raises
    ------
    ChangedFile
        If a file is not the pinned one.
    """
    every, routes = pinned.origins()
    pinned.require_pinned(folder, [*every, *routes])
    parts: dict[str, Records] = {}
    rows = [_said(origin, 0) for origin in routes]
    for origin in every:
        records, problems = pinned.read(folder, origin)
        if origin.only:
            records = refine.with_assets(records, (one for one in records.assets.values() if one.kind in origin.only))
        say(f"{origin.path}: {len(records.assets):,} sites, {len(records.stakes):,} stakes, {problems:,} problems")
        if origin.dataset.startswith(_SPARE):
            records = repeats.with_rows_summed(records)
            records = refine.without_plants_of(records, refine.joined(parts.values()))
        parts[origin.dataset] = records
        rows.append(_said(origin, len(records.assets)))
    records = refine.with_interests(refine.joined(parts.values()), _FIELDS)
    records = refine.with_doubt_of_straight_stretches(refine.with_simple_courses(records))
    records = refine.with_axes_put_right(records, basemap.read(_BUNDLED / "basemap.gpkg"))
    records = repeats.without_repeated_lines(repeats.with_plants_united(records))
    records = refine.with_reach_of_fields(repeats.with_distinct_unit_names(records))
    corrections = [Correction(**row) for row in _table("corrections.toml")["corrections"]]
    records = refine.with_corrections(records, corrections)
    owners = [OwnerRow(**row) for row in _table("owners.toml")["owners"]]
    records = refine.with_owners(records, owners, _WHO, _WHEN)
    pairs = _table("same.toml")
    same = refine.judged_assets(pairs["same"], "same", records, _WHO, _WHEN)
    inside = refine.judged_assets(pairs["inside"], "part", records, _WHO, _WHEN)
    records = refine.joined([records, Records.of({"identities": {one.id: one for one in (*same, *inside)}})])
    records = refine.with_parts(records, pairs["part"])
    return refine.as_open(records), {"origins": rows}


def _said(origin: Origin, sites: int) -> dict[str, Any]:
    """What is said of an origin wherever the layer is."""
    stated = ("title", "publisher", "licence", "address", "published", "sha256")
    return {name: getattr(origin, name) for name in stated} | {"dataset": f"open/{origin.dataset}", "sites": sites}


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads((HERE / name).read_text())


def main() -> int:
    """Build the file, or say why not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of the files of origins.toml")
    parser.add_argument("--into", type=Path, default=_BUNDLED / "open-layer.zip", help="the file to write")
    parser.add_argument("--against", type=Path, help="an older layer, of which differences are said")
    given, console = parser.parse_args(), Console(stderr=True)
    try:
        records, about = build(given.folder, console.print)
    except pinned.ChangedFile as error:
        console.print(f"these files are not the pinned ones:\n{error}")
        return 1
    archive.write(given.into, records, about)
    layer = OpenLayer.open(given.into)
    for name in TABLES:  # which refuses what is no valid record
        sum(1 for _ in layer.under(Records.of({})).table(name).values())
    console.print(f"{given.into}: {given.into.stat().st_size:,} bytes, {layer.digest}")
    if given.against:
        print(*archive.differences(OpenLayer.open(given.against), layer), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
