"""Counters of requests and their Prometheus text. Each worker counts its own; the worker that answers adds them up."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

#: Upper bounds in seconds of the buckets of durations; a last bucket is open.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
#: Methods that are counted by name; all others are counted together.
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

_Buckets = list[int]


@dataclass(slots=True)
class RouteCounters:
    """Counters of a route: durations by bucket, their sum in seconds, and bytes sent."""

    buckets: _Buckets = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0
    size: int = 0


class RequestCounters:
    """Counters of a worker since it started, or since the first of the workers that it replaces started."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str, int], int] = {}
        self.routes: dict[str, RouteCounters] = {}
        self.tiles_cached = 0
        self.tiles_encoded = 0
        #: Answers that were sent whole from the cache.
        self.answers_cached = 0

    def add_answer(self, method: str, route: str, status: int, size: int, seconds: float) -> None:
        """Count a request."""
        key = (method if method in METHODS else "other", route, status)
        self.answers[key] = self.answers.get(key, 0) + 1
        counts = self.routes.get(route)
        if counts is None:
            counts = self.routes[route] = RouteCounters()
        counts.buckets[bisect_left(BUCKETS, seconds)] += 1
        counts.seconds += seconds
        counts.size += size

    def to_dict(self) -> dict[str, Any]:
        """Return all counters as lists of JSON values, to be written to a file."""
        return {
            "answers": [[*key, count] for key, count in self.answers.items()],
            "routes": [[name, counts.buckets, counts.seconds, counts.size] for name, counts in self.routes.items()],
            "cached": [self.tiles_cached, self.tiles_encoded, self.answers_cached],
        }

    def add(self, written: Mapping[str, Any]) -> None:
        """Add counters that were written by `to_dict`."""
        for method, route, status, count in written["answers"]:
            key = (method, route, status)
            self.answers[key] = self.answers.get(key, 0) + count
        for name, buckets, seconds, size in written["routes"]:
            counts = self.routes.setdefault(name, RouteCounters())
            counts.buckets = [own + added for own, added in zip(counts.buckets, buckets, strict=True)]
            counts.seconds += seconds
            counts.size += size
        cached, encoded, answers = written["cached"]
        self.tiles_cached += cached
        self.tiles_encoded += encoded
        self.answers_cached += answers


def sum_counters(written: Iterable[Mapping[str, Any]]) -> RequestCounters:
    """Add up counters that were written by `to_dict`."""
    total = RequestCounters()
    for counters in written:
        total.add(counters)
    return total


#: Gauges of each worker: name, help text, and key in the state of a worker.
_OF_WORKERS = (
    ("strikeatlas_data_built_time_seconds", "When the worker built what it serves, Unix time.", "built"),
    ("strikeatlas_data_build_seconds", "How long the worker took to build what it serves.", "build_s"),
    ("strikeatlas_data_behind_seconds", "For how long there is a change that the worker does not serve.", "behind_s"),
    ("strikeatlas_requests_at_work", "Requests that the worker is at work on.", "at_work"),
)


@dataclass(frozen=True, eq=False)
class MetricsSnapshot(Collector):
    """The metrics of one moment: counters of all workers added up, the state of each worker, rows by collection."""

    tally: RequestCounters
    workers: Sequence[Mapping[str, Any]]
    rows: Mapping[str, int]

    def collect(self) -> Iterator[Metric]:
        """Yield each metric with its samples, labelled by route, method, status, collection or number of a worker."""
        yield from self._requests()
        yield CounterMetricFamily(
            "strikeatlas_answers_cached", "Requests answered whole from the cache.", value=self.tally.answers_cached
        )
        about = "Tiles of answers that were not cached whole, kept from before or made anew."
        tiles = {"cache": self.tally.tiles_cached, "data": self.tally.tiles_encoded}
        yield _labelled(CounterMetricFamily("strikeatlas_tiles", about, labels=("from",)), tiles)
        rows = GaugeMetricFamily("strikeatlas_collection_rows", "Features of a collection.", labels=("collection",))
        yield _labelled(rows, self.rows)
        for name, doc, key in _OF_WORKERS:
            values = {str(worker["worker"]): worker[key] for worker in self.workers}
            yield _labelled(GaugeMetricFamily(name, doc, labels=("worker",)), values)
        about = "Whether a fault keeps the worker from serving what the store has: 1, else 0."
        faults = {str(worker["worker"]): float(worker["fault"] is not None) for worker in self.workers}
        yield _labelled(GaugeMetricFamily("strikeatlas_data_fault", about, labels=("worker",)), faults)

    def _requests(self) -> Iterator[Metric]:
        answers = CounterMetricFamily(
            "strikeatlas_requests", "Requests answered.", labels=("method", "route", "status")
        )
        for (method, route, status), count in sorted(self.tally.answers.items()):
            answers.add_metric((method, route, str(status)), count)
        yield answers
        seconds = HistogramMetricFamily(
            "strikeatlas_request_seconds", "Seconds until the last byte was handed over.", labels=("route",)
        )
        size = CounterMetricFamily("strikeatlas_sent_bytes", "Bytes of bodies, as sent.", labels=("route",))
        for route, counts in sorted(self.tally.routes.items()):
            bounds = [*map(str, BUCKETS), "+Inf"]
            seconds.add_metric(
                (route,), list(zip(bounds, accumulate(counts.buckets), strict=True)), sum_value=counts.seconds
            )
            size.add_metric((route,), counts.size)
        yield from (seconds, size)


def exposition(metrics: MetricsSnapshot) -> bytes:
    """Write metrics as Prometheus reads them (text format 0.0.4)."""
    registry = CollectorRegistry()
    registry.register(metrics)
    return generate_latest(registry)


def _labelled(family: CounterMetricFamily | GaugeMetricFamily, values: Mapping[str, float]) -> Metric:
    for value, number in values.items():
        family.add_metric((value,), number)
    return family
