"""The columns of a file of any container as texts, from which a mapping is drafted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from shapely.geometry.base import BaseGeometry

from layers.model.messages import Message
from layers.sources.column_mapping.draft.words import FITS, WORDS, role_fit
from layers.sources.column_mapping.reader import Features, Tabular, is_geojson
from layers.sources.files.features import GeoJsonRows, GeoPackageRows, cell_of
from layers.sources.files.json_rows import (
    EACH,
    PARENT,
    JsonItem,
    field_names,
    field_of,
    is_geometry,
    is_list_of_lists,
    is_object_of_rows,
    items_at,
    leaves,
)
from layers.sources.files.limits import MAX_COLUMNS, MAX_ROWS, FileRefused
from layers.sources.files.source_file import SourceFile

#: Rows from which a mapping is drafted; the preview reads all.
MAX_SAMPLE = 50_000
#: Fields of JSON rows are named by the first rows, and lists of rows are looked for as deep as this.
_NAMING_ROWS, _LIST_DEPTH = 500, 7
#: Rows by which lists of a document are compared, and lists of which rows are read.
_COMPARED_ROWS, _MOST_LISTS = 50, 6
#: Roles that tell of a row more than others: what happened when and where.
_TELLING = frozenset({"when", "title", "lat", "lon", "latlon", "wkt", "share"})
#: Keys of a JSON document beside its rows that say whose it is, by column of the source.
_SOURCE_KEYS: Mapping[str, tuple[str, ...]] = {
    "publisher": ("publisher", "provider", "author", "organisation", "organization", "source", "attribution"),
    "licence": ("licence", "license"),
    "title": ("title", "name"),
    "url": ("url", "homepage"),
}


@dataclass(frozen=True)
class FileSample:
    """A file as columns.

    ``fmt``: the generic format that reads it. ``columns``: texts of the cells of the first rows, by column. ``shapes``:
    geometries of the features in lon/lat degrees, none where rows have none of their own. ``count``: how many rows that
    are. ``rows``: path to the rows of a JSON document; None where the document is their list. ``source``: what the file
    says of itself, by column of a source. ``around``, ``outermost``: what the rows are, and the elements of a document
    that is a list, where their fields are to be read as those of an object of that name.
    """

    file: SourceFile
    fmt: str
    columns: Mapping[str, Sequence[str]]
    count: int
    shapes: Sequence[BaseGeometry | None] = ()
    rows: str | None = None
    source: Mapping[str, str] | None = None
    around: str = ""
    outermost: str = ""

    def header(self, name: str) -> str:
        """Return what the name of a column says: with the list that it is of in place of signs, ``region.name``."""
        reference, _, field = name.partition("].")
        if field and "[" in reference:
            return f"{singular(reference.partition('[')[0])}.{field}"
        level, steps = 0, (self.rows or "").split(".")
        while name.startswith(PARENT):
            name, level = name[len(PARENT) :], level + 1
        around = self.outermost if level else self.around
        if 0 < level < len(steps) and steps[-1 - level] != EACH:
            around = singular(steps[-1 - level])
        return f"{around}.{name}" if around else name

    @property
    def own(self) -> FileSample:
        """The same rows with their own fields alone: those of lists within a row, and of objects around it, left out.

        They may be rows themselves.
        """
        return replace(self, columns={name: self.columns[name] for name in _own(self.columns)})

    def with_references(self, ids: str, sites: FileSample, own_ids: str) -> FileSample:
        """Return the rows with the fields of those of another list of the document that they refer to.

        ``ids``: the column of ids by which the rows refer. ``sites``: the rows of the other list. ``own_ids``: their
        own column of ids.
        """
        names = (f"{sites.rows}[{own_ids}={ids}].{name}" for name in sites.own.columns if name != own_ids)
        referred = _columns(_items(self.file.json(), self.rows), names)
        if any(text.startswith("[") for text in self.columns[ids]):
            # A row that refers to several has lists of their names; lists of their degrees are no place.
            referred = {name: cells for name, cells in referred.items() if any(map(str.isalpha, "".join(cells)))}
        return replace(self, columns={**self.columns, **referred})


def singular(path: str | None) -> str:
    """Return what an element of a list at a path is, by the list's name."""
    name = (path or "").rpartition(".")[2]
    return f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")


def read_samples(file: SourceFile) -> list[FileSample]:
    """Read the first rows of a file; of a JSON document those of each of its lists, the most telling first.

    Raises ``FileRefused`` if it is none of the containers that a mapping reads, or has no row.
    """
    sniff = file.sniff()
    if sniff.container == "json" and not is_geojson(sniff):
        samples = _of_json(file)
    elif sniff.container == "json":
        samples = [_of_features(file)]
    elif sniff.container == "gpkg":
        samples = [_of_rows(file, "gpkg", Features(GeoPackageRows(file, None), ()))]
    else:
        samples = [_of_rows(file, "csv", Tabular(file.table()))]
    if not samples or not samples[0].count:
        raise FileRefused(file.name, "rows", Message("value.no-one"), Message("column-mapping.some-row"))
    return samples


