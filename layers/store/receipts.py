"""Receipts of the head of history: tokens in which a time-stamp authority says when it was there (RFC 3161).

The hash of a row is the SHA-256 of its text, so that a token for that text has the hash as its message imprint: any
program that knows RFC 3161 can check it by the hash. A receipt is a file of its own, a TimeStampResp in DER, and so is
there for stores too that can only be read. All of this needs the optional package rfc3161-client, and raises
`ReceiptsUnavailable` without it; nothing else does.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from layers.filesystem.atomic_file import PRIVATE_MODE, write_file
from layers.model.messages import Message
from layers.model.timestamps import timestamp
from layers.store import history_chain
from layers.store.connection import Connection
from layers.store.connections import StoreError
from layers.store.history_chain import EMPTY, Head

#: Bytes of the longest response that is read; those of authorities with long chains have some 10,000.
MAX_BYTES = 1_000_000
_GRANTED = 0


class ReceiptsUnavailable(StoreError):
    """The package that reads and writes RFC 3161 is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "receipts need a package that is not installed: install strikeatlas[receipts] or rfc3161-client"
        )


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt says, and whether that holds.

    Parameters
    ----------
    seq
        The change that it covers, with all before; ``None`` where no row of history has its hash.
    hash
        The hash that it is for, in hexadecimal digits; ``None`` where it cannot be read, or was refused.
    at
        When the authority signed it (RFC 3339, UTC).
    signer
        Distinguished name (RFC 4514) of the certificate that signed it.
    fault
        Why it is not valid; ``None`` if it is.
    """

    seq: int | None = None
    hash: str | None = None
    at: str | None = None
    signer: str | None = None
    fault: Message | None = None


def query(connection: Connection) -> tuple[Head, bytes]:
    """Give the last row of history, and the request (TimeStampReq, DER) for a token that covers it.

    Raises `StoreError` if there is no history, or its last row does not have the hash of its text.
    """
    row = connection.execute(f"SELECT {history_chain.COLUMNS} FROM history ORDER BY seq DESC LIMIT 1").fetchone()
    if row is None:
        raise StoreError("there is no change that a receipt could cover")
    seq, *values, salt, unsalted, stored = row
    before = connection.execute("SELECT hash FROM history WHERE seq = ?", (seq - 1,)).fetchone()
    previous = EMPTY.hash if before is None else before[0]
    text = history_chain.canonical_text(previous, seq, tuple(values), salt, unsalted)
    if hashlib.sha256(text).hexdigest() != stored:
        raise StoreError(f"row {seq} of history does not follow on the one before it: strikeatlas verify says more")
    library = _library()
    builder = library.TimestampRequestBuilder(text, library.HashAlgorithm.SHA256, nonce=False, cert_req=True)
    return Head(seq, stored, values[0]), builder.build().as_bytes()


def read(connection: Connection, response: bytes) -> Receipt:
    """Read a response (TimeStampResp, DER): which row of history it covers; who signed it is not proved yet."""
    return _read(connection, response)[0]


def check(connection: Connection, response: bytes, trusted: Sequence[Any], unbroken: int) -> Receipt:
    """Read a response, and check its signature up to one of some certificates, as of the time that it states.

    Parameters
    ----------
    trusted
        As `certificates` gives them.
    unbroken
        The last row up to which the chain of history holds: a hash says nothing of a text that is not its own.
    """
    receipt, decoded = _read(connection, response)
    if receipt.fault is not None or receipt.seq is None or receipt.hash is None:
        return receipt
    if receipt.seq > unbroken:
        return replace(receipt, fault=Message("receipts.broken-chain", {"seq": unbroken + 1}))
    library = _library()
    try:
        library.VerifierBuilder(roots=list(trusted)).build().verify(decoded, bytes.fromhex(receipt.hash))
    except (library.VerificationError, ValueError) as error:
        return replace(receipt, fault=Message("receipts.signature", {"detail": str(error)[:200]}))
    return receipt


def certificates(pem: bytes) -> Sequence[Any]:
    """Read the certificates of a PEM text; ValueError if there is none, or one cannot be read."""
    _library()
    found: Sequence[Any] = importlib.import_module("cryptography.x509").load_pem_x509_certificates(pem)
    return found


def folder(store: Path) -> Path:
    """The folder beside a store where its receipts are."""
    return store.with_name(f"{store.name}.receipts")


def files(store: Path) -> Iterable[Path]:
    """The receipts beside a store, by the numbers of their changes."""
    return sorted(folder(store).glob("*.tsr"))


def add(store: Path, receipt: Receipt, response: bytes) -> Path:
    """Write a response that covers a change, to the byte, to the folder beside the store; give its path.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    assert receipt.seq is not None
    digits = hashlib.sha256(response).hexdigest()[:8]
    path = folder(store) / f"{receipt.seq:09d}-{digits}.tsr"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_file(path, response, mode=PRIVATE_MODE)
    return path


