"""OGC API - Features parts 1 and 2: the features of a collection, a page at a time, and one by its id.

Both are plain routes: they skip the framework's parsing, and a thread is asked only for what takes long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial

import numpy as np
import orjson
from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from api.formats import columnar, csv, geojson, jsonfg
from api.formats.page import Link, Page
from api.html import pages
from api.html.features import FIELDS, MOST
from api.http.common_headers import FORM_POLICY
from api.http.conditional import caching, stamp, strong, unmodified
from api.http.links import JSON, base, header, href, item_path, joined, link, written
from api.http.plain_route import PlainRoute
from api.requests.negotiation import CSV, FEATURE, FEATURES, FLATGEOBUF, GEOJSON, GEOPARQUET, HTML, JSONFG, Format
from api.requests.query_parameters import Asked, asked_of, profile_of, require_named_once, telling_of
from api.requests.scalars import BadParameter
from api.responses.resource import find, form_of, version, view
from api.routes.ogc_common import DESCRIPTIONS
from layers.collections.collection import Collection
from layers.query.keyset_cursor import CursorError, begin_after, cursor_at
from layers.query.selection import is_quick, rows

#: What writes a page of features in each form.
_WRITERS: Mapping[Format, Callable[[Page], bytes]] = {
    GEOJSON: geojson.collection,
    JSONFG: jsonfg.collection,
    CSV: csv.written,
    FLATGEOBUF: columnar.flatgeobuf,
    GEOPARQUET: columnar.geoparquet,
}
#: Bytes of the longest Link header that has every link.
_HEADER_MAX = 3072
#: Bytes of a query that are read beside the loop: a filter that long takes a while.
_LONG = 2048
_PROFILES = "http://www.opengis.net/def/profile/OGC/0/"


def mount(app: FastAPI) -> None:
    """Add the routes."""
    path = "/collections/{collection}/items"
    app.router.routes += [
        PlainRoute(path, items, summary="Features", tags=["features"]),
        PlainRoute(f"{path}/{{feature:path}}", item, summary="One feature", tags=["features"], operation_id="item"),
    ]


async def items(request: Request, collection: str) -> Response:
    """Features that the parameters select, in a fixed order, a page at a time."""
    found = find(view(request), collection)
    require_named_once(request)
    form = form_of(request, FEATURES)
    if form is HTML and (address := _filled(request, found)):
        return RedirectResponse(address, 303, {"Vary": "Accept"})
    settings = request.app.state.settings
    most = min(settings.limit_max, MOST) if form is HTML else settings.limit_max
    read = partial(asked_of, request.query_params, found, min(settings.limit_default, most), most)
    asked = await run_in_threadpool(read) if len(request.scope["query_string"]) > _LONG else read()
    form = _profiled(form, asked.profile)
    headers = _headers(request, strong(version(request), form.name), asked.telling.crs.uri)
    if known := unmodified(request, headers["ETag"], headers):
        return known
    make = partial(_answer, request, found, asked, form, headers)
    quick = form is GEOJSON and asked.telling.is_whole and is_quick(found, asked.selection)
    return make() if quick else await run_in_threadpool(make)


def _answer(request: Request, found: Collection, asked: Asked, form: Format, told: Mapping[str, str]) -> Response:
    page = _page(request, found, asked, form)
    headers = {**told, "Link": _in_header(page.links)}
    if form is HTML:
        body = pages.page(request, view(request), "items", orjson.loads(geojson.collection(page)))
        headers |= {"Content-Security-Policy": FORM_POLICY}
    else:
        body = _WRITERS[form](page)
    return Response(body, media_type=form.media_type, headers=headers)


def _filled(request: Request, found: Collection) -> str | None:
    """The address without the fields of the page's form that were left empty; ``None`` where none was."""
    query = {name: text for name, text in request.query_params.items() if text or name not in FIELDS}
    if len(query) == len(request.query_params):
        return None
    return href(request, f"/collections/{found.name}/items", **query)


def _in_header(links: Sequence[Link]) -> str:
    """The links as a header, without those to the same page where a long filter would make it too long for proxies."""
    told = header(links)
    if len(told) <= _HEADER_MAX:
        return told
    return header(link for link in links if link["rel"] not in ("self", "alternate"))


def _headers(request: Request, tag: str, system: str) -> dict[str, str]:
    cache = caching(request.app.state.settings.cache_s)
    return {"ETag": tag, "Cache-Control": cache, "Vary": "Accept", "Content-Crs": f"<{system}>"}


def _profiled(form: Format, profile: str) -> Format:
    """GeoJSON in the profile that is asked for."""
    return JSONFG if form is GEOJSON and profile.startswith("jsonfg") else form


