"""One table of a drafted mapping, with the reason of each of its lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from layers.sources.column_mapping.draft.file_sample import FileSample


@dataclass
class TableDraft:
    """One table of a draft: what goes under each key of the mapping, with comments by key and by column.

    ``reasons`` has the comment behind a line, by ``table.name``; ``open`` are lines that are written as comments: what
    could not be guessed. ``remarks`` are for the person: what the file leaves open.
    """

    noun: str
    sample: FileSample
    reason: str
    id: dict[str, Any] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)
    blank: dict[str, Any] = field(default_factory=dict)
    empty: dict[str, list[str]] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    dates: dict[str, list[str]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)
    skip: dict[str, list[str]] = field(default_factory=dict)
    grammar: dict[str, str] = field(default_factory=dict)
    by_name: list[str] = field(default_factory=list)
    decimal: str = "."
    reasons: dict[str, str] = field(default_factory=dict)
    open: dict[str, list[str]] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
