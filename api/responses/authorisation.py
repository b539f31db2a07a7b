"""Whether the person who sends a request may: their token, their role, and how often a client gave wrong tokens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import Request

from api.http.wrong_tokens import WrongTokens
from api.requests import reviewer_tokens
from api.requests.reviewer_tokens import InsufficientRole, Reviewer, UnknownToken
from api.requests.roles import Role, role_for
from api.server.served_version import ServedVersion
from layers.model.records import Record
from layers.snapshot.disclosure import lifted_by_write


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

    def require_may_lift(self, view: ServedVersion, table: str, key: str, record: Record | None) -> None:
        """Refuse a write after which the policy would withhold less than before, by whoever may not publish.

        Parameters
        ----------
        key, record
            The record that is written, and its id; ``None`` where it is removed.

        Raises
        ------
        InsufficientRole
            If it would; the error says which rules.
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

        Raises
        ------
        ReadOnlyStore
            If the route writes, and nobody may.
        NotAllowed
            If the token is missing, that of no reviewer, or expired.
        InsufficientRole
            If the reviewer has none of the roles.
        TooManyWrongTokens
            If the token is wrong, and others from the same address were.
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
