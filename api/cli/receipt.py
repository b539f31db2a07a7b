"""``strikeatlas receipt``: tokens of time-stamp authorities for the head of history, and their check for ``verify``."""

from __future__ import annotations

import urllib.request
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from rich.markup import escape

from api.cli.common import STORE, AsJson, StoreAddress, output
from api.requests.parameters import BadParameter
from api.wording.catalogue import text
from layers.filesystem.atomic_file import write_file
from layers.store import receipts
from layers.store.backends import is_path, open_store
from layers.store.connection import Connection
from layers.store.connections import probing
from layers.store.history_chain import EMPTY, ChainBreak
from layers.store.receipts import MAX_BYTES, Receipt
from layers.store.store import Store
from layers.store.verification import follow

app = typer.Typer(help="Let an authority sign when history was there (RFC 3161).", no_args_is_help=True)

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


@app.command(epilog="Example: strikeatlas receipt query head.tsq")
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


@app.command(epilog="Example: strikeatlas receipt add head.tsr")
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The response of the authority.")],
    store: StoreAddress = STORE,
    as_json: AsJson = False,
) -> None:
    """Copy the response of an authority, if it covers a change of the store, to the folder beside it."""
    with closing(open_store(store)) as opened:
        _add(opened, _response(file), as_json)


@app.command(epilog="Example: strikeatlas receipt request --url https://tsa.example.org/tsr")
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
    """The response of an authority (RFC 3161, 3.4).

    Raises
    ------
    OSError
        If there is none.
    """
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
        raise BadParameter("receipt", receipt.hash or "", text(receipt.fault))
    path = receipts.add(store.beside, receipt, response)
    said = f"{path}: change {receipt.seq}, signed at {receipt.at} by {receipt.signer}; verify --trust checks by whom."
    output(receipt_values(path, receipt), as_json, escape(said))


def checked_receipts(store: str, given: list[Path] | None, trust: Path | None) -> list[tuple[Path, Receipt]]:
    """Check receipts, or all beside the store; none where no certificate is trusted.

    Raises
    ------
    BadParameter
        If there are receipts to check and no certificate, or it cannot be read.
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
