"""One search for all that has a name: strikes, sites, companies, persons, states, countries and places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from threading import Lock
from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import Field

from api.http.json import Json
from api.openapi.declaration import ApiPart
from api.openapi.responses import COUNT, NULLABLE_STRING, STRING, array_of, object_with
from api.requests.parameters import INTEGER_TEXT, MAX_LENGTH
from api.responses.resource import document, served_version
from api.routes.gazetteer import gazetteer
from api.wording.catalogue import ENGLISH
from api.wording.countries import country_names, name_in
from api.wording.preference import language_of
from layers.query.name_search import Named, NamedKind, NameIndex, NameMatch, indexes
from layers.reference.gazetteer import GazetteerMissing
from layers.snapshot.snapshot import Snapshot

_MAX_EACH = 50
#: The gazetteer has many small places of one name.
_MAX_PLACES = 3
_lock = Lock()

PART = ApiPart(
    "search",
    schemas={
        "SearchResults": object_with(
            query=STRING,
            groups=array_of(
                object_with(
                    kind=STRING,
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
            description="A name or id, or how one begins, in Latin or Cyrillic letters.",
            examples=["Кременчук"],
            min_length=1,
            max_length=MAX_LENGTH,
        ),
    ],
    limit: Annotated[int, Field(ge=1, le=_MAX_EACH), INTEGER_TEXT, Query(description="Most results of each kind.")] = 5,
) -> Response:
    """What a name may mean, by kind, best first; of each kind at most ``limit``."""
    matches = [(kind, index.find(q, limit)) for kind, index in _indexes(request).items()]
    # The kind whose best name fits best comes first; among equals the order is that of the kinds.
    matches = sorted((each for each in matches if each[1]), key=lambda each: each[1][0].rank)
    snapshot, language = served_version(request).snapshot, language_of(request)
    groups: list[Json] = [
        {"kind": kind, "results": [_result(one, _name(snapshot, one.named, language)) for one in results]}
        for kind, results in matches
    ]
    if places := _places(request, q, limit):
        groups.append({"kind": "place", "results": places})
    count = sum(len(group["results"]) for group in groups)
    return document(request, "answer", {"query": q, "groups": groups, "count": count})


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


def _places(request: Request, text: str, limit: int) -> list[Json]:
    """Give the places of a name; none where there is no gazetteer."""
    try:
        opened, _ = gazetteer(request)
    except GazetteerMissing:
        return []
    return [
        {
            "id": str(place.id),
            "name": place.name,
            "matched": place.matched,
            "country": place.country,
            "detail": place.region,
            "lon": place.lon,
            "lat": place.lat,
        }
        for place in opened.find(text, limit=min(limit, _MAX_PLACES)).candidates
    ]


def _indexes(request: Request) -> Mapping[NamedKind, NameIndex]:
    """Return the indexes of the version that is served, built by the first search of it."""
    state, snapshot = request.app.state, served_version(request).snapshot
    with _lock:
        built: tuple[Snapshot, Mapping[NamedKind, NameIndex]] | None = getattr(state, "name_indexes", None)
        if built is None or built[0] is not snapshot:
            known = indexes(snapshot.records, snapshot.collections, snapshot.country_names)
            built = state.name_indexes = snapshot, known
    return built[1]
