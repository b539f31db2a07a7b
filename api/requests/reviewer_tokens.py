"""Reviewers, who may write, with tokens and roles. A file that only its owner reads stores digests of the tokens."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from layers.filesystem.atomic_file import write_file
from layers.filesystem.file_lock import lock

MAX_LETTERS = 120
#: General categories (Unicode 15, table 4-4) of characters that show nothing, or that no program need know.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
#: Letters and marks that show nothing or a blank: Hangul fillers, blank Braille, joiners and selectors of variants.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5").union(
    *(map(chr, codes) for codes in (range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0)))
)


class InvalidName(ValueError):
    """A name that nobody may bear; the message says which character, and where."""


def display_name(text: str) -> str:
    """Return a name as it is stored and shown: in NFC, without space around it, with single spaces in it.

    Raises InvalidName if it is empty, too long, without a letter or digit, or has a character that cannot be seen or
    that passes for a space.
    """
    for at, character in enumerate(text, start=1):
        category = unicodedata.category(character)
        if category in _INVISIBLE or character in _BLANK or (category == "Zs" and character != " "):
            raise InvalidName(
                f"character {at} of the name is U+{ord(character):04X} ({unicodedata.name(character, category)}): "
                "expected letters that can be seen, with plain spaces between"
            )
    name = " ".join(part for part in unicodedata.normalize("NFC", text).split(" ") if part)
    if not 1 <= len(name) <= MAX_LETTERS or not any(character.isalnum() for character in name):
        raise InvalidName(f"expected a name of 1 to {MAX_LETTERS} letters, at least one of them a letter or digit")
    return name


def name_key(name: str) -> str:
    """Return what two names share that a reader may take for one: NFKC, case folded, single spaces.

    Folding can leave a text that is not normalised, and the other way round, so both are done twice.
    """
    key = name
    for _ in range(2):
        key = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", key).casefold())
    return " ".join(key.split())


Role = Literal["read-private", "edit", "review", "publish", "admin"]

#: What each role allows.
ROLES: Mapping[Role, str] = MappingProxyType(
    {
        "read-private": "Reads the review queue and its cases, with records that are not published.",
        "edit": "Adds, replaces, changes and removes strikes; private ones only together with read-private.",
        "review": "Reads the review queue and its cases, and decides on strikes.",
        "publish": "Together with read-private, makes single private strikes public, with the reason.",
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

    Raises UnknownRole with every word that is no role.
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


#: Version of the file; the first was a bare list of names with one digest each, and is still read.
FORMAT: Final = 2
#: How long the token before stays valid when a new one is given.
OVERLAP = timedelta(hours=24)


class NotAllowed(PermissionError):
    """A request without a valid token of a reviewer; ``error`` is the code of RFC 6750 (3.1), None without a token."""

    def __init__(self, message: str, error: str | None = None) -> None:
        super().__init__(message)
        self.error = error


class UnknownToken(NotAllowed):
    """A request with a token that no reviewer has or had."""


class InsufficientRole(PermissionError):
    """A reviewer without any of the roles that a request needs; ``why`` says what needs them, if not all of it."""

    def __init__(self, needed: tuple[Role, ...], why: str = "") -> None:
        super().__init__(f"the role {' or '.join(needed)} is needed{why and ': '}{why}")
        self.needed = needed


class ReviewersError(ValueError):
    """A file of reviewers that cannot be read, or a name that is invalid, taken or unknown."""


class TokenDigest(BaseModel):
    """SHA-256 of a token in hexadecimal, when it was given, and from when on it no longer holds (RFC 3339)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str = Field(pattern="^[0-9a-f]{64}$")
    created: AwareDatetime | None = None
    expires: AwareDatetime | None = None

    def holds_at(self, at: datetime) -> bool:
        """Whether the token may still be used."""
        return self.expires is None or at < self.expires


class Reviewer(BaseModel):
    """A person who may decide and edit, with roles; two tokens hold for a while after one was replaced."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=MAX_LETTERS)
    roles: tuple[Role, ...] = DEFAULT_ROLES
    created: AwareDatetime | None = None
    tokens: tuple[TokenDigest, ...]

    def expires(self, at: datetime) -> datetime | None:
        """When the last token that holds at a time ends; ``None`` for never, the time itself where none holds."""
        ends = [token.expires for token in self.tokens if token.holds_at(at)]
        return None if None in ends else max((end for end in ends if end is not None), default=at)


class _File(BaseModel):
    """The file in its present form. No two names in it have the same key."""

    model_config = ConfigDict(extra="forbid")

    format: Literal[2] = FORMAT
    reviewers: tuple[Reviewer, ...]

    @model_validator(mode="after")
    def _unique(self) -> _File:
        _require_unique(self.reviewers)
        return self


class _FormerReviewer(BaseModel):
    """An entry of the first form of the file."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=MAX_LETTERS)
    digest: str = Field(pattern="^[0-9a-f]{64}$")


_FORMER = TypeAdapter(tuple[_FormerReviewer, ...])


def read_reviewers(path: Path) -> tuple[Reviewer, ...]:
    """Read the reviewers of a file; a missing file has none.

    Raises ReviewersError if the file is no list of reviewers, or of a later version.
    """
    try:
        content = path.read_bytes()
        if not content.lstrip().startswith(b"["):
            return _File.model_validate_json(content).reviewers
        return tuple(
            Reviewer(name=one.name, tokens=(TokenDigest(digest=one.digest),)) for one in _FORMER.validate_json(content)
        )
    except FileNotFoundError:
        return ()
    except (ValidationError, OSError) as error:
        raise ReviewersError(f"{path} is no list of reviewers that this program can read") from error


