"""The record types and their columns, spelt once: validation, tables, headers and docs derive from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from layers.model.messages import InvalidValue, Message
from layers.model.types import (
    AssetKind,
    Basis,
    Checked,
    ControlKind,
    Count,
    Country,
    CountryBasis,
    Edtf,
    EntityType,
    Geometry,
    Id,
    Language,
    Metres,
    OperatingStatus,
    Percent,
    PointGeometry,
    RelationKind,
    RestsOn,
    Status,
    Text,
    Url,
    Verdict,
    WorkingStatus,
)

#: The fields of a coordinate, without which it is none.
_FIELDS_OF_PLACE = ("geometry", "uncertainty_m", "basis", "place_source")
#: Field of the claims that hold what a report says of a strike, in its own words. They are private in every dataset.
DESCRIPTION = "description"


class Record(BaseModel):
    """What every record has in common."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        arbitrary_types_allowed=True,
        str_strip_whitespace=True,
        allow_inf_nan=False,
    )

    #: The fields that `require_consistent` reads.
    tied_fields: ClassVar[tuple[str, ...]] = ()

    id: Id = Field(description="Stable identifier within its table.")
    dataset: Id = Field("curated", description="The load that the record came with.")
    private: bool = Field(
        False,
        description="For this store only: its licence forbids to publish it, so no answer, tile or export holds it.",
    )

    @model_validator(mode="after")
    def _fields_go_together(self) -> Self:
        self.require_consistent()
        return self

    def require_consistent(self) -> None:
        """Refuse values of several fields that do not go together, though each is valid by itself.

        Raises
        ------
        InvalidValue
            If there are such.
        """


class Source(Record):
    """A publication that something is known from."""

    url: Url | None = Field(None, description="Address as cited.")
    archive_url: Url | None = Field(None, description="Address of an archived copy.")
    publisher: Text = Field(description="Who published it.")
    title: Text | None = Field(None, description="Title as printed; empty where it was not seen.")
    language: Language | None = Field(None, description="BCP 47 language of the text.")
    published: Edtf | None = Field(None, description="When it was published.")
    retrieved: Edtf | None = Field(None, description="When it was last looked at.")
    licence: Text | None = Field(None, description="Licence of the data taken from it.")
    same_report_as: Text | None = Field(
        None,
        description="Agency or outlet whose report it reprints or retells; such pages are one independent source.",
    )


class Weapon(BaseModel):
    """A kind of weapon and how many are said to have been used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Text = Field(description="As reported, such as drone, ballistic missile, explosive charge.")
    count_min: Count | None = Field(None, description="Fewest reported.")
    count_max: Count | None = Field(None, description="Most reported.")


class Strike(Record):
    """An attack on a site, as a published report tells it."""

    tied_fields = _FIELDS_OF_PLACE

    title: Text = Field(description="A short name of the event, in English.")
    titles: dict[Language, Text] = Field(default_factory=dict, description="The same by language.")
    when: Edtf = Field(description="Day or days it happened, no more exact than the sources.")
    when_note: Text | None = Field(None, description="Time of day or doubt, in words.")
    place: Text = Field(description="Place as reported, in English or as printed.")
    places: dict[Language, Text] = Field(default_factory=dict, description="The place by language.")
    region: Text | None = Field(None, description="First-order division.")
    host_country: Country | None = Field(
        None, description="ISO 3166-1 country the place lies in; empty at sea, and where the source states none."
    )
    geometry: PointGeometry | None = Field(
        None, description="Where, a point, lon/lat (OGC:CRS84); empty where no source gives it."
    )
    uncertainty_m: Metres | None = Field(
        None, description="Darwin Core coordinateUncertaintyInMeters: radius that holds the true place."
    )
    basis: Basis | None = Field(None, description="What the coordinate stands for.")
    place_source: Id | None = Field(None, description="Source of the coordinate.")
    attacker: Text | None = Field(None, description="Who is said to have done it, and by whom.")
    weapons: tuple[Weapon, ...] = Field((), description="Kinds and counts as reported.")
    damage: Text | None = Field(None, description="What was damaged.")
    killed_min: Count | None = Field(None, description="Fewest killed reported.")
    killed_max: Count | None = Field(None, description="Most killed reported.")
    injured_min: Count | None = Field(None, description="Fewest injured reported.")
    injured_max: Count | None = Field(None, description="Most injured reported.")
    casualties: Text | None = Field(None, description="Casualties in words, with nationalities where known.")
    targets: tuple[Text, ...] = Field((), description="Targets as printed in the reports.")
    target_kinds: tuple[AssetKind, ...] = Field((), description="Kinds of target that the reports allow.")
    status: Status = Field(description="How well it is established.")
    status_note: Text | None = Field(None, description="Who confirms or denies.")
    sources: tuple[Id, ...] = Field(min_length=1, description="Sources of the record.")
    checked: Checked = Field(
        description="What was read of the event: a page, an excerpt or nothing; a place is no event."
    )
    note: Text | None = Field(None, description="Anything else a reader must know.")

    def require_consistent(self) -> None:
        """Refuse a coordinate without what it stands for, how exact it is, and who gives it."""
        _require_basis(self)


class Claim(Record):
    """One source's value for one field of one record, kept beside the accepted value."""

    record: Id = Field(description="The strike, asset, entity or stake it is about.")
    field: Text = Field(description="Which of its fields.")
    value: Text = Field(description="What the source says.")
    quote: Text | None = Field(None, description="A short quotation.")
    source: Id = Field(description="Who says so.")
    checked: Checked = Field(description="What was read that gives this value: a page, an excerpt or nothing.")


