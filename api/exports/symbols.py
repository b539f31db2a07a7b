"""The symbol table of the one-file map: colour by host, fill by status, shape by target.

Colours and outlines are those of the web map, read from the table that it reads too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from api.exports.text import STATIC, word

_TABLE = json.loads((STATIC / "style-table.json").read_text(encoding="utf-8"))

#: Host country to colour. Two hues that colour-blind readers tell apart (Okabe and Ito 2008); five national
#: hues they do not, so every other country has the same neutral.
HOST_COLOURS: Mapping[str, str] = MappingProxyType({code: _TABLE["host"][code]["light"] for code in ("UA", "RU")})
OTHER_COLOUR: str = _TABLE["host"]["other"]["light"]

#: Statuses that are drawn filled; every other is drawn hollow.
FILLED = frozenset(status for status, fill in _TABLE["status"].items() if fill == "filled")

#: Pipelines by the group of what they carry: colour, and lengths of dash and gap in line widths (or none).
PIPE_COLOURS: Mapping[str, str] = MappingProxyType({group: look["light"] for group, look in _TABLE["line"].items()})
PIPE_DASHES: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {group: tuple(look["dash"] or ()) for group, look in _TABLE["line"].items()}
)
OTHER_PIPE_COLOUR = "#6d6d6d"


@dataclass(frozen=True, slots=True)
class Shape:
    """How one group of targets is drawn; ``path`` is the figure as an SVG path in a box of 24 x 24."""

    label: str
    path: str


def _shape(group: str, label: str) -> Shape:
    return Shape(label, _TABLE["group"][group])


SHAPES: Mapping[str, Shape] = MappingProxyType(
    {group: _shape(group, word("group", group)) for group in _TABLE["group"] if group != "none"}
)
#: For a strike whose hit asset is not known.
UNKNOWN_SHAPE = _shape("none", "Target not known")


def shape_of(group: str | None) -> Shape:
    """Shape of a group of targets; the one for "not known" where it has none."""
    return SHAPES.get(group or "", UNKNOWN_SHAPE)


def colour_of(host_country: str | None) -> str:
    """Colour of an ISO 3166-1 alpha-2 host; the neutral for any other, and for none."""
    return HOST_COLOURS.get(host_country or "", OTHER_COLOUR)


def pipe_group(commodity: str) -> str:
    """Return the group of a commodity in a pipeline: "gas", "oil" (with its products), or "" for any other and none."""
    words = commodity.lower()
    if "gas" in words:
        return "gas"
    return "oil" if any(word in words for word in ("oil", "diesel", "product", "petrol", "condensate")) else ""
