"""Time the search for assets that are one site: `python -m bench.asset_duplicates --size 1000000`."""

from __future__ import annotations

import argparse
import resource
from collections.abc import Iterator
from time import perf_counter, process_time

from bench.world_columns import Sizes, synthesize
from layers.model.records import Asset, Records
from layers.resolution.asset_blocking import AssetColumns, candidate_pairs
from layers.resolution.asset_duplicates import sites_in

#: One asset in so many is told again by a second data set, beside its place.
DOUBLED = 10
#: Degrees by which the second place is off.
OFF = 0.0005


def layer(size: int) -> Iterator[Asset]:
    """Invented assets, and a second record of every tenth."""
    doubles = size // (DOUBLED + 1)
    assets = synthesize(Sizes(100, (size - doubles) // 20, size - doubles - (size - doubles) // 20)).assets
    columns = zip(assets.name, assets.kind, assets.geometry, assets.uncertainty_m.tolist(), strict=True)
    for number, (name, kind, geometry, uncertainty_m) in enumerate(columns):
        values = {"basis": "site", "place_source": "s", "sources": ("s",), "checked": "unverified", "kind": kind}
        row = {**values, "name": name, "geometry": geometry, "uncertainty_m": uncertainty_m}
        yield Asset(id=f"a-{number}", dataset="one", **row)
        if number % DOUBLED == 0 and geometry.geom_type == "Point":
            beside = type(geometry)(geometry.x + OFF, geometry.y)
            yield Asset(id=f"b-{number}", dataset="two", **{**row, "geometry": beside})


def main() -> None:
    """Print seconds and memory of each step, and how many of the doubled assets were grouped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=100_000)
    size = parser.parse_args().size
    records = Records.of({"assets": {asset.id: asset for asset in layer(size)}})
    start, began = process_time(), perf_counter()
    table = AssetColumns.of(records)
    read = process_time()
    groups = sites_in(table).groups
    done = process_time()
    doubles = sum(name.startswith("b-") for name in records.assets)
    right = sum(groups.get(f"a-{name[2:]}") == groups[name] for name in groups if name.startswith("b-"))
    print(f"{len(records.assets)} assets, {doubles} of them doubles; {len(candidate_pairs(table).left)} pairs")
    print(
        f"columns {read - start:.1f} s, groups {done - read:.1f} s of the processor; all {perf_counter() - began:.1f} s"
    )
    print(f"grouped: {right} of {doubles} doubles, {len(groups) - 2 * right} others")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB")


if __name__ == "__main__":
    main()