def _of_rows(file: SourceFile, fmt: str, rows: Tabular | Features, objects: Collection[str] = ()) -> FileSample:
    listed = list(islice(rows, MAX_SAMPLE))
    names = [name for name in rows.header if name not in objects]
    columns = {name: [row.cells.get(name, "").strip() for row in listed] for name in names}
    return FileSample(file, fmt, columns, len(listed), [row.shape for row in listed])


def _of_features(file: SourceFile) -> FileSample:
    features = GeoJsonRows(file)
    listed = (one for one in features.features if isinstance(one, dict))
    names = _names([JsonItem(one.get("properties"), None, ()) for one in islice(listed, _NAMING_ROWS)])
    nested = [name for name in names if "." in name and name not in features.header]
    # The fields of a property that is an object are columns in its place.
    return _of_rows(file, "geojson", Features(features, nested), {name.partition(".")[0] for name in nested})


def _of_json(file: SourceFile) -> list[FileSample]:
    document = file.json()
    lists = row_lists(document)
    # Of lists that tell as much the longer one comes first.
    telling = {path: (_roles_named(_own(_names(items[:_COMPARED_ROWS]))), len(items)) for path, items in lists.items()}
    paths = sorted(lists, key=lambda path: telling[path], reverse=True)[:_MOST_LISTS]
    rows = {path: _items(document, path) for path in paths}
    return [
        FileSample(file, "json", _columns(items, _names(items)), len(items), rows=path, source=_source(document))
        for path, items in rows.items()
        if items
    ]


def _items(document: Any, path: str | None) -> list[JsonItem]:
    return [item for item in items_at(document, path) if isinstance(item.value, dict | list)][:MAX_SAMPLE]


def _names(items: Sequence[JsonItem]) -> list[str]:
    named = (name for item in items[:_NAMING_ROWS] for name in field_names(item))
    return list(dict.fromkeys(islice(named, 100 * MAX_COLUMNS)))[:MAX_COLUMNS]


def _columns(items: Sequence[JsonItem], names: Iterable[str]) -> dict[str, list[str]]:
    return {name: [cell_of(field_of(item, name)).strip() for item in items] for name in names}


def _own(names: Iterable[str]) -> list[str]:
    """Return the names of fields that are neither those of lists within a row nor of objects around it."""
    return [name for name in names if EACH not in name.split(".") and not name.startswith(PARENT)]


def _roles_named(names: Sequence[str]) -> float:
    """Return how many roles the names of columns fill; those that say what happened when and where count twice."""
    roles = (role for role in WORDS["roles"] if role != "note")
    return sum(1 + (role in _TELLING) for role in roles if any(role_fit(name, role) >= FITS for name in names))


def row_lists(document: Any) -> dict[str | None, list[JsonItem]]:
    """Return the rows of each list of objects in a document, by the path to it.

    Objects whose values are all objects of the same fields count as lists; so does an object alone, as the last resort.
    """
    paths = dict.fromkeys(islice(_list_paths(document, None, _LIST_DEPTH), MAX_ROWS))
    found = {path: items_at(document, path) for path in list(paths)[:MAX_COLUMNS]}
    listed = {path: items for path, items in found.items() if items}
    return listed or ({None: [JsonItem(document, None, ())]} if isinstance(document, dict) and document else {})


def _list_paths(value: Any, path: str | None, depth: int) -> Iterator[str | None]:
    """Yield the paths of the lists of rows in a part of a document, as often as they are there.

    The values of an object of rows have no name.
    """
    if _is_list_of_rows(value):
        yield path
    for part in leaves(value) if isinstance(value, list) else (value,):
        if not isinstance(part, dict) or is_geometry(value) or not depth:
            continue
        is_keyed = _is_list_of_rows(part)
        for key, below in part.items():
            step = EACH if is_keyed else key
            if isinstance(below, dict | list) and "." not in step:
                yield from _list_paths(below, f"{path}.{step}" if path else step, depth - 1)


def _is_list_of_rows(value: Any) -> bool:
    if isinstance(value, list):
        rows = value[:_COMPARED_ROWS]
        return any(isinstance(part, dict) for part in rows) or is_list_of_lists(rows) or _is_matrix(rows)
    if not is_object_of_rows(value):
        return False
    first, *others = (frozenset(part) for part in islice(value.values(), _COMPARED_ROWS))
    return all(2 * len(first & other) > len(first | other) for other in others)


def _is_matrix(rows: Sequence[Any]) -> bool:
    """Whether rows are lists of at least two values each, and not all of them numbers: rows without names."""
    if not all(isinstance(row, list) and len(row) > 1 for row in rows):
        return False
    return not all(isinstance(cell, int | float) for row in rows for cell in row)


def _source(document: Any) -> dict[str, str]:
    """Return what a document says of itself in texts beside its rows."""
    if not isinstance(document, dict):
        return {}
    around = [document, *(document[key] for key in ("meta", "metadata", "info") if isinstance(document.get(key), dict))]
    texts = {key.casefold(): text.strip() for part in around for key, text in part.items() if isinstance(text, str)}
    known = {column: next(filter(None, map(texts.get, keys)), "") for column, keys in _SOURCE_KEYS.items()}
    is_address = known["url"].startswith(("http://", "https://"))
    return {name: text for name, text in known.items() if 0 < len(text) <= 500 and (name != "url" or is_address)}
