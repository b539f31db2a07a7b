"""What the web map selects and counts by where no server does: strikes, ties with their bounds, names and texts.

Whose a site was is worked out here, by the functions that answer requests; the page compares numbers alone. Before it
has all rows it shows answers of the application to the requests that it begins with, by the parameters of these: the
first of the list, counts, and clusters by zoom.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlencode

import orjson

from api.http.json import Json
from api.publishing.addresses import subject_name
from api.publishing.pages import InProcess
from api.requests.map_view import MapView
from api.requests.query_parameters import LIST_ORDER, parse_selection
from api.wording.catalogue import ENGLISH, languages
from api.wording.countries import country_names
from geo.columnar.lazy_array import to_numpy
from layers.attribution.attribute import NEGLIGIBLE
from layers.collections.feature_types import StrikeFeature
from layers.model.records import Asset, Entity
from layers.model.types import RelationKind, Status
from layers.query.keyset_cursor import with_tiebreak
from layers.query.name_search import NAMED_KINDS, Named, named_things
from layers.query.selection import rows
from layers.query.strike_clusters import CELL_PX, RingDivision
from layers.query.strike_ties import ROUNDING, StrikeConditions, Tie, TieKind, country_ties, entity_ties
from layers.query.strike_truth import commodities_of, folded_texts
from layers.snapshot.snapshot import Snapshot
from layers.text.place_names import fold, letters_and_rules

_OTHERS: Sequence[TieKind] = ("related", "host", *get_args(RelationKind))
_READINGS = ("registration", "headquarters", "control")


def map_files(snapshot: Snapshot) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Give the files of the map by path, each written when it is asked for."""

    def written(values: Callable[[Snapshot], object]) -> Callable[[], bytes]:
        return lambda: orjson.dumps(values(snapshot))

    parts = {"strikes": strike_rows, "owners": owner_ties, "assets": asset_rows, "names": names, "texts": texts}
    for name, values in parts.items():
        yield f"map/{name}.json", written(values)


def in_order(snapshot: Snapshot) -> list[int]:
    """Return the rows of all strikes in the order of the list."""
    strikes = snapshot.collections["strikes"]
    selection = parse_selection({"sortby": LIST_ORDER}, strikes)
    chosen: list[int] = to_numpy(rows(strikes, with_tiebreak(selection))).tolist()
    return chosen


def strike_rows(snapshot: Snapshot) -> Json:
    """Give every strike in the order of the list, the ties of countries by the number of the strike in it, and more."""
    strikes, assets, order = snapshot.collections["strikes"], snapshot.collections["assets"], in_order(snapshot)
    place = {row: number for number, row in enumerate(order)}
    features = [orjson.loads(strikes.fragments[row]) for row in order]
    struck = {asset for feature in features for asset in feature["properties"]["assets"]}
    commodity = dict(zip(assets.ids, assets.features.columns["commodity"], strict=True))
    # Addresses of sources are long, and come with the answer to a strike.
    named_columns = [name for name in StrikeFeature.model_fields if name not in ("id", "source")]
    return {
        # Values of a column are alike: together they pack to half of what they take row by row.
        "columns": {
            "geometry": [feature["geometry"] for feature in features],
            "id": [feature["id"] for feature in features],
            **{name: [feature["properties"][name] for feature in features] for name in named_columns},
        },
        "countries": {
            "owners": {reading: _by_country(snapshot, place, reading=reading) for reading in _READINGS},
            "others": {kind: _by_country(snapshot, place, relation=kind) for kind in _OTHERS},
        },
        "commodities": {asset: commodities_of(commodity[asset]) for asset in sorted(struck) if commodity.get(asset)},
        "negligible": NEGLIGIBLE,
        "rounding": ROUNDING,
    }


