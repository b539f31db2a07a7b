"""The readers that are fuzzed: each with the command that a person gives, and small valid files to begin with."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import shapely

from layers.sources.column_mapping.draft.file_sample import read_samples
from layers.sources.column_mapping.draft.mapping_draft import draft
from layers.sources.column_mapping.draft.tables import mapping_text
from layers.sources.files.source_file import SourceFile
from layers.store.store import Store
from tests import heat_files
from tests.api.cli import unknown_files
from tests.layers.load_builders import entity, of, source
from tests.layers.sources import test_data_package, test_gleif, test_wri
from tests.layers.sources.column_mapping import mapped_files, test_record_tables
from tests.layers.sources.gem import test_gem_files
from tests.layers.sources.making_files import csv_text, sheet_xml, workbook
from tests.layers.sources.osm import osm_files
from tests.layers.store.store_killed import strikes

_DATA = Path(__file__).resolve().parents[2] / "tests" / "data"


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file by its name and content."""

    name: str
    content: bytes


#: The files of one command.
InputFiles = tuple[InputFile, ...]


@dataclass(frozen=True, slots=True)
class FuzzedReader:
    """A reader: its name, the format that it belongs to, its valid inputs, and the command for the paths of one.

    ``command`` gives the arguments of `strikeatlas` for the paths of the files and a path for rejected rows.
    """

    name: str
    fmt: str
    inputs: Callable[[], Sequence[InputFiles]]
    command: Callable[[Sequence[str], str], list[str]]


def _loads(fmt: str) -> Callable[[Sequence[str], str], list[str]]:
    def command(paths: Sequence[str], rejected: str) -> list[str]:
        mappings = [path for path in paths if path.endswith("mapping.toml")]
        files = [path for path in paths if path not in mappings]
        more = ["--mapping", mappings[0]] if mappings else []
        return ["load", fmt, *files, *more, "--dataset", "fuzz/case", "--dry-run", "--rejected", rejected]

    return command


def _samples(folder: str, *groups: Sequence[str]) -> Callable[[], list[InputFiles]]:
    return lambda: [tuple(InputFile(name, (_DATA / folder / name).read_bytes()) for name in names) for names in groups]


def _written(*writers: Callable[[Path], SourceFile]) -> list[InputFiles]:
    """Return the content of files that are written by functions of the tests."""
    inputs: list[InputFiles] = []
    for write in writers:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            path = write(Path(folder)).path
            inputs.append((InputFile(path.name, path.read_bytes()),))
    return inputs


def _text(name: str, text: str) -> InputFile:
    return InputFile(name, text.encode())


def _curated() -> list[InputFiles]:
    names = ("faulty.toml", "stores/records.toml")
    return [(InputFile("records.toml", (_DATA / name).read_bytes()),) for name in names]


def _gem() -> list[InputFiles]:
    writers = (test_gem_files.as_csv, test_gem_files.as_workbook, test_gem_files.as_features)
    (routes,) = _written(test_gem_files.routes)
    samples = _samples("gem", ("pipelines-2024-01-31.csv",), ("plants-2024-02-29.csv",))()
    return [*samples, *_written(*writers), (*_written(test_gem_files.as_csv)[0], *routes)]


def _gem_all() -> list[InputFiles]:
    tables = _samples("gem", ("all-entities.csv", "entity-ownership.csv", "asset-ownership.csv"))()[0]
    plants = _samples("gem", ("plants-2024-02-29.csv",))()[0]
    return [(*plants, *tables), (*_written(test_gem_files.as_workbook)[0], *tables)]


def _wri() -> list[InputFiles]:
    twin = {**test_wri.PLANT, "gppd_idnr": "WRI2"}
    release = test_wri.table(test_wri.RELEASE, test_wri.PLANT, twin)
    fuels = {"primary_fuel": "fuel1", "other_fuel1": "fuel2"}
    earlier = {fuels.get(name, name): cell for name, cell in test_wri.PLANT.items()}
    older = test_wri.table(test_wri.OLDER, earlier)
    return [(_text("plants.csv", text),) for text in (release, older, test_wri.table(test_wri.NATIONAL, test_wri.UNIT))]


def _firms() -> list[InputFiles]:
    rows = {name: heat_files.row(name) for name in heat_files.HEADERS}
    earlier = {name: {**cells, "acq_time": "45", "frp": ""} for name, cells in rows.items()}
    return [(_text("fires.csv", heat_files.csv_text(name, [rows[name], earlier[name]])),) for name in rows]


