"""Values of changes are read alike with and without all else that a change is."""

from __future__ import annotations

from layers.store import history_pages
from layers.store.store import ANY, Edit, Store
from tests.layers.store.test_store import FULL, changed, of


def test_values_are_those_of_whole_rows(store: Store) -> None:
    store.load(of(*FULL.values()), author="tests")
    stake, claim = FULL["stakes"], FULL["claims"]
    store.write(Edit("stakes", stake.id, changed(stake, note="another"), ANY), author="tests")
    store.write(Edit("claims", claim.id, None, ANY), author="tests")
    last = store.seq()
    with store.reading() as connection:
        for up_to in (last, last - 1):
            rows = history_pages.rows_but_of(connection, ("strikes", "sources"), up_to)
            whole = [(row.key, one, row.at) for row in rows for one in (row.before, row.after) if one is not None]
            assert [*history_pages.values_but_of(connection, ("strikes", "sources"), up_to)] == whole
        keys = [key for key, _, _ in history_pages.values_but_of(connection, ("strikes",), last)]
        assert keys.count(("stakes", stake.id)) == 3, "before and after the edit, and as it was added"
        assert keys.count(("claims", claim.id)) == 2
        assert ("sources", FULL["sources"].id) in keys