def odd_names(snapshot: Snapshot) -> Mapping[str, str]:
    """Give the names of the files about strikes, sites and owners whose ids no folder can hold."""
    layers = snapshot.collections
    named = {"strikes": layers["strikes"].ids, "assets": layers["assets"].ids, "entities": snapshot.records.entities}
    return {
        f"{kind}/{key}": file
        for kind, keys in named.items()
        for key in keys
        if (file := subject_name(kind, key)) != f"{kind}/{key}"
    }


def _by_country(snapshot: Snapshot, place: Mapping[int, int], **wanted: Any) -> Json:
    found = country_ties(snapshot.collections, StrikeConditions(**wanted))
    return {country: _numbered(ties, place) for country, ties in found.items()}


def _numbered(ties: Sequence[Tie], place: Mapping[int, int]) -> list[list[float]]:
    """Write ties short: number of the strike, 1 where it is sure, and the bounds of the share where there are any."""
    return [
        [place[tie.strike], int(tie.sure), *(() if tie.share_may == tie.share_sure == 100 else tie[2:])] for tie in ties
    ]


def owner_ties(snapshot: Snapshot) -> Json:
    """Give the ties of every company, person and state that had one to what a strike hit."""
    place = {row: number for number, row in enumerate(in_order(snapshot))}
    found = {}
    for entity in snapshot.records.entities:
        owners = {
            reading: _of_entity(snapshot, place, entity, reading=reading) for reading in ("registration", "control")
        }
        others = {kind: _of_entity(snapshot, place, entity, relation=kind) for kind in _OTHERS}
        tables = {"owners": _filled(owners), "others": _filled(others)}
        if any(tables.values()):
            found[entity] = tables
    return found


def _of_entity(snapshot: Snapshot, place: Mapping[int, int], entity: str, **wanted: Any) -> list[list[float]]:
    ties = entity_ties(snapshot.collections, snapshot.registers, StrikeConditions(**wanted), entity)
    return _numbered(ties, place)


def _filled(tables: Mapping[Any, Sequence[object]]) -> Json:
    return {name: rows for name, rows in tables.items() if rows}


def asset_rows(snapshot: Snapshot) -> Json:
    """Give the places of the sites that strikes hit, or may have, by id."""
    assets, found = snapshot.collections["assets"], {}
    for struck in snapshot.collections["strikes"].features.columns["assets"]:
        for asset in struck:
            row = assets.rows_by_id.get(asset)
            if row is not None and asset not in found:
                feature = orjson.loads(assets.fragments[row])
                values = {name: feature["properties"][name] for name in ("name", "basis", "uncertainty_m")}
                found[asset] = {"id": asset, **values, "geometry": feature["geometry"]}
    return dict(sorted(found.items()))


def names(snapshot: Snapshot) -> Json:
    """Give all that has a name by kind, each name as it is written and as it sounds, and the rules of that."""
    things = named_things(snapshot.records, snapshot.collections, snapshot.country_names)
    spoken = {tag: country_names(snapshot.country_names, tag) for tag in languages()[1:]}
    letters, rules = letters_and_rules()
    return {
        "named": {kind: [_named(snapshot, one, spoken) for one in things[kind]] for kind in NAMED_KINDS},
        "fold": {"letters": letters, "rules": rules},
    }


def _named(snapshot: Snapshot, one: Named, countries: Mapping[str, Mapping[str, str]]) -> Json:
    keys = {name: key for name in dict.fromkeys((one.name, *one.names, one.id)) if (key := fold(name))}
    values: Json = {"id": one.id, "name": one.name, "names": list(keys), "keys": list(keys.values())}
    values |= {"country": one.country, "detail": one.detail, "strikes": one.strikes}
    records = snapshot.records
    if one.kind == "country":
        spoken = {tag: names[one.id] for tag, names in countries.items() if one.id in names}
    elif one.kind == "strike":
        spoken = dict(records.strikes[one.id].titles)
    else:
        record: Asset | Entity = records.assets[one.id] if one.kind == "asset" else records.entities[one.id]
        spoken = dict(record.names)
    return {**values, **({"spoken": spoken} if spoken else {})}


