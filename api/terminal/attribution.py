"""Answers on ownership, strikes, countries, and capacity hit and lost as tables and trees for the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

import orjson
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from api.http.json import Json
from api.terminal.console import add_row, counted, errors, visible
from api.wording.catalogue import phrase, text
from api.wording.dates import DATED, date_in_words, span_in_words
from api.wording.problems import error_sentence, located_sentence, problem_values, worded_value
from api.wording.strikes import sources_in_words, strike_title
from layers.disclosure.ruling import is_left_out, is_rounded
from layers.model.problems import ProblemsError
from layers.ownership.percent import SITE_DIGITS, digits_of, interval_text
from layers.ownership.walk import REACHES, Interval
from layers.store.store import LoadReport

#: The columns of a list that fit a terminal; the rest is in ``--json``.
_LISTED: Mapping[str, tuple[str, ...]] = {
    "strikes": ("when", "id", "host_country", "owners", "relations", "rests_on"),
    "assets": ("id", "name", "kind", "host_country", "owners"),
    "attributions": ("title", "asset_name", "relation", "country", "entity_name", "share_min", "share_max", "sure"),
    "hits": ("title", "asset_name", "reading", "country", "owner_names", "share_min", "share_max", "sure"),
    "countries": ("id", "name", "owned_strikes", "owned_strikes_sure", "hosted_strikes", "related_strikes"),
    "entities": ("id", "name", "type", "registered_in", "headquartered_in", "joint"),
    "stakes": ("owned", "owner", "share_min", "share_max", "since", "until", "checked"),
    "sources": ("id", "publisher", "published", "url"),
}

#: Characters of faults in the table, whose cells are wrapped, at 10 us each. Faults after them are lines.
_TABLED_CHARACTERS = 20_000


def print_error(error: Exception, as_json: bool) -> None:
    """Print an error on standard error; for programs as JSON on standard output."""
    problems = error.problems if isinstance(error, ProblemsError) else ()
    # An error of memory that ended says nothing, or how much was wanted.
    is_memory = isinstance(error, MemoryError)
    said = f"not enough memory; nothing was written: {error}" if is_memory else error_sentence(error)
    if as_json:
        answer = {"error": said, "problems": [problem_values(problem) for problem in problems]}
        sys.stdout.buffer.write(orjson.dumps(answer, option=orjson.OPT_INDENT_2) + b"\n")
        sys.stdout.buffer.flush()
    elif problems:
        table = Table("where", "record", "column", "value", "expected", title=counted(len(problems), "faults"))
        room, listed = _TABLED_CHARACTERS, 0
        for problem in problems:
            cells = (problem.location, problem.record, problem.column, worded_value(problem), text(problem.expected))
            room -= sum(len(cell) for cell in cells)
            if room < 0:
                break
            add_row(table, *cells)
            listed += 1
        errors.print(table)
        for problem in problems[listed:]:
            print(visible(located_sentence(problem)), file=sys.stderr)
    else:
        errors.print(f"[red]error:[/] {escape(said)}")


def load_report(store: str, report: LoadReport) -> RenderableType:
    """Count the records of each table that were added, changed, removed or left as they were."""
    kinds = ("added", "changed", "removed", "unchanged")
    table = Table("table", *kinds, title=f"{store}, change {report.seq}")
    for name in dict.fromkeys(name for kind in kinds for name in getattr(report, kind)):
        add_row(table, name, *(getattr(report, kind).get(name, 0) for kind in kinds))
    return table


def table_of(name: str, rows: Iterable[Json]) -> RenderableType:
    """List the records of a collection, one a row."""
    table = Table(*_LISTED[name], title=name)
    for row in rows:
        add_row(table, *(_listed(name, row, column) for column in _LISTED[name]))
    return table


def _listed(name: str, row: Json, column: str) -> object:
    """Give a cell of a list, dates in words; a strike is named by its id or its title, of a draft as one."""
    if column in DATED:
        return row[column] and date_in_words(row[column])
    is_title = column == ("id" if name == "strikes" else "title")
    return strike_title(row[column], row.get("status")) if is_title else row[column]


def strike(answer: Json) -> RenderableType:
    """Show the owners of what a strike hit, and the evidence for them."""
    about = answer["strike"]
    missing = "withheld" if is_left_out(about, "geometry") else "not known"
    host = answer["host"]["name"] if answer["host"] else "none, at sea" if answer["host_basis"] else missing
    if answer["host_basis"] in ("point", "region", "site"):
        host = f"{host} (by its {answer['host_basis']})"
    metres = about["uncertainty_m"]
    within = "an unknown distance" if metres is None else f"{metres / 1000:g} km"
    basis = "rounded by the publisher" if is_rounded(about) else about["basis"]
    place = f"sure to {within}, {basis}" if basis else f"place {missing}"
    head = Table.grid(padding=(0, 2))
    for name, value in (
        ("strike", f"{strike_title(about['title'], about['status'])} ({about['id']})"),
        ("when", f"{date_in_words(about['when'])} {about['when_note'] or ''}"),
        ("where", f"{about['place']}; {place}"),
        ("host", host),
        ("based on", answer["rests_on"]),
        ("reports", sources_in_words(about["n_sources"], about["n_voices"])),
        ("updated", answer.get("updated") or "not known"),
    ):
        add_row(head, name, value)
    sites = answer["readings"]["sites_together"]
    of_sites = f" of {sites} sites together, each counting alike" if sites > 1 else ""
    owners_table = _shares(answer["owners"], f"Owners by {answer['basis']}{of_sites}", digits_of(sites))
    parts: list[RenderableType] = [head, *(escape(f"{part}.") for part in answer["headline_parts"]), owners_table]
    parts += _ties(answer["related"])
    for hit in answer["assets"]:
        parts += [_asset(hit), *_control(hit, about["when"])]
        parts += conditions(f"How far {hit['asset']['name']} worked", hit["conditions"], answer["sources"])
    parts += _claims(answer)
    return Group(*parts)


def _shares(rows: Iterable[Json], title: str, digits: int = SITE_DIGITS) -> Table:
    table = Table("country", "share %", *REACHES, "why", title=title, title_justify="left")
    for row in rows:
        share = interval_text(Interval(row["share_min"], row["share_max"]), digits)
        reaches = [interval_text(Interval(*row[reach]), digits) if reach in row else "" for reach in REACHES]
        add_row(table, row["country"] or row["name"], share, *reaches, "; ".join(row.get("reasons", ())))
    return table


def _ties(rows: list[Json]) -> list[RenderableType]:
    if not rows:
        return []
    table = Table("relation", "who", "country", "asset", "note", title="Not owners", title_justify="left")
    for row in rows:
        add_row(table, phrase(f"relation.{row['relation']}"), row["name"], row["country"], row["asset"], row["note"])
    return [table]


def _asset(hit: Json) -> RenderableType:
    asset = hit["asset"]
    decided = f": {hit['decision']['why']}" if hit["decision"] else ""
    return _chains(f"{asset['name']} ({asset['id']}), {hit['verdict']}{decided}", hit)


def _chains(title: str, hit: Json) -> RenderableType:
    tree = Tree(escape(title))
    for chain in hit["chains"]:
        end = _end(chain)
        steps = " <- ".join(f"{s['name']} {_step_share(s)}" for s in chain["steps"])
        share = interval_text(Interval(chain["share_min"], chain["share_max"]))
        tree.add(escape(f"{share} % {end}: {steps}" if steps else f"{share} % {end}"))
    if hit["rest"]["share_max"] > 0:
        tree.add(f"rest, in loops and small chains: at most {hit['rest']['share_max']:g} %")
    for warning in hit["warnings"]:
        tree.add(f"[yellow]warning:[/] {escape(warning)}")
    return tree


def _end(chain: Json) -> str:
    if chain["country"] is None:
        return f"unattributed: {chain['reason']}"
    stays = chain["stays_with"]
    passed = chain["steps"] and chain["steps"][-1]["owner"] != stays["entity"]
    return f"{chain['country']} ({chain['reach']}{', stays with ' + stays['name'] if passed else ''})"


def _control(hit: Json, when: str) -> list[RenderableType]:
    """List who controls an asset or entity, for each span of days of a date with another controller."""
    spans = hit["control_days"]
    if len(spans) == 1:
        return [f"Control: {_controller(spans[0]['control'])}"]
    answer = [f"  {span_in_words(span['first'], span['last'], when)}: {_controller(span['control'])}" for span in spans]
    return ["Control differs over the days it may have been:", *answer]


def _controller(answer: Json | None) -> str:
    if answer is None:
        return "nobody surely has more than half, and none is declared."
    steps = " <- ".join(
        f"{step['name']} ({_share_of(step)} by {', '.join(holder['name'] for holder in step['holders'])})"
        for step in reversed(answer["steps"])
    )
    return escape(f"{answer['name']}, {answer['country'] or 'country not known'}: {steps}")


def _share_of(step: Json) -> str:
    share = interval_text(Interval(step["share_min"], step["share_max"])) + " %"
    return f"{share}, {', '.join(step['declared'])}" if step["declared"] else share


def holdings(answer: Json) -> RenderableType:
    """List the holdings of an entity on a day."""
    table = Table(
        "held",
        "kind",
        "direct %",
        "in all %",
        title=f"Held by {answer['entity']['name']} on {date_in_words(str(answer['on']))}",
    )
    for row in answer["holdings"]:
        shares = (interval_text(Interval(row[part]["min"], row[part]["max"])) for part in ("direct", "effective"))
        add_row(table, f"{row['name']} ({row['id']})", row["kind"], *shares)
    return (
        table if table.row_count else f"{answer['entity']['name']} holds nothing on {date_in_words(str(answer['on']))}."
    )


def _step_share(step: Json) -> str:
    mark = " (unverified)" if step["checked"] == "unverified" else ""
    return interval_text(Interval(step["share_min"], step["share_max"])) + mark


def _claims(answer: Json) -> list[RenderableType]:
    table = Table("source", "about", "field", "says", title="What each source says", title_justify="left")
    steps = (step for hit in answer["assets"] for chain in hit["chains"] for step in chain["steps"])
    names = {step["owner"]: step["name"] for step in steps}
    names |= {hit["asset"]["id"]: hit["asset"]["name"] for hit in answer["assets"]}
    for claim in answer["claims"]:
        said = date_in_words(claim["value"]) if claim["field"] in DATED else claim["value"]
        publisher = answer["sources"].get(claim["source"], {}).get("publisher")
        add_row(table, publisher, names.get(claim["record"]), claim["field"], said)
    return [table] if answer["claims"] else []


def owners(answer: Json) -> RenderableType:
    """Show the owners of an asset or entity on a day."""
    about = answer.get("asset") or answer["entity"]
    title = f"Owners of {about['name']} on {date_in_words(str(answer['on']))} by {answer['basis']}"
    conditions_on_day = conditions(f"How far {about['name']} worked", answer.get("conditions", ()), answer["sources"])
    return Group(
        _shares(answer["owners"], title),
        *_ties(answer["related"]),
        _chains(about["name"], answer),
        *_control(answer, str(answer["on"])),
        *conditions_on_day,
        f"Updated: {answer.get('updated') or 'not known'}",
    )


def country(answer: Json) -> RenderableType:
    """Show the strikes that concern a country, by relation."""
    tables = [_owned(answer), _related(answer), _hosted(answer)]
    shown = [table for table in tables if table.row_count]
    if not shown:
        return "Nothing is known to have been hit."
    hit_and_lost = figures(answer["name"], answer["capacity"], answer["sources"])
    return Group(*_counts(answer["name"], answer["relations"]), *hit_and_lost, *shown)


def _counts(name: str, relations: Json) -> list[str]:
    """Write a line for each relation with strikes; relations are never added up."""
    lines = [
        f"{name}: {one} in {counted(n['strikes'], 'strikes')}{_in_all(n)}"
        for one, n in relations.items()
        if n["strikes"]
    ]
    return [*lines, "Relations are counted separately and never added up."]


def _in_all(relation: Json) -> str:
    """Say how many strikes are sure, and of an owner its shares in site equivalents."""
    sure = "sure" if relation["strikes_sure"] == relation["strikes"] else f"{relation['strikes_sure']} of them sure"
    if "hits" not in relation:
        return f" ({sure})"
    low, high = (round(relation[end], 2) for end in ("assets_min", "assets_max"))
    share = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    if relation["hits"] == 1:
        return f" ({sure}); its shares make {share} of the one site hit"
    most = f"the {relation['hits']} sites hit, counting a site anew for each strike"
    return f" ({sure}); put together, its shares make {share} of {most}"


def _owned(answer: Json) -> Table:
    title = f"Owned from {answer['name']}"
    table = Table("when", "strike", "asset", "share %", "based on", title=title, title_justify="left")
    for row in answer["owned"]:
        share = interval_text(Interval(row["share_min"], row["share_max"]))
        basis = row["rests_on"] + (" (one of several sites)" if row["alternative"] else "")
        add_row(
            table,
            date_in_words(row["when"]),
            strike_title(row["title"], row["status"]),
            row["asset_name"],
            share,
            basis,
        )
    return table


def _related(answer: Json) -> Table:
    title = "Not owned, tied otherwise"
    table = Table("when", "strike", "asset", "relation", "who", title=title, title_justify="left")
    for row in answer["related"]:
        relation = phrase(f"relation.{row['relation']}")
        title = strike_title(row["title"], row["status"])
        add_row(table, row["when"], title, row["asset_name"], relation, row["name"])
    return table


def _hosted(answer: Json) -> Table:
    table = Table("when", "strike", "owners", title=f"On the soil of {answer['name']}", title_justify="left")
    for row in answer["hosted"]:
        add_row(table, date_in_words(row["when"]), strike_title(row["title"], row["status"]), row["owners"])
    return table


_RELATIONS = {"owner": "owned from", "host": "on the soil of"}
_CAUSES = {"strike": "lost to strikes", "other": "lost, no strike named", "occupied": "under occupation"}
#: Publishers of a figure that are named; the rest is counted.
_NAMED = 3


def figures(name: str, by_relation: Mapping[str, Json], sources: Mapping[str, Json]) -> list[RenderableType]:
    """Tabulate the capacity hit and the capacity-days lost of a country, as owner and as host."""
    parts: list[RenderableType] = []
    for relation, of_relation in by_relation.items():
        table = Table(
            "what", "unit", "at least", "at most", "sites", "of them sure", "by", title_justify="left",
            title=f"Capacity {_RELATIONS[relation]} {name}",
        )  # fmt: skip
        for column in table.columns:
            column.overflow = "fold"
        for bound in table.columns[2:4]:
            bound.no_wrap = True  # a figure whose end is cut off is another figure
        for row in of_relation["hit"]:
            _add(table, "hit", row["unit"], row["capacity_min"], row["capacity_max"], row, sources)
        for row in of_relation["lost"]:
            days = None if row["unit"] is None else f"({row['unit']})-days"
            _add(table, _CAUSES[row["cause"]], days, row["capacity_days_min"], row["capacity_days_max"], row, sources)
            if row["volume_unit"] is not None:
                add_row(table, "", row["volume_unit"], _number(row["volume_min"]), _number(row["volume_max"]))
        if table.row_count:
            parts.append(table)
            if untold := of_relation["untold"]:
                parts.append(f"Sites hit of which no source tells how long they were out: {untold}.")
    return parts


def _add(
    table: Table,
    what: str,
    unit: str | None,
    low: float | None,
    high: float | None,
    row: Json,
    sources: Mapping[str, Json],
) -> None:
    bounds = ("", "") if low is None or high is None else (_number(low), _number(high))
    shown = unit or f"capacity {'withheld or not known' if row.get('withheld') else 'not known'}"
    add_row(table, what, shown, *bounds, row["sites"], row["sites_sure"], publishers(row["sources"], sources))


def publishers(cited: Iterable[str], sources: Mapping[str, Json]) -> str:
    """Name the publishers of some sources; many are counted."""
    names = sorted({sources[one]["publisher"] for one in cited if one in sources})
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _number(value: float) -> str:
    """Write a number with its thousands apart; one below a thousand to four decimals where it has them."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4f}".rstrip("0").rstrip(".")


