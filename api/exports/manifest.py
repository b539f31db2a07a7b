"""Manifests of exports: what made a file, of which version of the data, and by which digest it is known again.

A manifest is a Data Package descriptor (datapackage.org/standard/data-package, version 2), which other programs read
and check: a list of files with size and SHA-256 (FIPS 180-4). What the standard has no word for stands in one property
of its own, ``strikeatlas:export``.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from layers.filesystem.atomic_file import is_stream, replacing, sync
from layers.model.messages import Message
from layers.store.store import Head
from layers.store.verification import Finding

#: What follows on the name of a file in that of its manifest.
SUFFIX = ".manifest.json"
#: Version of ``strikeatlas:export``.
_FORM = 1
_PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
#: Bytes of the largest manifest that is read.
_MAX_BYTES = 16 * 2**20
#: Media types (IANA) by suffix.
_MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "png": "image/png",
        "svg": "image/svg+xml",
        "pdf": "application/pdf",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "md": "text/markdown",
        "html": "text/html",
        "geojson": "application/geo+json",
        "csv": "text/csv",
        "gpkg": "application/geopackage+sqlite3",
        "json": "application/json",
    }
)
#: Characters that the name of a resource should not have.
_NO_NAME = re.compile(r"[^a-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class ExportOrigin:
    """What made an export: everything that a manifest states but for the file itself.

    Parameters
    ----------
    kind
        The command that wrote it, such as ``map`` of ``strikeatlas export map``.
    query
        The options that chose and shaped what is in it, by name, as JSON has them.
    program
        Version of the program and a digest of its sources.
    head
        Row of history that the data are of.
    data_date
        Day of the data.
    policy
        Digest of the policy of disclosure.
    has_unrecorded_edits
        Whether the store held edits of other programs that history does not tell of yet, which no head stands for.
    sources
        Publishers of the sources that the export is based on, each with the licence that its source states.
    figure
        The code that stands under a printed figure.
    """

    kind: str
    query: Mapping[str, Any]
    program: str
    head: Head
    data_date: date
    policy: str
    has_unrecorded_edits: bool
    sources: Sequence[tuple[str, str | None]] = ()
    figure: str | None = None


def manifest_beside(path: Path) -> Path:
    """The manifest of an export: beside it, of its name."""
    return path.with_name(path.name + SUFFIX)


@contextmanager
def replacing_export(path: Path, origin: ExportOrigin | None) -> Iterator[Path]:
    """Give a path to write an export to, see `replacing`; at the end it takes its place, and its manifest comes last.

    Both are whole and flushed before anything is replaced. Then the manifest of an earlier export goes, the export
    takes its place, and the manifest its own: cut short at whatever moment, an export has its own manifest or none.

    Parameters
    ----------
    origin
        What made it; if None it gets no manifest, and loses that of an earlier export. A device or pipe has none.

    Raises
    ------
    OSError
        If either cannot be written. The export that was there stays; its manifest too, unless the last step failed.
    """
    if is_stream(path):
        yield path
        return
    manifest = manifest_beside(path)
    if origin is None:
        with replacing(path) as fresh:
            yield fresh
            sync(fresh)
            _remove(manifest)
        return
    with replacing(manifest) as fresh_manifest, replacing(path) as fresh:
        yield fresh
        fresh_manifest.write_bytes(render(origin, path.name, fresh))
        sync(fresh)
        sync(fresh_manifest)
        _remove(manifest)


def _remove(manifest: Path) -> None:
    """Remove a file so that it does not come back after a power cut; the target of a link, which stays."""
    target = Path(os.path.realpath(manifest))
    if target.exists():
        target.unlink()
        sync(target.parent)


def render(origin: ExportOrigin, name: str, file: Path) -> bytes:
    """The manifest of a file that is whole, which is to have a name beside it; equal for equal files and origins."""
    suffix = PurePosixPath(name).suffix.removeprefix(".").lower()
    resource = {
        "name": _NO_NAME.sub("-", name.lower()),
        "path": name,
        "format": suffix,
        **({"mediatype": _MEDIA_TYPES[suffix]} if suffix in _MEDIA_TYPES else {}),
        "bytes": file.stat().st_size,
        "hash": f"sha256:{sha256_of(file)}",
    }
    sources = [
        {"title": publisher, **({"strikeatlas:licence": licence} if licence is not None else {})}
        for publisher, licence in origin.sources
    ]
    descriptor = {
        "$schema": _PROFILE,
        "name": resource["name"],
        "resources": [resource],
        **({"sources": sources} if sources else {}),
        "strikeatlas:export": {
            "form": _FORM,
            "kind": origin.kind,
            "query": dict(origin.query),
            "program": origin.program,
            "history": {"hash": origin.head.hash, "at": origin.head.at},
            "hasUnrecordedEdits": origin.has_unrecorded_edits,
            "dataDate": origin.data_date.isoformat(),
            "policy": origin.policy,
            "figure": origin.figure,
        },
    }
    return orjson.dumps(descriptor, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def sha256_of(file: Path) -> str:
    """The SHA-256 of a file in small hexadecimal digits."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


