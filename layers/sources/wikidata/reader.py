"""Reader of Wikidata items: owners (P127, P1830) to stakes, parents (P749) to controls, with dates and shares."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any

import orjson

from layers.model.messages import Message
from layers.model.problems import MISSING, ReadResult, SourceLocation
from layers.model.types import is_lei
from layers.sources.files.limits import parse_json
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import Format, LoadOptions
from layers.sources.reader.record_builder import RecordBuilder, concatenate_results, unknown_end
from layers.sources.wikidata import snaks as values
from layers.sources.wikidata.snaks import CLASSES, COUNTRIES, Share, SnakProblem, WikidataItem, entity_id, is_qid


class ItemOwnership:
    """Adds the owners, holdings and parents that one item states to a record builder."""

    def __init__(self, builder: RecordBuilder, item: WikidataItem, location: SourceLocation) -> None:
        self._builder, self._item, self._location = builder, item, location
        self._self = entity_id(item["id"])
        self._name = f"item {item['id']}"

    def read(self) -> None:
        """Add the item's owners (P127) and parents (P749)."""
        for number, statement in enumerate(values.valid_statements(self._item, "P127"), 1):
            owner = self._party(statement, number)
            if owner:
                self._stake(statement, self._self, owner, number)
        for number, statement in enumerate(values.valid_statements(self._item, "P749"), 1):
            parent = values.item_id(statement["mainsnak"])
            if parent:
                ends = self._self, entity_id(parent)
                control = {"id": f"{ends[0]}>{ends[1]}/parent-{number}", "controlled": ends[0], "controller": ends[1]}
                control["kind"] = "declared"
                self._tie("controls", control, statement, ends, "Parent organisation (P749).")

    def read_inverse(self, stated: Container[tuple[str, str]]) -> None:
        """Add the item's holdings (P1830); pairs of owned and owner in ``stated``, known from P127, are only noted."""
        for number, statement in enumerate(values.valid_statements(self._item, "P1830"), 1):
            owned = values.item_id(statement["mainsnak"])
            if owned and (entity_id(owned), self._self) in stated:
                self._builder.note(self._self, f"Wikidata: owner of {owned} (P1830) is counted once, as its P127.")
            elif owned:
                self._stake(statement, entity_id(owned), self._self, number, " Stated by the owner's item (P1830).")

    def _party(self, statement: WikidataItem, number: int) -> str | None:
        snak = statement["mainsnak"]
        kind = snak.get("snaktype")
        if kind == "novalue":
            self._builder.note(self._self, "Wikidata: has no owner (novalue).")
            return None
        if kind == "somevalue":
            unknown = {"id": f"{self._self}/owner-{number}", "name": f"unknown owner of {self._item['id']}"}
            unknown |= {"type": "unknownEntity", "checked": "unverified"}
            self._builder.add("entities", unknown, self._location)
            return unknown["id"]
        owner = values.item_id(snak)
        if owner is None:
            self._builder.add_problem(self._location, self._name, "P127", values.value(snak), Message("wikidata.item"))
            return None
        return entity_id(owner)

    def _stake(self, statement: WikidataItem, owned: str, owner: str, number: int, note: str = "") -> None:
        shares: list[Share] = self._qualified(statement, "P1107", values.share)
        unread = "The share cannot be read." if values.qualifiers(statement, "P1107") else "The share is not given."
        stake = {
            "id": f"{owned}>{owner}/{'o' if note else ''}{number}",
            "owned": owned,
            "owner": owner,
            "share_min": min((share.low for share in shares), default=0),
            "share_max": max((share.high for share in shares), default=100),
        }
        self._tie("stakes", stake, statement, (owned, owner), f"{'' if shares else unread}{note}")

    def _tie(
        self, table: str, record: dict[str, Any], statement: WikidataItem, ends: tuple[str, str], note: str
    ) -> None:
        """Add a stake or control between two entities, with its times."""
        since, until, dated = self._times(statement)
        more = {
            "since": since,
            "until": until,
            "source": f"wikidata/{self._item['id'].lower()}",
            "checked": "read" if values.is_referenced(statement) and not self._outranked(statement) else "unverified",
            "note": f"{note}{dated}".strip() or None,
        }
        if self._builder.add(table, {**record, **more}, self._location):
            for end in ends:
                self._builder.require_entity(end, self._location)

    def _outranked(self, statement: WikidataItem) -> bool:
        """Whether a statement without an end stands beside a preferred one, and so may no longer hold."""
        prop = statement["mainsnak"].get("property")
        first = values.valid_statements(self._item, str(prop))[:1]
        preferred = any(s.get("rank") == "preferred" for s in first)
        return preferred and statement.get("rank") != "preferred" and not values.qualifiers(statement, "P582")

    def _times(self, statement: WikidataItem) -> tuple[str | None, str | None, str]:
        """Return ``since``, ``until`` and a note."""
        starts, ends, points = (self._qualified(statement, prop, values.edtf) for prop in ("P580", "P582", "P585"))
        note = ""
        since = min(starts) if starts else None
        if since is None and points:
            since, note = f"../{min(points)}", f" Known as of {', '.join(points)}."
        until = max(ends) if ends else None
        if until is None and any(s.get("snaktype") != "novalue" for s in values.qualifiers(statement, "P582")):
            changed = str(self._item.get("modified", ""))[:10]
            until = unknown_end(since, changed)
            note += " Ended on a day that is not known."
        return since, until, note

    def _qualified(self, statement: WikidataItem, prop: str, parse: Callable[[WikidataItem], Any]) -> list[Any]:
        """Return the values of a qualifier that can be read; any other is a problem."""
        parsed = []
        for snak in values.qualifiers(statement, prop):
            if snak.get("snaktype") != "value":
                continue
            try:
                parsed.append(parse(snak))
            except SnakProblem as fault:
                self._builder.add_problem(self._location, self._name, prop, values.value(snak), fault.expected)
        return parsed