class Asset(Record):
    """A facility or a pipeline."""

    tied_fields = _FIELDS_OF_PLACE

    name: Text = Field(description="Name in English.")
    names: dict[Language, Text] = Field(default_factory=dict, description="Names by language.")
    aliases: tuple[Text, ...] = Field((), description="Other names it is reported under.")
    kind: AssetKind = Field(description="What it is.")
    commodity: Text | None = Field(None, description="What it makes, moves or stores.")
    geometry: Geometry | None = Field(
        None, description="Point, line or area, lon/lat (OGC:CRS84); empty where no source gives it."
    )
    uncertainty_m: Metres | None = Field(None, description="Radius that holds the true place.")
    basis: Basis | None = Field(None, description="What the coordinate stands for.")
    place_source: Id | None = Field(None, description="Source of the coordinate.")
    host_country: Country | None = Field(
        None, description="ISO 3166-1 country it lies in; empty at sea, across borders, and where no source states it."
    )
    capacity: float | None = Field(None, ge=0, description="Capacity in capacity_unit.")
    capacity_unit: Text | None = Field(None, description="Unit of capacity.")
    capacity_on: Edtf | None = Field(None, description="Day, month or year for which the capacity was stated.")
    status: OperatingStatus | None = Field(
        None, description="Whether it operates, as of the source; empty where it says nothing."
    )
    since: Edtf | None = Field(None, description="When it began to operate, or is to; empty where no source says.")
    until: Edtf | None = Field(None, description="First day on which it no longer operates; empty is open.")
    part_of: Id | None = Field(None, description="The larger asset it belongs to.")
    external_ids: dict[str, Text] = Field(default_factory=dict, description="Ids elsewhere: gem, wikidata, osm.")
    sources: tuple[Id, ...] = Field(min_length=1, description="Sources of the record.")
    checked: Checked = Field(
        description="What was read that gives the place, and that alone: a page, an excerpt or nothing."
    )
    note: Text | None = Field(None, description="Anything else a reader must know.")

    def require_consistent(self) -> None:
        """Refuse a coordinate without what it stands for, how exact it is, and who gives it."""
        _require_basis(self)


class Entity(Record):
    """A company, state, state body, arrangement or person that may hold something."""

    name: Text = Field(description="Name in English.")
    names: dict[Language, Text] = Field(default_factory=dict, description="Names by language.")
    aliases: tuple[Text, ...] = Field((), description="Other names and abbreviations.")
    type: EntityType = Field(description="BODS 0.4 type.")
    registered_in: Country | None = Field(
        None,
        description="ISO 3166-1 country of registration; of a state itself; of a person, the only nationality, or the "
        "effective one of several.",
    )
    headquartered_in: Country | None = Field(None, description="ISO 3166-1 country of the head office.")
    nationalities: tuple[Country, ...] = Field(
        (),
        description="Of a person of several nationalities, each that a source states (BODS 0.4). Where registered_in "
        "is empty, a share is one of theirs, and not known whose.",
    )
    joint: bool = Field(False, description="A joint company or holding vehicle: its partners, not it, say whose it is.")
    external_ids: dict[str, Text] = Field(default_factory=dict, description="Ids elsewhere: lei, wikidata, gem.")
    sources: tuple[Id, ...] = Field((), description="Sources of its registration and seat.")
    checked: Checked = Field(
        description="What was read that gives registration and seat: a page, an excerpt or nothing."
    )
    note: Text | None = Field(None, description="Anything else a reader must know.")


