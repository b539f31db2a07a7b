"""``strikeatlas export``: the map on paper, the one-file page, and the layers as files; `dossier` has its own module.

What draws is imported where it is needed: fonts and folium take a second that no other command should pay.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, TypeVar, get_args

import numpy as np
import shapely
import typer
from shapely.geometry.base import BaseGeometry

from api.cli.common import STORE, AsJson, BasemapOption, StoreAddress, open_published, output
from api.exports.errors import ExportError
from api.exports.manifest import ExportOrigin, manifest_beside, replacing_export
from api.exports.printed_map.map_strikes import Credit, box_around, map_lines, map_strikes_at, open_data_note
from api.exports.printed_map.print_words import PrintWords
from api.exports.printed_map.sheet_origin import SheetOrigin
from api.formats import csv, geopackage
from api.formats.page import FeatureFormat, FeaturePage, FileMetadata
from api.formats.registry import FILES
from api.requests.crs import parse_bbox
from api.requests.query_parameters import COUNTRY
from api.serializers.attribution import cited_sources
from api.serializers.figures import FigureCode, FigureSubject, selected_rows
from api.serializers.policy import summary
from api.serializers.selection import strike_rows
from api.server.build_id import program_version, sources
from api.server.version_builder import changed_at
from api.settings import BASEMAP, Settings, with_credit_for
from api.wording.catalogue import phrase
from api.wording.countries import country_names, name_in
from layers.collections.geometry_index import Box
from layers.collections.geometry_kinds import ASSET_VIEWS
from layers.corrections.log import PublishedVersion
from layers.filesystem.atomic_file import is_stream, replacing
from layers.model.garbage import collection_paused
from layers.model.messages import Message
from layers.model.problems import UnknownRecord
from layers.model.records import Asset, Strike
from layers.query.selection import Selection
from layers.reference.basemap_archive import BasemapArchive, UnreadableArchive
from layers.reference.map_ground import GroundLanguage
from layers.snapshot.flat_collections import BY_STRIKE, LAYERS
from layers.snapshot.snapshot import Snapshot
from layers.store.record_table import lists_of
from layers.store.store import Store

#: One of the formats of an export.
Form = TypeVar("Form", bound=str)

app = typer.Typer(help="Write the map, the one-file page or the layers to files.", no_args_is_help=True)

BoxOption = Annotated[
    str | None, typer.Option("--bbox", help="west,south,east,north in degrees; what has no known place is left out.")
]
Out = Annotated[
    Path, typer.Option("--out", "-o", help="File to write, - for standard output; an existing one is replaced.")
]
WithManifest = Annotated[
    bool,
    typer.Option(
        "--manifest/--no-manifest",
        help="Write FILE.manifest.json beside it, by which `strikeatlas verify FILE` checks it.",
    ),
]
_STANDARD_OUTPUT = Path("-")
#: Strikes of a one-file page: of more its list and its search would be slow, and their headlines take minutes.
_MOST_ON_PAGE = 5000
Layer = Literal["strikes", "assets", "asset-points", "asset-lines", "asset-areas", "attributions", "hits", "countries"]


def box_of(text: str | None) -> Box | None:
    """Read a box, where one is given."""
    return None if text is None else parse_bbox(text).box


DatetimeOption = Annotated[
    str | None, typer.Option(help="A day, or an interval of two with .. for an open end.", metavar="DAYS")
]
RelationOption = Annotated[
    str | None, typer.Option(help="Only strikes on what the country or entity was tied to so, such as owner.")
]
EntityOption = Annotated[
    str | None, typer.Option(help="Only strikes on what this company, person or state owned, through others too.")
]
AssetOption = Annotated[str | None, typer.Option(help="Only strikes that hit, or may have hit, this site.")]
KindOption = Annotated[str | None, typer.Option(help="Only strikes on this kind of asset, such as refinery.")]
MapLanguage = Literal["en", "uk", "de"]
MapSize = Literal["85", "120", "180", "a4", "a3", "slide"]
MapFormat = Literal["png", "svg", "pdf"]
SizeOption = Annotated[MapSize, typer.Option("--size", help="A column of so many millimetres, paper, or a slide.")]
LanguageOption = Annotated[MapLanguage, typer.Option("--lang", help="Language of all that the map says.")]
GreyOption = Annotated[bool, typer.Option("--grey", help="Draw without colours.")]


@app.command(
    "map", epilog="Example: strikeatlas export map --bbox 28,45,33,48 --country AZ --size a4 --format pdf -o odesa.pdf"
)
def map_(
    bbox: BoxOption = None,
    datetime: DatetimeOption = None,
    country: Annotated[
        str | None,
        typer.Option(help="Colour and order by what this country owned (ISO 3166-1); others stay as grey dots."),
    ] = None,
    relation: RelationOption = None,
    entity: EntityOption = None,
    asset: AssetOption = None,
    kind: KindOption = None,
    strike: Annotated[str | None, typer.Option(help="Tell of one strike, with the shares of its owners.")] = None,
    fmt: Annotated[
        MapFormat | None, typer.Option("--format", help="File format.", show_default="that of the name, or png")
    ] = None,
    size: SizeOption = "180",
    language: LanguageOption = "en",
    grey: GreyOption = False,
    title: Annotated[
        str | None, typer.Option(help="Title of the map instead of the sentence that follows from the data.")
    ] = None,
    table: Annotated[bool, typer.Option("--table/--no-table", help="Number the strikes and list them.")] = True,
    dpi: Annotated[int, typer.Option(min=50, max=600, help="Dots an inch (png).")] = 300,
    out: Out = Path("strikeatlas-map"),
    store: StoreAddress = STORE,
    base: BasemapOption = BASEMAP,
    manifest: WithManifest = True,
    as_json: AsJson = False,
) -> None:
    """Draw a map that says in its title whose sites were struck, with key, table, sources and the date of the data."""
    from api.exports.printed_map import sheet

    fmt = format_of(out, fmt, get_args(MapFormat))
    opened, version = open_published(store, base)
    snapshot = version.snapshot
    country = country_of(country)
    related = None if relation is None else country
    query = stated(datetime=datetime, entity=entity, relation=relation, assets=asset, kind=kind, country=related)
    box = box_of(bbox) or _map_box(snapshot, query, country, strike)
    code = FigureCode.of(snapshot, FigureSubject.of_box(box, query), version.head)
    chosen = selected_rows(snapshot, query, box if bbox or country or strike else None)
    first = [_row_of(snapshot, strike)] if strike else []
    with collection_paused():
        drawn = map_strikes_at(snapshot, [*dict.fromkeys([*first, *chosen])], language)
        order = sheet.MapOrder(
            bbox=box,
            fmt=fmt,
            size=size,
            language=language,
            in_grey=grey,
            country=country,
            strike=strike,
            scope=_scope(snapshot, query, language),
            title=title,
            table=table,
            dpi=dpi,
            origin=sheet_origin(version, code, drawn.left_out, language),
        )
        lines, archive = map_lines(snapshot.records, language), basemap_archive(base)
        composed = sheet.composed(drawn.strikes, lines, snapshot.basemap, archive, order)
        content = sheet.drawn_file(composed)
    options = {
        **query, "bbox": box, "country": country, "strike": strike, "format": fmt, "size": size, "lang": language,
        "grey": grey, "title": title, "table": table, "dpi": dpi,
    }  # fmt: skip
    origin = export_origin("map", opened, version, options, drawn.cited, code, composed.contents.credits)
    write_export(ExportTarget.of(out, manifest, as_json, f".{fmt}"), content, origin)


def format_of(out: Path, wanted: Form | None, formats: Sequence[Form]) -> Form:
    """The format that is wanted, or that of the name of a file; the first of all where neither says one.

    Raises `BadParameter` if the name is that of a file of another format.
    """
    named = next((fmt for fmt in formats if out.suffix.lower() == f".{fmt}"), None)
    if wanted and named not in (None, wanted):
        raise typer.BadParameter(
            f"{out.name} is the name of a {named} file, and not of {wanted}", param_hint="--format"
        )
    return wanted or named or formats[0]


def country_of(text: str | None) -> str | None:
    """Read the code of a country; ``None`` where none was given."""
    return None if text is None else COUNTRY.read({"country": text})


def stated(**given: str | None) -> dict[str, str]:
    """The parameters of a selection that were given, by name."""
    return {name: value for name, value in given.items() if value is not None}


def _map_box(snapshot: Snapshot, query: Mapping[str, str], country: str | None, strike: str | None) -> Box:
    """The box of a map that names none: about one strike and the lines of what it hit, or about all selected ones.

    Of a country it is about the selected strikes on what it owned, or about all where it owned nothing of it.
    """
    layer = snapshot.collections["strikes"]
    if strike is not None:
        drawn = map_strikes_at(snapshot, [_row_of(snapshot, strike)]).strikes
        lines = frozenset().union(*(one.lines for one in drawn))
        shapes: list[BaseGeometry] = [shapely.Point(place.point) for one in drawn for place in one.places]
        shapes += [line.shape for line in map_lines(snapshot.records) if line.id in lines]
    else:
        rows = selected_rows(snapshot, {**query, "country": country} if country else query)
        rows = rows if len(rows) else selected_rows(snapshot, query)
        shapes = list(layer.shapes_at(np.array(rows, dtype=np.int64)))
    return box_around(shapes)


def _scope(snapshot: Snapshot, query: Mapping[str, str], language: GroundLanguage) -> str | None:
    """Say which strikes a map is given where a query selects them; ``None`` where it does not."""
    words, records = PrintWords.of(language, snapshot.basemap), snapshot.records
    said: Mapping[str, Callable[[str], str]] = {
        "datetime": words.date,
        "kind": lambda kind: phrase(f"kind.{kind}", language),
        "assets": lambda asset: name_in(records.assets[asset], language) if asset in records.assets else asset,
        "entity": lambda owner: name_in(records.entities[owner], language) if owner in records.entities else owner,
    }
    listed = [say(query[name]) for name, say in said.items() if name in query]
    return words("title.selected", list="; ".join(listed)) if listed else None


def _row_of(snapshot: Snapshot, strike: str) -> int:
    """The row of a strike; raises `UnknownRecord` if there is no such strike."""
    rows = snapshot.collections["strikes"].rows_by_id
    if strike not in rows:
        raise UnknownRecord(Message("record.no-strike", {"id": strike}))
    return rows[strike]


def basemap_archive(base: Path) -> BasemapArchive | None:
    """The archive of the web map beside a base map, where there is one that can be read."""
    try:
        return BasemapArchive.beside(base)
    except UnreadableArchive as error:
        raise ExportError(str(error)) from error


def sheet_origin(version: PublishedVersion, code: FigureCode, retracted: int, language: str) -> SheetOrigin:
    """Where the data of a sheet are from, with what is withheld of them, in the language of the sheet."""
    remarks = [*summary(version.disclosure, language), phrase("policy.footnote", language, code=code)]
    day, history = version.snapshot.data_date, version.head.digits
    return SheetOrigin(day=day, history=history, remarks=remarks, retracted=retracted)


@app.command("page", epilog="Example: strikeatlas export page --lang de -o strikes.html")
def page(
    bbox: BoxOption = None,
    datetime: DatetimeOption = None,
    country: Annotated[
        str | None, typer.Option(help="Only strikes on what this country owned (ISO 3166-1), or was tied to.")
    ] = None,
    relation: RelationOption = None,
    entity: EntityOption = None,
    asset: AssetOption = None,
    kind: KindOption = None,
    title: Annotated[str | None, typer.Option(help="Title of the page.")] = None,
    language: LanguageOption = "en",
    out: Out = Path("strikeatlas.html"),
    store: StoreAddress = STORE,
    base: BasemapOption = BASEMAP,
    manifest: WithManifest = True,
    as_json: AsJson = False,
) -> None:
    """Write one HTML file with map, search and sources in it; it opens from disk without a network."""
    from api.exports.offline_page.page import PageOrder
    from api.exports.offline_page.page import page as one_file

    opened, version = open_published(store, base)
    snapshot, box = version.snapshot, box_of(bbox)
    country = country_of(country)
    query = stated(datetime=datetime, country=country, relation=relation, entity=entity, assets=asset, kind=kind)
    names = snapshot.collections["strikes"].ids
    chosen = [*snapshot.answers_of(names[row] for row in selected_rows(snapshot, query, box))]
    if len(chosen) > _MOST_ON_PAGE:
        raise ExportError(f"expected at most {_MOST_ON_PAGE} strikes on a page; got {len(chosen)}: select some")
    rows = strike_rows(snapshot, chosen, language)
    cited = {name for row in rows for name in row["sources"]}
    placed = [shapely.Point(row["lon"], row["lat"]) for row in rows if row["lon"] is not None]
    struck = {asset for answer in chosen for asset in answer.assets}
    lines = [line for line in map_lines(snapshot.records) if not line.only_struck or line.id in struck]
    credits = sorted({credit for line in lines for credit in line.credits})
    order = PageOrder(
        title=title,
        language=language,
        box=box or box_around(placed),
        day=snapshot.data_date,
        history=version.head.digits,
        countries=country_names(snapshot.country_names, language),
        remarks=[*summary(version.disclosure, language), *open_data_note(credits, language)],
    )
    shapes = np.array([line.shape for line in lines], dtype=object)
    html = one_file(rows, cited_sources(snapshot, rows), shapes, snapshot.basemap, order)
    options = {**query, "bbox": box, "title": title, "lang": language}
    origin = export_origin("page", opened, version, options, cited, credits=credits)
    write_export(ExportTarget.of(out, manifest, as_json), html.encode(), origin)


def _register(command: str, title: str, suffix: str) -> None:
    """Add the command that writes one layer in a form of file."""

    def write_layer(
        layer: Annotated[Layer, typer.Argument(help="What to write.")] = "strikes",
        bbox: BoxOption = None,
        out: Out = Path(f"strikeatlas.{suffix}"),
        store: StoreAddress = STORE,
        base: BasemapOption = BASEMAP,
        manifest: WithManifest = True,
        as_json: AsJson = False,
    ) -> None:
        published, target = open_published(store, base), ExportTarget.of(out, manifest, as_json)
        _write_layer(command, FILES[suffix], layer, box_of(bbox), published, target)

    example = f"Example: strikeatlas export {command} attributions -o attributions.{suffix}"
    app.command(command, help=f"Write one layer as {title}.", epilog=example)(write_layer)


for _command, _title, _suffix in (
    ("geojson", "GeoJSON (RFC 7946)", "geojson"),
    ("geojsonseq", "a sequence of GeoJSON features (RFC 8142)", "geojsons"),
    ("parquet", "GeoParquet 1.1", "parquet"),
    ("arrow", "an Arrow file with GeoArrow geometry", "arrow"),
    ("fgb", "FlatGeobuf", "fgb"),
    ("kml", "KML 2.2", "kml"),
    ("xlsx", "an XLSX workbook, points as lon and lat", "xlsx"),
):
    _register(_command, _title, _suffix)


@app.command("csv", epilog="Example: strikeatlas export csv attributions -o attributions.csv")
def to_csv(
    layer: Annotated[Layer, typer.Argument(help="What to write.")] = "strikes",
    bbox: BoxOption = None,
    bom: Annotated[bool, typer.Option("--bom", help="Begin with the mark by which Excel knows UTF-8.")] = False,
    out: Out = Path("strikeatlas.csv"),
    store: StoreAddress = STORE,
    base: BasemapOption = BASEMAP,
    manifest: WithManifest = True,
    as_json: AsJson = False,
) -> None:
    """Write one layer as CSV with its geometry as WKT, and FILE-metadata.json beside it (CSVW)."""
    form = csv.WITH_BOM if bom else csv.FORMAT
    published, target = open_published(store, base), ExportTarget.of(out, manifest, as_json)
    page = _write_layer("csv", form, layer, box_of(bbox), published, target)
    if not target.is_stream:
        described = replace(page, links=[{"rel": "describes", "href": target.path.name}])
        with replacing(csv.metadata_beside(target.path)) as fresh:
            fresh.write_bytes(csv.metadata(described))


@app.command("gpkg", epilog="Example: strikeatlas export gpkg --bbox 28,45,33,48 -o odesa.gpkg")
def to_gpkg(
    bbox: BoxOption = None,
    out: Out = Path("strikeatlas.gpkg"),
    store: StoreAddress = STORE,
    base: BasemapOption = BASEMAP,
    manifest: WithManifest = True,
    as_json: AsJson = False,
) -> None:
    """Write all layers into one GeoPackage, which QGIS opens with their styles."""
    opened, version = open_published(store, base)
    box = box_of(bbox)
    pages = [_page(opened, version, name, box) for name in version.snapshot.collections]
    origin = export_origin("gpkg", opened, version, {"bbox": box}, _cited(version.snapshot, LAYERS, box))
    target = ExportTarget.of(out, manifest, as_json)
    if not target.is_stream:
        with replacing_export(target.path, origin if manifest else None) as fresh:
            geopackage.write_file(pages, fresh)
        _said(target)
        return
    with tempfile.TemporaryDirectory() as folder:  # SQLite writes to and fro
        geopackage.write_file(pages, Path(folder) / "strikeatlas.gpkg")
        write_export(target, (Path(folder) / "strikeatlas.gpkg").read_bytes(), origin)


def _page(opened: Store, version: PublishedVersion, layer: str, box: Box | None) -> FeaturePage:
    """The features of a layer that lie in a box, in the order of the HTTP API."""
    snapshot = version.snapshot
    settings = with_credit_for(Settings(), opened.open_layer)
    metadata, changed = FileMetadata.of(version, settings), changed_at(opened, version)
    selection = Selection(box, include_without_geometry=False)
    return FeaturePage.of_file(snapshot.collections[layer], selection, metadata, changed)


@app.command("bods", epilog="Example: strikeatlas export bods --publisher 'A. Editor' -o owners.json")
def to_bods(
    publisher: Annotated[str, typer.Option(help="Who publishes the statements.")] = "StrikeAtlas",
    out: Out = Path("strikeatlas-bods.json"),
    store: StoreAddress = STORE,
    base: BasemapOption = BASEMAP,
    manifest: WithManifest = True,
    as_json: AsJson = False,
) -> None:
    """Write all entities, stakes and controls as Beneficial Ownership Data Standard 0.4 statements."""
    from layers.sources.bods import writer

    opened, version = open_published(store, base)
    snapshot = version.snapshot
    content = writer.dumps(writer.render(snapshot.records, publisher, snapshot.data_date))
    origin = export_origin("bods", opened, version, {"publisher": publisher}, snapshot.records.sources)
    write_export(ExportTarget.of(out, manifest, as_json), content, origin)


@dataclass(frozen=True)
class ExportTarget:
    """Where an export is written to, whether with a manifest, and in which form that is said."""

    path: Path
    with_manifest: bool
    as_json: bool

    @classmethod
    def of(cls, out: Path, manifest: bool, as_json: bool, suffix: str = "") -> ExportTarget:
        """A file, which gets the suffix of its format if it lacks it; standard output (``-``) and devices get none."""
        if out == _STANDARD_OUTPUT or is_stream(out):
            return cls(out, False, as_json)
        named = out.suffix.lower() == suffix or not suffix
        return cls(out if named else out.with_name(out.name + suffix), manifest, as_json)

    @property
    def is_stream(self) -> bool:
        """Whether it is standard output or a device, which no file replaces."""
        return self.path == _STANDARD_OUTPUT or is_stream(self.path)


def write_export(target: ExportTarget, content: bytes | Callable[[BinaryIO], None], origin: ExportOrigin) -> None:
    """Write an export, or have it written, with its manifest, and say what was written."""
    if target.path == _STANDARD_OUTPUT:
        with tempfile.TemporaryFile() as whole:  # forms with an index at their end ask where they are in the file
            _write_content(content, whole)
            whole.seek(0)
            shutil.copyfileobj(whole, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    with replacing_export(target.path, origin if target.with_manifest else None) as fresh, fresh.open("wb") as out:
        _write_content(content, out)
    _said(target)


def _write_content(content: bytes | Callable[[BinaryIO], None], out: BinaryIO) -> None:
    if isinstance(content, bytes):
        out.write(content)
    else:
        content(out)


def _write_layer(
    command: str,
    form: FeatureFormat,
    layer: Layer,
    box: Box | None,
    published: tuple[Store, PublishedVersion],
    target: ExportTarget,
) -> FeaturePage:
    opened, version = published
    cited = _cited(version.snapshot, [layer], box)
    origin = export_origin(command, opened, version, {"layer": layer, "bbox": box}, cited)
    page = _page(opened, version, layer, box)
    write_export(target, partial(form.write_to, page), origin)
    return page


def export_origin(
    kind: str,
    opened: Store,
    version: PublishedVersion,
    query: Mapping[str, Any],
    cited: Iterable[str],
    code: FigureCode | None = None,
    credits: Iterable[Credit] = (),
) -> ExportOrigin:
    """What an export is made of; it cites sources by their ids, and those whose open data it draws."""
    snapshot = version.snapshot
    known = snapshot.records.sources
    publishers = {*credits, *((known[key].publisher, known[key].licence) for key in cited)}
    return ExportOrigin(
        kind=kind,
        query=query,
        program=f"{program_version()}+{sources('api', 'layers', 'geo').hex()[:16]}",
        head=version.head,
        data_date=snapshot.data_date,
        policy=version.disclosure.policy.digest,
        has_unrecorded_edits=bool(opened.last_external_edit()),
        sources=sorted(publishers, key=lambda one: (one[0], one[1] or "")),
        figure=None if code is None else str(code),
    )


def _cited(snapshot: Snapshot, layers: Iterable[str], box: Box | None) -> set[str]:
    """Ids of the sources of the strikes and assets that rows of layers tell of; of countries, which sum up, all."""
    records, cited = snapshot.records, set[str]()
    tables: tuple[Mapping[str, Strike | Asset], ...] = (records.strikes, records.assets)
    columns = {
        "strikes": ("id", None),
        **dict.fromkeys(("assets", *ASSET_VIEWS), (None, "id")),
        **dict.fromkeys(BY_STRIKE, ("strike", "asset")),
    }
    for name in layers:
        if name not in columns:
            return {*records.sources}
        collection = snapshot.collections[name]
        rows = collection.select(box)
        for column, table in zip(columns[name], tables, strict=True):
            if column is not None:
                named = {*collection.features.columns[column].take(rows)} - {None}
                cited.update(*lists_of(table, "sources", named))
    return cited


def _said(target: ExportTarget) -> None:
    path, size = target.path, target.path.stat().st_size
    manifest = str(manifest_beside(path)) if target.with_manifest else None
    words = f"; its manifest is {manifest}" if manifest else ""
    output(
        {"file": str(path), "bytes": size, "manifest": manifest}, target.as_json, f"{path}: {size / 1000:.0f} kB{words}"
    )
