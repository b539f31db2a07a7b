"""Indirect interests of BODS and their components: one stake told twice, counted once. Knows no files and no records.

A primary relationship with an indirect interest and the relationships that are its components describe the same stake
(BODS 0.4, relationship-record.json, isComponent and componentRecords). Only the components are counted; what the
primary one says in sum narrows the shares that its components leave open.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

#: A declared sum and its components may differ by this many percentage points by rounding alone.
TOLERANCE = 0.5
_FULL_DAY = 10
# Beyond this many steps the paths of one primary relationship are not searched for, and nothing is narrowed.
_MOST_STEPS = 500
# A declaration of more components than this must list which of them belong to a primary relationship.
_MOST_UNLISTED = 500

Path = tuple["Link", ...]
Report = Callable[["Link", str], object]


@dataclass(frozen=True)
class Link:
    """An interest that is, or may be, a share: percent at least and at most.

    ``index`` is its place among the interests of the relationship ``record``; ``unstated``: no share is given.
    """

    record: str
    index: int
    owned: str
    owner: str
    low: float
    high: float
    unstated: bool
    indirect: bool = False
    since: str | None = None
    until: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from all others."""
        return self.record, self.index

    def with_note(self, note: str) -> Link:
        """The same with one more thing to say."""
        return replace(self, notes=(*self.notes, note))


@dataclass(frozen=True)
class Tie:
    """A relationship: who is tied to what, and by which links; ``group`` is the subject of its declaration.

    ``spare`` is the link of unknown share that it is where it is a component of a stake and states no share itself.
    """

    record: str
    owned: str
    owner: str
    component: bool
    listed: tuple[str, ...]
    group: str | None
    links: tuple[Link, ...]
    spare: Link


def settled(ties: Mapping[str, Tie], report: Report) -> tuple[tuple[Link, ...], tuple[Link, ...]]:
    """Links that count, and the indirect ones that do not since their components do.

    Parameters
    ----------
    ties
        Relationships by record id.
    report
        Is told of a link whose declared share its components contradict, and what was expected.
    """
    links = {link.key: link for tie in ties.values() for link in tie.links}
    components = _components_by_group(ties)
    told_twice = []
    for tie in ties.values():
        for link in tie.links:
            if not link.indirect or tie.component:
                continue
            parts = _parts(tie, ties, components)
            if not parts:
                links[link.key] = link.with_note("Indirect; no component of it is in the file.")
            elif not leads(parts, tie.owned, tie.owner):
                links[link.key] = _loose(link)
            else:
                del links[link.key]
                told_twice.append(link)
                links.update(_counted(link, parts, links, report))
    return tuple(links.values()), tuple(told_twice)


def _components_by_group(ties: Mapping[str, Tie]) -> dict[str | None, list[Tie]]:
    groups: dict[str | None, list[Tie]] = defaultdict(list)
    for tie in ties.values():
        if tie.component:
            groups[tie.group].append(tie)
    return groups


def _parts(tie: Tie, ties: Mapping[str, Tie], components: Mapping[str | None, list[Tie]]) -> list[Tie]:
    """Components that a relationship lists; where it lists none, those of its declaration if they lead to its end."""
    if tie.listed:
        return [ties[record] for record in tie.listed if record in ties and record != tie.record]
    candidates = components.get(tie.group, []) if tie.group else []
    near = len(candidates) <= _MOST_UNLISTED and leads(candidates, tie.owned, tie.owner)
    return candidates if near else []


def _loose(link: Link) -> Link:
    note = (
        f"Indirect, {percent(link)} declared; its components in the file do not lead all the way, "
        "and it may be counted with them in part: at least 0."
    )
    return replace(link, low=0.0).with_note(note)


def leads(parts: Iterable[Tie], start: str, end: str) -> bool:
    """Whether the relationships lead from what is owned up to a holder."""
    above: dict[str, set[str]] = defaultdict(set)
    for tie in parts:
        above[tie.owned].add(tie.owner)
    seen, todo = {start}, [start]
    while todo:
        for owner in above[todo.pop()] - seen:
            seen.add(owner)
            todo.append(owner)
    return end in seen and start != end


