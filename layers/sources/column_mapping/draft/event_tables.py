"""Drafts of tables of strikes, and of the assets that rows of strikes name."""

from __future__ import annotations

from layers.sources.column_mapping.draft.asset_tables import AssetWriter
from layers.sources.column_mapping.draft.cell_words import is_weapon, kind_of, longest, status_of
from layers.sources.column_mapping.draft.column_profile import ColumnProfile
from layers.sources.column_mapping.draft.column_roles import (
    OTHER_RECORDS,
    REPORT_RECORDS,
    ColumnRoles,
    is_id_field,
    is_name_field,
)
from layers.sources.column_mapping.draft.header_roles import record_of
from layers.sources.column_mapping.draft.table_draft import TableDraft
from layers.sources.column_mapping.draft.table_writer import MOST_WORDS, NO_PLACE, NO_TITLE, TableWriter


def _are_weapons(profile: ColumnProfile) -> bool:
    return profile.is_text and profile.part(is_weapon) >= 0.5 and longest(profile) <= 200


def _are_names_of_sites(profile: ColumnProfile) -> bool:
    return profile.is_text and record_of(profile.header) not in REPORT_RECORDS


class StrikeWriter(TableWriter):
    """Fills a table of strikes."""

    noun = "strikes"

    def write(self) -> TableDraft:
        """Fill the table of events and return it."""
        self._day("when", self.columns.day())
        if "when" not in self.table.columns:
            self._open("columns", '# when = ""  # the day of the event: required')
        self._where()
        self._links()
        title = self._best("title", lambda p: p.is_text and record_of(p.header) not in OTHER_RECORDS)
        place = self._best("place", lambda p: p.is_text and record_of(p.header) not in {"asset", "facility", "target"})
        target = self._target([name for name in (title, place) if name])
        note = self._best("note", lambda profile: profile.is_text)
        listed = target is not None and self._profile(target).distinct[0].startswith("[")
        title = title or (note if listed else None) or target or note or place or self._longest_text()
        if title:
            self._map("title", title, "what happened", shared=title in (target, place))
        else:
            self._constant("title", NO_TITLE, "no column has a text")
        if place or (target and not listed):
            self._map("place", place or target, "where" if place else "no column of places", shared=place is None)
        else:
            self._constant("place", NO_PLACE, "no column of places")
        if target and self._map("targets", target, "what was struck"):
            self._list_sign("targets", target)
        self._text("region", "region", 200)
        self._countries("host_country")
        self._weapons()
        self._counts()
        for column in ("attacker", "damage"):
            self._text(column, column)
        self._status()
        if note and note != title and longest(self._profile(note)) <= 2000:
            self._map("note", note, "by its header")
        if kind := self._best("kind", lambda p: p.part(kind_of) >= 0.5 and len(p.distinct) < 60):
            self._map("target_kinds", kind, "kinds of target")
            self._list_sign("target_kinds", kind)
            if "target_kinds" not in self.table.lists:
                self._kinds("target_kinds", kind)
            else:
                self._kinds_of_lists(kind)
        location = [self.table.columns.get(name) for name in ("lat", "lon", "latlon", "lonlat", "wkt")]
        day = self.table.columns.get("when")
        what = [self.table.columns.get(name) for name in ("place", "targets")]
        # A title may be any text, and be corrected: it tells rows apart only where nothing else does.
        parts = (day, *what, self._asset_id(), *location, self.table.columns.get("title"))
        self._row_id([name for name in parts if name])
        return self._finish()

    def _kinds_of_lists(self, name: str) -> None:
        sign = self.table.lists["target_kinds"]
        words = {word.strip() for text in self._profile(name).distinct for word in text.split(sign)} - {""}
        known = {word: kind for word in sorted(words)[:MOST_WORDS] if (kind := kind_of(word))}
        self.table.values["target_kinds"] = {**known, "*": ""}

    def _target(self, others: list[str]) -> str | None:
        """Return the column of what was struck: by its header, or the name in an object such as ``asset``."""
        taken = [*self._taken, *others]
        for name in self.columns.names(taken):
            header = self._profile(name).header
            if record_of(header) in OTHER_RECORDS and is_name_field(header):
                return name
        target = self.columns.best("target", lambda p: p.is_text and longest(p) <= 2000, taken)
        return target or self.columns.best("name", _are_names_of_sites, taken) or self._asset_id()

    def _asset_id(self) -> str | None:
        """Return the column of the ids of what was struck."""
        headers = {name: profile.header for name, profile in self.columns.profiles.items()}
        return next((n for n, text in headers.items() if record_of(text) in OTHER_RECORDS and is_id_field(text)), None)

    def _weapons(self) -> None:
        name = self._best("weapon", lambda p: p.is_text and longest(p) <= 200)
        cause = self._best("cause", _are_weapons) or self._best("kind", _are_weapons)
        if self._map("weapon", name or cause, "weapons" if name else "causes that are weapons"):
            self._list_sign("weapon", self.table.columns["weapon"])
        if name and (cause := self._best("cause")):
            self._map("status_note", cause, "the cause as told")

    def _status(self) -> None:
        name = self._best("status", lambda p: p.is_text and len(p.distinct) < 60 and p.part(status_of) >= 0.5)
        if (
            name
            and record_of(self._profile(name).header) not in OTHER_RECORDS
            and self._map("status", name, "how sure it is")
        ):
            words = {word: status for word in self._profile(name).distinct if (status := status_of(word))}
            self.table.values["status"] = {**words, "*": "reported"}
            self.table.blank["status"] = "reported"
            return
        self._constant("status", "reported", "the file does not say how well the events are established")


def assets_of_strikes(columns: ColumnRoles) -> TableDraft | None:
    """Return a table of the assets that rows of strikes name with ids, if their kinds can be told; else None."""
    sites = OTHER_RECORDS - {"source", "owner", "operator"}
    ids = next((name for name in columns.profiles if record_of(name) in sites and is_id_field(name)), None)
    if ids is None:
        return None
    own = {name: profile for name, profile in columns.profiles.items() if record_of(name) == record_of(ids)}
    name = next((name for name, profile in own.items() if profile.is_text and is_name_field(name)), None)
    if name is None:
        return None
    kinds = [
        n for n, p in own.items() if n not in (ids, name) and p.part(kind_of) >= 0.5 and len(p.distinct) < MOST_WORDS
    ]
    kind = kinds[0] if kinds else name
    parts = [columns.profiles[part] for part in (ids, name, kind)]
    if not all(profile.is_whole for profile in parts) or not parts[-1].part(kind_of):
        return None
    reason = f"{record_of(ids)!r} of each row has an id, a name and a kind"
    return AssetWriter(columns, reason).write_named(ids, name, kind)
