"""Percents as people write them, such as ``51,3``, ``50 % + 1 share`` or ``25-50 %``, as the least and the largest."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

#: How much more than a round percentage one share is: at least one share of a billion, at most one of ten thousand.
_LEAST_SHARE, _LARGEST_SHARE = 1e-7, 0.01
#: Letters of a text that states a share.
_MAX_LENGTH = 120

_TOKEN = re.compile(r"[0-9]+(?:[.,][0-9]+)?|[^\W\d_]+|[^\w\s.,'’()]")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Words that say that nobody knows.
UNKNOWN_WORDS = _words("unknown n/a na n.a. нд н/д unbekannt невідомо неизвестно undisclosed tbd - – — ? … ... k.a.")
_OVER = _words("> ≥ over above more least exceeding свыше более больше понад більше über mehr mindestens")
_UNDER = _words("< ≤ under below less up most менее меньше до менше unter bis weniger höchstens")
_TURNED = _words("not не nicht no")
_PERCENT = ("percent", "percentage", "per", "cent", "pct", "процент", "відсот", "prozent", "vh")
_FILLER = _words(
    "% than or from between to and of the about approximately approx ca circa ~ ≈ около примерно близько приблизно "
    "etwa rund от з від и і до als zu von und oder at stake interest voting votes capital holding"
)
_SHARE_WORDS = ("share", "stock", "акц", "aktie", "anteil", "част", "дол", "паев", "пай", "equity", "action")
#: Shares in words: all, more than half, less than half.
_ALL = ("wholly owned", "wholly-owned", "fully owned", "полностью", "повністю", "vollständig")
_MAJORITY = ("majority", "majority owned", "majority stake", "mehrheit", "большинство", "більшість")
_MINORITY = ("minority", "minority owned", "minority stake", "minderheit", "меньшинство", "меншість")
_PHRASES: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(_ALL, (100.0, 100.0)),
    **dict.fromkeys(_MAJORITY, (50.0, 100.0)),
    **dict.fromkeys(_MINORITY, (0.0, 50.0)),
}
_DASHES = frozenset("-–—…")
_SPELLED = {
    **dict.fromkeys(("plus", "плюс"), "+"),
    **dict.fromkeys(("minus", "минус", "мінус"), "-"),
    **dict.fromkeys(("one", "одна", "одну", "eine"), "1"),
}


class ShareInterval(NamedTuple):
    """The least and the largest share in percent, and whether the text is a plain number."""

    least: float
    largest: float
    is_plain: bool


def parse_share(text: str, factor: float = 1.0) -> ShareInterval | None:
    """Return the share that a text states; None for a text that states none, or one beyond 0 to 100 percent.

    Decimals follow a point or a comma. One share more or less than a percentage is between a billionth and a
    ten-thousandth of the whole. A word such as "unknown" gives 0 to 100.

    ``text``: such as ``100%``, ``51,3``, ``50 % + 1 share``, ``over 75 %``, ``25-50 %``, ``1/3``; English, Ukrainian,
    Russian and German. ``factor``: percentage points of a bare 1: 100 where the file has fractions. A number with a
    percent sign is not changed.
    """
    plain = unicodedata.normalize("NFKC", text[:_MAX_LENGTH]).casefold().strip()
    if plain in UNKNOWN_WORDS:
        return ShareInterval(0.0, 100.0, False)
    if plain in _PHRASES:
        return ShareInterval(*_PHRASES[plain], False)
    tokens = [_SPELLED.get(token, token) for token in _TOKEN.findall(plain)]
    numbers = [float(token.replace(",", ".")) for token in tokens if token[0].isdecimal()]
    signs = [token for token in tokens if not token[0].isdecimal()]
    if not numbers or not all(map(_is_known, signs)):
        return None
    if "%" not in plain and not any(sign.startswith(_PERCENT) for sign in signs) and "/" not in signs:
        numbers = [round(number * factor, 9) for number in numbers]
    interval = _interval(numbers, signs)
    if interval is None or not 0 <= interval[0] <= interval[1] <= 100:
        return None
    is_plain = len(numbers) == 1 and interval[0] == interval[1] and not {*signs} - {"%"}
    return ShareInterval(*interval, is_plain)


def _is_known(sign: str) -> bool:
    known = sign in _FILLER or sign in _OVER or sign in _UNDER or sign in _TURNED or sign in _DASHES
    return known or sign in ("+", "/") or sign.startswith((*_PERCENT, *_SHARE_WORDS))


def _interval(numbers: Sequence[float], signs: Sequence[str]) -> tuple[float, float] | None:
    first = numbers[0]
    if len(numbers) == 1:
        return _one_sided(first, signs)
    if len(numbers) > 2:
        return None
    second = numbers[1]
    of_shares = any(sign.startswith(_SHARE_WORDS) for sign in signs)
    if second == 1 and "+" in signs:
        return first + _LEAST_SHARE, min(first + _LARGEST_SHARE, 100.0)
    if second == 1 and of_shares and _DASHES & {*signs}:
        return max(first - _LARGEST_SHARE, 0.0), first - _LEAST_SHARE
    if "/" in signs:
        return (100 * first / second, 100 * first / second) if second else None
    return first, second


def _one_sided(number: float, signs: Sequence[str]) -> tuple[float, float]:
    over, under = bool(_OVER & {*signs}), bool(_UNDER & {*signs})
    if _TURNED & {*signs}:
        over, under = under, over
    if over and not under:
        return number, 100.0
    if under and not over:
        return 0.0, number
    return number, number
