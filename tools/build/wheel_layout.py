"""Lays the wheel out: all under one name, ``strikeatlas``, with vendor files, records and base map inside.

In a checkout the rings are folders at the top, and modules import each other as ``geo.lonlat`` or ``layers.model``. As
top-level names of an environment these would collide with anything. So the wheel has them as ``strikeatlas.geo`` and so
on, and this hook of hatchling writes the new name into each import, where the grammar of Python has one; no other byte
of a module changes. What else was weighed:

- to move the folders into ``src/strikeatlas``: the house would no longer be what one sees first, for the sake of a file
  that few look into;
- relative imports: they cannot cross top-level folders, and hide from a reader which ring is imported;
- an alias at run time, by a finder or by ``sys.path``: ``import geo`` would work, and collide, as soon as the package
  was imported; and type checkers, pickles and tracebacks would know two names of one module.

An editable installation leaves the folders where they are, ``strikeatlas`` beside them.
"""

from __future__ import annotations

import ast
import re
import tempfile
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "strikeatlas"
RINGS = ("geo", "layers", "api")
#: Folders whose files are in the wheel.
FOLDERS = (*RINGS, "static", PACKAGE)
#: What `make setup` leaves in these folders, without which the program would lack something.
REQUIRED = ("static/vendor/manifest.json", "layers/reference/data/gazetteer.sqlite")

_FROM = re.compile(rb"from[ \t]+")


class LayoutError(Exception):
    """A checkout that cannot become a wheel."""


class WheelLayout(BuildHookInterface[Any]):
    """The hook, which hatchling finds by its base class."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name every file of the wheel; modules as they are with the imports of the wheel."""
        if version == "editable":
            return
        root = Path(self.root)
        missing = [name for name in REQUIRED if not (root / name).exists()]
        if missing:
            raise LayoutError(f"run `make setup` first: there is no {', '.join(missing)}")
        # Removed with the hook, whether or not the build succeeds.
        self._aside = tempfile.TemporaryDirectory(prefix="strikeatlas-wheel-")
        names = list(files(root))
        modules = frozenset(map(module_name, names))
        for name in names:
            source = root / name
            if source.suffix == ".py":
                text = source.read_bytes()
                source = Path(self._aside.name, name)
                source.parent.mkdir(parents=True, exist_ok=True)
                try:
                    source.write_bytes(with_package(text, modules))
                except LayoutError as error:
                    raise LayoutError(f"{name}: {error}") from error
            build_data["force_include"][str(source)] = name if name.startswith(f"{PACKAGE}/") else f"{PACKAGE}/{name}"


def files(root: Path) -> Iterator[str]:
    """Yield the files of a checkout that are in the wheel, as paths with slashes, in their order."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(root).as_posix()


def module_name(path: str) -> str:
    """Return the dotted name of a file of a checkout; a package has that of its folder."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def with_package(source: bytes, modules: Set[str] = frozenset()) -> bytes:
    """Return a module that imports the rings as parts of the package.

    Parameters
    ----------
    source
        In UTF-8.
    modules
        Dotted names of all modules.

    Raises
    ------
    LayoutError
        If it names a module in a string, which would be the name of nothing in the wheel.

    Examples
    --------
    >>> with_package(b"from geo.lonlat import Ints")
    b'from strikeatlas.geo.lonlat import Ints'
    >>> with_package(b"import api.app; api.app.create_app()")
    b'import strikeatlas.api.app; strikeatlas.api.app.create_app()'
    """
    tree = ast.parse(source)
    lines = source.splitlines(keepends=True)
    for line, column in sorted(_places(tree, lines), reverse=True):
        row = lines[line - 1]
        lines[line - 1] = row[:column] + f"{PACKAGE}.".encode() + row[column:]
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_ring(node.value):
            name = node.value.partition(":")[0]
            if "." in name and name in modules:
                raise LayoutError(f"line {node.lineno} names the module {name} in a string")
    return b"".join(lines)


def _places(tree: ast.Module, lines: list[bytes]) -> Iterator[tuple[int, int]]:
    """Yield line, from 1, and byte, from 0, of each name of a ring that an import has or binds."""
    bound: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level and _is_ring(node.module):
            start = _FROM.match(lines[node.lineno - 1], node.col_offset)
            if start is None:
                raise LayoutError(f"line {node.lineno}: expected from and a module in one line")
            yield node.lineno, start.end()
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if _is_ring(alias.name):
                    yield alias.lineno, alias.col_offset
                    if alias.asname is None:
                        bound.add(alias.name.partition(".")[0])
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in bound:
            yield node.lineno, node.col_offset


def _is_ring(name: str) -> bool:
    return name.partition(".")[0] in RINGS
