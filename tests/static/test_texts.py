"""The texts of the page: every language has all of them, none is unused or missing, and each has the same gaps."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from api.wording.catalogue import ENGLISH, languages
from layers.collections.feature_types import SPOKEN
from layers.model.asset_kinds import ASSET_KINDS

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
#: Plural forms of a language (Unicode CLDR, cardinal rules).
FORMS = {"en": {"one", "other"}, "de": {"one", "other"}, "uk": {"one", "few", "many", "other"}}
_FORM = re.compile(r"_(one|few|many|other)$")
#: Calls with the name of a text, or with the part of names that comes before a word of the data.
_NAMED = re.compile(r"""\bt\((?:[\w.]+ \? )?"(\w+)\"""")
_COUNTED = re.compile(r"""\bcounted\("(\w+)\"""")
_PREFIX = re.compile(r"""\b(?:t|counted)\([^`"()]*`(\w+)\$\{|\b(?:word|known|choice)\("(\w+)",""")
#: The part of names that comes behind a word.
_SUFFIX = re.compile(r"""\bt\(`\$\{\w+\}(\w+)`""")


def table(language: str) -> dict[str, str]:
    texts: dict[str, str] = json.loads((STATIC / f"text.{language}.json").read_text(encoding="utf-8"))
    return texts


def bases(language: str) -> set[str]:
    return {_FORM.sub("", name) for name in table(language)}


def sources() -> str:
    modules = [*STATIC.glob("*.js"), *(ROOT / "api" / "exports").rglob("*.py")]
    return "\n".join(path.read_text(encoding="utf-8") for path in modules)


def gaps(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_each_language_of_the_server_has_a_table() -> None:
    assert {path.name.split(".")[1] for path in STATIC.glob("text.*.json")} == set(languages()) == FORMS.keys()


def test_the_list_asks_for_names_in_columns_that_there_are() -> None:
    """`static/api.js` names columns by the language of the page; a server refuses one that it does not have."""
    assert {ENGLISH, *SPOKEN} == set(languages())


@pytest.mark.parametrize("language", sorted(FORMS))
def test_a_language_has_every_text_with_its_plural_forms_and_gaps(language: str) -> None:
    english, texts = table(ENGLISH), table(language)
    assert bases(language) == bases(ENGLISH)
    counted = {_FORM.sub("", name) for name in english if name.endswith("_one")}
    for base in counted:
        assert {form for form in FORMS["uk"] if f"{base}_{form}" in texts} == FORMS[language], base
    for name, text in texts.items():
        own = english.get(name) or english[_FORM.sub("_other", name)]
        assert gaps(text) == gaps(own), name
        assert text, name


def test_every_text_that_the_page_asks_for_is_there() -> None:
    source, known = sources(), bases(ENGLISH)
    asked = {*_NAMED.findall(source), *_COUNTED.findall(source)}
    assert len(asked) > 200
    assert asked - known == set()


def test_no_text_is_unused() -> None:
    source = sources()
    written = set(re.findall(r"""["'`]([\w .-]+)["'`]""", source))
    prefixes = tuple({part for pair in _PREFIX.findall(source) for part in pair if part})
    suffixes = tuple(_SUFFIX.findall(source))
    composed = [name for name in bases(ENGLISH) - written if name.startswith(prefixes) or name.endswith(suffixes)]
    assert bases(ENGLISH) - written - set(composed) == set()


def test_every_kind_of_asset_has_a_name() -> None:
    assert {f"kind{kind}" for kind in ASSET_KINDS} <= table(ENGLISH).keys()
