"""Explanations of matches: the reasons of one pair as messages, composed only for the candidates that are listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from layers.decisions.hits import UNSEARCHED
from layers.matching.strike_columns import stated_kinds
from layers.matching.weights import REASONS, MatchWeights
from layers.model.messages import Message, Wording
from layers.model.records import Asset, Match, MatchReason, Strike
from layers.text.site_terms import TARGET_KINDS, stems

#: The reason that has no weight: the probability of others that may be the same site.
ONE_SITE = "one-site"


def reasons(
    strike: Strike,
    asset: Asset,
    distance_m: float,
    evidence: Mapping[str, float],
    log_odds: Mapping[str, float],
    lent: float,
) -> tuple[MatchReason, ...]:
    """Explain a pair by the reasons that have any evidence or weight, in the order of ``weights.REASONS``.

    Parameters
    ----------
    strike, asset
        The two records.
    distance_m
        Distance between their stated places, in metres.
    evidence
        What was measured, by reason.
    log_odds
        What each reason adds; the sum over the reasons is the log odds of the asset, were it alone, against "none of
        these".
    lent
        Probability of others that may be the same site: a reason of its own, without a weight, where it shows.
    """
    explained = []
    for name in REASONS:
        term = log_odds[name]
        if term or evidence.get(name):
            detail = _detail(name, strike, asset, distance_m, evidence)
            explained.append(MatchReason(name=name, value=evidence.get(name, term), weight=term, detail=detail))
    if is_shown_as_lent(lent):
        detail = Message(f"matching.{ONE_SITE}", {"probability": lent})
        explained.append(MatchReason(name=ONE_SITE, value=lent, weight=0.0, detail=detail))
    return tuple(explained)


def is_shown_as_lent(probability: float) -> bool:
    """Whether a probability of others that may be the same site is enough to be a reason."""
    return round(probability, 2) > 0


def no_asset_reasons(probability: float, weights: MatchWeights, has_place: bool) -> tuple[MatchReason, ...]:
    """Split the probability of "none of these"; its log odds against itself are 0, so no part has a weight.

    Where the strike has no place that is a reason of its own, ``decisions.hits.UNSEARCHED``: its assets were looked for
    by name alone, so that none found is not none there.
    """
    missing = probability * weights.missing
    parts = {"missing-asset": missing, "no-asset": probability - missing}
    reasons = [
        MatchReason(name=name, value=part, weight=0.0, detail=Message(f"matching.{name}", {"probability": part}))
        for name, part in parts.items()
    ]
    if not has_place:
        reasons.append(MatchReason(name=UNSEARCHED, value=0.0, weight=0.0, detail=Message(f"matching.{UNSEARCHED}")))
    return tuple(reasons)


def worded_reasons(reasons: Iterable[MatchReason], wording: Wording) -> list[dict[str, object]]:
    """Return reasons as plain values, their details in words."""
    return [
        {"name": reason.name, "value": reason.value, "weight": reason.weight, "detail": wording(reason.detail)}
        for reason in reasons
    ]


def worded_match(match: Match, wording: Wording) -> dict[str, object]:
    """Return a match as plain values for JSON or a table, its reasons in words."""
    return {**match.model_dump(mode="json", exclude={"reasons"}), "reasons": worded_reasons(match.reasons, wording)}


#: The reasons that are worded with the stated kinds and the asset's own.
_OF_KINDS = frozenset(
    {
        *("same-kind", "same-common-kind", "same-rare-kind", "kin-kind", "alike-kind", "mentioned-kind", "other-kind"),
        "coverage",
    }
)


def _detail(name: str, strike: Strike, asset: Asset, distance_m: float, evidence: Mapping[str, float]) -> Message:
    """Compose the message of one reason; its arguments are plain numbers and texts."""
    if name == "area":
        return Message("matching.area", {"km2": float(np.exp(-evidence["area"]))})
    if name == "distance":
        radius_km = float(np.hypot(strike.uncertainty_m or 0, asset.uncertainty_m or 0)) / 1000
        return Message("matching.distance", {"distance_km": distance_m / 1000, "km": radius_km})
    if name == "no-site":
        return Message("matching.no-site", {"basis": str(strike.basis)})
    if name == "owner-name":
        return Message("matching.owner-name", {"text": _text(strike)})
    if name == "other-name":
        return Message("matching.other-name", {"text": _text(strike), "name": asset.name})
    if name in ("name", "place-name", "town-name", "bare-town-name", "whole-name", "far-name", "far-whole-name"):
        return _shared_word(name, strike, asset)
    if name == "other-number":
        return Message("matching.other-number", {"targets": "; ".join(strike.targets), "name": asset.name})
    if name in _OF_KINDS:
        return Message(f"matching.{name}", {"kinds": _stated_kinds(strike), "kind": asset.kind})
    if name in ("landmark", "near"):
        return Message(f"matching.{name}", {"name": asset.name})
    if name in ("rivals", "namesakes"):
        return Message(f"matching.{name}", {"count": round(float(np.exp(-evidence[name])))})
    if name in ("wrong-place", "far-away"):
        return Message(f"matching.{name}", {"distance_km": distance_m / 1000, "place": strike.place})
    if name in ("same-country", "other-country"):
        return Message(f"matching.{name}", {"country": asset.host_country or ""})
    if name == "not-operating":
        days = f"{asset.since or ''}/{asset.until or ''}" if asset.since or asset.until else ""
        return Message("matching.not-operating", {"status": asset.status or "", "days": days})
    return Message(f"matching.{name}")  # prior, other-target, no-place


def _text(strike: Strike) -> str:
    return "; ".join(strike.targets) or strike.title


def _shared_word(name: str, strike: Strike, asset: Asset) -> Message:
    """Name the text and the name that share a word, of the strike's place or not of it."""
    place, of_place = set(stems(strike.place)), name.endswith(("place-name", "town-name"))
    for text in (*strike.targets, strike.title, strike.place):
        of_text = set(stems(text))
        for own in (asset.name, *asset.names.values(), *asset.aliases):
            shared = of_text & set(stems(own))
            if any(name.startswith("far-") or (stem in place) == of_place for stem in shared):
                code = "matching.place-name" if of_place else "matching.name"
                return Message(code, {"text": text, "name": own})
    return Message("matching.words-in-common")


def _stated_kinds(strike: Strike) -> tuple[str, ...]:
    if strike.target_kinds:
        return tuple(strike.target_kinds)
    bits = stated_kinds((*strike.targets, strike.title))
    return tuple(kind for bit, kind in enumerate(TARGET_KINDS) if bits >> bit & 1)
