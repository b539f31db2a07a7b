"""Wrong tokens of one client: answered at first, then with a wait that doubles, and forgiven after a while."""

from __future__ import annotations

import pytest

from api.responses.authorisation import CLIENTS, FREE, LONGEST_S, WINDOW_S, TooManyWrongTokens, WrongTokens


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def waits(wrong: WrongTokens, address: str, count: int) -> list[int]:
    found = []
    for _ in range(count):
        try:
            wrong.add(address)
            found.append(0)
        except TooManyWrongTokens as error:
            found.append(error.retry_after)
    return found


def test_the_wait_doubles_up_to_the_longest() -> None:
    wrong = WrongTokens(Clock())
    assert waits(wrong, "192.0.2.1", FREE) == [0] * FREE
    assert waits(wrong, "192.0.2.1", 10) == [2, 4, 8, 16, 32, 64, 128, 256, LONGEST_S, LONGEST_S]
    assert waits(wrong, "192.0.2.2", 1) == [0]


def test_a_client_that_waits_and_stays_quiet_starts_anew() -> None:
    clock = Clock()
    wrong = WrongTokens(clock)
    assert waits(wrong, "192.0.2.1", FREE + 2)[-1] == 4
    clock.now += 4
    assert waits(wrong, "192.0.2.1", 1) == [8]
    clock.now += 8 + WINDOW_S
    assert waits(wrong, "192.0.2.1", 1) == [0]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1:2:3", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("testclient", "testclient", True),
    ],
)
def test_addresses_that_one_client_can_choose_from_count_as_one(one: str, other: str, same: bool) -> None:
    wrong = WrongTokens(Clock())
    waits(wrong, one, FREE)
    assert waits(wrong, other, 1) == [2 if same else 0]


def test_no_more_clients_are_remembered_than_a_bound() -> None:
    wrong = WrongTokens(Clock(), clients=10)
    for number in range(1000):
        waits(wrong, f"198.51.{number // 256}.{number % 256}", 1)
    assert len(wrong._clients) == 10
    assert CLIENTS <= 10_000
