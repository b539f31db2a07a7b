"""The snapshot answers a question once, and is gone when nobody serves it any more."""

import gc
import weakref
from datetime import date

from layers.model.records import Records
from layers.reference.basemap import Basemap
from layers.snapshot.snapshot import Snapshot


def test_a_default_that_is_left_out_is_the_same_question(snapshot: Snapshot) -> None:
    assert snapshot.answers() is snapshot.answers("registration", minority="stay")
    assert snapshot.tallies() is snapshot.tallies("registration", minority="stay")
    assert snapshot.answers("headquarters") is not snapshot.answers()
    assert snapshot.answers("headquarters", "follow") is not snapshot.answers("headquarters")


def test_answers_of_some_strikes_are_those_of_each(snapshot: Snapshot) -> None:
    some = list(snapshot.order)[::7]
    assert list(snapshot.answers_of(iter(some))) == [snapshot.answer(key) for key in some]


def test_a_snapshot_that_is_no_longer_served_is_not_kept(records: Records, base: Basemap) -> None:
    passing = Snapshot(records, base, 1, date(2026, 11, 25), wording=str)
    assert passing.tallies()
    gone = weakref.ref(passing)
    del passing
    gc.collect()
    assert gone() is None
