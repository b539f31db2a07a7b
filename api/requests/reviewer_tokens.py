"""Who may write: reviewers with a token each. Only a digest of the token is kept, in a file that its owner reads."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Iterable
from pathlib import Path

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError


class NotAllowed(PermissionError):
    """A request without a token that a reviewer has."""


class ReviewersError(ValueError):
    """A file of reviewers that cannot be used, or a name that is taken or unknown."""


class Reviewer(BaseModel):
    """A person who may decide; ``digest`` is the SHA-256 of the token, in hexadecimal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=120)
    digest: str = Field(pattern="^[0-9a-f]{64}$")


_FILE = TypeAdapter(tuple[Reviewer, ...])


def read(path: Path) -> tuple[Reviewer, ...]:
    """Reviewers of a file; a missing file has none.

    Raises
    ------
    ReviewersError
        If the file is something else.
    """
    try:
        return _FILE.validate_json(path.read_bytes())
    except FileNotFoundError:
        return ()
    except (ValidationError, OSError) as error:
        raise ReviewersError(f"{path} is no list of reviewers") from error


def add(path: Path, name: str) -> str:
    """Add a reviewer and give the token, which is shown this once only.

    Raises
    ------
    ReviewersError
        If there is one of that name.
    """
    there = read(path)
    if any(reviewer.name == name for reviewer in there):
        raise ReviewersError(f"there is a reviewer {name!r}; remove them first to give them another token")
    token = secrets.token_urlsafe(32)
    try:
        added = Reviewer(name=name.strip(), digest=_digest(token))
    except ValidationError as error:
        raise ReviewersError("a name of 1 to 120 letters expected") from error
    _write(path, (*there, added))
    return token


def remove(path: Path, name: str) -> None:
    """Take a reviewer's token away; what they decided stays.

    Raises
    ------
    ReviewersError
        If there is none of that name.
    """
    there = read(path)
    rest = tuple(reviewer for reviewer in there if reviewer.name != name)
    if len(rest) == len(there):
        raise ReviewersError(f"no reviewer {name!r}")
    _write(path, rest)


def named(reviewers: Iterable[Reviewer], authorization: str | None) -> str:
    """Name of the reviewer whose token an Authorization header bears (RFC 6750, 2.1).

    Raises
    ------
    NotAllowed
        If there is no bearer token, or it is nobody's.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAllowed("a reviewer's token is needed: Authorization: Bearer TOKEN")
    digest = _digest(token.strip())
    found = [reviewer.name for reviewer in reviewers if hmac.compare_digest(reviewer.digest, digest)]
    if not found:
        raise NotAllowed("no reviewer has this token")
    return found[0]


def _digest(token: str) -> str:
    # A token of 32 random bytes cannot be guessed, so that a slow hash would add nothing.
    return hashlib.sha256(token.encode()).hexdigest()


def _write(path: Path, reviewers: tuple[Reviewer, ...]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=".reviewers-")  # readable by its owner alone
    with os.fdopen(handle, "wb") as file:
        file.write(orjson.dumps([one.model_dump() for one in reviewers], option=orjson.OPT_INDENT_2) + b"\n")
    Path(aside).replace(path)
