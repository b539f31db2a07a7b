"""Assets as columns, and the pairs of them that may be one site: near each other, of one identifier, or of a rare name.

Pairs of kinds that are not mistaken for each other, units of one plant and a unit with its plant are no candidates.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce
from itertools import chain
from operator import or_
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from shapely.geometry.base import BaseGeometry

from geo.lonlat import Bools, Floats, Ints
from layers.model.records import Asset, Records
from layers.reference.country_names import code_of
from layers.resolution.linkage import Columns, Pairs, TokenSets, codes, rarity
from layers.store.open_layer import OPEN
from layers.store.record_table import fields, texts
from layers.text.place_names import SITE_WORDS
from layers.text.site_terms import RELATED_MASKS, TARGET_KINDS, kind_bits, numbers, stems

#: Widest distance of two places that are near, in metres: a larger uncertainty says only that nothing is known.
MAX_REACH_M = 25_000.0
#: Least uncertainty of a place, in metres: a site is wide, and sources put the point on another part of it.
MIN_UNCERTAINTY_M = 500.0
#: The same of a field, which stretches over tens of kilometres.
FIELD_UNCERTAINTY_M = 10_000.0
FIELDS = frozenset({"oil-field", "gas-field"})
#: A word that more assets than this have finds nothing by itself, and an identifier neither.
MAX_BLOCK = 20
#: Sites that stretch over a country: that they come near each other says nothing.
LINES = "pipeline"

Masks = npt.NDArray[np.uint64]

#: The data set of the bundled records.
_BUNDLED = Asset.model_fields["dataset"].default
_NAMELESS = " without a name ("
_KIND_BITS = {kind: kind_bits([kind]) for kind in TARGET_KINDS}
_RELATED = dict(zip(TARGET_KINDS, RELATED_MASKS, strict=True))


@dataclass(frozen=True, eq=False)
class AssetColumns(Columns):
    """Columns of n assets, in the order of the records.

    Attributes
    ----------
    datasets
        The dataset that each came with.
    spelled
        Every spelling of the name as a set of stems (``text.site_terms``), without empty ones.
    stems, spellings
        The stems of all spellings, and each spelling as a whole.
    printed
        Every name as printed, with its words for the kind of site, but for letters and marks; of a line also its route.
    numbers
        Numbers in the names as bits, shape (n,).
    types
        Types of plant that the names say, as bits of ``TYPES``, shape (n,).
    kind, related
        The kind, and the kinds that it is mistaken for, as bits of ``TARGET_KINDS``, shape (n,).
    parent
        Row of the asset that it is a part of, -1 for none, shape (n,).
    capacity, unit
        Capacity, NaN for none, and the code of its unit, -1 for none, shape (n,).
    commodities
        Words for what it makes, moves or burns.
    identifiers, schemes
        Scheme and value of each external id, and the schemes alone.
    owners
        The stems in the names of owners and operators.
    """

    datasets: Sequence[str]
    spelled: Sequence[tuple[frozenset[str], ...]]
    stems: TokenSets[str]
    spellings: TokenSets[frozenset[str]]
    printed: TokenSets[object]
    numbers: Masks
    types: Ints
    kind: Masks
    related: Masks
    parent: Ints
    capacity: Floats
    unit: Ints
    commodities: TokenSets[str]
    identifiers: TokenSets[tuple[str, str]]
    schemes: TokenSets[str]
    owners: TokenSets[str]

    @classmethod
    def of(
        cls,
        records: Records,
        holders: Mapping[str, tuple[str, ...]] | None = None,
        left_out: Container[str] = (),
    ) -> AssetColumns:
        """Read the columns of the assets of a set of records, one asset at a time, but for those that are left out.

        ``holders`` are the `holder_names` of the records, where they are known already.
        """
        holders = holder_names(records) if holders is None else holders
        every = (_Fields(*values) for values in fields(records.assets, *_Fields._fields[1:]))
        assets = [asset for asset in every if asset.id not in left_out]
        names = [_Names.of(asset) for asset in assets]
        rows = {asset.id: row for row, asset in enumerate(assets)}
        external_ids = [
            [(scheme.casefold(), value.strip().casefold()) for scheme, value in asset.external_ids.items()]
            for asset in assets
        ]
        return cls(
            ids=list(rows),
            records=records.assets,
            dataset=codes([asset.dataset for asset in assets]),
            country=codes([asset.host_country for asset in assets]),
            geometry=np.array([asset.geometry for asset in assets], object),
            uncertainty_m=np.array([_uncertainty_m(asset) for asset in assets], np.float64),
            datasets=[asset.dataset for asset in assets],
            spelled=[name.spelled for name in names],
            stems=TokenSets.of(name.stems for name in names),
            spellings=TokenSets.of(name.spelled for name in names),
            printed=TokenSets.of(name.printed for name in names),
            numbers=np.array([name.numbers for name in names], np.uint64),
            types=np.array([name.types for name in names], np.int64),
            kind=np.array([_KIND_BITS[asset.kind] for asset in assets], np.uint64),
            related=np.array([_RELATED[asset.kind] for asset in assets], np.uint64),
            parent=np.array([rows.get(asset.part_of or "", -1) for asset in assets], np.int64),
            capacity=np.array([asset.capacity or np.nan for asset in assets], np.float64),
            unit=codes([asset.capacity_unit for asset in assets]),
            commodities=TokenSets.of(_commodity_words(asset.commodity or "") for asset in assets),
            identifiers=TokenSets.of(external_ids),
            schemes=TokenSets.of((scheme for scheme, _ in of_asset) for of_asset in external_ids),
            owners=TokenSets.of(_stems(holders.get(asset.id, ())) for asset in assets),
        )

    @cached_property
    def rarity(self) -> Floats:
        """From 0.05 to 1 by stem: 1 where one asset has it, less with the logarithm of their number."""
        return np.clip(rarity(self.stems.seen, len(self)), 0.05, 1)

    @cached_property
    def line(self) -> Bools:
        """Whether it stretches over a country, shape (n,)."""
        return np.asarray(self.kind == _KIND_BITS[LINES])

    def preference(self, row: int) -> tuple[object, ...]:
        """Prefer bundled records, those of the store to open layers, those with owners, and the best located."""
        dataset, uncertainty_m = self.datasets[row], float(self.uncertainty_m[row])
        unsure = np.inf if np.isnan(uncertainty_m) else uncertainty_m
        has_owner = bool(self.owners.filled[row])
        return dataset != _BUNDLED, dataset.startswith(OPEN), not has_owner, unsure, self.ids[row]


#: Relations whose entity's name reports may have in place of the asset's.
_NAMED_FOR = frozenset({"operator", "brand", "occupier"})


def holder_names(records: Records) -> Mapping[str, tuple[str, ...]]:
    """Return the names of all that ever owned each asset directly, run it, or are its brand, by the id of the asset.

    Each name is given once, in the order of the ties; an asset without any is not there. Assets of the same holders
    share one tuple.
    """
    names = {entity.id: (entity.name, *entity.names.values(), *entity.aliases) for entity in records.entities.values()}
    assets = set(records.assets)
    holders: dict[str, list[str]] = defaultdict(list)
    for asset, entity in _ties(records):
        if asset in assets and entity in names:
            holders[asset].append(entity)
    of_holders = {
        key: tuple(dict.fromkeys(chain.from_iterable(map(names.__getitem__, key))))
        for key in {*map(tuple, holders.values())}
    }
    return {asset: of_holders[tuple(entities)] for asset, entities in holders.items()}


def _ties(records: Records) -> Iterator[tuple[str, str]]:
    yield from ((owned, owner) for _, owned, owner in texts(records.stakes, "owned", "owner"))
    relations = texts(records.relations, "asset", "entity", "relation")
    yield from ((asset, entity) for _, asset, entity, relation in relations if relation in _NAMED_FOR)


class _Fields(NamedTuple):
    """The fields of an asset that columns are read from."""

    id: str
    dataset: str
    name: str
    names: Mapping[str, str]
    aliases: Sequence[str]
    kind: str
    commodity: str | None
    geometry: BaseGeometry | None
    uncertainty_m: float | None
    host_country: str | None
    part_of: str | None
    capacity: float | None
    capacity_unit: str | None
    external_ids: Mapping[str, str]


def _uncertainty_m(asset: _Fields) -> float:
    least_m = FIELD_UNCERTAINTY_M if asset.kind in FIELDS else MIN_UNCERTAINTY_M
    return np.nan if asset.geometry is None else max(asset.uncertainty_m or 0.0, least_m)


class _Names(NamedTuple):
    """What all names of an asset say; see ``AssetColumns``."""

    spelled: tuple[frozenset[str], ...]
    stems: tuple[str, ...]
    printed: tuple[object, ...]
    numbers: int
    types: int

    @classmethod
    def of(cls, asset: _Fields) -> _Names:
        every = (asset.name, *asset.names.values(), *asset.aliases)
        names = [[*map(_word, _without_country(name).split())] for name in every if _NAMELESS not in name]
        words = [*chain.from_iterable(names)]
        spelled = [tuple(chain.from_iterable(word.stems for word in name)) for name in names]
        printed: list[object] = [" ".join(word.plain for word in name if word.plain) for name in names]
        number = reduce(or_, (word.numbers for word in words), 0)
        if asset.kind == LINES:
            printed += _routes(asset, spelled, number)
        return cls(
            tuple(dict.fromkeys(frozenset(name) for name in spelled if name)),
            tuple(chain.from_iterable(spelled)),
            tuple(printed),
            number,
            reduce(or_, (word.types for word in words), 0),
        )


def _routes(asset: _Fields, spelled: Iterable[Iterable[str]], number: int) -> Iterator[tuple[object, ...]]:
    """Yield the names of a line by the places that it joins, its number and what flows in it.

    The Niger-Benin export pipeline is that of oil from Niger to Benin, and not the one of gas.
    """
    flows = f"{asset.commodity or ''} {asset.name}".casefold()
    medium = next((word for word in ("ngl", "gas") if word in flows), "oil")
    yield from ((medium, number, ends) for ends in map(frozenset, spelled) if len(ends) > 1)


class _Word(NamedTuple):
    """What a part of a name between spaces says: numbers and types of plant as bits, small letters, stems."""

    numbers: int
    types: int
    plain: str
    stems: tuple[str, ...]


@lru_cache(maxsize=200_000)
def _word(printed: str) -> _Word:
    words = _WORD.findall(printed)
    roman = reduce(or_, (1 << _ROMAN[word] for word in words if word in _ROMAN), 0)
    plain = " ".join(_WORD_OR_NUMBER.findall(printed.casefold()))
    own = tuple(stem for stem in stems(printed) if stem not in _TYPE_STEMS)
    return _Word(numbers(printed) | roman, _types(words), plain, own)


@lru_cache(maxsize=100_000)
def _stems(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the stems of names, each once."""
    return tuple(dict.fromkeys(stem for name in names for printed in name.split() for stem in _word(printed).stems))


