"""JSON and TOML as values that are nested no deeper than Python can compare, show and write them again."""

from __future__ import annotations

import tomllib
from typing import Any

import orjson

from layers.sources.files.limits import MAX_DEPTH


def parse_json(text: bytes | str) -> Any:
    """Parse JSON (RFC 8259).

    Raises ``orjson.JSONDecodeError`` if it is no JSON, or nested deeper than ``MAX_DEPTH``.
    """
    value = orjson.loads(text)
    if _is_deep(value):
        raise orjson.JSONDecodeError(f"nested more than {MAX_DEPTH} deep", "", 0)
    return value


def parse_toml(text: str) -> dict[str, Any]:
    """Parse TOML 1.0.

    Raises ``tomllib.TOMLDecodeError`` if it is no TOML, nested deeper than ``MAX_DEPTH``, or has a number with more
    digits than Python reads.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except (RecursionError, ValueError, OverflowError) as error:
        raise tomllib.TOMLDecodeError(str(error)) from error
    if _is_deep(document):
        raise tomllib.TOMLDecodeError(f"nested more than {MAX_DEPTH} deep")
    return document


def _is_deep(value: Any) -> bool:
    """Whether lists and objects lie more than ``MAX_DEPTH`` deep in each other."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        parts = (part.values() if isinstance(part, dict) else part for part in level if isinstance(part, dict | list))
        level = [inner for part in parts for inner in part if isinstance(inner, dict | list)]
        if not level:
            return False
    return True
