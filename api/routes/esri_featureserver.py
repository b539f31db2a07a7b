"""A read-only FeatureServer (GeoServices REST), by which ArcGIS reads the same layers."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response

from api.esri import metadata
from api.esri.errors import EsriError
from api.esri.layers import LAYERS, EsriLayer, NumberedCollection
from api.esri.query import parse_format, parse_layer_query
from api.esri.query_response import query_response
from api.http.conditional import representation
from api.http.links import GEOJSON, JSON
from api.http.work import WorkClass, queued
from api.openapi.declaration import ApiPart
from api.responses.resource import look_of, served_version, version
from api.serializers.policy import attribution_text
from geo.errors import GeoError

#: GeoServices REST describes itself; its routes take GET and POST, and refuse parameters in its own way.
router = APIRouter(include_in_schema=False)
PART = ApiPart("esri", router=router)

NAME = "strikeatlas"
ROOT = f"/rest/services/{NAME}/FeatureServer"
_FORM = "application/x-www-form-urlencoded"


async def _body(request: Request) -> bytes:
    return await request.body() if request.method == "POST" else b""


Body = Annotated[bytes, Depends(_body)]


@router.api_route("/rest/info", methods=["GET", "POST"])
def info(request: Request, body: Body) -> Response:
    """Say that no token is needed."""
    return _description(request, body, lambda _: metadata.server_info())


@router.api_route("/rest/services", methods=["GET", "POST"])
def services(request: Request, body: Body) -> Response:
    """List the one service."""
    return _description(request, body, lambda _: metadata.service_catalogue(NAME))


@router.api_route(ROOT, methods=["GET", "POST"])
def service(request: Request, body: Body) -> Response:
    """Describe the service."""
    settings = request.app.state.settings
    description = request.app.description
    return _description(
        request,
        body,
        lambda collections: metadata.describe_service(
            collections, description, _attribution(request), settings.limit_max
        ),
    )


@router.api_route(f"{ROOT}/layers", methods=["GET", "POST"])
def layers(request: Request, body: Body) -> Response:
    """Describe every layer of the service at once."""

    def describe(collections: Mapping[str, NumberedCollection]) -> Mapping[str, Any]:
        settings = request.app.state.settings
        listed = metadata.describe_service(collections, "", "", settings.limit_max)["layers"]
        by_id = {layer.id: layer for layer in LAYERS}
        return {"layers": [_described(request, collections, by_id[layer["id"]]) for layer in listed], "tables": []}

    return _description(request, body, describe)


@router.api_route(f"{ROOT}/{{layer}}", methods=["GET", "POST"])
def layer(request: Request, layer: str, body: Body) -> Response:
    """Describe one layer."""
    return _description(request, body, lambda collections: _described(request, collections, _layer(layer)))


@router.api_route(f"{ROOT}/{{layer}}/query", methods=["GET", "POST"])
async def query(request: Request, layer: str, body: Body) -> Response:
    """Answer the features of a layer that a query selects."""

    def respond(params: Mapping[str, str]) -> Response:
        queried, form = _layer(layer), parse_format(params)
        collection = _collections(request)[queried.collection]
        selection = parse_layer_query(params, collection, request.app.state.settings.limit_max)
        media_type = GEOJSON if form == "geojson" else JSON
        return _answered(request, lambda: query_response(collection, queried, selection, form), media_type, form)

    return await queued(request, WorkClass.SELECTION, partial(_guarded, request, body, respond))


def _described(request: Request, collections: Mapping[str, NumberedCollection], layer: EsriLayer) -> Mapping[str, Any]:
    limit = request.app.state.settings.limit_max
    return metadata.describe_layer(layer, collections[layer.collection], _attribution(request), limit, look_of(request))


def _attribution(request: Request) -> str:
    return attribution_text(request.app.state.settings.attribution, served_version(request).disclosure)


def _layer(number: str) -> EsriLayer:
    layer = next((layer for layer in LAYERS if str(layer.id) == number), None)
    if layer is None:
        raise EsriError("Layer not found", [f"one of {', '.join(str(layer.id) for layer in LAYERS)}"], code=404)
    return layer


def _collections(request: Request) -> Mapping[str, NumberedCollection]:
    return {name: NumberedCollection.of(table) for name, table in served_version(request).snapshot.collections.items()}


def _description(
    request: Request, body: bytes, make: Callable[[Mapping[str, NumberedCollection]], Mapping[str, Any]]
) -> Response:
    """Answer a description of the server, the service or a layer."""

    def respond(params: Mapping[str, str]) -> Response:
        form = parse_format(params)
        if form == "geojson":
            raise EsriError("'f' parameter is invalid", ["a description is json or pjson"])
        document = make(_collections(request))
        option = orjson.OPT_INDENT_2 if form == "pjson" else None
        return _answered(request, lambda: orjson.dumps(document, option=option), JSON, form)

    return _guarded(request, body, respond)


def _answered(request: Request, body: Callable[[], bytes], media_type: str, form: str) -> Response:
    if request.method == "POST":
        return Response(body(), media_type=media_type, headers={"Cache-Control": "no-store"})
    return representation(request, version(request), media_type, body, form)


def _guarded(request: Request, body: bytes, respond: Callable[[Mapping[str, str]], Response]) -> Response:
    """Answer a request; errors have the status of HTTP, and the body that ArcGIS reads."""
    try:
        return respond(_params(request, body))
    except EsriError as error:
        return Response(orjson.dumps(error.payload), error.code, media_type=JSON)
    except GeoError as error:
        return Response(orjson.dumps(EsriError("A place cannot be read", [str(error)]).payload), 400, media_type=JSON)


def _params(request: Request, body: bytes) -> Mapping[str, str]:
    """Read the parameters of the address and of a form, of which those of the form count."""
    parameters = dict(request.query_params)
    if body:
        stated = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if stated != _FORM:
            raise EsriError("Unsupported media type", [f"a body of {_FORM} is read"], code=415)
        try:
            maximum = request.app.state.settings.parameters_max
            text = body.decode("ascii")
            parameters |= dict(
                urllib.parse.parse_qsl(text, errors="strict", keep_blank_values=True, max_num_fields=maximum)
            )
        except ValueError as error:
            raise EsriError("The form cannot be read", [str(error)]) from None
    return parameters
