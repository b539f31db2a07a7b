"""The grammar of GEM's owner and parent columns, `A [51.00%]; B [unknown %]`. Knows strings and nothing else."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

#: Shares may miss 100 by this many percentage points by rounding alone.
TOLERANCE = 0.5

Holder = Literal["named", "unknown", "other", "small-shareholders", "natural-persons", "members"]
#: Classes of lists by the sum of their shares. ``full-and-unknown``: the known shares make 100, and an owner without a
#: share is listed beside them.
Sum = Literal["whole", "all-unknown", "part-unknown", "full-and-unknown", "under", "over", "not-given"]

#: Oddities of a list; the catalogue says of each, as ``gem.oddity``, how the parser treats it.
ODDITIES = (
    "not-given", "empty-entry", "trailing-separator", "no-name", "no-share", "unreadable-share", "unclosed-bracket",
    "missing-separator", "text-after-share", "round-brackets", "open-decimal", "decimal-comma", "full-width",
    "share-over-100", "tag", "bracket-in-name", "percent-in-name", "list-in-name", "invisible-characters",
    "duplicate-name",
)  # fmt: skip

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


@dataclass(frozen=True, slots=True)
class Oddity:
    """An oddity by its name in ``ODDITIES``, and the part of the text that has it."""

    name: str
    raw: str


@dataclass(frozen=True, slots=True)
class OwnerList:
    """A parsed list. ``slices`` joined give the text again: each slice belongs to an entry or to an oddity.

    ``step`` is how much more a known share may be than is printed, where the file cuts digits off.
    """

    entries: tuple[Owner, ...]
    oddities: tuple[Oddity, ...]
    slices: tuple[str, ...]
    step: float = 0.0

    @property
    def text(self) -> str:
        """The text that was parsed."""
        return "".join(self.slices)

    @property
    def known_sum(self) -> float:
        """Sum of the known shares in percent, as printed; it may be over 100."""
        return math.fsum(entry.share for entry in self.entries if entry.share is not None)

    @property
    def remainder(self) -> float:
        """Remainder of 100 percent after the known shares, at least 0."""
        return max(0.0, 100.0 - self.known_sum)

    @property
    def has_unknown(self) -> bool:
        """Whether the share of any entry is unknown."""
        return any(entry.share is None for entry in self.entries)

    @property
    def over_100(self) -> bool:
        """Whether the sum of known shares exceeds 100 by more than rounding."""
        return self.known_sum > 100 + TOLERANCE

    @property
    def sum(self) -> Sum:
        """Class of the list; an unknown share beside known ones of 100 or more makes it ``full-and-unknown``."""
        if not self.entries:
            return "not-given"
        if self.has_unknown:
            if all(entry.share is None for entry in self.entries):
                return "all-unknown"
            return "part-unknown" if self.known_sum < 100 - TOLERANCE else "full-and-unknown"
        if self.over_100:
            return "over"
        return "under" if self.known_sum < 100 - TOLERANCE else "whole"

    def intervals(self) -> tuple[tuple[float, float], ...]:
        """Return the bounds of each entry's share in percent.

        A known share is both bounds, the upper one more by ``step`` at most. An unknown share is from 0 to the
        remainder of the known ones; several unknown shares have the remainder together, so that each alone may be all
        of it.
        """
        more = min(self.step, self.remainder)
        return tuple((0.0, self.remainder) if e.share is None else (e.share, e.share + more) for e in self.entries)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A slice of the text, its entry, if any, and its oddities."""

    raw: str
    entry: Owner | None
    oddities: tuple[str, ...]


def parse_owners(text: str, step: float = 0.0) -> OwnerList:
    """Parse a list of owners or parents. No text is refused: each deviation from the grammar is an oddity.

    The grammar is that of GEM's releases and map files: entries between semicolons, each a name and a share in
    brackets. Empty text and dashes give no entries. ``step`` is stored with the list.
    """
    if _NOT_GIVEN.fullmatch(text):
        return OwnerList((), (Oddity("not-given", text),), (text,), step)
    pieces = [piece for part in _parts(text) for piece in _pieces(part)]
    entries = tuple(piece.entry for piece in pieces if piece.entry is not None)
    oddities = [Oddity(name, piece.raw) for piece in pieces for name in piece.oddities]
    counts = Counter(entry.name for entry in entries)
    oddities += [Oddity("duplicate-name", entry.raw) for entry in entries if counts[entry.name] > 1]
    return OwnerList(entries, tuple(oddities), tuple(piece.raw for piece in pieces), step)


