"""A page of features that are answered together, what files say of them, and what a format declares of itself."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import BinaryIO, TypeAlias

from api.http.json import Json
from api.requests.crs import project
from api.requests.negotiation import MediaFormat
from api.requests.query_parameters import DEFAULT_ORDERS, Representation
from api.serializers.policy import summary, withheld
from api.settings import Settings
from geo.columnar.lazy_array import to_numpy
from geo.lonlat import Objects
from layers.collections.collection import Collection, Rows
from layers.corrections.log import PublishedVersion
from layers.query.keyset_cursor import with_tiebreak
from layers.query.selection import Selection, rows
from layers.store.history_chain import EMPTY, Head
from layers.store.record_table import texts

Link = Mapping[str, str]
Piece: TypeAlias = bytes | memoryview
#: Rows that are written at once, so that memory does not grow with a file; also those of a row group of GeoParquet.
PART_ROWS = 16_384


@dataclass(frozen=True)
class FileMetadata:
    """What each file of one version of the data says of it.

    Parameters
    ----------
    licence
        Address of the licence of the records.
    attribution
        Who is to be named.
    data_date
        Day of the data.
    head
        Row of history that the data are of; ``None`` of records that are in no store.
    withheld
        Number of records that are withheld, or published in part, by reason and table.
    remarks
        The same in words.
    licences
        Publishers whose data has a licence of its own, by that licence.
    """

    licence: str
    attribution: str
    data_date: date
    head: Head | None
    withheld: Mapping[str, Mapping[str, int]]
    remarks: Sequence[str]
    licences: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, version: PublishedVersion, settings: Settings) -> FileMetadata:
        """Describe what is published of a store whose history ends at a head."""
        licences = defaultdict[str, set[str]](set)
        sources = version.snapshot.records.sources
        for key, licence in texts(sources, "licence"):
            if licence:
                licences[licence].add(sources[key].publisher)
        return cls(
            licence=settings.licence,
            attribution=settings.attribution,
            data_date=version.snapshot.data_date,
            head=None if version.head == EMPTY else version.head,
            withheld=withheld(version.disclosure),
            remarks=tuple(summary(version.disclosure)),
            licences={name: tuple(sorted(licences[name])) for name in sorted(licences)},
        )

    @property
    def values(self) -> Json:
        """All of it as JSON values; nothing is withheld where ``withheld`` is empty."""
        return {
            "license": self.licence,
            "attribution": self.attribution,
            "dataDate": self.data_date.isoformat(),
            "history": self.head and {"hash": self.head.hash, "at": self.head.at},
            "withheld": {reason: dict(counts) for reason, counts in self.withheld.items()},
            "remarks": list(self.remarks),
            "sourceLicenses": {name: list(publishers) for name, publishers in self.licences.items()},
        }

    @property
    def lines(self) -> Sequence[tuple[str, str]]:
        """All of it as names with texts, for forms that hold text alone."""
        head = self.head
        history = "none" if head is None else f"{head.hash}, {head.at or 'without a time'}"
        return (
            ("Licence", self.licence),
            ("Attribution", self.attribution),
            ("Day of the data", self.data_date.isoformat()),
            ("Version (head of the history)", history),
            ("Withheld", " ".join(self.remarks) or "Nothing."),
            *((f"Data under {name}", "; ".join(publishers)) for name, publishers in self.licences.items()),
        )

    @property
    def text(self) -> str:
        """All of it as lines of text."""
        return "\n".join(f"{name}: {text}" for name, text in self.lines)


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
    metadata
        What is said of the data of that version.
    is_ordered
        Whether the request names an order, which files then have too.
    possible
        Of strikes, the ids of those of the page that may, and not surely do, satisfy the conditions and days of the
        request; ``None`` where it has none.
    """

    collection: Collection
    rows: Rows
    representation: Representation
    links: Sequence[Link]
    matched: int
    timestamp: str
    metadata: FileMetadata | None = None
    is_ordered: bool = False
    possible: Sequence[str] | None = None

    @classmethod
    def of_file(
        cls, collection: Collection, selection: Selection, metadata: FileMetadata, changed: datetime
    ) -> FeaturePage:
        """All features of a selection, with all properties, in lon/lat, as they are written to a file.

        Parameters
        ----------
        selection
            Which features; where it names no order, that of the HTTP API.
        changed
            When the data was changed last, in UTC.
        """
        ordered = replace(selection, order=selection.order or DEFAULT_ORDERS.get(collection.name, ()))
        found = to_numpy(rows(collection, with_tiebreak(ordered)))
        links = [{"rel": "license", "href": metadata.licence, "type": "text/html", "title": "Licence of the records"}]
        return cls(
            collection,
            found,
            Representation(),
            links,
            len(found),
            f"{changed:%Y-%m-%dT%H:%M:%SZ}",
            metadata,
            is_ordered=bool(selection.order),
        )

    @property
    def about(self) -> Json:
        """What a file of the page says of itself, as JSON values."""
        known = {} if self.metadata is None else self.metadata.values
        return {"title": self.collection.title, "description": self.collection.description, **known}

    @property
    def collection_members(self) -> Mapping[str, object]:
        """Members of the feature collection besides its features."""
        return {
            "links": self.links,
            "numberMatched": self.matched,
            "numberReturned": len(self.rows),
            "timeStamp": self.timestamp,
            **({} if self.possible is None else {"possible": self.possible}),
            **({} if self.metadata is None else {"metadata": self.metadata.values}),
        }

    @property
    def property_names(self) -> tuple[str, ...]:
        """Names of the properties that the request wants, in the order of the columns."""
        wanted = self.representation.properties
        return tuple(column.name for column in self.collection.columns if wanted is None or column.name in wanted)

    def parts(self, size: int = PART_ROWS) -> Iterator[FeaturePage]:
        """Give the page in parts of at most ``size`` rows, in order; of a page without rows, one that has none."""
        for begin in range(0, max(len(self.rows), 1), size):
            yield replace(self, rows=self.rows[begin : begin + size])

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
    write_to
        Writes a page of a collection to an open file, part by part: what it holds does not grow with the page, but for
        some bytes a row where rows are ordered in space.
    write_feature
        Writes the one feature of a page; ``None`` where single features do not have the format.
    pieces
        Gives a page of a collection as bytes to be joined; ``None`` where the format is written to a file alone.
    """

    media: MediaFormat
    write_to: Callable[[FeaturePage, BinaryIO], None]
    write_feature: Callable[[FeaturePage], bytes] | None = None
    pieces: Callable[[FeaturePage], Iterable[Piece]] | None = None

    @classmethod
    def of_pieces(
        cls,
        media: MediaFormat,
        pieces: Callable[[FeaturePage], Iterable[Piece]],
        write_feature: Callable[[FeaturePage], bytes] | None = None,
    ) -> FeatureFormat:
        """Return a format whose pages are given as bytes to be joined."""
        return cls(media, lambda page, out: out.writelines(pieces(page)), write_feature, pieces)

    def write(self, page: FeaturePage) -> bytes:
        """Write a page of a collection as bytes."""
        # Joined once: a file in memory that grows takes new pages of memory for each large answer.
        return b"".join(self.in_pieces(page))

    def in_pieces(self, page: FeaturePage) -> Sequence[Piece]:
        """Write a page of a collection as bytes to be joined, a single one where it is written to a file."""
        if self.pieces is not None:
            return [*self.pieces(page)]
        body = io.BytesIO()
        self.write_to(page, body)
        return [body.getvalue()]
