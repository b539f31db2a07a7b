"""Three readings of whose it was, side by side: by registration, by head office, and by control.

The first two give each country the share of its ultimate holders, by where these are registered and by where they are
run from. The third names who controls each site, and gives a share of 100 percent of it: of several sites together a
controller has the part of them that it controls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Literal

from layers.attribution.attribute import (
    NEGLIGIBLE,
    HitOwnership,
    StrikeAttribution,
    bounds_over_sites,
    is_sure_strike,
    shares_of_sites,
    sure_of_sites,
    sure_owners,
)
from layers.decisions.hits import StrikeOutcome
from layers.model.records import Entity, Relation
from layers.ownership.chains import Chain
from layers.ownership.control import Controller, ControlPeriod
from layers.ownership.walk import CountryShare, Interval, Reach

_ALL, _NONE = Interval(100.0, 100.0), Interval(0.0, 0.0)
_STATES = ("state", "stateBody")
#: How much of what leads to a holder was seen in a source.
HolderEvidence = Literal["verified", "partly-unverified", "unverified"]


@dataclass(frozen=True, slots=True)
class UltimateHolder:
    """A holder by whom a country has a share.

    Attributes
    ----------
    entity, name
        Its id and name; ``is_state`` is set for a state itself, but not for a body of one.
    evidence
        Whether all, a part or none of the paths to it were seen in sources: stakes, and the country they count with.
    seat_known
        Whether a head office is on record, where it takes one: a company without one is counted where it is registered.
    """

    entity: str
    name: str
    is_state: bool = False
    evidence: HolderEvidence = "verified"
    seat_known: bool = True


@dataclass(frozen=True, slots=True)
class CountryPart:
    """A country with its share by registration or head office; ``country`` is ``None`` for the part not known.

    ``sure`` is set where the strike is sure and the country held a part whichever site was hit; ``reaches`` splits the
    share by where its chains end; holders come largest first.
    """

    country: str | None
    share: Interval
    sure: bool
    reaches: Mapping[Reach, Interval]
    holders: tuple[UltimateHolder, ...] = ()


@dataclass(frozen=True, slots=True)
class ControllingParty:
    """A controlling party with the part of the sites that it controls; ``entity`` is ``None`` for nobody known.

    ``country`` is that of registration or nationality, ``seat`` that of the head office of a company.
    """

    entity: str | None
    name: str | None
    country: str | None
    seat: str | None
    reach: Reach | None
    is_state: bool
    share: Interval
    sure: bool


@dataclass(frozen=True, slots=True)
class ThreeReadings:
    """The three readings of one site, or of several together."""

    registration: tuple[CountryPart, ...]
    headquarters: tuple[CountryPart, ...]
    control: tuple[ControllingParty, ...]


@dataclass(frozen=True, slots=True)
class HitReadings:
    """The three readings of one site that was hit, or may have been, with its ties that are no ownership."""

    asset: str
    name: str
    confirmed: bool
    readings: ThreeReadings
    ties: tuple[tuple[Relation, Entity], ...] = ()


@dataclass(frozen=True, slots=True)
class StrikeReadings:
    """The three readings of all that a strike hit, and of each site."""

    outcome: StrikeOutcome
    together: ThreeReadings
    sites: tuple[HitReadings, ...]


def strike_readings(
    registration: StrikeAttribution,
    headquarters: StrikeAttribution,
    control: Mapping[str, tuple[ControlPeriod, ...]],
    entities: Mapping[str, Entity],
    names: Mapping[str, str],
) -> StrikeReadings:
    """Put the three readings of a strike side by side.

    Parameters
    ----------
    registration, headquarters
        The attribution of the strike by each basis, with the same hits.
    control
        Who controlled each asset hit, over the days on which the strike may have been, by its id.
    entities
        The entities of the records.
    names
        The name of each asset hit by its id.
    """
    is_sure = is_sure_strike(registration)
    pairs = tuple(zip(registration.hits, headquarters.hits, strict=True))

    def of(chosen: Sequence[tuple[HitOwnership, HitOwnership]]) -> ThreeReadings:
        registered, run = ([pair[side] for pair in chosen] for side in (0, 1))
        return ThreeReadings(
            tuple(_countries(registered, entities, is_sure)),
            tuple(_countries(run, entities, is_sure)),
            tuple(_controllers(registered, control, entities, is_sure)),
        )

    sites = tuple(
        HitReadings(
            hit.hit.asset,
            names[hit.hit.asset],
            hit.hit.verdict == "confirmed",
            of([(hit, run)]),
            tuple((tie, entities[tie.entity]) for tie in hit.relations),
        )
        for hit, run in pairs
    )
    return StrikeReadings(registration.outcome, of(pairs), sites)


def _countries(hits: Sequence[HitOwnership], entities: Mapping[str, Entity], is_sure: bool) -> Iterator[CountryPart]:
    shares, rest = shares_of_sites(hits)
    sure = sure_of_sites(hits, sure_owners) if is_sure else frozenset()
    for row in shares:
        holders = tuple(_holders(hits, row, entities))
        yield CountryPart(row.country, row.share, row.country in sure, row.reaches, holders)
    if rest.high > NEGLIGIBLE:
        yield CountryPart(None, rest, None in sure, {})


def _holders(
    hits: Sequence[HitOwnership], row: CountryShare, entities: Mapping[str, Entity]
) -> Iterator[UltimateHolder]:
    """Yield the holders that a country's share goes to, each once, those of the largest parts first."""
    met: dict[str, UltimateHolder] = {}
    for hit in hits:
        paths = [chain for chain in hit.owners.chains.paths if chain.end.country == row.country]
        for holder in _holders_of_site(paths, row.country, entities):
            met.setdefault(holder.entity, holder)
    yield from met.values()


