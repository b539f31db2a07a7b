"""The catalogues: English has every code that is used and no other; other languages have the same gaps."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

import pytest

from api.wording import catalogue
from api.wording.catalogue import ENGLISH, PLURALS, gaps, languages, phrase, text
from layers.model.asset_kinds import ASSET_KINDS
from layers.model.messages import Message
from layers.model.types import Basis, OperatingStatus

ROOT = Path(__file__).resolve().parents[3]
#: Callables whose first argument is a code, or of `codes` the first part of one.
_TAKE_CODES = {"Message", "phrase", "codes"}
_IN_TEMPLATES = re.compile(r"\bphrase\(\s*(\"[^\"]*\"(?:\s*~)?)")
SENTENCES = {
    "test.near": "{km:.1f} km from {names}",
    "test.matches": {"one": "{n} match", "other": "{n} matches"},
    "language.list": ", ",
    "language.missing": "not known",
    "language.plurals": "one-other",
}


def codes_of(argument: ast.expr) -> Iterator[str]:
    """Yield the codes that an expression can be; of one that is composed its first part and a star."""
    match argument:
        case ast.Constant(value=str(code)):
            yield code
        case ast.IfExp(body=body, orelse=orelse):
            yield from (*codes_of(body), *codes_of(orelse))
        case ast.JoinedStr(values=[ast.Constant(value=str(start)), *_]):
            yield f"{start}*"


def used_in(source: str) -> Iterator[str]:
    """Yield the codes that a module gives to messages and phrases."""
    for node in ast.walk(ast.parse(source)):
        called = getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.Call) and called in _TAKE_CODES:
            star = "*" if called == "codes" else ""
            first = [*node.args, *(word.value for word in node.keywords if word.arg == "code")][:1]
            yield from (f"{code}{star}" for argument in first for code in codes_of(argument))


def names_in(argument: ast.expr, before: Mapping[str, ast.Dict]) -> frozenset[str] | None:
    """Return the names of a message's arguments: the keys of a dict, written out or assigned before; else None."""
    written = before.get(argument.id) if isinstance(argument, ast.Name) else argument
    if not isinstance(written, ast.Dict):
        return None
    names: set[str] = set()
    for key, value in zip(written.keys, written.values, strict=True):
        inner = names_in(value, before) if key is None else frozenset({ast.unparse(key).strip("\"'")})
        if inner is None:
            return None
        names |= inner
    return frozenset(names)


