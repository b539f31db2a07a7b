"""How often a client gave wrong tokens, and how long it is to wait before the next one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from api.http.forwarded import client_network
from layers.model.cache import LruCache

#: Wrong tokens of one client that are answered as such; from the next one on it is told to wait.
FREE = 10
#: Seconds without a wrong token, or after the end of the wait, after which a client starts anew.
WINDOW_S = 60.0
#: The longest wait, in seconds.
LONGEST_S = 300
#: Clients that are remembered; the one that was heard of longest ago is forgotten first.
CLIENTS = 4096


class TooManyWrongTokens(PermissionError):
    """A client that gave too many wrong tokens; ``retry_after`` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many wrong tokens came from this address; wait {retry_after} s before the next one")
        self.retry_after = retry_after


@dataclass(slots=True)
class _Client:
    count: int = 0
    #: From when on it starts anew.
    forgiven: float = 0.0


class WrongTokens:
    """Counts wrong tokens by client: the wait doubles with each after the first `FREE`.

    A right token is never asked about here, and so never waits. Each worker counts by itself. Not for several threads.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, clients: int = CLIENTS) -> None:
        self._clock = clock
        self._clients: LruCache[_Client] = LruCache(clients)

    def add(self, address: str) -> None:
        """Count one wrong token of a client.

        Raises
        ------
        TooManyWrongTokens
            If it is to wait.
        """
        now = self._clock()
        client = self._clients.get_or_compute(client_network(address), _Client)
        if now >= client.forgiven:
            client.count = 0
        client.count += 1
        beyond = client.count - FREE
        wait = 0 if beyond <= 0 else min(2 ** min(beyond, 16), LONGEST_S)
        client.forgiven = now + wait + WINDOW_S
        if wait:
            raise TooManyWrongTokens(wait)
