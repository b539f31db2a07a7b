"""What people read in the terminal of a country: how many strikes concern it, relation by relation, and which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from api.terminal.attribution import add_row
from layers.collections.feature_types import interval_text
from layers.ownership.walk import Interval

Json = Mapping[str, Any]


def country(told: Json) -> RenderableType:
    """What of a country's was hit, by relation."""
    tables = [_owned(told), _related(told), _hosted(told)]
    shown = [table for table in tables if table.row_count]
    if not shown:
        return "Nothing is known to have been hit."
    return Group(*_counts(told["name"], told["relations"]), *shown)


def _counts(name: str, relations: Json) -> list[str]:
    """One line a relation that strikes concern; they are never added up."""
    lines = [f"{name}: {one} in {_strikes(n['strikes'])}{_in_all(n)}" for one, n in relations.items() if n["strikes"]]
    return [*lines, "Relations are counted apart and never added up."]


def _strikes(number: int) -> str:
    return f"{number} strike" if number == 1 else f"{number} strikes"


def _in_all(counted: Json) -> str:
    """How sure an owner's strikes are, and what its shares come to in whole sites; nothing for other relations."""
    if "hits" not in counted:
        return ""
    sure = "sure" if counted["strikes_sure"] == counted["strikes"] else f"{counted['strikes_sure']} of them sure"
    low, high = (round(counted[end], 2) for end in ("assets_min", "assets_max"))
    share = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    if counted["hits"] == 1:
        return f" ({sure}); its shares make {share} of the one site hit"
    most = f"the {counted['hits']} sites hit, counting a site anew for each strike"
    return f" ({sure}); put together, its shares make {share} of {most}"


def _owned(told: Json) -> Table:
    title = f"Owned from {told['name']}"
    table = Table("when", "strike", "asset", "share %", "rests on", title=title, title_justify="left")
    for row in told["owned"]:
        share = interval_text(Interval(row["share_min"], row["share_max"]))
        basis = row["rests_on"] + (" (one of several sites)" if row["alternative"] else "")
        add_row(table, row["when"], row["title"], row["asset_name"], share, basis)
    return table


def _related(told: Json) -> Table:
    title = "Not owned, tied otherwise"
    table = Table("when", "strike", "asset", "relation", "who", title=title, title_justify="left")
    for row in told["related"]:
        add_row(table, row["when"], row["title"], row["asset_name"], row["relation"], row["name"])
    return table


def _hosted(told: Json) -> Table:
    table = Table("when", "strike", "owners", title=f"On the soil of {told['name']}", title_justify="left")
    for row in told["hosted"]:
        add_row(table, row["when"], row["title"], row["owners"])
    return table
