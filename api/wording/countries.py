"""Names of countries, regions, sites and holders in the languages of the catalogues."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from api.wording.catalogue import ENGLISH
from layers.model.records import Asset, Entity

_COUNTRIES = Path(__file__).with_name("country_names.tsv")
_REGIONS = Path(__file__).with_name("region_names.tsv")
#: Languages of their columns, after that of the codes or English names.
_COLUMNS = ("de", "uk")


def country_names(english: Mapping[str, str], language: str) -> Mapping[str, str]:
    """Return the names of countries in a language, by ISO 3166-1 alpha-2 code.

    ``language``: BCP 47 tag of the catalogue. A country without a name in that language has its English one.
    """
    if language == ENGLISH:
        return english
    return MappingProxyType({**english, **_spoken(_COUNTRIES).get(language, {})})


def region_names(region: str | None) -> dict[str, str]:
    """Return the names of a region by language, but for English; empty where none is known or the region is missing.

    ``region``: its name as strikes have it, such as "Odesa oblast".
    """
    named = ((language, names.get(region or "")) for language, names in _spoken(_REGIONS).items())
    return {language: name for language, name in named if name}


def name_in(record: Asset | Entity, language: str) -> str:
    """Return the name of a site or holder in a language, of a state that of its country; else that of the record."""
    if language == ENGLISH:
        return record.name
    own = record.names.get(language)
    if own is None and isinstance(record, Entity) and record.type == "state":
        own = _spoken(_COUNTRIES).get(language, {}).get(record.registered_in or "")
    return own or record.name


def in_language(record: Mapping[str, Any], column: str, language: str) -> str:
    """Return the title, place, region or name of a record in a language, or else as it is stored.

    Parameters
    ----------
    record
        Columns of a strike, site or holder by name; those in other languages, such as ``titles``, may be absent.
    column
        title, place, region or name.
    """
    stored = str(record[column] or "")
    return stored if language == ENGLISH else record.get(f"{column}s", {}).get(language) or stored


@cache
def _spoken(table: Path) -> Mapping[str, Mapping[str, str]]:
    """Read the names of a table by language and by the text of its first column."""
    lines = (line for line in table.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    rows = [line.split("\t") for line in lines]
    return {language: {key: names[at] for key, *names in rows} for at, language in enumerate(_COLUMNS)}
