"""The base map: whose ground a point is on, which places are kept, what the file and the layers hold."""

from pathlib import Path
from typing import Any

import mapbox_vector_tile
import numpy as np
import pyogrio
import pytest
import shapely

from geo.tiles.mvt import encode_tile
from geo.tiles.tile_matrix import Tile
from layers.reference.basemap import Basemap, BasemapMissing, read
from layers.reference.country_names import english_names
from tests.conftest import WHOLE_BASEMAP
from tools.basemap import countries as source


@pytest.fixture(scope="session")
def basemap() -> Basemap:
    return read(WHOLE_BASEMAP)


# Longitude first. Orlivka and Isaccea face each other over the Danube, 5 km apart.
ON_LAND = {
    "Orlivka": (28.440, 45.317, "UA"),
    "Isaccea": (28.460, 45.270, "RO"),
    "Odesa": (30.726, 46.482, "UA"),
    "Izmail": (28.837, 45.352, "UA"),
    "Reni": (28.290, 45.456, "UA"),
    "Simferopol": (34.100, 44.948, "UA"),
    "Sevastopol": (33.522, 44.605, "UA"),
    "Feodosia": (35.382, 45.032, "UA"),
    "Kerch": (36.468, 45.357, "UA"),
    "Donetsk": (37.802, 48.023, "UA"),
    "Unecha": (32.678, 52.846, "RU"),
    "Novorossiysk": (37.770, 44.724, "RU"),
    "Baku": (49.867, 40.409, "AZ"),
    "Tiraspol": (29.633, 46.840, "MD"),
    "Paris": (2.352, 48.857, "FR"),
    "Oslo": (10.746, 59.913, "NO"),
    "Pristina": (21.167, 42.667, "XK"),
    "Taipei": (121.564, 25.033, "TW"),
    "Akrotiri": (32.980, 34.590, "GB"),
    "Uelen, Chukotka": (-169.810, 66.160, "RU"),
}


@pytest.mark.parametrize("place", ON_LAND)
def test_country_on_land(basemap: Basemap, place: str) -> None:
    lon, lat, country = ON_LAND[place]
    assert basemap.country_at(lon, lat) == country


@pytest.mark.parametrize(
    ("lon", "lat"),
    [
        pytest.param(34.0, 43.0, id="the middle of the Black Sea"),
        pytest.param(-30.0, 40.0, id="the Atlantic"),
        pytest.param(0.0, 0.0, id="null island"),
        pytest.param(0.0, 90.0, id="north pole"),
        pytest.param(33.75, 21.87, id="Bir Tawil, no state's land though states are near"),
        pytest.param(float("nan"), 45.0, id="not a number"),
        pytest.param(30.0, float("inf"), id="infinite"),
    ],
)
def test_no_country(basemap: Basemap, lon: float, lat: float) -> None:
    assert basemap.country_at(lon, lat) is None


def test_a_berth_off_the_coast_has_the_coasts_country(basemap: Basemap) -> None:
    mooring = shapely.Point(37.68, 44.63)
    assert not shapely.intersects(basemap.countries.shape, mooring).any()
    assert basemap.country_at(mooring.x, mooring.y) == "RU"


@pytest.mark.parametrize(("km", "country"), [(20.0, "UA"), (24.0, None)])
def test_the_coasts_country_ends_with_the_territorial_sea(basemap: Basemap, km: float, country: str | None) -> None:
    # The south cape of Crimea: straight south there is nothing but sea.
    crimea = next(p for p in shapely.get_parts(basemap.countries.shape) if p.covers(shapely.Point(34.1, 44.9)))
    lon, lat = min(crimea.exterior.coords, key=lambda point: point[1] if 33 < point[0] < 35 else 90)
    assert basemap.country_at(lon, lat - km / 111.195) == country


def test_codes_are_codes_and_every_country_has_its_names(basemap: Basemap) -> None:
    c = basemap.countries
    assert {len(code) for code in c.iso_a2 if code is not None} == {2}
    assert len(c.iso_a2) == 250
    ukraine = list(c.iso_a2).index("UA")
    assert (c.name_en[ukraine], c.name_de[ukraine], c.name_uk[ukraine]) == ("Ukraine", "Ukraine", "Україна")
    assert all(name for column in (c.name_en, c.name_de, c.name_uk) for name in column)
    assert set(shapely.get_type_id(c.shape)) == {shapely.GeometryType.MULTIPOLYGON}
    assert shapely.contains(c.shape[ukraine], c.label[ukraine])


def test_countries_have_their_short_names(basemap: Basemap) -> None:
    names = basemap.country_names
    assert {code: names[code] for code in ("CN", "TR", "US")} == {"CN": "China", "TR": "Türkiye", "US": "United States"}
    assert names.keys() <= english_names().keys()


