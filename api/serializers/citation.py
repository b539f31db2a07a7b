"""How a page is cited: in words, and as BibTeX, RIS and CSL-JSON. The day of access is left to whoever cites."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

import orjson

from api.http.json import Json
from api.wording.catalogue import ENGLISH, phrase
from api.wording.dates import date_in_words

PUBLISHER = "StrikeAtlas"
#: Characters that TeX reads as commands, and how each is written as itself.
_TEX: Mapping[str, str] = MappingProxyType(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{sign: f"\\{sign}" for sign in "{}%&#_$"},
    }
)
_LINE = re.compile(r"[\s\x00-\x1f\x7f]+")
_NO_KEY = re.compile(r"[^A-Za-z0-9]+")
#: Digits of the hash of the history that a citation has, as printed figures do.
_HASH_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Citation:
    """What is cited: a page of one version of the data.

    Parameters
    ----------
    title
        What the page says, in one line.
    address
        The permanent address of the page.
    day
        Day of the data.
    history
        The hash of the history of what is published, up to its last change.
    code
        Code by which ``verify`` builds the content again; ``None`` where there is none.
    """

    title: str
    address: str
    day: date
    history: str
    code: str | None = None

    def version(self, language: str = ENGLISH) -> str:
        """Name the version of the data in words."""
        return version_in_words(self.day, self.history, language)

    def text(self, language: str = ENGLISH) -> str:
        """Word the citation; the day of access is to be filled in."""
        code = phrase("cite.code", language, code=self.code) if self.code else ""
        title = f"{_line(self.title).removesuffix('.')}."
        parts = {"title": title, "version": self.version(language), "address": self.address}
        return phrase("cite.text", language, publisher=PUBLISHER, **parts) + (f" {code}" if code else "")

    def bibtex(self, language: str = ENGLISH) -> str:
        """Write an entry of BibTeX, type misc, with the fields of biblatex; ``urldate`` is empty."""
        fields = {
            "author": f"{{{PUBLISHER}}}",
            "title": f"{{{_tex(self.title)}}}",
            "year": str(self.day.year),
            "date": self.day.isoformat(),
            "version": _tex(self.version(language)),
            "url": self.address,
            "urldate": "",
        }
        if self.code:
            fields["note"] = _tex(phrase("cite.code", language, code=self.code))
        key = _NO_KEY.sub("-", f"{PUBLISHER}-{self._name}-{self._digits}".lower())
        lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
        return f"@misc{{{key},\n{lines}\n}}\n"

    def ris(self, language: str = ENGLISH) -> str:
        """Write a record of RIS, type DATA, without a day of access (Y2)."""
        tags = [
            ("TY", "DATA"),
            ("AU", PUBLISHER),
            ("TI", _line(self.title)),
            ("PY", str(self.day.year)),
            ("DA", f"{self.day:%Y/%m/%d}"),
            ("ET", self.version(language)),
            ("PB", PUBLISHER),
            ("UR", self.address),
        ]
        if self.code:
            tags.append(("N1", phrase("cite.code", language, code=self.code)))
        return "".join(f"{tag}  - {value}\r\n" for tag, value in [*tags, ("ER", "")])

    def csl(self, language: str = ENGLISH) -> Json:
        """Give the item of CSL-JSON, type dataset, without ``accessed``."""
        note = {"note": phrase("cite.code", language, code=self.code)} if self.code else {}
        return {
            "id": f"{PUBLISHER.lower()}-{self._name}-{self._digits}",
            "type": "dataset",
            "title": _line(self.title),
            "author": [{"literal": PUBLISHER}],
            "publisher": PUBLISHER,
            "issued": {"date-parts": [[self.day.year, self.day.month, self.day.day]]},
            "version": self.version(language),
            "URL": self.address,
            **note,
        }

    def csl_json(self, language: str = ENGLISH) -> bytes:
        """Write the bibliography of this one item."""
        return orjson.dumps([self.csl(language)])

    @property
    def _digits(self) -> str:
        return self.history[:_HASH_DIGITS]

    @property
    def _name(self) -> str:
        """The last part of the address, which tells pages apart."""
        path, _, query = self.address.partition("?")
        return path.rpartition("/")[2] + (f"-{query}" if query else "")


def version_in_words(day: date, history: str, language: str = ENGLISH) -> str:
    """Name a version of the data by its day and the hash of its history."""
    named = date_in_words(day.isoformat(), language)
    return phrase("cite.version", language, day=named, history=history[:_HASH_DIGITS])


def _line(text: str) -> str:
    """Put a text into one line."""
    return _LINE.sub(" ", text).strip()


def _tex(text: str) -> str:
    return "".join(_TEX.get(letter, letter) for letter in _line(text))
