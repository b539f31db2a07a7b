"""Strikes made one: sources and targets united, gaps filled, and what the others say otherwise kept as claims."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from layers.model.records import Claim, Strike, Weapon

#: Fields of a strike that are about the record and not about the event, and its sources, which are united.
_OF_THE_RECORD = frozenset({"id", "dataset", "private", "sources", "place_source", "checked"})
_SAID = tuple(field for field in Strike.model_fields if field not in _OF_THE_RECORD)
#: Fields that only mean something together; they are filled together or not at all.
_TOGETHER = (
    ("geometry", "uncertainty_m", "basis", "place_source"),
    ("killed_min", "killed_max"),
    ("injured_min", "injured_max"),
)
_ALONE = ("when_note", "region", "host_country", "attacker", "weapons", "damage", "casualties", "target_kinds")
_LONGEST_ID = 160


def unite(one: Strike, others: Iterable[Strike]) -> Strike:
    """A strike with the sources and printed targets of others that are the same event.

    Its own facts stand. A fact that it lacks is filled from the first of the others that has it; what the others
    say otherwise is told by ``claims_of``. It is private if any of them is.
    """
    united = one
    for other in others:
        united = united.model_copy(
            update={
                **_filled(united, other),
                "sources": tuple(dict.fromkeys((*united.sources, *other.sources))),
                "targets": tuple(dict.fromkeys((*united.targets, *other.targets))),
                "private": united.private or other.private,
            }
        )
    return united


def _filled(one: Strike, other: Strike) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for fields in (*_TOGETHER, *((field,) for field in _ALONE)):
        if all(getattr(one, field) in (None, ()) for field in fields):
            filled |= {field: getattr(other, field) for field in fields}
    return filled


def claims_of(one: Strike, other: Strike) -> Iterator[Claim]:
    """What another strike says otherwise than the one it is merged into, or that one does not say, a claim each.

    Lists (targets, their kinds, weapons) give one claim for each member that the kept strike has not. The source of
    a place is its own; any other value is ascribed to the first source of ``other``, since a record does not say
    which of its sources gave what. Geometry is WKT, lon/lat, to seven digits.
    """
    for field in _SAID:
        ours, theirs = set(_texts(getattr(one, field))), _texts(getattr(other, field))
        source = other.place_source if field in ("geometry", "uncertainty_m", "basis") else None
        for number, value in enumerate(text for text in theirs if text not in ours):
            yield Claim(
                id=_claim_id(other.id, field, number),
                dataset=other.dataset,
                private=other.private,
                record=one.id,
                field=field,
                value=value,
                source=source or other.sources[0],
                checked=other.checked,
            )


def _claim_id(other: str, field: str, number: int) -> str:
    name = f"{other}/merged/{field.replace('_', '-')}/{number}"
    if len(name) <= _LONGEST_ID:
        return name
    return f"merged/{sha256(name.encode()).hexdigest()}"


def _texts(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, tuple):
        return tuple(dict.fromkeys(text for member in value for text in _texts(member)))
    if isinstance(value, BaseGeometry):
        return (str(shapely.to_wkt(value, rounding_precision=7, trim=True)),)
    if isinstance(value, Weapon):
        return (_weapon(value),)
    return (f"{value:.12g}" if isinstance(value, float) else str(value),)


def _weapon(weapon: Weapon) -> str:
    counts = [str(count) for count in (weapon.count_min, weapon.count_max) if count is not None]
    return " ".join((weapon.kind, "-".join(dict.fromkeys(counts)))).strip()


def united(strikes: Mapping[str, Strike], kept: Mapping[str, str]) -> tuple[dict[str, Strike], dict[str, Claim]]:
    """Strikes without those merged into others, and the claims that keep what the merged ones said.

    ``kept`` gives the id that each merged strike became. The order of the strikes stays.
    """
    others: dict[str, list[Strike]] = {}
    for other, one in kept.items():
        others.setdefault(one, []).append(strikes[other])
    made: dict[str, Strike] = {}
    claims: dict[str, Claim] = {}
    for name, strike in strikes.items():
        if name in kept:
            continue
        merged = sorted(others.get(name, ()), key=lambda other: other.id)
        made[name] = unite(strike, merged)
        claims |= {claim.id: claim for other in merged for claim in claims_of(strike, other)}
    return made, claims
