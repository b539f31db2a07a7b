"""The headline of a strike: where what it hit was registered, from where it was run, and who controlled it.

Where the three readings agree on one country it is named once. Where they do not, all three are said: so no place of
mere registration, such as that of a holding vehicle, stands alone. What makes a registration mere is seen from the
records of the holder itself: another head office, none on record, or a person or state in control. No list of
countries is needed for it. Several sites are told one by one; of several of which one was hit, the ranges hold
whichever it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from layers.attribution.three_readings import (
    ControllingParty,
    CountryPart,
    HitReadings,
    StrikeReadings,
    ThreeReadings,
    UltimateHolder,
)
from layers.model.messages import Argument, Message, alternatives
from layers.model.records import Entity
from layers.ownership.percent import SITE_DIGITS, digits_of, percent_text
from layers.ownership.walk import Interval, Reach

#: Holders of one country that are named; of more it is said that there are others.
_NAMED = 2
#: Countries that are named; of more it is said how many others there are.
_COUNTRIES = 6
#: Sites that are told one by one; of more, all together.
_ONE_BY_ONE = 6
#: Ties that say, beside the owners, under whose hand or claim a site is, in the order in which they are told.
_HEADLINE_TIES = (
    "title-claim",
    "trust",
    "temporary-manager",
    "occupier",
    "production-sharing",
    "licensee",
    "flag",
    "charterer",
)
#: Those of them that set in doubt whose it is.
_DISPUTES = frozenset({"title-claim", "trust", "temporary-manager"})
#: Parts of a share that are told beside the whole.
_PARTS: tuple[Reach, ...] = ("state", "holder")
#: The last part of the code for a controlling party that is no state itself, by how far its control reaches.
_BODIES: Mapping[Reach, str] = {"state": "state-body", "holder": "person", "company": "company"}
#: Shares within this many percent of the whole are the whole.
_ROUNDING = 5e-5


def headline(readings: StrikeReadings, countries: Mapping[str, str]) -> tuple[Message, ...]:
    """Word the three readings of a strike.

    Parameters
    ----------
    readings
        The three readings, of all that was hit and of each site.
    countries
        Names of countries by ISO 3166-1 alpha-2 code; one without a name is called by its code.

    Returns
    -------
    tuple of Message
        Sentences without a full stop, whose first letter may be small; one, but for sites that were hit together.
    """
    sites = readings.sites
    if not sites:
        return (Message("headline.no-site"),)
    confirmed = [site for site in sites if site.confirmed]
    if len(sites) == 1:
        only = _of_site(sites[0], countries)
        by_match = readings.outcome.basis_of_outcome == "match"
        return (Message("headline.by-match", {"clause": only}) if by_match else only,)
    return _site_by_site(readings, confirmed, countries) if confirmed else (_one_of(readings, countries),)


def _one_of(readings: StrikeReadings, countries: Mapping[str, str]) -> Message:
    """Tell sites of which one was hit: once where they are alike, else in ranges that hold whichever it was."""
    sites = readings.sites
    alike = {_of_site(site, countries) for site in sites}
    named: dict[str, Argument] = {"n": len(sites), "sites": alternatives([site.name for site in sites])}
    if len(alike) == 1:
        return Message("headline.one-of-alike", {**named, "clause": alike.pop()})
    clause = _joined([*_clauses(readings.together, countries, _disputed(sites)), *_ties(sites, countries)])
    return Message("headline.one-of", {**named, "clause": clause})


def _of_site(site: HitReadings, countries: Mapping[str, str]) -> Message:
    return _joined([*_clauses(site.readings, countries, _disputed([site])), *_ties([site], countries)])


def _disputed(sites: Iterable[HitReadings]) -> bool:
    """Whether a tie says that another than the owner of record may be behind a site."""
    return any(tie.relation in _DISPUTES for site in sites for tie, _ in site.ties)


def _site_by_site(
    readings: StrikeReadings, confirmed: Sequence[HitReadings], countries: Mapping[str, str]
) -> tuple[Message, ...]:
    """Tell sites that were hit, those that are alike together; where they differ, with the sums in site equivalents."""
    groups: dict[Message, list[str]] = defaultdict(list)
    for site in confirmed:
        groups[_of_site(site, countries)].append(site.name)
    n = len(confirmed)
    others = [site.name for site in readings.sites if not site.confirmed]
    perhaps = [Message("headline.perhaps-also", {"sites": alternatives(others)})] if others else []
    if n == 1:
        return (*groups, *perhaps)
    if len(groups) == 1:
        (clause,) = groups
        return (Message("headline.all-of", {"n": n, "clause": clause}), *perhaps)
    if len(groups) > _ONE_BY_ONE:
        clauses = _clauses(readings.together, countries, _disputed(confirmed), digits_of(n))
        by_site = [_joined([*clauses, *_ties(confirmed, countries)])]
    else:
        by_site = [
            Message("headline.site", {"sites": tuple(names), "clause": clause}) for clause, names in groups.items()
        ]
    sums = [] if others else [_sums(readings.together.registration, n, countries)]
    return (Message("headline.sites", {"n": n}), *by_site, *sums, *perhaps)


def _sums(rows: Sequence[CountryPart], n: int, countries: Mapping[str, str]) -> Message:
    """Say what each country's owners held of all sites together, in site equivalents."""
    parts = [
        Message("headline.sum", {"country": _name(row.country, countries), "sites": _sites(row.share, n)})
        for row in rows
    ]
    return Message("headline.sums", {"n": n, "parts": tuple(parts)})


