"""All formats that can be loaded, by name, and which of them a file is of."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from layers.sources import ownership_formats
from layers.sources.column_mapping import formats as generic
from layers.sources.files.limits import Refused
from layers.sources.files.source_file import SourceFile
from layers.sources.gem import formats as gem
from layers.sources.gem import ownership_tables
from layers.sources.osm import reader
from layers.sources.reader.format import Format, Request
from layers.sources.strikes import acled, eyes_on_russia, timemap, ucdp, viina
from layers.sources.wri import power_plants

__all__ = ["FORMATS", "Format", "Request", "recognise"]

_ALL: tuple[Format, ...] = (
    ownership_formats.CURATED,
    acled.FORMAT,
    viina.FORMAT,
    ucdp.FORMAT,
    eyes_on_russia.FORMAT,
    timemap.FORMAT,
    gem.TRACKER,
    ownership_tables.FORMAT,
    gem.GEM,
    power_plants.FORMAT,
    reader.FORMAT,
    ownership_formats.BODS,
    ownership_formats.GLEIF,
    ownership_formats.WIKIDATA,
    *generic.FORMATS,
)

FORMATS: Mapping[str, Format] = MappingProxyType({one.name: one for one in _ALL})
_GENERIC = frozenset(one.name for one in generic.FORMATS)


def recognise(file: SourceFile, has_mapping: bool = False) -> Format:
    """The one format that a file is of; a generic one only where a mapping says what its columns mean.

    Raises
    ------
    Refused
        If none or several fit; the several are named.
    """
    head = file.head()
    found = [one for one in _ALL if one.recognises(head) and (one.name in _GENERIC) == has_mapping]
    if len(found) == 1:
        return found[0]
    told = ", ".join(one.name for one in found)
    if told:
        raise Refused(file.name, "format", f"may be {told}", "one format; say which")
    columns = ", ".join((head.columns or head.keys)[:8]) or head.container
    expected = "a known format (strikeatlas formats), or any table or features with --mapping"
    raise Refused(file.name, "format", f"not recognised ({columns})", expected)
