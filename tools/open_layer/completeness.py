"""Writes docs/completeness.md: `python -m tools.open_layer.completeness`.

What the records and the open layer hold in the theatres, by kind and country, beside what public pages say there is
(`totals.toml`).
"""

from __future__ import annotations

import tomllib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from layers.model.operation import NEVER_BUILT
from layers.model.records import Asset, Records
from layers.ownership.owners import OwnersByDate
from layers.ownership.stake_graph import StakeColumns
from layers.resolution.resolve import apply_judgements
from layers.sources import curated
from layers.store.open_layer import OPEN, OpenLayer

_LAYER = Path(__file__).parents[2] / "layers" / "reference" / "data" / "open-layer.zip"
#: The day on which owners are asked for.
DAY = date(2026, 12, 2)
#: Countries in the order of the page.
COUNTRIES = (
    *("RU", "UA", "BY", "MD", "AM", "AZ", "GE", "KZ", "TM", "UZ", "TR", "IQ", "IR", "IL", "SY", "SA", "AE", "QA"),
    *("KW", "BH", "OM", "YE", "EG", "LY", "SD"),
)
KINDS = (
    *("refinery", "oil-terminal", "oil-depot", "pump-station", "gas-plant", "compressor-station", "gas-storage"),
    *("lng-plant", "oil-field", "gas-field", "power-plant", "hydro-plant", "nuclear-plant", "pipeline"),
)
HEAD = """# How complete the layer is

Sites that operate, or of which nobody says otherwise, in the records and in the [open layer](open-layer.md), by kind
and country; units and other parts of a site are not counted. Written by `make docs`.

- **Held**: sites of the records and the open layer together, a site of both once; in brackets those of the records.
- **Owner**: how many of these belong, on 2 December 2026, to a country that is known, at least in part.
- **Said to be**: what a public page says there is, with the year of which it speaks, by its own definition
  and often of one company. "≥" means that it speaks of a part of the kind alone. For countries without a row no page
  was found, and how much is missing is not known: they are listed as held (records), owner.
"""
#: States in which a site is not counted.
_NOT_THERE = frozenset({*NEVER_BUILT, "pre-construction", "construction", "retired"})


def markdown(records: Records, totals: Iterable[Mapping[str, Any]]) -> str:
    """The whole page, of records with the judgements in them applied."""
    sites: dict[tuple[str, str], list[Asset]] = defaultdict(list)
    nowhere: Counter[str] = Counter()
    for asset in records.assets.values():
        whole = records.assets.get(asset.part_of or "")
        is_part = whole is not None and whole.kind == asset.kind
        if asset.status in _NOT_THERE or is_part:
            continue
        if asset.host_country is None:
            nowhere[asset.kind] += 1
        else:
            sites[asset.kind, asset.host_country].append(asset)
    said: dict[tuple[str, str], list[str]] = defaultdict(list)
    for total in totals:
        said[total["kind"], total["country"]].append(_said(total))
    owners = OwnersByDate(StakeColumns.of(records)).on(DAY, DAY)
    owned = {asset.id for there in sites.values() for asset in there if owners.of(asset.id).shares}
    parts = [HEAD]
    for kind in KINDS:
        parts.append(f"## `{kind}`\n")
        compared = [row for row in COUNTRIES if said[kind, row]]
        if compared:
            parts.append("| country | held | owner | said to be |\n|---|---|---|---|")
        for country in compared:
            held, ours, known = _held(sites[kind, country], owned)
            parts.append(f"| {country} | {held} ({ours}) | {known} | {'; '.join(said[kind, country])} |")
        rest = [
            "{} {} ({}), {}".format(country, *_held(sites[kind, country], owned))
            for country in COUNTRIES
            if sites[kind, country] and country not in compared
        ]
        parts.append("")
        if rest:
            parts.append(f"Without a public figure: {'; '.join(rest)}.\n")
        if nowhere[kind]:
            parts.append(f"In no row: {nowhere[kind]} at sea, across borders or of no stated country.\n")
    return "\n".join(parts)


def _held(there: Sequence[Asset], owned: Collection[str]) -> tuple[int, int, int]:
    """Numbers of sites, of those of the records, and of those whose owner's country is known."""
    ours = sum(not asset.dataset.startswith(OPEN) for asset in there)
    return len(there), ours, sum(asset.id in owned for asset in there)


def _said(total: Mapping[str, Any]) -> str:
    """What a page says, with its part, year and link."""
    number, capacity = total.get("number"), total.get("capacity")
    stated = [
        f"{number:,}" if number is not None else "",
        f"{capacity:,} {total.get('capacity_unit')}" if capacity else "",
    ]
    least = "≥ " if "part" in total and number is not None else ""
    part = f" ({total['part']})" if "part" in total else ""
    counted = ", counted from its list" if total.get("counted") else ""
    return f"{least}{', '.join(filter(None, stated))}{part}, [{total['on']}]({total['url']}){counted}"


def main() -> None:
    """Print the page for the records and the layer that the program comes with."""
    totals = tomllib.loads(Path(__file__).with_name("totals.toml").read_text())["totals"]
    records = apply_judgements(OpenLayer.open(_LAYER).under(curated.read().require_clean()))
    print(markdown(records, totals), end="")


if __name__ == "__main__":
    main()
