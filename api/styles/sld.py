"""Styles as Styled Layer Descriptors: 1.1 with Symbology Encoding 1.1 (05-078r4, 05-077r4), and 1.0 (02-070).

A descriptor has one size for what the map draws by zoom, and one rule for each symbol. Of marks it knows six; those
that look like the symbols of the map stand for them. It cannot ask for the kind of a geometry: of assets, pipelines
are taken for lines and all others for points, which an area has in its middle.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from xml.etree.ElementTree import Element, SubElement, indent, register_namespace, tostring

from api.styles.rules import (
    HALO,
    OUTLINE,
    UNIT,
    Area,
    Case,
    Dot,
    Geometry,
    Holds,
    Line,
    Marks,
    Paint,
    Rule,
    Stops,
    Table,
    at_zoom,
    rules,
)
from api.styles.symbol_paths import outline

_OGC = "http://www.opengis.net/ogc"
_SLD = "http://www.opengis.net/sld"
_SE = "http://www.opengis.net/se"
for _prefix, _uri in (("ogc", _OGC), ("sld", _SLD), ("se", _SE)):
    register_namespace(_prefix, _uri)

#: The zoom whose sizes a descriptor has: a region of some hundred kilometres.
ZOOM = 7
#: Scale denominator of zoom 0 where a pixel has 0.28 mm (17-083r4, D.1), in tiles of 512.
_SCALE = 559_082_264.028717 / 2
#: The mark of each symbol and the degrees that it is turned by (05-077r4, 11.3.2).
_MARKS: Mapping[str, tuple[str, int]] = {
    "oil": ("circle", 0),
    "gas": ("square", 45),
    "power": ("triangle", 0),
    "port": ("triangle", 180),
    "industry": ("square", 0),
    "office": ("star", 0),
    "none": ("cross", 0),
}
#: What features a part of a style is meant for (02-070, 10.4).
_MEANT: Mapping[Geometry, str] = {"points": "generic:point", "lines": "generic:line", "polygons": "generic:polygon"}


@dataclass(frozen=True)
class Dialect:
    """One version: the namespace of what describes symbols, how it calls parameters and the escape of a pattern."""

    version: str
    symbols: str
    parameter: str
    escape: str

    def add(self, parent: Element, tag: str, text: object = None, **attributes: str) -> Element:
        """Add an element about symbols."""
        found = SubElement(parent, f"{{{self.symbols}}}{tag}", attributes)
        if text is not None:
            found.text = str(text)
        return found

    def set(self, parent: Element, **values: object) -> None:
        """Add parameters; underscores stand for hyphens."""
        for name, value in values.items():
            if value is not None:
                self.add(parent, self.parameter, value, name=name.replace("_", "-"))

    def entitle(self, parent: Element, title: str, abstract: str | None = None) -> None:
        """Add a title, and what is said besides."""
        told = self.add(parent, "Description") if self.version == "1.1.0" else parent
        self.add(told, "Title", title)
        if abstract:
            self.add(told, "Abstract", abstract)


V10 = Dialect("1.0.0", _SLD, "CssParameter", "escape")
V11 = Dialect("1.1.0", _SE, "SvgParameter", "escapeChar")


@dataclass(frozen=True)
class Layer:
    """A collection that a descriptor tells of."""

    name: str
    title: str


def descriptor(name: str, abstract: str, layers: Iterable[Layer], look: Table, dialect: Dialect) -> bytes:
    """Write the descriptor of a style, a named layer a collection."""
    root = Element(f"{{{_SLD}}}StyledLayerDescriptor", version=dialect.version)
    for layer in layers:
        named = SubElement(root, f"{{{_SLD}}}NamedLayer")
        dialect.add(named, "Name", layer.name)
        style = SubElement(named, f"{{{_SLD}}}UserStyle")
        dialect.add(style, "Name", name)
        dialect.entitle(style, layer.title, abstract)
        SubElement(style, f"{{{_SLD}}}IsDefault").text = "1"
        for rule in _tellable(rules(layer.name, look)):
            _part(style, layer.name, rule, look, dialect)
    indent(root)
    told: bytes = tostring(root, encoding="UTF-8", xml_declaration=True)
    return told


def _tellable(every: Sequence[Rule]) -> list[Rule]:
    """The rules but for those of areas, where other geometries are drawn too."""
    return [rule for rule in every if rule.geometry != "polygons" or len(every) == 1]


def _part(style: Element, collection: str, rule: Rule, look: Table, dialect: Dialect) -> None:
    """One rule of the map; a rule for each symbol of its marks."""
    part = dialect.add(style, "FeatureTypeStyle")
    dialect.add(part, "Name", rule.name)
    dialect.entitle(part, rule.title)
    dialect.add(part, "FeatureTypeName", collection)
    dialect.add(part, "SemanticTypeIdentifier", _MEANT[rule.geometry])
    if isinstance(rule.paint, Marks):
        for cases in rule.paint.each():
            keys = [case.key for case in cases]
            # The last is what no other is. QGIS asks a server for what any rule may draw: with an else it is all, and
            # without it was a filter of all rules together, longer than an address may be.
            last = not any(case.among for case in cases)
            conditions = [] if last else [_case(case) for case in cases if case.column]
            one = _rule(part, "-".join(keys), ", ".join(keys), conditions, rule, dialect)
            _mark(one, keys[0], keys[1], keys[2], rule.paint.size, look, dialect)
    else:
        conditions = [] if rule.known_by is None else [_case(rule.known_by)]
        conditions += [] if rule.only is None else [_holds(rule.only, dialect)]
        _painted(_rule(part, rule.name, rule.title, conditions, rule, dialect), rule.paint, dialect)


def _rule(part: Element, name: str, title: str, conditions: list[Element], rule: Rule, dialect: Dialect) -> Element:
    found = dialect.add(part, "Rule")
    dialect.add(found, "Name", name)
    dialect.entitle(found, title)
    if isinstance(rule.paint, Marks) and not conditions:
        dialect.add(found, "ElseFilter")
    if conditions:
        SubElement(found, f"{{{_OGC}}}Filter").append(_joined("And", conditions))
    if rule.from_zoom:
        # QGIS reads a whole number only.
        dialect.add(found, "MaxScaleDenominator", round(_SCALE / 2**rule.from_zoom))
    return found


def _painted(rule: Element, paint: Paint, dialect: Dialect) -> None:
    match paint:
        case Line():
            width = at_zoom(paint.width, ZOOM)
            dash = " ".join(_number(part * width) for part in paint.dash) if paint.dash else None
            stroke = dialect.add(dialect.add(rule, "LineSymbolizer"), "Stroke")
            dialect.set(stroke, stroke=paint.colour, stroke_opacity=_part_of(paint.opacity))
            dialect.set(stroke, stroke_width=_number(width), stroke_linejoin="round", stroke_dasharray=dash)
        case Dot():
            size = 2 * at_zoom(paint.radius, ZOOM)
            _graphic(rule, "circle", 0, size, paint.fill, paint.edge, paint.edge_width, dialect)
        case Area():
            found = dialect.add(rule, "PolygonSymbolizer")
            dialect.set(dialect.add(found, "Fill"), fill=paint.fill, fill_opacity=_part_of(paint.opacity))
            width = at_zoom(paint.edge_width, ZOOM)
            dialect.set(dialect.add(found, "Stroke"), stroke=paint.edge, stroke_width=_number(width))


def _mark(rule: Element, shape: str, host: str, fill: str, stops: Stops, look: Table, dialect: Dialect) -> None:
    """A symbol: its halo, and upon it its fill and outline."""
    base, scale = look["base"]["light"], at_zoom(stops, ZOOM) * UNIT
    colour, filled = look["host"][host]["light"], fill == "filled"
    mark, turn = _MARKS[shape]
    size = _units(look["group"][shape], turn) * scale
    edge = OUTLINE
    if mark == "cross":
        # Two strokes to some readers, among them QGIS, to others a figure: a stroke tells all of them its colour.
        edge = 1.5 * OUTLINE if filled else OUTLINE / 2
    halo = HALO[fill] + (edge if mark == "cross" else 0)
    _graphic(rule, mark, turn, size, base["halo"], base["halo"], halo * scale, dialect)
    inner = colour if filled else base["paper"]
    _graphic(rule, mark, turn, size, inner, None if filled and mark != "cross" else colour, edge * scale, dialect)


@lru_cache(maxsize=64)
def _units(path: str, turn: int) -> float:
    """Size of the mark that reaches as far as an outline, in its units; a square on its corner has its side."""
    box = outline(path).get_extents()
    return float(max(box.width, box.height)) / (math.sqrt(2) if turn == 45 else 1)


def _graphic(
    rule: Element, mark: str, turn: int, size: float, fill: str, edge: str | None, width: float, dialect: Dialect
) -> None:
    graphic = dialect.add(dialect.add(rule, "PointSymbolizer"), "Graphic")
    drawn = dialect.add(graphic, "Mark")
    dialect.add(drawn, "WellKnownName", mark)
    dialect.set(dialect.add(drawn, "Fill"), fill=fill)
    if edge:
        dialect.set(dialect.add(drawn, "Stroke"), stroke=edge, stroke_width=_number(width))
    dialect.add(graphic, "Size", _number(size))
    if turn:
        dialect.add(graphic, "Rotation", turn)


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _part_of(opacity: float) -> str | None:
    return None if opacity == 1 else _number(opacity)


# Filters. What is compared with a missing value is neither true nor false, so what is missing is asked for by name.


def _case(case: Case) -> Element:
    equal = [_compared("PropertyIsEqualTo", case.column, value) for value in case.values]
    if case.among:
        return _joined("Or", equal)
    other = [_compared("PropertyIsNotEqualTo", case.column, value) for value in case.values]
    return _joined("Or", [_missing(case.column), _joined("And", other)])


def _holds(only: Holds, dialect: Dialect) -> Element:
    """The text is in the first column that has a value, each told apart from those before it."""
    found: list[Element] = []
    passed: list[str] = []
    for column in only.columns:
        like = _compared(
            "PropertyIsLike", column, f"*{only.text}*", wildCard="*", singleChar="?", **{dialect.escape: "!"}
        )
        test = like if only.wanted else _joined("And", [_not(_missing(column)), _not(like)])
        found.append(_joined("And", [*(_missing(one) for one in passed), test]))
        passed.append(column)
    if not only.wanted:
        found.append(_joined("And", [_missing(one) for one in passed]))
    return _joined("Or", found)


def _compared(operator: str, column: str, value: str, **how: str) -> Element:
    found = Element(f"{{{_OGC}}}{operator}", how)
    SubElement(found, f"{{{_OGC}}}PropertyName").text = column
    SubElement(found, f"{{{_OGC}}}Literal").text = value
    return found


def _missing(column: str) -> Element:
    found = Element(f"{{{_OGC}}}PropertyIsNull")
    SubElement(found, f"{{{_OGC}}}PropertyName").text = column
    return found


def _not(one: Element) -> Element:
    return _joined("Not", [one], least=1)


def _joined(operator: str, parts: Iterable[Element], least: int = 2) -> Element:
    """Parts joined by an operator, or the only one as it is."""
    every = list(parts)
    if len(every) < least:
        return every[0]
    found = Element(f"{{{_OGC}}}{operator}")
    found.extend(every)
    return found
