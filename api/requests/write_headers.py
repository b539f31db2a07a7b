"""Headers of a write: If-Match, Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07) and Change-Reason."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import unquote

from api.requests.parameters import BadParameter

IF_MATCH = "If-Match"
_TAG = r'(W/)?"[!#-~\x80-\xff]*"'
#: ``*``, or a list of entity tags (8.8.3), of which some may be empty (5.6.1.2), and so all.
IF_MATCH_PATTERN = rf"^(\*|[ \t,]*({_TAG}([ \t]*,[ \t,]*{_TAG})*[ \t,]*)?)$"
_TAGS = re.compile(IF_MATCH_PATTERN)
_OPAQUE = re.compile(r'"[^"]*"')


def parse_if_match(values: list[str]) -> tuple[str, ...] | None:
    """Return the tags of the header's values, in quotes, or ``*`` alone; ``None`` where there is no such header.

    Raises BadParameter if it is no list of entity tags.
    """
    if not values:
        return None
    text = ",".join(values).strip(" \t")
    if not _TAGS.fullmatch(text):
        raise BadParameter(IF_MATCH, text, 'entity tags in quotes, such as "6615d2098ed47626c4.1737-json", or *')
    return (text,) if text == "*" else tuple(_OPAQUE.findall(text))


IDEMPOTENCY_KEY = "Idempotency-Key"
#: A String of RFC 8941 (3.3.3) of 1 to 200 letters, without parameters.
KEY_PATTERN = r'^"([ !#-\[\]-~]|\\["\\]){1,200}"$'
_KEY = re.compile(KEY_PATTERN)


def parse_key(values: list[str]) -> str | None:
    """Return the key of the header's values as it was sent, quotes included; ``None`` where there is none.

    Raises BadParameter if there are several, or it is no String.
    """
    if not values:
        return None
    text = values[0].strip(" \t")
    if len(values) > 1 or not _KEY.fullmatch(text):
        raise BadParameter(
            IDEMPOTENCY_KEY, ", ".join(values), 'one string of 1 to 200 letters in quotes, such as "8e03978e-40d5"'
        )
    return text


#: Why a record is written. A header, as the bodies of OGC API - Features, part 4, are features, and a query would be
#: part of the address, which servers and proxies write to their logs.
REASON = "Change-Reason"
#: Most letters: each record that is written has the reason in its row of history.
MAX_LETTERS = 500
#: One letter but a control character, as a Display String (RFC 9651, 3.3.8) has it: ASCII, or an octet or more of UTF-8
#: (RFC 3629, 4).
_SHOWN = (
    "[ !#$&-~]|%[2-6][0-9a-f]|%7[0-9a-e]|%c2%[ab][0-9a-f]|%(c[3-9a-f]|d[0-9a-f])%[89ab][0-9a-f]"
    "|%(e0%[ab]|e[1-9a-cef]%[89ab]|ed%[89])[0-9a-f]%[89ab][0-9a-f]"
    "|%(f0%[9ab]|f[1-3]%[89ab]|f4%8)[0-9a-f](%[89ab][0-9a-f]){2}"
)
#: A String (RFC 9651, 3.3.3) or a Display String, without parameters.
REASON_PATTERN = rf'^("([ !#-\[\]-~]|\\["\\]){{0,{MAX_LETTERS}}}"|%"({_SHOWN}){{0,{MAX_LETTERS}}}")$'
_REASON = re.compile(REASON_PATTERN)


def parse_reason(values: Sequence[str]) -> str | None:
    """Return the text of the header's values; ``None`` where there is none, or a blank one.

    Raises BadParameter if there are several, or it is neither a String nor a Display String.
    """
    if not values:
        return None
    text = values[0].strip(" \t")
    if len(values) > 1 or not _REASON.fullmatch(text):
        raise BadParameter(
            REASON,
            ", ".join(values),
            f'one text of at most {MAX_LETTERS} letters, "in quotes" if it is ASCII, or %"as a Display String of RFC '
            '9651", such as %"2 caf%c3%a9s"',
        )
    return _content(text).strip() or None


def _content(text: str) -> str:
    if text.startswith("%"):
        return unquote(text[2:-1], errors="strict")
    return re.sub(r'\\(["\\])', r"\1", text[1:-1])


def require_reason(name: str, text: str) -> str:
    """Return the reason that is given under a name, without white space around it.

    Raises BadParameter if it is blank or too long, or has a control character.
    """
    stated = text.strip()
    if not 0 < len(stated) <= MAX_LETTERS or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in stated):
        raise BadParameter(name, text, f"a text of 1 to {MAX_LETTERS} letters, none of them a control character")
    return stated
