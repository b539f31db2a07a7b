"""What an operator may set; nothing here is read at import."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from layers.decisions import PUBLISH_FROM, SHOW_FROM

ROOT = Path(__file__).resolve().parent.parent

#: Where the store, the base map and the gazetteer are kept unless told otherwise.
STORE = Path("data/atlas.gpkg")
BASEMAP = Path("data/basemap.gpkg")
GAZETTEER = Path("data/gazetteer.sqlite")
REVIEWERS = Path("data/reviewers.json")


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one server."""

    static: Path = ROOT / "static"
    basemap: Path = BASEMAP
    gazetteer: Path = GAZETTEER
    #: Who may write; without the file nobody may.
    reviewers: Path = REVIEWERS
    limit_default: int = 100
    limit_max: int = 10_000
    #: Seconds between looks at the store for a newer version; 0 never looks.
    follow_every_s: float = 2.0
    #: Tiles kept, gzipped, for one version of the data.
    tiles_kept: int = 4096
    #: Bytes of the largest request body that is read.
    body_max: int = 65_536
    #: Probability from which an undecided candidate is published as probable, and that from which one is shown at all.
    publish_from: float = PUBLISH_FROM
    show_from: float = SHOW_FROM
    attribution: str = "StrikeAtlas curated records (CC BY 4.0)"
