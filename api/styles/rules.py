"""How each collection is drawn, from the one table of colours; pictures and every encoding of a style derive from it.

Knows no encoding. Sizes are CSS pixels by zoom of the web map (tiles of 512).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any, Literal, TypeAlias

Table: TypeAlias = Mapping[str, Any]
Stops: TypeAlias = Sequence[tuple[float, float]]
Geometry: TypeAlias = Literal["points", "lines", "polygons"]

#: Pixels at size 1 of one unit of the box of 24 that symbols are drawn in (static/style.js).
UNIT = 28 / 30
#: Widths in those units: the halo of a filled and of a hollow symbol, and the outline of a hollow one.
HALO = {"filled": 4.0, "hollow": 6.4}
OUTLINE = 3.0


@dataclass(frozen=True)
class Choice:
    """Which key of the table a column asks for: that of its value, or ``rest`` for any other value and for none.

    ``column`` is empty where the key is always ``rest``.
    """

    column: str
    keys: Mapping[str, str]
    rest: str

    def of(self, value: object) -> str:
        """The key for a value."""
        return self.keys.get(value, self.rest) if isinstance(value, str) else self.rest

    def cases(self) -> Iterator[Case]:
        """What is true of the column for each key, ``rest`` last."""
        for key in dict.fromkeys(self.keys.values()):
            yield Case(self.column, tuple(value for value, one in self.keys.items() if one == key), True, key)
        yield Case(self.column, tuple(self.keys), False, self.rest)


@dataclass(frozen=True)
class Case:
    """A column has one of some values or, where ``among`` is false, any other or none; then ``key`` is asked for."""

    column: str
    values: tuple[str, ...]
    among: bool
    key: str


@dataclass(frozen=True)
class Holds:
    """The first of some columns that has a value has a text in it; or has it not, where ``wanted`` is false."""

    text: str
    columns: tuple[str, ...]
    wanted: bool = True


@dataclass(frozen=True)
class Marks:
    """Places with a symbol: its shape, colour and fill each by a choice."""

    shape: Choice
    host: Choice
    fill: Choice
    size: Stops

    def each(self) -> Iterator[tuple[Case, Case, Case]]:
        """Every symbol, by what is true of what it stands for."""
        return product(self.shape.cases(), self.host.cases(), self.fill.cases())


@dataclass(frozen=True)
class Line:
    """A line; dashes are in widths of it."""

    colour: str
    width: Stops
    dash: Sequence[float] | None = None
    opacity: float = 1.0


@dataclass(frozen=True)
class Dot:
    """A circle of a radius with an edge about it."""

    fill: str
    edge: str
    radius: Stops
    edge_width: float


@dataclass(frozen=True)
class Area:
    """An area with an edge."""

    fill: str
    opacity: float
    edge: str
    edge_width: Stops


Paint: TypeAlias = Marks | Line | Dot | Area


@dataclass(frozen=True)
class Rule:
    """Features of one kind of geometry that are drawn alike; a rule is drawn over those before it.

    Parameters
    ----------
    name
        Of this rule alone within its style.
    only
        What must be true of a feature; of all where there is none.
    from_zoom
        The zoom from which they are drawn.
    known_by
        What tells features of that geometry, where a language cannot ask for it.
    """

    name: str
    title: str
    geometry: Geometry
    paint: Paint
    only: Holds | None = None
    from_zoom: float = 0
    known_by: Case | None = None


def rules(collection: str, look: Table) -> tuple[Rule, ...]:
    """The rules of a collection, in the order of drawing."""
    if collection == "assets":
        return (_area(collection, look), *_pipes(look), _site(look))
    if collection == "countries":
        return (_area(collection, look),)
    return (Rule(collection, collection.capitalize(), "points", marks(collection, look)),)


def marks(collection: str, look: Table) -> Marks:
    """How places of strikes are marked: host is colour, kind is shape, status is fill.

    An attribution has the colour of its country; it has no kind, and is filled.
    """
    strikes = collection == "strikes"
    groups = {name: name for name in look["group"] if name != "none"} if strikes else {}
    status = {name: fill for name, fill in look["status"].items() if fill != "hollow"} if strikes else {}
    return Marks(
        Choice("group" if strikes else "", groups, "none"),
        Choice(
            "host_country" if strikes else "country", {name: name for name in look["host"] if name != "other"}, "other"
        ),
        Choice("status" if strikes else "", status, "hollow" if strikes else "filled"),
        look["size"]["symbol"],
    )


#: Pipelines by what they carry (static/layers.js).
GAS = Holds("gas", ("commodity", "group"))
NO_GAS = Holds("gas", ("commodity", "group"), wanted=False)


def _pipes(look: Table) -> Iterator[Rule]:
    base, size = look["base"]["light"], look["size"]
    kind = Case("kind", ("pipeline",), True, "pipeline")
    halo = Line(base["halo"], size["case"], None, 0.7)
    yield Rule("pipe-case", "Halo of pipelines", "lines", halo, known_by=kind)
    for name, title, only in (("gas", "Gas pipelines", GAS), ("oil", "Other pipelines", NO_GAS)):
        line = look["line"][name]
        paint = Line(line["light"], size["pipe"], line["dash"])
        yield Rule(f"pipe-{name}", title, "lines", paint, only, known_by=kind)


def _site(look: Table) -> Rule:
    base = look["base"]["light"]
    dot = Dot(base["paper"], base["mark"], look["size"]["site"], 1.2)
    # To QGIS a point symbol on a line is a line.
    kind = Case("kind", ("pipeline",), False, "site")
    return Rule("site", "Sites", "points", dot, from_zoom=look["from"]["site"], known_by=kind)


def _area(collection: str, look: Table) -> Rule:
    base = look["base"]["light"]
    area = Area(base["chosen"], 0.5, base["mark"], look["size"]["border"])
    return Rule("area", "Countries" if collection == "countries" else "Areas of sites", "polygons", area)


def at_zoom(stops: Stops, zoom: float) -> float:
    """A size at a zoom; beyond the stops that of the nearest."""
    if zoom <= stops[0][0]:
        return stops[0][1]
    for (low, small), (high, large) in pairwise(stops):
        if zoom <= high:
            return small + (large - small) * (zoom - low) / (high - low)
    return stops[-1][1]
