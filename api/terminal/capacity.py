"""Capacity hit and lost, and the conditions of assets, as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.console import Group, RenderableType
from rich.table import Table

from api.http.json import Json
from api.terminal.console import add_row
from api.wording.dates import date_in_words

_RELATIONS = {"owner": "owned from", "host": "on the soil of"}
_CAUSES = {"strike": "lost to strikes", "other": "lost, no strike named", "occupied": "under occupation"}
#: Publishers of a figure that are named; the rest is counted.
_NAMED = 3


def figures(name: str, capacity: Mapping[str, Json], sources: Mapping[str, Json]) -> list[RenderableType]:
    """Tabulate the capacity hit and the capacity-days lost of a country, as owner and as host."""
    parts: list[RenderableType] = []
    for relation, of_relation in capacity.items():
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
            parts += [table, *_without_conditions(of_relation["untold"])]
    return parts


def _without_conditions(number: int) -> list[str]:
    return [f"Sites hit of which no source tells how long they were out: {number}."] if number else []


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
    shown = unit or "capacity not known"
    add_row(table, what, shown, *bounds, row["sites"], row["sites_sure"], publishers(row["sources"], sources))


def publishers(cited: Iterable[str], sources: Mapping[str, Json]) -> str:
    """Name the publishers of some sources; many are counted."""
    names = sorted({sources[one]["publisher"] for one in cited if one in sources})
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _number(value: float) -> str:
    """Write a number with its thousands apart; one below a thousand to four decimals where it has them."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4f}".rstrip("0").rstrip(".")


def country(answer: Json) -> RenderableType:
    """Show the capacity of a country that was hit and lost, with each site."""
    relations = {relation: answer[relation] for relation in _RELATIONS}
    parts = figures(answer["name"], relations, answer["sources"])
    sites = {site["asset"]: site for of_relation in relations.values() for site in of_relation["sites"]}
    for site in sorted(sites.values(), key=lambda site: (site["asset_name"], site["asset"])):
        parts += conditions(f"{site['asset_name']} ({_size(site)})", site["conditions"], answer["sources"])
    return Group(*parts) if parts else "No capacity is known to have been hit or lost."


def _size(asset: Json) -> str:
    if asset["capacity"] is None or asset["capacity_unit"] is None:
        return "capacity not known"
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
