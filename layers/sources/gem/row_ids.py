"""The ids of the assets that rows of a tracker become, and which rows say again what an earlier one said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from layers.sources.gem.columns import TrackerRow
from layers.sources.gem.record_builder import gem_id, is_gem_number
from layers.sources.reader.record_builder import short_digest, slug


class RowIds:
    """The ids of the assets of rows: GEM's number, or else project, unit and a digest of both with their page.

    A second row without a number, or with that of a row of the same name and unit, gets a number behind its id. Of
    rows with a number that say the same in each field, only the first is read.
    """

    def __init__(self, rows: Sequence[TrackerRow]) -> None:
        self._shared = Counter(row["plant_id"] for row in rows if not is_gem_number(row["id"]))
        self._ids: dict[int, str] = {}
        self._repeated: set[int] = set()
        first: dict[str, TrackerRow] = {}
        values: set[tuple[str, ...]] = set()
        twins: Counter[str] = Counter()
        for row in rows:
            key = self._id(row)
            before = first.setdefault(key, row)
            twins[key] += 1
            is_numbered = is_gem_number(row["id"])
            is_other = is_numbered and (row["name"], row["unit"]) != (before["name"], before["unit"])
            self._ids[row.line] = key if before is row or is_other else f"{key}/{twins[key]}"
            if is_numbered and row.values in values:
                self._repeated.add(row.line)
                twins[key] -= 1
            values.add(row.values)

    def _id(self, row: TrackerRow) -> str:
        if is_gem_number(row["id"]):
            return gem_id(row["id"])
        if is_gem_number(row["plant_id"]) and self._shared[row["plant_id"]] == 1:
            return gem_id(row["plant_id"])
        return row_id(row)

    def of(self, row: TrackerRow) -> str:
        """Return the id of a row's asset."""
        return self._ids[row.line]

    def is_repeated(self, row: TrackerRow) -> bool:
        """Whether an earlier row of the same number says the same."""
        return row.line in self._repeated


def row_id(row: TrackerRow) -> str:
    """Return the id of a row's asset: GEM's number, or else project, unit and a digest of both with their page."""
    if is_gem_number(row["id"]):
        return gem_id(row["id"])
    digest = short_digest("\n".join((row["url"], row["name"], row["unit"])))
    parts = (slug(row["name"])[:40], slug(row["unit"])[:20], digest)
    return f"gem/unit/{'-'.join(part for part in parts if part)}"
