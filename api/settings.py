"""Settings that an operator may change; no file is read at import, only looked for."""

from __future__ import annotations

import dataclasses
import math
import os
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from api.requests.parameters import BadParameter
from layers.decisions.hits import PUBLISH_FROM, SHOW_FROM
from layers.disclosure.policy import OPEN, Policy
from layers.disclosure.policy import read as read_policy
from layers.snapshot.snapshot_cache import MIN_RECORDS
from layers.store.open_layer import OpenLayer

ROOT = Path(__file__).resolve().parent.parent


#: Base map and gazetteer that came with the program.
BUNDLED = ROOT / "layers" / "reference" / "data"


def _usual(name: str) -> Path:
    """Return a file in the folder ``data`` of the working directory, or else the one that came with the program."""
    own, bundled = Path("data", name), BUNDLED / name
    return bundled if bundled.exists() and not own.exists() else own


def gazetteer_path(given: Path | None = None) -> Path:
    """Return the gazetteer that is given, or else the usual one: an own one may have been made since the start."""
    return given or _usual(OWN_GAZETTEER.name)


#: Paths of the store, the base map and the reviewers unless others are given.
STORE = Path("data/atlas.gpkg")
BASEMAP = _usual("basemap.gpkg")
#: The gazetteer that places are added to, even if one came with the program.
OWN_GAZETTEER = Path("data/gazetteer.sqlite")
#: What the help of the command line says of them.
BASEMAP_SHOWN, GAZETTEER_SHOWN = (f"data/{name}, or the bundled one" for name in ("basemap.gpkg", "gazetteer.sqlite"))
REVIEWERS = Path("data/reviewers.json")
#: The open layer that came with the program, where it is there.
OPEN_LAYER = ROOT / "layers" / "reference" / "data" / "open-layer.zip"
#: Names a file of an open layer, "bundled" or "none", for every command.
OPEN_LAYER_VARIABLE = "STRIKEATLAS_OPEN_LAYER"
#: States the policy of disclosure that a store must have, where there is such a file and none is named.
POLICY = Path("data/policy.toml")
#: An origin, whose host may begin with a wildcard; nothing else may stand in a header.
_ORIGIN = re.compile(r"https?://(?:\*\.)?([A-Za-z0-9.-]{1,253})(?::([0-9]{1,5}))?", re.ASCII)
#: A label of a host name (RFC 1123, 2.1).
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)
#: Names another such file, for every command.
POLICY_VARIABLE = "STRIKEATLAS_POLICY"


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one server. Limits hold for each worker by itself."""

    static: Path = ROOT / "static"
    basemap: Path = BASEMAP
    #: PMTiles archive of the base map that the web map draws; ``None`` for that beside `basemap`, where there is one.
    basemap_archive: Path | None = None
    #: The file of the open layer, "bundled" or "none"; ``None`` for what the environment names, see `open_layer`.
    open_layer: str | None = None
    #: ``None`` for the usual one.
    gazetteer: Path | None = None
    #: File of the reviewers, who may write; without it nobody may.
    reviewers: Path = REVIEWERS
    #: File of who wrote, and who read what is not published; ``None`` for one beside the store.
    audit: Path | None = None
    limit_default: int = 100
    limit_max: int = 10_000
    #: Seconds between looks at the store for a newer version; 0 never looks.
    follow_every_s: float = 0.2
    #: Tiles that are cached, gzipped, for one version of the data.
    tiles_cached: int = 4096
    #: Bytes of compressed bodies that are cached, tiles not among them.
    coded_cached: int = 32 * 2**20
    #: Bytes of whole answers that are cached for one version of the data.
    answers_cached: int = 64 * 2**20
    #: Seconds that a browser or a proxy may use an answer without revalidating it; 0 revalidates each time.
    cache_s: int = 0
    #: Bytes of the largest request body that is read.
    body_max: int = 65_536
    #: Minimum probabilities of an undecided candidate: to be published as probable, and to be shown at all.
    publish_from: float = PUBLISH_FROM
    show_from: float = SHOW_FROM
    #: Strikes and assets from whose number on the snapshot is cached in files beside the store.
    cache_from: int = MIN_RECORDS
    #: Folder for these files instead, such as for a store beside which nothing can be written.
    cache_in: Path | None = None
    #: Bytes of the longest path with its query, and of all header lines together.
    url_max: int = 8_192
    headers_max: int = 16_384
    #: Parameters of one query.
    parameters_max: int = 64
    #: Requests at work at once, of all clients and of one; more are answered by 503. Where all are many, each client
    #: may have its share of them.
    at_work_max: int = 1024
    client_max: int = 256
    #: 1: in the queues a reviewer counts by their token, wherever it comes from; 0: everybody by address.
    clients_by_token: int = 0
    #: Pieces of work of one client and class that may wait, and threads of each class.
    waiting_max: int = 256
    tiles_at_once: int = 1
    selections_at_once: int = 2
    exports_at_once: int = 2
    pictures_at_once: int = 2
    #: Seconds until an answer has to begin.
    answer_s: float = 30.0
    #: Seconds that an answer waits for a change that another worker acknowledged, before it is of an older version.
    catch_up_s: float = 3.0
    #: Seconds within which a part of a streamed answer must be produced, and taken by the client.
    stall_s: float = 60.0
    #: Seconds that requests at work have to end when the server is stopped.
    grace_s: int = 30
    #: Addresses or networks of the proxies whose X-Forwarded headers count; none by default.
    proxies: tuple[str, ...] = ()
    #: Path below which a proxy shows the server, where no such header says it; without the last slash.
    root_path: str = ""
    #: Origins whose pages may show the map within them, such as https://news.example; ``*`` is all. Nobody by default.
    embedders: tuple[str, ...] = ()
    #: Folder in which the workers of one server share their state; ``None`` for a single worker.
    workers: Path | None = None
    #: File that states the policy that the store must have; see `stated_policy`.
    policy_file: Path | None = None
    attribution: str = "StrikeAtlas curated records (CC BY 4.0)"
    #: Address of the licence of the records.
    licence: str = "https://creativecommons.org/licenses/by/4.0/"


def open_layer(given: str | None = None) -> OpenLayer | None:
    """Open the open layer that is given, else that of `OPEN_LAYER_VARIABLE`, else the bundled one.

    A file is named by its path, `OPEN_LAYER` by "bundled"; ``None`` for "none".

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    NotAnOpenLayer
        If it is none.
    """
    named = (os.environ.get(OPEN_LAYER_VARIABLE) or "bundled") if given is None else given
    if named == "none":
        return None
    path = OPEN_LAYER if named == "bundled" else Path(named)
    if not path.is_file():
        raise FileNotFoundError(f"no open layer {named!r}: bundled, none or the path of a file was expected")
    return OpenLayer.open(path)


def with_credit_for(settings: Settings, layer: OpenLayer | None) -> Settings:
    """Settings whose attribution names those whose open data lies under the records."""
    if layer is None:
        return settings
    return dataclasses.replace(settings, attribution=f"{settings.attribution}; {layer.attribution}")


class PolicyDiffers(ValueError):
    """A file states another policy of disclosure than the store has, so that nobody knows which one is meant."""

    def __init__(self, file: Path, stored: Policy) -> None:
        has = "no policy" if stored == OPEN else "another policy"
        super().__init__(
            f"{file} states a policy of disclosure, and the store has {has}: give it this one with "
            f"strikeatlas policy set {shlex.quote(str(file))}, or leave the file out"
        )


def stated_policy(path: Path | None = None) -> tuple[Path, Policy] | None:
    """Read the policy of a file: that given, that of the environment, or the usual one; ``None`` where there is none.

    Raises
    ------
    FileNotFoundError
        If a file that is given or named by the environment is not there.
    ProblemsError
        If the file is no policy, with every fault.
    """
    stated = path or os.environ.get(POLICY_VARIABLE)
    if stated is None and not POLICY.exists():
        return None
    file = Path(stated or POLICY)
    return file, read_policy(file)


def require_policy(stored: Policy, path: Path | None = None) -> None:
    """Refuse to publish a store where a file states another policy than it has, see `stated_policy`.

    Raises
    ------
    PolicyDiffers
        If it does. What is published follows from the policy in the store alone.
    FileNotFoundError, ProblemsError
        As `stated_policy` does.
    """
    stated = stated_policy(path)
    if stated is not None and stated[1] != stored:
        raise PolicyDiffers(stated[0], stored)


#: Settings that are numbers, by name, and whether they may have decimals.
NUMBERS = {
    field.name: field.type == "float" for field in dataclasses.fields(Settings) if field.type in ("int", "float")
}


def stated_embedders(given: Iterable[str]) -> tuple[str, ...]:
    """Return the origins whose pages may show the map, as a frame-ancestors directive takes them (CSP 3, 6.4.2).

    Raises
    ------
    BadParameter
        If one is neither an origin of http or https nor ``*``.
    """
    origins = tuple(given)
    for origin in origins:
        if origin != "*" and not _is_origin(origin):
            raise BadParameter("embed-on", origin, "an origin such as https://news.example, or *")
    return origins


def _is_origin(text: str) -> bool:
    found = _ORIGIN.fullmatch(text)
    return found is not None and 0 < int(found[2] or 443) < 65_536 and all(map(_LABEL.fullmatch, found[1].split(".")))


def with_overrides(settings: Settings, given: Iterable[str]) -> Settings:
    """Return settings with numbers from texts such as ``at_work_max=256``; the last text of a name counts.

    Raises
    ------
    BadParameter
        If a name is no setting that is a number, or its value is negative or no number.
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
