"""Publishers' words for statuses and years."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.model import edtf
from layers.sources.reader.cell_values import edtf_year, operating_status


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("operating", "operating"), ("Operating", "operating"), ("operating_pre-retirement", "operating"),
        ("cancelled - inferred 4 y", "cancelled"), ("shelved - inferred 2 y", "shelved"), ("Canceled", "cancelled"),
        ("pre-construction", "pre-construction"), ("Pre-permit", "pre-construction"), ("permitted", "pre-construction"),
        ("proposed_plus", "proposed"), ("mothballed-plus", "mothballed"), ("shut in", "idle"), ("shut-in", "idle"),
        ("in-development", "construction"), ("under construction", "construction"), ("discovered", "proposed"),
        ("retired (2019)", "retired"), ("abandoned", "retired"), ("decommissioned", "retired"), (" idle ", "idle"),
        ("not found", None), ("unknown", None), ("", None), ("pining for the fjords", None),
    ],
)  # fmt: skip
def test_words_for_a_status(text: str, expected: str | None) -> None:
    assert operating_status(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2005", "2005"), ("2005.0", "2005"), ("1987.35", "1987"), ("2025 (expected)", "2025"),
        ("1984-05-09", "1984-05-09"), ("1984-05", "1984-05"), ("2019-2021", "2019/2021"), ("2010/2012", "2010/2012"),
        ("2019-02-31", "2019"),
        ("2021-2019", "2021"), ("20051", None), ("TBD", None), ("", None), ("before 1990", None), ("0", None),
    ],
)  # fmt: skip
def test_years(text: str, expected: str | None) -> None:
    assert edtf_year(text) == expected


@given(st.text("0123456789-/. ()x", max_size=16))
def test_a_year_is_edtf_or_nothing(text: str) -> None:
    stated = edtf_year(text)
    assert stated is None or edtf.parse(stated).text == stated
