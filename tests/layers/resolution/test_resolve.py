"""One name, one entity: ids make one, names propose, judgements merge, keep apart and are undone."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.wording.catalogue import text
from layers.decisions.identity import standing
from layers.model.records import Asset, Claim, Control, Entity, Identity, Record, Records, Relation, Source, Stake
from layers.ownership.walk import OwnershipGraph, Walk
from layers.reference.basemap import Basemap
from layers.resolution.resolve import apply_judgements, apply_judgements_with_remarks, join, resolve
from layers.snapshot.snapshot import Snapshot

DAY = date(2025, 8, 8)
LEI = "213800EXAMPLE0000034"


def entity(name: str, text: str | None = None, **values: Any) -> Entity:
    return Entity(**{"id": name, "name": text or name, "type": "registeredEntity", "checked": "unverified", **values})


def stake(owned: str, owner: str, least: float, most: float | None = None, **values: Any) -> Stake:
    share = {"share_min": least, "share_max": least if most is None else most}
    name = values.pop("id", f"{owned}>{owner}")
    return Stake(**{"id": name, "owned": owned, "owner": owner, "source": "s", "checked": "read", **share, **values})


def judge(one: str, other: str, verdict: str = "same", number: int = 0) -> Identity:
    return Identity(
        id=f"{one}@{other}/{number}", one=one, other=other, verdict=verdict, who="t", when="2026-01-01", why="test"
    )  # type: ignore[arg-type]


def records(*held: Record) -> Records:
    tables = {f.name: {} for f in fields(Records)}  # type: dict[str, dict[str, Record]]
    names = {Entity: "entities", Asset: "assets", Stake: "stakes", Identity: "identities", Control: "controls"}
    names |= {Relation: "relations", Claim: "claims", Source: "sources"}
    for record in (Source(id="s", publisher="S"), *held):
        tables[names[type(record)]][record.id] = record
    return Records.of(tables)


def with_judgements(known: Records, judgements: Iterable[Identity]) -> Records:
    tables = {f.name: known.table(f.name) for f in fields(Records)}
    return Records.of({**tables, "identities": {j.id: j for j in judgements}})


def facts(known: Records) -> dict[str, dict[str, Record]]:
    return {f.name: dict(known.table(f.name)) for f in fields(Records) if f.name != "identities"}


def shares(known: Records, asset: str) -> dict[str, tuple[float, float]]:
    walk = Walk(OwnershipGraph(known, DAY, DAY), asset)
    return {share.country: share.share.rounded() for share in walk.shares()}


STATE = entity("state-az", "Azerbaijan", type="state", registered_in="AZ")
DEPOT = Asset(id="depot", name="Depot", kind="oil-depot", sources=("s",), checked="unverified")
SOCAR = entity("socar", "SOCAR", registered_in="AZ", external_ids={"lei": LEI}, aliases=("ГНКАР",))


class TestResolve:
    def test_four_names_of_socar_end_as_one_and_the_answer_stays(self) -> None:
        known = records(STATE, SOCAR, DEPOT, stake("depot", "socar", 100), stake("socar", "state-az", 100))
        incoming = records(
            entity("full", "State Oil Company of the Azerbaijan Republic", registered_in="AZ"),
            entity("ua", "ДНКАР", names={"uk": "Державна нафтова компанія Азербайджанської Республіки"}),
            entity("soc", "SOC of Azerbaijan [LEI]", external_ids={"lei": LEI.lower()}),
            entity("az", "Azerbaijan", type="state", registered_in="AZ"),
            *(stake(name, "az", 100) for name in ("full", "ua", "soc")),
        )
        found = resolve(known, incoming)
        assert {name: one for name, (one, _) in found.same.items()} == {"soc": "socar", "az": "state-az"}
        assert {(p.incoming, p.known) for p in found.proposals} == {("full", "socar"), ("ua", "socar")}
        assert found.new == () == found.conflicts
        together = join(known, incoming, found)
        proposed = [judge(p.known, p.incoming) for p in found.proposals]
        final = apply_judgements(with_judgements(together.records, proposed))
        assert set(final.entities) == {"socar", "state-az"}
        names = {
            final.entities["socar"].name,
            *final.entities["socar"].aliases,
            *final.entities["socar"].names.values(),
        }
        assert {"SOCAR", "State Oil Company of the Azerbaijan Republic", "ДНКАР", "SOC of Azerbaijan [LEI]"} <= names
        assert [s.id for s in final.stakes.values() if s.owned == "socar"] == ["full>az"]
        assert shares(final, "depot") == shares(known, "depot") == {"AZ": (100.0, 100.0)}

    def test_names_alone_propose_the_four_names_among_each_other(self) -> None:
        known = records(entity("full", "State Oil Company of the Azerbaijan Republic"))
        incoming = records(entity("a", "SOCAR"), entity("b", "ДНКАР"), entity("c", "SOC of Azerbaijan [LEI]"))
        found = resolve(known, incoming)
        assert {p.incoming for p in found.proposals} == {"a", "b", "c"}
        assert all(p.reasons for p in found.proposals)
        assert dict(found.same) == {}

    def test_the_bundled_records_are_all_known_by_their_ids(self, records: Records) -> None:
        found = resolve(records, records)
        assert {name: one for name, (one, _) in found.same.items()} == {name: name for name in records.entities}

    def test_contradicting_ids_are_never_the_same_and_never_proposed(self) -> None:
        known = records(entity("a", "Alpha Oil", external_ids={"lei": "1", "wikidata": "Q1"}))
        incoming = records(entity("b", "Alpha Oil", external_ids={"lei": "1", "wikidata": "Q2"}))
        found = resolve(known, incoming)
        assert dict(found.same) == {}
        assert found.proposals == ()
        assert found.new == ("b",)
        assert "contradict" in text(found.conflicts[0])

    def test_an_id_that_two_known_entities_have_decides_nothing(self) -> None:
        known = records(entity("a", external_ids={"gem": "E1"}), entity("b", external_ids={"gem": "E1"}))
        found = resolve(known, records(entity("c", external_ids={"gem": "E1"})))
        assert dict(found.same) == {}
        assert "more than one" in text(found.conflicts[0])

    @pytest.mark.parametrize(
        ("values", "exact", "reason"),
        [
            ({"registered_in": "AZ"}, True, None),
            ({"headquartered_in": "AZ"}, True, None),
            ({"registered_in": "CY"}, False, "registered in CY and AZ"),
            ({"type": "person"}, False, "person and registeredEntity"),
        ],
    )
    def test_country_and_type_speak_against(self, values: dict[str, Any], exact: bool, reason: str | None) -> None:
        known = records(entity("a", "Zrazok Oil", registered_in="AZ"))
        (*proposals,) = resolve(known, records(entity("b", "ТОВ «Зразок Нафта»", **values))).proposals
        if exact:
            assert [(p.exact, p.score) for p in proposals] == [(True, 1.0)]
        else:
            assert all(not p.exact and reason in map(text, p.reasons) for p in proposals)
            assert all(p.score < 1 for p in proposals)

    @pytest.mark.parametrize(("country", "exact"), [("KZ", True), (None, False)])
    def test_a_name_of_three_letters_is_exact_only_in_one_country(self, country: str | None, exact: bool) -> None:
        known = records(entity("cpc", "CPC", registered_in="KZ"))
        (proposal,) = resolve(known, records(entity("b", "CPC Corporation", registered_in=country))).proposals
        assert (proposal.known, proposal.exact) == ("cpc", exact)

    def test_a_judgement_of_different_suppresses_the_proposal(self) -> None:
        known = records(entity("a", "Alpha Oil"), judge("b", "a", "different"))
        found = resolve(known, records(entity("b", "Alpha Oil")))
        assert found.proposals == ()
        assert found.new == ("b",)
        again = with_judgements(known, [judge("b", "a", "different"), judge("a", "b", "undone", 1)])
        assert [p.known for p in resolve(again, records(entity("b", "Alpha Oil"))).proposals] == ["a"]

    def test_unknown_holders_are_never_proposed(self) -> None:
        known = records(entity("a", "unknown owner", type="unknownEntity"))
        assert resolve(known, records(entity("b", "unknown owner", type="unknownEntity"))).new == ("b",)

    def test_the_best_candidate_comes_first(self) -> None:
        known = records(entity("near", "Zrazok Trading"), entity("same", "Zrazok Ltd"), entity("far", "Other"))
        found = resolve(known, records(entity("b", "Zrazok")))
        assert found.proposals[0].known == "same"
        assert [p.score for p in found.proposals] == sorted((p.score for p in found.proposals), reverse=True)

    def test_names_of_generic_words_and_a_country_find_each_other(self) -> None:
        known = records(entity("a", "State Oil Company of the Azerbaijan Republic"), entity("b", "State Bank of Iran"))
        (proposal,) = resolve(known, records(entity("c", "State Oil Company of Azerbaijan"))).proposals
        assert proposal.known == "a"

    def test_nothing_resolves_to_nothing(self) -> None:
        found = resolve(records(), records())
        assert (dict(found.same), found.proposals, found.new, found.conflicts) == ({}, (), (), ())


class TestApply:
    def test_every_reference_follows(self) -> None:
        known = records(
            entity("a"),
            entity("b"),
            entity("c"),
            DEPOT,
            stake("depot", "b", 40),
            stake("b", "c", 100),
            Relation(id="r", asset="depot", entity="b", relation="operator", source="s", checked="read"),
            Control(id="k", controlled="b", controller="c", kind="declared", source="s", checked="read"),
            Claim(id="q", record="b", field="name", value="B", source="s", checked="read"),
            judge("a", "b"),
        )
        made = apply_judgements(known)
        assert set(made.entities) == {"a", "c"}
        assert {(s.owned, s.owner) for s in made.stakes.values()} == {("depot", "a"), ("a", "c")}
        assert (made.relations["r"].entity, made.controls["k"].controlled, made.claims["q"].record) == ("a", "a", "a")

    def test_names_ids_and_facts_are_united(self) -> None:
        one = entity("a", "Alpha", external_ids={"lei": "1"}, registered_in="UA", note="Kept.")
        other = entity(
            "b", "Beta", names={"uk": "Бета"}, external_ids={"gem": "E1", "lei": "2"}, registered_in="CY", note="Said."
        )
        made = apply_judgements(records(one, other, judge("a", "b"))).entities["a"]
        assert (made.name, made.aliases, made.names) == ("Alpha", ("Beta",), {"uk": "Бета"})
        assert made.external_ids == {"lei": "1", "gem": "E1"}
        assert made.registered_in == "UA"
        assert made.note == "Kept. One with b (Beta), which says registered_in CY, lei 2. Said."

    def test_the_latest_one_of_a_chain_is_kept(self) -> None:
        held = (entity("a"), entity("b"), entity("c"), entity("d"))
        merged = apply_judgements_with_remarks(records(*held, judge("a", "b"), judge("c", "d"), judge("c", "b")))
        assert set(merged.records.entities) == {"c"}
        assert dict(merged.merged_into) == {"a": "c", "b": "c", "d": "c"}

    def test_different_keeps_a_chain_apart_and_says_so(self) -> None:
        held = (entity("a"), entity("b"), entity("c"))
        merged = apply_judgements_with_remarks(
            records(*held, judge("a", "b"), judge("a", "c", "different"), judge("b", "c"))
        )
        assert set(merged.records.entities) == {"a", "c"}
        assert "a and c are judged different" in text(merged.remarks[0])

    def test_a_stake_in_itself_is_dropped_and_said(self) -> None:
        merged = apply_judgements_with_remarks(records(entity("a"), entity("b"), stake("a", "b", 10), judge("a", "b")))
        assert dict(merged.records.stakes) == {}
        assert tuple(map(text, merged.remarks)) == ("stake a>b dropped: it would be a stake of a in itself",)

    def test_a_stake_in_itself_that_was_there_before_stays(self) -> None:
        known = records(entity("a"), entity("b"), entity("c"), stake("c", "c", 10), judge("a", "b"))
        assert set(apply_judgements(known).stakes) == {"c>c"}

    @pytest.mark.parametrize(
        ("first", "second", "left"),
        [
            ({"least": 40}, {"least": 40}, {"x"}),
            ({"least": 40, "until": "2020"}, {"least": 40, "since": "2018"}, {"x"}),
            ({"least": 40, "until": "2018-01-01"}, {"least": 40, "since": "2018-01-01"}, {"x", "y"}),
            ({"least": 40}, {"least": 41}, {"x", "y"}),
            ({"least": 40}, {"least": 0, "most": 100}, {"x"}),
            ({"least": 40, "since": "2020"}, {"least": 0, "most": 100}, {"x", "y"}),
            ({"least": 40, "checked": "unverified"}, {"least": 40}, {"y"}),
        ],
    )
    def test_a_stake_told_twice_counts_once(
        self, first: dict[str, Any], second: dict[str, Any], left: set[str]
    ) -> None:
        known = records(
            *(entity("a"), entity("b"), DEPOT, judge("a", "b")),
            stake("depot", "a", id="x", **first),
            stake("depot", "b", id="y", **second),
        )
        assert set(apply_judgements(known).stakes) == left

    def test_two_tellings_of_one_share_cover_both_times(self) -> None:
        known = records(
            *(entity("a"), entity("b"), DEPOT, judge("a", "b")),
            stake("depot", "a", 40, id="x", since="2010", until="2016"),
            stake("depot", "b", 40, id="y", since="2015", until="2020"),
        )
        (kept,) = apply_judgements(known).stakes.values()
        assert (kept.since, kept.until) == ("2010", "2020")

    def test_judgements_on_what_is_not_there_are_passed_over(self) -> None:
        known = records(entity("a"), judge("a", "gone"), judge("a", "a", number=1))
        assert facts(apply_judgements(known)) == facts(known)

    def test_a_chain_is_followed_over_an_entity_that_is_gone(self) -> None:
        known = records(entity("a"), entity("b"), judge("gone", "a"), judge("gone", "b"))
        assert dict(apply_judgements_with_remarks(known).merged_into) == {"b": "a"}

    def test_the_records_given_are_not_changed(self) -> None:
        known = records(entity("a"), entity("b"), DEPOT, stake("depot", "b", 40), judge("a", "b"))
        before = facts(known)
        apply_judgements(known)
        assert facts(known) == before


NAMES = ("a", "b", "c", "d", "e")
pairs = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda pair: pair[0] != pair[1])
verdicts = st.sampled_from(("same", "different", "undone"))


@st.composite
def judged(draw: st.DrawFn) -> list[Identity]:
    drawn = draw(st.lists(st.tuples(pairs, verdicts), max_size=8))
    return [judge(one, other, verdict, number) for number, ((one, other), verdict) in enumerate(drawn)]


@st.composite
def owned(draw: st.DrawFn) -> Records:
    holdings = draw(st.lists(st.tuples(pairs, st.sampled_from((10, 25, 50))), max_size=8))
    stakes = [stake(one, other, share, id=f"s{number}") for number, ((one, other), share) in enumerate(holdings)]
    return records(*(entity(name) for name in NAMES), *stakes)


@given(owned(), judged(), pairs)
def test_same_and_undone_is_as_if_never_judged(known: Records, before: list[Identity], pair: tuple[str, str]) -> None:
    rest = [j for j in before if {j.one, j.other} != set(pair)]
    undone = [*rest, judge(*pair, number=100), judge(*pair, "undone", number=101)]
    assert facts(apply_judgements(with_judgements(known, undone))) == facts(
        apply_judgements(with_judgements(known, rest))
    )


@given(owned(), judged())
def test_undoing_everything_restores_everything(known: Records, before: list[Identity]) -> None:
    undone = [*before, *(judge(j.one, j.other, "undone", 100 + row) for row, j in enumerate(before))]
    assert facts(apply_judgements(with_judgements(known, undone))) == facts(known)


@given(owned(), judged())
def test_a_merge_leaves_nothing_dangling_and_is_done_once(known: Records, judgements: list[Identity]) -> None:
    made = apply_judgements(with_judgements(known, judgements))
    assert all({s.owned, s.owner} <= set(made.entities) for s in made.stakes.values())
    assert facts(apply_judgements(made)) == facts(made)


@given(judged())
def test_entities_judged_different_are_never_one(judgements: list[Identity]) -> None:
    kept = apply_judgements_with_remarks(
        with_judgements(records(*(entity(name) for name in NAMES)), judgements)
    ).merged_into
    for pair, held in standing(judgements).items():
        if held.verdict == "different":
            one, other = pair
            assert kept.get(one, one) != kept.get(other, other)


def test_a_judgement_unites_two_entities_for_whoever_asks_and_can_be_undone(
    records: Records, base: Basemap, snapshot: Snapshot
) -> None:
    def seen(*verdicts: str) -> Snapshot:
        judgements = [judge("gazprom", "gip", verdict, number) for number, verdict in enumerate(verdicts)]
        return Snapshot.of(with_judgements(records, judgements), base, 1, snapshot.data_date, wording=str)

    assert "gip" not in seen("same").records.entities
    assert {row.country for row in seen("same").owners("a-ns2").shares} == {"RU"}
    assert seen("same", "undone").records.stakes == records.stakes
