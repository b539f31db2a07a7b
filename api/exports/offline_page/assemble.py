"""Around the one-file map: Leaflet and our own style and script in the page, heading, key, foot, and the seal."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from datetime import date
from html import escape
from pathlib import Path

import geopandas

from api.exports.strike_rows import DrawnStrike, ExportError, count_undrawn, rows, text_value, title_of
from api.exports.symbols import (
    FILLED_LABEL,
    HOLLOW_LABEL,
    HOST_COLOURS,
    OTHER_COLOUR,
    SHAPES,
    UNKNOWN_SHAPE,
    Shape,
)
from api.exports.text import STATIC, quantity
from api.wording.dates import date_in_words

VENDOR = STATIC / "vendor" / "leaflet"
HERE = Path(__file__).parent

_INLINE = re.compile(r"<(script|style)(?: [^<>]*)?>")
_TEMPLATE_START = re.compile(r"\{(?=[{%#])")
_CSS_URL = re.compile(r"url\(([^()]+)\)")


def script_json(value: object) -> str:
    """Write JSON that may stand inside a script element: nothing in it can end the element or open a comment.

    The HTML standard's advice (4.12.1.3): every "<" is written as an escape; so are the line separators. branca
    reads what it puts into a page as a Jinja template once more, so what would start a tag of that is escaped
    too; in JSON it can only stand inside a text.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in ("<", ">", "&", "\u2028", "\u2029"):
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return _TEMPLATE_START.sub("\\\\u007b", text)


def assemble_page(
    html: str,
    title: str,
    data_date: date,
    marks: Sequence[DrawnStrike],
    strikes: geopandas.GeoDataFrame,
    remarks: Sequence[str] = (),
) -> str:
    """Put Leaflet, our script and styles, heading, key and foot around folium's map.

    Parameters
    ----------
    html
        The page that folium renders.
    title
        Title of the page, as plain text.
    data_date
        Day of the data, which the heading states.
    marks
        Strikes on the map: the key explains their symbols alone.
    strikes
        All strikes, with the columns of the collection, in any CRS; those without a place are listed in the foot.

    Raises
    ------
    ExportError
        Leaflet is not installed in ``static/vendor``.
    """
    leaflet_css, leaflet_js = _leaflet(VENDOR)
    own_css, own_js = _own()
    # A style that folium writes for a map that fills the window; ours leaves room for heading and foot.
    before, *styles = html.split("<style>")
    html = before + "".join(style.partition("</style>")[2] for style in styles)
    head = f"<title>{escape(title)}</title><style>{leaflet_css}</style><style>{own_css}</style>"
    head += f"<script>{leaflet_js}</script><script>{own_js}</script>"
    day = f"{data_date.day} {data_date:%B %Y}"
    top = f"<header><h1>{escape(title)}</h1><p>Data of {day}. Shares are in percent, on the day of the strike.</p>"
    top += f"{_key(marks)}</header>"
    # People must be able to enlarge the page.
    html = html.replace("maximum-scale=1.0, user-scalable=no", "maximum-scale=10.0")
    html = html.replace("<html>", '<html lang="en">', 1).replace("</head>", f"{head}</head>", 1)
    html = html.replace("<body>", f"<body>{top}", 1)
    # folium writes its script after the body's end, so this is the only one.
    return html.replace("</body>", f"{_foot(strikes, remarks)}</body>", 1)


def inline_links() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the names and addresses of the scripts and styles of a map without a page around it; each is its content.

    Raises
    ------
    ExportError
        Leaflet is not installed in ``static/vendor``.
    """
    leaflet_css, leaflet_js = _leaflet(VENDOR)
    own_css, own_js = _own()
    # In a map's header a name is there once, be it of a script or of a style.
    scripts = [("leaflet-script", leaflet_js), ("strikeatlas-script", own_js)]
    # Without heading and foot the map fills its frame.
    styles = [("leaflet-style", leaflet_css), ("strikeatlas-style", f"{own_css}\nbody {{ display: block; }}")]
    return (
        [(name, _data_address("text/javascript", code)) for name, code in scripts],
        [(name, _data_address("text/css", code)) for name, code in styles],
    )


def _data_address(media_type: str, content: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content.encode()).decode()}"


def _own() -> tuple[str, str]:
    """Read our own style and script."""
    style, script = ((HERE / name).read_text(encoding="utf-8") for name in ("onefile.css", "onefile.js"))
    return style, script


def _leaflet(folder: Path) -> tuple[str, str]:
    """Read Leaflet's style, with its pictures in it, and its script with the licence that goes with every copy."""
    try:
        style = (folder / "leaflet.css").read_text(encoding="utf-8")
        script, licence = ((folder / name).read_text(encoding="utf-8") for name in ("leaflet.js", "LICENSE"))
        style = _CSS_URL.sub(lambda match: f"url({_data_uri(folder, match[1])})", style)
    except FileNotFoundError as missing:
        name = Path(str(missing.filename)).name
        raise ExportError(f"expected Leaflet in static/vendor/leaflet, without {name}: run `make setup`") from None
    return style, f"/*\n{licence}\n*/\n{script}".replace("</script", "<\\/script")


