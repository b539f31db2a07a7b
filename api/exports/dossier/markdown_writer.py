"""Writes a dossier as Markdown (CommonMark, with the tables of GitHub), the map in it as a picture."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence

from api.exports.dossier import parts

#: ASCII signs of which any may begin what is no text (CommonMark 0.31, 2.4).
_SIGNS = re.compile(r"([\\`*_{}\[\]<>#|~&])")
#: What begins a block at the start of a line.
_OPENING = re.compile(r"^([0-9]{1,9})([.)])(?= )|^([-+=])")
#: Signs that may not stand in the address of a link, and the sign that begins how they are written.
_IN_LINKS = str.maketrans({sign: f"%{ord(sign):02X}" for sign in "% ()<>"})
_SPACES = re.compile(r"[\t\r\n\v\f ]+")


def markdown(dossier: parts.Dossier, picture: bytes) -> str:
    """Write a dossier.

    Parameters
    ----------
    picture
        The map as PNG, which stands at the end of the file as an address of its own; empty where there is none. Readers
        of Markdown that take pictures from such addresses at all do not take SVG.
    """
    headings = [part for part in dossier.parts if isinstance(part, parts.Heading)]
    blocks = [block for part in dossier.parts for block in _blocks(part, headings)]
    blocks.append(_escaped(dossier.foot))
    if picture:
        blocks.append(f"[map]: data:image/png;base64,{base64.b64encode(picture).decode()}")
    return "\n\n".join(blocks) + "\n"


def _blocks(part: parts.Part, headings: Sequence[parts.Heading]) -> Iterator[str]:
    match part:
        case parts.Heading(level, text, anchor):
            mark = f'<a id="{anchor}"></a>' if anchor else ""
            yield f"{mark}\n\n{'#' * level} {_escaped(text)}".strip()
        case parts.Paragraph(line):
            yield _line(line)
        case parts.Facts(rows):
            yield "\n".join(f"- **{_escaped(term)}:** {_line(said)}" for term, said in rows)
        case parts.Bullets(lines):
            yield "\n".join(f"- {_line(line)}" for line in lines)
        case parts.Table():
            yield from _table(part)
        case parts.Holders(rows):
            yield "\n".join(_holders(rows, 0))
        case parts.MapPart(alt, notes):
            yield f"![{_escaped(alt)}][map]"
            yield _escaped(notes)
        case parts.Contents(heading, level):
            yield f"## {_escaped(heading)}"
            shown = [one for one in headings if 2 <= one.level <= level and one.anchor]
            yield "\n".join(f"{'  ' * (one.level - 2)}- [{_escaped(one.text)}](#{one.anchor})" for one in shown)
        case parts.Numbered(lines):
            for number, line in enumerate(lines, 1):
                yield f'<a id="source-{number}"></a>\\[{number}\\] {_line(line)}'


def _table(part: parts.Table) -> Iterator[str]:
    if part.caption:
        yield f"**{_escaped(part.caption)}**"
    heads = "| " + " | ".join(_escaped(head) for head in part.heads) + " |"
    sides = "|" + "|".join("---:" if width < 0 else "---" for width in part.widths) + "|"
    rows = ["| " + " | ".join(_line(cell) for cell in row) + " |" for row in part.rows]
    yield "\n".join([heads, sides, *rows])


def _holders(rows: Sequence[parts.Holder], depth: int) -> Iterator[str]:
    space = "  " * depth
    for row in rows:
        said = " ".join([*((_escaped(row.aside),) if row.aside else ()), *(_line(line) for line in row.lines)])
        yield f"{space}- **{_escaped(row.name)}: {_escaped(row.figure)}**" + (f" {said}" if said else "")
        yield from _holders(row.below, depth + 1)


def _line(line: parts.Line) -> str:
    text = "".join(map(_run, line)).strip()
    return _OPENING.sub(lambda found: f"{found[1]}\\{found[2]}" if found[1] else f"\\{found[3]}", text)


def _run(run: parts.Run) -> str:
    text = _escaped(run.text)
    bare = text.strip()
    if run.style == "strong" and bare:
        text = text.replace(bare, f"**{bare}**")
    return f"[{text}]({_target(run.target)})" if run.target else text


def _target(address: str) -> str:
    """Write an address so that nothing in it ends the link."""
    return address.translate(_IN_LINKS) if any(sign in address for sign in " ()<>") else address


def _escaped(text: str) -> str:
    return _SIGNS.sub(r"\\\1", _SPACES.sub(" ", text))
