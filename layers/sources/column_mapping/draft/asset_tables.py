"""Drafts of tables of assets."""

from __future__ import annotations

from layers.reference.country_names import code_of
from layers.sources.column_mapping.draft.cell_words import kind_of
from layers.sources.column_mapping.draft.column_roles import FITS
from layers.sources.column_mapping.draft.header_roles import header_words, role_fit
from layers.sources.column_mapping.draft.mapping_toml import toml_value
from layers.sources.column_mapping.draft.table_draft import TableDraft
from layers.sources.column_mapping.draft.table_writer import MOST_WORDS, TableWriter


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
