"""Copies the browser libraries out of node_modules into static/vendor, each with its licence.

Run as `python -m tools.build.vendor_javascript node_modules`. Nothing is fetched: npm has already checked what lies
in that folder against the lock file.
"""

import json
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "static" / "vendor"
#: Notices of packages that come without one, each named as the folder of its library.
NOTICES = Path(__file__).with_name("notices")

# A source map is not copied, so its address would only make the browser's tools ask in vain.
SOURCE_MAP = re.compile(rb"(?:\r?\n)?(?://|/\*)[#@] sourceMappingURL=[^\s*]*[ \t]*(?:\*/[ \t]*)?(?=[\r\n]|\Z)")
TEXT = {".css", ".js", ".mjs"}

SCRIPTS = ("latin", "latin-ext", "cyrillic", "cyrillic-ext", "greek")
WEIGHTS = (400, 700)


class MissingPackage(Exception):
    """A browser library, or a file of it, is not in node_modules."""


@dataclass(frozen=True)
class Library:
    """One npm package and the files of it that the browser is served."""

    package: str
    folder: str
    #: Its file of the licence, ``None`` where the package has none: its notice is then in `NOTICES`.
    licence: str | None
    files: tuple[str, ...]


LIBRARIES = (
    Library(
        "maplibre-gl",
        "maplibre-gl",
        "LICENSE.txt",
        ("dist/maplibre-gl.mjs", "dist/maplibre-gl-worker.mjs", "dist/maplibre-gl.css"),
    ),
    # Draws the base map of an operator who gives one in its schema; the browser is sent it in that case alone.
    Library("@protomaps/basemaps", "protomaps-basemaps", None, ("dist/esm/index.js",)),
    Library(
        "leaflet",
        "leaflet",
        "LICENSE",
        (
            "dist/leaflet.js",
            "dist/leaflet.css",
            "dist/images/layers.png",
            "dist/images/layers-2x.png",
            "dist/images/marker-icon.png",
            "dist/images/marker-icon-2x.png",
            "dist/images/marker-shadow.png",
        ),
    ),
    Library(
        "@fontsource/noto-sans",
        "fonts",
        "LICENSE",
        tuple(f"files/noto-sans-{s}-{w}-normal.woff2" for s in SCRIPTS for w in WEIGHTS),
    ),
)


def without_source_map(content: bytes) -> bytes:
    """Return a script or style sheet without its `sourceMappingURL` comments."""
    return SOURCE_MAP.sub(b"", content)


def served_name(file: str) -> str:
    """Return a file's path below its library's folder: its packager's first folder is left out."""
    return file.split("/", 1)[1]


def described(library: Library, node_modules: Path) -> dict[str, str]:
    """Return a library's name, version, licence (SPDX) and the folder it is served from.

    Raises
    ------
    MissingPackage
        The package is not installed.
    """
    try:
        about = json.loads((node_modules / library.package / "package.json").read_bytes())
    except FileNotFoundError:
        raise MissingPackage(
            f"{library.package} is not in {node_modules.name}: run `make setup` (or `npm ci`)"
        ) from None
    return {
        "name": library.package,
        "version": about["version"],
        "licence": about["license"],
        "folder": library.folder,
    }


def copy_library(library: Library, node_modules: Path, target: Path) -> None:
    """Copy a library's files and its licence to `target/<folder>`.

    Raises
    ------
    MissingPackage
        A listed file is not in the package, as after a release that renamed it.
    """
    source = node_modules / library.package
    names = {file: served_name(file) for file in library.files}
    if library.licence is None:
        (target / library.folder).mkdir(parents=True)
        shutil.copyfile(NOTICES / f"{library.folder}.txt", target / library.folder / "LICENSE")
    else:
        names[library.licence] = library.licence
    for file, name in names.items():
        path = source / file
        if not path.is_file():
            raise MissingPackage(f"{library.package} has no {file}: is it the locked version?")
        content = path.read_bytes()
        copy = target / library.folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(without_source_map(content) if path.suffix in TEXT else content)


def vendor(node_modules: Path, target: Path = VENDOR) -> None:
    """Fill `target` anew with every library and a `manifest.json` of what is there.

    The folder is put together beside its place and swapped in, so what is served is never half
    a release; files of an earlier release do not stay.

    Raises
    ------
    MissingPackage
        A library is not in `node_modules`; `target` is then untouched.
    """
    manifest = [described(library, node_modules) for library in LIBRARIES]
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".vendor-") as scratch:
        fresh = Path(scratch) / "fresh"
        for library in LIBRARIES:
            copy_library(library, node_modules, fresh)
        (fresh / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        if target.exists():
            target.rename(Path(scratch) / "old")
        fresh.rename(target)


def main() -> int:
    """Copy the libraries of the folder given; return the exit status, with what is missing on standard error."""
    try:
        vendor(Path(sys.argv[1]))
    except MissingPackage as missing:
        print(f"error: {missing}", file=sys.stderr)
        return 1
    size = sum(file.stat().st_size for file in VENDOR.rglob("*") if file.is_file())
    print(f"Copied {len(LIBRARIES)} browser libraries to {VENDOR.relative_to(ROOT)} ({size / 1e6:.1f} MB).")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
