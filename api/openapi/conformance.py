"""The conformance classes that are claimed: each is tested, see docs/conformance.md."""

from __future__ import annotations

_OGC = "http://www.opengis.net/spec"

CLASSES = (
    f"{_OGC}/ogcapi-common-1/1.0/conf/core",
    f"{_OGC}/ogcapi-features-1/1.0/conf/core",
    f"{_OGC}/ogcapi-features-1/1.0/conf/geojson",
    f"{_OGC}/ogcapi-features-1/1.0/conf/html",
    f"{_OGC}/ogcapi-features-1/1.0/conf/oas30",
    f"{_OGC}/ogcapi-features-2/1.0/conf/crs",
    f"{_OGC}/ogcapi-features-3/1.0/conf/queryables",
    f"{_OGC}/ogcapi-features-3/1.0/conf/queryables-query-parameters",
    f"{_OGC}/ogcapi-features-3/1.0/conf/filter",
    f"{_OGC}/ogcapi-features-3/1.0/conf/features-filter",
    f"{_OGC}/ogcapi-features-4/1.0/conf/create-replace-delete",
    f"{_OGC}/ogcapi-features-4/1.0/conf/update",
    f"{_OGC}/ogcapi-features-4/1.0/conf/optimistic-locking-etags",
    f"{_OGC}/ogcapi-features-4/1.0/conf/features",
    f"{_OGC}/ogcapi-features-5/1.0/conf/schemas",
    f"{_OGC}/ogcapi-features-5/1.0/conf/advanced-property-roles",
    f"{_OGC}/ogcapi-features-5/1.0/conf/returnables-and-receivables",
    f"{_OGC}/ogcapi-features-5/1.0/conf/queryables",
    f"{_OGC}/ogcapi-features-5/1.0/conf/sortables",
    f"{_OGC}/ogcapi-features-5/1.0/conf/profile-parameter",
    f"{_OGC}/ogcapi-features-8/1.0/conf/sortables",
    f"{_OGC}/ogcapi-features-8/1.0/conf/sorting",
    f"{_OGC}/ogcapi-features-8/1.0/conf/features-sorting",
    f"{_OGC}/json-fg-1/1.0/conf/core",
    f"{_OGC}/json-fg-1/1.0/conf/types-schemas",
    f"{_OGC}/json-fg-1/1.0/conf/profiles",
    f"{_OGC}/json-fg-1/1.0/conf/api",
    f"{_OGC}/ogcapi-styles-1/1.0/conf/core",
    *(
        f"{_OGC}/ogcapi-tiles-1/1.0/conf/{name}"
        for name in ("core", "tileset", "tilesets-list", "geodata-tilesets", "mvt")
    ),
    *(
        f"{_OGC}/cql2/1.0/conf/{name}"
        for name in (
            "cql2-text",
            "cql2-json",
            "basic-cql2",
            "advanced-comparison-operators",
            "case-insensitive-comparison",
            "accent-insensitive-comparison",
            "basic-spatial-functions",
            # What the drafts called the class before, and QGIS looks for.
            "basic-spatial-operators",
            "basic-spatial-functions-plus",
            "spatial-functions",
            "temporal-functions",
            "array-functions",
            "property-property",
            "arithmetic",
        )
    ),
)