def _sites(share: Interval, n: int) -> Argument:
    low, high = (percent_text(min(end, 100.0) * n / 100) for end in (share.low, share.high))
    return low if low == high else Message("headline.range", {"low": low, "high": high})


def _clauses(
    readings: ThreeReadings, countries: Mapping[str, str], disputed: bool, digits: int = SITE_DIGITS
) -> list[Message]:
    """Word three readings: in one clause where they agree, else in one for each that says something else.

    Of a company without a head office on record it is not known that they agree, unless a state or person is above it.
    """
    registered, run = readings.registration, readings.headquarters
    same = [(row.country, row.share) for row in registered] == [(row.country, row.share) for row in run]
    without_seat = _without_seat(run)
    alone = _only_country(registered)
    if alone is not None and same and not disputed and _controls_at_home(readings.control, alone.country):
        named = {"country": _name(alone.country, countries), "holders": _details(alone, digits, whole=True)}
        if not without_seat:
            return [Message("headline.agree", named)]
        if readings.control[0].reach != "company":
            return [Message("headline.agree-registered", named), Message("headline.no-seat")]
    control = _control(readings.control, countries)
    if all(row.country is None for row in registered):
        if all(row.country is None for row in run):
            return [Message("headline.no-country"), control]
        seats = [Message("headline.run", {"owners": _owners(run, countries, digits)})]
        return [Message("headline.no-registration"), *seats, control]
    owners = {"owners": _owners(registered, countries, digits)}
    if same and not without_seat:
        return [Message("headline.registered-and-run", owners), control]
    seats = [] if same else [Message("headline.run", {"owners": _owners(run, countries, digits)})]
    if without_seat:
        there = same and _some_seat(run)
        seats.append(Message("headline.run-there" if there else "headline.no-seat-for", {"names": _few(without_seat)}))
    return [Message("headline.registered", owners), *seats, control]


def _some_seat(rows: Sequence[CountryPart]) -> bool:
    return any(holder.seat_known for row in rows for holder in row.holders)


def _only_country(rows: Sequence[CountryPart]) -> CountryPart | None:
    """Return the country that has all of it, or ``None``."""
    if len(rows) == 1 and rows[0].country is not None and rows[0].share.low >= 100 - _ROUNDING:
        return rows[0]
    return None


def _controls_at_home(control: Sequence[ControllingParty], country: str | None) -> bool:
    """Whether one party surely controls all of it, and has no tie to another country."""
    if len(control) != 1 or control[0].share.low < 100:
        return False
    party = control[0]
    return party.country == country and party.seat in (None, country)


def _without_seat(rows: Sequence[CountryPart]) -> list[str]:
    """Name the holders of which no head office is on record, so that they are counted where they are registered."""
    return list(dict.fromkeys(holder.name for row in rows for holder in row.holders if not holder.seat_known))


def _owners(rows: Sequence[CountryPart], countries: Mapping[str, str], digits: int) -> tuple[Message, ...]:
    """Name countries with their shares, the largest only where there are many; and the part not known."""
    known = [row for row in rows if row.country is not None]
    shown = known if len(known) <= _COUNTRIES else known[: _COUNTRIES - 1]
    parts = [_owner(row, countries, digits) for row in shown]
    if len(shown) < len(known):
        parts.append(Message("headline.other-countries", {"n": len(known) - len(shown)}))
    unknown = [
        Message("headline.not-known", {"share": _share(row.share, digits)}) for row in rows if row.country is None
    ]
    return (*parts, *unknown)


def _owner(row: CountryPart, countries: Mapping[str, str], digits: int) -> Message:
    part = {"country": _name(row.country, countries), "share": _share(row.share, digits)}
    if not row.holders:
        return Message("headline.country", part)
    return Message("headline.owner", {**part, "holders": _details(row, digits)})


