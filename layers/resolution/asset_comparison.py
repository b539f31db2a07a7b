"""Evidence for and against two assets being one site: a column of numbers for each named reason."""

from __future__ import annotations

import numpy as np

from geo.lonlat import Bools, Floats, Ints
from layers.model.messages import Message
from layers.model.records import Asset, Records
from layers.resolution.asset_blocking import STATED_TYPES, TYPES, AssetColumns, sharing
from layers.resolution.linkage import (
    CandidatePairs,
    Evidence,
    as_evidence,
    both,
    differ,
    distance_message,
    named_bits,
    shared_stems,
)

#: Distances in metres up to which two places are one, and from which on their nearness says nothing.
ONE_PLACE_M, NO_PLACE_M = 100.0, 10_000.0
#: Factors by which two capacities may differ and support each other, from which they speak against, and fully.
SAME_CAPACITY, OTHER_CAPACITY, FAR_CAPACITY = 1.15, 1.5, 6.0


def compare_assets(table: AssetColumns, pairs: CandidatePairs) -> Evidence:
    """Measure all evidence on pairs.

    Parameters
    ----------
    table
        The assets.
    pairs
        Pairs of their rows; may be empty.

    Returns
    -------
    Evidence
        A column of shape (pairs,) for each reason of ``asset_duplicates.AssetWeights`` but the prior, 0 for no
        evidence.
    """
    left, right = pairs.left, pairs.right
    number = table.number_bits[left], table.number_bits[right]
    inside = table.dataset[left] == table.dataset[right]
    marks = {
        "kind": table.kind[left] == table.kind[right],
        "number": (number[0] == number[1]) & (number[0] != 0),
        "other-number": (number[0] != 0) & (number[1] != 0) & ((number[0] & number[1]) == 0),
        "one-number": (number[0] != number[1]) & (((number[0] & number[1]) != 0) | (number[0] == 0) | (number[1] == 0)),
        "other-type": _other_types(table.types[left], table.types[right]),
        "other-country": differ(table.country[left], table.country[right]),
        "same-dataset": inside,
    }
    names = _names(table, left, right)
    sets = _sets(table, left, right, inside)
    # Two data sets that give one id and the same words mean one site, whatever else they call it.
    one_id = (sets["identifier"] > 0) & (names["same-name"] > 0) & ~marks["other-number"]
    names["printed-name"] = np.where(one_id, 1.0, names["printed-name"])
    # Whoever compiled a data set has two sites of one name in it knowingly.
    names["printed-name"] = np.where(inside, 0.0, names["printed-name"])
    # A station is a part of its line in one data set, and stands alone in another, under one name.
    is_one_part = ((table.parent[left] < 0) != (table.parent[right] < 0)) & (names["printed-name"] == 0)
    return {
        **as_evidence({**marks, "one-part": is_one_part}),
        **_places(table, pairs),
        **_capacities(table, left, right),
        **names,
        **sets,
    }


def _other_types(one: Ints, other: Ints) -> Bools:
    """Whether the names say types of plant of which none is common, or one of a type that is always said."""
    apart = (one > 0) & (other > 0) & ((one & other) == 0)
    return np.asarray(apart | (((one ^ other) & STATED_TYPES) != 0))


def _places(table: AssetColumns, pairs: CandidatePairs) -> dict[str, Floats]:
    """Measure how near two places are, and how far for what is unsure of them.

    ``place`` falls with the logarithm of the distance from 1 at 100 m to 0 at 10 km. ``apart`` is half the square of
    the distance in sigmas, at most 4: the radii hold the true places with about 95 %, that is two sigma.
    """
    near = ~np.isnan(pairs.distance_m)
    metres = np.where(near, pairs.distance_m, 0.0)
    fall = np.log10(np.maximum(metres, ONE_PLACE_M) / ONE_PLACE_M) / np.log10(NO_PLACE_M / ONE_PLACE_M)
    a, b = table.uncertainty_m[pairs.left], table.uncertainty_m[pairs.right]
    sigma = np.where(near, np.hypot(a, b) / 2, 1.0)
    placed = table.placed[pairs.left] & table.placed[pairs.right]
    lines = table.line[pairs.left] | table.line[pairs.right]
    return {
        "place": np.where(near, np.clip(1 - fall, 0.0, 1.0), 0.0),
        "apart": np.minimum(0.5 * (metres / sigma) ** 2, 4.0),
        "far": (placed & ~near & ~lines).astype(np.float64),
        "no-place": (~placed | lines).astype(np.float64),
    }


def _capacities(table: AssetColumns, left: Ints, right: Ints) -> dict[str, Floats]:
    """Compare capacities of one unit: 1 within 15 %, and against from half as much again on, fully from six times."""
    a, b = table.capacity[left], table.capacity[right]
    known = ~np.isnan(a) & ~np.isnan(b) & (table.unit[left] == table.unit[right])
    off = np.abs(np.log(np.where(known, a, 1.0) / np.where(known, b, 1.0)))
    against = (off - np.log(OTHER_CAPACITY)) / np.log(FAR_CAPACITY / OTHER_CAPACITY)
    return {
        "capacity": (known & (off <= np.log(SAME_CAPACITY))).astype(np.float64),
        "other-capacity": np.where(known, np.clip(against, 0.0, 1.0), 0.0),
    }


