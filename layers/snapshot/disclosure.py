"""The records that are published: the public ones, as the policy of the operator lets them be at a moment.

Snapshots are made of these records and of nothing else. Answers, matches and distances follow from coordinates as they
are published, and so do tiles, filters and orders: none of them can tell more than the records do.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from itertools import chain
from types import MappingProxyType
from typing import Any

from layers.decisions.identity import MergeGroups, merge_groups
from layers.disclosure.policy import ALWAYS, OPEN, Policy, of_values
from layers.disclosure.ruling import Ruling, gives_away, withheld_fields
from layers.model.records import RECORD_TYPES, REFERENCES, Record, Records
from layers.resolution.table_edit import TableEdit
from layers.snapshot.incremental import differing
from layers.snapshot.public_records import private_ids, public, referring
from layers.store.store import Store

#: Reasons why something is withheld, as answers name them.
EMBARGO, ROUNDED, FIELDS = "embargo", "rounded", "fields"


@dataclass(frozen=True, eq=False)
class TableRulings:
    """The rulings of a policy on the records of one table.

    Parameters
    ----------
    name, table
        The table, and the records that they are on.
    of
        Rulings that withhold something now or later, by id.
    published
        The records of which parts are withheld, as they are published.
    cited
        Sources of the records that an embargo is about.
    """

    name: str
    table: Mapping[str, Record]
    of: Mapping[str, Ruling]
    published: Mapping[str, Record]
    cited: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, eq=False)
class CitationCounts:
    """How many records of a table cite each source."""

    table: Mapping[str, Record]
    counts: Counter[str]


@dataclass(frozen=True, eq=False)
class Disclosure:
    """What is published of stored records at a moment, and how much is not.

    Parameters
    ----------
    records, policy
        The records that are published, the stored ones themselves where all of them are; and by which policy.
    withheld
        Number of records by reason (`EMBARGO`, `ROUNDED`, `FIELDS`) and table; private records are never counted.
    next_due, last_due
        When the next embargo ends, and when the last one ended, in UTC; ``None`` where there is none.
    rulings
        Of each record by itself, by table, for the next version.
    together
        Of strikes and assets, those that are judged to be one taken together, by table.
    citations
        How often each source is cited, by the table of the records that do, where the policy has embargoes.
    """

    records: Records
    policy: Policy = OPEN
    withheld: Mapping[str, Mapping[str, int]] = field(default_factory=lambda: MappingProxyType({}))
    next_due: datetime | None = None
    last_due: datetime | None = None
    rulings: Mapping[str, TableRulings] = field(default_factory=lambda: MappingProxyType({}))
    together: Mapping[str, TableRulings] = field(default_factory=lambda: MappingProxyType({}))
    citations: Mapping[str, CitationCounts] = field(default_factory=lambda: MappingProxyType({}))

    def ruling(self, table: str, record: str) -> Ruling:
        """What the policy says of a record that is stored."""
        rulings = self.together.get(table, self.rulings.get(table))
        return Ruling() if rulings is None else rulings.of.get(record, Ruling())

    @cached_property
    def waited_for(self) -> Mapping[str, Sequence[str]]:
        """The strikes that each source waits or waited for, as nothing cites it but strikes that the policy embargoes.

        Nor does anything but what is about these.
        """
        if not self.citations:
            return {}
        cited = self.rulings["strikes"].cited
        citing: defaultdict[str, list[str]] = defaultdict(list)
        for strike, sources in cited.items():
            for source in set(sources):
                citing[source].append(strike)
        for name, references in REFERENCES.items():
            columns = [column for column, targets in references.items() if "strikes" in targets]
            for record in self.citations[name].table.values() if columns else ():
                about = [value for column in columns if (value := getattr(record, column)) in cited]
                for source in set(_sources(name, record)) if about else ():
                    citing[source].append(about[0])
        totals = [one.counts for one in self.citations.values()]
        return {
            one: strikes for one, strikes in citing.items() if len(strikes) == sum(counts[one] for counts in totals)
        }


def policy_of(store: Store, seq: int | None = None) -> Policy:
    """The policy that a store has as of a change, by default now; `OPEN` where it has none.

    Raises
    ------
    ProblemsError
        If another version of this program wrote one that this version cannot read: nothing is published without it.
    """
    values = store.policy(seq)
    return OPEN if values is None else of_values(values, "the policy in the store")


def withdraws(stored: Records, policy: Policy, published: Disclosure) -> bool:
    """Whether stored records and a policy withhold what was published: by that policy, or as a record became private.

    Another policy that withholds anything is taken to do so without a look at the records.
    """
    if policy != published.policy and not policy.is_open:
        return True
    shown = published.records
    return any(key in shown.table(name) for name in RECORD_TYPES for key in private_ids(stored.table(name)))


def disclose(stored: Records, policy: Policy, now: datetime, before: Disclosure | None = None) -> Disclosure:
    """What is published of stored records.

    Parameters
    ----------
    now
        With a zone; embargoes that have ended by then withhold nothing.
    before
        What was published of an earlier version by the same policy: records that it has alike are not judged again.
    """
    shown = public(stored)
    if policy.is_open:
        return Disclosure(shown, policy)
    known = {} if before is None else before.rulings
    rulings = {table: _ruled(shown, policy, table, known.get(table)) for table in _tables(policy)}
    groups = merge_groups(shown)[0]
    as_one = {name: _judged_as_one(rulings[name], groups[name]) for name in ("strikes", "assets")}
    strikes = as_one["strikes"]
    dues = {ruling.due for ruling in strikes.of.values()}
    held = {key for key, ruling in strikes.of.items() if ruling.due is None or ruling.due > now}
    citations = _citations(shown, {} if before is None else before.citations) if policy.embargo else {}
    gone = _with_dependents(shown, held, rulings["strikes"].cited, citations)
    together = {**rulings, **as_one}
    changed = {table: _without(part.published, gone[table]) for table, part in together.items()}
    revealing = _revealing_claims(shown, changed) - gone["claims"]
    withheld = _counts(gone, revealing, changed)
    gone["claims"] |= revealing
    tables: dict[str, Any] = {
        name: _edited(shown.table(name), changed.get(name, {}), gone[name]) for name in RECORD_TYPES
    }
    return Disclosure(
        records=replace(shown, **tables) if withheld else shown,
        policy=policy,
        withheld=withheld,
        next_due=min((due for due in dues if due is not None and due > now), default=None),
        last_due=max((due for due in dues if due is not None and ALWAYS < due <= now), default=None),
        rulings=MappingProxyType(rulings),
        together=MappingProxyType(as_one),
        citations=citations,
    )


def lifted_by_write(
    stored: Records, before: Disclosure, table: str, key: str, record: Record | None, now: datetime
) -> tuple[str, ...]:
    """What a policy withholds of stored records and would no longer, in words, once one is written.

    Parameters
    ----------
    before
        What is published of the stored records.
    record
        The record as it would be, new or not; ``None`` where it would be removed.
    """
    if before.policy.is_open:
        return ()
    rows = stored.table(table)
    if record is None or key in rows:
        written = _edited(rows, {} if record is None else {key: record}, {key} if record is None else set())
    else:
        written = MappingProxyType({**rows, key: record})
    tables: dict[str, Any] = {table: written}
    after = disclose(replace(stored, **tables), before.policy, now, before)
    return tuple(dict.fromkeys(chain.from_iterable(_lifted(before, after, name, now) for name in before.rulings)))


def _lifted(before: Disclosure, after: Disclosure, name: str, now: datetime) -> Iterator[str]:
    following = after.together.get(name, after.rulings[name]).of
    for key, ruling in before.together.get(name, before.rulings[name]).of.items():
        if (then := following.get(key)) is ruling:  # as of nearly all
            continue
        if key not in after.rulings[name].table:  # history shows what the ruling of the record alone lets be published
            then = before.rulings[name].of.get(key)
        yield from ruling.lifted_by(then or Ruling(), now)


def _tables(policy: Policy) -> tuple[str, ...]:
    return tuple(dict.fromkeys(("strikes", "assets", *(rule.table for rule in policy.withhold))))


def _ruled(shown: Records, policy: Policy, name: str, before: TableRulings | None) -> TableRulings:
    table = shown.table(name)
    records: Iterable[tuple[str, Record | None]] = table.items()
    of: dict[str, Ruling] = {}
    published: dict[str, Record] = {}
    cited: dict[str, tuple[str, ...]] = {}
    if before is not None:
        of, published, cited = dict(before.of), dict(before.published), dict(before.cited)
        records = ((key, table.get(key)) for key in differing(before.table, table))
    for key, record in records:
        of.pop(key, None)
        published.pop(key, None)
        cited.pop(key, None)
        if record is None:
            continue
        ruling = Ruling.of(policy, name, record)
        if ruling != Ruling():
            of[key] = ruling
            if (shown_as := ruling.applied(name, record)) is not record:
                published[key] = shown_as
            if ruling.due != ALWAYS:
                cited[key] = tuple(_sources(name, record))
    return TableRulings(name, table, of, published, cited)


def _judged_as_one(rulings: TableRulings, merged: MergeGroups) -> TableRulings:
    """Rulings on the records of a table of which those that are judged to be one share the strictest."""
    groups: dict[str, list[str]] = defaultdict(list)
    for member, leader in merged.leaders().items():
        groups[leader].append(member)
    of, published = dict(rulings.of), dict(rulings.published)
    for leader, others in groups.items():
        members = [key for key in (leader, *others) if key in rulings.table]
        strictest = Ruling()
        for key in members:
            strictest &= rulings.of.get(key, Ruling())
        if strictest == Ruling():
            continue
        for key in members:
            of[key], record = strictest, rulings.table[key]
            shown_as = strictest.applied(rulings.name, record)
            if shown_as is not record and of[key] != rulings.of.get(key):
                published[key] = shown_as
    return TableRulings(rulings.name, rulings.table, of, published, rulings.cited)


def _with_dependents(
    shown: Records,
    held: set[str],
    cited_by: Mapping[str, tuple[str, ...]],
    citations: Mapping[str, CitationCounts],
) -> dict[str, set[str]]:
    """Ids of strikes and of the records that refer to them, by table, with the sources that only these cite.

    ``cited_by`` has the sources of each strike that was embargoed by itself.
    """
    gone: dict[str, set[str]] = {name: set() for name in RECORD_TYPES}
    gone["strikes"] = held
    if not held:
        return gone
    cited: Counter[str] = Counter()
    for key in held:
        cited.update(set(cited_by[key] if key in cited_by else _sources("strikes", shown.strikes[key])))
    for name, references in REFERENCES.items():
        for column, targets in references.items():
            if "strikes" not in targets:
                continue
            for record in referring(shown, name, column, held):
                if record.id not in gone[name]:
                    gone[name].add(record.id)
                    cited.update(set(_sources(name, record)))
    gone["sources"] = {
        source for source, number in cited.items() if number == sum(one.counts[source] for one in citations.values())
    }
    return gone


def _sources(name: str, record: Record) -> Iterator[str]:
    for column, targets in REFERENCES.get(name, {}).items():
        if targets == ("sources",):
            value = getattr(record, column)
            if isinstance(value, tuple):
                yield from value
            elif value is not None:
                yield value


def _citations(shown: Records, before: Mapping[str, CitationCounts]) -> Mapping[str, CitationCounts]:
    """How often each source is cited; of a table that was counted before only what differs is counted."""
    return MappingProxyType({name: _counted(name, shown.table(name), before.get(name)) for name in REFERENCES})


def _counted(name: str, table: Mapping[str, Record], before: CitationCounts | None) -> CitationCounts:
    if before is None:
        return CitationCounts(table, Counter(one for record in table.values() for one in set(_sources(name, record))))
    counts = Counter(before.counts)
    for key in differing(before.table, table):
        for records, sign in ((before.table, -1), (table, 1)):
            record = records.get(key)
            for source in set(_sources(name, record)) if record is not None else ():
                counts[source] += sign
    return CitationCounts(table, counts)


def _without(published: Mapping[str, Record], gone: set[str]) -> dict[str, Record]:
    return {key: record for key, record in published.items() if key not in gone}


def _revealing_claims(shown: Records, changed: Mapping[str, Mapping[str, Record]]) -> set[str]:
    """Claims that state what is withheld of the record that they are about."""
    withheld = {key: record for part in changed.values() for key, record in part.items()}
    if not withheld:
        return set()
    claims: Iterable[Any] = referring(shown, "claims", "record", withheld.keys())
    return {
        claim.id
        for claim in claims
        if (record := withheld.get(claim.record)) is not None and gives_away(claim, withheld_fields(record))
    }


def _edited(table: Mapping[str, Record], changed: Mapping[str, Record], gone: set[str]) -> Mapping[str, Record]:
    """A table with other records in the place of some and without others, in its order."""
    edit = TableEdit[Record](table)
    for record in changed.values():
        edit.put(record)
    for key in gone:
        edit.remove(key)
    return edit.finish()


def _counts(
    embargoed: Mapping[str, set[str]], revealing: set[str], changed: Mapping[str, Mapping[str, Record]]
) -> Mapping[str, Mapping[str, int]]:
    numbers: dict[str, Counter[str]] = {EMBARGO: Counter(), ROUNDED: Counter(), FIELDS: Counter()}
    for name, keys in embargoed.items():
        numbers[EMBARGO][name] += len(keys)
    numbers[FIELDS]["claims"] += len(revealing)
    for name, records in changed.items():
        for record in records.values():
            withheld = set(withheld_fields(record))
            is_rounded = "geometry" in withheld and getattr(record, "geometry", None) is not None
            numbers[ROUNDED][name] += is_rounded
            numbers[FIELDS][name] += bool(withheld - {"geometry"} if is_rounded else withheld)
    return MappingProxyType(
        {reason: dict(sorted((+counted).items())) for reason, counted in numbers.items() if +counted}
    )
