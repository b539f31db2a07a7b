"""Strikes of a printed map from published rows are those from attributions, whatever was decided of them."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any, get_args

import pytest

from api.exports.printed_map.map_strikes import map_strikes, map_strikes_at
from api.wording.catalogue import text
from layers.model.records import Records
from layers.reference.basemap import Basemap
from layers.reference.map_ground import GroundLanguage
from layers.snapshot.snapshot import Snapshot

LANGUAGES: tuple[GroundLanguage, ...] = get_args(GroundLanguage)


def assert_same_by_rows(snapshot: Snapshot, language: GroundLanguage) -> None:
    ids = [*snapshot.collections["strikes"].ids]
    rows = [*range(0, len(ids), 2), *range(1, len(ids), 2)]
    by_rows = map_strikes_at(snapshot, rows, language)
    answers = [snapshot.answer(ids[row]) for row in rows]
    assert by_rows == map_strikes(snapshot.records, answers, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_bundled_strikes_are_the_same_by_rows_in_each_language(snapshot: Snapshot, language: GroundLanguage) -> None:
    assert_same_by_rows(snapshot, language)


def test_no_rows_are_no_strikes(snapshot: Snapshot) -> None:
    none = map_strikes_at(snapshot, [])
    assert (none.strikes, none.left_out, none.cited) == ([], 0, set())


def test_strikes_are_the_same_by_rows_whatever_was_decided(few_records: Records, base: Basemap) -> None:
    strikes, decisions = dict(few_records.strikes), dict[str, Any]()
    like = next(iter(few_records.decisions.values()))
    keys, depots = [*strikes], [*few_records.assets]

    def decide(strike: str, verdict: str, asset: str | None = None) -> None:
        values = {"strike": strike, "asset": asset, "verdict": verdict, "undoes": None}
        decisions[f"d-{len(decisions)}"] = like.model_copy(update={"id": f"d-{len(decisions)}", **values})

    strikes[keys[0]] = strikes[keys[0]].model_copy(update={"status": "retracted"})
    strikes[keys[1]] = strikes[keys[1]].model_copy(update={"status": "draft", "geometry": None})
    for verdict, strike in zip(("not-a-strike", "none", "unsure"), keys[2:5], strict=True):
        decide(strike, verdict)
    for verdicts, strike in ((("confirmed",) * 2, keys[5]), (("possible",) * 3, keys[6])):
        for asset, verdict in zip(depots, verdicts, strict=False):
            decide(strike, verdict, asset)
    for asset, verdict in zip(depots, ("confirmed", "possible", "confirmed", "possible"), strict=False):
        decide(keys[7], verdict, asset)
    records = dataclasses.replace(few_records, strikes=strikes, decisions=decisions)
    snapshot = Snapshot(records, base, 1, date(2026, 11, 25), wording=text)
    assert_same_by_rows(snapshot, "en")
    drawn = map_strikes_at(snapshot, range(len(keys)))
    assert drawn.left_out == 2, "one is retracted, one was decided to be no strike"
    assert {one.sites for one in drawn.strikes} >= {0, 1, 2, 3}, "three: two confirmed, and one of two possible ones"
    assert any(one.alternatives for one in drawn.strikes)