def _names(table: AssetColumns, left: Ints, right: Ints) -> dict[str, Floats]:
    """Compare the words of names: those in common by their rarity, and whether all words of a spelling are.

    ``name`` is the sum of the rarities of shared words, at most 2; ``same-name`` whether a spelling of both has the
    same words, ``printed-name`` whether it is the same as printed, with the words for the kind of site.
    ``other-name`` is 1 where the names share no word. Where they share one, ``own-words`` is 1 if each spelling of
    either has a word that the other asset has not, ``more-words`` if that is so of one asset only; ``no-name`` is 1
    where one has no name of its own.
    """
    shared, count = np.zeros(len(left)), np.zeros(len(left))
    for part, matrix in sharing(table, left, right):
        shared[part], count[part] = matrix @ table.rarity, matrix.sum(axis=1)
    nameless = (table.words_of[left] == 0) | (table.words_of[right] == 0)
    same, printed, own, more = np.zeros((4, len(left)))
    for at in np.flatnonzero(count > 0).tolist():
        i, j = int(left[at]), int(right[at])
        if frozenset(table.names[i]).isdisjoint(table.names[j]):
            covered = _covered(table, i, j) + _covered(table, j, i)
            own[at], more[at] = covered == 0, covered == 1
        else:
            same[at], printed[at] = 1.0, not frozenset(table.printed[i]).isdisjoint(table.printed[j])
    return {
        "name": np.clip(shared, 0.0, 2.0),
        "same-name": same,
        "printed-name": printed,
        "other-name": ((count == 0) & ~nameless).astype(np.float64),
        "own-words": own,
        "more-words": more,
        "no-name": nameless.astype(np.float64),
    }


def _covered(table: AssetColumns, row: int, other: int) -> bool:
    """Whether some spelling of an asset has no word that another asset's names have not."""
    known = table.all_words[other]
    return any(spelling <= known for spelling in table.names[row])


def _sets(table: AssetColumns, left: Ints, right: Ints, inside: Bools) -> dict[str, Floats]:
    """Compare commodities, owners and identifiers; an id that two assets of one data set share is that of a page."""
    alike, other = _commodities(table, left, right)
    owner, same, another = np.zeros((3, len(left)))
    owned = np.fromiter(map(bool, table.owners), bool, len(table))
    for at in np.flatnonzero(owned[left] & owned[right]).tolist():
        owner[at] = not table.owners[left[at]].isdisjoint(table.owners[right[at]])
    known = np.fromiter(map(bool, table.identifiers), bool, len(table))
    for at in np.flatnonzero(known[left] & known[right]).tolist():
        one, two = table.identifiers[left[at]], table.identifiers[right[at]]
        if one.isdisjoint(two):
            another[at] = not {scheme for scheme, _ in one}.isdisjoint(scheme for scheme, _ in two)
        else:
            same[at] = not inside[at]
    return {
        "commodity": alike,
        "other-commodity": other,
        "owner": owner,
        "identifier": same,
        "other-identifier": another,
    }


def _commodities(table: AssetColumns, left: Ints, right: Ints) -> tuple[Floats, Floats]:
    """Return whether two commodities have a word in common, and whether both have words and none in common."""
    a, b = table.commodity[left], table.commodity[right]
    alike, other = np.zeros(len(left)), np.zeros(len(left))
    both = np.flatnonzero((a >= 0) & (b >= 0))
    pairs, place = np.unique(np.column_stack((a[both], b[both])), axis=0, return_inverse=True)
    words = [(table.commodities[one], table.commodities[two]) for one, two in pairs.tolist()]
    alike[both] = np.array([not one.isdisjoint(two) for one, two in words], np.float64)[place]
    other[both] = np.array([bool(one and two) and one.isdisjoint(two) for one, two in words], np.float64)[place]
    return alike, other


def explained(table: AssetColumns, records: Records, left: int, right: int, metres: float) -> dict[str, Message]:
    """Explain a pair of rows: for each reason what was compared. ``metres`` is NaN where the places are not near."""
    one, other = (records.assets[table.ids[row]] for row in (left, right))
    words = table.all_words[left] & table.all_words[right]
    distance = distance_message(metres, table.uncertainty_m[[left, right]])
    name = both("asset-names", one.name, other.name)
    commodity = both("commodities", one.commodity, other.commodity)
    capacity = both("capacities", _capacity(one), _capacity(other))
    number = both("numbers", *(_numbers(int(table.number_bits[row])) for row in (left, right)))
    owners = table.owners[left] & table.owners[right]
    shared = tuple(sorted(f"{scheme} {value}" for scheme, value in table.identifiers[left] & table.identifiers[right]))
    ids = Message("duplicates.asset-ids", {"ids": shared})
    return {
        "prior": Message("duplicates.asset-prior"),
        **dict.fromkeys(("place", "apart"), distance),
        "far": Message("duplicates.asset-far"),
        "no-place": Message("duplicates.asset-no-place"),
        "name": shared_stems("words", (table.stems[code] for code in words)),
        **dict.fromkeys(("same-name", "printed-name", "other-name", "own-words", "more-words"), name),
        "no-name": Message("duplicates.asset-no-name"),
        **dict.fromkeys(("number", "other-number", "one-number"), number),
        "other-type": both("types", *(named_bits(int(table.types[row]), TYPES) for row in (left, right))),
        "kind": both("kinds", one.kind, other.kind),
        **dict.fromkeys(("commodity", "other-commodity"), commodity),
        **dict.fromkeys(("capacity", "other-capacity"), capacity),
        "owner": shared_stems("asset-owners", (table.stems[code] for code in owners)),
        "identifier": ids,
        "other-identifier": Message("duplicates.asset-other-ids"),
        "other-country": both("countries", one.host_country, other.host_country),
        "one-part": Message("duplicates.one-part"),
        "same-dataset": Message("duplicates.dataset", {"dataset": one.dataset}),
    }


def _capacity(asset: Asset) -> str:
    return "unknown" if asset.capacity is None else f"{asset.capacity:g} {asset.capacity_unit or ''}".strip()


def _numbers(mask: int) -> str:
    return ", ".join(str(at) for at in range(64) if mask >> at & 1) or "none"
