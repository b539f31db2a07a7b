"""Reader of GEM's tracker files (pipelines, terminals, plants): assets, the owners named for them, and stakes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from layers.model.asset_kinds import ASSET_KINDS, TABLE
from layers.model.messages import Message
from layers.model.problems import MISSING, Problem, ReadResult
from layers.sources.gem.record_builder import GemLocation, GemRecordBuilder, gem_id, read_location
from layers.sources.reader.cell_values import CellValueError, columns_by_field, country_code
from layers.sources.reader.owner_grammar import Owner, OwnerList, parse_owners, unnested
from layers.sources.reader.record_builder import short_digest, slug

#: Column names of each field in GEM's releases and map files; the first that is in the header counts, in any case.
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
#: Column names of the accuracy of a location, in order of precedence; trackers have more names with that ending.
ACCURACIES = ("RouteAccuracy", "Location accuracy", "Coordinate accuracy", "Accuracy")
#: Fields without which a file is no tracker.
REQUIRED = ("name", "owner")
#: Kinds of assets by GEM's words for them.
KINDS = TABLE.kinds_by("gem_tracker_types")


@dataclass(frozen=True, slots=True)
class TrackerForm:
    """Properties of all rows of a file: the kind of asset, and ``OwnerList.step``."""

    kind: str = ""
    step: float = 0.0

    @property
    def unit(self) -> str | None:
        """Unit of a capacity that has none beside it."""
        return ASSET_KINDS[self.kind].capacity_unit if self.kind else None


#: Columns that only one kind of file has. The plants' map file cuts the digits of shares in its owner column, but not
#: in its parent column: of 175 shares of the same owners in both (August 2024), all 175 are less than 1 lower.
FORMS: Mapping[str, TrackerForm] = {
    "PipelineName": TrackerForm("pipeline"),
    "TerminalName": TrackerForm("lng-plant"),
    "Plant name": TrackerForm("power-plant"),
    "fuel_type": TrackerForm("power-plant", step=1.0),
}
#: Oddities of an owner list that lose something, and are therefore problems of the row.
LOSSES = ("unreadable-share", "unclosed-bracket", "text-after-share", "no-name", "percent-in-name", "list-in-name")


@dataclass(frozen=True, slots=True)
class TrackerRow:
    """One row by field name; a field whose column the file lacks is empty."""

    line: int
    cells: Mapping[str, str]

    def __getitem__(self, field: str) -> str:
        return self.cells.get(field, "").strip()


class Tracker(Protocol):
    """The rows of a tracker, from a file of any container."""

    file: str
    header: tuple[str, ...]
    problems: list[Problem]

    def __iter__(self) -> Iterator[tuple[int, Mapping[str, str]]]:
        """Yield number and cells of each row."""
        ...


def parse(
    table: Tracker, dataset: str | None = None, licence: str | None = None, routes: Mapping[str, str] | None = None
) -> ReadResult:
    """Read the rows of a tracker; its source and day come from the name of its file.

    Each row is an asset. Each entry of the owner column is a stake; a share that is not given is from 0 to the
    remainder of the others. The parent column is not read: parents follow from stakes further up, and
    `layers.sources.gem.audit` compares them. Stakes have no dates, as GEM gives none. Each part of a row that is lost
    is a problem, by row and column.

    Parameters
    ----------
    table
        Rows of the tracker.
    dataset, licence
        Those of the records; by default of the file's own and GEM's.
    routes
        WKT in lon/lat degrees by GEM's number, for rows without a geometry of their own.
    """
    builder = GemRecordBuilder(table.file, dataset, licence)
    missing = [field for field in REQUIRED if field not in columns_by_field(table.header, COLUMNS)]
    for field in missing:
        builder.add_row_problem(1, "header", field, MISSING, Message("cell.one-of", {"names": COLUMNS[field]}))
    form = form_of(table.header)
    for row in () if missing else rows_of(table, routes or {}):
        builder.rows += 1
        _read(builder, row, form)
    builder.add_unreadable_rows(table.problems)
    return builder.result()


def form_of(header: Sequence[str]) -> TrackerForm:
    """Return the form of a file by its header."""
    there = {name.casefold() for name in header}
    return next((form for name, form in FORMS.items() if name.casefold() in there), TrackerForm())


def rows_of(table: Tracker, routes: Mapping[str, str] = MappingProxyType({})) -> Iterator[TrackerRow]:
    """Yield rows by field name, each with its route."""
    names = columns_by_field(table.header, COLUMNS)
    accuracies = _accuracies(table.header)
    for line, cells in table:
        fields = {field: cells.get(name, "") for field, name in names.items()}
        fields["accuracy"] = next((cells[name] for name in accuracies if cells.get(name, "").strip()), "")
        if not fields.get("wkt") and (route := routes.get(fields.get("id", ""))):
            fields["wkt"] = route
        yield TrackerRow(line, fields)


def _accuracies(header: Sequence[str]) -> list[str]:
    """Return the columns of location accuracy in order of precedence; a file of routes and points has one for each."""
    known = [name.casefold() for name in ACCURACIES]
    columns = [name for name in header if name.casefold().endswith("accuracy")]
    return sorted(columns, key=lambda name: known.index(name.casefold()) if name.casefold() in known else len(known))


def row_id(row: TrackerRow) -> str:
    """Return the id of a row's asset: GEM's number, or else project, unit and a digest of both with their page."""
    if row["id"]:
        return gem_id(row["id"])
    digest = short_digest("\n".join((row["url"], row["name"], row["unit"])))
    parts = (slug(row["name"])[:40], slug(row["unit"])[:20], digest)
    return f"gem/unit/{'-'.join(part for part in parts if part)}"


def _read(builder: GemRecordBuilder, row: TrackerRow, form: TrackerForm) -> None:
    key, twin = row_id(row), 1
    while not row["id"] and builder.has("assets", key if twin == 1 else f"{key}/{twin}"):
        twin += 1
    key = key if twin == 1 else f"{key}/{twin}"
    if _asset(builder, row, key, form):
        _stakes(builder, row, key, parse_owners(row["owner"], form.step))


def _asset(builder: GemRecordBuilder, row: TrackerRow, key: str, form: TrackerForm) -> bool:
    spot_found = _spot(builder, row, key)
    countries, host = _countries(builder, row, key)
    capacity, measure, moved = _capacity(builder, row, key, form.unit)
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
        "sources": (builder.source.id,),
        "checked": "read",
        "note": "; ".join(notes) or None,
    }
    where = (
        {"geometry": spot_found.geometry, "uncertainty_m": spot_found.uncertainty_m, "basis": spot_found.basis}
        if spot_found
        else {}
    )
    if where:
        where["place_source"] = builder.source.id
    return builder.add("assets", {**values, **where}, builder.location(row.line))


def _spot(builder: GemRecordBuilder, row: TrackerRow, key: str) -> GemLocation | None:
    lat, lon = row["lat"], row["lon"]
    if not lat and not lon and row["latlon"]:
        lat, _, lon = row["latlon"].partition(",")
    try:
        located = read_location(row["wkt"], lat, lon, row["accuracy"])
        if located and located.points:
            parts = Message("gem.points", {"count": located.points})
            builder.add_row_problem(row.line, f"asset {key}", "geometry", parts, Message("gem.lines"))
        return located
    except CellValueError as error:
        builder.add_row_problem(row.line, f"asset {key}", "geometry", row["wkt"] or f"{lat}, {lon}", error.expected)
        return None


def _countries(builder: GemRecordBuilder, row: TrackerRow, key: str) -> tuple[list[str], str | None]:
    """Return the names of the countries of a row, and the country code if there is just one country."""
    names = [name.strip() for name in re.split(r"[;,]", row["countries"]) if name.strip()]
    codes = []
    for name in names:
        try:
            codes.append(country_code(name))
        except CellValueError as error:
            builder.add_row_problem(row.line, f"asset {key}", "countries", name, error.expected)
    return names, codes[0] if len(names) == len(codes) == 1 else None


def _capacity(
    builder: GemRecordBuilder, row: TrackerRow, key: str, unit: str | None
) -> tuple[float | None, str | None, str | None]:
    """Return capacity, unit and commodity, as in `16.0 bcm/y of natural gas`."""
    text = row["capacity"]
    measure, _, moved = re.sub(r"^[0-9.,]+\s*", "", row["capacity_unit"]).partition(" of ")
    try:
        capacity = float(text) if text not in ("", "--", "TBD") else None
    except ValueError:
        builder.add_row_problem(row.line, f"asset {key}", "capacity", text, Message("cell.number"))
        capacity = None
    return capacity, measure or unit, moved or None


def _stakes(builder: GemRecordBuilder, row: TrackerRow, asset: str, listed: OwnerList) -> None:
    # In files with owner ids each name has one, so that a list within a name must not be unnested.
    owners = listed if row["owner_ids"] else unnested(listed)
    _losses(builder, row, asset, owners)
    seen: dict[str, int] = {}
    shares = zip(owners.entries, intervals(owners), _ids(builder, row, asset, owners), strict=True)
    for owner, (share_min, share_max), identifier in shares:
        holder = builder.add_owner(row.line, owner, identifier)
        seen[holder] = number = seen.get(holder, 0) + 1
        values = {
            "id": f"{asset}>{holder.removeprefix('gem/')}" + (f"/{number}" if number > 1 else ""),
            "owned": asset,
            "owner": holder,
            "share_min": share_min,
            "share_max": share_max,
            "source": builder.source.id,
            "checked": "read",
            "note": _note(owners, owner) if owner in listed.entries else "GEM lists it with others in one name",
        }
        builder.add("stakes", values, builder.location(row.line))


def intervals(owners: OwnerList) -> tuple[tuple[float, float], ...]:
    """Return the bounds of shares for stakes: those of the list, with lower bounds of 0 where it contradicts itself.

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


