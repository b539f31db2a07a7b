"""Geometries of CQL2 text, which are WKT, read to GeoJSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from layers.filter_tokens import Tokens
from layers.filter_tree import POSITIONS

#: Name of each type in capitals to its name in GeoJSON.
TYPES: Mapping[str, str] = MappingProxyType({name.upper(): name for name in (*POSITIONS, "GeometryCollection")})


def starts_shape(tokens: Tokens) -> bool:
    """Whether a geometry comes: the name of its type and what opens it; else it is the name of a property."""
    return tokens.word() in TYPES and tokens.opens(also="Z")


def shape(tokens: Tokens, within: bool = False) -> dict[str, Any]:
    """One geometry, with or without Z. Empty ones are refused: they would meet nothing.

    Raises
    ------
    FilterError
        If something else comes.
    """
    if tokens.word() not in TYPES or (within and tokens.word() == "GEOMETRYCOLLECTION"):
        tokens.fail("a geometry such as POINT(30.7 46.5)")
    kind = TYPES[tokens.take().text.upper()]
    tokens.accept("Z")
    if kind == "GeometryCollection":
        return {"type": kind, "geometries": listed(tokens, lambda: shape(tokens, within=True))}
    if kind == "Point":
        return {"type": kind, "coordinates": _one(tokens)}
    return {"type": kind, "coordinates": _coordinates(tokens, POSITIONS[kind], kind == "MultiPoint")}


def listed(tokens: Tokens, one: Callable[[], Any]) -> list[Any]:
    """One or more of something in parentheses, with commas between.

    Raises
    ------
    FilterError
        If something else comes.
    """
    tokens.expect_sign("(")
    found = [one()]
    while tokens.accept_sign(","):
        found.append(one())
    if not tokens.accept_sign(")"):
        tokens.fail(", or )")
    return found


def signed(tokens: Tokens) -> float:
    """A number with or without a sign.

    Raises
    ------
    FilterError
        If something else comes.
    """
    sign = tokens.accept_sign("-", "+")
    if tokens.peek.kind != "number":
        tokens.fail("a number")
    size = float(tokens.take().text)
    return -size if sign == "-" else size


def _one(tokens: Tokens) -> list[float]:
    """A position in parentheses of its own."""
    tokens.expect_sign("(")
    found = _position(tokens)
    tokens.expect_sign(")")
    return found


def _coordinates(tokens: Tokens, deep: int, points: bool) -> list[Any]:
    if deep > 1:
        return listed(tokens, lambda: _coordinates(tokens, deep - 1, points))
    return listed(tokens, lambda: _one(tokens) if points and tokens.is_open() else _position(tokens))


def _position(tokens: Tokens) -> list[float]:
    found = [signed(tokens), signed(tokens)]
    if tokens.peek.kind == "number" or tokens.peek.text in ("-", "+"):
        found.append(signed(tokens))
    return found