def capacity(answer: Json) -> RenderableType:
    """Show the capacity of a country that was hit and lost, with each site."""
    relations = {relation: answer[relation] for relation in _RELATIONS}
    parts = figures(answer["name"], relations, answer["sources"])
    sites = {site["asset"]: site for of_relation in relations.values() for site in of_relation["sites"]}
    for site in sorted(sites.values(), key=lambda site: (site["asset_name"], site["asset"])):
        parts += conditions(f"{site['asset_name']} ({_size(site)})", site["conditions"], answer["sources"])
    return Group(*parts) if parts else "No capacity is known to have been hit or lost."


def _size(asset: Json) -> str:
    if asset["capacity"] is None or asset["capacity_unit"] is None:
        return "capacity withheld" if is_left_out(asset, "capacity", "capacity_unit") else "capacity not known"
    on = f", {date_in_words(asset['capacity_on'])}" if asset["capacity_on"] else ""
    return f"{_number(asset['capacity'])} {asset['capacity_unit']}{on}"


def conditions(title: str, rows: Iterable[Json], sources: Mapping[str, Json]) -> list[RenderableType]:
    """Tabulate how far an asset worked, and who says so; nothing where no condition is known."""
    table = Table("from", "until", "worked %", "status", "by", "note", title=title, title_justify="left")
    for row in rows:
        until = date_in_words(row["until"]) if row["until"] else "not known"
        since, by = date_in_words(row["since"]), publishers([row["source"]], sources)
        add_row(table, since, until, worked(row), row["status"], by, row["note"])
    return [table] if table.row_count else []


def worked(row: Json) -> str:
    """Write the part of a capacity that worked, in percent; empty where no source says."""
    low, high = row["working_min"], row["working_max"]
    if low is None:
        return ""
    return f"{low:g}" if low == high else f"{low:g}-{high:g}"
