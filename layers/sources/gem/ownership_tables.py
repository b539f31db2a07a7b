"""Reader of GEM's ownership tables (All Entities, Entity Ownership, Asset Ownership): entities, assets, stakes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from layers.model.read_result import Place, Reading
from layers.model.records import Record, Records
from layers.ownership.stake_graph import FREE_FLOAT
from layers.sources.files.sniffing import Head
from layers.sources.files.source_file import SourceFile
from layers.sources.files.tables import RowTable
from layers.sources.gem.columns import gem_id
from layers.sources.gem.owner_grammar import Owner
from layers.sources.gem.record_builder import Gathering
from layers.sources.reader.country_codes import PlaceError, country_code
from layers.sources.reader.format import Format, Request

#: Entity types of GEM (BODS 0.4 in words).
TYPES: Mapping[str, str] = {
    "legal entity": "legalEntity",
    "state": "state",
    "state body": "stateBody",
    "arrangement": "arrangement",
    "unknown entity": "unknownEntity",
    "person": "person",
}
#: Columns of other registers' ids.
IDS: Mapping[str, str] = {
    "Global Legal Entity Identifier Index": "lei",
    "PermID: Refinitiv Permanent Identifier": "permid",
    "UK Companies House": "gb-coh",
    "US SEC Central Index Key": "us-sec",
}
#: Asset types of GEM that have a kind here; rows of others are problems.
KINDS: Mapping[str, str] = {
    "oil pipeline": "pipeline",
    "oil & ngl pipeline": "pipeline",
    "ngl pipeline": "pipeline",
    "gas pipeline": "pipeline",
    "hydrogen pipeline": "pipeline",
    "pipeline": "pipeline",
    "lng terminal": "lng-plant",
    "gas plant": "power-plant",
    "oil and gas plant": "power-plant",
    "oil/gas plant": "power-plant",
    "coal plant": "power-plant",
    "bioenergy plant": "power-plant",
    "geothermal plant": "power-plant",
    "solar farm": "power-plant",
    "wind farm": "power-plant",
    "hydropower plant": "hydro-plant",
    "hydropower": "hydro-plant",
    "nuclear plant": "nuclear-plant",
    "nuclear": "nuclear-plant",
    "steel plant": "steelworks",
    "iron and steel plant": "steelworks",
    "iron & steel plant": "steelworks",
    "cement plant": "factory",
    "oil & gas field": "oil-field",
    "oil and gas field": "oil-field",
}
IMPUTED: Mapping[str, bool] = {"known value, not imputed": False, "imputed value": True, "": False}

_ENTITIES = ("Entity ID", "Entity Type")
_ENTITY_STAKES = ("Subject Entity ID", "Interested Party ID", "% Share of Ownership")
_ASSET_STAKES = ("Asset Type", "Asset ID", "Immediate Owner Entity ID", "% Share of Ownership")


@dataclass(frozen=True, slots=True)
class Line:
    """A stake as printed: who holds how much (``None``: not given) of what, by entity and asset ids."""

    row: int
    owned: str
    owner: str
    share: float | None
    imputed: bool


def read(files: Sequence[SourceFile], request: Request) -> Reading:
    """Read the tables of files: each is one table as CSV, or a workbook with several as sheets."""
    tables = [table for file in files for table in file.tables()]
    known = [table for table in tables if len(tables) == len(files) or _kind_of(table.header)]
    return parse(known, request.dataset, request.licence)


def parse(tables: Iterable[RowTable], dataset: str | None = None, licence: str | None = None) -> Reading:
    """Read tables, each told by its header; a table that is none of the three is a problem.

    Blank rows are left out. A company that only an ownership table names is an entity with no country. A share
    that is not given is from 0 to what the known ones leave. The stakes of small shareholders in a company are the
    free float, which the curated records hold. The tables give no dates. Sheets of one workbook belong in one call.
    """
    readings = [_parse(table, dataset, licence) for table in tables]
    kept: dict[str, dict[str, Record]] = defaultdict(dict)
    places: dict[tuple[str, str], Place] = {}
    # An entity's own row says more than its name in a stake, whichever sheet comes first.
    for reading in sorted(readings, key=_rank):
        for key, place in reading.places.items():
            if key not in places:
                places[key] = place
                kept[key[0]][key[1]] = reading.records.table(key[0])[key[1]]
        kept["sources"].update(reading.records.sources)
    problems = tuple(fault for reading in readings for fault in reading.problems)
    return Reading(Records.of(kept), places, problems, sum(reading.rows for reading in readings))


def _rank(reading: Reading) -> tuple[bool, bool, str]:
    records = reading.records
    return bool(records.stakes), bool(records.assets), min(records.sources)


def _kind_of(header: Iterable[str]) -> tuple[str, ...] | None:
    there = set(header)
    return next((columns for columns in (_ENTITY_STAKES, _ASSET_STAKES, _ENTITIES) if there.issuperset(columns)), None)


def _parse(table: RowTable, dataset: str | None, licence: str | None) -> Reading:
    gathering = Gathering(table.file, dataset, licence)
    kind = _kind_of(table.header)
    if kind is _ENTITY_STAKES:
        _write(gathering, _entity_lines(gathering, table))
    elif kind is _ASSET_STAKES:
        _write(gathering, _asset_lines(gathering, table))
    elif kind is _ENTITIES:
        for row, cells in table:
            gathering.rows += 1
            gathering.add("entities", _entity(gathering, row, cells), gathering.at(row))
    else:
        expected = "the columns of All Entities, Entity Ownership or Asset Ownership"
        gathering.row_fault(1, "header", "columns", ", ".join(table.header), expected)
    gathering.bad_rows(table.problems)
    return gathering.reading()


def _entity(gathering: Gathering, row: int, cells: Mapping[str, str]) -> dict[str, Any]:
    words = cells["Entity Type"].strip().casefold()
    key = gem_id(cells["Entity ID"])
    if words not in TYPES:
        gathering.row_fault(row, f"entity {key}", "Entity Type", words, f"one of {', '.join(TYPES)}")
    registered = _country(gathering, row, key, cells, "Registration Country")
    kind = TYPES.get(words, "unknownEntity")
    name, *others = _names(cells)
    return {
        "id": key,
        "name": name,
        "aliases": tuple(others),
        "type": "registeredEntity" if kind == "legalEntity" and registered else kind,
        "registered_in": registered,
        "headquartered_in": _country(gathering, row, key, cells, "Headquarters Country"),
        "external_ids": {"gem": cells["Entity ID"].strip(), **_other_ids(cells)},
        "sources": (gathering.source.id,),
        "checked": "read",
    }


def _names(cells: Mapping[str, str]) -> list[str]:
    """Full name first, then the others, each once; the empty name where there is none, which no entity may have."""
    columns = ("Full Name", "Name", "Name Local", "Name Other", "Abbreviation")
    found = [part.strip() for column in columns for part in cells.get(column, "").split(";")]
    return list(dict.fromkeys(name for name in found if name not in ("", "--"))) or [""]


def _other_ids(cells: Mapping[str, str]) -> dict[str, str]:
    found = {ours: cells.get(theirs, "").strip() for theirs, ours in IDS.items()}
    return {name: value for name, value in found.items() if value not in ("", "--", "not found", "unknown")}


def _country(gathering: Gathering, row: int, key: str, cells: Mapping[str, str], column: str) -> str | None:
    name = cells.get(column, "").strip()
    if name.casefold() in ("", "--", "unknown", "not found"):
        return None
    try:
        return country_code(name)
    except PlaceError as error:
        gathering.row_fault(row, f"entity {key}", column, name, str(error))
        return None


def _entity_lines(gathering: Gathering, table: RowTable) -> Iterator[Line]:
    for row, cells in table:
        gathering.rows += 1
        owned = _holder(gathering, row, cells, "Subject Entity ID", "Subject Entity Name")
        owner = _holder(gathering, row, cells, "Interested Party ID", "Interested Party Name")
        if owned and owner:
            yield _line(gathering, row, owned, owner, cells)


def _asset_lines(gathering: Gathering, table: RowTable) -> Iterator[Line]:
    for row, cells in table:
        gathering.rows += 1
        asset = _asset(gathering, row, cells)
        owner = _holder(gathering, row, cells, "Immediate Owner Entity ID", "Immediate Owner Entity Name")
        if asset and owner:
            # Small shareholders of an asset, unlike those of a company, have no company to stay with.
            yield _line(gathering, row, asset, owner, cells)


def _asset(gathering: Gathering, row: int, cells: Mapping[str, str]) -> str | None:
    identifier = cells.get("Asset Unit ID", "").strip() or cells["Asset ID"].strip()
    key, words = gem_id(identifier), cells["Asset Type"].strip()
    if gathering.has("assets", key):
        return key
    kind = KINDS.get(words.casefold())
    if not identifier or kind is None:
        column, value = ("Asset Type", words) if identifier else ("Asset ID", "(empty)")
        gathering.row_fault(row, f"asset {key}", column, value, "an id, and a type that has a kind here")
        return None
    asset = {
        "id": key,
        "name": cells.get("Asset Name", ""),
        "kind": kind,
        "external_ids": {"gem": identifier},
        "sources": (gathering.source.id,),
        "checked": "unverified",
    }
    return key if gathering.add("assets", asset, gathering.at(row)) else None


def _holder(gathering: Gathering, row: int, cells: Mapping[str, str], by_id: str, by_name: str) -> str | None:
    identifier, name = cells[by_id].strip(), " ".join(cells.get(by_name, "").split())
    owner = Owner(name, None, name)
    if owner.holder == "small-shareholders" and by_id == "Interested Party ID":
        return FREE_FLOAT
    if not identifier and not name:
        gathering.row_fault(row, "stake", by_id, "(empty)", "an id or a name")
        return None
    return gathering.owner(row, owner, identifier or None)


def _line(gathering: Gathering, row: int, owned: str, owner: str, cells: Mapping[str, str]) -> Line:
    text = cells["% Share of Ownership"].strip().removesuffix("%").strip()
    words = cells.get("Share Imputed?", "").strip().casefold()
    if words not in IMPUTED:
        gathering.row_fault(row, f"stake {owned}>{owner}", "Share Imputed?", words, " or ".join(filter(None, IMPUTED)))
    try:
        share = None if text.casefold() in ("", "--", "unknown") else float(text)
    except ValueError:
        share = math.nan
    if share is not None and not math.isfinite(share):
        gathering.row_fault(row, f"stake {owned}>{owner}", "% Share of Ownership", text, "a number, or nothing")
        share = None
    return Line(row, owned, owner, share, IMPUTED.get(words, True))


def _write(gathering: Gathering, lines: Iterable[Line]) -> None:
    """Make stakes of the lines; a line printed twice counts once, and the second is a problem."""
    by_owned: dict[str, dict[tuple[str, float | None], Line]] = defaultdict(dict)
    for line in lines:
        first = by_owned[line.owned].setdefault((line.owner, line.share), line)
        if first is not line:
            name = f"stake {line.owned}>{line.owner}"
            gathering.row_fault(line.row, name, "row", "the same again", f"a stake that is not in row {first.row}")
    for owned, distinct in by_owned.items():
        left = max(0.0, 100.0 - math.fsum(line.share for line in distinct.values() if line.share is not None))
        seen: dict[str, int] = {}
        for line in distinct.values():
            seen[line.owner] = number = seen.get(line.owner, 0) + 1
            least, most = (0.0, left) if line.share is None else (line.share, line.share)
            ending = f"/{number}" if number > 1 else ""
            values: dict[str, Any] = {
                "id": f"{owned}>{line.owner.removeprefix('gem/')}{ending}",
                "owned": owned,
                "owner": line.owner,
                "share_min": least,
                "share_max": most,
                "imputed": line.imputed,
                "source": gathering.source.id,
                "checked": "read",
                "note": "GEM gives no share" if line.share is None else None,
            }
            gathering.add("stakes", values, gathering.at(line.row))


def _recognises(head: Head) -> bool:
    return any(_kind_of(columns) for columns in (head.columns, *head.sheets.values()))


FORMAT = Format(
    name="gem-tables",
    title="Global Energy Monitor: ownership tables (All Entities, Entity Ownership, Asset Ownership)",
    gives="entities, stakes, assets without a place",
    licence="CC BY 4.0",
    recognises=_recognises,
    read=read,
    known_by="the columns Entity ID and Entity Type, or Interested Party ID, or Immediate Owner Entity ID",
)