def texts(snapshot: Snapshot) -> list[list[str]]:
    """Give the texts that words are looked for in, as they sound, of each strike in the order of the list."""
    found = folded_texts(snapshot.collections["strikes"])
    return [found[row] for row in in_order(snapshot)]


#: Where the page says how many rows of the list it asks for at once.
_ASKED = "results.js", re.compile(r"^export const PAGE = (\d+);$", re.MULTILINE)
#: Bytes of an answer at most: larger ones, such as counts by day of many years, are worked out where they are wanted.
_MOST_BYTES = 32_000
#: Marks of a zoom at most: from there on the map draws each strike.
_MOST_MARKS = 1000
#: What the rings of clusters are divided by where no country or owner is chosen.
_PARTS: RingDivision = "owners"
_ZOOMS = [half / 2 for half in range(2, 35)]
_TIES = ({"reading": "registration"}, {"reading": "control"}, {"relation": "related"}, {"relation": "host"})


def first_rows(static: Path) -> int:
    """Return how many rows of the list a page begins with, as its own module in the folder of its files says.

    Raises `ValueError` if the module does not say so.
    """
    name, asked = _ASKED
    said = asked.search((static / name).read_text(encoding="utf-8"))
    if said is None:
        raise ValueError(f"{name} does not say how many rows of the list the page asks for")
    return int(said[1])


def opening_files(asked: InProcess, snapshot: Snapshot, rows: int) -> Iterator[tuple[str, bytes]]:
    """Give ``map/opening.json``, and ``map/clusters/ZOOM.json`` for each half zoom of few marks, from 1 on.

    ``rows``: how many rows of the list are there at once.
    """

    def get(path: str, query: Mapping[str, str]) -> bytes:
        return asked.get(path, "json", ENGLISH, urlencode(query))

    own = MapView().parameters()
    sought = {"sortby": LIST_ORDER, "limit": str(rows)}
    page = orjson.loads(get("/collections/strikes/items", {**own, **sought}))
    answers = {}
    for query in _counts(own):
        body = get("/strikes/counts", query)
        if len(body) <= _MOST_BYTES:
            answers[name_of(query)] = orjson.loads(body)
    zooms = []
    # The grid is coarser where a box has very many cells.
    box = ",".join(map(str, answers[name_of(own)]["bbox"] or (-180, -85, 180, 85)))
    for zoom in _ZOOMS:
        body = get("/strikes/clusters", {**own, "zoom": str(zoom), "parts": _PARTS, "bbox": box})
        found = orjson.loads(body)
        if found["zoom"] != zoom or len(found["clusters"]) + len(found["features"]) > _MOST_MARKS:
            break
        zooms.append(zoom)
        yield f"map/clusters/{zoom:g}.json", body
    opening: Json = {
        "selection": name_of(own),
        "total": page["numberMatched"],
        "rows": [{"id": one["id"], **one["properties"], "geometry": one["geometry"]} for one in page["features"]],
        "counts": answers,
        "clusters": {"zooms": zooms, "parts": _PARTS, "cell": CELL_PX},
        "files": odd_names(snapshot),
    }
    yield "map/opening.json", orjson.dumps(opening)


def name_of(query: Mapping[str, str]) -> str:
    """Return what an answer is found by: its parameters in order, as `static/file-opening.js` writes them too."""
    return "&".join(sorted(f"{name}={value}" for name, value in query.items()))


def _counts(own: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """Give the parameters of all counts that a page begins with, or shows once its filters are opened."""
    yield own
    for by in ("day", "week", "month", "year", "group", "commodity"):
        yield {**own, "by": by}
    for tie in _TIES:
        yield {**own, **tie, "by": "country"}
    # The axis of time is that of all strikes, and statuses are counted with the retracted ones.
    yield {"by": "month"}
    statuses = ("verified", "corroborated", "reported", "draft", "retracted")
    assert {*statuses} == {*get_args(Status)}
    yield {**MapView(status=statuses).parameters(), "by": "status"}
