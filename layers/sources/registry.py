"""All formats that can be loaded, by name, and the recognition of a file's format. A new format is a line in `_ALL`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from layers.model.messages import Message
from layers.sources import curated, data_package, firms, gleif, wri
from layers.sources.bods import reader as bods
from layers.sources.column_mapping import reader as column_mapping
from layers.sources.files.limits import FileRefused
from layers.sources.files.source_file import SourceFile
from layers.sources.gem import formats as gem
from layers.sources.gem import ownership_tables as gem_ownership
from layers.sources.osm import reader as osm
from layers.sources.reader.format import Format, LoadOptions
from layers.sources.strikes import acled, eyes_on_russia, timemap, ucdp, viina
from layers.sources.wikidata import reader as wikidata

__all__ = ["FORMATS", "Format", "LoadOptions", "recognise"]

_ALL: tuple[Format, ...] = (
    curated.FORMAT,
    data_package.FORMAT,
    acled.FORMAT,
    viina.FORMAT,
    ucdp.FORMAT,
    eyes_on_russia.FORMAT,
    timemap.FORMAT,
    gem.TRACKER,
    gem_ownership.FORMAT,
    gem.GEM,
    wri.FORMAT,
    osm.FORMAT,
    bods.FORMAT,
    gleif.FORMAT,
    wikidata.FORMAT,
    firms.FORMAT,
    *column_mapping.FORMATS,
)

FORMATS: Mapping[str, Format] = MappingProxyType({known.name: known for known in _ALL})
_GENERIC = frozenset(known.name for known in column_mapping.FORMATS)


def recognise(file: SourceFile, has_mapping: bool = False) -> Format:
    """Return the only format that recognises a file; a generic format only where a column mapping is given.

    Raises ``FileRefused`` if no format fits, or several do; their names are in the error.
    """
    sniff = file.sniff()
    matching = [known for known in _ALL if known.recognises(sniff) and (known.name in _GENERIC) == has_mapping]
    if len(matching) == 1:
        return matching[0]
    if matching:
        several = Message("registry.several-formats", {"names": tuple(known.name for known in matching)})
        raise FileRefused(file.name, "format", several, Message("registry.one-format"))
    columns = ", ".join((sniff.columns or sniff.keys)[:8]) or sniff.container
    unknown = Message("registry.unknown-format", {"columns": columns})
    raise FileRefused(file.name, "format", unknown, Message("registry.known-format"))
