"""An atlas in Python: rows, numbers and owners of the HTTP API, with types, and matches of a caller's own strikes."""

from __future__ import annotations

import doctest
import importlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from fastapi.testclient import TestClient
from geopandas.testing import assert_geodataframe_equal

import strikeatlas
from api.python import atlas as interface
from api.python import sources
from api.python.own_strikes import READ
from api.python.sources import SnapshotSource, of_store
from api.requests.parameters import BadParameter
from api.server.version_builder import cache_of
from api.settings import Settings
from api.wording.catalogue import text
from layers.decisions.hits import SHOW_FROM, match_answer
from layers.model.records import Records
from layers.reference.basemap import Basemap
from layers.snapshot.flat_collections import LAYERS
from layers.snapshot.snapshot import Snapshot
from layers.snapshot.snapshot_cache import CachedVersion
from layers.store.backends import open_store
from layers.store.store import Store
from strikeatlas import Atlas, AtlasError
from tests.conftest import BASEMAP
from tests.store_copies import copied

SELECTIONS: list[dict[str, Any]] = [
    {},
    {"country": "AZ"},
    {"country": "az", "since": "2025", "min_share": 50},
    {"country": "RU", "relation": "related", "until": "2025-06"},
    {"country": "US", "reading": "control"},
    {"entity": "socar", "certainty": "sure"},
    {"country": "KZ", "min_share": 20.5, "certainty": "possible"},
    {"commodity": "oil", "bbox": (28, 45, 33, 48)},
    {"q": "Одеса", "since": date(2022, 1, 1), "sortby": "-uncertainty_m"},
    {"kind": "refinery", "host_country": "RU", "owner_countries": "RU"},
    {"day_last": date(2025, 8, 6)},
    {"filter": "n_sources > 2 AND host_country = 'UA'", "until": "2025-08-08"},
]


@pytest.fixture(scope="module")
def atlas(snapshot: Snapshot) -> Atlas:
    return Atlas(SnapshotSource("tests", snapshot), BASEMAP)


