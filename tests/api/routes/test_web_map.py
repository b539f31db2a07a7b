"""Static files of the page: each whole from memory as long as it stays as it is, by the rules of HTTP."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException

from api.routes.web_map import STATIC_CACHE_BYTES, StaticFolder
from tests.api.asgi import ask


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "page.js").write_text("first", encoding="utf-8")
    (tmp_path / "beside.txt").write_text("private", encoding="utf-8")
    return tmp_path / "static"


def test_a_file_is_answered_whole_and_anew_once_it_has_changed(folder: Path) -> None:
    app = StaticFolder(folder)
    first, again = ask(app, "/page.js"), ask(app, "/page.js")
    assert (first.status, first.body, first.headers) == (200, b"first", again.headers)
    assert first.headers["content-length"] == "5"
    assert first.headers["content-type"].startswith("text/javascript")
    assert first.headers["cache-control"] == "no-cache"
    assert ask(app, "/page.js", {"if-none-match": first.headers["etag"]}).status == 304

    # As long as before: the time alone tells that it was written anew.
    (folder / "page.js").write_text("other", encoding="utf-8")
    os.utime(folder / "page.js", (1, 1))
    changed = ask(app, "/page.js", {"if-none-match": first.headers["etag"]})
    assert (changed.status, changed.body) == (200, b"other")
    assert changed.headers["etag"] != first.headers["etag"]


def test_a_part_and_a_file_that_is_too_large_for_memory_are_read_from_the_disk(folder: Path) -> None:
    app = StaticFolder(folder)
    part = ask(app, "/page.js", {"range": "bytes=1-2"})
    assert (part.status, part.body, part.headers["content-range"]) == (206, b"ir", "bytes 1-2/5")
    with (folder / "large.bin").open("wb") as file:
        file.truncate(STATIC_CACHE_BYTES // 4 + 1)
    large = ask(app, "/large.bin")
    assert (large.status, len(large.body), len(large.parts) > 1) == (200, STATIC_CACHE_BYTES // 4 + 1, True)


@pytest.mark.parametrize("path", ["/none.js", "/", "/../beside.txt", "/page.js\0", f"/{'x' * 5000}"])
def test_what_is_no_file_of_the_folder_is_not_found(folder: Path, path: str) -> None:
    with pytest.raises(HTTPException) as refused:
        ask(StaticFolder(folder), path)
    assert refused.value.status_code == 404
