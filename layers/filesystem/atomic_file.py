"""Files that are replaced as a whole: written aside, flushed, then put in place. Knows nothing of what is in them."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: Permissions of a file that may hold what is private.
PRIVATE_MODE = 0o600
#: Letters of the name of a file that the folder aside bears, so that what a killed program left can be recognised.
_NAME_LETTERS = 40


@contextmanager
def replacing(path: Path, *, overwrite: bool = True, mode: int | None = None, durable: bool = True) -> Iterator[Path]:
    """Give a path to write to, of the same name in a folder aside; at the end that file takes the place of ``path``.

    Where the block fails, or the disk is full, the file that was there stays, and nothing is left beside it. Files that
    the writer makes beside its own, such as a journal, go with the folder. A symbolic link stays one, and its target
    is replaced. A device or a pipe, such as ``/dev/stdout``, is given as it is: nothing in it could be lost.

    Parameters
    ----------
    overwrite
        Whether a file that is there is replaced.
    mode
        Permissions of a new file; by default those that the umask leaves. A file that is replaced keeps its own.
    durable
        Whether the file outlives a power cut once this returns. Readers never see half a file in either case.

    Raises
    ------
    FileExistsError
        If there is a file, also one that came meanwhile, and ``overwrite`` is false.
    OSError
        If it cannot be written, or its writer left another file beside it; the file that was there stays.
    """
    if is_stream(path):
        yield path
        return
    target = Path(os.path.realpath(path))
    before = _stat_of_replaced(path, target, overwrite)
    aside = _folder_aside(path, target)
    try:
        fresh = aside / target.name
        yield fresh
        _require_alone(path, fresh)
        _take_permissions(fresh, before, mode)
        if durable:
            sync(fresh)
        if overwrite:
            os.replace(fresh, target)
        else:
            put_in_place(fresh, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    if durable:
        sync(target.parent)


def write_file(path: Path, content: bytes, *, mode: int | None = None, durable: bool = True) -> None:
    """Replace a file by some bytes, see `replacing`.

    Raises
    ------
    OSError
        If it cannot be written; the file that was there stays.
    """
    with replacing(path, mode=mode, durable=durable) as fresh:
        fresh.write_bytes(content)


def sync(path: Path) -> None:
    """Let a file, or the names in a folder, outlive a power cut.

    Raises
    ------
    OSError
        If the disk did not take it.
    """
    if os.name != "posix" and path.is_dir():
        return  # Windows opens no folders.
    descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_stream(path: Path) -> bool:
    """Whether a path is a device or a pipe, which is written to as it is."""
    # What /dev/stdout leads to may be a regular file that the shell has opened: it must not be replaced under it.
    if path.is_absolute() and path.parts[1:2] in (("dev",), ("proc",)) and path.exists() and not path.is_dir():
        return not path.is_relative_to("/dev/shm")
    return path.exists() and not path.is_file() and not path.is_dir()


def _stat_of_replaced(path: Path, target: Path, overwrite: bool) -> os.stat_result | None:
    """The state of the file that is to be replaced; None where there is none."""
    if not target.exists():
        return None
    if not overwrite:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not os.access(target, os.W_OK):  # a rename would go through: it asks for the folder alone
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    return target.stat()


def _folder_aside(path: Path, target: Path) -> Path:
    """A new folder in that of the target, which only its owner can look into."""
    try:
        return Path(tempfile.mkdtemp(".new", f".{target.name[:_NAME_LETTERS]}-", target.parent))
    except OSError as error:
        error.filename = str(path)  # which says more than the name of the folder
        raise


def _require_alone(path: Path, fresh: Path) -> None:
    """Refuse a file whose writer left a log: SQLite does so without error where it cannot fold it in at the end."""
    left = sorted(file.name for file in fresh.parent.iterdir() if file != fresh)
    if left:
        raise OSError(errno.EIO, f"not written to its end, {', '.join(left)} is left", str(path))


def _take_permissions(fresh: Path, before: os.stat_result | None, mode: int | None) -> None:
    if before is not None:
        with suppress(OSError, AttributeError):  # only root may give a file away, and Windows has no such call
            os.chown(fresh, before.st_uid, before.st_gid)
        fresh.chmod(stat.S_IMODE(before.st_mode))
    elif mode is not None:
        fresh.chmod(mode)


def put_in_place(fresh: Path, target: Path) -> None:
    """Give a file a name in its file system that no other has, also where another takes it at this moment.

    Raises FileExistsError if there is a file of that name.
    """
    try:
        os.link(fresh, target)  # never overwrites, while a rename would replace a file that came meanwhile
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        os.rename(fresh, target)
