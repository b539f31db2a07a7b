"""Strikes as columns that evidence is measured on: place, uncertainty, stated kinds of site and words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import date
from functools import reduce
from itertools import chain
from operator import or_

import numpy as np

from geo.lonlat import Bools, Floats, Ints, Objects
from layers.matching.asset_index import POWER_PLANTS, Codes, Masks, NameIndex, RaggedArray, country_codes
from layers.model import edtf
from layers.model.records import Strike
from layers.reference.regions import RegionsNamed, host_countries, regions_named
from layers.resolution.asset_blocking import plant_types
from layers.text.kind_mentions import mentioned_kinds
from layers.text.site_terms import kind_bits, located_words, numbers, stems, without_seas


@dataclass(frozen=True, slots=True)
class StrikeColumns:
    """Strikes as columns; a strike without a geometry has no candidates.

    Attributes
    ----------
    ids
        Shape (n,).
    geometry
        Shapely geometries in lon/lat degrees (OGC:CRS84) or None, shape (n,).
    uncertainty_m
        Radius in metres that holds the true place, 0 where not stated, shape (n,).
    site
        Whether the point is a site, shape (n,).
    kinds
        Stated kinds of site as bits of ``site_terms.TARGET_KINDS``, shape (n,).
    besides
        Kinds that the text mentions and is not about, such as the port of "fuel tanks at the port", shape (n,).
    words
        Codes of the stems in the text that the name of an asset or owner has, by strike.
    is_local
        Which of the values of ``words`` name the strike's own place.
    number
        The numbers in the targets as bits, shape (n,).
    types
        The types of power plant that the text says, as bits of ``asset_blocking.TYPES``, shape (n,).
    country
        The country that the text names, else the host country, as ``asset_index.country_codes`` has it; shape (n,).
    first_day, last_day
        The days between which the strike was, as ordinals, shape (n,).
    """

    ids: Objects
    geometry: Objects
    uncertainty_m: Floats
    site: Bools
    kinds: Masks
    besides: Masks
    words: RaggedArray
    is_local: Bools
    number: Masks
    types: Masks
    country: Codes
    first_day: Ints
    last_day: Ints

    @classmethod
    def of(cls, strikes: Iterable[Strike], names: NameIndex) -> StrikeColumns:
        """Read the columns off records. The text is ``targets`` and ``title``; ``note`` and ``damage`` are not read."""
        rows = list(strikes)
        return cls.from_columns(
            [strike.id for strike in rows],
            np.array([strike.geometry for strike in rows], dtype=object),
            np.array([strike.uncertainty_m or 0.0 for strike in rows], dtype=float),
            np.array([strike.basis == "site" for strike in rows], dtype=bool),
            [strike.target_kinds for strike in rows],
            [(*strike.targets, strike.title) for strike in rows],
            [(strike.place,) for strike in rows],
            [strike.host_country for strike in rows],
            names,
            np.array([_days(strike.when) for strike in rows], dtype=np.int64).reshape(-1, 2),
        )

    @classmethod
    def from_columns(
        cls,
        ids: Sequence[str],
        geometry: Objects,
        uncertainty_m: Floats,
        site: Bools,
        kinds: Sequence[Sequence[str]],
        texts: Sequence[Sequence[str]],
        places: Sequence[Sequence[str]],
        countries: Sequence[str | None],
        names: NameIndex,
        days: Ints | None = None,
    ) -> StrikeColumns:
        """Build from columns of one length n.

        Parameters
        ----------
        ids
            Ids of the strikes.
        geometry
            Shapely geometries in lon/lat degrees (OGC:CRS84) or None, shape (n,).
        uncertainty_m
            Radius in metres that holds the true place, 0 where not stated, shape (n,).
        site
            Whether the point is a site, shape (n,).
        kinds
            Stated kinds of site; those that the texts mention where none is stated.
        texts
            Texts of each strike, one at least: the last is its title, whose numbers are not read.
        places
            Names of the place of each strike: words of theirs are marked as local, but those of a region are left out.
        countries
            Host country of each strike, ISO 3166-1 alpha-2.
        names
            Names of the assets; words that no asset has are left out.
        days
            First and last day of each strike as ordinals, shape (n, 2); by default any.
        """
        regions = [[regions_named(part) for part in text] for text in texts]
        words, is_local = _words(regions, places, names)
        stated = [_stated_and_besides(own, text) for own, text in zip(kinds, texts, strict=True)]
        number = [reduce(or_, map(numbers, text[:-1]), 0) for text in texts]
        stated_in = [
            _country({*chain(*(part.countries for part in text), *map(host_countries, place))}, country)
            for text, place, country in zip(regions, places, countries, strict=True)
        ]
        types = [plant_types(text) if about & _POWER else 0 for (about, _), text in zip(stated, texts, strict=True)]
        days = np.tile(_ANY_DAY, (len(ids), 1)) if days is None else days
        return cls(
            np.array(ids, dtype=object),
            geometry,
            uncertainty_m,
            site,
            np.array([about for about, _ in stated], np.uint64),
            np.array([besides for _, besides in stated], np.uint64),
            words,
            is_local,
            np.array(number, np.uint64),
            np.array(types, np.uint64),
            country_codes(stated_in),
            days[:, 0],
            days[:, 1],
        )

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, rows: Ints) -> StrikeColumns:
        """Select strikes by row numbers, shape (k,), in their order; a row may occur twice."""
        values, owner = self.words.of_rows(rows)
        size = np.bincount(owner, minlength=len(rows))
        words = RaggedArray(values, np.concatenate([[0], np.cumsum(size)]))
        is_local = RaggedArray(self.is_local.astype(np.int64), self.words.start).of_rows(rows)[0].astype(bool)
        return StrikeColumns(
            self.ids[rows],
            self.geometry[rows],
            self.uncertainty_m[rows],
            self.site[rows],
            self.kinds[rows],
            self.besides[rows],
            words,
            is_local,
            self.number[rows],
            self.types[rows],
            self.country[rows],
            self.first_day[rows],
            self.last_day[rows],
        )


def _country(named: Set[str], host: str | None) -> str | None:
    """Return the one country that a text names, else the host country."""
    return next(iter(named)) if len(named) == 1 else host


def _is_form_of(stem: str, places: Iterable[str]) -> bool:
    """Whether a stem is another form of a place's: an adjective or a case that keeps more of the word."""
    return any(
        min(len(stem), len(place)) > 3 and (stem.startswith(place) or place.startswith(stem)) for place in places
    )


