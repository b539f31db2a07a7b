"""Data that records are looked up in and that the atlas never edits: base map, regions, gazetteer."""
