"""The rule of minorities: where the share of a holder goes on to the holder's country, and where it stays below.

One rule, as a function of arrays, that the walk from one asset (``walk``) and the solution for all of them
(``bulk_shares``) both read. A further rule is a word in ``Minority`` and a number in ``FOLLOWED_ABOVE``.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from types import MappingProxyType
from typing import Literal, NamedTuple

from geo.lonlat import Bools, Floats

#: The rules by name. The parameter of the API, its enumeration in OpenAPI and the option of the command line are
#: this type; ``static/state.js`` lists it for the page.
Minority = Literal["stay", "follow"]

#: From a company that is not joint a share goes on only to a holder whose least share, a fraction of 1, is above
#: this. ``stay``: to a majority alone; ``follow``: to every known holder.
FOLLOWED_ABOVE: Mapping[Minority, float] = MappingProxyType({"stay": 0.5, "follow": -inf})


class StakeRule(NamedTuple):
    """How a walk goes on over each stake; one element a stake.

    Attributes
    ----------
    followed
        Whether the share goes on. Where it does not, only a state further up takes it from the company.
    changes_nationality
        Whether the share has the holder's nationality from here on: it is followed, and the holder's country is
        known, or nobody knows the holder, or the company below is joint.
    """

    followed: Bools
    changes_nationality: Bools


def stake_rule(minority: Minority, joint: Bools, low: Floats, nationality_known: Bools) -> StakeRule:
    """Apply a rule of minorities to stakes.

    Parameters
    ----------
    minority
        The rule.
    joint
        Shape (n,): whether what each stake is in is joint (an asset, or a company that its partners run together), or a
        person, whose further nationalities are as holders.
    low
        Shape (n,): the least share of each stake, a fraction of 1.
    nationality_known
        Shape (n,): whether the country of each holder is known, or the holder stands for one that nobody knows.

    Returns
    -------
    StakeRule
        Two arrays of shape (n,); empty for no stakes.
    """
    followed: Bools = joint | (low > FOLLOWED_ABOVE[minority])
    return StakeRule(followed, followed & (joint | nationality_known))
