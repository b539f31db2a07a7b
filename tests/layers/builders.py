"""Builders of small sets of records: an asset with holders and stakes."""

from __future__ import annotations

from collections.abc import Iterable

from api.wording.catalogue import text
from layers.model.messages import Message
from layers.model.records import Asset, Entity, Records, Source, Stake

Holder = tuple[str, str, str | None]  # id, type, country
Share = tuple[str, str, float, float]  # owner, owned, least, largest


def records(
    holders: Iterable[Holder], shares: Iterable[Share], joint: Iterable[str] = (), checked: str = "read"
) -> Records:
    """Records of one asset ``a`` with holders and stakes."""
    jointly = set(joint)
    entities = {
        name: Entity(id=name, name=name, type=kind, registered_in=country, joint=name in jointly, checked="unverified")  # type: ignore[arg-type]
        for name, kind, country in holders
    }
    stakes = {}
    for number, (owner, owned, least, largest) in enumerate(shares):
        name = f"{owned}>{owner}/{number}"
        stakes[name] = Stake(
            id=name,
            owned=owned,
            owner=owner,
            share_min=least,
            share_max=largest,
            source="s",
            checked=checked,  # type: ignore[arg-type]
        )
    asset = Asset(id="a", name="A", kind="refinery", sources=("s",), checked="unverified")
    return Records.of(
        {
            "sources": {"s": Source(id="s", publisher="S")},
            "entities": entities,
            "assets": {"a": asset},
            "stakes": stakes,
        }
    )


def worded(messages: Iterable[Message]) -> tuple[str, ...]:
    """Messages in English."""
    return tuple(map(text, messages))
