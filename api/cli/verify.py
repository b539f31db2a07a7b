"""``strikeatlas verify`` and ``receipt``: whether a store, an export or a figure is what it was, and since when."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, time
from http.client import HTTPException
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from rich.console import Group, RenderableType
from rich.markup import escape

from api.cli.common import STORE, AsJson, BasemapOption, StoreAddress, open_published, output, progress_bar
from api.cli.corrections import entries_of
from api.cli.serve import CacheInOption
from api.exports.manifest import NotAManifest, StatedHead, file_findings, find_manifest
from api.exports.manifest import read as read_manifest
from api.http.json import Json
from api.requests.corrections_query import of_record
from api.requests.parameters import BadParameter
from api.serializers.attribution import cited_sources, strike_answer
from api.serializers.corrections import entry_values, sentences, title
from api.serializers.figures import EXAMPLE, FigureCode, strikes_of_figure
from api.server.version_builder import compare_cache, time_of
from api.settings import BASEMAP, Settings, open_layer
from api.terminal.console import counted
from api.wording.catalogue import text
from layers.corrections.concerned import records_of_answer
from layers.corrections.log import CorrectionEntry, CorrectionsQuery, PublishedVersion
from layers.corrections.replay import records_at
from layers.filesystem.atomic_file import write_file
from layers.model.messages import Message
from layers.model.problems import UnknownRecord
from layers.reference import basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.snapshot.disclosure import disclose, policy_of
from layers.snapshot.snapshot import Snapshot
from layers.snapshot.snapshot_cache import CacheComparison
from layers.store import receipts
from layers.store.backends import is_path, open_store, open_to_read
from layers.store.connection import Connection
from layers.store.connections import probing
from layers.store.history_chain import EMPTY, ChainBreak, Head
from layers.store.receipts import MAX_BYTES, Receipt
from layers.store.store import NotAStore, Store, StoreError
from layers.store.verification import Finding, find_head, follow, verify_file

EPILOG = f"Example: strikeatlas verify data/atlas.gpkg; strikeatlas verify odesa.pdf; strikeatlas verify {EXAMPLE}"


_HASH = re.compile("[0-9a-f]{16,64}")
_WEAK = (
    "The code is weak: it has 40 bits of a digest, and two answers that have them are made in seconds. Whoever has to "
    "rely on it compares the hash of the history that is printed beside it (--head), or has the figure drawn again."
)
_NO_HEAD = (
    "Nothing in a store tells whether its whole history was rewritten and hashed anew: with --head name a hash of it "
    "that was noted elsewhere, as under a printed map."
)


def verify(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE|CODE", help="A store, an export or its manifest, or the code that stands under a figure."
        ),
    ] = None,
    store: StoreAddress = STORE,
    base: BasemapOption = BASEMAP,
    cache_in: CacheInOption = None,
    trust: TrustOption = None,
    receipt: ReceiptOption = None,
    head: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HASH",
            help="A hash of the history that was noted elsewhere, as under a printed map, 16 digits of it or more: "
            "whether the store has it. Nothing else but a receipt tells of a history that was rewritten as a whole.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a whole store with the cache beside it, or an export; or build a printed figure again from history.

    A finding a line; nothing is changed. Exit code 0 if it is valid, or the same; 1 if not; 4 or 5 if the store of an
    export cannot be read, so that only the files were checked.
    """
    if target is not None and FigureCode.is_code(target) and not Path(target).exists():
        _verify_figure(FigureCode.parse(target), store, base, as_json)
    elif target is not None and (manifest := find_manifest(Path(target))) is not None:
        _verify_export(Path(target), manifest, store, as_json)
    else:
        address, settings = target or store, Settings(basemap=base, cache_in=cache_in)
        receipts, heads = checked_receipts(address, receipt, trust), [*map(_digits, head or ())]
        _verify_store(address, settings, receipts, heads, as_json)


def _digits(text: str) -> str:
    """Read digits of a hash."""
    if not _HASH.fullmatch(text.lower()):
        raise typer.BadParameter(f"expected 16 to 64 hexadecimal digits; got {text[:80]!r}", param_hint="--head")
    return text.lower()


