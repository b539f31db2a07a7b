"""Symbols that a share fills: as much of their area as the share, and of what is not known as much hatched."""

from __future__ import annotations

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from api.exports.text import STATIC
from api.rendering.canvas import style_table
from api.rendering.png import drawn_share, filled_parts, share_symbol
from layers.collections.feature_types import share_in, shares_text
from layers.ownership.walk import Interval
from layers.query.strike_ties import StrikeConditions, tie_of_country
from layers.query.strike_truth import stands
from layers.snapshot.snapshot import Snapshot

_GROUPS = style_table(STATIC / "style-table.json")["group"]
_PERCENT = st.integers(0, 10_000).map(lambda n: n / 100)


@pytest.mark.parametrize("group", _GROUPS)
@pytest.mark.parametrize("low", [0.0, 0.1, 0.5, 0.95, 1.0])
def test_the_filled_part_of_a_symbol_is_the_share(group: str, low: float) -> None:
    whole, nothing = filled_parts(_GROUPS[group], 1.0, 1.0)
    full, hatch = filled_parts(_GROUPS[group], low, 1.0)
    assert full.area == pytest.approx(low * whole.area, abs=0.02 * whole.area)
    assert nothing.area == pytest.approx(0, abs=1e-6)
    assert whole.buffer(1e-6).covers(shapely.union(full, hatch))
    assert full.intersection(hatch).area == pytest.approx(0, abs=1e-6)
    assert (hatch.area > 0) == (low < 1)


@given(_PERCENT, _PERCENT)
def test_a_larger_share_is_drawn_no_smaller_and_some_is_never_none_or_all(a: float, b: float) -> None:
    least, most = sorted((a, b))
    assert drawn_share(least) <= drawn_share(most)
    assert (drawn_share(a) == 0) == (a == 0)
    assert (drawn_share(a) == 1) == (a == 100)


@given(st.dictionaries(st.sampled_from(["AZ", "GB", "RU", "UA"]), st.tuples(_PERCENT, _PERCENT).map(sorted)), _PERCENT)
def test_the_share_of_a_country_is_read_as_it_was_written(bounds: dict[str, list[float]], rest: float) -> None:
    written = shares_text({country: Interval(*pair) for country, pair in bounds.items()}, Interval(0, rest))
    for country in ("AZ", "GB", "RU", "UA", "FR"):
        assert share_in(written, country) == pytest.approx(tuple(bounds.get(country, (0, 0))))
    assert share_in(None, "AZ") == (0, 0)


@pytest.mark.parametrize("country", ["AZ", "RU", "GB"])
def test_a_strike_is_sure_where_it_is_counted_as_sure(snapshot: Snapshot, country: str) -> None:
    strikes = snapshot.collections["strikes"]
    tie = tie_of_country(snapshot.collections, StrikeConditions(relation="owner", country=country), country)
    drawn = [share_symbol(strikes, row, "oil", country).is_sure for row in range(len(strikes))]
    assert drawn == (tie.sure & stands(strikes)).tolist()
    assert (tie.may & ~tie.sure).any() or country != "RU"
