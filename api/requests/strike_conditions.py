"""Parameters of strikes that name whose sites were hit, what is sure, and words: read to conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from api.requests.parameters import MAX_LENGTH, BadParameter, RequestParameter, number_between, one_of
from layers.attribution.readings import Reading
from layers.query.strike_conditions import CERTAINTIES, TIE_KINDS, StrikeConditions

READINGS: tuple[Reading, ...] = get_args(Reading)
_COUNTRY = re.compile("[A-Za-z]{2}")
_TEXT = {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH}


def _parse_text(name: str, text: str) -> str:
    if not text or len(text) > MAX_LENGTH or "\0" in text:
        raise BadParameter(name, text, f"1 to {MAX_LENGTH} letters")
    return text


def _parse_country(name: str, text: str) -> str:
    if not _COUNTRY.fullmatch(text):
        raise BadParameter(name, text, "an ISO 3166-1 alpha-2 code such as AZ")
    return text.upper()


Q = RequestParameter(
    "q", _parse_text, _TEXT,
    "Words of a title, place, region, attacker or damage, in any script, spelling and case, or of the kind of a site.",
    "кременчук нпз",
)  # fmt: skip
COUNTRY = RequestParameter(
    "country", _parse_country, {"type": "string", "pattern": "^[A-Za-z]{2}$"},
    "Only strikes on what this country was tied to as relation says (ISO 3166-1 alpha-2).", "AZ",
)  # fmt: skip
ENTITY = RequestParameter(
    "entity", _parse_text, _TEXT,
    "Only strikes on what this company, person or state was tied to as relation says; as owner, through others too.",
    "socar",
)  # fmt: skip
RELATION = RequestParameter(
    "relation", one_of(TIE_KINDS), {"type": "string", "enum": list(TIE_KINDS), "default": TIE_KINDS[0]},
    "What the country or entity was to what was hit; related is any tie but owner and host.",
)  # fmt: skip
READING = RequestParameter(
    "reading", one_of(READINGS), {"type": "string", "enum": list(READINGS), "default": READINGS[0]},
    "What country means of owners: of registration or of the head office, or of who surely controlled.",
)  # fmt: skip
MIN_SHARE = RequestParameter(
    "min_share", number_between(0, 100), {"type": "number", "minimum": 0, "maximum": 100, "default": 0},
    "The least percent that they owned, or may have owned, of one of the sites.", 25,
)  # fmt: skip
COMMODITY = RequestParameter("commodity", _parse_text, _TEXT, "What one of the sites makes, moves or stores.", "oil")
CERTAINTY = RequestParameter(
    "certainty", one_of(CERTAINTIES), {"type": "string", "enum": list(CERTAINTIES)},
    "sure: strikes alone that surely satisfy all that is given, whichever site was hit and on whichever day; possible: "
    "those alone that may. Both by default.",
)  # fmt: skip

#: The parameters of strikes beside their columns.
STRIKE_CONDITIONS: Sequence[RequestParameter[Any]] = (
    Q, COUNTRY, ENTITY, RELATION, READING, MIN_SHARE, COMMODITY, CERTAINTY,
)  # fmt: skip


def parse_strike_conditions(query: Mapping[str, str]) -> StrikeConditions:
    """Read the conditions of a query; other parameters are passed over.

    ``assets``, a column of strikes, is read too: a site is surely hit or not.

    Raises
    ------
    BadParameter
        With the first parameter that cannot be read.
    """
    return StrikeConditions(
        text=Q.read(query),
        country=COUNTRY.read(query),
        entity=ENTITY.read(query),
        relation=RELATION.read(query, TIE_KINDS[0]),
        reading=READING.read(query, READINGS[0]),
        min_share=MIN_SHARE.read(query, 0.0),
        commodity=COMMODITY.read(query),
        assets=tuple(query["assets"].split(",")) if query.get("assets") else (),
        certainty=CERTAINTY.read(query),
    )
