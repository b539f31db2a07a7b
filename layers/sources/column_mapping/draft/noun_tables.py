"""Drafts of tables of assets, strikes, entities and stakes."""

from __future__ import annotations

from layers.reference.country_names import code_of
from layers.sources.column_mapping.draft.column_profile import (
    WORDS,
    ColumnProfile,
    Phrase,
    entity_type_of,
    header_words,
    is_weapon,
    kind_of,
    longest,
    record_of,
    role_fit,
    status_of,
)
from layers.sources.column_mapping.draft.column_roles import (
    FITS,
    OTHER_RECORDS,
    REPORT_RECORDS,
    ColumnRoles,
    is_id_field,
    is_name_field,
)
from layers.sources.column_mapping.draft.table_writer import (
    MOST_WORDS,
    NO_PLACE,
    NO_TITLE,
    TableDraft,
    TableWriter,
    toml_value,
)
from layers.sources.column_mapping.mapped_file import plain_name


class AssetWriter(TableWriter):
    """Fills a table of assets."""

    noun = "assets"

    def write(self) -> TableDraft:
        """Fill the table of assets and return it."""
        self._where()
        name = self._best("name", lambda p: p.is_text) or self._best("target", lambda p: p.is_text)
        name = name or self._best("title", lambda p: p.is_text) or self._longest_text()
        kind = self._kind_column()
        self._map("name", name, "names", shared=kind == name)
        if kind:
            self._map("kind", kind, "kinds" if kind != name else "no column of kinds: by the words of the names")
            self._kinds("kind", kind)
        else:
            self._unknown_kind()
        self._companies()
        self._countries("host_country")
        if capacity := self._best("capacity", lambda p: p.is_number and min(p.numbers) >= 0):
            self._map("capacity", capacity, "numbers")
            words = header_words(capacity)
            self._constant("capacity_unit", "MW" if "mw" in words else "unit of the file", "CHECK")
            if self._profile(capacity).decimal != "." and self.table.decimal == ".":
                self.table.decimal = self._profile(capacity).decimal
        self._text("commodity", "commodity", 200)
        self._row_id([part for part in (name, kind, *self.table.columns.values()) if part][:4])
        return self._finish()

    def write_named(self, ids: str, name: str, kind: str) -> TableDraft:
        """Fill the table with the assets that rows of something else name, and return it."""
        self._map("id", ids, "ids of assets")
        self._map("name", name, "names", shared=True)
        self._map("kind", kind, "kinds" if kind != name else "by the words of the names", shared=True)
        self._kinds("kind", kind)
        self._where()
        self._countries("host_country")
        self._companies()
        self.table.id = {"repeated": "first"}
        self.table.reasons["id"] = "an asset stands in several rows: the first makes it"
        return self._finish()

    def _companies(self) -> None:
        if owner := self._best("owner", lambda p: p.is_text):
            self._owners(owner)
        if operator := self._best("operator", lambda p: p.is_text):
            self._map("operator", operator, "by its header")
        if not owner and not operator and (company := self._best("owned", lambda p: p.is_text)):
            self._open(
                "columns", f"# owner = {toml_value(company)}  # or operator: the header does not say which it is"
            )

    def _unknown_kind(self) -> None:
        lines = [self._profile(name) for column, name in self.table.columns.items() if column in ("latlon", "lonlat")]
        if any(":" in text or text.count(",") > 1 for profile in lines for text in profile.distinct):
            self._constant("kind", "pipeline", "CHECK: the places are lines, and no column says of what")
            return
        self._open("constants", '# kind = "power-plant"  # what the assets are: required, one of docs/records.md')

    def _kind_column(self) -> str | None:
        left = {n: p.header for n, p in self.columns.profiles.items() if n not in self._taken}
        by_header = [name for name, header in left.items() if role_fit(header, "kind") >= FITS]
        known = {n: self._profile(n).part(kind_of) for n in by_header if len(self._profile(n).distinct) < MOST_WORDS}
        if known and max(known.values()) > 0:
            return max(known, key=lambda name: known[name])
        others = [n for n in self.columns.names(self._taken) if len(self._profile(n).distinct) < MOST_WORDS]
        read = {n: self._profile(n).part(kind_of) for n in others}
        best = max(read, key=lambda name: read[name], default=None)
        return best if best is not None and read[best] >= 0.5 else None

    def _owners(self, name: str) -> None:
        profile = self._profile(name)
        self._map("owner", name, "by its header")
        country = self._best("owner_country", lambda p: p.part(code_of) >= 0.5)
        self._map("owner_country", country, "where the owner is registered: check")
        if profile.part(lambda text: "%" in text) >= 0.2:
            self.table.grammar["owner"] = "gem"
            self.table.reasons["grammar.owner"] = "names with shares in brackets"
        else:
            self._list_sign("owner", name)
            share = self.columns.best("share", lambda p: p.is_share, self._taken)
            if share and "owner" not in self.table.lists:
                self._map("owner_share", share, "shares")


