"""Noto Sans as it is vendored: how wide text is, which letters it has, and the same fonts as files for Typst.

The fonts are subsets by script, as web pages load them. A letter is taken from the first subset that has it, and only
the subsets that a text needs are unpacked.
"""

from __future__ import annotations

import base64
import io
import logging
import tempfile
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from fontTools import subset
from fontTools.merge import Merger
from fontTools.ttLib import TTFont

from api.exports.text import STATIC

# The vendored fonts are of 1970 by their dates, of which it warns at each reading.
logging.getLogger("fontTools.ttLib.tables._h_e_a_d").setLevel(logging.ERROR)

FAMILY = "Noto Sans"
#: Millimetres in a point.
POINT_MM = 25.4 / 72
FOLDER = STATIC / "vendor" / "fonts"
_SCRIPTS = ("latin", "cyrillic", "latin-ext", "cyrillic-ext", "greek")
#: Stands for letters that the fonts lack (U+FFFD is in the first subset).
_REPLACEMENT = "\ufffd"
#: Joiners and the like, which are passed over where a font lacks them.
_UNSEEN = frozenset("\u200b\u2060\u00ad")
#: Height of capitals, and depth below the line, in parts of the size.
CAPITALS, DESCENT = 0.76, 0.22
#: How far waters lean, in degrees: the vendored fonts have no italics.
LEAN_DEG = 10.0


def _font(script: str, bold: bool) -> TTFont:
    """Open a subset of the vendored font."""
    font = TTFont(FOLDER / f"noto-sans-{script}-{700 if bold else 400}-normal.woff2", recalcTimestamp=False)
    font.flavor = None
    return font


@cache
def _advances(script: str, bold: bool) -> Mapping[int, float]:
    """Advance widths of a subset in parts of the size by character."""
    font = _font(script, bold)
    widths, em = font["hmtx"], font["head"].unitsPerEm
    return {code: widths[glyph][0] / em for code, glyph in font.getBestCmap().items()}


@cache
def _advance(letter: str, bold: bool) -> float | None:
    """Advance width of a letter in parts of the size, ``None`` where no font has it."""
    if letter in _UNSEEN:
        return 0.0
    for script in _SCRIPTS:
        width = _advances(script, bold).get(ord(letter))
        if width is not None:
            return width
    return None


def printable(text: str) -> str:
    """Return a text with the replacement character for letters that the fonts lack, and spaces for control ones.

    Letters are composed (Unicode NFC). A mark that stays apart from its letter is left out: no page can be set with it.
    """
    composed = unicodedata.normalize("NFC", text)
    seen = (letter for letter in composed if not unicodedata.combining(letter))
    shown = "".join(letter if letter.isprintable() or letter in "\u00a0\u2060\u200b" else " " for letter in seen)
    return "".join(letter if _advance(letter, False) is not None else _REPLACEMENT for letter in shown)


def width_of(text: str, size: float, bold: bool = False, spacing: float = 0.0) -> float:
    """Return the advance width of a text in the unit of its size; kerning, which only draws closer, is left out."""
    wide = sum(_advance(letter, bold) or _advance(_REPLACEMENT, bold) or 0.6 for letter in text)
    return wide * size + spacing * max(len(text) - 1, 0)


def wrapped(text: str, size: float, width: float, bold: bool = False) -> list[str]:
    """Break a text into lines no wider than a width; a single word that is wider goes on in the next line."""
    lines, line = list[str](), ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line and width_of(longer, size, bold) > width:
            lines.append(line)
            longer = word
        line = longer
        while width_of(line, size, bold) > width and len(line) > 1:
            shorter = range(1, len(line))
            fits = bisect_right(shorter, width, key=lambda letters: width_of(line[:letters], size, bold)) or 1
            lines.append(line[:fits])
            line = line[fits:]
    return [*lines, line] if line else lines


def balanced_width(text: str, size: float, width: float) -> float:
    """Return the least width that breaks a bold title into no more lines, so that no word is left alone."""
    lines = len(wrapped(text, size, width, True))
    while lines > 1 and width > 30 and len(wrapped(text, size, width - 1, True)) == lines:
        width -= 1
    return width


def font_folder(texts: Iterable[str]) -> tempfile.TemporaryDirectory[str]:
    """Write both weights with the letters of texts to a folder, which is removed with the object that is returned."""
    folder = tempfile.TemporaryDirectory(prefix="strikeatlas-fonts-")
    letters = _letters(texts)
    for bold in (False, True):
        (Path(folder.name) / f"{'bold' if bold else 'regular'}.ttf").write_bytes(_one_font(letters, bold, None))
    return folder


def embedded_fonts(texts: Iterable[str]) -> str:
    """Return rules of CSS that carry the letters of texts: they are as wide everywhere as they were measured."""
    letters = _letters(texts)
    weights = {400: _one_font(letters, False, "woff2"), 700: _one_font(letters, True, "woff2")}
    fonts = ((weight, base64.b64encode(font).decode()) for weight, font in weights.items())
    return "".join(
        f"@font-face{{font-family:'{FAMILY}';font-weight:{weight};src:url(data:font/woff2;base64,{data})}}"
        for weight, data in fonts
    )


def _letters(texts: Iterable[str]) -> frozenset[int]:
    return frozenset(map(ord, "".join(texts) + _REPLACEMENT + " 0123456789"))


def _one_font(letters: frozenset[int], bold: bool, flavor: str | None) -> bytes:
    """Join what letters need of the subsets to one font: of several of one name a program may take the wrong one."""
    left, parts = set(letters), list[io.BytesIO]()
    for script in _SCRIPTS:
        if own := left & _advances(script, bold).keys():
            parts.append(io.BytesIO(_only(_font(script, bold), own)))
            left -= own
        if not left:
            break
    whole = Merger().merge(parts) if len(parts) > 1 else TTFont(parts[0])
    whole.recalcTimestamp, whole.flavor = False, flavor
    # The moment of joining would make equal maps differ.
    whole["head"].created = whole["head"].modified = 0
    written = io.BytesIO()
    whole.save(written)
    return written.getvalue()


def _only(font: TTFont, letters: Iterable[int]) -> bytes:
    """Cut a subset to letters; kerning goes too, as widths are measured without it."""
    options = subset.Options(layout_features=[], hinting=False, notdef_outline=True)
    options.drop_tables += ["GDEF", "GPOS", "GSUB", "FFTM", "STAT", "gasp"]
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=sorted(letters))
    cutter.subset(font)
    written = io.BytesIO()
    subset.save_font(font, written, options)
    return written.getvalue()
