"""Wikidata items: owners with dates and shares, what is left out and said, and what cannot be read."""

from datetime import date
from pathlib import Path

import pytest

from layers.model.problems import ReadResult
from layers.model.records import Stake
from layers.ownership.walk import OwnershipGraph
from layers.sources.wikidata import reader

DATA = Path(__file__).resolve().parents[3] / "data" / "wikidata"
BLUE, AMBER, COPPER, PIPES, FLOW, BRASS = (f"wikidata-q90000000{number}" for number in range(1, 7))
AZ = "wikidata-q227"


def read(name: str) -> ReadResult:
    return reader.parse(name, (DATA / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def owners() -> ReadResult:
    return read("owners.json")


def stake(reading: ReadResult, owned: str, owner: str) -> Stake:
    (found,) = (s for s in reading.records.stakes.values() if (s.owned, s.owner) == (owned, owner))
    return found


def test_a_proportion_is_a_share_with_its_dates(owners: ReadResult) -> None:
    amber, copper = stake(owners, BLUE, AMBER), stake(owners, BLUE, COPPER)
    assert (amber.share_min, amber.share_max, amber.since, amber.until) == (49, 49, "2017-03-15", None)
    assert (copper.share_min, copper.share_max, copper.since, copper.until) == (30, 30, "2010", "2021-06")


def test_an_owner_without_a_proportion_may_hold_anything(owners: ReadResult) -> None:
    state = stake(owners, BLUE, AZ)
    assert (state.share_min, state.share_max, state.since) == (0, 100, "../2019")
    assert state.checked == "unverified"


def test_an_owner_that_both_items_state_counts_once(owners: ReadResult) -> None:
    assert stake(owners, BLUE, AMBER).source == "wikidata/q900000001"
    assert "counted once" in (owners.records.entities[AMBER].note or "")


def test_an_inverse_statement_with_bounds_and_an_unknown_end(owners: ReadResult) -> None:
    brass = stake(owners, BRASS, AMBER)
    assert (brass.share_min, brass.share_max, brass.until) == (55, 65, "0001-01-01/2026-03-01")


def test_an_unknown_owner_is_one_and_no_owner_is_none(owners: ReadResult) -> None:
    unknown = stake(owners, COPPER, f"{COPPER}/owner-1")
    assert owners.records.entities[unknown.owner].type == "unknownEntity"
    assert not any(s.owned == PIPES for s in owners.records.stakes.values())
    assert "no owner" in (owners.records.entities[PIPES].note or "")


def test_a_parent_is_control_and_an_operator_neither(owners: ReadResult) -> None:
    (control,) = owners.records.controls.values()
    assert (control.controlled, control.controller, control.kind) == (BLUE, AMBER, "declared")
    note = owners.records.entities[BLUE].note or ""
    assert "Q900000005 (P137)" in note
    assert FLOW not in owners.records.entities


def test_a_deprecated_statement_is_left_out_and_said(owners: ReadResult) -> None:
    assert not any(s.owner == PIPES for s in owners.records.stakes.values())
    assert "Q900000004 is of rank deprecated" in (owners.records.entities[BLUE].note or "")


def test_names_types_and_countries(owners: ReadResult) -> None:
    entities = owners.records.entities
    assert entities[BLUE].names == {"uk": "Блакитна трубопровідна компанія", "az": "Mavi Boru Kəməri Şirkəti"}
    assert entities[BLUE].aliases == ("BPC", "БТК")
    assert (entities[AZ].type, entities[AZ].registered_in) == ("state", "AZ")
    assert (entities[PIPES].type, entities[PIPES].headquartered_in) == ("stateBody", "AZ")
    assert entities[COPPER].headquartered_in == "KZ"
    assert entities[BRASS].name == "Q900000006"


def test_a_wrong_lei_is_a_problem_and_left_out(owners: ReadResult) -> None:
    assert [(p.row, p.column) for p in owners.problems] == [(1, "P1278")]
    assert "lei" not in owners.records.entities[BLUE].external_ids


@pytest.mark.parametrize(("day", "copper"), [(date(2020, 1, 1), True), (date(2022, 1, 1), False)])
def test_an_owner_with_an_end_is_none_afterwards(owners: ReadResult, day: date, copper: bool) -> None:
    register = OwnershipGraph(owners.records, day, day)
    held = {register.nodes.ids[h.owner]: h.low for h in register.holdings(register.number(BLUE))}
    assert (held.get(COPPER) == 0.3) is copper
    assert (COPPER in held) is copper


def test_everything_that_cannot_be_read_is_listed() -> None:
    reading = read("faulty.json")
    assert [p.column for p in reading.problems] == [
        *("id", "P1278", "P1107", "P1107", "P1107", "P580", "P582", "P127"),
    ]
    stakes = list(reading.records.stakes.values())
    assert {(s.share_min, s.share_max) for s in stakes} == {(0, 100)}
    assert stakes[-1].until == "0001-01-01/2026-03-01"


@pytest.mark.parametrize("text", ["{", "[]", '{"entities": []}', "7"])
def test_a_file_of_another_shape_is_a_problem(text: str) -> None:
    reading = reader.parse("f", text)
    assert len(reading.problems) == 1
    assert dict(reading.records.entities) == {}


def test_an_item_without_statements_writes_its_maps_as_lists() -> None:
    text = '{"entities": {"Q1": {"type": "item", "id": "Q1", "labels": [], "aliases": [], "claims": []}}}'
    entity = reader.parse("f", text).require_clean().entities["wikidata-q1"]
    assert (entity.name, entity.type) == ("Q1", "legalEntity")


def test_an_owner_beside_a_preferred_one_is_not_sure() -> None:
    def owned_by(number: int, rank: str) -> str:
        value = f'{{"value": {{"id": "Q{number}"}}, "type": "wikibase-entityid"}}'
        snak = f'{{"snaktype": "value", "property": "P127", "datavalue": {value}}}'
        return f'{{"mainsnak": {snak}, "rank": "{rank}", "references": [{{"snaks": {{"P854": []}}}}]}}'

    claims = f'{{"P127": [{owned_by(2, "normal")}, {owned_by(3, "preferred")}]}}'
    text = f'{{"entities": {{"Q1": {{"id": "Q1", "claims": {claims}}}}}}}'
    stakes = reader.parse("f", text).require_clean().stakes.values()
    assert {s.owner: s.checked for s in stakes} == {"wikidata-q2": "unverified", "wikidata-q3": "read"}
