"""Weights of the evidence: one table, read from `weights.toml` and described here, and the log odds that follow."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType

import numpy as np

from geo.lonlat import Bools
from layers.matching.evidence import Columns

#: The table that is shipped with the program.
BUNDLED = Path(__file__).with_name("weights.toml")

#: Each reason and the meaning of one unit of it, in the order of every list of reasons.
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "prior": "a struck asset for each square kilometre, against what the layer lacks",
        "area": "for each factor e that the place of strike and asset is vaguer than 1 km² (counts negative)",
        "distance": "for each factor e that places so far apart are less likely than places at one spot",
        "no-site": "takes back what nearness alone would give above the ceiling, unless the point is a site",
        "name": "a word of the asset's name is in the text, by how few assets have it (1: only one)",
        "whole-name": "all telling words of one of its names are in the text, by how rare the rarest is",
        "place-name": "the word that is in both is the place of the strike; a town has one site of the asset's kind",
        "town-name": "the word that is in both is the place of the strike; a town has many sites of its kind",
        "bare-town-name": "the word that is in both is the place of the strike; the text tells of no kind of site",
        "far-name": "a word of the asset's name is in the text, and the asset is out of reach of the stated place",
        "far-whole-name": "all telling words of one of its names are in the text, and it is out of reach",
        "owner-name": "the text has the name of an owner, operator or brand",
        "same-kind": "the text tells of this kind of site, of which there are many",
        "same-common-kind": "the text tells of this kind of site, of which a town has many",
        "same-rare-kind": "the text tells of this kind of site, of which there are few",
        "kin-kind": "the text tells of a kind of site of the same family as this one, such as depot and terminal",
        "alike-kind": "the text tells of a kind of site that is easily taken for this one",
        "mentioned-kind": "the text mentions this kind of site, but is about another (fuel tanks at the port)",
        "landmark": "the text has it, or its kind of site, near something else, such as the positions that were hit",
        "near": "the text has it, or its kind of site, near an event, and leaves open whether it was hit",
        "other-kind": "the text tells of another kind of site, and not of one that is easily taken for this one",
        "other-type": "the text tells of another type of power plant or pipeline (CHP and GRES; oil and gas)",
        "rivals": "for each factor e of assets in reach whose kind, and name, fits as well (counts negative)",
        "namesakes": "for each factor e of assets in reach that fit in kind and share a word as well (counts negative)",
        "other-target": "the text tells of a target that is no asset, such as an airfield, a bridge or a ship",
        "other-name": "the text names its sites of this kind, and by no word of the asset's name or its owners'",
        "other-number": "both have a number, and it is another (Nord Stream 2 is not Nord Stream 1)",
        "wrong-place": "the stated place is wrong, or the site is far larger than the layer has it",
        "near-miss": "1 where the asset is just out of reach, 0 from four times the reach on",
        "no-place": "the strike has no place",
        "ship": "the asset is a ship, which is struck where it lies, and not where the layer has it",
        "far-away": "for each factor e that the asset is farther than 50 km from the stated place, out of reach of it",
        "same-country": "text and asset are of one country, and the asset is out of reach of the stated place",
        "other-country": "text and asset are of two countries",
        "not-operating": "the asset was not built, given up or closed on the day of the strike",
        "coverage": "for each factor e of assets of that kind which the layer has in the country",
    }
)
#: The reason that is computed from the others, so that it has no weight.
DERIVED = "no-site"
#: The name of ``MatchWeights.dissimilarity`` in a table, and of its error.
DISSIMILARITY = "dissimilarity"
#: The reasons of nearness: together at most ``MatchWeights.ceiling`` where the point of the strike is no site.
NEARNESS = ("prior", "area", "distance")


class WeightsError(ValueError):
    """A table of weights that lacks a reason, or has an unknown one."""


@dataclass(frozen=True)
class MatchWeights:
    """Log odds that one unit of each reason adds.

    Attributes
    ----------
    by_name
        Weight of each reason but the derived one.
    ceiling
        Limit of the log odds of nearness where the point of the strike is no site: a town is no tank.
    dissimilarity
        How far candidates differ in what no reason measures, from near 0 (they share it) to 1 (each has its own): the
        dissimilarity parameter of a nested logit, with all candidates in one nest and "none of these" beside it.
    missing
        Part of the probability of "none of these" that is an asset which the layer lacks.
    fitted, events
        Day of the fit, and number of labelled strikes that it is based on.
    errors
        Standard error of each fitted weight, and of the dissimilarity.
    """

    by_name: Mapping[str, float]
    ceiling: float = -1.4
    dissimilarity: float = 1.0
    missing: float = 0.9
    fitted: date | None = None
    events: int = 0
    errors: Mapping[str, float] = field(default_factory=dict)

    def __getitem__(self, reason: str) -> float:
        return self.by_name[reason]


def read(path: Path = BUNDLED) -> MatchWeights:
    """Read a table of weights from a TOML file.

    Raises
    ------
    WeightsError
        If the table is not one weight for each reason.
    """
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    weights = {name: float(value) for name, value in table["weights"].items()}
    if set(weights) != set(REASONS) - {DERIVED}:
        odd = sorted(set(weights) ^ (set(REASONS) - {DERIVED}))
        raise WeightsError(f"{path.name}: expected one weight for each reason; missing or unknown: {', '.join(odd)}")
    return MatchWeights(
        MappingProxyType(weights),
        float(table.get("ceiling", MatchWeights.ceiling)),
        float(table.get(DISSIMILARITY, MatchWeights.dissimilarity)),
        float(table["missing"]),
        table.get("fitted"),
        int(table.get("events", 0)),
        MappingProxyType({name: float(value) for name, value in table.get("errors", {}).items()}),
    )


def log_odds_terms(evidence: Columns, site: Bools, weights: MatchWeights) -> Columns:
    """Weigh evidence: the log odds of each reason, which add up to those of the asset, were it alone, against none.

    Parameters
    ----------
    evidence
        Columns of shape (pairs,) as ``evidence.evidence_columns`` measures them.
    site
        Whether the point of each pair's strike is a site, shape (pairs,).
    weights
        The table.

    Returns
    -------
    Columns
        Each column times its weight, and the derived one: what nearness has above the ceiling is taken back where
        the point is no site.
    """
    terms = {name: weights[name] * column for name, column in evidence.items()}
    nearness = np.sum([terms[name] for name in NEARNESS], axis=0)
    capped = ~site & (evidence["prior"] > 0)
    terms[DERIVED] = np.where(capped, np.minimum(0.0, weights.ceiling - nearness), 0.0)
    return terms


def dumps(weights: MatchWeights) -> str:
    """Write a table as TOML that `read` reads."""
    lines = [
        '# What one unit of each reason adds to the log odds of "this asset", were it alone, against "none of these".',
        "# Written by `python -m bench.matching_quality --write`; docs/matching.md says how it was fitted.",
        f"fitted = {weights.fitted}" if weights.fitted else "",
        f"events = {weights.events}",
        "# Most that prior, area and distance may say together where the point is no site.",
        f"ceiling = {weights.ceiling:.2f}",
        "# How far candidates differ in what no reason measures, 1: each has its own.",
        f"{DISSIMILARITY} = {weights.dissimilarity:.2f}",
        '# The part of "none of these" that is an asset which the layer lacks.',
        f"missing = {weights.missing:.2f}",
        "",
        "[weights]",
        *(f"{name} = {weights[name]:.2f}  # {REASONS[name]}" for name in REASONS if name != DERIVED),
    ]
    if weights.errors:
        lines += ["", "# Standard errors, from refitting on resampled groups of events.", "[errors]"]
        named = (name for name in (*REASONS, DISSIMILARITY) if name in weights.errors)
        lines += [f"{name} = {weights.errors[name]:.2f}" for name in named]
    return "\n".join(lines) + "\n"
