"""Which of the strikes and assets that a load adds are probably in the store already, as records of another id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from layers.ingest.load_plan import LoadPlan, TableChange
from layers.model.records import RECORD_TYPES, Records
from layers.resolution.asset_duplicates import propose_assets
from layers.resolution.linkage import DuplicateProposal
from layers.resolution.strike_duplicates import propose_duplicates

_PROPOSE: Mapping[str, Callable[[Records], tuple[DuplicateProposal, ...]]] = MappingProxyType(
    {"strikes": propose_duplicates, "assets": propose_assets}
)


def probable_duplicates(
    stored: Records, plan: LoadPlan, changes: Mapping[str, TableChange]
) -> dict[str, dict[str, tuple[str, float]]]:
    """Find the strikes and assets that a load adds and that are probably one with a record which is there without it.

    Parameters
    ----------
    stored
        All records of the store before the load.
    plan
        The load.
    changes
        What it would change, as ``planned_changes`` returns it.

    Returns
    -------
    dict
        By table and id of each such record: the id of its likeliest twin, and the probability that they are one, at
        least that from which a pair is proposed to a person. A table without any is left out.
    """
    added = {name: {*changes[name].added} for name in _PROPOSE if name in changes and changes[name].added}
    if not added:
        return {}
    removed = {name: {*change.removed} for name, change in changes.items()}
    tables = {
        name: {key: record for key, record in stored.table(name).items() if key not in removed.get(name, ())}
        | dict(plan.records.table(name))
        for name in RECORD_TYPES
    }
    after = Records.of(tables)
    found: dict[str, dict[str, tuple[str, float]]] = {}
    for name, new in added.items():
        if new.issuperset(tables[name]):
            continue
        for proposal in _PROPOSE[name](after):
            one, other = proposal.preferred, proposal.duplicate
            if (one in new) != (other in new):
                record, twin = (one, other) if one in new else (other, one)
                # The likeliest comes first.
                found.setdefault(name, {}).setdefault(record, (twin, proposal.score))
    return found