def _details(row: CountryPart, digits: int, whole: bool = False) -> tuple[str | Message, ...]:
    """Name the holders of a country's share, how far it reaches, and whether they are unverified.

    With ``whole`` the share stands with the holders, as no country stands before it with one.
    """
    share = _share(row.share, digits)
    names = [_holder_name(holder, row, digits) for holder in row.holders]
    named = Message("headline.named", {"names": _few(names)})
    if whole:
        named = Message("headline.holder", {"holder": named, "share": share}) if names else share
    return (named, *_reach(row, digits, whole), *_doubt(row.holders))


def _holder_name(holder: UltimateHolder, row: CountryPart, digits: int) -> str | Message:
    """Name a holder: a state beside others with its part."""
    if not holder.is_state:
        return holder.name
    if len(row.holders) == 1:
        return Message("headline.state")
    return Message("headline.part.state", {"share": _share(row.reaches["state"], digits)})


def _doubt(holders: Sequence[UltimateHolder]) -> list[Message]:
    evidence = {holder.evidence for holder in holders}
    if evidence <= {"verified"}:
        return []
    return [Message("headline.unverified" if evidence == {"unverified"} else "headline.partly-unverified")]


def _reach(row: CountryPart, digits: int, whole: bool) -> list[Message]:
    """Say that a share is a state's or a person's, or which part of it is; a company's only where that is all."""
    if any(holder.is_state for holder in row.holders):
        return []  # it is named
    parts = {reach: part for reach, part in row.reaches.items() if part.high > _ROUNDING}
    if len(parts) == 1:
        (reach,) = parts
        return [Message(f"headline.reach.{reach}")] if whole or reach != "company" else []
    return [
        Message(f"headline.part.{reach}", {"share": _share(parts[reach], digits)}) for reach in _PARTS if reach in parts
    ]


def _few(names: Sequence[str | Message]) -> Argument:
    """Name some, and say that there are others."""
    if len(names) <= _NAMED:
        return tuple(names)
    return Message("headline.and-others", {"names": tuple(names[:_NAMED])})


def _control(rows: Sequence[ControllingParty], countries: Mapping[str, str]) -> Message:
    """Say who controls it; of several, over which it is open by site or day, with "or" between them."""
    if all(row.entity is None for row in rows):
        return Message("headline.control.nobody")
    who: Argument = None
    for row in rows:
        party = _party(row, countries)
        who = party if who is None else Message("language.or", {"one": who, "other": party})
    return Message("headline.control.by", {"who": who})


def _party(row: ControllingParty, countries: Mapping[str, str]) -> Message:
    if row.entity is None:
        return Message("headline.control.none")
    country = _name(row.country, countries)
    if row.is_state:
        return Message("headline.control.state", {"country": country})
    if row.country is None:
        return Message("headline.control.nowhere", {"name": row.name})
    return Message(f"headline.control.{_BODIES[row.reach or 'company']}", {"name": row.name, "country": country})


def _ties(sites: Iterable[HitReadings], countries: Mapping[str, str]) -> list[Message]:
    """Word the ties that say under whose hand or claim a site is, each with all who have it."""
    by_relation: dict[str, dict[str, str | Message]] = defaultdict(dict)
    for site in sites:
        for tie, entity in site.ties:
            by_relation[tie.relation][entity.id] = _tied(entity, countries)
    return [
        Message(f"headline.tie.{relation}", {"who": tuple(by_relation[relation].values())})
        for relation in _HEADLINE_TIES
        if relation in by_relation
    ]


def _tied(entity: Entity, countries: Mapping[str, str]) -> str | Message:
    if entity.registered_in is None or entity.type == "state":
        return entity.name
    return Message("headline.tied", {"name": entity.name, "country": _name(entity.registered_in, countries)})


def _share(share: Interval, digits: int) -> Message:
    low, high = (percent_text(end, digits) for end in (share.low, share.high))
    if low == high:
        return Message("headline.share", {"share": high})
    if low == "0":
        return Message("headline.share-up-to", {"share": high})
    return Message("headline.share", {"share": Message("headline.range", {"low": low, "high": high})})


def _name(country: str | None, countries: Mapping[str, str]) -> str | Message:
    return Message("headline.nowhere") if country is None else countries.get(country, country)


def _joined(clauses: Sequence[Message]) -> Message:
    """Put clauses one after the other."""
    joined, *rest = clauses
    for clause in rest:
        joined = Message("headline.then", {"first": joined, "then": clause})
    return joined
