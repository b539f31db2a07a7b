"""A folder of published files: written aside and put in place, and afterwards touched only where a file differs.

The manifest lists what was published. Before any file is touched it lists those to come as well, and those that are
removed only after they are: wherever a publication is cut short, the next one knows of each file that it may have left.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import orjson

from api.exports.errors import ExportError
from api.html.published import CitedVersion
from api.http.json import Json
from api.publishing.addresses import SUBJECT_FOLDERS, language_folder
from api.wording.catalogue import languages
from layers.filesystem.atomic_file import sync
from layers.filesystem.file_lock import HAS_LOCKS, lock

MANIFEST = "publication.json"
#: Version of the manifest.
_FORM = 1
#: A path in the folder: of parts that no file system reads as another folder.
_PATH = re.compile(r"[^/\\\0]+(/[^/\\\0]+)*")


@dataclass(frozen=True)
class PublishedFile:
    """A file that is published."""

    #: In the folder, with slashes.
    path: str
    #: Gives its bytes, cited by a version of the data; ``None`` is the newest.
    render: Callable[[CitedVersion | None], bytes]
    #: Whether its bytes name that version. Such a file is left alone while it says the same of a later one.
    cited: bool = False
    #: Digest of all that its bytes follow from but that version: while it is the same they are not rendered again.
    #: ``None`` where nobody knows.
    follows: str | None = None


@dataclass(frozen=True)
class ManifestEntry:
    """What a manifest says of a file: digest, size, the hash of the change that cites it, and what it follows from.

    Of the hash it has 32 digits; a number, of files that were published before, is of no change that is known.
    """

    sha256: str
    size: int
    change: str | int | None = None
    follows: str | None = None


#: Of a file that no manifest lists.
_UNKNOWN = ManifestEntry("", 0)


@dataclass
class Publication:
    """What became of the files of a folder; ``files`` is the manifest afterwards."""

    files: dict[str, ManifestEntry] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes of all files but the manifest."""
        return sum(entry.size for entry in self.files.values())

    @property
    def kinds(self) -> Mapping[str, int]:
        """Number of files by ending."""
        return Counter(path.rpartition(".")[2] for path in self.files)


