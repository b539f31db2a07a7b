"""Features that are answered together: one page of a collection, or one feature, and how they are to be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.requests.crs import project
from api.requests.representation import Telling
from geo.lonlat import Objects
from layers.collections.collection import Collection, Rows

Link = Mapping[str, str]


@dataclass(frozen=True)
class Page:
    """Features of a collection in the order of ``rows``; ``matched`` counts all that the request selects."""

    collection: Collection
    rows: Rows
    telling: Telling
    links: Sequence[Link]
    matched: int
    stamp: str

    @property
    def members(self) -> Mapping[str, object]:
        """What a feature collection of the page tells besides its features."""
        return {
            "links": self.links,
            "numberMatched": self.matched,
            "numberReturned": len(self.rows),
            "timeStamp": self.stamp,
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the properties that are told, in the order of the columns."""
        asked = self.telling.properties
        return tuple(column.name for column in self.collection.columns if asked is None or column.name in asked)

    def shapes(self) -> Objects:
        """The geometries in the system asked for; None where there is none, or none is asked for."""
        shapes: Objects = self.collection.shapes_at(self.rows)
        if not self.telling.geometry:
            shapes[:] = None
        return project(shapes, self.telling.crs)
