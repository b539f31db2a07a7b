"""``strikeatlas reviewer`` and ``audit``: who may read what is not published, edit and decide, and who did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from api.cli.common import STORE, AsJson, StoreAddress, output
from api.http.json import Json
from api.requests import reviewer_tokens
from api.requests.parameters import BadParameter
from api.requests.reviewer_tokens import (
    DEFAULT_ROLES,
    ROLES,
    Reviewer,
    Role,
    UnknownRole,
    name_key,
    parse_roles,
)
from api.server import audit_trail
from api.server.audit_trail import AuditReport
from api.settings import REVIEWERS
from api.terminal.console import counted
from layers.store.backends import is_path, open_store

app = typer.Typer(
    help="Let people review: add, list and remove reviewers, give them roles and new tokens.", no_args_is_help=True
)

_TABLE = "\n".join(f"{role}: {allows}" for role, allows in ROLES.items())

Name = Annotated[str, typer.Argument(help="The name that their decisions bear.")]
ReviewersPath = Annotated[Path, typer.Option("--reviewers", help="The file of reviewers.")]
RolesOption = Annotated[
    list[str] | None,
    typer.Option("--role", help=f"{', '.join(ROLES)}; repeat.", show_default=", ".join(DEFAULT_ROLES)),
]
ExpiresOption = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="When the token ends, such as 2027-01-31T00:00:00Z; never if not given."),
]


@app.command("add", epilog="Example: strikeatlas reviewer add 'A. Editor' --role edit --expires 2027-01-31T00:00:00Z")
def add_reviewer(
    name: Name,
    roles: RolesOption = None,
    expires: ExpiresOption = None,
    file: ReviewersPath = REVIEWERS,
    as_json: AsJson = False,
) -> None:
    """Add a reviewer and print the token; it is kept nowhere, so give it to them now."""
    token = reviewer_tokens.add_reviewer(file, name, _roles(roles) if roles else DEFAULT_ROLES, _time(expires))
    output({"name": name, "token": token}, as_json, f"Token of {escape(name)}, shown this once: {token}")


@app.command("list", epilog="Example: strikeatlas reviewer list --json")
def list_reviewers(file: ReviewersPath = REVIEWERS, as_json: AsJson = False) -> None:
    """List who may review, in which roles, and until when."""
    rows = [_row(one) for one in reviewer_tokens.read_reviewers(file)]
    lines = [f"{escape(row['name'])}: {', '.join(row['roles'])}; {row['holds']}" for row in rows]
    output(rows, as_json, "\n".join(lines) or "Nobody may review yet: strikeatlas reviewer add NAME")


@app.command("remove", epilog="Example: strikeatlas reviewer remove 'A. Editor'")
def remove_reviewer(name: Name, file: ReviewersPath = REVIEWERS, as_json: AsJson = False) -> None:
    """Take a reviewer's tokens away; what they decided stays."""
    reviewer_tokens.remove_reviewer(file, name)
    output({"removed": name}, as_json, f"{escape(name)} may no longer review.")


@app.command("rotate", epilog="Example: strikeatlas reviewer rotate 'A. Editor' --overlap 48")
def rotate_token(
    name: Name,
    overlap: Annotated[
        float, typer.Option(min=0, max=24 * 90, help="Hours for which the token before still holds; 0 ends it now.")
    ] = reviewer_tokens.OVERLAP.total_seconds() / 3600,
    expires: ExpiresOption = None,
    file: ReviewersPath = REVIEWERS,
    as_json: AsJson = False,
) -> None:
    """Give a reviewer a new token, and print it; the one before holds a while longer."""
    token = reviewer_tokens.rotate_token(file, name, timedelta(hours=overlap), _time(expires))
    until = f"The one before holds for {overlap:g} hours more." if overlap else "The one before no longer holds."
    output({"name": name, "token": token}, as_json, f"New token of {escape(name)}, shown this once: {token}\n{until}")


@app.command("roles", epilog="Example: strikeatlas reviewer roles 'A. Editor' --role edit --role publish")
def set_roles(
    name: Annotated[str, typer.Argument(help="Whose; without a name all roles are listed.")] = "",
    roles: Annotated[list[str] | None, typer.Option("--role", help=f"{', '.join(ROLES)}; repeat.")] = None,
    file: ReviewersPath = REVIEWERS,
    as_json: AsJson = False,
) -> None:
    """Say what each role allows; or give a reviewer the named roles, and no other."""
    if not name:
        output(dict(ROLES), as_json, _TABLE)
        return
    given = _roles(roles or ())
    if not given:
        raise BadParameter("role", "", f"at least one of {', '.join(ROLES)}")
    reviewer_tokens.set_roles(file, name, given)
    output({"name": name, "roles": given}, as_json, f"{escape(name)}: {', '.join(given)}")