def _are_weapons(profile: ColumnProfile) -> bool:
    return profile.is_text and profile.part(is_weapon) >= 0.5 and longest(profile) <= 200


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
        is_of_site = lambda p: p.is_text and record_of(p.header) not in REPORT_RECORDS  # noqa: E731
        return target or self.columns.best("name", is_of_site, taken) or self._asset_id()

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


#: Words of the headers of the bounds of a share.
_LEAST = frozenset({"min", "minimum", "least", "from", "lower", "low", "от", "від", "von", "мин", "мін"})
_LARGEST = frozenset({"max", "maximum", "most", "to", "upper", "high", "до", "bis", "макс"})


def _are_types(profile: ColumnProfile) -> bool:
    return profile.is_text and len(profile.distinct) < 60 and profile.part(entity_type_of) >= 0.5


class EntityWriter(TableWriter):
    """Fills a table of entities."""

    noun = "entities"

    def write(self) -> TableDraft:
        """Fill the table of entities and return it."""
        name = self._entity_name()
        self._map("name", name, "names")
        self.table.id = {"name": True}
        self.table.reasons["id"] = "equal names are one entity, so that owners are found by name"
        for column in ("inn", "ogrn", "edrpou", "lei", "isin", "wikidata"):
            if number_column := self._best(column):
                self._map(f"external_ids.{column}", number_column, "ids elsewhere")
        self._countries("registered_in")
        self._types()
        if alias := self._best("alias", lambda p: p.is_text):
            self._map("aliases", alias, "by its header")
        if "registered_in" not in self.table.columns:
            self._open("constants", f'# registered_in = "{self._home()}"  # if all of them are registered there')
        return self._finish()

    def _home(self) -> str:
        ids = {*self.table.columns}
        if "external_ids.edrpou" in ids:
            return "UA"
        return "RU" if {"external_ids.inn", "external_ids.ogrn"} & ids else "XX"

    def _entity_name(self) -> str | None:
        is_name = lambda p: p.is_text and not p.is_country  # noqa: E731
        by_header = self._best("owned", is_name) or self._best("name", is_name) or self._best("owner", is_name)
        return by_header or next(iter(self.columns.names(self._taken)), None)

    def _types(self) -> None:
        name = self._best("type", _are_types) or self._best("kind", _are_types)
        if name and self._map("type", name, "types"):
            words = {word: kind for word in self._profile(name).distinct if (kind := entity_type_of(word))}
            self.table.values["type"] = {**words, "*": "legalEntity"}
            self.table.blank["type"] = "legalEntity"
            return
        self._constant("type", "legalEntity", "the file does not say which are persons, states or state bodies")