def _gleif() -> list[InputFiles]:
    level_1 = [
        {"LEI": key, "Entity": {"LegalName": "Parent SE", "LegalJurisdiction": "DE", "EntityStatus": "ACTIVE"}}
        for key in (test_gleif.PARENT, test_gleif.CHILD)
    ]
    exception = {"LEI": test_gleif.CHILD, "ExceptionCategory": "DIRECT_ACCOUNTING_CONSOLIDATION_PARENT"}
    periods = [test_gleif.period("RELATIONSHIP_PERIOD", "2018-02-06", "2020-01-01")]
    level_2 = [test_gleif.relation(periods=periods), {**exception, "ExceptionReason": "NATURAL_PERSONS"}]
    wrapped = {"records": [{"LEI": {"$": test_gleif.TOP}, "Entity": {"LegalName": {"$": "Top", "@xml:lang": "en"}}}]}
    header = "LEI,Entity.LegalName,Entity.LegalName.xmllang,Entity.LegalJurisdiction,Entity.EntityStatus"
    table = f"{header}\n{test_gleif.CHILD},Child,uk,UA,ACTIVE\n{test_gleif.TOP},Top,en,GB,INACTIVE\n"
    header = (
        "Relationship.StartNode.NodeID,Relationship.EndNode.NodeID,Relationship.RelationshipType,"
        "Relationship.RelationshipStatus,Relationship.Period.1.startDate,Relationship.Period.1.endDate,"
        "Relationship.Period.1.periodType"
    )
    row = f"{test_gleif.CHILD},{test_gleif.PARENT},IS_DIRECTLY_CONSOLIDATED_BY,ACTIVE,2017-12-06,,RELATIONSHIP_PERIOD"
    return [
        (_text("lei.json", json.dumps(level_1)), _text("rr.json", json.dumps(level_2))),
        (_text("golden.json", json.dumps(wrapped)),),
        (_text("lei.csv", table), _text("rr.csv", f"{header}\n{row}\n")),
    ]


_STRIKES_TOML = _text("mapping.toml", mapped_files.STRIKES)
_ROWS: mapped_files.Rows = (mapped_files.HEADER, *mapped_files.ROWS, mapped_files.BAD[1])


def _mapped(*containers: str) -> list[InputFiles]:
    """Return strikes, assets, entities and stakes as tables or layers, each with its mapping."""
    inputs: list[InputFiles] = []
    for name in containers:
        write = mapped_files.CONTAINERS[name][1]
        assets = mapped_files.ASSETS.format(place='wkt = "Shape"').replace('layer = "Sites"\n', "")
        tables = ((_STRIKES_TOML, _ROWS), (_text("mapping.toml", assets), test_record_tables.SITES))
        for mapping, rows in tables:
            (file,) = _written(lambda folder, write=write, rows=rows: write(folder, rows))  # type: ignore[misc]
            inputs.append((*file, mapping))
    return inputs


def _mapped_tables() -> list[InputFiles]:
    header = ("Id", "Name", "Ukrainian", "Russian", "LEI", "Country", "Also", "Joint")
    entity = ("a", "Alpha", "Альфа", "", "529900T8BM49AURSDO55", "UA", "A | Al", "yes")
    stakes = (("Id", "What", "Who", "From", "To", "Since"), ("1", "R-1", "the state", "50", "50.5", "01.02.2020"))
    tables = ((test_record_tables.ENTITIES, (header, entity)), (test_record_tables.STAKES, stakes))
    return [(_text("a.csv", csv_text(rows)), _text("mapping.toml", mapping)) for mapping, rows in tables]


