"""A page of features that are answered together, and what a format of features declares of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from api.requests.crs import project
from api.requests.negotiation import MediaFormat
from api.requests.query_parameters import Representation
from geo.lonlat import Objects
from layers.collections.collection import Collection, Rows

Link = Mapping[str, str]


@dataclass(frozen=True)
class FeaturePage:
    """Features of a collection, or one feature.

    Parameters
    ----------
    rows
        Rows of the collection in the order of the page, shape (n,).
    matched
        How many features the request selects, those of other pages included.
    timestamp
        Time of the version of the data, RFC 3339.
    """

    collection: Collection
    rows: Rows
    representation: Representation
    links: Sequence[Link]
    matched: int
    timestamp: str

    @property
    def collection_members(self) -> Mapping[str, object]:
        """Members of the feature collection besides its features."""
        return {
            "links": self.links,
            "numberMatched": self.matched,
            "numberReturned": len(self.rows),
            "timeStamp": self.timestamp,
        }

    @property
    def property_names(self) -> tuple[str, ...]:
        """Names of the properties that the request wants, in the order of the columns."""
        wanted = self.representation.properties
        return tuple(column.name for column in self.collection.columns if wanted is None or column.name in wanted)

    def shapes(self) -> Objects:
        """Return the geometry of each row, shape (n,), in the coordinate system of the representation.

        Coordinates are in the axis order of the authority. ``None`` where a feature has no geometry, has no place in
        the system, or the request wants no geometries.
        """
        shapes: Objects = self.collection.shapes_at(self.rows)
        if not self.representation.geometry:
            shapes[:] = None
        return project(shapes, self.representation.crs)


@dataclass(frozen=True)
class FeatureFormat:
    """One format of features; `api.formats.registry` lists them.

    Parameters
    ----------
    media
        Its name, media type and title.
    write
        Writes a page of a collection as bytes.
    write_feature
        Writes the one feature of a page; ``None`` where single features do not have the format.
    """

    media: MediaFormat
    write: Callable[[FeaturePage], bytes]
    write_feature: Callable[[FeaturePage], bytes] | None = None
