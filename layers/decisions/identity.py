"""Records that people judged to be the same: the judgements that stand, and the groups that follow."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Literal, get_args

from layers.model.messages import InvalidValue, Message
from layers.model.problems import UnknownRecord
from layers.model.records import Identity, Record, Records

#: A table whose records can be judged to be one.
JudgedTable = Literal["strikes", "assets", "entities"]
#: All of them, owners before what they own, and that before what hit it.
JUDGED: tuple[str, ...] = tuple(reversed(get_args(JudgedTable)))


def standing(judgements: Iterable[Identity]) -> dict[frozenset[str], Identity]:
    """The judgement that holds for each pair: the latest, in the order appended; an undone pair has none."""
    latest: dict[frozenset[str], Identity] = {}
    for judgement in judgements:
        pair = frozenset((judgement.one, judgement.other))
        latest.pop(pair, None)
        if judgement.verdict != "undone" and len(pair) == 2:
            latest[pair] = judgement
    return latest


class MergeGroups:
    """Records of the same thing as a union-find; the latest union names the leader of a group."""

    def __init__(self, apart: Iterable[frozenset[str]], present: Container[str]) -> None:
        self._present = present
        self._leader: dict[str, str] = {}
        self._members: dict[str, list[str]] = {}
        self._apart: dict[str, set[str]] = {}
        for one, other in (sorted(pair) for pair in apart):
            self._apart.setdefault(one, set()).add(other)
            self._apart.setdefault(other, set()).add(one)

    def leader(self, record: str) -> str:
        """The record that stands for a record and all that are the same: itself where it was never merged."""
        return self._leader.get(record, record)

    def conflict(self, one: str, other: str) -> tuple[str, str] | None:
        """Two records judged different that a union would merge, if there are any."""
        ones = self._members.get(self.leader(one), [one])
        others = set(self._members.get(self.leader(other), [other]))
        return next(((name, found) for name in ones for found in sorted(self._apart.get(name, set()) & others)), None)

    def union(self, one: str, other: str) -> None:
        """Merge the groups of two records, led by ``one`` if it is present."""
        candidates = (one, self.leader(one), self.leader(other), other)
        led_by = next((name for name in candidates if name in self._present), one)
        together: list[str] = []
        for record in (one, other):
            leader = self.leader(record)
            if not together or leader != self.leader(one):
                together += self._members.pop(leader, [record])
        self._members[led_by] = together
        self._leader.update(dict.fromkeys(together, led_by))

    def leaders(self) -> dict[str, str]:
        """The leader of its group, by each merged record that is not its leader."""
        return {record: leader for record, leader in self._leader.items() if record != leader}

    def apart(self) -> set[frozenset[str]]:
        """The pairs judged different, and the pairs of the leaders of their groups."""
        stated = {frozenset((one, other)) for one, others in self._apart.items() for other in others}
        led = {frozenset(self.leader(name) for name in pair) for pair in stated}
        return stated | {pair for pair in led if len(pair) == 2}


def merge_groups(records: Records) -> tuple[Mapping[str, MergeGroups], tuple[Message, ...]]:
    """Groups of the standing judgements by table, and which of them could not be followed.

    Chains are followed also over records that are not there, such as those merged before. A judgement that would
    join two records judged different is not followed: the older ones hold together, and the conflict is said. Nor
    is one of records of two tables.
    """
    pairs = standing(records.identities.values())
    mixed = [held.id for held in pairs.values() if is_mixed(records, held)]
    remarks = [Message("decisions.mixed-judgement", {"judgement": judgement}) for judgement in mixed]
    groups: dict[str, MergeGroups] = {}
    for noun in JUDGED:
        ours = [held for held in pairs.values() if _may_be_of(records, held, noun)]
        groups[noun], conflicts = _grouped(ours, records.table(noun))
        remarks += conflicts
    return MappingProxyType(groups), tuple(dict.fromkeys(remarks))


def parts(records: Records) -> tuple[tuple[str, str], ...]:
    """Pairs of assets, the first of which was judged to be a part of the second, as the standing judgements say."""
    held = standing(records.identities.values()).values()
    return tuple((judgement.one, judgement.other) for judgement in held if judgement.verdict == "part")


def is_mixed(records: Records, judgement: Identity) -> bool:
    """Whether a judgement is about records of two tables, such as an asset and a strike."""
    return not any(_may_be_of(records, judgement, noun) for noun in JUDGED)


def _may_be_of(records: Records, judgement: Identity, noun: str) -> bool:
    """Whether both ids of a judgement are in a table or, being in none, may have been."""
    others = [table for table in JUDGED if table != noun]
    return all(
        name in records.table(noun) or not any(name in records.table(table) for table in others)
        for name in (judgement.one, judgement.other)
    )


def _grouped(standing_: Iterable[Identity], present: Mapping[str, Record]) -> tuple[MergeGroups, list[Message]]:
    held = {frozenset((judgement.one, judgement.other)): judgement for judgement in standing_}
    apart = (pair for pair, judgement in held.items() if judgement.verdict in ("different", "part"))
    groups = MergeGroups(apart, present)
    remarks = []
    for judgement in held.values():
        if judgement.verdict != "same":
            continue
        if (clash := groups.conflict(judgement.one, judgement.other)) is not None:
            arguments = {"judgement": judgement.id, "one": clash[0], "other": clash[1]}
            remarks.append(Message("decisions.conflicting-judgement", arguments))
            continue
        groups.union(judgement.one, judgement.other)
    return groups, remarks


Verdict = Literal["same", "different", "part", "undone"]

#: The data set of judgements made here: no load brings it, so none takes them away.
DATASET = "judgements"


class InvalidJudgement(InvalidValue):
    """A judgement that means nothing, with the reason."""


def judgement(
    records: Records, one: str, other: str, verdict: Verdict, *, who: str, why: str, at: datetime
) -> Identity:
    """The judgement that two records are the same, are different, are part and whole, or are as if never judged.

    Parameters
    ----------
    records
        As stored, without judgements applied: also what is merged can be judged, and undone.
    one, other
        Ids of two entities, two assets or two strikes; ``one`` is kept where they are the same, and is the part of an
        asset and its part.
    who, why
        Who decides and on what grounds, in words.
    at
        When, with a zone; its day in UTC is that of the judgement, and it makes the id unlike any other.

    Raises
    ------
    UnknownRecord
        If there is no entity, asset or strike of an id.
    InvalidJudgement
        If both are one record, the two are of different tables, or of another than assets where one is a part,
        ``who`` or ``why`` is empty, or a judgement is to be undone that does not stand.
    """
    _require_pair(records, one, other)
    if verdict == "part" and one not in records.assets:
        raise InvalidJudgement(Message("decisions.part-of-asset", {"record": one}))
    if verdict == "undone" and frozenset((one, other)) not in standing(records.identities.values()):
        raise InvalidJudgement(Message("decisions.nothing-to-undo", {"one": one, "other": other}))
    if not who.strip() or not why.strip():
        raise InvalidJudgement(Message("decisions.who-and-why"))
    moment = at.astimezone(UTC)
    content = "\n".join((one, other, verdict, who.strip(), why.strip(), moment.isoformat()))
    return Identity(
        id=f"judgement/{sha256(content.encode()).hexdigest()[:24]}",
        dataset=DATASET,
        private=_is_private(records, one) or _is_private(records, other),
        one=one,
        other=other,
        verdict=verdict,
        who=who,
        when=moment.date().isoformat(),
        why=why,
    )


def _require_pair(records: Records, one: str, other: str) -> None:
    for name in (one, other):
        if not any(name in records.table(noun) for noun in JUDGED):
            raise UnknownRecord(Message("record.none-to-judge", {"id": name}))
    if one == other:
        raise InvalidJudgement(Message("decisions.two-records", {"record": one}))
    if not any(one in records.table(noun) and other in records.table(noun) for noun in JUDGED):
        raise InvalidJudgement(Message("decisions.mixed", {"one": one, "other": other}))


def _is_private(records: Records, name: str) -> bool:
    return any((found := records.table(noun).get(name)) is not None and found.private for noun in JUDGED)
