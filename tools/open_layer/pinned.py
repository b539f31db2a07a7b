"""The pinned files of open data that the open layer is built from, read by the readers of the program."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import shapely

from layers.model.records import Asset, Record, Records, Source
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import LoadOptions
from layers.sources.reader.record_builder import slug
from layers.sources.registry import FORMATS

ORIGINS = Path(__file__).with_name("origins.toml")


@dataclass(frozen=True)
class Origin:
    """A file, or a folder of files, of a publisher.

    Parameters
    ----------
    path
        Where it lies in the folder of all of them.
    sha256
        Of the file; of a folder, that of the lines of ``sha256sum`` of its files in the order of their names.
    format, dataset
        The reader, and the dataset of the records.
    routes
        The file of routes that is read beside it.
    only
        The kinds of asset that are taken of it; by default all.
    """

    path: str
    sha256: str
    format: str
    dataset: str
    title: str
    publisher: str
    licence: str
    address: str
    published: str
    routes: str | None = None
    only: tuple[str, ...] = ()


class ChangedFile(ValueError):
    """A pinned file is missing, or is another one."""


def origins() -> tuple[Sequence[Origin], Sequence[Origin]]:
    """The origins, in the order in which they are read, and the files of routes that are read beside them."""
    table = tomllib.loads(ORIGINS.read_text())
    routes = [Origin(format="gem-tracker", dataset="gem/routes", **one) for one in table["routes"]]
    return [Origin(**one) for one in table["origins"]], routes


def digest_of(path: Path) -> str:
    """Give the SHA-256 of a file, or of a folder as `Origin` has it."""
    if path.is_dir():
        lines = (f"{digest_of(file)}  {file.name}\n" for file in sorted(path.iterdir()))
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_pinned(folder: Path, every: Sequence[Origin]) -> None:
    """Refuse a folder of other files.

    Raises
    ------
    ChangedFile
        If a file is missing, or its digest is another one; all of them are named.
    """
    found = {one.path: digest_of(folder / one.path) if (folder / one.path).exists() else "missing" for one in every}
    if others := [
        f"{one.path}: {found[one.path]} in place of {one.sha256}" for one in every if found[one.path] != one.sha256
    ]:
        raise ChangedFile("\n".join(others))


def read(folder: Path, origin: Origin) -> tuple[Records, int]:
    """Read the records of an origin, and how many problems its rows have; each of its sources has its address."""
    if origin.format == "ports":
        return _ports(folder / origin.path, origin)
    path = folder / origin.path
    files = [SourceFile.of(file) for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
    with TemporaryDirectory() as work:
        if origin.routes is not None:
            files.append(SourceFile.of(_routes(folder / origin.routes, Path(work))))
        result = FORMATS[origin.format].read(files, LoadOptions(origin.dataset, licence=origin.licence))
    values = {
        "url": origin.address,
        "publisher": origin.publisher,
        "title": origin.title,
        "published": origin.published,
    }
    sources = {
        key: source.model_copy(update=values if source.title == path.name else {"url": origin.address})
        for key, source in result.records.sources.items()
    }
    return replace(result.records, sources=sources), len(result.problems)


def _routes(path: Path, work: Path) -> Path:
    """Write the routes of a Parquet file as GeoJSON, as GEM's reader takes them; the day stays in the name."""
    table = pq.read_table(path)
    target = work / f"{path.stem}.geojson"
    shapes = shapely.from_wkb(table["geometry"].to_numpy())
    with target.open("w") as file:
        file.write('{"type": "FeatureCollection", "features": [\n')
        for number, (key, shape) in enumerate(zip(table["id"].to_pylist(), shapes, strict=True)):
            head = json.dumps({"ProjectID": key})
            file.write(f'{", " * (number > 0)}{{"type": "Feature", "properties": {head}, ')
            file.write(f'"geometry": {shapely.to_geojson(shape)}}}\n')
        file.write("]}\n")
    return target


def _ports(path: Path, origin: Origin) -> tuple[Records, int]:
    """Read the ports of Natural Earth: a name and a point to a few kilometres each."""
    source = Source(
        id="natural-earth-ports", dataset=origin.dataset, publisher=origin.publisher, title=origin.title,
        url=origin.address, published=origin.published, licence=origin.licence, language="en",
    )  # fmt: skip
    assets: dict[str, Record] = {}
    for feature in json.loads(path.read_text())["features"]:
        name, point = feature["properties"]["name"], shapely.Point(feature["geometry"]["coordinates"])
        key = f"natural-earth/port/{slug(name)}-{point.x:.2f}-{point.y:.2f}"
        assets[key] = Asset(
            id=key, dataset=origin.dataset, name=f"Port of {name}", kind="port-terminal", geometry=point,
            uncertainty_m=5000.0, basis="settlement", place_source=source.id, sources=(source.id,), checked="read",
        )  # fmt: skip
    return Records.of({"sources": {source.id: source}, "assets": assets}), 0
