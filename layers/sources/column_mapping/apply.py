"""Applies a column mapping to rows: each becomes a record, with the source, owner or operator that it names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from shapely.geometry.base import BaseGeometry

from layers.model.columns import columns
from layers.model.read_result import Place
from layers.model.records import NOUNS
from layers.sources.column_mapping.row import MappedRow
from layers.sources.reader.column_mapping import ColumnMapping
from layers.sources.reader.format import Request
from layers.sources.reader.named_companies import Named
from layers.sources.reader.record_builder import Gathered
from layers.sources.reader.urls import url_of


class Mapped:
    """Makes the records of one file by a mapping."""

    def __init__(self, found: Gathered, mapping: ColumnMapping, request: Request, file: str) -> None:
        self._found, self._mapping, self._dataset = found, mapping, request.dataset
        self._columns = {column.name: column for column in columns(NOUNS[mapping.noun])}
        self.source = f"{request.dataset}/source"
        licence = request.licence or mapping.source.get("licence")
        values = {**mapping.source, "id": self.source, "licence": licence, "retrieved": request.retrieved}
        if not found.has("sources", self.source):
            found.add("sources", values, Place(file, 1))
        self._named = Named(found, request.dataset, self.source, mapping.source["publisher"])

    def missing(self, header: tuple[str, ...]) -> list[tuple[str, str]]:
        """Record columns whose file column is not in a header, with that file column."""
        return [(name, theirs) for name, theirs in self._mapping.columns.items() if theirs not in header]

    def add(self, cells: Mapping[str, str], place: Place, shape: BaseGeometry | None = None) -> None:
        """Make the record of one row; everything that is wrong with it is listed."""
        row = MappedRow(self._mapping, self._columns, self._dataset, cells)
        key, noun = row.id(), self._mapping.noun
        values: dict[str, Any] = {"checked": "unverified", **row.values(), "id": key, **_weapons(row)}
        values |= self._where(row, values, shape)
        cited = self._cited(row)
        values |= self._sources(cited)
        if noun == "assets":
            owners, operators = row.words("owner"), row.words("operator")
        for fault in row.faults:
            self._found.fault(place, f"{NOUNS[noun].__name__.lower()} {key}", *fault)
        if not self._found.add(noun, values, place, row.called(), row.unread):
            return
        for one, source in cited.items():
            if not self._found.has("sources", one):
                self._found.add("sources", source, place)
        if noun == "assets":
            self._hold(key, owners, operators, place)

    def _cited(self, row: MappedRow) -> dict[str, dict[str, Any]]:
        """The addresses that a row cites, as sources by id."""
        found = {}
        for url in row.words("source_url"):
            host = _host(url)
            if host is None:
                row.fault("source_url", url, "an address such as https://example.org/report")
                continue
            one = f"{self._dataset}/url/{hashlib.sha256(url.encode()).hexdigest()[:16]}"
            found[one] = {"id": one, "url": url, "publisher": host}
        return found

    def _sources(self, cited: Mapping[str, Any]) -> dict[str, Any]:
        """The sources of a record: what the row cites, and the file."""
        return {"sources": (*cited, self.source)} if "sources" in self._columns else {"source": self.source}

    def _where(self, row: MappedRow, values: dict[str, Any], shape: BaseGeometry | None) -> dict[str, Any]:
        """The place of a record; without one nothing is said of how sure it is."""
        if "geometry" not in self._columns:
            return {}
        geometry = row.geometry(shape)
        geometry = values.get("geometry") if geometry is None else geometry
        if geometry is not None:
            return {"geometry": geometry, "place_source": self.source}
        for name in ("uncertainty_m", "basis"):
            values.pop(name, None)
        return {}

    def _hold(self, asset: str, owners: tuple[str, ...], operators: tuple[str, ...], place: Place) -> None:
        for owner in owners:
            self._named.stake(asset, self._named.entity(owner, place), place)
        for operator in operators:
            self._named.operator(asset, self._named.entity(operator, place), place)


def _weapons(row: MappedRow) -> dict[str, Any]:
    kinds = row.words("weapon")
    return {"weapons": tuple({"kind": kind} for kind in kinds)} if kinds else {}


def _host(url: str) -> str | None:
    """The host of a web address, None of anything else."""
    try:
        return urlsplit(url).hostname if url_of(url) else None
    except ValueError:
        return None
