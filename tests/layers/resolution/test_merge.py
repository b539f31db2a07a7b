"""Strikes judged to be one: the kept one stands, nothing that was said is lost, and undoing restores all."""

from __future__ import annotations

from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from api.wording.catalogue import text
from layers.model.records import RECORD_TYPES, Claim, Decision, Record, Records, Relation, Source, Strike, Weapon
from layers.resolution.resolve import apply_judgements, apply_judgements_with_remarks
from tests.layers.strike_builders import judged, records, strike


def facts(known: Records) -> dict[str, dict[str, Record]]:
    return {f.name: dict(known.table(f.name)) for f in fields(Records) if f.name != "identities"}


def with_judgements(known: Records, *more: Record) -> Records:
    tables = {name: known.table(name) for name in RECORD_TYPES}
    return Records.of({**tables, "identities": {**known.identities, **{one.id: one for one in more}}})


ONE = strike("a", title="Depot", damage="A tank", targets=("SOCAR depot",), sources=("s",))
OTHER = strike(
    "b",
    "2025-08-09",
    at=(30.4, 46.9),
    title="Fire at a depot",
    region="Odesa oblast",
    damage="Two tanks",
    targets=("SOCAR depot", "oil base"),
    weapons=(Weapon(kind="drone", count_min=3, count_max=5),),
    killed_min=1,
    killed_max=2,
    sources=("t", "u"),
    place_source="u",
    checked="read",
)
SOURCES = (Source(id="t", publisher="T"), Source(id="u", publisher="U"))


def said(known: Records, field: str) -> list[tuple[str, str]]:
    return [(claim.value, claim.source) for claim in known.claims.values() if claim.field == field]


def test_facts_of_the_leader_stand_and_gaps_are_filled() -> None:
    made = apply_judgements(records(*SOURCES, ONE, OTHER, judged("a", "b")))
    (kept,) = made.strikes.values()
    assert (kept.id, kept.title, kept.when, kept.damage, kept.geometry) == (
        "a",
        "Depot",
        "2025-08-08",
        "A tank",
        ONE.geometry,
    )
    assert (kept.region, kept.killed_min, kept.killed_max) == ("Odesa oblast", 1, 2)
    assert kept.weapons == OTHER.weapons
    assert kept.sources == ("s", "t", "u")
    assert kept.targets == ("SOCAR depot", "oil base")


def test_what_the_other_says_otherwise_is_a_claim_with_its_source() -> None:
    made = apply_judgements(records(*SOURCES, ONE, OTHER, judged("a", "b")))
    assert {claim.record for claim in made.claims.values()} == {"a"}
    assert said(made, "when") == [("2025-08-09", "t")]
    assert said(made, "damage") == [("Two tanks", "t")]
    assert said(made, "geometry") == [("POINT (30.4 46.9)", "u")]
    assert said(made, "targets") == [("oil base", "t")]
    assert said(made, "weapons") == [("drone 3-5", "t")]
    assert said(made, "killed_max") == [("2", "t")]
    assert said(made, "place") == []
    assert {claim.checked for claim in made.claims.values()} == {"read"}


def test_a_place_is_filled_whole_or_not_at_all() -> None:
    (kept,) = apply_judgements(records(*SOURCES, strike("a", at=None), OTHER, judged("a", "b"))).strikes.values()
    assert (kept.geometry, kept.uncertainty_m, kept.basis, kept.place_source) == (
        OTHER.geometry,
        OTHER.uncertainty_m,
        OTHER.basis,
        "u",
    )


def test_every_reference_follows() -> None:
    known = records(
        *(*SOURCES, ONE, OTHER, judged("a", "b")),
        Claim(id="q", record="b", field="damage", value="A fire", source="t", checked="read"),
        Decision(id="d", strike="b", asset="x", verdict="confirmed", who="t", when="2026", why="seen"),
        Relation(id="r", asset="x", entity="e", relation="affected", strike="b", source="s", checked="read"),
    )
    made = apply_judgements(known)
    assert (made.claims["q"].record, made.decisions["d"].strike, made.relations["r"].strike) == ("a", "a", "a")
    assert known.claims["q"].record == "b"


