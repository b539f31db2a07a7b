"""Records made one: what is merged is united with the record kept, and whatever names it is pointed at that one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from layers.decisions.identity import JUDGED
from layers.model.records import REFERENCES, Record, Records
from layers.resolution import merge_entities, merge_strikes


@dataclass(frozen=True)
class Merged:
    """Records after a merge: ``kept`` says which record each merged one became, ``remarks`` what else changed."""

    records: Records
    kept: Mapping[str, str]
    remarks: tuple[str, ...]


def merge(records: Records, kept: Mapping[str, str]) -> Merged:
    """Unite entities and strikes and point every reference at the ones kept. Judgements stay as they are.

    Only ids of one table are merged. Stakes of an entity in itself that appear by it are dropped, and stakes that
    say the same twice count once; both are said. What a merged strike says otherwise becomes claims. Without
    anything to merge the records are given back as they are.
    """
    here = {noun: _present(records.table(noun), kept) for noun in JUDGED}
    if not any(here.values()):
        return Merged(records, {}, ())
    tables = {table: _pointed(records, table, here) for table in REFERENCES if table != "identities"}
    tables |= {table: dict(records.table(table)) for table in ("sources", "identities")}
    remarks: tuple[str, ...] = ()
    if here["entities"]:
        tables["entities"] = dict(merge_entities.united(records.entities, here["entities"]))
        tables["stakes"], remarks = merge_entities.settled(records, tables["stakes"])
    if here["strikes"]:
        strikes, claims = merge_strikes.united(records.strikes, here["strikes"])
        tables["strikes"] = dict(strikes)
        tables["claims"] = {**tables["claims"], **claims}
    return Merged(Records.of(tables), {**here["entities"], **here["strikes"]}, remarks)


def says_no_more(one: Record, other: Record, *besides: str) -> bool:
    """Whether another record of the same id says all that one does, but for its load and what is named ``besides``.

    What a record leaves empty it does not say.
    """
    return one.private == other.private and all(
        getattr(one, name) in (getattr(other, name), field.get_default(call_default_factory=True))
        for name, field in type(one).model_fields.items()
        if name not in ("dataset", *besides)
    )


def _present(table: Mapping[str, Record], kept: Mapping[str, str]) -> dict[str, str]:
    return {other: one for other, one in kept.items() if other in table and one in table}


def _pointed(records: Records, table: str, kept: Mapping[str, Mapping[str, str]]) -> dict[str, Record]:
    """A table with references to merged records moved to those kept; the rows that change are copies."""
    columns = {
        column: {other: one for noun in JUDGED if noun in targets for other, one in kept[noun].items()}
        for column, targets in REFERENCES[table].items()
        if set(targets) & set(JUDGED)
    }
    made: dict[str, Record] = {}
    for name, record in records.table(table).items():
        changed = {column: moved[at] for column, moved in columns.items() if (at := getattr(record, column)) in moved}
        made[name] = record.model_copy(update=changed) if changed else record
    return made
