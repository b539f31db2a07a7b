"""For Schemathesis: what JSON Schema cannot say of a request. Docs/conformance.md gives the reason of each rule.

A value that was drawn to be valid is made to fit the rules below; a value that was drawn to be wrong is left as it is.
No failure is passed over but those of `filter_failure`.
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import schemathesis
from hypothesis import strategies as st

#: A strike of the curated records, for operations on one that is there; its source, its country and its place.
STRIKE, SOURCE, COUNTRY, PLACE = "ua-orlivka-2025-08-06", "24tv-pmi", "UA", (30.72, 46.48)
FILTERS = {
    "cql2-text": "id LIKE 'ua-%'",
    "cql2-json": '{"op": "like", "args": [{"property": "id"}, "ua-%"]}',
}
#: What a strike with a place has too.
PLACED = {"uncertainty_m": 5000, "basis": "settlement", "place_source": SOURCE}
#: A language tag.
LANGUAGE = re.compile("[a-z]{2,3}(-[A-Za-z0-9]+)*")
#: A box of each system, the first axis first.
BOXES = {
    "CRS84": (28, 45, 33, 48),
    "4326": (45, 28, 48, 33),
    "4258": (45, 28, 48, 33),
    "3857": (3_100_000, 5_600_000, 3_700_000, 6_100_000),
    "3035": (2_600_000, 5_700_000, 3_000_000, 6_100_000),
    "32636": (200_000, 5_000_000, 600_000, 5_300_000),
    "32637": (200_000, 5_000_000, 600_000, 5_300_000),
}
#: Sides of a map whose other side is not given: the other one is to stay within bounds too.
SIDE_MAX = 1024
#: Bytes of the longest path with its query (`url_max`).
ADDRESS_MAX = 8192
#: Methods that need If-Match.
CONDITIONAL = ("PUT", "PATCH", "DELETE")

schemathesis.openapi.format(
    "edtf", st.sampled_from(["2025", "2025-08", "2025-08-06", "2025-08~", "2025-08-05/2025-08-06", "2025-08-05/.."])
)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Make the values of a case that were drawn to be valid fit what JSON Schema cannot say."""
    if case.meta is None:
        return
    wrong = _drawn_wrong(case.meta)
    for location, settle in (("query", _query), ("headers", _headers), ("path_parameters", _path)):
        values = getattr(case, location)
        if isinstance(values, Mapping) and values and (location, None) not in wrong:
            settled = settle(dict(values), case) | {n: values[n] for n in values if (location, n) in wrong}
            if settled != dict(values):
                setattr(case, location, type(values)(settled))
    if ("body", None) not in wrong and isinstance(case.body, dict):
        case.body = _body(case.body, case)


def _drawn_wrong(meta: Any) -> set[tuple[str, str | None]]:
    """Return locations and names of the values that are to be refused; no name where that is unknown."""
    wrong: set[tuple[str, str | None]] = set()
    if not meta.generation.mode.is_negative:  # a part may be marked so for a value that its schema does not allow
        return wrong
    names = {one.parameter for one in getattr(meta.phase.data, "mutations", ())}
    names |= {getattr(meta.phase.data, "parameter", None)}
    negative = {location.value for location, component in meta.components.items() if component.mode.is_negative}
    drawn = getattr(meta.phase.data, "parameter_location", None)
    for location in negative | ({drawn.value} if drawn else set()):
        key = {"header": "headers", "path": "path_parameters"}.get(location, location)
        wrong |= {(key, name) for name in names - {None}} if key != "body" and names - {None} else {(key, None)}
    return wrong


def _query(query: dict[str, Any], case: Any) -> dict[str, Any]:
    query.pop("cursor", None)
    if case.path == "/map" and len(_values(query.get("collections", ()))) != 1:
        query = {name: value for name, value in query.items() if not name.startswith("filter")}
    if "filter" in query:
        query["filter"] = FILTERS.get(str(query.get("filter-lang")), FILTERS["cql2-text"])
    if "bbox" in query:
        box = [*BOXES.get(str(query.get("bbox-crs")).rpartition("/")[2], BOXES["CRS84"])]
        _set_list(query, "bbox", box if len(_values(query["bbox"])) == 4 else [*box[:2], 0, *box[2:], 0])
    if isinstance(query.get("datetime"), str):
        query["datetime"] = "/".join(_in_order([_on_a_day(end) for end in query["datetime"].split("/")]))
    ends = {name: _on_a_day(query[name]) for name in ("since", "until") if isinstance(query.get(name), str)}
    with suppress(ValueError):  # one that was drawn as no day has no order
        query |= dict(zip(ends, _in_order([*ends.values()]), strict=True))
    if "sortby" in query:
        _set_list(query, "sortby", list({key.lstrip("+-"): key for key in _values(query["sortby"])}.values()))
    if len(sides := query.keys() & {"width", "height"}) == 1:
        (side,) = sides
        query[side] = min(query[side], SIDE_MAX) if isinstance(query[side], int) else str(SIDE_MAX)
    return query


