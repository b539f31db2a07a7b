"""Styles as QGIS keeps them in a GeoPackage (QML of QGIS 3): the renderer of a layer, and its columns of time.

Written by hand, as only QGIS itself has a library for it; QGIS 3.40 was found to read it.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from itertools import pairwise
from xml.etree.ElementTree import Element, SubElement, tostring

from api.exports.text import word
from api.styles.rules import (
    HALO,
    OUTLINE,
    UNIT,
    AreaPaint,
    ChoiceCase,
    CirclePaint,
    LinePaint,
    StyleRule,
    StyleTable,
    SymbolPaint,
    TextMatch,
    ZoomStops,
    number_text,
    rules,
)

#: Scale denominator of zoom 0 of tiles of 512 pixels.
_SCALE = 559082264.0287178 / 2
_ZOOM = f"ln({_SCALE:.6f}/@map_scale)/ln(2)"
#: The box of a symbol of 24 units with room for its halo, in those units.
_BOX = 32.0
_BOX_START = (24 - _BOX) / 2
_NAMESPACE = uuid.UUID("0f3a6b52-7f0c-5d0c-9a43-55d1a6a1b0f7")
_FILLS = {"filled": "corroborated or verified", "hollow": "reported only"}


def document(collection: str, look: StyleTable, days: tuple[str, str] | None) -> str:
    """Write the style of a layer that has a collection of one kind of geometry.

    Parameters
    ----------
    collection
        Its name, by which its rules are found.
    days
        Columns of the first and the last day on which a feature may be, which QGIS's time controller goes by.

    Returns
    -------
    str
        QML with the categories symbology and temporal; sizes follow the scale of the map.
    """
    root = Element("qgis", version="3.40.0", styleCategories="Symbology|Temporal")
    renderer = SubElement(root, "renderer-v2", type="RuleRenderer", symbollevels="0", enableorderby="0")
    tree = SubElement(renderer, "rules", key=_key(collection, "root"))
    symbols = SubElement(renderer, "symbols")
    for rule in rules(collection, look):
        for name, label, expression, symbol in _drawn(rule, look):
            number = str(len(symbols))
            entry = {"key": _key(collection, name), "symbol": number, "label": label}
            if expression:
                entry["filter"] = expression
            if rule.from_zoom:
                entry["scalemaxdenom"] = str(round(_SCALE / 2**rule.from_zoom))
            SubElement(tree, "rule", entry)
            symbol.set("name", number)
            symbols.append(symbol)
    if days is not None:
        # Mode 2 is a span from field to field, limit mode 1 includes its end.
        mode = {"enabled": "1", "mode": "2", "limitMode": "1", "startField": days[0], "endField": days[1]}
        SubElement(root, "temporal", {**mode, "accumulate": "0", "fixedDuration": "0", "durationUnit": "min"})
    return tostring(root, encoding="unicode")


def _key(collection: str, name: str) -> str:
    return f"{{{uuid.uuid5(_NAMESPACE, f'{collection}/{name}')}}}"


def _drawn(rule: StyleRule, look: StyleTable) -> Iterator[tuple[str, str, str, Element]]:
    """Yield the rules of QGIS for a rule: name, label, which features it draws (empty for all), and their symbol."""
    if isinstance(rule.paint, SymbolPaint):
        for cases in rule.paint.combinations():
            shape, host, fill = (case.key for case in cases)
            label = ", ".join(_label(rule.paint, shape, host, fill))
            expression = " AND ".join(_case(case) for case in cases if case.column)
            symbol = _marker(shape, host, fill, rule.paint.size, look)
            yield f"{rule.name}-{shape}-{host}-{fill}", label, expression, symbol
        return
    yield rule.name, rule.title, "" if rule.condition is None else _text_match(rule.condition), _symbol(rule.paint)


def _label(paint: SymbolPaint, shape: str, host: str, fill: str) -> Iterator[str]:
    if paint.shape.column:
        yield "Target not known" if shape == "none" else word("group", shape)
    yield "another country" if host == "other" else host
    if paint.fill.column:
        yield _FILLS[fill]


def _symbol(paint: LinePaint | CirclePaint | AreaPaint) -> Element:
    match paint:
        case LinePaint():
            values = {"line_color": _colour(paint.colour), "capstyle": "flat", "joinstyle": "round"}
            if paint.dash:
                # In widths of the line at the scale that it is drawn without data-defined sizes.
                dash = ";".join(f"{part * paint.width[-1][1]:.2f}" for part in paint.dash)
                values |= {"use_custom_dash": "1", "customdash": dash, "customdash_unit": "Pixel"}
            values |= _pixels(line_width=paint.width[-1][1])
            return _layer("line", "SimpleLine", values, {"outlineWidth": _by_scale(paint.width)}, paint.opacity)
        case CirclePaint():
            values = {"name": "circle", "color": _colour(paint.fill), "outline_color": _colour(paint.edge)}
            values |= _pixels(outline_width=paint.edge_width, size=2 * paint.radius[-1][1])
            return _layer("marker", "SimpleMarker", values, {"size": _by_scale(paint.radius, 2)})
        case AreaPaint():
            values = {"color": _colour(paint.fill, paint.opacity), "style": "solid"}
            values |= {"outline_color": _colour(paint.edge), "outline_style": "solid"}
            values |= _pixels(outline_width=paint.edge_width[-1][1])
            return _layer("fill", "SimpleFill", values, {"outlineWidth": _by_scale(paint.edge_width)})


def _pixels(**sizes: float) -> dict[str, str]:
    """Sizes in pixels by name, each followed by its unit."""
    pairs = (((name, number_text(size)), (f"{name}_unit", "Pixel")) for name, size in sizes.items())
    return {name: text for pair in pairs for name, text in pair}


def _marker(shape: str, host: str, fill: str, stops: ZoomStops, look: StyleTable) -> Element:
    """A symbol of the map: its outline as SVG within the style, with the halo below."""
    base, colour = look["base"]["light"], look["host"][host]["light"]
    is_filled = fill == "filled"
    inner = f'fill="{colour}"' if is_filled else f'fill="{base["paper"]}" stroke="{colour}" stroke-width="{OUTLINE:g}"'
    path = look["group"][shape]
    halo = f'fill="{base["halo"]}" stroke="{base["halo"]}" stroke-width="{HALO[fill]:g}" stroke-linejoin="round"'
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_BOX:g}" height="{_BOX:g}" '
        f'viewBox="{_BOX_START:g} {_BOX_START:g} {_BOX:g} {_BOX:g}">'
        f'<path d="{path}" {halo}/><path d="{path}" {inner}/></svg>'
    )
    pixels = _BOX * UNIT
    values = {"name": f"base64:{base64.b64encode(svg.encode()).decode()}", **_pixels(size=pixels * stops[-1][1])}
    return _layer("marker", "SvgMarker", values, {"size": _by_scale(stops, pixels)})


def _layer(
    kind: str, layer_class: str, values: dict[str, str], defined: dict[str, str], opacity: float = 1.0
) -> Element:
    """A symbol of one layer, whose ``defined`` properties follow an expression."""
    symbol = Element("symbol", type=kind, alpha=f"{opacity:g}", clip_to_extent="1", force_rhr="0")
    layer = SubElement(symbol, "layer", {"class": layer_class, "enabled": "1", "locked": "0", "pass": "0"})
    options = SubElement(layer, "Option", type="Map")
    for name, value in values.items():
        _option(options, name, "QString", value)
    whole = SubElement(SubElement(layer, "data_defined_properties"), "Option", type="Map")
    _option(whole, "name", "QString", "")
    properties = SubElement(whole, "Option", name="properties", type="Map")
    for name, expression in defined.items():
        one = SubElement(properties, "Option", name=name, type="Map")
        _option(one, "active", "bool", "true")
        _option(one, "expression", "QString", expression)
        _option(one, "type", "int", "3")
    _option(whole, "type", "QString", "collection")
    return symbol


def _option(parent: Element, name: str, kind: str, value: str) -> None:
    SubElement(parent, "Option", name=name, type=kind, value=value)


def _by_scale(stops: ZoomStops, times: float = 1.0) -> str:
    """An expression for a size in pixels that follows the scale of the map as it follows the zoom of the web map."""
    cases = [
        f"WHEN @zoom < {high:g} THEN scale_linear(@zoom, {low:g}, {high:g}, {small * times:g}, {large * times:g})"
        for (low, small), (high, large) in pairwise(stops)
    ]
    return f"with_variable('zoom', {_ZOOM}, CASE {' '.join(cases)} ELSE {stops[-1][1] * times:g} END)"


def _text_match(match: TextMatch) -> str:
    columns = ", ".join(f'"{column}"' for column in match.columns)
    return f"coalesce({columns}, '') {'LIKE' if match.contains else 'NOT LIKE'} '%{match.text}%'"


def _case(case: ChoiceCase) -> str:
    values = ", ".join(f"'{value}'" for value in case.values)
    if case.is_member:
        return f'"{case.column}" IN ({values})'
    return f'("{case.column}" IS NULL OR "{case.column}" NOT IN ({values}))'


def _colour(text: str, opacity: float = 1.0) -> str:
    red, green, blue = (int(text[at : at + 2], 16) for at in (1, 3, 5))
    return f"{red},{green},{blue},{round(255 * opacity)}"
