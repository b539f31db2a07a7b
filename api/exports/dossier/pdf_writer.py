"""Writes a dossier as a PDF that screen readers can read.

Typst sets the pages and tags them (PDF/UA-1, ISO 14289-1). Texts are data to it, never markup.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from api.exports.dossier.parts import Dossier
from api.exports.printed_map.lettering import printable
from api.exports.printed_map.sheet import compile_page

TEMPLATE = Path(__file__).with_name("dossier.typ")


def pdf(dossier: Dossier, picture: str) -> bytes:
    """Write a dossier as a tagged PDF; equal input gives equal bytes.

    ``picture``: the map as SVG; empty where the dossier has none.
    """
    data = json.dumps(_values(dossier), ensure_ascii=False)
    return compile_page(TEMPLATE, {"data": data, "map": picture, "day": dossier.day.isoformat()}, dossier.day)


def _values(value: Any) -> Any:
    """Return parts as JSON values in letters that the typeface has, each with the name of its kind."""
    if isinstance(value, str):
        return printable(value)
    if is_dataclass(value):
        named = {one.name: getattr(value, one.name) for one in fields(value)}
        said = {name: part if name == "target" else _values(part) for name, part in named.items()}
        return {"kind": type(value).__name__, **said}
    if isinstance(value, list | tuple):
        return [_values(part) for part in value]
    return value if isinstance(value, int | float | None) else str(value)
