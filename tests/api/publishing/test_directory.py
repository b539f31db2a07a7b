"""A folder of published files is whole or as it was, and a file is touched only where it differs."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from api.exports.errors import ExportError
from api.html.published import CitedVersion
from api.publishing.directory import MANIFEST, Publication, PublishedFile, PublishedFolder
from layers.store.history_chain import Head

FIRST, SECOND = (CitedVersion(Head(n, f"{n}" * 64, None), date(2026, 1, n)) for n in (1, 2))
KNOWN = {one.head.hash[:32]: one for one in (FIRST, SECOND)}


def publish(folder: Path, files: Mapping[str, bytes], version: CitedVersion = FIRST, dry: bool = False) -> Publication:
    """Publish files; a page ends in the version that it is cited by."""

    def file_of(path: str, content: bytes) -> PublishedFile:
        def page(cited: CitedVersion | None) -> bytes:
            return content + str(cited).encode() if cited else content

        return PublishedFile(path, page, path.endswith(".html"))

    wanted = [file_of(path, content) for path, content in files.items()]
    return PublishedFolder(folder).publish(wanted, version, KNOWN.get, {"address": "https://a"}, dry=dry)


def content_of(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


FILES = {"index.html": b"one", "a/b.json": b"two", "a/c/d.html": b"three"}


def test_what_is_published_twice_is_equal_and_touched_once(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    publish(folder, FILES)
    publish(tmp_path / "other", FILES)
    before = content_of(folder)
    assert before == content_of(tmp_path / "other")
    times = {path: (folder / path).stat().st_mtime_ns for path in before}
    done = publish(folder, FILES)
    assert (done.written, done.removed) == ([], [])
    assert times == {path: (folder / path).stat().st_mtime_ns for path in before}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_of_a_later_version_only_what_differs_is_touched(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    publish(folder, FILES)
    done = publish(folder, {**FILES, "a/c/d.html": b"changed"}, SECOND)
    assert done.written == ["a/c/d.html"]
    assert content_of(folder)["index.html"] == b"one" + str(FIRST).encode()
    assert content_of(folder)["a/c/d.html"] == b"changed" + str(SECOND).encode()
    # And so again: each page is cited by the version since which it says the same.
    assert publish(folder, {**FILES, "a/c/d.html": b"changed"}, SECOND).written == []


def test_what_is_no_more_published_is_removed_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    publish(folder, FILES)
    (folder / "CNAME").write_text("atlas.example")
    done = publish(folder, {"index.html": b"one"})
    assert done.removed == ["a/b.json", "a/c/d.html"]
    assert set(content_of(folder)) == {"index.html", "CNAME", MANIFEST}
    assert not (folder / "a").exists()


def test_a_file_that_somebody_changed_or_lost_is_mended(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    publish(folder, FILES)
    before = content_of(folder)
    (folder / "a/b.json").write_bytes(b"t")
    (folder / "index.html").unlink()
    assert sorted(publish(folder, FILES).written) == ["a/b.json", "index.html"]
    assert content_of(folder) == before


@pytest.mark.parametrize("linked", ["strikes", "strikes/a"])
@pytest.mark.parametrize("wanted", [{"strikes/a/x.html": b"other"}, {}], ids=["written", "removed"])
def test_a_folder_that_is_a_link_is_not_followed(tmp_path: Path, linked: str, wanted: Mapping[str, bytes]) -> None:
    folder, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    publish(folder, {"index.html": b"one", "strikes/a/x.html": b"two"})
    (folder / linked).rename(elsewhere)
    (elsewhere / "theirs.html").write_bytes(b"theirs")
    (folder / linked).symlink_to(elsewhere)
    before = content_of(elsewhere), content_of(folder)
    with pytest.raises(ExportError, match="is a link, or within one"):
        publish(folder, {"index.html": b"changed", **wanted}, SECOND)
    assert (content_of(elsewhere), content_of(folder)) == before
    (folder / linked).unlink()
    publish(folder, {"index.html": b"changed", **wanted}, SECOND)
    assert (folder / "strikes").exists() is bool(wanted)
    assert content_of(elsewhere) == before[0]


def test_a_publication_may_be_reached_by_a_link(tmp_path: Path) -> None:
    publish(tmp_path / "site", FILES)
    (tmp_path / "link").symlink_to(tmp_path / "site")
    assert publish(tmp_path / "link", {"index.html": b"other"}, SECOND).written == ["index.html"]
    assert set(content_of(tmp_path / "site")) == {"index.html", MANIFEST}


def test_a_publication_that_is_cut_short_leaves_the_one_before(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    publish(folder, FILES)
    before = content_of(folder)

    def failing(cited: CitedVersion | None) -> bytes:
        raise OSError("the disk is full")

    files = [PublishedFile("index.html", lambda cited: b"new"), PublishedFile("z.html", failing)]
    with pytest.raises(OSError, match="full"):
        PublishedFolder(folder).publish(files, SECOND, KNOWN.get, {})
    assert content_of(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


#: Calls by which a publication changes what lies on the disk.
CHANGES = ((os, "replace"), (os, "mkdir"), (os, "rmdir"), (os, "unlink"), (os, "fsync"), (shutil, "rmtree"))
#: What is published later, and private after that.
SECRET = {"strikes/a/b/x-secret.html": b"secretmarker", "map/x-secret.json": b"secretmarker"}


def killed_at(step: int, folder: Path, files: Mapping[str, bytes]) -> bool:
    """Publish in a process that is ended before a change of the disk; whether it was."""
    child = os.fork()
    if child == 0:
        steps = iter(range(step))

        def counted(change: Any) -> Any:
            def changed(*given: Any, **named: Any) -> Any:
                if next(steps, None) is None:
                    os._exit(9)
                return change(*given, **named)

            return changed

        for module, name in CHANGES:
            setattr(module, name, counted(getattr(module, name)))
        try:
            publish(folder, files, SECOND)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.parametrize("begun", ["what becomes private comes", "what became private goes"])
def test_wherever_a_publication_is_killed_the_next_one_leaves_nothing_private(tmp_path: Path, begun: str) -> None:
    before, after = (FILES, {**FILES, **SECRET}) if begun.endswith("comes") else ({**FILES, **SECRET}, FILES)
    for step in itertools.count():
        parent = tmp_path / str(step)
        publish(parent / "site", before)
        was_killed = killed_at(step, parent / "site", {**after, "index.html": b"changed"})
        publish(parent / "site", FILES, SECOND)
        left = [file for file in parent.rglob("*") if "secret" in file.name or file == parent / "site" / "strikes"]
        assert left == [], step
        assert [file.name for file in parent.iterdir()] == ["site"], step
        assert not [path for path, content in content_of(parent / "site").items() if b"secret" in content], step
        assert set(content_of(parent / "site")) == {*FILES, MANIFEST}
        if not was_killed:
            break
    assert step > 8


def test_a_page_that_an_earlier_program_left_unlisted_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    publish(folder, FILES)
    for path in ("strikes/a/x.html", "uk/assets/y.html", "assets/logo.png", "CNAME"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("left")
    assert publish(folder, FILES).removed == ["strikes/a/x.html", "uk/assets/y.html"]
    assert set(content_of(folder)) == {*FILES, MANIFEST, "assets/logo.png", "CNAME"}


def test_a_dry_run_says_the_same_and_writes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    dry = publish(folder, FILES, dry=True)
    assert [*tmp_path.iterdir()] == []
    assert (dry.written, dry.size) == (publish(folder, FILES).written, dry.size)
    before = content_of(folder)
    assert publish(folder, {"index.html": b"x"}, dry=True).removed == ["a/b.json", "a/c/d.html"]
    assert content_of(folder) == before


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError):
        publish(tmp_path, FILES)
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    publish(tmp_path / "site", FILES)
    assert set(content_of(tmp_path / "site")) == {*FILES, MANIFEST}


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "a//b", "", MANIFEST, "index.html"])
def test_no_file_lies_elsewhere_or_twice(tmp_path: Path, path: str) -> None:
    files = [PublishedFile(name, lambda cited: b"") for name in ("index.html", path)]
    with pytest.raises(ExportError):
        PublishedFolder(tmp_path / "site").publish(files, FIRST, KNOWN.get, {})
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("manifest", [b"{", b"{}", b'{"form":9,"files":{}}', b'{"form":1,"files":{"../../x":{}}}'])
def test_a_manifest_that_cannot_be_read_is_refused(tmp_path: Path, manifest: bytes) -> None:
    (tmp_path / MANIFEST).write_bytes(manifest)
    with pytest.raises(ExportError):
        PublishedFolder(tmp_path)


def test_a_manifest_never_has_a_file_elsewhere_removed(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    publish(folder, FILES)
    (tmp_path / "precious").write_text("mine")
    manifest = orjson.loads((folder / MANIFEST).read_bytes())
    manifest["files"]["../precious"] = {"sha256": "0" * 64, "size": 4}
    (folder / MANIFEST).write_bytes(orjson.dumps(manifest))
    with pytest.raises(ExportError):
        publish(folder, FILES)
    assert (tmp_path / "precious").exists()
