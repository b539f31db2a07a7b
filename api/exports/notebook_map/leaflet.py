"""Leaflet and our own style and script as addresses that hold them, and data that no script can end."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

from api.exports.errors import ExportError
from api.exports.text import STATIC

VENDOR = STATIC / "vendor" / "leaflet"
HERE = Path(__file__).parent

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
    style, script = ((HERE / name).read_text(encoding="utf-8") for name in ("notebook.css", "notebook.js"))
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
