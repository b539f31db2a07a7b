"""What keeps a set of records from being printed, all at once, and how many of its events are established how well.

The rules on what an editor would not print are each over the strikes of records that are not drafts. What was hit is
read from decisions alone: what only the machine proposes is in no headline here. A record at fault is named once for
each rule and column, with all strikes that cannot be printed for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from types import MappingProxyType

import shapely

from layers.decisions.hits import StrikeOutcome, finding
from layers.model import edtf
from layers.model.messages import Argument, Message
from layers.model.problems import Problem, ReadResult, SourceLocation, problem_of
from layers.model.records import Asset, Claim, Entity, Records, Source, Stake, Strike
from layers.ownership.chains import Chain
from layers.ownership.owners import OwnersByDate
from layers.ownership.stake_graph import StakeColumns
from layers.resolution.independent_reports import reporters_of

#: Days after which a record must have been looked at again: first reports of an attack are corrected within weeks.
LOOK_AGAIN = timedelta(days=30)
#: What a coordinate stands for that is no place of the site itself.
_TOWNS = frozenset({"settlement", "district"})
#: What a coordinate stands for that is a place of the site itself.
_SITES = frozenset({"site", "field"})


def _words(text: str) -> frozenset[str]:
    return frozenset("".join(letter if letter.isalnum() else " " for letter in text.casefold()).split())


#: Words that together in a name, which is in English, let a holder look like a state, a body of it or its company.
STATE_WORDS = tuple(
    map(
        _words,
        (
            *("authority", "emirate", "federal", "government", "kingdom", "ministry", "municipal", "municipality"),
            *("national", "province", "republic", "sovereign", "state", "sultanate"),
            *("central bank", "investment fund", "property fund", "wealth fund"),
        ),
    )
)
#: Languages that a title is wanted in beside English.
_TITLE_LANGUAGES = ("uk", "de")
#: Names of companies that hold such a word and no state.
_NO_STATES = ("State Farm", "State Street")
#: What leaves a decision without a name: `who` holds nothing else.
_NO_NAME = _words("a admin anonymous editor editorial editors staff strikeatlas team the user users")
#: What says nothing of the grounds of a decision: `why` holds nothing else.
_NO_GROUNDS = _words(
    "a according all and are as asset by clear confirm confirmed confirms hit in is it name names obvious of ok on "
    "report reported reports same say says see site so source sources that the this to yes"
)


@dataclass(frozen=True, slots=True)
class Objection:
    """One record that keeps a strike from being printed, or a decision of which an editor is warned.

    ``column``, ``value`` and ``expected`` are those of a `Problem`.
    """

    strike: str
    table: str
    record: str
    column: str
    value: Argument
    expected: Message


class PublishedStrikes:
    """The strikes of records that are not drafts, with what decisions say they hit and whose that was."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.strikes = tuple(strike for strike in records.strikes.values() if strike.status != "draft")
        self._owners = OwnersByDate(StakeColumns.of(records))

    def headline(self, strike: Strike) -> Iterator[Chain]:
        """Yield the chains that give a country a share of what was hit, on the days of the strike."""
        days = edtf.parse(strike.when)
        owners = self._owners.on(days.earliest, days.latest)
        for asset in struck_assets(self.records, strike):
            yield from (chain for chain in owners.of(asset.id).chains.paths if chain.end.country is not None)

    def sources(self, strike: Strike) -> Iterator[Source]:
        """Yield the sources of a strike and of the claims on it, each once."""
        names = dict.fromkeys((*strike.sources, *(claim.source for claim in claims_on(self.records, strike))))
        yield from (self.records.sources[name] for name in names if name in self.records.sources)


def outcome_of(records: Records, strike: Strike) -> StrikeOutcome:
    """Return what the decisions on a strike say that it hit."""
    return finding(strike.id, records.where("decisions", "strike", strike.id), None)