_ANY_DAY = (date.min.toordinal(), date.max.toordinal())


def _days(when: str) -> tuple[int, int]:
    stated = edtf.parse(when)
    return (stated.earliest or date.min).toordinal(), (stated.latest or date.max).toordinal()


def stated_kinds(text: Sequence[str]) -> int:
    """Return the kinds that the targets are about, or where they tell of none, the title: as bits."""
    return _stated_and_besides((), text)[0]


def _stated_and_besides(own: Sequence[str], text: Sequence[str]) -> tuple[int, int]:
    """Return the kinds that are stated, else those that the text is about, and those that it mentions besides."""
    about, besides = _kinds_of_texts(text[:-1])
    if not about:
        about, more = _kinds_of_texts(text[-1:])
        besides |= more
    stated = kind_bits(own) if own else about
    return stated, (about | besides) & ~stated


def _kinds_of_texts(texts: Sequence[str]) -> tuple[int, int]:
    """Return the kinds that texts are about, of a ship also the site at which it lay, and those mentioned besides."""
    about = besides = 0
    for text in texts:
        head, other = mentioned_kinds(text)
        about |= head if head & ~_SHIP else head | other
        besides |= other
    return about, besides & ~about


_SHIP = kind_bits(["vessel"])
_POWER = int(POWER_PLANTS)


def _words(
    texts: Sequence[Sequence[RegionsNamed]], places: Sequence[Sequence[str]], names: NameIndex
) -> tuple[RaggedArray, Bools]:
    """Return the codes of the known stems of each text without its regions, and which of them are of the place."""
    rows: list[list[int]] = []
    is_local: list[bool] = []
    for text, place in zip(texts, places, strict=True):
        telling = [without_seas(part.rest) for part in text]
        located = (word for part in telling for word in located_words(part))
        places_named = (without_seas(regions_named(part).rest) for part in place)
        of_place = dict.fromkeys(stem for part in (*places_named, *located) for stem in stems(part))
        words = {**dict.fromkeys(stem for part in telling for stem in stems(part)), **of_place}
        known = [stem for stem in words if stem in names.code]
        rows.append([names.code[stem] for stem in known])
        is_local += [stem in of_place or _is_form_of(stem, of_place) for stem in known]
    return RaggedArray.of(rows), np.array(is_local, dtype=bool)
