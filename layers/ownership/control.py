"""Control of an asset on a day: more than half at every step, or declared control. Not derived from the shares.

A party controls a company if it and those it controls together hold more than half of it (so that three blocks of
one state count together), or if control is declared or its accounts consolidate it (GLEIF level 2). Least shares
decide, so that every controller is sure; shares that would need a guess give no control. Where it is not known on
which of several days something happened, control is given for each period of days on which it differs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

from layers.model import edtf
from layers.model.records import Control, Stake
from layers.model.types import CountryBasis
from layers.ownership.stake_graph import NodeKind, StakeColumns
from layers.ownership.walk import Interval, OwnershipGraph, Reach, StakeEdge

#: Node kinds as plain numbers, which compare ten times as fast with numpy scalars.
_STATE, _BODY, _PERSON = map(int, (NodeKind.STATE, NodeKind.STATE_BODY, NodeKind.PERSON))
_LAST_DAY = date.max.toordinal()
#: Decimals of a percent in which a sum of least shares is compared with half.
_DIGITS = 9
#: Kinds of control that make a controller; mere rights do not.
CONTROLLING = frozenset({"declared", "majority-of-votes", "consolidation"})


@dataclass(frozen=True, slots=True)
class ControlStep:
    """One step of control: the stakes that together pass half, or the declared controls."""

    controlled: str
    holders: tuple[str, ...]
    share: Interval
    stakes: tuple[Stake, ...]
    declared: tuple[Control, ...]


@dataclass(frozen=True)
class Controller:
    """The controlling state, person or company at the top.

    ``find_steps`` finds the steps down to the asset, topmost first; ``steps`` is its result.
    """

    entity: str
    country: str | None
    reach: Reach
    find_steps: Callable[[], Iterable[ControlStep]] = field(compare=False, repr=False)

    @cached_property
    def steps(self) -> tuple[ControlStep, ...]:
        """The steps down to the asset, of which stakes are read at first use."""
        return tuple(self.find_steps())

    @property
    def party(self) -> tuple[str, str | None, Reach]:
        """The controller by itself, without the steps down."""
        return self.entity, self.country, self.reach


@dataclass(frozen=True, slots=True)
class ControlPeriod:
    """A period of days, inclusive and ``None`` open, on which one party controls throughout, or nobody surely does.

    The steps of the controller are those on the last of the days.
    """

    first: date | None
    last: date | None
    controller: Controller | None

    @property
    def party(self) -> tuple[str, str | None, Reach] | None:
        """The controlling party; ``None`` for nobody."""
        return self.controller.party if self.controller else None


class _Held(NamedTuple):
    """A stake with the id of its holder."""

    owner: str
    holding: StakeEdge


class _Step(NamedTuple):
    """The stakes that pass half together, or the declared controls."""

    held: tuple[_Held, ...]
    declared: tuple[Control, ...]

    @property
    def holders(self) -> tuple[str, ...]:
        """Ids of the holders and of the declared controllers, each once."""
        return tuple(dict.fromkeys([held.owner for held in self.held] + [one.controller for one in self.declared]))


def by_controlled(controls: Iterable[Control]) -> Mapping[str, Sequence[Control]]:
    """Group controls by the id of what is controlled."""
    grouped: dict[str, list[Control]] = defaultdict(list)
    for control in controls:
        grouped[control.controlled].append(control)
    return dict(grouped)


def control_periods(
    stakes: StakeColumns,
    controls: Mapping[str, Sequence[Control]],
    owned: str,
    first: date | None,
    last: date | None,
    basis: CountryBasis = "registration",
) -> tuple[ControlPeriod, ...]:
    """Find who controls an asset or entity from ``first`` to ``last``, in adjoining periods of different parties.

    Parameters
    ----------
    stakes
        The stakes of all times.
    controls
        Declared and consolidating controls of all times, by the id of the controlled (see `by_controlled`).
    owned
        Id of the asset or entity.
    first, last
        Days, inclusive; ``None`` is open.
    basis
        Which country the controller is given; who controls does not depend on it.

    Raises
    ------
    UnknownRecord
        If there is no such asset or entity.
    """
    rows, known = _above_of_any_time(OwnershipGraph(stakes, first, last), controls, owned)
    changes = sorted(_change_days(stakes, rows, known, first, last))
    starts = [first, *changes]
    ends = [*(day - timedelta(days=1) for day in changes), last]
    periods = []
    for start, end in zip(starts, ends, strict=True):
        ownership = OwnershipGraph(stakes, start, end, basis)
        periods.append(ControlPeriod(start, end, controller(ownership, controls_on(known, start, end), owned)))
    return tuple(_joined(periods))


def _joined(periods: Iterable[ControlPeriod]) -> Iterator[ControlPeriod]:
    """Join periods of one party that follow each other."""
    for _, group in groupby(periods, key=lambda period: period.party):
        part = list(group)
        yield ControlPeriod(part[0].first, part[-1].last, part[-1].controller)


def _change_days(
    stakes: StakeColumns, rows: Sequence[int], known: Iterable[Control], first: date | None, last: date | None
) -> set[date]:
    """Return the days after the first on which a stake of some rows or a control surely begins, or may end."""
    if first is not None and first == last:
        return set()
    dates = [edtf.parse(control.since).latest for control in known if control.since]
    dates += [edtf.parse(control.until).earliest for control in known if control.until]
    ordinals = {*stakes.began[rows, 1].tolist(), *stakes.ended[rows, 0].tolist()}
    days = {day for day in dates if day is not None}
    days |= {date.fromordinal(day) for day in ordinals if 0 < day <= _LAST_DAY}  # others are open
    return {day for day in days if (first is None or first < day) and (last is None or day <= last)}


def _above_of_any_time(
    ownership: OwnershipGraph, controls: Mapping[str, Sequence[Control]], owned: str
) -> tuple[list[int], list[Control]]:
    """Return rows of the stakes that may have held on some of the days, and all controls, above an asset or entity."""
    ids, index = ownership.nodes.ids, ownership.nodes.index
    rows, known = list[int](), list[Control]()
    met, todo = set(), [ids[ownership.number(owned)]]
    while todo:
        name = todo.pop()
        if name in met or name not in index:
            continue
        met.add(name)
        holdings = ownership.recorded(ownership.holdings(index[name]))
        rows += [int(ownership.graph.row[holding.edge]) for holding in holdings]
        declared = controls.get(name, ())
        known += declared
        todo += [ids[holding.owner] for holding in holdings] + [control.controller for control in declared]
    return rows, known


def controls_on(controls: Iterable[Control], first: date | None, last: date | None) -> dict[str, tuple[Control, ...]]:
    """Select the declared and consolidating controls that surely held on every day, by the id of the controlled."""
    selected: dict[str, list[Control]] = defaultdict(list)
    for control in controls:
        sure = control.kind in CONTROLLING and control.checked != "unverified"
        if sure and edtf.valid_as_stated(control.since, control.until, first, last) == "yes":
            selected[control.controlled].append(control)
    return {controlled: tuple(held) for controlled, held in selected.items()}


def controller(ownership: OwnershipGraph, declared: Mapping[str, tuple[Control, ...]], asset: str) -> Controller | None:
    """Return who controls an asset or entity, or ``None`` where nobody surely does.

    Of all its controllers it is the topmost: whom none of the others controls. A joint company controls nothing, as
    its partners control it together.

    Parameters
    ----------
    ownership
        The stakes of the days.
    declared
        Controls that held on all the days, by the id of the controlled (see ``controls_on``).
    asset
        Id of an asset or entity.

    Raises
    ------
    UnknownRecord
        If there is no such asset or entity.
    """
    ownership.number(asset)
    above = _above(ownership, declared, asset)
    below = _below(above, declared)
    controllers = {}
    for name in sorted(above):
        reached = _controlled_from(ownership, declared, name, above, below)
        part = {entity: stakes for entity, stakes in above.items() if entity in reached} if asset in reached else {}
        if asset in (steps := _control_steps(ownership, declared, name, part)):
            controllers[name] = steps
    acts_with_state = {body for name in controllers for body in _bodies(ownership, name, above)}
    tops = [
        name
        for name in controllers
        if name not in acts_with_state
        and not any(name in steps for entity, steps in controllers.items() if entity != name)
    ]
    if len(tops) != 1 or ownership.nodes.joint[ownership.nodes.index[tops[0]]]:
        return None
    top = tops[0]
    start = ownership.start(top)
    country = ownership.end(start).country if ownership.has_one_country(start.node) else None
    return Controller(top, country, _reach(ownership, top), lambda: _steps_down(ownership, controllers[top], asset))


def _reach(ownership: OwnershipGraph, top: str) -> Reach:
    kind = ownership.nodes.kind[ownership.nodes.index[top]]
    if kind in (_STATE, _BODY):
        return "state"
    return "holder" if kind == _PERSON else "company"


def _above(
    ownership: OwnershipGraph, declared: Mapping[str, tuple[Control, ...]], asset: str
) -> dict[str, tuple[_Held, ...]]:
    """Return the asset and everything that holds or controls a part of it, each with the stakes in it, by id."""
    ids, index = ownership.nodes.ids, ownership.nodes.index
    above: dict[str, tuple[_Held, ...]] = {}
    todo = [asset]
    while todo:
        name = todo.pop()
        if name in above:
            continue
        holdings = [holding for holding in ownership.holdings(index[name]) if holding.low > 0]
        above[name] = tuple(_Held(ids[holding.owner], holding) for holding in holdings)
        todo += [held.owner for held in above[name]]
        todo += [control.controller for control in declared.get(name, ()) if control.controller in index]
    return above


def _below(above: Mapping[str, tuple[_Held, ...]], declared: Mapping[str, tuple[Control, ...]]) -> dict[str, list[str]]:
    """Return what each holder or declared controller has a part of, by the id of the holder."""
    below: dict[str, list[str]] = defaultdict(list)
    for name, stakes in above.items():
        for holder in {*(stake.owner for stake in stakes), *(control.controller for control in declared.get(name, ()))}:
            below[holder].append(name)
    return below


def _controlled_from(
    ownership: OwnershipGraph,
    declared: Mapping[str, tuple[Control, ...]],
    top: str,
    above: Mapping[str, tuple[_Held, ...]],
    below: Mapping[str, list[str]],
) -> set[str]:
    """Return one party and all that it controls, by following only what the members of that set hold."""
    members = {top} | _bodies(ownership, top, above)
    todo = list(members)
    while todo:
        for name in below.get(todo.pop(), ()):
            if name not in members and _control_step(members, above[name], declared.get(name, ())):
                members.add(name)
                todo.append(name)
    return members


def _control_steps(
    ownership: OwnershipGraph,
    declared: Mapping[str, tuple[Control, ...]],
    top: str,
    above: Mapping[str, tuple[_Held, ...]],
) -> dict[str, _Step]:
    """Return all that one party controls, by id, with the step of control: grown until nothing is added."""
    steps: dict[str, _Step] = {}
    members = {top} | _bodies(ownership, top, above)
    grown = True
    while grown:
        grown = False
        for name in above:
            if name not in members and (step := _control_step(members, above[name], declared.get(name, ()))):
                steps[name] = step
                members.add(name)
                grown = True
    return steps


def _bodies(ownership: OwnershipGraph, top: str, above: Iterable[str]) -> set[str]:
    """Return the bodies of a state among some ids: they act with it without a stake, and wherever they sit."""
    nodes = ownership.nodes
    state = nodes.index[top]
    if nodes.kind[state] != _STATE:
        return set()
    bodies = (name for name in above if nodes.kind[nodes.index[name]] == _BODY)
    return {name for name in bodies if nodes.registered[nodes.index[name]] == nodes.registered[state]}


def _control_step(members: set[str], stakes: tuple[_Held, ...], declared: tuple[Control, ...]) -> _Step | None:
    """Return how the members control an entity together, or ``None`` if they do not."""
    held = tuple(stake for stake in stakes if stake.owner in members)
    controls = tuple(control for control in declared if control.controller in members)
    low = round(100 * sum(stake.holding.low for stake in held), _DIGITS)
    return _Step(held, controls) if controls or low > 50 else None


def _steps_down(ownership: OwnershipGraph, steps: Mapping[str, _Step], asset: str) -> Iterator[ControlStep]:
    """Yield the steps that lead to the asset, topmost first."""
    needed: set[str] = set()
    todo = [asset]
    while todo:
        name = todo.pop()
        if name in steps and name not in needed:
            needed.add(name)
            todo += steps[name].holders
    for name, step in steps.items():
        if name in needed:
            stakes = tuple(ownership.stake(held.holding) for held in step.held)
            share = Interval(sum(stake.share_min for stake in stakes), sum(stake.share_max for stake in stakes))
            yield ControlStep(name, step.holders, share, stakes, step.declared)
