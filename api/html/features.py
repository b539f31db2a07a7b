"""Features as people read them: a row a feature with links to what it names, and pictures of where they are."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import orjson
import shapely
from starlette.requests import Request

from api.html.documents import plain
from api.html.map_images import pictures
from api.http.links import href, item_path
from api.requests.query_parameters import sortables
from api.server.served_version import View
from layers.collections.collection import Box, Collection
from layers.model.records import Source

Json = Mapping[str, Any]

#: The collection that the values of a property are ids of.
_NAMES = {
    "asset": "assets",
    "assets": "assets",
    "strike": "strikes",
    "country": "countries",
    "host_country": "countries",
    "owner_countries": "countries",
    "related_countries": "countries",
}
#: Features of the longest table: a page of more is slow to read and to make.
MOST = 1000
#: Letters that a cell holds in one line.
_SHORT = 28
#: Parameters that say which page or form of the answer it is, not what is asked for.
_PAGING = ("f", "limit", "offset", "startindex", "cursor")
#: Parameters that the form of the page has fields for.
FIELDS = ("bbox", "datetime", "filter", "sortby", "limit")


@dataclass(frozen=True)
class Value:
    """One value as text; where it names a feature, with its address and name."""

    text: str
    address: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class Field:
    """One property of a feature; without values where it is null or an empty list."""

    name: str
    values: tuple[Value, ...]
    doc: str
    unit: str | None
    number: bool

    @property
    def title(self) -> str:
        """Its name in words, without the unit at its end."""
        words = self.name.split("_")
        return " ".join(words[:-1] if len(words) > 1 and words[-1] == self.unit else words)

    @property
    def width(self) -> str:
        """Class of a cell of it, so that a table of many columns can be read."""
        longest = sum(len(value.text) + 2 for value in self.values)
        return "number" if self.number else "long" if longest > _SHORT else "short"


@dataclass(frozen=True)
class Row:
    """One feature: its id, name and address, and all other properties."""

    id: str
    name: str
    address: str
    fields: Sequence[Field]
    place: str


class Cited(NamedTuple):
    """A source: what it is called, what else is known of it, its address and that of a copy."""

    name: str
    about: str
    address: str | None
    copy: str | None


def name_of(told: Json) -> str:
    """What a feature is called: its title or name, or else its id."""
    properties = told["properties"] or {}
    return str(properties.get("title") or properties.get("name") or told["id"])


def place_of(geometry: Json | None, count: int) -> str:
    """Where a feature is, in few words: the coordinates of a point, of others the kind and how many positions."""
    if geometry is None:
        return ""
    if geometry["type"] == "Point":
        return ", ".join(plain(number) for number in geometry["coordinates"])
    return f"{geometry['type']}, {count} positions"


def of_items(request: Request, view: View, found: Collection, told: Json) -> Json:
    """What the page of features says besides: rows, pictures, and what was asked for."""
    rows = [_row(request, view, found, one) for one in told["features"]]
    query = dict(request.query_params)
    asked = {name: text for name, text in query.items() if name not in _PAGING}
    drawn = {name: text for name, text in asked.items() if name in _drawing(found)}
    return {
        "rows": rows,
        "pictures": pictures(request, found.name, _bounds(found, told["features"]), drawn),
        "caption": f"All that match{' but for the box' if 'bbox' in asked else ''}, about those of this page.",
        "asked": [(name, text, _without(request, found, name)) for name, text in asked.items()],
        "query": query,
        "kept": {name: text for name, text in asked.items() if name not in FIELDS},
        "most": min(request.app.state.settings.limit_max, MOST),
        "usual": request.app.state.settings.limit_default,
        "sortable": list(sortables(found)),
        "leads": {one["rel"]: one["href"] for one in told["links"] if one["rel"] in ("next", "prev")},
    }


def of_item(request: Request, view: View, found: Collection, told: Json) -> Json:
    """What the page of a feature says besides: its row, pictures, and what else is known of it."""
    there = _bounds(found, [told])
    record = view.snapshot.records.table(found.name).get(told["id"]) if found.name in ("strikes", "assets") else None
    ids: Sequence[str] = getattr(record, "sources", ())
    known = view.snapshot.records.sources
    return {
        "row": _row(request, view, found, told),
        "pictures": pictures(request, found.name, there, {"id": str(told["id"])}),
        "more": _more(request, found, str(told["id"])),
        "sources": [_cited(known[key]) for key in ids if key in known],
        "shape": orjson.dumps(told["geometry"]).decode(),
        "system": request.query_params.get("crs", "OGC:CRS84 (longitude, latitude)"),
    }


def _cited(source: Source) -> Cited:
    """A source as it is listed: by its title, or else who published it."""
    about = [source.publisher if source.title else None, source.published]
    told = ", ".join(part for part in about if part)
    return Cited(source.title or source.publisher, told, _web(source.url), _web(source.archive_url))


def _web(url: str | None) -> str | None:
    """An address that a link may lead to; ``None`` for any other."""
    return url if url is not None and re.match(r"https?://", url, re.IGNORECASE) else None


def _more(request: Request, found: Collection, key: str) -> list[tuple[str, str]]:
    """Title and address of what else tells of a feature."""
    quoted = urllib.parse.quote(key, safe="/")
    if found.name == "strikes":
        return [
            ("On the map", f"{href(request, '/map')}#strike={urllib.parse.quote(key, safe='')}"),
            ("Whose it was: owners, chains, reasons and sources", href(request, f"/strikes/{quoted}/attribution")),
            ("The record as stored", href(request, f"/records/strikes/{quoted}")),
        ]  # fmt: skip
    if found.name == "assets":
        return [
            ("Owners, with the chains", href(request, f"/assets/{quoted}/owners")),
            ("Strikes on it", href(request, "/collections/strikes/items", assets=key)),
            ("The record as stored", href(request, f"/records/assets/{quoted}")),
        ]
    if found.name == "countries":
        return [
            ("On the map", f"{href(request, '/map')}#country={urllib.parse.quote(key, safe='')}"),
            ("What of its was hit", href(request, f"/countries/{quoted}")),
            ("Its ties to what was struck", href(request, "/collections/attributions/items", country=key)),
        ]
    return []


def _row(request: Request, view: View, found: Collection, told: Json) -> Row:
    known = {column.name: column for column in found.columns}
    fields = [
        Field(
            name,
            tuple(_values(request, view, name, value)),
            known[name].doc if name in known else "",
            known[name].unit if name in known else None,
            name in known and known[name].type in ("number", "integer"),
        )
        for name, value in (told["properties"] or {}).items()
    ]
    address = href(request, item_path(found.name, told["id"]))
    row = found.rows_by_id.get(told["id"])
    count = 0 if row is None else int(shapely.get_num_coordinates(found.shapes_at(np.array([row]))[0]))
    return Row(str(told["id"]), name_of(told), address, fields, place_of(told["geometry"], count))


def _values(request: Request, view: View, name: str, value: Any) -> Iterator[Value]:
    for one in value if isinstance(value, list) else [value]:
        if one is None or one == "":
            continue
        text = plain(one)
        other = view.snapshot.collections.get(_NAMES.get(name, ""))
        row = None if other is None else other.rows_by_id.get(text)
        if other is None or row is None:
            yield Value(text)
        else:
            feature: Any = other.features[row]
            called = getattr(feature, "title", None) or getattr(feature, "name", None)
            yield Value(text, href(request, item_path(other.name, text)), called)


def _bounds(found: Collection, told: Sequence[Json]) -> Box | None:
    """Bounds of features in degrees, whatever system they are told in; ``None`` where none has a place."""
    rows = [found.rows_by_id[one["id"]] for one in told if one["id"] in found.rows_by_id]
    shapes = found.shapes_at(np.array(rows, np.int64))
    if not len(shapes) or np.isnan(edges := shapely.total_bounds(shapes)).any():
        return None
    west, south, east, north = edges.tolist()
    return west, south, east, north


def _drawing(found: Collection) -> set[str]:
    """Parameters that a picture of the same features takes."""
    return {
        "datetime",
        "filter",
        "filter-lang",
        "filter-crs",
        *(name for name in found.queryables if name != "geometry"),
    }


def _without(request: Request, found: Collection, name: str) -> str:
    """The address of the same page with one parameter less, from the first feature on."""
    left = ("offset", "startindex", "cursor", name)
    query = {key: text for key, text in request.query_params.items() if key not in left}
    return href(request, f"/collections/{found.name}/items", **query)
