"""One table of a drafted mapping, and the steps by which any is filled: locations, days, countries, ids, blanks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import shapely

from layers.reference.country_names import code_of
from layers.sources.column_mapping.draft.column_profile import (
    MOST,
    ColumnProfile,
    certainty_of,
    decimals_of,
    header_words,
    is_empty_word,
    is_metres,
    is_zero,
    is_zero_pair,
    kind_of,
    longest,
    power_kind_of,
    record_of,
)
from layers.sources.column_mapping.draft.column_roles import OTHER_RECORDS, ColumnRoles
from layers.sources.column_mapping.draft.file_sample import FileSample
from layers.sources.column_mapping.mapped_row import NULL_ISLAND
from layers.sources.reader.coordinates import EDTF
from layers.sources.reader.mapping_file import GEOMETRY


@dataclass
class TableDraft:
    """One table of a draft: what goes under each key of the mapping, with comments by key and by column.

    ``reasons`` has the comment behind a line, by ``table.name``; ``open`` are lines that are written as comments: what
    could not be guessed. ``remarks`` are for the person: what the file leaves open.
    """

    noun: str
    sample: FileSample
    reason: str
    id: dict[str, Any] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)
    blank: dict[str, Any] = field(default_factory=dict)
    empty: dict[str, list[str]] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    dates: dict[str, list[str]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)
    skip: dict[str, list[str]] = field(default_factory=dict)
    grammar: dict[str, str] = field(default_factory=dict)
    by_name: list[str] = field(default_factory=list)
    decimal: str = "."
    reasons: dict[str, str] = field(default_factory=dict)
    open: dict[str, list[str]] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def toml_value(value: Any) -> str:
    """Return a value as TOML: texts, numbers, true, lists of texts."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    # The escapes of JSON are those of a basic string of TOML, which also asks for that of DEL.
    text = str(value).encode("utf-8", "replace").decode()
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


#: What stands for a place, or a title, that a row does not give.
NO_PLACE, NO_TITLE = "unknown place", "Report without a title"
#: Where nothing says how a point was found: what it stands for, and metres.
UNKNOWN_POINT: Mapping[str, tuple[str, int]] = {"strikes": ("settlement", 8000), "assets": ("site", 500)}
_OTHER_ORDER: Mapping[str, str] = {"latlon": "lonlat", "lonlat": "latlon"}
#: Metres of a coordinate by its decimals, where it has two or fewer.
_ROUNDED = {0: 80_000, 1: 8_000, 2: 1_000}
#: Most words for how exact points are.
_MOST_PRECISIONS = 60
#: Most words that a values table lists.
MOST_WORDS = 400


