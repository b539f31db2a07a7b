"""The columns of a file of any container as texts, from which a mapping is drafted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from shapely.geometry.base import BaseGeometry

from layers.model.messages import Message
from layers.sources.column_mapping.draft.column_profile import header_words
from layers.sources.column_mapping.reader import is_geojson
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
from layers.sources.files.limits import MAX_COLUMNS, FileRefused
from layers.sources.files.source_file import SourceFile

#: Rows from which a mapping is drafted; the preview reads all.
MAX_SAMPLE = 50_000
#: Fields of JSON rows are named by the first rows, and lists of rows are looked for as deep as this.
_NAMING_ROWS, _LIST_DEPTH = 500, 8
#: Rows by which lists of a document are compared, and lists of which rows are read.
_COMPARED_ROWS, _MOST_LISTS = 50, 6
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

    ``fmt``: the generic format that reads it. ``columns``: texts of the cells of the first rows, by
    column. ``shapes``: geometries of the features in lon/lat degrees; None where rows have none of their own.
    ``count``: how many rows that are. ``rows``: path to the rows of a JSON document; None where the document is their
    list. ``layer``: the sheet or layer; None where there is one only. ``source``: what the file says of itself, by
    column of a source. ``around``, ``outermost``: what the rows are, and the elements of a document that is a list,
    where their fields are to be read as those of an object of that name.
    """

    file: SourceFile
    fmt: str
    columns: Mapping[str, Sequence[str]]
    shapes: Sequence[BaseGeometry | None] | None
    count: int
    rows: str | None = None
    layer: str | None = None
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
    def list_words(self) -> frozenset[str]:
        """The words of the name of the list of rows: the last key of its path, or else that of the file."""
        return frozenset(header_words((self.rows or self.file.stem).rpartition(".")[2]))

    @property
    def own(self) -> FileSample:
        """The same rows with their own fields alone: those of lists within a row, and of objects around it, left out.

        They may be rows themselves.
        """
        names = (name for name in self.columns if EACH not in name.split(".") and not name.startswith(PARENT))
        return replace(self, columns={name: self.columns[name] for name in names})


def singular(path: str) -> str:
    """Return what an element of a list at a path is, by the list's name."""
    name = path.rpartition(".")[2]
    return f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")


#: Says how well the names of columns fit records; of several lists of a document the one that fits best is taken.
Fit = Callable[[Iterable[str]], float]


def read_samples(file: SourceFile, fit: Fit) -> list[FileSample]:
    """Read the first rows of a file; of a JSON document those of each of its lists, that which fits best first.

    Raises ``FileRefused`` if it is none of the containers that a mapping reads, or has no row.
    """
    sniff = file.sniff()
    if sniff.container == "json":
        samples = [_of_features(file, GeoJsonRows(file), "geojson")] if is_geojson(sniff) else _of_json(file, fit)
    elif sniff.container == "gpkg":
        rows = GeoPackageRows(file, None)
        samples = [_of_features(file, rows, "gpkg")]
    else:
        table = file.table()
        cells = [cells for _, cells in islice(table, MAX_SAMPLE)]
        samples = [FileSample(file, "csv", _columns(cells, table.header), None, len(cells))]
    if not samples[0].count:
        raise FileRefused(file.name, "rows", Message("value.no-one"), Message("column-mapping.some-row"))
    return samples


def _columns(rows: Sequence[Mapping[str, str]], header: Iterable[str]) -> dict[str, list[str]]:
    return {name: [row.get(name, "").strip() for row in rows] for name in header}


def _of_features(file: SourceFile, features: GeoJsonRows | GeoPackageRows, fmt: str) -> FileSample:
    listed = list(islice(features, MAX_SAMPLE))
    columns = _columns([feature.cells for feature in listed], features.header)
    if isinstance(features, GeoJsonRows):
        items = [JsonItem(_properties(features.features[feature.number - 1]), None, ()) for feature in listed]
        names = [name for name in _names(items) if "." in name and name not in columns]
        columns = {name: texts for name, texts in columns.items() if not _holds_objects(items, name)}
        columns |= {name: [cell_of(field_of(item, name)).strip() for item in items] for name in names}
    return FileSample(file, fmt, columns, [feature.geometry for feature in listed], len(listed))


def _properties(feature: Any) -> Any:
    return feature.get("properties") if isinstance(feature, dict) else None


def _holds_objects(items: Sequence[JsonItem], name: str) -> bool:
    """Whether a property is an object whose fields are columns of their own."""
    values = (item.value[name] for item in items[:_NAMING_ROWS] if isinstance(item.value, dict) and name in item.value)
    return any(isinstance(value, dict) and value and not is_geometry(value) for value in values)


def _names(items: Sequence[JsonItem]) -> list[str]:
    named = (name for item in items[:_NAMING_ROWS] for name in field_names(item))
    return list(dict.fromkeys(islice(named, 100 * MAX_COLUMNS)))[:MAX_COLUMNS]


