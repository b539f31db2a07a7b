"""The pictures of all symbols in one, as MapLibre reads them (style specification, sprite)."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

from api.rendering.png import ICON, icons, table
from api.styles.maplibre import image
from api.styles.rules import HALO, Table


def _symbols(look: Table) -> list[tuple[str, str, str]]:
    return list(product(look["group"], look["host"], HALO))


def index(look: Table, ratio: int) -> dict[str, Any]:
    """Where each symbol is, in pixels of the picture of a ratio."""
    side = ICON * ratio
    return {
        image(*symbol): {"x": side * at, "y": 0, "width": side, "height": side, "pixelRatio": ratio}
        for at, symbol in enumerate(_symbols(look))
    }


@lru_cache(maxsize=4)
def picture(path: Path, ratio: int) -> bytes:
    """The picture by the table at a path, as PNG."""
    look = table(path)
    return icons(_symbols(look), ratio, look)