@pytest.fixture(scope="module")
def served(server_url: str) -> Iterator[Atlas]:
    """The atlas of a running server, which is asked for small pages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "_PAGE", 150)
        yield strikeatlas.open(f"{server_url}/")


def query(conditions: dict[str, Any]) -> dict[str, str]:
    """Write conditions as a person would in an address, not by the code under test."""
    texts = {name: str(value) for name, value in conditions.items() if name not in ("since", "until", "bbox")}
    if "bbox" in conditions:
        texts["bbox"] = ",".join(map(str, conditions["bbox"]))
    ends = {"2025": "2025-01-01", "2025-06": "2025-06-30"}
    since, until = (ends.get(str(conditions.get(name)), conditions.get(name)) for name in ("since", "until"))
    if since or until:
        texts["datetime"] = f"{since or '..'}/{until or '..'}"
    return texts


@pytest.mark.parametrize("conditions", SELECTIONS, ids=str)
def test_a_selection_has_the_rows_and_the_counts_of_the_api(
    atlas: Atlas, client: TestClient, conditions: dict[str, Any]
) -> None:
    asked = {"sortby": "-when,-id", **query(conditions), "limit": "10000"}
    answer = client.get("/collections/strikes/items", params=asked).json()
    selected = atlas.strikes(**conditions)
    assert selected["id"].tolist() == [feature["id"] for feature in answer["features"]]
    assert len(selected) == answer["numberMatched"] > 0
    assert type(selected) is geopandas.GeoDataFrame
    unsorted = {name: value for name, value in conditions.items() if name != "sortby"}
    counts = client.get("/strikes/counts", params={**query(unsorted), "by": "country"}).json()
    counted = atlas.countries(**unsorted)
    expected = [(group["value"], group["strikes"]) for group in counts["groups"]]
    assert counts["strikes"] == len(selected)
    assert [*zip(counted["id"], counted["strikes"], strict=True)] == expected


def test_layers_have_real_types_and_a_crs(atlas: Atlas) -> None:
    strikes, hits = atlas.strikes, atlas.hits
    assert strikes.crs.to_string() == hits.crs.to_string() == atlas.assets.crs.to_string() == "OGC:CRS84"
    assert strikes["day_first"].dtype == strikes["day_last"].dtype == "datetime64[ms]"
    assert strikes["killed_min"].dtype == "Int64"
    assert strikes["uncertainty_m"].dtype == hits["share_max"].dtype == "float64"
    assert hits["sure"].dtype == "boolean"
    assert strikes["title"].dtype == "str"
    assert all(isinstance(value, list) for value in strikes["owner_countries"])
    assert strikes["killed_min"].isna().any()
    assert len(hits) == len(hits["id"].unique())
    assert {"reading", "sure", "share_min", "share_max"} <= {*hits.columns}


def test_what_is_derived_of_a_layer_is_a_plain_frame_and_changes_nothing(atlas: Atlas) -> None:
    strikes = atlas.strikes
    for derived in (
        strikes.query("host_country == 'UA'"),
        strikes.copy(),
        strikes.head(),
        strikes[strikes["n_sources"] > 1],
    ):
        assert type(derived) is geopandas.GeoDataFrame
        assert derived.crs == strikes.crs
    assert type(strikes[["id"]]) is pd.DataFrame
    strikes["title"] = "changed"
    assert "changed" not in set(atlas.strikes["title"])


@pytest.mark.parametrize("name", LAYERS)
def test_a_server_gives_the_rows_of_its_store_page_by_page(name: Any, served: Atlas, store: Store) -> None:
    local = of_store(store.name, BASEMAP)
    expected, read = Atlas(local, BASEMAP).layer(name), served.layer(name)
    assert read["id"].tolist() == expected["id"].tolist()
    assert read.drop(columns="geometry").equals(expected.drop(columns="geometry"))
    assert (read.geometry.isna() == expected.geometry.isna()).all()
    # GeoJSON turns exterior rings to the left (RFC 7946, 3.1.6).
    shapes, wanted = (shapely.orient_polygons(frame.geometry.to_numpy()) for frame in (read, expected))
    assert shapely.equals_exact(shapes, wanted, 1e-5)[expected.geometry.notna()].all()


def test_a_server_selects_counts_and_attributes_alike(served: Atlas, atlas: Atlas) -> None:
    conditions = {"country": "AZ", "since": "2025", "min_share": 12.5}
    assert served.strikes(**conditions)["id"].tolist() == atlas.select(**conditions)["id"].tolist()
    counted, expected = (one.countries(since="2025", relation="supplier") for one in (served, atlas))
    pd.testing.assert_frame_equal(counted.drop(columns="geometry"), expected.drop(columns="geometry"))
    owners, same = (one.owners("a-cpc-kropotkinskaya", on="2025-02-17") for one in (served, atlas))
    pd.testing.assert_frame_equal(owners, same)
    hit = {"country": "AZ", "reading": "registration", "sure": True}
    assert 0 < len(atlas.hits(**hit)) < len(atlas.hits)
    assert served.hits(**hit)["id"].tolist() == atlas.hits(**hit)["id"].tolist()
    refineries = atlas.assets(kind="refinery")
    assert {*refineries["kind"]} == {"refinery"}
    assert served.assets(kind="refinery")["id"].tolist() == refineries["id"].tolist()
    assert len(atlas.hits()) == len(atlas.hits)
    assert "strikes" in served._repr_html_()


def test_a_server_names_the_sources_of_strikes_as_its_store_does(
    served: Atlas, atlas: Atlas, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = sorted(atlas.strikes["id"])[:20]
    cited = served._source.cites(some)
    assert cited == atlas._source.cites(some)
    assert all(cited[key] for key in some)
    html = served.explore(served.strikes(country="AZ")).get_root().render()
    address = next(
        url for key in atlas.strikes(country="AZ")["id"] for _, url in atlas._source.cites([key])[key] if url
    )
    assert address in html
    monkeypatch.setattr("api.python.sources.MOST_CITED", 19)
    assert served._source.cites(some) == {}


def test_a_server_that_refuses_is_quoted(served: Atlas) -> None:
    with pytest.raises(AtlasError, match=r"country=.*AZE"):
        served.strikes(country="AZE")
    with pytest.raises(AtlasError, match="a-none"):
        served.owners("a-none")
    with pytest.raises(AtlasError, match="matching needs the records"):
        served.match(geopandas.GeoDataFrame({"geometry": [shapely.Point(30, 46)]}, crs=4326))


def test_an_address_that_nobody_answers_is_named() -> None:
    with pytest.raises(AtlasError, match=r"http://127\.0\.0\.1:9"):
        _ = strikeatlas.open("http://127.0.0.1:9").assets


def test_a_store_is_read_from_its_cached_snapshot(few_store: Store, base: Basemap, tmp_path: Path) -> None:
    computed = of_store(few_store.name, BASEMAP)
    address = copied(few_store, tmp_path / "copy.gpkg")
    cache = cache_of(open_store(address), base, Settings(basemap=BASEMAP))
    assert cache.write(CachedVersion(of_store(address, BASEMAP).snapshot, few_store.records()))
    kept = of_store(address, BASEMAP)
    assert kept.snapshot.backing_files is not None
    for name in LAYERS:
        assert_geodataframe_equal(kept.layer(name, {}), computed.layer(name, {}))


@pytest.mark.parametrize(
    ("conditions", "named"),
    [
        ({"since": "yesterday"}, "since='yesterday'"),
        ({"since": "2025-08", "until": "2025-07"}, "until="),
        ({"country": "AZE"}, "country='AZE'"),
        ({"min_share": 101}, "min_share='101'"),
        ({"filter": "nothing = 1"}, "filter="),
        ({"bbox": (1, 2, 3)}, "bbox="),
        ({"kinds": "refinery"}, "kinds="),
        ({"n_sources": "many"}, "n_sources="),
    ],
)
def test_a_condition_that_cannot_be_read_is_named(atlas: Atlas, conditions: dict[str, Any], named: str) -> None:
    with pytest.raises(BadParameter) as refused:
        atlas.select(**conditions)
    assert str(refused.value).startswith(named)


def test_owners_have_bounds_and_the_way_up(atlas: Atlas, client: TestClient) -> None:
    owners = atlas.owners("a-cpc-kropotkinskaya", on="2025-02-17")
    answer = client.get("/assets/a-cpc-kropotkinskaya/owners", params={"on": "2025-02-17"}).json()
    listed = [(row["country"], row["share_min"], row["share_max"]) for row in answer["owners"]]
    assert [*zip(without_missing(owners["country"]), owners["share_min"], owners["share_max"], strict=True)] == listed
    chain = owners.loc[owners["country"] == "KZ", "chain"].item()
    assert chain == "Caspian Pipeline Consortium 100 % < Kazakhstan 19 %"
    assert all(url.startswith("http") for row in owners["sources"] for url in row)
    with pytest.raises(AtlasError, match="no asset or entity 'a-none'"):
        atlas.owners("a-none")
    with pytest.raises(BadParameter, match="on="):
        atlas.owners("a-cpc-kropotkinskaya", on="some day")


def without_missing(column: pd.Series[Any]) -> list[Any]:
    """Values of a column, None where there is none."""
    return column.astype(object).where(column.notna(), None).tolist()


def own(records: Records, ids: list[str]) -> geopandas.GeoDataFrame:
    """Strikes of the atlas as a caller would have them, in another CRS, labelled by their ids."""
    strikes = [records.strikes[key] for key in ids]
    columns = {name: [getattr(strike, name) for strike in strikes] for name in READ}
    frame = geopandas.GeoDataFrame(
        columns, geometry=[strike.geometry for strike in strikes], index=ids, crs="OGC:CRS84"
    )
    return frame.to_crs("EPSG:3857")


def test_a_callers_strikes_are_matched_as_the_atlas_matches_its_own(
    atlas: Atlas, snapshot: Snapshot, few_records: Records
) -> None:
    ids = list(few_records.strikes)
    pairs = atlas.match(own(few_records, ids))
    for key in ids:
        rows = pairs[pairs["strike"] == key]
        expected = [m for m in snapshot.matches[key] if m.asset is None or m.probability >= SHOW_FROM]
        assert without_missing(rows["asset"]) == [m.asset for m in expected]
        # Metres in another projection and back.
        np.testing.assert_allclose(rows["probability"], [m.probability for m in expected], atol=1e-6)
        answer = match_answer(snapshot.matches[key], snapshot.publish_from)
        assert set(rows["answer"]) == {answer}
        assert rows["published"].sum() == (answer != "undecided")
    assert pairs.crs.to_string() == "OGC:CRS84"
    assert all(reason and ": " in reason for reasons in pairs["reasons"] for reason in reasons)


def test_a_callers_strikes_are_attributed_as_those_that_rest_on_a_match(few_records: Records, base: Basemap) -> None:
    undecided = replace(few_records, decisions={})
    atlas = Atlas(SnapshotSource("tests", Snapshot(undecided, base, 1, date(2026, 11, 25), wording=text)), BASEMAP)
    matched = atlas.hits[atlas.hits["rests_on"] == "match"]
    ids = sorted(set(matched["strike"]))
    mine = atlas.attribute(own(few_records, ids))
    assert len(ids) > 3
    same = ["strike", "asset", "country", "reading", "share_min", "share_max", "owners"]
    order = ["strike", "asset", "reading", "country"]
    rows, expected = (frame[same].sort_values(order).reset_index(drop=True) for frame in (mine, matched))
    pd.testing.assert_frame_equal(rows, expected)
    assert mine["probability"].between(0.75, 1).all()
    assert list(dict.fromkeys(mine["strike"])) == ids
    assert mine.attrs["answers"] == {}


def test_the_answer_to_a_callers_strike_without_a_row_is_in_the_attributes(atlas: Atlas) -> None:
    known = {"targets": ["Kropotkinskaya pumping station", None], "when": "2025-02-17"}
    mine = geopandas.GeoDataFrame(
        known, index=["known", "unknown"], geometry=geopandas.points_from_xy([40.55] * 2, [45.41] * 2), crs="OGC:CRS84"
    )
    rows, pairs = atlas.attribute(mine, uncertainty_m=5000, basis="settlement"), atlas.match(mine, uncertainty_m=5000)
    assert {*rows["strike"]} == {"known"}
    answer = pairs.loc[pairs["strike"] == "unknown", "answer"].iloc[0]
    assert rows.attrs["answers"] == {"unknown": answer} == {"unknown": "undecided"}


def test_faults_of_a_callers_frame_are_named_together(atlas: Atlas) -> None:
    points = [shapely.Point(30, 46), shapely.box(30, 46, 31, 47), None]
    frame = geopandas.GeoDataFrame(
        {"when": ["2025-08-08", "soon", None], "host_country": ["UA", "ua", None]}, geometry=points, index=list("abc")
    )
    with pytest.raises(AtlasError, match="no CRS"):
        atlas.match(frame)
    with pytest.raises(AtlasError) as refused:
        atlas.attribute(frame.set_crs(4326))
    said = str(refused.value).splitlines()
    assert len(said) == 3
    assert all("row 'b'" in line for line in said)
    assert all(any(f" {name} " in line for line in said) for name in ("when", "host_country", "geometry"))


def test_a_frame_without_rows_or_words_has_an_answer(atlas: Atlas) -> None:
    nowhere = geopandas.GeoDataFrame({"geometry": [None, shapely.Point(-30, -50)]}, crs=4326)
    pairs = atlas.match(nowhere)
    assert pairs["strike"].tolist() == [0, 1]
    assert pairs["asset"].isna().all()
    assert atlas.attribute(nowhere).empty
    assert atlas.match(nowhere.iloc[:0]).empty
    assert atlas.attribute(nowhere.iloc[:0]).empty


def test_the_map_of_a_notebook_fetches_nothing(atlas: Atlas) -> None:
    drawn = atlas.explore(atlas.strikes(country="AZ"))
    page = drawn.get_root().render()
    assert "SOCAR" in page
    assert 'src="http' not in page
    assert 'href="http' not in page.split("<body>")[0]


def test_many_strikes_are_not_drawn_by_folium(atlas: Atlas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interface, "_MOST_DRAWN", 10)
    with pytest.raises(AtlasError, match="too many for folium"):
        atlas.explore()


def test_the_atlas_says_what_it_is_and_escapes_names(snapshot: Snapshot) -> None:
    shown = Atlas(SnapshotSource("<script>x</script>.gpkg", snapshot), BASEMAP)
    assert "<script>" not in shown._repr_html_()
    assert f"{len(snapshot.records.strikes):,} strikes" in shown._repr_html_()
    assert len(shown._repr_html_()) < 500


@pytest.mark.parametrize("module", ["strikeatlas", "api.python.atlas", "tools.build.wheel_layout"])
def test_the_examples_of_the_docstrings_hold(module: str, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interface, "_bundled", lambda base: SnapshotSource("bundled records", snapshot))
    result = doctest.testmod(importlib.import_module(module))
    assert result.attempted > 0
    assert result.failed == 0
