"""The sprite: one picture of all symbols and its index, as MapLibre reads them (style specification, sprite)."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

from api.rendering.canvas import ICON_PX, style_table
from api.styles.maplibre import image_name
from api.styles.rules import HALO, StyleTable


def _symbols(look: StyleTable) -> list[tuple[str, str, str]]:
    return list(product(look["group"], look["host"], HALO))


def sprite_index(look: StyleTable, ratio: int) -> dict[str, Any]:
    """Return the place of each symbol by name, in pixels of the picture that has ``ratio`` pixels for one CSS pixel."""
    side = ICON_PX * ratio
    return {
        image_name(*symbol): {"x": side * at, "y": 0, "width": side, "height": side, "pixelRatio": ratio}
        for at, symbol in enumerate(_symbols(look))
    }


@lru_cache(maxsize=4)
def sprite_png(path: Path, ratio: int) -> bytes:
    """Draw all symbols of the style table at a path as PNG, with ``ratio`` pixels for one CSS pixel."""
    from api.rendering.png import symbols_png  # takes a third of a second, which every start would wait for

    look = style_table(path)
    return symbols_png(_symbols(look), ratio, look)
