"""Containers: text, CSV, xlsx, zip, GeoJSON, GeoPackage as rows, within bounds. Knows no publisher."""
