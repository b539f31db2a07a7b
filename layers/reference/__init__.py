"""Data that the atlas looks things up in and never edits: base map, regions, gazetteer."""
