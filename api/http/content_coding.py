"""Content codings (RFC 9110, 8.4.1): which one a client takes, and bodies in it, whole or as a stream."""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Protocol

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: The preferred first. At their fast levels zstd takes a quarter of the time of gzip and gives less.
CODINGS = ("zstd", "br", "gzip")

_MEMBER = re.compile(r"\s*([^\s;,]+)\s*(?:;\s*[qQ]\s*=\s*([01](?:\.\d{0,3})?)\s*)?")


@lru_cache(maxsize=256)
def weights(accepted: str) -> Mapping[str, float]:
    """The weight of each coding that an Accept-Encoding header names; members that cannot be read are passed over."""
    found: dict[str, float] = {}
    for member in accepted.lower().split(","):
        if read := _MEMBER.fullmatch(member):
            name = "gzip" if read[1] == "x-gzip" else read[1]
            found.setdefault(name, 1.0 if read[2] is None else min(1.0, float(read[2])))
    # Who names none but all is not sure to know the newer ones.
    found.setdefault("gzip", found.get("*", 0.0))
    return MappingProxyType(found)


@lru_cache(maxsize=256)
def chosen(accepted: str | None) -> str | None:
    """The coding to answer in (RFC 9110, 12.5.3): the heaviest, then the first of `CODINGS`; ``None`` is none."""
    if accepted is None:
        return None
    asked = weights(accepted)
    best = max(CODINGS, key=lambda coding: asked.get(coding, 0.0))
    weight = asked.get(best, 0.0)
    return best if weight > 0 and weight >= asked.get("identity", 0.0) else None


def takes(accepted: str | None, coding: str) -> bool:
    """Whether a client takes a body in a coding."""
    return accepted is not None and weights(accepted).get(coding, 0.0) > 0


@lru_cache(maxsize=256)
def refuses_plain(accepted: str) -> bool:
    """Whether a client takes no body that is not coded."""
    asked = weights(accepted)
    return asked.get("identity", asked.get("*", 1.0)) == 0


class Encoder(Protocol):
    """Puts a body into a coding, part by part."""

    def part(self, data: bytes) -> bytes:
        """What can be sent after one more part; all of it, so that a slow body does not wait here."""

    def end(self) -> bytes:
        """The rest."""


class _Gzip:
    def __init__(self) -> None:
        # Level 1, and the header that names neither file nor time: the same body gives the same bytes.
        self._made = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS)

    def part(self, data: bytes) -> bytes:
        return self._made.compress(data) + self._made.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        return self._made.flush()


class _Brotli:
    def __init__(self) -> None:
        self._made = brotli.Compressor(quality=1)

    def part(self, data: bytes) -> bytes:
        return bytes(self._made.process(data) + self._made.flush())

    def end(self) -> bytes:
        return bytes(self._made.finish())


class _Zstd:
    def __init__(self) -> None:
        self._made = zstd.ZstdCompressor(level=1)

    def part(self, data: bytes) -> bytes:
        return self._made.compress(data, zstd.ZstdCompressor.FLUSH_BLOCK)

    def end(self) -> bytes:
        return self._made.flush()


#: A new encoder for a stream, by coding.
ENCODERS: Mapping[str, Callable[[], Encoder]] = MappingProxyType({"gzip": _Gzip, "br": _Brotli, "zstd": _Zstd})


def encoded(body: bytes, coding: str) -> bytes:
    """A whole body in a coding, at its fast level."""
    if coding == "br":
        return bytes(brotli.compress(body, quality=1))
    if coding == "zstd":
        return zstd.compress(body, 1)
    made = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return made.compress(body) + made.flush()


#: Types that are text in all but name. Images, archives, Parquet and the like are compressed already.
_TEXT = {
    "application/flatgeobuf",
    "application/geopackage+sqlite3",
    "application/javascript",
    "application/json",
    "application/vnd.flatgeobuf",
    "application/vnd.mapbox-vector-tile",
    "application/wasm",
    "application/x-ndjson",
    "application/x-protobuf",
    "application/xml",
    "application/yaml",
}


@lru_cache(maxsize=256)
def compressible(content_type: bytes) -> bool:
    """Whether bodies of a media type, as its header has it, become smaller."""
    media_type = content_type.decode("latin-1").partition(";")[0].strip().lower()
    suffixes = ("+json", "+json-seq", "+xml", "+yaml")
    return media_type.startswith("text/") or media_type in _TEXT or media_type.endswith(suffixes)
