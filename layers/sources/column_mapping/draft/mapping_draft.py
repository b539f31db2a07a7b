"""Drafts the mapping of a file by what its headers say and its cells hold; each guess with its reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from layers.sources.column_mapping.draft.asset_tables import AssetWriter
from layers.sources.column_mapping.draft.axis_order import CountryAt
from layers.sources.column_mapping.draft.cell_words import kind_of
from layers.sources.column_mapping.draft.column_profile import MOST, ColumnProfile, words_of
from layers.sources.column_mapping.draft.column_roles import FITS, OTHER_RECORDS, ROLE_NAMES, ColumnRoles, is_id_field
from layers.sources.column_mapping.draft.event_tables import StrikeWriter, assets_of_strikes
from layers.sources.column_mapping.draft.file_sample import FileSample, singular, with_references
from layers.sources.column_mapping.draft.header_roles import WORDS, header_words, role_fit
from layers.sources.column_mapping.draft.holding_tables import EntityWriter, StakeWriter
from layers.sources.column_mapping.draft.table_draft import TableDraft
from layers.sources.column_mapping.draft.table_writer import TableWriter

#: Roles that tell of a row more than others: what happened when and where.
_TELLING = frozenset({"when", "title", "lat", "lon", "latlon", "wkt", "share"})

#: Words for lists of a noun, and how much the name of a list tells.
LISTS: Mapping[str, frozenset[str]] = {noun: frozenset(words) for noun, words in WORDS["lists"].items()}
_LISTED = 2

_WRITERS: Mapping[str, type[TableWriter]] = {
    writer.noun: writer for writer in (StrikeWriter, AssetWriter, EntityWriter, StakeWriter)
}


def header_fit(names: Iterable[str]) -> float:
    """Return how many roles the names of columns fill; the rows of a document are the list with the most."""
    listed = tuple(names)
    filled = [role for role in ROLE_NAMES if role != "note" and any(role_fit(name, role) >= FITS for name in listed)]
    return sum(2.0 if role in _TELLING else 1.0 for role in filled)


def draft(
    samples: Sequence[FileSample], noun: str | None = None, country_at: CountryAt | None = None
) -> list[TableDraft]:
    """Return the tables that a file seems to hold, the most telling first.

    ``samples``: the rows of the file; of a JSON document those of each list, that which fits best first. ``noun``: what
    its rows are; None where the headers and cells have to tell. ``country_at``: the country of a point, by which the
    order of pairs of degrees is told; None where there is no map.
    """
    lists = events_and_sites(samples) if noun in (None, "strikes") else None
    if lists:
        events, sites = lists
        strikes = StrikeWriter(ColumnRoles(events, country_at), "a list of events").write()
        struck = AssetWriter(ColumnRoles(sites, country_at), "a list of what the events struck").write()
        if "kind" in {**struck.columns, **struck.constants}:
            return [strikes, struck]
        strikes.remarks.append(
            f"{sites.rows or 'the list of sites'!r} is left out: nothing says of which kind they are"
        )
        return [strikes]
    columns = ColumnRoles(samples[0], country_at)
    nouns, reason = ([noun], "as told") if noun else _nouns(columns)
    tables = [_WRITERS[name](columns, reason).write() for name in nouns]
    if tables[0].noun == "strikes" and (assets := assets_of_strikes(columns)):
        tables.append(assets)
    return tables


def events_and_sites(samples: Sequence[FileSample]) -> tuple[FileSample, FileSample] | None:
    """Return the rows of events, and those of the sites that they struck, where a document has a list of each.

    Events within sites know their site; events that hold sites without a place of their own are one for each site;
    events that refer to sites by an id have their fields. None where a document has no two such lists.
    """
    own = [(sample, ColumnRoles(sample.own)) for sample in samples]
    events = next((sample for sample, columns in own if _are_events(columns)), None)
    sites = next((sample for sample, columns in own if sample is not events and _are_sites(columns)), None)
    if events is None or sites is None:
        return None
    inner, outer = f"{events.rows or ''}.", f"{sites.rows}." if sites.rows else ""
    if inner.startswith(outer):
        return (events if outer else replace(events, outermost="site")), sites
    if outer.startswith(inner.lstrip(".")):
        is_placed = bool(ColumnRoles(events.own).place())
        return (events if is_placed else replace(sites, around=singular(sites.rows or ""))), sites
    ids = next((name for name, profile in ColumnRoles(sites.own).profiles.items() if _is_own_id(profile)), None)
    reference = ids and _reference(events, sites, {*sites.columns[ids]})
    return (with_references(events, reference, sites, ids), sites) if ids and reference else None


def _are_events(columns: ColumnRoles) -> bool:
    """Whether rows have names for their fields and a day of their own, and are no places."""
    day = columns.day()
    if day is None or all(name.isdecimal() for name in columns.profiles):
        return False
    return columns.profiles[day].is_date and _nouns(columns)[0][0] == "strikes"


def _are_sites(columns: ColumnRoles) -> bool:
    """Whether rows have a name, and a place or a kind."""
    has_name = any(columns.best(role, lambda profile: profile.is_text) for role in ("name", "target", "title"))
    return has_name and (bool(columns.place()) or columns.best("kind", lambda p: p.part(kind_of) > 0) is not None)


def _is_own_id(profile: ColumnProfile) -> bool:
    return is_id_field(profile.header) and profile.is_whole and profile.is_unique


def _reference(events: FileSample, sites: FileSample, ids: Collection[str]) -> str | None:
    """Return the column of events whose cells are ids of sites, alone or as arrays, and whose header names them.

    Small numbers may be ids of anything: of the events themselves, or counts.
    """
    named = OTHER_RECORDS | {singular(sites.rows or "").casefold()}
    for name, profile in ColumnRoles(events.own).profiles.items():
        words = [word for text in profile.distinct for word in words_of(text)]
        are_ids = words and sum(word in ids for word in words) >= MOST * len(words)
        if are_ids and not named.isdisjoint(header_words(profile.header)):
            return name
    return None


def _nouns(columns: ColumnRoles) -> tuple[list[str], str]:
    """Return what the rows of a file are, and why; holdings may tell of their companies, too."""
    located = bool(columns.place()) or columns.has_shapes
    has = {role: columns.best(role) is not None for role in ROLE_NAMES}
    # "Kind" says of companies, too, what they are.
    has["kind"] = located or columns.best("kind", lambda profile: profile.part(kind_of) > 0) is not None
    day, share = columns.day(), columns.share()
    names = columns.names([name for name in (day, share) if name])
    by_day = day is not None and (
        role_fit(columns.profiles[day].header, "when") >= FITS or columns.profiles[day].is_date
    )
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
    scores = {noun: score + _LISTED * bool(columns.sample.list_words & LISTS[noun]) for noun, score in scores.items()}
    noun = max(scores, key=lambda name: scores[name])
    ranked = ", ".join(f"{name} {score}" for name, score in sorted(scores.items(), key=lambda item: -item[1]))
    reason = f"by its columns ({ranked})"
    if noun == "stakes" and (tax or has["country"]):
        return ["entities", "stakes"], reason
    if noun == "entities" and share is not None and len(names) > 0 and has["owner"]:
        return ["entities", "stakes"], reason
    return [noun], reason
