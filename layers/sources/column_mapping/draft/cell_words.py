"""What the words of cells say: kinds, how exact a point is, how sure an event, what an entity is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from layers.model.asset_kinds import ASSET_KINDS, TABLE
from layers.sources.column_mapping.draft.column_profile import EMPTY_WORDS, ColumnProfile
from layers.sources.column_mapping.draft.header_roles import WORDS, header_words
from layers.text.site_terms import TARGET_KINDS, kinds_mentioned


@cache
def _codes() -> Mapping[str, str]:
    """Return kinds by the names and codes that publishers have for them, in small letters."""
    codes = {name: name for name in ASSET_KINDS} | {name.replace("-", " "): name for name in ASSET_KINDS}
    for field_name in ("gem_tracker_types", "gem_asset_types", "wri_fuels"):
        codes = {**TABLE.kinds_by(field_name), **codes}
    tags = TABLE.kinds_by("osm_tags")
    return {**{tag.partition("=")[2].replace("_", " "): kind for tag, kind in tags.items()}, **codes}


def kind_of(text: str) -> str | None:
    """Return the kind of asset that a word or name says; None where it says none or is long."""
    plain = " ".join(text.casefold().replace("_", " ").split())
    if plain in _codes():
        return _codes()[plain]
    if len(text) > 200:
        return None
    mask = kinds_mentioned(text) or kinds_mentioned(plain)
    named = [kind for bit, kind in enumerate(TARGET_KINDS) if mask >> bit & 1 and kind in ASSET_KINDS]
    # Of several the more special one: kinds further down are mistaken for those further up.
    return named[-1] if named else None


def power_kind_of(text: str) -> str | None:
    """Return the kind of asset of a fuel or kind where the file gives capacities in megawatts."""
    words = {" ".join(header_words(text)), *header_words(text)[:1]}
    return "power-plant" if words & {*WORDS["fuels"]["words"]} else kind_of(text)


def certainty_of(word: str) -> tuple[str, int]:
    """Return what a place stands for and metres, by the word of a geocoder; a settlement where nothing is known."""
    plain = word.casefold()
    words = {*header_words(word), plain}
    for basis, (metres, beginnings) in WORDS["precision"].items():
        if any(part.startswith(begin) for part in words for begin in beginnings):
            named = {"street": "settlement", "country": "region"}.get(basis, basis)
            return named, metres
    return "settlement", 20_000


def status_of(word: str) -> str | None:
    """Return the status of a strike that a word says; None where it says none."""
    plain = word.casefold()
    if plain.startswith(("un", "not ", "не")):
        return "reported"
    for status, beginnings in WORDS["status"].items():
        if any(begin in plain for begin in beginnings):
            return str(status)
    return "reported" if plain.startswith(("report", "claim", "повідом", "заяв", "сообщ", "gemeldet")) else None


def entity_type_of(word: str) -> str | None:
    """Return the type of an entity that a word says, such as ministry; None where it says none."""
    plain = word.casefold()
    for kind in ("stateBody", "person", "state"):
        if any(begin in plain for begin in WORDS["entity_types"][kind]):
            return kind
    return None


def is_weapon(text: str) -> bool:
    """Whether a text speaks of a weapon."""
    return any(word.startswith(tuple(WORDS["weapons"]["words"])) for word in header_words(text))


def is_metres(profile: ColumnProfile) -> bool:
    """Whether numbers may be metres around a point: none is 0 or below, and not all are parts of 1."""
    return profile.is_number and min(profile.numbers) > 0 and (
        max(profile.numbers) > 1 or bool({"km", "m"} & {*header_words(profile.name)})
    )  # fmt: skip


def is_zero(text: str) -> bool:
    """Whether a text is the number 0."""
    return bool(text) and not text.strip("0.,+- ")


def is_zero_pair(text: str) -> bool:
    """Whether a text is a pair of zeros."""
    return bool(text) and not text.strip("0.,;:+- ()[]") and "0" in text


def decimals_of(text: str) -> int:
    """Return the number of decimals of a number, zeros at its end left out; 9 for any other text."""
    _, _, behind = text.replace(",", ".").partition(".")
    return len(behind.rstrip("0")) if behind.isdecimal() or not behind else 9


def longest(profile: ColumnProfile) -> int:
    """Return the number of letters of the longest cell."""
    return max(map(len, profile.distinct), default=0)


def is_empty_word(text: str) -> bool:
    """Whether a cell is a word that says nothing."""
    return bool(text) and text.casefold() in EMPTY_WORDS