def test_the_cut_at_180_degrees_and_the_south_pole_are_no_boundary(basemap: Basemap) -> None:
    points, line = shapely.get_coordinates(basemap.boundaries.shape, return_index=True)
    joined = line[1:] == line[:-1]
    segments = np.hstack([points[:-1], points[1:]])[joined]
    assert len(segments) > 400_000
    assert not source.on_world_edge(segments).any()
    edges = np.array([[180.0, 65.0, 180.0, 68.0], [-180.0, -90.0, 0.0, -90.0], [179.9, 65.0, 180.0, 66.0]])
    assert source.on_world_edge(edges).tolist() == [True, True, False]


def test_ukrainian_places(basemap: Basemap) -> None:
    p = basemap.places
    names = set(p.name[p.country == "UA"])
    assert {"Kyiv", "Odesa", "Mariupol", "Izmayil", "Reni", "Vyshneve", "Simferopol", "Sevastopol"} <= names
    assert names.isdisjoint({"Obolon", "Darnytsya", "Saltivka", "Kalmiuskyi", "Pravyi Bereh", "Cheremushky"})


def test_every_small_place_is_a_capital(basemap: Basemap) -> None:
    p = basemap.places
    assert p.capital[p.population < source.SMALLEST_PLACE].all()
    assert {"Kyiv", "Baku", "Washington", "Berlin", "Moscow"} <= set(p.name[p.capital])
    assert (np.diff(p.population) <= 0).all()


def test_a_place_lies_in_the_country_it_names(basemap: Basemap) -> None:
    p = basemap.places
    near = np.flatnonzero(np.isin(p.country, ["UA", "RU", "RO", "MD", "AZ"]) & (p.population > 60_000))
    strayed = {p.name[i] for i in near if basemap.country_at(p.shape[i].x, p.shape[i].y) != p.country[i]}
    assert len(near) > 300
    # The town stands on the bank of the Danube, and the drawn river passes north of it.
    assert strayed == {"Drobeta-Turnu Severin"}


def test_the_file_opens_as_a_geopackage_in_lon_lat() -> None:
    assert [name for name, _ in pyogrio.list_layers(WHOLE_BASEMAP)] == ["countries", "boundaries", "places"]
    assert pyogrio.read_info(WHOLE_BASEMAP, layer="places")["crs"] == "EPSG:4326"


def test_a_file_of_something_else_is_no_base_map(tmp_path: Path) -> None:
    text, cut = tmp_path / "text.gpkg", tmp_path / "cut.gpkg"
    text.write_text("a text")
    cut.write_bytes(WHOLE_BASEMAP.read_bytes()[:200_000])
    for path in (text, cut):
        with pytest.raises(BasemapMissing, match=r"\.gpkg is no base map: "):
            read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BasemapMissing, match=r"there is no base map at .*none\.gpkg"):
        read(tmp_path / "none.gpkg")


def decoded(basemap: Basemap, tile: Tile) -> dict[str, list[dict[str, Any]]]:
    """Encode all layers of a tile and read them with another project's decoder; empty layers are left out."""
    body = encode_tile(basemap.layers, tile)
    return {
        name: [feature["properties"] for feature in layer["features"]]
        for name, layer in mapbox_vector_tile.decode(body).items()
    }


def test_layers_of_the_tile_of_odesa(basemap: Basemap) -> None:
    layers = decoded(basemap, Tile(6, 37, 22))
    assert {row["iso_a2"] for row in layers["country"]} == {"UA", "RO", "MD"}
    assert {row["kind"] for row in layers["boundary"]} == {"border", "coast"}
    names = {row["name"] for row in layers["place"]}
    assert "Odesa" in names
    assert "Reni" not in names
    assert {type(row["population"]) for row in layers["place"]} == {int}


def test_small_places_come_with_the_zoom(basemap: Basemap) -> None:
    assert "Reni" in {row["name"] for row in decoded(basemap, Tile(9, 296, 183))["place"]}


def test_world_tile_labels_large_countries_in_three_languages(basemap: Basemap) -> None:
    layers = decoded(basemap, Tile(2, 2, 1))
    labels = {row["name_en"]: row for row in layers["country_label"]}
    assert labels["Russia"]["iso_a2"] == "RU"
    assert labels["Russia"]["name_uk"] == "Росія"
    assert labels["Russia"]["name_de"] == "Russland"
    assert "Moldova" not in labels
    assert "place" not in layers


def test_land_without_a_state_is_filled_but_has_no_label(basemap: Basemap) -> None:
    layers = {layer.name: layer for layer in basemap.layers}
    assert len(layers["country"].ids) - len(layers["country_label"].ids) == 3


def test_the_open_sea_is_an_empty_tile(basemap: Basemap) -> None:
    assert decoded(basemap, Tile(8, 110, 150)) == {}


def test_the_outline_of_every_state_is_valid(base: Basemap) -> None:
    assert [iso for iso, shape in base.country_shapes.items() if not shape.is_valid] == []
    row = int(np.flatnonzero(base.countries.iso_a2 == "EG")[0])
    assert base.country_shapes["EG"].area == pytest.approx(base.countries.shape[row].area)
