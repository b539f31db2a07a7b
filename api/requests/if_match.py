"""The header If-Match of a write (RFC 9110, 13.1.1)."""

from __future__ import annotations

import re

from api.requests.parameters import BadParameter

HEADER = "If-Match"
_TAG = r'(W/)?"[!#-~\x80-\xff]*"'
#: ``*``, or a list of entity tags (8.8.3), of which some may be empty (5.6.1.2), and so all.
PATTERN = rf"^(\*|[ \t,]*({_TAG}([ \t]*,[ \t,]*{_TAG})*[ \t,]*)?)$"
_TAGS = re.compile(PATTERN)
_OPAQUE = re.compile(r'"[^"]*"')


def parse_if_match(values: list[str]) -> tuple[str, ...] | None:
    """Return the tags of the header's values, in quotes, or ``*`` alone; ``None`` where there is no such header.

    Raises
    ------
    BadParameter
        If it is no list of entity tags.
    """
    if not values:
        return None
    text = ",".join(values).strip(" \t")
    if not _TAGS.fullmatch(text):
        raise BadParameter(HEADER, text, 'entity tags in quotes, such as "6615d2098ed47626c4.1737-json", or *')
    return (text,) if text == "*" else tuple(_OPAQUE.findall(text))
