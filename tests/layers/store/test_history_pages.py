"""History is read by tables, up to a change."""

from __future__ import annotations

from layers.store import history_pages
from layers.store.store import ANY, Edit, Store
from tests.layers.store.test_store import FULL, changed, of


def test_rows_of_all_tables_but_some_are_read_up_to_a_change(store: Store) -> None:
    store.load(of(*FULL.values()), author="tests")
    stake, claim = FULL["stakes"], FULL["claims"]
    store.write(Edit("stakes", stake.id, changed(stake, note="another"), ANY), author="tests")
    store.write(Edit("claims", claim.id, None, ANY), author="tests")
    last = store.seq()
    with store.reading() as connection:
        rows = [*history_pages.rows_but_of(connection, ("strikes",), last)]
        keys = [row.key for row in rows for one in (row.before, row.after) if one is not None]
        assert keys.count(("stakes", stake.id)) == 3, "before and after the edit, and as it was added"
        assert keys.count(("claims", claim.id)) == 2
        assert ("sources", FULL["sources"].id) in keys
        others = [*history_pages.rows_but_of(connection, ("strikes", "sources"), last - 1)]
        assert others == [row for row in rows if row.table != "sources" and row.seq < last]
