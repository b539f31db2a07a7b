"""Shares in percent as text: the one rule of how many digits a share is written with."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from layers.ownership.walk import Interval

#: Decimals of a share of one site: as many as sources state.
SITE_DIGITS = 2
#: Decimals of a share of several sites together, each counting alike: a mean is not known more exactly.
MEAN_DIGITS = 0
#: Most decimals, which a share has that would else be written as nothing or as the whole.
_MOST_DIGITS = 4


@lru_cache(maxsize=16_384)
def percent_text(share: float, digits: int = SITE_DIGITS) -> str:
    """Write a number of percent, without the sign.

    Halves are rounded up. A little is never written as 0, nor nearly all as 100: such a share has as many decimals
    as it takes, up to four.

    Parameters
    ----------
    share
        In percent; up to 0.00005 beside 0 and 100 is rounding, and no part of the share.
    digits
        Decimals to round to; zeros at the end are left out.
    """
    exact = Decimal(share + 0.0)  # so that nothing has no sign
    whole = exact.quantize(Decimal(1).scaleb(-_MOST_DIGITS), ROUND_HALF_UP) in (0, 100)
    for decimals in range(digits, _MOST_DIGITS + 1):
        rounded = exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
        if whole or rounded not in (0, 100):
            break
    text = f"{rounded:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def interval_text(share: Interval, digits: int = SITE_DIGITS) -> str:
    """Write a share in percent, or the range of two where its bounds differ as written: ``25.9-31``."""
    low, high = percent_text(share.low, digits), percent_text(share.high, digits)
    return low if low == high else f"{low}-{high}"


def digits_of(sites: int) -> int:
    """Return the decimals of a share in so many sites together."""
    return MEAN_DIGITS if sites > 1 else SITE_DIGITS
