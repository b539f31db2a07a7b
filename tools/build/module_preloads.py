"""Writes the links by which a page loads its modules at once into its head, instead of one import after the other.

Run as `python -m tools.build.module_preloads`; a test compares the page with what this would write.
"""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).resolve().parents[2] / "static"
PAGE = STATIC / "index.html"
#: Modules that the page begins with, that it imports once the list is there, and when a reader asks for what they show.
ENTRIES = ("begin.js", "app.js")
LATER = ("key.js", "credit.js", "print.js", "map.js")
ASKED_FOR = ("detail.js", "holdings.js", "capacity.js")
#: What the map is drawn by, which is far larger than all else.
LIBRARY = "vendor/maplibre-gl/maplibre-gl.mjs"
#: How the last line of an import begins, and how the links and what follows them do.
_IMPORT = ("import ", "export ", "} from ")
_LINK, _AFTER = '<link rel="modulepreload"', '<script type="module"'


def imported(entries: tuple[str, ...], static: Path = STATIC) -> list[str]:
    """Return the modules that some import, and those that these do, in the order in which a browser meets them."""
    found = dict.fromkeys(entries)
    waiting = list(entries)
    while waiting:
        text = (static / waiting.pop(0)).read_text(encoding="utf-8")
        fresh = [name for name in map(_imported_by, text.splitlines()) if name and name not in found]
        found |= dict.fromkeys(fresh)
        waiting += fresh
    return list(found)


def _imported_by(line: str) -> str | None:
    """Return the module of the same folder or below that a line imports."""
    statement, _, name = line.rpartition('"./')
    return name.removesuffix('";') if statement.startswith(_IMPORT) and name.endswith('";') else None


def with_preloads(page: str, static: Path = STATIC) -> str:
    """Return a page with the links of today's modules in place of those it has."""
    first = dict.fromkeys(name for entry in ENTRIES for name in imported((entry,), static))
    later = dict.fromkeys((*imported(LATER, static), LIBRARY, *imported(ASKED_FOR, static)))
    links = [f'<link rel="modulepreload" href="static/{name}">\n' for name in first]
    links += [
        f'<link rel="modulepreload" fetchpriority="low" href="static/{name}">\n' for name in later if name not in first
    ]
    before, _, after = page.partition(_AFTER)
    return "".join([before.partition(_LINK)[0], *links, _AFTER, after])


def main() -> None:
    """Write the links into the page of the map."""
    PAGE.write_text(with_preloads(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
