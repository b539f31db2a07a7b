"""The base map that countries are looked up in, as it is built: codes, borders, towns without districts."""

from __future__ import annotations

import time
from pathlib import Path

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from pyproj.exceptions import CRSError

from tools.basemap import countries as source


@pytest.mark.parametrize(
    ("iso_a2_eh", "sovereign", "code"),
    [("FR", "FR1", "FR"), ("XK", "KOS", "XK"), ("-99", "GB1", "GB"), ("-99", "CU1", "CU"), ("-99", "BRT", None)],
)
def test_country_code(iso_a2_eh: str, sovereign: str, code: str | None) -> None:
    assert source.country_code(iso_a2_eh, sovereign) == code


def test_a_shared_border_is_one_line_and_an_outer_edge_is_coast() -> None:
    west, east = shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)
    found = source.boundary_frame(geopandas.GeoDataFrame(geometry=[west, east], crs=source.CRS))
    border = found[found["kind"] == "border"].geometry
    coast = found[found["kind"] == "coast"].geometry
    assert len(border) == 1
    assert border.iloc[0].equals(shapely.LineString([(1, 0), (1, 1)]))
    assert shapely.length(coast.to_numpy()).sum() == pytest.approx(6.0)


def city(number: int, name: str, people: int, lon: float, lat: float, *others: str) -> dict[str, object]:
    return {
        "geonameid": number,
        "name": name,
        "countrycode": "UA",
        "admin1code": "12",
        "population": people,
        "longitude": lon,
        "latitude": lat,
        "alternatenames": list(others),
    }


def test_places_are_capitals_and_towns_without_districts() -> None:
    cities = [
        city(1, "Town", 16_000, 31.5, 50.4),
        city(2, "Velyke Misto", 2_000_000, 30.5, 50.4, "Big City"),
        city(3, "Quarter", 90_000, 30.55, 50.42),
        city(4, "Named", 90_000, 33.0, 50.42, "Named'skij rajon"),
        city(5, "Hamlet", 900, 32.0, 50.0),
        city(6, "Small Capital", 5_000, 30.51, 50.41),
    ]
    before = [dict(one) for one in cities]
    found = source.place_frame([{"iso": "UA", "capital": "Small-Capital"}], cities)
    assert found["name"].tolist() == ["Velyke Misto", "Town", "Small Capital"]
    assert found["capital"].tolist() == [False, False, True]
    assert cities == before


def test_capital_is_found_by_another_name_and_the_largest_wins() -> None:
    cities = [city(1, "Kyïv", 9, 0, 0, "Kiev"), city(2, "Kiev", 5, 0, 0), city(3, "Kyiv", 7, 0, 0)]
    assert source.capital_ids([{"iso": "UA", "capital": "Kyiv"}], cities) == {1}
    assert source.capital_ids([{"iso": "UA", "capital": "Lviv"}], cities) == set()
    assert source.capital_ids([{"iso": "UA", "capital": ""}], [city(1, "", 1, 0, 0)]) == set()


def test_first_zoom_follows_people_and_capitals_come_early() -> None:
    people = np.array([6_000_000, 1_000_000, 15_000, 15_000])
    capital = np.array([True, False, False, True])
    assert source.first_zoom(people, capital).tolist() == [3, 4, 9, 4]


def countries() -> geopandas.GeoDataFrame:
    """Two neighbours in the columns of Natural Earth."""
    columns = {
        "ISO_A2_EH": ["UA", "RO"],
        "SOV_A3": ["UKR", "ROU"],
        **{f"NAME_{language}": ["Ukraine", "Romania"] for language in ("EN", "DE", "UK")},
        **{name: [2, 3] for name in ("LABELRANK", "MIN_LABEL", "LABEL_X", "LABEL_Y")},
    }
    return geopandas.GeoDataFrame(columns, geometry=[shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)], crs=source.CRS)


def test_a_build_has_the_same_bytes_at_any_time(tmp_path: Path) -> None:
    paths = [tmp_path / "new" / name for name in ("one.gpkg", "two.gpkg")]
    for path in paths:
        source.build(path, countries(), [], [city(1, "Izmayil", 70_000, 0.5, 0.5)])
        time.sleep(0.01)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert [name for name, _ in pyogrio.list_layers(paths[0])] == ["countries", "boundaries", "places"]


def test_a_failed_build_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "basemap.gpkg"
    path.write_bytes(b"earlier")
    monkeypatch.setattr(source, "FILE_CRS", "no such system")
    with pytest.raises(CRSError):
        source.build(path, countries(), [], [city(1, "Izmayil", 70_000, 0.5, 0.5)])
    assert path.read_bytes() == b"earlier"
    assert list(tmp_path.iterdir()) == [path]
