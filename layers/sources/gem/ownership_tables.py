"""Reader of GEM's ownership tables (All Entities, Entity Ownership, Asset Ownership): entities, assets, stakes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from layers.model.asset_kinds import TABLE
from layers.model.messages import Message, alternatives
from layers.model.problems import ReadResult, SourceLocation
from layers.model.records import Record, Records
from layers.ownership.stake_graph import FREE_FLOAT
from layers.sources.files.source_file import SourceFile
from layers.sources.files.tables import RowTable
from layers.sources.gem.columns import folded
from layers.sources.gem.record_builder import GemRecordBuilder, gem_id
from layers.sources.reader.cell_values import CellValueError, country_code
from layers.sources.reader.format import Format, LoadOptions
from layers.sources.reader.owner_grammar import Owner

#: Entity types by GEM's words, which are those of BODS 0.4.
TYPES: Mapping[str, str] = {
    "legal entity": "legalEntity", "state": "state", "state body": "stateBody", "arrangement": "arrangement",
    "unknown entity": "unknownEntity", "person": "person",
}  # fmt: skip
#: Columns of other registers' ids.
IDS: Mapping[str, str] = {
    "Global Legal Entity Identifier Index": "lei",
    "PermID: Refinitiv Permanent Identifier": "permid",
    "UK Companies House": "gb-coh",
    "US SEC Central Index Key": "us-sec",
}
#: Asset types of GEM that have a kind here; rows of others are problems.
KINDS = TABLE.kinds_by("gem_asset_types")
IMPUTED: Mapping[str, bool] = {"known value, not imputed": False, "imputed value": True, "": False}

_ENTITIES = ("Entity ID", "Entity Type")
_ENTITY_STAKES = ("Subject Entity ID", "Interested Party ID", "% Share of Ownership")
_ASSET_STAKES = ("Asset Type", "Asset ID", "Immediate Owner Entity ID", "% Share of Ownership")


#: The columns that are read, by their names without case, spaces and signs, as GEM writes them in more than one way.
_COLUMNS: Mapping[str, str] = {
    folded(name): name
    for name in (
        *_ENTITIES, *_ENTITY_STAKES, *_ASSET_STAKES, *IDS, "Subject Entity Name", "Interested Party Name",
        "Immediate Owner Entity Name", "Asset Unit ID", "Asset Name", "Share Imputed?", "Full Name", "Name",
        "Name Local", "Name Other", "Abbreviation", "Registration Country", "Headquarters Country",
    )
}  # fmt: skip


def _rows(builder: GemRecordBuilder, table: RowTable) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield and count the rows of a table, with its columns called as in the releases, however the file spells them."""
    names = {name: _COLUMNS.get(folded(name), name) for name in table.header}
    for number, cells in table:
        builder.rows += 1
        yield number, {names[name]: cell for name, cell in cells.items()}


@dataclass(frozen=True, slots=True)
class StakeLine:
    """A stake as printed: ids of the owned record and of the owner, and the share (``None``: not given)."""

    row: int
    owned: str
    owner: str
    share: float | None
    imputed: bool


def read(files: Sequence[SourceFile], options: LoadOptions) -> ReadResult:
    """Read the tables of files: a CSV file is one table, a workbook may hold several as sheets."""
    tables = [table for file in files for table in file.tables()]
    known = [table for table in tables if len(tables) == len(files) or _kind_of(table.header)]
    return parse(known, options.dataset, options.licence)


def parse(tables: Iterable[RowTable], dataset: str | None = None, licence: str | None = None) -> ReadResult:
    """Read tables, each recognised by its header; any other table is a problem.

    Blank rows are left out. A company that only an ownership table names is an entity with no country. A share
    that is not given is from 0 to the remainder of the known ones. The stakes of small shareholders in a company are
    the free float, which the curated records hold. The tables give no dates. Sheets of one workbook belong in one call.
    """
    results = [_parse(table, dataset, licence) for table in tables]
    merged: dict[str, dict[str, Record]] = defaultdict(dict)
    places: dict[tuple[str, str], SourceLocation] = {}
    # An entity's own row says more than its name in a stake, whichever sheet comes first.
    for result in sorted(results, key=_rank):
        for key, location in result.locations.items():
            if key not in places:
                places[key] = location
                merged[key[0]][key[1]] = result.records.table(key[0])[key[1]]
        merged["sources"].update(result.records.sources)
    problems = tuple(fault for result in results for fault in result.problems)
    return ReadResult(Records.of(merged), places, problems, sum(result.rows for result in results))


