"""Publishers' words for whether a facility operates, and the years in which it began and ended."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from layers.model import edtf
from layers.model.types import OperatingStatus

#: Statuses by the words of publishers: small letters, hyphens and underscores as spaces.
_STATUSES: Mapping[str, OperatingStatus] = MappingProxyType(
    {
        "operating": "operating", "operational": "operating", "operating pre retirement": "operating",
        "in operation": "operating", "active": "operating", "open": "operating", "ugs": "operating",
        "commissioned": "operating", "construction": "construction", "under construction": "construction",
        "in construction": "construction", "in development": "construction", "testing": "construction",
        "pre construction": "pre-construction", "permitted": "pre-construction", "pre permit": "pre-construction",
        "proposed": "proposed", "planned": "proposed", "proposed plus": "proposed", "discovered": "proposed",
        "exploration": "proposed", "development": "proposed", "announced": "announced", "shelved": "shelved",
        "deferred": "shelved", "cancelled": "cancelled", "canceled": "cancelled", "mothballed": "mothballed",
        "care and maintenance": "mothballed", "idle": "idle", "idled": "idle", "shut in": "idle", "standby": "idle",
        "suspended": "idle", "retired": "retired", "decommissioned": "retired",
        "decommissioning": "retired", "abandoned": "retired", "closed": "retired", "dismantled": "retired",
        "shut down": "retired", "permanent shutdown": "retired",
    }
)  # fmt: skip
#: What begins a remark behind a status: `cancelled - inferred 4 y`, `retired (2019)`.
_REMARKS = ("(", "- inferred")
_PLUS = " plus"
#: A year, a month or a day, and spaces or a comment behind: `2025 (expected)`, `2019.0`, `1984-05-09`.
_DATE = re.compile(r"([12][0-9]{3})(?:\.0+)?(-(?:0[1-9]|1[0-2])(?:-[0-3][0-9])?)?(?![0-9])")
_RANGE = re.compile(r"([12][0-9]{3})\s?[-–/]\s?([12][0-9]{3})(?![0-9])")


@lru_cache(maxsize=4096)
def operating_status(text: str) -> OperatingStatus | None:
    """Return the status that a publisher's words mean; None for unknown words."""
    words = text.casefold().replace("_", " ")
    for remark in _REMARKS:
        words = words.partition(remark)[0]
    plain = " ".join(words.replace("-", " ").split())
    return _STATUSES.get(plain) or _STATUSES.get(plain.removesuffix(_PLUS))


@lru_cache(maxsize=16384)
def edtf_year(text: str) -> str | None:
    """Return the day, month, year or span of years at the start of a text (EDTF); None for another text.

    A comment behind it is not read: `2025 (expected)` is 2025. Years are from 1000 to 2999.
    """
    text = text.strip()
    span = _RANGE.match(text)
    match = _DATE.match(text)
    stated = f"{span[1]}/{span[2]}" if span else match and f"{match[1]}{match[2] or ''}"
    if not stated:
        return None
    try:
        return edtf.parse(stated).text
    except edtf.EdtfError:
        return match[1] if match else None
