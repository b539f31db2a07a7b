"""The durable store: round trips, history, what a load removes, other programs, and death at any moment."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import geopandas
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import GeometryCollection, LineString, MultiLineString, MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from layers.geopackage import geopackage
from layers.model.records import (
    RECORD_TYPES,
    Asset,
    Claim,
    Condition,
    Control,
    Decision,
    Entity,
    Identity,
    Match,
    Record,
    Records,
    Relation,
    Source,
    Stake,
    Strike,
    Weapon,
)
from layers.store import connections, create
from layers.store.row_mapping import TABLES
from layers.store.store import (
    ANY,
    Edit,
    EditConflict,
    LoadReport,
    NotAStore,
    StillReferenced,
    Store,
    StoreBusy,
    StoreError,
    sql_types,
)
from tests.layers.english import raises
from tests.layers.store.store_killed import strikes
from tests.store_kinds import REFUSED, again, geopackage_only, is_file, new_geopackages, raw, write_layer

ROOT = Path(__file__).resolve().parents[3]
NASTY = "Орлівка 🛢 \"quoted\" 'n' \\ ; DROP TABLE strikes; -- <b>\u202e 中文"
PLACED = {"uncertainty_m": 500.5, "basis": "site", "place_source": "s"}
SEEN = {"sources": ("s",), "checked": "read"}
HOLE = Polygon([(28, 45), (29, 45), (29, 46), (28, 46)], [[(28.4, 45.4), (28.4, 45.6), (28.6, 45.6)]])
GEOMETRIES: tuple[BaseGeometry, ...] = (
    Point(0.1 + 0.2, -1 / 3),
    LineString([(28.2, 45.2), (28.44, 45.317), (28.9, 45.9)]),
    HOLE,
    MultiLineString([[(1, 2), (3, 4)], [(5, 6), (7, 8)]]),
    MultiPolygon([HOLE, box(1, 2, 3, 4)]),
    GeometryCollection([Point(180, 90), box(-180, -90, -170, -80)]),
)

SOURCE = Source(
    id="s", url="https://example.org/a?b=1", archive_url="https://example.org/c", publisher=NASTY, title="T",
    language="uk", published="2025-08", retrieved="2025-08-09", licence="CC0",
    same_report_as="AFP",
)  # fmt: skip
STRIKE = Strike(
    id="k", dataset="d", title=NASTY, titles={"uk": NASTY}, when="2025-06~", when_note="night", place="Орлівка",
    places={"de": "Orliwka", "uk": "Орлівка"}, region="Odesa",
    host_country="UA", geometry=Point(28.44, 45.317), attacker="Russia", weapons=(Weapon(kind="drone", count_min=3),),
    damage="pumps", killed_min=0, killed_max=1, injured_min=2, injured_max=3, casualties="one", targets=(NASTY, "b"),
    target_kinds=("pipeline", "oil-depot"), status="verified", status_note="ministry", note="n", **PLACED, **SEEN,
)  # fmt: skip
ASSET = Asset(
    id="a", name=NASTY, names={"uk": "Я", "en": "Z"}, aliases=("x",), kind="pipeline", commodity="gas",
    geometry=GEOMETRIES[1], host_country="UA", capacity=1.5, capacity_unit="bcm/a", capacity_on="2019", part_of="a2",
    status="retired", since="1961", until="2019-05", external_ids={"osm": "w1"}, note="n", **PLACED, **SEEN,
)  # fmt: skip
ENTITY = Entity(
    id="e", name="E", names={"az": "Ə"}, aliases=("x",), type="state", registered_in="AZ", headquartered_in="AZ",
    nationalities=("AZ", "CY"),
    joint=True, external_ids={"lei": "1"}, note="n", **SEEN,
)  # fmt: skip
STAKE = Stake(
    id="o", owned="a", owner="e", share_min=0.1, share_max=100, since="2008", until="2025-08-08", imputed=True,
    source="s", checked="excerpt", note="n",
)  # fmt: skip
RELATION = Relation(
    id="r", asset="a", entity="e", relation="supplier", strike="k", since="2025", until="2025-09", source="s",
    checked="read", note="n",
)  # fmt: skip
DECISION = Decision(
    id="d1", dataset="desk", strike="k", asset="a", verdict="confirmed", who="Ann", when="2025-08-09", why=NASTY,
    sources=("s",),
)  # fmt: skip
CONTROL = Control(
    id="x", controlled="e", controller="e2", kind="declared", since="2020", until="2024", source="s", checked="read",
    note="n",
)  # fmt: skip
CONDITION = Condition(
    id="n", asset="a", strike="k", status="reduced", working_min=0, working_max=70.5, since="2025-08",
    until="2025-09-01", source="s", checked="excerpt", note=NASTY,
)  # fmt: skip
IDENTITY = Identity(
    id="i", dataset="desk", one="e", other="e2", verdict="same", who="Ann", when="2025-08-09", why=NASTY
)
CLAIM = Claim(id="c", record="k", field="when", value="2025-06", quote=NASTY, source="s", checked="read")
FULL: dict[str, Record] = {
    "sources": SOURCE, "entities": ENTITY, "assets": ASSET, "strikes": STRIKE, "claims": CLAIM, "stakes": STAKE,
    "relations": RELATION, "controls": CONTROL, "conditions": CONDITION, "decisions": DECISION, "identities": IDENTITY,
}  # fmt: skip
BARE: dict[str, Record] = {
    "sources": Source(id="bare", publisher="P"),
    "entities": Entity(id="bare", name="N", type="person", checked="read"),
    "assets": Asset(id="bare", name="N", kind="refinery", **SEEN),
    "strikes": Strike(id="bare", title="T", when="2025", place="P", status="draft", **SEEN),
    "claims": CLAIM.model_copy(update={"id": "bare", "quote": None}),
    "stakes": Stake(id="bare", owned="a", owner="e", share_min=0, share_max=0, source="s", checked="read"),
    "relations": Relation(id="bare", asset="a", entity="e", relation="operator", source="s", checked="read"),
    "controls": Control(id="bare", controlled="a", controller="e", kind="rights", source="s", checked="read"),
    "conditions": Condition(id="bare", asset="a", status="offline", since="2025", source="s", checked="read"),
    "identities": IDENTITY.model_copy(update={"id": "bare"}),
    # A decision names an asset or undoes another one, never both.
    "decisions": Decision(
        id="bare", dataset="desk", strike="k", verdict="undone", undoes="d1", who="w", when="2025", why="y"
    ),
}


def of(*records: Record) -> Records:
    tables: dict[str, dict[str, Record]] = {}
    for record in records:
        name = next(name for name, noun in RECORD_TYPES.items() if type(record) is noun)
        tables.setdefault(name, {})[record.id] = record
    return Records.of(tables)


ALL = of(*FULL.values(), *BARE.values())


def changed(record: Record, **values: object) -> Record:
    return type(record).model_validate({**dict(record), **values})


def counts(report: LoadReport) -> tuple[int, int, int, int]:
    parts = (report.added, report.changed, report.removed, report.unchanged)
    return tuple(sum(part.values()) for part in parts)


def gdal_count(path: Path, layer: str, where: str) -> int:
    """Count features with GDAL in a process of its own, as QGIS would."""
    code = "import sys, pyogrio; print(len(pyogrio.read_dataframe(sys.argv[1], layer=sys.argv[2], where=sys.argv[3])))"
    command = [sys.executable, "-c", code, str(path), layer, where]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


# --- the file -----------------------------------------------------------------------------------


def test_a_new_store_is_empty_and_opens_again(store: Store) -> None:
    other = again(store)
    assert other.name == store.name
    assert other.seq() == 0
    assert other.records() == Records.of({})
    assert list(other.revisions()) == []
    store.close()
    other.close()
    assert store.seq() == 0


def test_a_closed_file_has_nothing_beside_it(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "atlas.gpkg")
    assert store.seq() == 0
    store.close()
    assert [file.name for file in store.path.parent.iterdir()] == ["atlas.gpkg"]


@pytest.mark.parametrize("name", ["atlas.gpkg", "atlas.gpkg-wal", "atlas.gpkg-journal"])
def test_create_takes_no_name_that_is_in_use(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    with pytest.raises(FileExistsError):
        Store.create(tmp_path / "atlas.gpkg")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [(name, "precious")]


def test_create_that_fails_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(create, "forbid_changes", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Store.create(tmp_path / "atlas.gpkg")
    assert list(tmp_path.iterdir()) == []


def test_create_never_overwrites_a_file_that_came_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "atlas.gpkg"
    build = create._build
    monkeypatch.setattr(create, "_build", lambda aside: (build(aside), path.write_text("precious")))
    with pytest.raises(FileExistsError):
        Store.create(path)
    assert path.read_text() == "precious"
    path.unlink()

    def no_links(*_: object) -> None:
        raise OSError("no hard links here")

    monkeypatch.setattr(create, "_build", build)
    monkeypatch.setattr(os, "link", no_links)
    assert Store.create(path).seq() == 0


def foreign(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


@geopackage_only
def test_what_is_no_store_is_named(tmp_path: Path, store: Store) -> None:
    def refused(name: str, match: str) -> None:
        with pytest.raises(NotAStore, match=match):
            Store.open(tmp_path / name)

    refused("missing", "no such file")
    assert not (tmp_path / "missing").exists()
    refused(".", "no such file")
    (tmp_path / "empty").touch()
    refused("empty", "empty")
    (tmp_path / "text").write_text("id,title\n" * 50)
    refused("text", "not a SQLite database")
    foreign(tmp_path / "sqlite", "CREATE TABLE strikes (id)")
    refused("sqlite", "no GeoPackage")
    geopandas.GeoDataFrame(geometry=[Point(1, 2)], crs=4326).to_file(tmp_path / "other.gpkg")
    refused("other.gpkg", "no store of this program")
    (tmp_path / "damaged").write_bytes(store.path.read_bytes()[:100] + b"\xff" * 8000)
    refused("damaged", "damaged|malformed")
    shutil.copy(store.path, tmp_path / "older")
    foreign(tmp_path / "older", 'ALTER TABLE assets DROP COLUMN "capacity_unit"')
    refused("older", "assets lacks the columns capacity_unit")
    foreign(store.path, "UPDATE strikeatlas SET schema_version = 'x'")
    refused("atlas.gpkg", "says no version")


# --- round trips --------------------------------------------------------------------------------


def test_every_noun_comes_back_full_and_bare(store: Store) -> None:
    report = store.load(ALL, author="Ann")
    assert counts(report) == (2 * len(RECORD_TYPES), 0, 0, 0)
    assert dict(report.added) == dict.fromkeys(RECORD_TYPES, 2)
    assert report.seq == store.seq() == 2 * len(RECORD_TYPES)
    assert store.records() == ALL
    assert again(store).version() == (2 * len(RECORD_TYPES), ALL)
    for name in RECORD_TYPES:
        assert {type(record) for record in store.records().table(name).values()} == {RECORD_TYPES[name]}


def test_a_text_may_hold_any_character_but_one_that_postgresql_cannot(store: Store) -> None:
    source = Source(id="s", publisher="a\x00b")
    if is_file(store):
        store.load(of(source), author="Ann")
        assert store.records() == of(source)
        return
    with pytest.raises(StoreError, match=r"U\+0000"):
        store.load(of(source), author="Ann")
    assert store.seq() == 0


def test_every_column_of_every_noun_is_in_the_full_records() -> None:
    for name, record in FULL.items():
        empty = [key for key, value in record if value in (None, (), {})]
        assert empty == (["undoes"] if name == "decisions" else []), name


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=lambda geometry: geometry.geom_type)
def test_assets_take_every_kind_of_geometry(store: Store, geometry: BaseGeometry) -> None:
    store.load(of(changed(ASSET, geometry=geometry)), author="Ann")
    read = store.records().assets["a"].geometry
    assert read is not None
    assert read.wkb == geometry.wkb
    (revision,) = store.revisions()
    assert revision.after is not None
    assert Asset.model_validate(revision.after).geometry.wkb == geometry.wkb


def test_a_strike_is_a_point_of_two_dimensions(store: Store) -> None:
    for geometry, match in ((box(1, 2, 3, 4), "strikes k: a point"), (Point(1, 2, 3), "strikes k: a two-dimensional")):
        with raises(StoreError, match=match):
            store.load(of(SOURCE, STRIKE.model_copy(update={"geometry": geometry})), author="Ann")
    assert store.seq() == 0
    assert store.records() == Records.of({})


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(str.strip)
made_strikes = st.builds(
    Strike,
    id=st.from_regex(r"[a-z0-9][a-z0-9._/>@-]{0,20}", fullmatch=True),
    title=texts,
    when=st.sampled_from(["2025-08-08", "2025-06", "2024-02/..", "2022?", "2025-08-05T10:00:00Z"]),
    place=texts,
    note=st.none() | texts,
    geometry=st.none() | st.builds(Point, st.floats(-180, 180), st.floats(-90, 90)),
    uncertainty_m=st.floats(1e-3, 5e6),
    basis=st.just("site"),
    place_source=st.just("s"),
    killed_max=st.none() | st.integers(0, 1_000_000),
    weapons=st.lists(st.builds(Weapon, kind=texts, count_max=st.none() | st.integers(0, 9)), max_size=3),
    targets=st.lists(texts, max_size=3),
    status=st.just("reported"),
    sources=st.just(("s",)),
    checked=st.just("read"),
)


@given(made_strikes)
def test_rows_and_history_hold_the_same_as_the_record(strike: Strike) -> None:
    table = TABLES["strikes"]
    plain = table.to_dict(strike)
    row = table.row(strike, plain)
    assert list(table.records([row])) == [strike]
    assert table.plain_row(row) == plain
    assert Strike.model_validate(plain) == strike


@given(st.lists(made_strikes, max_size=8, unique_by=lambda strike: strike.id))
def test_any_load_is_what_is_read_and_a_second_one_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, made: list[Strike]
) -> None:
    store = new_geopackages(tmp_path_factory.mktemp("made"))()
    assert counts(store.load(of(*made), author="Ann")) == (len(made), 0, 0, 0)
    assert store.records() == of(*made)
    assert counts(store.load(of(*made), author="Bob")) == (0, 0, 0, len(made))
    assert store.seq() == len(made)


# --- history, and what a load removes -----------------------------------------------------------


def test_history_says_why_where_a_reason_was_stated(store: Store) -> None:
    store.load(of(SOURCE, STRIKE), author="Ann", why=" first load ")
    store.load(of(changed(STRIKE, title="New")), author="Ann", why="  ")
    store.write(Edit("strikes", "k", changed(STRIKE, title="Newer"), ANY), author="Ann", why="a typo")
    store.append("decisions", DECISION, author="Ann", why=NASTY)
    with raw(store) as connection:
        connection.execute("UPDATE sources SET title = 'by another program'")
    store.record_external_edits()
    assert [(row.table, row.why) for row in store.revisions()] == [
        ("sources", "first load"),
        ("strikes", "first load"),
        ("strikes", None),
        ("strikes", "a typo"),
        ("decisions", NASTY),
        ("sources", None),
    ]


def test_each_change_is_one_row_of_history(store: Store) -> None:
    at = datetime(2025, 8, 9, 12, 0, 0, 5000, tzinfo=timezone(timedelta(hours=3)))
    store.load(of(SOURCE, STRIKE), author=" Ann ", at=at)
    moved = changed(STRIKE, geometry=Point(1, 2), title="New", when="2025-08")
    report = store.load(of(moved), author="Bob")
    assert counts(report) == (0, 1, 0, 0)
    assert report.seq == 3
    assert counts(store.load(of(changed(SOURCE, dataset="d")), author="Cem")) == (0, 1, 1, 0)

    first, second, third, gone, source = store.revisions()
    assert {gone.seq, source.seq} == {4, 5}
    assert (first.seq, second.seq, third.seq) == (1, 2, 3)
    assert (first.at, first.author, first.table, first.record) == ("2025-08-09T09:00:00.005Z", "Ann", "sources", "s")
    assert first.before is None
    assert first.after is not None
    assert Source.model_validate(first.after) == SOURCE
    assert second.before is None
    assert third.before == second.after
    assert Strike.model_validate(third.after) == moved
    assert third.before is not None
    assert {key for key, value in third.before.items() if third.after[key] != value} == {"geometry", "title", "when"}
    assert {gone.table: (gone.before, gone.after), source.table: (source.before, source.after)} == {
        "strikes": (third.after, None),
        "sources": (first.after, {**first.after, "dataset": "d"}),
    }
    assert [revision.seq for revision in store.revisions(3)] == [4, 5]
    assert list(store.revisions(5)) == []


def test_long_histories_are_read_in_pages(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.load(strikes(10, "t"), author="Ann")
    monkeypatch.setattr("layers.store.store._PAGE", 3)
    assert [revision.seq for revision in store.revisions()] == list(range(1, 12))
    assert store.records() == strikes(10, "t")
    assert next(store.revisions(10)).seq == 11


def test_a_load_removes_from_its_own_datasets_only(store: Store) -> None:
    mine = [changed(BARE["assets"], id=f"m{i}", dataset="mine") for i in range(3)]
    theirs = [changed(BARE["assets"], id=f"t{i}", dataset="theirs") for i in range(2)]
    entity = changed(BARE["entities"], dataset="mine")
    store.load(of(*mine, *theirs, entity), author="Ann")
    report = store.load(of(mine[0], changed(theirs[0], dataset="mine")), author="Ann")
    assert (dict(report.removed)["assets"], dict(report.removed)["entities"]) == (2, 1)
    assert store.records() == of(mine[0], changed(theirs[0], dataset="mine"), theirs[1])
    assert counts(store.load(Records.of({}), author="Ann")) == (0, 0, 0, 0)


def test_decisions_are_only_ever_added(store: Store) -> None:
    other = changed(DECISION, id="d2", dataset="load")
    store.load(of(DECISION, other), author="Ann")
    assert counts(store.load(of(DECISION), author="Ann")) == (0, 0, 0, 1)
    with pytest.raises(StoreError, match="d1 differs"):
        store.load(of(SOURCE, changed(DECISION, why="changed my mind")), author="Ann")
    with pytest.raises(StoreError, match="d2 is missing"):
        store.load(of(changed(SOURCE, dataset="load")), author="Ann")
    with pytest.raises(StoreError, match="already holds d1"):
        store.append("decisions", DECISION, author="Ann")
    assert store.records() == of(DECISION, other)
    assert store.seq() == 2


def test_append_adds_one_record_with_history(store: Store) -> None:
    assert store.append("decisions", DECISION, author="Ann", at=datetime(2025, 1, 1, tzinfo=UTC)) == 1
    assert store.append("strikes", STRIKE, author="Ann") == 2
    assert store.append("assets", changed(ASSET, geometry=box(1, 2, 3, 4)), author="Ann") == 3
    first = next(store.revisions())
    assert (first.at, first.before) == ("2025-01-01T00:00:00.000Z", None)
    assert store.records().decisions == {"d1": DECISION}


@geopackage_only
def test_the_extent_of_a_layer_follows_single_records(store: Store) -> None:
    store.append("assets", changed(ASSET, geometry=box(1, 2, 3, 4)), author="Ann")
    assert pyogrio.read_info(store.path, layer="assets")["total_bounds"] == (1, 2, 3, 4)
    store.write(Edit("strikes", "k", STRIKE, None), author="Ann")
    store.write(Edit("strikes", "k", changed(STRIKE, geometry=Point(40, 50)), ANY), author="Bob")
    assert tuple(pyogrio.read_info(store.path, layer="strikes")["total_bounds"]) == (28.44, 45.317, 40, 50)


def seen(store: Store, record: Strike) -> str:
    return TABLES["strikes"].version(record, store.version_key())


def test_single_records_are_added_replaced_and_removed_with_history(store: Store) -> None:
    later = changed(STRIKE, title="New", geometry=Point(40, 50), note=None)
    at = datetime(2025, 1, 1, tzinfo=UTC)
    assert store.write(Edit("strikes", "k", STRIKE, None), author="Ann", at=at) == 1
    assert store.write(Edit("strikes", "k", later, seen(store, STRIKE)), author="Bob") == 2
    assert store.records() == of(later)
    assert store.write(Edit("strikes", "k", None, seen(store, later)), author="Cem") == 3
    assert store.records() == Records.of({})
    added, replaced, removed = store.revisions()
    assert (added.author, added.at, added.before) == ("Ann", "2025-01-01T00:00:00.000Z", None)
    assert replaced.before == added.after == TABLES["strikes"].to_dict(STRIKE)
    assert (removed.before, removed.after) == (replaced.after, None)


def test_what_is_equal_or_of_any_version_is_written_without_a_look_at_it(store: Store) -> None:
    store.load(of(STRIKE), author="Ann")
    assert store.write(Edit("strikes", "k", STRIKE, seen(store, STRIKE)), author="Bob") == 1
    assert store.write(Edit("strikes", "k", changed(STRIKE, title="New"), ANY), author="Bob") == 2


@pytest.mark.parametrize(
    ("edit", "error", "match"),
    [
        (Edit("strikes", "k", STRIKE, None), EditConflict, "already holds k"),
        (Edit("strikes", "k", changed(STRIKE, title="New"), "0" * 18), EditConflict, "was changed"),
        (Edit("strikes", "k", None, "0" * 18), EditConflict, "was changed"),
        (Edit("strikes", "other", None, ANY), EditConflict, "no strikes other"),
        (Edit("strikes", "other", changed(STRIKE, id="other"), "0" * 18), EditConflict, "no strikes other"),
        (Edit("strikes", "k", None, ANY), StillReferenced, "claims c speaks of k"),
        (Edit("sources", "s", None, ANY), StillReferenced, "speaks of s"),
        (Edit("decisions", "d1", None, ANY), StoreError, "only ever added"),
        (Edit("decisions", "d1", changed(DECISION, why="no"), ANY), StoreError, "only ever added"),
        (Edit("strikes", "k", DECISION, ANY), ValueError, "does not belong"),
        (Edit("strikes", "other", STRIKE, None), ValueError, "k is not other"),
        (Edit("nothing", "k", None, ANY), ValueError, "does not belong"),
    ],
)  # fmt: skip
def test_an_edit_that_cannot_stand_writes_nothing_with_it(
    store: Store, edit: Edit, error: type[Exception], match: str
) -> None:
    store.load(ALL, author="Ann")
    seq = store.seq()
    good = Edit("strikes", "good", changed(STRIKE, id="good"), None)
    with pytest.raises(error, match=match):
        store.write(good, edit, author="Ann")
    assert (store.seq(), store.records()) == (seq, ALL)


def test_of_many_who_saw_the_same_version_one_writes(store: Store) -> None:
    store.load(of(STRIKE), author="Ann")
    together = threading.Barrier(6)
    outcomes: list[str] = []

    def write(number: int) -> None:
        together.wait()
        try:
            store.write(
                Edit("strikes", "k", changed(STRIKE, title=f"by {number}"), seen(store, STRIKE)), author=f"{number}"
            )
            outcomes.append(f"by {number}")
        except EditConflict:
            outcomes.append("")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [won] = [outcome for outcome in outcomes if outcome]
    assert len(outcomes) == 6
    assert store.records().strikes["k"].title == won


def test_the_wrong_noun_author_or_time_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="does not belong"):
        store.append("assets", DECISION, author="Ann")
    with pytest.raises(ValueError, match="does not belong"):
        store.append("history", DECISION, author="Ann")
    with pytest.raises(ValueError, match="named"):
        store.append("decisions", DECISION, author=" ")
    with pytest.raises(ValueError, match="zone"):
        store.load(ALL, author="Ann", at=datetime(2025, 1, 1))
    assert store.seq() == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE history SET who = 'x'",
        "DELETE FROM history",
        "UPDATE decisions SET why = 'x'",
        "DELETE FROM decisions",
        "INSERT INTO decisions SELECT * FROM decisions WHERE fid = 1 ON CONFLICT (id) DO UPDATE SET why = 'x'",
    ],
)
def test_no_program_can_rewrite_history_or_a_decision(store: Store, statement: str) -> None:
    store.load(of(DECISION), author="Ann")
    with raw(store) as connection, pytest.raises(REFUSED, match="only ever added to"):
        connection.execute(statement)
    assert len(list(store.revisions())) == 1


@geopackage_only
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR REPLACE INTO history VALUES (1, '', '', '', '', '', '', '', '', '', '')",
        "INSERT OR REPLACE INTO decisions SELECT * FROM decisions",
    ],
)
def test_no_program_can_put_others_in_their_place(store: Store, statement: str) -> None:
    test_no_program_can_rewrite_history_or_a_decision(store, statement)


def test_progress_counts_up_and_an_error_in_it_undoes_everything(store: Store) -> None:
    seen: list[tuple[int, int]] = []
    store.load(strikes(2500, "a"), author="Ann", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2501), (1001, 2501), (2001, 2501), (2501, 2501)]
    seen.clear()
    store.load(strikes(2500, "a"), author="Ann", progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (2501, 2501)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.load(strikes(2500, "b"), author="Ann", progress=stop)
    assert store.version() == (2501, strikes(2500, "a"))


# --- other programs -----------------------------------------------------------------------------


@geopackage_only
def test_gdal_reads_every_layer(store: Store) -> None:
    store.load(of(*ALL.strikes.values(), *ALL.assets.values(), SOURCE), author="Ann")
    store.append("strikes", changed(STRIKE, id="k2", geometry=Point(-1.5, 60.1)), author="Ann")
    layers = dict(pyogrio.list_layers(store.path))
    assert layers == {
        **dict.fromkeys((*RECORD_TYPES, "history", "strikeatlas", "heat_observations")),
        "strikes": "Point",
        "assets": "Unknown",
    }
    info = pyogrio.read_info(store.path, layer="strikes")
    assert info["crs"] == "EPSG:4326"
    assert info["total_bounds"] == (-1.5, 45.317, 28.44, 60.1)
    frame = geopandas.read_file(store.path, layer="strikes").set_index("id")
    assert frame.crs == "EPSG:4326"
    assert frame.geometry["k"].equals(Point(28.44, 45.317))
    assert frame.geometry["bare"] is None
    assert frame.title["k"].startswith("Орлівка")
    assert (str(frame.day_first["k"])[:10], str(frame.day_last["k"])[:10]) == ("2025-05-01", "2025-07-31")
    info = pyogrio.read_info(store.path, layer="entities")
    assert dict(zip(info["fields"], info["dtypes"], strict=True))["joint"] == "bool"
    found = pyogrio.read_dataframe(store.path, layer="strikes", bbox=(28, 45, 29, 46))
    assert list(found.id) == ["k"]


@geopackage_only
def test_what_gdal_wrote_is_read_and_its_bytes_are_no_change(store: Store) -> None:
    store.load(of(STRIKE, BARE["strikes"]), author="Ann")
    with raw(store) as connection:
        geopackage.register_functions(connection)
        blob = b"GP\x00\x00" + (4326).to_bytes(4, "big") + shapely.to_wkb(STRIKE.geometry, byte_order=0)
        connection.execute("UPDATE strikes SET geometry = ? WHERE id = 'k'", (blob,))
        connection.execute("UPDATE strikes SET targets = '[ ]' WHERE id = 'bare'")
    assert store.records() == of(STRIKE, BARE["strikes"])
    assert counts(store.load(of(STRIKE, BARE["strikes"]), author="Ann")) == (0, 0, 0, 2)


def test_a_row_that_another_program_spoilt_is_named_and_can_be_loaded_over(store: Store) -> None:
    store.load(of(STRIKE, ENTITY), author="Ann")
    with raw(store) as connection:
        connection.execute("UPDATE entities SET registered_in = 'Azerbaijan', names = '{'")
        with pytest.raises(StoreError, match="entities"):
            store.records()
        connection.execute("UPDATE entities SET names = '{}'")
        with pytest.raises(StoreError, match=r"entities e: [\s\S]*registered_in"):
            store.records()
        connection.execute("UPDATE entities SET names = '{'")
    assert counts(store.load(of(STRIKE, ENTITY), author="Ann")) == (0, 1, 0, 1)
    assert store.records() == of(STRIKE, ENTITY)
    last = list(store.revisions())[-1]
    assert last.before is not None
    assert (last.before["registered_in"], last.before["names"]) == ("Azerbaijan", "{")


@geopackage_only
def test_derived_layers_are_replaced_as_a_whole(store: Store) -> None:
    columns = {"strike": "TEXT", "probability": "REAL"}
    write_layer(store, "matches", columns, [("k", 0.5, Point(1, 2)), ("k", 0.25, None)], geometry=True)
    frame = geopandas.read_file(store.path, layer="matches")
    assert (list(frame.strike), list(frame.probability)) == (["k", "k"], [0.5, 0.25])
    assert frame.crs == "EPSG:4326"
    assert tuple(pyogrio.read_info(store.path, layer="matches")["total_bounds"]) == (1, 2, 1, 2)

    rows = [("k", "a", 0.5, None, "[]")]
    write_layer(store, "matches", sql_types(Match), rows, geometry=False)
    plain = pyogrio.read_dataframe(store.path, layer="matches")
    assert (list(plain.columns), list(plain.asset)) == (list(Match.model_fields), ["a"])
    with raw(store) as connection:
        assert connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'rtree_matches%'").fetchall() == []
    write_layer(store, "matches", columns, [], geometry=True)
    assert len(geopandas.read_file(store.path, layer="matches")) == 0
    assert store.seq() == 0
    assert again(store).records() == Records.of({})


@pytest.mark.parametrize(
    ("name", "columns", "rows"),
    [
        ("strikes", {"a": "TEXT"}, []),
        ("history", {"a": "TEXT"}, []),
        ("gpkg_contents", {"a": "TEXT"}, []),
        ("x;y", {"a": "TEXT"}, []),
        ("matches", {}, []),
        ("matches", {"a b": "TEXT"}, []),
        ("matches", {"fid": "INTEGER"}, []),
        ("matches", {"geometry": "TEXT"}, []),
        ("matches", {"a": "TEXT); DROP TABLE strikes; --"}, []),
        ("matches", {"a": "TEXT"}, [("x",)]),
        ("matches", {"a": "TEXT"}, [("x", Point(1, 2, 3))]),
    ],
)
def test_a_layer_that_cannot_be_leaves_the_earlier_one(
    store: Store, name: str, columns: dict[str, str], rows: list[tuple[object, ...]]
) -> None:
    write_layer(store, "matches", {"a": "TEXT"}, [("kept", Point(1, 2))], geometry=True)
    with pytest.raises(ValueError, match=r"\w"):
        write_layer(store, name, columns, rows, geometry=True)
    with raw(store) as connection:
        assert connection.execute("SELECT a FROM matches").fetchall() == [("kept",)]
    assert again(store).seq() == 0


# --- readers, writers, death --------------------------------------------------------------------


def test_readers_see_the_old_version_at_once_while_a_write_is_open(store: Store) -> None:
    before = strikes(1500, "before")
    store.load(before, author="Ann")
    looks: list[int] = []

    def others_count(title: str) -> int:
        if is_file(store):
            return gdal_count(store.path, "strikes", f"title LIKE '{title}'")
        with raw(store) as connection:
            return int(connection.execute("SELECT count(*) FROM strikes WHERE title LIKE ?", (title,)).fetchone()[0])

    def look(done: int, total: int) -> None:
        """In the thread that writes: who waited for the write would wait in vain, and be told that it is busy."""
        if looks:
            return
        looks.append(done)
        assert store.seq() == again(store).seq() == 1501
        assert store.records() == before
        assert others_count("before%") == 1500

    store.load(strikes(1500, "after"), author="Ann", progress=look)
    assert others_count("after%") == 1500
    assert looks
    assert store.records() == strikes(1500, "after")


def test_a_second_writer_waits_for_the_first(store: Store) -> None:
    entered, seqs = threading.Event(), []
    thread = threading.Thread(
        target=lambda: (entered.wait(), seqs.append(store.append("sources", SOURCE, author="Bob")))
    )
    thread.start()

    def hold(done: int, total: int) -> None:
        if not entered.is_set():
            entered.set()
            time.sleep(0.3)
            assert seqs == []

    store.load(of(STRIKE, ENTITY), author="Ann", progress=hold)
    thread.join(10)
    assert seqs == [3]
    assert [revision.author for revision in store.revisions()] == ["Ann", "Ann", "Bob"]


@geopackage_only
def test_a_writer_that_waits_too_long_is_told_and_the_store_goes_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_S", 0.1)
    other = again(store)
    with raw(store) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for write in (
            lambda: other.append("sources", SOURCE, author="Ann"),
            lambda: other.load(of(SOURCE), author="Ann"),
            lambda: write_layer(other, "matches", {"a": "TEXT"}, [], geometry=False),
        ):
            with pytest.raises(StoreBusy, match="nothing was written"):
                write()
        assert other.seq() == 0
        connection.execute("ROLLBACK")
    assert other.append("sources", SOURCE, author="Ann") == 1


def test_many_threads_append_and_none_is_lost(store: Store) -> None:
    def work(number: int) -> None:
        for i in range(20):
            store.append("sources", Source(id=f"s{number}-{i}", publisher="P"), author=str(number))
            store.seq()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [revision.seq for revision in store.revisions()] == list(range(1, 121))
    assert len(store.records().sources) == 120


@geopackage_only
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has locks of the open file")
def test_nothing_that_closes_the_file_takes_the_log_from_under_the_store(store: Store) -> None:
    store.append("sources", SOURCE, author="Ann")
    log = store.path.with_name("atlas.gpkg-wal")
    inode = log.stat().st_ino
    store.path.read_bytes()
    pyogrio.read_info(store.path, layer="sources")
    assert gdal_count(store.path, "sources", "id = 's'") == 1
    assert log.stat().st_ino == inode
    store.append("entities", ENTITY, author="Ann")
    assert gdal_count(store.path, "entities", "id = 'e'") == 1
    store.close()
    assert not log.exists()
    assert store.seq() == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_uses_connections_of_its_own(store: Store) -> None:
    store.append("sources", SOURCE, author="parent")
    inherited = list(store._database._idle)
    child = os.fork()
    if not child:
        try:
            is_second = store.append("strikes", STRIKE, author="child") == 2
            os._exit(0 if is_second and not any(one in inherited for one in store._database._idle) else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert store.append("entities", ENTITY, author="parent") == 3
    assert [revision.author for revision in store.revisions()] == ["parent", "child", "parent"]


@geopackage_only
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_killed_at_any_moment_of_a_bulk_load_the_store_is_as_before_or_after(store: Store) -> None:
    count, before = 8_000, strikes(300, "before")
    store.load(before, author="parent")
    store.close()
    template = store.path.with_suffix(".template")
    shutil.copy(store.path, template)
    command = [sys.executable, "-m", "tests.layers.store.store_killed", str(store.path), str(count)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"

        def attempt(kill_at: int, wait_s: float = 0) -> str:
            """Load; kill the process ``wait_s`` after it has told of ``kill_at`` records."""
            for file in store.path.parent.glob("atlas.gpkg*"):
                file.unlink()
            shutil.copy(template, store.path)
            print(file=parent.stdin, flush=True)
            child = 0
            for line in parent.stdout:
                word, _, value = line.partition(" ")
                if word == "child":
                    child = int(value)
                elif word == "status":
                    assert int(value) in (0, signal.SIGKILL)
                    return check_survivor(store.path, before, count)
                if child and word.strip().isdigit() and int(word) >= kill_at:
                    time.sleep(wait_s)
                    with suppress(ProcessLookupError):
                        os.kill(child, signal.SIGKILL)
            raise AssertionError("the child told nothing")

        chance = random.Random(os.getpid())
        # It is told of every thousandth record: when it has told of the last, it may be done at once.
        moments = [chance.randrange(1, count - 1000) for _ in range(2)]
        assert [attempt(moment, chance.uniform(0, 0.02)) for moment in moments] == ["before"] * 2
        # Around the commit either will do, and each is whole.
        assert attempt(count + 1, chance.uniform(0, 0.2)) in ("before", "after")
        assert attempt(count + 2) == "after"
        parent.stdin.close()


def check_survivor(path: Path, before: Records, count: int) -> str:
    """Open what a killed process left: whole, and one of the two versions."""
    survivor = Store.open(path)
    with raw(survivor) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        titles = dict(connection.execute("SELECT substr(title, 1, 6), count(*) FROM strikes GROUP BY 1"))
        indexed = connection.execute("SELECT count(*) FROM rtree_strikes_geometry").fetchone()[0]
    if survivor.seq() == 301:
        assert survivor.records() == before
        assert (titles, indexed) == ({"before": 300}, 300)
        state = "before"
    else:
        # 300 strikes changed, the rest added, one history row each; the source is the same.
        assert survivor.seq() == 301 + count
        assert (titles, indexed) == ({"after ": count}, count)
        state = "after"
    survivor.append("sources", Source(id="later", publisher="P"), author="parent")
    survivor.close()
    return state
