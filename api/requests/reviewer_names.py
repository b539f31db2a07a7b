"""Names of reviewers: what may be one, and which are the same to a reader."""

from __future__ import annotations

import unicodedata

MAX_LETTERS = 120
#: General categories (Unicode 15, table 4-4) of characters that show nothing, or that no program need know.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
#: Letters and marks that show nothing or a blank: Hangul fillers, blank Braille, joiners and selectors of variants.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5").union(
    *(map(chr, codes) for codes in (range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0)))
)


class InvalidName(ValueError):
    """A name that nobody may bear; the message says which character, and where."""


def display_name(text: str) -> str:
    """Return a name as it is stored and shown: in NFC, without space around it, with single spaces in it.

    Raises
    ------
    InvalidName
        If it is empty, too long, without a letter or digit, or has a character that cannot be seen or that passes for
        a space.
    """
    for at, character in enumerate(text, start=1):
        category = unicodedata.category(character)
        if category in _INVISIBLE or character in _BLANK or (category == "Zs" and character != " "):
            raise InvalidName(
                f"character {at} of the name is U+{ord(character):04X} ({unicodedata.name(character, category)}): "
                "expected letters that can be seen, with plain spaces between"
            )
    name = " ".join(part for part in unicodedata.normalize("NFC", text).split(" ") if part)
    if not 1 <= len(name) <= MAX_LETTERS or not any(character.isalnum() for character in name):
        raise InvalidName(f"expected a name of 1 to {MAX_LETTERS} letters, at least one of them a letter or digit")
    return name


def name_key(name: str) -> str:
    """Return what two names share that a reader may take for one: NFKC, case folded, single spaces.

    Folding can leave a text that is not normalised, and the other way round, so both are done twice.
    """
    key = name
    for _ in range(2):
        key = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", key).casefold())
    return " ".join(key.split())
