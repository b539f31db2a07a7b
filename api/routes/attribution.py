"""Whose it was: the answers to a strike, a country and an asset, and the records they are based on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated

from fastapi import Path, Query, Request, Response

from api.html.published import embedders_of
from api.http.json import Json
from api.http.links import JSON, href, link
from api.openapi.declaration import ApiPart, Link
from api.openapi.responses import ANY_OBJECT, COUNT, NULLABLE_STRING, NUMBER, RECORD, STRING, array_of, object_with
from api.requests.parameters import days_between, must_match
from api.responses.resource import document, served_version
from api.serializers import attribution as attribution_json
from api.serializers import country as country_json
from api.serializers.policy import attribution_text
from api.wording.preference import language_of
from layers.attribution.country_totals import Relation
from layers.collections.collection import Collection
from layers.collections.feature_types import StrikeFeature
from layers.model.messages import Message
from layers.model.problems import UnknownRecord
from layers.model.records import RECORD_TYPES
from layers.model.types import CountryBasis
from layers.ownership.minority import Minority

_SHARES = array_of(object_with(country=NULLABLE_STRING, name=STRING, share_min=NUMBER, share_max=NUMBER))
_SURE_SHARES = array_of(
    object_with(country=NULLABLE_STRING, share_min=NUMBER, share_max=NUMBER, sure={"type": "boolean"})
)
#: The three readings of all that was hit; `sites` has them of each site.
_READINGS = object_with(
    sites_together=COUNT,
    registration=_SURE_SHARES,
    headquarters=_SURE_SHARES,
    control=_SURE_SHARES,
    sites=array_of(ANY_OBJECT),
)
_DAY: Json = {"type": "string", "format": "date"}
_UPDATED: Json = {"type": "string", "format": "date-time", "nullable": True}
_RELATIONS: Json = {"type": "object", "additionalProperties": object_with(strikes=COUNT)}
_SITES: Json = {"sites": COUNT, "sites_sure": COUNT, "sources": array_of(STRING)}
#: Bounds of a capacity are null where no capacity is known of the sites.
_CAPACITY = object_with(
    hit=array_of(object_with(unit=NULLABLE_STRING, **_SITES)),
    lost=array_of(object_with(cause=STRING, unit=NULLABLE_STRING, **_SITES)),
    untold=COUNT,
)
#: Members of the answer to a strike.
STRIKE_ANSWER: Json = {
    "strike": RECORD,
    "headline": STRING,
    "headline_parts": array_of(STRING),
    "readings": _READINGS,
    "basis": STRING,
    "minority": STRING,
    "rests_on": STRING,
    "owners": _SHARES,
    "related": array_of(ANY_OBJECT),
}


def _collection_links(request: Request, collection: Collection) -> Sequence[Link]:
    if collection.model is not StrikeFeature:
        return []
    return [link("describedby", href(request, "/schemas/strikes"), JSON, "What is written of a strike")]


PART = ApiPart(
    "answers",
    schemas={
        "StrikeAnswer": object_with(**STRIKE_ANSWER, updated=_UPDATED),
        "Countries": object_with(
            basis=STRING, minority=STRING, countries=array_of(object_with(country=STRING, relations=_RELATIONS))
        ),
        "CountryAnswer": object_with(
            country=STRING,
            name=STRING,
            relations=_RELATIONS,
            owned=array_of(ANY_OBJECT),
            related=array_of(ANY_OBJECT),
            capacity={"type": "object", "additionalProperties": _CAPACITY},
        ),
        "CountryCapacity": object_with(country=STRING, name=STRING, owner=_CAPACITY, host=_CAPACITY),
        "Owners": object_with(asset=RECORD, on=_DAY, owners=_SHARES, chains=array_of(ANY_OBJECT), updated=_UPDATED),
        "Holdings": object_with(
            entity=RECORD, on=_DAY, holdings=array_of(object_with(id=STRING, kind=STRING)), updated=_UPDATED
        ),
        "Record": RECORD,
        "About": object_with(
            version=STRING,
            history=STRING,
            data_date=STRING,
            records=object_with(**dict.fromkeys(RECORD_TYPES, COUNT)),
            embedders={**array_of(STRING), "nullable": True},
        ),
    },
    collection_links=_collection_links,
)

BasisParameter = Annotated[
    CountryBasis, Query(description="Whether country means that of registration or of the head office.")
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
#: A number of seconds would be a day too.
_DAY_TEXT = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_IS_DAY = must_match(_DAY_TEXT, "a day such as 2025-08-08")
DayParameter = Annotated[
    date | None, _IS_DAY, Query(description="The day, as 2025-08-08; by default that of the data.")
]
SinceParameter = Annotated[
    date | None, _IS_DAY, Query(description="The first day of the period, as 2025-08-08; open by default.")
]
UntilParameter = Annotated[
    date | None, _IS_DAY, Query(description="The last day of the period, included; open by default.")
]
IsoCode = Annotated[str, Path(pattern="^[A-Za-z]{2}$", description="ISO 3166-1 alpha-2 code.")]
RecordId = Annotated[str, Path(max_length=160)]


@PART.document("/strikes/{strike:path}/attribution", "Whose it was", "StrikeAnswer")
def attribution(
    request: Request, strike: RecordId, basis: BasisParameter = "registration", minority: MinorityParameter = "stay"
) -> Response:
    """The whole answer to one strike: owners by country, other ties, chains, reasons, claims and sources."""
    snapshot = served_version(request).snapshot
    answer = attribution_json.strike_answer(snapshot, snapshot.answer(strike, basis, minority), language_of(request))
    links = {"corrections": href(request, "/corrections", strike=strike)}
    return document(request, "answer", {**answer, "updated": snapshot.updated(strike), **links})


@PART.document("/countries", "Countries and how many strikes concern them", "Countries")
def countries(
    request: Request,
    relation: RelationParameter = None,
    basis: BasisParameter = "registration",
    minority: MinorityParameter = "stay",
) -> Response:
    """Each country that a strike concerns, with the number of strikes by relation; the numbers are never added."""
    answer = country_json.countries_answer(served_version(request).snapshot, basis, minority, relation)
    return document(request, "countries", answer)


@PART.document("/countries/{iso}", "What of a country's was hit", "CountryAnswer")
def country(
    request: Request,
    iso: IsoCode,
    relation: RelationParameter = None,
    basis: BasisParameter = "registration",
    minority: MinorityParameter = "stay",
    since: SinceParameter = None,
    until: UntilParameter = None,
) -> Response:
    """Strikes on what a country's owners hold, on what it is tied to otherwise, and on its soil; never added.

    With since or until, only strikes that may have been on a day of the period.
    """
    period = days_between(since, until)
    answer = country_json.country_answer(
        served_version(request).snapshot, iso.upper(), basis, minority, relation, period, language_of(request)
    )
    return document(request, "country", answer)


@PART.document("/countries/{iso}/capacity", "Capacity hit and lost", "CountryCapacity")
def country_capacity(
    request: Request,
    iso: IsoCode,
    basis: BasisParameter = "registration",
    minority: MinorityParameter = "stay",
    since: SinceParameter = None,
    until: UntilParameter = None,
) -> Response:
    """Capacity of the sites that were hit and days it was lost for, as owner and as host, with sites and sources."""
    period = days_between(since, until)
    answer = country_json.capacity_answer(served_version(request).snapshot, iso.upper(), basis, minority, period)
    return document(request, "answer", answer)


@PART.document("/assets/{asset:path}/owners", "Owners of an asset on a day", "Owners")
def owners(
    request: Request,
    asset: RecordId,
    on: DayParameter = None,
    basis: BasisParameter = "registration",
    minority: MinorityParameter = "stay",
) -> Response:
    """Who owns an asset on a day, by country, with the chains."""
    snapshot = served_version(request).snapshot
    if asset not in snapshot.records.assets:
        raise UnknownRecord(Message("record.no-asset", {"id": asset}))
    day = on or snapshot.data_date
    owned = snapshot.owners(asset, day, basis, minority)
    answer = attribution_json.owners_answer(snapshot, asset, owned, day, basis, minority, language_of(request))
    return document(request, "answer", {**answer, "updated": snapshot.updated(asset)})


@PART.document("/entities/{entity:path}/holdings", "What an entity holds on a day", "Holdings")
def holdings(
    request: Request,
    entity: RecordId,
    on: DayParameter = None,
) -> Response:
    """Assets and entities that an entity holds a part of, directly and through others."""
    snapshot = served_version(request).snapshot
    day = on or snapshot.data_date
    answer = attribution_json.holdings_answer(snapshot, entity, day, language_of(request))
    return document(request, "entity", {**answer, "updated": snapshot.updated(entity)})


@PART.document("/records/{table}/{record:path}", "One record as stored", "Record")
def record(request: Request, table: str, record: str) -> Response:
    """One record with every column."""
    snapshot = served_version(request).snapshot
    stored = snapshot.records.table(table).get(record) if table in RECORD_TYPES else None
    if stored is None:
        raise UnknownRecord(Message("record.no-record", {"id": record[:160], "table": table[:40]}))
    return document(request, "answer", stored.model_dump(mode="json"))


@PART.document("/schemas/{table}", "JSON Schema of a table", "JsonSchema")
def schema(request: Request, table: str) -> Response:
    """The columns of one table of records as JSON Schema."""
    if table not in RECORD_TYPES:
        raise UnknownRecord(Message("record.no-table", {"table": table[:40], "names": tuple(RECORD_TYPES)}))
    return document(request, "answer", RECORD_TYPES[table].model_json_schema(mode="serialization"))


@PART.document("/about", "About the data", "About")
def about(request: Request) -> Response:
    """Version of program and data, hash of the history up to it, number of records, attribution, who may embed."""
    view = served_version(request)
    snapshot = view.snapshot
    summary = {
        "version": request.app.version,
        "history": view.head.hash,
        "data_date": snapshot.data_date,
        "records": {name: len(snapshot.records.table(name)) for name in RECORD_TYPES},
        "attribution": attribution_text(request.app.state.settings.attribution, view.disclosure, language_of(request)),
        "embedders": embedders_of(request),
    }
    if (layer := request.app.state.atlas.store.open_layer) is not None:
        summary["open_layer"] = {"sha256": layer.digest, **layer.about}
    return document(request, "answer", summary)
