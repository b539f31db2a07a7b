"""Any loads in any order: the same again changes nothing, no load takes from another, nothing private gets out."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from layers.ingest.load_plan import plan_load, planned_changes
from layers.model.records import RECORD_TYPES, REFERENCES, Entity, Record, Records
from tests.layers.load_builders import TABLE_OF, asset, entity, load, of, read, source, stake, table_changes

DATASETS = ("a", "b", "c")
SHARED = ("e1", "e2", "e3")
identifiers = st.fixed_dictionaries(
    {}, optional={"lei": st.sampled_from(("1", "2")), "gem": st.sampled_from(("3", "4"))}
)


@st.composite
def held_of(draw: st.DrawFn, dataset: str) -> tuple[Record, ...]:
    """Records of a load, of which some ids are those of other loads and some references lead nowhere."""
    private = draw(st.booleans()) if dataset == "c" else False
    own = tuple(f"{dataset}{number}" for number in range(3))
    names = draw(st.lists(st.sampled_from((*SHARED, *own)), max_size=5, unique=True))
    told: list[Record] = [source(f"{dataset}/s", dataset, private=private)]
    if draw(st.booleans()):
        told.append(source("shared", dataset, publisher=draw(st.sampled_from(("P", "Q")))))
    for name in names:
        values = {"name": f"{dataset} {name}", "external_ids": draw(identifiers), "private": private}
        cited = draw(st.sampled_from(((), (f"{dataset}/s",), ("shared",))))
        told.append(entity(name, dataset, sources=cited, **values))
    for name in draw(st.lists(st.sampled_from(("p1", "p2", f"{dataset}p")), max_size=2, unique=True)):
        told.append(asset(name, dataset, capacity=draw(st.sampled_from((1, 2))), private=private))
    anybody = st.sampled_from((*SHARED, *own, "nobody"))
    for number in range(draw(st.integers(0, 4))):
        owned = draw(st.sampled_from((*SHARED, *own, "p1", "p2", f"{dataset}p")))
        told.append(stake(owned, draw(anybody), dataset, 40, id=f"{dataset}/{number}", private=private))
    return tuple(told)


Loads = list[tuple[Record, ...]]
loads = st.tuples(*map(held_of, DATASETS)).flatmap(st.permutations)


def dataset_of(held: tuple[Record, ...]) -> str:
    return held[0].dataset


def loaded(*all_loads: tuple[Record, ...]) -> Records:
    now = of()
    for held in all_loads:
        _, now = load(now, *held, dataset=dataset_of(held))
    return now


def lost(stored: Records, now: Records, own: str) -> list[str]:
    """Ids of records of other datasets that are not as they were, but for what was united with an entity."""
    found = []
    for name in RECORD_TYPES:
        for key, before in stored.table(name).items():
            there = now.table(name).get(key)
            if before.dataset == own or there == before:
                continue
            if not (isinstance(before, Entity) and isinstance(there, Entity) and is_more(there, before)):
                found.append(key)
    return found


def is_more(now: Entity, before: Entity) -> bool:
    stays = all(
        getattr(now, name) == getattr(before, name) for name in ("dataset", "name", "type", "private", "checked")
    )
    grown = all(set(getattr(now, name)) >= set(getattr(before, name)) for name in ("aliases", "sources"))
    return stays and grown and now.external_ids.items() >= before.external_ids.items()


@given(loads)
def test_any_load_again_changes_nothing_in_whatever_order(all_loads: Loads) -> None:
    now = of()
    for held in all_loads * 3:  # what one refers to may only come with another
        _, now = load(now, *held, dataset=dataset_of(held))
        again, _ = load(now, *held, dataset=dataset_of(held))
        assert table_changes(now, again) == {}
    for held in all_loads:
        again, _ = load(now, *held, dataset=dataset_of(held))
        assert table_changes(now, again) == {}


@given(loads)
def test_no_load_takes_from_another_and_nothing_dangles(all_loads: Loads) -> None:
    now = of()
    for held in all_loads:
        before = now
        _, now = load(before, *held, dataset=dataset_of(held))
        assert lost(before, now, dataset_of(held)) == []
        for name, references in REFERENCES.items():
            for record in now.table(name).values():
                for column, targets in references.items():
                    cited = getattr(record, column) or ()
                    for key in (cited,) if isinstance(cited, str) else cited:
                        assert any(key in now.table(target) for target in targets), (name, record.id, column)


@given(loads)
def test_every_record_ends_once(all_loads: Loads) -> None:
    stored = loaded(*all_loads[:2])
    held = all_loads[2]
    arrival, now = load(stored, *held, dataset=dataset_of(held))
    there = [now.table(TABLE_OF[type(one)]).get(one.id) for one in held]
    kept = [one.id for one in there if one is not None and one.dataset == dataset_of(held)]
    united = arrival.resolution.same.keys() - set(kept)
    elsewhere = sum(arrival.already_covered.values()) + sum(arrival.dropped.values())
    assert len(held) == len(kept) + len(united) + elsewhere + len(arrival.problems) + len(arrival.notes)


@given(loads)
def test_what_only_private_records_say_is_in_no_public_entity(all_loads: Loads) -> None:
    now = loaded(*all_loads)
    secret = {one.name for held in all_loads for one in held if isinstance(one, Entity) and one.private}
    for one in now.entities.values():
        if not one.private:
            assert not secret & {one.name, *one.aliases, *one.names.values()}
            assert not any(name in (one.note or "") for name in secret)


@given(loads)
def test_appending_removes_nothing_and_what_is_given_is_not_changed(all_loads: Loads) -> None:
    stored = loaded(*all_loads)
    reading = read(*all_loads[0][:1], *all_loads[0][3:])
    before: tuple[Mapping[str, Any], ...] = tuple(
        copy.deepcopy({name: dict(known.table(name)) for name in RECORD_TYPES}) for known in (stored, reading.records)
    )
    arrival = plan_load(stored, reading, dataset_of(all_loads[0]), append=True)
    assert not any(change.removed for change in planned_changes(stored, arrival).values())
    assert [{name: dict(known.table(name)) for name in RECORD_TYPES} for known in (stored, reading.records)] == list(
        before
    )
