"""The rooms of the house and what they import, read from the code: `python -m tests.architecture` writes them to docs/.

Draws docs/img/house.svg and fills the table of rooms in docs/architecture.md; `make docs` runs it, and
tests/test_architecture.py holds the rooms to their order and the page to the code.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "img" / "house.svg"
PAGE = ROOT / "docs" / "architecture.md"

#: The rooms in import order: a module may import its own room and those before it. A room is a folder, or a file that
#: stands beside the folders of its ring. docs/architecture.md draws this list. Each has the number of lines of Python
#: that it may have at most: raised only with a reason, in the commit that needs them.
ROOMS: Mapping[str, int] = {
    "geo.errors": 50,
    "geo.lonlat": 200,
    "geo.columnar": 1_050,
    "geo.antimeridian": 250,
    "geo.geojson": 300,
    "geo.tiles": 2_200,
    "geo.spatial_join": 1_200,
    "layers.filesystem": 250,
    "layers.model": 1_900,
    "layers.text": 1_850,
    "layers.geopackage": 450,
    "layers.reference": 2_500,
    "layers.store": 7_500,
    "layers.decisions": 350,
    "layers.disclosure": 500,
    "layers.resolution": 2_950,
    "layers.ownership": 2_800,
    "layers.sources.files": 1_850,
    "layers.sources.reader": 1_850,
    "layers.sources.curated": 150,
    "layers.sources.data_package": 150,
    "layers.sources.strikes": 2_400,
    "layers.sources.gem": 2_000,
    "layers.sources.osm": 850,
    "layers.sources.wri": 250,
    "layers.sources.bods": 1_500,
    "layers.sources.gleif": 350,
    "layers.sources.wikidata": 500,
    "layers.sources.firms": 250,
    "layers.sources.column_mapping": 2_780,
    "layers.sources.registry": 100,
    "layers.ingest": 1_470,
    "layers.matching": 2_600,
    "layers.attribution": 2_250,
    "layers.collections": 2_700,
    "layers.query": 3_850,
    "layers.snapshot": 3_550,
    "layers.corrections": 1_500,
    "layers.batch": 900,
    "api.http.json": 50,
    "api.wording": 600,
    "api.terminal": 750,
    "api.exports": 6_000,
    "api.requests": 2_250,
    "api.settings": 300,
    "api.http": 1_950,
    "api.serializers": 2_150,
    "api.styles": 1_000,
    "api.formats": 1_700,
    "api.rendering": 550,
    "api.server": 1_850,
    "api.python": 1_250,
    "api.esri": 1_150,
    "api.openapi": 1_050,
    "api.html": 2_150,
    "api.responses": 860,
    "api.routes": 3_900,
    "api.app": 200,
    "api.publishing": 1_750,
    "api.cli": 4_000,
}

#: Rooms of one publisher each: none imports another, as what they share is in `layers.sources.reader`.
PUBLISHERS = ("strikes", "gem", "osm", "wri", "bods", "gleif", "wikidata", "firms", "column_mapping")

# --- reading the code -------------------------------------------------------------------------


def modules(ring: str) -> list[Path]:
    """Return the Python files of a top-level folder in the order of their paths."""
    return sorted((ROOT / ring).rglob("*.py"))


def dotted(path: Path) -> str:
    """Return the import name of a Python file; a package has the name of its folder."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES: Mapping[str, Path] = {dotted(path): path for ring in ("geo", "layers", "api") for path in modules(ring)}


