"""Parts declare themselves: the check of a request and the definition read the same tables."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from fastapi import FastAPI, Request, Response
from starlette.testclient import TestClient

from api.app import PARTS
from api.openapi import definition
from api.openapi.declaration import OGC_SPEC, ApiPart, Endpoint, Scope, conformance_classes
from api.openapi.parameters import path_parameter
from api.openapi.responses import COUNT, object_with
from api.requests.parameters import BadParameter, RequestParameter, integer_between
from api.settings import Settings

STRIKES = "/collections/strikes/items"


def known_parameters(app: FastAPI, path: str, method: str) -> tuple[str, ...] | None:
    """Names that the check of an endpoint takes, by its path in the definition; None where there is no endpoint."""
    collections = list(app.state.atlas.view.snapshot.collections.values())
    for endpoint in (one for part in app.state.parts for one in part.endpoints if one.method == method):
        for collection in collections:
            if endpoint.path.replace("/collections/{collection}", f"/collections/{collection.name}") == path:
                return endpoint.query_names(Scope(collections, collection if path != endpoint.path else None))
    return None


def test_known_parameters_are_those_of_the_definition(app: FastAPI) -> None:
    definition = app.openapi()
    shared = definition["components"]["parameters"]
    for path, item in definition["paths"].items():
        for method, operation in item.items():
            parts = [
                shared[one["$ref"].rpartition("/")[2]] if "$ref" in one else one for one in operation["parameters"]
            ]
            described = tuple(part["name"] for part in parts if part["in"] == "query")
            # The language is a parameter of every endpoint, declared by none.
            assert (*(known_parameters(app, path, method) or ()), "lang") == described, (method, path)
    for _ in range(2):
        assert known_parameters(app, "/collections", "get") == ("f",)
        assert {"bbox", "kind", "f"} <= set(known_parameters(app, STRIKES, "get") or ())
        assert "n_strikes" not in (known_parameters(app, STRIKES, "get") or ())
        assert known_parameters(app, STRIKES, "delete") is None
        assert known_parameters(app, "/collections/nope/items", "get") is None


def test_endpoints_have_paths_of_their_own() -> None:
    every = [(endpoint.method, endpoint.path) for part in PARTS for endpoint in part.endpoints]
    assert len(set(every)) == len(every) > 30


def test_classes_of_one_standard_stand_together_whichever_part_claims_them() -> None:
    parts = [
        ApiPart("a", conformance=(f"{OGC_SPEC}other-1/1.0/conf/x", f"{OGC_SPEC}ogcapi-features-3/1.0/conf/b")),
        ApiPart(
            "b", conformance=(f"{OGC_SPEC}ogcapi-features-3/1.0/conf/a", f"{OGC_SPEC}ogcapi-common-1/1.0/conf/core")
        ),
    ]
    names = [uri.removeprefix(OGC_SPEC) for uri in conformance_classes(parts)]
    assert names == [
        "ogcapi-common-1/1.0/conf/core",
        "ogcapi-features-3/1.0/conf/b",
        "ogcapi-features-3/1.0/conf/a",
        "other-1/1.0/conf/x",
    ]


def test_a_part_is_checked_and_described_by_what_it_declares() -> None:
    most = RequestParameter("most", integer_between(1, 9), {"type": "integer", "maximum": 9}, "How many.", 3)
    part = ApiPart("counts", schemas={"Count": object_with(count=COUNT)})

    @part.route("get", "/counts/{name}", "A count", schema="Count", parameters=lambda scope: (most,))
    def count(request: Request, name: str, offset: int = 0) -> Response:
        """Count."""
        return Response(f"{name} {most.read(request.query_params, 1)} {offset}")

    @part.declared(Endpoint("/sums/{name}", "A sum", "sums", schema="Count", parameters=lambda _: (name_of, most)))
    def add(request: Request, name: str) -> Response:
        return Response(name)

    name_of = path_parameter("name", {"type": "string"})
    app = FastAPI()
    app.include_router(part.router)
    app.state.atlas = SimpleNamespace(
        store=SimpleNamespace(read_only=False), view=SimpleNamespace(snapshot=SimpleNamespace(collections={}))
    )
    paths = definition.definition(app, [part], Settings())["paths"]
    told = {path: [one["name"] for one in item["get"]["parameters"]] for path, item in paths.items()}
    assert told == {"/counts/{name}": ["name", "offset", "most", "lang"], "/sums/{name}": ["name", "most", "lang"]}
    client = TestClient(app)
    assert client.get("/counts/x?most=4&offset=2").text == "x 4 2"
    assert client.get("/sums/x?most=4").text == "x"
    for wrong in ("/counts/x?least=4", "/counts/x?most=4&most=4", "/counts/x?most=10", "/sums/x?offset=1"):
        with pytest.raises(BadParameter):
            client.get(wrong)
