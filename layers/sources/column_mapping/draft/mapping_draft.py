"""Drafts the mapping of a file by its headers and cells, and writes it as TOML: each guess with its reason."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from layers.sources.column_mapping.draft.column_profile import (
    MOST,
    WORDS,
    header_words,
    kind_of,
    role_fit,
    words_of,
)
from layers.sources.column_mapping.draft.column_roles import (
    FITS,
    OTHER_RECORDS,
    ROLE_NAMES,
    ColumnRoles,
    CountryAt,
    is_id_field,
)
from layers.sources.column_mapping.draft.file_sample import FileSample, singular, with_references
from layers.sources.column_mapping.draft.noun_tables import (
    AssetWriter,
    EntityWriter,
    StakeWriter,
    StrikeWriter,
    assets_of_strikes,
)
from layers.sources.column_mapping.draft.table_writer import TableDraft, TableWriter, toml_value

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
    profiles = ColumnRoles(sites.own).profiles.items()
    ids = next((name for name, one in profiles if is_id_field(one.header) and one.is_whole and one.is_unique), None)
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


_BARE = re.compile(r"[A-Za-z0-9_-]+")
#: Letters of a comment.
_COMMENT_LENGTH = 150
#: Tables of a mapping in the order in which they are written.
_TABLES = ("id", "columns", "constants", "blank", "empty", "values", "dates", "units", "lists", "skip", "grammar")
#: Columns of a file that are listed as not used.
_MOST_UNUSED = 60


def mapping_text(tables: Sequence[TableDraft]) -> str:
    """Return a mapping file of one table or several; every line that is no comment is read by a load."""
    is_single = len(tables) == 1
    lines = ["# A draft: each line says why it is there. Check those that say so before you load.", ""]
    if is_single:
        lines += [*_head(tables[0], is_single), ""]
    lines += [*_source(tables), ""]
    decimals = {table.decimal for table in tables}
    if decimals == {","}:
        lines += ["[numbers]", 'decimal = ","', ""]
    for table in tables:
        if not is_single:
            lines += ["[[tables]]", *_head(table, is_single), ""]
        if table.decimal == "," and len(decimals) > 1:
            lines += [f"[{'' if is_single else 'tables.'}numbers]", 'decimal = ","', ""]
        lines += _body(table, "" if is_single else "tables.")
    return "\n".join(lines).rstrip("\n") + "\n"


def _head(table: TableDraft, is_single: bool) -> Iterator[str]:
    yield f'noun = "{table.noun}"{_comment(table.reason)}'
    if not is_single:
        name = table.sample.file.name.rpartition("/")[2]
        yield f"file = {toml_value(name)}{_comment('the files of this name; * stands for any letters')}"
    if table.sample.rows is not None:
        yield f"rows = {toml_value(table.sample.rows)}{_comment('where the list of rows is')}"
    if table.by_name:
        yield f"by_name = {toml_value(table.by_name)}{_comment(table.reasons.get('by_name', ''))}"


def _source(tables: Sequence[TableDraft]) -> Iterator[str]:
    stated = tables[0].sample.source or {}
    yield "[source]"
    if "publisher" in stated:
        yield f"publisher = {toml_value(stated['publisher'])}{_comment('the file says so')}"
    else:
        unknown = f"Publisher of {tables[0].sample.file.stem}"
        yield f"publisher = {toml_value(unknown)}{_comment('CHECK: who published the file')}"
    for column, example in (("title", "Title as published"), ("url", "https://example.org/"), ("licence", "CC BY 4.0")):
        if column in stated:
            yield f"{column} = {toml_value(stated[column])}{_comment('the file says so')}"
        else:
            yield f'# {column} = "{example}"'


def _body(table: TableDraft, prefix: str) -> Iterator[str]:
    for name in _TABLES:
        entries: Mapping[str, Any] = getattr(table, name)
        open_lines = table.open.get(name, [])
        if name == "values":
            for column, words in table.values.items():
                yield f"[{prefix}values.{_key(column)}]{_comment(table.reasons.get(f'values.{column}', ''))}"
                yield from (f"{_key(word)} = {toml_value(value)}" for word, value in words.items())
                yield ""
        elif entries or open_lines:
            yield f"[{prefix}{name}]{_comment(table.reasons.get(name, ''))}"
            for key, value in entries.items():
                yield f"{_dotted(key)} = {toml_value(value)}{_comment(table.reasons.get(f'{name}.{key}', ''))}"
            yield from open_lines
            if name == "columns" and table.unused:
                yield from _unused(table)
            yield ""


def _unused(table: TableDraft) -> Iterator[str]:
    yield "# Not used: ... = the column of the record (docs/records.md)"
    for name in table.unused[:_MOST_UNUSED]:
        cells = table.sample.columns.get(name, ())
        sample = next((text for text in cells if text), "").replace("\n", " ")[:60]
        yield f"# ... = {toml_value(name)}{_comment(sample)}"


def _comment(text: str) -> str:
    # A control character or line end would end the comment, or be no TOML.
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return f"  # {plain[:_COMMENT_LENGTH]}" if plain.strip() else ""


def _dotted(key: str) -> str:
    root, dot, rest = key.partition(".")
    return f"{_key(root)}.{_key(rest)}" if dot else _key(key)


def _key(text: str) -> str:
    return text if _BARE.fullmatch(text) else toml_value(text)
