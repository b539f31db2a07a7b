"""Reader of GEM's trackers, whichever of the family: assets, the plants above units, the owners named, and stakes."""

from __future__ import annotations

import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Protocol

from layers.model.messages import Message
from layers.model.problems import MISSING, Problem, ReadResult
from layers.model.records import Asset
from layers.sources.gem.columns import FIELDS, KindEvidence, RowKind, TrackerColumns, TrackerRow, unit_of
from layers.sources.gem.plants import Plant, Unit, plant_asset, plant_shares, plants_of
from layers.sources.gem.record_builder import (
    NO_ROUTES,
    GemLocation,
    GemRecordBuilder,
    Route,
    add_claims,
    course_of,
    gem_id,
    is_gem_number,
    numbers_by_course,
    read_location,
    route_of,
)
from layers.sources.reader.cell_values import CellValueError, country_code, edtf_year, operating_status
from layers.sources.reader.owner_grammar import Owner, OwnerList, parse_owners, unnested
from layers.sources.reader.record_builder import concatenate_results, short_digest, slug

#: Fields of which a tracker has one: a file without owners may have their parents, or the status alone.
_INSTEAD_OF_OWNER = ("owner", "parent", "status")
#: An unknown word that more than one row in this many has for its type is an error, not a row that is skipped.
_ROWS_PER_UNKNOWN = 100


class Tracker(Protocol):
    """The rows of a tracker, from a file of any container."""

    file: str
    header: tuple[str, ...]
    problems: list[Problem]

    def __iter__(self) -> Iterator[tuple[int, Mapping[str, str]]]:
        """Yield number and cells of each row."""
        ...


@dataclass(frozen=True)
class TrackerRows:
    """All rows of a file, and what is known of them together."""

    columns: TrackerColumns
    rows: tuple[TrackerRow, ...]

    @classmethod
    def of(cls, table: Tracker, routes: Mapping[str, Sequence[Route]] = NO_ROUTES) -> TrackerRows:
        """Read the rows of a table; in one without numbers a pipeline has that of the one route that has its course.

        Of several rows of one course none gets its number.
        """
        columns = TrackerColumns.of(table.header)
        rows = [columns.row(table.file, line, cells) for line, cells in table]
        if routes and "id" not in columns and "wkt" in columns:
            numbers = numbers_by_course(routes)
            courses = [course_of(row["wkt"]) for row in rows]
            counts = Counter(courses)
            rows = [
                row.with_id(numbers[course]) if counts[course] == 1 and course in numbers else row
                for row, course in zip(rows, courses, strict=True)
            ]
        return cls(columns, tuple(rows))

    @cached_property
    def step(self) -> float:
        """How much more a share of the owner column may be than is printed: 1 where the file cuts its digits, else 0.

        The plants' map file does: none of its owner's shares has a decimal, and those of its parents have. Of 175
        shares of the same owners in both columns (August 2024), all 175 are less than 1 lower.
        """
        owners = [row["owner"] for row in self.rows if "%" in row["owner"]]
        is_whole = bool(owners) and not any(_DECIMALS.search(text) for text in owners)
        return 1.0 if is_whole and any(_DECIMALS.search(row["parent"]) for row in self.rows) else 0.0

    @cached_property
    def owner_field(self) -> str:
        """The field that the owners are read from: the parents, if the file has no column of owners."""
        return "owner" if "owner" in self.columns or "parent" not in self.columns else "parent"


_DECIMALS = re.compile(r"[0-9]\.[0-9]+ ?%")


