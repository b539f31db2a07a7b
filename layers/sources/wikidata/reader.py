"""Reader of Wikidata items: owners (P127, P1830) to stakes, parents (P749) to controls, with dates and shares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from layers.model.identifiers import is_lei
from layers.model.read_result import Place, Reading
from layers.sources.reader.record_builder import Gathered
from layers.sources.wikidata import snaks as values
from layers.sources.wikidata.ownership import Owners
from layers.sources.wikidata.snaks import CLASSES, COUNTRIES, Item, entity_id, is_qid

#: The names of an entity are kept in these languages; all others become aliases.
_LANGUAGES = ("en", "uk", "ru", "az", "tr", "kk", "de", "fr", "ar", "fa", "ka", "pl", "ro", "bg")


def parse(file: str, text: str, dataset: str = "wikidata") -> Reading:
    """Read Wikidata entity JSON, as Special:EntityData and wbgetentities give it.

    - An item is an entity ``wikidata-<q-id>`` with its labels, aliases, LEI (P1278) and country (P17, as the head
      office; of a state, its own ISO code). An item that is only referred to becomes one named by its Q-id.
    - Owned by (P127), and owner of (P1830) where the other item does not say it, is a stake: its share is the
      proportion (P1107) or 0 to 100; it holds from P580 until P582. A point in time (P585) says that it held by
      then. A known end without a date lies before the item's last change.
    - An unknown owner (somevalue) is an unknownEntity; no owner (novalue) gives nothing and is noted.
    - A parent organisation (P749) is a declared control. An operator (P137) is noted.
    - Statements of rank deprecated are left out, and the note says so.

    A statement without a reference of its own, or without an end beside one of preferred rank, is ``unverified`` and
    so counts from 0. Rows are the positions of
    items in the file, from 1. What cannot be read is a problem.
    """
    found = Gathered(dataset)
    items = list(_items(file, text, found))
    found.rows = len(items)
    countries = {**COUNTRIES, **_codes(item for item, _ in items)}
    for item, place in items:
        _entity(found, item, place, countries)
    for item, place in items:
        Owners(found, item, place).read()
    told = {(stake.owned, stake.owner) for stake in found.stakes()}
    for item, place in items:
        Owners(found, item, place).read_inverse(told)
    _name_the_rest(found)
    return found.reading()


def _items(file: str, text: str, found: Gathered) -> Iterator[tuple[Item, Place]]:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        found.fault(Place(file, 1), "file", "syntax", error, "a JSON document")
        return
    entities = document.get("entities") if isinstance(document, dict) else None
    if not isinstance(entities, dict):
        found.fault(Place(file, 1), "file", "entities", "(missing)", 'an object {"entities": {"Q...": ...}}')
        return
    for row, (name, item) in enumerate(entities.items(), 1):
        place = Place(file, row)
        if not isinstance(item, dict) or "missing" in item or not is_qid(item.get("id")):
            found.fault(place, f"item {name}", "id", "missing", "an item that exists")
            continue
        yield item, place


def _codes(items: Iterable[Item]) -> dict[str, str]:
    return {item["id"]: code for item in items if (code := values.text(item, "P297"))}


def _entity(found: Gathered, item: Item, place: Place, countries: Mapping[str, str]) -> None:
    qid = item["id"]
    lei = values.text(item, "P1278")
    if lei and not is_lei(lei):
        found.fault(place, f"item {qid}", "P1278", lei, "an LEI whose check digits are right (ISO 17442)")
        lei = None
    kind = _kind(item, qid, countries)
    seats = (countries.get(country) for country in values.entity_ids(item, "P17"))
    seat = next((code for code in seats if code), None)
    source = _source(found, item, place)
    record = {
        "id": entity_id(qid),
        **_names(item),
        "type": "registeredEntity" if kind == "legalEntity" and lei else kind,
        "registered_in": countries.get(qid) if kind == "state" else None,
        "headquartered_in": None if kind in ("state", "person") else seat,
        "external_ids": {"wikidata": qid, **({"lei": lei} if lei else {})},
        "sources": (source,),
        "checked": "read",
    }
    found.add("entities", record, place)
    _remark(found, item)


def _kind(item: Item, qid: str, countries: Mapping[str, str]) -> str:
    classes = values.entity_ids(item, "P31")
    if qid in COUNTRIES or (qid in countries and {"Q6256", "Q3624078"} & set(classes)):
        return "state"
    return next((CLASSES[found] for found in classes if found in CLASSES and CLASSES[found] != "state"), "legalEntity")


def _names(item: Item) -> dict[str, Any]:
    labels = dict(values.texts(item, "labels"))
    name = labels.get("en") or labels.get("mul") or next(iter(labels.values()), item["id"])
    spoken = {language: labels[language] for language in _LANGUAGES if labels.get(language, name) != name}
    others = [*labels.values(), *(text for _, text in values.texts(item, "aliases"))]
    rest = dict.fromkeys(text for text in others if text != name and text not in spoken.values())
    return {"name": name, "names": spoken, "aliases": tuple(rest)}


def _source(found: Gathered, item: Item, place: Place) -> str:
    qid = item["id"]
    source = {
        "id": f"wikidata/{qid.lower()}",
        "url": f"https://www.wikidata.org/wiki/{qid}",
        "publisher": "Wikidata",
        "title": qid,
        "published": str(item["modified"])[:10] if item.get("modified") else None,
        "licence": "CC0-1.0",
    }
    found.add("sources", source, place)
    return f"wikidata/{qid.lower()}"


def _remark(found: Gathered, item: Item) -> None:
    """Note what is no stake and no control: operators, and statements of rank deprecated."""
    name = entity_id(item["id"])
    for operator in values.entity_ids(item, "P137"):
        found.note(name, f"Wikidata: operated by {operator} (P137), which is no stake.")
    for prop in ("P127", "P1830", "P749"):
        for statement in values.statements(item, prop):
            if statement.get("rank") == "deprecated":
                other = values.item_id(statement["mainsnak"]) or statement["mainsnak"].get("snaktype")
                found.note(name, f"Wikidata: {prop} {other} is of rank deprecated and left out.")


def _name_the_rest(found: Gathered) -> None:
    """Give each item that is only referred to an entity, so that nothing dangles."""
    for name, place in found.missing():
        qid = name.removeprefix("wikidata-").upper()
        state = COUNTRIES.get(qid)
        kind = "state" if state else "legalEntity"
        record = {"id": name, "name": qid, "type": kind, "registered_in": state, "external_ids": {"wikidata": qid}}
        found.add("entities", {**record, "checked": "unverified", "note": "Known by its Q-id only."}, place)