def _counted(
    total: Link, parts: Sequence[Tie], links: Mapping[tuple[str, int], Link], report: Report
) -> dict[tuple[str, int], Link]:
    """The components of a stake, narrowed by what is declared of it in sum, and saying so."""
    candidates = [link for tie in parts for link in _links_of(tie, links)]
    paths = _paths(candidates, total.owned, total.owner)
    on_path = {link.key for path in paths for link in path}
    found = [link for link in candidates if link.key in on_path or (link.key in links and not on_path)]
    told = (
        f"Part of the indirect shareholding of {percent(total)} that record {total.record} declares; "
        "that one is not counted again."
    )
    noted = {link.key: link.with_note(told) for link in found}
    if not paths or not all(_covers(link, total) for path in paths for link in path):
        return noted
    narrower = _narrowed(paths, total)
    if narrower is None:
        least, most = _bounds(paths)
        report(total, f"{least:g} to {most:g} %, as its components have it")
        return noted
    return noted | {key: replace(link, notes=(*link.notes, told)) for key, link in narrower.items()}


def _links_of(tie: Tie, links: Mapping[tuple[str, int], Link]) -> list[Link]:
    if not tie.links:
        return [links.get(tie.spare.key, tie.spare)]
    return [links[link.key] for link in tie.links if link.key in links]


def percent(link: Link) -> str:
    """A share in words."""
    if link.unstated:
        return "a share that is not stated"
    return f"{link.low:g} %" if link.low == link.high else f"{link.low:g} to {link.high:g} %"


def _paths(links: Iterable[Link], start: str, end: str) -> list[Path]:
    """Every path upward; none where they are too many, or circle."""
    above: dict[str, list[Link]] = defaultdict(list)
    for link in links:
        above[link.owned].append(link)
    found: list[Path] = []
    todo: list[tuple[str, Path]] = [(start, ())]
    for _ in range(_MOST_STEPS):
        if not todo:
            return found
        node, path = todo.pop()
        for link in above[node]:
            if link.owner == end:
                found.append((*path, link))
            elif link.owner in {start, *(step.owner for step in path)}:
                return []
            else:
                todo.append((link.owner, (*path, link)))
    return []


def _covers(link: Link, total: Link) -> bool:
    """Whether a link surely holds whenever the whole does; one without dates is taken to be of its time."""
    if link.since is None and link.until is None:
        return True
    began = link.since is None or link.since == total.since or _in_order(link.since, total.since)
    return began and (link.until is None or link.until == total.until or _in_order(total.until, link.until))


def _in_order(first: str | None, second: str | None) -> bool:
    return bool(first and second and len(first) == len(second) == _FULL_DAY and first <= second)


def _bounds(paths: Sequence[Path]) -> tuple[float, float]:
    """Least and largest sum over the paths, in percent."""
    least = sum(math.prod(link.low / 100 for link in path) for path in paths)
    most = sum(math.prod(link.high / 100 for link in path) for path in paths)
    return 100 * least, min(100.0, 100 * most)


def _narrowed(paths: Sequence[Path], total: Link) -> dict[tuple[str, int], Link] | None:
    """Links without a stated share, narrowed; ``None`` where the components contradict the declared sum.

    The sum is a + b x in each share x, with a the paths around it and b those through it without it. So
    x >= (least sum - largest a) / largest b and x <= (largest sum - least a) / least b: outer bounds, exact where
    x is the only open share.
    """
    least, most = _bounds(paths)
    if total.low > most + TOLERANCE or total.high < least - TOLERANCE:
        return None
    narrower = {}
    for link in {step.key: step for path in paths for step in path if step.unstated}.values():
        around = [path for path in paths if link not in path]
        through = [tuple(step for step in path if step != link) for path in paths if link in path]
        (a_low, a_high), (b_low, b_high) = _bounds(around), _bounds(through)
        low = 100 * (total.low - a_high) / b_high if b_high > 0 else 0.0
        high = 100 * (total.high - a_low) / b_low if b_low > 0 else 100.0
        narrow = _within(link, low, high, total)
        if narrow is None:
            return None
        narrower[link.key] = narrow
    return narrower


def _within(link: Link, low: float, high: float, total: Link) -> Link | None:
    # Divisions leave errors of the last digits; no source has more than six decimals.
    low, high = max(link.low, round(low, 6)), min(link.high, round(high, 6))
    if low > high:
        if low - high > TOLERANCE:
            return None
        low = high = min(100.0, low)
    if (low, high) == (link.low, link.high):
        return link
    dated = link.since is not None or link.until is not None
    since, until = (link.since, link.until) if dated else (total.since, total.until)
    note = (
        f"Not stated; {low:g} to {high:g} % follows from the declared sum."
        if low < high
        else (f"Not stated; {low:g} % follows from the declared sum.")
    )
    return replace(link, low=low, high=high, since=since, until=until).with_note(note)
