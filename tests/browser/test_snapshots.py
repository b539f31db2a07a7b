"""Eight key views as pictures, on made-up records, so that no change of paint goes unseen.

Pictures are of half the size and of few colours. After a change that is meant to be seen, `make snapshots` writes them
anew; look at what git shows of them. They are those of one renderer: with another the tests are skipped. Each base map
has its own: that of `make run`, and countries alone, where only `make test` ran.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from playwright.sync_api import Browser, Page

from api.wording.catalogue import text
from layers.model.records import Records
from layers.reference.basemap import Basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.store.store import Store
from tests.browser.test_page import CHROMIUM
from tests.conftest import WHOLE_BASEMAP, serving
from tests.outage_records import outage_records

FOLDER = Path(__file__).with_name("snapshots")
#: Where the made-up strikes are thought to be: degrees, metres within which the true place lies, what stands for it.
PLACES = {
    "s1": (32.1, 49.2, 500, "site"),
    "s2": (35.4, 47.7, 500, "site"),
    "s3": (51.4, 25.8, 2_000, "settlement"),
    "s4": (30.6, 46.5, 30_000, "district"),
    "s5": (44.6, 35.5, 500, "site"),
    "s6": (37.9, 44.7, 60_000, "sea-area"),
}
#: What drew the pictures of a folder.
RENDERER = "renderer.json"
#: Any value has the pictures written instead of compared.
RENEW = "RENEW_SNAPSHOTS"
COLOURS = 256
#: Difference of a channel, of 255, up to which two pixels are alike, and the part of all that may be unlike.
LIKE, UNLIKE_PART = 40, 0.002
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium")

DESK, PHONE, LANDSCAPE = (1200, 760), (390, 844), (844, 390)


@dataclass(frozen=True)
class KeyView:
    """One picture: the address after #, the window, light or dark, and what is pressed first, by its selector."""

    name: str
    place: str
    size: tuple[int, int] = DESK
    scheme: str = "light"
    pressed: str | None = None


VIEWS = (
    KeyView("world", "map=42,38,3.4"),
    KeyView("world-dark", "map=42,38,3.4", scheme="dark"),
    KeyView("key", "map=42,38,3.4", pressed="#key summary"),
    KeyView("country", "country=AZ&map=36,46.5,5"),
    KeyView("record", "strike=s2"),
    KeyView("record-phone-dark", "strike=s2", PHONE, "dark"),
    KeyView("list-phone", "map=47,38,4", PHONE, pressed="#grip"),
    KeyView("landscape", "map=47,38,4", LANDSCAPE),
)


def placed_records() -> Records:
    """The made-up records of outages, with places of the strikes."""
    records = outage_records()
    strikes = dict(records.strikes)
    for name, (lon, lat, radius_m, basis) in PLACES.items():
        place = {"geometry": shapely.Point(lon, lat), "uncertainty_m": radius_m, "basis": basis}
        place["place_source"] = strikes[name].sources[0]
        strikes[name] = strikes[name].model_copy(update=place)
    return replace(records, strikes=strikes)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, base: Basemap) -> Iterator[str]:
    store = Store.create(tmp_path_factory.mktemp("placed") / "atlas.gpkg")
    store.load(placed_records(), author="tests", derive=full_rewrite(base, text))
    with serving(store, base=WHOLE_BASEMAP) as address:
        yield address


@pytest.fixture(scope="module")
def renderer(browser: Browser) -> dict[str, str]:
    """What draws here."""
    page = browser.new_page()
    said: str = page.evaluate(
        """() => {
          const gl = document.createElement("canvas").getContext("webgl2");
          return gl.getParameter(gl.getExtension("WEBGL_debug_renderer_info").UNMASKED_RENDERER_WEBGL);
        }"""
    )
    page.close()
    return {"webgl": said}


@pytest.fixture(scope="module")
def folder(browser: Browser, url: str) -> Path:
    """The pictures of the base map that is here."""
    page = browser.new_page()
    layers = page.request.get(f"{url}/tiles/basemap.json").json()["vector_layers"]
    page.close()
    return FOLDER / ("built" if any(layer["id"] == "sea" for layer in layers) else "countries")


def picture(page: Page) -> Image.Image:
    """The window at half its size, once two pictures that follow each other are alike."""
    last = page.screenshot()
    for _ in range(40):
        page.wait_for_timeout(120)
        now = page.screenshot()
        if now == last:
            break
        last = now
    whole = Image.open(io.BytesIO(last)).convert("RGB")
    return whole.resize((whole.width // 2, whole.height // 2), Image.Resampling.BOX)


def unlike_part(one: Image.Image, other: Image.Image) -> float:
    """Part of the pixels that differ from all of the nine around them in the other picture, and so that neither way."""
    if one.size != other.size:
        return 1.0
    return max(_outside(one, other).mean(), _outside(other, one).mean())


def _outside(one: Image.Image, other: Image.Image) -> NDArray[np.bool_]:
    least, most = (
        np.asarray(other.filter(kind), np.int16) for kind in (ImageFilter.MinFilter(3), ImageFilter.MaxFilter(3))
    )
    pixels = np.asarray(one, np.int16)
    outside: NDArray[np.bool_] = ((pixels < least - LIKE) | (pixels > most + LIKE)).any(axis=2)
    return outside


@pytest.mark.parametrize("view", VIEWS, ids=[view.name for view in VIEWS])
def test_a_view_is_drawn_as_it_was(
    browser: Browser, url: str, renderer: dict[str, str], folder: Path, view: KeyView
) -> None:
    renew = RENEW in os.environ
    if not renew and json.loads((folder / RENDERER).read_text(encoding="utf-8")) != renderer:
        pytest.skip(f"the pictures are of another renderer than {renderer}")
    width, height = view.size
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme=view.scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
        locale="en-GB",
    )
    page.goto(f"{url}/map#{view.place}")
    page.wait_for_selector("body[data-ready]", state="attached")
    if view.pressed:
        page.locator(view.pressed).click()
    page.evaluate("document.fonts.ready")
    drawn = picture(page)
    page.close()
    file = folder / f"{view.name}.png"
    if renew:
        folder.mkdir(exist_ok=True)
        drawn.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(file, optimize=True)
        (folder / RENDERER).write_text(json.dumps(renderer, indent=2) + "\n", encoding="utf-8")
        return
    part = unlike_part(Image.open(file).convert("RGB"), drawn)
    assert part <= UNLIKE_PART, f"{part:.2%} of {file.name} is unlike; if that is meant, run `make snapshots`"


def test_what_is_moved_or_of_another_colour_is_unlike() -> None:
    plain = Image.new("RGB", (100, 100), "white")
    dotted = plain.copy()
    dotted.paste((0, 80, 160), (40, 40, 52, 52))
    moved = plain.copy()
    moved.paste((0, 80, 160), (46, 40, 58, 52))
    coloured = plain.copy()
    coloured.paste((160, 80, 0), (40, 40, 52, 52))
    assert unlike_part(dotted, dotted) == 0
    assert all(unlike_part(dotted, other) > UNLIKE_PART for other in (plain, moved, coloured))
    assert unlike_part(plain, plain.resize((50, 50))) == 1