def struck_assets(records: Records, strike: Strike, *, is_confirmed: bool = False) -> Iterator[Asset]:
    """Yield the assets that a decision on a strike confirms or holds possible, or only those that it confirms."""
    for hit in outcome_of(records, strike).hits:
        if hit.asset in records.assets and (hit.verdict == "confirmed" or not is_confirmed):
            yield records.assets[hit.asset]


def claims_on(records: Records, strike: Strike) -> Iterable[Claim]:
    """Return the claims on a strike."""
    claims: Iterable[Claim] = records.where("claims", "record", strike.id)
    return claims


def unverified_headlines(published: PublishedStrikes) -> Iterator[Objection]:
    """Yield what nobody checked of the chains of a headline: stakes, and countries of holders that are stated."""
    checked = Message("publishable.checked")
    for strike in published.strikes:
        for chain in published.headline(strike):
            for step in chain.steps:
                if step.stake.checked == "unverified":
                    yield Objection(strike.id, "stakes", step.stake.id, "checked", "unverified", checked)
            for entity in _entities(published.records, chain):
                if entity.checked == "unverified" and (entity.registered_in or entity.headquartered_in):
                    yield Objection(strike.id, "entities", entity.id, "checked", "unverified", checked)


def _entities(records: Records, chain: Chain) -> Iterator[Entity]:
    """Yield the holders of a chain, with the one that its share stays with."""
    names = dict.fromkeys((*(step.stake.owner for step in chain.steps), chain.end.entity))
    yield from (records.entities[name] for name in names if name is not None and name in records.entities)


def unclaimed(published: PublishedStrikes) -> Iterator[Objection]:
    """Yield strikes on which no source is quoted."""
    for strike in published.strikes:
        claims = list(claims_on(published.records, strike))
        if not any(claim.quote for claim in claims):
            value = Message("publishable.no-quote", {"n": len(claims)}) if claims else Message("value.none")
            yield Objection(strike.id, "strikes", strike.id, "claims", value, Message("publishable.quoted-claim"))


def unnamed_sources(published: PublishedStrikes) -> Iterator[Objection]:
    """Yield sources of strikes without title or date; of data, which has a licence, a day of retrieval is enough."""
    for strike in published.strikes:
        for source in published.sources(strike):
            missing = {"title": "publishable.title"} if source.title is None else {}
            if source.published is None and (source.licence is None or source.retrieved is None):
                is_data = source.licence is not None
                missing["published"] = f"publishable.published{'-or-retrieved' if is_data else ''}"
            for column, code in missing.items():
                yield Objection(strike.id, "sources", source.id, column, Message("value.missing"), Message(code))


def town_centroids(published: PublishedStrikes) -> Iterator[Objection]:
    """Yield strikes that stand on the middle of a town although a site that they hit has a better point."""
    for strike in published.strikes:
        confirmed = struck_assets(published.records, strike, is_confirmed=True)
        better = [asset for asset in confirmed if _is_better(asset, strike)]
        if strike.basis in _TOWNS and better:
            best = min(better, key=lambda asset: (asset.uncertainty_m or 0.0, asset.id))
            value = Message("publishable.place", {"basis": strike.basis, "metres": strike.uncertainty_m})
            point = {"asset": best.id, "basis": best.basis, "metres": best.uncertainty_m}
            yield Objection(strike.id, "strikes", strike.id, "basis", value, Message("publishable.point-of", point))


def _is_better(asset: Asset, strike: Strike) -> bool:
    """Return whether the place of an asset is a point or an area that is known better than that of a strike."""
    is_line = isinstance(asset.geometry, shapely.LineString | shapely.MultiLineString)
    if asset.geometry is None or asset.uncertainty_m is None or strike.uncertainty_m is None or is_line:
        return False
    return asset.basis in _SITES and asset.uncertainty_m < strike.uncertainty_m


