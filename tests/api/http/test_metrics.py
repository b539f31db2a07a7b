"""What is counted is what was answered, adds up over workers, and stays small whatever is asked for."""

from __future__ import annotations

import copy
import multiprocessing
import os
from pathlib import Path

import orjson
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from starlette.types import Receive, Scope, Send

from api.app import create_app
from api.http.metrics import BUCKETS, RequestCounters, exposition, sum_counters
from api.http.request_log import RequestObserver
from api.server.served_version import CacheStats
from api.server.worker_status import Worker, WorkerSlot
from api.settings import Settings
from layers.store.store import Store
from tests.api.asgi import ask
from tests.conftest import BASEMAP
from tests.store_copies import opened_copy

Asked = tuple[str, str, int, int, float]
Sample = tuple[str, frozenset[tuple[str, str]]]


@pytest.fixture(scope="module")
def own_app(store: Store, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """An application that nobody else asks, of a store of its own: one of the tests writes to it."""
    store = opened_copy(store, tmp_path_factory.mktemp("counted") / "atlas.gpkg")
    return create_app(store, Settings(basemap=BASEMAP, follow_every_s=0))


def samples(app: FastAPI) -> dict[Sample, float]:
    """All that the metrics tell, read as Prometheus reads it."""
    answer = ask(app, "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["cache-control"] == "no-store"
    families = text_string_to_metric_families(answer.body.decode())
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def value(told: dict[Sample, float], name: str, **labels: str) -> float | None:
    return told.get((f"strikeatlas_{name}", frozenset(labels.items())))


class Since:
    """What was counted since this was made."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._before = samples(app)

    def __call__(self, name: str, **labels: str) -> float:
        return (value(samples(self._app), name, **labels) or 0) - (value(self._before, name, **labels) or 0)


def test_requests_are_counted_by_route_method_and_status(own_app: FastAPI) -> None:
    since = Since(own_app)
    ask(own_app, "/collections/strikes/items?limit=1")
    ask(own_app, "/collections/strikes/items?limit=x")
    ask(own_app, "/collections/assets/items?limit=1", method="HEAD")
    ask(own_app, "/tiles/strikes/0/0/0.mvt")
    ask(own_app, "/tiles/strikes/0/0/0.mvt", method="HEAD")
    ask(own_app, "/static/style.css")
    ask(own_app, "/nothing")
    ask(own_app, "/about", method="BREW")
    items, tile = "/collections/{collection}/items", "/tiles/{collection}/{z}/{x}/{y}.mvt"
    assert since("requests_total", route=items, method="GET", status="200") == 1
    assert since("requests_total", route=items, method="GET", status="400") == 1
    assert since("requests_total", route=items, method="HEAD", status="200") == 1
    assert since("requests_total", route=tile, method="GET", status="200") == 1
    assert since("requests_total", route=tile, method="HEAD", status="200") == 1
    assert since("requests_total", route="/static", method="GET", status="200") == 1
    assert since("requests_total", route="none", method="GET", status="404") == 1
    assert since("requests_total", route="/about", method="other", status="405") == 1


def test_bytes_are_those_sent_and_durations_are_counted_once_each(own_app: FastAPI) -> None:
    since = Since(own_app)
    coded = [ask(own_app, "/countries", {"accept-encoding": coding}) for coding in ("gzip", "identity")]
    ask(own_app, "/countries", method="HEAD")
    assert since("sent_bytes_total", route="/countries") == sum(len(answer.body) for answer in coded)
    assert since("request_seconds_count", route="/countries") == 3
    assert since("request_seconds_bucket", route="/countries", le="+Inf") == 3
    counts = [since("request_seconds_bucket", route="/countries", le=str(bound)) for bound in BUCKETS]
    assert counts == sorted(counts)
    assert since("request_seconds_sum", route="/countries") > 0


def test_tiles_are_told_apart_by_whether_they_were_kept(own_app: FastAPI) -> None:
    since = Since(own_app)
    for path in ("/tiles/strikes/1/1/0.mvt", "/tiles/strikes/1/1/0.mvt", "/tiles/assets/1/1/0.mvt"):
        ask(own_app, path)
    # By another address, as an equal request is answered whole from the cache.
    ask(own_app, "/collections/strikes/tiles/WebMercatorQuad/1/0/1")
    assert since("answers_cached_total") == 1
    assert (since("tiles_total", **{"from": "data"}), since("tiles_total", **{"from": "cache"})) == (2, 1)


def test_the_data_is_told_of(own_app: FastAPI) -> None:
    view, told = own_app.state.atlas.view, samples(own_app)
    assert value(told, "data_seq", worker="0") is None, "it would count private changes"
    assert value(told, "data_built_time_seconds", worker="0") == view.built
    assert 0 < (value(told, "data_build_seconds", worker="0") or 0) < 600
    assert value(told, "data_behind_seconds", worker="0") == 0
    assert value(told, "requests_at_work", worker="0") == 1, "the one that asks"
    for name, collection in view.snapshot.layers.items():
        assert value(told, "collection_rows", collection=name) == len(collection)


def test_a_change_that_cannot_be_shown_is_told_of(own_app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    atlas = own_app.state.atlas
    strike = next(iter(atlas.view.stored.strikes.values()))
    atlas.store.append("strikes", strike.model_copy(update={"id": "new-one", "dataset": "mine"}), author="tests")

    def fail(*args: object, **options: object) -> None:
        raise ValueError("a fault")

    with monkeypatch.context() as broken:
        broken.setattr("api.server.version_builder.SnapshotUpdate", fail)
        with pytest.raises(ValueError, match="a fault"):
            atlas.refresh()
        assert (value(samples(own_app), "data_behind_seconds", worker="0") or 0) > 0
    atlas.refresh()
    assert value(samples(own_app), "data_behind_seconds", worker="0") == 0


def test_nothing_that_a_client_thinks_of_becomes_a_label(own_app: FastAPI) -> None:
    before = len(samples(own_app))
    for n in range(30):
        ask(own_app, f"/nothing-{n}")
        ask(own_app, f"/collections/nothing-{n}/items")
        ask(own_app, f"/collections/strikes/items/nothing-{n}")
        ask(own_app, f"/tiles/strikes/{n}/{n}/{n}.mvt")
        ask(own_app, "/about", method=f"BREW{n}")
    after = samples(own_app)
    assert len(after) - before < 6 * (len(BUCKETS) + 6)
    assert not any(str(29) in label for _, labels in after for _, label in labels)


def test_a_failure_is_counted_and_so_is_a_client_that_went_away() -> None:
    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("secret")

    tally = RequestCounters()
    with pytest.raises(RuntimeError):
        ask(RequestObserver(fail, tally, None))
    assert tally.answers == {("GET", "none", 499): 1}


# Several workers.

counts = st.lists(
    st.tuples(
        st.sampled_from(["GET", "POST", "BREW"]),
        st.sampled_from(["/a", "/b"]),
        st.sampled_from([200, 404]),
        st.integers(0, 10**6),
        st.floats(0, 60),
    ),
    max_size=12,
)


@given(first=counts, second=counts)
def test_tallies_of_workers_add_up_to_the_tally_of_one(first: list[Asked], second: list[Asked]) -> None:
    one, two, all_of_it = RequestCounters(), RequestCounters(), RequestCounters()
    for tally, asked in ((one, first), (two, second), (all_of_it, first + second)):
        for each in asked:
            tally.add_answer(*each)
    told, expected = sum_counters([one.to_dict(), two.to_dict()]).to_dict(), all_of_it.to_dict()
    assert sorted(told["answers"]) == sorted(expected["answers"])
    for mine, other in zip(sorted(told["routes"]), sorted(expected["routes"]), strict=True):
        assert mine == [other[0], other[1], pytest.approx(other[2]), other[3]]


def worker_of(app: FastAPI, folder: Path) -> Worker:
    """Another worker of one server, with the same data and nothing counted."""
    atlas = copy.copy(app.state.atlas)
    atlas.counts = CacheStats()
    return Worker(atlas, folder, lambda: 0)


def told_by(worker: Worker) -> dict[Sample, float]:
    families = text_string_to_metric_families(exposition(worker.metrics()).decode())
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def countries(told: dict[Sample, float]) -> float | None:
    return value(told, "requests_total", route="/countries", method="GET", status="200")


def answer(worker: Worker, times: int = 1) -> None:
    for _ in range(times):
        worker.tally.add_answer("GET", "/countries", 200, 10, 0.1)


def test_whichever_worker_is_asked_tells_of_all(own_app: FastAPI, tmp_path: Path) -> None:
    first, second = worker_of(own_app, tmp_path), worker_of(own_app, tmp_path)
    answer(first)
    answer(second, 2)
    for worker in (first, second):
        worker.publish_state()
    for worker in (first, second):
        told = told_by(worker)
        assert countries(told) == 3
        assert value(told, "sent_bytes_total", route="/countries") == 30
        assert {value(told, "data_built_time_seconds", worker=place) for place in "01"} == {
            own_app.state.atlas.view.built
        }
        assert [(one["worker"], one["pid"]) for one in worker.living()] == [(0, os.getpid()), (1, os.getpid())]
    first.end()
    second.end()


def test_what_a_worker_counted_outlives_it_and_its_place_is_taken(own_app: FastAPI, tmp_path: Path) -> None:
    first, second = worker_of(own_app, tmp_path), worker_of(own_app, tmp_path)
    answer(first)
    first._atlas.counts.misses += 1
    first.end()
    told = told_by(second)
    assert countries(told) == 1
    assert value(told, "data_seq", worker="0") is None, "it lives no more"
    third = worker_of(own_app, tmp_path)
    assert third.number == 0
    answer(third)
    third.publish_state()
    for worker in (second, third):
        told = told_by(worker)
        assert countries(told) == 2
        assert value(told, "tiles_total", **{"from": "data"}) == 1
    second.end()
    third.end()


def _hold(folder: Path, ready: object, go: object) -> None:
    place = WorkerSlot(folder)
    place.publish_state({"worker": place.number, "pid": os.getpid()})
    ready.set()  # type: ignore[attr-defined]
    go.wait()  # type: ignore[attr-defined]


def test_a_place_is_free_as_soon_as_its_process_is_killed(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    ready, go = spawn.Event(), spawn.Event()
    process = spawn.Process(target=_hold, args=(tmp_path, ready, go))
    process.start()
    assert ready.wait(30)
    mine = WorkerSlot(tmp_path)
    assert mine.number == 1
    assert [(state["pid"], lives) for state, lives in mine.others()] == [(process.pid, True)]
    process.kill()
    process.join()
    assert [(state["pid"], lives) for state, lives in mine.others()] == [(process.pid, False)]
    other = WorkerSlot(tmp_path)
    assert other.number == 0
    assert other.before == {"worker": 0, "pid": process.pid}
    mine.leave()
    other.leave()


# Health.


def test_health_tells_of_the_data_and_of_each_worker(own_app: FastAPI) -> None:
    answer, view = ask(own_app, "/health"), own_app.state.atlas.view
    told = orjson.loads(answer.body)
    assert (answer.status, told["live"], told["ready"]) == (200, True, True)
    (one,) = told["workers"]
    assert (one["worker"], one["pid"], one["history"]) == (0, os.getpid(), view.head.digits)
    assert one["changed"] == f"{view.changed:%Y-%m-%dT%H:%M:%SZ}"
    assert 0 <= one["built_s_ago"] < 600
    assert one["fault"] is None
    assert answer.headers["cache-control"] == "no-store"
    assert orjson.loads(ask(own_app, "/health/live").body) == {"live": True}


def test_who_has_too_much_to_do_is_live_but_not_ready(store: Store) -> None:
    app = create_app(store, Settings(basemap=BASEMAP, follow_every_s=0, at_work_max=0))
    assert ask(app, "/about").status == 503
    assert ask(app, "/health").status == 503
    assert b'"live":true,"ready":false' in ask(app, "/health").body
    assert ask(app, "/health/live").status == 200
    assert ask(app, "/metrics").status == 200
