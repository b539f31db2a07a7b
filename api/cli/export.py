"""``strikeatlas export``: the map on paper, the one-file page, and the layers as files; `dossier` has its own module.

What draws is imported where it is needed: fonts and folium take a second that no other command should pay.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from inspect import Signature, signature
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, TypeVar, get_args

import numpy as np
import shapely
import typer
from shapely.geometry.base import BaseGeometry

from api.cli.common import STORE, AsJson, BasemapOption, StoreAddress, open_published, output
from api.exports.errors import ExportError
from api.exports.manifest import ExportOrigin, manifest_beside, replacing_export
from api.exports.printed_map.map_strikes import (
    Credit,
    SheetOrigin,
    box_around,
    map_lines,
    map_strikes_at,
    open_data_note,
)
from api.exports.printed_map.print_words import PrintWords
from api.formats import csv, geopackage
from api.formats.page import FeatureFormat, FeaturePage, FileMetadata
from api.formats.registry import FILES
from api.requests.crs import parse_bbox
from api.requests.query_parameters import COUNTRY
from api.serializers.attribution import cited_sources
from api.serializers.figures import FigureCode, FigureSubject, selected_rows
from api.serializers.policy import grid_in_words, summary
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
LayerArgument = Annotated[Layer, typer.Argument(help="What to write.")]


@dataclass(frozen=True)
class Export:
    """What is published of a store, and the file that some of it is written to."""

    kind: str
    out: Path
    store: str
    base: Path
    manifest: bool
    as_json: bool

    @cached_property
    def published(self) -> tuple[Store, PublishedVersion]:
        """The store, and what is published of its newest version."""
        return open_published(self.store, self.base)

    @property
    def version(self) -> PublishedVersion:
        """What is published of the newest version of the store."""
        return self.published[1]

    @property
    def is_stream(self) -> bool:
        """Whether it goes to standard output or a device, which no file replaces."""
        return _is_stream(self.out)

    def write(
        self,
        content: bytes | Callable[[BinaryIO], object],
        query: Mapping[str, Any],
        cited: Iterable[str],
        code: FigureCode | None = None,
        credits: Iterable[Credit] = (),
        suffix: str = "",
    ) -> None:
        """Write the file, or have it written, with its manifest, and say what was written.

        Parameters
        ----------
        query
            The options that shaped it, for the manifest.
        cited, credits
            Ids of the sources that it cites, and publishers whose open data it draws.
        suffix
            That of its format, which a file gets if it lacks it; standard output and devices have none.
        """
        fill = (lambda out: out.write(content)) if isinstance(content, bytes) else content
        if self.out == _STANDARD_OUTPUT:
            with tempfile.TemporaryFile() as whole:  # forms with an index at their end ask where they are in the file
                fill(whole)
                whole.seek(0)
                shutil.copyfileobj(whole, sys.stdout.buffer)
            sys.stdout.buffer.flush()
            return
        path, has_manifest = with_suffix(self.out, suffix), self.manifest and not self.is_stream
        origin = self._origin(query, cited, code, credits) if has_manifest else None
        with replacing_export(path, origin) as fresh, fresh.open("wb") as out:
            fill(out)
        self._say(path, manifest_beside(path) if has_manifest else None)

    def _origin(
        self, query: Mapping[str, Any], cited: Iterable[str], code: FigureCode | None, credits: Iterable[Credit]
    ) -> ExportOrigin:
        opened, version = self.published
        known = version.snapshot.records.sources
        publishers = {*credits, *((known[key].publisher, known[key].licence) for key in cited)}
        return ExportOrigin(
            kind=self.kind,
            query=query,
            program=f"{program_version()}+{sources('api', 'layers', 'geo').hex()[:16]}",
            head=version.head,
            data_date=version.snapshot.data_date,
            policy=version.disclosure.policy.digest,
            has_unrecorded_edits=bool(opened.last_external_edit()),
            sources=sorted(publishers, key=lambda one: (one[0], one[1] or "")),
            figure=None if code is None else str(code),
        )

    def _say(self, path: Path, manifest: Path | None) -> None:
        size = path.stat().st_size
        words = f"; its manifest is {manifest}" if manifest else ""
        values = {"file": str(path), "bytes": size, "manifest": str(manifest) if manifest else None}
        output(values, self.as_json, f"{path}: {size / 1000:.0f} kB{words}")


def with_suffix(out: Path, suffix: str) -> Path:
    """Give a file the suffix of its format if it lacks it; standard output (``-``) and devices get none."""
    return out if not suffix or out.suffix.lower() == suffix or _is_stream(out) else out.with_name(out.name + suffix)


def _is_stream(out: Path) -> bool:
    return out == _STANDARD_OUTPUT or is_stream(out)


def export_command(kind: str, default_out: str, example: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a command of an export: after its own options come those of all exports, which it gets as an `Export`.

    Parameters
    ----------
    default_out
        Name of the file that is written where none is named.
    example
        Options of the example in the help.
    """

    def register(write: Callable[..., None]) -> Callable[..., None]:
        def command(
            out: Out = Path(default_out),
            store: StoreAddress = STORE,
            base: BasemapOption = BASEMAP,
            manifest: WithManifest = True,
            as_json: AsJson = False,
            **own: Any,
        ) -> None:
            write(Export(kind, out, store, base, manifest, as_json), **own)

        (_, *options), (*shared, _) = (signature(one, eval_str=True).parameters.values() for one in (write, command))
        command.__doc__ = write.__doc__
        # Typer reads the options of a command from its signature.
        vars(command)["__signature__"] = Signature([*options, *shared])
        app.command(kind, epilog=f"Example: strikeatlas export {kind} {example}")(command)
        return write

    return register


