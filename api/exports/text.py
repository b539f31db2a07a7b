"""The words of print and of pages that are cited: texts of the web page, read from its tables, numbers and names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from api.exports.errors import ExportError
from api.wording.catalogue import ENGLISH, formatted, plural_form, with_decimals
from layers.ownership.percent import digits_of, percent_text

#: The page, its words and its table of symbols.
STATIC = Path(__file__).resolve().parents[2] / "static"
#: What would begin a tag of a template (Jinja); in JSON it can only stand inside a text.
_TEMPLATE_START = re.compile(r"\{(?=[{%#])")
#: A gap of a text, to be filled by name.
_GAP = re.compile(r"\{(\w+)\}")
NO_BREAK = "\u00a0"


@contextmanager
def vendored(library: str, folder: Path) -> Iterator[None]:
    """Read files of a library in a folder of static/vendor.

    Raises
    ------
    ExportError
        If one is not there.
    """
    try:
        yield
    except FileNotFoundError as missing:
        name = Path(str(missing.filename)).name
        raise ExportError(
            f"expected {library} in static/vendor/{folder.name}, without {name}: run `make setup`"
        ) from None


def script_json(value: object) -> str:
    """Write JSON for a script element: nothing in it ends the element, opens a comment, or is a tag of a template.

    The HTML standard's advice (4.12.1.3): every "<" is written as an escape; so are the line separators. branca reads
    what it puts into a page as a template once more.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in ("<", ">", "&", "\u2028", "\u2029"):
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return _TEMPLATE_START.sub(r"\\u007b", text)


@cache
def texts(language: str = ENGLISH) -> Mapping[str, str]:
    """Read the table of the page in a language; a text that it lacks is the English one."""
    own: dict[str, str] = json.loads((STATIC / f"text.{language}.json").read_text(encoding="utf-8"))
    return MappingProxyType(own if language == ENGLISH else {**texts(), **own})


def page_text(name: str, language: str = ENGLISH, /, **gaps: object) -> str:
    """Return a text by its name, with its gaps filled.

    Raises
    ------
    KeyError
        If the page has no such text, or a gap is not filled.
    """
    return _GAP.sub(lambda gap: str(gaps[gap[1]]), texts(language)[name])


def word(prefix: str, value: str, language: str = ENGLISH) -> str:
    """Return the text of a word from the data, such as a relation; the word itself where the page has no text."""
    return texts(language).get(f"{prefix}{value}", value.replace("-", " ").replace("_", " "))


def words(prefix: str, values: str, language: str = ENGLISH) -> str:
    """Return the texts of words from the data with commas between them; one without a text stays as it is."""
    return ", ".join(texts(language).get(f"{prefix}{value}", value) for value in values.split(", "))


def counted(name: str, number: int, language: str = ENGLISH) -> str:
    """Return a text that depends on a number, in the form for that number."""
    form = f"{name}_{plural_form(number, language)}"
    known = form if form in texts(language) else f"{name}_other"
    return page_text(known, language, n=formatted(number, ",", language))


def share(low: float, high: float, sites: int = 1, language: str = ENGLISH) -> str:
    """Write a share of so many sites together in percent, or the range from its low end to its high end."""
    ends = [with_decimals(percent_text(end, digits_of(sites)), language) for end in (low, high)]
    return (ends[0] if ends[0] == ends[1] else "–".join(ends)) + f"{NO_BREAK}%"


def amount(low: float, high: float, language: str = ENGLISH) -> str:
    """Write a sum of shares in site equivalents, or its range, to two decimals; a little is never said to be none."""
    return "–".join(dict.fromkeys(formatted(round(end, 2) or end, "g", language) for end in (low, high)))


def with_country_names(shares: str, names: Mapping[str, str], language: str = ENGLISH) -> str:
    """Put country names for the codes of an owners text: "RU 47.3, US 0-22.5" is "Russia 47.3, United States 0–22.5".

    No-break spaces tie each name to its figure. A code without a name stays. Where decimals have a comma, semicolons
    stand between the countries.
    """
    spelled = re.sub(r"\b[A-Z]{2}\b", lambda code: names.get(code[0], code[0]), shares)
    tied = re.sub(r" (?=\d)", "\u00a0", re.sub(r"(?<=\d)-(?=\d)", "–", spelled))
    if language == ENGLISH:
        return tied
    nobody = re.sub(r"\bunattributed\b", page_text("unattributed", language), tied)
    return with_decimals(nobody.replace(", ", "; "), language)


def named_shares(
    owners: Sequence[Mapping[str, Any]], countries: Mapping[str, str], sites: int = 1, language: str = ENGLISH
) -> list[str]:
    """Write the owners of an answer, each country by its name in the language with its share of so many sites."""
    nobody = page_text("unattributed", language)
    return [
        (nobody if row["country"] is None else countries.get(row["country"], row["name"]))
        + f" {share(row['share_min'], row['share_max'], sites, language)}"
        for row in owners
    ]


def holder_in_words(tie: Mapping[str, Any], countries: Mapping[str, str]) -> str:
    """Name the holder of a tie with its country, where that is known and is not the holder itself."""
    code = tie["country"]
    country = countries.get(code, code) if code else ""
    return str(tie["name"]) + (f", {country}" if country and country != tie["name"] else "")