def parse_tables(
    tables: Sequence[Tracker],
    dataset: str | None = None,
    licence: str | None = None,
    routes: Mapping[str, Sequence[Route]] = NO_ROUTES,
) -> ReadResult:
    """Read the rows of trackers; the source and day of each come from the name of its file.

    Each row is an asset, and units of one plant, also in several tables, have the plant above them. Each entry of the
    owner column is a stake; a share that is not given is from 0 to the remainder of the others. The parent column is
    read only where there is no owner column: parents follow from stakes further up. Stakes have no dates, as GEM gives
    none. Each part of a row that is lost is a problem, by row and column.

    ``tables``: rows of the trackers. ``dataset``, ``licence``: those of the records; by default of the file's own and
    GEM's. ``routes``: routes from other files by GEM's number of the pipeline.
    """
    readers = [_Reader(GemRecordBuilder(table.file, dataset, licence), table, routes) for table in tables]
    plants = plants_of((row, found.kind or "") for reader in readers for row, found in reader.known)
    units: dict[str, list[Unit]] = defaultdict(list)
    for reader in readers:
        reader.read(plants, units)
    # A plant stands in the file of its first unit.
    by_file = {reader.builder.file: reader for reader in readers}
    for plant in dict.fromkeys(plants.values()):
        by_file[plant.file].add_plant(plant, units.pop(plant.id, []))
    return concatenate_results([reader.builder.result() for reader in readers])


