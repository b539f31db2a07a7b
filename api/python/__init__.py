"""The Python interface: an atlas of a store, a server or the bundled records, whose layers are GeoDataFrames."""