def ownerless_states(published: PublishedStrikes) -> Iterator[Objection]:
    """Yield holders in headlines that look like a state's and that nothing leads from to a state.

    A body of a state is of that state by its country. A holder of which others are known to have more than half is none
    of a state's, whatever its name says.
    """
    records = published.records
    owned_by_states = _reaches_states(records)
    for strike in published.strikes:
        for chain in published.headline(strike):
            for entity in _entities(records, chain):
                if entity.id not in owned_by_states and _looks_like_a_state(entity) and not _is_held(records, entity):
                    yield Objection(
                        strike.id, "entities", entity.id, "name", entity.name, Message("publishable.state-owner")
                    )


def _looks_like_a_state(entity: Entity) -> bool:
    if entity.type == "stateBody":
        return entity.registered_in is None
    if entity.type in ("state", "person") or entity.name.startswith(_NO_STATES):
        return False
    return any(words <= _words(name) for name in (entity.name, *entity.aliases) for words in STATE_WORDS)


def _is_held(records: Records, entity: Entity) -> bool:
    stakes: Iterable[Stake] = records.where("stakes", "owned", entity.id)
    return sum(stake.share_min for stake in stakes if stake.checked != "unverified") > 50


def _reaches_states(records: Records) -> set[str]:
    """Return the entities from which stakes or controls lead, at whatever time, to a state or a body of one."""
    below: dict[str, set[str]] = defaultdict(set)
    for stake in records.stakes.values():
        below[stake.owner].add(stake.owned)
    for control in records.controls.values():
        below[control.controller].add(control.controlled)
    states = {
        entity.id
        for entity in records.entities.values()
        if entity.type == "state" or (entity.type == "stateBody" and entity.registered_in)
    }
    reached, ahead = set(states), list(states)
    while ahead:
        fresh = below[ahead.pop()] - reached
        reached |= fresh
        ahead += fresh
    return reached


def not_looked_at_again(published: PublishedStrikes) -> Iterator[Objection]:
    """Yield strikes of which no source was published or retrieved 30 days or more after they happened.

    The sources are those of the strike and of the claims on it. A strike is let be until its 30 days are over by the
    newest day on which any source of the records was retrieved.
    """
    newest = max(
        filter(None, (_first_day(source.retrieved) for source in published.records.sources.values())), default=None
    )
    for strike in published.strikes:
        days = edtf.parse(strike.when)
        happened = days.latest or days.earliest
        if happened is None or newest is None or happened > newest - LOOK_AGAIN:
            continue
        due = happened + LOOK_AGAIN
        seen = [
            _first_day(text) for source in published.sources(strike) for text in (source.published, source.retrieved)
        ]
        last = max(filter(None, seen), default=None)
        if last is None or last < due:
            value: Argument = Message("value.none") if last is None else last.isoformat()
            expected = Message("publishable.looked-at-again", {"day": due.isoformat()})
            yield Objection(strike.id, "strikes", strike.id, "sources", value, expected)


def _first_day(text: str | None) -> date | None:
    return edtf.parse(text).earliest if text else None


def _empty_words(column: str, empty: frozenset[str], published: PublishedStrikes) -> Iterator[Objection]:
    """Yield decisions whose text in a column has no other words than those that say nothing."""
    for strike in published.strikes:
        for decision in published.records.where("decisions", "strike", strike.id):
            text = getattr(decision, column)
            if not _words(text) - empty:
                expected = Message(f"publishable.{column}")
                yield Objection(strike.id, "decisions", decision.id, column, text, expected)


def untranslated_titles(published: PublishedStrikes) -> Iterator[Objection]:
    """Yield strikes whose title is not in every language that it is wanted in."""
    for strike in published.strikes:
        if not strike.titles.keys() >= set(_TITLE_LANGUAGES):
            value: Argument = ", ".join(sorted(strike.titles)) or Message("value.none")
            expected = Message("publishable.titles", {"languages": ", ".join(_TITLE_LANGUAGES)})
            yield Objection(strike.id, "strikes", strike.id, "titles", value, expected)