class _Reader:
    """Makes the records of one file."""

    def __init__(self, builder: GemRecordBuilder, table: Tracker, routes: Mapping[str, Sequence[Route]]) -> None:
        self.builder, self._routes = builder, routes
        self._unknown: Counter[str] = Counter()
        file = TrackerRows.of(table, routes) if self._has_columns(table.header) else TrackerRows(_NO_COLUMNS, ())
        builder.rows += len(file.rows)
        builder.add_unreadable_rows(table.problems)
        self._step, self._owner_field = file.step, file.owner_field
        evidence = KindEvidence(file.columns, file.rows)
        #: The rows that are assets, with what they are; each is let go when it is read, as files are large.
        self.known = deque((row, found) for row in file.rows if self._is_known(found := evidence.of(row)))
        self._report_unknown(len(file.rows))

    def _has_columns(self, header: Sequence[str]) -> bool:
        columns = TrackerColumns.of(header)
        missing = {"name": "name" not in columns, "owner": not any(field in columns for field in _INSTEAD_OF_OWNER)}
        for field in (field for field, is_missing in missing.items() if is_missing):
            self.builder.add_row_problem(1, "header", field, MISSING, Message("cell.one-of", {"names": FIELDS[field]}))
        return not any(missing.values())

    def read(self, plants: Mapping[tuple[str, int], Plant], units: dict[str, list[Unit]]) -> None:
        """Read every row, and add each that is a unit of a plant to the units of that."""
        ids = RowIds([row for row, _ in self.known])
        while self.known:
            row, found = self.known.popleft()
            if ids.is_repeated(row):
                self.builder.skip(Message("gem.repeated-row"))
                continue
            plant = plants.get((row.file, row.line))
            unit = self._unit(row, found, ids.of(row), plant)
            if unit and plant:
                units[plant.id].append(unit)

    def _is_known(self, found: RowKind) -> bool:
        if found.kind:
            return True
        if found.is_asset:
            self._unknown[found.word] += 1
        self.builder.skip(Message("gem.unknown-kind" if found.is_asset else "gem.no-asset", {"word": found.word}))
        return False

    def _report_unknown(self, rows: int) -> None:
        for word, count in self._unknown.most_common():
            if count * _ROWS_PER_UNKNOWN > rows:
                value = Message("gem.kind-of-rows", {"word": word, "count": count, "rows": rows})
                fault = Problem(self.builder.file, None, "file", "type", value, Message("gem.known-kind"))
                self.builder.add_problems([fault])

    def _unit(self, row: TrackerRow, found: RowKind, key: str, plant: Plant | None) -> Unit | None:
        """Read a row; None where it makes no asset."""
        if not self._asset(row, found, key, plant):
            return None
        asset = self.builder.tables["assets"][key]
        assert isinstance(asset, Asset)
        unit = Unit(asset)
        self._stakes(row, key, _owners(row[self._owner_field], self._step), unit)
        return unit

    def _asset(self, row: TrackerRow, found: RowKind, key: str, plant: Plant | None) -> bool:
        builder, kind = self.builder, found.kind or ""
        located = self._location(row, key)
        countries, host = _countries(builder, row, key)
        capacity, measure, moved = _capacity(builder, row, key, unit_of(kind, row))
        notes = [f"GEM status: {row['status']}"] if row["status"] else []
        notes += [f"in {', '.join(countries)}"] if len(countries) > 1 else []
        number = row["id"] if is_gem_number(row["id"]) else row["plant_id"]
        numbers = {"gem": number, "gem-location": row["plant_id"] if number != row["plant_id"] else ""}
        values: dict[str, Any] = {
            "id": key,
            "name": f"{row['name']}, {row['unit']}" if row["unit"] else row["name"],
            "kind": kind,
            "aliases": _aliases(row),
            "commodity": row["commodity"] or moved or found.commodity,
            "host_country": host,
            "capacity": capacity,
            "capacity_unit": measure if capacity is not None else None,
            "status": operating_status(row["status"]),
            "since": edtf_year(row["since"]),
            "until": edtf_year(row["until"]),
            "part_of": plant.id if plant else None,
            "external_ids": {name: value for name, value in {**numbers, "gem-wiki": row["url"]}.items() if value},
            "sources": (builder.source.id,),
            "checked": "read",
            "note": "; ".join(notes) or None,
        }
        if located:
            values |= {
                "geometry": located.geometry,
                "uncertainty_m": located.uncertainty_m,
                "basis": located.basis,
                "place_source": builder.source.id,
            }
            if kind == "pipeline" and located.geometry.geom_type in ("Point", "MultiPoint"):
                builder.warn(Message("gem.pipeline-is-point"))
        return builder.add("assets", values, builder.location(row.line))

    def _location(self, row: TrackerRow, key: str) -> GemLocation | None:
        """Return the location of a row, and add what others say of its route as claims."""
        beside = self._routes.get(row["id"].upper(), ())
        route = route_of(row["wkt"], self.builder.source, beside)
        if beside:
            add_claims(self.builder, row, key, beside)
        return _located(self.builder, row, key, route)

    def _stakes(self, row: TrackerRow, asset: str, listed: OwnerList, unit: Unit) -> None:
        builder, is_parent = self.builder, self._owner_field == "parent"
        given = row["parent_ids" if is_parent else "owner_ids"]
        # In files with owner ids each name has one, so that a list within a name must not be unnested.
        owners = listed if given else unnested(listed)
        _losses(builder, row, asset, owners)
        if is_parent and owners.entries:
            builder.warn(Message("gem.parents-for-owners"))
        seen: dict[str, int] = {}
        shares = zip(owners.entries, intervals(owners), _ids(builder, row, asset, owners, given), strict=True)
        for owner, share, identifier in shares:
            holder = builder.add_owner(row.line, owner, identifier)
            if "%" in owner.name:
                builder.warn(Message("gem.owner-with-share"))
            seen[holder] = number = seen.get(holder, 0) + 1
            note = _note(owners, owner) if owner in listed.entries else "GEM lists it with others in one name"
            notes = "; ".join(text for text in (_OF_PARENTS if is_parent else "", note) if text)
            if builder.add_stake(row.line, asset, holder, share, notes or None, number):
                unit.add_share(holder, share)

    def add_plant(self, plant: Plant, units: Sequence[Unit]) -> None:
        """Add a plant by those of its units that could be read, if any could."""
        if not units:
            return
        builder = self.builder
        values = {**plant_asset(plant, units), "sources": (builder.source.id,)}
        if builder.add("assets", values, builder.location(plant.line)):
            shares, note = plant_shares(units)
            for holder, share in shares.items():
                builder.add_stake(plant.line, plant.id, holder, share, note)


#: The columns of a table that is none.
_NO_COLUMNS = TrackerColumns.of(())
_OF_PARENTS = "The file has no owners: GEM names it as a parent, and not who is between"


def _aliases(row: TrackerRow) -> tuple[str, ...]:
    """Return the other names of a row, without their languages; commas or semicolons are between them."""
    names = (name.strip() for field in ("local", "other") for name in _NAME_SEPARATORS.split(row[field]))
    plain = (_LANGUAGE.sub("", name).strip() for name in names)
    return tuple(dict.fromkeys(name for name in plain if name and name not in ("--", "unknown", row["name"])))


