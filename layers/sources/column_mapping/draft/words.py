"""The words of header_words.toml: which role the header of a column has, and what a word in a cell says."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from layers.model.asset_kinds import ASSET_KINDS, TABLE
from layers.text.site_terms import TARGET_KINDS, kinds_mentioned

#: All that is in header_words.toml.
WORDS: Mapping[str, Any] = tomllib.loads(Path(__file__).with_name("header_words.toml").read_text(encoding="utf-8"))
#: Roles whose words a role has, too: the country of an owner is known by those of the owner.
_ALSO = {"owner_country": "owner", "registered_in": "country"}
#: How well a header has to fit a role.
FITS = 4.0
#: Objects around a field that are not the event of a row, and those that say how it was found or told.
OTHER_RECORDS, REPORT_RECORDS = (frozenset(WORDS["other_records"][of]) for of in ("of_strikes", "of_reports"))

_CAMEL = re.compile(r"(?<=[a-zа-яіїєґäöüß])(?=[A-ZА-ЯІЇЄҐÄÖÜ])")
_SIGNS = re.compile(r"[\W_]+")
#: Parts of a dotted name that say nothing.
_EMPTY_PARTS = frozenset({"*", "^", "properties", "attributes", "fields", "data"})
#: How well a header fits: it is the name, the name is in it, or its words begin with those of the name.
_WHOLE, _INSIDE, _BEGINS = 10.0, 6.0, 5.0
#: Letters of a header that are compared.
_LENGTH = 200


def header_words(name: str) -> tuple[str, ...]:
    """Return the words of a header in small letters; camelCase and dots part words, signs are left out."""
    if name in ("%", "№", "#"):
        return ("%",) if name == "%" else ("no",)
    spaced = _CAMEL.sub(" ", name[:_LENGTH].replace("№", " no ")).casefold().replace("ё", "е")
    return tuple(_SIGNS.sub(" ", spaced).split())


@lru_cache(maxsize=20_000)
def role_fit(name: str, role: str) -> float:
    """Return how well a header fits a role, 0 where it does not.

    Of a dotted name the last part counts most; the whole name counts less. Earlier words of the role fit better.
    """
    parts = [part for part in name.split(".") if part not in _EMPTY_PARTS]
    last = header_words(parts[-1] if parts else name)
    return max(_fit(last, role), _fit(header_words(" ".join(parts)), role) - 0.5)


def _fit(words: tuple[str, ...], role: str) -> float:
    header = f" {' '.join(words)} "
    fits = [0.0]
    for rank, (mark, phrase) in enumerate(_phrases(role)):
        # Words before and behind the name make it less sure.
        more = 0.2 * (len(words) - phrase.count(" ") - 1)
        if header == f" {phrase} ":
            fits.append(_WHOLE + 1 - rank / 100)
        elif mark == "*" and f" {phrase}" in header:
            fits.append(_BEGINS - more + 1 - rank / 100)
        elif mark == "" and f" {phrase} " in header:
            fits.append(_INSIDE - more + 1 - rank / 100)
    return max(fits)


@cache
def _phrases(role: str) -> list[tuple[str, str]]:
    """Return the phrases of a role, each with its mark: ``=`` for a whole name, ``*`` for the beginning of a word."""
    texts = WORDS["roles"].get(role, []) + WORDS["roles"].get(_ALSO.get(role), [])
    marks = ("=" if text.startswith("=") else "*" if text.endswith("*") else "" for text in texts)
    return [(mark, " ".join(header_words(text.strip("=*")))) for mark, text in zip(marks, texts, strict=True)]


def record_of(name: str) -> str:
    """Return the object around a dotted name as a word, empty where there is none: ``asset`` of ``asset.name``.

    Of ``asset_name`` and ``assetName`` it is ``asset``, too.
    """
    parts = [part for part in name.split(".") if part not in _EMPTY_PARTS]
    if len(parts) > 1:
        return " ".join(header_words(parts[-2]))
    words = header_words(name)
    return words[0] if len(words) > 1 else ""


def is_name_field(name: str) -> bool:
    """Whether a field of an object such as ``asset`` is its name."""
    return max(role_fit(name, "name"), role_fit(name, "title")) >= FITS


def is_id_field(name: str) -> bool:
    """Whether a field of an object such as ``asset`` is its id."""
    return not {"id", "ids"}.isdisjoint(header_words(name)[-1:]) or role_fit(name, "id") >= FITS


def meaning(text: str, table: str) -> str | None:
    """Return the key of a table of header_words.toml with whose words a word of a text begins; None where none does."""
    plain = f" {' '.join(header_words(text))}"
    return next((key for key, words in WORDS[table].items() if any(f" {word}" in plain for word in words)), None)


def status_of(text: str) -> str | None:
    """Return the status of a strike that a text says; None where it says none."""
    return "reported" if text.casefold().startswith(("un", "not ", "не")) else meaning(text, "status")


def certainty_of(text: str) -> tuple[str, int]:
    """Return what a place stands for and metres, by the word of a geocoder; a settlement where nothing is known."""
    basis, metres = (meaning(text, "precision") or "settlement 20000").split()
    return basis, int(metres)


@cache
def _codes() -> Mapping[str, str]:
    """Return kinds by the names and codes that publishers have for them, in small letters."""
    codes = {name: name for name in ASSET_KINDS} | {name.replace("-", " "): name for name in ASSET_KINDS}
    for field_name in ("gem_tracker_types", "gem_asset_types", "wri_fuels"):
        codes = {**TABLE.kinds_by(field_name), **codes}
    tags = TABLE.kinds_by("osm_tags")
    tagged = {tag.partition("=")[2].replace("_", " "): kind for tag, kind in tags.items()}
    return {**tagged, **codes}


def kind_of(text: str) -> str | None:
    """Return the kind of asset that a word or name says; None where it says none or is long."""
    plain = " ".join(text.casefold().replace("_", " ").split())
    if plain in _codes():
        return _codes()[plain]
    if len(text) > _LENGTH:
        return None
    mask = kinds_mentioned(text) or kinds_mentioned(plain)
    named = [kind for bit, kind in enumerate(TARGET_KINDS) if mask >> bit & 1 and kind in ASSET_KINDS]
    # Of several the more special one: kinds further down are mistaken for those further up.
    return named[-1] if named else None


def power_kind_of(text: str) -> str | None:
    """Return the kind of asset of a fuel or kind where the file gives capacities in megawatts."""
    words = {" ".join(header_words(text)), *header_words(text)[:1]}
    return kind_of(text) if words.isdisjoint(WORDS["fuels"]["words"]) else "power-plant"