def add_reviewer(
    path: Path, name: str, roles: tuple[Role, ...] = DEFAULT_ROLES, expires: datetime | None = None
) -> str:
    """Add a reviewer and return their token, which cannot be read from the file afterwards.

    Raises ReviewersError if the name is invalid or that of another reviewer to a reader's eye, or the file cannot be
    read.
    """
    try:
        shown = display_name(name)
    except InvalidName as error:
        raise ReviewersError(str(error)) from error
    token, now = secrets.token_urlsafe(32), datetime.now(UTC)
    added = Reviewer(name=shown, roles=roles, created=now, tokens=(_new_digest(token, now, expires),))

    def add(reviewers: tuple[Reviewer, ...]) -> tuple[Reviewer, ...]:
        if taken := next((one for one in reviewers if name_key(one.name) == name_key(shown)), None):
            raise ReviewersError(f"there is a reviewer {taken.name!r}: remove them first, or rotate their token")
        return (*reviewers, added)

    _change(path, add)
    return token


def remove_reviewer(path: Path, name: str) -> None:
    """Remove a reviewer with their tokens; their decisions stay.

    Raises ReviewersError if no reviewer has the name, or the file cannot be read.
    """
    _change_one(path, name, lambda reviewer: None)


def rotate_token(path: Path, name: str, overlap: timedelta = OVERLAP, expires: datetime | None = None) -> str:
    """Give a reviewer a new token, which is returned; the one before holds for ``overlap`` more, or until it would end.

    Raises ReviewersError if no reviewer has the name, or the file cannot be read.
    """
    token, now = secrets.token_urlsafe(32), datetime.now(UTC)

    def rotate(reviewer: Reviewer) -> Reviewer:
        # A token that was replaced before is not needed for two overlaps.
        before = [one for one in reviewer.tokens if one.holds_at(now)][-1:] if overlap else []
        until = [one.model_copy(update={"expires": min(one.expires or now + overlap, now + overlap)}) for one in before]
        return reviewer.model_copy(update={"tokens": (*until, _new_digest(token, now, expires))})

    _change_one(path, name, rotate)
    return token


def set_roles(path: Path, name: str, roles: tuple[Role, ...]) -> None:
    """Give a reviewer these roles, and no other.

    Raises ReviewersError if no reviewer has the name, or the file cannot be read.
    """
    _change_one(path, name, lambda reviewer: reviewer.model_copy(update={"roles": roles}))


def authenticate(reviewers: Iterable[Reviewer], authorization: str | None, at: datetime | None = None) -> Reviewer:
    """Return the reviewer whose token an Authorization header has (RFC 6750, 2.1).

    Raises UnknownToken if it is the token of no reviewer; NotAllowed if the header has no bearer token, or one that has
    expired.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAllowed("a reviewer's token is needed: Authorization: Bearer TOKEN")
    digest = _digest(token.strip())
    owners = [(one, own) for one in reviewers for own in one.tokens if hmac.compare_digest(own.digest, digest)]
    if not owners:
        raise UnknownToken("no reviewer has this token", "invalid_token")
    reviewer, own = owners[0]
    if not own.holds_at(at or datetime.now(UTC)):
        raise NotAllowed(f"this token expired at {own.expires:%Y-%m-%dT%H:%M:%SZ}", "invalid_token")
    return reviewer


def require_role(reviewer: Reviewer, *needed: Role) -> Role:
    """Return the role by which a reviewer is allowed what needs one of some roles.

    Raises InsufficientRole if they have none of them.
    """
    role = role_for(reviewer.roles, needed)
    if role is None:
        raise InsufficientRole(needed)
    return role


def _digest(token: str) -> str:
    # A token of 32 random bytes cannot be guessed, so that a slow hash would add nothing.
    return hashlib.sha256(token.encode()).hexdigest()


def _new_digest(token: str, at: datetime, expires: datetime | None) -> TokenDigest:
    at = at.replace(microsecond=0)
    return TokenDigest(digest=_digest(token), created=at, expires=expires and expires.astimezone(UTC))


def _named(reviewers: tuple[Reviewer, ...], name: str) -> Reviewer:
    """Return the reviewer of a name, letter by letter before by its key: files of the first form may have both."""
    exact = [one for one in reviewers if one.name == name]
    alike = exact or [one for one in reviewers if name_key(one.name) == name_key(name)]
    if not alike:
        raise ReviewersError(f"no reviewer {name!r}")
    return alike[0]


def _require_unique(reviewers: Iterable[Reviewer]) -> None:
    names: dict[str, str] = {}
    for one in reviewers:
        key = name_key(one.name)
        if key in names:
            raise ValueError(f"the reviewers {names[key]!r} and {one.name!r} are one name to a reader: remove one")
        names[key] = one.name


def _change_one(path: Path, name: str, change: Callable[[Reviewer], Reviewer | None]) -> None:
    """Put another in place of the reviewer of a name, or none."""

    def changed(reviewers: tuple[Reviewer, ...]) -> tuple[Reviewer, ...]:
        named = _named(reviewers, name)
        after = (change(one) if one is named else one for one in reviewers)
        return tuple(one for one in after if one is not None)

    _change(path, changed)


def _change(path: Path, change: Callable[[tuple[Reviewer, ...]], tuple[Reviewer, ...]]) -> None:
    """Read the file, change it and replace it, while no other process does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path):
        changed = change(read_reviewers(path))
        try:
            _require_unique(changed)
        except ValueError as error:
            raise ReviewersError(str(error)) from error
        write_file(path, _File(reviewers=changed).model_dump_json(indent=2).encode() + b"\n", mode=0o600)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the file beside, which is never replaced as the file itself is."""
    handle = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        lock(handle)
        yield
    finally:
        os.close(handle)
