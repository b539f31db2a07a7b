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
from api.exports.printed_map.sheet import MapOrder, MapSheet, compile_pictures, composed
from api.exports.printed_map.svg_sheet import SheetBlock, key_block
from layers.reference.basemap import Basemap
from layers.reference.basemap_archive import BasemapArchive

_TEMPLATE = Path(__file__).with_name("picture.typ")
#: As wide as the text of a dossier, and no higher than the five lines of the first page leave.
_LOOK = replace(LOOKS["a4"], frame=(174.0, 135.0))
_DPI = 200


@dataclass(frozen=True)
class DossierMap:
    """A composed map."""

    sheet: MapSheet

    @property
    def drawn(self) -> list[str]:
        """Ids of the strikes on it, in the order of their numbers."""
        return [one.strike.id for one in self.sheet.story.strikes]

    @property
    def part(self) -> MapPart:
        """What it shows in words, its key and its notes."""
        contents = self.sheet.contents
        key = "; ".join(text for _, text in (*contents.key, *contents.samples))
        return MapPart(f"{contents.spoken} {key}", " ".join(contents.notes))

    @property
    def letters(self) -> Sequence[str]:
        """The texts in the picture."""
        return [letters.text for letters in (*self.sheet.picture.drawing.texts, *self._key.letters)]

    @property
    def svg(self) -> str:
        """The picture, with its key below it."""
        picture, contents, key = self.sheet.picture, self.sheet.contents, self._key
        body = picture.drawing.body(True) + key.svg()
        size = (picture.size[0], key.y)
        return svg_file(size, body, contents.title, contents.spoken, self.sheet.order.language)

    @property
    def _key(self) -> SheetBlock:
        picture = self.sheet.picture
        return key_block(
            self.sheet.contents, self.sheet.look, picture.size[1] + 1.5, picture.size[0], self.sheet.story.dotted
        )

    def png(self) -> bytes:
        """The picture for programs that draw no SVG."""
        values = json.dumps({"map": self.svg, "width": self.sheet.picture.size[0]})
        return compile_pictures(_TEMPLATE, values, self.letters, _DPI)[0]


def dossier_map(
    strikes: Sequence[MapStrike],
    lines: Sequence[MapLine],
    basemap: Basemap,
    archive: BasemapArchive | None,
    order: MapOrder,
) -> DossierMap:
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
    return DossierMap(composed(strikes, lines, basemap, archive, order, _LOOK))
