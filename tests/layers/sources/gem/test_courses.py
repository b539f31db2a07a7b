"""Pipelines without numbers have that of the one route with the same corners; shares over 100 become bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from layers.model.problems import Problem, SourceLocation
from layers.sources.gem.record_builder import Route, course_of, source_of
from layers.sources.gem.trackers import parse_tables

HEADER = ("project", "unit", "type", "parent", "countries", "status", "route", "url")
FIRST, SECOND, THIRD = "50,30:50.5,30.5:51,31", "10,20:11,21", "1,2:3,4"


class Table:
    """A table of an oil file, which has no numbers."""

    file, header = "oil.csv", HEADER

    def __init__(self, *rows: Sequence[str]) -> None:
        self.rows = rows
        self.problems: list[Problem] = []

    def __iter__(self):  # type: ignore[no-untyped-def]
        yield from ((line, dict(zip(HEADER, row, strict=True))) for line, row in enumerate(self.rows, 2))


def row(name: str, route: str, owners: str = "A [100.00%]") -> tuple[str, ...]:
    return (name, "", "oil_pipelines", owners, "Ukraine", "operating", route, f"https://www.gem.wiki/{name}")


def routes(**courses: str) -> Mapping[str, Sequence[Route]]:
    source = source_of("routes-2026-04-07.geojson")
    return {number: [Route(text, source, SourceLocation("routes", 1))] for number, text in courses.items()}


def ids(*rows: Sequence[str], **courses: str) -> list[str]:
    return list(parse_tables([Table(*rows)], routes=routes(**courses)).records.assets)


def test_a_pipeline_has_the_number_of_the_route_with_its_corners() -> None:
    found = ids(row("One", FIRST), row("Two", SECOND), P0001="LINESTRING (30 50, 30.5 50.5, 31 51)")
    assert found[0] == "gem/p0001"
    assert found[1].startswith("gem/unit/two-")


def test_whichever_end_a_course_begins_with_it_is_the_same() -> None:
    assert course_of(FIRST) == course_of("LINESTRING (31 51, 30.5 50.5, 30 50)") != course_of(SECOND)


@pytest.mark.parametrize("text", ["", "POINT (30 50)", "50,30", "no route at all"])
def test_what_is_no_line_has_no_course(text: str) -> None:
    assert course_of(text) == ""


def test_two_pipelines_of_one_course_or_two_routes_of_one_get_no_number() -> None:
    both = "LINESTRING (30 50, 30.5 50.5, 31 51)"
    assert all(key.startswith("gem/unit/") for key in ids(row("One", FIRST), row("Two", FIRST), P0001=both))
    assert all(key.startswith("gem/unit/") for key in ids(row("One", FIRST), P0001=both, P0002=both))


def test_shares_that_make_more_than_100_are_bounds_and_a_problem() -> None:
    reading = parse_tables([Table(row("One", FIRST, "A [51.00%]; B [60.00%]; C [10.00%]"))])
    shares = {stake.owner: (stake.share_min, stake.share_max) for stake in reading.records.stakes.values()}
    assert shares == {"gem/name/a": (30.0, 51.0), "gem/name/b": (39.0, 60.0), "gem/name/c": (0.0, 10.0)}
    assert [problem.expected.code for problem in reading.problems] == ["gem.shares-over"]
    notes = [stake.note or "" for stake in reading.records.stakes.values()]
    assert all("make more than 100 %" in note for note in notes)