#: Languages of the names of an entity; names in other languages become aliases.
_LANGUAGES = ("en", "uk", "ru", "az", "tr", "kk", "de", "fr", "ar", "fa", "ka", "pl", "ro", "bg")


def parse(file: str, text: str, dataset: str = "wikidata") -> ReadResult:
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
    so counts from 0. Rows are the positions of items in the file, from 1. Anything that cannot be read is a problem.
    """
    builder = RecordBuilder(dataset)
    items = list(_items(file, text, builder))
    builder.rows = len(items)
    countries = {**COUNTRIES, **{item["id"]: code for item, _ in items if (code := values.text(item, "P297"))}}
    for item, location in items:
        _entity(builder, item, location, countries)
    for item, location in items:
        ItemOwnership(builder, item, location).read()
    stated = {(stake.owned, stake.owner) for stake in builder.stakes()}
    for item, location in items:
        ItemOwnership(builder, item, location).read_inverse(stated)
    builder.add_missing_entities(_known_by_qid)
    return builder.result()


def _items(file: str, text: str, builder: RecordBuilder) -> Iterator[tuple[WikidataItem, SourceLocation]]:
    try:
        document = parse_json(text)
    except orjson.JSONDecodeError as error:
        builder.add_problem(SourceLocation(file, 1), "file", "syntax", error, Message("cell.json"))
        return
    entities = document.get("entities") if isinstance(document, dict) else None
    if not isinstance(entities, dict):
        builder.add_problem(SourceLocation(file, 1), "file", "entities", MISSING, Message("wikidata.entities"))
        return
    for row, (name, item) in enumerate(entities.items(), 1):
        location = SourceLocation(file, row)
        if not isinstance(item, dict) or "missing" in item or not is_qid(item.get("id")):
            builder.add_problem(location, f"item {name}", "id", "missing", Message("wikidata.existing-item"))
            continue
        yield item, location


def _entity(builder: RecordBuilder, item: WikidataItem, location: SourceLocation, countries: Mapping[str, str]) -> None:
    qid = item["id"]
    lei = values.text(item, "P1278")
    if lei and not is_lei(lei):
        builder.add_problem(location, f"item {qid}", "P1278", lei, Message("cell.lei"))
        lei = None
    kind = _kind(item, qid, countries)
    seats = (countries.get(country) for country in values.entity_ids(item, "P17"))
    seat = next((code for code in seats if code), None)
    source = _source(builder, item, location)
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
    builder.add("entities", record, location)
    _add_notes(builder, item)


def _kind(item: WikidataItem, qid: str, countries: Mapping[str, str]) -> str:
    classes = values.entity_ids(item, "P31")
    if qid in COUNTRIES or (qid in countries and {"Q6256", "Q3624078"} & set(classes)):
        return "state"
    return next(
        (CLASSES[class_id] for class_id in classes if class_id in CLASSES and CLASSES[class_id] != "state"),
        "legalEntity",
    )


def _names(item: WikidataItem) -> dict[str, Any]:
    labels = dict(values.texts(item, "labels"))
    name = labels.get("en") or labels.get("mul") or next(iter(labels.values()), item["id"])
    spoken = {language: labels[language] for language in _LANGUAGES if labels.get(language, name) != name}
    alternatives = [*labels.values(), *(text for _, text in values.texts(item, "aliases"))]
    rest = dict.fromkeys(text for text in alternatives if text != name and text not in spoken.values())
    return {"name": name, "names": spoken, "aliases": tuple(rest)}


def _source(builder: RecordBuilder, item: WikidataItem, location: SourceLocation) -> str:
    qid = item["id"]
    source = {
        "id": f"wikidata/{qid.lower()}",
        "url": f"https://www.wikidata.org/wiki/{qid}",
        "publisher": "Wikidata",
        "title": qid,
        "published": str(item["modified"])[:10] if item.get("modified") else None,
        "licence": "CC0-1.0",
    }
    builder.add("sources", source, location)
    return f"wikidata/{qid.lower()}"


def _add_notes(builder: RecordBuilder, item: WikidataItem) -> None:
    """Note operators, which are no stakes, and statements of rank deprecated, which are left out."""
    name = entity_id(item["id"])
    for operator in values.entity_ids(item, "P137"):
        builder.note(name, f"Wikidata: operated by {operator} (P137), which is no stake.")
    for prop in ("P127", "P1830", "P749"):
        for statement in values.statements(item, prop):
            if statement.get("rank") == "deprecated":
                other = values.item_id(statement["mainsnak"]) or statement["mainsnak"].get("snaktype")
                builder.note(name, f"Wikidata: {prop} {other} is of rank deprecated and left out.")


def _known_by_qid(key: str) -> dict[str, Any]:
    qid = key.removeprefix("wikidata-").upper()
    state = COUNTRIES.get(qid)
    values = {"type": "state" if state else "legalEntity", "registered_in": state, "note": "Known by its Q-id only."}
    return {"name": qid, "external_ids": {"wikidata": qid}, **values}


def read_files(files: Sequence[SourceFile], options: LoadOptions) -> ReadResult:
    """Read files of items one by one; see ``parse``."""
    return concatenate_results([parse(file.name, file.text(), options.dataset) for file in files])


FORMAT = Format(
    name="wikidata",
    title="Wikidata entity JSON",
    provides="entities, stakes, controls",
    licence="CC0-1.0",
    recognises=lambda head: head.container == "json" and "entities" in head.keys and '"claims"' in head.text,
    read=read_files,
    signature="the key entities, and claims in them",
)