class Stake(Record):
    """Who owns how much of what, and when. An unverified stake counts from 0 to its share."""

    tied_fields = ("share_min", "share_max")

    owned: Id = Field(description="The asset or entity owned.")
    owner: Id = Field(description="The entity that owns.")
    share_min: Percent = Field(description="Least share the source allows.")
    share_max: Percent = Field(description="Largest share the source allows.")
    since: Edtf | None = Field(None, description="First day; empty is open.")
    until: Edtf | None = Field(None, description="First day on which it no longer holds; empty is open.")
    imputed: bool = Field(False, description="The share was inferred, as by an equal split, not stated.")
    source: Id = Field(description="Who says so.")
    checked: Checked = Field(description="What was read that gives share and dates: a page, an excerpt or nothing.")
    note: Text | None = Field(None, description="What the source leaves open.")

    def require_consistent(self) -> None:
        """Refuse a least share above the largest."""
        if self.share_min > self.share_max:
            raise InvalidValue(Message("schema.share-order"))


class Relation(Record):
    """A tie of an entity or country to an asset that is not ownership. It is never added to shares."""

    asset: Id = Field(description="The asset.")
    entity: Id = Field(description="The entity tied to it.")
    relation: RelationKind = Field(description="What the tie is.")
    strike: Id | None = Field(None, description="The strike it is about, where it is about one only.")
    since: Edtf | None = Field(None, description="First day; empty is open.")
    until: Edtf | None = Field(None, description="First day on which it no longer holds; empty is open.")
    source: Id = Field(description="Who says so.")
    checked: Checked = Field(description="What was read that gives the tie: a page, an excerpt or nothing.")
    note: Text | None = Field(None, description="What a reader must know.")


class Control(Record):
    """Who controls what without a share that says so, as declared or consolidated. It never counts as a share."""

    controlled: Id = Field(description="The asset or entity controlled.")
    controller: Id = Field(description="The entity that controls it.")
    kind: ControlKind = Field(description="What the control is based on.")
    since: Edtf | None = Field(None, description="First day; empty is open.")
    until: Edtf | None = Field(None, description="First day on which it no longer holds; empty is open.")
    source: Id = Field(description="Who says so.")
    checked: Checked = Field(description="What was read that gives the control: a page, an excerpt or nothing.")
    note: Text | None = Field(None, description="What the source leaves open.")


class Condition(Record):
    """How far an asset worked over some days, as a source says."""

    tied_fields = ("working_min", "working_max")

    asset: Id = Field(description="The asset.")
    strike: Id | None = Field(None, description="The strike that brought it about; empty where none did.")
    status: WorkingStatus = Field(description="running, reduced, offline, destroyed for good, or under occupation.")
    working_min: Percent | None = Field(
        None, description="Least part of the capacity that worked; empty where no source says."
    )
    working_max: Percent | None = Field(
        None, description="Largest part of the capacity that worked; empty where no source says."
    )
    since: Edtf = Field(description="First day.")
    until: Edtf | None = Field(
        None, description="First day on which it no longer held; empty where no source tells its end."
    )
    source: Id = Field(description="Who says so.")
    checked: Checked = Field(description="What was read that gives status and share: a page, an excerpt or nothing.")
    note: Text | None = Field(None, description="What the source leaves open.")

    def require_consistent(self) -> None:
        """Refuse one bound of the working part without the other, and a least part above the largest."""
        if (self.working_min is None) != (self.working_max is None):
            raise InvalidValue(Message("schema.working-pair"))
        if self.working_min is not None and self.working_max is not None and self.working_min > self.working_max:
            raise InvalidValue(Message("schema.working-order"))


