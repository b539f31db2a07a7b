"""Roles of reviewers, and what each allows: one table for requests, the API definition, the command line and docs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal, get_args

Role = Literal["read-private", "edit", "review", "publish", "admin"]

#: What each role allows.
ROLES: Mapping[Role, str] = MappingProxyType(
    {
        "read-private": "Reads the review queue and its cases, with records that are not published.",
        "edit": "Adds, replaces, changes and removes strikes; private ones only together with read-private.",
        "review": "Reads the review queue and its cases, and decides on strikes.",
        "publish": "Together with edit and read-private, makes a private strike public.",
        "admin": "All that the other roles allow.",
    }
)
#: Roles of a reviewer for whom none are named, and of those who were added before there were roles.
DEFAULT_ROLES: tuple[Role, ...] = ("read-private", "edit", "review")
_ALL: tuple[Role, ...] = ("admin",)
#: Roles that each allow to read the review queue and its cases.
REVIEW_READERS: tuple[Role, ...] = ("read-private", "review")


class UnknownRole(ValueError):
    """A word that is no role."""


def parse_roles(words: Iterable[str]) -> tuple[Role, ...]:
    """Read words as roles: each once, in the order of `ROLES`.

    Raises
    ------
    UnknownRole
        With every word that is no role.
    """
    given = set(words)
    if unknown := sorted(given - set(get_args(Role))):
        raise UnknownRole(f"{', '.join(map(repr, unknown))}: expected one of {', '.join(ROLES)}")
    return tuple(role for role in ROLES if role in given)


def role_for(held: Iterable[Role], needed: Iterable[Role]) -> Role | None:
    """Return the held role by which a request is allowed that needs one of some roles; ``None`` where it is not.

    ``admin`` allows all, and is only named where no other role does.
    """
    roles = set(held)
    return next((role for role in (*needed, *_ALL) if role in roles), None)