class PublishedFolder:
    """A folder that is, or is to be, a publication."""

    def __init__(self, path: Path) -> None:
        """Look at a folder; raises `FileExistsError` if there is something else."""
        self.path = path
        #: The version that was published, as its manifest names it; empty where there is none.
        self.history: Json = {}
        self.before = self._read()
        if self.before is None and path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise FileExistsError(f"{path} is no folder that was published before, and is not empty")

    def _read(self) -> Mapping[str, ManifestEntry] | None:
        manifest = self.path / MANIFEST
        if not manifest.is_file():
            return None
        try:
            document = orjson.loads(manifest.read_bytes())
            files = {path: ManifestEntry(**entry) for path, entry in document["files"].items()}
            self.history = dict(document.get("history", {}))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ExportError(f"{manifest} is no manifest of published files: {error}") from error
        if document.get("form") != _FORM or not all(map(is_safe, files)):
            raise ExportError(f"{manifest} is of another version of the program, or names files elsewhere")
        return files

    def forget(self) -> None:
        """Forget what files follow from, so that each is rendered and held against what there is."""
        if self.before is not None:
            self.before = {path: replace(entry, follows=None) for path, entry in self.before.items()}

    def publish(
        self,
        files: Iterable[PublishedFile],
        version: CitedVersion,
        known_version: Callable[[str], CitedVersion | None],
        about: Json,
        *,
        dry: bool = False,
    ) -> Publication:
        """Bring the folder to some files: write what differs, remove what was published and is no more.

        Parameters
        ----------
        version
            The newest version, by which new files are cited.
        known_version
            Gives an earlier version by digits of the hash of its last change; ``None`` where it is not known.
        about
            Members of the manifest besides the files.
        dry
            Whether nothing is written.

        Raises
        ------
        ExportError, OSError
            If a folder is a link, or a file cannot be written. Nothing is put in place before all files are whole.
        """
        done = Publication()
        with self._aside() as aside:
            for file in files:
                self._add(done, file, version, known_version, None if dry else aside)
            done.removed = sorted({*(self.before or {}), *self._subjects()} - done.files.keys())
            for folder in sorted({path.rpartition("/")[0] for path in (*done.files, *done.removed)}):
                if (self.path / folder).resolve() != self.path.resolve() / folder:
                    raise ExportError(f"{self.path / folder} is a link, or within one, and leads elsewhere: remove it")
            if not dry:
                self._put_in_place(aside, done, {"form": _FORM, **about})
        return done

    def _add(
        self,
        done: Publication,
        file: PublishedFile,
        version: CitedVersion,
        known_version: Callable[[str], CitedVersion | None],
        aside: Path | None,
    ) -> None:
        if not is_safe(file.path) or file.path in done.files or file.path == MANIFEST:
            raise ExportError(f"{file.path!r} is no name of a file to be published, or that of two")
        present, known = self._present(file.path), (self.before or {}).get(file.path)
        is_followed = known is not None and known.follows is not None and known.follows == file.follows
        if known and is_followed and present is not None and hashlib.sha256(present).hexdigest() == known.sha256:
            done.files[file.path] = known
            return
        was = known_version(known.change) if file.cited and known and isinstance(known.change, str) else None
        if known is not None and was is not None:
            content = file.render(was)
            if content == present:
                done.files[file.path] = replace(known, follows=file.follows)
                return
        content = file.render(version if file.cited else None)
        digest = hashlib.sha256(content).hexdigest()
        change = version.head.hash[:32] if file.cited else None
        done.files[file.path] = ManifestEntry(digest, len(content), change, file.follows)
        if content == present:
            return
        done.written.append(file.path)
        if aside is not None:
            target = aside / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def _present(self, path: str) -> bytes | None:
        file = self.path / path
        return file.read_bytes() if file.is_file() and not file.is_symlink() else None

    def _subjects(self) -> Iterator[str]:
        """Give the pages and answers about subjects, listed or not: one that was left earlier may be private by now."""
        for language in languages():
            for name in SUBJECT_FOLDERS:
                folder = self.path / language_folder(language) / name
                for ending in ("html", "json"):
                    yield from (file.relative_to(self.path).as_posix() for file in folder.rglob(f"*.{ending}"))

    @contextmanager
    def _aside(self) -> Iterator[Path]:
        """Give a folder beside this one, which is removed at the end unless it took its place; so are those left over.

        One that is at work holds a lock.
        """
        parent = Path(os.path.abspath(self.path)).parent
        parent.mkdir(parents=True, exist_ok=True)
        prefix = f".{self.path.name[:40]}-"
        for left in parent.glob(f"{glob.escape(prefix)}*.new") if HAS_LOCKS else ():
            with _locked(left) as is_left:
                if is_left:
                    shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(".new", prefix, parent))
        try:
            with _locked(folder):
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _put_in_place(self, aside: Path, done: Publication, about: Json) -> None:
        if self.before is None:
            self._write_manifest(aside, done.files, about)
            aside.chmod(0o755)
            if self.path.exists():
                self.path.rmdir()
            os.replace(aside, self.path)
            return
        if done.written or done.removed:
            left = {path: (self.before or {}).get(path, _UNKNOWN) for path in done.removed}
            self._write_manifest(self.path, {**left, **done.files}, about, aside)
        for path in done.written:
            target = self.path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(aside / path, target)
        for folder in {self._remove(self.path / path) for path in done.removed}:
            if folder.is_dir():  # or it went with another file
                sync(folder)
        self._write_manifest(self.path, done.files, about, aside)

    def _write_manifest(
        self, folder: Path, listed: Mapping[str, ManifestEntry], about: Json, aside: Path | None = None
    ) -> None:
        """Replace the manifest in a folder, by way of another one; nothing is done for an equal one."""
        files = {
            path: {name: value for name, value in asdict(entry).items() if value is not None}
            for path, entry in sorted(listed.items())
        }
        content = orjson.dumps({**about, "files": files}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        if content == self._present(MANIFEST):
            return
        fresh = (aside or folder) / MANIFEST
        fresh.write_bytes(content)
        sync(fresh)
        os.replace(fresh, folder / MANIFEST)
        sync(folder)

    def _remove(self, file: Path) -> Path:
        """Remove a file, and the folders that it leaves empty; give the folder that is left."""
        file.unlink(missing_ok=True)
        folder = file.parent
        while folder != self.path and not (folder.is_dir() and any(folder.iterdir())):
            if folder.is_dir():
                folder.rmdir()
            folder = folder.parent
        return folder


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Lock a folder against other processes, where folders can be; whether it was free."""
    if not HAS_LOCKS:
        yield True
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield lock(descriptor, wait=False)
    finally:
        os.close(descriptor)


def is_safe(path: str) -> bool:
    """Whether a path stays within the folder, on every system."""
    return _PATH.fullmatch(path) is not None and not {".", ".."} & set(path.split("/"))
