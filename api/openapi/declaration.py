"""How a part of the API declares itself: its endpoints with what they take and answer, its classes and its links.

Each module of `api.routes` holds its `ApiPart` beside its handlers. The check of a request reads the parameter tables
of the endpoint that answers it, and `api.openapi.definition` writes the same tables down.
"""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Route, request_response

from api.http.json import Json
from api.http.links import JSON
from api.openapi.parameters import F_DOCUMENT, format_parameter, require_described
from api.requests.negotiation import DOCUMENT, MediaFormat
from api.requests.parameters import RequestParameter
from api.server.live_snapshot import LiveSnapshot
from layers.collections.collection import Collection

Link = Mapping[str, str]
#: Begin of the URIs of conformance classes and of link relations of the OGC.
OGC_SPEC = "http://www.opengis.net/spec/"
OGC_REL = "http://www.opengis.net/def/rel/ogc/1.0/"
Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True)
class Scope:
    """Data that a parameter table may depend on: all collections, and the one whose path it is, ``None`` elsewhere."""

    collections: Sequence[Collection]
    collection: Collection | None = None

    @property
    def own(self) -> Collection:
        """The collection of a path below a collection."""
        assert self.collection is not None
        return self.collection


#: A parameter table. The names of its parameters depend on the collection alone, schemas on all collections.
ParameterTable = Callable[[Scope], Sequence[RequestParameter[Any]]]


@dataclass(eq=False)
class Endpoint:
    """One method of one path.

    Parameters
    ----------
    path
        As the definition has it. Below ``/collections/{collection}`` the definition has a path for each collection.
    summary
        Title in the definition; where a path is spelled out, the title of the collection follows.
    media_types
        Of a good answer.
    schema
        Name of the schema of a good answer in JSON; of GeoJSON the name of the collection follows.
    parameters
        What a request may have besides the parameters in the signature of the handler.
    signature
        Names of the query parameters in that signature; ``None`` where the definition takes nothing from the handler.
    negotiated
        Whether a request that accepts none of the media types is refused.
    amend
        Changes the operation as the definition has it, such as statuses that only this endpoint answers.
    """

    path: str
    summary: str
    tag: str
    method: str = "get"
    media_types: tuple[str, ...] = (JSON,)
    schema: str = ""
    parameters: ParameterTable = lambda scope: ()
    signature: tuple[str, ...] | None = None
    negotiated: bool = False
    amend: Callable[[Json], None] | None = None
    _known: weakref.WeakKeyDictionary[Collection, tuple[str, ...]] = field(default_factory=weakref.WeakKeyDictionary)

    def query_names(self, scope: Scope) -> tuple[str, ...]:
        """Return the names of the query parameters that a request may have, in the order of the definition."""
        declared = (one.name for one in self.parameters(scope) if one.location == "query")
        return *(self.signature or ()), *declared

    def require_known(self, request: Request, collection: Collection | None) -> None:
        """Refuse query parameters that are not declared or are given twice (OGC 17-069r4, 7.8).

        Raises BadParameter with the first such name.
        """
        if not request.scope["query_string"]:
            return
        if collection is None:
            names = self.query_names(Scope(()))
        else:
            known = self._known.get(collection)
            names = known or self._known.setdefault(collection, self.query_names(Scope((collection,), collection)))
        require_described(request.query_params.multi_items(), names)

    async def check(self, request: Request) -> None:
        """Refuse unknown parameters, as a dependency of a route; async, as a thread costs more than the check.

        A collection that is not served is for the handler to refuse.
        """
        if "collection" not in request.path_params:
            self.require_known(request, None)
            return
        atlas: LiveSnapshot = request.app.state.atlas
        collection = atlas.view.snapshot.collections.get(request.path_params["collection"])
        if collection is not None:
            self.require_known(request, collection)

    async def check_json(
        self, request: Request, f: Annotated[Literal["json"], Query(description="Format of the answer.")] = "json"
    ) -> None:
        """Refuse unknown parameters where the answer is JSON only, as a dependency of a route."""
        await self.check(request)


def media_types(formats: Sequence[MediaFormat]) -> tuple[str, ...]:
    """Return the media types of formats, each once."""
    return tuple(dict.fromkeys(form.media_type for form in formats))


def document_parameters(scope: Scope) -> Sequence[RequestParameter[Any]]:
    """Return the table of a document, whose format can be chosen."""
    return (F_DOCUMENT,)


def document_endpoint(
    path: str, summary: str, tag: str, schema: str, parameters: ParameterTable = document_parameters
) -> Endpoint:
    """Return the endpoint of a document that the definition takes from here as a whole."""
    types = media_types(DOCUMENT)
    return Endpoint(path, summary, tag, media_types=types, schema=schema, parameters=parameters, negotiated=True)


