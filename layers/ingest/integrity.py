"""Checks a set of records as a whole: references, sources, sums of stakes, locations and ownership loops."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta

import numpy as np
import shapely

from geo.spatial_join.join import pairs_within
from layers.decisions.identity import JUDGED, is_mixed
from layers.model import edtf
from layers.model.messages import Argument, Message, alternatives
from layers.model.problems import Problem, ReadResult, problem_of
from layers.model.records import REFERENCES, Asset, Records, Stake, Strike, references
from layers.ownership.stake_graph import FREE_FLOAT, StakeColumns
from layers.ownership.walk import TOLERANCE
from layers.reference.basemap import Basemap

#: The exclusive economic zone, 200 nautical miles (UN Convention on the Law of the Sea, art. 57): a location at sea may
#: belong to its stated country up to there.
SEA_M = 370_400.0

IntegrityProblem = tuple[str, str, str, Argument, Message]  # table, id, column, value, expected


def check(result: ReadResult, basemap: Basemap, stored: Records | None = None) -> tuple[Problem, ...]:
    """Return all problems of a read: those of the reader, and those of the records as a whole.

    References may lead to records that are ``stored`` already; these are not checked themselves.
    """
    records = result.records
    # References to records that could not be read are not reported as well; `Problem.record` holds type and id.
    unread = {problem.record.partition(" ")[2] for problem in result.problems if " " in problem.record}
    checks: Iterable[Callable[[], Iterator[IntegrityProblem]]] = (
        lambda: dangling(records, unread, stored),
        lambda: mixed_judgements(records),
        lambda: unsourced(records),
        lambda: overlapping(records),
        lambda: over_owned(records),
        lambda: misplaced(records, basemap),
        lambda: closed_loops(records),
    )
    problems = [problem_of(result.locations, *fault) for look in checks for fault in look()]
    return (*result.problems, *sorted(problems, key=lambda problem: (problem.file, problem.row or 0, problem.column)))


def dangling(records: Records, unread: set[str], stored: Records | None = None) -> Iterator[IntegrityProblem]:
    """Yield references to records that are neither among these nor stored."""
    record_sets = (records, stored) if stored else (records,)
    for table in REFERENCES:
        for record in records.table(table).values():
            for column, target, targets in references(table, record):
                is_there = any(target in record_set.table(name) for record_set in record_sets for name in targets)
                if target not in unread and not is_there:
                    yield table, record.id, column, target, id_in(targets)


def id_in(tables: Sequence[str]) -> Message:
    """Return what is expected of a reference: an id of a record in one of the tables that it may lead to."""
    return Message("integrity.id-in", {"tables": alternatives(tables)})


def mixed_judgements(records: Records) -> Iterator[IntegrityProblem]:
    """Yield judgements that compare a record with itself, or records of two tables."""
    for judgement in records.identities.values():
        if judgement.one == judgement.other:
            yield "identities", judgement.id, "other", judgement.other, Message("integrity.another-record")
        elif is_mixed(records, judgement):
            noun = next((table for table in JUDGED if judgement.one in records.table(table)), "strikes")
            expected = Message(f"integrity.{noun}-as-first")
            yield "identities", judgement.id, "other", judgement.other, expected


def unsourced(records: Records) -> Iterator[IntegrityProblem]:
    """Yield entities without a source whose registration is marked as checked."""
    for entity in records.entities.values():
        if entity.checked != "unverified" and not entity.sources:
            expected = Message("integrity.source", {"checked": entity.checked})
            yield "entities", entity.id, "sources", Message("value.none"), expected


def overlapping(records: Records) -> Iterator[IntegrityProblem]:
    """Yield pairs of stakes of one owner in one record that both certainly hold on some day."""
    by_pair: dict[tuple[str, str], list[Stake]] = {}
    for stake in records.stakes.values():
        by_pair.setdefault((stake.owned, stake.owner), []).append(stake)
    for stakes in by_pair.values():
        for index, stake in enumerate(stakes):
            for other in stakes[:index]:
                days = {date.min, date.max, *_change_days(stake), *_change_days(other)}
                if any(_holds(stake, day) and _holds(other, day) for day in days):
                    expected = Message("integrity.no-overlap", {"stake": other.id})
                    yield "stakes", stake.id, "since", str(stake.since), expected


def _holds(stake: Stake, day: date) -> bool:
    return edtf.valid_as_stated(stake.since, stake.until, day, day) == "yes"


def _change_days(stake: Stake) -> Iterator[date]:
    """Yield the days on which a stake certainly begins or ceases to hold."""
    for text in (stake.since, stake.until):
        if text:
            stated = edtf.parse(text)
            yield from (day for day in (stated.earliest, stated.latest) if day is not None)
    if stake.until and (last := edtf.parse(stake.until).earliest) and last > date.min:
        yield last - timedelta(days=1)


def over_owned(records: Records) -> Iterator[IntegrityProblem]:
    """Yield records of which known stakes make more than 100.5 percent on some day."""
    table = StakeColumns.of(records)
    reported: set[int] = set()
    for day in sorted({date.today(), *(day for stake in records.stakes.values() for day in _change_days(stake))}):
        graph = table.on(day, day)
        totals = np.bincount(graph.owned, graph.low, len(table.nodes))
        for node in np.flatnonzero(totals > 1 + TOLERANCE):
            if int(node) not in reported:
                reported.add(int(node))
                first = table.stakes[int(graph.row[graph.start[node]])]
                expected = Message("integrity.at-most-whole", {"owned": first.owned, "day": day.isoformat()})
                yield "stakes", first.id, "share_min", f"{100 * totals[node]:.2f}", expected


def misplaced(records: Records, basemap: Basemap) -> Iterator[IntegrityProblem]:
    """Yield locations in another country than stated, too far at sea for it, or on land without a stated country.

    Locations are points and geometries in lon/lat degrees (OGC:CRS84).
    """
    for table in ("strikes", "assets"):
        for record in records.table(table).values():
            assert isinstance(record, Strike | Asset)
            shape = record.geometry
            if not isinstance(shape, shapely.Point):
                continue
            country = basemap.country_at(shape.x, shape.y)
            stated = record.host_country
            reach = SEA_M + (record.uncertainty_m or 0.0)
            if country == stated or (stated and country is None and _is_near(shape, stated, reach, basemap)):
                continue
            if stated is None and (isinstance(record, Asset) or record.basis == "sea-area"):
                continue
            countries: dict[str, Argument] = {
                "stated": stated or Message("integrity.no-country"),
                "found": country or Message("value.no-one"),
            }
            yield table, record.id, "geometry", shape.wkt, Message("integrity.place", countries)


def _is_near(point: shapely.Point, stated: str, radius_m: float, basemap: Basemap) -> bool:
    """Whether any land of the stated country lies within a radius in metres of a point in lon/lat degrees."""
    rows = np.flatnonzero(basemap.countries.iso_a2 == stated)
    near = pairs_within(np.array([point], dtype=object), basemap.countries.shape[rows], radius_m)
    return len(near.left) > 0


def closed_loops(records: Records) -> Iterator[IntegrityProblem]:
    """Yield loops of entities that own each other wholly, so that no owner outside has a share."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names = sorted(records.entities)
    index = {name: row for row, name in enumerate(names)}
    stakes = [
        stake
        for stake in records.stakes.values()
        if stake.owned in index and stake.owner in index and stake.owner != FREE_FLOAT
    ]
    if not stakes:
        return
    owned = np.array([index[stake.owned] for stake in stakes])
    owner = np.array([index[stake.owner] for stake in stakes])
    graph = coo_array((np.ones(len(stakes)), (owned, owner)), shape=(len(names), len(names)))
    _, component = connected_components(graph, directed=True, connection="strong")
    for label in np.flatnonzero(np.bincount(component) > 1):
        members = np.flatnonzero(component == label)
        inside = np.isin(owned, members)
        leaves = (inside & (component[owner] != label)).any()
        sums = np.bincount(owned, [stake.share_min for stake in stakes], len(names))[members]
        if not leaves and sums.min() >= 100 * (1 - TOLERANCE):
            loop = Message("integrity.outside-owner", {"entities": tuple(names[member] for member in members)})
            first = next(stake for stake, o in zip(stakes, owned, strict=True) if o in members)
            yield "stakes", first.id, "owner", first.owner, loop
