"""Draw matches that are published as probable, to be read by hand: `python -m bench.drawn_matches STORE --seed N`.

Drawn are public strikes that nobody decided about, that are not among the bundled records, and that have no label in
tests/labelled, so that the weights were not fitted to them. Needs a store that `strikeatlas load` filled;
docs/tutorial.md makes one.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from api.wording.catalogue import text
from bench.evaluation_store import labelled_rows
from layers.decisions.hits import PUBLISH_FROM, likeliest
from layers.matching.asset_index import index_of
from layers.matching.match import match_all
from layers.model.records import Match, Records, Strike
from layers.sources import curated
from layers.store.store import Store

#: Candidates that are printed beside the published one.
_NEXT = 2


@dataclass(frozen=True, slots=True)
class Published:
    """A strike with the candidates of which the first is published as probable."""

    strike: Strike
    matches: tuple[Match, ...]


def labelled_strikes() -> frozenset[str]:
    """Return the ids, as ``load`` makes them, that the strikes with a label may have."""
    events = {row["event"].lower() for row in labelled_rows("events.csv")}
    reports = {f"reports/{row['id']}" for row in labelled_rows("reports.csv")}
    return frozenset(reports | {prefix + event for event in events for prefix in ("", "viina/", "viina/reuters-2025-")})


def published(records: Records, publish_from: float = PUBLISH_FROM) -> list[Published]:
    """Find the strikes that may be drawn, by their ids.

    Parameters
    ----------
    records
        Those of a store; private strikes and assets are never published.
    publish_from
        Probability from which a match is published.
    """
    bundled = curated.read().records.strikes.keys()
    seen = {decision.strike for decision in records.decisions.values()} | labelled_strikes() | bundled
    matches = match_all(records, index_of(records))
    return [
        Published(strike, matches[name])
        for name, strike in sorted(records.strikes.items())
        if name not in seen and not strike.private and _is_public(likeliest(matches[name], publish_from), records)
    ]


def _is_public(asset: str | None, records: Records) -> bool:
    return asset is not None and not records.assets[asset].private


def drawn(pool: Sequence[Published], count: int, seed: int) -> list[Published]:
    """Draw without replacement, by numpy's default generator; all of a smaller pool, in the order of the draw."""
    order = np.random.default_rng(seed).permutation(len(pool))
    return [pool[row] for row in order[:count].tolist()]


def lines(item: Published, records: Records) -> Iterator[str]:
    """Yield what a reader needs to judge a match: what is reported, and the candidates with their reasons."""
    strike = item.strike
    yield f"{strike.id} | {strike.when} | {strike.place}, {strike.region or '-'}, {strike.host_country or '-'}"
    yield f"  title: {strike.title}"
    yield from (f"  target: {target}" for target in strike.targets)
    yield f"  kinds: {', '.join(strike.target_kinds) or '-'}"
    yield from (f"  source: {records.sources[name].title} ({records.sources[name].url})" for name in strike.sources)
    own = (claim for claim in records.claims.values() if claim.record == strike.id and claim.field == "description")
    yield from (f"  description: {claim.value}" for claim in own)
    yield f"  note: {strike.note or '-'}"
    best, *others = item.matches
    yield from _candidate(best, records)
    yield from (f"    {reason.weight:+.2f} {reason.name}: {text(reason.detail)}" for reason in best.reasons)
    for match in others[:_NEXT]:
        yield from _candidate(match, records)


def _candidate(match: Match, records: Records) -> Iterator[str]:
    if match.asset is None:
        yield f"  {match.probability:.3f} none of these"
        return
    asset = records.assets[match.asset]
    names = dict.fromkeys((asset.name, *asset.names.values(), *asset.aliases))
    far = "" if match.distance_m is None else f", {match.distance_m / 1000:.1f} km off"
    yield f"  {match.probability:.3f} {asset.id}: {asset.kind}, {asset.host_country or '-'}{far}: {' / '.join(names)}"
    owners = {records.entities[stake.owner].name for stake in records.stakes.values() if stake.owned == asset.id}
    yield f"    owners: {'; '.join(sorted(owners)) or '-'}"


def _by_dataset(pool: Sequence[Published]) -> Mapping[str, int]:
    names = [item.strike.dataset or "" for item in pool]
    return {name: names.count(name) for name in sorted(set(names))}


def main() -> None:
    """Print the drawn matches."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path, metavar="STORE")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, default=50)
    given = parser.parse_args()
    store = Store.open(given.store, read_only=True)
    records = store.records()
    store.close()
    pool = published(records)
    print(f"{len(pool)} matches may be drawn: {_by_dataset(pool)}")
    for number, item in enumerate(drawn(pool, given.count, given.seed), 1):
        print(f"\n{number}.", *lines(item, records), sep="\n")


if __name__ == "__main__":
    main()
