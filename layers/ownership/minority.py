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

#: From a company that is not joint a share goes on only to a holder whose share, a fraction of 1, is above this.
#: ``stay``: to a majority alone; ``follow``: to every known holder.
FOLLOWED_ABOVE: Mapping[Minority, float] = MappingProxyType({"stay": 0.5, "follow": -inf})
#: What other holders leave is a difference of sums, and may be so much more by rounding alone.
_ROUNDING = 1e-11


class StakeRule(NamedTuple):
    """How a walk goes on over each stake; one element a stake.

    Attributes
    ----------
    followed
        Whether the share surely goes on. Where it does not, only a state further up takes it from the company.
    may_be_followed
        Whether it goes on if the holder has the most that it may have: it is open where this is so and ``followed``
        is not.
    changes_nationality
        Whether the share, where it goes on, has the holder's nationality from here on: the holder's country is
        known, or nobody knows the holder, or the company below is joint.
    """

    followed: Bools
    may_be_followed: Bools
    changes_nationality: Bools


def stake_rule(minority: Minority, joint: Bools, low: Floats, most: Floats, nationality_known: Bools) -> StakeRule:
    """Apply a rule of minorities to stakes.

    Parameters
    ----------
    minority
        The rule.
    joint
        Shape (n,): whether what each stake is in is joint (an asset, or a company that its partners run together), or a
        person, whose further nationalities are as holders.
    low, most
        Shape (n,): the least share of each stake, and the largest that the other stakes leave, fractions of 1.
    nationality_known
        Shape (n,): whether the country of each holder is known, or the holder stands for one that nobody knows.

    Returns
    -------
    StakeRule
        Three arrays of shape (n,); empty for no stakes.
    """
    followed: Bools = joint | (low > FOLLOWED_ABOVE[minority])
    may_be_followed: Bools = followed | (most > FOLLOWED_ABOVE[minority] + _ROUNDING)
    return StakeRule(followed, may_be_followed, may_be_followed & (joint | nationality_known))