# --- reading and checking -----------------------------------------------------------------------


class NotAManifest(ValueError):
    """What is said to be a manifest is none, or of a form that this program does not know."""


class _Stated(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)


class StatedFile(_Stated):
    """A file of an export as its manifest has it."""

    path: str
    bytes: Annotated[int, Field(ge=0)]
    hash: Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]


class StatedHead(_Stated):
    """The row of history that an export says it was made of; exports of before say its number too."""

    seq: Annotated[int | None, Field(ge=0)] = None
    hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class StatedOrigin(_Stated):
    """What an export says of itself, as far as it can be checked."""

    form: Literal[1]
    kind: str
    history: StatedHead
    has_unrecorded_edits: Annotated[bool, Field(alias="hasUnrecordedEdits")]


class ExportManifest(_Stated):
    """A manifest as it was read; what other programs added to it is passed over."""

    resources: Annotated[tuple[StatedFile, ...], Field(min_length=1, strict=False)]
    origin: Annotated[StatedOrigin, Field(alias="strikeatlas:export")]


def find_manifest(path: Path) -> Path | None:
    """The manifest that is meant by a file: the one beside it, or the file itself if it is JSON."""
    beside = manifest_beside(path)
    if beside.is_file():
        return beside
    return path if path.suffix == ".json" and path.is_file() else None


def read(path: Path) -> ExportManifest:
    """Read a manifest.

    Raises
    ------
    NotAManifest
        If it is none; it names every member that is missing or wrong.
    OSError
        If it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise NotAManifest(f"{_MAX_BYTES} bytes at most are expected")
    try:
        manifest = ExportManifest.model_validate(orjson.loads(content))
    except orjson.JSONDecodeError as error:
        raise NotAManifest(str(error)) from error
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise NotAManifest("; ".join(faults)) from error
    outside = [one.path for one in manifest.resources if not _is_beside(one.path)]
    if outside:
        raise NotAManifest(f"paths lead out of its folder: {', '.join(outside)}")
    return manifest


def _is_beside(path: str) -> bool:
    """Whether a path is that of a sibling or child (datapackage.org/standard/glossary, URL or Path)."""
    parts = PurePosixPath(path).parts
    return bool(parts) and "\0" not in path and "\\" not in path and ".." not in parts and not path.startswith("/")


def file_findings(path: Path, manifest: ExportManifest, target: Path) -> Iterator[Finding]:
    """Compare each file with what its manifest states.

    ``target``: the file that was asked about; one that is not the manifest must be stated in it.
    """
    stated = [path.parent / one.path for one in manifest.resources]
    if target != path and target not in stated:
        yield Message("verification.export-unlisted", {"file": str(target), "manifest": str(path)})
    for file, one in zip(stated, manifest.resources, strict=True):
        values = {"file": str(file), "manifest": str(path)}
        if not file.is_file():
            yield Message("verification.export-missing", values)
        elif (size := file.stat().st_size) != one.bytes:
            yield Message("verification.export-size", {**values, "bytes": size, "expected": one.bytes})
        elif f"sha256:{sha256_of(file)}" != one.hash:
            yield Message("verification.export-edited", values)
