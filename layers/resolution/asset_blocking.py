"""Assets as columns, and the pairs of them that may be one site: near each other, of one identifier, or of a rare name.

Pairs of kinds that are not mistaken for each other, units of one plant and a unit with its plant are no candidates.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce
from itertools import chain, combinations
from operator import or_
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from geo.lonlat import Bools, Floats, Ints, Objects
from layers.model.records import Asset, Records
from layers.reference.country_names import code_of
from layers.resolution.linkage import (
    CandidatePairs,
    chunks,
    codes,
    each_once,
    near_pairs,
    without_distance,
    word_matrix,
)
from layers.store.open_layer import OPEN
from layers.store.record_table import fields, texts
from layers.text.place_names import SITE_WORDS
from layers.text.site_terms import RELATED_MASKS, TARGET_KINDS, kind_bits, numbers, stems

if TYPE_CHECKING:
    from scipy.sparse import csr_array

#: Widest distance of two places that are near, in metres: a larger uncertainty says only that nothing is known.
MAX_REACH_M = 25_000.0
#: Least uncertainty of a place, in metres: a site is wide, and sources put the point on another part of it.
MIN_UNCERTAINTY_M = 500.0
#: The same of a field, which stretches over tens of kilometres.
FIELD_UNCERTAINTY_M = 10_000.0
FIELDS = frozenset({"oil-field", "gas-field"})
#: A word that more assets than this have finds nothing by itself, and an identifier neither.
MAX_BLOCK = 20
#: Least number of assets that the rarity of a word is computed with, lest a small layer make all words rare.
MIN_ASSETS = 1_000
#: Sites that stretch over a country: that they come near each other says nothing.
LINES = "pipeline"

Masks = npt.NDArray[np.uint64]

#: The data set of the bundled records.
_BUNDLED = Asset.model_fields["dataset"].default
_NAMELESS = " without a name ("


@dataclass(frozen=True, eq=False)
class AssetColumns:
    """Columns of n assets, in the order of the records.

    Attributes
    ----------
    ids
        Ids.
    dataset
        Code of the dataset that it came with, shape (n,).
    bundled
        Whether it is a bundled record, shape (n,).
    is_open
        Whether it is a record of an open layer, shape (n,).
    names
        Every spelling of the name as a set of codes of stems (``text.site_terms``), without empty ones.
    printed
        Every name as printed, with its words for the kind of site, as a code: equal but for letters and marks.
    number_bits
        Numbers in the names as bits, shape (n,).
    types
        Types of plant that the names say, as bits of ``TYPES``, shape (n,).
    geometry
        Shapely geometries in lon/lat degrees (OGC:CRS84) or None, shape (n,).
    uncertainty_m
        Metres, ``MIN_UNCERTAINTY_M`` at least, NaN where there is no place, shape (n,).
    kind, related
        The kind, and the kinds that it is mistaken for, as bits of ``TARGET_KINDS``, shape (n,).
    line
        Whether it stretches over a country, shape (n,).
    country
        Codes, -1 for none, shape (n,).
    parent
        Row of the asset that it is a part of, -1 for none, shape (n,).
    capacity, unit
        Capacity, NaN for none, and the code of its unit, -1 for none, shape (n,).
    commodity
        Code of what it makes, moves or burns, -1 for none, shape (n,).
    commodities
        The words of each code.
    identifiers
        Scheme and value of each external id.
    owners
        Codes of the stems in the names of owners and operators.
    words
        Sparse matrix, shape (n, stems): 1 where a spelling has the stem.
    rarity
        From 0 to 1 by stem: 1 where one asset has it, less with the logarithm of their number.
    stems
        The stem of each code.
    """

    ids: Sequence[str]
    dataset: Ints
    bundled: Bools
    is_open: Bools
    names: Sequence[tuple[frozenset[int], ...]]
    printed: Sequence[tuple[int, ...]]
    number_bits: Masks
    types: Ints
    geometry: Objects
    uncertainty_m: Floats
    kind: Masks
    related: Masks
    line: Bools
    country: Ints
    parent: Ints
    capacity: Floats
    unit: Ints
    commodity: Ints
    commodities: Sequence[frozenset[str]]
    identifiers: Sequence[frozenset[tuple[str, str]]]
    owners: Sequence[frozenset[int]]
    words: csr_array
    rarity: Floats
    stems: Sequence[str]

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
        code: dict[str, int] = {}
        coded = _Coder(code)
        holders = holder_names(records) if holders is None else holders
        every = (values for values in fields(records.assets, *_FIELDS) if values[0] not in left_out)
        rows = (_row(values, coded, holders.get(values[0], ())) for values in every)
        columns = list(zip(*rows, strict=True)) or [()] * 16
        (ids, datasets, names, printed, number, types, geometry, uncertainty_m, kinds) = columns[:9]
        (country, parent, capacity, unit, commodities, identifiers, owners) = columns[9:]
        shapes = np.empty(len(ids), dtype=object)
        shapes[:] = geometry
        rank = {kind: at for at, kind in enumerate(TARGET_KINDS)}
        kind = np.fromiter((rank[name] for name in kinds), np.int64, len(ids))
        row = {name: at for at, name in enumerate(ids)}
        words = [*map(_words, names)]
        return cls(
            ids,
            codes(datasets),
            np.array([dataset == _BUNDLED for dataset in datasets], bool),
            np.array([dataset.startswith(OPEN) for dataset in datasets], bool),
            names,
            printed,
            np.array(number, np.uint64),
            np.array(types, np.int64),
            shapes,
            np.array(uncertainty_m, np.float64),
            np.array([kind_bits([name]) for name in TARGET_KINDS], np.uint64)[kind],
            np.array(RELATED_MASKS, np.uint64)[kind],
            kind == rank[LINES],
            codes(country),
            np.fromiter((row.get(name, -1) if name else -1 for name in parent), np.int64, len(ids)),
            np.array(capacity, np.float64),
            codes(unit),
            codes(commodities),
            [_commodity_words(text) for text in sorted({text for text in commodities if text})],
            identifiers,
            owners,
            word_matrix([*map(sorted, words)], len(code)),
            _rarity(words, len(code)),
            list(code),
        )

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def all_words(self) -> Sequence[frozenset[int]]:
        """The stems of all spellings of each asset."""
        return [*map(_words, self.names)]

    @cached_property
    def words_of(self) -> Ints:
        """Number of stems of each asset, shape (n,)."""
        return np.asarray(np.diff(self.words.indptr), np.int64)

    @property
    def placed(self) -> Bools:
        """Which assets have a place, shape (n,)."""
        return ~np.isnan(self.uncertainty_m)


#: Relations whose entity's name may stand for the asset in a report.
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


class _Word(NamedTuple):
    """What a part of a name between spaces says: numbers and types of plant as bits, small letters, codes of stems."""

    number: int
    types: int
    plain: str
    codes: tuple[int, ...]


class _Words(dict[str, _Word]):
    """The parts of names as they are printed, each read when it is first looked up; gives the stems their codes."""

    def __init__(self, code: dict[str, int]) -> None:
        self._code = code

    def __missing__(self, printed: str) -> _Word:
        number, types = numbers(printed), 0
        for word in _WORD.findall(printed):
            roman, type_ = _meaning(word)
            number, types = number | roman, types | type_
        code = self._code
        own = (stem for stem in stems(printed) if stem not in _TYPE_STEMS)
        codes = tuple(code.setdefault(stem, len(code)) for stem in own)
        self[printed] = word = _Word(number, types, " ".join(_WORD_OR_NUMBER.findall(printed.casefold())), codes)
        return word


class _Coder:
    """Gives the stems of names as codes, and each name's once."""

    def __init__(self, code: dict[str, int]) -> None:
        self._word_of = _Words(code)
        self._memo: dict[str, frozenset[int]] = {}
        self._words: dict[tuple[str, ...], frozenset[int]] = {}
        self._printed: dict[str, int] = {}

    def read(self, name: str) -> list[_Word]:
        """The parts of a name."""
        return [*map(self._word_of.__getitem__, name.split())]

    def __call__(self, name: str) -> frozenset[int]:
        if name not in self._memo:
            self._memo[name] = frozenset(chain.from_iterable(word.codes for word in self.read(name)))
        return self._memo[name]

    def printed(self, names: Iterable[Iterable[_Word]]) -> tuple[int, ...]:
        """The code of each name as it is printed, in small letters and without marks."""
        plain = (" ".join([word.plain for word in words if word.plain]) for words in names)
        return tuple(self._printed.setdefault(name, len(self._printed)) for name in plain)

    def routes(self, name: str, commodity: str | None, names: Iterable[str], number: int) -> tuple[int, ...]:
        """The code of each name of a line by the places that it joins, its number and what flows in it.

        The Niger-Benin export pipeline is that of oil from Niger to Benin, and not the one of gas.
        """
        flows = f"{commodity or ''} {name}".casefold()
        medium = next((word for word in ("ngl", "gas") if word in flows), "oil")
        ends = (sorted(self(name)) for name in names)
        plain = (f"{medium} {number} {codes}" for codes in ends if len(codes) > 1)
        return tuple(self._printed.setdefault(route, len(self._printed)) for route in plain)

    def all(self, names: Iterable[str]) -> tuple[frozenset[int], ...]:
        """The stems of each name that has any, each set once."""
        return tuple(dict.fromkeys(coded for name in names if (coded := self(name))))

    def words(self, names: tuple[str, ...]) -> frozenset[int]:
        """The stems of all names; those of the same names are one object."""
        if names not in self._words:
            self._words[names] = _words(self.all(names))
        return self._words[names]