def _holders_of_site(paths: Sequence[Chain], country: str, entities: Mapping[str, Entity]) -> Iterator[UltimateHolder]:
    """Yield the company or person that all paths of a country go through, the topmost; else the ends of the paths.

    Shares of a state through its company are the company's, in the words that a reader knows it by; a joint company
    stands for nobody.
    """
    ways = [_way(chain) for chain in paths]
    shared = set(ways[0]).intersection(*ways) if ways else set()
    trunk = [name for name in ways[0] if name in shared and _stands_for(entities[name], country)] if ways else []
    if trunk:
        yield _holder(trunk[-1], paths, entities)
        return
    parts: dict[str, list[Chain]] = {}
    for chain in paths:
        parts.setdefault(chain.end.entity or "", []).append(chain)
    for name, ended in sorted(parts.items(), key=lambda item: -sum(chain.share.high for chain in item[1])):
        if name:
            yield _holder(name, ended, entities)


def _way(chain: Chain) -> list[str]:
    """Return the holders on a path, up to the one that its share counts with."""
    names = [step.stake.owner for step in chain.steps]
    return names[: names.index(chain.end.entity) + 1] if chain.end.entity in names else names


def _stands_for(entity: Entity, country: str) -> bool:
    at_home = country in (entity.registered_in, entity.headquartered_in)
    return at_home and not entity.joint and entity.type not in _STATES


def _holder(name: str, paths: Sequence[Chain], entities: Mapping[str, Entity]) -> UltimateHolder:
    entity = entities[name]
    ends = [entities[chain.end.entity] for chain in paths if chain.end.entity]
    seen = [_seen(chain, entities) for chain in paths]
    return UltimateHolder(
        name,
        entity.name,
        is_state=entity.type == "state",
        evidence="verified" if all(seen) else "partly-unverified" if any(seen) else "unverified",
        seat_known=all(end.headquartered_in or end.type in (*_STATES, "person") for end in ends),
    )


def _seen(chain: Chain, entities: Mapping[str, Entity]) -> bool:
    """Whether each stake on a path was seen in a source, and the country of the holder that it counts with."""
    end = entities[chain.end.entity].checked if chain.end.entity else "read"
    stakes = chain.steps[: len(_way(chain))]
    return "unverified" not in (end, *(step.stake.checked for step in stakes))


def _controllers(
    hits: Sequence[HitOwnership],
    control: Mapping[str, tuple[ControlPeriod, ...]],
    entities: Mapping[str, Entity],
    is_sure: bool,
) -> Iterator[ControllingParty]:
    """Yield each party that controls a site on some of the days, largest part first; nobody comes last."""
    parties = {
        period.controller.entity: period.controller
        for hit in hits
        for period in control[hit.hit.asset]
        if period.controller is not None
    }
    sure = sure_of_sites(hits, _sure_controller(control)) if is_sure else frozenset()
    rows = [
        _controller(party, _controlled(hits, control, name), name in sure, entities) for name, party in parties.items()
    ]
    yield from sorted(rows, key=lambda row: (-row.share.high, -row.share.low, row.entity or ""))
    nobody = _controlled(hits, control, None)
    if nobody.high > 0:
        yield ControllingParty(None, None, None, None, None, False, nobody, None in sure)


def _sure_controller(
    control: Mapping[str, tuple[ControlPeriod, ...]],
) -> Callable[[HitOwnership], Set[str | None]]:
    def of(hit: HitOwnership) -> Set[str | None]:
        names = _names(control[hit.hit.asset])
        return names if len(names) == 1 else frozenset()

    return of


def _names(periods: tuple[ControlPeriod, ...]) -> frozenset[str | None]:
    return frozenset(period.controller.entity if period.controller else None for period in periods)


def _controlled(
    hits: Sequence[HitOwnership], control: Mapping[str, tuple[ControlPeriod, ...]], party: str | None
) -> Interval:
    """Return the bounds of the part of the sites that a party controls, ``None`` for nobody."""

    def of(hit: HitOwnership) -> Interval:
        names = _names(control[hit.hit.asset])
        return _NONE if party not in names else _ALL if len(names) == 1 else Interval(0.0, 100.0)

    return bounds_over_sites(hits, of)


def _controller(party: Controller, share: Interval, sure: bool, entities: Mapping[str, Entity]) -> ControllingParty:
    entity = entities[party.entity]
    return ControllingParty(
        party.entity,
        entity.name,
        party.country,
        entity.headquartered_in,
        party.reach,
        entity.type == "state",
        share,
        sure,
    )
