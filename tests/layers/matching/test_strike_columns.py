"""Strikes of the same texts are read once, and are as each is alone."""

from __future__ import annotations

from dataclasses import fields
from unittest import mock

import numpy as np

from layers.matching import strike_columns
from layers.matching.asset_index import index_of
from layers.matching.strike_columns import StrikeColumns
from layers.model.records import Records
from layers.reference.regions import regions_named


def test_strikes_of_the_same_texts_are_as_each_alone(records: Records) -> None:
    names = index_of(records).names
    first = [strike for strike in list(records.strikes.values())[:60] if strike.host_country]
    # The same texts elsewhere, and with other stated kinds, which say something else.
    moved = [strike.model_copy(update={"host_country": "FR", "geometry": None}) for strike in first]
    others = [strike.model_copy(update={"target_kinds": ("bridge",)}) for strike in first]
    strikes = [*first, *moved, *first, *others]
    together = StrikeColumns.of(strikes, names)
    for row, strike in enumerate(strikes):
        alone, one = StrikeColumns.of([strike], names), together.rows(np.array([row]))
        for field in fields(StrikeColumns):
            expected, found = getattr(alone, field.name), getattr(one, field.name)
            if field.name in ("words", "site_names"):
                expected, found = expected.values, found.values
            assert found.tolist() == expected.tolist(), field.name
            assert found.dtype == expected.dtype


def test_each_different_text_is_read_once(records: Records) -> None:
    names, strike = index_of(records).names, next(iter(records.strikes.values()))
    with mock.patch.object(strike_columns, "regions_named", wraps=regions_named) as asked:
        StrikeColumns.of([strike], names)
        once = asked.call_count
        StrikeColumns.of([strike] * 5, names)
    assert asked.call_count == 2 * once
