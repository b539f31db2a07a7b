"""The zoo passes through join, tile and GeoJSON: every awkward geometry as an asset, a strike somewhere on each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import shapely
from pydantic import ValidationError
from shapely.geometry import Point, shape
from shapely.geometry.base import BaseGeometry
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from api.wording.catalogue import text
from geo.antimeridian import split
from geo.tiles.tile_matrix import Tile
from layers.model.problems import schema_fault
from layers.model.records import Asset, Records, Source, Strike
from layers.sources import curated
from tests.api.tile_reading import Json, drawn, listed
from tests.awkward_geometries import ALL_GEOMETRIES, NOT_LONLAT
from tests.conftest import BASEMAP
from tests.store_kinds import NewStore
from tests.tile_at import tile_at


def is_good(name: str) -> bool:
    """Whether the schema takes it: lon/lat, valid, not empty, without heights."""
    place = ALL_GEOMETRIES[name]
    return place is None or not (place.is_empty or place.has_z or name in NOT_LONLAT or not place.is_valid)


GOOD = sorted(filter(is_good, ALL_GEOMETRIES))
#: Beyond the rim of the map.
UNSEEN = {"at_pole", "south_pole", "near_pole"}


def spot(name: str) -> Point | None:
    """A place on or in a geometry of the zoo."""
    place = ALL_GEOMETRIES[name]
    if place is None:
        return None
    part = shapely.get_parts(split(shapely.make_valid(place)))[0]
    if part.geom_type == "LineString":
        return part.interpolate(0.5, normalized=True)
    return part if part.geom_type == "Point" else part.representative_point()


def described(name: str, geometry: BaseGeometry | None) -> Json:
    placed = {"geometry": geometry, "uncertainty_m": 500.0, "basis": "sea-area", "place_source": "s"}
    return {"id": f"zoo-{name}", "sources": ("s",), "checked": "read", **({} if geometry is None else placed)}


def strike(name: str, geometry: BaseGeometry | None) -> Strike:
    return Strike(title=name, when="2025-08", place=name, status="reported", **described(name, geometry))


def zoo() -> Records:
    strikes = [strike(name, spot(name)) for name in GOOD]
    assets = [Asset(name=name, kind="refinery", **described(name, ALL_GEOMETRIES[name])) for name in GOOD]
    return Records.of(
        {
            "sources": {"s": Source(id="s", publisher="Zoo")},
            "strikes": {one.id: one for one in strikes},
            "assets": {one.id: one for one in assets},
        }
    )


@pytest.fixture(scope="module")
def zoo_client(new_shared_store: NewStore) -> Iterator[TestClient]:
    store = new_shared_store()
    store.load(zoo(), author="tests")
    # All candidates are shown, however improbable: what covers half the world is.
    with TestClient(create_app(store, Settings(basemap=BASEMAP, follow_every_s=0, show_from=0.0))) as made:
        yield made


@pytest.mark.parametrize("name", GOOD)
def test_zoo_is_joined_to_what_lies_on_it(zoo_client: TestClient, name: str) -> None:
    told = zoo_client.get(f"/strikes/zoo-{name}/attribution").json()
    candidates = {one["asset"]: one for one in told["candidates"]}
    if ALL_GEOMETRIES[name] is None:
        assert not candidates
        assert told["none_probability"] == 1.0
    else:
        assert candidates[f"zoo-{name}"]["distance_m"] == pytest.approx(0, abs=1)


def test_zoo_finds_its_neighbour_over_the_antimeridian(zoo_client: TestClient) -> None:
    told = zoo_client.get("/strikes/zoo-on_antimeridian/attribution").json()
    assert {"zoo-on_antimeridian", "zoo-on_antimeridian_west"} <= {one["asset"] for one in told["candidates"]}


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("collection", ["strikes", "assets"])
def test_zoo_is_valid_geojson(zoo_client: TestClient, collection: str, name: str) -> None:
    told = zoo_client.get(f"/collections/{collection}/items/zoo-{name}").json()
    if ALL_GEOMETRIES[name] is None:
        assert told["geometry"] is None
        return
    found = shape(told["geometry"])
    assert not found.is_empty
    west, south, east, north = found.bounds
    assert -180 <= west <= east <= 180
    assert -90 <= south <= north <= 90
    assert not found.has_z
    assert found.is_valid


@pytest.mark.parametrize("name", sorted(set(GOOD) - UNSEEN - {"missing"}))
def test_zoo_is_drawn_and_listed_where_it_lies(zoo_client: TestClient, name: str) -> None:
    place = spot(name)
    assert place is not None
    tile = tile_at(place.x, place.y, 5)
    around = (place.x - 0.1, place.y - 0.1, place.x + 0.1, place.y + 0.1)
    for collection in ("strikes", "assets"):
        assert f"zoo-{name}" in drawn(zoo_client, collection, tile)
        assert f"zoo-{name}" in listed(zoo_client, collection, around)


@pytest.mark.parametrize("name", sorted(UNSEEN))
def test_what_no_tile_can_show_is_listed_all_the_same(zoo_client: TestClient, name: str) -> None:
    assert f"zoo-{name}" not in drawn(zoo_client, "assets", Tile(0, 0, 0))
    assert f"zoo-{name}" in listed(zoo_client, "assets", (-180, -90, 180, 90))


@pytest.mark.parametrize("name", sorted(set(ALL_GEOMETRIES) - set(GOOD)))
def test_the_rest_of_the_zoo_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Asset(name=name, kind="refinery", **described(name, ALL_GEOMETRIES[name]))
    (fault,) = refused.value.errors()
    assert fault["loc"] == ("geometry",)
    toml = f"""
[[assets]]
id = "zoo"
name = "Zoo"
kind = "refinery"
geometry = "{ALL_GEOMETRIES[name].wkt}"
uncertainty_m = 500
basis = "site"
place_source = "s"
sources = ["s"]
checked = "read"
"""
    (problem,) = curated.parse([("zoo.toml", toml)]).problems
    assert (problem.file, problem.row, problem.record, problem.column) == ("zoo.toml", 2, "asset zoo", "geometry")


@pytest.mark.parametrize("name", ["ordinary_line", "ordinary_polygon", "multi_point", "collection"])
def test_a_strike_is_a_point_or_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValidationError) as raised:
        strike(name, ALL_GEOMETRIES[name])
    assert "a point; uncertainty_m says" in text(schema_fault(raised.value.errors()[0]))
