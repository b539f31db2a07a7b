"""Standard output and standard error as people read them: what a file says cannot steer the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.table import Table

#: Control characters but line ends and tabs, as their pictures (U+2400 to U+2421); those of C1 have none.
_PICTURES: Mapping[int, str] = {
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"},
    0x7F: "\u2421",
    **dict.fromkeys(range(128, 160), "�"),
}


def visible(text: str) -> str:
    """Return a text with its control characters as signs that can be seen, so that none is a command to a terminal."""
    return text.translate(_PICTURES)


class VisibleConsole(Console):
    """A console that shows control characters of what is printed; colours and progress bars are its own."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render something to segments of text without control characters."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


def add_row(table: Table, *values: object) -> None:
    """Add a row of plain values, never read as markup; ``None`` is empty."""
    table.add_row(*(escape("" if value is None else str(value)) for value in values))


def counted(number: int, plural: str) -> str:
    """Return a number with the noun that it counts, which is given in the plural: 1 entity, 2,000 entities."""
    if number != 1:
        return f"{number:,} {plural}"
    return f"1 {plural[:-3]}y" if plural.endswith("ies") else f"1 {plural[:-1]}"


#: Nothing is coloured by what it looks like: patterns that find numbers and addresses take minutes for a long word.
console = VisibleConsole(highlight=False)
errors = VisibleConsole(stderr=True, highlight=False)
