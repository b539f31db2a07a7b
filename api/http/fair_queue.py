"""Which client's work comes next, so that each has its share. Knows no request and no thread.

Self-clocked fair queueing (Golestani 1994, doi:10.1109/INFCOM.1994.337677): each client has a bill, the next item of a
client would bring it to a total, and the smallest total is served. That total is the time of the queue, at which
clients that come anew begin, so that nobody owes for the past or has saved up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")

#: Least cost of an item: time would stand still with items that cost nothing.
LEAST_COST = 1e-3


class QueueFull(Exception):
    """A client that lets as much wait as it may."""


@dataclass(slots=True, eq=False)
class _Bill(Generic[Item]):
    """What a client has had, and its items that wait with what each is expected to cost."""

    total: float
    arrived: int = 0
    items: deque[tuple[Item, float]] = field(default_factory=deque)

    def next(self) -> tuple[float, int]:
        """Return the total after the next item; of equal ones the client that came first is served."""
        return self.total + self.items[0][1], self.arrived


class FairQueue(Generic[Item]):
    """Items that wait, by client; those of one client keep their order.

    Where all cost the same, a client that comes is served after at most two items of each other client that waits.

    ``waiting_max``: most items of one client that may wait.
    """

    def __init__(self, waiting_max: int) -> None:
        self._waiting_max = waiting_max
        self._bills: dict[Hashable, _Bill[Item]] = {}
        self._time = 0.0
        self._arrivals = self._size = 0

    def __len__(self) -> int:
        return self._size

    def push(self, client: Hashable, item: Item, cost: float) -> None:
        """Let an item wait, which is expected to cost so much.

        Raises QueueFull if the client may let no more wait.
        """
        bill = self._bills.setdefault(client, _Bill(self._time))
        if len(bill.items) >= self._waiting_max:
            raise QueueFull(f"at most {self._waiting_max} of one client wait")
        if not bill.items:
            self._arrivals += 1
            bill.total, bill.arrived = max(bill.total, self._time), self._arrivals
        bill.items.append((item, max(cost, LEAST_COST)))
        self._size += 1

    def pop(self, passed_over: Container[Hashable] = ()) -> Item | None:
        """Take the item that is next, and charge its client what it is expected to cost; ``None`` where none waits.

        Items of clients that are passed over wait on.
        """
        waiting = [bill for name, bill in self._bills.items() if bill.items and name not in passed_over]
        if not waiting:
            return None
        chosen = min(waiting, key=_Bill.next)
        item, cost = chosen.items.popleft()
        chosen.total += cost
        self._time = max(self._time, chosen.total)
        self._size -= 1
        self._settle()
        return item

    def charge(self, client: Hashable, more: float) -> None:
        """Charge a client for an item that cost more than was expected."""
        if (bill := self._bills.get(client)) is not None:
            bill.total += max(more, 0.0)

    def discard(self, client: Hashable, item: Item) -> None:
        """Remove an item that is not wanted any more; one that does not wait is left."""
        if (bill := self._bills.get(client)) is not None:
            rest = deque(waiting for waiting in bill.items if waiting[0] is not item)
            self._size -= len(bill.items) - len(rest)
            bill.items = rest
            self._settle()

    def _settle(self) -> None:
        """Forget clients without items that owe nothing; where nothing waits nobody owes."""
        owing = self._time if self._size else float("inf")
        for client in [name for name, bill in self._bills.items() if not bill.items and bill.total <= owing]:
            del self._bills[client]
