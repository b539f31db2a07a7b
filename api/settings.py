"""What an operator may set; nothing here is read at import."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

#: Where the store and the base map are kept unless told otherwise.
STORE = Path("data/atlas.gpkg")
BASEMAP = Path("data/basemap.gpkg")


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one server."""

    static: Path = ROOT / "static"
    basemap: Path = BASEMAP
    limit_default: int = 100
    limit_max: int = 10_000
    #: Seconds between looks at the store for a newer version; 0 never looks.
    follow_every_s: float = 2.0
    #: Tiles kept, gzipped, for one version of the data.
    tiles_kept: int = 4096
    attribution: str = "StrikeAtlas curated records (CC BY 4.0)"
