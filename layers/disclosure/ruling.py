"""What a policy says of one record, and the record as it is published: coarser, with fields left out, and saying so."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import numpy as np
import shapely
from pydantic import Field, create_model
from shapely.geometry import LineString, MultiLineString, Point
from shapely.geometry.base import BaseGeometry

from geo.lonlat import Floats
from layers.disclosure.policy import ALWAYS, DEGREE_M, Policy, Rounding
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


def is_rounded(values: Mapping[str, Any]) -> bool:
    """Whether the place of a record in an answer, whose members these are, was made coarser by the policy."""
    return "geometry" in (values.get("withheld") or ()) and values.get("basis") is not None


def left_out(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of members of a record in an answer that the policy leaves out: nobody may say that they are not known."""
    names = tuple(values.get("withheld") or ())
    if is_rounded(values):
        return tuple(name for name in names if name != "geometry")
    return (*names, *PLACE_FIELDS[1:]) if "geometry" in names else names


def is_left_out(values: Mapping[str, Any], *names: str) -> bool:
    """Whether the policy leaves out any of some members of a record in an answer, see `left_out`."""
    return not {*left_out(values)}.isdisjoint(names)


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
        if self.is_coarser_than(other):
            lifted.append("the rounding of coordinates")
        if fields := [name for name in self.fields if name not in other.fields]:
            lifted.append(f"the withholding of {', '.join(fields)}")
        return tuple(lifted)

    def is_coarser_than(self, other: Ruling) -> bool:
        """Whether this makes coordinates coarser than another ruling on the same record does."""
        return self.rounding is not None and (other.rounding is None or other.rounding.step_m < self.rounding.step_m)

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


#: Decimals of a rounded coordinate in degrees: a centimetre, far below every grid.
_DECIMALS = 7


@dataclass(frozen=True, slots=True)
class RoundedGeometry:
    """A geometry on the grid, lon/lat (OGC:CRS84), and the largest distance that a place in it was moved, in metres."""

    geometry: BaseGeometry
    moved_m: float


def rounded(geometry: BaseGeometry, rule: Rounding) -> RoundedGeometry:
    """Move a geometry (lon/lat, OGC:CRS84, not empty) to the grid of a rule.

    A point goes to the nearest point of the grid, and so does each vertex of a line; repeated ones are dropped, and a
    line within one cell becomes a point. An area becomes a point, the middle of its bounds, as its outline would show
    what the grid hides. The grid does not depend on the data: many rounded places say no more than one.
    """
    if geometry.geom_type == "Point":
        return _point(geometry, rule)
    if geometry.geom_type in ("LineString", "MultiLineString"):
        return _lines(geometry, rule)
    west, south, east, north = geometry.bounds
    middle = _point(Point((west + east) / 2, (south + north) / 2), rule)
    half = math.hypot(north - south, (east - west) * _widest(south, north)) / 2 * DEGREE_M
    return RoundedGeometry(middle.geometry, middle.moved_m + half)


def _point(point: BaseGeometry, rule: Rounding) -> RoundedGeometry:
    """A point by itself, as `_on_grid` moves many: for one, arrays take fifty times as long."""
    x, y = point.coords[0]
    step = rule.step_m / DEGREE_M
    lat = min(max(round(y / step) * step, -90.0), 90.0)
    across = step if rule.metres is None else min(step / max(math.cos(math.radians(lat)), 1e-9), 360.0)
    lon = min(max(round(x / across) * across, -180.0), 180.0)
    moved_m = math.hypot(step, across * _widest(lat - step / 2, lat + step / 2)) / 2 * DEGREE_M
    return RoundedGeometry(Point(round(lon, _DECIMALS), round(lat, _DECIMALS)), moved_m)


def _lines(geometry: BaseGeometry, rule: Rounding) -> RoundedGeometry:
    lines = [_on_grid(shapely.get_coordinates(part), rule) for part in shapely.get_parts(geometry)]
    moved_m = max(_moved_m(line, rule) for line in lines)
    longer = [line for line in map(_without_repeats, lines) if len(line) > 1]
    if not longer:
        return RoundedGeometry(Point(lines[0][0]), moved_m)
    whole = LineString(longer[0]) if len(longer) == 1 else MultiLineString(longer)
    return RoundedGeometry(whole, moved_m)


def _without_repeats(line: Floats) -> Floats:
    is_new = np.ones(len(line), bool)
    is_new[1:] = np.any(line[1:] != line[:-1], axis=1)
    return line[is_new]


def _on_grid(places: Floats, rule: Rounding) -> Floats:
    """The nearest point of the grid to each place, of shape (n, 2), lon/lat."""
    step = rule.step_m / DEGREE_M
    lat = np.clip(np.round(places[:, 1] / step) * step, -90, 90)
    across = _steps_across(lat, rule)
    lon = np.clip(np.round(places[:, 0] / across) * across, -180, 180)
    return np.round(np.column_stack([lon, lat]), _DECIMALS)


def _steps_across(lat: Any, rule: Rounding) -> Any:
    """Width of a cell from west to east at latitudes of the grid, in degrees of longitude."""
    step = rule.step_m / DEGREE_M
    if rule.metres is None:
        return np.full(np.shape(lat), step)
    return np.minimum(step / np.maximum(np.cos(np.radians(lat)), 1e-9), 360)


def _moved_m(at: Floats, rule: Rounding) -> float:
    """The largest distance to a point of the grid from within its cell: half the diagonal of the cell, in metres."""
    step = rule.step_m / DEGREE_M
    lats = np.unique(at[:, 1])
    return max(
        math.hypot(step, across * _widest(lat - step / 2, lat + step / 2)) / 2 * DEGREE_M
        for lat, across in zip(lats.tolist(), _steps_across(lats, rule).tolist(), strict=True)
    )


def _widest(south: float, north: float) -> float:
    """The largest cosine of a latitude between two: how wide a degree of longitude is, of a degree of latitude."""
    return 1.0 if south <= 0 <= north else math.cos(math.radians(min(abs(south), abs(north), 90)))