def _read(connection: Connection, response: bytes) -> tuple[Receipt, Any]:
    library = _library()
    try:
        decoded = library.decode_timestamp_response(_with_sorted_certificates(response))
        if decoded.status != _GRANTED:
            said = "; ".join(decoded.status_string) or f"status {decoded.status}"
            return Receipt(fault=Message("receipts.refused", {"detail": said[:200]})), decoded
        info = decoded.tst_info
        digest, at, signer = info.message_imprint.message.hex(), timestamp(info.gen_time), _signer(decoded)
    except ValueError as error:
        return Receipt(fault=Message("receipts.unreadable", {"detail": str(error)[:200]})), None
    row = connection.execute("SELECT seq FROM history WHERE hash = ? OR unsalted = ?", (digest, digest)).fetchone()
    if row is None:
        return Receipt(None, digest, at, signer, Message("receipts.of-another-history", {"hash": digest})), decoded
    return Receipt(int(row[0]), digest, at, signer), decoded


#: Where the certificates are in a response (RFC 3161, 2.4.2; RFC 5652, 5.1): its token, what that holds, the signed
#: data in it, and the set after version, algorithms and content.
_CERTIFICATES = (0, 1, 1, 0, 3)
_CERTIFICATE_SET = 0xA0


def _with_sorted_certificates(response: bytes) -> bytes:
    """Put certificates in the order of DER, which the library demands and CMS does not; no signature covers the order.

    What is not laid out as a response is returned as it is.
    """
    element, content = b"", response
    for place in _CERTIFICATES:
        there = _elements(content)
        if len(there) <= place:
            return response
        element, content = there[place]
    if element[0] != _CERTIFICATE_SET:
        return response
    sent = [certificate for certificate, _ in _elements(content)]
    return response.replace(element, element.removesuffix(content) + b"".join(sorted(sent)))


def _elements(content: bytes) -> list[tuple[bytes, bytes]]:
    """Elements (DER) that follow each other, each whole and its content; a length that is no DER ends the last one."""
    found, at = list[tuple[bytes, bytes]](), 0
    while at + 1 < len(content):
        begin, length = at + 2, content[at + 1]
        if length > 0x7F:
            begin += length & 0x7F
            length = int.from_bytes(content[at + 2 : begin])
        found.append((content[at : begin + length], content[begin : begin + length]))
        at = begin + length
    return found


def _signer(decoded: Any) -> str:
    """The name of the certificate that signed, or of its issuer and with its number where it is not enclosed."""
    load = importlib.import_module("cryptography.x509").load_der_x509_certificate
    (stated,) = decoded.signed_data.signer_infos
    for certificate in map(load, decoded.signed_data.certificates):
        if (certificate.issuer, certificate.serial_number) == (stated.issuer, stated.serial_number):
            return str(certificate.subject.rfc4514_string())
    return f"{stated.serial_number:x} of {stated.issuer.rfc4514_string()}"


def _library() -> Any:
    try:
        return importlib.import_module("rfc3161_client")
    except ImportError as error:
        raise ReceiptsUnavailable from error