def _xlsx() -> list[InputFiles]:
    """Return workbooks, one of them with shared strings and the formats of days, as spreadsheets write them."""
    cells = "".join(f'<c r="{chr(65 + n)}1" t="s"><v>{n}</v></c>' for n in range(3))
    sheet = f'<worksheet><sheetData><row r="1">{cells}</row><row r="2"><c r="A2" t="s"><v>3</v></c>'
    sheet += '<c r="B2" s="1"><v>45877.5</v></c><c r="C2"><v>12.25</v></c></row></sheetData></worksheet>'
    words = "".join(f"<si><t>{word}</t></si>" for word in ("Id", "Day", "Dead")) + "<si><r><t>a</t></r><rPh/></si>"
    formats = (
        '<numFmts><numFmt numFmtId="164" formatCode="yyyy"/></numFmts><cellXfs><xf/><xf numFmtId="164"/></cellXfs>'
    )
    parts = {"xl/sharedStrings.xml": f"<sst>{words}</sst>", "xl/styles.xml": f"<styleSheet>{formats}</styleSheet>"}
    mapping = 'table = "strikes"\nsource.publisher = "P"\nconstants = {title = "T", place = "P", status = "reported"}\n'
    mapping += '[columns]\nid = "Id"\nwhen = "Day"\nkilled_min = "Dead"\n'
    (styled,) = _written(lambda folder: workbook(folder / "b.xlsx", {"Data": sheet}, parts))
    (two,) = _written(lambda folder: workbook(folder / "c.xlsx", {"A": sheet_xml(_ROWS[:1]), "B": sheet_xml(_ROWS)}))
    return [*_mapped("xlsx"), (*styled, _text("mapping.toml", mapping)), (*two, _STRIKES_TOML)]


def _layers() -> list[InputFiles]:
    shapes = test_record_tables.SHAPES
    moved = [shapely.transform(shape, lambda xy: xy * 10_000) for shape in shapes]
    mapping = _text("mapping.toml", mapped_files.ASSETS.format(place=""))
    rows = [row[:-1] for row in test_record_tables.SITES]
    degrees, metres = _written(
        lambda folder: mapped_files.layer(folder / "a.gpkg", rows, shapes),
        lambda folder: mapped_files.layer(folder / "a.gpkg", rows, moved, crs="EPSG:32636"),
    )
    return [*_mapped("gpkg"), (*degrees, mapping), (*metres, mapping)]


def _collections() -> list[InputFiles]:
    rows = [row[:-1] for row in test_record_tables.SITES]
    placed = _text("a.geojson", mapped_files.features(rows, test_record_tables.SHAPES))
    mapping = mapped_files.ASSETS.format(place="").replace('layer = "Sites"\n', "")
    reports = [_drafted(files) for files in _unknown(*_GEOCODED)]
    return [*_mapped("geojson"), (placed, _text("mapping.toml", mapping)), *reports]


def _unknown(*groups: Mapping[str, object]) -> list[InputFiles]:
    """Return files of publishers that no format knows; those of one group belong together."""
    return [
        tuple(_text(name, text if isinstance(text, str) else json.dumps(text)) for name, text in group.items())
        for group in groups
    ]


def _drafted(files: InputFiles) -> InputFiles:
    """Return files with the mapping that is drafted of them."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        paths = [Path(folder) / file.name for file in files]
        for path, file in zip(paths, files, strict=True):
            path.write_bytes(file.content)
        samples = [read_samples(SourceFile.of(path)) for path in paths]
        return (*files, _text("mapping.toml", mapping_text([table for sample in samples for table in draft(sample)])))


_NESTED = [
    {name: document}
    for documents in (unknown_files.DISRUPTIONS, unknown_files.DISRUPTIONS_AND_SITES)
    for name, document in documents.items()
]
_GEOCODED = [{name: document} for name, document in unknown_files.REPORTS.items()]


def _documents() -> list[InputFiles]:
    return [_drafted(files) for files in _unknown(*_NESTED)]


def _holdings() -> list[InputFiles]:
    return [_drafted(files) for files in _unknown(*unknown_files.HOLDINGS.values())]


def _undrafted() -> list[InputFiles]:
    """Return files of every container for which a mapping is to be drafted."""
    mapped = [*_mapped("comma", "semicolon", "xlsx", "geojson", "gpkg"), *_mapped_tables()]
    without = [tuple(file for file in files if file.name != "mapping.toml") for files in mapped]
    return [*_unknown(*_NESTED, *_GEOCODED, *unknown_files.HOLDINGS.values()), *without]


def _mappings() -> list[InputFiles]:
    """Return mapping files, to be changed themselves, each beside its table."""
    several = (*_mapped("comma"), *_mapped_tables(), *_documents(), *_holdings())
    return [tuple(reversed(files)) for files in several]


def _stores() -> list[InputFiles]:
    """Return a store with strikes and the history of an edit."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        path = Path(folder) / "atlas.gpkg"
        store = Store.create(path)
        store.load(strikes(5, "Before"), author="bench")
        store.load(strikes(4, "After"), author="bench")
        store.close()
        return [(InputFile("atlas.gpkg", path.read_bytes()),)]


