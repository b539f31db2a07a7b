"""What is counted, and how it is told to Prometheus. Each worker counts for itself; whoever is asked adds them up."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

#: Upper bounds, in seconds, of the durations that are counted together; the last is open.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
#: Methods by name; anything else a client may think of is counted as one.
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

_Buckets = list[int]


@dataclass(slots=True)
class Route:
    """What one route answered: durations by bucket, their sum in seconds, and bytes sent."""

    buckets: _Buckets = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0
    size: int = 0


class Tally:
    """The counts of one worker since it began, or since the first of those whose place it took."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str, int], int] = {}
        self.routes: dict[str, Route] = {}
        self.tiles_kept = 0
        self.tiles_made = 0

    def answered(self, method: str, route: str, status: int, size: int, seconds: float) -> None:
        """Count one request."""
        key = (method if method in METHODS else "other", route, status)
        self.answers[key] = self.answers.get(key, 0) + 1
        counts = self.routes.get(route)
        if counts is None:
            counts = self.routes[route] = Route()
        counts.buckets[bisect_left(BUCKETS, seconds)] += 1
        counts.seconds += seconds
        counts.size += size

    def told(self) -> dict[str, Any]:
        """All of it as plain lists, to be written down."""
        return {
            "answers": [[*key, count] for key, count in self.answers.items()],
            "routes": [[name, one.buckets, one.seconds, one.size] for name, one in self.routes.items()],
            "tiles": [self.tiles_kept, self.tiles_made],
        }

    def add(self, told: Mapping[str, Any]) -> None:
        """Add what another tally, or an earlier one, told."""
        for method, route, status, count in told["answers"]:
            key = (method, route, status)
            self.answers[key] = self.answers.get(key, 0) + count
        for name, buckets, seconds, size in told["routes"]:
            counts = self.routes.setdefault(name, Route())
            counts.buckets = [mine + other for mine, other in zip(counts.buckets, buckets, strict=True)]
            counts.seconds += seconds
            counts.size += size
        kept, made = told["tiles"]
        self.tiles_kept += kept
        self.tiles_made += made


@dataclass(frozen=True, eq=False)
class Told(Collector):
    """One moment, as Prometheus wants it: the sum of all tallies, the state of each worker, rows by collection."""

    tally: Tally
    workers: Sequence[Mapping[str, Any]]
    rows: Mapping[str, int]

    def collect(self) -> Iterator[Metric]:
        """Each metric with its samples. Labels are routes, methods, statuses, collections and places of workers."""
        yield from self._requests()
        yield _counter(
            "strikeatlas_tiles",
            "Vector tiles answered, kept from before or made anew.",
            "from",
            {"cache": self.tally.tiles_kept, "data": self.tally.tiles_made},
        )
        yield _gauge("strikeatlas_collection_rows", "Features of a collection.", "collection", self.rows)
        for name, doc, key in _OF_WORKERS:
            yield _gauge(name, doc, "worker", {str(one["worker"]): one[key] for one in self.workers})

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


#: Gauges of each worker: name, what it tells, and where it stands in the state of a worker.
_OF_WORKERS = (
    ("strikeatlas_data_seq", "Number of the change that the worker serves.", "seq"),
    ("strikeatlas_data_built_time_seconds", "When the worker built what it serves, Unix time.", "built"),
    ("strikeatlas_data_build_seconds", "How long the worker took to build what it serves.", "build_s"),
    ("strikeatlas_data_behind_seconds", "For how long there is a change that the worker does not serve.", "behind_s"),
    ("strikeatlas_requests_at_work", "Requests that the worker is at work on.", "at_work"),
)


def _counter(name: str, doc: str, label: str, values: Mapping[str, float]) -> Metric:
    return _labelled(CounterMetricFamily(name, doc, labels=(label,)), values)


def _gauge(name: str, doc: str, label: str, values: Mapping[str, float]) -> Metric:
    return _labelled(GaugeMetricFamily(name, doc, labels=(label,)), values)


def _labelled(family: CounterMetricFamily | GaugeMetricFamily, values: Mapping[str, float]) -> Metric:
    for value, number in values.items():
        family.add_metric((value,), number)
    return family


def text(told: Told) -> bytes:
    """The metrics as Prometheus reads them (text format 0.0.4)."""
    registry = CollectorRegistry()
    registry.register(told)
    return generate_latest(registry)


def added(tallies: Iterable[Mapping[str, Any]]) -> Tally:
    """The sum of what tallies told."""
    whole = Tally()
    for one in tallies:
        whole.add(one)
    return whole
