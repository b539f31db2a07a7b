"""The grammar of GEM's owner and parent columns, `A [51.00%]; B [unknown %]`. Knows strings and nothing else."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, NamedTuple

#: Shares may miss 100 by this many percentage points by rounding alone.
TOLERANCE = 0.5

Holder = Literal["named", "unknown", "other", "small-shareholders", "natural-persons", "members"]
#: What a parsed entry may have lost of its text; the catalogue says of each, as ``gem.oddity``, what the parser does.
LossName = Literal[
    "unreadable-share", "unclosed-bracket", "text-after-share", "no-name", "percent-in-name", "list-in-name"
]  # fmt: skip

_WIDE = str.maketrans("；［］％", ";[]%")
_SQUARE = re.compile(r"\[([^\[\]%]*)%\s*\]")
_ROUND = re.compile(r"[(（]([^()（）%]*)%\s*[)）]")
_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+")
_TAG = re.compile(r"\[\s*(LEI|[A-Z0-9]{18}[0-9]{2})\s*\]\s*$")
_OPEN = re.compile(r"\[[^\[\]]*$")
_NOT_GIVEN = re.compile(r"[-–—\s]*|n/?a", re.IGNORECASE)
_HOLDERS: dict[str, Holder] = {
    "": "unknown", "unknown": "unknown", "other": "other", "others": "other",
    "small shareholder(s)": "small-shareholders", "small shareholders": "small-shareholders",
    "natural person(s)": "natural-persons", "natural persons": "natural-persons", "member/employee owned": "members",
    "employee owned": "members", "member owned": "members",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Owner:
    """An entry of a list: a name, its share in percent (``None``: unknown), and the text it was parsed from.

    ``tag`` holds `LEI` or the LEI itself where the name has it in square brackets behind it.
    """

    name: str
    share: float | None
    raw: str
    tag: str | None = None

    @property
    def holder(self) -> Holder:
        """Class of the holder: "named", or one of GEM's words for owners it does not name."""
        return _HOLDERS.get(self.name.casefold(), "named")


class Loss(NamedTuple):
    """What an entry may have lost, and the part of the text that has it."""

    name: LossName
    raw: str


@dataclass(frozen=True, slots=True)
class OwnerList:
    """A parsed list: its entries, what they may have lost, and the text.

    ``step`` is how much more a known share may be than is printed, where the file cuts digits off.
    """

    entries: tuple[Owner, ...]
    losses: tuple[Loss, ...]
    text: str
    step: float = 0.0

    @property
    def known_sum(self) -> float:
        """Sum of the known shares in percent, as printed; it may be over 100."""
        return math.fsum(entry.share for entry in self.entries if entry.share is not None)

    @property
    def remainder(self) -> float:
        """Remainder of 100 percent after the known shares, at least 0."""
        return max(0.0, 100.0 - self.known_sum)

    @property
    def over_100(self) -> bool:
        """Whether the sum of known shares exceeds 100 by more than rounding."""
        return self.known_sum > 100 + TOLERANCE

    @property
    def contradiction(self) -> Literal["full-and-unknown", "over"] | None:
        """Whether the known shares make 100 and owners without a share stand beside them, or more than 100."""
        if any(entry.share is None for entry in self.entries):
            return "full-and-unknown" if self.known_sum >= 100 - TOLERANCE else None
        return "over" if self.over_100 else None

    def intervals(self) -> tuple[tuple[float, float], ...]:
        """Return the bounds of each entry's share in percent.

        A known share is both bounds, the upper one more by ``step`` at most. An unknown share is from 0 to the
        remainder of the known ones; several unknown shares have the remainder together, so that each alone may be all
        of it.
        """
        more = min(self.step, self.remainder)
        return tuple((0.0, self.remainder) if e.share is None else (e.share, e.share + more) for e in self.entries)


def parse_owners(text: str, step: float = 0.0) -> OwnerList:
    """Parse a list of owners or parents. No text is refused: what an entry may have lost of it is listed.

    The grammar is that of GEM's releases and map files: entries between semicolons, each a name and a share in
    brackets. Empty text and dashes give no entries. ``step`` is stored with the list.
    """
    # Each part ends with its separator.
    parts = [] if _NOT_GIVEN.fullmatch(text) else re.split(r"(?<=[;；])", text)
    entries = [entry for part in parts for entry in _entries(part)]
    losses = (Loss(name, owner.raw) for owner, names in entries for name in names)
    return OwnerList(tuple(owner for owner, _ in entries), tuple(losses), text, step)