def _verify_store(
    address: str, settings: Settings, receipts: Sequence[tuple[Path, Receipt]], heads: Sequence[str], as_json: bool
) -> None:
    """Check a store, compare the cache beside it, and say what receipts of it cover, and which heads it has.

    Raises `typer.Exit` if there is a finding, or a receipt is not valid, with exit code 1.
    """
    derive = full_rewrite(basemap.read(settings.basemap), text, open_layer())
    # A file that is damaged can be checked, and not be opened.
    findings = list(verify_file(Path(address), derive) if is_path(address) else open_store(address).verify(derive))
    name = address
    compared: list[CacheComparison] = []
    noted: list[tuple[str, Head | ChainBreak | None]] = []
    try:
        with progress_bar("Comparing the cache beside the store"):
            opened = open_to_read(address).mount(open_layer())
            name = opened.name
            compared += compare_cache(opened, settings)
        with opened.reading() as connection:
            noted = [(digits, find_head(connection, digits)) for digits in heads]
        findings += [Message("verification.head-gone", {"hash": digits}) for digits, found in noted if not found]
    except StoreError as error:
        findings.append(Message("verification.unreadable", {"detail": str(error)}))
    findings += [finding for one in compared for finding in one.findings]
    values = {
        "store": name,
        "findings": _finding_values(findings),
        "heads": [{"hash": one.hash, "change": one.seq, "at": one.at} for _, one in noted if isinstance(one, Head)],
        "cached": [{"folder": str(one.folder), "change": one.seq, "files": one.files} for one in compared],
    }
    lines = [*([text(one) for one in findings] or [f"{name} is valid."]), *_comparison_lines(compared)]
    lines += [f"{digits} is change {one.seq} of {one.at}." for digits, one in noted if isinstance(one, Head)]
    if not heads and not receipts:
        lines.append(_NO_HEAD)
    if receipts:
        values["receipts"] = [receipt_values(file, one) for file, one in receipts]
        lines += [receipt_sentence(file, one) for file, one in receipts]
    output(values, as_json, escape("\n".join(lines)))
    if findings or any(one.fault for _, one in receipts):
        raise typer.Exit(1)


def _comparison_lines(compared: list[CacheComparison]) -> Iterator[str]:
    for one in compared:
        if one.unchecked is not None:
            yield text(one.unchecked)
        elif one.files:
            yield f"Compared, in the cache {one.folder} as of change {one.seq}: {counted(one.files, 'files')}."
    if not compared:
        yield "There is no cache beside it."


def _finding_values(findings: Iterable[Finding]) -> list[Json]:
    return [{"code": one.code, "arguments": dict(one.arguments), "text": text(one)} for one in findings]


def _verify_export(target: Path, path: Path, store: str, as_json: bool) -> None:
    """Compare the files of an export with its manifest, and look for the change that it states in a store.

    Raises `typer.Exit` if there is a finding, with exit code 1; if the store cannot be read, with 4 or 5.
    """
    findings, unchecked, code, manifest = list[Finding](), list[Message](), 0, None
    try:
        manifest = read_manifest(path)
    except NotAManifest as error:
        findings.append(Message("verification.manifest-invalid", {"file": str(path), "detail": str(error)}))
    if manifest is not None:
        findings += file_findings(path, manifest, target)
        stated = manifest.origin.history
        if manifest.origin.has_unrecorded_edits:
            unchecked.append(Message("verification.external"))
        try:
            findings += _head_findings(store, path, stated)
        except StoreError as error:
            code = 4 if isinstance(error, NotAStore) else 5
            unchecked.append(Message("verification.head-unchecked", {**stated.model_dump(), "detail": str(error)}))
    valid = f"{target} is as {path} states." if code else f"{target} is as {path} states, of a change in {store}."
    lines = [text(one) for one in findings] or [valid]
    report = {
        "manifest": str(path),
        "store": store,
        "findings": _finding_values(findings),
        "unchecked": _finding_values(unchecked),
    }
    output(report, as_json, escape("\n".join([*lines, *map(text, unchecked)])))
    if findings or code:
        raise typer.Exit(1 if findings else code)


def _head_findings(store: str, manifest: Path, stated: StatedHead) -> Iterator[Finding]:
    """What speaks against a head being in the history of a store; raises `StoreError` if the store cannot be read."""
    with open_to_read(store).reading() as connection:
        held = find_head(connection, stated.hash)
    if isinstance(held, ChainBreak):
        yield Message("verification.chain", {"seq": held.seq, "expected": held.expected_seq})
    elif held is None or stated.seq not in (None, held.seq):
        yield Message("verification.head-absent", {"store": store, "manifest": str(manifest), **stated.model_dump()})


