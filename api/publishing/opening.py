"""What the map of a publication shows before it has all rows: the first of the list, counts, and clusters by zoom.

They are answers of the application to the requests that a page begins with, by the parameters of these: the browser
finds an answer there or, of anything else, reads all rows and works it out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlencode

import orjson

from api.http.json import Json
from api.publishing.in_process import InProcess
from api.publishing.map_files import odd_names
from api.requests.map_view import MapView
from api.requests.query_parameters import LIST_ORDER
from api.wording.catalogue import ENGLISH
from layers.model.types import Status
from layers.query.strike_clusters import CELL_PX, RingDivision
from layers.snapshot.snapshot import Snapshot

#: Where the page says how many rows of the list it asks for at once.
_ASKED = "results.js", re.compile(r"^export const PAGE = (\d+);$", re.MULTILINE)
#: Bytes of an answer at most: larger ones, such as counts by day of many years, are worked out where they are wanted.
_MOST_BYTES = 32_000
#: Marks of a zoom at most: from there on the map draws each strike.
_MOST_MARKS = 1000
#: What the rings of clusters are divided by where no country or owner is chosen.
_PARTS: RingDivision = "owners"
_ZOOMS = [half / 2 for half in range(2, 35)]
_TIES = ({"reading": "registration"}, {"reading": "control"}, {"relation": "related"}, {"relation": "host"})


def first_rows(static: Path) -> int:
    """Return how many rows of the list a page begins with, as its own module in the folder of its files says.

    Raises
    ------
    ValueError
        If the module does not say so.
    """
    name, asked = _ASKED
    said = asked.search((static / name).read_text(encoding="utf-8"))
    if said is None:
        raise ValueError(f"{name} does not say how many rows of the list the page asks for")
    return int(said[1])


def opening_files(asked: InProcess, snapshot: Snapshot, rows: int) -> Iterator[tuple[str, bytes]]:
    """Give ``map/opening.json``, and ``map/clusters/ZOOM.json`` for each half zoom of few marks, from 1 on.

    Parameters
    ----------
    rows
        How many rows of the list are there at once.
    """
    get = partial(_answer, asked)
    own = MapView().parameters()
    sought = {"sortby": LIST_ORDER, "limit": str(rows)}
    page = orjson.loads(get("/collections/strikes/items", {**own, **sought}))
    answers = {}
    for query in _counts(own):
        body = get("/strikes/counts", query)
        if len(body) <= _MOST_BYTES:
            answers[name_of(query)] = orjson.loads(body)
    zooms = []
    # The grid is coarser where a box has very many cells.
    box = ",".join(map(str, answers[name_of(own)]["bbox"] or (-180, -85, 180, 85)))
    for zoom in _ZOOMS:
        body = get("/strikes/clusters", {**own, "zoom": str(zoom), "parts": _PARTS, "bbox": box})
        found = orjson.loads(body)
        if found["zoom"] != zoom or len(found["clusters"]) + len(found["features"]) > _MOST_MARKS:
            break
        zooms.append(zoom)
        yield f"map/clusters/{zoom:g}.json", body
    opening: Json = {
        "selection": name_of(own),
        "total": page["numberMatched"],
        "rows": [_row(feature) for feature in page["features"]],
        "counts": answers,
        "clusters": {"zooms": zooms, "parts": _PARTS, "cell": CELL_PX},
        "files": odd_names(snapshot),
    }
    yield "map/opening.json", orjson.dumps(opening)


def name_of(query: Mapping[str, str]) -> str:
    """Return what an answer is found by: its parameters in order, as `static/file-opening.js` writes them too."""
    return "&".join(sorted(f"{name}={value}" for name, value in query.items()))


def _counts(own: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """Give the parameters of all counts that a page begins with, or shows once its filters are opened."""
    yield own
    for by in ("day", "week", "month", "year", "group", "commodity"):
        yield {**own, "by": by}
    for tie in _TIES:
        yield {**own, **tie, "by": "country"}
    # The axis of time is that of all strikes, and statuses are counted with the retracted ones.
    yield {"by": "month"}
    statuses = ("verified", "corroborated", "reported", "draft", "retracted")
    assert {*statuses} == {*get_args(Status)}
    yield {**MapView(status=statuses).parameters(), "by": "status"}


def _answer(asked: InProcess, path: str, query: Mapping[str, str]) -> bytes:
    return asked.get(path, "json", ENGLISH, urlencode(query))


def _row(feature: Any) -> Json:
    return {"id": feature["id"], **feature["properties"], "geometry": feature["geometry"]}
