"""Days that may be read with the month first are asked about, and no others."""

from __future__ import annotations

import pytest

from layers.sources.column_mapping.draft.columns import ColumnProfile


@pytest.mark.parametrize(
    ("cells", "form", "other"),
    [
        (["04/10/2025", "01/02/2025"], "D/M/YYYY", "M/D/YYYY"),
        (["04/10/2025", "31/03/2025"], "D/M/YYYY", None),
        (["10/31/2025"], "M/D/YYYY", None),
        (["04.10.2025"], "D.M.YYYY", None),
    ],
)
def test_the_other_order_reads_all_cells_or_is_none(cells: list[str], form: str, other: str | None) -> None:
    profile = ColumnProfile("Date", cells, len(cells), "date")
    assert (profile.date_formats or ())[0] == form
    assert profile.other_order(form) == other
