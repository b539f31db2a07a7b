"""The one table of the matcher's weights: read from `weights.toml`, said in words, nothing hidden elsewhere."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType

#: The table that is shipped with the program.
BUNDLED = Path(__file__).with_name("weights.toml")

#: Each reason and what one unit of it says, in the order in which they are told.
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "prior": "a struck asset for each square kilometre, against what the layer lacks",
        "area": "for each factor e that the place of strike and asset is vaguer than 1 km² (counts negative)",
        "distance": "for each factor e that places so far apart are less likely than places at one spot",
        "no-site": "takes back what nearness alone would give above the ceiling, unless the point is a site",
        "name": "a word of the asset's name is in the text, by how few assets have it (1: only one)",
        "whole-name": "all telling words of one of its names are in the text, by how rare the rarest is",
        "place-name": "the word that is in both is the place of the strike, which other assets there share",
        "owner-name": "the text has the name of an owner, operator or brand",
        "same-kind": "the text tells of this kind of site, of which there are many",
        "same-rare-kind": "the text tells of this kind of site, of which there are few",
        "other-kind": "the text tells of another kind of site, and not of one that is easily taken for this one",
        "other-target": "the text tells of a military target, which is no asset",
        "other-number": "both have a number, and it is another (Nord Stream 2 is not Nord Stream 1)",
    }
)
#: The reason that is worked out from the others, so that no weight goes with it.
DERIVED = "no-site"


class WeightsError(ValueError):
    """A table of weights that lacks a reason, or names another."""


@dataclass(frozen=True)
class Weights:
    """Log odds that one unit of each reason adds.

    ``ceiling`` is the most that prior, area and distance together may say where the point of the strike is no
    site: a town is no tank. ``missing`` is the part of "none of these" that is an asset which the layer lacks.
    """

    by_name: Mapping[str, float]
    ceiling: float = -1.4
    missing: float = 0.9
    fitted: date | None = None
    events: int = 0
    errors: Mapping[str, float] = field(default_factory=dict)

    def __getitem__(self, reason: str) -> float:
        return self.by_name[reason]


def read(path: Path = BUNDLED) -> Weights:
    """Read a table.

    Raises
    ------
    WeightsError
        If it is not one weight for each reason.
    """
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    weights = {name: float(value) for name, value in table["weights"].items()}
    if set(weights) != set(REASONS) - {DERIVED}:
        odd = sorted(set(weights) ^ (set(REASONS) - {DERIVED}))
        raise WeightsError(f"{path.name}: expected one weight for each reason; missing or unknown: {', '.join(odd)}")
    return Weights(
        MappingProxyType(weights),
        float(table.get("ceiling", Weights.ceiling)),
        float(table["missing"]),
        table.get("fitted"),
        int(table.get("events", 0)),
        MappingProxyType({name: float(value) for name, value in table.get("errors", {}).items()}),
    )


def dumps(weights: Weights) -> str:
    """Write a table as `read` reads it."""
    lines = [
        '# What one unit of each reason adds to the log odds of "this asset" against "none of these".',
        "# Written by `python -m bench.matching_quality --write`; docs/matching.md says how it was fitted.",
        f"fitted = {weights.fitted}" if weights.fitted else "",
        f"events = {weights.events}",
        "# Most that prior, area and distance may say together where the point is no site.",
        f"ceiling = {weights.ceiling:.2f}",
        '# The part of "none of these" that is an asset which the layer lacks.',
        f"missing = {weights.missing:.2f}",
        "",
        "[weights]",
        *(f"{name} = {weights[name]:.2f}  # {REASONS[name]}" for name in REASONS if name != DERIVED),
    ]
    if weights.errors:
        lines += ["", "# Standard errors, from refitting on resampled groups of events.", "[errors]"]
        lines += [f"{name} = {weights.errors[name]:.2f}" for name in REASONS if name in weights.errors]
    return "\n".join(lines) + "\n"