class StakeWriter(TableWriter):
    """Fills a table of stakes."""

    noun = "stakes"

    def write(self) -> TableDraft:
        """Fill the table of stakes and return it."""
        bounds = self._bounds()
        share = bounds[0] if bounds else self.columns.share()
        if bounds:
            self._map_bounds(*bounds)
        elif share is None:
            self._constant("share", "unknown", "no column of shares: 0 to 100 %")
        else:
            self._map("share", share, "shares as written")
            profile = self._profile(share)
            if profile.is_fraction:
                self.table.units["share"] = "fraction"
                self.table.reasons["units.share"] = "no cell is above 1: parts of 1"
            if not profile.is_whole:
                self.table.blank["share"] = "unknown"
        owner, owned = self._holders(share)
        self._map("owned", owned, "what is held")
        if owner:
            self._map("owner", owner, "who holds it")
            self._say_further_owners(owner)
        else:
            name, why = self._header_owner(share)
            self._constant("owner", name, why)
        self.table.by_name = ["owned", "owner"]
        self.table.reasons["by_name"] = "equal names are one, in all files"
        for column, role in (("since", "when"), ("until", "until")):
            if day := self._best(
                role, lambda p: p.date_formats is not None and p.part(lambda t: not t.isdecimal()) > 0.5
            ):
                self._day(column, day)
        parts = [self.table.columns.get(name) for name in ("owner", "owned", "since")]
        self._row_id([part for part in parts if part])
        if "hash" in self.table.id:
            self.table.id.setdefault("repeated", "number")
        return self._finish()

    def _say_further_owners(self, owner: str) -> None:
        """Say that rows have further owners in columns of their own: one table of a mapping reads one."""
        stem = owner.rstrip("0123456789")
        further = [name for name in self.columns.profiles if name != owner and name.rstrip("0123456789") == stem]
        if stem != owner and further:
            self._remark("columns", f"rows name further owners in {', '.join(map(repr, further))}: one table each")

    def _bounds(self) -> tuple[str, str] | None:
        """Return the columns of the least and the largest share; None where there are no two such."""
        shares = [n for n, p in self.columns.profiles.items() if p.is_number and role_fit(p.header, "share") >= FITS]
        ends = [[name for name in shares if words & {*header_words(name)}] for words in (_LEAST, _LARGEST)]
        return (ends[0][0], ends[1][0]) if all(len(names) == 1 for names in ends) else None

    def _map_bounds(self, least: str, largest: str) -> None:
        for column, name, blank in (("share_min", least, 0), ("share_max", largest, 100)):
            profile = self._profile(name)
            self._map(column, name, "the least share" if column == "share_min" else "the largest share")
            self.table.decimal = profile.decimal if self.table.decimal == "." else self.table.decimal
            if profile.is_fraction:
                self.table.units[column] = "fraction"
            if not profile.is_whole:
                self.table.blank[column] = blank

    def _holders(self, share: str | None) -> tuple[str | None, str | None]:
        """Return the columns of owners and of what they own: by headers, else as their percents add up."""
        names = self.columns.names([*self._taken])
        owner = self.columns.best("owner", lambda p: p.name in names, self._taken)
        others = [name for name in names if name != owner]
        owned = self.columns.best("subsidiary", lambda p: p.name in others, self._taken)
        owned = owned or self.columns.best("owned", lambda p: p.name in others, self._taken)
        owned = owned or self.columns.best("name", lambda p: p.name in others, self._taken)
        if owner and owned:
            return owner, owned
        if owned:
            rest = [
                name
                for name in others
                if name != owned and max(role_fit(name, "owned"), role_fit(name, "name")) >= FITS
            ]
            return (rest[0] if rest and share else None), owned
        if owner:
            return (owner, others[0]) if others else (None, owner)
        if len(names) < 2:
            return None, (names[0] if names else None)
        first, second = names[:2]
        return (first, second) if share is None or self._adds_up(second, share) else (second, first)

    def _adds_up(self, owned: str, share: str) -> bool:
        """Whether the percents of what a column names add up to 100 at most, for nearly all that it names."""
        sums: dict[str, float] = {}
        sample = self.columns.sample.columns
        for name, text in zip(sample[owned], sample[share], strict=True):
            digits = "".join(sign for sign in text.replace(",", ".") if sign.isdecimal() or sign == ".")
            value = float(digits) if digits.strip(".") and digits.count(".") < 2 else 0.0
            sums[plain_name(name)] = sums.get(plain_name(name), 0.0) + value
        return sum(value <= 101 for value in sums.values()) >= 0.95 * len(sums)

    def _header_owner(self, share: str | None) -> tuple[str, str]:
        """Return the owner whom the header of the shares names, else a name that says that none is named."""
        words = header_words(share or "")
        for owner, phrases in WORDS["header_owners"].items():
            if any(Phrase.of(phrase).is_in(words) for phrase in phrases):
                return owner, f"the header of the shares says so ({share!r}): check"
        return f"Owner not named in {self.columns.sample.file.stem}", "no column of owners: say who holds these shares"
