"""Some strikes of the bundled records with all that they are based on, for tests whose subject is not all records."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from layers.model.records import RECORD_TYPES, REFERENCES, Record, Records
from layers.store.history_pages import RecordKey

#: Strikes that tests name: on depots, pipelines and plants in four countries, whose owners are of others.
FEW = (
    "qa-ras-laffan-2026-03-02",
    "ru-cpc-kropotkinskaya-2025-02-17",
    "ru-cpc-kropotkinskaya-2025-03-24",
    "ru-cpc-terminal-2025-11-25",
    "sa-abqaiq-khurais-2019-09-14",
    "ua-az-embassy-2025-08-28",
    "ua-baykar-2025-08-28",
    "ua-flex-2025-08-21",
    "ua-orlivka-2025-08-06",
    "ua-pmi-kharkiv-2026-01-30",
    "ua-socar-depot-2025-08-08",
    "ua-socar-depot-2025-08-18",
    "ua-socar-station-2025-08-18",
)
#: By which columns a record is about others: it belongs to them, where all that it is about are there.
_ABOUT: Mapping[str, tuple[str, ...]] = {
    "claims": ("record",),
    "stakes": ("owned",),
    "relations": ("asset", "strike"),
    "controls": ("controlled",),
    "conditions": ("asset", "strike"),
    "decisions": ("strike",),
    "identities": ("one", "other"),
}


def with_all_they_rest_on(records: Records, strikes: Collection[str]) -> Records:
    """Strikes with what is recorded about them, the assets that were hit, their owners, and the sources of it all."""
    known: set[RecordKey] = set()
    new: set[RecordKey] = {("strikes", key) for key in strikes}
    while new:
        known |= new
        ids = {key for _, key in known}
        new = {found for key in new for found in _referred(records, *key)}
        new |= {(name, key) for name in _ABOUT for key, one in records.table(name).items() if _is_about(one, name, ids)}
        new -= known
    return Records.of(
        {name: {key: one for key, one in records.table(name).items() if (name, key) in known} for name in RECORD_TYPES}
    )


def _referred(records: Records, table: str, key: str) -> Iterator[RecordKey]:
    """What a record refers to."""
    for column, targets in REFERENCES.get(table, {}).items():
        value = getattr(records.table(table)[key], column)
        for one in value if isinstance(value, tuple) else (value,):
            yield from ((target, one) for target in targets if one in records.table(target))


def _is_about(record: Record, table: str, ids: Collection[str]) -> bool:
    named = [getattr(record, column) for column in _ABOUT[table]]
    return all(one is None or one in ids for one in named)