def _rank(result: ReadResult) -> tuple[bool, bool, str]:
    records = result.records
    return bool(records.stakes), bool(records.assets), min(records.sources)


def _kind_of(header: Iterable[str]) -> tuple[str, ...] | None:
    there = {_COLUMNS.get(folded(name), name) for name in header}
    return next((columns for columns in (_ENTITY_STAKES, _ASSET_STAKES, _ENTITIES) if there.issuperset(columns)), None)


def _parse(table: RowTable, dataset: str | None, licence: str | None) -> ReadResult:
    builder = GemRecordBuilder(table.file, dataset, licence)
    kind = _kind_of(table.header)
    if kind in (_ENTITY_STAKES, _ASSET_STAKES):
        _write(builder, _lines(builder, table, of_assets=kind is _ASSET_STAKES))
    elif kind is _ENTITIES:
        for row, cells in _rows(builder, table):
            builder.add("entities", _entity(builder, row, cells), builder.location(row))
    else:
        builder.add_row_problem(1, "header", "columns", ", ".join(table.header), Message("gem.ownership-columns"))
    builder.add_unreadable_rows(table.problems)
    return builder.result()


def _entity(builder: GemRecordBuilder, row: int, cells: Mapping[str, str]) -> dict[str, Any]:
    words = cells["Entity Type"].strip().casefold()
    key = gem_id(cells["Entity ID"])
    if words not in TYPES:
        expected = Message("cell.one-of", {"names": tuple(TYPES)})
        builder.add_row_problem(row, f"entity {key}", "Entity Type", words, expected)
    registered = _country(builder, row, key, cells, "Registration Country")
    kind = TYPES.get(words, "unknownEntity")
    name, *aliases = _names(cells)
    return {
        "id": key,
        "name": name,
        "aliases": tuple(aliases),
        "type": "registeredEntity" if kind == "legalEntity" and registered else kind,
        "registered_in": registered,
        "headquartered_in": _country(builder, row, key, cells, "Headquarters Country"),
        "external_ids": {"gem": cells["Entity ID"].strip(), **_other_ids(cells)},
        "sources": (builder.source.id,),
        "checked": "read",
    }


def _names(cells: Mapping[str, str]) -> list[str]:
    """Return the full name first, then the others, each once; one empty name, which validation refuses, for none."""
    columns = ("Full Name", "Name", "Name Local", "Name Other", "Abbreviation")
    names = [part.strip() for column in columns for part in cells.get(column, "").split(";")]
    return list(dict.fromkeys(name for name in names if name not in ("", "--"))) or [""]


def _other_ids(cells: Mapping[str, str]) -> dict[str, str]:
    ids = {scheme: cells.get(file_column, "").strip() for file_column, scheme in IDS.items()}
    return {name: value for name, value in ids.items() if value not in ("", "--", "not found", "unknown")}


def _country(builder: GemRecordBuilder, row: int, key: str, cells: Mapping[str, str], column: str) -> str | None:
    name = cells.get(column, "").strip()
    if name.casefold() in ("", "--", "unknown", "not found"):
        return None
    try:
        return country_code(name)
    except CellValueError as error:
        builder.add_row_problem(row, f"entity {key}", column, name, error.expected)
        return None


def _lines(builder: GemRecordBuilder, table: RowTable, *, of_assets: bool) -> Iterator[StakeLine]:
    for row, cells in _rows(builder, table):
        if of_assets:
            owned = _asset(builder, row, cells)
            owner = _holder(builder, row, cells, "Immediate Owner Entity ID", "Immediate Owner Entity Name")
        else:
            owned = _holder(builder, row, cells, "Subject Entity ID", "Subject Entity Name")
            owner = _holder(builder, row, cells, "Interested Party ID", "Interested Party Name")
        if owned and owner:
            yield _line(builder, row, owned, owner, cells)


