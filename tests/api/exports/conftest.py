"""A small world for the exports: a dozen strikes, some assets, and square countries that need no built base map."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
from playwright.sync_api import Browser, sync_playwright

from geo.lonlat import Objects
from layers.model.cache import Lazy
from layers.reference.basemap import Basemap, BasemapPlaces, Boundaries, Countries
from tests.api.exports.making import frame_of, strike

#: The browser of the pages that exports write.
CHROMIUM = Path("/usr/bin/chromium")


def words(*texts: str | None) -> Objects:
    return np.array(texts, dtype=object)


def shapes(*geometries: shapely.Geometry) -> Objects:
    made = np.empty(len(geometries), dtype=object)
    made[:] = geometries
    return made


@pytest.fixture(scope="session")
def small_base() -> Basemap:
    """Ukraine and Russia as squares, Fiji on both sides of 180 degrees, and a base named GB beside Great Britain."""
    land = [
        shapely.multipolygons([shapely.box(22, 45.3, 39, 52)]),
        shapely.multipolygons([shapely.box(39, 43, 60, 60)]),
        shapely.multipolygons([shapely.box(177, -19, 180, -16), shapely.box(-180, -19, -178, -16)]),
        shapely.multipolygons([shapely.box(-5, 50, 1, 58)]),
        shapely.multipolygons([shapely.box(33, 34.5, 33.5, 35)]),
    ]
    names = words("Ukraine", "Russia", "Fiji", "United Kingdom", "Akrotiri Sovereign Base Area")
    return Basemap(
        Countries(
            iso_a2=words("UA", "RU", "FJ", "GB", "GB"),
            name_en=names,
            name_de=names,
            name_uk=names,
            label_rank=np.array([2, 2, 5, 2, 6]),
            min_zoom=np.array([2, 2, 4, 2, 8]),
            label=shapely.centroid(shapes(*land)),
            drawn_shape=Lazy.of(shapes(*land)),
        ),
        Lazy.of(
            Boundaries(
                kind=words("border", "coast"),
                shape=shapes(shapely.LineString([(39, 43), (39, 52)]), shapely.LineString([(22, 45.3), (39, 45.3)])),
            )
        ),
        Lazy.of(
            BasemapPlaces(
                geonameid=np.arange(1, 5),
                name=words("Odesa", "Mykolayiv", "Kyiv", "Suva"),
                country=words("UA", "UA", "UA", "FJ"),
                population=np.array([1_000_000, 480_000, 2_900_000, 90_000]),
                capital=np.array([False, False, True, True]),
                min_zoom=np.array([4, 5, 4, 4]),
                shape=shapely.points([(30.73, 46.48), (32.0, 46.97), (30.52, 50.45), (178.44, -18.14)]),
            )
        ),
    )


@pytest.fixture
def strikes() -> geopandas.GeoDataFrame:
    """Twelve strikes: three on one spot, one in Russia, one without a place, one retracted, one beyond 180 degrees."""
    rows = [strike(number) for number in range(3)]
    rows += [strike(number, geometry=shapely.Point(29 + number * 0.3, 46.8)) for number in range(3, 8)]
    rows.append(strike(8, host_country="RU", group="gas", status="verified", geometry=shapely.Point(40.5, 45.4)))
    rows.append(strike(9, title="Nowhere in particular", geometry=None, uncertainty_m=None, group=None))
    rows.append(strike(10, status="retracted", geometry=shapely.Point(31, 47.5)))
    rows.append(strike(11, host_country="FJ", group="port", geometry=shapely.Point(-179.5, -17)))
    return frame_of(rows)


@pytest.fixture
def assets() -> geopandas.GeoDataFrame:
    """A depot, an oil and a gas pipeline, and a plant without a place."""
    common = {"host_country": "UA", "owners": "UA 100", "owner_countries": ("UA",), "n_strikes": 0}
    rows = [
        {"id": "a-1", "name": "Depot", "kind": "oil-depot", "group": "oil", "commodity": "oil"} | common
        | {"geometry": shapely.Point(30.7, 46.5)},
        {"id": "a-2", "name": "Line", "kind": "pipeline", "group": None, "commodity": "oil"} | common
        | {"geometry": shapely.LineString([(20, 47), (45, 47)])},
        {"id": "a-3", "name": "Gas line", "kind": "pipeline", "group": None, "commodity": "gas"} | common
        | {"geometry": shapely.LineString([(29, 50), (29, 40)])},
        {"id": "a-4", "name": "Plant", "kind": "factory", "group": "industry", "commodity": None} | common
        | {"geometry": None},
    ]  # fmt: skip
    return frame_of(rows)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("needs /usr/bin/chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield launched
        launched.close()
