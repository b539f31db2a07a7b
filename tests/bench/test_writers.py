"""Writers that are killed lose nothing that was acknowledged, on each kind of store."""

from bench.writers import run
from tests.store_kinds import NewStore


def test_killed_writers_lose_nothing_that_was_acknowledged(new_store: NewStore) -> None:
    store = new_store()
    store.close()
    outcome = run(store.name, writers=2, edits=20, every_s=1, pause_s=0.1, most=2)
    assert outcome.kills == 2
    assert outcome.acknowledged == 40
    assert outcome.lost == 0
    assert outcome.findings == ()
