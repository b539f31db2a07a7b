"""Search by name or id in all that is on record: strikes, sites, companies, persons, states and countries."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, get_args

from layers.collections.collection import Collection
from layers.collections.feature_types import SPOKEN
from layers.model.records import Records
from layers.text.place_names import fold

#: What is found; a holder is a company, a body or a state, and a person is one of its own.
NamedKind = Literal["country", "asset", "company", "person", "state", "strike"]
NAMED_KINDS: tuple[NamedKind, ...] = get_args(NamedKind)
#: Names of one rank that are looked at: the most struck of them come first.
_LOOKED_AT = 2000
_END = "\n"
#: Columns of strikes with their titles and places in further languages.
_SPOKEN = tuple(f"{name}_{language}" for name in ("title", "place") for language in SPOKEN)


@dataclass(frozen=True, slots=True)
class Named:
    """Something that has names.

    Parameters
    ----------
    id
        That of the record, of a country its code (ISO 3166-1 alpha-2).
    name
        In English.
    names
        All names that it is found by, of any script.
    country
        Where it lies or is registered, ``None`` where that is not known.
    detail
        The kind of an asset, the day of a strike; ``None`` of others.
    strikes
        The number of strikes on it, or on what a country owned; 0 where it is not counted.
    """

    kind: NamedKind
    id: str
    name: str
    names: tuple[str, ...]
    country: str | None = None
    detail: str | None = None
    strikes: int = 0


@dataclass(frozen=True, slots=True)
class NameMatch:
    """Something that was found, with the name that fits best; the lower the rank, the better."""

    named: Named
    matched: str
    rank: int


class NameIndex:
    """The names of some things of one kind as one text of lines, each as it sounds, so that one search meets all."""

    def __init__(self, things: Iterable[Named]) -> None:
        self._names: list[tuple[Named, str]] = []
        lines = []
        for named in things:
            for name in dict.fromkeys((named.name, *named.names, named.id)):
                if key := fold(name):
                    self._names.append((named, name))
                    lines.append(key)
        self._text = _END + _END.join(lines) + _END
        self._starts = [at.start() for at in re.finditer(_END, self._text)]

    def find(self, text: str, limit: int) -> list[NameMatch]:
        """Return what a text is the name of, begins the name of, or stands in the name of; best first.

        Of names that fit alike those come first that more strikes concern, then the shorter ones.
        """
        key = fold(text)
        best: dict[str, NameMatch] = {}
        for rank, pattern in enumerate(_patterns(key) if key else ()):
            hits = [NameMatch(named, name, rank) for named, name in islice(self._matching(pattern), _LOOKED_AT)]
            for hit in sorted(hits, key=lambda hit: (-hit.named.strikes, len(hit.matched), hit.named.id)):
                best.setdefault(hit.named.id, hit)
            if len(best) >= limit:
                break
        return [*best.values()][:limit]

    def _matching(self, pattern: str) -> Iterator[tuple[Named, str]]:
        for match in re.finditer(pattern, self._text):
            yield self._names[bisect_right(self._starts, match.start()) - 1]


def _patterns(key: str) -> Iterator[str]:
    """Yield what fits better and better less: the whole name, its begin, the begin of a word, anything in it."""
    literal = re.escape(key)
    yield f"{_END}{literal}(?={_END})"
    yield f"{_END}{literal}"
    yield f" {literal}"
    yield literal


def indexes(
    records: Records, collections: Mapping[str, Collection], country_names: Mapping[str, str]
) -> Mapping[NamedKind, NameIndex]:
    """Index all that is on record by kind."""
    return {kind: NameIndex(each) for kind, each in named_things(records, collections, country_names).items()}


def named_things(
    records: Records, collections: Mapping[str, Collection], country_names: Mapping[str, str]
) -> Mapping[NamedKind, Sequence[Named]]:
    """List all that is on record by kind."""
    things: dict[NamedKind, list[Named]] = {kind: [] for kind in NAMED_KINDS}
    for named in (*_countries(collections, country_names), *_assets(records, collections), *_entities(records)):
        things[named.kind].append(named)
    things["strike"] += _strikes(collections["strikes"])
    return things


def _countries(collections: Mapping[str, Collection], names: Mapping[str, str]) -> Iterator[Named]:
    owned = collections["countries"].values("owned_strikes").data
    of = {iso: int(owned[row]) for row, iso in enumerate(collections["countries"].ids)}
    for iso, name in names.items():
        yield Named("country", iso, name, (), iso, None, of.get(iso, 0))


def _assets(records: Records, collections: Mapping[str, Collection]) -> Iterator[Named]:
    counts = collections["assets"].values("n_strikes").data
    for row, asset in enumerate(records.assets.values()):
        names = (*asset.names.values(), *asset.aliases)
        yield Named("asset", asset.id, asset.name, names, asset.host_country, asset.kind, int(counts[row]))


def _entities(records: Records) -> Iterator[Named]:
    kinds: Mapping[str, NamedKind] = {"person": "person", "state": "state"}
    for entity in records.entities.values():
        names = (*entity.names.values(), *entity.aliases)
        kind = kinds.get(entity.type, "company")
        yield Named(kind, entity.id, entity.name, names, entity.registered_in or entity.headquartered_in)


def _strikes(strikes: Collection) -> Iterator[Named]:
    columns = strikes.features.columns
    named = ("id", "title", "place", "host_country", "when", *_SPOKEN)
    for strike, title, place, country, when, *spoken in zip(*(columns[name] for name in named), strict=True):
        yield Named("strike", strike, title, (place, *filter(None, spoken)), country, when)
