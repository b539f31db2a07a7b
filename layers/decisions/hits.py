"""What people decided a strike hit: appended judgements read in order, the latest holding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from layers.model.records import Decision, Match
from layers.model.thresholds import PUBLISH_FROM, SHOW_FROM

RestsOn = Literal["decision", "alternatives", "match", "nothing"]


@dataclass(frozen=True, slots=True)
class Hit:
    """An asset that a strike hit, may have hit, or is proposed to have hit."""

    asset: str
    verdict: Literal["confirmed", "possible", "proposed"]
    decision: Decision | None


@dataclass(frozen=True, slots=True)
class Finding:
    """All hits of one strike and what they rest on."""

    strike: str
    hits: tuple[Hit, ...]
    rests_on: RestsOn
    decision: Decision | None  # a judgement on the strike as a whole: none, unsure, not-a-strike


def standing(decisions: Iterable[Decision]) -> tuple[Decision, ...]:
    """Decisions that were not taken back, in their order; one that takes back may be taken back itself."""
    undone: set[str] = set()
    kept: list[Decision] = []
    for decision in reversed(tuple(decisions)):
        if decision.id in undone:
            continue
        if decision.undoes is None:
            kept.append(decision)
        else:
            undone.add(decision.undoes)
    return tuple(reversed(kept))


def finding(strike: str, decisions: Iterable[Decision], proposed: str | None) -> Finding:
    """What one strike hit: by the decisions on it where there are any, else what is proposed.

    Parameters
    ----------
    decisions
        Those on the strike, in the order they were appended. One on the strike as a whole (none of these, unsure, not
        a strike) sets aside the earlier ones on its assets, and the other way round.
    proposed
        The asset that is published as probable, see `likeliest`.
    """
    by_asset: dict[str, Decision] = {}
    whole: Decision | None = None
    for decision in standing(decisions):
        if decision.asset is None:
            by_asset, whole = {}, decision
        else:
            by_asset[decision.asset], whole = decision, None
    if whole is not None:
        return Finding(strike, (), "decision", whole)
    if by_asset:
        hits = tuple(map(_decided, by_asset.values()))
        sure = any(hit.verdict == "confirmed" for hit in hits)
        return Finding(strike, hits, "decision" if sure else "alternatives", None)
    if proposed is not None:
        return Finding(strike, (Hit(proposed, "proposed", None),), "match", None)
    return Finding(strike, (), "nothing", None)


def likeliest(matches: Sequence[Match], publish_from: float = PUBLISH_FROM) -> str | None:
    """The asset that is published as probable, of candidates that stand most probable first; ``None`` for none."""
    best = matches[0] if matches else None
    return best.asset if best is not None and best.probability >= publish_from else None


def shown(matches: Iterable[Match], show_from: float = SHOW_FROM) -> tuple[Match, ...]:
    """The candidates that are probable enough to be shown, without "none of these"."""
    return tuple(match for match in matches if match.asset is not None and match.probability >= show_from)


def _decided(decision: Decision) -> Hit:
    assert decision.asset is not None  # the schema ties it to these verdicts
    return Hit(decision.asset, "confirmed" if decision.verdict == "confirmed" else "possible", decision)
