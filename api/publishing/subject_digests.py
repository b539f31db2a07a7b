"""What the files about each strike, site and owner follow from, as a digest: while it is the same, so are they.

It is made of the rows of collections, which have most of what a page says, of the candidates of a strike, and of when
the records that it is based on changed last, which stands for all that is in no row: claims, decisions, chains and
corrections.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from hashlib import blake2b
from itertools import chain

import shapely

from geo.columnar.lazy_array import to_numpy
from layers.collections.collection import Collection
from layers.collections.update_times import UpdateTimes
from layers.corrections.changed import reached
from layers.snapshot.snapshot import Snapshot
from layers.store.row_mapping import TABLES

_SIZE = 16


def digest_of(parts: Iterable[bytes | str | None]) -> bytes:
    """Return a digest of some parts in their order, 16 bytes; where one begins counts."""
    whole = blake2b(digest_size=_SIZE)
    for part in parts:
        content = b"" if part is None else part.encode() if isinstance(part, str) else part
        whole.update(len(content).to_bytes(8))
        whole.update(content)
    return whole.digest()


class SubjectDigests:
    """Digests of one version of the data, each in hexadecimal.

    ``ground``: digest of what all pages follow from besides records: program, address, policy, attribution and the
    like.
    """

    def __init__(self, snapshot: Snapshot, ground: bytes) -> None:
        self._snapshot, self._ground = snapshot, ground
        #: Digests of sites by key, without and with the strikes on them.
        self._sites, self._assets = dict[str, bytes](), dict[str, bytes]()

    def of_strike(self, key: str) -> str:
        """Digest of what is said of a strike: its rows, and the times of what it is based on."""
        return self._named(self._strikes[key])

    def of_asset(self, key: str) -> str:
        """Digest of what is said of a site on the day of the data: the strikes on it, its parts and its whole too."""
        return self._named(self._day, self._asset(key))

    def of_entity(self, key: str) -> str:
        """Digest of what is said of an owner on the day of the data, down to the strikes on all that it ever held."""
        records, nodes = self._snapshot.records, self._times.nodes
        below = {*reached(self._snapshot.stakes, records, (key,)), *self._tied[key]} - {key}
        said = {one: self._asset(one) if one in records.assets else nodes[one] for one in sorted(below)}
        return self._named(self._day, nodes[key], *chain.from_iterable(said.items()))

    def of_country(self, key: str) -> str | None:
        """Digest of what is said of a country that no strike concerns; ``None`` of one that too much concerns."""
        countries = self._snapshot.collections["countries"]
        if key in self._concerned:
            return None
        return self._named(self._day, countries.fragments[countries.rows_by_id[key]])

    @cached_property
    def _concerned(self) -> frozenset[str | None]:
        """Countries of strikes, of their sites and of whose these were, by whichever reading."""
        layers = self._snapshot.collections
        alone = [
            ("strikes", "host_country"),
            ("attributions", "country"),
            ("hits", "country"),
            ("assets", "host_country"),
        ]
        listed = [("strikes", "owner_countries"), ("strikes", "related_countries"), ("assets", "owner_countries")]
        found = chain.from_iterable(layers[name].features.columns[column].dictionary for name, column in alone)
        several = chain.from_iterable(layers[name].features.columns[column].dictionary for name, column in listed)
        return frozenset(chain(found, chain.from_iterable(several)))

    def _named(self, *parts: bytes | str | None) -> str:
        return digest_of((self._ground, *parts)).hex()

    @property
    def _day(self) -> str:
        return self._snapshot.data_date.isoformat()

    @cached_property
    def _times(self) -> UpdateTimes:
        return self._snapshot.times.value

    @cached_property
    def _strikes(self) -> Mapping[str, bytes]:
        layers, times = self._snapshot.collections, self._times
        strikes = layers["strikes"]
        named = [(layers[name], _rows_by(layers[name].features.columns["strike"])) for name in ("attributions", "hits")]
        found = {}
        # Candidates explain themselves at length: those of all strikes would take more memory than all else.
        for key, matches in self._snapshot.each_matches():
            rests = [(layer, at) for layer, rows in named for at in rows[key]]
            hit = {layer.features.columns["asset"][at] for layer, at in rests}
            assets = {*hit, *(match.asset for match in matches)} - {None}
            found[key] = digest_of(
                (
                    strikes.fragments[strikes.rows_by_id[key]],
                    times.strikes[key],
                    repr(matches),
                    *map(self._site, sorted(assets)),
                    *(layer.fragments[at] for layer, at in rests),
                )
            )
        return found

    def _site(self, key: str) -> bytes:
        """Digest of the record of a site and of its whole, and of when what it is based on changed last.

        What a site is tied to is not above it: those times are not in its own.
        """
        if key not in self._sites:
            records, nodes = self._snapshot.records, self._times.nodes
            site = records.assets[key]
            whole = records.assets.get(site.part_of) if site.part_of else None
            ties = (nodes[tie.entity] for tie in records.where("relations", "asset", key))
            versions = (TABLES["assets"].version(one, b"") for one in (site, whole) if one is not None)
            self._sites[key] = digest_of((nodes[key], *ties, *versions))
        return self._sites[key]

    def _asset(self, key: str) -> bytes:
        """Digest of a site with its parts and the strikes on it."""
        if key not in self._assets:
            layer = self._snapshot.collections["assets"]
            parts = (part.id for part in self._snapshot.records.where("assets", "part_of", key))
            rows = (layer.rows_by_id[one] for one in (key, *sorted(parts)))
            strikes = (self._strikes[one] for one in sorted(self._hitting[key]))
            self._assets[key] = digest_of((self._site(key), *(layer.fragments[row] for row in rows), *strikes))
        return self._assets[key]

    @cached_property
    def _hitting(self) -> Mapping[str, set[str]]:
        """Strikes that hit each site, or may have."""
        found = defaultdict[str, set[str]](set)
        for name in ("attributions", "hits"):
            columns = self._snapshot.collections[name].features.columns
            for asset, strike in zip(columns["asset"], columns["strike"], strict=True):
                found[asset].add(strike)
        strikes = self._snapshot.collections["strikes"]
        for strike, assets in zip(strikes.ids, strikes.features.columns["assets"], strict=True):
            for asset in assets:
                found[asset].add(strike)
        return found

    @cached_property
    def _tied(self) -> Mapping[str, set[str]]:
        """Sites that each owner is tied to otherwise than by a stake."""
        found = defaultdict[str, set[str]](set)
        for tie in self._snapshot.records.relations.values():
            found[tie.entity].add(tie.asset)
        return found


def _rows_by(column: Sequence[str]) -> Mapping[str, list[int]]:
    found = defaultdict[str, list[int]](list)
    for row, value in enumerate(column):
        found[value].append(row)
    return found


def tiles_digest(collection: Collection, about: str) -> str:
    """Digest of what the tiles of a collection follow from, in hexadecimal: values that they show, and geometries."""

    def parts() -> Iterator[bytes | str | None]:
        yield about
        for name, column in collection.rendered.tile_columns.items():
            yield name
            yield repr([*column.dictionary])
            yield to_numpy(column.codes).tobytes()
        yield from shapely.to_wkb(collection.shapes)

    return digest_of(parts()).hex()