_OVERPASS = (osm_files.overpass_body, osm_files.overpass_geom)
_OSM_GEOJSON = (osm_files.turbo, osm_files.unflattened, osm_files.quick_osm, osm_files.osmium_export, osm_files.gdal)
_OSM_PBF = (osm_files.pbf, lambda folder: osm_files.pbf(folder, stamp="2026-10-01T20:00:00Z"))
_TIMEMAP = ("timemap-events.json", "timemap-sources.json", "timemap-associations.json")
_VIINA = (
    ("viina-derived.csv",), ("viina-1.0.csv",), ("viina-info.csv", "viina-labels.csv"), ("viina-1pd.csv",
    "viina-info.csv"),
    ("viina-candidates.csv", "viina-confirmed.csv"),
)  # fmt: skip


def _package() -> list[InputFiles]:
    """Return a data package; a table that is changed no longer has the digest that the package states."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        written = test_data_package.package(Path(folder), of(source("s", "d"), entity("e", "d"))).path
        files = [written, *sorted(path for path in Path(folder).iterdir() if path != written)]
        return [tuple(InputFile(path.name, path.read_bytes()) for path in files)]


def _of_format(name: str, fmt: str, inputs: Callable[[], Sequence[InputFiles]]) -> FuzzedReader:
    return FuzzedReader(name, fmt, cache(inputs), _loads(fmt))


def _of_store(name: str, command: Callable[[Sequence[str], str], list[str]]) -> FuzzedReader:
    return FuzzedReader(name, "", cache(_stores), command)


_ALL = (
    _of_format("curated", "curated", _curated),
    FuzzedReader(
        "datapackage",
        "datapackage",
        cache(_package),
        lambda paths, rejected: ["load", "datapackage", paths[0], "--dry-run", "--rejected", rejected],
    ),
    _of_format("acled", "acled", _samples("strikes", ("acled.csv",), ("acled-old.csv",))),
    _of_format("viina", "viina", _samples("strikes", *_VIINA)),
    _of_format("ucdp", "ucdp", _samples("strikes", ("ucdp.csv",))),
    _of_format("eyes-on-russia", "eyes-on-russia", _samples("strikes", ("eyes-on-russia.csv",))),
    _of_format("timemap", "timemap", _samples("strikes", _TIMEMAP, ("timemap-export.json",))),
    _of_format("gem-tracker", "gem-tracker", _gem),
    _of_format("gem-tables", "gem-tables", lambda: [files[-3:] for files in _gem_all()[:1]]),
    _of_format("gem", "gem", _gem_all),
    _of_format("wri", "wri", _wri),
    _of_format("osm-overpass", "osm", lambda: _written(*_OVERPASS)),
    _of_format("osm-geojson", "osm", lambda: _written(*_OSM_GEOJSON)),
    _of_format("osm-pbf", "osm", lambda: _written(*_OSM_PBF)),
    _of_format("bods", "bods", _samples("bods", ("lifecycle.json",), ("indirect.json",), ("unspecified.json",))),
    _of_format("gleif", "gleif", _gleif),
    _of_format("wikidata", "wikidata", _samples("wikidata", ("owners.json",), ("faulty.json",))),
    _of_format("firms", "firms", _firms),
    _of_format("csv", "csv", lambda: [*_mapped("comma", "semicolon", "tab"), *_mapped_tables(), *_holdings()]),
    _of_format("xlsx", "csv", _xlsx),
    _of_format("geojson", "geojson", _collections),
    _of_format("json", "json", _documents),
    _of_format("gpkg", "gpkg", _layers),
    _of_format("mapping", "csv", _mappings),
    FuzzedReader("map", "", cache(_undrafted), lambda paths, rejected: ["map", *paths]),
    _of_store("verify", lambda paths, rejected: ["verify", paths[0]]),
    _of_store("store", lambda paths, rejected: ["list", "strikes", "--store", paths[0]]),
    _of_store("restore", lambda paths, rejected: ["restore", paths[0], rejected, "--force"]),
)

#: Every reader by its name, in the order of the registry of formats.
READERS: Mapping[str, FuzzedReader] = {reader.name: reader for reader in _ALL}
