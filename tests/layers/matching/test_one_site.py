"""Candidates that may be one site lend each other their probability, by how probably they are."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers.matching.asset_index import AssetIndex, index_of
from layers.matching.asset_sites import Sites, sites_of
from layers.matching.match import match_all, with_twins
from layers.model.records import Entity, Records, Stake
from tests.layers.matching.test_match import asset, strike

SHARES = st.floats(0, 1)


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=6), SHARES, st.data())
def test_the_site_of_a_candidate_was_hit_if_it_was_or_another_that_is_the_same_site(
    odds: list[float], none_odds: float, data: st.DataObject
) -> None:
    total = sum(odds) + none_odds
    own, none = np.array(odds) / total, none_odds / total
    count = len(own)
    likely = np.array(data.draw(st.lists(SHARES, min_size=count**2, max_size=count**2))).reshape(count, count)
    likely = np.triu(likely, 1) + np.triu(likely, 1).T
    one, other = np.nonzero(likely)
    told = with_twins(own, np.full(count, none), one, other, likely[one, other])
    # Total probability over which candidate the report is of, each the site of a row with its own probability.
    expected = [sum((1.0 if i == j else likely[i, j]) * own[j] for j in range(count)) for i in range(count)]
    assert told == pytest.approx(expected)
    assert (told >= own).all()
    assert (told <= 1 - none + 1e-12).all()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), unique=True, max_size=12))
def test_alike_finds_the_pairs_of_one_strike_as_a_loop_does(pairs: list[tuple[int, int]]) -> None:
    ids = [f"a{row}" for row in range(6)]
    likely = {
        (one, other): 0.5 + int(one[1]) * int(other[1]) / 100 for one in ids[:3] for other in ids[:3] if one != other
    }
    index = AssetIndex.of({name: asset(name) for name in ids}, {}, Sites({}, likely))
    left, right = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2).T
    found = {(int(a), int(b)): share for a, b, share in zip(*index.alike(left, right), strict=True)}
    rows = range(len(left))
    assert found == {
        (a, b): likely[ids[right[a]], ids[right[b]]]
        for a in rows
        for b in rows
        if left[a] == left[b] and (ids[right[a]], ids[right[b]]) in likely
    }


def test_two_records_that_may_be_one_site_have_nearly_the_probability_of_one_and_say_why() -> None:
    one = asset("Khor Zoria", kind="gas-field", dataset="first", id="first/zoria", host_country="IQ")
    away = shapely.Point(30.25, 46)
    other = asset("Khor Zoria", kind="gas-field", dataset="second", id="second/zoria", geometry=away, host_country="IQ")
    report = strike(
        title="Rockets hit the Khor Zoria gas field", place="Zoria", host_country="IQ", uncertainty_m=20_000
    )
    records = Records.of({"strikes": {report.id: report}, "assets": {one.id: one, other.id: other}})
    represented_by, likely = sites_of(records)
    assert represented_by == {}
    assert 0.05 <= (share := likely[one.id, other.id]) == likely[other.id, one.id] < 1
    assert index_of(records).twins.values.tolist() == [1, 0]
    found = {match.asset: match for match in match_all(records)[report.id]}
    lent = {key: reason.value for key, match in found.items() for reason in match.reasons if reason.name == "one-site"}
    own = {key: found[key].probability - lent[key] for key in lent}
    assert lent == pytest.approx({one.id: share * own[other.id], other.id: share * own[one.id]})
    assert sum(own.values()) + found[None].probability == pytest.approx(1)
    assert found[one.id].probability > max(own.values())


def test_a_record_of_the_store_stands_for_one_of_an_open_layer_and_nothing_that_was_never_built_for_either() -> None:
    place = {"kind": "lng-plant", "host_country": "GE"}
    own = asset("Kulevi LNG Terminal", dataset="csv/s", id="own", **place)
    held = asset("Kulevi LNG Terminal", dataset="open/gem", id="gem/1", status="operating", **place)
    holder = Entity(id="socar", name="SOCAR", type="registeredEntity", registered_in="AZ", checked="unverified")
    stake = Stake(id="s", owned="gem/1", owner="socar", share_min=100, share_max=100, source="x", checked="unverified")
    tables = {"entities": {holder.id: holder}, "stakes": {stake.id: stake}}
    records = Records.of({"assets": {one.id: one for one in (held, own)}, **tables})
    assert sites_of(records).represented_by == {"gem/1": "own"}
    cancelled = held.model_copy(update={"status": "cancelled"})
    never = Records.of({"assets": {one.id: one for one in (cancelled, own)}, **tables})
    assert sites_of(never) == Sites({}, {})
