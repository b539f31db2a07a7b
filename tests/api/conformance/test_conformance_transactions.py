"""OGC API - Features part 4 (20-002r1): a test for each requirement, as its annex A has no tests yet."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from shapely import Point
from starlette.testclient import TestClient

from api.requests.crs import parse_crs, project
from layers.model.records import Records
from tests.api.conftest import Writers, feature
from tests.api.feature_client import COLLECTIONS, Json

SPEC = "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/"
ITEMS = "/collections/strikes/items"
CURATED = "ua-orlivka-2025-08-06"
UTM = "http://www.opengis.net/def/crs/EPSG/0/32636"
LATLON = "http://www.opengis.net/def/crs/EPSG/0/4326"


class New:
    """A strike that was just added."""

    def __init__(self, writers: Writers, **properties: Any) -> None:
        self.client = writers.client
        self.ann = writers.ann
        answer = writers.add(**properties)
        assert answer.status_code == 201, answer.text
        self.answer = answer
        self.path: str = answer.headers["location"]
        self.id: str = answer.json()["id"]
        self.tag: str = answer.headers["etag"]

    def put(self, told: Json | None = None, **headers: str) -> Any:
        asked = {**self.ann, "if-match": self.tag, **headers}
        return self.client.put(self.path, json=told or feature(), headers=asked)

    def patch(self, told: Json, **headers: str) -> Any:
        asked = {**self.ann, "if-match": self.tag, "content-type": "application/merge-patch+json", **headers}
        return self.client.patch(self.path, json=told, headers=asked)

    def delete(self, **headers: str) -> Any:
        return self.client.delete(self.path, headers={**self.ann, "if-match": self.tag, **headers})

    def now(self) -> Any:
        return self.client.get(self.path)


# Create, replace, delete.


def test_the_classes_of_part_4_are_claimed(client: TestClient) -> None:
    told = set(client.get("/conformance").json()["conformsTo"])
    for name in ("create-replace-delete", "update", "optimistic-locking-etags", "features"):
        assert f"{SPEC}{name}" in told


TOKEN = {"authorization": "Bearer of-somebody"}


def allow(answer: Any) -> set[str]:
    return set(answer.headers["allow"].split(", "))


def test_transactions_methods(client: TestClient) -> None:
    """Every method that OPTIONS names is there; without a token a write is not offered, but refused as such."""
    for path, methods in ((ITEMS, {"POST"}), (f"{ITEMS}/{CURATED}", {"PUT", "PATCH", "DELETE"})):
        assert allow(client.options(path, headers=TOKEN)) == {"GET", "HEAD", "OPTIONS", *methods}
        assert allow(client.options(path)) == {"GET", "HEAD", "OPTIONS"}
        preflight = client.options(path, headers={"access-control-request-method": "POST"})
        assert allow(preflight) == {"GET", "HEAD", "OPTIONS", *methods}
        for method in methods:
            answer = client.request(method, path, json=feature())
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        for method in {"POST", "PUT", "PATCH", "DELETE"} - methods:
            answer = client.request(method, path)
            assert answer.status_code == 405
            assert allow(answer) == {"GET", "HEAD", "OPTIONS", *methods}


def test_transactions_options_op(client: TestClient) -> None:
    for collection in COLLECTIONS:
        for path in (f"/collections/{collection}/items", f"/collections/{collection}/items/x"):
            assert client.options(path).status_code == 200


def test_transactions_options_response(client: TestClient) -> None:
    for collection in COLLECTIONS[1:]:
        for path in (f"/collections/{collection}/items", f"/collections/{collection}/items/x"):
            assert allow(client.options(path)) == {"GET", "HEAD", "OPTIONS"}


def test_transactions_post_op(writers: Writers) -> None:
    new = New(writers, title="Added at Odesa")
    told = new.now().json()
    assert told["properties"]["title"] == "Added at Odesa"
    assert told["geometry"] == {"type": "Point", "coordinates": [30.72, 46.48]}


def test_transactions_post_body(writers: Writers) -> None:
    weapons = [{"kind": "drone", "count_min": 3, "count_max": 3}]
    new = New(writers, weapons=weapons, targets=["fuel depot"], note="n", region=None)
    told = new.answer.json()
    assert told["properties"]["weapons"] == weapons
    assert (told["properties"]["targets"], told["properties"]["region"]) == (["fuel depot"], None)
    assert new.now().json()["properties"]["weapons"] == "3 drone"


def test_transactions_post_content_type(writers: Writers) -> None:
    for stated, status in (("application/geo+json", 201), ("application/json; charset=utf-8", 201), ("text/csv", 415)):
        headers = {**writers.ann, "content-type": stated}
        assert writers.client.post(ITEMS, json=feature(), headers=headers).status_code == status


def test_transactions_post_response(writers: Writers) -> None:
    new = New(writers)
    assert new.path == f"http://testserver{ITEMS}/{new.id}"
    assert new.answer.headers["content-type"] == "application/geo+json"
    last = list(writers.store.revisions(writers.store.seq() - 1))[-1]
    assert (last.author, last.table, last.record, last.before) == ("Ann", "strikes", new.id, None)


def test_transactions_post_response_rid(writers: Writers, records: Records) -> None:
    told = {**feature(), "id": CURATED}
    made = {writers.client.post(ITEMS, json=told, headers=writers.ann).json()["id"] for _ in range(3)}
    assert len(made) == 3
    assert not made & records.strikes.keys()


REASON = {"change-reason": '%"\\ <b>%d0%ba\\ %c3%96l 100%25</b>"'}


def test_each_write_may_state_a_reason(writers: Writers) -> None:
    posted = writers.client.post(ITEMS, json=feature(), headers={**writers.ann, "change-reason": '"a \\"report\\""'})
    path, tag = posted.headers["location"], {"if-match": "*"}
    headers = {**writers.ann, **tag, **REASON}
    assert writers.client.put(path, json=feature(title="Replaced"), headers=headers).status_code == 200
    merge = {**headers, "content-type": "application/merge-patch+json"}
    assert writers.client.patch(path, json={"properties": {"title": "Changed"}}, headers=merge).status_code == 200
    assert writers.client.patch(path, json={"title": "As it was"}, headers={**merge, "change-reason": '""'}).is_success
    assert writers.client.delete(path, headers=headers).status_code == 204
    told = "\\ <b>к\\ Öl 100%</b>"
    assert [row.why for row in writers.store.revisions() if row.record == posted.json()["id"]] == [
        'a "report"', told, told, None, told,
    ]  # fmt: skip


@pytest.mark.parametrize("reason", ["typo", '"x', '%"%00"', '%"%0a"', '%"%ff"', f'"{"x" * 501}"', f'"{"x" * 9000}"'])
def test_a_reason_that_cannot_be_read_is_refused(writers: Writers, reason: str) -> None:
    new = New(writers)
    seq = writers.store.seq()
    for answer in (
        writers.client.post(ITEMS, json=feature(), headers={**writers.ann, "change-reason": reason}),
        new.put(feature(title="Other"), **{"change-reason": reason}),
        new.patch({"title": "Other"}, **{"change-reason": reason}),
        new.delete(**{"change-reason": reason}),
    ):
        assert (answer.status_code, answer.json()["parameter"]) == (400, "Change-Reason")
        assert answer.headers["content-type"] == "application/problem+json"
    assert writers.store.seq() == seq


def test_the_definition_describes_the_reason(client: TestClient) -> None:
    paths = client.get("/api").json()["paths"]
    for path, method in (
        (ITEMS, "post"),
        *((f"{ITEMS}/{{feature}}", method) for method in ("put", "patch", "delete")),
    ):
        (parameter,) = [one for one in paths[path][method]["parameters"] if one.get("name") == "Change-Reason"]
        assert (parameter["in"], parameter["required"]) == ("header", False)
        assert re.fullmatch(parameter["schema"]["pattern"], parameter["example"])


def test_transactions_put_op(writers: Writers) -> None:
    new = New(writers, title="Before", damage="much")
    assert new.put(feature(title="After", geometry=None)).status_code == 200
    told = new.now().json()
    assert (told["properties"]["title"], told["properties"]["damage"], told["geometry"]) == ("After", None, None)


def test_transactions_put_body(writers: Writers) -> None:
    new = New(writers)
    answer = new.put(feature(title="As sent"))
    assert answer.json()["properties"]["title"] == "As sent"
    stored = writers.store.records().strikes[new.id]
    assert (stored.title, stored.dataset) == ("As sent", "review")


def test_transactions_put_content_type(writers: Writers) -> None:
    new = New(writers)
    assert new.put(**{"content-type": "application/merge-patch+json"}).status_code == 415
    assert new.put(**{"content-type": "application/geo+json"}).status_code == 200


def test_transactions_put_response(writers: Writers) -> None:
    new = New(writers)
    answer = new.put(feature(title="Replaced"))
    assert answer.status_code == 200
    last = list(writers.store.revisions(writers.store.seq() - 1))[-1]
    assert (last.author, last.record) == ("Ann", new.id)
    assert last.before is not None
    assert last.after is not None
    assert (last.before["title"], last.after["title"]) == ("Depot at Odesa", "Replaced")


def test_transactions_put_rid(writers: Writers) -> None:
    new = New(writers)
    told = feature(title="Mine")
    told["properties"]["id"] = told["id"] = CURATED
    assert new.put(told).json()["id"] == new.id
    assert writers.store.records().strikes[CURATED].title != "Mine"


def test_transactions_put_rid_exception(writers: Writers) -> None:
    path = f"{ITEMS}/nothing"
    assert writers.client.put(path, json=feature(), headers=writers.ann).status_code == 404
    for tag in ("*", '"x"'):
        answer = writers.client.put(path, json=feature(), headers={**writers.ann, "if-match": tag})
        assert answer.status_code == 412


def test_transactions_delete_op(writers: Writers) -> None:
    new = New(writers)
    assert new.delete().status_code == 204
    assert new.now().status_code == 404
    assert new.delete().status_code == 404


def test_transactions_delete_response(writers: Writers) -> None:
    new = New(writers)
    answer = new.delete()
    assert (answer.status_code, answer.content) == (204, b"")
    last = list(writers.store.revisions(writers.store.seq() - 1))[-1]
    assert (last.author, last.record, last.after) == ("Ann", new.id, None)


# Update.


def test_transactions_update_methods(client: TestClient) -> None:
    assert "PATCH" in allow(client.options(f"{ITEMS}/{CURATED}", headers=TOKEN))


def test_transactions_update_patch_op(writers: Writers) -> None:
    new = New(writers, damage="much", note="n")
    assert new.patch({"properties": {"damage": "little", "note": None}}).status_code == 200
    stored = writers.store.records().strikes[new.id]
    assert (stored.damage, stored.note, stored.title) == ("little", None, "Depot at Odesa")


def test_transactions_update_patch_body(writers: Writers) -> None:
    new = New(writers)
    assert new.patch({"status": "verified"}).status_code == 200
    assert new.patch([1], **{"if-match": "*"}).status_code == 400  # type: ignore[arg-type]
    assert new.patch({"properties": [1]}, **{"if-match": "*"}).status_code == 400
    assert new.patch({"status": "verified"}, **{"content-type": "application/geo+json"}).status_code == 415
    assert new.now().json()["properties"]["status"] == "verified"


def test_transactions_update_patch_response(writers: Writers) -> None:
    new = New(writers)
    seq = writers.store.seq()
    assert new.patch({"title": "Changed"}).status_code == 200
    assert writers.store.seq() == seq + 1
    assert new.patch({"title": "Changed"}, **{"if-match": "*"}).status_code == 200
    assert writers.store.seq() == seq + 1, "what is the same already is no change"


def test_transactions_update_rid(writers: Writers) -> None:
    """Part 4 has one id of the body ignored and, of a merge patch, a new one refused; the same one is no change."""
    new = New(writers)
    assert new.patch({"id": new.id, "title": "Same"}).status_code == 200
    for told in ({"id": "other"}, {"properties": {"id": "other"}}):
        assert new.patch(told, **{"if-match": "*"}).status_code == 400


# Optimistic locking by entity tags.


def test_transactions_etag_get_response(writers: Writers) -> None:
    new = New(writers)
    tags = {new.client.get(f"{new.path}{query}").headers["etag"] for query in ("", "?f=jsonfg")}
    assert len(tags) == 2
    assert {tag.partition(".")[0] for tag in tags} == {new.tag.partition(".")[0]}
    assert not any(tag.startswith("W/") for tag in tags)
    assert new.patch({"note": "by either"}, **{"if-match": max(tags)}).status_code == 200
    other = New(writers)
    zipped = other.client.get(other.path, headers={"accept-encoding": "gzip"}).headers["etag"]
    assert other.patch({"note": "or zipped"}, **{"if-match": zipped}).status_code == 200


def test_transactions_etag_put_response(writers: Writers) -> None:
    new = New(writers)
    answer = new.put(feature(title="Replaced"))
    assert answer.headers["etag"].partition(".")[0] == new.now().headers["etag"].partition(".")[0]
    assert answer.headers["etag"] != new.tag
    assert new.put(feature(title="Again"), **{"if-match": answer.headers["etag"]}).status_code == 200


def test_transactions_etag_patch_response(writers: Writers) -> None:
    new = New(writers)
    answer = new.patch({"title": "Changed"})
    assert new.patch({"title": "Again"}, **{"if-match": answer.headers["etag"]}).status_code == 200


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_transactions_ifmatch_op(writers: Writers, method: str) -> None:
    new = New(writers)
    told = {"put": {"json": feature()}, "patch": {"json": {"title": "x"}}, "delete": {}}[method]
    answer = writers.client.request(method.upper(), new.path, headers=writers.ann, **told)
    assert answer.status_code == 428
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_transactions_ifmatch_eval(writers: Writers, method: str) -> None:
    new = New(writers)
    changed = new.patch({"title": "By somebody else"})
    asked = {"put": (feature(),), "patch": ({"title": "x"},), "delete": ()}[method]
    act = getattr(new, method)
    for stale in (new.tag, '"x"', ""):
        assert act(*asked, **{"if-match": stale}).status_code == 412
    assert writers.store.records().strikes[new.id].title == "By somebody else"
    assert act(*asked, **{"if-match": f'"x", {changed.headers["etag"]}'}).status_code in (200, 204)


@pytest.mark.parametrize(
    ("method", "header", "value"),
    [
        *((method, "change-reason", "not in quotes") for method in ("put", "patch", "delete")),
        *((method, "content-crs", "<http://example.org/crs>") for method in ("put", "patch")),
    ],
)
def test_transactions_malformed_header_is_refused_before_the_version_is_compared(
    writers: Writers, method: str, header: str, value: str
) -> None:
    new = New(writers)
    body = {"put": (feature(),), "patch": ({"title": "x"},), "delete": ()}[method]
    answer = getattr(new, method)(*body, **{"if-match": '"x"', header: value})
    assert answer.status_code == 400
    assert header in answer.text.lower()


def test_transactions_of_many_at_once_one_writes(writers: Writers) -> None:
    new = New(writers)
    together = threading.Barrier(6)

    def patch(number: int) -> int:
        together.wait()
        status: int = new.patch({"note": f"by {number}"}).status_code
        return status

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(patch, range(6))) == [200, 412, 412, 412, 412, 412]


# Features.


def test_transactions_features_resources_endpoint(writers: Writers) -> None:
    for collection in COLLECTIONS[1:]:
        answer = writers.client.post(f"/collections/{collection}/items", json=feature(), headers=writers.ann)
        assert answer.status_code == 405
    assert writers.client.post("/collections/nothing/items", json={}, headers=writers.ann).status_code in (404, 405)


def test_transactions_features_resource_endpoint(writers: Writers) -> None:
    assert New(writers).path.startswith(f"http://testserver{ITEMS}/")


def test_transactions_features_collection_endpoint(client: TestClient) -> None:
    """PUT adds nothing, so no collection says that it does."""
    for one in client.get("/collections").json()["collections"]:
        assert "supportsNonAutogeneratedResourceIds" not in one


@pytest.mark.parametrize("uri", [UTM, LATLON])
def test_transactions_features_content_crs(writers: Writers, uri: str) -> None:
    (there,) = project([Point(30.72, 46.48)], parse_crs(uri, "crs"))
    told = feature(geometry=(there.x, there.y))
    headers = {**writers.ann, "content-crs": f"<{uri}>"}
    made = writers.client.post(ITEMS, json=told, headers=headers)
    assert made.status_code == 201, made.text
    assert made.json()["geometry"]["coordinates"] == pytest.approx([30.72, 46.48], abs=1e-9)
    moved = {"geometry": {"coordinates": [there.x, there.y]}}
    patched = {**headers, "if-match": "*", "content-type": "application/merge-patch+json"}
    assert writers.client.patch(made.headers["location"], json=moved, headers=patched).status_code == 200


def test_transactions_features_default_crs(writers: Writers) -> None:
    new = New(writers)
    stored = writers.store.records().strikes[new.id]
    assert stored.geometry is not None
    assert (stored.geometry.x, stored.geometry.y) == (30.72, 46.48)


def test_transactions_features_other_crs(writers: Writers) -> None:
    headers = {**writers.ann, "content-crs": "<http://www.opengis.net/def/crs/EPSG/0/25832>"}
    answer = writers.client.post(ITEMS, json=feature(), headers=headers)
    assert (answer.status_code, answer.json()["parameter"]) == (400, "Content-Crs")


def test_transactions_features_schema(writers: Writers) -> None:
    schema = writers.client.get("/collections/strikes/schema").json()
    taken = {name for name, one in schema["properties"].items() if not one.get("readOnly")} - {"geometry"}
    stored = New(writers).answer.json()["properties"]
    assert set(stored) == taken
    definition = writers.client.get("/api").json()["paths"][ITEMS]["post"]
    sent = definition["requestBody"]["content"]["application/geo+json"]["schema"]["properties"]["properties"]
    assert set(sent["properties"]) == taken
    assert set(sent["required"]) == set(schema["required"])
    assert definition["security"] == [{"reviewer": []}]


def test_transactions_features_update_json_merge_patch(writers: Writers) -> None:
    new = New(writers, targets=["a", "b"], damage="much")
    told = {
        "geometry": {"type": "Point", "coordinates": [30.7, 46.4]},
        "properties": {"targets": ["c"], "damage": None},
    }
    assert new.patch(told).status_code == 200
    stored = writers.store.records().strikes[new.id]
    assert (stored.targets, stored.damage, stored.geometry) == (("c",), None, Point(30.7, 46.4))
    gone = {"geometry": None, "basis": None, "uncertainty_m": None, "place_source": None}
    assert new.patch(gone, **{"if-match": "*"}).status_code == 200
    assert writers.store.records().strikes[new.id].geometry is None


def test_transactions_features_geojson_create_replace(writers: Writers) -> None:
    told = {**feature(), "id": 7, "links": [], "bbox": [0, 0, 1, 1]}
    assert writers.client.post(ITEMS, json=told, headers=writers.ann).status_code == 201


# Of this server: whose strikes may be removed, and decisions.


def test_a_strike_of_a_load_is_retracted_not_removed(writers: Writers) -> None:
    path = f"{ITEMS}/{CURATED}"
    tag = writers.client.get(path).headers["etag"]
    answer = writers.client.delete(path, headers={**writers.ann, "if-match": tag})
    assert answer.status_code == 409
    assert "retracted" in answer.json()["detail"]
    headers = {**writers.ann, "if-match": tag, "content-type": "application/merge-patch+json"}
    patched = writers.client.patch(path, json={"status": "retracted"}, headers=headers)
    assert patched.status_code == 200, patched.text
    assert writers.client.get(path).json()["properties"]["status"] == "retracted"
    assert writers.store.records().strikes[CURATED].dataset == "curated"


def test_a_strike_that_was_decided_on_stays(writers: Writers) -> None:
    new = New(writers)
    told = {"strike": new.id, "verdict": "unsure", "why": "test", "seen": None}
    assert writers.client.post("/review/decisions", json=told, headers=writers.ben).status_code == 201
    answer = new.delete()
    assert answer.status_code == 409
    assert "decisions" in answer.json()["detail"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_decisions_are_only_ever_added(writers: Writers, method: str) -> None:
    answer = writers.client.request(method, "/review/decisions", headers=writers.ann)
    assert answer.status_code == 405
    assert allow(answer) == {"POST", "OPTIONS"} == allow(writers.client.options("/review/decisions"))