def _verify_figure(stated: FigureCode, store: str, base: Path, as_json: bool) -> None:
    """Build a figure again from the history of a store, and say what it is based on and every correction since.

    Raises `typer.Exit` if it differs, with exit code 1.
    """
    if stated.day > datetime.now(UTC).date():
        raise BadParameter("code", str(stated), "a code of a day that has come")
    opened, version = open_published(store, base)
    head = _head_of(opened, stated)
    for moment in _moments(opened, stated, head):
        then = _version_at(opened, stated, head, version, moment)
        rebuilt = stated.rebuilt(then, head)
        if rebuilt == stated:
            break
    # Of a code that is not valid nothing is shown, and of one that is nothing that is private or withheld now.
    now = version.snapshot.records
    drawn = [*strikes_of_figure(then, stated.subject)] if rebuilt == stated else []
    shown = [key for key in drawn if key in now.strikes]
    answers = (strike_answer(then, then.answer(key, stated.subject.basis, stated.subject.minority)) for key in shown)
    cited = cited_sources(then, [*answers])
    since = _corrections_since(opened, version, then, shown, head) if shown else []
    values: dict[str, Any] = {
        "code": str(stated),
        "rebuilt": str(rebuilt),
        "is_same": rebuilt == stated,
        "is_weak": stated.is_weak,
        "strikes": shown,
        "withheld": len(drawn) - len(shown),
        "sources": cited_sources(version.snapshot, {"sources": [*cited]}),
        "corrections": [entry_values(entry) for entry in since],
    }
    output(values, as_json, _worded(stated, rebuilt, values, since))
    if rebuilt != stated:
        raise typer.Exit(1)


def _head_of(store: Store, code: FigureCode) -> Head:
    """The change that a code names; raises `UnknownRecord` if the store has no such change."""
    digits = code.change[1:]
    if code.is_weak:
        return replace(store.head(int(digits)), seq=int(digits))
    found = EMPTY if EMPTY.hash.startswith(digits) else store.find_head(digits)
    if found is None:
        raise UnknownRecord(Message("record.no-head", {"hash": digits}))
    return found


def _moments(store: Store, code: FigureCode, head: Head) -> Iterator[datetime]:
    """The end and the beginning of the day of a code, between which embargoes may have ended; never a time to come."""
    made, now = time_of(store, head), datetime.now(UTC)
    for hour in (time.max, time.min):
        yield min(now, max(filter(None, (datetime.combine(code.day, hour, UTC), made))))


def _version_at(store: Store, code: FigureCode, head: Head, version: PublishedVersion, moment: datetime) -> Snapshot:
    """What was published of the version that a code names, by the policy of then and at a moment."""
    policy = version.disclosure.policy if code.is_weak else policy_of(store, head.seq)  # weak: it was in no history yet
    published = disclose(records_at(store, head.seq), policy, moment).records
    return Snapshot.of(published, version.snapshot.basemap, head.seq, code.day, wording=text)


def _corrections_since(
    store: Store, version: PublishedVersion, then: Snapshot, strikes: list[str], head: Head
) -> list[CorrectionEntry]:
    """Entries after the change of the figure on what its answers were based on, or are now."""
    now = version.snapshot
    keys = {key for strike in strikes for key in (*records_of_answer(then, strike), *of_record(strike))}
    keys |= {key for one in strikes if one in now.records.strikes for key in records_of_answer(now, one)}
    return [*entries_of(store, version, CorrectionsQuery(keys=frozenset(keys), above=head.seq))]


def _worded(
    stated: FigureCode, rebuilt: FigureCode, values: dict[str, Any], since: list[CorrectionEntry]
) -> RenderableType:
    is_same = stated == rebuilt
    verdict = "the same" if is_same else f"not the same: built again it is {rebuilt}"
    lines = [f"{stated}: {verdict}.", *((_WEAK,) if stated.is_weak else ())]
    if is_same:
        lines += _grounds(values, since)
    return Group(*map(escape, lines))


def _grounds(values: dict[str, Any], since: list[CorrectionEntry]) -> Iterator[str]:
    """Yield lines on what a valid figure is based on, and what changed since, as far as it is published now."""
    if values["withheld"]:
        yield f"Not published now, and left out below: {counted(values['withheld'], 'strikes')}."
    yield f"It is based on {counted(len(values['sources']), 'sources')}:"
    for key, source in values["sources"].items():
        yield f"  {key}: {source['publisher']} {source['url'] or ''}"
    yield f"{counted(len(since), 'corrections')} since:" if since else "No corrections since."
    for entry in since:
        yield f"  {entry.at[:19]} {title(entry)}"
        yield from (f"    {line}" for line in sentences(entry))


receipt_app = typer.Typer(help="Let an authority sign when history was there (RFC 3161).", no_args_is_help=True)

TrustOption = Annotated[
    Path | None,
    typer.Option("--trust", help="Certificate of a time-stamp authority (PEM): receipts are checked up to it."),
]
ReceiptOption = Annotated[
    list[Path] | None,
    typer.Option("--receipt", help="A receipt to check.", show_default="those beside the store, with --trust"),
]
#: Seconds that an authority may take.
_TIMEOUT_S = 30
_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"


@receipt_app.command(epilog="Example: strikeatlas receipt query head.tsq")
def query(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The request to write.")],
    store: StoreAddress = STORE,
    as_json: AsJson = False,
) -> None:
    """Write the request for a receipt of the last change, to be sent to an authority from any machine."""
    with closing(open_store(store)) as opened, opened.reading() as connection:
        head, request = receipts.query(connection)
    write_file(file, request)
    values = {"seq": head.seq, "hash": head.hash, "at": head.at, "file": str(file)}
    output(values, as_json, escape(f"{file}: request for change {head.seq} of {head.at}, hash {head.hash}"))


