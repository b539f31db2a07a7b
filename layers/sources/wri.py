"""Reader of the Global Power Plant Database of the World Resources Institute: its releases and its national files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import shapely

from layers.model.asset_kinds import TABLE
from layers.model.messages import Argument, Message
from layers.model.problems import MISSING, ReadResult, SourceLocation
from layers.model.types import Basis
from layers.reference.country_names import geonames_countries
from layers.sources.files.source_file import SourceFile
from layers.sources.files.tables import RowTable
from layers.sources.reader.cell_values import (
    CellValueError,
    columns_by_field,
    country_code,
    edtf_year,
    geometry_fault,
    operating_status,
)
from layers.sources.reader.format import Format, LoadOptions
from layers.sources.reader.record_builder import CompaniesByName, RecordBuilder, slug

#: Column names of each field: in the releases (1.3.0; 1.1.0 has fuel1 to fuel4) and in the national files behind them.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("gppd_idnr", "Power Plant ID"), "name": ("name",), "local": ("Natural Language",),
    "fuel": ("primary_fuel", "fuel1", "Fuel"), "fuel2": ("other_fuel1", "fuel2", "Secondary Fuel"),
    "fuel3": ("other_fuel2", "fuel3"), "fuel4": ("other_fuel3", "fuel4"),
    "capacity": ("capacity_mw", "Capacity (MW)"), "lat": ("latitude",), "lon": ("longitude",),
    "located": ("geolocation_source", "Geolocation Source"), "country": ("country_long", "Country"),
    "iso3": ("country",), "owner": ("owner",), "status": ("Operational Status",),
    "since": ("commissioning_year", "Commissioning Date"), "cited": ("source",),
}  # fmt: skip
#: Kinds by the first word of the fuel; all other plants are power plants.
KINDS = TABLE.kinds_by("wri_fuels")
#: How far off a plant may be, by who located it. The database gives no metres; its paper (Byers and others 2018,
#: A Global Database of Power Plants, section 2.3) says that CARMA's plants stand at the middle of their town or
#: region, and the others at the plant. The metres are ours.
LOCATED: Mapping[str, tuple[float, Basis]] = {
    "carma": (25_000.0, "settlement"), "wri": (1_000.0, "site"), "geodb": (2_000.0, "site"),
    "gcpt": (2_000.0, "site"), "wiki-solar": (2_000.0, "site"),
}  # fmt: skip
#: A plant located by another party than those listed above, or by an unknown one.
UNSTATED: tuple[float, Basis] = (5_000.0, "settlement")
_LICENCE = "CC BY 4.0"
#: Words for an empty cell. "Owner / Investor" is the label of the page that 27 Russian plants were copied from.
_EMPTY = ("", "--", "n/a", "not set", "unknown", "owner / investor")
#: Digits, with commas between thousands only: 12,5 may be twelve and a half.
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,2})?")


def read(files: Sequence[SourceFile], options: LoadOptions) -> ReadResult:
    """Read plants: each is an asset, and a named owner has a stake of 0 to 100 %, as the database gives no shares."""
    builder = RecordBuilder(options.dataset)
    for file in files:
        _parse(builder, file.table(), options)
    return builder.result()


def _parse(builder: RecordBuilder, table: RowTable, options: LoadOptions) -> None:
    source = f"{options.dataset}/{slug(table.file)[:60] or 'file'}"
    values = {
        "id": source,
        "url": "https://github.com/wri/global-power-plant-database",
        "publisher": "World Resources Institute",
        "title": f"Global Power Plant Database, {table.file}",
        "language": "en",
        "retrieved": options.retrieved,
        "licence": options.licence or _LICENCE,
    }
    builder.add("sources", values, SourceLocation(table.file, 1))
    names = columns_by_field(table.header, COLUMNS)
    missing = [name for name in ("id", "name", "capacity") if name not in names]
    for name in missing:
        expected = Message("cell.one-of", {"names": COLUMNS[name]})
        builder.add_problem(SourceLocation(table.file, 1), "header", name, MISSING, expected)
    plants = _PlantBuilder(builder, names, source, _country_of_file(table.file))
    for number, cells in () if missing else table:
        builder.rows += 1
        row = {field: _clean(cells[name]) for field, name in names.items()}
        plants.add(row, SourceLocation(table.file, number))
    builder.add_unreadable_rows(table.problems)


def _country_of_file(file: str) -> str | None:
    """The country that a national file is named after, None where it is named otherwise."""
    try:
        return country_code(PurePath(file).stem)
    except CellValueError:
        return None


def _clean(text: str) -> str:
    text = " ".join(text.split())
    return "" if text.casefold() in _EMPTY else text


#: Columns that go into the note, and the words before them.
_NOTE_COLUMNS = {
    "status": "status", "since": "commissioned", "fuel2": "also", "fuel3": "also", "fuel4": "also", "cited": "from",
}  # fmt: skip


class _PlantBuilder:
    """Adds the plants of one file to a record builder; ``names`` maps fields of this module to columns of the file.

    Some national files leave the column of the country empty: a plant is then in ``country``, that of the file.
    """

    def __init__(self, builder: RecordBuilder, names: Mapping[str, str], source: str, country: str | None) -> None:
        self._builder, self._names, self._source, self._of_file = builder, names, source, country
        self._owners = CompaniesByName(builder, "wri", source, "The database")
        self._seen: Counter[str] = Counter()

    def add(self, row: Mapping[str, str], location: SourceLocation) -> None:
        """Add one plant with its owner; every fault of the row becomes a problem."""
        key = self._id(row["id"], row["name"])
        if key is None:
            self._fault(location, f"asset {row['name']}", "id", row["id"] or MISSING, Message("wri.plant-number"))
            return
        remarks = ", ".join(f"{words} {row[name]}" for name, words in _NOTE_COLUMNS.items() if row.get(name))
        capacity = self._number(row, "capacity", location, key)
        local, fuel = row.get("local", ""), row.get("fuel", "")
        values: dict[str, Any] = {
            "id": key,
            "name": row["name"],
            "aliases": (local,) if local and local != row["name"] else (),
            "kind": KINDS.get(fuel.casefold().split(" ")[0], "power-plant"),
            "commodity": fuel or None,
            "host_country": self._country(row, location, key),
            "capacity": capacity,
            "capacity_unit": "MW" if capacity is not None else None,
            "status": operating_status(row.get("status", "")),
            "since": edtf_year(row.get("since", "")),
            "external_ids": {"gppd": key.split("/")[1].upper()},
            "sources": (self._source,),
            "checked": "read",
            "note": remarks or None,
            **self._where(row, location, key),
        }
        if self._builder.add("assets", values, location) and row.get("owner"):
            self._owners.stake(key, self._owners.entity(row["owner"], location), location)

    def _id(self, number: str, name: str) -> str | None:
        """The database's number, None where there is none; in national files it lacks its letters.

        There the units of a plant share it and differ by name, or not even by that.
        """
        plain = slug(number)
        if not plain.isdigit():
            return f"wri/{plain}" if plain else None
        first = f"wri/wri{plain}/{slug(name)[:60]}"
        self._seen[first] += 1
        return first if self._seen[first] == 1 else f"{first}/{self._seen[first]}"

    def _where(self, row: Mapping[str, str], location: SourceLocation, key: str) -> dict[str, Any]:
        """Return the location columns of a plant; a location that cannot be right is dropped, and the plant stays."""
        faults = self._builder.problem_count
        lon, lat = (self._number(row, name, location, key) for name in ("lon", "lat"))
        if self._builder.problem_count > faults or (lon is None and lat is None):
            return {}
        shape, why = shapely.Point(lon or 0.0, lat or 0.0), None
        if lon is None or lat is None:
            why = Message("wri.both-degrees")
        elif lon == lat == 0:
            why = Message("wri.no-null-island")
        if why := why or geometry_fault(shape):
            shown = Message("wri.degrees", {"lat": row.get("lat") or MISSING, "lon": row.get("lon") or MISSING})
            columns = ", ".join(self._names[name] for name in ("lat", "lon") if name in self._names)
            self._builder.add_problem(location, f"asset {key}", columns, shown, why)
            return {}
        uncertainty_m, basis = LOCATED.get(row.get("located", "").casefold(), UNSTATED)
        return {"geometry": shape, "uncertainty_m": uncertainty_m, "basis": basis, "place_source": self._source}

    def _number(self, row: Mapping[str, str], field: str, location: SourceLocation, key: str) -> float | None:
        text = row.get(field, "")
        if not text:
            return None
        if not _NUMBER.fullmatch(text) or ("," in text and field != "capacity"):
            self._fault(location, f"asset {key}", field, text, Message("wri.number"))
            return None
        return float(text.replace(",", ""))

    def _country(self, row: Mapping[str, str], location: SourceLocation, key: str) -> str | None:
        if code := _ISO3.get(row.get("iso3", "").upper()):
            return code
        try:
            return country_code(row["country"]) if row.get("country") else self._of_file
        except CellValueError as error:
            self._fault(location, f"asset {key}", "country", row["country"], error.expected)
            return None

    def _fault(self, location: SourceLocation, record: str, field: str, value: Argument, expected: Message) -> None:
        self._builder.add_problem(location, record, self._names[field], value, expected)


_ISO3: Mapping[str, str] = {country.iso3: country.iso for country in geonames_countries()}


FORMAT = Format(
    name="wri",
    title="World Resources Institute: Global Power Plant Database, releases and national files",
    provides="power plants, their owners",
    licence=_LICENCE,
    recognises=lambda head: (
        head.has("gppd_idnr", "capacity_mw") or head.has("Power Plant ID", "Capacity (MW)", "Geolocation Source")
    ),
    read=read,
    signature="the columns gppd_idnr and capacity_mw, or Power Plant ID, Capacity (MW) and Geolocation Source",
)
