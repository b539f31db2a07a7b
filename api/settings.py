"""What an operator may set; nothing here is read at import."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from api.requests.scalars import BadParameter
from layers.model.thresholds import PUBLISH_FROM, SHOW_FROM
from layers.snapshot.snapshot_cache import LEAST

ROOT = Path(__file__).resolve().parent.parent

#: Where the store, the base map and the gazetteer are kept unless told otherwise.
STORE = Path("data/atlas.gpkg")
BASEMAP = Path("data/basemap.gpkg")
GAZETTEER = Path("data/gazetteer.sqlite")
REVIEWERS = Path("data/reviewers.json")


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one server. Limits hold for each worker by itself."""

    static: Path = ROOT / "static"
    basemap: Path = BASEMAP
    gazetteer: Path = GAZETTEER
    #: Who may write; without the file nobody may.
    reviewers: Path = REVIEWERS
    limit_default: int = 100
    limit_max: int = 10_000
    #: Seconds between looks at the store for a newer version; 0 never looks.
    follow_every_s: float = 0.2
    #: Tiles kept, gzipped, for one version of the data.
    tiles_kept: int = 4096
    #: Bytes of compressed bodies that are kept, tiles not among them.
    coded_kept: int = 32 * 2**20
    #: Seconds that a browser or a proxy may keep an answer without asking again; 0 asks each time.
    cache_s: int = 0
    #: Bytes of the largest request body that is read.
    body_max: int = 65_536
    #: Probability from which an undecided candidate is published as probable, and that from which one is shown at all.
    publish_from: float = PUBLISH_FROM
    show_from: float = SHOW_FROM
    #: From so many strikes and assets on, what follows from the store is kept in files beside it.
    keep_from: int = LEAST
    #: Bytes of the longest path with its query, and of all header lines together.
    url_max: int = 8_192
    headers_max: int = 16_384
    #: Parameters of one query.
    parameters_max: int = 64
    #: Requests at work at once; those beyond are told to come again.
    at_work_max: int = 128
    #: Seconds until an answer has to begin.
    answer_s: float = 30.0
    #: Seconds that a part of a streamed answer may take to be made and to be taken by the client.
    stall_s: float = 60.0
    #: Seconds that requests at work have to end when the server is stopped.
    grace_s: int = 30
    #: Addresses or networks of the proxies whose X-Forwarded headers count; none by default.
    proxies: tuple[str, ...] = ()
    #: Folder in which the workers of one server tell each other how they are; ``None`` for a single worker.
    workers: Path | None = None
    attribution: str = "StrikeAtlas curated records (CC BY 4.0)"


#: Settings that are numbers, by name, and whether they may have decimals.
NUMBERS = {
    field.name: field.type == "float" for field in dataclasses.fields(Settings) if field.type in ("int", "float")
}


def tuned(settings: Settings, given: Iterable[str]) -> Settings:
    """The settings with some numbers given as texts, such as ``at_work_max=256``; the last of a name counts.

    Raises
    ------
    BadParameter
        If there is no such number, or it is negative or none.
    """
    values: dict[str, float] = {}
    for text in given:
        name, _, value = text.partition("=")
        if name not in NUMBERS:
            raise BadParameter("set", text, f"one of {', '.join(NUMBERS)}, = and a number")
        try:
            number = float(value) if NUMBERS[name] else int(value)
        except ValueError:
            number = -1
        if not (math.isfinite(number) and number >= 0):
            raise BadParameter("set", text, f"{name}= and a number from 0 on{'' if NUMBERS[name] else ', a whole one'}")
        values[name] = number
    return dataclasses.replace(settings, **values)  # type: ignore[arg-type]
