"""Rows of JSON documents (RFC 8259): the list at a path, and fields of its elements by dotted names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from layers.model.messages import Message
from layers.model.problems import Problem, shown_value
from layers.sources.files.features import cell_of
from layers.sources.files.limits import MAX_COLUMNS, MAX_ROWS, FileRefused, long_cell, require_few_problems
from layers.sources.files.source_file import SourceFile
from layers.sources.files.tables import PROBLEMS_COLUMN

#: Before the name of a field of the object around the list of a row; once more for each object further out.
PARENT = "^."
#: The field that holds the key of a row where rows are the values of an object.
KEY = "@key"
#: In a dotted name, each element of a list.
EACH = "*"
#: Most levels of a dotted name that are listed for a header.
_HEADER_LEVELS = 6
#: Rows whose fields are listed for a header.
_HEADER_ROWS = 200

_ABSENT = object()


class JsonItem(NamedTuple):
    """A row of a document: its value, its key in an object of rows, and the objects around it, the nearest first."""

    value: Any
    key: str | None
    parents: tuple[Mapping[str, Any], ...]


def items_at(document: Any, path: str | None) -> list[JsonItem]:
    """Return the rows at a dotted path, in the order of the document; none where there is nothing at it.

    Lists on the way are gone through, so that ``regions.events`` gives the events of all regions. At its end a list
    gives its elements, an object whose values are all objects gives these, and any other object is one row.
    """
    level = [JsonItem(document, None, ())]
    for step in path.split(".") if path else ():
        level = [
            JsonItem(item.value[step], None, (item.value, *item.parents))
            for item in _elements(level)
            if isinstance(item.value, dict) and step in item.value
        ]
    return [row for item in level for row in _rows(item)]


def _elements(level: Iterable[JsonItem]) -> Iterator[JsonItem]:
    """Yield the items of a level, in place of a list, however deep, its elements."""
    waiting = [iter(level)]
    while waiting:
        item = next(waiting[-1], None)
        if item is None:
            waiting.pop()
        elif isinstance(item.value, list):
            waiting.append(iter([JsonItem(value, None, item.parents) for value in item.value]))
        else:
            yield item


def _rows(item: JsonItem) -> Iterator[JsonItem]:
    if isinstance(item.value, list):
        if any(isinstance(value, list) for value in item.value) and any(
            isinstance(value, dict) for value in item.value
        ):
            yield from _elements([item])
        else:
            yield from (JsonItem(value, None, item.parents) for value in item.value)
    elif is_object_of_rows(item.value):
        yield from (JsonItem(value, key, item.parents) for key, value in item.value.items())
    else:
        yield item


def is_object_of_rows(value: Any) -> bool:
    """Whether a value is an object of two objects or more and nothing else."""
    return isinstance(value, dict) and len(value) > 1 and all(isinstance(part, dict) for part in value.values())


def field_of(item: JsonItem, name: str) -> Any:
    """Return the field of a row by its dotted name, None where it has none.

    ``event.start`` is a field of an object, ``assets.0.id`` one of the first element of a list, ``assets.*.id`` those
    of all as a list, ``^.region`` one of the object around the list, ``@key`` the key of the row.
    """
    value = _field(item, name)
    return None if value is _ABSENT else value


def _field(item: JsonItem, name: str) -> Any:
    if name == KEY and item.key is not None:
        return item.key
    level = 0
    while name.startswith(PARENT):
        name, level = name[len(PARENT) :], level + 1
    if level > len(item.parents):
        return _ABSENT
    value = item.value if level == 0 else item.parents[level - 1]
    if isinstance(value, dict) and name in value:
        return value[name]
    return _inside(value, name.split("."))


def _inside(value: Any, steps: Sequence[str]) -> Any:
    for at, step in enumerate(steps):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step == EACH:
            found = [_inside(part, steps[at + 1 :]) for part in value]
            return [part for part in found if part is not _ABSENT and part is not None]
        elif isinstance(value, list) and step.isdecimal() and len(step) < 8 and int(step) < len(value):
            value = value[int(step)]
        else:
            return _ABSENT
    return value


def field_names(item: JsonItem) -> Iterator[str]:
    """Yield the dotted names of the fields of a row that are no objects; elements of lists of values have none.

    Of a list of objects the fields of all elements are named with ``*``.
    """
    if item.key is not None:
        yield KEY
    yield from _names(item.value, "", 0)
    for level, parent in enumerate(item.parents, 1):
        for name, value in parent.items():
            if not isinstance(value, dict | list):
                yield f"{PARENT * level}{name}"


def _names(value: Any, prefix: str, level: int) -> Iterator[str]:
    if level > _HEADER_LEVELS:
        return
    if isinstance(value, list) and level == 0:
        yield from map(str, range(min(len(value), MAX_COLUMNS)))
    for name, part in value.items() if isinstance(value, dict) else ():
        if name == PROBLEMS_COLUMN:
            continue
        if isinstance(part, dict) and part and not is_geometry(part):
            yield from _names(part, f"{prefix}{name}.", level + 1)
        elif isinstance(part, list) and part and isinstance(part[0], dict):
            yield from _names(part[0], f"{prefix}{name}.{EACH}.", level + 1)
        else:
            yield f"{prefix}{name}"


def is_geometry(value: Any) -> bool:
    """Whether a value looks like a GeoJSON geometry (RFC 7946, 3.1)."""
    return isinstance(value, dict) and isinstance(value.get("type"), str) and "coordinates" in value


class JsonRows:
    """Iterable over the rows of a JSON document as cells; each iteration clears ``problems`` and fills it again.

    Parameters
    ----------
    file
        JSON or JSON Lines.
    path
        Dotted path to the rows; None where the document itself is their list.
    columns
        Dotted names of the fields that are read.

    Raises
    ------
    FileRefused
        If nothing stands at the path, or there are more than ``MAX_ROWS`` rows.
    """

    def __init__(self, file: SourceFile, path: str | None, columns: Sequence[str]) -> None:
        self.file = file.name
        self.problems: list[Problem] = []
        document = file.json()
        self.items = items_at(document, path)
        if not self.items and path and not _is_empty_list(document, path):
            keys = tuple(document)[:40] if isinstance(document, dict) else ()
            expected = Message("files.json-path", {"path": path, "keys": keys or Message("value.no-one")})
            raise FileRefused(self.file, "rows", Message("value.nothing"), expected)
        if len(self.items) > MAX_ROWS:
            count = Message("files.count", {"count": len(self.items)})
            raise FileRefused(self.file, "rows", count, Message("files.split", {"limit": MAX_ROWS}))
        self._columns = columns
        listed = (name for item in self.items[:_HEADER_ROWS] for name in field_names(item))
        there = [name for name in columns if any(_field(item, name) is not _ABSENT for item in self.items)]
        self.header = tuple(dict.fromkeys((*there, *listed)))

    def __iter__(self) -> Iterator[tuple[int, Mapping[str, str]]]:
        """Yield position, from 1, and cells of each row; what is no object or list, or too long, becomes a problem."""
        self.problems.clear()
        for number, item in enumerate(self.items, 1):
            if not isinstance(item.value, dict | list):
                self._fault(number, "type", repr(item.value), Message("cell.object"))
                continue
            cells = {name: cell_of(field_of(item, name)) for name in self._columns}
            if long := long_cell(cells):
                self._fault(number, long.column, long.value, long.expected)
                continue
            yield number, cells

    def _fault(self, number: int, column: str, value: object, expected: Message) -> None:
        require_few_problems(self.file, self.problems)
        self.problems.append(Problem(self.file, number, "row", column, shown_value(value), expected))


def _is_empty_list(document: Any, path: str) -> bool:
    """Whether the list of rows is there and has none."""
    return isinstance(rows := _inside(document, path.split(".")), list) and not rows


def filtered(document: Any, path: str | None, replace: Mapping[int, Any]) -> Any:
    """Return a copy of a document with only some of its rows, each replaced.

    Parameters
    ----------
    document
        A JSON document; it is not changed.
    path
        The path to its rows.
    replace
        What stands in the place of a row, by its position from 1; rows that are not in it are left out.
    """
    numbered = enumerate(items_at(document, path), 1)
    places = {id(item.value): number for number, item in numbered if isinstance(item.value, dict | list)}
    return _filtered(document, places, replace)


def _filtered(value: Any, places: Mapping[int, int], replace: Mapping[int, Any]) -> Any:
    if id(value) in places:
        return replace.get(places[id(value)], _ABSENT)
    if isinstance(value, list):
        parts = [_filtered(part, places, replace) for part in value]
        return [part for part in parts if part is not _ABSENT]
    if isinstance(value, dict):
        by_key = {key: _filtered(part, places, replace) for key, part in value.items()}
        return {key: part for key, part in by_key.items() if part is not _ABSENT}
    return value