def _of_json(file: SourceFile, fit: Fit) -> list[FileSample]:
    document = file.json()
    lists = row_lists(document)
    if not lists:
        raise FileRefused(file.name, "rows", Message("value.no-one"), Message("column-mapping.some-row"))
    paths = sorted(lists, key=lambda path: _list_fit(lists[path], fit), reverse=True)[:_MOST_LISTS]
    samples = [_of_list(file, document, path) for path in paths]
    return [samples[0], *(sample for sample in samples[1:] if sample.count)]


def _of_list(file: SourceFile, document: Any, path: str | None) -> FileSample:
    items = [item for item in items_at(document, path) if isinstance(item.value, dict | list)][:MAX_SAMPLE]
    names = _names(items)
    columns = {name: [cell_of(field_of(item, name)).strip() for item in items] for name in names}
    return FileSample(file, "json", columns, None, len(items), path, None, _source(document))


def with_references(sample: FileSample, ids: str, sites: FileSample, own_ids: str) -> FileSample:
    """Return rows with the fields of those of another list of the document that they refer to.

    ``sample``: the rows that refer. ``ids``: their column of ids. ``sites``: the rows of the other list. ``own_ids``:
    their own column of ids.
    """
    document = sample.file.json()
    items = [item for item in items_at(document, sample.rows) if isinstance(item.value, dict | list)][:MAX_SAMPLE]
    names = (f"{sites.rows}[{own_ids}={ids}].{name}" for name in sites.own.columns if name != own_ids)
    referred = {name: [cell_of(field_of(item, name)).strip() for item in items] for name in names}
    if any(text.startswith("[") for text in sample.columns[ids]):
        # A row that refers to several has lists of their names; lists of their degrees are no place.
        referred = {name: cells for name, cells in referred.items() if any(map(str.isalpha, "".join(cells)))}
    return replace(sample, columns={**sample.columns, **referred})


def _list_fit(items: Sequence[JsonItem], fit: Fit) -> tuple[float, int]:
    """Return how well the rows of a list fit records, and how many there are.

    Fields of lists within a row, and of objects around it, do not count: they may be rows themselves.
    """
    names = _names(items[:_COMPARED_ROWS])
    own = (name for name in names if EACH not in name.split(".") and not name.startswith(PARENT))
    return fit(own), len(items)


def row_lists(document: Any) -> dict[str | None, list[JsonItem]]:
    """Return the rows of each list of objects in a document, by the path to it.

    Objects whose values are all objects of the same fields count as lists; so does an object alone, as the last resort.
    """
    paths: list[str | None] = []
    level: list[tuple[str | None, list[Any]]] = [(None, [document])]
    for _ in range(_LIST_DEPTH):
        below: dict[str | None, list[Any]] = defaultdict(list)
        for path, values in level:
            if any(map(_is_list_of_rows, values)):
                paths.append(path)
            for key, part in _parts(values):
                if "." not in key:
                    below[f"{path}.{key}" if path else key].append(part)
        level = list(below.items())[:MAX_COLUMNS]
    found = {path: items_at(document, path) for path in dict.fromkeys(paths)}
    listed = {path: items for path, items in found.items() if items}
    return listed or ({None: [JsonItem(document, None, ())]} if isinstance(document, dict) and document else {})


def _is_list_of_rows(value: Any) -> bool:
    if isinstance(value, list):
        rows = value[:_COMPARED_ROWS]
        return any(isinstance(part, dict) for part in rows) or is_list_of_lists(rows) or _is_matrix(value)
    if not is_object_of_rows(value):
        return False
    first, *others = (frozenset(part) for part in islice(value.values(), _COMPARED_ROWS))
    return all(2 * len(first & other) > len(first | other) for other in others)


def _is_matrix(value: list[Any]) -> bool:
    """Whether a list has lists of at least two values of which none is a list: rows without names."""
    rows = value[:_COMPARED_ROWS]
    return (
        bool(rows)
        and all(isinstance(row, list) and len(row) > 1 for row in rows)
        and not all(all(isinstance(cell, int | float) for cell in row) for row in rows)
    )


def _parts(values: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Yield the fields of objects, and of objects in lists; the values of an object of rows have no name."""
    for value in values:
        if is_geometry(value):
            continue
        for part in leaves(value) if isinstance(value, list) else (value,):
            if isinstance(part, dict):
                is_keyed = _is_list_of_rows(part)
                inner = ((EACH if is_keyed else key, below) for key, below in part.items())
                yield from ((key, below) for key, below in inner if isinstance(below, dict | list))


def _source(document: Any) -> dict[str, str]:
    """Return what a document says of itself in texts beside its rows."""
    if not isinstance(document, dict):
        return {}
    around = [document, *(document[key] for key in ("meta", "metadata", "info") if isinstance(document.get(key), dict))]
    texts = {key.casefold(): value for part in around for key, value in part.items() if isinstance(value, str)}
    known = {
        column: next((texts[key].strip() for key in keys if texts.get(key, "").strip()), "")
        for column, keys in _SOURCE_KEYS.items()
    }
    return {
        column: text
        for column, text in known.items()
        if text and len(text) <= 500 and (column != "url" or text.startswith(("http://", "https://")))
    }
