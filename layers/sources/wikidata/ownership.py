"""What a Wikidata item says of owners, holdings and parents, as stakes and controls."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from layers.model.read_result import Place
from layers.sources.reader.record_builder import Gathered, ended_by
from layers.sources.wikidata import snaks as values
from layers.sources.wikidata.snaks import Item, Share, ValueFault, entity_id


class Owners:
    """Reads the owners, holdings and parents that one item states."""

    def __init__(self, found: Gathered, item: Item, place: Place) -> None:
        self._found, self._item, self._place = found, item, place
        self._self = entity_id(item["id"])
        self._name = f"item {item['id']}"

    def read(self) -> None:
        """Owned by, and parents."""
        for number, statement in enumerate(values.standing(self._item, "P127"), 1):
            owner = self._party(statement, number)
            if owner:
                self._stake(statement, self._self, owner, number)
        for number, statement in enumerate(values.standing(self._item, "P749"), 1):
            parent = values.item_id(statement["mainsnak"])
            if parent:
                self._control(statement, entity_id(parent), number)

    def read_inverse(self, told: Container[tuple[str, str]]) -> None:
        """Owner of, where the owned item does not name this owner itself; ``told`` are owned and owner of those."""
        for number, statement in enumerate(values.standing(self._item, "P1830"), 1):
            owned = values.item_id(statement["mainsnak"])
            if owned and (entity_id(owned), self._self) in told:
                self._found.note(self._self, f"Wikidata: owner of {owned} (P1830) is counted once, as its P127.")
            elif owned:
                self._stake(statement, entity_id(owned), self._self, number, " Stated by the owner's item (P1830).")

    def _party(self, statement: Item, number: int) -> str | None:
        snak = statement["mainsnak"]
        kind = snak.get("snaktype")
        if kind == "novalue":
            self._found.note(self._self, "Wikidata: has no owner (novalue).")
            return None
        if kind == "somevalue":
            unknown = {"id": f"{self._self}/owner-{number}", "name": f"unknown owner of {self._item['id']}"}
            unknown |= {"type": "unknownEntity", "checked": "unverified"}
            self._found.add("entities", unknown, self._place)
            return unknown["id"]
        owner = values.item_id(snak)
        if owner is None:
            self._found.fault(self._place, self._name, "P127", values.value(snak), "an item")
            return None
        return entity_id(owner)

    def _stake(self, statement: Item, owned: str, owner: str, number: int, note: str = "") -> None:
        share = self._share(statement)
        since, until, dated = self._times(statement)
        unread = "The share cannot be read." if values.qualifiers(statement, "P1107") else "The share is not given."
        stake = {
            "id": f"{owned}>{owner}/{'o' if note else ''}{number}",
            "owned": owned,
            "owner": owner,
            "share_min": share.least if share else 0,
            "share_max": share.most if share else 100,
            "note": f"{'' if share else unread}{note}{dated}".strip() or None,
        }
        self._tie("stakes", stake, statement, since, until, (owned, owner))

    def _control(self, statement: Item, parent: str, number: int) -> None:
        since, until, dated = self._times(statement)
        control = {"id": f"{self._self}>{parent}/parent-{number}", "controlled": self._self, "controller": parent}
        control |= {"kind": "declared", "note": f"Parent organisation (P749).{dated}"}
        self._tie("controls", control, statement, since, until, (self._self, parent))

    def _tie(
        self,
        table: str,
        record: dict[str, Any],
        statement: Item,
        since: str | None,
        until: str | None,
        ends: tuple[str, str],
    ) -> None:
        checked = "read" if values.is_referenced(statement) and not self._outranked(statement) else "unverified"
        source = f"wikidata/{self._item['id'].lower()}"
        if self._found.add(
            table, {**record, "since": since, "until": until, "source": source, "checked": checked}, self._place
        ):
            for end in ends:
                self._found.mention(end, self._place)

    def _outranked(self, statement: Item) -> bool:
        """Whether a statement without an end stands beside a preferred one, and so may no longer hold."""
        prop = statement["mainsnak"].get("property")
        first = values.standing(self._item, str(prop))[:1]
        preferred = any(s.get("rank") == "preferred" for s in first)
        return preferred and statement.get("rank") != "preferred" and not values.qualifiers(statement, "P582")

    def _share(self, statement: Item) -> Share | None:
        shares = []
        for snak in values.qualifiers(statement, "P1107"):
            if snak.get("snaktype") != "value":
                continue
            try:
                shares.append(values.share(snak))
            except ValueFault as fault:
                self._found.fault(self._place, self._name, "P1107", values.value(snak), f"{fault}")
        if not shares:
            return None
        return Share(min(s.least for s in shares), max(s.most for s in shares))

    def _times(self, statement: Item) -> tuple[str | None, str | None, str]:
        """``since``, ``until`` and a note."""
        starts, ends, points = (self._dates(statement, prop) for prop in ("P580", "P582", "P585"))
        note = ""
        since = min(starts) if starts else None
        if since is None and points:
            since, note = f"../{min(points)}", f" Known as of {', '.join(points)}."
        until = max(ends) if ends else None
        if until is None and any(s.get("snaktype") != "novalue" for s in values.qualifiers(statement, "P582")):
            changed = str(self._item.get("modified", ""))[:10]
            until = ended_by(since, changed) if changed else "0001-01-01/.."
            note += " Ended on a day that is not known."
        return since, until, note

    def _dates(self, statement: Item, prop: str) -> list[str]:
        dates = []
        for snak in values.qualifiers(statement, prop):
            if snak.get("snaktype") != "value":
                continue
            try:
                dates.append(values.edtf(snak))
            except ValueFault as fault:
                self._found.fault(self._place, self._name, prop, values.value(snak), f"{fault}")
        return dates
