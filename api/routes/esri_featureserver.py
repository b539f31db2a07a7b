"""A read-only FeatureServer (GeoServices REST), by which ArcGIS reads the same layers."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response

from api.esri import metadata
from api.esri.errors import EsriError
from api.esri.layers import LAYERS, Layer, Numbered
from api.esri.query import form_of, question
from api.esri.query_response import answer
from api.http.conditional import representation
from api.http.links import GEOJSON, JSON
from api.rendering.png import table
from api.responses.resource import version, view
from geo.errors import GeoError

router = APIRouter(include_in_schema=False)

NAME = "strikeatlas"
ROOT = f"/rest/services/{NAME}/FeatureServer"
_FORM = "application/x-www-form-urlencoded"


async def _body(request: Request) -> bytes:
    return await request.body() if request.method == "POST" else b""


Body = Annotated[bytes, Depends(_body)]


@router.api_route("/rest/info", methods=["GET", "POST"])
def info(request: Request, body: Body) -> Response:
    """Say that no token is needed."""
    return _told(request, body, lambda _: metadata.info())


@router.api_route("/rest/services", methods=["GET", "POST"])
def services(request: Request, body: Body) -> Response:
    """List the one service."""
    return _told(request, body, lambda _: metadata.catalogue(NAME))


@router.api_route(ROOT, methods=["GET", "POST"])
def service(request: Request, body: Body) -> Response:
    """Describe the service."""
    settings = request.app.state.settings
    description = request.app.description
    return _told(
        request,
        body,
        lambda all_: metadata.service(all_, description, settings.attribution, settings.limit_max),
    )


@router.api_route(f"{ROOT}/layers", methods=["GET", "POST"])
def layers(request: Request, body: Body) -> Response:
    """Describe every layer of the service at once."""

    def told(all_: Mapping[str, Numbered]) -> Mapping[str, Any]:
        settings = request.app.state.settings
        listed = metadata.service(all_, "", "", settings.limit_max)["layers"]
        known = {layer.id: layer for layer in LAYERS}
        return {"layers": [_described(request, all_, known[one["id"]]) for one in listed], "tables": []}

    return _told(request, body, told)


@router.api_route(f"{ROOT}/{{layer}}", methods=["GET", "POST"])
def layer(request: Request, layer: str, body: Body) -> Response:
    """Describe one layer."""
    return _told(request, body, lambda all_: _described(request, all_, _layer(layer)))


@router.api_route(f"{ROOT}/{{layer}}/query", methods=["GET", "POST"])
def query(request: Request, layer: str, body: Body) -> Response:
    """Answer which features of a layer there are, and what they say."""

    def made(params: Mapping[str, str]) -> Response:
        found, form = _layer(layer), form_of(params)
        collection = _collections(request)[found.collection]
        asked = question(params, collection, request.app.state.settings.limit_max)
        media_type = GEOJSON if form == "geojson" else JSON
        return _answered(request, lambda: answer(collection, found, asked, form), media_type, form)

    return _guarded(request, body, made)


def _described(request: Request, all_: Mapping[str, Numbered], layer: Layer) -> Mapping[str, Any]:
    settings = request.app.state.settings
    looks = table(settings.static / "style-table.json")
    return metadata.described(layer, all_[layer.collection], settings.attribution, settings.limit_max, looks)


def _layer(told: str) -> Layer:
    found = next((layer for layer in LAYERS if str(layer.id) == told), None)
    if found is None:
        raise EsriError("Layer not found", [f"one of {', '.join(str(layer.id) for layer in LAYERS)}"], code=404)
    return found


def _collections(request: Request) -> Mapping[str, Numbered]:
    return {name: Numbered.of(one) for name, one in view(request).snapshot.collections.items()}


def _told(request: Request, body: bytes, make: Callable[[Mapping[str, Numbered]], Mapping[str, Any]]) -> Response:
    """Answer a description."""

    def made(params: Mapping[str, str]) -> Response:
        form = form_of(params)
        if form == "geojson":
            raise EsriError("'f' parameter is invalid", ["a description is json or pjson"])
        told = make(_collections(request))
        option = orjson.OPT_INDENT_2 if form == "pjson" else None
        return _answered(request, lambda: orjson.dumps(told, option=option), JSON, form)

    return _guarded(request, body, made)


def _answered(request: Request, body: Callable[[], bytes], media_type: str, form: str) -> Response:
    if request.method == "POST":
        return Response(body(), media_type=media_type, headers={"Cache-Control": "no-store"})
    return representation(request, version(request), media_type, body, form)


def _guarded(request: Request, body: bytes, make: Callable[[Mapping[str, str]], Response]) -> Response:
    """Answer, or say what is wrong: in the body as ArcGIS reads it, and as the status for everybody else."""
    try:
        return make(_params(request, body))
    except EsriError as error:
        return Response(orjson.dumps(error.told), error.code, media_type=JSON)
    except GeoError as error:
        return Response(orjson.dumps(EsriError("A place cannot be read", [str(error)]).told), 400, media_type=JSON)


def _params(request: Request, body: bytes) -> Mapping[str, str]:
    """Parameters of the address and of a form; the form counts."""
    found = dict(request.query_params)
    if body:
        stated = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if stated != _FORM:
            raise EsriError("Unsupported media type", [f"a body of {_FORM} is read"], code=415)
        try:
            most = request.app.state.settings.parameters_max
            text = body.decode("ascii")
            found |= dict(urllib.parse.parse_qsl(text, errors="strict", keep_blank_values=True, max_num_fields=most))
        except ValueError as error:
            raise EsriError("The form cannot be read", [str(error)]) from None
    return found