def _asset(builder: GemRecordBuilder, row: int, cells: Mapping[str, str]) -> str | None:
    identifier = cells.get("Asset Unit ID", "").strip() or cells["Asset ID"].strip()
    key, words = gem_id(identifier), cells["Asset Type"].strip()
    if builder.has("assets", key):
        return key
    kind = KINDS.get(words.casefold())
    if not identifier or kind is None:
        column, value = ("Asset Type", words) if identifier else ("Asset ID", Message("value.empty"))
        builder.add_row_problem(row, f"asset {key}", column, value, Message("gem.asset-type"))
        return None
    asset = {
        "id": key,
        "name": cells.get("Asset Name", ""),
        "kind": kind,
        "external_ids": {"gem": identifier},
        "sources": (builder.source.id,),
        "checked": "unverified",
    }
    return key if builder.add("assets", asset, builder.location(row)) else None


def _holder(builder: GemRecordBuilder, row: int, cells: Mapping[str, str], by_id: str, by_name: str) -> str | None:
    identifier, name = cells[by_id].strip(), " ".join(cells.get(by_name, "").split())
    owner = Owner(name, None, name)
    # Small shareholders are the free float of a company; an asset has no free float, so they stay an entity.
    if owner.holder == "small-shareholders" and by_id == "Interested Party ID":
        return FREE_FLOAT
    if not identifier and not name:
        builder.add_row_problem(row, "stake", by_id, Message("value.empty"), Message("gem.id-or-name"))
        return None
    return builder.add_owner(row, owner, identifier or None)


def _line(builder: GemRecordBuilder, row: int, owned: str, owner: str, cells: Mapping[str, str]) -> StakeLine:
    text = cells["% Share of Ownership"].strip().removesuffix("%").strip()
    words = cells.get("Share Imputed?", "").strip().casefold()
    if words not in IMPUTED:
        expected = Message("cell.one-of-words", {"words": alternatives([word for word in IMPUTED if word])})
        builder.add_row_problem(row, f"stake {owned}>{owner}", "Share Imputed?", words, expected)
    try:
        share = None if text.casefold() in ("", "--", "unknown") else float(text)
    except ValueError:
        share = math.nan
    if share is not None and not math.isfinite(share):
        builder.add_row_problem(
            row, f"stake {owned}>{owner}", "% Share of Ownership", text, Message("gem.number-or-nothing")
        )
        share = None
    return StakeLine(row, owned, owner, share, IMPUTED.get(words, True))


def _write(builder: GemRecordBuilder, lines: Iterable[StakeLine]) -> None:
    """Add a stake for each line; a line that is printed twice counts once, and the second is a problem."""
    by_owned: dict[str, dict[tuple[str, float | None], StakeLine]] = defaultdict(dict)
    for line in lines:
        first = by_owned[line.owned].setdefault((line.owner, line.share), line)
        if first is not line:
            name = f"stake {line.owned}>{line.owner}"
            expected = Message("gem.stake-of-other-row", {"row": first.row})
            builder.add_row_problem(line.row, name, "row", Message("gem.same-again"), expected)
    for owned, distinct in by_owned.items():
        left = max(0.0, 100.0 - math.fsum(line.share for line in distinct.values() if line.share is not None))
        seen: dict[str, int] = {}
        for line in distinct.values():
            seen[line.owner] = number = seen.get(line.owner, 0) + 1
            share = (0.0, left) if line.share is None else (line.share, line.share)
            note = "GEM gives no share" if line.share is None else None
            builder.add_stake(line.row, owned, line.owner, share, note, number, imputed=line.imputed)


FORMAT = Format(
    name="gem-tables",
    title="Global Energy Monitor: ownership tables (All Entities, Entity Ownership, Asset Ownership)",
    provides="entities, stakes, assets without a place",
    licence="CC BY 4.0",
    recognises=lambda sniff: any(_kind_of(columns) for columns in (sniff.columns, *sniff.sheets.values())),
    read=read,
    signature="the columns Entity ID and Entity Type, or Interested Party ID, or Immediate Owner Entity ID",
)
