"""Colours of the one-file maps: those of the web map, read from the table that it reads too.

The shape of a symbol is the group of what was hit, its colour the host, and its fill the status.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType

from api.exports.text import STATIC

#: Colours and symbols, see `api.styles.rules`.
STYLE_TABLE = json.loads((STATIC / "style-table.json").read_text(encoding="utf-8"))

#: Host country to colour. Two hues that colour-blind readers tell apart (Okabe and Ito 2008); five national
#: hues they do not, so every "other" country has the same neutral.
HOST_COLOURS: Mapping[str, str] = MappingProxyType({code: look["light"] for code, look in STYLE_TABLE["host"].items()})

#: Statuses that are drawn filled; every other is drawn hollow.
FILLED = frozenset(status for status, fill in STYLE_TABLE["status"].items() if fill == "filled")


def colour_of(host_country: str | None) -> str:
    """Colour of an ISO 3166-1 alpha-2 host; the neutral for any other, and for none."""
    return HOST_COLOURS.get(host_country or "", HOST_COLOURS["other"])
