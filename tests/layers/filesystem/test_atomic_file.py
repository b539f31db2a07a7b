"""Files are replaced as a whole or stay as they were, whatever fails, and every writer of the program does it so."""

from __future__ import annotations

import ast
import errno
import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from layers.filesystem.atomic_file import replacing, write_file
from tests.architecture import MODULES


def test_the_file_that_was_there_is_replaced_and_nothing_is_left(tmp_path: Path) -> None:
    report = tmp_path / "report.pdf"
    write_file(report, b"last week")
    write_file(report, b"this week")
    assert report.read_bytes() == b"this week"
    assert os.listdir(tmp_path) == ["report.pdf"]


def test_a_block_that_fails_leaves_the_old_file_alone(tmp_path: Path) -> None:
    report = tmp_path / "report.pdf"
    report.write_bytes(b"last week")

    def fail() -> None:
        with replacing(report) as fresh:
            fresh.write_bytes(b"half of this w")
            fresh.with_name("report.pdf-journal").write_bytes(b"a writer's own side file")
            assert report.read_bytes() == b"last week"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert report.read_bytes() == b"last week"
    assert os.listdir(tmp_path) == ["report.pdf"]


def test_a_log_that_a_writer_left_means_that_its_file_is_not_whole(tmp_path: Path) -> None:
    """SQLite leaves it where the last connection cannot fold it in, and closes without an error."""

    def leave_a_log() -> None:
        with replacing(tmp_path / "atlas.gpkg") as fresh:
            fresh.write_bytes(b"half")
            fresh.with_name("atlas.gpkg-wal").write_bytes(b"the other half")

    with pytest.raises(OSError, match=r"atlas\.gpkg-wal is left"):
        leave_a_log()
    assert os.listdir(tmp_path) == []


def test_a_block_that_writes_nothing_leaves_the_old_file_alone(tmp_path: Path) -> None:
    report = tmp_path / "report.pdf"
    report.write_bytes(b"last week")
    with pytest.raises(FileNotFoundError), replacing(report):
        pass
    assert report.read_bytes() == b"last week"
    assert os.listdir(tmp_path) == ["report.pdf"]


def test_a_symbolic_link_stays_one_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "report.pdf", tmp_path / "newest.pdf"
    real.write_bytes(b"old")
    link.symlink_to("real/report.pdf")
    write_file(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_a_link_to_a_file_that_is_not_there_makes_that_file(tmp_path: Path) -> None:
    link = tmp_path / "newest.pdf"
    link.symlink_to("report.pdf")
    write_file(link, b"new")
    assert (tmp_path / "report.pdf").read_bytes() == b"new"
    assert link.is_symlink()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755])
def test_permissions_of_a_file_that_is_replaced_are_retained(tmp_path: Path, mode: int) -> None:
    report = tmp_path / "report.pdf"
    report.write_bytes(b"old")
    report.chmod(mode)
    write_file(report, b"new", mode=0o604)
    assert stat.S_IMODE(report.stat().st_mode) == mode


def test_a_new_file_has_the_permissions_that_the_umask_leaves_or_those_that_are_given(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "open", b"")
        write_file(tmp_path / "secret", b"", mode=0o600)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to any file")
def test_a_file_without_write_permission_is_not_replaced(tmp_path: Path) -> None:
    report = tmp_path / "report.pdf"
    report.write_bytes(b"sealed")
    report.chmod(0o444)
    with pytest.raises(PermissionError):
        write_file(report, b"new")
    assert report.read_bytes() == b"sealed"


