"""The words of the web page, for print: read from the page's own tables, so that both say the same."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType

from api.exports.symbols import STATIC

_TABLES = ("text.en.js", "text.ownership.en.js")
#: A line of a table: a name, with or without quotes, and a text that is written as in JSON.
_LINE = re.compile(r'^  "?([\w-]+)"?: (".*"),$', re.MULTILINE)
_GAP = re.compile(r"\{(\w+)\}")
NO_BREAK = "\u00a0"


def read(source: str) -> dict[str, str]:
    """Names and texts of a table of the page."""
    return {name: json.loads(text) for name, text in _LINE.findall(source)}


WORDS: Mapping[str, str] = MappingProxyType(
    {name: text for table in _TABLES for name, text in read((STATIC / table).read_text(encoding="utf-8")).items()}
)


def say(name: str, /, **gaps: object) -> str:
    """A text by its name, with its gaps filled.

    Raises
    ------
    KeyError
        If the page has no such text, or a gap is not filled.
    """
    return _GAP.sub(lambda gap: str(gaps[gap[1]]), WORDS[name])


def word(prefix: str, value: str) -> str:
    """A word from the data, such as a relation; one that the page has no text for is said itself."""
    return WORDS.get(f"{prefix}{value}", value.replace("-", " ").replace("_", " "))


def counted(name: str, number: int) -> str:
    """A text that depends on a number."""
    return say(f"{name}_{'one' if number == 1 else 'other'}", n=number)


def share(low: float, high: float) -> str:
    """A share in percent, or the range it lies in."""
    ends = [f"{round(end, 4):.4f}".rstrip("0").rstrip(".") for end in (low, high)]
    return (ends[0] if ends[0] == ends[1] else "–".join(ends)) + f"{NO_BREAK}%"
