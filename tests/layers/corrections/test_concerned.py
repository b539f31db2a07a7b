"""A judgement on assets concerns the strikes that hit them, and the answers to these are based on it."""

from __future__ import annotations

import dataclasses
from datetime import date

from api.wording.catalogue import text
from layers.corrections.concerned import ConcernedStrikes, records_of_answer, records_of_asset, records_of_entity
from layers.model.records import Identity, Records
from layers.reference import basemap
from layers.snapshot.snapshot import Snapshot
from tests.conftest import BASEMAP

ASSET, STRIKE = "a-orlivka", "ua-orlivka-2025-08-06"


def test_a_judgement_on_assets_is_of_the_strikes_on_them(records: Records) -> None:
    again = records.assets[ASSET].model_copy(update={"id": "seen", "dataset": "seen"})
    judged = Identity(id="j/1", one=ASSET, other="seen", verdict="same", who="A", when="2026-01-01", why="w")
    stored = dataclasses.replace(records, assets={**records.assets, "seen": again}, identities={"j/1": judged})
    snapshot = Snapshot.of(stored, basemap.read(BASEMAP), 1, date(2026, 1, 1), wording=text)
    found = ConcernedStrikes(snapshot).of(("identities", "j/1"), judged.model_dump())
    assert STRIKE in found
    assert {("identities", "j/1"), ("assets", "seen"), ("assets", ASSET)} <= records_of_answer(snapshot, STRIKE)


def test_what_further_nationalities_may_hold_is_no_record(records: Records) -> None:
    snapshot = Snapshot.of(records, basemap.read(BASEMAP), 1, date(2026, 1, 1), wording=text)
    nodes = snapshot.stakes.nodes
    persons = {nodes.record(node) for node in nodes.nationalities}
    held = {stake.owned for stake in records.stakes.values() if stake.owner in persons}
    (person, *_), owned = sorted(persons), sorted(held & records.assets.keys())
    assert {key for table, key in records_of_entity(snapshot, person) if table == "stakes"} <= records.stakes.keys()
    for asset in (*owned, "a-bmu"):
        found = records_of_asset(snapshot, asset)
        assert {key for table, key in found if table == "stakes"} <= records.stakes.keys()
        assert {key for table, key in found if table == "entities"} <= records.entities.keys()
    assert not persons.isdisjoint(key for _, key in records_of_asset(snapshot, "a-bmu"))
