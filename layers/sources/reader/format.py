"""What a person asks of a reader, and what a reader says of its format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layers.model.read_result import Reading
from layers.reference.gazetteer import Gazetteer
from layers.sources.files.sniffing import Head
from layers.sources.files.source_file import SourceFile

if TYPE_CHECKING:
    from layers.sources.reader.column_mapping import ColumnMapping


@dataclass(frozen=True, slots=True)
class Request:
    """How files are to be read.

    ``dataset`` is the id of the load, which every record carries; ``retrieved`` the EDTF day on which the files were
    obtained; ``mapping`` says what the columns of a generic file mean; ``licence`` stands in place of the format's;
    ``gazetteer`` finds places that a row gives only by name (None: such rows stay without a point).
    """

    dataset: str
    retrieved: str | None = None
    mapping: ColumnMapping | None = None
    licence: str | None = None
    gazetteer: Gazetteer | None = None


@dataclass(frozen=True, slots=True)
class Format:
    """One format that can be loaded.

    ``gives`` says in a few words what comes of a file; ``licence`` is that of the data as its publisher states it;
    ``private`` is whether that licence forbids to publish the records. ``recognises`` tells by the first bytes
    whether a file is of the format: true for as few other files as can be. ``known_by`` says the same in words.
    ``read`` gives records and every problem; it raises only ``Refused`` (a ``ProblemsError``), for a file that
    cannot be read at all.
    """

    name: str
    title: str
    gives: str
    licence: str
    recognises: Callable[[Head], bool]
    read: Callable[[Sequence[SourceFile], Request], Reading]
    private: bool = False
    known_by: str = ""
