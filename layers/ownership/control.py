"""Who controls an asset on a day: more than half at every step, or declared control. A separate answer to shares.

A party controls a company if it and those it controls together hold more than half of it (so that three blocks of
one state count together), or if control is declared or its accounts consolidate it (GLEIF level 2). Control is asked
of the least shares, so that what is told is sure; shares that would need a guess give no control. Where it is not
known on which of several days something happened, control is told for each span of days on which it differs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from layers.model import edtf
from layers.model.records import Control, Stake
from layers.ownership.stake_graph import Kind, StakeTable
from layers.ownership.walk import Basis, Interval, Reach, Register

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
    reach: Reach
    holds: tuple[Hold, ...]

    @property
    def party(self) -> tuple[str, str | None, Reach]:
        """Who it is, whatever the steps down."""
        return self.entity, self.country, self.reach


@dataclass(frozen=True, slots=True)
class Span:
    """Days, both inclusive and ``None`` open, on each of which the same party controls, or nobody surely does.

    The steps of the controller are those of the last of the days.
    """

    first: date | None
    last: date | None
    controller: Controller | None

    @property
    def party(self) -> tuple[str, str | None, Reach] | None:
        """Who controls on these days; ``None`` for nobody."""
        return self.controller.party if self.controller else None


def control_spans(
    table: StakeTable,
    controls: Iterable[Control],
    owned: str,
    first: date | None,
    last: date | None,
    basis: Basis = "registration",
) -> tuple[Span, ...]:
    """Who controls an asset or entity from ``first`` to ``last``, in spans that adjoin and never agree with the next.

    ``basis`` says which country of the controller is told; who controls does not depend on it.

    Raises
    ------
    UnknownRecord
        If there is no such asset or entity.
    """
    known = tuple(controls)
    turns = sorted(_turns(Register(table, first, last), known, owned, first, last))
    starts = [first, *turns]
    ends = [*(turn - timedelta(days=1) for turn in turns), last]
    told = []
    for start, end in zip(starts, ends, strict=True):
        register = Register(table, start, end, basis)
        told.append(Span(start, end, controller(register, controls_on(known, start, end), owned)))
    return tuple(_joined(told))


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Spans with those of one party that follow each other made one."""
    for _, same in groupby(spans, key=lambda span: span.party):
        part = list(same)
        yield Span(part[0].first, part[-1].last, part[-1].controller)


def _turns(
    register: Register, controls: tuple[Control, ...], owned: str, first: date | None, last: date | None
) -> set[date]:
    """Days after the first on which something that bears on the control begins or ends to hold for sure."""
    days: set[date] = set()
    for dated in _bearing(register, controls, owned):
        began = edtf.parse(dated.since).latest if dated.since else None
        ended = edtf.parse(dated.until).earliest if dated.until else None
        days.update(day for day in (began, ended) if day is not None)
    return {day for day in days if (first is None or first < day) and (last is None or day <= last)}


def _bearing(register: Register, controls: tuple[Control, ...], owned: str) -> Iterator[Stake | Control]:
    """Stakes that may have held on some of the days, and all controls, of everything above an asset or entity."""
    said: dict[str, list[Control]] = defaultdict(list)
    for control in controls:
        said[control.controlled].append(control)
    ids, index = register.nodes.ids, register.nodes.index
    met, todo = set(), [ids[register.number(owned)]]
    while todo:
        name = todo.pop()
        if name in met or name not in index:
            continue
        met.add(name)
        stakes = [register.stake(holding) for holding in register.holdings(index[name])]
        yield from stakes
        yield from said[name]
        todo += [stake.owner for stake in stakes] + [control.controller for control in said[name]]


def controls_on(controls: Iterable[Control], first: date | None, last: date | None) -> dict[str, tuple[Control, ...]]:
    """Declared and consolidating controls that surely held on every day, by what is controlled."""
    found: dict[str, list[Control]] = defaultdict(list)
    for control in controls:
        sure = control.kind in CONTROLLING and control.checked != "unverified"
        if sure and edtf.held_as_stated(control.since, control.until, first, last) == "yes":
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
    below = _below(above, declared)
    found = {}
    for name in sorted(above):
        reached = _reached(register, declared, name, above, below)
        part = {other: stakes for other, stakes in above.items() if other in reached} if asset in reached else {}
        if asset in (holds := _controlled(register, declared, name, part)):
            found[name] = holds
    tops = [name for name in found if not any(name in others for other, others in found.items() if other != name)]
    if len(tops) != 1 or register.nodes.joint[register.nodes.index[tops[0]]]:
        return None
    top = tops[0]
    country = register.end(register.start(top)).country
    return Controller(top, country, _reach(register, top), tuple(_down(found[top], asset)))


def _reach(register: Register, top: str) -> Reach:
    kind = register.nodes.kind[register.nodes.index[top]]
    if kind in (Kind.STATE, Kind.STATE_BODY):
        return "state"
    return "holder" if kind == Kind.PERSON else "company"


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


def _below(above: Mapping[str, tuple[Stake, ...]], declared: Mapping[str, tuple[Control, ...]]) -> dict[str, list[str]]:
    """What each holds or is declared to control a part of."""
    below: dict[str, list[str]] = defaultdict(list)
    for name, stakes in above.items():
        for holder in {*(stake.owner for stake in stakes), *(said.controller for said in declared.get(name, ()))}:
            below[holder].append(name)
    return below


def _reached(
    register: Register,
    declared: Mapping[str, tuple[Control, ...]],
    top: str,
    above: Mapping[str, tuple[Stake, ...]],
    below: Mapping[str, list[str]],
) -> set[str]:
    """All that one party controls and the party: asked only of what its members hold, which few do of very much."""
    members = {top} | _bodies(register, top, above)
    todo = list(members)
    while todo:
        for name in below.get(todo.pop(), ()):
            if name not in members and _hold(name, members, above[name], declared.get(name, ())):
                members.add(name)
                todo.append(name)
    return members


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
    """Bodies of a state act with it, whether or not a stake says so, and wherever they sit."""
    nodes = register.nodes
    state = nodes.index[top]
    if nodes.kind[state] != Kind.STATE:
        return set()
    same = (name for name in above if nodes.registered[nodes.index[name]] == nodes.registered[state])
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
