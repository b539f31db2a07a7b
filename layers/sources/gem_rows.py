"""Rows and ids of GEM's CSV files: headers by their several names, faults by row, ids that no file changes."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from anyascii import anyascii

from layers.problems import Problem

#: Longest cell that is read: a route of 200,000 vertices.
MAX_CELL = 13_000_000
# With the longest id of an asset it makes a stake's id of at most 160 letters.
_SLUG_LENGTH = 50


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV text: its header, its rows with their line numbers, and what could not be read."""

    header: tuple[str, ...]
    rows: tuple[tuple[int, Mapping[str, str]], ...]
    problems: tuple[Problem, ...]


def read_table(file: str, text: str) -> Table:
    """Split a CSV text (RFC 4180, a byte order mark allowed) into rows; blank rows are left out.

    A row with too many or too few cells is a problem and no row. The number of a row is that of its last line.
    """
    problems: list[Problem] = []
    rows: list[tuple[int, Mapping[str, str]]] = []
    header: tuple[str, ...] = ()
    with _long_cells():
        reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
        try:
            header = tuple(name.strip() for name in next(reader, ()))
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    if len(cells) == len(header):
                        rows.append((reader.line_num, dict(zip(header, cells, strict=True))))
                    else:
                        expected = f"{len(header)} cells, as in the header"
                        problems.append(Problem(file, reader.line_num, "row", "cells", str(len(cells)), expected))
        except csv.Error as error:
            problems.append(Problem(file, reader.line_num, "row", "syntax", str(error), "a row of CSV (RFC 4180)"))
    return Table(header, tuple(rows), tuple(problems))


@contextmanager
def _long_cells() -> Iterator[None]:
    """Let csv read routes, and put its limit back."""
    before = csv.field_size_limit(MAX_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def columns_of(header: Sequence[str], names: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Which header stands for each field: the first of its known names that is there, whatever its case."""
    there = {name.casefold(): name for name in reversed(header)}
    found = {
        field: next((there[n.casefold()] for n in known if n.casefold() in there), None)
        for field, known in names.items()
    }
    return {field: name for field, name in found.items() if name is not None}


def slug(text: str) -> str:
    """Latin small letters, digits and hyphens for any text; empty where it has no letter or digit."""
    return re.sub(r"[^a-z0-9]+", "-", anyascii(text).lower()).strip("-")


def name_id(name: str) -> str:
    """Id of an entity that is known by name only, the same in every file.

    Names of plain letters, digits and single spaces are told apart by their slug alone, so that case does not
    matter. All others carry eight digits of the SHA-256 of the name, as different names may share a slug.
    """
    if re.fullmatch(r"[A-Za-z0-9]+(?: [A-Za-z0-9]+)*", name) and len(name) <= _SLUG_LENGTH:
        return f"gem/name/{slug(name)}"
    digits = hashlib.sha256(name.encode()).hexdigest()[:8]
    return "/".join(("gem", "name", "-".join(part for part in (slug(name)[:_SLUG_LENGTH], digits) if part)))


def gem_id(identifier: str) -> str:
    """Id of a record that GEM numbers, such as P0763 or E100000000834."""
    return f"gem/{slug(identifier)}"
