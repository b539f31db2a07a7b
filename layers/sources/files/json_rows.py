"""Rows of JSON documents (RFC 8259): the list at a path, and fields of its elements by dotted names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from layers.model.messages import Message
from layers.sources.files.features import cell_of
from layers.sources.files.limits import MAX_COLUMNS, MAX_ROWS, FileRefused
from layers.sources.files.source_file import SourceFile
from layers.sources.files.tables import PROBLEMS_COLUMN, CheckedRows

#: Before the name of a field of the object around the list of a row; once more for each object further out.
PARENT = "^."
#: The field that holds the key of a row where rows are the values of an object.
KEY = "@key"
#: In a dotted name, each element of a list.
EACH = "*"
#: Most levels of a dotted name that are listed for a header.
_HEADER_LEVELS = 6
#: Most elements of a list around a row that is a column: each row has its text.
_SHORT = 20
#: Rows whose fields are listed for a header.
_HEADER_ROWS = 200

#: A field of the element of another list that a field of the row refers to: ``sites[id=site_id].name``.
_REFERENCE = re.compile(r"([^\[\]=]*)\[([^\[\]=]+)=([^\[\]=]+)\]\.([^\[\]]+)")

_ABSENT = object()


class JsonDocument:
    """A document, whose lists are indexed by the ids of their elements when the first row refers to them."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self._by_id: dict[tuple[str, str], dict[str, JsonItem]] = {}

    def element(self, path: str, id_field: str, text: str) -> JsonItem | None:
        """Return the first element of the list at a path whose id is a text."""
        if (path, id_field) not in self._by_id:
            elements = reversed(items_at(self.value, path))
            self._by_id[path, id_field] = {cell_of(field_of(element, id_field)): element for element in elements}
        return self._by_id[path, id_field].get(text)


class JsonItem(NamedTuple):
    """A row of a document: its value, its key in an object of rows, and the objects around it, the nearest first."""

    value: Any
    key: str | None
    parents: tuple[Mapping[str, Any], ...]
    document: JsonDocument | None = None


def items_at(document: Any, path: str | None) -> list[JsonItem]:
    """Return the rows at a dotted path, in the order of the document; none where there is nothing at it.

    Lists on the way are gone through, so that ``regions.events`` gives the events of all regions, and ``*`` goes
    through the values of an object. At its end a list gives its elements, an object whose values are all objects gives
    these, and any other object is one row.
    """
    level = [JsonItem(document, None, (), JsonDocument(document))]
    for step in path.split(".") if path else ():
        objects = (item for item in _elements(level) if isinstance(item.value, dict))
        level = [below for item in objects for below in _below(item, step)]
    return [row for item in level for row in _rows(item)]


def _below(item: JsonItem, step: str) -> Iterator[JsonItem]:
    """Yield what stands at a step of a path below an object."""
    if step in item.value:
        yield JsonItem(item.value[step], None, (item.value, *item.parents), item.document)
    elif step == EACH:
        yield from (JsonItem(value, key, item.parents, item.document) for key, value in item.value.items())


def _elements(level: Iterable[JsonItem]) -> Iterator[JsonItem]:
    """Yield the items of a level, in place of a list, however deep, its elements."""
    for item in level:
        if isinstance(item.value, list):
            yield from (JsonItem(value, None, item.parents, item.document) for value in leaves(item.value))
        else:
            yield item


def _rows(item: JsonItem) -> Iterator[JsonItem]:
    if isinstance(item.value, list):
        if is_list_of_lists(item.value):
            yield from _elements([item])
        else:
            yield from (JsonItem(value, None, item.parents, item.document) for value in item.value)
    elif is_object_of_rows(item.value):
        yield from (JsonItem(value, key, item.parents, item.document) for key, value in item.value.items())
    else:
        yield item


def is_list_of_lists(value: Sequence[Any]) -> bool:
    """Whether the objects in a list's lists, however deep, are the rows: beside objects, or with nothing else there."""
    if not any(isinstance(part, list) for part in value):
        return False
    if any(isinstance(part, dict) for part in value):
        return True
    parts = leaves(value)
    return isinstance(next(parts, None), dict) and all(isinstance(part, dict) for part in parts)


