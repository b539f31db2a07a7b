"""The where of a question, a subset of SQL-92, read to the tree of a filter by the parser of CQL2.

What differs: days and times are written ``DATE '2025-08-06'``, a backslash is a letter, names of fields are the same in
capitals, and likeness in any case is asked by ``UPPER`` or ``LOWER``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from layers.query.cql2_text import MAX_TEXT, FilterError, Tree, parse

#: Literals and quoted names, so that nothing inside of them is taken for SQL; days and times first.
_LITERAL = re.compile(
    r"""\b(?:DATE|TIMESTAMP)\s*'(?P<time>[^']*)'|(?P<text>'(?:[^']|'')*+')|(?P<name>"(?:[^"]|"")*+")""", re.IGNORECASE
)
_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?))?(Z?)", re.ASCII)
_COMPARISONS = ("=", "<>", "<", ">", "<=", ">=", "like", "in", "between")


def where(text: str, names: Iterable[str]) -> Tree | None:
    """Read a where; ``None`` where it asks for everything.

    Parameters
    ----------
    names
        The fields there are.

    Raises
    ------
    FilterError
        If it is too long, too deep, or not of the subset.
    """
    if not text.strip() or re.fullmatch(r"\s*\(?\s*1\s*=\s*1\s*\)?\s*", text):
        return None
    if len(text) > MAX_TEXT:
        raise FilterError(f"at most {MAX_TEXT:,} characters")
    tree = parse(_LITERAL.sub(_literal, text))
    found: Tree = _named(tree, {name.lower(): name for name in names})
    return found


def _literal(found: re.Match[str]) -> str:
    if found["time"] is not None:
        return _instant(found["time"])
    return found[0].replace("\\", "\\\\") if found["text"] is not None else found[0]


def _instant(told: str) -> str:
    read = _TIME.fullmatch(told.strip())
    if read is None:
        raise FilterError(f"a day such as DATE '2025-08-06' or a time such as '2025-08-06 04:06:00', not {told[:40]!r}")
    day, time, _ = read.groups()
    return f"DATE('{day}')" if time is None else f"TIMESTAMP('{day}T{time}Z')"


def _named(node: Any, names: dict[str, str]) -> Any:
    """The same with each field in its own spelling, and comparisons in capitals made those in any case."""
    if isinstance(node, list):
        return [_named(one, names) for one in node]
    if not isinstance(node, dict):
        return node
    if "property" in node:
        return {"property": names.get(node["property"].lower(), node["property"])}
    if "op" not in node:
        return node
    args = _named(node["args"], names)
    if node["op"] in _COMPARISONS and any(_is_cased(arg) for arg in args):
        args = _folded(args)
    return {**node, "args": args}


def _is_cased(node: Any) -> bool:
    return isinstance(node, dict) and node.get("op") in ("upper", "lower")


def _folded(node: Any) -> Any:
    if isinstance(node, list):
        return [_folded(one) for one in node]
    inner = node["args"][0] if _is_cased(node) and len(node["args"]) == 1 else node
    return {"op": "casei", "args": [inner]}
