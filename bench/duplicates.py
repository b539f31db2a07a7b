"""Time the search for duplicate strikes among synthetic ones: `python -m bench.duplicates --rows 100000`."""

from __future__ import annotations

import argparse
import random
import resource
from collections.abc import Mapping
from datetime import date, timedelta
from time import process_time

import shapely

from layers.model.records import DESCRIPTION, Claim, Records, Source, Strike
from layers.resolution.strike_blocking import DuplicateColumns, candidates
from layers.resolution.strike_duplicates import propose_duplicates

SYLLABLES = ("ba", "bel", "dor", "fin", "hra", "kra", "len", "mir", "nov", "ost", "pol", "sib", "tor", "ural", "vys")
KINDS = ("refinery", "oil-depot", "power-plant", "port-terminal", "factory")
WORDS = ("refinery", "oil depot", "power plant", "port", "factory")
#: Days that the invented strikes are spread over, and places; a few places have most of them.
DAYS, PLACES = 1_500, 3_000
FIRST = date(2022, 2, 24)


def invented(rows: int, seed: int = 1) -> tuple[dict[str, Strike], set[frozenset[str]]]:
    """Strikes of a dataset, a tenth of them repeated in a second dataset, and the pairs that are duplicates."""
    rng = random.Random(seed)
    positions = [(_name(rng), rng.uniform(22, 40), rng.uniform(44, 52)) for _ in range(PLACES)]
    strikes: dict[str, Strike] = {}
    truth: set[frozenset[str]] = set()
    for row in range(rows - rows // 11):
        strike = _strike(f"a/{row}", rng, *positions[min(int(rng.paretovariate(0.6)) - 1, PLACES - 1)])
        strikes[strike.id] = strike
        if len(strikes) % 11 == 0:
            repeated = _again(strike, f"b/{row}", rng)
            strikes[repeated.id] = repeated
            truth.add(frozenset((strike.id, repeated.id)))
    return strikes, truth


def _name(rng: random.Random) -> str:
    return "".join(rng.choices(SYLLABLES, k=3)).capitalize()


def _strike(name: str, rng: random.Random, index: str, lon: float, lat: float) -> Strike:
    kind = rng.randrange(len(KINDS))
    region = rng.random() < 0.03
    return Strike(
        id=name,
        dataset="a",
        title=f"{WORDS[kind]} in {index}",
        when=(FIRST + timedelta(days=rng.randrange(DAYS))).isoformat(),
        place=index,
        host_country="UA",
        geometry=shapely.Point(lon, lat),
        uncertainty_m=100_000 if region else 5_000,
        basis="region" if region else "settlement",
        place_source="s",
        targets=(f"{_name(rng)} {WORDS[kind]}",),
        target_kinds=(KINDS[kind],),
        status="reported",
        sources=("s",),
        checked="unverified",
    )


def _again(strike: Strike, name: str, rng: random.Random) -> Strike:
    """A duplicate of a strike: a day later, a kilometre off, or without a place."""
    day = date.fromisoformat(strike.when) + timedelta(days=rng.randrange(2))
    changed = {"id": name, "dataset": "b", "when": day.isoformat(), "sources": ("t",), "place_source": "t"}
    point = strike.geometry
    assert isinstance(point, shapely.Point)
    if rng.random() < 0.2:
        return strike.model_copy(update={**changed, "geometry": None, "uncertainty_m": None, "basis": None})
    return strike.model_copy(update={**changed, "geometry": shapely.Point(point.x + 0.01, point.y)})


def described(strikes: Mapping[str, Strike]) -> dict[str, Claim]:
    """A private description of each strike, in about a dozen words of which some are common."""
    return {
        f"{name}/{DESCRIPTION}-1": Claim(
            id=f"{name}/{DESCRIPTION}-1",
            private=True,
            record=name,
            field=DESCRIPTION,
            value=f"Drones struck the {strike.targets[0]} near {strike.place} at night, {row % 40} were injured",
            source="s",
            checked="unverified",
        )
        for row, (name, strike) in enumerate(strikes.items())
    }


def main() -> None:
    """Print the seconds of processor, the pairs, and how many of the true ones are proposed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--described", action="store_true", help="describe each strike in a sentence of its own")
    given = parser.parse_args()
    strikes, truth = invented(given.rows)
    sources = {name: Source(id=name, publisher=name) for name in "st"}
    claims = described(strikes) if given.described else {}
    records = Records.of({"strikes": strikes, "sources": sources, "claims": claims})
    start = process_time()
    table = DuplicateColumns.of(records)
    columns = process_time()
    pairs = candidates(table)
    paired = process_time()
    proposals = propose_duplicates(records)
    took = process_time() - paired
    print(
        f"{len(strikes):,} strikes: columns {columns - start:.1f} s, {len(pairs.left):,} pairs {paired - columns:.1f} s"
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"propose, with both: {took:.1f} s, {len(proposals):,} proposals, at most {peak:.1f} GB")
    right = sum(frozenset((item.preferred, item.duplicate)) in truth for item in proposals)
    print(
        f"true pairs {len(truth):,}: {right / len(truth):.1%} proposed; {right / max(len(proposals), 1):.1%} are true"
    )


if __name__ == "__main__":
    main()
