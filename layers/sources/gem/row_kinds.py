"""What a row of a tracker is, told by its content: the words of a type, the columns it fills, its name, its technology.

A word that says the type of a row counts before anything else, so that a terminal stays one whatever its columns are
called. A column is taken for one of types only if at least half of its words are known: elsewhere `type` says how a
turbine works.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias

from layers.model.asset_kinds import ASSET_KINDS, TABLE
from layers.sources.gem.columns import EMPTY, KINDS_BY_COLUMN, UNITS_OF_NAMES, TrackerColumns, TrackerRow, folded


def _folded_word(word: str) -> str:
    """Return a word of a type for comparison: `oil_and_gas_extraction_areas` is `Oil & Gas extraction area`."""
    return folded(word.replace("&", "and")).removesuffix("s")


#: Kinds of assets by GEM's words for them, folded.
KINDS: Mapping[str, str] = MappingProxyType(
    {_folded_word(word): kind for word, kind in TABLE.kinds_by("gem_tracker_types").items()}
)
#: Folded words for rows that are no assets: plumes of methane seen from above.
NO_ASSETS = frozenset({"plumesattrib", "plumesunattrib", "plume"})
_KindPatterns: TypeAlias = tuple[tuple[re.Pattern[str], str], ...]
_WORDS = frozenset({*KINDS, *NO_ASSETS})
#: Kinds by a word in a name, in small letters; the first that is in it counts.
_KINDS_BY_NAME: _KindPatterns = (
    (re.compile(r"\bpipelines?\b"), "pipeline"),
    (re.compile(r"\blng (import |export )?terminal\b|\b(fsru|flng)\b"), "lng-plant"),
    (re.compile(r"\bhydro(electric|power)\b|\bdam\b"), "hydro-plant"),
    (re.compile(r"\bnuclear\b"), "nuclear-plant"),
    (
        re.compile(r"\bpower (station|plant|project)\b|\b(wind|solar) (farm|park)\b|\bgenerati(ng|on) station\b"),
        "power-plant",
    ),
    (re.compile(r"\blng\b"), "lng-plant"),
    (re.compile(r"\bcoal terminal\b"), "port-terminal"),
    (re.compile(r"\bmine\b"), "mine"),
    (re.compile(r"\bgas (field|complex|condensate)\b|\boil field\b|\boil and gas\b"), "oil-field"),
    (re.compile(r"\bsteel ?(plant|works|mill)\b"), "steelworks"),
    (re.compile(r"\bcement (plant|works)\b"), "factory"),
)
#: Kinds by a word in a technology or fuel.
_KINDS_BY_TECHNOLOGY: _KindPatterns = (
    (re.compile(r"\b(pumped|conventional) storage\b|\brun-of-river\b|\bhydro\b"), "hydro-plant"),
    (re.compile(r"\breactor\b|\bnuclear\b"), "nuclear-plant"),
    (
        re.compile(
            r"\b(fossil|bioenergy|solar|wind|geothermal|photovoltaic|onshore|offshore|subcritical|supercritical|"
            r"ultra-supercritical|combined cycle|gas turbine|steam turbine|internal combustion|binary cycle|flash)\b"
        ),
        "power-plant",
    ),
)
#: Columns of names that the trackers of power plants have, and none of others.
_NAMES_OF_POWER_PLANTS = frozenset({"plantname", "powerstationname"})
_GAS_NAME = re.compile(r"\bgas\b")
_OIL_NAME = re.compile(r"\boil\b|\bpetroleum\b")
#: Barrels of oil equivalent in a cubic metre of gas (5,800 cubic feet to the barrel).
_BOE_PER_M3 = 35.3147 / 5800
#: Commodities by a folded word of a type, for rows that name none.
_COMMODITIES: Mapping[str, str] = MappingProxyType(
    {
        "oilpipeline": "oil", "nglpipeline": "NGL", "gaspipeline": "natural gas", "hydrogenpipeline": "hydrogen",
        "naturalgaspipeline": "natural gas", "coalmine": "coal", "coalterminal": "coal", "ironoremine": "iron ore",
    }
)  # fmt: skip


#: The same by a column that only rows of one commodity fill.
_COMMODITIES_BY_COLUMN: Mapping[str, str] = MappingProxyType({"coalterminalname": "coal"})


@dataclass(frozen=True, slots=True)
class RowKind:
    """What a row is: a kind, or none with the word that would say it; ``is_asset`` is false for known other rows."""

    kind: str | None
    word: str
    commodity: str | None = None
    is_asset: bool = True


class KindEvidence:
    """What tells the kinds of the rows of one file: the columns of types, chosen by the words in them."""

    def __init__(self, columns: TrackerColumns, rows: Sequence[TrackerRow]) -> None:
        self._has_technology = "technology" in columns
        self._names_plants = bool(columns.names & _NAMES_OF_POWER_PLANTS)
        by_column = {KINDS_BY_COLUMN[row.kind_column] for row in rows if row.kind_column}
        by_column = by_column or {KINDS_BY_COLUMN[folded(name)] for name in columns.kind_columns}
        #: The kind of all rows of a file whose columns only trackers of that kind have.
        self._of_file = by_column.pop() if len(by_column) == 1 else None
        words = [Counter[str]() for _ in columns.types]
        for row in rows if words else ():
            for count, word in zip(words, row.types, strict=True):
                count[word] += 1
        self._types = [_is_of_types(count) for count in words]

    def of(self, row: TrackerRow) -> RowKind:
        """Return what a row is."""
        unknown = ""
        for is_of_types, text in zip(self._types, row.types, strict=True):
            word = _folded_word(text) if is_of_types else ""
            if word in NO_ASSETS:
                return RowKind(None, text, is_asset=False)
            if kind := KINDS.get(word):
                return RowKind(_refined(kind, word, row), text, _COMMODITIES.get(word))
            unknown = unknown or (text if is_of_types else "")
        name = row["name"].casefold()
        by_name = _first(_KINDS_BY_NAME, name)
        if unknown:
            # A type that nobody knows is not guessed from the columns of the file, which other rows share.
            return RowKind(by_name and _refined(by_name, "", row), unknown)
        by_column = KINDS_BY_COLUMN.get(row.kind_column)
        if by_column == "pipeline" and by_name == "lng-plant":
            by_column = by_name
        technology = f"{row['technology']} {row['commodity']}".casefold()
        kind = by_column or _first(_KINDS_BY_TECHNOLOGY, technology) or by_name or self._of_file or self._by_unit(row)
        return RowKind(kind and _refined(kind, "", row), "", _COMMODITIES_BY_COLUMN.get(row.kind_column))

    def _by_unit(self, row: TrackerRow) -> str | None:
        """Return the kind of what has a capacity in megawatts, or a line for its place, or is called a plant."""
        if row.capacity_column.endswith("mw") or row["capacity_unit"] == "MW":
            return "power-plant"
        if self._has_technology and row["capacity"]:
            return "power-plant"
        if row["wkt"].upper().startswith(("LINE", "MULTILINE")):
            return "pipeline"
        return "power-plant" if self._names_plants else None


def _refined(kind: str, word: str, row: TrackerRow) -> str:
    """Return the kind of a field by what it gives more of, in barrels of oil equivalent, or else by fuel or name."""
    if kind not in ("oil-field", "gas-field") or word in ("oilfield", "gasfield", "oilextractionarea"):
        return kind
    oil, gas = (_number(row[field]) for field in ("oil", "gas"))
    if oil or gas:
        return "oil-field" if oil >= gas * _BOE_PER_M3 else "gas-field"
    texts = (row["commodity"].casefold(), row["name"].casefold())
    named = next((text for text in texts if _GAS_NAME.search(text) or _OIL_NAME.search(text)), "")
    return "gas-field" if _GAS_NAME.search(named) and not _OIL_NAME.search(named) else kind


def unit_of(kind: str, row: TrackerRow) -> str | None:
    """Return the unit of a capacity without one beside it: that in its column's name, or that of the kind."""
    stated = next((unit for ending, unit in UNITS_OF_NAMES.items() if row.capacity_column.endswith(ending)), None)
    return stated or ASSET_KINDS[kind].capacity_unit


def _is_of_types(counts: Counter[str]) -> bool:
    words = {word: count for word, count in counts.items() if word.strip().casefold() not in EMPTY}
    known = sum(
        count for word, count in words.items() if _folded_word(word) in KINDS or _folded_word(word) in NO_ASSETS
    )
    return known > 0 and known * 2 >= sum(words.values())


@lru_cache(maxsize=65536)
def _first(patterns: _KindPatterns, text: str) -> str | None:
    return next((kind for pattern, kind in patterns if pattern.search(text)), None)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
