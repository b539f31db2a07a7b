"""A view of the web map, as an address says it, and the parameters by which its strikes are requested.

`static/state.js` and `static/selection.js` do the same in the browser; a test holds both to each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import get_args
from urllib.parse import parse_qsl

from layers.model.types import CountryBasis, RelationKind, RestsOn
from layers.ownership.minority import Minority
from layers.query.strike_ties import CERTAINTIES

#: What a country or an owner may be to what was hit; the first is the start.
ROLES = ("owner", "control", "related", "host", *get_args(RelationKind))
WEAPONS = ("drone", "missile", "rocket", "air strike", "boat", "mine", "artillery", "explosive", "debris")
PRECISIONS = ("1000", "5000", "25000", "none")
_MAX_LETTERS = 200
_CODE = re.compile("[A-Z]{2}")
_WORD = re.compile("[a-z]+")
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: Names of the fields in an address where Python has no such name.
_NAMES = {"since": "from", "until": "to"}


@dataclass(frozen=True, slots=True)
class MapView:
    """What the map page shows: a selection of strikes, how owners are counted, and the strike or owner that is open."""

    q: str | None = None
    country: str | None = None
    owner: str | None = None
    asset: str | None = None
    role: str = ROLES[0]
    min_share: float = 0.0
    kinds: tuple[str, ...] = ()
    commodity: str | None = None
    weapon: str | None = None
    status: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    within: str | None = None
    rests_on: str | None = None
    certainty: str | None = None
    basis: str = get_args(CountryBasis)[0]
    minority: str = get_args(Minority)[0]
    strike: str | None = None
    entity: str | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> MapView:
        """Read the parameters of an address; whatever is malformed is as at the start, as on the page."""
        return cls(
            q=_text(query.get("q")),
            country=country if _CODE.fullmatch(country := query.get("country", "")) else None,
            owner=_text(query.get("owner")),
            asset=_text(query.get("asset")),
            role=_among(query.get("role"), ROLES) or ROLES[0],
            min_share=_percent(query.get("min_share")),
            kinds=_words(query.get("kinds")),
            commodity=_text(query.get("commodity")),
            weapon=_among(query.get("weapon"), WEAPONS),
            status=_words(query.get("status")),
            since=_day(query.get("from")),
            until=_day(query.get("to")),
            within=_among(query.get("within"), PRECISIONS),
            rests_on=_among(query.get("rests_on"), get_args(RestsOn)),
            certainty=_among(query.get("certainty"), CERTAINTIES),
            basis=_among(query.get("basis"), get_args(CountryBasis)) or get_args(CountryBasis)[0],
            minority=_among(query.get("minority"), get_args(Minority)) or get_args(Minority)[0],
            strike=query.get("strike") or None,
            entity=query.get("entity") or None,
        )

    @classmethod
    def of_address(cls, query: str, fragment: str) -> MapView:
        """Read the view of an address of the page: that after # wins, as the page keeps it there."""
        return cls.read(dict(parse_qsl(fragment or query)))

    def query(self) -> dict[str, str]:
        """Give the parameters of the shortest address that says this view."""
        start, said = MapView(), {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value != getattr(start, field.name):
                said[_NAMES.get(field.name, field.name)] = _written(value)
        return said

    def parameters(self) -> dict[str, str]:
        """Give the parameters by which the selected strikes, their counts and their files are requested."""
        dates = f"{self.since or '..'}/{self.until or '..'}" if self.since or self.until else None
        given = {
            **(self._relation() if self.country or self.owner else {}),
            "q": self.q,
            "country": self.country,
            "entity": self.owner,
            "assets": self.asset,
            "commodity": self.commodity,
            "certainty": self.certainty,
            "datetime": dates,
            "filter": self._filter(),
        }
        return {name: text for name, text in given.items() if text}

    def _relation(self) -> dict[str, str | None]:
        if self.role not in ("owner", "control"):
            return {"relation": self.role}
        least = _written(self.min_share) if self.role == "owner" and self.min_share else None
        return {"reading": "control" if self.role == "control" else self.basis, "min_share": least}

    def _filter(self) -> str:
        parts = [
            _is_one_of("status", self.status) if self.status else "status <> 'retracted'",
            _of_kinds(self.kinds) if self.kinds else None,
            f"CASEI(weapons) LIKE CASEI({_quoted(f'%{self.weapon}%')})" if self.weapon else None,
            ("uncertainty_m IS NULL" if self.within == "none" else f"uncertainty_m <= {self.within}")
            if self.within
            else None,
            f"rests_on = {_quoted(self.rests_on)}" if self.rests_on else None,
        ]
        return " AND ".join(part for part in parts if part)


def _text(value: str | None) -> str | None:
    return (value or "").strip()[:_MAX_LETTERS] or None


def _among(value: str | None, choices: Sequence[str]) -> str | None:
    return value if value in choices else None


def _words(value: str | None) -> tuple[str, ...]:
    return tuple(part for part in (value or "").split(".") if _WORD.fullmatch(part))


def _percent(value: str | None) -> float:
    return float(value) if value and _PERCENT.fullmatch(value) and float(value) <= 100 else 0.0


def _day(value: str | None) -> str | None:
    if value is None or not _DAY.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        return None


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return ".".join(value)
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _is_one_of(name: str, values: Sequence[str]) -> str:
    return f'"{name}" IN ({", ".join(map(_quoted, values))})'


def _of_kinds(kinds: Sequence[str]) -> str:
    known = [kind for kind in kinds if kind != "none"]
    parts = [_is_one_of("group", known)] if known else []
    if "none" in kinds:
        parts.append('"group" IS NULL')
    return f"({' OR '.join(parts)})" if len(parts) > 1 else parts[0]
