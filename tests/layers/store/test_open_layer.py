"""Records of an open layer lie under those of a store: read as one, never written, until somebody writes about one."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
import shapely

from api.settings import open_layer
from layers.model.records import Asset, Decision, Entity, Identity, Record, Records, Relation, Source, Stake
from layers.resolution.resolve import apply_judgements
from layers.store.open_layer import NotAnOpenLayer, OpenLayer
from layers.store.record_table import RecordTable
from layers.store.store import Edit, EditConflict, Store
from tests.layers.store.test_store import ALL
from tests.layers.strike_builders import TABLES
from tests.store_kinds import NewStore
from tools.open_layer import archive

STRIKE = next(iter(ALL.strikes))
TRACKER = Source(id="tracker", dataset="open/t", publisher="A tracker", licence="CC BY 4.0")


def asset(key: str, **values: object) -> Asset:
    given = {
        "name": key,
        "kind": "refinery",
        "sources": ("tracker",),
        "checked": "read",
        "host_country": "UA",
        **values,
    }
    return Asset.model_validate({"id": key, "dataset": "open/t", **given})


def entity(key: str, **values: Any) -> Entity:
    return Entity(id=key, dataset="open/t", name=key.title(), type="legalEntity", checked="unverified", **values)


def point(lon: float, lat: float) -> dict[str, object]:
    return {"geometry": shapely.Point(lon, lat), "uncertainty_m": 500.0, "basis": "site", "place_source": "tracker"}


def stake(owned: str, owner: str, share: float) -> Stake:
    return Stake(
        id=f"{owned}>{owner}", dataset="open/t", owned=owned, owner=owner, share_min=share, share_max=share,
        source="tracker", checked="read",
    )  # fmt: skip


def records_of(*every: Record) -> Records:
    tables: dict[str, dict[str, Record]] = {}
    for record in every:
        tables.setdefault(TABLES[type(record)], {})[record.id] = record
    return Records.of(tables)


def held() -> tuple[Record, ...]:
    return (
        TRACKER,
        entity("holder", sources=("tracker",)),
        entity("group", registered_in="AZ"),
        asset("plant", **point(30.5, 50.5)),
        asset("plant/1", part_of="plant", capacity=7.0, capacity_unit="Mt/y"),
        stake("plant/1", "holder", 60.0),
        stake("holder", "group", 100.0),
        Relation(
            id="plant/1>operator", dataset="open/t", asset="plant/1", entity="holder", relation="licensee",
            source="tracker", checked="read",
        ),
    )  # fmt: skip


def written(path: Path, *every: Record) -> OpenLayer:
    origins = [{"publisher": "A tracker", "licence": "CC BY 4.0"}, {"publisher": "A tracker", "licence": "CC BY 4.0"}]
    archive.write(path, records_of(*every), {"origins": origins})
    return OpenLayer.open(path)


@pytest.fixture
def layer(tmp_path: Path) -> OpenLayer:
    return written(tmp_path / "layer.zip", *held())


@pytest.fixture
def store(new_store: NewStore, layer: OpenLayer) -> Store:
    made = new_store()
    made.load(ALL, author="tests")
    return made.mount(layer)


def decision(key: str, site: str) -> Decision:
    return Decision(
        id=key,
        dataset="review",
        strike=STRIKE,
        asset=site,
        verdict="confirmed",
        who="Ann",
        when="2026-01-01",
        why="seen",
    )


def test_what_is_written_is_read_and_has_the_same_bytes_again(layer: OpenLayer, tmp_path: Path) -> None:
    assert layer.under(Records.of({})) == records_of(*held())
    again = written(tmp_path / "again.zip", *reversed(held()))
    assert again.path.read_bytes() == layer.path.read_bytes()
    assert layer.attribution == "A tracker (CC BY 4.0)"


def test_a_store_is_read_with_the_layer_under_it_and_holds_nothing_of_it(store: Store) -> None:
    seq, both = store.version()
    assert [*both.assets] == [*ALL.assets, "plant", "plant/1"]
    assert both.assets["plant"].geometry == shapely.Point(30.5, 50.5)
    assert both.strikes == ALL.strikes
    assert store.mount(None).version() == (seq, ALL)


def test_a_record_of_the_store_lies_over_that_of_its_id(store: Store) -> None:
    own = asset("plant", dataset="mine", name="Ours", sources=tuple(ALL.sources)[:1])
    store.write(Edit("assets", "plant", own, None), author="Ann")
    assert store.records().assets["plant"] == own


def test_large_tables_are_packed(new_store: NewStore, tmp_path: Path) -> None:
    many = [asset(f"site/{number}", **point(30.0 + number / 1e4, 50.0)) for number in range(6000)]
    made = new_store()
    made.load(ALL, author="tests")
    both = made.mount(written(tmp_path / "many.zip", TRACKER, *many)).records()
    assert isinstance(both.assets, RecordTable)
    assert [*both.assets.values()][len(ALL.assets) :] == sorted(many, key=lambda one: one.id)
    assert not both.assets.private()


def test_who_writes_about_a_site_has_it_copied_with_its_holders_and_all_that_they_refer_to(store: Store) -> None:
    before = store.records()
    store.append("decisions", decision("d", "plant/1"), author="Ann")
    assert store.records().decisions["d"].asset == "plant/1"
    own = store.mount(None).records()
    assert {"plant", "plant/1"} <= {*own.assets}
    assert {"holder", "group"} <= {*own.entities}
    assert {"plant/1>holder", "holder>group"} <= {*own.stakes}
    assert {*own.relations} - {*ALL.relations} == {"plant/1>operator"}
    assert all(
        own.table(name)[key] == before.table(name)[key] for name in ("assets", "stakes") for key in own.table(name)
    )
    copied = [row for row in store.revisions() if row.record in ("plant", "plant/1", "group")]
    assert {row.why for row in copied} == {"Copied from the open layer, as somebody wrote about it."}
    assert store.verify() == ()


def test_a_second_writing_about_it_copies_nothing(store: Store) -> None:
    store.append("decisions", decision("d", "plant/1"), author="Ann")
    before = store.seq()
    store.append("decisions", decision("e", "plant/1"), author="Ann")
    assert store.seq() == before + 1


def test_a_site_is_edited_as_the_version_that_was_seen(store: Store) -> None:
    seen = store.records().assets["plant"]
    renamed = seen.model_copy(update={"name": "Another"})
    with pytest.raises(EditConflict):
        store.write(Edit("assets", "plant", renamed, "another version"), author="Ann")
    assert "plant" not in store.mount(None).records().assets


def test_newer_records_are_read_from_those_before_and_a_removed_copy_is_again_that_of_the_layer(store: Store) -> None:
    seq, both = store.version(packed=True)
    renamed = both.assets["plant"].model_copy(update={"name": "Another"})
    store.write(Edit("assets", "plant", renamed, "*"), author="Ann")
    later, newer = store.newer(seq, both)
    assert newer.assets["plant"] == renamed
    assert {*newer.assets} == {*both.assets}
    store.write(Edit("assets", "plant", None, "*"), author="Ann")
    assert store.newer(later, newer)[1].assets["plant"] == both.assets["plant"]


def test_history_tells_of_the_layer_once(store: Store, tmp_path: Path) -> None:
    seq = store.seq()
    first, other = store.open_layer, written(tmp_path / "other.zip", TRACKER)
    assert first is not None
    assert store.recorded_open_layer() is None
    store.record_open_layer(first, author="serve")
    store.record_open_layer(first, author="serve")
    assert store.seq() == seq + 1
    store.record_open_layer(other, author="serve")
    assert store.recorded_open_layer() == other.digest
    store.record_open_layer(None, author="serve")
    assert store.seq() == seq + 3
    assert [*store.revisions(seq)] == []  # of records
    assert store.verify() == ()


@pytest.mark.parametrize("named", ["missing.zip", "", "NONE"])
def test_a_layer_that_is_not_there_is_a_missing_file(named: str) -> None:
    with pytest.raises(FileNotFoundError, match="bundled, none or the path of a file"):
        open_layer(named)


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip"])
def test_what_is_no_layer_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "layer.zip"
    path.write_bytes(content)
    with pytest.raises(NotAnOpenLayer):
        OpenLayer.open(path)
    with pytest.raises(NotAnOpenLayer):
        OpenLayer.open(tmp_path / "missing.zip")


@pytest.mark.parametrize(("name", "content"), [("about.json", b'{"form": 9}'), ("other.parquet", b"")])
def test_a_layer_of_another_form_or_with_other_members_is_refused(
    name: str, content: bytes, layer: OpenLayer, tmp_path: Path
) -> None:
    with zipfile.ZipFile(layer.path) as old, zipfile.ZipFile(tmp_path / "other.zip", "w") as new:
        for member in old.namelist():
            if member != name:
                new.writestr(member, old.read(member))
        new.writestr(name, content)
    with pytest.raises(NotAnOpenLayer):
        OpenLayer.open(tmp_path / "other.zip")


def test_judgements_of_the_layer_unite_its_sites_with_those_of_the_store(store: Store, tmp_path: Path) -> None:
    curated = next(iter(ALL.assets))
    same = Identity(
        id="same", dataset="open/judgements", one=curated, other="plant/1", verdict="same",
        who="Ann", when="2026-01-01", why="x",
    )  # fmt: skip
    united = apply_judgements(store.mount(written(tmp_path / "united.zip", *held(), same)).records())
    assert "plant/1" not in united.assets
    assert united.assets[curated].name == ALL.assets[curated].name
    assert united.assets[curated].capacity in (7.0, ALL.assets[curated].capacity)
