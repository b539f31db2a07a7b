"""The snapshot answers a question once, and is gone when nobody serves it any more."""

import gc
import weakref
from datetime import date

import pytest

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


def test_strikes_that_are_matched_and_laid_out_in_one_pass_have_the_same_rows(
    records: Records, base: Basemap, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("layers.snapshot.snapshot._PAGE", 100)
    monkeypatch.setattr("layers.matching.match.CHUNK", 64)
    in_one_pass = Snapshot(records, base, 1, snapshot.data_date, wording=snapshot.wording)
    for name, layer in snapshot.layers.items():
        assert in_one_pass.layers[name].features == layer.features, name
        assert [*in_one_pass.layers[name].fragments] == [*layer.fragments], name
    assert in_one_pass.counts() == snapshot.counts()
    assert dict(in_one_pass.findings) == dict(snapshot.findings)
    assert in_one_pass.tallies("headquarters") == snapshot.tallies("headquarters")


def test_layers_that_are_given_one_by_one_are_not_held(few_records: Records, base: Basemap) -> None:
    passing = Snapshot(few_records, base, 1, date(2026, 11, 25), wording=str)
    anew = Snapshot(few_records, base, 1, date(2026, 11, 25), wording=str)
    given = passing.each_layer()
    strikes = next(given)
    assert not passing.stages.asset_index.is_computed, "what strikes were matched with is not held"
    gone = weakref.ref(strikes)
    assert (strikes.name, strikes.features) == ("strikes", anew.layers["strikes"].features)
    del strikes
    gc.collect()
    assert gone() is None
    assert [layer.name for layer in given] == [*anew.layers][1:]
    assert passing.layers["hits"].features == anew.layers["hits"].features, "what is read later is computed again"
    assert [*map(id, passing.each_layer())] == [*map(id, passing.layers.values())], "what was read is held"