_COUNTRY_SEPARATORS = re.compile(r"[;,]")
_NAME_SEPARATORS = re.compile(r"[;,،；]")
#: The language that GEM puts before or behind a name in it.
_LANGUAGE = re.compile(
    r"\((Arabic|Armenian|Azerbaijani|Bulgarian|Chinese|Croatian|Czech|Danish|Dutch|Finnish|French|Georgian|German|Greek|"
    r"Hebrew|Hindi|Hungarian|Indonesian|Italian|Japanese|Kazakh|Korean|Mongolian|Norwegian|Persian|Polish|Portuguese|"
    r"Romanian|Russian|Serbian|Slovak|Spanish|Swedish|Thai|Turkish|Turkmen|Ukrainian|Uzbek|Vietnamese)\)"
)


def _located(builder: GemRecordBuilder, row: TrackerRow, key: str, route: str) -> GemLocation | None:
    lat, lon = row["lat"], row["lon"]
    if not lat and not lon and row["latlon"]:
        lat, _, lon = row["latlon"].partition(",")
    try:
        located = read_location(route, lat, lon, row.accuracy)
        if located and located.points:
            parts = Message("gem.points", {"count": located.points})
            builder.add_row_problem(row.line, f"asset {key}", "geometry", parts, Message("gem.lines"))
        return located
    except CellValueError as error:
        builder.add_row_problem(row.line, f"asset {key}", "geometry", route or f"{lat}, {lon}", error.expected)
        return None


def _countries(builder: GemRecordBuilder, row: TrackerRow, key: str) -> tuple[list[str], str | None]:
    """Return the names of the countries of a row, and the country code if there is just one country."""
    fields = ("countries", "country2") if row["countries"] else ("country_from", "country_to")
    parts = (name.strip() for field in fields for name in _COUNTRY_SEPARATORS.split(row[field]))
    names = list(dict.fromkeys(filter(None, parts)))
    codes = []
    for name in (part for joined in names for part in _joined_countries(joined)):
        try:
            codes.append(country_code(name))
        except CellValueError as error:
            builder.add_row_problem(row.line, f"asset {key}", "countries", name, error.expected)
    return names, codes[0] if len(names) == len(codes) == 1 else None


def _joined_countries(name: str) -> Sequence[str]:
    """Return the parts of a name that joins several countries, `Senegal-Mauritania`, or the name alone."""
    parts = [part.strip() for part in name.split("-")]
    return parts if len(parts) > 1 and not _is_country(name) and all(map(_is_country, parts)) else [name]


def _is_country(name: str) -> bool:
    try:
        country_code(name)
    except CellValueError:
        return False
    return True


def _capacity(
    builder: GemRecordBuilder, row: TrackerRow, key: str, unit: str | None
) -> tuple[float | None, str | None, str | None]:
    """Return capacity, unit and commodity, as in `16.0 bcm/y of natural gas`."""
    text = row["capacity"]
    measure, _, moved = re.sub(r"^[0-9.,]+\s*", "", row["capacity_unit"]).partition(" of ")
    try:
        capacity = float(text) if text and text.casefold() not in _UNKNOWN_SIZES else None
    except ValueError:
        builder.add_row_problem(row.line, f"asset {key}", "capacity", text, Message("cell.number"))
        capacity = None
    return capacity, measure or unit, moved or None


#: Words for a capacity that is not known.
_UNKNOWN_SIZES = frozenset({"unknown", ">0", "*"})


#: The lists of owners of rows: the units of a plant have the same.
_owners = lru_cache(maxsize=256)(parse_owners)


