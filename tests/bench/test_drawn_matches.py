"""The matches that are drawn to be read are those that are published, and that nobody has judged or learnt from."""

from __future__ import annotations

from bench.drawn_matches import drawn, labelled_strikes, lines, published
from bench.evaluation_store import labelled_rows
from layers.model.records import Claim, Decision, Records, Source, Strike
from tests.layers.matching.test_match import asset, strike

LABELLED = f"viina/{next(row['event'] for row in labelled_rows('events.csv') if row['set'] == 'viina')}"


def store(*strikes: Strike, private_asset: bool = False) -> Records:
    """A refinery, strikes on it, and a decision on that called "decided"."""
    decided = Decision(
        id="d", strike="decided", asset="alpha", verdict="confirmed", who="A", when="2025-01-02", why="w"
    )
    quoted = Claim(
        id="c", record="a", field="description", value="Alpha burns", source="x", checked="unverified", private=True
    )
    refinery = asset("Alpha", private=private_asset)
    return Records.of(
        {
            "sources": {"x": Source(id="x", publisher="P", title="Headline")},
            "strikes": {one.id: one for one in strikes},
            "assets": {refinery.id: refinery},
            "decisions": {decided.id: decided},
            "claims": {quoted.id: quoted},
        }
    )


def named(name: str, **values: object) -> Strike:
    return strike(id=name, targets=("Alpha refinery",), target_kinds=("refinery",), **values)


def test_only_what_is_published_and_was_not_seen_is_drawn() -> None:
    bundled = named("ua-kremenchuk-refinery-2022-04-02")
    unseen = [named("a"), named("b"), named("decided"), named(LABELLED), named("private", private=True), bundled]
    records = store(*unseen, strike(id="elsewhere", title="Strike on a bridge"))
    assert LABELLED in labelled_strikes()
    assert [item.strike.id for item in published(records)] == ["a", "b"]
    assert published(records, publish_from=1.0) == []
    assert published(store(named("a"), named("decided"), private_asset=True)) == []


def test_a_draw_follows_from_its_seed_and_has_nothing_twice() -> None:
    pool = published(store(*[named(f"s{number}") for number in range(30)], named("decided")))
    ids = [item.strike.id for item in drawn(pool, 20, seed=7)]
    assert len(set(ids)) == 20
    assert ids == [item.strike.id for item in drawn(pool, 20, seed=7)]
    assert ids != [item.strike.id for item in drawn(pool, 20, seed=8)]
    assert ids == [item.strike.id for item in drawn(pool, 99, seed=7)][:20]


def test_lines_have_text_candidates_and_reasons() -> None:
    records = store(named("a"), named("decided"))
    told = "\n".join(lines(published(records)[0], records))
    for part in ("Alpha refinery", "Headline", "Alpha burns", "alpha: refinery", "none of these", "whole-name"):
        assert part in told