def _without_country(name: str) -> str:
    """Return a name without a country in brackets at its end: "Khor Mor Oil and Gas Field (Iraq)"."""
    bare, opened, within = name.rpartition(" (")
    return bare if opened and within.endswith(")") and code_of(within[:-1]) else name


def _types(words: Iterable[str]) -> int:
    return reduce(or_, map(_type, words), 0)


@lru_cache(maxsize=200_000)
def _type(word: str) -> int:
    """Return the types of plant that a word says as bits."""
    folded = word.casefold()
    starts = (bit for start, bit in _TYPE_OF_START if folded.startswith(start))
    return reduce(or_, starts, _TYPE_OF_WORD.get(folded, 0))


def plant_types(names: Iterable[str]) -> int:
    """Return the types of power plant that names or texts say, as bits of ``TYPES``, without that of a substation."""
    words = (word for name in names for word in _WORD.findall(name))
    return _types(words) & ~(1 << tuple(TYPES).index("substation"))


#: Types of power plant of which one town has several, with the words for them; a star stands for any ending.
TYPES: Mapping[str, Sequence[str]] = SITE_WORDS["plant_types"]
_TYPE_OF_WORD = {word: 1 << bit for bit, words in enumerate(TYPES.values()) for word in words if not word.endswith("*")}
_TYPE_OF_START = [
    (word.removesuffix("*"), 1 << bit)
    for bit, words in enumerate(TYPES.values())
    for word in words
    if word.endswith("*")
]
_TYPE_STEMS = {
    stem
    for word in (*SITE_WORDS["any_type"], *chain.from_iterable(TYPES.values()))
    for stem in stems(word.removesuffix("*"))
}
#: Types that one name has and the name of the same plant hardly lacks.
STATED_TYPES = sum(1 << bit for bit, name in enumerate(TYPES) if name in ("pumped", "substation"))
_ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7, "VIII": 8, "IX": 9, "X": 10}
_WORD = re.compile(r"[^\W\d_]+")
_WORD_OR_NUMBER = re.compile(r"[^\W_]+")
#: Words in the names of commodities that distinguish none from another.
_VAGUE_COMMODITIES = frozenset({"fossil", "other", "unknown", "liquids", "natural", "and", "of", "products", "heavy"})


