"""Lists of owners that GEM writes as one name, `A（51%），B（49%） [100.00%]`, taken apart. Knows strings only."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from layers.sources.gem_owners import TOLERANCE, Owner, OwnerList

#: One owner of such a list: a name without commas, its share in round brackets, and a comma or the end.
_PART = re.compile(r"\s*([^%,，、]+?)\s*[(（]\s*([0-9]+(?:\.[0-9]+)?)\s*%\s*[)）]\s*(?:[,，、]|$)")
#: What is odd about such a name, and no longer is.
_MENDED = ("percent-in-name", "list-in-name")


def unnested(owners: OwnerList) -> OwnerList:
    """The list with an entry for each owner of a list within a name, if every one has a share and they make 100.

    The share of each is its part of the share that the whole list has. Any other list is given as it is: names
    without shares may be branches of one company, and shares that do not make 100 may be of something else.
    """
    apart = {owner: parts for owner in owners.entries if (parts := _parts(owner))}
    if not apart or owners.step:
        return owners
    mended = {owner.raw for owner in apart}
    entries = (part for owner in owners.entries for part in apart.get(owner, (owner,)))
    oddities = (odd for odd in owners.oddities if odd.name not in _MENDED or odd.raw not in mended)
    return replace(owners, entries=tuple(entries), oddities=tuple(oddities))


def _parts(owner: Owner) -> tuple[Owner, ...]:
    """The owners in a name, none where it is no list that makes 100."""
    found = list(_PART.finditer(owner.name))
    if owner.share is None or len(found) < 2 or sum(len(part[0]) for part in found) != len(owner.name):
        return ()
    shares = [float(part[2]) for part in found]
    if abs(math.fsum(shares) - 100) > TOLERANCE:
        return ()
    # Products leave errors of the last digits; no list has more than six decimals.
    return tuple(
        Owner(part[1], round(share * owner.share / 100, 6), owner.raw)
        for part, share in zip(found, shares, strict=True)
    )
