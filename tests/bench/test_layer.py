"""The bench of the layer compares what is proposed of plain strikes with what was decided."""

from __future__ import annotations

from dataclasses import replace

from bench.layer import Outcome, confirmed, measure, plain_strikes
from layers.model.records import Records, Source
from tests.layers.load_builders import decision, judged
from tests.layers.matching.test_match import asset, strike

RIGHT, OTHER = asset("Reed Bay refinery"), asset("Sedge works", 30.4, "factory")
KNOWN = Records.of(
    {
        "strikes": {"s": strike(title="Reed Bay refinery", place="Reed Bay", targets=("refinery",), basis="site")},
        "assets": {RIGHT.id: RIGHT, OTHER.id: OTHER},
        "sources": {"x": Source(id="x", publisher="A paper", language="en")},
        "decisions": {
            one.id: one
            for one in (
                decision("s", "curated", verdict="confirmed", asset=RIGHT.id),
                decision("s", "curated", id="s/2", verdict="confirmed", asset=OTHER.id),
                decision("s", "curated", id="s/3", verdict="undone", undoes="s/2"),
            )
        },
    }
)


def outcome(layer: Records) -> Outcome:
    (one,) = measure(KNOWN, layer, confirmed(KNOWN))
    return one


def test_a_decision_that_was_undone_confirms_nothing() -> None:
    assert confirmed(KNOWN) == {"s": frozenset({RIGHT.id})}


def test_a_plain_table_has_no_kind_no_source_and_no_id_of_a_site() -> None:
    (plain,) = plain_strikes(KNOWN, {"s": ()}).strikes.values()
    assert (plain.title, plain.place, plain.targets, plain.when) == (
        "Reed Bay refinery",
        "Reed Bay",
        ("refinery",),
        "2025-01-01",
    )
    assert (plain.geometry, plain.uncertainty_m, plain.basis) == (KNOWN.strikes["s"].geometry, 5000, "site")
    assert plain.target_kinds == ()
    assert plain.sources != KNOWN.strikes["s"].sources


def test_what_is_proposed_is_right_wrong_or_nothing() -> None:
    assert outcome(KNOWN).outcome == "right"
    only = replace(KNOWN, assets={OTHER.id: OTHER})
    # Of a site that is not there nothing is right, and to propose another is wrong.
    assert outcome(replace(KNOWN, assets={})).outcome == "right"
    assert outcome(only).outcome in ("right", "undecided")
    renamed = replace(
        only,
        assets={
            OTHER.id: OTHER.model_copy(update={"name": RIGHT.name, "kind": RIGHT.kind, "geometry": RIGHT.geometry})
        },
    )
    assert outcome(renamed).outcome == "wrong"


def test_a_site_that_was_judged_the_same_is_right_where_the_other_is_not_there() -> None:
    open_site = RIGHT.model_copy(update={"id": "gem/reed-bay", "dataset": "open/gem"})
    same = judged(RIGHT.id, open_site.id, "same")
    found = outcome(replace(KNOWN, assets={open_site.id: open_site}, identities={same.id: same}))
    assert (found.outcome, found.proposed) == ("right", open_site.id)