def _entries(part: str) -> Iterator[tuple[Owner, list[LossName]]]:
    """Parse the text up to a separator, and yield each entry with what it lost; several shares make several entries."""
    body = part.translate(_WIDE).removesuffix(";")
    if not body.strip():
        return
    marks = _marks(body)
    rest = body[marks[-1].end() :] if marks else body
    ends: list[re.Match[str] | None] = [*marks]
    if not marks or any(sign.isalnum() for sign in rest):
        ends.append(None)
        rest = ""
    stops = [mark.end() for mark in marks][: len(ends) - 1]
    for mark, (start, stop) in zip(ends, pairwise([0, *stops, len(part)]), strict=True):
        after: list[LossName] = ["text-after-share"] if stop == len(part) and rest.strip() else []
        owner, losses = _entry(part[start:stop], body[start : mark.start() if mark else len(body)], mark)
        yield owner, after + losses


def _marks(plain: str) -> list[re.Match[str]]:
    """Return the shares in brackets: square ones, or else round ones if the last ends the text."""
    if square := list(_SQUARE.finditer(plain)):
        return square
    matches = list(_ROUND.finditer(plain))
    return matches if matches and not plain[matches[-1].end() :].strip() else []


def _entry(raw: str, text: str, mark: re.Match[str] | None) -> tuple[Owner, list[LossName]]:
    """Parse the text before a share, and the share."""
    share, losses = _share(mark[1].strip()) if mark else (None, [])
    opened = None if mark else _OPEN.search(text)
    text = text[: opened.start()] if opened else text
    tag = _TAG.search(text)
    name = _name((text[: tag.start()] if tag else text).lstrip(" ,"))
    lost: dict[LossName, object] = {
        "no-name": not name, "percent-in-name": "%" in name, "list-in-name": "，" in name, "unclosed-bracket": opened
    }  # fmt: skip
    losses += [loss for loss, is_lost in lost.items() if is_lost]
    return Owner(name, share, raw, tag[1] if tag else None), losses


def _share(text: str) -> tuple[float | None, list[LossName]]:
    if text.casefold() == "unknown":
        return None, []
    share = float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else math.inf
    return (share, []) if math.isfinite(share) else (None, ["unreadable-share"])


def _name(text: str) -> str:
    """Return a name without signs that have no shape; empty for dashes."""
    seen = "".join(sign for sign in text if unicodedata.category(sign) not in ("Cf", "Cc") or sign.isspace())
    name = " ".join(unicodedata.normalize("NFC", seen).split())
    return "" if _NOT_GIVEN.fullmatch(name) else name


#: What separates the owners of a list within a name, and the share of each, which stands in round brackets.
_COMMA = re.compile(r"[,，、]")
_DECIMAL = re.compile(r"[0-9]+(?:\.[0-9]+)?")
#: Losses of a name that holds a list, which end when the list is unnested.
_MENDED = ("percent-in-name", "list-in-name")


def unnested(owners: OwnerList) -> OwnerList:
    """Return the list with the owners of each list within a name as entries, if all have shares and these make 100.

    The share of each is its part of the share of the whole name. Any other name stays one entry: names without shares
    may be branches of one company, and shares that do not make 100 may be of something else.
    """
    apart = {owner: parts for owner in owners.entries if (parts := _joint_owners(owner))}
    if not apart or owners.step:
        return owners
    mended = {owner.raw for owner in apart}
    entries = (part for owner in owners.entries for part in apart.get(owner, (owner,)))
    losses = (loss for loss in owners.losses if loss.name not in _MENDED or loss.raw not in mended)
    return replace(owners, entries=tuple(entries), losses=tuple(losses))


def _joint_owners(owner: Owner) -> tuple[Owner, ...]:
    """Return the owners of a list within a name; none where the name is no list, or its shares do not make 100."""
    texts = _COMMA.split(owner.name)
    # A comma may end the list.
    parts = [_joint_owner(text) for text in (texts if texts[-1] else texts[:-1])]
    named = [part for part in parts if part is not None]
    if owner.share is None or len(named) < 2 or len(named) < len(parts):
        return ()
    if abs(math.fsum(share for _, share in named) - 100) > TOLERANCE:
        return ()
    # Products leave errors of the last digits; no list has more than six decimals.
    return tuple(Owner(name, round(share * owner.share / 100, 6), owner.raw) for name, share in named)


def _joint_owner(text: str) -> tuple[str, float] | None:
    """Return a name and the share in round brackets behind it; ``None`` where either is missing."""
    before, _, after = text.partition("%")
    opening = max(before.rfind("("), before.rfind("（"))
    share = before[opening + 1 :].strip()
    if opening < 1 or after.strip() not in (")", "）") or not _DECIMAL.fullmatch(share):
        return None
    # A name may be blank, but not empty.
    return before[:opening].strip() or before[0], float(share)
