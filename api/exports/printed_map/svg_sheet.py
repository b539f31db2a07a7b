"""A printed map as one SVG: the frame with title, key, table and notes, each a named group, its text real text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from api.exports.printed_map.drawing import Letters, elements, group, svg_file
from api.exports.printed_map.lettering import POINT_MM, balanced_width, embedded_fonts, width_of, wrapped
from api.exports.printed_map.look import SheetLook
from api.exports.printed_map.map_frame import MapPicture
from api.exports.printed_map.sheet_contents import SheetContents, SheetRow
from api.exports.printed_map.story import StoryClass
from api.exports.printed_map.symbol_placement import cell_svg, circle, dot_svg

#: Line heights in parts of the size, and gaps in millimetres between columns and entries.
_TITLE_LINE, _LINE, _COLUMN_GAP, _ENTRY_GAP = 1.2, 1.32, 4.0, 3.0


@dataclass
class SheetBlock:
    """A group of the sheet, filled from the top down; ``y`` is where it ends."""

    name: str
    y: float
    parts: list[str | Letters] = field(default_factory=list)

    def lines(
        self, x: float, lines: Sequence[str], size: float, fill: str, bold: bool = False, line: float = _LINE
    ) -> None:
        """Write lines below what there is."""
        for text in lines:
            self.y += size * line
            # A word joiner has done its work once lines are broken, and programs may draw it as a box.
            self.parts.append(Letters(x, self.y, text.replace("\u2060", ""), size, fill, bold))

    @property
    def letters(self) -> list[Letters]:
        """Its texts."""
        return [part for part in self.parts if isinstance(part, Letters)]

    def svg(self) -> str:
        """Return the group."""
        return group(self.name, elements(self.parts), self.name)


def svg_sheet(picture: MapPicture, contents: SheetContents) -> bytes:
    """Set the sheet as one SVG of the width of the frame."""
    look, width, ink = picture.look, picture.size[0], picture.look.palette.ink
    title = SheetBlock("title", 0.0)
    size = look.title * POINT_MM
    wide = balanced_width(contents.title, size, width)
    title.lines(0.0, wrapped(contents.title, size, wide, True), size, ink, True, _TITLE_LINE)
    title.y += size * 0.3
    title.lines(0.0, wrapped(contents.subtitle, look.subtitle * POINT_MM, width), look.subtitle * POINT_MM, ink)
    top = title.y + 2.0
    key = key_block(picture, contents, top + picture.size[1] + 1.2)
    rows = _table(contents, look, key.y + 1.5, width) if not picture.is_full else SheetBlock("table", key.y)
    notes = SheetBlock("notes", rows.y + 1.0)
    tiny = look.tiny * POINT_MM
    notes.lines(0.0, wrapped(" ".join(contents.notes), tiny, width), tiny, look.palette.soft)
    blocks = [block for block in (key, rows, notes) if block.parts]
    frame = group("map", f'<g transform="translate(0 {top:.2f})">{picture.drawing.body(False)}</g>', "map")
    body = title.svg() + frame + "".join(block.svg() for block in blocks)
    numbers = "".join(str(one.number) for one in picture.story.numbered)
    texts = [letters.text for block in (title, *blocks) for letters in block.letters]
    style = embedded_fonts([*texts, *(letters.text for letters in picture.drawing.texts), numbers])
    whole = svg_file(
        (width, notes.y + 1.0), body, contents.title, contents.spoken, picture.subject.words.language, style
    )
    return whole.encode()


def key_block(picture: MapPicture, contents: SheetContents, top: float) -> SheetBlock:
    """Draw the key in lines of the width of the frame from ``top`` down; some classes are dots on the map."""
    block, look, width, dotted = SheetBlock("key", top), picture.look, picture.size[0], picture.story.dotted
    size, ink, x, y = look.small * POINT_MM, look.palette.ink, 0.0, top
    height = size * 1.35
    entries = [(_sign(kind, look, kind in dotted), text) for kind, text in contents.key]
    entries += [(_sample(name, look), text) for name, text in contents.samples]
    for sign, text in entries:
        need = 5.4 + width_of(text, size)
        if x and x + need > width:
            x, y = 0.0, y + height * 1.3
        block.parts.append(f'<g transform="translate({x:.2f} {y:.2f})">{sign}</g>')
        block.parts.append(Letters(x + 5.4, y + height * 0.5 + size * 0.36, text, size, ink))
        x += need + _ENTRY_GAP
    block.y = y + height * 1.2
    return block


def _sign(kind: StoryClass, look: SheetLook, is_dot: bool) -> str:
    side, drawn = look.small * POINT_MM * 1.35, look.palette.classes[kind]
    if is_dot:
        return dot_svg((side / 2 + 0.4, side / 2), look.dot * 1.3, drawn)
    return cell_svg((0.6, 0.0), (side, side), "", drawn, look)


def _sample(name: str, look: SheetLook) -> str:
    """A sign of the key that is no class."""
    palette, middle = look.palette, look.small * POINT_MM * 0.67
    if name == "circle":
        return (
            f'<circle cx="2.2" cy="{middle:.2f}" r="{middle * 0.9:.2f}" fill="{palette.soft}" fill-opacity="0.07" '
            f'stroke="{palette.soft}" stroke-width="0.2" stroke-dasharray="0.7 0.5"/>'
        )
    colour, width, dash = {
        "struck": (palette.struck, look.line * 1.7, ""),
        "pipe": (palette.pipe, look.line * 0.8, ""),
        "former": (palette.coast, 0.2, ' stroke-dasharray="0.5 0.4"'),
        "either": (palette.ink, 0.22, ' stroke-dasharray="0.7 0.5"'),
    }[name]
    mark = f'<path d="M0.5 {middle:.2f}h4" stroke="{colour}" stroke-width="{width:.2f}" fill="none"{dash}/>'
    ends = (circle((x, middle), look.dot, "#fff", palette.ink) for x in (0.6, 4.4))
    return mark + "".join(ends) if name == "either" else mark


def _table(contents: SheetContents, look: SheetLook, top: float, width: float) -> SheetBlock:
    """Set the rows in columns of about the same height."""
    block = SheetBlock("table", top)
    if not contents.rows:
        return block
    columns = look.columns if len(contents.rows) > 8 else 1
    wide = (width - (columns - 1) * _COLUMN_GAP) / columns
    length = -(-len(contents.rows) // columns)
    bottom = top
    for column in range(columns):
        block.y = top
        for row in contents.rows[column * length : (column + 1) * length]:
            _row(block, row, column * (wide + _COLUMN_GAP), wide, look)
        bottom = max(bottom, block.y)
    block.y = bottom
    return block


def _row(block: SheetBlock, row: SheetRow, x: float, width: float, look: SheetLook) -> None:
    size, palette = look.small * POINT_MM, look.palette
    side = size * 1.35
    room = width - side * 1.6 - 1.0
    block.parts.append(f'<path d="M{x:.2f} {block.y + 0.25:.2f}h{width:.2f}" stroke="#bbbbbb" stroke-width="0.12"/>')
    cell = max(side, width_of(str(row.number), size * 0.92, True) + side * 0.42)
    block.parts.append(
        cell_svg((x + 0.3, block.y + 0.5), (cell, look.symbol), str(row.number), palette.classes[row.kind], look)
    )
    left = x + side * 1.6 + 1.0
    block.lines(left, wrapped(row.title, size, room, True), size, palette.ink, True)
    cited = f" [{row.sources}]" if row.sources else ""
    block.lines(left, wrapped(f"{row.date} · {row.owners} · {row.place}{cited}", size, room), size, palette.soft)
    block.y += size * 0.35
