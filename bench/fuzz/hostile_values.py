"""Values that break readers: numbers beyond their range, days that never were, texts and geometries of ill will."""

from __future__ import annotations

import random

#: Numbers as texts: beyond a double, in other digits than ASCII's, as Python alone writes them.
NUMBERS = (
    "0", "-0", "-1", "1e308", "-1e308", "1e400", "1e-400", "NaN", "nan", "Infinity", "-inf", "9" * 19, "9" * 400,
    "9" * 5000, "0." + "3" * 400, "٣", "²", "１２", "1_000", "0x10", "1,5", "1.000,5", "--", "+5", " 5 ", "5 %", "½",
    "2147483648", "-2147483649", "9223372036854775808", "18446744073709551616", "1e5", "1E+2", ".", "-", "e",
    "180.0001",
    "-181", "90.0000001", "1000", "100.0000001", "0.1", "33.333333333333336", "1/0", "True",
)  # fmt: skip
#: Days and times (EDTF and others) at the ends of calendars, and outside of them.
DAYS = (
    "0000-00-00", "0000", "0001-01-01", "9999-12-31", "9999-12-31T23:59:59.999999Z", "10000-01-01", "-0001",
    "2025-02-30",
    "2025-13", "2023-02-29", "2024-02-29", "y-17e7", "Y2147483648", "2025-08~", "[2025..2026]", "{2025,2026}",
    "../2025",
    "2025-08-08/..", "/", "2026/2025", "0001-01-01/9999-12-31", "2025-08-08T25:61:61Z", "2025-08-08T00:00:00+99:99",
    "31/12/9999", "1/1/0001", "29.02.2023", "XXXX", "2025-XX-XX", "uuuu-uu-uu", "12-Feb-31", "2025-W60", "2958466",
    "-1",
    "60", "1e10", "2025-21", "2025?-06~", "+2025-01-01T00:00:00Z", "+99999999999-00-00T00:00:00Z", "20250230",
)  # fmt: skip
#: Geometries as well-known text.
SHAPES = (
    "POINT EMPTY", "POINT (nan nan)", "POINT (1e400 1)", "POINT (1e308 -1e308)", "POINT (200 95)", "POINT Z (1 2 3)",
    "LINESTRING (0 0)", "LINESTRING (0 0, 0 0)", "LINESTRING (179 0, -179 0)", "POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))",
    "POLYGON ((0 0, 0 0, 0 0, 0 0))", "POLYGON ((0 0, 1 1))", "MULTIPOLYGON EMPTY", "GEOMETRYCOLLECTION EMPTY",
    "GEOMETRYCOLLECTION (" * 40 + "POINT (1 1)" + ")" * 40, "GEOMETRYCOLLECTION (" * 20_000,
    "MULTIPOINT ((1 1), EMPTY)", "CURVEPOLYGON (CIRCULARSTRING (0 0, 1 1, 0 0))", "TRIANGLE ((0 0, 1 0, 0 1, 0 0))",
    "POLYGON ((-180 -90, 180 -90, 180 90, -180 90, -180 -90))", "SRID=4326;POINT (1 1)", "POINT (1 1",
    "POINT(1 1)(2 2)",
)  # fmt: skip
#: Texts: empty, marks of encodings, controls, half pairs, markup, formulas, paths.
TEXTS = (
    "", " ", "\0", "a\0b", "\ufeff", "\ufffe", "\ud800", "\udfff\ud800", "\u202e", "\u200b", "\u2028", "\x85", "\r",
    "\n",
    "\x1b[31m", "[/red]", "[bold", "[link=file:///]", "=cmd()", "{0}", "{name}", "%s", "$value", '"', '""', "'", ";",
    ",",
    "\\", "\\u0000", "../../x", "a/b", "NULL", "null", "None", "true", "unknown", "n/a", "é" * 100,
    "e" + "\u0301" * 5000,
    "a" * 2001, "a" * 32_767, "a" * 32_768, "https://", "https://a b", "http://[::1", "https://" + "a" * 2000,
    "javascript:x", "//x", "Q0", "Q" + "9" * 50, "P31", "UA", "ua", "XX", "ДТЕК; Нафтогаз", "_problems", "id", "source",
)  # fmt: skip
_SIGNS = (
    *"[](){}<>;:,./\\|%&+-–—_'\"«»`~^#@!?=* \t\n\r\u00a0\u3000",
    "a", "A", "0", "9", "1%", "[1%]", "(5%)", "і", "Ж", "中", "ß", "İ", "ﬁ", "\u0301", "owner", " and ", "://", "=>",
    '"=>"', "km", "T", "Z", "lei:", "POINT", "\ud83d\ude00",
)  # fmt: skip


def hostile_text(chance: random.Random, before: str, others: list[str]) -> str:
    """Return a text to stand in place of another; ``others`` are texts of the same file.

    One in ten is 100,000 letters of a short run repeated, with another end: where a pattern tries every way to read
    it, it takes for ever.
    """
    way = chance.random()
    if way < 0.18:
        return chance.choice(NUMBERS)
    if way < 0.34:
        return chance.choice(DAYS)
    if way < 0.42:
        return chance.choice(SHAPES)
    if way < 0.6:
        return chance.choice(TEXTS)
    if way < 0.7:
        return run(chance, before)
    if way < 0.85 and others:
        return chance.choice(others)
    return _changed(chance, before)


def run(chance: random.Random, before: str, length: int = 100_000) -> str:
    """Return a long text: a short run of signs, or a word of the text before, over and over, and an end."""
    units = [*_SIGNS, *before.split()[:20], before[:200] or "x"]
    unit = "".join(chance.choices(units, k=chance.randint(1, 4)))
    begin, end = (
        chance.choice(("", before[:100], "[", "a")),
        chance.choice(("", "x", "]", "\\", "%", '"', before[-50:])),
    )
    return (begin + unit * (length // len(unit)) + end)[: length + 100]


def _changed(chance: random.Random, before: str) -> str:
    """Return a text with a part left out, doubled or replaced."""
    start = chance.randint(0, len(before))
    end = min(len(before), start + chance.randint(0, 8))
    part = chance.choice(("", before[start:end] * 2, chance.choice(_SIGNS), chance.choice(_SIGNS) * 50, before))
    return before[:start] + part + before[end:]
