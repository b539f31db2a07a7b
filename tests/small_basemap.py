"""A base map that is read, rendered and drawn in a tenth of the time, for all tests whose subject it is not."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import shapely

from layers.filesystem.atomic_file import replacing

#: Degrees by which lines may be off, some 10 km; places of the bundled records are in the same countries on both maps.
OFF_DEG = 0.1
#: How many places it has, the largest.
PLACES = 3_000
#: Countries that `tests.few_records` and the world of `bench.world` speak of, their neighbours, and a few more.
FEW_COUNTRIES = (
    *("AE", "AM", "AU", "AZ", "BG", "BY", "CN", "DE", "FR", "GB", "GE", "HU", "IR", "IS", "IT", "JP", "KG", "KZ", "LU"),
    *("MD", "NL", "NO", "OM", "PL", "QA", "RO", "RU", "SA", "SG", "SK", "TM", "TR", "UA", "US", "UZ"),
)


def write(whole: Path, path: Path) -> None:
    """Write a base map with all countries and lines of the whole one, with a tenth of their corners."""
    with replacing(path, durable=False) as fresh:
        for layer in ("countries", "boundaries", "places"):
            frame = geopandas.read_file(whole, layer=layer)
            if layer == "countries":
                # Together, so that no gap opens between neighbours, and every shape stays valid.
                shapes = shapely.coverage_simplify(shapely.make_valid(frame.geometry.to_numpy()), OFF_DEG)
                # Around a pole simplified lines cross the whole map.
                frame.geometry = np.where(frame["iso_a2"] == "AQ", frame.geometry, shapes)
            else:
                frame.geometry = frame.geometry.simplify(OFF_DEG)
            (frame.head(PLACES) if layer == "places" else frame).to_file(fresh, layer=layer, driver="GPKG")


def write_few_countries(small: Path, path: Path) -> None:
    """Write a few countries of a base map with all else of it: each country has pages in what is published."""
    with replacing(path, durable=False) as fresh:
        for layer in ("countries", "boundaries", "places"):
            frame = geopandas.read_file(small, layer=layer)
            few = frame[frame["iso_a2"].isin(FEW_COUNTRIES)] if layer == "countries" else frame
            few.to_file(fresh, layer=layer, driver="GPKG")
