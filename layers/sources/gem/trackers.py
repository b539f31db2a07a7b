"""Reader of GEM's tracker files (pipelines, terminals, plants): assets, the owners named for them, and stakes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from layers.model.problems import Problem
from layers.model.read_result import Reading
from layers.sources.gem.columns import gem_id
from layers.sources.gem.location import Spot, spot
from layers.sources.gem.owner_grammar import ODDITIES, Owner, OwnerList, parse_owners, unnested
from layers.sources.gem.record_builder import Gathering
from layers.sources.reader.country_codes import PlaceError, country_code
from layers.sources.reader.headers import columns_of
from layers.sources.reader.named_companies import slug

#: What each field is called in GEM's releases and map files; the first that is there counts, whatever its case.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "ProjectID", "ComboID", "UnitID", "TerminalID", "GEM unit ID", "GEM unit/phase ID"),
    "url": ("url", "Wiki", "Wiki URL"),
    "name": ("name", "PipelineName", "TerminalName", "project", "Plant name"),
    "unit": ("unit-name", "SegmentName", "UnitName", "Unit name", "unit"),
    "local": ("project_loc", "Plant name (local)", "OtherLanguagePrimaryPipelineName"),
    "other": ("OtherEnglishNames",),
    "kind": ("tracker-display",),
    "status": ("status",),
    "countries": ("areas", "Countries", "CountriesOrAreas", "Country/Area", "country"),
    "owner": ("owner", "Owner(s)"),
    "owner_ids": ("OwnerEntityIDs", "Owner(s) GEM Entity ID"),
    "parent": ("parent", "Parent(s)"),
    "capacity": ("capacity", "Capacity (MW)"),
    "capacity_unit": ("CapacityUnits", "capacity-table"),
    "commodity": ("fuel_type", "Fuel"),
    "wkt": ("geometry", "WKTFormat"),
    "lat": ("Latitude", "lat"),
    "lon": ("Longitude", "lng", "lon"),
    "latlon": ("Coordinates",),
}
#: What the accuracy of a place is called, the one that counts first; trackers have more names that end so.
ACCURACIES = ("RouteAccuracy", "Location accuracy", "Coordinate accuracy", "Accuracy")
#: Fields without which a file is no tracker.
REQUIRED = ("name", "owner")
#: GEM's words for what a row is, and the kind of asset.
KINDS: Mapping[str, str] = {
    "gas pipeline": "pipeline",
    "oil pipeline": "pipeline",
    "ngl pipeline": "pipeline",
    "hydrogen pipeline": "pipeline",
    "lng export terminal": "lng-plant",
    "lng import terminal": "lng-plant",
    "lng terminal": "lng-plant",
    "power station": "power-plant",
}


@dataclass(frozen=True, slots=True)
class Form:
    """What goes for all rows of a file: their kind, the unit of a bare capacity, and ``OwnerList.step``."""

    kind: str = ""
    unit: str | None = None
    step: float = 0.0


#: Columns that only one kind of file has. The plants' map file cuts the digits of shares in its owner column, but not
#: in its parent column: of 175 shares of the same owners in both (August 2024), all 175 are less than 1 lower.
FORMS: Mapping[str, Form] = {
    "PipelineName": Form("pipeline"),
    "TerminalName": Form("lng-plant"),
    "Plant name": Form("power-plant", "MW"),
    "fuel_type": Form("power-plant", "MW", step=1.0),
}
#: Oddities of an owner list that lose something, and are therefore problems of the row.
LOSSES = ("unreadable-share", "unclosed-bracket", "text-after-share", "no-name", "percent-in-name", "list-in-name")


@dataclass(frozen=True, slots=True)
class Row:
    """One row by our names of its columns; a column that the file has not is empty."""

    line: int
    cells: Mapping[str, str]

    def __getitem__(self, field: str) -> str:
        return self.cells.get(field, "").strip()


class Tracker(Protocol):
    """Rows of a tracker, from whatever file."""

    file: str
    header: tuple[str, ...]
    problems: list[Problem]

    def __iter__(self) -> Iterator[tuple[int, Mapping[str, str]]]:
        """Number and cells of each row."""
        ...


def parse(
    table: Tracker, dataset: str | None = None, licence: str | None = None, routes: Mapping[str, str] | None = None
) -> Reading:
    """Read the rows of a tracker; from the name of its file come its source and day.

    Each row is an asset. Each entry of the owner column is a stake, with a share from 0 to what the others leave
    where it is not given. The parent column is not read: it is derived from stakes above, and is compared in
    ``gem_audit``. Stakes have no dates, as GEM gives none. What a row loses is a problem, by row and column.
    ``routes`` are WKT by GEM's number, for rows that have none of their own.
    """
    gathering = Gathering(table.file, dataset, licence)
    missing = [field for field in REQUIRED if field not in columns_of(table.header, COLUMNS)]
    for field in missing:
        expected = f"one of {', '.join(COLUMNS[field])}"
        gathering.row_fault(1, "header", field, "(missing)", expected)
    form = form_of(table.header)
    for row in () if missing else rows_of(table, routes or {}):
        gathering.rows += 1
        _read(gathering, row, form)
    gathering.bad_rows(table.problems)
    return gathering.reading()


def form_of(header: Sequence[str]) -> Form:
    """Tell the kind of file by its header."""
    there = {name.casefold() for name in header}
    return next((form for name, form in FORMS.items() if name.casefold() in there), Form())


def rows_of(table: Tracker, routes: Mapping[str, str] = MappingProxyType({})) -> Iterator[Row]:
    """Rows by our names of the columns, with the route of each."""
    names = columns_of(table.header, COLUMNS)
    accuracies = _accuracies(table.header)
    for line, cells in table:
        found = {field: cells.get(name, "") for field, name in names.items()}
        found["accuracy"] = next((cells[name] for name in accuracies if cells.get(name, "").strip()), "")
        if not found.get("wkt") and (route := routes.get(found.get("id", ""))):
            found["wkt"] = route
        yield Row(line, found)


def _accuracies(header: Sequence[str]) -> list[str]:
    """Columns that say how accurate a place is; a file of routes and points has one for each."""
    known = [name.casefold() for name in ACCURACIES]
    found = [name for name in header if name.casefold().endswith("accuracy")]
    return sorted(found, key=lambda name: known.index(name.casefold()) if name.casefold() in known else len(known))


def row_id(row: Row) -> str:
    """Id of the asset of a row: GEM's number, or else project, unit and a digest of both with their page."""
    if row["id"]:
        return gem_id(row["id"])
    digest = hashlib.sha256("\n".join((row["url"], row["name"], row["unit"])).encode()).hexdigest()[:8]
    parts = (slug(row["name"])[:40], slug(row["unit"])[:20], digest)
    return f"gem/unit/{'-'.join(part for part in parts if part)}"


