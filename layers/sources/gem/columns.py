"""Columns and ids of GEM's files: headers by their several names, ids that no file changes."""

from __future__ import annotations

from layers.sources.reader import named_companies


def name_id(name: str) -> str:
    """Id of an entity that GEM knows by name only, the same in every file."""
    return named_companies.name_id("gem", name)


def gem_id(identifier: str) -> str:
    """Id of a record that GEM numbers, such as P0763 or E100000000834."""
    return f"gem/{named_companies.slug(identifier)}"
