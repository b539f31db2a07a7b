"""The versions of the store's schema, and the steps between them, in order: a new version is a module and a line here.

A step spells its own SQL and names no table by way of the record types, which belong to the newest version alone. What
a step defines and no later one changes, such as a trigger, `layers.store.create` takes from there for new files.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from layers.store.migrations import (
    m0001_complete_columns,
    m0002_history_chain,
    m0003_private_datasets,
    m0004_idempotency_keys,
    m0005_history_indexes,
    m0006_history_reasons,
    m0007_operating_status,
    m0008_asset_judgements,
    m0009_heat,
    m0010_conditions,
    m0011_languages,
    m0012_salted_history,
)


@dataclass(frozen=True)
class Migration:
    """A step to a version of the schema.

    Parameters
    ----------
    version
        The version that a file has after the step.
    title
        What the step does, as `strikeatlas upgrade` says it.
    minimum_reader
        The lowest version whose programs read a file of this version rightly. Raise it where a program that does not
        know the change would give wrong answers, such as showing what is private.
    apply
        Makes the change within the caller's transaction, with the GeoPackage functions at hand.
    """

    version: int
    title: str
    minimum_reader: int
    apply: Callable[[sqlite3.Connection], None]


#: Every step in order. The first is for files of version 1, which were of several kinds, and leaves them at 1.
MIGRATIONS: Sequence[Migration] = (
    Migration(1, m0001_complete_columns.TITLE, 1, m0001_complete_columns.apply),
    Migration(2, m0002_history_chain.TITLE, 2, m0002_history_chain.apply),
    Migration(3, m0003_private_datasets.TITLE, 3, m0003_private_datasets.apply),
    Migration(4, m0004_idempotency_keys.TITLE, 2, m0004_idempotency_keys.apply),
    Migration(5, m0005_history_indexes.TITLE, 3, m0005_history_indexes.apply),
    # To a program that knows no reasons the hash of a row with one is wrong.
    Migration(6, m0006_history_reasons.TITLE, 6, m0006_history_reasons.apply),
    # Rows of history hold values of the new columns, which a program that does not know them refuses to restore.
    Migration(7, m0007_operating_status.TITLE, 7, m0007_operating_status.apply),
    # A program that merges no assets shows them side by side, as before they were judged.
    Migration(8, m0008_asset_judgements.TITLE, 7, m0008_asset_judgements.apply),
    # A program that knows no heat gives the answers that it gave before.
    Migration(9, m0009_heat.TITLE, 7, m0009_heat.apply),
    # Rows of history hold conditions and the new columns, which a program that does not know them refuses to restore.
    Migration(10, m0010_conditions.TITLE, 10, m0010_conditions.apply),
    # Rows of history hold the new columns, which a program that does not know them refuses to restore.
    Migration(11, m0011_languages.TITLE, 11, m0011_languages.apply),
    # To a program that knows no salts every hash is wrong; one that knows no policy publishes what it withholds.
    Migration(12, m0012_salted_history.TITLE, 12, m0012_salted_history.apply),
)
#: Version of the schema that this program writes.
SCHEMA_VERSION = MIGRATIONS[-1].version
#: The lowest version whose programs may read a file that this program writes.
MINIMUM_READER_VERSION = max(migration.minimum_reader for migration in MIGRATIONS)