def _commodity_words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold())) - _VAGUE_COMMODITIES


class AssetPairs(Pairs[AssetColumns]):
    """Pairs of assets that may be one site."""

    @cached_property
    def shared_words(self) -> Floats:
        """The sum of the rarities of shared stems."""
        return self.shared(self.table.stems, self.table.rarity)

    @cached_property
    def same_spelling(self) -> Bools:
        """Whether a spelling of both has the same stems."""
        return self.shared(self.table.spellings) > 0

    @cached_property
    def with_own_words(self) -> Ints:
        """Of how many of the two each spelling has a stem that the other asset has not, where they share one."""
        own = np.zeros(len(self), np.int64)
        for row in np.flatnonzero((self.shared_words > 0) & ~self.same_spelling).tolist():
            one, other = (self.table.spelled[end] for end in self.ends(row))
            own[row] = sum(
                not any(spelling <= known for spelling in of_one)
                for of_one, known in ((one, frozenset().union(*other)), (other, frozenset().union(*one)))
            )
        return own

    @cached_property
    def same_identifier(self) -> Bools:
        """Whether two data sets give one external id; one that two assets of one data set share is that of a page."""
        return (self.shared(self.table.identifiers) > 0) & ~self.same(self.table.dataset)

    @cached_property
    def other_number(self) -> Bools:
        """Whether both names have numbers, and none of them is the same."""
        one, other = self.of(self.table.numbers)
        return np.asarray((one != 0) & (other != 0) & ((one & other) == 0))

    @cached_property
    def same_print(self) -> Bools:
        """Whether a name of both is the same as printed, or a route; not of one data set, which has both knowingly.

        Two data sets that give one id and the same words mean one site, whatever else they call it.
        """
        printed = (self.shared(self.table.printed) > 0) | (self.same_identifier & ~self.other_number)
        return self.same_spelling & printed & ~self.same(self.table.dataset)