@receipt_app.command(epilog="Example: strikeatlas receipt add head.tsr")
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The response of the authority.")],
    store: StoreAddress = STORE,
    as_json: AsJson = False,
) -> None:
    """Copy the response of an authority, if it covers a change of the store, to the folder beside it."""
    with closing(open_store(store)) as opened:
        _add(opened, _response(file), as_json)


@receipt_app.command(epilog="Example: strikeatlas receipt request --url https://tsa.example.org/tsr")
def request(
    url: Annotated[str, typer.Option(help="Address of the authority, http or https.")],
    store: StoreAddress = STORE,
    as_json: AsJson = False,
) -> None:
    """Ask an authority for a receipt of the last change over the network, and keep it beside the store."""
    if not _is_address(url):
        raise BadParameter("--url", url, "an address with http or https")
    with closing(open_store(store)) as opened:
        with opened.reading() as connection:
            _, sent = receipts.query(connection)
        _add(opened, _posted(url, sent), as_json)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _posted(url: str, sent: bytes) -> bytes:
    """The response of an authority (RFC 3161, 3.4); raises `OSError` if there is none."""
    asked = urllib.request.Request(url, sent, {"Content-Type": _QUERY, "Accept": _REPLY})
    try:
        with urllib.request.urlopen(asked, timeout=_TIMEOUT_S) as answer:
            content: bytes = answer.read(MAX_BYTES + 1)
    except HTTPException as error:
        raise OSError(f"{url} does not answer as HTTP does: {error}") from error
    return _bounded(url, content)


def _response(file: Path) -> bytes:
    with file.open("rb") as opened:
        return _bounded(str(file), opened.read(MAX_BYTES + 1))


def _bounded(name: str, content: bytes) -> bytes:
    if len(content) > MAX_BYTES:
        raise BadParameter("FILE", name, f"a response of RFC 3161, of at most {MAX_BYTES:,} bytes")
    return content


def _add(store: Store, response: bytes, as_json: bool) -> None:
    """Keep a response that covers a change; the signature is for `verify` to check."""
    with store.reading() as connection:
        receipt = receipts.read(connection, response)
    if receipt.fault is not None:
        raise typer.BadParameter(text(receipt.fault))
    path = receipts.add(store.beside, receipt, response)
    said = f"{path}: change {receipt.seq}, signed at {receipt.at} by {receipt.signer}; verify --trust checks by whom."
    output(receipt_values(path, receipt), as_json, escape(said))


def checked_receipts(store: str, given: list[Path] | None, trust: Path | None) -> list[tuple[Path, Receipt]]:
    """Check receipts, or all beside the store; none where no certificate is trusted.

    Raises `BadParameter` if there are receipts to check and no certificate, or it cannot be read.
    """
    if trust is None:
        if given:
            raise BadParameter("--trust", "", "the certificate of the authority, to check receipts with")
        return []
    try:
        trusted = receipts.certificates(trust.read_bytes())
    except ValueError as error:
        raise BadParameter("--trust", trust, "certificates in PEM") from error
    # A file that is damaged can be looked into, and not be opened.
    opened = None if is_path(store) else open_store(store)
    with probing(Path(store)) if opened is None else opened.reading() as connection:
        unbroken = _unbroken(connection)
        return [
            (path, receipts.check(connection, _response(path), trusted, unbroken))
            for path in given or receipts.files(Path(store) if opened is None else opened.beside)
        ]


def _unbroken(connection: Connection) -> int:
    """The last row up to which the chain of history holds; 0 where a value cannot be hashed, which `verify` says."""
    try:
        end = follow(connection, EMPTY)
    except (TypeError, ValueError):
        return 0
    return end.expected_seq - 1 if isinstance(end, ChainBreak) else end.seq


def receipt_values(path: Path, receipt: Receipt) -> dict[str, Any]:
    """Give a receipt as a JSON value."""
    return {
        "file": str(path),
        "seq": receipt.seq,
        "hash": receipt.hash,
        "at": receipt.at,
        "signer": receipt.signer,
        "fault": None if receipt.fault is None else {"code": receipt.fault.code, "text": text(receipt.fault)},
    }


def receipt_sentence(path: Path, receipt: Receipt) -> str:
    """Say in words what a receipt covers, since when and by whom, or why it does not hold."""
    if receipt.fault is not None:
        return f"{path}: {text(receipt.fault)}."
    return f"{path}: change {receipt.seq} and all before were there at {receipt.at}, signed by {receipt.signer}."
