"""Words of printed maps in English, Ukrainian and German: the codes of the catalogue that begin with ``print``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from api.wording.catalogue import phrase, with_decimals
from api.wording.countries import country_names
from layers.model import edtf
from layers.ownership.percent import percent_text
from layers.ownership.walk import Interval
from layers.reference.basemap import Basemap
from layers.reference.map_ground import GroundLanguage

_NO_BREAK, _JOINER = "\u00a0", "\u2060"
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
#: An owner and its share of so many letters fit a line of the narrowest column.
_ONE_LINE = 34
_SIGNS = {"~": "date.about", "?": "date.perhaps", "%": "date.perhaps"}


@dataclass(frozen=True)
class PrintWords:
    """Words of a language, and the names of countries in it by ISO 3166-1 alpha-2."""

    language: GroundLanguage
    countries: Mapping[str, str]

    @classmethod
    def of(cls, language: GroundLanguage, basemap: Basemap) -> PrintWords:
        """Words with the names of countries of a base map."""
        return cls(language, country_names(basemap.country_names, language))

    def __call__(self, code: str, /, **arguments: object) -> str:
        """Word a code of printed maps; an entry with plural forms is chosen by the argument ``n``."""
        return phrase(f"print.{code}", self.language, **arguments)

    def country(self, iso: str | None) -> str:
        """Name a country; ``None`` is what is not established."""
        return self("table.nobody") if iso is None else self.countries.get(iso, iso)

    def number(self, text: str) -> str:
        """Write a number with the decimal sign of the language."""
        return with_decimals(text, self.language)

    def bounds(self, share: Interval, digits: int) -> str:
        """Write the bounds of a share in percent, without the sign."""
        return "–".join(dict.fromkeys(self.number(percent_text(end, digits)) for end in share.rounded()))

    def share(self, share: Interval, digits: int = 2) -> str:
        """Write a share in percent with its bounds, which no line parts."""
        value = self.bounds(share, digits).replace("–", f"{_JOINER}–{_JOINER}")
        return self("unit.percent", value=value).replace(" ", _NO_BREAK)

    def owner(self, iso: str | None, share: Interval, digits: int = 2) -> str:
        """Write a country with its share, which no line parts from its last word, nor a short one at all."""
        said = f"{self.country(iso)}{_NO_BREAK}{self.share(share, digits)}"
        return said.replace(" ", _NO_BREAK) if len(said.replace(_JOINER, "")) <= _ONE_LINE else said

    def length(self, metres: float) -> str:
        """Write a length in metres or kilometres, to two digits where it is no round number."""
        if metres < 1000:
            return f"{metres:g}{_NO_BREAK}{self('unit.m')}"
        return f"{self.number(f'{metres / 1000:.3g}')}{_NO_BREAK}{self('unit.km')}"

    def month(self, text: str) -> str:
        """Write the month of an EDTF date, or its year: what a span of strikes can say without claiming a day."""
        found = _MONTH.match(text)
        if found is None:
            return text[:4]
        return f"{self(f'date.month-{found[2]}')}{_NO_BREAK}{found[1]}" if int(found[2]) <= 12 else found[1]

    def date(self, text: str | None) -> str:
        """Write an EDTF date or interval, no more exact than it is; a text that is none comes back as it is."""
        if not text:
            return self("date.unknown")
        try:
            edtf.parse(text)
        except edtf.EdtfError:
            return text
        first, slash, last = text.partition("/")
        if not slash:
            return self._single(text)
        if last in ("", ".."):
            return self("date.later", date=self._single(first))
        if first in ("", ".."):
            return self("date.earlier", date=self._single(last))
        start, end = _DAY.fullmatch(first), _DAY.fullmatch(last)
        if start and end and start.group(1, 2) == end.group(1, 2):
            days = {"first": f"{int(start[3])}{_JOINER}", "last": f"{_JOINER}{int(end[3])}"}
            said = self("date.days", month=self(f"date.month-{end[2]}"), year=end[1], **days)
            return said.replace(" ", _NO_BREAK)
        return self("date.between", first=self._single(first), last=self._single(last))

    def _single(self, text: str) -> str:
        sign = _SIGNS.get(text[-1])
        plain = text[:-1] if sign else text
        found = _DAY.match(plain)
        if found:
            said = self("date.day", day=int(found[3]), month=self(f"date.month-{found[2]}"), year=found[1])
            said = said.replace(" ", _NO_BREAK)
        else:
            said = self.month(plain) if _MONTH.fullmatch(plain) else plain
        return self(sign, date=said).replace(" ", _NO_BREAK) if sign else said
