"""Which encoding a text is in: by its byte order mark, by its zero bytes, else UTF-8, else Windows-1252."""

from __future__ import annotations

import codecs
from typing import BinaryIO

from layers.sources.files.limits import Refused

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CHUNK = 1 << 20


def marked_encoding(start: bytes) -> str | None:
    """The encoding that the first bytes give away: a byte order mark, or every second byte zero (UTF-16)."""
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    sample = start[:1000]
    even, odd = sample[0::2], sample[1::2]
    if len(sample) >= 8 and odd.count(0) > 0.4 * len(odd) and not even.count(0):
        return "utf-16-le"
    if len(sample) >= 8 and even.count(0) > 0.4 * len(even) and not odd.count(0):
        return "utf-16-be"
    return None


def encoding_of(stream: BinaryIO, file: str) -> str:
    """Read a stream to its end, a piece at a time, and give the encoding that fits all of it.

    Raises
    ------
    Refused
        If none does, with the place of the first byte that does not fit.
    """
    chunk = stream.read(_CHUNK)
    marked = marked_encoding(chunk)
    candidates = [marked] if marked else ["utf-8", "cp1252"]
    decoders = {name: codecs.getincrementaldecoder(name)() for name in candidates}
    faults: dict[str, str] = {}
    position = 0
    while True:
        for name in [name for name in candidates if name not in faults]:
            try:
                decoders[name].decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                faults[name] = f"{error.reason} near byte {position + error.start}"
        if not chunk or len(faults) == len(candidates):
            break
        position += len(chunk)
        chunk = stream.read(_CHUNK)
    found = next((name for name in candidates if name not in faults), None)
    if found is None:
        told = "; ".join(f"{name}: {fault}" for name, fault in faults.items())
        raise Refused(file, "encoding", told, "text in UTF-8, UTF-16 or Windows-1252")
    return found


def decoded(start: bytes) -> str:
    """The first bytes of a file as text, whatever they are; an incomplete end and wrong bytes are replaced."""
    encoding = marked_encoding(start)
    if encoding is None:
        # The last letter may be cut in two.
        body = start.rstrip(bytes(range(0x80, 0x100))) if len(start) > 8 else start
        encoding = "utf-8" if _fits(body) else "cp1252"
    return start.decode(encoding, errors="replace")


def _fits(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