@dataclass(eq=False)
class ApiPart:
    """One standard, or one part of the product: routes, conformance classes, schemas and links.

    Parameters
    ----------
    tag
        Heading of the endpoints in the definition.
    conformance
        URIs of the classes that are claimed; each is tested, see docs/conformance.md.
    schemas
        JSON Schemas of the answers, by the names that endpoints refer to.
    collection_schemas
        Returns the schemas of the answers of one collection.
    landing_links, collection_links
        Return what the part adds to the links of the landing page and of the description of a collection.
    json_only
        Whether every endpoint takes ``f=json`` and no other format.
    router
        Also of routes that the definition does not have, and that check their requests themselves.
    mount
        Adds what is no route, such as a folder of files.
    """

    tag: str
    _: KW_ONLY
    conformance: Sequence[str] = ()
    schemas: Mapping[str, Json] = field(default_factory=dict)
    collection_schemas: Callable[[Collection], Mapping[str, Json]] = lambda collection: {}
    landing_links: Callable[[Request], Sequence[Link]] = lambda request: ()
    collection_links: Callable[[Request, Collection], Sequence[Link]] = lambda request, collection: ()
    json_only: bool = False
    router: APIRouter = field(default_factory=APIRouter)
    mount: Callable[[FastAPI], None] = lambda app: None
    plain_routes: list[BaseRoute] = field(default_factory=list, init=False)
    endpoints: list[Endpoint] = field(default_factory=list, init=False)

    @property
    def only_writes(self) -> bool:
        """Whether all of its endpoints write."""
        return bool(self.endpoints) and not any(endpoint.method == "get" for endpoint in self.endpoints)

    def route(
        self,
        method: str,
        path: str,
        summary: str,
        *,
        status_code: int | None = None,
        operation_id: str | None = None,
        **declared: Any,
    ) -> Callable[[Handler], Handler]:
        """Answer a method of a path by a handler whose signature and docstring the definition takes over.

        ``declared``: fields of `Endpoint`.
        """

        def register(handler: Handler) -> Handler:
            endpoint = Endpoint(path, summary, self.tag, method, **declared)
            route = self._add(handler, endpoint, status_code=status_code, operation_id=operation_id)
            endpoint.path = route.path_format
            fields = get_flat_params(route.dependant)
            endpoint.signature = tuple(one.alias for one in fields if isinstance(one.field_info, params.Query))
            return handler

        return register

    def document(self, path: str, summary: str, schema: str, **declared: Any) -> Callable[[Handler], Handler]:
        """Answer GET by a document, in JSON or as a page."""
        formats: Sequence[MediaFormat] = declared.pop("formats", DOCUMENT)
        names = [form.name for form in formats]
        has_own = names != [form.name for form in DOCUMENT]
        parameters = (lambda scope: (format_parameter(*names),)) if has_own else document_parameters
        given = {"media_types": media_types(formats), "parameters": parameters, "negotiated": True, **declared}
        return self.route("get", path, summary, schema=schema, **given)

    def declared(
        self, endpoint: Endpoint, summary: str | None = None, checked: bool = True
    ) -> Callable[[Handler], Handler]:
        """Answer an endpoint by a handler; the definition takes all from the declaration of the endpoint.

        Parameters
        ----------
        summary
            Title of a page of the answer, where it is not that of the endpoint.
        checked
            Whether unknown parameters are refused before the handler is called.
        """

        def register(handler: Handler) -> Handler:
            self._add(handler, endpoint, checked, summary=summary or endpoint.summary, include_in_schema=False)
            return handler

        return register

    def _add(self, handler: Handler, endpoint: Endpoint, checked: bool = True, **described: Any) -> APIRoute:
        check = [Depends(endpoint.check_json if self.json_only else endpoint.check)] if checked else []
        self.router.add_api_route(
            endpoint.path,
            handler,
            methods=[endpoint.method.upper()],
            dependencies=check,
            **{"summary": endpoint.summary, "tags": [self.tag], **described},
        )
        self.endpoints.append(endpoint)
        route = self.router.routes[-1]
        assert isinstance(route, APIRoute)
        return route

    def described_plain(
        self, endpoint: Endpoint, handler: Callable[..., Awaitable[Response]], **described: Any
    ) -> None:
        """Answer GET by a function outside the framework, which is given the parts of the path and is described."""
        route = PlainRoute(endpoint.path, handler, summary=endpoint.summary, tags=[self.tag], **described)
        endpoint.path, endpoint.signature = route.path_format, ()
        self.plain_routes.append(route)
        self.endpoints.append(endpoint)

    def plain(self, path: str, *endpoints: Endpoint) -> Callable[[Handler], Handler]:
        """Answer GET by a function outside the framework: no dependencies, no thread; it checks its parameters itself.

        ``endpoints``: endpoints of the path in the definition, where it may be spelled in another way, or more than
        once.
        """

        def register(handler: Handler) -> Handler:
            self.plain_routes.append(Route(path, handler, methods=["GET"]))
            self.endpoints.extend(endpoints)
            return handler

        return register


def conformance_classes(parts: Sequence[ApiPart], read_only: bool = False) -> tuple[str, ...]:
    """Return the classes that parts claim, those of one standard together; without writing where nobody may write."""
    claiming = (part for part in parts if not (read_only and part.only_writes))
    return tuple(sorted((uri for part in claiming for uri in part.conformance), key=_standard))


class PlainRoute(APIRoute):
    """A route of an async function that is given the request and the parts of its path as texts, in one call.

    The signature and docstring of the function describe the route in the API definition. The function hands its slow
    steps to a thread itself: solving dependencies and handing over every request took longer than the answer.
    """

    def __init__(self, path: str, endpoint: Callable[..., Awaitable[Response]], **described: Any) -> None:
        super().__init__(path, endpoint, methods=["GET"], **described)

        async def answer(request: Request) -> Response:
            return await endpoint(request, **request.path_params)

        self.app = request_response(answer)


#: Standards that are listed first, and one after the other; others follow by name.
_FAMILIES = ("ogcapi-common", "ogcapi-features", "json-fg", "ogcapi-styles", "ogcapi-tiles")


def _standard(uri: str) -> tuple[int, str]:
    standard = uri.removeprefix(OGC_SPEC).partition("/")[0]
    rank = next((i for i, family in enumerate(_FAMILIES) if standard.startswith(family)), len(_FAMILIES))
    return rank, standard
