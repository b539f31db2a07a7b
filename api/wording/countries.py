"""Names of countries, sites and holders in the languages of the catalogues."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from api.wording.catalogue import ENGLISH
from layers.model.records import Asset, Entity

_NAMES = Path(__file__).with_name("country_names.tsv")
#: Languages of its columns, after that of the codes.
_COLUMNS = ("de", "uk")


def country_names(english: Mapping[str, str], language: str) -> Mapping[str, str]:
    """Return the names of countries in a language, by ISO 3166-1 alpha-2 code.

    Parameters
    ----------
    english
        Their English names, as the base map has them.
    language
        BCP 47 tag of the catalogue. A country without a name in that language has its English one.
    """
    if language == ENGLISH:
        return english
    return MappingProxyType({**english, **_spoken().get(language, {})})


def name_in(record: Asset | Entity, language: str) -> str:
    """Return the name of a site or holder in a language, of a state that of its country; else that of the record."""
    if language == ENGLISH:
        return record.name
    own = record.names.get(language)
    if own is None and isinstance(record, Entity) and record.type == "state":
        own = _spoken().get(language, {}).get(record.registered_in or "")
    return own or record.name


def in_language(record: Mapping[str, Any], column: str, language: str) -> str:
    """Return the title, place or name of a record in a language, or else as it is stored.

    Parameters
    ----------
    record
        Columns of a strike, site or holder by name; those in other languages, such as ``titles``, may be absent.
    column
        title, place or name.
    language
        BCP 47 tag of the catalogue.
    """
    stored = str(record[column] or "")
    return stored if language == ENGLISH else record.get(f"{column}s", {}).get(language) or stored


@cache
def _spoken() -> Mapping[str, Mapping[str, str]]:
    """Read the names by language and code."""
    lines = (line for line in _NAMES.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    rows = [line.split("\t") for line in lines]
    return {language: {code: names[at] for code, *names in rows} for at, language in enumerate(_COLUMNS)}
