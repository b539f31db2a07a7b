"""Drafts the mapping of a file: what its rows are, and which of its columns is which of a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from layers.sources.column_mapping.draft.axis_order import CountryAt
from layers.sources.column_mapping.draft.columns import (
    MOST,
    MOST_WORDS,
    ColumnProfile,
    ColumnRoles,
    are_weapons,
    is_event_day,
    words_of,
)
from layers.sources.column_mapping.draft.file_sample import FileSample, singular
from layers.sources.column_mapping.draft.tables import TableDraft, toml_value
from layers.sources.column_mapping.draft.words import (
    FITS,
    OTHER_RECORDS,
    REPORT_RECORDS,
    WORDS,
    header_words,
    is_id_field,
    is_name_field,
    kind_of,
    meaning,
    record_of,
    role_fit,
)


def strike_table(columns: ColumnRoles, reason: str) -> TableDraft:
    """Draft a table of strikes."""
    table = TableDraft(columns, "strikes", reason)
    day = table.take("when")
    table.where()
    table.take("source_url", "url")
    title = table.best("title", _is_of_event)
    place = table.best("place", lambda profile: record_of(profile.header) not in {"asset", "facility", "target"})
    target = _target(columns, table.taken | {name for name in (title, place) if name})
    note = table.best("note")
    is_listed = target is not None and table.profiles[target].distinct[0].startswith("[")
    title = title or (note if is_listed else None) or target or note or place or table.longest_text()
    where = place or (None if is_listed else target)
    table.map("title", title, "what happened", shared=title in (target, place))
    table.map("place", where, "where" if place else "no column of places", shared=place is None)
    table.map("targets", target, "what was struck")
    table.take("region")
    table.take("host_country", "country")
    if table.take("weapon"):
        table.take("status_note", "cause")
    else:
        table.map("weapon", table.best("cause", are_weapons) or table.best("kind", are_weapons), "words for weapons")
    for role in ("killed", "injured"):
        table.map(f"{role}_min", table.best(role), shared=True)
        table.take(f"{role}_max", role)
    table.take("attacker")
    table.take("damage")
    table.map("status", table.best("status", _is_of_event))
    if note and note != title and table.profiles[note].longest <= 2000:
        table.map("note", note)
    table.map("target_kinds", table.best("kind", lambda profile: profile.part(kind_of) >= 0.5))
    location = [table.mapped.get(name) for name in ("lat", "lon", "latlon", "lonlat", "wkt")]
    # A title may be any text, and be corrected: it tells rows apart only where nothing else does.
    table.row_id([day, where, target, _asset_id(columns), *location, title])
    return table.finish()


def _is_of_event(profile: ColumnProfile) -> bool:
    return record_of(profile.header) not in OTHER_RECORDS


def _target(columns: ColumnRoles, taken: set[str]) -> str | None:
    """Return the column of what was struck: by its header, or the name in an object such as ``asset``."""
    headers = {name: columns.profiles[name].header for name in columns.names(taken)}
    named = (name for name, text in headers.items() if record_of(text) in OTHER_RECORDS and is_name_field(text))
    target = next(named, None) or columns.best("target", taken, lambda profile: profile.longest <= 2000)
    of_site = columns.best("name", taken, lambda profile: record_of(profile.header) not in REPORT_RECORDS)
    return target or of_site or _asset_id(columns)


def _asset_id(columns: ColumnRoles) -> str | None:
    """Return the column of the ids of what was struck."""
    headers = {name: profile.header for name, profile in columns.profiles.items()}
    return next((n for n, text in headers.items() if record_of(text) in OTHER_RECORDS and is_id_field(text)), None)


def asset_table(columns: ColumnRoles, reason: str) -> TableDraft:
    """Draft a table of assets."""
    table = TableDraft(columns, "assets", reason)
    table.where()
    name = table.best("name") or table.best("target") or table.best("title") or table.longest_text()
    kind = table.best("kind") or _kinds_by_cells(columns, table.taken)
    _name_and_kind(table, name, kind)
    if capacity := table.take("capacity"):
        table.set("constants", "capacity_unit", "MW" if "mw" in header_words(capacity) else "unit of the file", "CHECK")
    table.take("commodity")
    table.take("since")
    table.row_id([part for part in (name, kind, *table.mapped.values()) if part][:4])
    return table.finish()


def assets_of_strikes(columns: ColumnRoles) -> TableDraft | None:
    """Return a table of the assets that rows of strikes name with ids, if their kinds can be told; else None."""
    sites = OTHER_RECORDS - {"source", "owner", "operator"}
    ids = next((name for name in columns.profiles if record_of(name) in sites and is_id_field(name)), None)
    own = {name: one for name, one in columns.profiles.items() if ids and record_of(name) == record_of(ids)}
    name = next((name for name, profile in own.items() if profile.is_text and is_name_field(name)), None)
    if ids is None or name is None:
        return None
    kind = _kinds_by_cells(columns, {*columns.profiles} - {*own} | {ids, name}) or name
    if not all(own[part].is_whole for part in (ids, name, kind)) or not own[kind].part(kind_of):
        return None
    table = TableDraft(columns, "assets", f"{record_of(ids)!r} of each row has an id, a name and a kind")
    table.map("id", ids)
    _name_and_kind(table, name, kind)
    table.where()
    table.set("id", "repeated", "first", "an asset stands in several rows: the first makes it")
    return table.finish()


def _kinds_by_cells(columns: ColumnRoles, taken: set[str]) -> str | None:
    """Return the column of which most words say kinds of assets."""
    few = [name for name in columns.names(taken) if len(columns.profiles[name].distinct) < MOST_WORDS]
    best = max(few, key=lambda name: columns.profiles[name].part(kind_of), default=None)
    return best if best and columns.profiles[best].part(kind_of) >= 0.5 else None


def _name_and_kind(table: TableDraft, name: str | None, kind: str | None) -> None:
    """Map the name and the kind of assets, which may be one column, and their companies and countries."""
    table.map("name", name, shared=kind == name)
    table.map("kind", kind, "kinds" if kind != name else "no column of kinds: by the words of the names")
    owner, operator = table.take("owner"), table.take("operator")
    if owner:
        table.take("owner_country")
        if not {"lists", "grammar"} & {name for name, entries in table.tables.items() if entries}:
            table.map("owner_share", table.best("share"))
    elif not operator and (company := table.best("owned")):
        text = f"owner = {toml_value(company)}  # or operator: the header does not say which it is"
        table.open["columns"].append(text)
    table.take("host_country", "country")


def entity_table(columns: ColumnRoles, reason: str) -> TableDraft:
    """Draft a table of entities."""
    table = TableDraft(columns, "entities", reason)
    by_header = (table.best(role, lambda profile: profile.is_name) for role in ("owned", "name", "owner"))
    table.map("name", next(filter(None, by_header), None) or next(iter(columns.names()), None))
    table.set("id", "name", True, "equal names are one entity, so that owners are found by name")
    numbers = {role for role in ("inn", "ogrn", "edrpou", "lei", "isin", "wikidata") if table.best(role)}
    for role in sorted(numbers):
        table.take(f"external_ids.{role}", role)
    is_owner = role_fit(table.mapped.get("name", ""), "owner") >= FITS
    table.take("registered_in", "", lambda profile: is_owner or role_fit(profile.header, "owner") < FITS)
    table.take("type")
    table.take("aliases", "alias")
    if "registered_in" not in table.mapped:
        home = "UA" if "edrpou" in numbers else "RU" if {"inn", "ogrn"} & numbers else "XX"
        table.open["constants"].append(f'registered_in = "{home}"  # if all of them are registered there')
    return table.finish()


def stake_table(columns: ColumnRoles, reason: str) -> TableDraft:
    """Draft a table of stakes."""
    table = TableDraft(columns, "stakes", reason)
    shares = _shares(columns)
    for column, name in shares.items():
        table.map(column, name, "shares as written")
    share = next(iter(shares.values()), None)
    owner, owned = _holders(columns, table.taken)
    table.map("owned", owned, "what is held")
    if owner:
        table.map("owner", owner, "who holds it")
        stem = owner.rstrip("0123456789")
        further = [name for name in columns.profiles if name != owner and name.rstrip("0123456789") == stem]
        if stem != owner and further:
            table.remark("columns", f"rows name further owners in {', '.join(map(repr, further))}: one table each")
    elif state := meaning(share or "", "header_owners"):
        table.set("constants", "owner", state, f"the header of the shares says so ({share!r}): check")
    else:
        unknown = f"Owner not named in {columns.sample.file.stem}"
        table.set("constants", "owner", unknown, "no column of owners: say who holds these shares")
    since = table.map("since", table.best("when", lambda profile: profile.part(str.isdecimal) < 0.5))
    table.take("until")
    table.row_id([owner, owned, since])
    return table.finish()


def _shares(columns: ColumnRoles) -> Mapping[str, str]:
    """Return the columns of the least and the largest share, or that of the shares as written."""
    numbers = [n for n, one in columns.profiles.items() if one.numbers and role_fit(one.header, "share") >= FITS]
    bounds = {
        column: [name for name in numbers if {*header_words(name)} & {*words}]
        for column, words in WORDS["share_bounds"].items()
    }
    if all(len(names) == 1 for names in bounds.values()):
        return {column: name for column, (name,) in bounds.items()}
    share = columns.best("share")
    return {"share": share} if share else {}


def _holders(columns: ColumnRoles, taken: set[str]) -> tuple[str | None, str | None]:
    """Return the columns of owners and of what they own, by headers or else by names; one alone is of the owned."""
    names = columns.names(taken)
    owner = columns.best("owner", {*columns.profiles} - {*names})
    others = [name for name in names if name != owner]
    by_header = (columns.best(role, {*columns.profiles} - {*others}) for role in ("subsidiary", "owned", "name"))
    owned = next(filter(None, (*by_header, *others)), None)
    named = (n for n in others if n != owned and max(role_fit(n, "owned"), role_fit(n, "name")) >= FITS)
    owner = owner or next(named, None)
    return (owner, owned) if owned else (None, owner)


#: How a table of such records is drafted.
TABLES: Mapping[str, Callable[[ColumnRoles, str], TableDraft]] = {
    "strikes": strike_table, "assets": asset_table, "entities": entity_table, "stakes": stake_table
}  # fmt: skip


def draft(
    samples: Sequence[FileSample], table: str | None = None, country_at: CountryAt | None = None
) -> list[TableDraft]:
    """Return the tables that a file seems to hold, the most telling first.

    ``samples``: the rows of the file; of a JSON document those of each list, that which fits best first. ``table``:
    what its rows are; None where the headers and cells have to tell. ``country_at``: the country of a point, by which
    the order of pairs of degrees is told; None where there is no map.
    """
    lists = events_and_sites(samples) if len(samples) > 1 and table in (None, "strikes") else None
    if lists:
        events, sites = lists
        strikes = strike_table(ColumnRoles(events, country_at), "a list of events")
        struck = asset_table(ColumnRoles(sites, country_at), "a list of what the events struck")
        if "kind" in {**struck.mapped, **struck.tables["constants"]}:
            return [strikes, struck]
        left_out = f"{sites.rows or 'the list of sites'!r} is left out"
        strikes.remarks.append(f"{left_out}: nothing says of which kind they are")
        return [strikes]
    columns = ColumnRoles(samples[0], country_at)
    names, reason = ([table], "as told") if table else _tables_named(columns)
    tables = [TABLES[name](columns, reason) for name in names]
    if reason.startswith("CHECK"):
        other = "assets" if names == ["strikes"] else "strikes"
        tables[0].remarks.append(f"the rows are read as {names[0]}, but may be {other}: --table {other} drafts them so")
    if tables[0].records == "strikes" and (assets := assets_of_strikes(columns)):
        tables.append(assets)
    return tables


def events_and_sites(samples: Sequence[FileSample]) -> tuple[FileSample, FileSample] | None:
    """Return the rows of events, and those of the sites that they struck, where a document has a list of each.

    Events within sites know their site; events that hold sites without a place of their own are one for each site;
    events that refer to sites by an id have their fields. None where a document has no two such lists.
    """
    own = [(sample, ColumnRoles(sample.own)) for sample in samples]
    events = next((one for one in own if _are_events(one[1])), None)
    sites = next((one for one in own if one is not events and _are_sites(one[1])), None)
    if events is None or sites is None:
        return None
    (event, event_columns), (site, site_columns) = events, sites
    inner, outer = f"{event.rows or ''}.", f"{site.rows}." if site.rows else ""
    if inner.startswith(outer):
        return (event if outer else replace(event, outermost="site")), site
    if outer.startswith(inner.lstrip(".")):
        return (event if event_columns.place else replace(site, around=singular(site.rows))), site
    profiles = site_columns.profiles.items()
    whole = (name for name, one in profiles if is_id_field(one.header) and len({*one.texts}) == one.rows)
    ids = next(whole, "")
    named = OTHER_RECORDS | {singular(site.rows).casefold()}
    reference = _reference(event_columns, named, {*site.columns.get(ids, ())})
    return (event.with_references(reference, site, ids), site) if reference else None


def _are_events(columns: ColumnRoles) -> bool:
    """Whether rows have names for their fields and a day of their own, and are no places."""
    day = columns.best("when")
    if day is None or all(name.isdecimal() for name in columns.profiles):
        return False
    return columns.profiles[day].is_date and _tables_named(columns)[0][0] == "strikes"


def _are_sites(columns: ColumnRoles) -> bool:
    """Whether rows have a name, and a place or a kind."""
    has_name = any(map(columns.best, ("name", "target", "title")))
    return has_name and (bool(columns.place) or columns.best("kind") is not None)


def _reference(events: ColumnRoles, named: frozenset[str], ids: set[str]) -> str | None:
    """Return the column of events whose cells are ids of sites, alone or as arrays, and whose header names them.

    Small numbers may be ids of anything: of the events themselves, or counts.
    """
    for name, profile in events.profiles.items():
        words = [word for text in profile.distinct for word in words_of(text)]
        are_ids = words and sum(word in ids for word in words) >= MOST * len(words)
        if are_ids and not named.isdisjoint(header_words(profile.header)):
            return name
    return None


def _tables_named(columns: ColumnRoles) -> tuple[list[str], str]:
    """Return what the rows of a file are, and why; holdings may tell of their companies, too."""
    located = bool(columns.place) or columns.has_shapes
    has = {role: columns.best(role) is not None for role in WORDS["roles"]}
    # What has a name and a place has a kind, which its name may say.
    has["kind"] |= located and (has["name"] or has["target"])
    has["country"] |= has["owner_country"]
    day, share = columns.best("when"), columns.best("share")
    by_day, names = day is not None, columns.names([share] if share else ())
    tax = has["inn"] or has["ogrn"] or has["edrpou"] or has["lei"]
    profile = columns.profiles[day] if day else None
    signs = sum(has[role] for role in ("weapon", "killed", "injured", "attacker", "cause", "damage"))
    happened = profile is not None and (signs > 0 or meaning(profile.header, "days") == "event")
    # A site has a day on which it began to operate, which is no event.
    is_site = located or has["owner"] or has["capacity"]
    event = profile is not None and (is_event_day(profile) or happened or has["until"] or not is_site)
    is_told = happened or has["title"] or not has["name"]
    scores = {
        "strikes": 3 * event + 2 * happened + 2 * has["title"] + signs + by_day * (located + has["target"]),
        "assets": 3 * located + 2 * has["kind"] + 2 * has["capacity"] + has["operator"] + has["name"]
        + located * (has["owner"] + has["share"]) - event * (1 + is_told + happened),
        "entities": 3 * tax + 2 * (has["owned"] or has["name"]) + has["type"] + has["country"] + has["region"]
        - 3 * located - (by_day and has["title"]),
        "stakes": (4 * has["share"] + 2 * has["owner"] + has["owned"] - 4 * located) * bool(names),
    }  # fmt: skip
    best = max(scores, key=lambda name: scores[name])
    ranked = ", ".join(f"{name} {score}" for name, score in sorted(scores.items(), key=lambda item: -item[1]))
    has_companies = tax or has["country"] if best == "stakes" else has["share"] and bool(names) and has["owner"]
    is_pair = best in ("entities", "stakes") and has_companies
    # A plain date counts for strikes as it does against assets, so these have to lead by more to be beyond doubt.
    is_close = by_day and best in ("strikes", "assets") and -1 <= scores["assets"] - scores["strikes"] <= 2
    reason = f"{'CHECK, strikes or assets: ' if is_close else ''}by its columns ({ranked})"
    return (["entities", "stakes"] if is_pair else [best]), reason
