"""No filter, order, count, sum, search, box or tile finds what a policy withholds, or where a rounded place really is.

Every address here would tell it of a store without a policy: its answer differs between two values that are withheld,
and between two places of one cell of the grid. Of a store with one it is the same, to the byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import pytest
from shapely import Point

from layers.disclosure.policy import OPEN, parse
from layers.store.store import ANY, Edit, Store
from tests.api.private_doors import ASSET, STRIKE
from tests.api.test_hidden_changes import Atlas
from tests.store_kinds import set_policy
from tests.tile_at import tile_at

FIELDS = """
[[withhold]]
table = "strikes"
fields = ["damage", "killed_min", "killed_max", "attacker", "weapons", "region", "when_note", "targets"]
[[withhold]]
table = "assets"
fields = ["names", "aliases", "capacity"]
"""
PLACES = {
    "rounded": '[[rounding]]\ntable = "{}"\nmetres = 5000\ncountries = ["UA"]\n',
    "withheld": '[[withhold]]\ntable = "{}"\nfields = ["geometry"]\n',
}
#: A place of a strike and another one in the same cell, and the like of a site.
AT, BESIDE = Point(30.7312, 46.4712), Point(30.7421, 46.4655)
SITE, SITE_BESIDE = Point(28.4211, 45.3102), Point(28.4302, 45.3155)


def box(place: Point) -> str:
    return ",".join(f"{edge:.4f}" for edge in place.buffer(0.002).bounds)


def tile(place: Point, zoom: int) -> str:
    z, x, y = tile_at(place.x, place.y, zoom)
    return f"{z}/{x}/{y}"


ITEMS, ASSETS, REST = (
    "/collections/strikes/items?",
    "/collections/assets/items?",
    "/rest/services/strikeatlas/FeatureServer",
)
#: What finds a strike by fields of its record alone.
FILTERS = (
    "killed_min>30", "killed_max BETWEEN 30 AND 50", "killed_min IS NOT NULL AND killed_min<>2", "damage='A pier'",
    "damage LIKE '%pier%'", "CASEI(damage)=CASEI('A PIER')", "attacker='Somebody'", "weapons LIKE '%boat%'",
    "region='Elsewhere'", "when_note='dawn'", "killed_min*2>70",
    f"S_INTERSECTS(geometry,BBOX({box(AT)}))", f"S_WITHIN(geometry,POLYGON(({AT.x - .004:.4f} {AT.y - .004:.4f},"
    f"{AT.x + .004:.4f} {AT.y - .004:.4f},{AT.x:.4f} {AT.y + .004:.4f},{AT.x - .004:.4f} {AT.y - .004:.4f})))",
)  # fmt: skip
ADDRESSES = (
    *(f"{ITEMS}limit=1000&properties=id&filter={quote(one)}" for one in FILTERS),
    *(f"/strikes/counts?by=country&filter={quote(one)}" for one in FILTERS),
    *(f"/strikes/clusters?apart=0&zoom=8&filter={quote(one)}" for one in FILTERS[:3]),
    *(f"{REST}/0/query?f=json&returnCountOnly=true&where={quote(one)}" for one in ("killed_min>30", "damage='A pier'")),
    f"{ITEMS}damage=A%20pier", f"{ITEMS}killed_max=40", f"{ITEMS}attacker=Somebody&limit=1",
    f"{ITEMS}id={STRIKE}&f=csv",
    f"{ITEMS}id={STRIKE}&properties=killed_min,damage", f"{ITEMS}sortby=-killed_max&limit=1&properties=id",
    f"{ITEMS}sortby=-killed_min,id&limit=1&f=csv", f"{ITEMS}bbox={box(AT)}", f"{ITEMS}bbox={box(BESIDE)}&f=csv",
    f"{ITEMS}q=pier", "/search?q=Quayside", "/strikes/counts?by=month&damage=A%20pier",
    f"/strikes/counts?bbox={box(AT)}",
    f"/strikes/clusters?apart=0&zoom=18&parts=ties&bbox={box(AT)}", f"{ITEMS}bbox={box(AT)}&f=html",
    f"{REST}/0/query?f=json&returnCountOnly=true&geometryType=esriGeometryEnvelope&inSR=4326&geometry={box(AT)}",
    f"{REST}/0/query?f=json&where=id='{STRIKE}'&returnExtentOnly=true&outSR=4326",
    f"{REST}/0/query?f=json&where=killed_max<>2&outFields=id&returnGeometry=false&resultRecordCount=1"
    "&orderByFields=killed_max DESC",
    f"{REST}/0/query?f=json&where=1=1&returnDistinctValues=true&returnGeometry=false&outFields=damage",
    *(f"/tiles/strikes/{tile(AT, zoom)}.mvt" for zoom in (14, 18)), f"/tiles/strikes/{tile(AT, 16)}.png",
    f"/tiles/strikes/6/37/22.mvt?filter={quote(FILTERS[0])}", f"/tiles/strikes/6/37/22.png?filter={quote(FILTERS[4])}",
    f"/collections/strikes/map?bbox=30,46,31,47&filter={quote('killed_min>30')}", f"/map?f=png&bbox={box(AT)}",
    f"/map?f=png&collections=strikes&bbox=30,46,31,47&filter={quote(FILTERS[0])}", f"/strikes/{STRIKE}/attribution",
    f"{ASSETS}filter=name_de%3D'Anderswo'", f"{ASSETS}sortby=-name_de&limit=1&properties=id",
    f"{ASSETS}bbox={box(SITE)}",
    f"{ASSETS}filter={quote(f'S_INTERSECTS(geometry,BBOX({box(SITE)}))')}", f"/tiles/assets/{tile(SITE, 18)}.mvt",
    f"/collections/asset-points/items?bbox={box(SITE)}", f"/collections/hits/items?bbox={box(SITE)}",
    f"/assets/{ASSET}/owners",
    "/countries/UA/capacity", "/countries/UA", "/search?q=Anderswo",
    f"/collections/attributions/items?bbox={box(SITE)}",
)  # fmt: skip
HIDDEN: Mapping[str, Mapping[str, object]] = {
    "strikes": {"geometry": AT, "killed_min": 2, "killed_max": 2, "damage": "A roof", "attacker": "Nobody",
                "weapons": (), "region": "Odesa oblast", "when_note": "night", "targets": ("a roof",)},
    "assets": {"geometry": SITE, "names": {"de": "Nirgends"}, "aliases": ("Nirgends",), "capacity": 5.0},
}  # fmt: skip
OTHER: Mapping[str, Mapping[str, object]] = {
    "strikes": {"geometry": BESIDE, "killed_min": 40, "killed_max": 40, "damage": "A pier", "attacker": "Somebody",
                "weapons": ({"kind": "boat"},), "region": "Elsewhere", "when_note": "dawn", "targets": ("a pier",)},
    "assets": {"geometry": SITE_BESIDE, "names": {"de": "Anderswo"}, "aliases": ("Quayside",), "capacity": 50_000.0},
}  # fmt: skip
EQUAL: Mapping[str, object] = {
    "uncertainty_m": 100.0,
    "basis": "site",
    "capacity_unit": "MW",
    "place_source": "24tv-pmi",
}


def write(store: Store, values: Mapping[str, Mapping[str, object]]) -> None:
    for table, key in (("strikes", STRIKE), ("assets", ASSET)):
        was = store.records().table(table)[key]
        fields = {**was.model_dump(), **EQUAL, **values[table]}
        edited = type(was).model_validate(
            {name: value for name, value in fields.items() if name in type(was).model_fields}
        )
        store.write(Edit(table, key, edited, ANY), author="Ann")


def both(atlas: Atlas) -> list[dict[str, tuple[int, bytes, dict[str, str]]]]:
    answers = []
    for values in (HIDDEN, OTHER):
        write(atlas.store, values)
        answers.append(atlas.public_answers(ADDRESSES))
    return answers


@pytest.mark.parametrize("places", PLACES)
def test_what_is_withheld_moves_no_answer_to_any_selection(few_store: Store, tmp_path: Path, places: str) -> None:
    atlas = Atlas(tmp_path, few_store)
    set_policy(atlas.store, parse(FIELDS + "".join(map(PLACES[places].format, ("strikes", "assets")))))
    with atlas.client:
        write(atlas.store, HIDDEN)
        atlas.public_answers(())
        one, other = both(atlas)
        assert {address: status for address, (status, *_) in one.items() if status != 200} == {}
        assert [address for address in one if one[address] != other[address]] == []
        set_policy(atlas.store, OPEN)
        one, other = both(atlas)
    assert [address for address in one if one[address][1] == other[address][1]] == [], "it would tell of nothing anyway"
