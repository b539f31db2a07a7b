"""Styles as Styled Layer Descriptors: 1.1 with Symbology Encoding 1.1 (05-078r4, 05-077r4), and 1.0 (02-070).

A descriptor has one size for what the map draws by zoom, and one rule for each symbol. The encoding has six marks; the
style table names for each symbol the mark that is most like it. A filter cannot ask for the class of a geometry: of
assets, pipelines are drawn as lines and all others as points, which an area has in its middle.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from xml.etree.ElementTree import Element, SubElement, indent, register_namespace, tostring

import numpy as np

from api.styles.rules import (
    HALO,
    OUTLINE,
    UNIT,
    AreaPaint,
    ChoiceCase,
    CirclePaint,
    GeometryClass,
    LinePaint,
    Paint,
    StyleRule,
    StyleTable,
    SymbolPaint,
    TextMatch,
    ZoomStops,
    at_zoom,
    number_text,
    rules,
)
from api.styles.symbol_paths import outline

_OGC = "http://www.opengis.net/ogc"
_SLD = "http://www.opengis.net/sld"
_SE = "http://www.opengis.net/se"
for _prefix, _uri in (("ogc", _OGC), ("sld", _SLD), ("se", _SE)):
    register_namespace(_prefix, _uri)

#: The zoom whose sizes a descriptor has: a region of some hundred kilometres.
REFERENCE_ZOOM = 7
#: Scale denominator of zoom 0 where a pixel has 0.28 mm (17-083r4, D.1), in tiles of 512.
_SCALE = 559_082_264.028717 / 2
#: The semantic type of each class of geometries (02-070, 10.4).
_SEMANTIC_TYPES: Mapping[GeometryClass, str] = {
    "points": "generic:point",
    "lines": "generic:line",
    "polygons": "generic:polygon",
}


@dataclass(frozen=True)
class SldVersion:
    """A version of SLD: namespace of its symbols, name of its parameter element, escape attribute of its patterns."""

    version: str
    symbols: str
    parameter: str
    escape: str

    def add(self, parent: Element, tag: str, text: object = None, **attributes: str) -> Element:
        """Append an element of the namespace of symbols to a parent, and return the element."""
        element = SubElement(parent, f"{{{self.symbols}}}{tag}", attributes)
        if text is not None:
            element.text = str(text)
        return element

    def set(self, parent: Element, **values: object) -> None:
        """Append a parameter for each value that is not ``None``; underscores of its name become hyphens."""
        for name, value in values.items():
            if value is not None:
                self.add(parent, self.parameter, value, name=name.replace("_", "-"))

    def entitle(self, parent: Element, title: str, abstract: str | None = None) -> None:
        """Append a title and an abstract, where there is one, as the version places them."""
        description = self.add(parent, "Description") if self.version == "1.1.0" else parent
        self.add(description, "Title", title)
        if abstract:
            self.add(description, "Abstract", abstract)


V10 = SldVersion("1.0.0", _SLD, "CssParameter", "escape")
V11 = SldVersion("1.1.0", _SE, "SvgParameter", "escapeChar")


def descriptor(name: str, abstract: str, layers: Mapping[str, str], look: StyleTable, dialect: SldVersion) -> bytes:
    """Write the descriptor of a style as UTF-8 XML, with a named layer for each collection, by its name and title."""
    root = Element(f"{{{_SLD}}}StyledLayerDescriptor", version=dialect.version)
    for layer, title in layers.items():
        named = SubElement(root, f"{{{_SLD}}}NamedLayer")
        dialect.add(named, "Name", layer)
        style = SubElement(named, f"{{{_SLD}}}UserStyle")
        dialect.add(style, "Name", name)
        dialect.entitle(style, title, abstract)
        SubElement(style, f"{{{_SLD}}}IsDefault").text = "1"
        drawn = rules(layer, look)
        for rule in drawn:
            # No filter can ask for areas: their rule is left out where the collection has other geometries.
            if rule.geometry != "polygons" or len(drawn) == 1:
                _part(style, layer, rule, look, dialect)
    indent(root)
    xml: bytes = tostring(root, encoding="UTF-8", xml_declaration=True)
    return xml


def _part(style: Element, collection: str, rule: StyleRule, look: StyleTable, dialect: SldVersion) -> None:
    """Append one rule of the map; where it draws symbols, a rule for each symbol."""
    part = dialect.add(style, "FeatureTypeStyle")
    dialect.add(part, "Name", rule.name)
    dialect.entitle(part, rule.title)
    dialect.add(part, "FeatureTypeName", collection)
    dialect.add(part, "SemanticTypeIdentifier", _SEMANTIC_TYPES[rule.geometry])
    if isinstance(rule.paint, SymbolPaint):
        for cases in rule.paint.combinations():
            keys = [case.key for case in cases]
            # The last symbol is drawn where no other is. QGIS asks a server for the features of all rules: with an else
            # these are all features; without one the filter would be longer than an address may be.
            last = not any(case.is_member for case in cases)
            conditions = [] if last else [_case(case) for case in cases if case.column]
            element = _rule(part, "-".join(keys), ", ".join(keys), conditions, rule, dialect)
            _mark(element, keys[0], keys[1], keys[2], rule.paint.size, look, dialect)
    else:
        conditions = [] if rule.stand_in is None else [_case(rule.stand_in)]
        conditions += [] if rule.condition is None else [_text_match(rule.condition, dialect)]
        _add_symbolizer(_rule(part, rule.name, rule.title, conditions, rule, dialect), rule.paint, dialect)


def _rule(
    part: Element, name: str, title: str, conditions: list[Element], rule: StyleRule, dialect: SldVersion
) -> Element:
    element = dialect.add(part, "Rule")
    dialect.add(element, "Name", name)
    dialect.entitle(element, title)
    if isinstance(rule.paint, SymbolPaint) and not conditions:
        dialect.add(element, "ElseFilter")
    if conditions:
        element.append(_ogc("Filter", _joined("And", conditions)))
    if rule.from_zoom:
        # QGIS reads a whole number only.
        dialect.add(element, "MaxScaleDenominator", round(_SCALE / 2**rule.from_zoom))
    return element


def _add_symbolizer(rule: Element, paint: Paint, dialect: SldVersion) -> None:
    match paint:
        case LinePaint():
            width = at_zoom(paint.width, REFERENCE_ZOOM)
            dash = " ".join(number_text(part * width) for part in paint.dash) if paint.dash else None
            stroke = dialect.add(dialect.add(rule, "LineSymbolizer"), "Stroke")
            dialect.set(stroke, stroke=paint.colour, stroke_opacity=_opacity(paint.opacity))
            dialect.set(stroke, stroke_width=number_text(width), stroke_linejoin="round", stroke_dasharray=dash)
        case CirclePaint():
            size = 2 * at_zoom(paint.radius, REFERENCE_ZOOM)
            _graphic(rule, "circle", 0, size, paint.fill, paint.edge, paint.edge_width, dialect)
        case AreaPaint():
            symbolizer = dialect.add(rule, "PolygonSymbolizer")
            dialect.set(dialect.add(symbolizer, "Fill"), fill=paint.fill, fill_opacity=_opacity(paint.opacity))
            width = at_zoom(paint.edge_width, REFERENCE_ZOOM)
            dialect.set(dialect.add(symbolizer, "Stroke"), stroke=paint.edge, stroke_width=number_text(width))


def _mark(
    rule: Element, shape: str, host: str, fill: str, stops: ZoomStops, look: StyleTable, dialect: SldVersion
) -> None:
    """Append a symbol: its halo, and over it its fill and outline."""
    base, scale = look["base"]["light"], at_zoom(stops, REFERENCE_ZOOM) * UNIT
    colour, filled = look["host"][host]["light"], fill == "filled"
    # One of the six well-known marks (05-077r4, 11.3.2), and the degrees that it is turned by.
    mark, turn = look["mark"][shape]["name"], look["mark"][shape].get("turn", 0)
    size = _units(look["group"][shape], turn) * scale
    edge = OUTLINE
    if mark == "cross":
        # Some readers, among them QGIS, draw a cross as two strokes, others as a figure: both colour its stroke.
        edge = 1.5 * OUTLINE if filled else OUTLINE / 2
    halo = HALO[fill] + (edge if mark == "cross" else 0)
    _graphic(rule, mark, turn, size, base["halo"], base["halo"], halo * scale, dialect)
    inner = colour if filled else base["paper"]
    _graphic(rule, mark, turn, size, inner, None if filled and mark != "cross" else colour, edge * scale, dialect)


@lru_cache(maxsize=64)
def _units(path: str, turn: int) -> float:
    """Return the size of a mark that is as wide or high as an outline, in units of the outline's box.

    A square on its corner (``turn`` 45) has the length of its side as size.
    """
    corners = np.concatenate(outline(path))
    return float(np.ptp(corners, axis=0).max()) / (math.sqrt(2) if turn == 45 else 1)


def _graphic(
    rule: Element, mark: str, turn: int, size: float, fill: str, edge: str | None, width: float, dialect: SldVersion
) -> None:
    graphic = dialect.add(dialect.add(rule, "PointSymbolizer"), "Graphic")
    drawn = dialect.add(graphic, "Mark")
    dialect.add(drawn, "WellKnownName", mark)
    dialect.set(dialect.add(drawn, "Fill"), fill=fill)
    if edge:
        dialect.set(dialect.add(drawn, "Stroke"), stroke=edge, stroke_width=number_text(width))
    dialect.add(graphic, "Size", number_text(size))
    if turn:
        dialect.add(graphic, "Rotation", turn)


def _opacity(opacity: float) -> str | None:
    return None if opacity == 1 else number_text(opacity)


# Filters. A comparison with a missing value is neither true nor false, so a filter asks for missing values explicitly.


def _case(case: ChoiceCase) -> Element:
    if case.is_member:
        return _joined("Or", [_comparison("PropertyIsEqualTo", case.column, value) for value in case.values])
    unequal = [_comparison("PropertyIsNotEqualTo", case.column, value) for value in case.values]
    return _joined("Or", [_missing(case.column), _joined("And", unequal)])


def _text_match(match: TextMatch, dialect: SldVersion) -> Element:
    """Write the condition for each column, joined with the condition that the columns before it have no value."""
    alternatives: list[Element] = []
    before: list[str] = []
    for column in match.columns:
        like = _comparison(
            "PropertyIsLike", column, f"*{match.text}*", wildCard="*", singleChar="?", **{dialect.escape: "!"}
        )
        test = like if match.contains else _ogc("And", _ogc("Not", _missing(column)), _ogc("Not", like))
        alternatives.append(_joined("And", [*(_missing(earlier) for earlier in before), test]))
        before.append(column)
    if not match.contains:
        alternatives.append(_joined("And", [_missing(column) for column in before]))
    return _joined("Or", alternatives)


def _comparison(operator: str, column: str, value: str, **attributes: str) -> Element:
    return _ogc(operator, _ogc("PropertyName", text=column), _ogc("Literal", text=value), **attributes)


def _missing(column: str) -> Element:
    return _ogc("PropertyIsNull", _ogc("PropertyName", text=column))


def _joined(operator: str, conditions: Sequence[Element]) -> Element:
    """Join conditions by an operator; a single condition stays as it is."""
    return conditions[0] if len(conditions) == 1 else _ogc(operator, *conditions)


def _ogc(tag: str, /, *children: Element, text: str | None = None, **attributes: str) -> Element:
    element = Element(f"{{{_OGC}}}{tag}", attributes)
    element.text = text
    element.extend(children)
    return element
