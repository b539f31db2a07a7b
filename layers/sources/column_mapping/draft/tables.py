"""The tables of a drafted mapping: the steps by which any is filled, and the TOML in which they are written."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from layers.reference.country_names import code_of
from layers.sources.column_mapping.draft.axis_order import OTHER_ORDER
from layers.sources.column_mapping.draft.columns import (
    MOST,
    MOST_WORDS,
    CellFit,
    ColumnProfile,
    ColumnRoles,
    entity_type_of,
    has_percent,
    is_empty_word,
)
from layers.sources.column_mapping.draft.file_sample import FileSample
from layers.sources.column_mapping.draft.words import (
    FITS,
    OTHER_RECORDS,
    certainty_of,
    header_words,
    kind_of,
    power_kind_of,
    record_of,
    role_fit,
    status_of,
)
from layers.sources.column_mapping.mapped_row import NULL_ISLAND
from layers.sources.reader.coordinates import EDTF
from layers.sources.reader.mapping_file import COUNTRY_COLUMNS, DATE_COLUMNS, GEOMETRY

#: What an empty cell of a column stands for, and any word that says nothing, and why where no column gives it.
_DEFAULTS: Mapping[str, tuple[Any, str]] = {
    "title": ("Report without a title", "no column has a text"),
    "place": ("unknown place", "no column of places"),
    "status": ("reported", "the file does not say how well the events are established"),
    "type": ("legalEntity", "the file does not say which are persons, states or state bodies"),
    "share": ("unknown", "no column of shares: 0 to 100 %"),
    "share_min": (0, ""),
    "share_max": (100, ""),
    "target_kinds": ("", ""),
}
#: Columns that every table of such records has: those of ``_DEFAULTS``, and those that a person has to say.
_REQUIRED: Mapping[str, Sequence[str]] = {
    "strikes": ("when", "title", "place", "status"), "assets": ("kind",), "entities": ("type",), "stakes": ("share",)
}  # fmt: skip
_TO_SAY: Mapping[str, tuple[str, str]] = {
    "when": ("columns", 'when = ""  # the day of the event: required'),
    "kind": ("constants", 'kind = "power-plant"  # what the assets are: required, one of docs/records.md'),
}
#: How the words of a column are read.
_READ: Mapping[str, Callable[[str], str | None]] = {
    "kind": kind_of,
    "target_kinds": kind_of,
    "status": status_of,
    "type": entity_type_of,
    "basis": lambda text: certainty_of(text)[0],
    "uncertainty_m": lambda text: str(certainty_of(text)[1]),
}
#: Columns whose cells may be lists, and the signs between words, of which none stands in a name.
_LISTS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("owner", "targets", "weapon", "target_kinds"), (";", "|", " + ", " / ")), "source_url": (" ",)
}  # fmt: skip
#: What a point stands for, and metres, where nothing says how it was found: that of a site, or of an event.
_SITE, _SETTLEMENT = ("site", 500), ("settlement", 8000)
#: Metres of a coordinate by its decimals, where it has two or fewer.
_ROUNDED = {0: 80_000, 1: 8_000, 2: 1_000}
_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)?")
_PLAIN_NUMBERS = re.compile(r"[-+0-9.,; /()\[\]]+")


class TableDraft:
    """One table of a draft, which is filled column by column.

    ``columns`` are those of the file; ``reason`` is why they are taken for what ``records`` says. ``tables`` has what
    the mapping says, by the name of its table, such as ``columns`` or ``values.kind``, and key. ``reasons`` has the
    comment behind a line, by ``table.key``, or behind the head of a table, by its name. ``open`` has comments
    by table: what could not be guessed. ``remarks`` are for the person: what the file leaves open.
    """

    def __init__(self, columns: ColumnRoles, records: str, reason: str) -> None:
        self.columns, self.profiles, self.sample = columns, columns.profiles, columns.sample
        self.records, self.reason = records, reason
        self.tables: dict[str, dict[str, Any]] = defaultdict(dict)
        self.reasons: dict[str, str] = {}
        self.open: dict[str, list[str]] = defaultdict(list)
        self.remarks: list[str] = []
        self.taken: set[str] = set()

    @property
    def mapped(self) -> dict[str, str]:
        """The columns of the file by those of the record."""
        return self.tables["columns"]

    @property
    def unused(self) -> list[str]:
        """The columns of the file that are not mapped."""
        return self.columns.left(self.mapped.values())

    def set(self, table: str, key: str, value: Any, reason: str = "") -> None:
        """Set what stands under a key of a table of the mapping."""
        self.tables[table][key] = value
        self.reasons[f"{table}.{key}"] = reason

    def remark(self, table: str, text: str) -> None:
        """Add what a person has to look at, which the file leaves open."""
        self.remarks.append(text)
        self.open[table].append(f"CHECK: {text}")

    def best(self, role: str, *is_right: CellFit) -> str | None:
        """Return the column, of those that are left, that fits a role best."""
        return self.columns.best(role, self.taken, *is_right)

    def take(self, column: str, role: str = "", *is_right: CellFit) -> str | None:
        """Map the column of a role, which is that of the record where none is given, and return it."""
        name = self.best(role or column, *is_right)
        is_named = name is not None and role_fit(self.profiles[name].header, role or column) >= FITS
        return self.map(column, name, "by its header" if is_named else "by its cells")

    def map(self, column: str, name: str | None, reason: str = "by its header", *, shared: bool = False) -> str | None:
        """Map a column of the file if there is one, say how its cells are read, and return it.

        ``shared`` leaves the column free for others.
        """
        if name is None:
            return None
        profile = self.profiles[name]
        first_cells = " | ".join(text.replace("\n", " ")[:50] for text in profile.distinct[:3])
        self.set("columns", column, name, f"{reason}: {first_cells}")
        if not shared:
            self.taken.add(name)
        if column in DATE_COLUMNS:
            self._day(column, profile)
        elif column in (*COUNTRY_COLUMNS, "owner_country"):
            self.tables[f"values.{column}"] = {word: "" for word in profile.distinct if code_of(word) is None}
            self.reasons[f"values.{column}"] = "no single country: left empty"
        elif column == "owner" and self.records != "stakes" and profile.part(has_percent) >= 0.2:
            self.set("grammar", column, "gem", "names with shares in brackets")
        elif column in _LISTS and self.records != "stakes":
            self._list_sign(column, profile)
        if column in _READ and not profile.numbers:
            self._words(column, profile)
        elif column in _DEFAULTS and not profile.is_whole:
            self.set("blank", column, _DEFAULTS[column][0])
        if column.startswith("share") and max(profile.numbers, default=2) <= 1 and not {*profile.numbers} <= {0, 1}:
            self.set("units", column, "fraction", "no cell is above 1: parts of 1")
        return name

    def _words(self, column: str, profile: ColumnProfile) -> None:
        """Say what the words of a column stand for."""
        is_power = column == "kind" and "mw" in header_words(self.columns.best("capacity") or "")
        read = power_kind_of if is_power else _READ[column]
        sign = self.tables["lists"].get(column)
        split = (word.strip() for cell in profile.distinct for word in (cell.split(sign) if sign else (cell,)))
        read_as = {word: read(word) for word in list(dict.fromkeys(filter(None, split)))[:MOST_WORDS]}
        said: dict[str, Any] = {word: value for word, value in read_as.items() if value}
        self.tables[f"values.{column}"] = said
        if column in _DEFAULTS:
            self.other_words(column, _DEFAULTS[column][0])
        elif unknown := [word for word in read_as if word not in said]:
            reason = "CHECK: no kind is known for these; else add them to [values.kind]"
            self.set("skip", column, unknown, reason)

    def other_words(self, column: str, default: Any) -> None:
        """Say what any other word of a column stands for, and an empty cell."""
        self.tables[f"values.{column}"]["*"] = str(default)
        if default:
            self.set("blank", column, default)

    def _list_sign(self, column: str, profile: ColumnProfile) -> None:
        """Say which sign stands between the words of cells that are lists."""
        for sign in _LISTS[column]:
            if profile.part(lambda text: sign in text) > (0.02 if sign.strip() else 0):  # noqa: B023
                self.set("lists", column, sign.strip() or sign)
                return

    def _day(self, column: str, profile: ColumnProfile) -> None:
        """Say in which formats days are read."""
        if formats := profile.date_formats:
            # Whoever mends a cell that no format reads writes EDTF.
            self.set("dates", column, [*formats, EDTF], "all cells")
            if other := profile.other_order(formats[0]):
                words = f"the days of {profile.name!r} are read as {formats[0]}; as {other} they are days too"
                self.remark("dates", f"{words}: which of day and month comes first?")

    def longest_text(self) -> str | None:
        """Return the column with the longest texts."""
        return max(self.columns.names(self.taken), key=lambda name: self.profiles[name].length, default=None)

    def where(self) -> None:
        """Map the location, and say how sure it is."""
        place = {} if self.columns.has_shapes else self.columns.place
        for column, name in place.items():
            guess = self.columns.axis_order if column in OTHER_ORDER else None
            reason = guess.text if guess else "degrees or shapes"
            self.map(column, name, f"CHECK: {reason}" if guess and not guess.is_sure else reason)
            if guess and not guess.is_sure:
                self.remark(
                    "columns", f"{name!r} is read {reason}; {column!r} and {OTHER_ORDER[guess.order]!r} turn it"
                )
        if swapped := self.columns.swapped_shapes():
            words = "the points of the features look swapped: GeoJSON has the longitude first"
            self.remark("columns", f"{words}, and with the latitude first {swapped.reason}")
        if place or self.columns.has_shapes:
            self._certainty()
        if count := sum(not any(map(float, row)) for row in self._degrees()):
            reason = f"{count} rows at 0, 0, which failed geocoding leaves: without a point"
            self.set("empty", GEOMETRY, [NULL_ISLAND], reason)
        if "lat" in place and not all(self.profiles[place[name]].is_whole for name in ("lat", "lon")):
            # Either degree alone is of no use: such a row loads without a point.
            self.open["columns"].append("some rows have no degrees; they load without a point")

    def _degrees(self) -> list[list[str]]:
        """Return the degrees of each row that has plain ones, as they are written, but with decimal points."""
        if self.columns.has_shapes:
            return [[repr(point.x), repr(point.y)] for point in self.columns.points().values()]
        cells = [self.sample.columns[name] for column, name in self.columns.place.items() if column != "wkt"]
        rows = [" ; ".join(row) for row in zip(*cells, strict=True) if all(row)]
        found = [_NUMBER.findall(row) for row in rows if _PLAIN_NUMBERS.fullmatch(row)]
        return [[number.replace(",", ".") for number in numbers] for numbers in found if numbers]

    def _certainty(self) -> None:
        """Map or fix what the points stand for and how far off they may be."""
        metres, precision = self.take("uncertainty_m", "uncertainty"), self.best("precision")
        usual = self._usual_certainty(precision)
        columns = {"basis": usual[0], "uncertainty_m": usual[1]}
        if metres:
            if "km" in header_words(metres):
                self.set("units", "uncertainty_m", "km")
            if not self.profiles[metres].is_whole:
                self.set("blank", "uncertainty_m", usual[1])
            del columns["uncertainty_m"]
        for column, default in columns.items():
            if precision is None or self.profiles[precision].numbers:
                self.set("constants", column, default, f"{usual[2]}: check {_CHECKED[column]}")
            else:
                self.map(column, precision, f"what the geocoder says, check {_CHECKED[column]}")
                self.other_words(column, default)
        self.taken |= {precision} if precision else set()

    def _usual_certainty(self, precision: str | None) -> tuple[str, int, str]:
        """Return what a point stands for where its row does not say it, metres around it, and why."""
        places = () if self.columns.has_shapes else self.columns.place.values()
        around = {part for name in places for part in self.profiles[name].header.split(".")[:-1]}
        is_of_site = any(" ".join(header_words(part)) in OTHER_RECORDS for part in around)
        decimals = max((_decimals(text) for row in self._degrees() for text in row), default=9)
        usual: tuple[str, int] = _SITE if is_of_site or self.records == "assets" else _SETTLEMENT
        why = "nothing in the file says how exact the points are"
        if precision or any("geocod" in name.casefold() for name in self.sample.columns):
            # A geocoder that does not say how exact its point is may have found the settlement at best.
            usual, why = _SETTLEMENT, "a geocoder found the points, and its numbers are no distances"
        if _ROUNDED.get(decimals, 0) >= usual[1]:
            usual, why = ("rounded", _ROUNDED[decimals]), f"the degrees have {decimals} decimals"
        return (*usual, why)

    def row_id(self, natural: Sequence[str | None]) -> None:
        """Take a column of ids, or make ids of cells that tell rows apart, of which the first says what is a record.

        Only cells of ``natural`` that are no notes become an id: a correction of any other one leaves the record as it
        is.
        """
        notes = {name for name, profile in self.columns.profiles.items() if profile.is_note}
        parts = [name for name in dict.fromkeys(natural) if name and name not in notes]
        columns, count = self.sample.columns, self.sample.count
        what = columns[parts[0]] if parts else ["any"] * count

        def without(profile: ColumnProfile) -> int:
            """Return how many rows have no id, but what makes them a record: a row of totals has neither."""
            ids = {*profile.texts}
            is_of_another = self.records == "strikes" and record_of(profile.header) in OTHER_RECORDS
            if len(ids) < len(profile.texts) or is_of_another:
                return count
            return sum(text not in ids and bool(said) for text, said in zip(columns[profile.name], what, strict=True))

        if own := self.columns.best("id", is_right=lambda profile: without(profile) == 0):
            self.map("id", own, "ids: no two are alike", shared=True)
            return
        if gapped := self.columns.best("id", is_right=lambda profile: count - without(profile) >= MOST * count):
            missing = without(self.profiles[gapped])
            self.remark("id", f"{gapped!r} would be the id, but {missing} row(s) have none; give them one")
        prefixes = [parts[:length] for length in range(2, len(parts) + 1)]
        with_shape = [*parts, GEOMETRY] if self.columns.has_shapes and GEOMETRY not in parts else parts
        names = next(filter(self._is_key, (*prefixes, with_shape)), None)
        reason = "no column of ids; these cells tell the rows apart"
        cells = names or with_shape or self.columns.left(notes)[:40]
        self.set("id", "hash" if cells else "row", cells or True, "" if names is None else reason)
        if names is None or self.records == "stakes":
            self.set("id", "repeated", "number", "rows that are alike get a number behind the id")

    def _is_key(self, names: Sequence[str]) -> bool:
        # As a load does: a column of that name comes before the geometry of a feature.
        columns = self.sample.columns
        cells = (columns[name] if name in columns else list(map(repr, self.sample.shapes)) for name in names)
        rows = list(zip(*cells, strict=True))
        return bool(rows) and len({*rows}) == len(rows) and all(map(any, rows))

    def finish(self) -> TableDraft:
        """Say what stands for required columns, and the decimal sign, and return the table."""
        for column in _REQUIRED[self.records]:
            if column in self.mapped or f"{column}_min" in self.mapped:
                continue
            if column in _DEFAULTS:
                self.set("constants", column, *_DEFAULTS[column])
            else:
                where, line = _TO_SAY[column]
                self.open[where].append(line)
        used = [(column, self.profiles[name]) for column, name in self.mapped.items()]
        pairs = [one.positions for column, one in used if column in OTHER_ORDER]
        if "," in {*(one.decimal for _, one in used if one.numbers), *(decimal for _, decimal in filter(None, pairs))}:
            self.set("numbers", "decimal", ",")
        cells = {text for texts in self.sample.columns.values() for text in texts}
        if words := sorted(filter(is_empty_word, cells - {""})):
            self.set("empty", "*", words[:40], "cells that say nothing")
        if "id" in self.mapped:
            self.tables["columns"] = {"id": self.mapped["id"], **self.mapped}
        return self


#: What is to be checked of the location.
_CHECKED = {"basis": "what the points stand for", "uncertainty_m": "how far off they may be"}


def _decimals(text: str) -> int:
    """Return the number of decimals of a number, zeros at its end left out."""
    return len(text.partition(".")[2].rstrip("0"))


_BARE = re.compile(r"[A-Za-z0-9_-]+")
#: Letters of a comment.
_COMMENT_LENGTH = 150
#: Tables of a mapping in the order in which they are written; ``values`` has one for each column.
_ORDER = (
    "numbers", "id", "columns", "constants", "blank", "empty", "values", "dates", "units", "lists", "skip", "grammar"
)  # fmt: skip
#: Columns of a file that are listed as not used.
_MOST_UNUSED = 60


def toml_value(value: Any) -> str:
    """Return a value as TOML: texts, numbers, true, lists of texts."""
    # JSON writes all of them so; its escapes are those of a basic string of TOML, which also asks for that of DEL.
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
    return text.replace("\x7f", "\\u007f")


def mapping_text(tables: Sequence[TableDraft]) -> str:
    """Return a mapping file of one table or several; every line that is no comment is read by a load."""
    is_single = len(tables) == 1
    lines = ["# A draft: each line says why it is there. Check those that say so before you load.", ""]
    if is_single:
        lines += [*_head(tables[0]), ""]
    lines += [*_source(tables[0].sample), ""]
    for table in tables:
        if not is_single:
            name = table.sample.file.name.rpartition("/")[2]
            lines += ["[[tables]]", _line("file", name, "the files of this name; * stands for any letters")]
            lines += [*_head(table), ""]
        lines += _body(table, "" if is_single else "tables.")
    return "\n".join(lines).rstrip("\n") + "\n"


def _head(table: TableDraft) -> Iterator[str]:
    yield _line("table", table.records, table.reason)
    if table.sample.rows is not None:
        yield _line("rows", table.sample.rows, "where the list of rows is")
    if table.records == "stakes":
        yield _line("by_name", ("owned", "owner"), "equal names are one, in all files")


def _source(sample: FileSample) -> Iterator[str]:
    stated = sample.source or {}
    yield "[source]"
    if "publisher" not in stated:
        yield _line("publisher", f"Publisher of {sample.file.stem}", "CHECK: who published the file")
    yield from (_line(column, text, "the file says so") for column, text in stated.items())
    examples = {"title": "Title as published", "url": "https://example.org/", "licence": "CC BY 4.0"}
    yield from (f"# {_line(column, text)}" for column, text in examples.items() if column not in stated)


def _body(table: TableDraft, prefix: str) -> Iterator[str]:
    names = dict.fromkeys((*(name for name, entries in table.tables.items() if entries), *table.open))
    for name in sorted(names, key=lambda name: _ORDER.index(name.partition(".")[0])):
        root, _, column = name.partition(".")
        yield f"[{prefix}{root}{f'.{_key(column)}' if column else ''}]{_comment(table.reasons.get(name, ''))}"
        for key, value in table.tables.get(name, {}).items():
            # A dot in the name of a column of the record parts it; in a word it does not.
            steps = [key] if column else key.split(".")
            yield _line(".".join(map(_key, steps)), value, table.reasons.get(f"{name}.{key}", ""))
        yield from (f"# {text}" for text in table.open.get(name, ()))
        if name == "columns" and table.unused:
            yield "# Not used: ... = the column of the record (docs/records.md)"
            for unused in table.unused[:_MOST_UNUSED]:
                cell = next(filter(None, table.sample.columns[unused]), "")
                yield f"# {_line('...', unused, cell[:60])}"
        yield ""


def _line(key: str, value: Any, reason: str = "") -> str:
    return f"{key} = {toml_value(value)}{_comment(reason)}"


def _comment(text: str) -> str:
    # A control character or line end would end the comment, or be no TOML.
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return f"  # {plain[:_COMMENT_LENGTH]}" if plain.strip() else ""


def _key(text: str) -> str:
    return text if _BARE.fullmatch(text) else toml_value(text)
