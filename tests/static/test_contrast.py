"""Colours of symbols and lines against what they lie on: at least 3:1, for all kinds of colour vision.

Vision without one kind of cone is simulated by the matrices of Machado, Oliveira and Fernandes (2009, "A
Physiologically-based Model for Simulation of Color Vision Deficiency", severity 1.0), on linear RGB; contrast is that
of WCAG 2.2, whose success criterion 1.4.11 asks for 3:1.
"""

from __future__ import annotations

import json
import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

STATIC = Path(__file__).resolve().parents[2] / "static"
TABLE = json.loads((STATIC / "style-table.json").read_text(encoding="utf-8"))
VISIONS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
#: What symbols and lines are drawn on: sea, land, tinted land, and their own white or dark filling.
GROUNDS = ("sea", "land", "chosen", "paper")


def linear(colour: str) -> NDArray[np.float64]:
    """Linear RGB, 0 to 1, of an sRGB colour such as ``#A83C00``."""
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def luminance(colour: str, vision: str) -> float:
    return float(np.array([0.2126, 0.7152, 0.0722]) @ np.clip(VISIONS[vision] @ linear(colour), 0, 1))


def contrast(colour: str, ground: str, vision: str) -> float:
    low, high = sorted((luminance(colour, vision), luminance(ground, vision)))
    return (high + 0.05) / (low + 0.05)


def colours(scheme: str) -> dict[str, str]:
    """Every colour of symbols and lines, by where it stands in the table."""
    every = {
        f"{name}/{key}": each[scheme] for name in ("host", "owner", "tie", "line") for key, each in TABLE[name].items()
    }
    base = TABLE["base"][scheme]
    return every | {"share": TABLE["share"][scheme], "struck": TABLE["struck"][scheme], "ink": base["ink"]}


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#FFFFFF", "normal") == pytest.approx(21)
    # What it was for, until it was darkened: orange on the sea, for those without the cones of middle wavelengths.
    assert contrast("#D55E00", "#D9E6EE", "deuteranopia") == pytest.approx(2.64, abs=0.01)


@pytest.mark.parametrize(("scheme", "vision"), list(product(("light", "dark"), VISIONS)))
def test_symbols_and_lines_stand_out_from_what_they_lie_on(scheme: str, vision: str) -> None:
    base = TABLE["base"][scheme]
    poor = {
        (name, ground): round(contrast(colour, base[ground], vision), 2)
        for name, colour in colours(scheme).items()
        for ground in GROUNDS
        if contrast(colour, base[ground], vision) < 3
    }
    assert poor == {}


def page_grounds(scheme: str) -> dict[str, str]:
    """What symbols of the list, the record and the filters lie on: the colours of the page's own style sheet."""
    blocks = re.findall(r":root \{(.*?)\}", (STATIC / "style.css").read_text(encoding="utf-8"), re.DOTALL)
    colour_of = dict(re.findall(r"--(paper|wash|chosen): (#\w+);", blocks[("light", "dark").index(scheme)]))
    return {
        name: colour if len(colour) == 7 else "#" + "".join(2 * sign for sign in colour[1:])
        for name, colour in colour_of.items()
    }


@pytest.mark.parametrize(("scheme", "vision"), list(product(("light", "dark"), VISIONS)))
def test_symbols_stand_out_from_the_page(scheme: str, vision: str) -> None:
    grounds = page_grounds(scheme)
    assert grounds.keys() == {"paper", "wash", "chosen"}
    least = min(contrast(colour, ground, vision) for colour in colours(scheme).values() for ground in grounds.values())
    assert least >= 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_owners_have_colours_that_differ(scheme: str) -> None:
    owners = [each[scheme] for each in TABLE["owner"].values()]
    assert len(set(owners)) == len(owners)


def test_a_host_has_the_same_colour_as_an_owner() -> None:
    assert all(TABLE["owner"][country] == colour for country, colour in TABLE["host"].items())


def test_every_state_has_a_point_to_draw_an_arc_to() -> None:
    points = json.loads((STATIC / "country-points.json").read_text(encoding="utf-8"))
    assert {"AZ", "FR", "GB", "NO", "RU", "UA", "US"} <= set(points)
    assert all(-180 <= lon <= 180 and -90 <= lat <= 90 for lon, lat in points.values())
    assert points["FR"][1] > 40, "of the country itself, not of what belongs to it overseas"
