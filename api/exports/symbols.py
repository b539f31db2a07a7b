"""The symbol table of print and of the one-file map: colour by host, fill by status, shape by target.

Colours and outlines are those of the web map, read from the table that it reads too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

STATIC = Path(__file__).resolve().parents[2] / "static"
_TABLE = json.loads((STATIC / "style-table.json").read_text(encoding="utf-8"))

#: Host country to colour. Two hues that colour-blind readers tell apart (Okabe and Ito 2008); five national
#: hues they do not, so every other country has the same neutral.
HOST_COLOURS: Mapping[str, str] = MappingProxyType({code: _TABLE["host"][code]["light"] for code in ("UA", "RU")})
OTHER_COLOUR: str = _TABLE["host"]["other"]["light"]

#: Statuses that are drawn filled; every other is drawn hollow.
FILLED = frozenset(status for status, fill in _TABLE["status"].items() if fill == "filled")
FILLED_LABEL = "Corroborated or verified"
HOLLOW_LABEL = "Reported only"

#: Pipelines by the group of what they carry: colour, and lengths of dash and gap in line widths (or none).
PIPE_COLOURS: Mapping[str, str] = MappingProxyType({group: look["light"] for group, look in _TABLE["line"].items()})
PIPE_DASHES: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {group: tuple(look["dash"] or ()) for group, look in _TABLE["line"].items()}
)
OTHER_PIPE_COLOUR = "#6d6d6d"


@dataclass(frozen=True, slots=True)
class Shape:
    """How one group of targets is drawn.

    ``marker`` is matplotlib's name; ``path`` is the figure as an SVG path in a box of 24 x 24; ``scale`` makes
    the figures look equally large; ``lift`` moves a number to the figure's middle, in parts of its height.
    """

    label: str
    marker: str
    path: str
    scale: float = 1.0
    lift: float = 0.0


SHAPES: Mapping[str, Shape] = MappingProxyType(
    {
        "oil": Shape("Oil", "o", _TABLE["group"]["oil"]),
        "gas": Shape("Gas", "D", _TABLE["group"]["gas"], 0.86),
        "power": Shape("Power", "^", _TABLE["group"]["power"], 1.3, -0.14),
        "port": Shape("Port", "v", _TABLE["group"]["port"], 1.3, 0.14),
        "industry": Shape("Industry", "s", _TABLE["group"]["industry"], 0.88),
        "office": Shape("Office", "p", _TABLE["group"]["office"], 1.06, -0.03),
    }
)
#: For a strike whose hit asset is not known.
UNKNOWN_SHAPE = Shape("Target not known", "P", _TABLE["group"]["none"])


def shape_of(group: str | None) -> Shape:
    """Shape of a group of targets; the one for "not known" where it has none."""
    return SHAPES.get(group or "", UNKNOWN_SHAPE)


def colour_of(host_country: str | None) -> str:
    """Colour of an ISO 3166-1 alpha-2 host; the neutral for any other, and for none."""
    return HOST_COLOURS.get(host_country or "", OTHER_COLOUR)


def pipe_group(commodity: str) -> str:
    """Tell whether a pipeline carries "gas" or "oil" (with its products), "" where it is neither or not said."""
    words = commodity.lower()
    if "gas" in words:
        return "gas"
    return "oil" if any(word in words for word in ("oil", "diesel", "product", "petrol", "condensate")) else ""