#: The fields of assets that columns are read from, behind the id.
_FIELDS = (
    *("dataset", "name", "names", "aliases", "kind", "commodity", "geometry", "uncertainty_m"),
    *("host_country", "part_of", "capacity", "capacity_unit", "external_ids"),
)


def _row(values: tuple[Any, ...], coded: _Coder, holders: tuple[str, ...]) -> tuple[object, ...]:
    key, dataset, main_name, by_language, aliases, kind, commodity, geometry, uncertainty_m = values[:9]
    country, part_of, capacity, capacity_unit, external_ids = values[9:]
    names = [_without_country(name) for name in (main_name, *by_language.values(), *aliases) if _NAMELESS not in name]
    spelled = coded.all(names)
    parts = [*map(coded.read, names)]
    number = types = 0
    for word in chain.from_iterable(parts):
        number, types = number | word.number, types | word.types
    least_m = FIELD_UNCERTAINTY_M if kind in FIELDS else MIN_UNCERTAINTY_M
    return (
        key,
        dataset,
        spelled,
        coded.printed(parts) + (coded.routes(main_name, commodity, names, number) if kind == LINES else ()),
        number,
        types,
        geometry,
        np.nan if geometry is None else max(uncertainty_m or 0.0, least_m),
        kind,
        country,
        part_of,
        capacity or np.nan,
        capacity_unit,
        commodity and commodity.casefold(),
        frozenset((scheme.casefold(), value.strip().casefold()) for scheme, value in external_ids.items()),
        coded.words(holders),
    )


