"""Columns and ids of GEM's files: headers by their several names, ids that no file changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from layers.sources import naming


def columns_of(header: Sequence[str], names: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Which header stands for each field: the first of its known names that is there, whatever its case."""
    there = {name.casefold(): name for name in reversed(header)}
    found = {
        field: next((there[n.casefold()] for n in known if n.casefold() in there), None)
        for field, known in names.items()
    }
    return {field: name for field, name in found.items() if name is not None}


def name_id(name: str) -> str:
    """Id of an entity that GEM knows by name only, the same in every file."""
    return naming.name_id("gem", name)


def gem_id(identifier: str) -> str:
    """Id of a record that GEM numbers, such as P0763 or E100000000834."""
    return f"gem/{naming.slug(identifier)}"
