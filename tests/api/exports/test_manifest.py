"""An export has its own manifest or none, whatever fails, and whatever is changed in it afterwards is named."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.exports.manifest import (
    ExportOrigin,
    NotAManifest,
    file_findings,
    find_manifest,
    manifest_beside,
    read,
    replacing_export,
)
from layers.store.store import Head

ORIGIN = ExportOrigin(
    kind="csv",
    query={"layer": "strikes", "bbox": (28.0, 45.0, 33.0, 48.0)},
    program="0.1.0+0",
    head=Head(412, "ab" * 32, "2026-11-26T08:00:00.000Z"),
    data_date=date(2026, 11, 26),
    policy="a7d720a9",
    has_unrecorded_edits=False,
    sources=[("A. Publisher", "CC BY 4.0"), ("B. Publisher", None)],
)


def export(path: Path, content: bytes, origin: ExportOrigin | None = ORIGIN) -> None:
    with replacing_export(path, origin) as fresh:
        fresh.write_bytes(content)


def found(path: Path) -> list[str]:
    manifest = find_manifest(path)
    assert manifest is not None
    return [one.code.removeprefix("verification.") for one in file_findings(manifest, read(manifest), path)]


def test_a_manifest_is_a_data_package_with_the_digest(tmp_path: Path) -> None:
    path = tmp_path / "Ödesa 1.CSV"
    export(path, b"a,b\r\n")
    stated = orjson.loads(manifest_beside(path).read_bytes())
    assert stated["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    assert stated["resources"] == [
        {
            "name": "-desa-1.csv",
            "path": "Ödesa 1.CSV",
            "format": "csv",
            "mediatype": "text/csv",
            "bytes": 5,
            # sha256sum of the file.
            "hash": "sha256:fbf6b30113a4b6418c623a96ed6844f17ef5751b908a16abaa919d0bcd6b7784",
        }
    ]
    assert stated["sources"] == [
        {"title": "A. Publisher", "strikeatlas:licence": "CC BY 4.0"},
        {"title": "B. Publisher"},
    ]
    assert stated["strikeatlas:export"]["query"] == {"layer": "strikes", "bbox": [28.0, 45.0, 33.0, 48.0]}
    before = manifest_beside(path).read_bytes()
    export(path, b"a,b\r\n")
    assert manifest_beside(path).read_bytes() == before, "equal exports have equal manifests"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(min_size=1, max_size=200), at=st.integers(0), bit=st.integers(0, 7), more=st.binary(min_size=1)
)
def test_any_bit_that_is_another_is_named(tmp_path: Path, content: bytes, at: int, bit: int, more: bytes) -> None:
    path = tmp_path / "strikes.csv"
    export(path, content)
    assert found(path) == found(manifest_beside(path)) == []
    edited = bytearray(content)
    edited[at % len(content)] ^= 1 << bit
    path.write_bytes(edited)
    assert found(path) == found(manifest_beside(path)) == ["export-edited"]
    path.write_bytes(content + more)
    assert found(path) == ["export-size"]
    path.unlink()
    assert found(path) == ["export-missing"]


def test_a_manifest_of_another_file_is_no_proof(tmp_path: Path) -> None:
    export(tmp_path / "one.csv", b"1")
    other = tmp_path / "other.csv"
    other.write_bytes(b"1")
    assert find_manifest(other) is None
    manifest_beside(other).write_bytes(manifest_beside(tmp_path / "one.csv").read_bytes())
    assert found(other) == ["export-unlisted"]


def changed(stated: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {**stated, "resources": [{**stated["resources"][0], **values}]}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda stated: [stated], "valid dictionary"),
        (lambda stated: {**stated, "resources": []}, "resources"),
        (lambda stated: changed(stated, path="../one.csv"), "../one.csv"),
        (lambda stated: changed(stated, path="/etc/passwd"), "/etc/passwd"),
        (lambda stated: changed(stated, path="sub/../../x"), "sub/../../x"),
        (lambda stated: changed(stated, hash="md5:0"), "resources.0.hash"),
        (lambda stated: changed(stated, bytes=-1), "resources.0.bytes"),
        (lambda stated: {"resources": stated["resources"]}, "strikeatlas:export"),
        (lambda stated: {**stated, "strikeatlas:export": stated["strikeatlas:export"] | {"form": 2}}, "form"),
    ],
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, change: Any, named: str) -> None:
    path = tmp_path / "one.csv"
    export(path, b"1")
    manifest = manifest_beside(path)
    manifest.write_bytes(orjson.dumps(change(orjson.loads(manifest.read_bytes()))))
    with pytest.raises(NotAManifest, match=named.replace(".", r"\.")):
        read(manifest)


@given(st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "datapackage.json"
    path.write_bytes(content)
    with pytest.raises(NotAManifest):
        read(path)


@pytest.mark.parametrize("call", ["replace", "unlink", "fsync"])
@pytest.mark.parametrize("origin", [ORIGIN, None], ids=["with", "without"])
def test_an_export_never_stands_beside_the_manifest_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, origin: ExportOrigin | None
) -> None:
    path = tmp_path / "strikes.csv"
    done = getattr(os, call)
    for failing in range(8):
        export(path, b"last week")
        calls = iter(range(8))

        def act(*args: Any, calls: Any = calls, failing: int = failing, **values: Any) -> Any:
            if next(calls) == failing:
                raise OSError(5, "the disk failed")
            return done(*args, **values)

        with monkeypatch.context() as patch:
            patch.setattr(os, call, act)
            try:
                export(path, b"this week!", origin)
                is_done = True
            except OSError:
                is_done = False
        assert path.read_bytes() == b"this week!" if is_done else path.read_bytes() in (b"last week", b"this week!")
        if manifest_beside(path).exists():
            assert found(path) == []
        assert not is_done or manifest_beside(path).exists() == (origin is not None)
        assert {one.name for one in tmp_path.iterdir()} <= {path.name, manifest_beside(path).name}


def test_a_manifest_that_cannot_be_written_leaves_the_export_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "strikes.csv"
    path.write_bytes(b"last week")
    manifest_beside(path).mkdir()
    with pytest.raises(IsADirectoryError):
        export(path, b"this week")
    assert path.read_bytes() == b"last week"


def test_a_pipe_has_no_manifest(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    export(path, b"streamed")
    assert os.read(reader, 100) == b"streamed"
    os.close(reader)
    assert [one.name for one in tmp_path.iterdir()] == ["pipe"]
