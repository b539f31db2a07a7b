"""The outcome of a strike by the decisions about it: appended decisions are read in order, and the latest holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from layers.model.records import Decision, Match
from layers.model.types import RestsOn

#: From this probability on, an undecided best candidate is published as probable: of those, 19 in 20 were right
#: by weights fitted without their source (docs/matching.md).
PUBLISH_FROM = 0.75
#: From this probability on, "none of these" is said: of those, 41 of 42 were right (docs/matching.md).
NONE_FROM = 0.95
#: From this probability on, a candidate is shown at all: below it, fewer than 1 in 100 were right.
SHOW_FROM = 0.05

#: The reason of "none of these" that keeps it from being said: nothing was looked for at any place.
UNSEARCHED = "unsearched"

#: Whether a strike hit a site: by decisions it did, or it was one of several; or it is proposed by a match alone.
HitVerdict = Literal["confirmed", "possible", "proposed"]
#: What the matcher says of a strike: the first candidate, none of the layer's assets, or neither.
MatchAnswer = Literal["asset", "none", "undecided"]


@dataclass(frozen=True, slots=True)
class Hit:
    """An asset that a strike hit, may have hit, or is proposed to have hit."""

    asset: str
    verdict: HitVerdict
    decision: Decision | None


@dataclass(frozen=True, slots=True)
class StrikeOutcome:
    """All hits of a strike, and whether they are based on decisions or on a match."""

    strike: str
    hits: tuple[Hit, ...]
    basis_of_outcome: RestsOn
    decision: Decision | None  # a judgement on the strike as a whole: none, unsure, not-a-strike


def effective_decisions(decisions: Iterable[Decision]) -> tuple[Decision, ...]:
    """Decisions that were not taken back, in their order; a decision that takes back may be taken back itself."""
    undone: set[str] = set()
    standing: list[Decision] = []
    for decision in reversed(tuple(decisions)):
        if decision.id in undone:
            continue
        if decision.undoes is None:
            standing.append(decision)
        else:
            undone.add(decision.undoes)
    return tuple(reversed(standing))


def finding(strike: str, decisions: Iterable[Decision], proposed: str | None) -> StrikeOutcome:
    """The outcome of a strike: by the decisions on it where there are any, else the asset that is proposed.

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
    for decision in effective_decisions(decisions):
        if decision.asset is None:
            by_asset, whole = {}, decision
        else:
            by_asset[decision.asset], whole = decision, None
    if whole is not None:
        return StrikeOutcome(strike, (), "decision", whole)
    if by_asset:
        hits = tuple(map(_decided, by_asset.values()))
        sure = any(hit.verdict == "confirmed" for hit in hits)
        return StrikeOutcome(strike, hits, "decision" if sure else "alternatives", None)
    if proposed is not None:
        return StrikeOutcome(strike, (Hit(proposed, "proposed", None),), "match", None)
    return StrikeOutcome(strike, (), "nothing", None)


def likeliest(matches: Sequence[Match], publish_from: float = PUBLISH_FROM) -> str | None:
    """The asset that is published as probable, of candidates that stand most probable first; ``None`` for none."""
    best = matches[0] if matches else None
    return best.asset if best is not None and best.probability >= publish_from else None


def match_answer(matches: Sequence[Match], publish_from: float = PUBLISH_FROM) -> MatchAnswer:
    """What is said of a strike by its candidates, which stand most probable first.

    Each answer has a threshold of its own: that no candidate is probable does not make "none of these" true. Between
    the thresholds the strike is undecided, whatever stands first; so is one that stands at no place, if no asset is
    said of it.
    """
    best = matches[0] if matches else None
    if best is None or best.asset is not None:
        return "undecided" if likeliest(matches, publish_from) is None else "asset"
    searched = all(reason.name != UNSEARCHED for reason in best.reasons)
    return "none" if searched and best.probability >= NONE_FROM else "undecided"


def shown(matches: Iterable[Match], show_from: float = SHOW_FROM) -> tuple[Match, ...]:
    """The candidates that are probable enough to be shown, without "none of these"."""
    return tuple(match for match in matches if match.asset is not None and match.probability >= show_from)


def _decided(decision: Decision) -> Hit:
    assert decision.asset is not None  # the schema ties it to these verdicts
    return Hit(decision.asset, "confirmed" if decision.verdict == "confirmed" else "possible", decision)