def _words(spellings: tuple[frozenset[int], ...]) -> frozenset[int]:
    """Return the stems of all spellings; those of the only one are not copied."""
    return spellings[0] if len(spellings) == 1 else frozenset(chain.from_iterable(spellings))


def _without_country(name: str) -> str:
    """Return a name without a country in brackets at its end: "Khor Mor Oil and Gas Field (Iraq)"."""
    bare, opened, within = name.rpartition(" (")
    return bare if opened and within.endswith(")") and code_of(within[:-1]) else name


@lru_cache(maxsize=400_000)
def _meaning(word: str) -> tuple[int, int]:
    """Return a Roman numeral as a bit, as ``text.site_terms.numbers`` gives others, and the type of plant as a bit."""
    folded = word.casefold()
    types = _TYPE_OF_WORD.get(folded, 0)
    for start, bit in _TYPE_OF_START:
        types |= bit * folded.startswith(start)
    return (1 << _ROMAN[word] if word in _ROMAN else 0), types


def plant_types(names: Iterable[str]) -> int:
    """Return the types of power plant that names or texts say, as bits of ``TYPES``, without that of a substation."""
    words = (word for name in names for word in _WORD.findall(name))
    return reduce(or_, (_meaning(word)[1] for word in words), 0) & ~(1 << tuple(TYPES).index("substation"))


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
#: Words in the names of commodities that tell none from another.
_VAGUE_COMMODITIES = frozenset({"fossil", "other", "unknown", "liquids", "natural", "and", "of", "products", "heavy"})


