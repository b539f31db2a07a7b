"""A dossier of four strikes on bundled records, with its map, in the languages of the catalogues."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from api.exports.dossier.content import DossierOrder, dossier, map_order
from api.exports.dossier.dossier_map import DossierMap, dossier_map
from api.exports.dossier.parts import Dossier
from api.exports.printed_map.map_strikes import SheetOrigin, map_lines, map_strikes
from api.exports.printed_map.sheet import MapOrder
from api.serializers.attribution import strike_answer
from api.serializers.selection import selection_answer
from api.wording.countries import country_names
from layers.reference.basemap import Basemap
from layers.snapshot.snapshot import Snapshot

DEPOT, ORLIVKA, TAWKE = "ua-socar-depot-2025-08-08", "ua-orlivka-2025-08-06", "iq-tawke-peshkabir-2025-07-16"
DAY = date(2026, 11, 25)
#: Signs that begin markup in Typst, Markdown, XML or a field of Word.
TITLE = "Strikes, $5 #raw[x] <b> *y* `z` | {q}"

Written = Callable[..., Dossier]


@pytest.fixture(scope="session")
def picture(snapshot: Snapshot, base: Basemap) -> DossierMap:
    drawn = map_strikes(snapshot.records, map(snapshot.answer, (DEPOT, ORLIVKA, TAWKE))).strikes
    order = MapOrder(bbox=(28, 36, 46, 48), fmt="pdf", origin=SheetOrigin(day=DAY, history="9f3c2a7b10d4e5f6"))
    return dossier_map(drawn, map_lines(snapshot.records), base, None, order)


@pytest.fixture(scope="session")
def written(snapshot: Snapshot, picture: DossierMap) -> Written:
    """Writes the content of a dossier of strikes."""

    def write(strikes: tuple[str, ...] = (DEPOT, ORLIVKA, TAWKE), language: str = "en", **given: object) -> Dossier:
        selection = selection_answer(snapshot, [snapshot.answer(key) for key in strikes], language=language)
        order: dict[str, object] = {
            "strikes": map_order(picture.drawn, selection), "language": language, "title": TITLE,
            "countries": country_names(snapshot.country_names, language), "code": "map:1,2,3,4.s4.20261125.0123456789",
            "head": "ab" * 32, "day": DAY, "basis": "registration", "minority": "stay",
        }  # fmt: skip
        wanted = DossierOrder(**(order | given))  # type: ignore[arg-type]
        answers = (
            (strike_answer(snapshot, snapshot.answer(key), language), f"{key}.s412.20261125.abcdefabcd")
            for key in wanted.strikes
        )
        return dossier(selection, answers, picture.part, wanted)

    return write
