"""Each client has its share of a queue, whatever the others send."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.fair_queue import FairQueue, QueueFull

COSTS = st.floats(0, 10)
CLIENTS = st.sampled_from("abcd")


def drained(queue: FairQueue[str]) -> list[str]:
    items = []
    while (item := queue.pop()) is not None:
        items.append(item)
    return items


@given(st.lists(st.tuples(CLIENTS, COSTS), max_size=40))
def test_each_item_comes_once_and_those_of_a_client_in_their_order(pushed: list[tuple[str, float]]) -> None:
    queue = FairQueue[str](100)
    for number, (client, cost) in enumerate(pushed):
        queue.push(client, f"{client}{number:03}", cost)
    assert len(queue) == len(pushed)
    items = drained(queue)
    assert sorted(items) == sorted(f"{client}{number:03}" for number, (client, _) in enumerate(pushed))
    for client in "abcd":
        own = [item for item in items if item[0] == client]
        assert own == sorted(own)
    assert len(queue) == 0


@given(st.lists(st.tuples(CLIENTS, st.integers(1, 30)), max_size=8), st.integers(0, 60))
def test_who_comes_is_served_after_two_of_each_other_at_most(crowd: list[tuple[str, int]], served: int) -> None:
    queue = FairQueue[str](1000)
    for client, count in crowd:
        for _ in range(count):
            queue.push(client, client, 1.0)
    for _ in range(served):
        queue.pop()
    queue.push("new", "new", 1.0)
    items = drained(queue)
    before = Counter(items[: items.index("new")])
    assert all(count <= 2 for count in before.values())


@given(st.integers(1, 50), st.floats(0.1, 5))
def test_a_stream_of_new_clients_does_not_hold_up_one_that_waits(backlog: int, cost: float) -> None:
    queue = FairQueue[str](1000)
    for _ in range(backlog):
        queue.push("old", "old", cost)
    queue.pop()
    waited = 0
    for number in range(1000):
        queue.push(f"new{number}", "new", cost)
        if queue.pop() == "old":
            break
        waited += 1
    assert backlog == 1 or waited <= 2


@given(st.lists(st.floats(0.5, 4), min_size=2, max_size=6))
def test_clients_that_always_have_work_get_equal_shares_of_cost(costs: list[float]) -> None:
    queue = FairQueue[int](10_000)
    for client, cost in enumerate(costs):
        for _ in range(1000):
            queue.push(client, client, cost)
    had = [0.0] * len(costs)
    for _ in range(200):
        client = queue.pop()
        assert client is not None
        had[client] += costs[client]
    assert max(had) - min(had) <= 2 * max(costs)


def test_what_an_item_cost_beyond_is_charged() -> None:
    queue = FairQueue[str](10)
    for _ in range(4):
        queue.push("dear", "dear", 1)
        queue.push("cheap", "cheap", 1)
    assert queue.pop() == "dear"
    queue.charge("dear", 2.5)
    assert [queue.pop() for _ in range(4)] == ["cheap", "cheap", "cheap", "cheap"]


def test_one_client_may_fill_its_own_queue_only() -> None:
    queue = FairQueue[str](2)
    queue.push("a", "1", 1)
    queue.push("a", "2", 1)
    with pytest.raises(QueueFull, match="2"):
        queue.push("a", "3", 1)
    queue.push("b", "4", 1)
    assert len(queue) == 3


def test_what_is_not_wanted_any_more_does_not_come() -> None:
    queue = FairQueue[str](10)
    first, second = "first", "second"
    queue.push("a", first, 1)
    queue.push("a", second, 1)
    queue.discard("a", first)
    queue.discard("a", "other")
    queue.discard("nobody", first)
    assert (len(queue), drained(queue)) == (1, [second])


def test_clients_that_are_gone_are_forgotten() -> None:
    queue = FairQueue[int](10)
    for number in range(1000):
        queue.push(number, number, 1)
        queue.pop()
        queue.charge(number, 5)
    assert len(queue._bills) == 0


def test_a_client_that_is_passed_over_waits_on() -> None:
    queue = FairQueue[str](10)
    for client in "aab":
        queue.push(client, client, 1)
    assert queue.pop({"a"}) == "b"
    assert queue.pop({"a"}) is None
    assert drained(queue) == ["a", "a"]