def _parts(text: str) -> Iterator[str]:
    """Split behind each separator; the last part has none."""
    return (part for part in re.split(r"(?<=[;；])", text) if part)


def _pieces(part: str) -> Iterator[_Piece]:
    """Parse the text between two separators; several shares make several entries."""
    plain = part.translate(_WIDE)
    body = plain.removesuffix(";")
    if not body.strip():
        yield _Piece(part, None, ("empty-entry" if body != plain else "trailing-separator",))
        return
    marks = _marks(body)
    rest = body[marks[-1].end() :] if marks else body
    ends: list[re.Match[str] | None] = [*marks]
    if not marks or any(sign.isalnum() for sign in rest):
        ends.append(None)
        rest = ""
    stops = [*(mark.end() for mark in marks), len(part)][: len(ends) - 1]
    joined = ["missing-separator"] if len(ends) > 1 else []
    for mark, (start, stop) in zip(ends, pairwise([0, *stops, len(part)]), strict=True):
        after = ["text-after-share"] if stop == len(part) and rest.strip() else []
        yield _piece(part[start:stop], body[start : mark.start() if mark else len(body)], mark, joined + after)


def _marks(plain: str) -> list[re.Match[str]]:
    """Return the shares in brackets: square ones, or else round ones if the last ends the text."""
    if square := list(_SQUARE.finditer(plain)):
        return square
    matches = list(_ROUND.finditer(plain))
    return matches if matches and not plain[matches[-1].end() :].strip() else []


def _piece(raw: str, text: str, mark: re.Match[str] | None, odd_names: list[str]) -> _Piece:
    """Parse one entry: the text before its share, and the share; ``odd_names`` are the oddities of its surroundings."""
    share, faults = _share(mark)
    opened = None if mark else _OPEN.search(text)
    text = text[: opened.start()] if opened else text
    tag = _TAG.search(text)
    name, more = _name((text[: tag.start()] if tag else text).lstrip(" ,"))
    named = {
        "unclosed-bracket": opened,
        "tag": tag,
        "no-share": mark is None,
        "full-width": raw.translate(_WIDE) != raw,
    }
    oddities = (*odd_names, *faults, *more, *(word for word, there in named.items() if there))
    return _Piece(raw, Owner(name, share, raw, tag[1] if tag else None), oddities)


def _share(mark: re.Match[str] | None) -> tuple[float | None, list[str]]:
    if mark is None:
        return None, []
    oddities = ["round-brackets"] if mark.re is _ROUND else []
    text = mark[1].strip()
    if text.casefold() == "unknown":
        return None, oddities
    share = float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else math.inf
    if not math.isfinite(share):
        return None, [*oddities, "unreadable-share"]
    oddities += ["decimal-comma"] if "," in text else []
    oddities += ["open-decimal"] if not (text[0].isdigit() and text[-1].isdigit()) else []
    oddities += ["share-over-100"] if share > 100 else []
    return share, oddities


def _name(text: str) -> tuple[str, list[str]]:
    seen = "".join(sign for sign in text if unicodedata.category(sign) not in ("Cf", "Cc") or sign.isspace())
    name = " ".join(unicodedata.normalize("NFC", seen).split())
    name = "" if _NOT_GIVEN.fullmatch(name) else name
    oddities = ["invisible-characters"] if seen != text else []
    oddities += ["no-name"] if not name else []
    oddities += ["bracket-in-name"] if "[" in name or "]" in name else []
    oddities += ["percent-in-name"] if "%" in name else []
    oddities += ["list-in-name"] if "，" in name else []
    return name, oddities


#: What separates the owners of a list within a name, and the share of each, which stands in round brackets.
_COMMA = re.compile(r"[,，、]")
_DECIMAL = re.compile(r"[0-9]+(?:\.[0-9]+)?")
#: Oddities of a name that holds a list, which end when the list is unnested.
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
    oddities = (odd for odd in owners.oddities if odd.name not in _MENDED or odd.raw not in mended)
    return replace(owners, entries=tuple(entries), oddities=tuple(oddities))


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
