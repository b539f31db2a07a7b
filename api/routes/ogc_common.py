"""OGC API - Features part 1: landing page, conformance, the API definition, and the collections."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Request, Response

from api.http.json import Json
from api.http.links import JSON, href, link
from api.openapi.declaration import OGC_SPEC, ApiPart, Link, conformance_classes
from api.openapi.responses import ANY_OBJECT, BOOLEAN, LINKS, STRING, array_of, object_with, reference
from api.requests import crs
from api.requests.negotiation import DEFINITION
from api.requests.query_parameters import DEFAULT_ORDERS
from api.responses.resource import collection_or_404, document, licence_link, self_links, served_version
from api.serializers.policy import withheld
from api.server.answer_cache import TRANSIENT
from api.wording.catalogue import text
from api.wording.preference import language_of
from layers.collections.collection import Collection

_GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"


def _landing_links(request: Request) -> Sequence[Link]:
    return [
        link("service-desc", href(request, "/api"), DEFINITION[0].media_type, "The API"),
        link("service-doc", href(request, "/api", f="html"), "text/html", "The API, to read"),
        link("conformance", href(request, "/conformance"), JSON, "Conformance classes"),
        link("data", href(request, "/collections"), JSON, "Collections"),
    ]


PART = ApiPart(
    "features",
    conformance=(
        f"{OGC_SPEC}ogcapi-common-1/1.0/conf/core",
        *(f"{OGC_SPEC}ogcapi-features-1/1.0/conf/{name}" for name in ("core", "geojson", "html", "oas30")),
    ),
    schemas={
        "Landing": object_with(
            title=STRING, description=STRING, editable=BOOLEAN, remarks=array_of(STRING), links=LINKS
        ),
        "Definition": object_with(openapi=STRING, info=ANY_OBJECT, paths=ANY_OBJECT),
        "Conformance": object_with(conformsTo=array_of(STRING)),
        "Collection": object_with(
            id=STRING, title=STRING, crs=array_of(STRING), storageCrs=STRING, extent=ANY_OBJECT, links=LINKS
        ),
        "Collections": object_with(links=LINKS, collections=array_of(reference("Collection"))),
    },
    landing_links=_landing_links,
)


def _parts(request: Request) -> Sequence[ApiPart]:
    parts: Sequence[ApiPart] = request.app.state.parts
    return parts


@PART.document("/", "Landing page", "Landing")
def landing(request: Request) -> Response:
    """Where everything is."""
    links = [*self_links(request, "/"), licence_link(request)]
    for part in _parts(request):
        links += part.landing_links(request)
    request.scope[TRANSIENT] = True
    remarks = request.app.state.atlas.remarks()
    page = {
        "title": "StrikeAtlas",
        "description": request.app.description,
        "editable": not request.app.state.atlas.store.read_only,
        "remarks": [text(remark, language_of(request)) for remark in remarks],
        "withheld": withheld(served_version(request).disclosure),
        "links": links,
    }
    return document(request, "landing", page, variant="".join(f"-{remark.code}" for remark in remarks))


@PART.document("/api", "API definition", "Definition", formats=DEFINITION)
def api(request: Request) -> Response:
    """Describe every route as OpenAPI 3.0."""
    definition = {**request.app.openapi(), "servers": [{"url": href(request, "/").rstrip("/")}]}
    return document(request, "definition", definition, DEFINITION)


@PART.document("/conformance", "Conformance classes", "Conformance")
def conformance(request: Request) -> Response:
    """Say which classes are implemented and tested."""
    request.scope[TRANSIENT] = True
    classes = conformance_classes(_parts(request), request.app.state.atlas.store.read_only)
    return document(request, "conformance", {"conformsTo": classes, "links": self_links(request, "/conformance")})


@PART.document("/collections", "Collections", "Collections")
def collections(request: Request) -> Response:
    """List what can be asked for."""
    served = served_version(request).snapshot.collections.values()
    listed = [_described(request, collection) for collection in served]
    links = [*self_links(request, "/collections"), licence_link(request)]
    counts = withheld(served_version(request).disclosure)
    return document(request, "collections", {"links": links, "withheld": counts, "collections": listed})


@PART.document("/collections/{collection}", "One collection", "Collection")
def collection(request: Request, collection: str) -> Response:
    """Describe one collection."""
    return document(request, "collection", _described(request, collection_or_404(served_version(request), collection)))


def _described(request: Request, collection: Collection) -> Json:
    """Return the description of a collection (OGC 17-069r4, 7.13), alone or in the list of all."""
    days = collection.days
    interval = [None, None] if days is None else [f"{day}T00:00:00Z" for day in days]
    extent: Json = {"temporal": {"interval": [interval], "trs": _GREGORIAN}}
    if collection.bounds is not None:
        extent["spatial"] = {"bbox": [list(collection.bounds)], "crs": crs.CRS84.uri}
    order = [f"{'-' if key.descending else ''}{key.name}" for key in DEFAULT_ORDERS.get(collection.name, ())]
    return {
        "id": collection.name,
        "title": collection.title,
        "description": collection.description,
        "itemType": "feature",
        "crs": [system.uri for system in crs.SUPPORTED_CRS],
        "storageCrs": crs.CRS84.uri,
        "extent": extent,
        "defaultSortOrder": order or ["id"],
        **_withheld(request, collection),
        "links": _links(request, collection),
    }


def _withheld(request: Request, collection: Collection) -> Json:
    """Return how many records of a collection are withheld, or published in part, by reason; none where none are."""
    reasons = withheld(served_version(request).disclosure)
    counts = {reason: tables[collection.name] for reason, tables in reasons.items() if collection.name in tables}
    return {"withheld": counts} if counts else {}


def _links(request: Request, collection: Collection) -> Sequence[Link]:
    links = [*self_links(request, f"/collections/{collection.name}"), licence_link(request)]
    for part in _parts(request):
        links += part.collection_links(request, collection)
    return links
