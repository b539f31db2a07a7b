"""A policy of disclosure: embargoes, coarser coordinates and withheld fields, read from a TOML file and checked.

It says which records it is about by kind of asset and host country. A strike that states no kind, or no country, may
be of any: every rule of kinds or countries is about it too.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from layers.model import edtf
from layers.model.messages import InvalidValue, Message
from layers.model.problems import Problem, ProblemsError, schema_fault, shown_value
from layers.model.records import Asset, Record, Strike
from layers.model.types import AssetKind, Country, Text, Url

#: Tables whose records have a place, and so a kind and a host country.
PlacedTable: TypeAlias = Literal["strikes", "assets"]
#: Fields that can be withheld, by table: those whose absence says no more than that nothing is stated. Answers are
#: computed from others, such as the days of a stake, which would then be wrong rather than less exact.
WITHHOLDABLE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "strikes": (
            "when_note", "region", "geometry", "attacker", "weapons", "damage", "killed_min", "killed_max",
            "injured_min", "injured_max", "casualties", "targets", "status_note", "note",
        ),
        "assets": ("names", "aliases", "commodity", "geometry", "capacity", "capacity_unit", "capacity_on", "note"),
        "entities": ("names", "aliases", "nationalities", "note"),
        "sources": ("url", "archive_url", "title", "language", "published", "retrieved", "licence"),
        "claims": ("quote",),
        "stakes": ("note",),
        "relations": ("note",),
        "controls": ("note",),
        "conditions": ("note",),
    }
)  # fmt: skip
#: Longest embargo, in hours: ten years.
_LONGEST_H = 87_660
#: The last place on earth where a day ends (UTC-12).
_LAST_ZONE = timedelta(hours=12)
#: When a record may be published that no embargo is about.
ALWAYS = datetime.min.replace(tzinfo=UTC)
#: Metres of a degree of latitude, at most (WGS 84, at the poles).
DEGREE_M = 111_694.0


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    kinds: tuple[AssetKind, ...] = Field((), description="Kinds of asset that it is about; empty for all.")
    countries: tuple[Country, ...] = Field((), description="Host countries that it is about; empty for all.")

    def is_about(self, record: Record) -> bool:
        """Whether a strike or asset is, or may be, of the kinds and countries; of other records only a rule of all."""
        if not (self.kinds or self.countries):
            return True
        if isinstance(record, Strike):
            kinds = record.target_kinds
        elif isinstance(record, Asset):
            kinds = (record.kind,)
        else:
            return False
        is_of_kind = not (self.kinds and kinds) or not set(self.kinds).isdisjoint(kinds)
        return is_of_kind and (not self.countries or record.host_country in (*self.countries, None))


class Embargo(_Rule):
    """For how many hours after its event a strike is not published."""

    hours: float = Field(gt=0, le=_LONGEST_H, description="Hours after the end of the event.")


class Rounding(_Rule):
    """How coarse the published coordinates of strikes or assets are: a step in degrees, or in metres."""

    table: PlacedTable
    decimals: int | None = Field(None, ge=0, le=4, description="Decimals of a degree that are kept.")
    metres: float | None = Field(None, ge=10, le=500_000, description="Width of a cell of the grid.")

    @model_validator(mode="after")
    def _states_one_step(self) -> Rounding:
        if (self.decimals is None) == (self.metres is None):
            raise InvalidValue(Message("disclosure.decimals-or-metres"))
        return self

    @property
    def step_m(self) -> float:
        """Width of a cell from south to north, in metres."""
        return self.metres if self.metres is not None else DEGREE_M / 10 ** (self.decimals or 0)


class FieldRule(_Rule):
    """Fields of a table that are not published."""

    table: str
    fields: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _can_be_withheld(self) -> FieldRule:
        known = WITHHOLDABLE.get(self.table)
        if known is None:
            raise InvalidValue(Message("disclosure.table", {"tables": tuple(WITHHOLDABLE)}))
        if unknown := [name for name in self.fields if name not in known]:
            raise InvalidValue(
                Message("disclosure.fields", {"fields": tuple(unknown), "table": self.table, "known": tuple(known)})
            )
        if (self.kinds or self.countries) and self.table not in ("strikes", "assets"):
            raise InvalidValue(Message("disclosure.kinds-and-countries"))
        return self


class Policy(BaseModel):
    """What is published, when and how exactly. An empty policy publishes all that is not private."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    contact: Text | None = Field(None, description="Where a correction or a reply is sent to.")
    statement: Url | None = Field(None, description="Address of the policy of the operator in full.")
    authors: Literal["role", "name"] = Field("role", description="What the corrections log says of who made a change.")
    embargo: tuple[Embargo, ...] = ()
    rounding: tuple[Rounding, ...] = ()
    withhold: tuple[FieldRule, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether nothing is embargoed, rounded or withheld."""
        return not (self.embargo or self.rounding or self.withhold)

    @cached_property
    def digest(self) -> str:
        """Names the policy: equal policies have equal names."""
        return hashlib.blake2b(self.model_dump_json().encode(), digest_size=4).hexdigest()

    def due(self, strike: Strike) -> datetime | None:
        """When a strike may be published, in UTC; `ALWAYS` where no embargo is about it.

        Counted from the last moment that its time may mean: of a day its end at UTC-12, where it ends last. ``None``
        while that end is open or unknown.
        """
        hours = max((rule.hours for rule in self.embargo if rule.is_about(strike)), default=None)
        if hours is None:
            return ALWAYS
        end = _end(strike.when)
        try:
            return None if end is None else end + timedelta(hours=hours)
        except OverflowError:
            return None

    def coarsest(self, table: str, record: Record) -> Rounding | None:
        """The coarsest rounding of the coordinates of a record; ``None`` where they are published as they are."""
        rules = (rule for rule in self.rounding if rule.table == table and rule.is_about(record))
        return max(rules, key=lambda rule: rule.step_m, default=None)

    def withheld(self, table: str, record: Record) -> tuple[str, ...]:
        """Names of the fields of a record that are not published, whether or not it states them, in their order."""
        names = {
            name for rule in self.withhold if rule.table == table and rule.is_about(record) for name in rule.fields
        }
        return tuple(name for name in type(record).model_fields if name in names)


def _end(when: str) -> datetime | None:
    """The last moment that an EDTF text may mean; ``None`` where its end is open or unknown."""
    stated = edtf.parse(when)
    if stated.latest is None:
        return None
    if stated.precision == "instant" and not stated.qualified:
        with suppress(ValueError, OverflowError):  # such as hour 24
            instant = datetime.fromisoformat(when)
            if instant.tzinfo is not None:
                return instant.astimezone(UTC)
    try:
        day_after = datetime(stated.latest.year, stated.latest.month, stated.latest.day, tzinfo=UTC) + timedelta(days=1)
        return day_after + _LAST_ZONE
    except OverflowError:
        return None


#: The policy where an operator states none.
OPEN = Policy()


def read(path: Path) -> Policy:
    """Read the policy of a file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ProblemsError
        If it is no policy, with every fault.
    """
    try:
        return parse(path.read_text(encoding="utf-8"), path.name)
    except UnicodeDecodeError as error:
        raise ProblemsError(
            (Problem(path.name, None, "file", "encoding", str(error), Message("disclosure.utf8")),)
        ) from error


def parse(text: str, file: str = "policy.toml") -> Policy:
    """Read a policy from TOML, see docs/policy.md; `ProblemsError` with every fault if it is none."""
    try:
        return of_values(tomllib.loads(text), file)
    except tomllib.TOMLDecodeError as error:
        raise ProblemsError((Problem(file, None, "file", "syntax", str(error), Message("disclosure.toml")),)) from error


def of_values(values: Mapping[str, Any], file: str) -> Policy:
    """Read a policy from values of TOML or JSON, which are said to be of a file; `ProblemsError` with every fault."""
    try:
        return Policy.model_validate(values)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        problems = tuple(_problem(file, fault["loc"], fault["input"], schema_fault(fault)) for fault in faults)
        raise ProblemsError(problems) from error


def _problem(file: str, place: tuple[int | str, ...], value: object, expected: Message) -> Problem:
    """One fault: the rule, counted from 1 as a person reads the file, and its field."""
    *parents, last = place or ("policy",)
    if isinstance(last, int):
        parents, last = [*parents, last], "value"
    record = " ".join(str(part + 1) if isinstance(part, int) else part for part in parents) or "policy"
    return Problem(file, None, record, last, shown_value(repr(value)), expected)
