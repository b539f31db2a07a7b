"""The GeoPackage format alone: header tables, layers, geometry blobs. Knows no record type."""
