"""Values of JSON as text that people read."""

from __future__ import annotations

from typing import Any

import orjson


def plain(value: Any) -> str:
    """A value as text: numbers without needless decimals, yes and no, objects as JSON, all else as it is."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str | int | float):
        return str(value)
    return orjson.dumps(value).decode()
