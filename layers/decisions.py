"""What people decided a strike hit: appended judgements read in order, the latest holding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from layers.schema import Decision, Match

RestsOn = Literal["decision", "alternatives", "match", "nothing"]

#: From this probability on, an undecided best candidate is published as probable: of those, 19 in 20 were right
#: out of fold, half of the strikes having had their right asset taken out of the layer (docs/matching.md).
PUBLISH_FROM = 0.7
#: From this probability on, a candidate is shown at all: below it, fewer than 1 in 100 were right.
SHOW_FROM = 0.05


@dataclass(frozen=True, slots=True)
class Hit:
    """An asset that a strike hit, may have hit, or is proposed to have hit."""

    asset: str
    verdict: Literal["confirmed", "possible", "proposed"]
    decision: Decision | None
    match: Match | None


@dataclass(frozen=True, slots=True)
class Finding:
    """All hits of one strike and what they rest on."""

    strike: str
    hits: tuple[Hit, ...]
    rests_on: RestsOn
    decision: Decision | None  # a judgement on the strike as a whole: none, unsure, not-a-strike
    candidates: tuple[Match, ...] = ()  # what may have been hit, where nothing is decided or probable


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


def findings(
    strikes: Iterable[str],
    decisions: Iterable[Decision],
    matches: Mapping[str, tuple[Match, ...]],
    publish_from: float = PUBLISH_FROM,
    show_from: float = SHOW_FROM,
) -> dict[str, Finding]:
    """What each strike hit: by decisions where there are any, else by the best candidate if it is probable.

    A candidate is published as probable from ``publish_from`` on. Where there is neither a decision nor a probable
    candidate, those from ``show_from`` on are the finding's candidates.

    Decisions come in the order they were appended. One on the strike as a whole (none of these, unsure, not a
    strike) sets aside the earlier ones on its assets, and the other way round.
    """
    by_asset: dict[str, dict[str, Decision]] = {}
    on_whole: dict[str, Decision] = {}
    for decision in standing(decisions):
        if decision.asset is None:
            by_asset.pop(decision.strike, None)
            on_whole[decision.strike] = decision
        else:
            on_whole.pop(decision.strike, None)
            by_asset.setdefault(decision.strike, {})[decision.asset] = decision
    return {
        strike: _finding(
            strike,
            by_asset.get(strike, {}),
            on_whole.get(strike),
            matches.get(strike, ()),
            publish_from,
            show_from,
        )
        for strike in strikes
    }


def _finding(
    strike: str,
    decided: Mapping[str, Decision],
    whole: Decision | None,
    matches: tuple[Match, ...],
    publish_from: float,
    show_from: float,
) -> Finding:
    if whole is not None:
        return Finding(strike, (), "decision", whole)
    by_id = {match.asset: match for match in matches}
    if decided:
        hits = tuple(_decided(decision, by_id) for decision in decided.values())
        sure = any(hit.verdict == "confirmed" for hit in hits)
        return Finding(strike, hits, "decision" if sure else "alternatives", None)
    best = matches[0] if matches else None
    if best is not None and best.asset is not None and best.probability >= publish_from:
        return Finding(strike, (Hit(best.asset, "proposed", None, best),), "match", None)
    return Finding(strike, (), "nothing", None, shown(matches, show_from))


def shown(matches: Iterable[Match], show_from: float = SHOW_FROM) -> tuple[Match, ...]:
    """The candidates that are probable enough to be shown, without "none of these"."""
    return tuple(match for match in matches if match.asset is not None and match.probability >= show_from)


def _decided(decision: Decision, matches: Mapping[str | None, Match]) -> Hit:
    assert decision.asset is not None  # the schema ties it to these verdicts
    verdict: Literal["confirmed", "possible"] = "confirmed" if decision.verdict == "confirmed" else "possible"
    return Hit(decision.asset, verdict, decision, matches.get(decision.asset))
