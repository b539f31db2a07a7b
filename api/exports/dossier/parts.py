"""The parts that a dossier is made of. Its writers know these parts alone: none of them knows what a strike is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Run:
    """Letters of one style; ``target`` is the address that they lead to, or ``#`` and the anchor of a part."""

    text: str
    style: Literal["plain", "strong", "soft"] = "plain"
    target: str = ""


#: What is set as one paragraph or in one cell.
Line: TypeAlias = Sequence[Run]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is the title. ``anchor`` is unique, or empty where nothing leads to it."""

    level: int
    text: str
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    line: Line


@dataclass(frozen=True, slots=True)
class Facts:
    """Terms, each with what is said of it."""

    rows: Sequence[tuple[str, Line]]


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a row of heads; ``widths`` are parts of the width, negative where cells are set to the right."""

    caption: str
    heads: Sequence[str]
    widths: Sequence[float]
    rows: Sequence[Sequence[Line]]


@dataclass(frozen=True, slots=True)
class Holder:
    """A row with a figure, what is said beside it and below, a bar of kinds and percents, and the rows under it.

    What the bar shows is said in words beside it.
    """

    name: str
    figure: str
    aside: str = ""
    lines: Sequence[Line] = ()
    bar: Sequence[tuple[str, float]] = ()
    below: Sequence[Holder] = ()


@dataclass(frozen=True, slots=True)
class Holders:
    """Holders, each with those above it."""

    rows: Sequence[Holder]


@dataclass(frozen=True, slots=True)
class MapPart:
    """The map: what it and its key show in words, and the notes that go with it."""

    alt: str
    notes: str


@dataclass(frozen=True, slots=True)
class Contents:
    """The list of headings up to a level, on a new page, under a heading that is not among them."""

    heading: str
    level: int


@dataclass(frozen=True, slots=True)
class Numbered:
    """Sources in the order of their numbers, the first of which is 1."""

    lines: Sequence[Line]


Part: TypeAlias = Heading | Paragraph | Facts | Bullets | Table | Holders | MapPart | Contents | Numbered


@dataclass(frozen=True, kw_only=True)
class Dossier:
    """A dossier: what stands at the foot of each page, and its parts in their order. ``page`` words "page n of m"."""

    title: str
    language: str
    day: date
    foot: str
    page: tuple[str, str]
    description: str
    parts: Sequence[Part] = field(default_factory=list)


def plain(text: str, *, strong: bool = False, soft: bool = False) -> Line:
    """Return a line of one style."""
    return (Run(text, "strong" if strong else "soft" if soft else "plain"),)
