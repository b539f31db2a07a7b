"""The forms of a dossier: each holds all texts of its content, and none of them is read as markup."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt
from pypdf import PdfReader
from pypdf.generic import IndirectObject
from typer.testing import CliRunner

from api.cli import main
from api.exports.dossier.dossier_map import DossierMap
from api.exports.dossier.markdown_writer import markdown
from api.exports.dossier.parts import Heading, Numbered, Run
from api.exports.dossier.pdf_writer import pdf
from api.exports.printed_map.lettering import printable
from layers.store.store import Store
from tests.api.exports.dossier.conftest import DAY, DEPOT, TITLE, Written
from tests.api.exports.dossier.test_content import runs
from tests.conftest import BASEMAP

Json = dict[str, Any]
WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def tags(node: Any) -> Iterator[tuple[str, Json]]:
    """Every element of a PDF's structure tree."""
    node = node.get_object() if isinstance(node, IndirectObject) else node
    if isinstance(node, list):
        for part in node:
            yield from tags(part)
    elif isinstance(node, dict):
        if "/S" in node:
            yield node["/S"], node
        yield from tags(node.get("/K", []))


def bare(text: str) -> str:
    """Letters alone: where lines are broken is up to each form."""
    return "".join(letter for letter in text if not letter.isspace() and letter not in "\u2060\u00ad")


@pytest.fixture(scope="session")
def pages(written: Written, picture: DossierMap) -> bytes:
    pytest.importorskip("typst")
    file = pdf(written(), picture.svg)
    assert file == pdf(written(), picture.svg)
    return file


def test_the_pdf_is_tagged_titled_and_dated(pages: bytes) -> None:
    read = PdfReader(io.BytesIO(pages))
    root = read.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert read.metadata is not None
    assert (read.metadata.title, read.metadata.author) == (TITLE, "StrikeAtlas")
    assert read.metadata.creation_date is not None
    assert read.metadata.creation_date.date() == DAY
    assert b"pdfuaid:part" in root["/Metadata"].get_object().get_data()
    assert read.outline


def test_screen_readers_find_headings_nested_lists_tables_and_words_for_the_map(pages: bytes) -> None:
    found = list(tags(PdfReader(io.BytesIO(pages)).trailer["/Root"]["/StructTreeRoot"]))
    kinds = [kind for kind, _ in found]
    assert kinds.count("/H1") == 1
    assert kinds.count("/H3") == 3
    assert kinds.count("/TH") > 10
    (figure,) = [node for kind, node in found if kind == "/Figure"]
    assert "3 recorded strikes" in figure["/Alt"]
    assert "SOCAR oil depot, Odesa" in figure["/Alt"]
    nested = max(sum(kind == "/L" for kind, _ in tags(node)) for kind, node in found if kind == "/L")
    assert nested > 2


def test_the_pdf_says_all(pages: bytes, written: Written) -> None:
    text = bare(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pages)).pages))
    assert bare(TITLE) in text
    assert "Page1of" in text
    for part in written().parts:
        if isinstance(part, Heading):
            assert bare(printable(part.text)) in text
    for name in {run.text for run in runs(written()) if run.style == "strong"}:
        assert bare(printable(name))[:40] in text


def test_the_markdown_holds_all_texts_and_none_of_them_is_markup(written: Written, picture: DossierMap) -> None:
    content = written()
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown(content, picture.png()))
    assert rendered.count("<img ") == 1
    assert "data:image/png;base64," in rendered
    assert "<b>" not in rendered
    page = ElementTree.fromstring(f"<div>{rendered}</div>")
    text = bare("".join(page.itertext()))
    for run in runs(content):
        assert bare(run.text) in text
    assert len(page.findall(".//table")) >= 4
    links = {link.get("href") for link in page.iter("a")}
    names = {f"#{link.get('id')}" for link in page.iter("a") if link.get("id")}
    assert {run.target for run in runs(content) if run.target.startswith("#")} <= links & names