def test_chains_cycles_and_conflicts_are_as_with_entities() -> None:
    held = [strike(name) for name in "abcd"]
    chain = apply_judgements_with_remarks(records(*held, judged("a", "b"), judged("c", "d"), judged("c", "b")))
    assert dict(chain.merged_into) == {"a": "c", "b": "c", "d": "c"}
    cycle = apply_judgements_with_remarks(records(*held, judged("a", "b"), judged("b", "c"), judged("c", "a")))
    assert set(cycle.records.strikes) == {"c", "d"}
    clash = apply_judgements_with_remarks(
        records(*held, judged("a", "b"), judged("a", "c", "different"), judged("b", "c"))
    )
    assert set(clash.records.strikes) == {"a", "c", "d"}
    assert "a and c are judged different" in text(clash.remarks[0])


def test_a_private_strike_makes_the_united_one_private() -> None:
    (kept,) = apply_judgements(records(ONE, strike("b", private=True), judged("a", "b"))).strikes.values()
    assert kept.private


def test_long_ids_make_claims_all_the_same() -> None:
    long = "b" * 160
    made = apply_judgements(records(ONE, strike(long, "2020", dataset="b"), judged("a", long)))
    assert said(made, "when") == [("2020", "s")]


NAMES = "abcde"
pairs = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda pair: pair[0] != pair[1])
verdicts = st.sampled_from(("same", "different", "undone"))
texts = st.sampled_from((None, "x", "y"))


@st.composite
def strikes(draw: st.DrawFn) -> list[Strike]:
    return [
        strike(
            name,
            draw(st.sampled_from(("2025-08-08", "2025-08-09", "2025-08"))),
            at=draw(st.sampled_from((None, (30.0, 46.0), (31.0, 46.0)))),
            damage=draw(texts),
            attacker=draw(texts),
            targets=tuple(draw(st.sets(st.sampled_from(("p", "q", "r"))))),
            sources=tuple(draw(st.lists(st.sampled_from(("s", "t", "u")), min_size=1, unique=True))),
        )
        for name in NAMES
    ]


@st.composite
def known(draw: st.DrawFn) -> Records:
    drawn = draw(st.lists(st.tuples(pairs, verdicts), max_size=6))
    judgements = [judged(*pair, verdict, number) for number, (pair, verdict) in enumerate(drawn)]
    return records(*SOURCES, *draw(strikes()), *judgements)


@given(known())
def test_a_merge_loses_no_source_and_nothing_that_was_said(before: Records) -> None:
    merged = apply_judgements_with_remarks(before)
    for name, old in before.strikes.items():
        kept = merged.records.strikes[merged.merged_into.get(name, name)]
        assert set(old.sources) <= set(kept.sources)
        assert set(old.targets) <= set(kept.targets)
        for field in ("when", "damage", "attacker", "title"):
            claimed = {c.value for c in merged.records.claims.values() if (c.record, c.field) == (kept.id, field)}
            assert getattr(old, field) in (None, getattr(kept, field), *claimed)
        if old.geometry is not None and old.geometry != kept.geometry:
            assert (old.geometry.wkt.replace(".0", ""), old.place_source) in [
                (value.replace(".0", ""), source) for value, source in said(merged.records, "geometry")
            ]


@given(known())
def test_undoing_everything_restores_everything(before: Records) -> None:
    undone = [judged(j.one, j.other, "undone", 100 + row) for row, j in enumerate(before.identities.values())]
    assert facts(apply_judgements(with_judgements(before, *undone))) == facts(before)


@given(known())
def test_a_merge_is_done_once(before: Records) -> None:
    made = apply_judgements(before)
    assert facts(apply_judgements(made)) == facts(made)
