"""The descriptor of a file format, and the options of one load."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layers.model.problems import ReadResult
from layers.reference.gazetteer import Gazetteer
from layers.sources.files.sniffing import FileSniff
from layers.sources.files.source_file import SourceFile

if TYPE_CHECKING:
    from layers.sources.reader.mapping_file import ColumnMapping


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """Options with which files are read.

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
    """One format that can be loaded; a reader module declares one and `layers.sources.registry` lists it.

    ``provides`` names in a few words the records that a file gives; ``licence`` is that of the data as its publisher
    states it; ``private`` is whether that licence forbids to publish the records. ``recognises`` decides by the first
    bytes whether a file is of the format: it must be true for as few other files as can be; ``signature`` is that rule
    in words. ``read`` gives records and every problem; it raises only ``FileRefused`` (a ``ProblemsError``), for a file
    that cannot be read at all. ``theatre`` are the countries (ISO 3166-1) that every event of the publisher is in,
    where it says so.
    """

    name: str
    title: str
    provides: str
    licence: str
    recognises: Callable[[FileSniff], bool]
    read: Callable[[Sequence[SourceFile], LoadOptions], ReadResult]
    private: bool = False
    signature: str = ""
    theatre: tuple[str, ...] = ()