def _page(request: Request, found: Collection, asked: Asked, form: Format) -> Page:
    every = rows(found, asked.selection)
    begin = min(asked.offset, len(every))
    if asked.cursor is not None:
        try:
            begin = begin_after(found, asked.selection, every, asked.cursor)
        except CursorError as error:
            raise BadParameter("cursor", asked.cursor, "one of the next links of this very request") from error
    told = every[begin : begin + asked.limit]
    more = begin + len(told) < len(every) and len(told)
    last = cursor_at(found, asked.selection, int(told[-1])) if more else None
    links = _page_links(request, found, asked, form, last, begin)
    # That of the data, so that the same version gives the same bytes.
    return Page(found, told, asked.telling, links, len(every), stamp(view(request).changed))


def _page_links(
    request: Request, found: Collection, asked: Asked, form: Format, last: str | None, before: int
) -> Sequence[Link]:
    """Links of a page of which ``before`` features come earlier, and more come after the cursor ``last``."""
    root = base(request)
    path = f"{root}/collections/{found.name}/items"
    given = request.query_params
    rest = written({name: value for name, value in given.items() if name not in _PLACES})
    here = written({"limit": asked.limit, "cursor": asked.cursor, "offset": asked.offset or None})
    links = [link("self", joined(path, rest, here), form.media_type, "This page")]
    plain = rest if given.keys().isdisjoint(_FORMS) else written(_formless(given, _PLACES))
    links += _alternates(joined(path, plain, here), form, FEATURES)
    if last is not None:
        following = written({"limit": asked.limit, "cursor": last})
        links.append(link("next", joined(path, rest, following), form.media_type, "Next page"))
    if before > 0:
        start = written({"offset": max(0, before - asked.limit) or None, "limit": min(asked.limit, before)})
        links.append(link("prev", joined(path, rest, start), form.media_type, "Page before"))
    return [*links, *_about(root, found.name, found.title, form)]


#: Parameters that say where a page is, and those that say in which form it is.
_PLACES = ("cursor", "offset", "startindex", "limit")
_FORMS = ("f", "profile")


def _formless(query: Mapping[str, str], others: Sequence[str] = ()) -> dict[str, str]:
    """The parameters without those of the form, and without others."""
    return {name: value for name, value in query.items() if name not in _FORMS and name not in others}


def _alternates(address: str, form: Format, offered: Sequence[Format]) -> list[Link]:
    """Links to the other forms of what is at an address, which names none."""
    start = f"{address}{'&' if '?' in address else '?'}f="
    return [
        link("alternate", start + other.name, other.media_type, f"As {other.title}")
        for other in offered
        if other is not form
    ]


@lru_cache(maxsize=256)
def _about(root: str, name: str, title: str, form: Format) -> Sequence[Link]:
    """Links from features to what tells of their collection."""
    path = f"{root}/collections/{name}"
    about = [link("collection", path, JSON, title)]
    for part, rel, told in DESCRIPTIONS:
        about.append(link(rel, f"{path}/{part}", "application/schema+json", told))
    profiles = {GEOJSON: ("rfc7946",), JSONFG: ("jsonfg-plus", "jsonfg")}.get(form, ())
    about += [link("profile", f"{_PROFILES}{one}", "text/html", f"Profile {one}") for one in profiles]
    return tuple(about)


async def item(request: Request, collection: str, feature: str) -> Response:
    """One feature by its id."""
    found = find(view(request), collection)
    require_named_once(request)
    row = found.rows_by_id.get(feature)
    if row is None:
        raise HTTPException(404, f"No feature {feature[:80]!r} in {collection}")
    telling = telling_of(request.query_params, found)
    form = _profiled(form_of(request, FEATURE), profile_of(request.query_params))
    tag = strong(_item_version(request, collection, feature), form.name)
    headers = _headers(request, tag, telling.crs.uri)
    if known := unmodified(request, tag, headers):
        return known
    links = _item_links(request, found, feature, form)
    page = Page(found, np.array([row]), telling, links, 1, "")
    headers["Link"] = _in_header(links)
    body = jsonfg.feature(page) if form is JSONFG else geojson.feature(page)
    if form is HTML:
        body = await run_in_threadpool(pages.page, request, view(request), "item", orjson.loads(body))
    return Response(body, media_type=form.media_type, headers=headers)


def _item_links(request: Request, found: Collection, feature: str, form: Format) -> Sequence[Link]:
    root, query = base(request), request.query_params
    path = root + item_path(found.name, feature)
    links = [link("self", joined(path, written(query)), form.media_type, "This feature")]
    return [
        *links,
        *_alternates(joined(path, written(_formless(query))), form, FEATURE),
        *_about(root, found.name, found.title, form),
    ]


def _item_version(request: Request, collection: str, feature: str) -> str:
    """The version of a feature: of a strike that of its record comes first, which a writer has to name."""
    if collection != "strikes":
        return version(request)
    return f"{view(request).version_of_strike(feature)}.{version(request)}"