@cache
def _imports(source: str) -> tuple[ast.Import | ast.ImportFrom, ...]:
    return tuple(node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.Import, ast.ImportFrom)))


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted name of each import anywhere in a module, also inside functions."""
    for node in _imports(path.read_text(encoding="utf-8")):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        else:
            yield "." * node.level + (node.module or "")
            yield from (f"{node.module}.{alias.name}" for alias in node.names if not node.level)


def module_imports(path: Path) -> set[str]:
    """Return which modules of the three rings a module imports; a package only where a name of its own is taken."""
    found: set[str] = set()
    for node in _imports(path.read_text(encoding="utf-8")):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        else:
            names = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            found.update(whole if whole in MODULES else str(node.module) for whole in names.values())
    return found & MODULES.keys()


@cache
def room(name: str) -> str | None:
    """Return the room of a dotted name, None for what is in no room (rings, other packages)."""
    return next((known for known in ROOMS if name == known or name.startswith(f"{known}.")), None)


def lines_by_room() -> dict[str, int]:
    """Return how many lines of Python each room has."""
    found = dict.fromkeys(ROOMS, 0)
    for name, path in MODULES.items():
        if own := room(name):
            found[own] += len(path.read_text(encoding="utf-8").splitlines())
    return found


# --- drawing ----------------------------------------------------------------------------------

#: Sizes in pixels.
WIDTH, BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y, MARGIN = 1180, 148, 34, 14, 26, 24

STYLE = """
  svg { font-family: system-ui, sans-serif; background: #ffffff; }
  .ring { fill: #f4f6f8; stroke: #c9d1d9; }
  .box { fill: #ffffff; stroke: #57606a; }
  text { fill: #1f2328; font-size: 14px; text-anchor: middle; dominant-baseline: central; }
  .title { font-size: 16px; font-weight: 600; text-anchor: start; }
  .rule { font-size: 13px; text-anchor: start; fill: #57606a; }
  .arrow { stroke: #8c959f; fill: none; }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117; } .ring { fill: #161b22; stroke: #30363d; } .box { fill: #0d1117; stroke: #8b949e; }
    text { fill: #e6edf3; } .rule { fill: #8b949e; } .arrow { stroke: #6e7681; }
  }
"""

RULES = {
    "api": "how it is asked for: HTTP, command line, pages, files",
    "layers": "what is known: records, owners, matches, answers",
    "geo": "space only: coordinates, distances, tiles",
}


class Box(NamedTuple):
    """A room in the picture: its name and its upper left corner."""

    name: str
    x: float
    y: float


def drawn(name: str) -> str:
    """Return the box that stands for a room: the rooms of layers.sources share one."""
    return "layers.sources" if name.startswith("layers.sources") else name


def arrows() -> dict[str, set[str]]:
    """Return what each drawn room imports, of its own ring only."""
    found: dict[str, set[str]] = {drawn(name): set() for name in ROOMS}
    for name, path in MODULES.items():
        own = room(name)
        if own is None:
            continue
        for other in module_imports(path):
            target = room(other)
            if target and target.split(".")[0] == own.split(".")[0]:
                found[drawn(own)].add(drawn(target))
    return {name: others - {name} for name, others in found.items()}


def reduced(edges: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Return the arrows without those that follow from others (the transitive reduction of an acyclic graph)."""

    def reach(name: str) -> set[str]:
        return set().union(*({other} | reach(other) for other in edges[name]))

    return {name: others - set().union(*(reach(other) for other in others)) for name, others in edges.items()}


def levels(edges: Mapping[str, set[str]]) -> dict[str, int]:
    """Return how many rooms stand below each at most."""
    found: dict[str, int] = {}

    def level(name: str) -> int:
        if name not in found:
            found[name] = max((level(other) + 1 for other in edges[name]), default=0)
        return found[name]

    for name in edges:
        level(name)
    return found


def rows_of(ring: str, edges: Mapping[str, set[str]]) -> list[list[str]]:
    """Return the rooms of a ring by level, the highest first; within a row in the order of `ROOMS`."""
    own = {name: others for name, others in edges.items() if name.split(".")[0] == ring}
    height = levels(own)
    return [[name for name in own if height[name] == level] for level in sorted(set(height.values()), reverse=True)]


def untangled(rows: Sequence[Sequence[str]], edges: Mapping[str, set[str]]) -> list[list[str]]:
    """Return the rows with rooms near those that they build on or carry (barycentres, Sugiyama and others, 1981)."""
    carriers: dict[str, set[str]] = {name: {other for other in edges if name in edges[other]} for name in edges}
    ordered = [list(row) for row in rows]
    for neighbours, down in ((edges, False), (carriers, True)) * 4:
        at = {name: i - (len(row) - 1) / 2 for row in ordered for i, name in enumerate(row)}
        for row in ordered if down else reversed(ordered):

            def middle(name: str) -> float:
                near = [at[other] for other in neighbours[name] if other in at]  # noqa: B023
                return sum(near) / len(near) if near else at[name]  # noqa: B023

            row.sort(key=middle)
            at |= {name: i - (len(row) - 1) / 2 for i, name in enumerate(row)}
    return ordered


def place(rows: Sequence[Sequence[str]], top: float) -> list[Box]:
    """Return the boxes of a ring, each row centred."""
    boxes = []
    for at, row in enumerate(rows):
        left = (WIDTH - len(row) * BOX_WIDTH - (len(row) - 1) * GAP_X) / 2
        y = top + 44 + at * (BOX_HEIGHT + GAP_Y)
        boxes += [Box(name, left + i * (BOX_WIDTH + GAP_X), y) for i, name in enumerate(row)]
    return boxes


def svg() -> str:
    """Return the picture: a ring a band, a room a box, an arrow from each room to those that it builds on."""
    edges = arrows()
    slim = reduced(edges)
    parts, top, boxes = [], float(MARGIN), {}
    for ring in ("api", "layers", "geo"):
        rows = untangled(rows_of(ring, edges), slim)
        height = 44 + len(rows) * (BOX_HEIGHT + GAP_Y)
        parts.append(
            f'<rect class="ring" x="{MARGIN / 2}" y="{top:g}" width="{WIDTH - MARGIN}" height="{height:g}" rx="8"/>'
        )
        parts.append(f'<text class="title" x="{MARGIN}" y="{top + 22:g}">{ring}/</text>')
        parts.append(f'<text class="rule" x="{MARGIN + 70}" y="{top + 22:g}">{escape(RULES[ring])}</text>')
        boxes |= {box.name: box for box in place(rows, top)}
        top += height + MARGIN
    parts += [line(boxes[name], boxes[other]) for name, others in slim.items() for other in sorted(others)]
    parts += [shape for box in boxes.values() for shape in outline(box)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top:g}" role="img" '
        f'aria-label="The rooms of StrikeAtlas and what they import">\n<style>{STYLE}</style>\n'
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="arrow" d="M1 1 7 4 1 7"/></marker></defs>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def outline(box: Box) -> Iterable[str]:
    """Return the rectangle and the name of a room."""
    yield f'<rect class="box" x="{box.x:g}" y="{box.y:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="5"/>'
    label = box.name.split(".", 1)[1]
    yield f'<text x="{box.x + BOX_WIDTH / 2:g}" y="{box.y + BOX_HEIGHT / 2:g}">{escape(label)}</text>'


def line(start: Box, end: Box) -> str:
    """Return the arrow from the foot of a room to the head of one below it."""
    x1, y1 = start.x + BOX_WIDTH / 2, start.y + BOX_HEIGHT
    x2, y2 = end.x + BOX_WIDTH / 2, end.y - 2
    middle = (y1 + y2) / 2
    curve = f"M{x1:g} {y1:g}C{x1:g} {middle:g} {x2:g} {middle:g} {x2:g} {y2:g}"
    return f'<path class="arrow" marker-end="url(#head)" d="{curve}"/>'


# --- the page ---------------------------------------------------------------------------------

BEGIN, END = "<!-- rooms: written by make docs -->\n", "<!-- end of rooms -->\n"


def rule(name: str) -> str:
    """Return the first sentence of a room: that of its package, or of the module that the room is."""
    docstring = ast.get_docstring(ast.parse(MODULES[name].read_text(encoding="utf-8"))) or ""
    return " ".join(docstring.split("\n\n")[0].split())


def table() -> str:
    """Return the rooms in import order: what each is for, and its lines; the picture has what it imports."""
    lines = ["| room | what it is for | lines at most |", "|---|---|---|"]
    for name in ROOMS:
        folder = name.replace(".", "/") + ("/" if MODULES[name].stem == "__init__" else ".py")
        lines.append(f"| `{folder}` | {rule(name)} | {ROOMS[name]:,} |")
    lines.append(f"| all | | {sum(ROOMS.values()):,} |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """Return docs/architecture.md with its table of rooms as the code has it."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    PICTURE.write_text(svg(), encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
