"""Which newer versions of events tell of other events under their ids: on another day, at another place or point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import shapely

from geo.spatial_join.geodesic_distance import far_between_points
from layers.model import edtf
from layers.model.records import Strike

#: Metres that a point may move and be the same: more than rounding to two decimals of a degree, or than a town is wide.
_SAME_M = 5_000.0


def other_events(before: Sequence[Strike], after: Sequence[Strike]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the id of each event that became another, and the columns that say so: "when", "place" and "geometry".

    ``before`` and ``after`` are two versions of each. Times differ if they have no day in common; points, if they are
    more than 5 km apart and farther than either is uncertain; places, if they share no name, whatever its case, and no
    two points show that they are one. What is corrected a little, or more exact, makes no other event.
    """
    points = (np.array([event.geometry for event in side], object) for side in (before, after))
    metres = far_between_points(*(np.column_stack([shapely.get_x(side), shapely.get_y(side)]) for side in points))
    for was, now, apart in zip(before, after, metres, strict=True):
        days = edtf.parse(now.when)
        named = ({" ".join(n.casefold().split()) for n in (one.place, *one.places.values())} for one in (was, now))
        differs = {
            "when": not edtf.parse(was.when).may_overlap(days.earliest, days.latest),
            "place": not apart <= _SAME_M and set.isdisjoint(*named),
            "geometry": apart > max(_SAME_M, was.uncertainty_m or 0, now.uncertainty_m or 0),
        }
        if any(differs.values()):
            yield was.id, tuple(column for column, is_other in differs.items() if is_other)
