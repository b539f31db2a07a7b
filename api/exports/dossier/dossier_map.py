"""The map of a dossier: the picture of a printed map, as SVG or PNG, with what it says in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from api.exports.dossier.parts import MapPart
from api.exports.printed_map.drawing import svg_file
from api.exports.printed_map.look import LOOKS
from api.exports.printed_map.map_strikes import MapLine, MapStrike
from api.exports.printed_map.sheet import MapOrder, compile_pictures, composed
from api.exports.printed_map.svg_sheet import key_block
from layers.reference.basemap import Basemap
from layers.reference.basemap_archive import BasemapArchive

_TEMPLATE = Path(__file__).with_name("picture.typ")
#: As wide as the text of a dossier, and no higher than the five lines of the first page leave.
_LOOK = replace(LOOKS["a4"], frame=(174.0, 135.0))
_DPI = 200


@dataclass(frozen=True)
class DossierMap:
    """A composed map.

    Parameters
    ----------
    drawn
        Ids of the strikes on it, in the order of their numbers.
    part
        What it shows in words, its key and its notes.
    svg, width
        The picture with its key below it, and its width in millimetres.
    """

    drawn: Sequence[str]
    part: MapPart
    svg: str
    width: float

    def png(self) -> bytes:
        """The picture for programs that draw no SVG."""
        return compile_pictures(
            _TEMPLATE, json.dumps({"map": self.svg, "width": self.width}, ensure_ascii=False), _DPI
        )[0]


def dossier_map(
    strikes: Sequence[MapStrike], lines: Sequence[MapLine], basemap: Basemap, archive: BasemapArchive | None,
    order: MapOrder,
) -> DossierMap:  # fmt: skip
    """Compose the map of a dossier.

    Parameters
    ----------
    strikes, lines, basemap, archive, order
        As for `api.exports.printed_map.sheet.composed`; the size of the order is not used.

    Raises
    ------
    ExportError
        If the extent cannot be drawn, or the strike that the map is about is not there.
    """
    sheet = composed(strikes, lines, basemap, archive, order, _LOOK)
    contents, picture, (width, height) = sheet.contents, sheet.picture, sheet.picture.size
    key = key_block(picture, contents, height + 1.5)
    words = "; ".join(text for _, text in (*contents.key, *contents.samples))
    body = picture.drawing.body(True) + key.svg()
    return DossierMap(
        [one.strike.id for one in picture.story.strikes],
        MapPart(f"{contents.spoken} {words}", " ".join(contents.notes)),
        svg_file((width, key.y), body, contents.title, contents.spoken, order.language),
        width,
    )