def given_in(source: str) -> Iterator[tuple[str, frozenset[str] | None]]:
    """Yield the codes of the messages of a module, composed ones with a star, with the names of their arguments."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call | ast.Assign | ast.AnnAssign)]
    before: dict[str, ast.Dict] = {}
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
        if not isinstance(node, ast.Call):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if isinstance(node.value, ast.Dict):
                before |= {target.id: node.value for target in targets if isinstance(target, ast.Name)}
        elif getattr(node.func, "id", "") == "Message" and node.args:
            names = names_in(node.args[1], before) if len(node.args) > 1 else frozenset()
            yield from ((code, names) for code in codes_of(node.args[0]))


def used() -> set[str]:
    """Return every code used in the rings and in templates, composed ones with a star."""
    modules = (path for ring in ("layers", "api") for path in (ROOT / ring).rglob("*.py"))
    codes = {code for path in modules for code in used_in(path.read_text(encoding="utf-8"))}
    for path in (ROOT / "api").rglob("*.html"):
        for code in _IN_TEMPLATES.findall(path.read_text(encoding="utf-8")):
            codes.add(code.rstrip("~ ").strip('"') + ("*" if code.endswith("~") else ""))
    return codes


def matches(code: str, pattern: str) -> bool:
    return code.startswith(pattern[:-1]) if pattern.endswith("*") else code == pattern


def test_every_code_used_is_in_the_english_catalogue() -> None:
    codes = catalogue.catalogue(ENGLISH)
    assert [pattern for pattern in sorted(used()) if not any(matches(code, pattern) for code in codes)] == []


def test_messages_have_exactly_the_arguments_of_their_sentences() -> None:
    """A code that is composed has at least those of a sentence that it can be."""
    codes = catalogue.catalogue(ENGLISH)
    wrong = []
    for path in sorted((ROOT / "layers").rglob("*.py")):
        for pattern, names in given_in(path.read_text(encoding="utf-8")):
            if not pattern.endswith("*"):
                wrong += [] if names == gaps(codes[pattern]) else [(path.name, pattern, names)]
            elif not any(gaps(codes[code]) <= (names or frozenset()) for code in codes if matches(code, pattern)):
                wrong.append((path.name, pattern, names))
    assert wrong == []


#: Callables of layers/ that take what a person reads, and the positions of it.
_TAKE_WORDS = {
    "Problem": (4, 5),
    "FileRefused": (2, 3),
    "CellProblem": (1, 2),
    "FilterError": (0,),
    "add_problem": (3, 4),
    "add_row_problem": (3, 4),
    "reject": (3, 4),
    "fault": (0, 1, 2),
    "skip": (0,),
    "Message": (1,),
}
_WORDS = re.compile(r"[A-Za-z]{2}\S* \S| \S*[A-Za-z]{2}")


def english_in(source: str) -> Iterator[str]:
    """Yield the words that a module of layers/ writes where it should give codes."""
    for node in ast.walk(ast.parse(source)):
        called = getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
        positions = _TAKE_WORDS.get(called, ())
        for argument in (node.args[at] for at in positions if isinstance(node, ast.Call) and at < len(node.args)):
            parts = (part for part in ast.walk(argument) if isinstance(part, ast.Constant))
            yield from (part.value for part in parts if isinstance(part.value, str) and _WORDS.search(part.value))


def test_no_words_are_written_where_layers_should_give_codes() -> None:
    found = {path.name: list(english_in(path.read_text(encoding="utf-8"))) for path in (ROOT / "layers").rglob("*.py")}
    assert {name: words for name, words in found.items() if words} == {}


def test_the_scan_sees_words_and_arguments() -> None:
    source = 'words = {"n": 1}\nskip(Message("a.b", words))\nFileRefused(file, "format", "routes only", Message("a.c"))'
    assert list(given_in(source)) == [("a.b", {"n"}), ("a.c", frozenset())]
    assert list(english_in(source)) == ["routes only"]


def test_every_code_of_the_english_catalogue_is_used() -> None:
    """A code that is composed counts as used where its first part is; one that is chosen, where it is written out.

    One of a word of the data is used where a sentence of another language has such words.
    """
    sources = [path.read_text(encoding="utf-8") for ring in ("layers", "api") for path in (ROOT / ring).rglob("*.py")]
    sources += [path.read_text(encoding="utf-8") for path in (ROOT / "api").rglob("*.html")]
    files = (path.read_text(encoding="utf-8") for path in Path(catalogue.__file__).parent.glob("*.toml"))
    rooms = {room for text in files for room in re.findall(r"\{\w+:word (\w+)\}", text)}
    written, patterns = "\n".join(sources), used() | {f"{room}.*" for room in rooms}
    codes = [code for code in catalogue.catalogue(ENGLISH) if f'"{code}"' not in written]
    unused = [code for code in codes if not any(matches(code, pattern) for pattern in patterns)]
    assert [code for code in unused if not code.startswith("language.")] == []


def test_every_entry_is_a_sentence_or_its_plural_forms() -> None:
    for language in languages():
        for code, entry in catalogue.catalogue(language).items():
            forms = [entry] if isinstance(entry, str) else list(entry.values())
            assert all(isinstance(form, str) for form in forms), code
            assert isinstance(entry, str) or "other" in entry, code
            assert all(re.fullmatch(r"\w+", name) for name in gaps(entry)), code


@pytest.mark.parametrize("language", languages())
def test_languages_have_no_other_codes_and_the_same_gaps(language: str) -> None:
    english = catalogue.catalogue(ENGLISH)
    for code, entry in catalogue.catalogue(language).items():
        assert code in english, code
        assert gaps(entry) == gaps(english[code]), code
    assert phrase("language.plurals", language) in PLURALS


#: Rooms of what only the command line says, which is in English: files, their formats, and checks of a store.
COMMAND_LINE = frozenset(
    (
        *(
            "acled",
            "batch",
            "bods",
            "column-mapping",
            "curated",
            "disclosure",
            "doubts",
            "eyes-on-russia",
            "files",
            "firms",
        ),
        *("gem", "geonames", "geopackage", "gleif", "ingest", "load", "mapping", "osm", "package"),
        *("receipts", "registry"),
        *("rejected-rows", "strikes", "timemap", "ucdp", "verification", "viina", "wikidata", "wri"),
    )
)


@pytest.mark.parametrize("language", [tag for tag in languages() if tag != ENGLISH])
def test_languages_have_all_that_the_server_says(language: str) -> None:
    codes = {code for code in catalogue.catalogue(ENGLISH) if code.partition(".")[0] not in COMMAND_LINE}
    assert codes - catalogue.catalogue(language).keys() == set()


@pytest.mark.parametrize("language", languages())
def test_counted_sentences_have_the_forms_of_their_language(language: str) -> None:
    """``other`` is the form of fractions, and of a language with one form alone."""
    rule = PLURALS[phrase("language.plurals", language)]
    forms = {rule(number) for number in range(200)} | {"other"}
    for code, entry in catalogue.catalogue(language).items():
        assert isinstance(entry, str) or entry.keys() == forms, code


@pytest.mark.parametrize(("language", "written"), [("en", "1.5 km"), ("uk", "1,5 км"), ("de", "1,5 km")])
def test_numbers_are_written_as_in_the_language(language: str, written: str) -> None:
    assert written in phrase("matching.distance", language, distance_km=1.52, km=12)


def test_shares_that_are_rounded_already_get_the_decimal_sign_of_the_language() -> None:
    share = Message("headline.share", {"share": Message("headline.range", {"low": "5", "high": "47.33"})})
    assert [text(share, language) for language in ("en", "uk", "de")] == [
        "5–47.33\u00a0%",
        "5–47,33\u00a0%",
        "5–47,33\u00a0%",
    ]


def test_words_of_the_data_are_worded_in_sentences() -> None:
    told = Message("matching.other-kind", {"kinds": ("oil-depot", "spaceport"), "kind": "refinery"})
    assert text(told) == "reported as oil-depot, spaceport, not refinery"
    assert text(told, "de") == "gemeldet als Tanklager, spaceport, nicht Raffinerie"


@pytest.mark.parametrize("room", ["kind", "basis", "operating"])
def test_every_word_of_the_data_that_sentences_have_is_worded(room: str) -> None:
    values = {"kind": tuple(ASSET_KINDS), "basis": get_args(Basis), "operating": get_args(OperatingStatus)}[room]
    assert catalogue.codes(f"{room}.") == tuple(f"{room}.{value}" for value in values)


def test_english_is_the_first_language() -> None:
    assert languages()[0] == ENGLISH


@pytest.fixture
def _sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    german = {"test.near": "{km:.1f} km von {names}", "language.list": " und "}
    tables = {"en": SENTENCES, "de": german}
    monkeypatch.setattr("api.wording.catalogue.catalogue", tables.__getitem__)


@pytest.mark.usefixtures("_sentences")
def test_gaps_are_filled_as_the_sentence_formats_them() -> None:
    message = Message("test.near", {"km": 1.26, "names": ("Baku", "Sumqayit")})
    assert text(message) == "1.3 km from Baku, Sumqayit"
    assert text(message, "de") == "1.3 km von Baku und Sumqayit"
    assert text(Message("test.near", {"km": 2, "names": None}), "de") == "2.0 km von not known"


@pytest.mark.usefixtures("_sentences")
def test_plural_forms_are_chosen_by_n_and_missing_sentences_are_english() -> None:
    assert [text(Message("test.matches", {"n": n}), "de") for n in (0, 1, 2)] == ["0 matches", "1 match", "2 matches"]


@pytest.mark.usefixtures("_sentences")
@pytest.mark.parametrize(
    "message",
    [Message("test.nowhere"), Message("test.near", {"km": 1.0}), Message("test.matches")],
    ids=lambda message: message.code,
)
def test_a_missing_code_or_argument_is_an_error(message: Message) -> None:
    with pytest.raises(LookupError):
        text(message)


def test_a_language_without_a_catalogue_is_an_error() -> None:
    with pytest.raises(LookupError):
        phrase("language.name", "xx")


def test_the_plural_forms_of_whole_numbers() -> None:
    numbers = (0, 1, 2, 5, 11, 12, 21, 22, 25)
    forms = {name: [rule(number) for number in numbers] for name, rule in PLURALS.items()}
    assert forms == {
        "one-other": ["other", "one", *["other"] * 7],
        "east-slavic": ["many", "one", "few", "many", "many", "many", "one", "few", "many"],
        "none": ["other"] * 9,
    }


def test_the_scan_sees_composed_codes() -> None:
    source = (
        'Message("a.b" if x else "a.c", {})\ncatalogue.phrase(f"d.{kind}", language)\nMessage(code="e.f")\nother("g.h")'
    )
    assert sorted(used_in(source)) == ["a.b", "a.c", "d.*", "e.f"]