def _commodity_words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text)) - _VAGUE_COMMODITIES


def _rarity(rows: Sequence[frozenset[int]], columns: int) -> Floats:
    flat = np.fromiter(chain.from_iterable(rows), np.int64)
    seen = np.maximum(np.bincount(flat, minlength=max(columns, 1)), 1)
    return np.asarray(np.clip(1 - np.log(seen) / np.log(max(len(rows), MIN_ASSETS)), 0.05, 1))


def candidate_pairs(table: AssetColumns) -> CandidatePairs:
    """Find the pairs that may be one site by place, identifier or rare name, each once, sorted by row.

    ``distance_m`` is NaN where the places are not near, an asset has none, or both stretch over a country.
    """
    near = CandidatePairs(
        *near_pairs(np.flatnonzero(table.placed & ~table.line), table.geometry, table.uncertainty_m, MAX_REACH_M)
    )
    near = near.only(_comparable(table, near.left, near.right))  # most are not: few are sorted below
    named = (without_distance(*found) for found in (_by_identifier(table), _by_name(table)))
    pairs = each_once([near, *named])
    return pairs.only(_comparable(table, pairs.left, pairs.right))


def _comparable(table: AssetColumns, left: Ints, right: Ints) -> Bools:
    """Return which pairs are no part and whole, no parts of one whole, and of kinds that are taken for each other."""
    parents = table.parent[left], table.parent[right]
    related = (parents[0] == right) | (parents[1] == left) | ((parents[0] == parents[1]) & (parents[0] >= 0))
    alike = (table.kind[left] & (table.kind[right] | table.related[right])) != 0
    return np.asarray(alike & ~related)


def _by_identifier(table: AssetColumns) -> tuple[Ints, Ints]:
    """Find the pairs of two data sets that share an external id; an id that many share is that of a page."""
    holders: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, identifiers in enumerate(table.identifiers):
        for identifier in identifiers:
            holders[identifier].append(row)
    return _pairs(
        pair
        for rows in holders.values()
        if 1 < len(rows) <= MAX_BLOCK
        for pair in combinations(rows, 2)
        if table.dataset[pair[0]] != table.dataset[pair[1]]
    )


def _by_name(table: AssetColumns) -> tuple[Ints, Ints]:
    """Find the pairs that share all words of a spelling, or a rare word, and are not of two countries."""
    holders: dict[frozenset[int] | int, list[int]] = defaultdict(list)
    seen = Counter(chain.from_iterable(frozenset(chain.from_iterable(spellings)) for spellings in table.names))
    for row, spellings in enumerate(table.names):
        rare = {code for spelling in spellings for code in spelling if seen[code] <= MAX_BLOCK}
        blocks: list[frozenset[int] | int] = [*spellings, *rare]
        for block in blocks:
            holders[block].append(row)
    left, right = _pairs(
        pair for rows in holders.values() if 1 < len(rows) <= MAX_BLOCK for pair in combinations(rows, 2)
    )
    there = table.country[left], table.country[right]
    at_home = (there[0] == there[1]) | (there[0] < 0) | (there[1] < 0)
    return left[at_home], right[at_home]


def _pairs(pairs: Iterable[tuple[int, int]]) -> tuple[Ints, Ints]:
    flat = np.fromiter(chain.from_iterable(pairs), np.int64).reshape(-1, 2)
    return flat[:, 0], flat[:, 1]


def sharing(table: AssetColumns, left: Ints, right: Ints) -> Iterator[tuple[slice, csr_array]]:
    """Yield chunks of pairs with the stems that both sides have, as rows of a sparse matrix; bounds the memory."""
    from scipy.sparse import csr_array

    for part in chunks(len(left)):
        yield part, csr_array(table.words[left[part]].multiply(table.words[right[part]]))