def box_of(text: str | None) -> Box | None:
    """Read a box, where one is given."""
    return None if text is None else parse_bbox(text).box


DatetimeOption = Annotated[
    str | None, typer.Option(help="A day, or an interval of two with .. for an open end.", metavar="DAYS")
]
CountryOption = Annotated[
    str | None, typer.Option(help="Only strikes on what this country owned (ISO 3166-1), or was tied to.")
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


@export_command("map", "strikeatlas-map", "--bbox 28,45,33,48 --country AZ --size a4 --format pdf -o odesa.pdf")
def map_(
    export: Export,
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
) -> None:
    """Draw a map that says in its title whose sites were struck, with key, table, sources and the date of the data."""
    from api.exports.printed_map import sheet

    fmt = format_of(export.out, fmt, get_args(MapFormat))
    version, snapshot = export.version, export.version.snapshot
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
        lines, archive = map_lines(snapshot.records, language), basemap_archive(export.base)
        composed = sheet.composed(drawn.strikes, lines, snapshot.basemap, archive, order)
        content = sheet.drawn_file(composed)
    options = {
        **query, "bbox": box, "country": country, "strike": strike, "format": fmt, "size": size, "lang": language,
        "grey": grey, "title": title, "table": table, "dpi": dpi,
    }  # fmt: skip
    export.write(content, options, drawn.cited, code, composed.contents.credits, suffix=f".{fmt}")


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
    grid = grid_in_words(version.disclosure.policy, language)
    return SheetOrigin(day=day, history=history, remarks=remarks, retracted=retracted, grid=grid)


@export_command("page", "strikeatlas.html", "--lang de -o strikes.html")
def page(
    export: Export,
    bbox: BoxOption = None,
    datetime: DatetimeOption = None,
    country: CountryOption = None,
    relation: RelationOption = None,
    entity: EntityOption = None,
    asset: AssetOption = None,
    kind: KindOption = None,
    title: Annotated[str | None, typer.Option(help="Title of the page.")] = None,
    language: LanguageOption = "en",
) -> None:
    """Write one HTML file with map, search and sources in it; it opens from disk without a network."""
    from api.exports.offline_page.page import PageOrder
    from api.exports.offline_page.page import page as one_file

    version, snapshot, box = export.version, export.version.snapshot, box_of(bbox)
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
    export.write(html.encode(), options, cited, credits=credits)


def _register(command: str, title: str, suffix: str) -> None:
    """Add the command that writes one layer in a form of file."""

    def write_layer(export: Export, layer: LayerArgument = "strikes", bbox: BoxOption = None) -> None:
        _write_layer(export, FILES[suffix], layer, box_of(bbox))

    write_layer.__doc__ = f"Write one layer as {title}."
    export_command(command, f"strikeatlas.{suffix}", f"attributions -o attributions.{suffix}")(write_layer)


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


@export_command("csv", "strikeatlas.csv", "attributions -o attributions.csv")
def to_csv(
    export: Export,
    layer: LayerArgument = "strikes",
    bbox: BoxOption = None,
    bom: Annotated[bool, typer.Option("--bom", help="Begin with the mark by which Excel knows UTF-8.")] = False,
) -> None:
    """Write one layer as CSV with its geometry as WKT, and FILE-metadata.json beside it (CSVW)."""
    page = _write_layer(export, csv.WITH_BOM if bom else csv.FORMAT, layer, box_of(bbox))
    if not export.is_stream:
        described = replace(page, links=[{"rel": "describes", "href": export.out.name}])
        with replacing(csv.metadata_beside(export.out)) as fresh:
            fresh.write_bytes(csv.metadata(described))


@export_command("gpkg", "strikeatlas.gpkg", "--bbox 28,45,33,48 -o odesa.gpkg")
def to_gpkg(export: Export, bbox: BoxOption = None) -> None:
    """Write all layers into one GeoPackage, which QGIS opens with their styles."""
    snapshot, box = export.version.snapshot, box_of(bbox)
    pages = [_page(export, name, box) for name in snapshot.collections]
    export.write(partial(geopackage.write_layers, pages), {"bbox": box}, _cited(snapshot, LAYERS, box))


@export_command("bods", "strikeatlas-bods.json", "--publisher 'A. Editor' -o owners.json")
def to_bods(
    export: Export,
    publisher: Annotated[str, typer.Option(help="Who publishes the statements.")] = "StrikeAtlas",
) -> None:
    """Write all entities, stakes and controls as Beneficial Ownership Data Standard 0.4 statements."""
    from layers.sources.bods import writer

    snapshot = export.version.snapshot
    content = writer.dumps(writer.render(snapshot.records, publisher, snapshot.data_date))
    export.write(content, {"publisher": publisher}, snapshot.records.sources)


def _write_layer(export: Export, form: FeatureFormat, layer: Layer, box: Box | None) -> FeaturePage:
    cited, page = _cited(export.version.snapshot, [layer], box), _page(export, layer, box)
    export.write(partial(form.write_to, page), {"layer": layer, "bbox": box}, cited)
    return page


def _page(export: Export, layer: str, box: Box | None) -> FeaturePage:
    """The features of a layer that lie in a box, in the order of the HTTP API."""
    opened, version = export.published
    metadata = FileMetadata.of(version, with_credit_for(Settings(), opened.open_layer))
    selection = Selection(box, include_without_geometry=False)
    return FeaturePage.of_file(version.snapshot.collections[layer], selection, metadata, changed_at(opened, version))


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