def test_the_word_document_holds_all_texts_links_and_alternatives(written: Written, picture: DossierMap) -> None:
    pytest.importorskip("docx")
    from api.exports.dossier.docx_writer import docx

    content = written(language="de")
    file = docx(content, picture.png())
    assert file == docx(content, picture.png())
    package = zipfile.ZipFile(io.BytesIO(file))
    root = ElementTree.fromstring(package.read("word/document.xml"))
    text = bare("".join(part.text or "" for part in root.iter(f"{WORD}t")))
    for run in runs(content):
        assert bare(run.text) in text
    styles = [mark.get(f"{WORD}val") for mark in root.iter(f"{WORD}pStyle")]
    assert [style for style in styles if style == "Heading1"] == ["Heading1"]
    assert styles.count("Heading3") == 3
    marks = {mark.get(f"{WORD}name") for mark in root.iter(f"{WORD}bookmarkStart")}
    anchors = {link.get(f"{WORD}anchor") for link in root.iter(f"{WORD}hyperlink")} - {None}
    assert anchors
    assert anchors <= marks
    assert any("descr" in element.attrib and element.attrib["descr"] for element in root.iter())
    foot = package.read("word/footer1.xml").decode()
    assert " PAGE " in foot
    assert " NUMPAGES " in foot
    assert f'{WORD}val="de"'.replace(WORD, "w:") in package.read("word/styles.xml").decode()
    assert sum(1 for _ in root.iter(f"{WORD}tblHeader")) == sum(1 for _ in root.iter(f"{WORD}tbl"))


def test_a_letter_that_xml_has_no_place_for_is_a_space(written: Written) -> None:
    pytest.importorskip("docx")
    from api.exports.dossier.docx_writer import docx

    content = written(title="A\x00B\x0bC\ufffe")
    root = ElementTree.fromstring(zipfile.ZipFile(io.BytesIO(docx(content, b""))).read("word/document.xml"))
    assert "A B C" in "".join(part.text or "" for part in root.iter(f"{WORD}t"))


def test_the_picture_has_its_key(picture: DossierMap) -> None:
    root, text = ElementTree.fromstring(picture.svg), "{http://www.w3.org/2000/svg}text"
    key = next(group for group in root if group.get("id") == "key")
    entries = ["".join(one.itertext()) for one in key.iter(text)]
    assert len(entries) > 2
    assert all(entry in picture.part.alt for entry in entries)
    lines = [float(one.get("y", "nan")) for one in key.iter(text)]
    above = [float(one.get("y", "nan")) for group in root if group is not key for one in group.iter(text)]
    assert max(above) < min(lines)
    assert max(lines) < float(root.get("height", "0mm")[:-2])


def test_sources_are_whole_citations(written: Written) -> None:
    numbered = next(part for part in written().parts if isinstance(part, Numbered))
    for line in numbered.lines:
        assert any(isinstance(run, Run) and run.text.startswith("Archive:") for run in line)


@pytest.mark.parametrize("form", ["pdf", "docx", "md"])
def test_the_command_writes_each_form_and_its_codes_are_verified(store: Store, tmp_path: Path, form: str) -> None:
    pytest.importorskip({"pdf": "typst", "docx": "docx", "md": "markdown_it"}[form])
    out = tmp_path / f"dossier.{form}"
    given = ["--country", "AZ", "--lang", "uk", "-o", str(out), "--json"]  # its name says the form
    where = ["--store", store.name, "--basemap", str(BASEMAP)]
    ran = CliRunner().invoke(main.app, ["export", "report", *given, *where])
    assert ran.exit_code == 0, ran.output
    assert out.stat().st_size > 20_000
    if form == "md":
        text = out.read_text(encoding="utf-8").replace("\\", "")
        code = next(word for word in text.split() if word.startswith("strikes:country=AZ.h"))
        own = next(word for word in text.split() if word.startswith(f"{DEPOT}.h"))
        for one in (code, own):
            assert CliRunner().invoke(main.app, ["verify", one, *where]).exit_code == 0


def test_strikes_and_what_selects_them_are_not_given_together(store: Store, tmp_path: Path) -> None:
    given = ["--strike", DEPOT, "--country", "AZ", "-o", str(tmp_path / "a.pdf"), "--store", store.name]
    ran = CliRunner().invoke(main.app, ["export", "report", *given, "--basemap", str(BASEMAP)])
    assert ran.exit_code != 0
    assert "got both" in str(ran.exception)
