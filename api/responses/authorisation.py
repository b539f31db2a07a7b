"""Whether the person who sends a request may: their token, their role, and how often a client gave wrong tokens."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import Request

from api.http.forwarded import client_network
from api.requests import reviewer_tokens
from api.requests.reviewer_tokens import InsufficientRole, Reviewer, Role, UnknownToken, role_for
from api.server.served_version import ServedVersion
from layers.model.cache import LruCache
from layers.model.records import Record, Records
from layers.snapshot.disclosure import lifted_by_write

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

        Raises TooManyWrongTokens if it is to wait.
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


@dataclass(frozen=True, slots=True)
class Author:
    """The reviewer who sends a request, and the role by which it is allowed."""

    reviewer: Reviewer
    role: Role

    @property
    def name(self) -> str:
        """Name in decisions, history and audit trail."""
        return self.reviewer.name

    def may(self, *needed: Role) -> bool:
        """Whether they have one of some roles."""
        return role_for(self.reviewer.roles, needed) is not None

    def may_know(self, view: ServedVersion) -> Records:
        """Return the records that they may know of."""
        return view.stored if self.may("read-private") else view.disclosure.records

    def require_may_lift(self, view: ServedVersion, table: str, key: str, record: Record | None) -> None:
        """Refuse a write after which the policy would withhold less than before, by whoever may not publish.

        Raises InsufficientRole if it would; the error says which rules.

        ``key`` and ``record``: the record that is written, and its id; ``None`` where it is removed.
        """
        if not self.may("publish"):
            lifted = lifted_by_write(view.stored, view.disclosure, table, key, record, datetime.now(UTC))
            if lifted:
                raise InsufficientRole(("publish",), f"the write would lift {' and '.join(lifted)}, see /policy")


def allowed(*needed: Role, writes: bool = False) -> Callable[[Request], Awaitable[Author]]:
    """Make the dependency of a route that needs one of some roles, and where it writes a store that may be written to.

    It runs in the loop: a wrong token holds no thread, and a right one is looked up before wrong ones are counted.
    """

    async def author(request: Request) -> Author:
        """Return who sends the request.

        Raises ReadOnlyStore if the route writes, and nobody may; NotAllowed if the token is missing, that of no
        reviewer, or expired; InsufficientRole if the reviewer has none of the roles; TooManyWrongTokens if the token is
        wrong, and others from the same address were.
        """
        if writes:
            request.app.state.atlas.store.require_writable()
        known = reviewer_tokens.read_reviewers(request.app.state.settings.reviewers)
        try:
            reviewer = reviewer_tokens.authenticate(known, request.headers.get("authorization"))
        except UnknownToken:
            wrong: WrongTokens = request.app.state.wrong_tokens
            wrong.add("" if request.client is None else request.client.host)
            raise
        return Author(reviewer, reviewer_tokens.require_role(reviewer, *needed))

    return author