def _data_uri(folder: Path, url: str) -> str:
    name = url.strip("'\"")
    if not name.endswith(".png"):
        return "data:,"
    return "data:image/png;base64," + base64.b64encode((folder / name).read_bytes()).decode()


def _key(marks: Sequence[DrawnStrike]) -> str:
    """Legend of what is on the map, as HTML made from the symbol table."""
    shapes = [shape for shape in (*SHAPES.values(), UNKNOWN_SHAPE) if any(mark.shape == shape for mark in marks)]
    entries = [(shape, "#444444", True, shape.label) for shape in shapes]
    circle = SHAPES["oil"]
    hosts = {"UA": "in Ukraine", "RU": "in Russia"}
    colours = [(HOST_COLOURS[code], words) for code, words in hosts.items()] + [(OTHER_COLOUR, "elsewhere")]
    entries += [(circle, c, True, words) for c, words in colours if any(mark.colour == c for mark in marks)]
    for fill, words in ((True, FILLED_LABEL), (False, HOLLOW_LABEL)):
        if any(mark.filled == fill for mark in marks):
            entries.append((circle, "#444444", fill, words))
    return '<ul class="key">' + "".join(f"<li>{_svg(*entry[:3])}{entry[3]}</li>" for entry in entries) + "</ul>"


def _svg(shape: Shape, colour: str, filled: bool) -> str:
    fill, stroke, width = (colour, "#fff", 1.5) if filled else ("#fff", colour, 3.4)
    path = f'<path d="{shape.path}" fill="{fill}" stroke="{stroke}" stroke-width="{width}"/>'
    return f'<svg viewBox="0 0 24 24" aria-hidden="true">{path}</svg>'


def _foot(strikes: geopandas.GeoDataFrame, remarks: Sequence[str]) -> str:
    """List the strikes without a place, and say where everything comes from and what of it is withheld."""
    missing, retracted = count_undrawn(strikes)
    items = "".join(
        f"<tr><td>{escape(date_in_words(text_value(row, 'when')))}</td><td>{escape(title_of(row))}</td>"
        f"<td>{escape(text_value(row, 'owners') or 'owner not known')}</td></tr>"
        for row, shape in rows(strikes)
        if shape is None or shape.is_empty
    )
    table = f"<table><tr><th>Date</th><th>Strike</th><th>Owners, %</th></tr>{items}</table>"
    listed = f"<details><summary>{quantity(missing, 'strike')} without a known place</summary>{table}</details>"
    withheld = "".join(f" {escape(remark)}." for remark in remarks)
    left_out = f" {quantity(retracted, 'retracted strike')} left out." if retracted else ""
    return (
        f"<footer>{listed if missing else ''}<p>Strikes and owners: StrikeAtlas (CC BY 4.0). Borders: Natural Earth, "
        "German point of view (public domain). Places: GeoNames (CC BY 4.0). Positions are as exact as the reports: "
        f"those known by settlement are accurate to some kilometres.{left_out}{withheld} Drawn with Leaflet.</p>"
        "</footer>"
    )


def _inline(html: str) -> Iterator[tuple[str, str]]:
    """Yield the kind, script or style, and the content of each element with content of its own."""
    start = 0
    while opening := _INLINE.search(html, start):
        end = html.find(f"</{opening[1]}>", opening.end())
        if end < 0:
            return
        yield opening[1], html[opening.end() : end]
        start = end


def with_csp(html: str) -> str:
    """Add a Content-Security-Policy that lets only the page's own scripts and styles run, and no request out."""
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for kind, content in _inline(html):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        hashes[kind].append(f"'sha256-{digest}'")
    policy = f"default-src 'none'; script-src {' '.join(hashes['script'])}; style-src {' '.join(hashes['style'])}; "
    policy += "img-src data:; base-uri 'none'; form-action 'none'"
    return html.replace("<head>", f'<head><meta http-equiv="Content-Security-Policy" content="{policy}">', 1)
