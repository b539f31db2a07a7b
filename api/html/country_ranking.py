"""What the page of all countries says: how many strikes hit what was owned in each, surely or possibly, most first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, get_args

from starlette.requests import Request

from api.exports.text import amount, page_text, word
from api.html.addresses import href, leads_somewhere
from api.http.json import Json
from api.server.served_version import ServedVersion
from api.wording.catalogue import formatted
from api.wording.countries import country_names
from api.wording.dates import date_in_words
from api.wording.preference import language_of
from layers.model.types import CountryBasis
from layers.ownership.minority import Minority

#: Ways to count that a reader chooses between, by the parameter.
_CHOICES = {"basis": get_args(CountryBasis), "minority": get_args(Minority)}
#: Values of parameters that an address need not name.
_DEFAULTS = (None, "registration", "stay")


class StrikeCount(NamedTuple):
    """Strikes that surely count, and how many more may, as text; each is empty where there are none."""

    sure: str
    possible: str


class RankedCountry(NamedTuple):
    """A country of the ranking.

    Attributes
    ----------
    name, code, address
        Its name, its ISO 3166-1 code and the address of its page.
    counted
        The strikes that it is ranked by.
    bar
        Parts of the bar of these strikes in hundredths of the longest: their kind and width.
    whole_sites, hits
        Least and most that its shares in the sites hit come to, and the number of these sites; empty where it had none.
    hosted
        Strikes on its soil, where they are counted beside others.
    ties
        Its other ties, each with the strikes on what it was tied to.
    """

    name: str
    code: str
    address: str
    counted: StrikeCount
    bar: Sequence[tuple[str, float]]
    whole_sites: str
    hits: str
    hosted: StrikeCount
    ties: Sequence[tuple[str, StrikeCount]]


class CountingChoice(NamedTuple):
    """One of the ways to count: its name, the address of the page that counts so, and whether this one does."""

    name: str
    address: str
    is_chosen: bool


def country_ranking(request: Request, view: ServedVersion, answer: Json) -> Json:
    """Give the page of all countries its rows and the ways to count.

    Parameters
    ----------
    answer
        The answer on all countries, see `api.serializers.country`; its order is kept.
    """
    language, by = language_of(request), answer["relation"] or "owner"
    names = country_names(view.snapshot.country_names, language)
    most = max((row["relations"][by]["strikes"] for row in answer["countries"]), default=0) or 1
    rows = [_ranked(request, row, by, names.get(row["country"], row["name"]), most) for row in answer["countries"]]
    choices = [(page_text(name, language), _choices(request, answer, name)) for name in _CHOICES]
    return {
        "ranked": rows,
        "by": by,
        "by_name": word("relation", by, language),
        "choices": [(name, options) for name, options in choices if len(options) > 1],
        "day": date_in_words(view.snapshot.data_date.isoformat(), language),
    }


def _choices(request: Request, answer: Json, name: str) -> list[CountingChoice]:
    """List the values of a parameter, without those that only a server answers where the page becomes a file."""
    chosen, language = {one: answer[one] for one in ("relation", *_CHOICES)}, language_of(request)
    options = []
    for value in _CHOICES[name]:
        query = {one: given for one, given in {**chosen, name: value}.items() if given not in _DEFAULTS}
        address = href(request, "/countries", **query)
        if value == answer[name] or leads_somewhere(request, address):
            options.append(CountingChoice(page_text(f"{name}{value}", language), address, value == answer[name]))
    return options


def _ranked(request: Request, row: Json, by: str, name: str, most: int) -> RankedCountry:
    relations, language = row["relations"], language_of(request)
    owner, shown = relations.get("owner"), relations[by]
    ties = [
        (word("relation", relation, language), _count(count, language))
        for relation, count in relations.items()
        if relation not in ("owner", "host", by) and count["strikes"]
    ]
    return RankedCountry(
        name,
        row["country"],
        href(request, f"/countries/{row['country']}"),
        _count(shown, language),
        [
            ("sure", 100 * shown["strikes_sure"] / most),
            ("range", 100 * (shown["strikes"] - shown["strikes_sure"]) / most),
        ],
        amount(owner["assets_min"], owner["assets_max"], language) if owner and owner["hits"] else "",
        formatted(owner["hits"], ",", language) if owner else "",
        _count(relations["host"] if by != "host" and "host" in relations else {}, language),
        ties,
    )


def _count(count: Json, language: str) -> StrikeCount:
    strikes, sure = count.get("strikes", 0), count.get("strikes_sure", 0)
    return StrikeCount(*(formatted(number, ",", language) if number else "" for number in (sure, strikes - sure)))