class Identity(Record):
    """A person's judgement on whether two entities, assets or strikes are one. Appended; the latest per pair holds."""

    one: Id = Field(description="An entity, asset or strike; the one that is kept where they are one.")
    other: Id = Field(description="Another of the same table.")
    verdict: Literal["same", "different", "part", "undone"] = Field(
        description="part: the first is a part of the second; undone: as if it had not been judged."
    )
    who: Text = Field(description="Who decided.")
    when: Edtf = Field(description="Day of the decision.")
    why: Text = Field(description="On what grounds.")


class Decision(Record):
    """A person's judgement on what a strike hit. Appended, never overwritten; the latest per pair holds."""

    tied_fields = ("asset", "verdict", "undoes")

    strike: Id = Field(description="The strike judged.")
    asset: Id | None = Field(None, description="The asset; empty for none, unsure and not-a-strike.")
    verdict: Verdict = Field(
        description="confirmed; possible: one of several candidates; none of these; unsure; not a strike; undone."
    )
    undoes: Id | None = Field(None, description="The decision that is taken back, as if it had not been made.")
    who: Text = Field(description="Who decided.")
    when: Edtf = Field(description="Day of the decision.")
    why: Text = Field(description="On what grounds.")
    sources: tuple[Id, ...] = Field((), description="What the grounds are based on.")

    def require_consistent(self) -> None:
        """Refuse an asset, or none, and a decision that is undone, or none, where the verdict is of another sort."""
        if (self.asset is not None) != (self.verdict in ("confirmed", "possible")):
            raise InvalidValue(Message("schema.asset-of-verdict"))
        if (self.undoes is not None) != (self.verdict == "undone"):
            raise InvalidValue(Message("schema.undoes-of-verdict"))


def _require_basis(record: Strike | Asset) -> None:
    """Refuse a coordinate without what it stands for, how exact it is, and who gives it."""
    if record.geometry is not None and None in (record.uncertainty_m, record.basis, record.place_source):
        raise InvalidValue(Message("schema.geometry-needs-basis"))


class Match(BaseModel):
    """What the matcher proposes: an asset, or none of those in the layer, with the reasons. Derived."""

    model_config = ConfigDict(frozen=True)

    strike: Id = Field(description="The strike.")
    asset: Id | None = Field(None, description="The candidate; empty for none of these.")
    probability: float = Field(
        ge=0, le=1, description="That this asset was hit; several of one strike may have been, so do not add them up."
    )
    distance_m: float | None = Field(None, description="Distance between the stated places, in metres.")
    reasons: tuple[MatchReason, ...] = Field((), description="What speaks for and against, with its weight.")


class MatchReason(BaseModel):
    """One named reason why two records may belong together, with its weight and a message for people."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="distance, name, owner-name, kind or prior.")
    value: float = Field(description="What was measured.")
    weight: float = Field(description="What it adds to the log odds.")
    detail: Message = Field(description="The same in words.")


class Attribution(BaseModel):
    """One country's tie to one struck asset: strike x asset x relation x country. Derived."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="strike/asset/relation/country.")
    strike: Id = Field(description="The strike.")
    asset: Id | None = Field(None, description="The asset; empty where only the host is known.")
    relation: Literal["owner", "host"] | RelationKind = Field(description="What ties the country to the asset.")
    country: Country | None = Field(None, description="ISO 3166-1 country; empty for the unattributed part.")
    entity: Id | None = Field(None, description="The entity of a relation that is not ownership.")
    sure: bool = Field(
        False,
        description="Whether the strike counts, is no draft, and the tie holds of what it hit whichever site that was.",
    )
    share_min: Percent | None = Field(None, description="Least share owned.")
    share_max: Percent | None = Field(None, description="Largest share owned.")
    state_min: Percent | None = Field(None, description="Least part that reaches a state.")
    state_max: Percent | None = Field(None, description="Largest part that reaches a state.")
    holder_min: Percent | None = Field(None, description="Least part that reaches a person.")
    holder_max: Percent | None = Field(None, description="Largest part that reaches a person.")
    company_min: Percent | None = Field(None, description="Least part that stays with a company.")
    company_max: Percent | None = Field(None, description="Largest part that stays with a company.")
    rests_on: RestsOn = Field(description="What the tie is based on.")
    alternative: bool = Field(False, description="Whether the asset is one of several, of which one was hit.")
    basis: CountryBasis = Field("registration", description="What country means.")
    reason: str | None = Field(None, description="Why a part is unattributed; the note of a relation.")


