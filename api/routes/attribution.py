"""Whose it was: the answers to a strike, a country and an asset, and the records they rest on."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.requests.query_parameters import named_once
from api.requests.scalars import written_as
from api.responses.resource import document, view
from api.serializers import attribution as tell
from api.serializers import country as tell_country
from layers.attribution.country_totals import Relation
from layers.model.problems import UnknownRecord
from layers.model.records import NOUNS
from layers.ownership.walk import Basis, Minority

router = APIRouter(tags=["answers"], dependencies=[Depends(named_once)])

BasisParameter = Annotated[
    Basis, Query(description="Whether country means that of registration or of the head office.")
]
MinorityParameter = Annotated[
    Minority,
    Query(
        description="stay: minorities of a company that is not joint stay with it unless they reach a state; "
        "follow: each known holder is followed to its own country."
    ),
]
RelationParameter = Annotated[
    Relation | None, Query(description="Only the strikes on what the country was this to; all by default.")
]
DayParameter = Annotated[
    date | None,
    # A number of seconds would be a day too.
    written_as(re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII), "a day such as 2025-08-08"),
    Query(description="The day, as 2025-08-08; by default that of the data."),
]
RecordId = Annotated[str, Path(max_length=160)]


@router.get("/strikes/{strike:path}/attribution", summary="Whose it was")
def attribution(
    request: Request, strike: RecordId, basis: BasisParameter = "registration", minority: MinorityParameter = "stay"
) -> Response:
    """The whole answer to one strike: owners by country, other ties, chains, reasons, claims and sources."""
    snapshot = view(request).snapshot
    return document(request, "answer", tell.strike_answer(snapshot, snapshot.answer(strike, basis, minority)))


@router.get("/countries", summary="Countries and how many strikes concern them")
def countries(
    request: Request,
    relation: RelationParameter = None,
    basis: BasisParameter = "registration",
    minority: MinorityParameter = "stay",
) -> Response:
    """Each country that a strike concerns, with the number of strikes by relation; the numbers are never added."""
    return document(request, "answer", tell_country.countries_answer(view(request).snapshot, basis, minority, relation))


@router.get("/countries/{iso}", summary="What of a country's was hit")
def country(
    request: Request,
    iso: Annotated[str, Path(pattern="^[A-Za-z]{2}$", description="ISO 3166-1 alpha-2 code.")],
    relation: RelationParameter = None,
    basis: BasisParameter = "registration",
    minority: MinorityParameter = "stay",
) -> Response:
    """Strikes on what a country's owners hold, on what it is tied to otherwise, and on its soil; never added."""
    told = tell_country.country_answer(view(request).snapshot, iso.upper(), basis, minority, relation)
    return document(request, "answer", told)


@router.get("/assets/{asset:path}/owners", summary="Owners of an asset on a day")
def owners(
    request: Request,
    asset: RecordId,
    on: DayParameter = None,
    basis: BasisParameter = "registration",
    minority: MinorityParameter = "stay",
) -> Response:
    """Who owns an asset on a day, by country, with the chains."""
    snapshot = view(request).snapshot
    if asset not in snapshot.records.assets:
        raise UnknownRecord(f"no asset {asset!r}")
    day = on or snapshot.data_date
    told = snapshot.owners(asset, day, basis, minority)
    return document(request, "answer", tell.owners_answer(snapshot, asset, told, day, basis, minority))


@router.get("/entities/{entity:path}/holdings", summary="What an entity holds on a day")
def holdings(
    request: Request,
    entity: RecordId,
    on: DayParameter = None,
) -> Response:
    """Assets and entities that an entity holds a part of, directly and through others."""
    snapshot = view(request).snapshot
    return document(request, "answer", tell.holdings_answer(snapshot, entity, on or snapshot.data_date))


@router.get("/records/{table}/{record:path}", summary="One record as stored")
def record(request: Request, table: str, record: str) -> Response:
    """One record with every column."""
    snapshot = view(request).snapshot
    found = snapshot.records.table(table).get(record) if table in NOUNS else None
    if found is None:
        raise UnknownRecord(f"no record {record[:160]!r} in {table[:40]!r}")
    return document(request, "answer", found.model_dump(mode="json"))


@router.get("/schemas/{table}", summary="JSON Schema of a table")
def schema(request: Request, table: str) -> Response:
    """The columns of one table of records as JSON Schema."""
    if table not in NOUNS:
        raise UnknownRecord(f"no table {table[:40]!r}; there are {', '.join(NOUNS)}")
    return document(request, "answer", NOUNS[table].model_json_schema(mode="serialization"))


@router.get("/about", summary="About the data")
def about(request: Request) -> Response:
    """Version of the program and of the data, number of records, attribution."""
    snapshot = view(request).snapshot
    told = {
        "version": request.app.version,
        "seq": snapshot.seq,
        "data_date": snapshot.data_date,
        "records": {name: len(snapshot.records.table(name)) for name in NOUNS},
        "attribution": request.app.state.settings.attribution,
    }
    return document(request, "answer", told)
