"""Days as people write them, by a stated format, to EDTF of the same precision. Nothing is guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_PARTS = {
    "YYYY": r"(?P<y>[0-9]{4})",
    "MM": r"(?P<m>[0-9]{2})",
    "M": r"(?P<m>[0-9]{1,2})",
    "DD": r"(?P<d>[0-9]{2})",
    "D": r"(?P<d>[0-9]{1,2})",
}
_TOKEN = re.compile(r"YYYY|MM|M|DD|D|[^A-Za-z]")
#: A time of day behind a day, which a day does not keep.
_TIME = re.compile(r"[T ][0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(\s*[AaPp][Mm])?\s*(Z|UTC|[+-][0-9]{2}:?[0-9]{2})?$")


@dataclass(frozen=True, slots=True)
class DateFormat:
    """One way to write a day, a month or a year, such as ``DD.MM.YYYY``; M and D take one or two digits."""

    text: str
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, text: str) -> DateFormat | None:
        """The format that a text describes; None where it is none: it needs YYYY, and M before D makes sense."""
        tokens = _TOKEN.findall(text)
        kinds = [token[0] for token in tokens if token in _PARTS]
        if "".join(tokens) != text or len(set(kinds)) != len(kinds) or "Y" not in kinds:
            return None
        if "D" in kinds and "M" not in kinds:
            return None
        return cls(text, re.compile("".join(_PARTS.get(token, re.escape(token)) for token in tokens)))

    def edtf(self, text: str) -> str | None:
        """The day, month or year of a text, without its time of day; None where it is not written so."""
        found = self.pattern.fullmatch(without_time(text))
        if found is None:
            return None
        parts = {name: int(value) for name, value in found.groupdict().items()}
        try:
            day = date(parts["y"], parts.get("m", 1), parts.get("d", 1))
        except ValueError:
            return None
        return day.isoformat()[: {1: 4, 2: 7, 3: 10}[len(parts)]]


def without_time(text: str) -> str:
    """A text without the time of day at its end."""
    return _TIME.sub("", text.strip())