def _read(gathering: Gathering, row: Row, form: Form) -> None:
    key, twin = row_id(row), 1
    while not row["id"] and gathering.has("assets", key if twin == 1 else f"{key}/{twin}"):
        twin += 1
    key = key if twin == 1 else f"{key}/{twin}"
    if _asset(gathering, row, key, form):
        _stakes(gathering, row, key, parse_owners(row["owner"], form.step))


def _asset(gathering: Gathering, row: Row, key: str, form: Form) -> bool:
    place = _spot(gathering, row, key)
    countries, host = _countries(gathering, row, key)
    capacity, measure, moved = _capacity(gathering, row, key, form.unit)
    notes = [f"GEM status: {row['status']}"] if row["status"] else []
    notes += [f"in {', '.join(countries)}"] if len(countries) > 1 else []
    values = {
        "id": key,
        "name": f"{row['name']}, {row['unit']}" if row["unit"] not in ("", "--") else row["name"],
        "kind": KINDS.get(row["kind"].casefold(), form.kind),
        "aliases": tuple(dict.fromkeys(name for name in (row["local"], row["other"]) if name not in ("", "--"))),
        "commodity": row["commodity"] or moved,
        "host_country": host,
        "capacity": capacity,
        "capacity_unit": measure if capacity is not None else None,
        "external_ids": {name: row[field] for name, field in (("gem", "id"), ("gem-wiki", "url")) if row[field]},
        "sources": (gathering.source.id,),
        "checked": "read",
        "note": "; ".join(notes) or None,
    }
    where = {"geometry": place.geometry, "uncertainty_m": place.uncertainty_m, "basis": place.basis} if place else {}
    if where:
        where["place_source"] = gathering.source.id
    return gathering.add("assets", {**values, **where}, gathering.at(row.line))


