"""The kinds of asset, and what readers, matcher and styles know of each: read from asset_kinds.toml and checked."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

_FILE = Path(__file__).with_name("asset_kinds.toml")

_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=40)]
#: Without hyphens, as a group is a part of the names of symbols.
_Group = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*$", max_length=40)]
_Word = Annotated[str, StringConstraints(pattern=r"^=?[^\s=+_]+((\+=?[^\s=+_]+)*|(_=?[^\s=+_]+)*)$")]
#: A text in small letters without spaces at its ends, as texts are compared with it.
_Folded = Annotated[str, StringConstraints(pattern=r"^\S(.*\S)?$")]
_Tag = Annotated[str, StringConstraints(pattern=r"^(industrial|man_made|power|substation|plant:source)=[a-z0-9_:]+$")]

#: Fields whose entries belong to one kind alone.
CodeField = Literal["osm_tags", "gem_tracker_types", "gem_asset_types", "wri_fuels"]
_CODE_FIELDS: tuple[CodeField, ...] = ("osm_tags", "gem_tracker_types", "gem_asset_types", "wri_fuels")


class AssetKindsError(ValueError):
    """A table of kinds that has unknown fields, or contradicts itself; the text lists every fault."""


def _each_once(by_language: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(by_language.values())))


class TargetDefinition(BaseModel):
    """Something that is struck, and the words that reports have for it (fields: see asset_kinds.toml)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vague: bool = False
    mistaken_for: tuple[_Name, ...] = ()
    words: Mapping[str, tuple[_Word, ...]] = Field(default_factory=dict)
    name_words: Mapping[str, tuple[_Word, ...]] = Field(default_factory=dict)
    site_names: tuple[str, ...] = ()
    target_phrases: Mapping[str, tuple[_Folded, ...]] = Field(default_factory=dict)

    @property
    def all_words(self) -> tuple[str, ...]:
        """The words of every language, each once."""
        return _each_once(self.words)

    @property
    def all_name_words(self) -> tuple[str, ...]:
        """The words of names of every language, each once."""
        return _each_once(self.name_words)

    @property
    def all_target_phrases(self) -> tuple[str, ...]:
        """The phrases of every language, each once."""
        return _each_once(self.target_phrases)


class AssetKindDefinition(TargetDefinition):
    """A kind of asset (fields: see asset_kinds.toml)."""

    group: _Group | None = None
    capacity_unit: str | None = None
    rare: bool = False
    many: bool = False
    unlisted: bool = False
    families: tuple[_Name, ...] = ()
    osm_tags: tuple[_Tag, ...] = ()
    gem_tracker_types: tuple[_Folded, ...] = ()
    gem_asset_types: tuple[_Folded, ...] = ()
    wri_fuels: tuple[_Folded, ...] = ()


class OtherTargetDefinition(TargetDefinition):
    """Something that is struck and is no asset; ``note`` says what it takes in."""

    note: str


class VagueWords(BaseModel):
    """Words of reports that leave open which of some kinds they mean."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kinds: tuple[_Name, ...]
    words: Mapping[str, tuple[_Word, ...]]

    @property
    def all_words(self) -> tuple[str, ...]:
        """The words of every language, each once."""
        return _each_once(self.words)


class AssetKindTable(BaseModel):
    """All of asset_kinds.toml: kinds in their order, other targets, vague words, and classes of targets by dataset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kinds: Mapping[_Name, AssetKindDefinition]
    other_targets: Mapping[_Name, OtherTargetDefinition] = Field(default_factory=dict)
    vague_words: Mapping[_Name, VagueWords] = Field(default_factory=dict)
    target_classes: Mapping[_Name, Mapping[str, tuple[_Name, ...]]] = Field(default_factory=dict)

    @property
    def targets(self) -> Mapping[str, TargetDefinition]:
        """The kinds, and after them the other targets, by name."""
        return {**self.kinds, **self.other_targets}

    @model_validator(mode="after")
    def _is_consistent(self) -> AssetKindTable:
        if faults := [*self._unknown_names(), *self._shared_codes(), *self._capital_letters()]:
            raise ValueError("; ".join(faults))
        return self

    def _unknown_names(self) -> Iterator[str]:
        yield from (f"other_targets.{name} is a kind as well" for name in self.other_targets if name in self.kinds)
        above: set[str] = set()
        for name, target in self.targets.items():
            yield from (
                f"{name}.mistaken_for: {one!r} is not further up" for one in target.mistaken_for if one not in above
            )
            above.add(name)
        for name, vague in self.vague_words.items():
            yield from (f"vague_words.{name}: {kind!r} is no kind" for kind in vague.kinds if kind not in self.kinds)
        yield from (f"vague_words.{name} is a target as well" for name in self.vague_words if name in self.targets)
        for dataset, classes in self.target_classes.items():
            for code, kinds in classes.items():
                yield from (f"{dataset}.{code}: {kind!r} is no kind" for kind in kinds if kind not in self.kinds)

    def _shared_codes(self) -> Iterator[str]:
        for field in _CODE_FIELDS:
            count = Counter(code for kind in self.kinds.values() for code in getattr(kind, field))
            yield from (f"{field}: {code!r} belongs to more than one kind" for code, n in count.items() if n > 1)

    def _capital_letters(self) -> Iterator[str]:
        for name, target in self.targets.items():
            codes = (code for field in _CODE_FIELDS for code in getattr(target, field, ()))
            texts = (*target.all_target_phrases, *codes)
            yield from (f"{name}: {text!r} has capital letters" for text in texts if text != text.casefold())

    def kinds_by(self, field: CodeField) -> Mapping[str, str]:
        """Return the kind of each code of a field, such as each tag of OpenStreetMap."""
        return {code: name for name, kind in self.kinds.items() for code in getattr(kind, field)}


def parse(text: str) -> AssetKindTable:
    """Read a table of kinds.

    Parameters
    ----------
    text
        TOML as asset_kinds.toml has it.

    Raises
    ------
    AssetKindsError
        If it is no TOML, has a field that is not known or a value that it may not have, names a kind that is not
        there, or gives a code to two kinds.
    """
    try:
        return AssetKindTable.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise AssetKindsError(f"{_FILE.name} is no TOML: {error}") from error
    except ValidationError as error:
        faults = (
            f"{'.'.join(map(str, fault['loc'])) or 'table'}: {_expected(fault['type'], fault['msg'])}"
            for fault in error.errors()
        )
        raise AssetKindsError(f"{_FILE.name}: " + "; ".join(faults)) from error


def _expected(type_: str, message: str) -> str:
    return (
        f"no such field; a kind has {', '.join(AssetKindDefinition.model_fields)}"
        if type_ == "extra_forbidden"
        else message
    )


#: The table that the program runs with.
TABLE: AssetKindTable = parse(_FILE.read_text(encoding="utf-8"))
#: Each kind by name, in the order of schemas.
ASSET_KINDS: Mapping[str, AssetKindDefinition] = TABLE.kinds
#: What kinds are drawn and filtered as, in the order in which the kinds name them.
GROUPS: tuple[str, ...] = tuple(dict.fromkeys(kind.group for kind in ASSET_KINDS.values() if kind.group))
