"""The header Idempotency-Key of a write (draft-ietf-httpapi-idempotency-key-header-07)."""

from __future__ import annotations

import re

from api.requests.parameters import BadParameter

HEADER = "Idempotency-Key"
#: A String of RFC 8941 (3.3.3) of 1 to 200 letters, without parameters.
PATTERN = r'^"([ !#-\[\]-~]|\\["\\]){1,200}"$'
_KEY = re.compile(PATTERN)


def parse_key(values: list[str]) -> str | None:
    """Return the key of the header's values as it was sent, quotes included; ``None`` where there is none.

    Raises
    ------
    BadParameter
        If there are several, or it is no String.
    """
    if not values:
        return None
    text = values[0].strip(" \t")
    if len(values) > 1 or not _KEY.fullmatch(text):
        raise BadParameter(
            HEADER, ", ".join(values), 'one string of 1 to 200 letters in quotes, such as "8e03978e-40d5"'
        )
    return text