def _values(value: Any) -> list[Any]:
    """Return the values of a list, which one phase has as a text."""
    return value.split(",") if isinstance(value, str) else list(value)


def _set_list(query: dict[str, Any], name: str, values: list[Any]) -> None:
    query[name] = ",".join(map(str, values)) if isinstance(query[name], str) else values


def _on_a_day(text: str) -> str:
    """Return a moment whose 29 February, which not every year has, is the 28th."""
    return text.replace("-02-29", "-02-28")


def _in_order(ends: list[str]) -> list[str]:
    """Return the ends of an interval with the earlier one first."""
    if len(ends) < 2 or not {"", ".."}.isdisjoint(ends):
        return ends
    return sorted(ends, key=_in_utc)


def _in_utc(end: str) -> datetime:
    instant = datetime.fromisoformat(end.upper())
    try:
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except OverflowError:
        return instant.replace(tzinfo=UTC)


def _headers(headers: dict[str, Any], case: Any) -> dict[str, Any]:
    settled = {"Idempotency-Key": f'"{uuid.uuid4()}"', "If-Match": "*"}
    if not str(headers.get("Change-Reason", '"')).startswith(('"', '%"')):
        settled["Change-Reason"] = '"Schemathesis"'
    return {name: settled.get(name, value) for name, value in headers.items()}


def _path(path: dict[str, Any], case: Any) -> dict[str, Any]:
    if "feature" in path and case.method.upper() in ("PUT", "PATCH") and case.meta.phase.name != "stateful":
        return {**path, "feature": STRIKE}
    return path


def _body(body: dict[str, Any], case: Any) -> dict[str, Any]:
    body = _without_nul(body)
    if not case.path.startswith("/collections"):
        return body
    for values in (body, body.get("properties")):
        if isinstance(values, dict):
            fitting = {"sources": [SOURCE], "place_source": SOURCE, "host_country": COUNTRY}
            values |= {name: value for name, value in fitting.items() if values.get(name) is not None}
            for name in ("titles", "places"):
                if isinstance(values.get(name), dict):
                    values[name] = {key: text for key, text in values[name].items() if LANGUAGE.fullmatch(key)}
            if isinstance(values.get("geometry"), dict) and "coordinates" in values["geometry"]:
                values["geometry"] = {**values["geometry"], "coordinates": list(PLACE)}
    return _patch(body) if case.method.upper() == "PATCH" else body


def _patch(body: dict[str, Any]) -> dict[str, Any]:
    """Return a patch that fits a strike whichever id and place it has."""
    body = {name: value for name, value in body.items() if name != "id"}
    placed = isinstance(body.get("geometry"), dict)
    if placed:
        body["geometry"] = {"type": "Point", "coordinates": list(PLACE)}
    values = body.setdefault("properties", {}) if placed and "type" in body else body.get("properties", body)
    if isinstance(values, dict):
        values |= {name: value for name, value in PLACED.items() if placed or name in values}
    return body


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [_without_nul(one) for one in value]
    if isinstance(value, dict):
        return {_without_nul(name): _without_nul(one) for name, one in value.items()}
    return value


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Pass over answers that follow from the whole address, from what the store holds, or from the rule of a limit."""
    refused, accepted = (type(failure).__name__ == name for name in ("RejectedPositiveData", "AcceptedNegativeData"))
    length = len(response.request.url.partition("//")[2].partition("/")[2]) + 1
    writes = case.method.upper() in ("POST", "PUT", "PATCH")
    return not (
        (response.status_code == 414 and length > ADDRESS_MAX and (refused or accepted))
        or (response.status_code == 422 and writes and refused)
        or (response.status_code == 412 and case.method.upper() in CONDITIONAL and refused)
        or (response.status_code == 200 and case.path.endswith("/items") and accepted and _is_limit_too_great(case))
    )


def _is_limit_too_great(case: Any) -> bool:
    parameters = {getattr(case.meta.phase.data, "parameter", None)}
    return parameters == {"limit"} and str(case.query.get("limit")).isdecimal() and int(case.query["limit"]) <= 2**31


TOKEN = os.environ.get("STRIKEATLAS_TOKEN")

if TOKEN:

    @schemathesis.auth()
    class Reviewer:
        """The token of a reviewer, where one is given."""

        def get(self, case: Any, context: Any) -> str:
            return f"Bearer {TOKEN}"

        def set(self, case: Any, data: str, context: Any) -> None:
            case.headers["Authorization"] = data
