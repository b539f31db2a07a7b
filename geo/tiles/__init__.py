"""From geometries and property columns to the bytes of a vector tile."""
