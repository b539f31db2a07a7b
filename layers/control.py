"""Who controls an asset on a day: more than half at every step, or declared control. A separate answer to shares.

A party controls a company if it and those it controls together hold more than half of it (so that three blocks of
one state count together), or if control is declared or its accounts consolidate it (GLEIF level 2). Control is asked
of the least shares, so that what is told is sure; shares that would need a guess give no control.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from layers import when
from layers.ownership import Interval, Register
from layers.schema import Control, Stake
from layers.stake_table import Kind

#: Kinds of control that make a controller; mere rights do not.
CONTROLLING = frozenset({"declared", "majority-of-votes", "consolidation"})


@dataclass(frozen=True, slots=True)
class Hold:
    """What makes one step of control: the stakes that together pass half, or what is declared."""

    controlled: str
    holders: tuple[str, ...]
    share: Interval
    stakes: tuple[Stake, ...]
    declared: tuple[Control, ...]


@dataclass(frozen=True, slots=True)
class Controller:
    """The controlling state, person or company at the top, and the steps down to the asset, topmost first."""

    entity: str
    country: str | None
    reach: Literal["state", "holder", "company"]
    holds: tuple[Hold, ...]


def controls_on(controls: Iterable[Control], first: date | None, last: date | None) -> dict[str, tuple[Control, ...]]:
    """Declared and consolidating controls that surely held on every day, by what is controlled."""
    found: dict[str, list[Control]] = defaultdict(list)
    for control in controls:
        sure = control.kind in CONTROLLING and control.checked != "unverified"
        if sure and when.held_as_stated(control.since, control.until, first, last) == "yes":
            found[control.controlled].append(control)
    return {controlled: tuple(held) for controlled, held in found.items()}


def controller(register: Register, declared: Mapping[str, tuple[Control, ...]], asset: str) -> Controller | None:
    """Who controls an asset or entity, or ``None`` where nobody surely does.

    Of all who control it, the one at the top: whom nobody else among them controls. A joint company is nobody's
    controller, as its partners control it together.

    Raises
    ------
    UnknownRecord
        If there is no such asset or entity.
    """
    register.number(asset)
    above = _above(register, declared, asset)
    found = {name: holds for name in sorted(above) if asset in (holds := _controlled(register, declared, name, above))}
    tops = [name for name in found if not any(name in others for other, others in found.items() if other != name)]
    if len(tops) != 1 or register.nodes.joint[register.nodes.index[tops[0]]]:
        return None
    top = tops[0]
    end = register.end(register.start(top))
    return Controller(top, end.country, end.reach or "company", tuple(_down(found[top], asset)))


def _above(register: Register, declared: Mapping[str, tuple[Control, ...]], asset: str) -> dict[str, tuple[Stake, ...]]:
    """Everything that holds or controls something of the asset, with the asset: id to the stakes in it."""
    ids, index = register.nodes.ids, register.nodes.index
    above: dict[str, tuple[Stake, ...]] = {}
    todo = [asset]
    while todo:
        name = todo.pop()
        if name in above:
            continue
        holdings = [holding for holding in register.holdings(index[name]) if holding.low > 0]
        above[name] = tuple(register.stake(holding) for holding in holdings)
        todo += [ids[holding.owner] for holding in holdings]
        todo += [control.controller for control in declared.get(name, ()) if control.controller in index]
    return above


def _controlled(
    register: Register,
    declared: Mapping[str, tuple[Control, ...]],
    top: str,
    above: Mapping[str, tuple[Stake, ...]],
) -> dict[str, Hold]:
    """All that one party controls, with what makes each: grown until nothing is added."""
    found: dict[str, Hold] = {}
    members = {top} | _bodies(register, top, above)
    grown = True
    while grown:
        grown = False
        for name in above:
            if name not in members and (hold := _hold(name, members, above[name], declared.get(name, ()))):
                found[name] = hold
                members.add(name)
                grown = True
    return found


def _bodies(register: Register, top: str, above: Iterable[str]) -> set[str]:
    """Bodies of a state act with it, whether or not a stake says so."""
    nodes = register.nodes
    state = nodes.index[top]
    if nodes.kind[state] != Kind.STATE:
        return set()
    same = (name for name in above if register.country[nodes.index[name]] == register.country[state])
    return {name for name in same if nodes.kind[nodes.index[name]] == Kind.STATE_BODY}


def _hold(name: str, members: set[str], stakes: tuple[Stake, ...], declared: tuple[Control, ...]) -> Hold | None:
    held = tuple(stake for stake in stakes if stake.owner in members)
    said = tuple(control for control in declared if control.controller in members)
    share = Interval(sum(stake.share_min for stake in held), sum(stake.share_max for stake in held))
    if share.low <= 50 and not said:
        return None
    holders = dict.fromkeys([*(stake.owner for stake in held), *(control.controller for control in said)])
    return Hold(name, tuple(holders), share, held, said)


def _down(holds: Mapping[str, Hold], asset: str) -> Iterator[Hold]:
    """The steps that lead to the asset, topmost first."""
    needed: dict[str, Hold] = {}
    todo = [asset]
    while todo:
        name = todo.pop()
        if name in holds and name not in needed:
            needed[name] = holds[name]
            todo += holds[name].holders
    yield from (hold for name, hold in holds.items() if name in needed)