#: The record type of each table, in the order in which references point.
RECORD_TYPES: Mapping[str, type[Record]] = MappingProxyType(
    {
        "sources": Source,
        "entities": Entity,
        "assets": Asset,
        "strikes": Strike,
        "claims": Claim,
        "stakes": Stake,
        "relations": Relation,
        "controls": Control,
        "conditions": Condition,
        "decisions": Decision,
        "identities": Identity,
    }
)

#: Which column refers to which tables.
REFERENCES: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "strikes": {"sources": ("sources",), "place_source": ("sources",)},
        "assets": {"sources": ("sources",), "place_source": ("sources",), "part_of": ("assets",)},
        "entities": {"sources": ("sources",)},
        "claims": {"record": ("strikes", "assets", "entities", "stakes"), "source": ("sources",)},
        "stakes": {"owned": ("assets", "entities"), "owner": ("entities",), "source": ("sources",)},
        "relations": {
            "asset": ("assets",),
            "entity": ("entities",),
            "strike": ("strikes",),
            "source": ("sources",),
        },
        "controls": {"controlled": ("assets", "entities"), "controller": ("entities",), "source": ("sources",)},
        "conditions": {"asset": ("assets",), "strike": ("strikes",), "source": ("sources",)},
        "decisions": {
            "strike": ("strikes",),
            "asset": ("assets",),
            "undoes": ("decisions",),
            "sources": ("sources",),
        },
        "identities": {"one": ("entities", "assets", "strikes"), "other": ("entities", "assets", "strikes")},
    }
)


def references(table: str, record: Record) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield column, id and possible tables of all that a record of a table refers to; none of an empty column."""
    for column, targets in REFERENCES.get(table, {}).items():
        value = getattr(record, column)
        for key in value if isinstance(value, tuple) else () if value is None else (value,):
            yield column, key, targets


@dataclass(frozen=True)
class Records:
    """An immutable set of records by table and id: one version of the data."""

    sources: Mapping[str, Source]
    entities: Mapping[str, Entity]
    assets: Mapping[str, Asset]
    strikes: Mapping[str, Strike]
    claims: Mapping[str, Claim]
    stakes: Mapping[str, Stake]
    relations: Mapping[str, Relation]
    controls: Mapping[str, Control]
    conditions: Mapping[str, Condition]
    decisions: Mapping[str, Decision]
    identities: Mapping[str, Identity]

    @classmethod
    def of(cls, tables: Mapping[str, Mapping[str, Record]]) -> Records:
        """Copy ``tables`` into an immutable set; a missing table is empty."""
        frozen: dict[str, Any] = {name: MappingProxyType(dict(tables.get(name, {}))) for name in RECORD_TYPES}
        return cls(**frozen)

    def where(self, table: str, column: str, value: str) -> Sequence[Any]:
        """Return the records of a table whose reference in a column is ``value``, in the order of the table.

        Raises
        ------
        KeyError
            If there is no such table.
        """
        look_up = getattr(self.table(table), "where", None)
        if look_up is not None:
            records: Sequence[Any] = look_up(column, value)
            return records
        if (table, column) not in self._by_reference:
            by_value: dict[str, list[Record]] = defaultdict(list)
            for record in self.table(table).values():
                by_value[getattr(record, column)].append(record)
            self._by_reference[table, column] = by_value
        return self._by_reference[table, column].get(value, ())

    @cached_property
    def _by_reference(self) -> dict[tuple[str, str], Mapping[str, Sequence[Record]]]:
        """Records by the value of a column that refers to others, for each table and column looked up so far."""
        return {}

    def table(self, name: str) -> Mapping[str, Record]:
        """Return the records of one table by id.

        Raises
        ------
        KeyError
            If there is no such table.
        """
        if name not in RECORD_TYPES:
            raise KeyError(name)
        table: Mapping[str, Record] = getattr(self, name)
        return table
