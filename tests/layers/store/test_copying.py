"""A copy of a store has the same history, records, order and secrets, from each kind of store to each."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path

import pytest

from layers.model.records import Records
from layers.reference.basemap import Basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.store import history_chain
from layers.store.backends import create_new
from layers.store.idempotency import KeyedRequest, StoredResponse
from layers.store.store import ANY, Edit, Store, StoreError
from tests.layers.load_builders import of, source, strike
from tests.layers.store.test_heat_table import MANY, source_of
from tests.layers.store.test_store import ALL, BARE, changed
from tests.postgres_cluster import Cluster
from tests.store_kinds import NewStore, by_another

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEYED = KeyedRequest("ann", "k", "r", lambda seq: StoredResponse(201, {"ETag": f'"{seq}"'}, b"\x00%d" % seq))


def fill(store: Store) -> None:
    """Fill a store with all that one can hold, and with numbers that are no longer in use."""
    store.load(ALL, author="Ann", at=AT, why="first")
    store.load(of(source("d/s", "d"), strike("d/1", "d"), strike("d/2", "d")), author="Ann", at=AT, private={"d": "no"})
    store.write(Edit("strikes", "d/1", None, ANY), author="Ann", at=AT)
    record = source_of(MANY)
    store.load(of(record), author="Ann", at=AT, heat=(record, MANY))
    store.write(Edit("sources", "n", source("n", "d"), None), author="Ann", at=AT, keyed=KEYED)
    again = changed(BARE["claims"], id="again")
    store.write(Edit("claims", "bare", None, ANY), Edit("claims", "again", again, None), author="Ann", at=AT)


@pytest.fixture(params=["geopackage", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "geopackage":
        return create_new(tmp_path / "copy.gpkg")
    cluster: Cluster = request.getfixturevalue("cluster")
    return create_new(cluster.new_database())


def test_a_copy_is_the_same_to_the_last_hash(
    store: Store, target: Store, base: Basemap, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    derive = full_rewrite(base, str)
    done: list[int] = []
    assert target.copy_from(store, derive, progress=done.append) == target.head() == store.head()
    assert list(target.revisions()) == list(store.revisions())
    assert target.version() == store.version()
    for name in ("claims", "strikes", "sources"):
        assert list(target.records().table(name)) == list(store.records().table(name))
    assert target.privacy() == store.privacy()
    assert target.answered("ann", "k", AT) == store.answered("ann", "k", AT)
    assert target.heat("firms/a").digest() == MANY.digest()
    assert target.heat_loads() == store.heat_loads()
    assert target.verify(derive) == ()
    assert sum(done) == store.seq() + sum(len(store.records().table(name)) for name in ("strikes", "sources")) + len(
        [record for name in _OTHERS for record in store.records().table(name)]
    )
    # Both go on alike: the next records come last, and history has the same hashes but for the salts.
    monkeypatch.setattr(history_chain, "salts", lambda: repeat("5a" * 32))
    for one in (store, target):
        one.append("sources", source("last", "o"), author="Ann", at=AT)
        one.make_private("o", author="Ann", why="no", at=AT)
    assert target.head() == store.head()
    assert list(target.records().sources)[-1] == "last"
    store.close()
    target.close()


_OTHERS = sorted({*Records.__dataclass_fields__} - {"strikes", "sources"})


def test_what_cannot_be_copied_whole_is_not_copied(store: Store, target: Store, base: Basemap) -> None:
    fill(store)
    derive = full_rewrite(base, str)
    by_another(store, "UPDATE assets SET name = 'Mended' WHERE id = 'a'")
    with pytest.raises(StoreError, match="history does not tell"):
        target.copy_from(store, derive)
    store.record_external_edits()

    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        target.copy_from(store, derive, progress=stop)
    assert target.version() == (0, Records.of({}))
    target.copy_from(store, derive)
    with pytest.raises(StoreError, match="not empty"):
        target.copy_from(store, derive)
    store.close()
    target.close()


def test_the_same_changes_have_other_hashes_in_each_store(store: Store, tmp_path: Path) -> None:
    """Or whoever knows the changes, all but one value, could find that one by trial."""
    fill(store)
    other = create_new(tmp_path / "other.gpkg")
    fill(other)
    one, two = ([replace(row, hash="") for row in each.revisions()] for each in (other, store))
    assert one == two
    hashes = [{one.head(seq).hash for seq in range(1, store.seq() + 1)} for one in (store, other)]
    assert not hashes[0] & hashes[1]


def test_new_stores_are_whole(new_store: NewStore) -> None:
    assert new_store().verify() == ()
