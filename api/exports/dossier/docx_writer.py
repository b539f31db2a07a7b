"""Writes a dossier as a Word document (Office Open XML, ISO/IEC 29500) with headings, contents, links and page numbers.

python-docx writes the package; what it has no words for, such as fields and bookmarks, is added as elements.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from docx import Document
from docx.document import Document as DocxDocument
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.text.paragraph import Paragraph as DocxParagraph

from api.exports.dossier import parts

_FONT, _QUIET, _LINK = "Noto Sans", RGBColor(0x55, 0x60, 0x6C), RGBColor(0x0B, 0x57, 0xA4)
_PAGE_MM, _SIDE_MM = (210.0, 297.0), 18.0
_TEXT_MM = _PAGE_MM[0] - 2 * _SIDE_MM
#: Points of the headings by level, and of text, tables and notes.
_HEADINGS, _TEXT, _SMALL, _TINY = {1: 17, 2: 13.5, 3: 11.5, 4: 9.5}, 9, 8, 7
#: Deeper holders are set no further in; the text of a row says what it holds.
_DEEPEST = 12
#: Names of places in a document begin with a letter and have no hyphen.
_MARK = str.maketrans({"-": "_"})
#: The first moment that a ZIP file can name.
_FIRST_MOMENT = (1980, 1, 1, 0, 0, 0)


def docx(dossier: parts.Dossier, picture: bytes) -> bytes:
    """Write a dossier.

    ``picture``: the map as PNG; empty where the dossier has none.
    """
    writer = _Writer(dossier)
    for part in dossier.parts:
        writer.write(part, picture)
    file = io.BytesIO()
    writer.document.save(file)
    return _undated(file)


def _undated(package: io.BytesIO) -> bytes:
    """Write the package again without the moment at which it was written: equal input gives equal bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(package) as read, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as written:
        for name in read.namelist():
            entry = zipfile.ZipInfo(name, _FIRST_MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            written.writestr(entry, read.read(name))
    return file.getvalue()


class _Writer:
    """Adds parts to a document."""

    def __init__(self, dossier: parts.Dossier) -> None:
        self.document: DocxDocument = Document()
        self._dossier = dossier
        self._marks = 0
        self._headings = [part for part in dossier.parts if isinstance(part, parts.Heading)]
        _styled(self.document, dossier)
        self._ends()

    def write(self, part: parts.Part, picture: bytes) -> None:
        """Add a part."""
        match part:
            case parts.Heading(level, text, anchor):
                paragraph = self.document.add_paragraph(_clean(text), style=f"Heading {level}")
                if anchor:
                    self._mark(paragraph, anchor)
            case parts.Paragraph(line):
                self._line(self.document.add_paragraph(), line)
            case parts.Facts(rows):
                for term, said in rows:
                    self._line(self.document.add_paragraph(style="Fact"), [parts.Run(f"{term}: ", "strong"), *said])
            case parts.Bullets(lines):
                for line in lines:
                    self._line(self.document.add_paragraph(style="List Bullet"), line)
            case parts.Table():
                self._table(part)
            case parts.Holders(rows):
                self._holders(rows, 0)
            case parts.MapPart():
                self._map(part, picture)
            case parts.Contents():
                self._contents(part)
            case parts.Numbered(lines):
                for number, line in enumerate(lines, 1):
                    paragraph = self.document.add_paragraph(style="Source")
                    self._line(paragraph, [parts.Run(f"[{number}] "), *line])
                    self._mark(paragraph, f"source-{number}")

    def _ends(self) -> None:
        """Write header and foot of the pages, with their numbers."""
        section = self.document.sections[0]
        head, foot = section.header.paragraphs[0], section.footer.paragraphs[0]
        for paragraph, text in ((head, self._dossier.title), (foot, f"{self._dossier.foot} · ")):
            self._line(paragraph, parts.plain(text, soft=True))
        for words, name in zip(self._dossier.page, ("PAGE", "NUMPAGES"), strict=True):
            self._line(foot, parts.plain(words, soft=True))
            _field(foot, name)

    def _line(self, paragraph: DocxParagraph, line: parts.Line) -> None:
        for run in line:
            written = paragraph.add_run(_clean(run.text))
            if run.style == "strong":
                written.font.bold = True
            elif run.style == "soft":
                written.font.color.rgb, written.font.size = _QUIET, Pt(_SMALL)
            if not run.target:
                continue
            link, written.font.color.rgb = _element("hyperlink"), _LINK
            if run.target.startswith("#"):
                link.set(qn("w:anchor"), _anchor(run.target[1:]))
            else:
                key = paragraph.part.relate_to(run.target, RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
                link.set(qn("r:id"), key)
            link.append(written._r)
            paragraph._p.append(link)

    def _mark(self, paragraph: DocxParagraph, anchor: str) -> None:
        """Give a paragraph a name that links lead to."""
        self._marks += 1
        begin = _element("bookmarkStart", id=str(self._marks), name=_anchor(anchor))
        paragraph._p.insert(1 if paragraph._p.pPr is not None else 0, begin)
        paragraph._p.append(_element("bookmarkEnd", id=str(self._marks)))

    def _table(self, part: parts.Table) -> None:
        if part.caption:
            caption = self.document.add_paragraph(style="Row")
            self._line(caption, parts.plain(part.caption, strong=True))
            caption.paragraph_format.keep_with_next = True
        table = self.document.add_table(rows=0, cols=len(part.heads), style="Table Grid")
        table.autofit = False
        whole = sum(map(abs, part.widths))
        for number, row in enumerate([[parts.plain(head, strong=True) for head in part.heads], *part.rows]):
            cells = table.add_row()
            for name in ("cantSplit", "tblHeader") if number == 0 else ("cantSplit",):
                cells._tr.get_or_add_trPr().append(_element(name))
            for cell, line, width in zip(cells.cells, row, part.widths, strict=True):
                cell.width = Mm(_TEXT_MM * abs(width) / whole)
                paragraph = cell.paragraphs[0]
                paragraph.style = self.document.styles["Cell"]
                if width < 0:
                    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
                self._line(paragraph, line)
        self.document.add_paragraph(style="Cell")

    def _holders(self, rows: Sequence[parts.Holder], depth: int) -> None:
        for row in rows:
            paragraph = self.document.add_paragraph(style="Row")
            inset = Mm(4 * min(depth, _DEEPEST))
            paragraph.paragraph_format.left_indent = inset
            paragraph.paragraph_format.tab_stops.add_tab_stop(Mm(_TEXT_MM), WD_ALIGN_PARAGRAPH.RIGHT)
            aside = (parts.Run(f" · {row.aside}", "soft"),) if row.aside else ()
            self._line(
                paragraph, [parts.Run(row.name, "strong"), *aside, parts.Run("\t"), parts.Run(row.figure, "strong")]
            )
            for line in row.lines:
                paragraph.add_run().add_break()
                self._line(paragraph, line)
            self._holders(row.below, depth + 1)

    def _map(self, part: parts.MapPart, picture: bytes) -> None:
        if picture:
            shape = self.document.add_picture(io.BytesIO(picture), width=Mm(_TEXT_MM))
            shape._inline.docPr.set("descr", _clean(part.alt))
        self._line(self.document.add_paragraph(style="Note"), parts.plain(part.notes, soft=True))

    def _contents(self, part: parts.Contents) -> None:
        """Write the contents as a field, which Word brings up to date with numbers of pages, filled with links."""
        self.document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
        self.document.add_paragraph(part.heading, style="Contents Heading")
        shown = [one for one in self._headings if 2 <= one.level <= part.level and one.anchor]
        for number, one in enumerate(shown):
            paragraph = self.document.add_paragraph(style="Row")
            paragraph.paragraph_format.left_indent = Mm(5 * (one.level - 2))
            if number == 0:
                _field_begin(paragraph, f'TOC \\o "2-{part.level}" \\h')
            self._line(paragraph, (parts.Run(one.text, target=f"#{one.anchor}"),))
            if number == len(shown) - 1:
                _field_char(paragraph, "end")


def _styled(document: DocxDocument, dossier: parts.Dossier) -> None:
    """Set page, styles, language and properties."""
    section = document.sections[0]
    section.page_width, section.page_height = (Mm(side) for side in _PAGE_MM)
    section.left_margin = section.right_margin = Mm(_SIDE_MM)
    section.top_margin = section.bottom_margin = Mm(20)
    styles: Any = document.styles
    normal = styles["Normal"]
    normal.font.name, normal.font.size = _FONT, Pt(_TEXT)
    normal.paragraph_format.space_after = Pt(5)
    normal.element.get_or_add_rPr().append(_element("lang", val=dossier.language))
    for level, points in _HEADINGS.items():
        heading = styles[f"Heading {level}"]
        heading.font.name, heading.font.size, heading.font.color.rgb = _FONT, Pt(points), RGBColor(0x11, 0x18, 0x20)
        fonts = heading.element.get_or_add_rPr().get_or_add_rFonts()
        for name in [*fonts.attrib]:
            if "Theme" in name:
                del fonts.attrib[name]
        heading.paragraph_format.space_before = Pt(16 if level < 4 else 8)
        heading.paragraph_format.space_after = Pt(5)
        heading.font.italic = False
    for name, points, after in (("Fact", _TEXT, 2), ("Row", _TEXT, 3), ("Cell", _SMALL, 0), ("Source", _SMALL, 4),
                                ("Note", _TINY, 4), ("Contents Heading", 13.5, 6)):  # fmt: skip
        style = styles.add_style(name, 1)
        style.base_style = normal
        style.font.size = Pt(points)
        style.font.bold = True if name == "Contents Heading" else None
        style.paragraph_format.space_after = Pt(after)
    moment = datetime(dossier.day.year, dossier.day.month, dossier.day.day, tzinfo=UTC)
    about = document.core_properties
    about.title, about.author, about.language = _clean(dossier.title)[:255], "StrikeAtlas", dossier.language
    about.comments = _clean(dossier.description)[:255]
    about.created = about.modified = moment


def _element(tag: str, /, **attributes: str) -> Any:
    """Return an element of WordprocessingML."""
    element = OxmlElement(f"w:{tag}")
    for name, value in attributes.items():
        element.set(qn(f"w:{name}"), value)
    return element


def _field(paragraph: DocxParagraph, instruction: str) -> None:
    _field_begin(paragraph, instruction)
    paragraph.add_run("1")
    _field_char(paragraph, "end")


def _field_begin(paragraph: DocxParagraph, instruction: str) -> None:
    _field_char(paragraph, "begin")
    text = _element("instrText")
    text.set(qn("xml:space"), "preserve")
    text.text = f" {instruction} "
    paragraph.add_run()._r.append(text)
    _field_char(paragraph, "separate")


def _field_char(paragraph: DocxParagraph, kind: str) -> None:
    paragraph.add_run()._r.append(_element("fldChar", fldCharType=kind))


def _anchor(name: str) -> str:
    return name.translate(_MARK)


def _clean(text: str) -> str:
    """Return a text without letters that XML 1.0 has no place for; a tab stays."""
    return "".join(
        letter if letter in "\t" or letter.isprintable() or letter in "\u00a0\u2060" else " " for letter in text
    )
