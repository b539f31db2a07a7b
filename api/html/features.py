"""Features as people read them: a row for each, with links to the features it names, and pictures of their places."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import shapely
from starlette.requests import Request

from api.exports.text import page_text
from api.html.addresses import href
from api.html.documents import plain
from api.html.map_images import Picture, pictures
from api.html.published import SubjectContent, bounds_of, head_of, published
from api.html.subjects import asset_content, asset_data, strike_content, strike_data
from api.http.json import Json
from api.http.links import is_answered, item_path
from api.server.served_version import ServedVersion
from api.wording.catalogue import ENGLISH, phrase
from api.wording.countries import country_names, name_in
from api.wording.dates import DATED, date_in_words
from api.wording.preference import language_of
from api.wording.strikes import strike_title
from layers.collections.collection import Collection
from layers.collections.feature_types import SPOKEN
from layers.collections.geometry_index import Box
from layers.collections.geometry_kinds import ASSET_VIEWS
from layers.corrections.concerned import records_of_answer, records_of_asset
from layers.disclosure.ruling import left_out
from layers.query.selection import sortables

#: Properties whose values are ids of features, with the collection of these.
_ID_PROPERTIES = {
    "asset": "assets",
    "assets": "assets",
    "strike": "strikes",
    "country": "countries",
    "host_country": "countries",
    "owner_countries": "countries",
    "related_countries": "countries",
}
#: Properties whose values are ids of entities.
_ENTITY_PROPERTIES = ("entity", "owners", "operator")
#: The largest number of rows of a table: a longer page is slow to read and to build.
MOST = 1000
#: The largest number of letters that a cell holds in one line.
_MAX_LINE = 28
#: Parameters that choose a page or form of the answer, not features.
_PAGING = ("f", "lang", "limit", "offset", "startindex", "cursor")
#: Parameters that the form of the page has fields for.
FIELDS = ("bbox", "datetime", "filter", "sortby", "limit")


@dataclass(frozen=True)
class LinkedValue:
    """A value as text; where it is the id of a feature, with the address and name of that feature."""

    text: str
    address: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class FieldValues:
    """A property of a feature; without values where it is null or an empty list; ``withheld`` says if it is that."""

    name: str
    values: tuple[LinkedValue, ...]
    doc: str
    unit: str | None
    number: bool
    withheld: str = ""

    @property
    def title(self) -> str:
        """The name in words, without the unit at its end."""
        words = self.name.split("_")
        return " ".join(words[:-1] if len(words) > 1 and words[-1] == self.unit else words)

    @property
    def width(self) -> str:
        """The CSS class of its cell in a table: number, long or short."""
        length = sum(len(value.text) + 2 for value in self.values)
        return "number" if self.number else "long" if length > _MAX_LINE else "short"


@dataclass(frozen=True)
class FeatureRow:
    """A feature: id, name, address, all further properties, and its place in words."""

    id: str
    name: str
    address: str
    fields: Sequence[FieldValues]
    place: str


def name_of(feature: Json, language: str = ENGLISH) -> str:
    """Return the title or name of a feature, or else its id; a draft of a strike is named as one."""
    properties = feature["properties"] or {}
    name = str(
        properties.get(f"title_{language}") or properties.get("title") or properties.get("name") or feature["id"]
    )
    return strike_title(name, properties.get("status"), language)


def called(view: ServedVersion, collection: Collection, feature: Json, language: str) -> str:
    """Return what a page calls a feature: a site and a country in the language, others as `name_of`."""
    key = str(feature["id"])
    if _record_table(collection) == "assets" and key in view.snapshot.records.assets:
        return name_in(view.snapshot.records.assets[key], language)
    if collection.name == "countries" and language != ENGLISH:
        return country_names(view.snapshot.country_names, language).get(key, name_of(feature, language))
    return name_of(feature, language)


def place_of(geometry: Json | None, count: int, language: str = ENGLISH) -> str:
    """Describe a GeoJSON geometry: the coordinates of a point, else the type and the number of its positions."""
    if geometry is None:
        return ""
    if geometry["type"] == "Point":
        return ", ".join(plain(number) for number in geometry["coordinates"])
    return phrase("html.item.positions", language, type=geometry["type"], n=count)


def of_items(request: Request, view: ServedVersion, collection: Collection, document: Json) -> Json:
    """Give the page of features what its JSON lacks: rows, pictures, and the values of its form."""
    rows = [_row(request, view, collection, feature) for feature in document["features"]]
    query = dict(request.query_params)
    selecting = {name: text for name, text in query.items() if name not in _PAGING}
    # A picture of the features takes no box of its own.
    taken = {"datetime", "filter", "filter-lang", "filter-crs", *collection.queryables} - {"geometry"}
    drawing = {name: text for name, text in selecting.items() if name in taken}
    caption = "html.items.caption-box" if "bbox" in selecting else "html.items.caption"
    return {
        "rows": rows,
        "pictures": pictures(request, collection.name, _bounds(collection, document["features"]), drawing),
        "caption": phrase(caption, language_of(request)),
        "conditions": [(name, text, _without(request, collection, name)) for name, text in selecting.items()],
        "query": query,
        "hidden": {
            name: text for name, text in query.items() if name == "lang" or (name in selecting and name not in FIELDS)
        },
        "max_limit": min(request.app.state.settings.limit_max, MOST),
        "default_limit": request.app.state.settings.limit_default,
        "sortable": list(sortables(collection)),
        "paging_links": {link["rel"]: link["href"] for link in document["links"] if link["rel"] in ("next", "prev")},
    }


def of_item(request: Request, view: ServedVersion, collection: Collection, document: Json) -> Json:
    """Give the page of a feature what its JSON lacks: its row, pictures, and addresses of more on it."""
    bounds = _bounds(collection, [document])
    language = language_of(request)
    shown = pictures(request, collection.name, bounds, {"id": str(document["id"])})
    return {
        "row": _row(request, view, collection, document),
        "pictures": shown,
        "more": _more(request, collection, str(document["id"]), language),
        "shape": orjson.dumps(document["geometry"]).decode(),
        "system": request.query_params.get("crs", phrase("html.item.crs84", language)),
        **_published(request, view, collection, str(document["id"]), shown),
    }


def _published(
    request: Request, view: ServedVersion, collection: Collection, key: str, shown: Sequence[Picture]
) -> Json:
    """Give what the page of a strike or a site says of it, to be cited; nothing of another feature."""
    records, snapshot = view.snapshot.records, view.snapshot
    if collection.name == "strikes" and key in records.strikes:
        content: SubjectContent = strike_content(request, view, key)
        about, keys = strike_data(records.strikes[key], view, language_of(request)), records_of_answer(snapshot, key)
    elif _record_table(collection) == "assets" and key in records.assets:
        content = asset_content(request, view, key)
        about, keys = asset_data(records.assets[key], language_of(request)), records_of_asset(snapshot, key)
    else:
        return {"published": None}
    return {
        **published(request, view, content, keys),
        "head": head_of(request, view, content, about, shown),
    }


def _record_table(collection: Collection) -> str:
    """The table whose records the features of a collection are; its own name where they are of none."""
    return "assets" if collection.name in ASSET_VIEWS else collection.name


def _more(request: Request, collection: Collection, key: str, language: str) -> list[tuple[str, str]]:
    """List title and address of further answers on a feature."""
    table, quoted = _record_table(collection), urllib.parse.quote(key, safe="/")
    fragment = urllib.parse.quote(key, safe="")
    addresses: Mapping[str, Mapping[str, str]] = {
        "strikes": {
            "on-map": f"{href(request, '/map')}#strike={fragment}",
            "attribution": href(request, f"/strikes/{quoted}/attribution"),
            "record": href(request, f"/records/strikes/{quoted}"),
        },
        "assets": {
            "owners": href(request, f"/assets/{quoted}/owners"),
            "strikes": href(request, "/collections/strikes/items", assets=key),
            "record": href(request, f"/records/assets/{quoted}"),
        },
        "countries": {
            "on-map": f"{href(request, '/map')}#country={fragment}",
            "country": href(request, f"/countries/{quoted}"),
            "ties": href(request, "/collections/attributions/items", country=key),
        },
    }
    return [
        (phrase(f"html.item.{name}", language), address)
        for name, address in addresses.get(table, {}).items()
        if name != "record" or is_answered(request, f"/records/{table}/{quoted}")
    ]


def _row(request: Request, view: ServedVersion, collection: Collection, feature: Json) -> FeatureRow:
    language, columns = language_of(request), {column.name: column for column in collection.columns}
    properties = feature["properties"] or {}
    hidden = {*left_out(properties)}
    hidden |= {f"name_{spoken}" for spoken in SPOKEN if "names" in hidden}
    hidden |= {"host_country", "host_basis"} if "geometry" in hidden else set()  # which may follow from the place
    fields = [
        FieldValues(
            name,
            tuple(_values(request, view, name, value)),
            columns[name].doc if name in columns else "",
            columns[name].unit if name in columns else None,
            name in columns and columns[name].type in ("number", "integer"),
            page_text("withheldValue", language) if name in hidden else "",
        )
        for name, value in properties.items()
    ]
    address = href(request, item_path(collection.name, feature["id"]))
    row = collection.rows_by_id.get(feature["id"])
    count = 0 if row is None else int(shapely.get_num_coordinates(collection.shapes_at(np.array([row]))[0]))
    is_hidden = "geometry" in hidden and feature["geometry"] is None
    place = page_text("placeWithheld", language) if is_hidden else place_of(feature["geometry"], count, language)
    return FeatureRow(str(feature["id"]), called(view, collection, feature, language), address, fields, place)


def _values(request: Request, view: ServedVersion, name: str, values: Any) -> Iterator[LinkedValue]:
    language = language_of(request)
    for value in values if isinstance(values, list) else [values]:
        if value is None or value == "":
            continue
        text = date_in_words(value, language) if name in DATED else plain(value, language)
        entity = view.snapshot.records.entities.get(text) if name in _ENTITY_PROPERTIES else None
        if entity is not None:
            yield LinkedValue(
                text, href(request, f"/records/entities/{urllib.parse.quote(text)}"), name_in(entity, language)
            )
            continue
        collection = view.snapshot.collections.get(_ID_PROPERTIES.get(name, ""))
        row = None if collection is None else collection.rows_by_id.get(text)
        if collection is None or row is None:
            yield LinkedValue(text)
        else:
            feature: Any = collection.features[row]
            known = (getattr(feature, name, None) for name in (f"title_{language}", "title", "name"))
            called = next(filter(None, known), None)
            title = called and strike_title(called, getattr(feature, "status", None), language)
            yield LinkedValue(text, href(request, item_path(collection.name, text)), title)


def _bounds(collection: Collection, features: Sequence[Json]) -> Box | None:
    """Return the bounds of features in degrees, in whichever CRS they are written; ``None`` where none has a place."""
    known = collection.rows_by_id
    return bounds_of(collection, [known[feature["id"]] for feature in features if feature["id"] in known])


def _without(request: Request, collection: Collection, name: str) -> str:
    """Return the address of the page without one of its parameters, from the first feature on."""
    dropped = ("offset", "startindex", "cursor", name)
    query = {key: text for key, text in request.query_params.items() if key not in dropped}
    return href(request, f"/collections/{collection.name}/items", **query)