def leaves(value: Sequence[Any]) -> Iterator[Any]:
    """Yield what is no list in a list, however deep, in the order of the document."""
    waiting = [iter(value)]
    while waiting:
        part = next(waiting[-1], _ABSENT)
        if part is _ABSENT:
            waiting.pop()
        elif isinstance(part, list):
            waiting.append(iter(part))
        else:
            yield part


def is_object_of_rows(value: Any) -> bool:
    """Whether a value is an object of two objects or more and nothing else."""
    return isinstance(value, dict) and len(value) > 1 and all(isinstance(part, dict) for part in value.values())


def field_of(item: JsonItem, name: str) -> Any:
    """Return the field of a row by its dotted name, None where it has none.

    ``event.start`` is a field of an object, ``assets.0.id`` one of the first element of a list, ``assets.*.id`` those
    of all as a list, ``^.region`` one of the object around the list, ``@key`` the key of the row.
    ``sites[id=site_id].name`` is a field of the element of the document's list ``sites`` whose ``id`` the row's
    ``site_id`` is; where that has several ids, a list.
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
    if reference := _REFERENCE.fullmatch(name):
        return _referred(item, *reference.groups())
    return _inside(value, name.split("."))


def _referred(item: JsonItem, path: str, id_field: str, own_field: str, field: str) -> Any:
    """Return a field of the element that a field of the row refers to; a list where it has several ids, or none."""
    own = _field(item, own_field)
    if own is _ABSENT or own is None or item.document is None:
        return _ABSENT
    ids = own if isinstance(own, list) else [own]
    elements = [item.document.element(path, id_field, cell_of(part)) for part in ids]
    fields = [_ABSENT if element is None else _field(element, field) for element in elements]
    if len(fields) == 1:
        return fields[0]
    return [value for value in fields if value is not _ABSENT and value is not None]


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
        is_document = item.document is not None and parent is item.document.value
        yield from (f"{PARENT * level}{name}" for name in _names_around(parent, is_document))


def _names_around(parent: Mapping[str, Any], is_document: bool) -> Iterator[str]:
    """Yield the fields of an object around a row that are values, short lists of them, or such fields of an object.

    The objects and lists of a document tell of it, not of its rows.
    """
    for name, value in parent.items():
        if not isinstance(value, dict | list):
            yield name
        elif not is_document and isinstance(value, dict) and not is_geometry(value):
            yield from (f"{name}.{part}" for part, inner in value.items() if _is_value(inner))
        elif not is_document and _is_value(value):
            yield name


def _is_value(value: Any) -> bool:
    """Whether something is a value, a short list of values or a geometry."""
    if isinstance(value, list):
        return len(value) <= _SHORT and not any(isinstance(part, dict | list) for part in value)
    return not isinstance(value, dict) or is_geometry(value)


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


class JsonRows(CheckedRows):
    """Iterable over the rows of a JSON document as cells; each iteration clears ``problems`` and fills it again.

    ``file``: JSON or JSON Lines. ``path``: dotted path to the rows; None where the document itself is their list.
    ``columns``: dotted names of the fields that are read. ``name``: what the rows are called in problems; by default
    the file.

    Raises ``FileRefused`` if nothing stands at the path, or there are more than ``MAX_ROWS`` rows.
    """

    def __init__(self, file: SourceFile, path: str | None, columns: Sequence[str], name: str | None = None) -> None:
        super().__init__(name or file.name)
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
            if not self._has_long_cell(number, cells):
                yield number, cells


def _is_empty_list(document: Any, path: str) -> bool:
    """Whether a list of rows is there, and none has any."""
    around, _, last = path.rpartition(".")
    return any(
        isinstance(item.value, dict) and isinstance(item.value.get(last), list)
        for item in _elements(items_at(document, around or None))
    )


def filtered(document: Any, path: str | None, replace: Mapping[int, Any]) -> Any:
    """Return a copy of a document with only some of its rows, each replaced.

    ``document``: a JSON document; it is not changed. ``path``: the path to its rows. ``replace``: what stands in the
    place of a row, by its position from 1; rows that are not in it are left out.
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
