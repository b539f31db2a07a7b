"""How a printed map looks at each size, in colour and in grey.

A class is drawn by fill, letters, edge, outline and dash. The outline repeats what the fill says, so that readers of
grey prints, and those who do not tell colours apart, lose nothing (fills after Okabe and Ito 2008 where two must part).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from api.exports.printed_map.lettering import POINT_MM
from api.exports.printed_map.story import StoryClass

#: Widths of columns in millimetres, paper, and a slide of 16:9.
SheetSize = Literal["85", "120", "180", "a4", "a3", "slide"]
Outline = Literal["round", "square"]


@dataclass(frozen=True, slots=True)
class ClassLook:
    """How the symbols of a class are drawn."""

    fill: str
    letters: str
    edge: str
    outline: Outline
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of a sheet."""

    classes: Mapping[StoryClass, ClassLook]
    sea: str
    land: str
    coast: str
    river: str
    border: str
    water_letters: str
    country_letters: str
    pipe: str
    pipe_letters: str
    struck: str
    ink: str = "#222222"
    soft: str = "#555555"


COLOUR = Palette(
    MappingProxyType(
        {
            "whole": ClassLook("#9d1f57", "#ffffff", "#9d1f57", "round"),
            "part": ClassLook("#ecb4cb", "#222222", "#9d1f57", "round"),
            "maybe": ClassLook("#ffffff", "#222222", "#9d1f57", "round", True),
            "tied": ClassLook("#ffffff", "#9d1f57", "#9d1f57", "square"),
            "abroad": ClassLook("#f0ae2b", "#1a1a1a", "#855600", "square"),
            "home": ClassLook("#0072b2", "#ffffff", "#00507d", "round"),
            "unclear": ClassLook("#ffffff", "#333333", "#333333", "round", True),
            "other": ClassLook("#898983", "#ffffff", "#ffffff", "round"),
        }
    ),
    sea="#dae7ee", land="#f7f5f0", coast="#8aa2b0", river="#8cb2c9", border="#6c675f", water_letters="#33627e",
    country_letters="#6e685e", pipe="#b8ac9a", pipe_letters="#6a6050", struck="#3c3f4a",
)  # fmt: skip
GREY = Palette(
    MappingProxyType(
        {
            "whole": ClassLook("#111111", "#ffffff", "#111111", "round"),
            "part": ClassLook("#b8b8b8", "#111111", "#111111", "round"),
            "maybe": ClassLook("#ffffff", "#111111", "#111111", "round", True),
            "tied": ClassLook("#ffffff", "#111111", "#111111", "square"),
            "abroad": ClassLook("#d6d6d6", "#000000", "#000000", "square"),
            "home": ClassLook("#505050", "#ffffff", "#505050", "round"),
            "unclear": ClassLook("#ffffff", "#111111", "#111111", "round", True),
            "other": ClassLook("#8d8d8d", "#ffffff", "#ffffff", "round"),
        }
    ),
    sea="#e8e8e8", land="#ffffff", coast="#888888", river="#a6a6a6", border="#555555", water_letters="#555555",
    country_letters="#686868", pipe="#bcbcbc", pipe_letters="#666666", struck="#222222",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SheetLook:
    """Measures of a sheet: millimetres on the map, points for the text around it.

    Parameters
    ----------
    page
        Width and height; a column is as high as it needs to be.
    frame
        Widest and highest frame.
    letters, symbol, dot
        Size of letters on the map, height of a numbered symbol, radius of a dot.
    places
        Most places that are named.
    numbers
        Most strikes that are numbered; of more, those of the first class are.
    insets, inset_part
        Most insets, and the part of the frame's width that each has; 1 sets one below the frame.
    columns
        Columns of the table below the map where it is long.
    """

    page: tuple[float, float | None]
    margin: float
    frame: tuple[float, float]
    letters: float
    symbol: float
    places: int
    numbers: int
    insets: int
    inset_part: float
    columns: int
    title: float
    subtitle: float
    text: float
    small: float
    tiny: float
    dot: float = 0.55
    line: float = 0.35
    river: float = 0.2
    river_least: float = 3.0
    edge: float = 0.25
    palette: Palette = COLOUR


LOOKS: Mapping[SheetSize, SheetLook] = MappingProxyType(
    {
        "85": SheetLook(
            (85.0, None), 0.0, (84.5, 78.0), 6.0 * POINT_MM, 2.9, 14, 45, 1, 1.0, 1, 10.5, 7.0, 7.0, 6.4, 5.6,
            dot=0.45, line=0.28, river=0.16, river_least=6.0,
        ),
        "120": SheetLook(
            (120.0, None), 0.0, (119.5, 92.0), 6.6 * POINT_MM, 3.1, 20, 60, 1, 0.34, 1, 12.5, 7.8, 7.5, 6.8, 5.9,
            river=0.18, river_least=4.0,
        ),
        "180": SheetLook(
            (180.0, None), 0.0, (179.5, 112.0), 7.2 * POINT_MM, 3.4, 34, 90, 2, 0.27, 3, 15.0, 8.6, 8.0, 7.2, 6.2,
        ),
        "a4": SheetLook(
            (210.0, 297.0), 15.0, (180.0, 150.0), 7.2 * POINT_MM, 3.4, 34, 100, 3, 0.27, 3, 16.0, 8.8, 8.0, 7.2, 6.2,
        ),
        "a3": SheetLook(
            (297.0, 420.0), 18.0, (261.0, 215.0), 8.2 * POINT_MM, 3.9, 54, 150, 3, 0.25, 3, 22.0, 11.0, 9.5, 8.6, 7.2,
            dot=0.65, line=0.42, river=0.24,
        ),
        "slide": SheetLook(
            (254.0, 142.9), 9.0, (150.0, 78.0), 9.5 * POINT_MM, 4.4, 18, 14, 1, 0.28, 1, 19.0, 10.5, 10.5, 8.4, 6.8,
            dot=0.7, line=0.45, river=0.26, edge=0.3,
        ),
    }
)  # fmt: skip
