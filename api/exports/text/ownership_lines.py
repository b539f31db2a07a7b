"""What the attributions say of one strike, in lines for people: owners, and apart from them those who are not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas

from api.exports.strike_rows import Mark, rows, text_of
from api.exports.text.formatting import named


@dataclass(frozen=True, slots=True)
class Saying:
    """Lines about one strike; a country among ``others`` owns nothing by what is said there."""

    owners: tuple[str, ...]
    others: tuple[str, ...]


def sayings_of(attributions: geopandas.GeoDataFrame) -> dict[str, Saying]:
    """Give the lines of every strike by its id; host countries are in neither part.

    With several assets, possible or hit, each line names its asset, so that shares are never added up.
    """
    by_strike: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row, _ in rows(attributions):
        by_strike[text_of(row, "strike")].append(row)
    return {strike: _saying(found) for strike, found in by_strike.items()}


def said_of(mark: Mark, sayings: Mapping[str, Saying], names: Mapping[str, str]) -> Saying:
    """Lines of one strike; without attributions the short texts of the strike itself."""
    if mark.id in sayings:
        return sayings[mark.id]
    owners, others = ((named(text, names),) if text else () for text in (mark.owners, mark.relations))
    return Saying(owners, others)


def _saying(found: list[Mapping[str, Any]]) -> Saying:
    owning = [row for row in found if text_of(row, "relation") == "owner"]
    others = [row for row in found if text_of(row, "relation") not in ("owner", "host")]
    several = len({text_of(row, "asset") for row in owning}) > 1
    owners = [_owner_line(row, several) for row in sorted(owning, key=_largest_first)]
    return Saying(tuple(dict.fromkeys(owners)), tuple(dict.fromkeys(map(_other_line, others))))


def _largest_first(row: Mapping[str, Any]) -> tuple[str, float]:
    return text_of(row, "asset"), -float(row.get("share_max") or 0)


def _owner_line(row: Mapping[str, Any], several: bool) -> str:
    least, most = (round(float(row.get(name) or 0), 3) for name in ("share_min", "share_max"))
    share = f"{most:g} %" if least == most else f"{least:g} to {most:g} %"
    maybe = " (a possible target)" if row.get("alternative") is True else ""
    return f"{_country(row)} {share}" + (f" of {text_of(row, 'asset')}{maybe}" if several else maybe)


def _other_line(row: Mapping[str, Any]) -> str:
    return f"{_country(row)}: {text_of(row, 'relation')}"


def _country(row: Mapping[str, Any]) -> str:
    return text_of(row, "country_name") or text_of(row, "country") or "unattributed"
