"""Sentences for people as codes with arguments: what a room of layers/ has to say, worded by api/ in each language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

#: Values that fill the gaps of a sentence; numbers are formatted by its wording, and lists are joined.
Argument: TypeAlias = "str | int | float | Message | tuple[str | Message, ...] | None"

_NO_ARGUMENTS: Mapping[str, Argument] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence or phrase, without its words.

    Attributes
    ----------
    code
        Which sentence, as the catalogues of ``api/wording`` have it: ``room.name`` in lower case with hyphens.
    arguments
        The values of its gaps by name; empty where it has none.
    """

    code: str
    arguments: Mapping[str, Argument] = field(default_factory=lambda: _NO_ARGUMENTS)

    def __hash__(self) -> int:
        return hash((self.code, tuple(sorted(self.arguments.items(), key=lambda item: item[0]))))

    def __str__(self) -> str:
        """Return the code with its arguments, for tracebacks and logs."""
        arguments = ", ".join(f"{name}={_plain(value)}" for name, value in self.arguments.items())
        return f"{self.code}({arguments})" if arguments else self.code


def _plain(value: Argument) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)


def alternatives(words: Sequence[str]) -> Argument:
    """Return one or more words as an argument that is worded with "or" between them."""
    first, *others = words
    argument: Argument = first
    for word in others:
        argument = Message("language.or", {"one": argument, "other": word})
    return argument


class InvalidValue(ValueError):
    """A value that is refused, with what may stand in its place; as text it is the code of that, with its arguments."""

    def __init__(self, expected: Message) -> None:
        super().__init__(str(expected))
        self.expected = expected


#: Words a message in one language. ``layers/`` is given it where words go into a file, such as for QGIS.
Wording = Callable[[Message], str]
