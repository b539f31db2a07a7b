"""A collection after an edit: what follows from its rows is taken over, and from others mended."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from geo import geojson
from geo.columnar import chunked_array
from geo.columnar.dictionary_array import Coded, RowOf
from geo.columnar.row_edit import Splice
from layers.collections.collection import MASK, Box, Collection, Places, as_objects, digest_of
from layers.collections.feature_table import FeatureTable


def spliced(own: Collection, other: Collection, splice: Splice) -> Collection:
    """The rows of a collection and, after them, of another, as a splice has them.

    None is made again, and no array of many rows is copied.
    """
    if splice.is_same:
        return own
    shapes = chunked_array.spliced(own.cut, other.cut, splice)
    uncut = own.is_uncut and other.is_uncut
    places = (
        shapes if uncut else chunked_array.spliced(as_objects(own.geometries), as_objects(other.geometries), splice)
    )
    made = _with(own, own.features.spliced(other.features, splice), places)
    told = vars(made)
    told.update(
        cut=shapes,
        is_uncut=uncut,
        former=(splice, own.recent.kept("order")),
        fragments=own.fragments.spliced(other.fragments, splice),
        digest=_digest(own, other, splice),
        drawn=_drawn(own, other, splice, made),
        rows_by_id=RowOf(made.ids, own.rows_by_id),
    )
    if _stays(own, other, splice):
        share_places(own, made)
        told["layer"] = own.layer.under(made.shown())
    else:
        _join_places(own, other, splice, made)
    if "spans" in vars(own):
        told["spans"] = _both(own.spans, other.spans, splice)
    made.share_values(own)
    return made


def under(own: Collection, features: FeatureTable[Any]) -> Collection:
    """The same places with other properties, a row for each as they are; the geometry is not made ready again."""
    made = _with(own, features, own.geometries)
    share_places(own, made)
    vars(made)["fragments"] = made.serialised(lambda rows: [*map(geojson.member, own.fragments[rows])])
    vars(made)["layer"] = own.layer.under(made.shown())
    return made


def share_places(own: Collection, made: Collection) -> None:
    """Give what is known of places to a collection whose places are the same."""
    kept = ("cut", "is_uncut", "bounds", "tree", "_placeless")
    # Points and which rows have a place are quickly told of files; of shapes all would have to be made first.
    vars(made).update(
        {name: vars(own)[name] for name in kept if name in vars(own)}, lonlat=own.lonlat, placed=own.placed
    )


def _with(own: Collection, features: FeatureTable[Any], places: Places) -> Collection:
    return Collection(own.name, own.title, own.description, own.model, features, places)


def _digest(own: Collection, other: Collection, splice: Splice) -> int:
    less = sum(map(digest_of, own.fragments.taken(splice.gone)))
    more = sum(map(digest_of, other.fragments.taken(splice.came)))
    return (own.digest + more - less) & MASK


def _drawn(own: Collection, other: Collection, splice: Splice, made: Collection) -> dict[str, Coded]:
    """The columns as tile values; those that are such values are not spliced twice."""
    kept = made.features.columns
    some = [one for one in (own, other) if len(one)]
    plain = {name for name in kept if all(one.drawn[name] is one.features.columns[name] for one in some)}
    return {name: kept[name] if name in plain else own.drawn[name].spliced(other.drawn[name], splice) for name in kept}


def _stays(own: Collection, other: Collection, splice: Splice) -> bool:
    """Whether each row is where it was."""
    pair = own.cut[splice.gone], other.cut[splice.came]
    return splice.is_in_place and bool(np.all(shapely.equals_identical(*pair)))


def _join_places(own: Collection, other: Collection, splice: Splice, made: Collection) -> None:
    """Give what is quickly mended of all that follows from the places, to a collection of other places."""
    told = vars(made)
    told["placed"] = chunked_array.spliced(own.placed, other.placed, splice)
    if own.layer.is_points and other.layer.is_points:
        told["layer"] = own.layer.spliced(other.layer, splice, made.shown())
    if own.lonlat is not None and other.lonlat is not None:
        told["lonlat"] = _both(own.lonlat, other.lonlat, splice)
    bounds = _bounds(own, other, splice)
    if bounds is not None:
        told["bounds"] = bounds


def _bounds(own: Collection, other: Collection, splice: Splice) -> Box | None:
    """Bounds after an edit; ``None`` where they are not known before, or a row that goes may have made them."""
    before = vars(own).get("bounds")
    if before is None or not len(splice):
        return None
    # With one that is missing, as there are no bounds of nothing at all.
    gone, came = (shapely.total_bounds([*some, None]) for some in (own.cut[splice.gone], other.cut[splice.came]))
    if (gone == before).any():
        return None
    edges = [edge(one, two) for edge, one, two in zip(_WIDER, before, came, strict=True)]
    west, south, east, north = map(float, edges)
    return west, south, east, north


#: The wider of two edges, west, south, east and north; NaN is none.
_WIDER = (np.fmin, np.fmin, np.fmax, np.fmax)


def _both(
    own: tuple[chunked_array.Array, chunked_array.Array],
    other: tuple[chunked_array.Array, chunked_array.Array],
    splice: Splice,
) -> Any:
    return tuple(chunked_array.spliced(one, two, splice) for one, two in zip(own, other, strict=True))
