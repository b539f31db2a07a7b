"""Which asset a strike hit, as candidates with named reasons, always with the candidate "none of these".

The odds of each candidate against "none of these" are the exponential of a sum of weights, one a reason, so that
every probability can be told in words. A machine proposes here; only a decision confirms.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from anyascii import anyascii
from rapidfuzz import fuzz

from geo.pairs import pairs_within
from layers.schema import Asset, Match, Reason, Records, Strike

#: Assets further than the sum of both uncertainties, times this, are no candidates.
REACH = 1.5
#: Widest radius that is searched, in metres.
MAX_RADIUS_M = 250_000.0


@dataclass(frozen=True, slots=True)
class Weights:
    """Log odds that a reason adds; the defaults are set by hand and are to be calibrated."""

    prior: float = -2.0  # a candidate about which nothing speaks, against "none of these"
    distance: float = 2.0  # at distance zero of two sharply known places; falls with the square of the distance
    name: float = 6.0  # name as printed in the report equals a name of the asset
    owner_name: float = 2.0  # the report names a direct owner
    kind: float = 1.0  # the report names this kind of site
    other_kind: float = -3.0  # the report names another kind of site


def match_all(records: Records, weights: Weights | None = None) -> dict[str, tuple[Match, ...]]:
    """Candidates of every strike, most probable first; strikes without a place have only "none of these"."""
    weights = weights or Weights()
    strikes = list(records.strikes.values())
    assets = [asset for asset in records.assets.values() if asset.geometry is not None]
    owners = _owner_names(records)
    near = _near(strikes, assets)
    return {
        strike.id: rank(strike, [(assets[right], distance) for right, distance in near.get(row, ())], owners, weights)
        for row, strike in enumerate(strikes)
    }


def _near(strikes: list[Strike], assets: list[Asset]) -> dict[int, list[tuple[int, float]]]:
    """Assets within reach of each strike: row of the strike to rows of assets and distances in metres."""
    placed = [row for row, strike in enumerate(strikes) if strike.geometry is not None]
    if not placed or not assets:
        return {}
    widest = max(asset.uncertainty_m or 0.0 for asset in assets)
    radii = np.array([min(MAX_RADIUS_M, REACH * ((strikes[row].uncertainty_m or 0.0) + widest)) for row in placed])
    left = np.array([strikes[row].geometry for row in placed], dtype=object)
    right = np.array([asset.geometry for asset in assets], dtype=object)
    found: dict[int, list[tuple[int, float]]] = {}
    pairs = pairs_within(left, right, radii)
    for i, j, distance in zip(pairs.left, pairs.right, pairs.distance_m, strict=True):
        row = placed[int(i)]
        limit = REACH * ((strikes[row].uncertainty_m or 0.0) + (assets[int(j)].uncertainty_m or 0.0))
        if distance <= limit:
            found.setdefault(row, []).append((int(j), float(distance)))
    return found


def rank(
    strike: Strike,
    near: Iterable[tuple[Asset, float]],
    owners: Mapping[str, tuple[str, ...]],
    weights: Weights,
) -> tuple[Match, ...]:
    """Candidates of one strike among assets and their distances in metres, and "none of these".

    ``owners`` gives the names of the direct owners of each asset. The probabilities add up to 1.
    """
    told = [(asset, distance, _reasons(strike, asset, distance, owners, weights)) for asset, distance in near]
    odds = [math.exp(sum(reason.weight for reason in reasons)) for _, _, reasons in told]
    total = 1.0 + sum(odds)
    matches = [
        Match(strike=strike.id, asset=asset.id, probability=odd / total, distance_m=distance, reasons=reasons)
        for (asset, distance, reasons), odd in zip(told, odds, strict=True)
    ]
    matches.append(Match(strike=strike.id, asset=None, probability=1.0 / total))
    return tuple(sorted(matches, key=lambda match: (-match.probability, match.asset or "")))


def _reasons(
    strike: Strike, asset: Asset, distance: float, owners: Mapping[str, tuple[str, ...]], weights: Weights
) -> tuple[Reason, ...]:
    found = [
        Reason(name="prior", value=1.0, weight=weights.prior, detail="one of the assets in reach"),
        _distance(strike, asset, distance, weights),
        _name("name", (asset.name, *asset.names.values(), *asset.aliases), strike, weights.name),
        _name("owner-name", owners.get(asset.id, ()), strike, weights.owner_name),
        _kind(strike, asset, weights),
    ]
    return tuple(reason for reason in found if reason is not None)


def _distance(strike: Strike, asset: Asset, distance: float, weights: Weights) -> Reason:
    """Gaussian in the distance; the two radii hold the true places with about 95 %, that is two sigma."""
    sigma = max(math.hypot(strike.uncertainty_m or 0.0, asset.uncertainty_m or 0.0) / 2, 50.0)
    # A vague place says little even at distance zero: the gain falls with the area it may lie in.
    sharpness = weights.distance * max(0.0, 1 - math.log10(max(sigma, 100.0) / 100.0) / 2.5)
    weight = sharpness - 0.5 * (distance / sigma) ** 2
    detail = f"{distance / 1000:.1f} km apart, both places sure to {2 * sigma / 1000:.1f} km"
    return Reason(name="distance", value=distance, weight=weight, detail=detail)


def _name(reason: str, names: Iterable[str], strike: Strike, weight: float) -> Reason | None:
    """The best likeness of any name with any target as printed, both in Latin letters."""
    printed = [*strike.targets, strike.title]
    best, pair = max(
        ((fuzz.token_set_ratio(fold(a), fold(b)) / 100, (a, b)) for a in names for b in printed),
        default=(0.0, ("", "")),
    )
    if best < 0.6:
        return None
    return Reason(
        name=reason, value=best, weight=weight * (best - 0.6) / 0.4, detail=f"{pair[1]!r} is like {pair[0]!r}"
    )


def _kind(strike: Strike, asset: Asset, weights: Weights) -> Reason | None:
    if not strike.target_kinds:
        return None
    said = ", ".join(strike.target_kinds)
    if asset.kind in strike.target_kinds:
        return Reason(name="kind", value=1.0, weight=weights.kind, detail=f"reported as {said}")
    return Reason(name="kind", value=0.0, weight=weights.other_kind, detail=f"reported as {said}, not {asset.kind}")


@lru_cache(maxsize=100_000)
def fold(name: str) -> str:
    """A name in lower-case Latin letters and digits, words apart; any script is transliterated."""
    return " ".join("".join(c if c.isalnum() else " " for c in anyascii(name).lower()).split())


def _owner_names(records: Records) -> dict[str, tuple[str, ...]]:
    """Names of all who ever owned each asset directly."""
    names: dict[str, tuple[str, ...]] = {}
    for stake in records.stakes.values():
        if stake.owned in records.assets and stake.owner in records.entities:
            owner = records.entities[stake.owner]
            names[stake.owned] = (*names.get(stake.owned, ()), owner.name, *owner.aliases)
    return names
