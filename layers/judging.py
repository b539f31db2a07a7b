"""A person's judgement on whether two records are one, made into a record that can be appended."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal

from layers.judgements import JUDGED, MIXED, standing
from layers.ownership import UnknownRecord
from layers.schema import Identity, Records

Verdict = Literal["same", "different", "undone"]

#: The data set of judgements made here: no load brings it, so none takes them away.
DATASET = "judgements"


class BadJudgement(ValueError):
    """A judgement that means nothing, with the reason."""


def judgement(
    records: Records, one: str, other: str, verdict: Verdict, *, who: str, why: str, at: datetime
) -> Identity:
    """Make the judgement that ``one`` and ``other`` are the same, are different, or are as if never judged.

    Parameters
    ----------
    records
        As stored, without judgements applied: also what is merged can be judged, and undone.
    one, other
        Ids of two entities or two strikes; ``one`` is kept where they are the same.
    who, why
        Who decides and on what grounds, in words.
    at
        When, with a zone; its day in UTC is that of the judgement, and it makes the id unlike any other.

    Raises
    ------
    UnknownRecord
        If there is no entity or strike of an id.
    BadJudgement
        If both are one record, one is an entity and the other a strike, ``who`` or ``why`` is empty, or a
        judgement is to be undone that does not stand.
    """
    _require_pair(records, one, other)
    if verdict == "undone" and frozenset((one, other)) not in standing(records.identities.values()):
        raise BadJudgement(f"no judgement of {one} and {other} stands that could be undone")
    if not who.strip() or not why.strip():
        raise BadJudgement("who decides, and why, must be said")
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
            raise UnknownRecord(f"no entity or strike {name!r}")
    if one == other:
        raise BadJudgement(f"two records expected, not {one} twice")
    if not any(one in records.table(noun) and other in records.table(noun) for noun in JUDGED):
        raise BadJudgement(f"{one} and {other}: {MIXED}")


def _is_private(records: Records, name: str) -> bool:
    return any((found := records.table(noun).get(name)) is not None and found.private for noun in JUDGED)