def _spot(gathering: Gathering, row: Row, key: str) -> Spot | None:
    lat, lon = row["lat"], row["lon"]
    if not lat and not lon and row["latlon"]:
        lat, _, lon = row["latlon"].partition(",")
    try:
        found = spot(row["wkt"], lat, lon, row["accuracy"])
        if found and found.points:
            gathering.row_fault(row.line, f"asset {key}", "geometry", f"{found.points} part(s)", "lines with a length")
        return found
    except PlaceError as error:
        gathering.row_fault(row.line, f"asset {key}", "geometry", row["wkt"] or f"{lat}, {lon}", str(error))
        return None


def _countries(gathering: Gathering, row: Row, key: str) -> tuple[list[str], str | None]:
    """Names of the countries, and the code where it is one."""
    names = [name.strip() for name in re.split(r"[;,]", row["countries"]) if name.strip()]
    codes = []
    for name in names:
        try:
            codes.append(country_code(name))
        except PlaceError as error:
            gathering.row_fault(row.line, f"asset {key}", "countries", name, str(error))
    return names, codes[0] if len(names) == len(codes) == 1 else None


def _capacity(
    gathering: Gathering, row: Row, key: str, unit: str | None
) -> tuple[float | None, str | None, str | None]:
    """Capacity, its unit, and what it is of, as in `16.0 bcm/y of natural gas`."""
    text = row["capacity"]
    measure, _, moved = re.sub(r"^[0-9.,]+\s*", "", row["capacity_unit"]).partition(" of ")
    try:
        capacity = float(text) if text not in ("", "--", "TBD") else None
    except ValueError:
        gathering.row_fault(row.line, f"asset {key}", "capacity", text, "a number")
        capacity = None
    return capacity, measure or unit, moved or None


def _stakes(gathering: Gathering, row: Row, asset: str, listed: OwnerList) -> None:
    # Where GEM numbers its owners, each name has its own number.
    owners = listed if row["owner_ids"] else unnested(listed)
    _losses(gathering, row, asset, owners)
    seen: dict[str, int] = {}
    shares = zip(owners.entries, intervals(owners), _ids(gathering, row, asset, owners), strict=True)
    for owner, (least, most), identifier in shares:
        holder = gathering.owner(row.line, owner, identifier)
        seen[holder] = number = seen.get(holder, 0) + 1
        values = {
            "id": f"{asset}>{holder.removeprefix('gem/')}" + (f"/{number}" if number > 1 else ""),
            "owned": asset,
            "owner": holder,
            "share_min": least,
            "share_max": most,
            "source": gathering.source.id,
            "checked": "read",
            "note": _note(owners, owner) if owner in listed.entries else "GEM lists it with others in one name",
        }
        gathering.add("stakes", values, gathering.at(row.line))


def intervals(owners: OwnerList) -> tuple[tuple[float, float], ...]:
    """Shares as stakes take them: as the list has them, but nothing is sure where it contradicts itself.

    GEM lists `A [100.00%]; B [unknown %]` for lines of which each country's company has its stretch. To take that
    for 100 and 0 would be exact and wrong: A has from 0 to 100, and so has B.
    """
    if owners.sum != "full-and-unknown":
        return owners.intervals()
    return tuple((0.0, 100.0 if owner.share is None else owner.share) for owner in owners.entries)


def _note(owners: OwnerList, owner: Owner) -> str | None:
    if owners.sum == "full-and-unknown":
        return "GEM lists shares of 100 % and owners without a share beside them; none is taken for sure"
    return "GEM gives no share" if owner.share is None else None


def _losses(gathering: Gathering, row: Row, asset: str, owners: OwnerList) -> None:
    for oddity in owners.oddities:
        if oddity.name in LOSSES:
            expected = f"a plain entry; {oddity.name} is {ODDITIES[oddity.name]}"
            gathering.row_fault(row.line, f"asset {asset}", "owner", oddity.raw, expected)
    if owners.sum == "full-and-unknown":
        expected = "shares that leave something for the owners listed without one"
        gathering.row_fault(row.line, f"asset {asset}", "owner", owners.text, expected)


def _ids(gathering: Gathering, row: Row, asset: str, owners: OwnerList) -> list[str | None]:
    """GEM's ids of the owners, where the file has them, in the order of the names."""
    found = re.findall(r"\bE[0-9]{6,}\b", row["owner_ids"])
    if found and len(found) != len(owners.entries):
        expected = f"{len(owners.entries)} ids, as many as owners"
        gathering.row_fault(row.line, f"asset {asset}", "owner_ids", row["owner_ids"], expected)
    return list(found) if len(found) == len(owners.entries) else [None] * len(owners.entries)
