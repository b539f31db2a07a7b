"""The definition is a contract: what answers is described by its status, form and schema; what it shows is taken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator
from starlette.testclient import TestClient

from tests.api.conformance.test_conformance_html import NEEDED
from tests.api.conformance.test_conformance_oas30 import filled
from tests.api.conftest import Writers, feature
from tests.api.feature_client import Json
from tests.api.html_reading import BROWSER

#: Headers by which an answer may become another: known already, in a form that there is not, for a person, a part.
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"if-none-match": "*"},
    {"accept": "nothing/at-all"},
    BROWSER,
    {"range": "bytes=0-9"},
    {"range": "bytes=99999999-"},
    {"x-long": "x" * 20_000},
)
#: Queries that cannot be read, and one that is too long.
QUERIES = ("", "nothing=1", "f=nothing", "f=html", f"filter={'x' * 9000}", "q=%00", "datetime=x&datetime=x", "limit=x")


@pytest.fixture(scope="module")
def told(writers: Writers) -> Json:
    definition: Json = writers.client.get("/api").json()
    return definition


def operations(told: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in told["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def resolved(told: Json, part: Json) -> Json:
    return told[(place := part["$ref"].split("/")[1:])[0]][place[1]][place[2]] if "$ref" in part else part


def valid(told: Json, schema: Json, value: Any, validator: Any = OAS30ReadValidator) -> list[str]:
    """What is wrong with a value."""
    return [one.message for one in validator({**schema, "components": told["components"]}).iter_errors(value)]


def require_described(told: Json, path: str, operation: Json, answer: Any) -> None:
    """The status of an answer, its form, its headers and, of JSON, what it holds are those that the operation has."""
    asked = (str(answer.request.method), str(answer.request.url)[:200], answer.status_code)
    assert str(answer.status_code) in operation["responses"], (*asked, answer.text[:200])
    described = resolved(told, operation["responses"][str(answer.status_code)])
    forms = {name.partition(";")[0]: body for name, body in described.get("content", {}).items()}
    if not forms:
        assert answer.content == b"", asked
        return
    form = answer.headers["content-type"].partition(";")[0]
    assert form in forms, asked
    assert described.get("headers", {}).keys() <= {name.title() for name in answer.headers} | {"ETag"}, asked
    if form.endswith("json"):
        assert forms[form]["schema"] != {}, "a schema that everything fits"
        assert valid(told, forms[form]["schema"], answer.json()) == [], asked


@pytest.mark.parametrize("headers", HEADERS, ids=str)
def test_every_request_is_answered_as_described(writers: Writers, told: Json, headers: dict[str, str]) -> None:
    for path, method, operation in operations(told):
        if method != "get":
            continue
        for query in QUERIES if not headers else ("",):
            given = "&".join(f"{name}={value}" for name, value in NEEDED.get(path, {}).items())
            address = f"{filled(writers.client, path)}?{given}&{query}"
            sent = {**writers.ann, **headers}
            answer = writers.client.get(address, headers=sent, follow_redirects=False)
            assert answer.status_code < 500, address
            require_described(told, path, operation, answer)


@pytest.mark.parametrize("value", ["nothing", "9", "99999999999", "%C3%96", "a" * 300, "%00"])
def test_whatever_a_path_names_is_answered_as_described(writers: Writers, told: Json, value: str) -> None:
    for path, method, operation in operations(told):
        if "{" not in path or method != "get":
            continue
        address = re.sub(r"\{\w+\}", value, path)
        require_described(told, path, operation, writers.client.get(address, headers=writers.ann))
        assert "404" in operation["responses"]


def test_whatever_is_written_is_answered_as_described(writers: Writers, told: Json) -> None:
    bodies = (b"", b"{", b"[]", b"{}", b'{"properties": 1}', b"x" * 70_000)
    count = 0
    for path, method, operation in operations(told):
        if method == "get":
            continue
        for body in bodies if method != "delete" else (b"",):
            for media_type in ("application/json", "application/geo+json", "application/merge-patch+json", "text/csv"):
                for more in ({}, writers.ann, {**writers.ann, "if-match": '"x"'}, {**writers.ann, "if-match": "*"}):
                    headers = {"content-type": media_type, **more}
                    for feature_id in ("ua-orlivka-2025-08-06", "nothing"):
                        address = path.replace("{feature}", feature_id)
                        answer = writers.client.request(method, address, content=body, headers=headers)
                        require_described(told, path, operation, answer)
                        # A patch of nothing is one.
                        assert answer.status_code >= 400 or (method, body) == ("patch", b"{}"), "it was written"
                        count += 1
    assert count > 500


def test_a_strike_is_written_and_answered_as_described(writers: Writers, told: Json) -> None:
    """Each way to write, in the order of the links between them."""
    one = told["paths"]["/collections/strikes/items/{feature}"]
    many = told["paths"]["/collections/strikes/items"]
    added = writers.add()
    require_described(told, "", many["post"], added)
    assert added.status_code == 201
    following = many["post"]["responses"]["201"]["links"]
    named = {operation["operationId"]: method for method, operation in one.items()}
    assert [named[link["operationId"]] for link in following.values()] == ["get", "put", "patch", "delete"]
    address, tag = f"/collections/strikes/items/{added.json()['id']}", added.headers["etag"]
    replaced = writers.client.put(address, json=feature(title="Another"), headers={**writers.ann, "if-match": tag})
    require_described(told, "", one["put"], replaced)
    merged = {"content-type": "application/merge-patch+json", "if-match": replaced.headers["etag"]}
    changed = writers.client.patch(address, content=b'{"note": "more"}', headers={**writers.ann, **merged})
    require_described(told, "", one["patch"], changed)
    gone = writers.client.delete(address, headers={**writers.ann, "if-match": changed.headers["etag"]})
    require_described(told, "", one["delete"], gone)
    assert [answer.status_code for answer in (replaced, changed, gone)] == [200, 200, 204]


def test_every_example_of_a_parameter_is_taken(client: TestClient, told: Json) -> None:
    """Each by itself, and all of an operation together."""
    count = 0
    for path, method, operation in operations(told):
        given = [resolved(told, part) for part in operation["parameters"]]
        shown = {one["name"]: one["example"] for one in given if "example" in one and one["in"] == "query"}
        if method != "get" or not shown:
            continue
        texts = {name: ",".join(map(str, one)) if isinstance(one, list) else str(one) for name, one in shown.items()}
        alone = ({name: text} for name, text in texts.items() if path != "/map" or name != "filter")
        for query in (*alone, texts):
            answer = client.get(filled(client, path), params={**NEEDED.get(path, {}), **query}, follow_redirects=False)
            assert answer.status_code == 200, (path, query, answer.text[:200])
            count += 1
    assert count > 60


def test_every_example_of_a_body_is_taken_and_fits_its_schema(writers: Writers, told: Json) -> None:
    shown = [
        (path, method, media_type, body)
        for path, method, operation in operations(told)
        for media_type, body in operation.get("requestBody", {}).get("content", {}).items()
        if "example" in body
    ]
    assert {method for _, method, _, _ in shown} == {"post", "put", "patch"}
    for path, method, media_type, body in shown:
        assert valid(told, body["schema"], body["example"], OAS30WriteValidator) == []
        key = writers.add().json()["id"]
        headers = {**writers.ann, "content-type": media_type, "if-match": "*"}
        address = path.replace("{feature}", key)
        answer = writers.client.request(method, address, json=body["example"], headers=headers)
        assert answer.status_code in (200, 201), answer.text


@pytest.mark.parametrize(
    ("verdict", "more", "fits"),
    [
        ("confirmed", {"asset": "a-orlivka"}, True), ("confirmed", {}, False), ("confirmed", {"asset": None}, False),
        ("none", {}, True), ("none", {"asset": None}, True), ("none", {"asset": "a-orlivka"}, False),
        ("undone", {"undoes": "review/x"}, True), ("undone", {}, False), ("undone", {"asset": "a-orlivka"}, False),
    ],
)  # fmt: skip
def test_what_goes_with_a_verdict_is_described(told: Json, verdict: str, more: Json, fits: bool) -> None:
    decision = {"strike": "ua-orlivka-2025-08-06", "verdict": verdict, "why": "read", "seen": None, **more}
    schema = told["paths"]["/review/decisions"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert (valid(told, schema, decision, OAS30WriteValidator) == []) is fits


@pytest.mark.parametrize("text", ["0", "1700000000", "2025-08-08T00:00:00", "20250808", "2025-8-8"])
def test_a_day_is_written_out_as_the_definition_says(client: TestClient, text: str) -> None:
    assert client.get("/assets/a-orlivka/owners", params={"on": text}).status_code == 400
    assert client.get("/assets/a-orlivka/owners", params={"on": "2025-08-08"}).status_code == 200


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200), ("transparent=true", 200), ("collections=strikes&status=verified", 200), ("from=a-mail", 200),
        ("transparent=1", 400), ("width=0", 400), ("bbox=1", 400), ("filter-lang=x", 400), ("datetime=x", 400),
        ("transparent=true&transparent=true", 400), ("collections=strikes&filter=x", 400),
    ],
)  # fmt: skip
def test_the_page_of_the_map_takes_the_parameters_of_the_picture(client: TestClient, query: str, status: int) -> None:
    assert client.get(f"/map?f=html&{query}").status_code == status


@pytest.mark.parametrize("text", [" ", "\t", "\u000b", "\u00a0 "])
def test_a_text_of_spaces_is_none(writers: Writers, told: Json, text: str) -> None:
    """Of spaces at its ends a text is freed, so nothing would be left."""
    sent = told["paths"]["/collections/strikes/items"]["post"]["requestBody"]["content"]["application/geo+json"]
    assert writers.add(region=text).status_code == 400
    assert valid(told, sent["schema"], feature(region=text), OAS30WriteValidator) != []
    assert valid(told, sent["schema"], feature(region=" a "), OAS30WriteValidator) == []


@pytest.mark.parametrize(
    ("weapons", "fits"),
    [("drone", True), ("3 drone; rocket", True), ("drone;rocket", True), (None, True), ([{"kind": "drone"}], True),
     ([{"kind": "drone", "count_min": 3, "count_max": None}], True), ([{"kind": None}], False), ([None], False),
     ("", False), ("drone; ", False), (" ; drone", False), ("a; \t; b", False), (7, False), (["drone"], False)],
)  # fmt: skip
def test_weapons_are_taken_as_the_definition_says(writers: Writers, told: Json, weapons: Any, fits: bool) -> None:
    """As a list, or in words as features tell them."""
    sent = told["paths"]["/collections/strikes/items"]["post"]["requestBody"]["content"]["application/geo+json"]
    assert (writers.add(weapons=weapons).status_code == 201) is fits
    assert (valid(told, sent["schema"], feature(weapons=weapons), OAS30WriteValidator) == []) is fits


def parameter_schema(told: Json, path: str, name: str, method: str = "get") -> Json:
    (found,) = [
        one for part in told["paths"][path][method]["parameters"] if (one := resolved(told, part))["name"] == name
    ]
    schema: Json = found["schema"]
    return schema


ITEMS = "/collections/strikes/items"


#: Texts that a parameter takes, and those that it refuses; the pattern in the definition says the same of each.
PATTERNS = {
    (ITEMS, "datetime"): (
        ("2025-08-08", "2024-02-29", "2025-08-08T04:06:00Z", "2025-08-08t04:06:00.123456789z", "2025-08-01/2025-08-31",
         "2025-08-01/..", "/2025-08-01", "2025-08-01/", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00/.."),
        ("", "..", "../..", "/", "2025", "2025-8-8", "2025-13-01", "2025-04-31", "0000-01-01", "2025-08-08T24:00:00Z",
         "2025-08-08T04:06:00", "2025-08-08T04:06:60Z", "2025-08-08T04:06:00+24:00", "٢٠٢٥-08-08",
         "2025-08-01/2025-08-02/2025-08-03", "2025-08-08 "),
    ),
    **{
        ("/corrections", name): (
            ("2025-08-08", "9999-12-31", "0001-01-01", "2025-08-08T04:06:00.123456Z", "9999-12-31T23:59:59-14:00",
             "0001-01-01T00:00:00+14:00"),
            ("", "2025-08-08T04:06:00", "2025-08-08T04:06:00.1234567Z", "2025-06-31", "2025-08-08/.."),
        )
        for name in ("since", "until")
    },
    ("/corrections", "country"): (("UA", "ua"), ("", "UKR", "1A")),
    ("/places", "near"): (
        ("30.72,46.48", "-180,-90", "+179.9,90.0", "0,0"), ("180.1,0", "0,91", "30.72", "nan,0", "1e1,0", "٣,0"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("path", "name"), PATTERNS)
@pytest.mark.parametrize("status", [200, 400])
def test_a_text_is_what_its_pattern_says(client: TestClient, told: Json, path: str, name: str, status: int) -> None:
    pattern = parameter_schema(told, path, name)["pattern"]
    for text in PATTERNS[path, name][status == 400]:
        answer = client.get(path, params={**NEEDED.get(path, {}), name: text})
        assert (answer.status_code, bool(re.search(pattern, text))) == (status, status == 200), text


@pytest.mark.parametrize("text", ["2025-02-29", "2025-08-31/2025-08-01"])
def test_what_no_pattern_says_of_a_datetime_is_refused_all_the_same(client: TestClient, text: str) -> None:
    assert client.get(ITEMS, params={"datetime": text}).status_code == 400


def test_the_corrections_of_a_strike_that_is_not_there_are_described(client: TestClient, told: Json) -> None:
    answer = client.get("/corrections", params={"strike": "nothing"})
    assert answer.status_code == 404
    require_described(told, "/corrections", told["paths"]["/corrections"]["get"], answer)


def texts(schema: Json) -> Iterator[Json]:
    """The schemas of texts in a schema that no list, format or example of values bounds."""
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        if isinstance(part, dict | list):
            yield from texts(part)
    if isinstance(schema, dict) and schema.get("type") == "string" and not schema.keys() & {"enum", "format"}:
        yield schema


def test_no_text_of_a_request_has_nul(told: Json) -> None:
    count = 0
    for path, method, operation in operations(told):
        sent = [resolved(told, part)["schema"] for part in operation["parameters"]]
        sent += [body["schema"] for body in operation.get("requestBody", {}).get("content", {}).values()]
        named = [resolved(told, schema) for schema in sent]
        for schema in texts(named):
            assert not re.search(schema["pattern"], "a\0a"), (path, method, schema)
            count += 1
    assert count > 300


def test_each_key_of_an_order_stands_once(told: Json) -> None:
    assert parameter_schema(told, ITEMS, "sortby")["uniqueItems"]


NO_PLACE = dict.fromkeys(("uncertainty_m", "basis", "place_source"))


@pytest.mark.parametrize(
    ("sent", "fits"),
    [
        (feature(), True), (feature(basis=None), False), (feature(uncertainty_m=None), False),
        (feature(place_source=None), False), ({**feature(**NO_PLACE), "geometry": None}, True),
        ({**feature(), "geometry": None}, True), ({**feature(), "title": "Depot"}, False),
        ({**feature(), "bbox": [30, 46, 31, 47]}, True), ({**feature(), "title": None}, False),
    ],
)  # fmt: skip
def test_a_feature_is_what_its_schema_says(writers: Writers, told: Json, sent: Json, fits: bool) -> None:
    schema = told["paths"][ITEMS]["post"]["requestBody"]["content"]["application/geo+json"]["schema"]
    assert (valid(told, schema, sent, OAS30WriteValidator) == []) is fits
    assert writers.client.post(ITEMS, json=sent, headers=writers.ann).status_code == (201 if fits else 400)


@pytest.mark.parametrize(("key", "fits"), [(None, True), (5, False), ([], False)])
def test_the_id_in_a_patch_is_what_its_schema_says(writers: Writers, told: Json, key: Any, fits: bool) -> None:
    content = told["paths"][f"{ITEMS}/{{feature}}"]["patch"]["requestBody"]["content"]
    patch = {"type": "Feature", "id": key, "properties": {"note": "more"}}
    schema = content["application/merge-patch+json"]["schema"]
    assert (valid(told, schema, patch, OAS30WriteValidator) == []) is fits
    added = writers.add()
    headers = {**writers.ann, "content-type": "application/merge-patch+json", "if-match": added.headers["etag"]}
    answer = writers.client.patch(f"{ITEMS}/{added.json()['id']}", json=patch, headers=headers)
    assert answer.status_code == (200 if fits else 400)


@pytest.mark.parametrize(
    ("tags", "status"),
    [
        ("*", 200), (' "x" , , W/"*"', 412), ('"*"', 412), ("", 412), (",", 412), ('"a,b"', 412),
        ("x", 400), ('"x', 400), ("{}", 400), ('*, "x"', 400), ('"a" "b"', 400), ('w/"x"', 400), ("null", 400),
    ],
)  # fmt: skip
def test_an_entity_tag_of_a_write_is_what_its_pattern_says(
    writers: Writers, told: Json, tags: str, status: int
) -> None:
    path = f"{ITEMS}/{{feature}}"
    schema = parameter_schema(told, path, "If-Match", "patch")
    assert bool(re.search(schema["pattern"], tags.strip())) == (status != 400)
    address = f"{ITEMS}/{writers.add().json()['id']}"
    headers = {**writers.ann, "content-type": "application/merge-patch+json", "if-match": tags}
    assert writers.client.patch(address, content=b'{"note": "more"}', headers=headers).status_code == status
    replaced = writers.client.put(f"{ITEMS}/nothing", json=feature(), headers={**writers.ann, "if-match": tags})
    assert replaced.status_code == (400 if status == 400 else 412)


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/review/strikes/x/publication", "POST, OPTIONS"), ("/review/strikes/x", "GET, HEAD, OPTIONS"),
        ("/review/strikes/x/y", "GET, HEAD, OPTIONS"), (ITEMS, "GET, HEAD, POST, OPTIONS"),
        (f"{ITEMS}/a/b", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
    ],
)  # fmt: skip
def test_the_methods_of_a_path_are_those_of_the_definition(client: TestClient, path: str, methods: str) -> None:
    assert client.options(path, headers={"authorization": "Bearer x"}).headers["allow"] == methods