class TableWriter:
    """Fills one table of a draft; what is done for a noun is in ``write``."""

    noun = ""

    def __init__(self, columns: ColumnRoles, reason: str) -> None:
        self.columns = columns
        self.table = TableDraft(self.noun, columns.sample, reason)
        self._taken: set[str] = set()

    def write(self) -> TableDraft:
        """Fill the table and return it."""
        raise NotImplementedError

    def _profile(self, name: str) -> ColumnProfile:
        return self.columns.profiles[name]

    def _map(self, column: str, name: str | None, reason: str, *, shared: bool = False) -> bool:
        """Map a column; ``shared`` leaves it free for others."""
        if name is None:
            return False
        self.table.columns[column] = name
        self.table.reasons[f"columns.{column}"] = f"{reason}: {self._profile(name).sample}"
        if not shared:
            self._taken.add(name)
        return True

    def _best(self, role: str, is_right: Callable[[ColumnProfile], bool] = lambda profile: True) -> str | None:
        return self.columns.best(role, is_right, self._taken)

    def _constant(self, column: str, value: Any, reason: str) -> None:
        self.table.constants[column] = value
        self.table.reasons[f"constants.{column}"] = reason

    def _open(self, table: str, line: str) -> None:
        self.table.open.setdefault(table, []).append(line)

    def _day(self, column: str, name: str | None) -> None:
        if not self._map(column, name, "days") or name is None:
            return
        profile = self._profile(name)
        formats = list(profile.date_formats or ())
        if formats:
            # Whoever mends a cell that no format reads writes EDTF.
            self.table.dates[column] = [*formats, EDTF]
            self.table.reasons[f"dates.{column}"] = "all cells"
            if other := profile.other_order(formats[0]):
                words = f"the days of {name!r} are read as {formats[0]}; as {other} they are days too"
                self._remark("dates", f"{words}: which of day and month comes first?")

    def _where(self) -> None:
        """Map the location, and say how sure it is."""
        place = {} if self.columns.has_shapes else self.columns.place()
        for column, name in place.items():
            self._map(column, name, "degrees" if column in ("lon", "lat") else "location")
        if "latlon" in place or "lonlat" in place:
            ((column, name),) = place.items()
            pairs = self._profile(name).positions()
            self.table.decimal = pairs[1] if pairs else "."
            self._say_axis_order(column, name)
        elif "lat" in place:
            commas = [self._profile(name).decimal for name in place.values()]
            self.table.decimal = "," if "," in commas else "."
        if swapped := self.columns.swapped_shapes():
            words = "the points of the features look swapped: GeoJSON has the longitude first"
            self._remark("columns", f"{words}, and with the latitude first {swapped.reason}")
        if place or self.columns.has_shapes:
            self._certainty(place)
            self._null_island(place)
        if "lat" in place and not all(self._profile(place[name]).is_whole for name in ("lat", "lon")):
            # Either degree alone is of no use: such a row loads without a point.
            self._open("columns", "# some rows have no degrees; they load without a point")

    def _say_axis_order(self, column: str, name: str) -> None:
        """Say which of the degrees comes first, and how the draft knows; a doubt is a remark."""
        guess = self.columns.axis_order(name)
        doubt = "" if guess.is_sure else "CHECK: "
        sample = self._profile(name).sample
        self.table.reasons[f"columns.{column}"] = f"{doubt}{guess.text}: {sample}"
        if not guess.is_sure:
            self._remark("columns", f"{name!r} is read {guess.text}; {column!r} and {_OTHER_ORDER[column]!r} turn it")

    def _remark(self, table: str, text: str) -> None:
        """Add what a person has to look at, which the file leaves open."""
        self.table.remarks.append(text)
        self._open(table, f"# CHECK: {text}")

    def _null_island(self, place: Mapping[str, str]) -> None:
        shapes = self.columns.sample.shapes or ()
        count = sum(isinstance(shape, shapely.Point) and shape.x == shape.y == 0 for shape in shapes)
        if {"lon", "lat"} <= place.keys():
            cells = zip(*(self.columns.sample.columns[place[name]] for name in ("lon", "lat")), strict=True)
            count = sum(all(is_zero(text) for text in pair) for pair in cells)
        elif place:
            name = next(iter(place.values()))
            count = sum(is_zero_pair(text) for text in self.columns.sample.columns[name])
        if count:
            self.table.empty[GEOMETRY] = [NULL_ISLAND]
            self.table.reasons["empty.geometry"] = (
                f"{count} rows at 0, 0, which failed geocoding leaves: without a point"
            )

    def _certainty(self, place: Mapping[str, str]) -> None:
        """Map or fix what the points stand for and how far off they may be."""
        metres = self._best("uncertainty", is_metres)
        if metres:
            self._map("uncertainty_m", metres, "metres around the point")
            if "km" in header_words(metres):
                self.table.units["uncertainty_m"] = "km"
            self.table.decimal = self._profile(metres).decimal if self.table.decimal == "." else self.table.decimal
        basis, default, why = self._default_certainty(place)
        precision = self._best("precision", lambda p: not p.is_number and len(p.distinct) <= _MOST_PRECISIONS)
        precision = precision or self._best("precision", lambda profile: profile.is_number)
        if precision is None or self._profile(precision).is_number:
            if precision:
                self._taken.add(precision)
                basis, default = "settlement", UNKNOWN_POINT["strikes"][1]
                why = f"{precision!r} is a geocoder's number ({self._profile(precision).sample}), no distance"
            self._constant("basis", basis, f"{why}: check what the points stand for")
            if metres is None:
                self._constant("uncertainty_m", default, f"{why}: check how far off they may be")
            elif not self._profile(metres).is_whole:
                self.table.blank["uncertainty_m"] = default
            return
        words = {word: certainty_of(word) for word in self._profile(precision).distinct[:MOST_WORDS]}
        # A geocoder that does not say how exact its point is may have found the settlement at best.
        basis, default = max((basis, default), UNKNOWN_POINT["strikes"], key=lambda point: point[1])
        self._map("basis", precision, "what the geocoder says", shared=True)
        self.table.values["basis"] = {**{word: basis for word, (basis, _) in words.items()}, "*": basis}
        self.table.blank["basis"] = basis
        if metres is None:
            self._map("uncertainty_m", precision, "metres by what the geocoder says: check", shared=True)
            metre_words = {word: str(most) for word, (_, most) in words.items()}
            self.table.values["uncertainty_m"] = {**metre_words, "*": str(default)}
            self.table.blank["uncertainty_m"] = default
        self._taken.add(precision)

    def _default_certainty(self, place: Mapping[str, str]) -> tuple[str, int, str]:
        is_of_site = any(self._is_of_site(name) for name in place.values())
        basis, metres = UNKNOWN_POINT["assets" if is_of_site else self.noun]
        decimals = self._decimals(place)
        if decimals in _ROUNDED:
            return "rounded", _ROUNDED[decimals], f"the degrees have {decimals} decimals"
        shapes = self.columns.sample.shapes or ()
        is_geocoded = any("geocod" in name.casefold() for name in self.columns.sample.columns)
        if is_geocoded:
            return "settlement", UNKNOWN_POINT["strikes"][1], "a geocoder found the points"
        if self.noun == "assets" and any(shape is not None and shape.geom_type != "Point" for shape in shapes):
            return "site", metres, "shapes of sites"
        return basis, metres, "nothing in the file says how exact the points are"

    def _is_of_site(self, name: str) -> bool:
        """Whether a column is of the site that a row is about."""
        *around, _ = self._profile(name).header.split(".")
        return any(" ".join(header_words(part)) in OTHER_RECORDS for part in around)

    def _decimals(self, place: Mapping[str, str]) -> int:
        """Return the most decimals of the degrees; 9 where they are no plain numbers."""
        if {"lon", "lat"} <= place.keys():
            texts = [text for name in ("lon", "lat") for text in self._profile(place[name]).distinct]
            return max((decimals_of(text) for text in texts), default=9)
        points = [shape for shape in self.columns.sample.shapes or () if isinstance(shape, shapely.Point)]
        degrees = [degree for point in points for degree in (point.x, point.y)]
        return max((decimals_of(repr(degree)) for degree in degrees), default=9)

    def _kinds(self, column: str, name: str) -> bool:
        """Add the words of kinds; return whether all cells have one."""
        is_power = (capacity := self.columns.best("capacity")) is not None and "mw" in header_words(capacity)
        read = power_kind_of if is_power else kind_of
        words = {word: read(word) for word in self._profile(name).distinct[:MOST_WORDS]}
        known = {word: kind for word, kind in words.items() if kind}
        self.table.values[column] = known
        unknown = [word for word, kind in words.items() if not kind]
        if column == "target_kinds":
            self.table.values[column] = {**known, "*": ""}
        elif unknown:
            self.table.skip[column] = unknown
            self.table.reasons[f"skip.{column}"] = "CHECK: no kind is known for these; else add them to [values.kind]"
        return not unknown

    def _list_sign(self, column: str, name: str) -> None:
        for sign in (";", "|", " + ", " / "):
            if self._profile(name).part(lambda text: sign in text) > 0.02:  # noqa: B023
                self.table.lists[column] = sign.strip()
                return

    def _longest_text(self) -> str | None:
        """Return the column with the longest texts."""
        return max(self.columns.names(self._taken), key=lambda name: self._profile(name).length, default=None)

    def _countries(self, column: str, role: str = "country") -> None:
        name = self._best(role, lambda profile: profile.part(code_of) >= 0.5)
        name = name or self.columns.of_cells(lambda p: p.is_country and p.length > 3, self._taken)
        if self._map(column, name, "countries") and name:
            for word in self._profile(name).distinct:
                if code_of(word) is None:
                    self.table.values.setdefault(column, {})[word] = ""
            if column in self.table.values:
                self.table.reasons[f"values.{column}"] = "no single country: left empty"

    def _links(self) -> None:
        if name := self._best("url", lambda profile: profile.is_url) or self.columns.of_cells(
            lambda profile: profile.is_url, self._taken
        ):
            self._map("source_url", name, "web addresses")
            if self._profile(name).part(lambda text: " " in text) > 0:
                self.table.lists["source_url"] = " "

    def _counts(self) -> None:
        for role in ("killed", "injured"):
            if name := self._best(role, lambda p: p.is_number and all(v >= 0 and v % 1 == 0 for v in p.numbers)):
                self._map(f"{role}_min", name, "numbers", shared=True)
                self._map(f"{role}_max", name, "numbers")

    def _text(self, column: str, role: str, most: int = 2000) -> bool:
        return self._map(column, self._best(role, lambda p: not p.is_url and longest(p) <= most), "by its header")

    def _row_id(self, natural: Sequence[str]) -> None:
        """Take a column of ids, or make ids of cells that tell rows apart, of which the first says what is a record.

        Only cells of ``natural`` become an id: a correction of any other one, such as a note, leaves the record as it
        is.
        """

        def without(profile: ColumnProfile) -> int:
            is_of_another = self.noun == "strikes" and record_of(profile.header) in OTHER_RECORDS
            is_own = profile.is_unique and not is_of_another
            return self._records_without(profile, natural) if is_own else profile.rows

        if own := self.columns.best("id", lambda profile: without(profile) == 0):
            self._map("id", own, "ids: no two are alike", shared=True)
            return
        if gapped := self.columns.best("id", lambda profile: profile.rows - without(profile) >= MOST * profile.rows):
            count = without(self._profile(gapped))
            self._remark("id", f"{gapped!r} would be the id, but {count} row(s) have none; give them one")
        parts = list(dict.fromkeys(natural))
        geometry = [GEOMETRY] if self.columns.has_shapes and GEOMETRY not in parts else []
        prefixes = [parts[:length] for length in range(2, len(parts) + 1)]
        for names in (*prefixes, [*parts, *geometry]):
            if names and self._is_key(names):
                self.table.id = {"hash": names}
                self.table.reasons["id"] = "no column of ids; these cells tell the rows apart"
                return
        self.table.id = {"hash": [*parts, *geometry] or [*self.columns.sample.columns][:40], "repeated": "number"}
        self.table.reasons["id"] = "no column of ids, and rows that are alike: they get a number behind the id"

    def _records_without(self, ids: ColumnProfile, natural: Sequence[str]) -> int:
        """Return how many rows have no id, but what makes them a record: a row of totals has neither."""
        columns, known = self.columns.sample.columns, {*ids.texts}
        what = columns[natural[0]] if natural else [True] * ids.rows
        return sum(text not in known and bool(said) for text, said in zip(columns[ids.name], what, strict=True))

    def _is_key(self, names: Sequence[str]) -> bool:
        sample = self.columns.sample
        shapes = sample.shapes or [None] * sample.count
        cells = [[repr(shape) for shape in shapes] if name == GEOMETRY else sample.columns[name] for name in names]
        rows = list(zip(*cells, strict=True))
        return len({*rows}) == len(rows) and all(any(row) for row in rows)

    def _finish(self) -> TableDraft:
        """Fill blanks of required columns, list what is left over, and return the table."""
        table = self.table
        for column, value in (("title", NO_TITLE), ("place", NO_PLACE)):
            name = table.columns.get(column)
            if name and not self._profile(name).is_whole:
                table.blank[column] = value
        words = {text for cells in self.columns.sample.columns.values() for text in {*cells} if is_empty_word(text)}
        if words:
            table.empty["*"] = sorted(words)[:40]
            table.reasons["empty.*"] = "cells that say nothing"
        if "id" in table.columns:
            table.columns = {"id": table.columns["id"], **table.columns}
        table.unused = [name for name in self.columns.profiles if name not in table.columns.values()]
        return table
