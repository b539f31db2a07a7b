"""The synthetic world is valid, the same for the same seed, and what others are given is what the server shows."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyogrio
import pytest
import shapely

from bench import world_tables
from bench.world import batches, records, store, write_features
from bench.world_columns import Sizes, synthesize
from layers.ingest.integrity import dangling, over_owned, overlapping, unsourced
from layers.model.records import RECORD_TYPES, Records
from layers.reference.basemap import Basemap
from layers.snapshot.snapshot import Snapshot
from tests.conftest import BASEMAP

SIZES = Sizes(strikes=400, lines=60, facilities=40)


@pytest.fixture(scope="module")
def told() -> Records:
    return records(synthesize(SIZES, seed=1))


@pytest.fixture(scope="module")
def shown(told: Records, base: Basemap) -> Snapshot:
    return Snapshot(told, base, 1, date(2026, 1, 1), wording=str)


def test_it_is_the_same_for_the_same_seed(told: Records) -> None:
    assert records(synthesize(SIZES, seed=1)) == told
    assert records(synthesize(SIZES, seed=2)) != told


def test_it_has_the_sizes_asked_for(told: Records) -> None:
    lines = [asset for asset in told.assets.values() if asset.kind == "pipeline"]
    assert (len(told.strikes), len(told.assets), len(lines)) == (400, 100, 60)
    assert {asset.geometry.geom_type for asset in lines if asset.geometry} == {"LineString"}
    assert 40 <= len(told.decisions) <= 130


def test_its_records_hold_together(told: Records) -> None:
    faults = [*dangling(told, set()), *unsourced(told), *overlapping(told), *over_owned(told)]
    assert faults == []


def test_nothing_leaves_the_region(told: Records) -> None:
    box = shapely.box(*SIZES.region)
    placed = [one.geometry for one in (*told.strikes.values(), *told.assets.values())]
    assert shapely.covers(box, placed).all()


def test_the_store_gives_it_back(told: Records, tmp_path: Path) -> None:
    assert store(tmp_path / "world.gpkg", batches(synthesize(SIZES, seed=1))).records() == told


def test_a_large_world_comes_in_parts(told: Records, tmp_path: Path) -> None:
    parts = list(batches(synthesize(SIZES, seed=1), limit=150))
    assert max(len(part.table(name)) for part in parts for name in RECORD_TYPES) == 150
    found = store(tmp_path / "world.gpkg", parts).records()
    for name in RECORD_TYPES:
        assert {key: dict(one) | {"dataset": ""} for key, one in found.table(name).items()} == {
            key: dict(one) | {"dataset": ""} for key, one in told.table(name).items()
        }


def test_strikes_have_owners(shown: Snapshot) -> None:
    features = shown.collections["strikes"].features
    by_ground = {ground: [one for one in features if one.rests_on == ground] for ground in ("decision", "match")}
    assert all(by_ground.values())
    assert all(one.owners for one in by_ground["decision"])


def test_copied_rows_hold_every_value(shown: Snapshot) -> None:
    collection = shown.collections["strikes"]
    rows = list(_copied(b"".join(world_tables.blocks(collection))))
    names = [*world_tables.columns(collection), "geom"]
    assert len(rows) == len(collection)
    for feature, shape, row in zip(collection.features, collection.shapes, rows, strict=True):
        values = dict(zip(names, row, strict=True))
        assert shapely.from_wkb(values.pop("geom")).equals(shape)
        assert values["day_first"] == (feature.day_first.isoformat() if feature.day_first else None)
        assert values["assets"] == "{" + ",".join(f'"{one}"' for one in feature.assets) + "}"
        assert values["title"] == feature.title


def _copied(text: bytes) -> Iterator[list[str | None]]:
    for line in text.decode().splitlines():
        yield [None if value == "\\N" else value for value in line.split("\t")]


def test_what_copy_takes_for_syntax_is_escaped() -> None:
    assert list(world_tables.texts(["a\tb\\N\nc", None])) == [r"a\tb\\N\nc", r"\N"]


def test_flatgeobuf_holds_every_feature(shown: Snapshot, tmp_path: Path) -> None:
    collection = shown.collections["assets"]
    world_tables.write_flatgeobuf(collection, tmp_path / "assets.fgb")
    frame = pyogrio.read_dataframe(tmp_path / "assets.fgb")
    assert set(frame["id"]) == {feature.id for feature in collection.features}
    assert sorted(frame["name"]) == sorted(feature.name for feature in collection.features)
    assert frame.geometry.geom_type.value_counts().to_dict() == {"LineString": 60, "Point": 40}


def test_what_a_store_shows_is_written_for_others(told: Records, tmp_path: Path) -> None:
    store(tmp_path / "world.gpkg", [told]).close()
    write_features(tmp_path / "world.gpkg", BASEMAP, None, tmp_path)
    assert len(pyogrio.read_dataframe(tmp_path / "strikes.fgb")) == len(told.strikes)
    assert {path.stem for path in tmp_path.glob("*.fgb")} == {"strikes", "assets", "attributions"}
