"""Drafts the mapping of a file by what its headers say and its cells hold; each guess with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from layers.sources.column_mapping.draft.asset_tables import AssetWriter
from layers.sources.column_mapping.draft.column_roles import FITS, ROLE_NAMES, ColumnRoles
from layers.sources.column_mapping.draft.event_tables import StrikeWriter, assets_of_strikes
from layers.sources.column_mapping.draft.file_sample import FileSample
from layers.sources.column_mapping.draft.header_roles import role_fit
from layers.sources.column_mapping.draft.holding_tables import EntityWriter, StakeWriter
from layers.sources.column_mapping.draft.table_draft import TableDraft
from layers.sources.column_mapping.draft.table_writer import TableWriter

#: Roles that tell of a row more than others: what happened when and where.
_TELLING = frozenset({"when", "title", "lat", "lon", "latlon", "wkt", "share"})

_WRITERS: Mapping[str, type[TableWriter]] = {
    writer.noun: writer for writer in (StrikeWriter, AssetWriter, EntityWriter, StakeWriter)
}


def header_fit(names: Iterable[str]) -> float:
    """Return how many roles the names of columns fill; the rows of a document are the list with the most."""
    listed = tuple(names)
    filled = [role for role in ROLE_NAMES if role != "note" and any(role_fit(name, role) >= FITS for name in listed)]
    return sum(2.0 if role in _TELLING else 1.0 for role in filled)


def draft(sample: FileSample, noun: str | None = None) -> list[TableDraft]:
    """Return the tables that a file seems to hold, the most telling first.

    Parameters
    ----------
    sample
        The file.
    noun
        What its rows are; None where the headers and cells have to tell.
    """
    columns = ColumnRoles(sample)
    nouns, reason = ([noun], "as told") if noun else _nouns(columns)
    tables = [_WRITERS[name](columns, reason).write() for name in nouns]
    if tables[0].noun == "strikes" and (assets := assets_of_strikes(columns)):
        tables.append(assets)
    return tables


def _nouns(columns: ColumnRoles) -> tuple[list[str], str]:
    """Return what the rows of a file are, and why; holdings may tell of their companies, too."""
    located = bool(columns.place()) or columns.has_shapes
    has = {role: columns.best(role) is not None for role in ROLE_NAMES}
    day, share = columns.day(), columns.share()
    names = columns.names([name for name in (day, share) if name])
    by_day = day is not None and (role_fit(day, "when") >= FITS or columns.profiles[day].is_date)
    tax = has["inn"] or has["ogrn"] or has["edrpou"] or has["lei"]
    scores = {
        "strikes": 3 * by_day + 2 * has["title"] + has["weapon"] + has["killed"] + has["attacker"] + has["cause"]
        + located * by_day + has["damage"] + (has["target"] and by_day),
        "assets": 3 * located + 2 * has["kind"] + 2 * has["capacity"] + has["operator"] + has["name"]
        - 2 * (by_day and (has["title"] or has["weapon"] or has["cause"] or not has["name"])),
        "entities": 3 * tax + 2 * (has["owned"] or has["name"]) + has["type"] + has["country"] + has["region"]
        - 3 * located - (by_day and has["title"]),
        "stakes": (4 * (share is not None) + 2 * has["owner"] + has["owned"] - 4 * located) * bool(names),
    }  # fmt: skip
    noun = max(scores, key=lambda name: scores[name])
    ranked = ", ".join(f"{name} {score}" for name, score in sorted(scores.items(), key=lambda item: -item[1]))
    reason = f"by its columns ({ranked})"
    if noun == "stakes" and (tax or has["country"]):
        return ["entities", "stakes"], reason
    if noun == "entities" and share is not None and len(names) > 0 and has["owner"]:
        return ["entities", "stakes"], reason
    return [noun], reason
