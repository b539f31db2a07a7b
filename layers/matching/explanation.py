"""The reasons of one match in words, made only when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from layers.matching.strike_columns import told_kinds
from layers.matching.weights import REASONS, Weights
from layers.model.records import Asset, Reason, Strike
from layers.text.site_terms import stems
from layers.text.site_words import KINDS


def reasons(
    strike: Strike, asset: Asset, distance_m: float, values: Mapping[str, float], weights: Mapping[str, float]
) -> tuple[Reason, ...]:
    """The reasons that say something, in the order of `REASONS`; their weights add up to the log odds."""
    told = []
    for name in REASONS:
        weight = weights[name]
        if weight or values.get(name):
            detail = _detail(name, strike, asset, distance_m, values)
            told.append(Reason(name=name, value=values.get(name, weight), weight=weight, detail=detail))
    return tuple(told)


def none_reasons(probability: float, weights: Weights) -> tuple[Reason, ...]:
    """What "none of these" is made of: its log odds against itself are 0, so neither part has a weight."""
    missing = probability * weights.missing
    return (
        Reason(name="missing-asset", value=missing, weight=0.0, detail=f"{missing:.2f}: an asset the layer lacks"),
        Reason(
            name="no-asset",
            value=probability - missing,
            weight=0.0,
            detail=f"{probability - missing:.2f}: no asset of the kinds that the layer holds",
        ),
    )


def _detail(name: str, strike: Strike, asset: Asset, distance_m: float, values: Mapping[str, float]) -> str:
    if name == "prior":
        return "one of the assets in reach, against what the layer lacks"
    if name == "area":
        return f"the place may be anywhere on {np.exp(-values['area']):,.0f} km²"
    if name == "distance":
        km = np.hypot(strike.uncertainty_m or 0, asset.uncertainty_m or 0) / 1000
        return f"{distance_m / 1000:.1f} km apart, both places sure to {km:.1f} km"
    if name == "no-site":
        return f"the point stands for a {strike.basis}: nearness alone proves nothing"
    if name in ("name", "place-name", "whole-name", "owner-name"):
        return _said(name, strike, asset)
    if name == "other-target":
        return "the text tells of a military target"
    if name == "other-number":
        return f"{'; '.join(strike.targets)} has another number than {asset.name}"
    return _kind(name, strike, asset)


_RATHER = {
    "same-kind": "",
    "same-rare-kind": "",
    "other-kind": ", not {}",
}


def _said(name: str, strike: Strike, asset: Asset) -> str:
    """Which text has the word. The words of owners are not looked up again."""
    place = {one for part in (strike.place, strike.region or "") for one in stems(part)}
    texts = (*strike.targets, strike.title)
    if name == "owner-name":
        return f"{'; '.join(strike.targets) or strike.title!r} has the name of an owner, operator or brand"
    for printed in texts:
        said = set(stems(printed))
        for own in (asset.name, *asset.names.values(), *asset.aliases):
            common = said & set(stems(own))
            if any((one in place) == (name == "place-name") for one in common):
                where = ", the place of the strike" if name == "place-name" else ""
                return f"{printed!r} is like {own!r}{where}"
    return "words in common"


def _kind(name: str, strike: Strike, asset: Asset) -> str:
    if strike.target_kinds:
        told = ", ".join(strike.target_kinds)
    else:
        bits = told_kinds((*strike.targets, strike.title))
        told = ", ".join(kind for bit, kind in enumerate(KINDS) if bits >> bit & 1)
    return f"reported as {told}" + _RATHER[name].format(asset.kind)
