"""Who is tied to an asset so that names of theirs may stand for it: direct owners, operators, brands, occupiers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import chain

from layers.model.records import Records
from layers.store.record_table import texts

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
