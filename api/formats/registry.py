"""The formats of features: each has a module that declares it, and stands once in this list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from api.formats import columnar, csv, geojson, geopackage, kml, spreadsheet
from api.formats.page import FeatureFormat, FeaturePage, Piece
from api.requests.negotiation import HTML, MediaFormat

#: In the order in which they are offered, the default first. Pages for people are made of the GeoJSON by `api.html`.
FORMATS: Sequence[FeatureFormat] = (
    geojson.FORMAT,
    geojson.JSONFG_FORMAT,
    FeatureFormat.of_pieces(HTML, geojson.collection, geojson.feature),
    geojson.SEQUENCE,
    csv.FORMAT,
    csv.WITH_BOM,
    csv.METADATA,
    spreadsheet.FORMAT,
    columnar.FLATGEOBUF,
    geopackage.FORMAT,
    columnar.GEOPARQUET,
    columnar.ARROW,
    kml.FORMAT,
)

#: Formats of the features of a collection, and those that one feature has too.
FEATURES = tuple(one.media for one in FORMATS)
FEATURE = tuple(one.media for one in FORMATS if one.write_feature is not None)
#: Formats of files by the ending of their names.
FILES: Mapping[str, FeatureFormat] = {
    "geojson": geojson.FORMAT,
    "geojsons": geojson.SEQUENCE,
    "csv": csv.FORMAT,
    "xlsx": spreadsheet.FORMAT,
    "fgb": columnar.FLATGEOBUF,
    "gpkg": geopackage.FORMAT,
    "parquet": columnar.GEOPARQUET,
    "arrow": columnar.ARROW,
    "kml": kml.FORMAT,
}
#: Functions that write a page of features, in pieces to be joined, and one feature.
WRITERS: Mapping[MediaFormat, Callable[[FeaturePage], Sequence[Piece]]] = {one.media: one.in_pieces for one in FORMATS}
FEATURE_WRITERS: Mapping[MediaFormat, Callable[[FeaturePage], bytes]] = {
    one.media: one.write_feature for one in FORMATS if one.write_feature is not None
}