def _losses(builder: GemRecordBuilder, row: TrackerRow, asset: str, owners: OwnerList) -> None:
    for oddity in owners.oddities:
        if oddity.name in LOSSES:
            meaning = Message(f"gem.oddity.{oddity.name}")
            expected = Message("gem.plain-entry", {"oddity": oddity.name, "meaning": meaning})
            builder.add_row_problem(row.line, f"asset {asset}", "owner", oddity.raw, expected)
    if owners.sum == "full-and-unknown":
        builder.add_row_problem(row.line, f"asset {asset}", "owner", owners.text, Message("gem.shares-left"))


def _ids(builder: GemRecordBuilder, row: TrackerRow, asset: str, owners: OwnerList) -> list[str | None]:
    """Return GEM's id of each owner in the order of the names; all None where the counts of ids and names differ."""
    gem_ids = re.findall(r"\bE[0-9]{6,}\b", row["owner_ids"])
    if gem_ids and len(gem_ids) != len(owners.entries):
        expected = Message("gem.ids-as-owners", {"count": len(owners.entries)})
        builder.add_row_problem(row.line, f"asset {asset}", "owner_ids", row["owner_ids"], expected)
    return list(gem_ids) if len(gem_ids) == len(owners.entries) else [None] * len(owners.entries)
