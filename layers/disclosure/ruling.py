"""What a policy says of one record, and the record as it is published: coarser, with fields left out, and saying so."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from pydantic import Field, create_model
from shapely.geometry.base import BaseGeometry

from layers.disclosure.policy import ALWAYS, Policy, Rounding
from layers.disclosure.rounding import rounded
from layers.model.records import RECORD_TYPES, Claim, Record, Strike

#: Fields that go with a geometry, and have no meaning without one.
PLACE_FIELDS = ("geometry", "uncertainty_m", "basis", "place_source")
#: What claims call a place, besides `PLACE_FIELDS`.
_PLACE_WORDS = frozenset(
    {*PLACE_FIELDS, "coordinates", "coordinate", "location", "lat", "lon", "latitude", "longitude"}
)
#: Largest uncertainty of a record, in metres.
_LARGEST_M = 5_000_000.0

#: The type of a record of each table of which something is withheld: ``withheld`` names the fields.
DISCLOSED_TYPES: Mapping[str, type[Record]] = MappingProxyType(
    {
        table: create_model(
            f"Disclosed{record_type.__name__}",
            __base__=record_type,
            __doc__=record_type.__doc__,
            withheld=(tuple[str, ...], Field((), description="Fields left out or made coarser by the policy.")),
        )
        for table, record_type in RECORD_TYPES.items()
    }
)


def withheld_fields(record: Record) -> tuple[str, ...]:
    """Names of the fields of a record that are withheld or made coarser; empty where it is published as it is."""
    # Not by getattr, which asks pydantic in vain: most records have no such field.
    names: tuple[str, ...] = vars(record).get("withheld", ())
    return names


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a policy says of one record.

    Parameters
    ----------
    due
        When it may be published, in UTC; ``None`` while that cannot be said.
    rounding
        The rule of its coordinates; ``None`` where they are published as they are.
    fields
        Names of the fields that are left out, whether or not the record states them.
    """

    due: datetime | None = ALWAYS
    rounding: Rounding | None = None
    fields: tuple[str, ...] = ()

    @classmethod
    def of(cls, policy: Policy, table: str, record: Record) -> Ruling:
        """What a policy says of a record by itself."""
        due = policy.due(record) if isinstance(record, Strike) else ALWAYS
        return cls(due, policy.coarsest(table, record), policy.withheld(table, record))

    def __and__(self, other: Ruling) -> Ruling:
        """The stricter of both in every respect, for records that are judged to be one."""
        due = None if self.due is None or other.due is None else max(self.due, other.due)
        rules = [rule for rule in (self.rounding, other.rounding) if rule is not None]
        coarsest = max(rules, key=lambda rule: rule.step_m, default=None)
        return Ruling(due, coarsest, tuple(dict.fromkeys((*self.fields, *other.fields))))

    def lifted_by(self, other: Ruling, now: datetime) -> tuple[str, ...]:
        """What this withholds at a moment and another ruling on the same record does not, in words."""
        lifted = []
        if (self.due is None or self.due > now) and other.due is not None and (not self.due or other.due < self.due):
            lifted.append("an embargo")
        if self.rounding and (other.rounding is None or other.rounding.step_m < self.rounding.step_m):
            lifted.append("the rounding of coordinates")
        if fields := [name for name in self.fields if name not in other.fields]:
            lifted.append(f"the withholding of {', '.join(fields)}")
        return tuple(lifted)

    def applied(self, table: str, record: Record) -> Record:
        """The record as it is published once it is due; the same one where all of it is."""
        fields = type(record).model_fields
        values = {name: getattr(record, name) for name in fields}
        withheld = self.fields
        for name in withheld:
            for left_out in PLACE_FIELDS if name == "geometry" else (name,):
                values[left_out] = fields[left_out].get_default(call_default_factory=True)
        if self.rounding is not None and isinstance(values.get("geometry"), BaseGeometry):
            values |= _coarser(values["geometry"], values["uncertainty_m"], self.rounding)
            withheld = (*withheld, "geometry")
        values["withheld"] = withheld
        return DISCLOSED_TYPES[table].model_construct(**values) if withheld else record


def _coarser(geometry: BaseGeometry, uncertainty_m: float | None, rule: Rounding) -> dict[str, Any]:
    moved = rounded(geometry, rule)
    uncertainty_m = math.ceil((uncertainty_m or 0.0) + moved.moved_m)
    return {"geometry": moved.geometry, "uncertainty_m": min(float(uncertainty_m), _LARGEST_M), "basis": "rounded"}


def gives_away(claim: Claim, withheld: tuple[str, ...]) -> bool:
    """Whether a claim states a value of a field that is withheld of its record."""
    if not {claim.field, f"{claim.field}_min", f"{claim.field}_max"}.isdisjoint(withheld):
        return True
    return "geometry" in withheld and claim.field in _PLACE_WORDS
