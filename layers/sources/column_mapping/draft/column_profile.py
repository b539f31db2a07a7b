"""What the cells of a column hold, and what its header says: days, numbers, degrees, shapes, words, and roles."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from layers.model.asset_kinds import ASSET_KINDS, TABLE
from layers.reference.country_names import code_of
from layers.sources.column_mapping.mapped_row import UNKNOWN_WORDS, json_texts, number, parse_share
from layers.sources.files.limits import parse_json
from layers.sources.reader.cell_values import web_address
from layers.sources.reader.coordinates import DateFormat, is_edtf_day, parse_angle, parse_positions
from layers.text.site_terms import TARGET_KINDS, kinds_mentioned

_FILE = Path(__file__).with_name("header_words.toml")
#: All that is in header_words.toml.
WORDS: Mapping[str, Any] = tomllib.loads(_FILE.read_text(encoding="utf-8"))

_CAMEL = re.compile(r"(?<=[a-zа-яіїєґäöüß])(?=[A-ZА-ЯІЇЄҐÄÖÜ])")
_SIGNS = re.compile(r"[\W_]+")
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


class Phrase(NamedTuple):
    """Words of a header: ``=`` before them asks that they are all of it, ``*`` behind that the last begins a word."""

    words: tuple[str, ...]
    is_whole: bool
    is_beginning: bool

    @classmethod
    def of(cls, text: str) -> Phrase:
        """Parse a phrase of header_words.toml."""
        return cls(header_words(text.strip("=*")), text.startswith("="), text.endswith("*"))

    def is_in(self, words: tuple[str, ...]) -> bool:
        """Whether words in a row of a header are the phrase."""
        *firm, last = self.words
        parts = [words[at : at + len(self.words)] for at in range(len(words) - len(self.words) + 1)]
        return not self.is_whole and any(
            list(part[:-1]) == firm and (part[-1].startswith(last) if self.is_beginning else part[-1] == last)
            for part in parts
        )


@cache
def _role_phrases() -> Mapping[str, tuple[Phrase, ...]]:
    return {role: tuple(map(Phrase.of, texts)) for role, texts in WORDS["roles"].items()}


@lru_cache(maxsize=20_000)
def role_fit(name: str, role: str) -> float:
    """Return how well a header fits a role, 0 where it does not.

    Of a dotted name the last part counts most; the whole name counts less. Earlier words of the role fit better.
    """
    parts = [part for part in name.split(".") if part not in ("*", "^", "properties", "attributes", "fields", "data")]
    last, whole = header_words(parts[-1] if parts else name), header_words(" ".join(parts))
    return max(_fit(last, role), _fit(whole, role) - 0.5)


def _fit(words: tuple[str, ...], role: str) -> float:
    best = 0.0
    for rank, phrase in enumerate(_role_phrases()[role]):
        fit = 0.0
        if words == phrase.words:
            fit = _WHOLE
        elif phrase.is_in(words):
            # Words before and behind the name make it less sure.
            fit = (_BEGINS if phrase.is_beginning else _INSIDE) - 0.2 * (len(words) - len(phrase.words))
        best = max(best, fit + 1 - rank / 100) if fit else best
    return best


def record_of(name: str) -> str:
    """Return the object around a dotted name as a word, empty where there is none: ``asset`` of ``asset.name``.

    Of ``asset_name`` and ``assetName`` it is ``asset``, too.
    """
    parts = [part for part in name.split(".") if part not in ("*", "^", "properties", "attributes")]
    if len(parts) > 1:
        return " ".join(header_words(parts[-2]))
    words = header_words(name)
    return words[0] if len(words) > 1 else ""


#: Part of the cells that have to be of a type for the column to be of it; the others are faults that a load tells.
MOST = 0.8
#: Distinct cells that are looked at.
_LOOKED_AT = 3000

#: Formats of days in the order in which they are tried; days before months in front of months before days.
_FORMATS = {
    text: date_format
    for text in (
    "YYYY-MM-DD", "D.M.YYYY", "D/M/YYYY", "M/D/YYYY", "D-M-YYYY", "YYYY/M/D", "YYYY.M.D", "YYYYMMDD", "D MON YYYY",
    "D. MON YYYY", "MON D, YYYY", "MON D YYYY", "D-MON-YYYY", "D/MON/YYYY", "YYYY-M-D", "M.YYYY", "M/YYYY", "YYYY-MM",
    "MON YYYY", "YYYY",
    )
    if (date_format := DateFormat.of(text))
}  # fmt: skip
_UNIX = re.compile(r"1[0-9]{9}(?:\.[0-9]{1,9})?")
_UNIX_MS = re.compile(r"1[0-9]{12}(?:\.0)?")
_WKT = ("POINT", "LINESTRING", "POLYGON", "MULTI", "GEOMETRYCOLLECTION")
#: Words of a cell that say nothing.
EMPTY_WORDS = UNKNOWN_WORDS - {"?"} | {"null", "none", "nan", "nil", "(empty)", "#n/a", "keine", "немає", "нет"}
#: JSON of nothing.
EMPTY_JSON = frozenset({"[]", "{}"})


@dataclass(frozen=True)
class ColumnProfile:
    """The cells of a column: ``texts`` are all that are not empty, in order; ``header`` is what its name says."""

    name: str
    texts: Sequence[str]
    rows: int
    header: str

    @cached_property
    def distinct(self) -> tuple[str, ...]:
        """The distinct cells in order of appearance, at most 3,000."""
        return tuple(dict.fromkeys(self.texts))[:_LOOKED_AT]

    @property
    def is_whole(self) -> bool:
        """Whether no cell is empty."""
        return len(self.texts) == self.rows

    @cached_property
    def is_unique(self) -> bool:
        """Whether no two cells are alike."""
        return len(set(self.texts)) == len(self.texts)

    @property
    def sample(self) -> str:
        """The first cells, for people."""
        return " | ".join(text.replace("\n", " ")[:50] for text in self.distinct[:3])

    def part(self, is_one: Callable[[str], object]) -> float:
        """Return which part of the distinct cells is of a kind; 0 where there are none."""
        return sum(map(bool, map(is_one, self.distinct))) / len(self.distinct) if self.distinct else 0.0

    def other_order(self, form: str) -> str | None:
        """The format with day and month the other way round, if it reads each cell that a format reads, too."""
        other = form.translate(str.maketrans("DM", "MD"))
        if "/" not in form or other == form:
            return None
        own, swapped = (
            {cell for cell in self.distinct if (one := DateFormat.of(text)) and one.edtf(cell)}
            for text in (form, other)
        )
        return other if own <= swapped else None

    @cached_property
    def date_formats(self) -> tuple[str, ...] | None:
        """The formats of days that read the cells; none (empty) where all are EDTF; None where few are days."""
        if self.distinct and all(map(is_edtf_day, self.distinct)):
            return ()
        if self.part(_UNIX.fullmatch) >= MOST:
            return ("unix",)
        if self.part(_UNIX_MS.fullmatch) >= MOST:
            return ("unix-ms",)
        left, chosen = list(self.distinct), []
        for text in _ordered_formats(left):
            unread = [cell for cell in left if _FORMATS[text].edtf(cell) is None]
            if len(unread) < len(left):
                chosen.append(text)
                left = unread
            if not left:
                break
        left = [cell for cell in left if not is_edtf_day(cell)]
        read = len(self.distinct) - len(left)
        return tuple(chosen) if self.distinct and read >= MOST * len(self.distinct) else None

    @property
    def is_date(self) -> bool:
        """Whether most cells are days; years alone and plain numbers are none."""
        formats = self.date_formats
        if formats is None or not self.distinct:
            return False
        return not (formats == ("YYYY",) or (not formats and all(text.isdecimal() for text in self.distinct)))

    @cached_property
    def decimal(self) -> str:
        """The decimal sign of the numbers."""
        commas = sum(number(text, ",") is not None and "," in text for text in self.distinct)
        points = sum(number(text, ".") is not None and "." in text for text in self.distinct)
        return "," if commas > points else "."

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """The numbers among the distinct cells."""
        parsed = (number(text, self.decimal) for text in self.distinct)
        return tuple(value for value in parsed if value is not None)

    @property
    def is_number(self) -> bool:
        """Whether most cells are numbers."""
        return bool(self.distinct) and len(self.numbers) >= MOST * len(self.distinct)

    def is_degrees(self, most: float) -> bool:
        """Whether most cells are degrees of at most so many."""
        angles = [parse_angle(text) if number(text, self.decimal) is None else 0.0 for text in self.distinct]
        read = [angle for angle in angles if angle is not None]
        values = (*self.numbers, *read)
        return bool(values) and len(read) >= MOST * len(self.distinct) and all(abs(value) <= most for value in values)

    @property
    def is_share(self) -> bool:
        """Whether most cells are shares as written."""
        return self.part(parse_share) >= MOST

    @property
    def has_percent(self) -> bool:
        """Whether most cells are shares with a percent sign or a word beside it."""
        return self.is_share and self.part(lambda text: "%" in text) >= 0.5

    @property
    def is_fraction(self) -> bool:
        """Whether shares are parts of 1."""
        values = self.numbers
        is_small = bool(values) and max(values) <= 1 and any(0 < value < 1 for value in values)
        return is_small and not any("%" in text for text in self.distinct)

    @property
    def is_url(self) -> bool:
        """Whether the cells are web addresses, of which several may stand between spaces."""
        return self.part(lambda text: all(web_address(word) for word in words_of(text))) == 1

    @property
    def is_country(self) -> bool:
        """Whether all cells are countries."""
        return self.part(code_of) == 1

    @property
    def is_wkt(self) -> bool:
        """Whether the cells are well-known texts or GeoJSON geometries."""
        return self.part(_is_shape) >= MOST

    def positions(self) -> tuple[str, str] | None:
        """Return the order of the axes and the decimal sign of cells that hold pairs of degrees; None for others."""
        for decimal in (".", ","):
            for order in ("latlon", "lonlat"):
                if self.part(lambda text: _is_on_globe(text, order, decimal)) >= MOST:  # noqa: B023
                    return order, decimal
        return None

    @property
    def is_text(self) -> bool:
        """Whether most cells have letters and are neither addresses, days nor shapes."""
        has_letters = self.part(lambda text: any(map(str.isalpha, text))) >= MOST
        return has_letters and not self.is_url and not self.is_wkt and self.date_formats is None

    @property
    def length(self) -> float:
        """Mean number of letters of a distinct cell."""
        return sum(map(len, self.distinct)) / len(self.distinct) if self.distinct else 0.0


def words_of(text: str) -> list[str]:
    """Return the words of a text, or the texts of a JSON array."""
    listed = json_texts(text) if text.startswith("[") else None
    return text.split() if listed is None else listed


def _ordered_formats(cells: Iterable[str]) -> list[str]:
    """Return the formats of days; of two that cells leave open the one that reads more comes first."""
    listed = list(cells)
    days_first, months_first = (sum(map(bool, map(_FORMATS[text].edtf, listed))) for text in ("D/M/YYYY", "M/D/YYYY"))
    return [text for text in _FORMATS if text != "D/M/YYYY" or months_first <= days_first]


def _is_shape(text: str) -> bool:
    if text[:40].lstrip().upper().startswith(_WKT):
        return "(" in text
    if not text.startswith("{"):
        return False
    try:
        value = parse_json(text)
    except orjson.JSONDecodeError:
        return False
    return isinstance(value, dict) and ("coordinates" in value or "geometries" in value)


def _is_on_globe(text: str, order: str, decimal: str) -> bool:
    shape = parse_positions(text, "latlon" if order == "latlon" else "lonlat", decimal)
    if shape is None:
        return False
    west, south, east, north = shape.bounds
    has_decimals = "." in text or "," in text.replace(", ", " ") or "°" in text
    return west >= -180 and east <= 180 and south >= -90 and north <= 90 and has_decimals


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
