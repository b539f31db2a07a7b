"""Values of Wikidata's JSON: snaks, times, quantities and texts (Wikibase JSON data model)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from layers.model import edtf as when
from layers.model.messages import InvalidValue, Message

#: Entity types by class (P31); the first class in this table counts, and an item without one is a legalEntity.
CLASSES: Mapping[str, str] = {
    "Q5": "person", "Q3624078": "state", "Q6256": "state", "Q192350": "stateBody", "Q327333": "stateBody",
    "Q7188": "stateBody", "Q783794": "registeredEntity", "Q4830453": "registeredEntity",
    "Q6881511": "registeredEntity", "Q891723": "registeredEntity", "Q270791": "registeredEntity",
    "Q134161": "registeredEntity",
}  # fmt: skip
#: Countries by Q-id, for files that do not hold the country's item with its ISO code (P297).
COUNTRIES: Mapping[str, str] = dict(
    re.findall(
        r"(Q\d+):([A-Z]{2})",
        "Q16:CA Q17:JP Q20:NO Q27:IE Q28:HU Q29:ES Q30:US Q31:BE Q32:LU Q33:FI Q34:SE Q35:DK Q36:PL Q37:LT "
        "Q38:IT Q39:CH Q40:AT Q41:GR Q43:TR Q45:PT Q55:NL Q79:EG Q142:FR Q145:GB Q148:CN Q159:RU Q183:DE Q184:BY "
        "Q191:EE Q211:LV Q212:UA Q213:CZ Q214:SK Q215:SI Q217:MD Q218:RO Q219:BG Q222:AL Q224:HR Q227:AZ Q229:CY "
        "Q230:GE Q232:KZ Q233:MT Q252:ID Q262:DZ Q265:UZ Q334:SG Q347:LI Q398:BH Q399:AM Q403:RS Q408:AU Q668:IN "
        "Q794:IR Q796:IQ Q801:IL Q810:JO Q817:KW Q822:LB Q833:MY Q842:OM Q843:PK Q846:QA Q851:SA Q858:SY Q874:TM "
        "Q878:AE Q884:KR Q1016:LY Q1028:MA Q1033:NG",
    )
)
#: The unit of a percentage.
PERCENT = "Q11229"
_TIME = re.compile(r"\+?(\d{4})-(\d{2})-(\d{2})T")
_GREGORIAN = "Q1985727"
_LENGTHS = {9: 4, 10: 7, 11: 10}  # precision to letters of the ISO date: year, month, day


_QID = re.compile(r"Q[1-9]\d*")

WikidataItem = Mapping[str, Any]


class Share(NamedTuple):
    """Bounds of a share in percent."""

    low: float
    high: float


class SnakProblem(InvalidValue):
    """A value of a snak that cannot be read, with what was expected."""


def entity_id(qid: str) -> str:
    """Return the id of the entity with a Q-id."""
    return f"wikidata-{qid.lower()}"


def is_qid(text: object) -> bool:
    """Whether a value is the id of an item."""
    return isinstance(text, str) and bool(_QID.fullmatch(text))


def statements(item: WikidataItem, prop: str) -> list[WikidataItem]:
    """Return the statements of a property, none where the item has none (PHP writes an empty map as a list)."""
    claims = item.get("claims") or item.get("statements") or {}
    listed = _objects(claims.get(prop)) if isinstance(claims, dict) else []
    return [s for s in listed if isinstance(s.get("mainsnak"), dict)]


def _objects(value: object) -> list[WikidataItem]:
    """Return the objects of a list, none of anything else."""
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def valid_statements(item: WikidataItem, prop: str) -> list[WikidataItem]:
    """Return the statements of a property that are not of rank deprecated, the preferred first."""
    valid = [s for s in statements(item, prop) if s.get("rank") != "deprecated"]
    return sorted(valid, key=lambda s: s.get("rank") != "preferred")


def value(snak: WikidataItem) -> Any:
    """Return the value of a snak, None for somevalue and novalue."""
    if snak.get("snaktype") != "value":
        return None
    data = snak.get("datavalue")
    return data.get("value") if isinstance(data, dict) else None


def item_id(snak: WikidataItem) -> str | None:
    """Return the Q-id of an item value; older dumps give the number only."""
    content = value(snak)
    if not isinstance(content, dict):
        return None
    name = content.get("id") or f"Q{content.get('numeric-id', '')}"
    return name if is_qid(name) else None


def qualifiers(statement: WikidataItem, prop: str) -> list[WikidataItem]:
    """Return the snaks of a qualifier of a statement."""
    held = statement.get("qualifiers")
    return _objects(held.get(prop)) if isinstance(held, dict) else []


def entity_ids(item: WikidataItem, prop: str) -> list[str]:
    """Return the Q-ids of the valid statements of a property that have no end, the preferred first."""
    current = (s for s in valid_statements(item, prop) if not qualifiers(s, "P582"))
    return [qid for s in current if (qid := item_id(s["mainsnak"]))]


def text(item: WikidataItem, prop: str) -> str | None:
    """Return the first text of a property, such as an identifier."""
    values = (value(s["mainsnak"]) for s in valid_statements(item, prop))
    return next((v for v in values if isinstance(v, str) and v), None)


def edtf(snak: WikidataItem) -> str:
    """Return a time value as EDTF, no more exact than its precision.

    Raises ``SnakProblem`` for other calendars, years before 1, and precisions above decade.
    """
    content = value(snak)
    if not isinstance(content, dict) or not isinstance(content.get("time"), str):
        raise SnakProblem(Message("wikidata.time"))
    parts = _TIME.match(content["time"])
    precision = content.get("precision")
    if parts is None or parts[1] == "0000":
        raise SnakProblem(Message("wikidata.year"))
    if not str(content.get("calendarmodel", _GREGORIAN)).endswith(_GREGORIAN):
        raise SnakProblem(Message("wikidata.calendar"))
    if precision == 8:
        return f"{parts[1][:3]}X"
    if not isinstance(precision, int) or precision not in _LENGTHS:
        raise SnakProblem(Message("wikidata.precision"))
    iso = f"{parts[1]}-{parts[2]}-{parts[3]}"[: _LENGTHS[precision]]
    try:
        return when.parse(iso).text
    except when.EdtfError as error:
        raise SnakProblem(error.expected) from error


def share(snak: WikidataItem) -> Share:
    """Return a proportion in percent: a fraction of 1, or a percentage by its unit; with bounds where it has them.

    Raises ``SnakProblem`` for another unit, and for shares outside 0 to 100. An amount over 1 without a unit may be
    either and is refused.
    """
    content = value(snak)
    if not isinstance(content, dict):
        raise SnakProblem(Message("wikidata.quantity"))
    unit = str(content.get("unit", "1")).rsplit("/", 1)[-1]
    if unit not in ("1", PERCENT):
        raise SnakProblem(Message("wikidata.unit"))
    factor = 1.0 if unit == PERCENT else 100.0
    try:
        amount = float(content["amount"])
        ends = [float(content.get(bound, amount)) for bound in ("lowerBound", "upperBound")]
    except (KeyError, TypeError, ValueError) as error:
        raise SnakProblem(Message("wikidata.amount")) from error
    lower, upper = (round(factor * end, 9) for end in ends)
    if not 0 <= lower <= upper <= 100:
        raise SnakProblem(Message("wikidata.share"))
    return Share(lower, upper)


def texts(item: WikidataItem, field: str) -> Iterator[tuple[str, str]]:
    """Return language and text of ``labels`` or ``aliases``."""
    held = item.get(field)
    for language, terms in held.items() if isinstance(held, dict) else ():
        for term in terms if isinstance(terms, list) else [terms]:
            if isinstance(term, dict) and isinstance(term.get("value"), str) and term["value"].strip():
                yield language, term["value"]


def is_referenced(statement: WikidataItem) -> bool:
    """Whether a reference says more than the Wikimedia project the statement was copied from (P143, P4656)."""
    for reference in _objects(statement.get("references")):
        if isinstance(snaks := reference.get("snaks"), dict) and set(snaks) - {"P143", "P4656", "P813"}:
            return True
    return False
