"""The readers of ownership data by the name of their format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from layers.reading import Reading
from layers.schema import NOUNS, Records
from layers.sources import bods, gem_tables, gem_trackers, gleif, wikidata

Texts = Sequence[tuple[str, str]]


def _each(parse: Callable[[str, str], Reading]) -> Callable[[Texts], Reading]:
    """Read each file by itself; a record of a later file does not replace one of an earlier."""

    def parse_all(texts: Texts) -> Reading:
        readings = [parse(file, text) for file, text in texts]
        tables = {
            name: {key: record for one in reversed(readings) for key, record in one.records.table(name).items()}
            for name in NOUNS
        }
        places = {key: place for one in reversed(readings) for key, place in one.places.items()}
        return Reading(Records.of(tables), places, tuple(problem for one in readings for problem in one.problems))

    return parse_all


#: Format to the function that reads its files, given as names and texts.
READERS: Mapping[str, Callable[[Texts], Reading]] = MappingProxyType(
    {
        "bods": _each(bods.parse),
        "gem-tables": gem_tables.parse,
        "gem-tracker": _each(gem_trackers.parse),
        "gleif": gleif.parse_all,
        "wikidata": _each(wikidata.parse),
    }
)