def candidate_pairs(table: AssetColumns) -> AssetPairs:
    """Find the pairs that may be one site by place, identifier or rare name, each once, sorted by row.

    ``distance_m`` is NaN where the places are not near, an asset has none, or both stretch over a country.
    """
    # Most that are near are of other kinds: few are sorted.
    near = _comparable(AssetPairs(table, *table.near_pairs(np.flatnonzero(table.placed & ~table.line), MAX_REACH_M)))
    # An identifier that many share is that of a page.
    of_one_id = AssetPairs.union(table, [table.identifiers.block(MAX_BLOCK)])
    of_one_name = AssetPairs.union(table, [table.spellings.block(MAX_BLOCK), table.stems.block(MAX_BLOCK)])
    others = (of_one_id.only(of_one_id.differ(table.dataset)), of_one_name.only(~of_one_name.differ(table.country)))
    found = (near, *map(_comparable, others))
    return AssetPairs.union(table, [(pairs.left, pairs.right, pairs.distance_m) for pairs in found])


def _comparable(pairs: AssetPairs) -> AssetPairs:
    """Select the pairs that are no part and whole, no parts of one whole, and of kinds taken for each other."""
    table = pairs.table
    kinds, parents = pairs.of(table.kind), pairs.of(table.parent)
    alike = (kinds[0] & (kinds[1] | table.related[pairs.right])) != 0
    in_other = (parents[0] == pairs.right) | (parents[1] == pairs.left)
    return pairs.only(alike & ~in_other & ~((parents[0] == parents[1]) & (parents[0] >= 0)))
