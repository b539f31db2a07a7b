"""Sentences for people as codes with arguments: what a room of layers/ has to say, worded by api/ in each language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


#: Words a message in one language. ``layers/`` is given it where words go into a file, such as for QGIS.
Wording = Callable[[Message], str]


def codes(message: Message) -> str:
    """Word a message by its bare code: what stands in a file that nobody gave a language."""
    return message.code
