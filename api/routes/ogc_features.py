"""OGC API - Features parts 1 to 3, 5 and 8: the features of a collection, a page at a time, one by its id, and schemas.

Features are plain routes: they skip the framework's parsing, and a thread is used only for what takes long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
import orjson
from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from api.formats import json_schema
from api.formats.csv import FORMAT as CSV
from api.formats.csv import METADATA as CSV_METADATA
from api.formats.csv import WITH_BOM as CSV_WITH_BOM
from api.formats.geojson import JSONFG
from api.formats.kml import FORMAT as KML
from api.formats.page import FeaturePage, Link
from api.formats.registry import FEATURE, FEATURE_WRITERS, FEATURES, WRITERS
from api.html import pages
from api.html.features import FIELDS, MOST
from api.http.common_headers import FORM_SECURITY_POLICY
from api.http.conditional import cache_control, http_date, not_modified_response, strong_etag
from api.http.json import Json
from api.http.links import JSON, base_address, href, item_path, link, link_header, query_string, with_query
from api.http.work import WorkClass, queued, require_wanted
from api.openapi.declaration import OGC_REL, OGC_SPEC, ApiPart, Endpoint, media_types
from api.openapi.parameters import item_parameters, items_parameters, openapi_schema
from api.openapi.responses import ANY_OBJECT, COUNT, LINKS, STRING, array_of, object_with, reference
from api.requests.crs import CRS84
from api.requests.negotiation import GEOJSON, HTML, SCHEMA, SCHEMAS, MediaFormat
from api.requests.parameters import BadParameter
from api.requests.query_parameters import (
    DATETIME,
    DEFAULT_PROFILE,
    PROFILE,
    STRIKE_CONDITIONS,
    ItemsRequest,
    parse_items_request,
    parse_representation,
    parse_selection,
    parse_strike_conditions,
)
from api.responses.resource import (
    PiecesResponse,
    collection_or_404,
    document,
    file_metadata,
    has_file_metadata,
    licence_link,
    negotiated_format,
    served_version,
    version,
)
from api.wording.preference import language_headers, language_parts
from geo.columnar.lazy_array import to_numpy
from layers.collections.collection import Collection, Rows
from layers.collections.queryables import GEOMETRY
from layers.query.keyset_cursor import NOTHING_MOVED, CursorError, PagedRows, TypeExamples
from layers.query.selection import is_cached_or_cheap
from layers.query.strike_truth import narrowed, truth_of

#: Bytes of the longest Link header that has every link.
_HEADER_MAX = 3072
#: Formats that people page through, and the features from whose number on a page of them is an export as well.
_SHOWN, _MANY = (GEOJSON, JSONFG, HTML), 1000
#: Bytes of a query that are read beside the loop: a filter that long takes a while.
_LONG = 2048
#: Resources that describe a collection: name, link relation and title.
DESCRIPTIONS = (
    ("queryables", f"{OGC_REL}queryables", "What it can be filtered by"),
    ("sortables", f"{OGC_REL}sortables", "What it can be sorted by"),
    ("schema", f"{OGC_REL}schema", "What its features have"),
)
_PROFILES = "http://www.opengis.net/def/profile/OGC/0/"


def _schemas(collection: Collection) -> Mapping[str, Json]:
    """Return the schemas of one feature, of whose properties a request may want only some, and of a page of them."""
    known = [one for one in collection.queryables.values() if one.name != GEOMETRY]
    properties = {one.name: {**openapi_schema(collection, one), "nullable": True} for one in known}
    for one in properties.values():
        if "enum" in one:
            one["enum"] = [*one["enum"], None]
    feature = object_with(
        type={"type": "string", "enum": ["Feature"]},
        id=STRING,
        geometry={**object_with(type=STRING), "nullable": True},
        properties={"type": "object", "properties": properties},
    )
    page = object_with(
        type={"type": "string", "enum": ["FeatureCollection"]},
        links=LINKS,
        numberMatched=COUNT,
        numberReturned=COUNT,
        timeStamp={"type": "string", "format": "date-time"},
        metadata=ANY_OBJECT,
        features=array_of(reference(f"Feature_{collection.name}")),
    )
    return {f"Feature_{collection.name}": feature, f"Features_{collection.name}": page}


def _collection_links(request: Request, collection: Collection) -> Sequence[Link]:
    path = f"/collections/{collection.name}/items"
    return [
        link(
            "items",
            href(request, path, f=None if form is GEOJSON else form.name),
            form.media_type,
            f"{collection.title} as {form.title}",
        )
        for form in FEATURES
        if form is not JSONFG
    ] + [
        link(rel, href(request, f"/collections/{collection.name}/{name}"), SCHEMA.media_type, title)
        for name, rel, title in DESCRIPTIONS
    ]


PART = ApiPart(
    "features",
    conformance=(
        f"{OGC_SPEC}ogcapi-features-2/1.0/conf/crs",
        f"{OGC_SPEC}ogcapi-features-3/1.0/conf/queryables",
        f"{OGC_SPEC}ogcapi-features-3/1.0/conf/queryables-query-parameters",
        f"{OGC_SPEC}ogcapi-features-3/1.0/conf/filter",
        f"{OGC_SPEC}ogcapi-features-3/1.0/conf/features-filter",
        f"{OGC_SPEC}ogcapi-features-8/1.0/conf/sortables",
        f"{OGC_SPEC}ogcapi-features-8/1.0/conf/sorting",
        f"{OGC_SPEC}ogcapi-features-8/1.0/conf/features-sorting",
        *(
            f"{OGC_SPEC}ogcapi-features-5/1.0/conf/{name}"
            for name in (
                "schemas",
                "advanced-property-roles",
                "returnables-and-receivables",
                "queryables",
                "sortables",
                "profile-parameter",
            )
        ),
        *(f"{OGC_SPEC}json-fg-1/1.0/conf/{name}" for name in ("core", "types-schemas", "profiles", "api")),
        *(
            f"{OGC_SPEC}cql2/1.0/conf/{name}"
            for name in (
                "cql2-text",
                "cql2-json",
                "basic-cql2",
                "advanced-comparison-operators",
                "case-insensitive-comparison",
                "accent-insensitive-comparison",
                "basic-spatial-functions",
                # Name of the class in the drafts, which QGIS looks for.
                "basic-spatial-operators",
                "basic-spatial-functions-plus",
                "spatial-functions",
                "temporal-functions",
                "array-functions",
                "property-property",
                "arithmetic",
            )
        ),
    ),
    # What is JSON and no GeoJSON: the metadata of the features as CSV.
    schemas={
        "Features": object_with(url=STRING, tableSchema=ANY_OBJECT),
        "JsonSchema": object_with(type=STRING, properties=ANY_OBJECT),
    },
    collection_schemas=_schemas,
    collection_links=_collection_links,
)


def _redirects(operation: Json) -> None:
    operation["responses"]["303"] = {"description": "A page of the form's fields that are not empty."}


_ITEMS = Endpoint(
    "/collections/{collection}/items",
    "Features",
    "features",
    media_types=media_types(FEATURES),
    schema="Features",
    parameters=lambda scope: items_parameters(scope.own),
    negotiated=True,
    amend=_redirects,
)
_ITEM = Endpoint(
    "/collections/{collection}/items/{feature:path}",
    "One feature",
    "features",
    media_types=media_types(FEATURE),
    schema="Feature",
    parameters=lambda scope: item_parameters(scope.own),
    negotiated=True,
)


async def items(request: Request, collection: str) -> Response:
    """Features that the parameters select, in a fixed order, a page at a time."""
    served = collection_or_404(served_version(request), collection)
    _ITEMS.require_known(request, served)
    form = negotiated_format(request, FEATURES)
    if form is HTML and (address := _without_empty_fields(request, served)):
        return RedirectResponse(address, 303, language_headers(request, worded=False))
    settings = request.app.state.settings
    maximum = min(settings.limit_max, MOST) if form is HTML else settings.limit_max
    read = partial(parse_items_request, request.query_params, served, min(settings.limit_default, maximum), maximum)
    wanted = await run_in_threadpool(read) if len(request.scope["query_string"]) > _LONG else read()
    if served.name == "strikes" and not request.query_params.keys().isdisjoint(_CONDITIONS):
        wanted = await queued(request, WorkClass.SELECTION, partial(_narrowed, request, wanted))
    form = _profiled(form, wanted.profile)
    if not has_file_metadata(request):
        await run_in_threadpool(file_metadata, request)
    headers = _headers(request, version(request), form, wanted.representation.crs.uri)
    if not_modified := not_modified_response(request, headers["ETag"], headers):
        return not_modified
    answer = partial(_answer, request, served, wanted, form, headers)
    quick = form is GEOJSON and wanted.representation.is_default and is_cached_or_cheap(served, wanted.selection)
    if quick:
        return answer()
    exports = form not in _SHOWN or wanted.limit > _MANY
    return await queued(
        request, WorkClass.EXPORT if exports else WorkClass.SELECTION, answer, 0.02 + wanted.limit / 1e5
    )


_CONDITIONS = tuple(one.name for one in STRIKE_CONDITIONS)


def _narrowed(request: Request, wanted: ItemsRequest) -> ItemsRequest:
    """Narrow a request for strikes to those whose sites, owners and words are as it says."""
    snapshot = served_version(request).snapshot
    conditions = parse_strike_conditions(request.query_params)
    selection = narrowed(snapshot.collections, snapshot.registers, wanted.selection, conditions)
    return replace(wanted, selection=selection)


def _answer(
    request: Request, collection: Collection, wanted: ItemsRequest, form: MediaFormat, headers: Mapping[str, str]
) -> Response:
    page = _page(request, collection, wanted, form)
    headers = {**headers, "Link": _header_of(page.links)}
    require_wanted()
    pieces = WRITERS[form](page)
    if form is HTML:
        pieces = [pages.page(request, served_version(request), "items", orjson.loads(b"".join(pieces)))]
        headers["Content-Security-Policy"] = FORM_SECURITY_POLICY
    return PiecesResponse(pieces, headers, form.media_type)


def _without_empty_fields(request: Request, collection: Collection) -> str | None:
    """Return the address without the empty fields of the form of the page; ``None`` where no field is empty."""
    query = {name: text for name, text in request.query_params.items() if text or name not in FIELDS}
    if len(query) == len(request.query_params):
        return None
    return href(request, f"/collections/{collection.name}/items", **query)


def _header_of(links: Sequence[Link]) -> str:
    """Return links as a header, without those to the page itself where a long filter makes it too long for proxies."""
    text = link_header(links)
    if len(text) <= _HEADER_MAX:
        return text
    return link_header(link for link in links if link["rel"] not in ("self", "alternate"))


def _headers(request: Request, of: str, form: MediaFormat, system: str) -> dict[str, str]:
    """Return the headers of features of a version; those of a page are in the language of the request."""
    worded = form is HTML
    tag = strong_etag(of, form.name, *(language_parts(request) if worded else ()))
    cache = cache_control(request.app.state.settings.cache_s)
    return {
        "ETag": tag,
        "Cache-Control": cache,
        "Content-Crs": f"<{system}>",
        # Each answer is written anew: of a file that is fetched in parts the whole comes each time.
        "Accept-Ranges": "none",
        **language_headers(request, worded=worded),
    }


def _profiled(form: MediaFormat, profile: str) -> MediaFormat:
    """Return JSON-FG for GeoJSON in one of its profiles, any other format as it is."""
    return JSONFG if form is GEOJSON and profile.startswith("jsonfg") else form


def _page(request: Request, collection: Collection, wanted: ItemsRequest, form: MediaFormat) -> FeaturePage:
    # Clients read types from the first features, in the order of the server.
    is_ordered = "sortby" in request.query_params
    moved = NOTHING_MOVED if is_ordered else TypeExamples.of(collection).ids
    try:
        every, begin = PagedRows.of(collection, wanted.selection, moved, wanted.cursor)
    except CursorError as error:
        raise BadParameter("cursor", str(wanted.cursor), "one of the next links of this very request") from error
    require_wanted()
    begin = begin or min(wanted.offset, len(every.rows))
    shown = every.page(begin, wanted.limit)
    more = begin + len(shown) < len(every.rows) and len(shown)
    end = every.cursor(collection, wanted.selection, int(shown[-1])) if more else None
    links = _page_links(request, collection, wanted, form, end, begin)
    # The time of the data, so that one version always gives the same bytes.
    return FeaturePage(
        collection,
        shown,
        wanted.representation,
        links,
        len(every.rows),
        http_date(served_version(request).changed),
        file_metadata(request),
        is_ordered=is_ordered,
        possible=_possible(request, collection, shown),
    )


def _possible(request: Request, strikes: Collection, shown: Rows) -> Sequence[str] | None:
    """Return the ids of the strikes of a page that do not surely satisfy its conditions and days, if it has any."""
    query = request.query_params
    if strikes.name != "strikes" or query.keys().isdisjoint((*_CONDITIONS, DATETIME.name, "assets")):
        return None
    snapshot, selection = served_version(request).snapshot, parse_selection(query, strikes)
    truth = truth_of(snapshot.collections, snapshot.registers, selection, parse_strike_conditions(query))
    rows = to_numpy(shown)
    return [strikes.ids[row] for row in rows[~truth.sure[rows]].tolist()]


def _page_links(
    request: Request, collection: Collection, wanted: ItemsRequest, form: MediaFormat, last: str | None, before: int
) -> Sequence[Link]:
    """Links of a page of which ``before`` features come earlier, and more come after the cursor ``last``."""
    root = base_address(request)
    path = f"{root}/collections/{collection.name}/items"
    given = request.query_params
    rest = query_string({name: value for name, value in given.items() if name not in _POSITION})
    here = query_string({"limit": wanted.limit, "cursor": wanted.cursor, "offset": wanted.offset or None})
    links = [link("self", with_query(path, rest, here), form.media_type, "This page")]
    plain = rest if given.keys().isdisjoint(_FORMAT) else query_string(_formless(given, _POSITION))
    has_kml = wanted.representation.crs is CRS84
    offered = [one for one in FEATURES if has_kml or one is not KML.media]
    links += _alternates(with_query(path, plain, here), form, offered)
    links += _tables(with_query(path, plain, here), form)
    if last is not None:
        following = query_string({"limit": wanted.limit, "cursor": last})
        links.append(link("next", with_query(path, rest, following), form.media_type, "Next page"))
    if before > 0:
        start = query_string({"offset": max(0, before - wanted.limit) or None, "limit": min(wanted.limit, before)})
        links.append(link("prev", with_query(path, rest, start), form.media_type, "Page before"))
    return [*links, *_about(root, collection.name, collection.title, form), licence_link(request)]


#: Parameters that say where a page begins and ends, and those that choose its format.
_POSITION = ("cursor", "offset", "startindex", "limit")
_FORMAT = ("f", "profile")


def _formless(query: Mapping[str, str], others: Sequence[str] = ()) -> dict[str, str]:
    """Return the parameters of a query without those of the format, and without others."""
    return {name: value for name, value in query.items() if name not in _FORMAT and name not in others}


def _tables(address: str, form: MediaFormat) -> list[Link]:
    """Return the link from a table as CSV to its metadata, or from these to it (CSVW, Model for Tabular Data, 5.2)."""
    rel, other = {
        CSV.media: ("describedby", CSV_METADATA.media),
        CSV_WITH_BOM.media: ("describedby", CSV_METADATA.media),
        CSV_METADATA.media: ("describes", CSV.media),
    }.get(form, ("", form))
    start = f"{address}{'&' if '?' in address else '?'}f="
    return [link(rel, start + other.name, other.media_type, f"As {other.title}")] if rel else []


def _alternates(address: str, form: MediaFormat, offered: Sequence[MediaFormat]) -> list[Link]:
    """Return links to the other formats of a resource, whose address names none."""
    start = f"{address}{'&' if '?' in address else '?'}f="
    return [
        link("alternate", start + alternate.name, alternate.media_type, f"As {alternate.title}")
        for alternate in offered
        if alternate is not form
    ]


@lru_cache(maxsize=256)
def _about(root: str, name: str, collection_title: str, form: MediaFormat) -> Sequence[Link]:
    """Return links from features to the descriptions of their collection."""
    path = f"{root}/collections/{name}"
    about = [link("collection", path, JSON, collection_title)]
    for part, rel, title in DESCRIPTIONS:
        about.append(link(rel, f"{path}/{part}", "application/schema+json", title))
    profiles = {GEOJSON: ("rfc7946",), JSONFG: ("jsonfg-plus", "jsonfg")}.get(form, ())
    about += [link("profile", f"{_PROFILES}{profile}", "text/html", f"Profile {profile}") for profile in profiles]
    return tuple(about)


async def item(request: Request, collection: str, feature: str) -> Response:
    """One feature by its id."""
    served = collection_or_404(served_version(request), collection)
    _ITEM.require_known(request, served)
    row = served.rows_by_id.get(feature)
    if row is None:
        raise HTTPException(404, f"No feature {feature[:80]!r} in {collection}")
    wanted = parse_representation(request.query_params, served)
    form = _profiled(negotiated_format(request, FEATURE), PROFILE.read(request.query_params, DEFAULT_PROFILE))
    headers = _headers(request, _item_version(request, collection, feature), form, wanted.crs.uri)
    if not_modified := not_modified_response(request, headers["ETag"], headers):
        return not_modified
    links = _item_links(request, served, feature, form)
    page = FeaturePage(served, np.array([row]), wanted, links, 1, "")
    headers["Link"] = _header_of(links)
    body = FEATURE_WRITERS[form](page)
    if form is HTML:
        body = await run_in_threadpool(pages.page, request, served_version(request), "item", orjson.loads(body))
    return Response(body, media_type=form.media_type, headers=headers)


def _item_links(request: Request, collection: Collection, feature: str, form: MediaFormat) -> Sequence[Link]:
    root, query = base_address(request), request.query_params
    path = root + item_path(collection.name, feature)
    links = [link("self", with_query(path, query_string(query)), form.media_type, "This feature")]
    return [
        *links,
        *_alternates(with_query(path, query_string(_formless(query))), form, FEATURE),
        *_about(root, collection.name, collection.title, form),
        licence_link(request),
    ]


def _item_version(request: Request, collection: str, feature: str) -> str:
    """Return the version of a feature; of a strike it begins with that of its record, which a writer has to name."""
    if collection != "strikes":
        return version(request)
    return f"{served_version(request).version_of_strike(feature)}.{version(request)}"


PART.described_plain(_ITEMS, items)
PART.described_plain(_ITEM, item, operation_id="item")


@PART.document(
    "/collections/{collection}/queryables", "What a collection can be filtered by", "JsonSchema", formats=SCHEMAS
)
def queryables(request: Request, collection: str) -> Response:
    """The properties that a filter may name, as JSON Schema."""
    return _schema(request, collection, "queryables", json_schema.queryables_schema)


@PART.document(
    "/collections/{collection}/sortables", "What a collection can be sorted by", "JsonSchema", formats=SCHEMAS
)
def sortables(request: Request, collection: str) -> Response:
    """The properties that sortby may name, as JSON Schema."""
    return _schema(request, collection, "sortables", json_schema.sortables_schema)


@PART.document(
    "/collections/{collection}/schema", "What the features of a collection have", "JsonSchema", formats=SCHEMAS
)
def schema(request: Request, collection: str) -> Response:
    """The properties that features are returned with, and strikes are written with, as JSON Schema."""
    return _schema(request, collection, "schema", json_schema.feature_schema)


def _schema(request: Request, name: str, kind: str, schema_of: Callable[[Collection, str], Json]) -> Response:
    collection = collection_or_404(served_version(request), name)
    uri = href(request, f"/collections/{collection.name}/{kind}")
    return document(request, kind, schema_of(collection, uri), SCHEMAS)