def _roles(words: list[str] | tuple[()]) -> tuple[Role, ...]:
    try:
        return parse_roles(words)
    except UnknownRole as error:
        raise BadParameter("role", " ".join(words), f"one of {', '.join(ROLES)}") from error


def _time(text: str | None) -> datetime | None:
    """Read a time that has a zone and is still to come (RFC 3339)."""
    if text is None:
        return None
    expected = "a time to come with its zone, such as 2027-01-31T00:00:00Z"
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise BadParameter("expires", text, expected) from None
    if time.tzinfo is None or time <= datetime.now(UTC):
        raise BadParameter("expires", text, expected)
    return time


def _row(reviewer: Reviewer) -> Json:
    """Give a reviewer as a JSON object; ``holds`` says until when one of their tokens does."""
    now = datetime.now(UTC)
    end = reviewer.expires(now)
    holds = "holds" if end is None else "expired" if end <= now else f"holds until {_shown(end)}"
    return {
        "name": reviewer.name,
        "roles": list(reviewer.roles),
        "created": reviewer.created and _shown(reviewer.created),
        "expires": end and _shown(end),
        "tokens": sum(token.holds_at(now) for token in reviewer.tokens),
        "holds": holds,
    }


def _shown(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


AUDIT_EPILOG = "Example: strikeatlas audit --who 'A. Editor' --since 2026-01-31 --json"


def audit(
    who: Annotated[str | None, typer.Option(help="Only what this reviewer did.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only what was done from then on (RFC 3339, or a day in UTC).")
    ] = None,
    store: StoreAddress = STORE,
    file: Annotated[
        Path | None, typer.Option("--audit", help="The trail.", show_default="STORE.audit.jsonl, beside the store")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the audit trail, and check that no line was changed, removed or put between others.

    Of a write without an outcome the history of the store tells whether it took place. Ends with exit code 1 where the
    chain is broken.
    """
    path = file or audit_trail.audit_path(Path(store) if is_path(store) else open_store(store).beside)
    report = audit_trail.read(path)
    lines = [line for line in report.lines if _is_wanted(line, who, _since(since))]
    left = _outcomes(report, store)
    result = {
        "file": str(path),
        "lines": lines,
        "head": report.head,
        "faults": [{"line": number, "fault": fault} for number, fault in report.faults],
        "open": [{"id": key, "seq": seq} for key, seq in left.items()],
    }
    output(result, as_json, escape("\n".join([*map(_line_in_words, lines), *_summary(report, left)])))
    if report.is_broken:
        raise typer.Exit(1)


def _since(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise BadParameter("since", text, "a day or time, such as 2026-01-31 or 2026-01-31T12:00:00Z") from None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _is_wanted(line: Json, who: str | None, since: datetime | None) -> bool:
    if who is not None and name_key(str(line.get("who", ""))) != name_key(who):
        return False
    return since is None or datetime.fromisoformat(str(line["at"])) >= since


def _line_in_words(line: Json) -> str:
    route = f"{line.get('method')} {line['route']}" if "route" in line else f"of {line.get('of')}"
    records = ", ".join(map(str, line.get("records", ())))
    seq = f"change {line['seq']}" if "seq" in line else str(line.get("reason", ""))
    return "  ".join(filter(None, (line["at"], line["id"], line["event"], line["who"], route, seq, records)))


def _outcomes(report: AuditReport, store: str) -> dict[str, int | None]:
    """Find the changes that writes without an outcome made, by their ids; ``None`` where they made none.

    A write is the first change of one of its records, by its author, after the change that it began from.
    """
    if not report.open:
        return {}
    opened = open_store(store)
    found: dict[str, int | None] = {}
    for line in report.lines:
        if line["id"] in report.open:
            later = (one for one in opened.revisions(line["seq"]) if one.author == line["who"])
            found[line["id"]] = next((one.seq for one in later if one.record in line["records"]), None)
    return found


def _summary(report: AuditReport, left: dict[str, int | None]) -> list[str]:
    """Say what was checked, and what does not hold."""
    faults = [f"line {number}: {fault}" for number, fault in report.faults]
    ends = {key: "nothing was written" if seq is None else f"it is change {seq}" for key, seq in left.items()}
    open_ = [f"{key}: begun without an end; by the history of the store {end}" for key, end in ends.items()]
    holds = "broken" if report.is_broken else "holds"
    return [
        *faults,
        *open_,
        f"{counted(len(report.lines), 'lines')}, the chain {holds}; the last has the hash {report.head}",
    ]
