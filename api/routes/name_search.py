"""One search for all that has a name: strikes, sites, companies, persons, states, countries and places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from threading import Lock
from typing import Annotated

from fastapi import Depends, Query, Request, Response
from pydantic import Field

from api.http.json import Json
from api.openapi.declaration import ApiPart
from api.openapi.responses import ANY_OBJECT, BOOLEAN, COUNT, NULLABLE_STRING, NUMBER, STRING, array_of, object_with
from api.requests.negotiation import DOCUMENT, HTML
from api.requests.parameters import INTEGER_TEXT, MAX_LENGTH
from api.responses.resource import document, json_or_page, negotiated_format, served_version
from api.serializers import places
from api.server.answer_cache import TRANSIENT
from api.settings import gazetteer_path
from api.wording.catalogue import ENGLISH
from api.wording.countries import country_names, name_in
from api.wording.preference import language_of
from layers.query.name_search import (
    BY_WORDS,
    Named,
    NamedKind,
    NameIndex,
    NameMatch,
    NameMatches,
    indexes,
    strikes_named,
)
from layers.reference.gazetteer import MAX_LIMIT, Candidate, Gazetteer, GazetteerMissing
from layers.snapshot.snapshot import Snapshot
from layers.text.place_names import fold, is_common_noun

PLACES = ApiPart(
    "places",
    schemas={
        "Places": object_with(
            query=STRING,
            ambiguous=BOOLEAN,
            best={"type": "integer", "nullable": True},
            why=STRING,
            candidates=array_of(
                object_with(id=COUNT, name=STRING, lon=NUMBER, lat=NUMBER, score=NUMBER, reasons=array_of(ANY_OBJECT))
            ),
        )
    },
)


def gazetteer(request: Request) -> tuple[Gazetteer, str]:
    """Return the gazetteer and the name of its version; the file is opened again when it was replaced.

    Raises GazetteerMissing if the file has not been built.
    """
    state, path = request.app.state, gazetteer_path(request.app.state.settings.gazetteer)
    try:
        stat = path.stat()
    except OSError:
        raise GazetteerMissing("there is no gazetteer: run `make setup`") from None
    version = f"places-{stat.st_ino:x}-{stat.st_mtime_ns:x}"
    opened: tuple[Gazetteer, str] | None = getattr(state, "gazetteer", None)
    if opened is None or opened[1] != version:
        opened = state.gazetteer = Gazetteer.open(path), version
    return opened


def _near(
    near: Annotated[
        str | None,
        Query(
            description="lon,lat in degrees (OGC:CRS84) of a point that the place is within 300 km of.",
            examples=["30.72,46.48"],
            max_length=MAX_LENGTH,
            pattern=places.NEAR,
        ),
    ] = None,
) -> tuple[float, float] | None:
    return None if near is None else places.parse_near(near)


@PLACES.document("/places", "Places of a name", "Places")
def find(
    request: Request,
    q: Annotated[
        str,
        Query(
            description="A name in Latin or Cyrillic letters, also a region, or a name with what it lies in.",
            examples=["Орлівка"],
            min_length=1,
            max_length=MAX_LENGTH,
        ),
    ],
    near: Annotated[tuple[float, float] | None, Depends(_near)],
    region: Annotated[
        str | None, Query(description="The region it lies in, in any spelling.", max_length=MAX_LENGTH)
    ] = None,
    country: Annotated[
        str | None, Query(description="ISO 3166-1 alpha-2 code or name of the country.", max_length=MAX_LENGTH)
    ] = None,
    limit: Annotated[
        int, Field(ge=1, le=MAX_LIMIT), INTEGER_TEXT, Query(description="Most candidates of the answer.")
    ] = 10,
) -> Response:
    """Places that a text may mean, best first. ``best`` is empty where more than one fits alike, or none."""
    form = negotiated_format(request, DOCUMENT)
    opened, version = gazetteer(request)

    def answer() -> Json:
        return places.places_answer(
            opened.find(q, region=region, country=country, near=near, limit=limit),
            opened.origins(),
            language_of(request),
        )

    if form is HTML:
        # It links to the collections, so that its entity tag has the version of the data too; the file may be replaced.
        request.scope[TRANSIENT] = True
        version = f"{version}-{served_version(request).version}"
    return json_or_page(request, version, form, "answer", answer)


_MAX_EACH = 50
#: Kinds of what lies at a place: where they have its name as it is written, it is not looked up.
_STRUCK: frozenset[NamedKind] = frozenset(("strike", "asset"))
#: Words of a place's name that is looked up within a text.
_MAX_WORDS = 3
#: Letters of its key, and people of the place, from which on its name is searched in place of another spelling.
_SHORTEST, _TOWN = 4, 15_000
_lock = Lock()

PART = ApiPart(
    "search",
    schemas={
        "SearchResults": object_with(
            query=STRING,
            searched=STRING,
            groups=array_of(
                object_with(
                    kind=STRING,
                    total=COUNT,
                    results=array_of(object_with(id=STRING, name=STRING, matched=STRING, country=NULLABLE_STRING)),
                )
            ),
            count=COUNT,
        )
    },
)


@PART.document("/search", "All that has a name", "SearchResults")
def search(
    request: Request,
    q: Annotated[
        str,
        Query(
            description="A name or id, how one begins, or words of it, its place or kind; Latin or Cyrillic.",
            examples=["Кременчук"],
            min_length=1,
            max_length=MAX_LENGTH,
        ),
    ],
    limit: Annotated[int, Field(ge=1, le=_MAX_EACH), INTEGER_TEXT, Query(description="Most results of each kind.")] = 5,
) -> Response:
    """What a name may mean, by kind, best first; of each kind at most ``limit`` of ``total``; strikes newest first.

    Where no strike or site has the words as they are, and more have them with the name that the gazetteer gives a
    place, that is what was ``searched``: as ``q`` of the strikes it selects all of them.
    """
    snapshot, language = served_version(request).snapshot, language_of(request)
    searched, found = q, _find(request, q, limit)
    if not any(match.rank < BY_WORDS for kind in _STRUCK & found.keys() for match in found[kind].matches):
        respelled = ((text, {**found, **_find(request, text, limit)}) for text in _respelled(request, q))
        searched, found = max(
            ((q, found), *respelled), key=lambda each: sum(each[1][kind].total for kind in _STRUCK & each[1].keys())
        )
    # The kind whose best name fits best comes first; among equals the order is that of the kinds.
    groups: list[Json] = [
        {"kind": kind, "total": total, "results": [_result(one, _name(snapshot, one.named, language)) for one in best]}
        for kind, (best, total) in sorted(found.items(), key=lambda each: min(one.rank for one in each[1].matches))
    ]
    if places := _places(request, q):
        groups.append({"kind": "place", "total": len(places), "results": [*map(_place, places[:limit])]})
    count = sum(group["total"] for group in groups)
    return document(request, "answer", {"query": q, "searched": searched, "groups": groups, "count": count})


def _find(request: Request, text: str, limit: int) -> dict[NamedKind, NameMatches]:
    """Find what a text may mean, by kind, in their order; a kind of which nothing is found is left out."""
    snapshot = served_version(request).snapshot
    found = {kind: index.find(text, limit) for kind, index in _indexes(request).items()}
    found["strike"] = strikes_named(snapshot.collections, snapshot.registers, text, limit)
    return {kind: each for kind, each in found.items() if each.total}


def _respelled(request: Request, text: str) -> Iterator[str]:
    """Yield a text with the names of the gazetteer for words in it that name a place, the longest names first."""
    words = text.split()
    for length in range(min(len(words), _MAX_WORDS), 0, -1):
        for at in range(len(words) - length + 1):
            name = " ".join(words[at : at + length])
            places = () if is_common_noun(key := fold(name)) else _places(request, name)
            if places and places[0].population >= _TOWN and len(key) >= _SHORTEST and fold(places[0].name) != key:
                yield " ".join([*words[:at], places[0].name, *words[at + length :]])


def _result(found: NameMatch, name: str) -> Json:
    named = asdict(found.named) | {"name": name}
    return {**{key: value for key, value in named.items() if key not in ("kind", "names")}, "matched": found.matched}


def _name(snapshot: Snapshot, named: Named, language: str) -> str:
    """Return the name of what was found in the language of the answer, or else in English."""
    records = snapshot.records
    if language == ENGLISH:
        return named.name
    if named.kind == "strike":
        return records.strikes[named.id].titles.get(language, named.name)
    if named.kind == "country":
        return country_names({named.id: named.name}, language)[named.id]
    return name_in(records.assets[named.id] if named.kind == "asset" else records.entities[named.id], language)


def _places(request: Request, text: str) -> tuple[Candidate, ...]:
    """Return the places of a name, best first; none where there is no gazetteer."""
    try:
        opened, _ = gazetteer(request)
    except GazetteerMissing:
        return ()
    return opened.find(text, limit=MAX_LIMIT).candidates


def _place(place: Candidate) -> Json:
    return {
        "id": str(place.id),
        "name": place.name,
        "matched": place.matched,
        "country": place.country,
        "detail": place.region,
        "lon": place.lon,
        "lat": place.lat,
    }


def _indexes(request: Request) -> Mapping[NamedKind, NameIndex]:
    """Return the indexes of the version that is served, built by the first search of it."""
    state, snapshot = request.app.state, served_version(request).snapshot
    with _lock:
        built: tuple[Snapshot, Mapping[NamedKind, NameIndex]] | None = getattr(state, "name_indexes", None)
        if built is None or built[0] is not snapshot:
            known = indexes(snapshot.records, snapshot.collections, snapshot.country_names)
            built = state.name_indexes = snapshot, known
    return built[1]