Rule = Callable[[PublishedStrikes], Iterator[Objection]]
#: What keeps a strike from being printed, by the name of the rule.
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "unverified-headline": unverified_headlines,
        "no-quoted-claim": unclaimed,
        "source-without-title-or-date": unnamed_sources,
        "town-centroid": town_centroids,
        "state-without-owner": ownerless_states,
        "not-looked-at-again": not_looked_at_again,
    }
)
#: What an editor is warned of, by the name of the rule.
WARNINGS: Mapping[str, Rule] = MappingProxyType(
    {
        "anonymous-decision": partial(_empty_words, "who", _NO_NAME),
        "groundless-decision": partial(_empty_words, "why", _NO_GROUNDS),
        "untranslated-title": untranslated_titles,
    }
)


#: An event is located if its place is known to so many metres.
LOCATED_M = 3000.0


@dataclass(frozen=True, slots=True)
class PublishProblem:
    """A record at fault by one rule, where it stands, and the strikes that cannot be printed for it."""

    rule: str
    problem: Problem
    strikes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventCounts:
    """Numbers of events, which are strikes that are not retracted and that nobody decided were none.

    Attributes
    ----------
    events
        All of them.
    two_voices
        Those that two or more independent sources report.
    located
        Those whose place is known to `LOCATED_M`, or that hit a line or an area that a decision confirms.
    """

    events: int
    two_voices: int
    located: int


@dataclass(frozen=True, slots=True)
class PublishReport:
    """All that keeps records from being printed, what editors are warned of, and the events by status."""

    problems: tuple[PublishProblem, ...]
    warnings: tuple[PublishProblem, ...]
    drafts: EventCounts
    others: EventCounts


def check_publishable(result: ReadResult) -> PublishReport:
    """Find all that keeps the strikes of a read from being printed, in the order of files and lines."""
    records = result.records
    published = PublishedStrikes(records)
    events = [strike for strike in records.strikes.values() if _is_event(records, strike)]
    return PublishReport(
        _problems(RULES, published, result.locations),
        _problems(WARNINGS, published, result.locations),
        _counts(records, [strike for strike in events if strike.status == "draft"]),
        _counts(records, [strike for strike in events if strike.status != "draft"]),
    )


def _problems(
    rules: Mapping[str, Rule], published: PublishedStrikes, locations: Mapping[tuple[str, str], SourceLocation]
) -> tuple[PublishProblem, ...]:
    """Name each record at fault once by rule and column, with the strikes that it keeps from being printed."""
    strikes: dict[tuple[str, str, str, str], dict[str, None]] = defaultdict(dict)
    first: dict[tuple[str, str, str, str], Objection] = {}
    for rule, look in rules.items():
        for objection in look(published):
            key = (rule, objection.table, objection.record, objection.column)
            first.setdefault(key, objection)
            strikes[key][objection.strike] = None
    problems = [
        PublishProblem(key[0], problem_of(locations, *key[1:], one.value, one.expected), tuple(strikes[key]))
        for key, one in first.items()
    ]
    return tuple(sorted(problems, key=lambda one: (one.problem.file, one.problem.row or 0, one.rule)))


def _is_event(records: Records, strike: Strike) -> bool:
    decision = outcome_of(records, strike).decision
    return strike.status != "retracted" and (decision is None or decision.verdict != "not-a-strike")


def _counts(records: Records, events: Sequence[Strike]) -> EventCounts:
    return EventCounts(
        len(events),
        sum(len(reporters_of(strike, records.sources)) >= 2 for strike in events),
        sum(is_located(records, strike) for strike in events),
    )


def is_located(records: Records, strike: Strike) -> bool:
    """Return whether a strike is placed to 3 km, or on a line or an area that a decision confirms.

    One on several sites has no point of its own that is as good: it is located where each of them is.
    """
    sites = tuple(struck_assets(records, strike, is_confirmed=True))
    if _is_placed(strike) or not sites:
        return _is_placed(strike)
    return all(
        (site.geometry is not None and site.geometry.length > 0) or (len(sites) > 1 and _is_placed(site))
        for site in sites
    )


def _is_placed(record: Strike | Asset) -> bool:
    return record.geometry is not None and record.uncertainty_m is not None and record.uncertainty_m <= LOCATED_M
