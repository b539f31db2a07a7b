"""What a load does to what is known: updates, unions, clashes, removals, and what is left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.wording.catalogue import text
from layers.ingest.load_plan import TableChange, plan_load, planned_changes
from layers.model.messages import Message
from layers.model.problems import MISSING, Problem
from layers.model.records import RECORD_TYPES, Claim, Entity
from layers.resolution import resolve
from layers.store.private_datasets import Privacy, PrivateDataset
from tests.layers.english import english_reasons
from tests.layers.load_builders import (
    TABLE_OF,
    after,
    asset,
    decision,
    entity,
    judged,
    load,
    of,
    read,
    source,
    stake,
    strike,
    table_changes,
)

LEI, OTHER_LEI = "213800EXAMPLE0000034", "213800EXAMPLE0000035"
OTHER = (source("o/s", "o"), entity("k", "o", external_ids={"lei": LEI}), asset("depot", "o"), stake("depot", "k", "o"))
STORED = of(*OTHER)
OWN = (source("d/s", "d"), asset("plant", "d"), entity("x", "d"), stake("plant", "x", "d"))


class TestUpdating:
    def test_a_new_dataset_is_added_and_others_are_not_touched(self) -> None:
        arrival, now = load(STORED, *OWN)
        assert {name: change.added for name, change in planned_changes(STORED, arrival).items()} == {
            "sources": ("d/s",),
            "entities": ("x",),
            "assets": ("plant",),
            "stakes": ("d/plant>x",),
        }
        assert all(now.table(TABLE_OF[type(one)])[one.id] == one for one in (*OTHER, *OWN))

    def test_the_newer_file_of_a_dataset_changes_adds_and_removes(self) -> None:
        _, now = load(STORED, *OWN, asset("gone", "d"))
        newer = (OWN[0], asset("plant", "d", capacity=5, capacity_unit="t/d"), *OWN[2:], asset("new", "d"))
        arrival, _ = load(now, *newer)
        assert table_changes(now, arrival) == {
            "assets": TableChange(("new",), {"plant": ("capacity", "capacity_unit")}, ("gone",), 0)
        }
        assert arrival.problems == ()

    def test_what_a_table_no_longer_has_at_all_is_removed(self) -> None:
        _, now = load(STORED, *OWN)
        arrival, left = load(now, *OWN[:3])
        assert table_changes(now, arrival) == {"stakes": TableChange((), {}, ("d/plant>x",), 0)}
        assert left.stakes == STORED.stakes

    def test_records_that_name_datasets_of_their_own_touch_only_those(self) -> None:
        _, now = load(STORED, *OWN)
        arrival, left = load(now, source("m/s", "m"), stake("k", "x", "m", source="m/s"), dataset="d")
        assert list(table_changes(now, arrival)) == ["sources", "stakes"]
        assert left.assets == now.assets
        assert arrival.problems == ()

    def test_an_empty_file_removes_nothing_even_where_something_is_referred_to(self) -> None:
        _, now = load(STORED, *OWN, decision("hit", "desk"), strike("hit", "d"))
        arrival, left = load(now)
        assert table_changes(now, arrival) == {}
        assert left == now
        assert text(arrival.retained["plant"]) == "the files hold no record of it"

    def test_an_empty_file_of_a_dataset_that_is_not_there_does_nothing(self) -> None:
        arrival, now = load(STORED)
        assert planned_changes(STORED, arrival) == {}
        assert now == STORED


class TestOthers:
    def test_a_record_of_another_dataset_is_not_replaced_and_the_clash_is_named(self) -> None:
        arrival, now = load(STORED, source("d/s", "d"), asset("depot", "d", name="Another"))
        (problem,) = arrival.problems
        assert (problem.file, problem.row, problem.record, problem.column) == ("file.csv", 3, "asset depot", "id")
        assert "the dataset o has it and says otherwise (name, sources)" in text(problem.expected)
        assert "--dataset o" in text(problem.expected)
        assert now.assets == STORED.assets

    def test_what_hangs_on_a_clashing_record_is_left_out_and_not_hung_on_the_other(self) -> None:
        held = (source("d/s", "d"), asset("depot", "d", name="Another"), entity("x", "d"), stake("depot", "x", "d"))
        arrival, now = load(STORED, *held, stake("x", "k", "d"))
        assert len(arrival.problems) == 1
        assert arrival.dropped == {"stakes": 1}
        assert set(now.stakes) == {"o/depot>k", "d/x>k"}

    def test_a_record_that_another_dataset_holds_word_for_word_is_left_to_it(self) -> None:
        same = [asset("depot", "d", sources=("o/s",)), stake("depot", "k", "d", id="o/depot>k", source="o/s")]
        arrival, now = load(STORED, *same, source("o/s", "d", publisher="Publisher of o", retrieved="2026"))
        assert arrival.already_covered == {"sources": 1, "assets": 1, "stakes": 1}
        assert (arrival.problems, now) == ((), STORED)

    def test_a_source_of_another_publisher_is_another_source(self) -> None:
        arrival, now = load(STORED, source("o/s", "d", publisher="Somebody"), asset("plant", "d", sources=("o/s",)))
        assert [problem.record for problem in arrival.problems] == ["source o/s"]
        assert arrival.dropped == {"assets": 1}
        assert now == STORED


class TestUniting:
    @pytest.mark.parametrize("scheme", ["lei", "gem", "wikidata"])
    def test_an_entity_known_by_identifier_is_united_with_the_known_one(self, scheme: str) -> None:
        stored = of(OTHER[0], entity("k", "o", external_ids={scheme: LEI}), asset("depot", "o"))
        held = entity("x", "d", external_ids={scheme.upper(): LEI.lower()}, registered_in="AZ", aliases=("Iks",))
        arrival, now = load(stored, source("d/s", "d"), held, stake("depot", "x", "d"))
        assert {key: (one, text(why)) for key, (one, why) in arrival.resolution.same.items()} == {
            "x": ("k", f"{scheme} {LEI}")
        }
        assert set(now.entities) == {"k"}
        known = now.entities["k"]
        assert (known.name, known.dataset, known.registered_in) == ("K", "o", "AZ")
        assert (known.aliases, known.sources) == (("X", "Iks"), ("o/s", "d/s"))
        assert now.stakes["d/depot>x"].owner == "k"
        assert (now.assets, arrival.problems) == (stored.assets, ())

    def test_an_entity_of_the_same_id_adds_what_it_says_more(self) -> None:
        _, now = load(STORED, source("d/s", "d"), entity("k", "d", name="Kay", external_ids={"lei": LEI}))
        assert (now.entities["k"].name, now.entities["k"].dataset, now.entities["k"].aliases) == ("K", "o", ("Kay",))

    def test_an_entity_of_the_same_id_that_says_no_more_is_left_to_the_known_one(self) -> None:
        arrival, now = load(STORED, source("d/s", "d"), entity("k", "d", external_ids={"lei": LEI}))
        assert arrival.already_covered == {"entities": 1}
        assert now.entities == STORED.entities

    def test_an_entity_known_by_name_only_is_proposed_and_added(self) -> None:
        stored = of(OTHER[0], entity("k", "o", name="Zrazok Oil"))
        arrival, now = load(stored, source("d/s", "d"), entity("x", "d", name="Zrazok Oil"))
        assert [(one.incoming, one.known) for one in arrival.resolution.proposals] == [("x", "k")]
        assert set(now.entities) == {"k", "x"}

    def test_no_stake_that_another_load_brought_is_replaced_and_each_share_counts_once(self) -> None:
        held = (source("d/s", "d"), entity("x", "d", external_ids={"lei": LEI}))
        better = stake("depot", "x", "d", checked="read")
        _, now = load(STORED, *held, better)
        assert now.stakes["o/depot>k"] == STORED.stakes["o/depot>k"]
        assert now.stakes["d/depot>x"] == better.model_copy(update={"owner": "k"})
        assert set(resolve.apply_judgements(now).stakes) == {"d/depot>x"}
        again, _ = load(now, *OTHER, dataset="o")
        assert table_changes(now, again) == {}

    def test_the_dataset_of_the_united_one_loaded_again_keeps_what_others_said(self) -> None:
        """Also where the other load named no source for its entity."""
        _, now = load(STORED, entity("x", "d", external_ids={"lei": LEI}, sources=(), note="Iks."))
        assert now.entities["k"].aliases == ("X",)
        arrival, _ = load(now, *OTHER, dataset="o")
        assert table_changes(now, arrival) == {}
        newer = OTHER[1].model_copy(update={"note": "Kay."})
        assert isinstance(newer, Entity)
        _, newest = load(now, OTHER[0], newer, *OTHER[2:], dataset="o")
        assert newest.entities["k"].note == "Kay. One with x (X). Iks."

    def test_an_entity_that_is_in_the_store_already_stays_by_itself(self) -> None:
        _, now = load(STORED, *OWN)
        arrival, left = load(now, *OWN[:2], entity("x", "d", external_ids={"lei": LEI}), OWN[3])
        assert set(left.entities) == {"k", "x"}
        assert left.stakes["d/plant>x"].owner == "x"
        assert "x and k have the same lei" in text(arrival.resolution.conflicts[0])

    def test_two_entities_that_contradict_each_other_are_not_both_the_known_one(self) -> None:
        pair = [entity(name, "d", external_ids={"lei": LEI, "gem": name}) for name in ("x", "y")]
        arrival, now = load(STORED, source("d/s", "d"), *pair)
        assert set(now.entities) == {"k", "y"}
        assert "other identifiers contradict" in text(arrival.resolution.conflicts[0])
        again, _ = load(now, source("d/s", "d"), *pair)
        assert table_changes(now, again) == {}

    def test_a_union_holds_also_where_another_entity_has_got_the_identifier(self) -> None:
        held = (source("d/s", "d"), entity("x", "d", external_ids={"lei": LEI}), stake("depot", "x", "d"))
        _, now = load(STORED, *held)
        _, now = load(now, source("e/s", "e"), entity("z", "e"), dataset="e")
        _, now = load(now, source("e/s", "e"), entity("z", "e", external_ids={"lei": LEI}), dataset="e")
        assert set(now.entities) == {"k", "z"}
        arrival, _ = load(now, *held)
        assert table_changes(now, arrival) == {}

    def test_a_judgement_is_not_made_lasting_by_a_load_and_can_be_undone(self) -> None:
        member = entity("m", "m", external_ids={"lei": OTHER_LEI})
        stored = of(*OTHER, source("m/s", "m"), member, stake("depot", "m", "m", 40), judged("k", "m", "same"))
        arrival, now = load(stored, source("d/s", "d"), entity("x", "d", external_ids={"lei": OTHER_LEI}))
        assert arrival.resolution.same["x"][0] == "m"
        assert now.entities["k"] == stored.entities["k"]
        assert now.stakes == stored.stakes
        _, now = load(now, source("e/s", "e"), member.model_copy(update={"dataset": "e", "sources": ()}), dataset="e")
        assert {"k", "m"} <= set(now.entities)
        undone = resolve.apply_judgements(
            of(*(r for n in RECORD_TYPES for r in now.table(n).values()), judged("k", "m", "undone"))
        )
        assert undone.stakes["m/depot>m"].owner == "m"

    def test_what_was_judged_different_is_not_united(self) -> None:
        stored = of(*OTHER, judged("k", "x", "different"))
        _, now = load(stored, source("d/s", "d"), entity("x", "d", external_ids={"lei": LEI}))
        assert set(now.entities) == {"k", "x"}

    @pytest.mark.parametrize("public_first", [True, False])
    def test_what_is_private_is_not_united_with_what_is_public(self, public_first: bool) -> None:
        first, second = (False, True) if public_first else (True, False)
        stored = of(source("o/s", "o"), entity("k", "o", external_ids={"lei": LEI}, private=first))
        _, now = load(stored, source("d/s", "d"), entity("x", "d", external_ids={"lei": LEI}, private=second))
        assert set(now.entities) == {"k", "x"}
        assert not any(one.aliases for one in now.entities.values())
        arrival, now = load(stored, source("d/s", "d"), entity("k", "d", name="Kay", private=second))
        assert [problem.record for problem in arrival.problems] == ["entity k"]
        assert now.entities == stored.entities


class TestStaying:
    def test_what_another_dataset_refers_to_stays_with_what_it_needs(self) -> None:
        _, now = load(STORED, *OWN, strike("hit", "d"), asset("gone", "d"))
        _, now = load(now, decision("hit", "desk"), dataset="desk")
        arrival, left = load(now, source("d/new", "d"), entity("y", "d", sources=("d/new",)))
        assert set(arrival.retained) == {"hit", "d/s"}
        assert text(arrival.retained["hit"]) == "decision hit/1 of desk refers to it"
        assert text(arrival.retained["d/s"]) == "strike hit of d refers to it"
        assert set(left.strikes) == {"hit"}
        assert set(left.assets) == {"depot"}

    def test_a_judgement_alone_does_not_hold_an_entity(self) -> None:
        _, now = load(of(*OTHER, judged("k", "x", "same")), *OWN)
        arrival, left = load(now, *OWN[:2])
        assert set(left.entities) == {"k"}
        assert arrival.retained == {}

    def test_appended_to_a_dataset_keeps_what_it_holds(self) -> None:
        _, now = load(STORED, *OWN)
        arrival, left = load(now, OWN[0], asset("plant", "d", note="Mended."), asset("new", "d"), append=True)
        assert set(left.assets) == {"depot", "plant", "new"}
        assert left.assets["plant"].note == "Mended."
        assert english_reasons(arrival.retained) == {"x": "appended to", "d/plant>x": "appended to"}

    def test_what_is_appended_clears_nothing_that_is_known_of_a_company(self) -> None:
        _, now = load(STORED, *OWN, entity("y", "d", registered_in="CY", aliases=("Y Ltd",)))
        _, left = load(now, OWN[0], entity("y", "d", headquartered_in="DE"), append=True)
        known = left.entities["y"]
        assert (known.registered_in, known.headquartered_in, known.aliases) == ("CY", "DE", ("Y Ltd",))
        _, anew = load(now, *OWN, entity("y", "d", headquartered_in="DE"))
        assert anew.entities["y"].registered_in is None

    def test_what_is_appended_makes_nobody_the_publisher_of_what_another_said(self) -> None:
        _, now = load(STORED, *OWN)
        arrival, _ = load(now, source("d/s", "d", publisher="Another"), asset("new", "d"), append=True)
        (problem, *_) = arrival.problems
        assert (problem.column, problem.value) == ("publisher", "Another")
        assert "Publisher of d, as before" in text(problem.expected)

    def test_no_load_gives_what_a_publisher_said_to_another_unless_somebody_agrees(self) -> None:
        _, now = load(STORED, *OWN)
        arrival, left = load(now, source("d/s", "d", publisher="Another"), *OWN[1:])
        assert [problem.value for problem in arrival.problems] == ["Another"]
        assert left == now
        _, replaced = load(now, source("d/s", "d", publisher="Another"), *OWN[1:], replaces=True)
        assert replaced.sources["d/s"].publisher == "Another"

    def test_a_publisher_may_be_spelt_otherwise_at_the_same_address(self) -> None:
        url = "https://example.org/list"
        _, now = load(STORED, source("d/s", "d", url=url), *OWN[1:])
        for address, expected in ((url, []), ("https://example.org/another", ["P. of d"]), (None, ["P. of d"])):
            arrival, _ = load(now, source("d/s", "d", url=address, publisher="P. of d"), *OWN[1:])
            assert [problem.value for problem in arrival.problems] == expected

    def test_what_is_appended_may_refer_to_what_the_dataset_holds(self) -> None:
        _, now = load(STORED, *OWN)
        arrival, left = load(now, OWN[0], stake("depot", "x", "d", 5), append=True)
        assert (arrival.problems, left.stakes["d/depot>x"].owner) == ((), "x")
        arrival, _ = load(now, OWN[0], stake("depot", "x", "d", 5))
        assert [problem.value for problem in arrival.problems] == ["x"]

    def test_with_a_fault_nothing_is_removed_as_it_may_be_what_was_rejected(self) -> None:
        _, now = load(STORED, *OWN)
        fault = Problem("file.csv", 9, "entity x", "name", MISSING, Message("cell.text"))
        arrival = plan_load(now, read(*OWN[:2], problems=[fault]), "d")
        reasons = {"x": "the load has faults", "d/plant>x": "the load has faults"}
        assert english_reasons(arrival.retained) == reasons
        assert after(now, arrival) == now

    def test_decisions_are_neither_removed_nor_changed(self) -> None:
        _, now = load(STORED, *OWN, strike("hit", "d"), decision("hit", "d"))
        arrival, left = load(now, *OWN)
        assert left == now
        assert text(arrival.retained["hit/1"]) == "decisions are only ever added"
        arrival, left = load(now, *OWN, strike("hit", "d"), decision("hit", "d", why="Something else."))
        assert [(problem.record, problem.row) for problem in arrival.problems] == [("decision hit/1", 7)]
        assert "only ever added" in text(arrival.problems[0].expected)
        assert left == now


class TestDangling:
    def test_what_refers_to_nothing_is_a_problem_in_its_row(self) -> None:
        arrival, now = load(STORED, source("d/s", "d"), stake("depot", "nobody", "d"))
        (problem,) = arrival.problems
        assert (problem.row, problem.record, problem.column, problem.value) == (
            3,
            "stake d/depot>nobody",
            "owner",
            "nobody",
        )
        assert text(problem.expected) == "an id in entities"
        assert now.stakes == STORED.stakes

    def test_what_hangs_on_a_rejected_record_is_left_out_with_it_over_all_steps(self) -> None:
        fault = Problem("file.csv", 2, "asset plant", "kind", "plant", Message("cell.text"))
        held = (source("d/s", "d"), asset("part", "d", part_of="plant"), stake("part", "k", "d"))
        claim = Claim(
            id="c", dataset="d", record="d/part>k", field="since", value="2020", source="d/s", checked="unverified"
        )
        arrival = plan_load(STORED, read(*held, claim, problems=[fault]), "d")
        assert arrival.problems == ()
        assert arrival.dropped == {"assets": 1, "stakes": 1, "claims": 1}
        assert set(after(STORED, arrival).stakes) == {"o/depot>k"}

    def test_what_hangs_on_a_dangling_record_is_left_out_and_one_problem_told(self) -> None:
        held = (source("d/s", "d"), asset("part", "d", part_of="nothing"), stake("part", "k", "d"))
        arrival, now = load(STORED, *held)
        assert [problem.record for problem in arrival.problems] == ["asset part"]
        assert arrival.dropped == {"stakes": 1}
        assert now.assets == STORED.assets


class TestPrivacy:
    DATASET = PrivateDataset("d", "2026-11-02T00:00:00Z", "Ann", "The licence forbids it.")

    def test_what_comes_to_a_private_dataset_is_private_and_united_with_nothing_public(self) -> None:
        """Whatever the files say: its names would else go into an entity of another dataset."""
        incoming = read(source("d/s", "d"), entity("x", "d", external_ids={"lei": LEI}, aliases=("Secret",)))
        arrival = plan_load(STORED, incoming, "d", privacy=Privacy({"d": self.DATASET}))
        assert arrival.resolution.same == {}
        assert all(one.private for one in (arrival.records.entities["x"], arrival.records.sources["d/s"]))
        assert [text(note) for note in arrival.notes] == [
            "2 records of d stay private, as they are in the store, whatever the files say"
        ]

    def test_a_dataset_becomes_private_with_what_it_had(self) -> None:
        _, now = load(STORED, *OWN)
        incoming = replace(read(source("d/s", "d", private=True)), private=True)
        arrival = plan_load(now, incoming, "d", append=True)
        assert arrival.private == {"d"}
        assert set(planned_changes(now, arrival)["assets"].changed) == {"plant"}
        assert all(record.private for name in RECORD_TYPES for record in arrival.records.table(name).values())
        again = plan_load(now, incoming, "d", append=True, privacy=Privacy({"d": self.DATASET}))
        assert again.private == frozenset()

    def test_a_private_record_stays_so_under_its_id(self) -> None:
        stored = of(source("c/s", "c"), strike("c/1", "c", private=True))
        removed = Privacy(removed={"strikes": frozenset({"c/2"})})
        incoming = read(source("c/s", "c"), *(strike(f"c/{number}", "c") for number in (1, 2, 3)))
        arrival = plan_load(stored, incoming, "c", privacy=removed)
        assert {key: one.private for key, one in arrival.records.strikes.items()} == {
            "c/1": True, "c/2": True, "c/3": False,
        }  # fmt: skip

    def test_facts_of_a_dataset_that_became_private_are_not_carried_over(self) -> None:
        """An entity that it was united with while it was public has them until its own files are loaded again."""
        _, now = load(STORED, source("d/s", "d"), entity("x", "d", external_ids={"lei": LEI}, name="Secret"))
        assert "Secret" in now.entities["k"].aliases
        hidden = source("d/s", "d", private=True)
        stored = of(*(r for n in RECORD_TYPES for r in now.table(n).values() if r.id != hidden.id), hidden)
        _, now = load(stored, *OTHER)
        assert now.entities["k"] == STORED.entities["k"]
