"""CQL2 (21-065r2), annex A, by HTTP: a test for each abstract test that needs no data set of others.

What each expression gives is proved against an oracle in tests/layers/query/test_filter.py; here it is that what the
abstract tests send is taken, in both languages, and that their sets are as they say.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

import orjson
import pytest
from starlette.testclient import TestClient

from layers.collections.queryables import Queryable
from layers.query.cql2_text import parse
from layers.snapshot.snapshot import Snapshot
from tests.api.feature_client import problem

VALUES = {"text": "'foo'", "boolean": "true", "number": "3.14", "integer": "1", "date": "DATE('2022-04-14')"}


def found(client: TestClient, text: str, collection: str = "strikes") -> frozenset[str]:
    """Ids that a filter selects, the same in both languages."""
    path, told = f"/collections/{collection}/items", {"limit": 10_000, "skipGeometry": "true", "properties": ""}
    tree = orjson.dumps(parse(text)).decode()
    answers = []
    for query in ({"filter": text}, {"filter": tree, "filter-lang": "cql2-json"}):
        answer = client.get(path, params={**told, **query})
        assert answer.status_code == 200, (text, answer.text)
        answers.append(frozenset(feature["id"] for feature in answer.json()["features"]))
    assert answers[0] == answers[1]
    return answers[0]


def known(snapshot: Snapshot, *kinds: str) -> Iterable[tuple[str, Queryable]]:
    """Queryables of some kinds: those of strikes, and the one of attributions that is true or false."""
    for collection, own in (("strikes", set(kinds)), ("attributions", {"boolean"} & set(kinds))):
        for queryable in snapshot.collections[collection].queryables.values():
            if queryable.kind in own:
                yield collection, queryable


def quoted(queryable: Queryable) -> str:
    return f'"{queryable.name}"'


def logical(client: TestClient, predicates: list[str]) -> None:
    """Ten random combinations of four (the tests named "logical")."""
    chance = random.Random(1)
    for _ in range(10):
        p1, p2, p3, p4 = chance.choices(predicates, k=4)
        found(client, f"((NOT ({p1}) AND ({p2})) OR (({p3}) and NOT ({p4})) or not (({p1}) AND ({p4})))")


# Text and JSON.


def test_cql2_text_validate(client: TestClient) -> None:
    assert found(client, "n_sources > 1 AND NOT (status = 'draft' OR uncertainty_m IS NULL)")
    for bad in ("n_sources >", "n_sources > 1 AND", "(n_sources > 1", "n_sources LIKE", "1 = = 1"):
        problem(client, f"/collections/strikes/items?filter={bad}", 400)


def test_cql2_text_escaping(client: TestClient) -> None:
    assert found(client, "title <> 'it''s'") == found(client, r"title <> 'it\'s'")
    assert found(client, '"when" IS NOT NULL') == found(client, "\"when\" <> ''")


def test_cql2_json_validate(client: TestClient) -> None:
    path = "/collections/strikes/items?filter-lang=cql2-json&filter="
    for bad in ("{", "[]", '{"op":"="}', '{"op":"=","args":[{"property":"id"}]}', '{"op":"pg_sleep","args":[1]}', "1"):
        problem(client, path + bad, 400)


# Basic CQL2.


def test_cql2_basic_basic_test(client: TestClient) -> None:
    told = client.get("/collections/strikes/queryables").json()["properties"]
    assert {one.get("type") for one in told.values()} >= {"string", "number", "integer", "array"}


def comparisons(client: TestClient, collection: str, one: str, other: str) -> None:
    sets = {op: found(client, f"{one} {op} {other}", collection) for op in ("=", "<>", ">", "<=", "<", ">=")}
    assert not sets["="] & sets["<>"]
    assert not sets[">"] & sets["<="]
    assert not sets["<"] & sets[">="]


def test_cql2_basic_comparison(client: TestClient, snapshot: Snapshot) -> None:
    for collection, queryable in known(snapshot, *VALUES):
        comparisons(client, collection, quoted(queryable), VALUES[queryable.kind])


def test_cql2_basic_is_null(client: TestClient, snapshot: Snapshot) -> None:
    for collection, queryable in known(snapshot, *VALUES):
        null = found(client, f"{quoted(queryable)} IS NULL", collection)
        there = found(client, f"{quoted(queryable)} is not null", collection)
        assert not null & there
        assert len(null | there) == len(snapshot.collections[collection])


def test_cql2_basic_boolean(client: TestClient, snapshot: Snapshot) -> None:
    assert len(found(client, "true")) == len(snapshot.collections["strikes"])
    assert found(client, "false") == frozenset()


def test_cql2_basic_logical(client: TestClient) -> None:
    logical(
        client, ["n_sources > 1", "status = 'verified'", "uncertainty_m IS NULL", "day_first >= DATE('2025-01-01')"]
    )


# Advanced comparison operators.


def test_cql2_advanced_like(client: TestClient, snapshot: Snapshot) -> None:
    for collection, queryable in known(snapshot, "text"):
        name = quoted(queryable)
        some, none = found(client, f"{name} like '_%'", collection), found(client, f"{name} like ''", collection)
        assert not some & none
        every = found(client, f"{name} LIKE '%'", collection)
        assert every == found(client, f"{name} like '%%'", collection) == some | none
        found(client, rf"{name} like '\%\_'", collection)


def test_cql2_advanced_between(client: TestClient, snapshot: Snapshot) -> None:
    for collection, queryable in known(snapshot, "number", "integer"):
        between = found(client, f"{quoted(queryable)} BETWEEN 0 AND 100", collection)
        name = quoted(queryable)
        assert between == found(client, f"{name} >= 0 and {name} <= 100", collection)
        assert found(client, f"{name} between 100.0 and 1.0", collection) == frozenset()


def test_cql2_advanced_in(client: TestClient, snapshot: Snapshot) -> None:
    lists = {"number": "(1, 2, 3)", "integer": "(1, 2, 3)", "text": "('foo', 'bar')", "boolean": "(true)",
             "date": "(DATE('2022-04-14'), DATE('2022-04-15'))"}  # fmt: skip
    for collection, queryable in known(snapshot, *lists):
        name, values = quoted(queryable), lists[queryable.kind]
        within = found(client, f"{name} IN {values}", collection)
        outside = found(client, f"{name} NOT IN {values}", collection)
        assert not within & outside
        assert within | outside == found(client, f"{name} IS NOT NULL", collection)


def test_cql2_advanced_logical(client: TestClient) -> None:
    logical(
        client, ["title LIKE '%refinery%'", "n_sources BETWEEN 2 AND 3", "status IN ('verified')", "region IS NULL"]
    )


# Case and accents.


def test_cql2_case_casei(client: TestClient, snapshot: Snapshot) -> None:
    for collection, queryable in known(snapshot, "text"):
        name = quoted(queryable)
        same = found(client, f"CASEI({name}) = casei('foo')", collection)
        assert not same & found(client, f"CASEI({name}) <> casei('FOO')", collection)
    assert found(client, "CASEI(title) LIKE casei('%REFINERY%')") >= found(client, "title LIKE '%refinery%'") != set()


def test_cql2_case_casei_like(client: TestClient, snapshot: Snapshot) -> None:
    for collection, queryable in known(snapshot, "text"):
        name = quoted(queryable)
        lower = found(client, f"CASEI({name}) LIKE casei('foo%')", collection)
        assert lower == found(client, f"CASEI({name}) LIKE casei('FOO%')", collection)


def test_cql2_case_logical(client: TestClient) -> None:
    logical(client, ["CASEI(title) LIKE casei('%odesa%')", "CASEI(status) = casei('VERIFIED')", "n_sources = 1"])


def test_cql2_accent_accenti(client: TestClient, snapshot: Snapshot) -> None:
    for collection, queryable in known(snapshot, "text"):
        name = quoted(queryable)
        same = found(client, f"ACCENTI({name}) = accenti('äöüéáí')", collection)
        assert not same & found(client, f"ACCENTI({name}) <> accenti('aoueai')", collection)


def test_cql2_accent_accenti_like(client: TestClient, snapshot: Snapshot) -> None:
    for collection, queryable in known(snapshot, "text"):
        name = quoted(queryable)
        accented = found(client, f"ACCENTI({name}) LIKE accenti('Ä%')", collection)
        assert accented == found(client, f"ACCENTI({name}) LIKE accenti('A%')", collection)


def test_cql2_accent_accenti_casei(client: TestClient, snapshot: Snapshot) -> None:
    for collection, queryable in known(snapshot, "text"):
        name = f"ACCENTI(CASEI({quoted(queryable)}))"
        accented = found(client, f"{name} = accenti(casei('ÄÉ'))", collection)
        assert accented == found(client, f"{name} = accenti(casei('ae'))", collection)


def test_cql2_accent_accenti_casei_like(client: TestClient, snapshot: Snapshot) -> None:
    for collection, queryable in known(snapshot, "text"):
        name = f"ACCENTI(CASEI({quoted(queryable)}))"
        accented = found(client, f"{name} LIKE accenti(casei('Ä%'))", collection)
        assert accented == found(client, f"{name} LIKE accenti(casei('a%'))", collection)


# Spatial functions.

SHAPES = (
    "POINT(30.7 46.4)", "MULTIPOINT((30 46),(31 47))", "LINESTRING(28 45,40 50)",
    "MULTILINESTRING((28 45,40 50),(20 40,22 41))", "POLYGON((28 44,34 44,34 49,28 49,28 44))",
    "MULTIPOLYGON(((28 44,34 44,34 49,28 49,28 44)),((0 0,10 0,10 10,0 10,0 0)))",
    "GEOMETRYCOLLECTION(POINT(30.7 46.4),POLYGON((28 44,34 44,34 49,28 49,28 44)))", "BBOX(28,44,34,49)",
)  # fmt: skip


def test_cql2_basic_spatial_s_intersects(client: TestClient) -> None:
    box = found(client, "S_INTERSECTS(geometry, BBOX(28,44,34,49))")
    assert box == found(client, "S_INTERSECTS(geometry, POLYGON((28 44,34 44,34 49,28 49,28 44)))") != frozenset()
    found(client, "S_INTERSECTS(geometry, POINT(30.7 46.4))")
    for bad in ("BBOX(-180,-90,180,900)", "POINT(90 180)"):
        problem(client, f"/collections/strikes/items?filter=S_INTERSECTS(geometry,{bad})", 400)


def test_cql2_basic_spatial_logical(client: TestClient) -> None:
    logical(client, ["S_INTERSECTS(geometry, BBOX(28,44,34,49))", "S_INTERSECTS(geometry, BBOX(35,50,60,60))",
                     "n_sources > 1"])  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_cql2_basic_spatial_plus_s_intersects(client: TestClient, shape: str) -> None:
    for collection in ("strikes", "assets", "countries"):
        found(client, f"S_INTERSECTS(geometry, {shape})", collection)
    problem(client, "/collections/strikes/items?filter=S_INTERSECTS(geometry,MULTIPOINT(7.02 49.92, 90 180))", 400)


@pytest.mark.parametrize("shape", SHAPES)
def test_cql2_spatial_functions(client: TestClient, shape: str) -> None:
    """s_intersects, s_disjoint, s_equals, s_touches, s_crosses, s_within, s_contains and s_overlaps."""
    sets = {
        name: found(client, f"S_{name}(geometry, {shape})", "assets")
        for name in ("INTERSECTS", "DISJOINT", "EQUALS", "TOUCHES", "CROSSES", "WITHIN", "CONTAINS", "OVERLAPS")
    }
    assert not sets["INTERSECTS"] & sets["DISJOINT"]
    assert sets["INTERSECTS"] | sets["DISJOINT"] == found(client, "geometry IS NOT NULL", "assets")
    assert sets["EQUALS"] == sets["WITHIN"] & sets["CONTAINS"]
    for name in ("TOUCHES", "CROSSES", "WITHIN", "CONTAINS", "OVERLAPS"):
        assert sets[name] <= sets["INTERSECTS"]


# Temporal functions.


def test_cql2_temporal_functions(client: TestClient) -> None:
    """temporal-functions-1 and -2: every function, of dates and of intervals made of two."""
    day, span = "DATE('2025-06-01')", "INTERVAL('2025-01-01','2025-06-30')"
    for name in ("T_AFTER", "T_BEFORE", "T_DISJOINT", "T_EQUALS", "T_INTERSECTS"):
        for value in (day, span, "INTERVAL('..','2025-06-30')"):
            found(client, f"{name}(day_first, {value})")
    before, after = found(client, f"T_BEFORE(day_first, {day})"), found(client, f"T_AFTER(day_first, {day})")
    assert before
    assert after
    assert not before & after
    assert before == found(client, f"day_first < {day}")
    own = "INTERVAL(day_first, day_last)"
    names = ("T_CONTAINS", "T_DURING", "T_FINISHEDBY", "T_FINISHES", "T_MEETS", "T_METBY", "T_OVERLAPPEDBY",
             "T_OVERLAPS", "T_STARTEDBY", "T_STARTS", "T_INTERSECTS", "T_DISJOINT")  # fmt: skip
    sets = {name: found(client, f"{name}({own}, {span})") for name in names}
    assert not sets["T_INTERSECTS"] & sets["T_DISJOINT"]
    assert sets["T_DURING"]
    assert sets["T_DURING"] <= sets["T_INTERSECTS"]


def test_cql2_temporal_logical(client: TestClient) -> None:
    logical(
        client, ["T_BEFORE(day_first, DATE('2025-01-01'))", "T_AFTER(day_last, DATE('2024-06-01'))", "n_sources > 1"]
    )


# Arrays.


def test_cql2_array_predicates(client: TestClient, snapshot: Snapshot) -> None:
    for collection, queryable in known(snapshot, "list"):
        for name in ("A_CONTAINS", "A_CONTAINEDBY", "A_EQUALS", "A_OVERLAPS"):
            found(client, f"{name}({quoted(queryable)}, ('foo','bar'))", collection)
    az = found(client, "A_CONTAINS(owner_countries, ('AZ'))")
    assert az
    assert found(client, "A_CONTAINS(owner_countries, ('AZ','RU'))") <= az
    assert az <= found(client, "A_OVERLAPS(owner_countries, ('AZ','RU'))")


def test_cql2_array_logical(client: TestClient) -> None:
    logical(client, ["A_CONTAINS(owner_countries, ('AZ'))", "A_OVERLAPS(assets, ('a-orlivka'))", "n_sources > 1"])


# Properties and values on both sides; arithmetic.


def test_cql2_property_comparison_value_property(client: TestClient, snapshot: Snapshot) -> None:
    for collection, queryable in known(snapshot, *VALUES):
        comparisons(client, collection, VALUES[queryable.kind], quoted(queryable))


def test_cql2_property_comparison_property_property(client: TestClient, snapshot: Snapshot) -> None:
    for collection, queryable in known(snapshot, *VALUES):
        name = quoted(queryable)
        same = found(client, f"{name} = {name}", collection)
        assert same == found(client, f"{name} >= {name}", collection) == found(client, f"{name} <= {name}", collection)
        for op in ("<>", "<", ">"):
            assert found(client, f"{name} {op} {name}", collection) == frozenset()


def test_cql2_property_comparison_value_value(client: TestClient, snapshot: Snapshot) -> None:
    for value in (*VALUES.values(), "TIMESTAMP('2022-04-14T14:48:46Z')"):
        for op in ("=", ">=", "<="):
            assert len(found(client, f"{value} {op} {value}")) == len(snapshot.collections["strikes"])
        for op in ("<>", "<", ">"):
            assert found(client, f"{value} {op} {value}") == frozenset()


def test_cql2_property_logical(client: TestClient) -> None:
    logical(client, ["day_first = day_last", "killed_min < killed_max", "1 < n_sources", "'verified' = status"])


def test_cql2_arithmetic_arithmetic(client: TestClient) -> None:
    assert found(client, "n_sources = 1+1") == found(client, "n_sources*2 = 4") == found(client, "n_sources - 1 = 1")
    assert found(client, "uncertainty_m / 1000 > 1") == found(client, "uncertainty_m > 1000")
    for text in ("n_sources % 2 = 1", "n_sources div 2 = 1", "n_sources ^ 2 >= 4", "killed_max - killed_min > 0"):
        assert found(client, text) is not None
    assert found(client, "n_sources / 0 = 1") == frozenset()


def test_cql2_arithmetic_logical(client: TestClient) -> None:
    logical(client, ["n_sources + 1 > 2", "uncertainty_m / 1000 > 1", "killed_max * 2 >= 4", "n_sources % 2 = 1"])