def intervals(owners: OwnerList) -> tuple[tuple[float, float], ...]:
    """Return the bounds of shares for stakes: those of the list, with wider ones where it contradicts itself.

    GEM lists `A [100.00%]; B [unknown %]` for lines of which each country's company has its stretch. To take that
    for 100 and 0 would be exact and wrong: A has from 0 to 100, and so has B. Of shares that make more than 100 each is
    at most what is printed, and at least what the others leave.
    """
    if owners.contradiction == "full-and-unknown":
        return tuple((0.0, 100.0 if owner.share is None else owner.share) for owner in owners.entries)
    if owners.contradiction != "over":
        return owners.intervals()
    shares = (owner.share or 0.0 for owner in owners.entries)
    return tuple((max(0.0, 100.0 - (owners.known_sum - share)), min(share, 100.0)) for share in shares)


def _note(owners: OwnerList, owner: Owner) -> str | None:
    if owners.contradiction == "full-and-unknown":
        return "GEM lists shares of 100 % and owners without a share beside them; none is taken for sure"
    if owners.contradiction == "over":
        return f"GEM prints {owner.raw.strip()[:200]} among shares that make more than 100 %"
    return "GEM gives no share" if owner.share is None else None


def _losses(builder: GemRecordBuilder, row: TrackerRow, asset: str, owners: OwnerList) -> None:
    for loss in owners.losses:
        meaning = Message(f"gem.oddity.{loss.name}")
        expected = Message("gem.plain-entry", {"oddity": loss.name, "meaning": meaning})
        builder.add_row_problem(row.line, f"asset {asset}", "owner", loss.raw, expected)
    if owners.contradiction == "full-and-unknown":
        builder.add_row_problem(row.line, f"asset {asset}", "owner", owners.text, Message("gem.shares-left"))
    elif owners.contradiction == "over":
        builder.add_row_problem(row.line, f"asset {asset}", "owner", owners.text, Message("gem.shares-over"))


def _ids(builder: GemRecordBuilder, row: TrackerRow, asset: str, owners: OwnerList, given: str) -> list[str | None]:
    """Return GEM's id of each owner in the order of the names; all None where the counts of ids and names differ."""
    gem_ids = re.findall(r"\bE[0-9]{6,}\b", given)
    if gem_ids and len(gem_ids) != len(owners.entries):
        expected = Message("gem.ids-as-owners", {"count": len(owners.entries)})
        builder.add_row_problem(row.line, f"asset {asset}", "owner_ids", given, expected)
    return list(gem_ids) if len(gem_ids) == len(owners.entries) else [None] * len(owners.entries)


class RowIds:
    """The ids of the assets of rows: GEM's number, or else project, unit and a digest of both with their page.

    A second row without a number, or with that of a row of the same name and unit, gets a number behind its id. Of
    rows with a number that say the same in each field, only the first is read.
    """

    def __init__(self, rows: Sequence[TrackerRow]) -> None:
        self._shared = Counter(row["plant_id"] for row in rows if not is_gem_number(row["id"]))
        self._ids: dict[int, str] = {}
        self._repeated: set[int] = set()
        first: dict[str, TrackerRow] = {}
        values: set[tuple[str, ...]] = set()
        twins: Counter[str] = Counter()
        for row in rows:
            key = self._id(row)
            before = first.setdefault(key, row)
            twins[key] += 1
            is_numbered = is_gem_number(row["id"])
            is_other = is_numbered and (row["name"], row["unit"]) != (before["name"], before["unit"])
            self._ids[row.line] = key if before is row or is_other else f"{key}/{twins[key]}"
            if is_numbered and row.values in values:
                self._repeated.add(row.line)
                twins[key] -= 1
            values.add(row.values)

    def _id(self, row: TrackerRow) -> str:
        if is_gem_number(row["id"]):
            return gem_id(row["id"])
        if is_gem_number(row["plant_id"]) and self._shared[row["plant_id"]] == 1:
            return gem_id(row["plant_id"])
        digest = short_digest("\n".join((row["url"], row["name"], row["unit"])))
        parts = (slug(row["name"])[:40], slug(row["unit"])[:20], digest)
        return f"gem/unit/{'-'.join(part for part in parts if part)}"

    def of(self, row: TrackerRow) -> str:
        """Return the id of a row's asset."""
        return self._ids[row.line]

    def is_repeated(self, row: TrackerRow) -> bool:
        """Whether an earlier row of the same number says the same."""
        return row.line in self._repeated
