"""The small print of a printed map."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from api.exports.view import View
from api.exports.wording import counted, shortened


def note_of(view: View, undrawn: tuple[int, int], day: date, sources: Sequence[str]) -> str:
    """Say where everything comes from, and what a reader must know to read the map rightly.

    ``undrawn`` counts the strikes without a place and the retracted ones; ``day`` is the day of the data.
    """
    missing, retracted = undrawn
    left_out = [counted(missing, "strike") + " without a known place"] if missing else []
    left_out += [counted(retracted, "retracted strike")] if retracted else []
    projection = view.frame.projection
    after = f", after {shortened(sources, 8)}" if sources else ""
    parts = [
        f"Strikes and owners: StrikeAtlas (CC BY 4.0){after}.",
        "Borders: Natural Earth 1:10 million, German point of view (public domain). Places: GeoNames (CC BY 4.0).",
        f"Data of {day.day} {day:%B %Y}. Projection: {projection.name}.",
        "No scale bar: the scale differs over the map." if projection.whole_world else "",
        "Positions are as exact as the reports: those known by settlement are accurate to some kilometres.",
        "Symbols that would cover each other are moved apart a little."
        if len(view.marks) and view.moved.max() > 0.3
        else "",
        f"Not drawn: {' and '.join(left_out)}." if left_out else "",
    ]
    return " ".join(part for part in parts if part)