def test_a_pipe_is_written_to_as_it_is(tmp_path: Path) -> None:
    pipe, received = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    write_file(pipe, b"a report")
    reader.join()
    assert received == [b"a report"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_file_that_comes_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    backup = tmp_path / "backup.gpkg"

    def write_beside_another() -> None:
        with replacing(backup, overwrite=False) as fresh:
            fresh.write_bytes(b"mine")
            backup.write_bytes(b"somebody else's")

    with pytest.raises(FileExistsError):
        write_beside_another()
    assert backup.read_bytes() == b"somebody else's"
    assert os.listdir(tmp_path) == ["backup.gpkg"]


def test_without_hard_links_a_new_file_is_renamed_into_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    with replacing(tmp_path / "backup.gpkg", overwrite=False) as fresh:
        fresh.write_bytes(b"mine")
    assert os.listdir(tmp_path) == ["backup.gpkg"]


def test_on_a_full_disk_the_old_file_stays_and_nothing_is_left(tmp_path: Path) -> None:
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", tmp_path], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        report = tmp_path / "report.pdf"
        write_file(report, b"last week" * 10_000)
        with pytest.raises(OSError, match="No space left"):
            write_file(report, b"this week" * 30_000)
        assert report.read_bytes() == b"last week" * 10_000
        assert os.listdir(tmp_path) == ["report.pdf"]
        write_file(report, b"this week" * 10_000)
        assert report.read_bytes() == b"this week" * 10_000
    finally:
        subprocess.run(["umount", "--lazy", tmp_path], check=True)


def test_a_folder_that_is_missing_is_named_by_the_file_that_was_to_be_in_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere/report\.pdf'"):
        write_file(tmp_path / "nowhere" / "report.pdf", b"")


def test_a_name_of_any_length_that_the_file_system_takes_can_be_written(tmp_path: Path) -> None:
    report = tmp_path / ("ж" * 127)
    write_file(report, b"new")
    assert report.read_bytes() == b"new"


# --- every writer ---------------------------------------------------------------------------------------------------

#: Modules that write to files in another way, and why they may.
_EXEMPT = {
    "layers.filesystem.atomic_file": "is the way",
    "layers.snapshot.table_folder": "fills a folder that SnapshotCache puts in place as a whole",
    "layers.snapshot.arrow_table": "writes a table of such a folder",
    "layers.snapshot.snapshot_cache": "opens a file to lock it, which is never read",
    "api.exports.printed_map.lettering": "fills a temporary folder with fonts",
    "api.formats.geopackage": "GDAL minds the end of the name, so that it writes beside the file that takes the place",
    "api.server.worker_status": "opens files to lock them, which are never read",
    "api.server.keys_at_work": "opens files to lock them, which are never read",
    "api.server.acknowledged": "maps eight bytes that all workers share",
    "api.requests.reviewer_tokens": "opens a file to lock it, which is never read",
    "api.publishing.directory": "writes to a folder aside, whose files then take their places",
    "api.formats.spreadsheet": "writes to parts of an archive in memory",
    "api.server.audit_trail": "only ever adds whole lines, under a lock",
}
_WRITERS = frozenset(
    {"write_text", "write_bytes", "to_file", "to_parquet", "to_feather", "write_dataframe", "mkstemp"}
    | {"copyfile", "copy2", "copytree", "tofile", "rename", "symlink_to", "hardlink_to"}
)
_OPENERS = frozenset({"open", "fdopen"})


def writes(tree: ast.AST, fresh: frozenset[str] = frozenset()) -> Iterator[tuple[int, str]]:
    """Line and name of each call that writes to a file other than one that ``with replacing(...) as NAME`` gave."""
    if isinstance(tree, ast.With):
        fresh = fresh | {name for item in tree.items for name in _replaced(item)}
    if isinstance(tree, ast.Call) and _is_write(tree) and not fresh & _names(tree):
        yield tree.lineno, ast.unparse(tree.func)
    for child in ast.iter_child_nodes(tree):
        yield from writes(child, fresh)


def _replaced(item: ast.withitem) -> Iterator[str]:
    call = item.context_expr
    is_aside = isinstance(call, ast.Call) and _last_name(call.func) in {"replacing", "replacing_export"}
    if is_aside and isinstance(item.optional_vars, ast.Name):
        yield item.optional_vars.id


def _is_write(call: ast.Call) -> bool:
    name = _last_name(call.func)
    if name in _OPENERS:
        texts = [part for given in (*call.args, *call.keywords) for part in ast.walk(given)]
        modes = {part.value for part in texts if isinstance(part, ast.Constant) and isinstance(part.value, str)}
        flags = {part.attr for part in texts if isinstance(part, ast.Attribute)}
        is_mode = any(set(mode) <= set("rwxabt+") and set(mode) & set("wxa+") for mode in modes)
        return is_mode or bool(flags & {"O_CREAT", "O_WRONLY", "O_RDWR"})
    return name in _WRITERS


def _last_name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _names(call: ast.Call) -> set[str]:
    return {part.id for part in ast.walk(call) if isinstance(part, ast.Name)}


def test_no_writer_of_a_file_goes_round() -> None:
    found = {
        f"{module}:{line} {name}"
        for module, path in MODULES.items()
        if module not in _EXEMPT
        for line, name in writes(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert not found


@pytest.mark.parametrize(
    "line",
    [
        "path.write_text('')",
        "open(path, 'w')",
        "path.open(mode='ab')",
        "frame.to_file(path)",
        "os.open(path, os.O_WRONLY | os.O_CREAT)",
        "shutil.copyfile(one, path)",
        "with replacing(path) as fresh:\n    other.write_bytes(b'')",
    ],
)
def test_the_search_finds_writers(line: str) -> None:
    assert list(writes(ast.parse(line)))


@pytest.mark.parametrize(
    "line", ["path.open('rb')", "open(path)", "with replacing(path) as fresh:\n    fresh.write_bytes(b'')"]
)
def test_the_search_passes_over_others(line: str) -> None:
    assert not list(writes(ast.parse(line)))
