"""Reviewers, who may write, with a token each. A file that only its owner reads stores the digests of the tokens."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from pathlib import Path

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from layers.atomic_file import write_file


class NotAllowed(PermissionError):
    """A request without the token of a reviewer."""


class ReviewersError(ValueError):
    """A file of reviewers that cannot be read, or a name that is taken or unknown."""


class Reviewer(BaseModel):
    """A person who may decide and edit; ``digest`` is the SHA-256 of their token, in hexadecimal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=120)
    digest: str = Field(pattern="^[0-9a-f]{64}$")


_FILE = TypeAdapter(tuple[Reviewer, ...])


def read_reviewers(path: Path) -> tuple[Reviewer, ...]:
    """Read the reviewers of a file; a missing file has none.

    Raises
    ------
    ReviewersError
        If the file is no list of reviewers.
    """
    try:
        return _FILE.validate_json(path.read_bytes())
    except FileNotFoundError:
        return ()
    except (ValidationError, OSError) as error:
        raise ReviewersError(f"{path} is no list of reviewers") from error


def add_reviewer(path: Path, name: str) -> str:
    """Add a reviewer and return their token, which cannot be read from the file afterwards.

    Raises
    ------
    ReviewersError
        If the name is taken, empty or too long, or the file cannot be read.
    """
    reviewers = read_reviewers(path)
    if any(reviewer.name == name for reviewer in reviewers):
        raise ReviewersError(f"there is a reviewer {name!r}; remove them first to give them another token")
    token = secrets.token_urlsafe(32)
    try:
        added = Reviewer(name=name.strip(), digest=_digest(token))
    except ValidationError as error:
        raise ReviewersError("a name of 1 to 120 letters expected") from error
    _write(path, (*reviewers, added))
    return token


def remove_reviewer(path: Path, name: str) -> None:
    """Remove a reviewer with their token; their decisions stay.

    Raises
    ------
    ReviewersError
        If no reviewer has the name, or the file cannot be read.
    """
    reviewers = read_reviewers(path)
    rest = tuple(reviewer for reviewer in reviewers if reviewer.name != name)
    if len(rest) == len(reviewers):
        raise ReviewersError(f"no reviewer {name!r}")
    _write(path, rest)


def authenticate(reviewers: Iterable[Reviewer], authorization: str | None) -> str:
    """Return the name of the reviewer whose token an Authorization header has (RFC 6750, 2.1).

    Raises
    ------
    NotAllowed
        If the header has no bearer token, or that of no reviewer.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAllowed("a reviewer's token is needed: Authorization: Bearer TOKEN")
    digest = _digest(token.strip())
    names = [reviewer.name for reviewer in reviewers if hmac.compare_digest(reviewer.digest, digest)]
    if not names:
        raise NotAllowed("no reviewer has this token")
    return names[0]


def _digest(token: str) -> str:
    # A token of 32 random bytes cannot be guessed, so that a slow hash would add nothing.
    return hashlib.sha256(token.encode()).hexdigest()


def _write(path: Path, reviewers: tuple[Reviewer, ...]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = orjson.dumps([reviewer.model_dump() for reviewer in reviewers], option=orjson.OPT_INDENT_2) + b"\n"
    write_file(path, content, mode=0o600)
