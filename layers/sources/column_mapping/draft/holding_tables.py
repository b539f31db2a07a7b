"""Drafts of tables of entities, and of who holds how much of what."""

from __future__ import annotations

from collections.abc import Sequence

from layers.sources.column_mapping.draft.cell_words import entity_type_of
from layers.sources.column_mapping.draft.column_profile import ColumnProfile
from layers.sources.column_mapping.draft.column_roles import FITS
from layers.sources.column_mapping.draft.header_roles import WORDS, header_words, role_fit
from layers.sources.column_mapping.draft.table_draft import TableDraft
from layers.sources.column_mapping.draft.table_writer import TableWriter
from layers.sources.column_mapping.named_records import plain_name

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
        ids = self.table.columns
        return (
            "UA"
            if "external_ids.edrpou" in ids
            else "RU"
            if {"external_ids.inn", "external_ids.ogrn"} & {*ids}
            else "XX"
        )

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
            rest = [name for name in others if name != owned and max(_fits_holder(name)) >= FITS]
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
        numbers = [self._number_of(text) for text in sample[share]]
        for name, value in zip(sample[owned], numbers, strict=True):
            sums[plain_name(name)] = sums.get(plain_name(name), 0.0) + value
        return sum(value <= 101 for value in sums.values()) >= 0.95 * len(sums)

    @staticmethod
    def _number_of(text: str) -> float:
        digits = "".join(sign for sign in text.replace(",", ".") if sign.isdecimal() or sign == ".")
        try:
            return float(digits)
        except ValueError:
            return 0.0

    def _header_owner(self, share: str | None) -> tuple[str, str]:
        """Return the owner whom the header of the shares names, else a name that says that none is named."""
        words = header_words(share or "")
        for owner, phrases in WORDS["header_owners"].items():
            for phrase in phrases:
                parts = tuple(phrase.rstrip("*").split())
                places = range(len(words) - len(parts) + 1)
                if any(_begins(words[at : at + len(parts)], parts, phrase.endswith("*")) for at in places):
                    return owner, f"the header of the shares says so ({share!r}): check"
        return f"Owner not named in {self.columns.sample.file.stem}", "no column of owners: say who holds these shares"


def _begins(words: Sequence[str], parts: Sequence[str], is_beginning: bool) -> bool:
    same = list(words[:-1]) == list(parts[:-1])
    return same and (words[-1].startswith(parts[-1]) if is_beginning else words[-1] == parts[-1])


def _fits_holder(name: str) -> tuple[float, float]:
    """Return how well a header fits a company or a name, beside the column of what is owned."""
    return role_fit(name, "owned"), role_fit(name, "name")
