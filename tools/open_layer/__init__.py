"""Builds the open layer that the program comes with, from pinned files of open data; see docs/open-layer.md."""
