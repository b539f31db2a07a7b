"""``strikeatlas audit``: who wrote, and who read what is not published; whether the chain of the lines holds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from api.cli.common import STORE, AsJson, StoreAddress, output
from api.http.json import Json
from api.requests.parameters import BadParameter
from api.requests.reviewer_names import name_key
from api.server import audit_trail
from api.server.audit_trail import AuditReport
from layers.store.backends import is_path, open_store

EPILOG = "Example: strikeatlas audit --who 'A. Editor' --since 2026-01-31 --json"


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
    output(result, as_json, escape("\n".join([*map(_shown, lines), *_summary(report, left)])))
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


def _shown(line: Json) -> str:
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
    return [*faults, *open_, f"{len(report.lines)} lines, the chain {holds}; the last has the hash {report.head}"]
