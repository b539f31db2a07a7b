"""The terms of a column mapping: its tables and keys, the columns that it may name, and a parsed mapping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin

from layers.model.records import RECORD_TYPES
from layers.sources.reader.date_format import DateFormat

#: Tables of records that a mapping can fill.
MAPPED_TABLES = ("strikes", "assets", "entities", "stakes", "relations")
#: Record columns that the reader fills itself; a mapping cannot name them.
READER_COLUMNS = ("dataset", "private", "sources", "source", "place_source")
#: Columns that a mapping may name for the location of a record: degrees, pairs of degrees, or well-known text.
PLACE_COLUMNS = ("lon", "lat", "latlon", "lonlat", "wkt")
#: Those among them that may be constants.
FIXED_PLACES = ("lon", "lat", "wkt")
#: Columns that a mapping may name beside those of the record, by table: ``source_url`` adds a source, ``weapon`` a
#: weapon by its kind, ``owner`` a company with a stake, which ``owner_share`` gives as written, ``owner_country`` where
#: that company is registered, ``operator`` a company with a relation; ``share`` gives both bounds of a stake as
#: written.
SIDE_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "strikes": ("source_url", "weapon"),
    "assets": ("source_url", "owner", "owner_share", "owner_country", "operator"),
    "entities": ("owner", "owner_share", "owner_country"),
    "stakes": ("share",),
}
#: Columns that hold days.
DATE_COLUMNS = ("when", "since", "until")
#: Columns that refer to records by their ids.
REFERENCE_COLUMNS = ("asset", "entity", "owned", "owner", "strike", "part_of")
#: Those among them whose cells may be names, by table.
NAMED_COLUMNS: Mapping[str, tuple[str, ...]] = {"stakes": ("owned", "owner"), "relations": ("asset", "entity")}
#: Columns that hold the ISO 3166-1 code of a country.
COUNTRY_COLUMNS = ("host_country", "registered_in", "headquartered_in")
#: Columns of shares as written.
SHARE_COLUMNS = ("share", "owner_share")
#: Percentage points of a 1 in a unit of shares.
POINTS: Mapping[str, float] = {"%": 1.0, "fraction": 100.0}
#: Metres in a unit.
METRES: Mapping[str, float] = {"m": 1.0, "km": 1000.0, "mi": 1609.344, "ft": 0.3048, "nmi": 1852.0}
#: The key of a table that stands for every word, or column, that the table does not list.
ANY_OTHER = "*"
#: The name of a feature's geometry among the columns that an id is made of, and among those that say nothing.
GEOMETRY = "geometry"
#: The grammars of owner columns.
GRAMMARS = ("gem",)
#: Where the id of a row comes from that has no column of its own.
IdOrigin = Literal["row", "join", "hash", "name"]
ORIGINS: tuple[IdOrigin, ...] = get_args(IdOrigin)
#: What a row makes whose id an earlier row has: a fault, a record with a number behind the id, or nothing.
Repeated = Literal["error", "number", "first"]
REPEATED: tuple[Repeated, ...] = get_args(Repeated)


@dataclass(frozen=True, slots=True)
class RowId:
    """Where the ids of rows come from that no column of ids gives.

    ``row`` is the number of the row, ``join`` are ``columns`` of the file one after the other, ``hash`` is a digest of
    them, ``name`` is the name of an entity, whose equal names are one. None: a column of the file has the ids.
    """

    origin: IdOrigin | None = None
    columns: tuple[str, ...] = ()
    repeated: Repeated = "error"


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """A parsed mapping file: record columns to file columns, constants, and how the file spells values.

    ``columns`` name a part of an object by ``names.uk`` or ``external_ids.lei``. ``values`` give the word of the
    schema for each word of the file, by record column; ``*`` is for all others. ``lists`` give the sign between
    several values, ``units`` the metres in the unit of a distance and the percentage points in that of a share,
    ``dates`` how days are written. ``blank`` gives the value of an empty cell, ``empty`` the words of a cell that say
    nothing. ``by_name`` are columns that refer to records by their names, ``grammar`` that of an owner column.
    ``rows`` is the path to the rows of a JSON document, ``file`` the pattern of the names of the files that are read,
    and ``further`` are the mappings of the other tables of one mapping file.
    """

    table: str
    source: Mapping[str, str]
    columns: Mapping[str, str]
    constants: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    dates: Mapping[str, tuple[DateFormat, ...]] = field(default_factory=dict)
    units: Mapping[str, float] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)
    decimal: str = "."
    layer: str | None = None
    private: bool = False
    id: RowId = RowId()
    blank: Mapping[str, Any] = field(default_factory=dict)
    empty: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    skip: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    grammar: Mapping[str, str] = field(default_factory=dict)
    by_name: tuple[str, ...] = ()
    rows: str | None = None
    file: str | None = None
    further: tuple[ColumnMapping, ...] = ()

    def provides(self, column: str) -> bool:
        """Whether a record column comes from the file or is fixed."""
        if column == "id" and self.id.origin is not None:
            return True
        if column in ("share_min", "share_max") and self.table == "stakes" and self.provides("share"):
            return True
        return column in self.columns or column in self.constants

    @property
    def tables(self) -> tuple[ColumnMapping, ...]:
        """The mapping of each table of the file, this one first."""
        return (self, *self.further)

    @property
    def file_columns(self) -> tuple[str, ...]:
        """Every column of the file that is read, each once."""
        return tuple(dict.fromkeys((*self.columns.values(), *(name for name in self.id.columns if name != GEOMETRY))))


def is_object(table: str, column: str) -> bool:
    """Whether a column holds values by key, as names by language."""
    field = RECORD_TYPES[table].model_fields.get(column)
    return field is not None and get_origin(field.annotation) is dict


def is_list(table: str, column: str) -> bool:
    """Whether a column holds several values."""
    field = RECORD_TYPES[table].model_fields.get(column)
    return field is not None and get_origin(field.annotation) is tuple
