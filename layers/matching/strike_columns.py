"""Strikes as columns that evidence is measured on: place, uncertainty, stated kinds of site and words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache, reduce
from itertools import chain
from operator import or_
from typing import Any, NamedTuple

import numpy as np

from geo.lonlat import Bools, Floats, Ints, Objects
from layers.matching.asset_index import Codes, Masks, country_codes, types_of_site
from layers.matching.name_index import NameIndex, RaggedArray
from layers.model import edtf
from layers.model.records import Strike
from layers.reference.regions import host_countries, regions_named
from layers.text.kind_mentions import KindMentions, landmarks, mentioned_kinds, named_sites
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
    landmark, near
        Of these, the kinds that the text has near something else, and those near an event, shape (n,).
    words
        Codes of the stems in the text that the name of an asset or owner has, by strike.
    is_local
        Which of the values of ``words`` name the strike's own place.
    nearness
        What the text says of each of the values of ``words``: that something else was near it (2), that something was
        near it or it (1), or nothing of that sort (0); -1 for a word of the place that the text lacks.
    named_kinds
        Kinds of which the text calls each site that it is about by a name beyond that of the place, shape (n,).
    site_names
        Codes of the stems of all those names that an asset or owner has, by strike.
    number
        The numbers in the targets as bits, shape (n,).
    types
        The types of power plant or pipeline that the text says, as ``asset_index.types_of_site`` has them, shape (n,).
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
    landmark: Masks
    near: Masks
    words: RaggedArray
    is_local: Bools
    nearness: Ints
    named_kinds: Masks
    site_names: RaggedArray
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
        """Build from columns of one length n, which are as the attributes of the class of these names.

        Parameters
        ----------
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
        # Strikes of the same texts are read once: titles that say what was struck and where recur.
        numbers_of: dict[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], int] = {}
        keys = zip(map(tuple, kinds), map(tuple, texts), map(tuple, places), strict=True)
        rows = np.array([numbers_of.setdefault(key, len(numbers_of)) for key in keys], np.int64)
        read = [_ReadText.of(*key, names) for key in numbers_of]
        words = RaggedArray.of([text.words for text in read])
        days = np.tile(_ANY_DAY, (len(ids), 1)) if days is None else days
        is_local = np.array([value for text in read for value in text.is_local], np.int64)
        nearness = np.array([value for text in read for value in text.nearness], np.int64)
        of_text: dict[str, Any] = {
            name: np.array([getattr(text, name) for text in read], np.uint64)[rows]
            for name in ("kinds", "besides", "landmark", "near", "named_kinds", "number", "types")
        }
        return cls(
            ids=np.array(ids, dtype=object),
            geometry=geometry,
            uncertainty_m=uncertainty_m,
            site=site,
            words=words.rows(rows),
            is_local=RaggedArray(is_local, words.start).of_rows(rows)[0].astype(bool),
            nearness=RaggedArray(nearness, words.start).of_rows(rows)[0],
            site_names=RaggedArray.of([text.site_names for text in read]).rows(rows),
            country=country_codes(
                [_country(read[row].countries, host) for row, host in zip(rows.tolist(), countries, strict=True)]
            ),
            first_day=days[:, 0],
            last_day=days[:, 1],
            **of_text,
        )

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, rows: Ints) -> StrikeColumns:
        """Select strikes by row numbers, shape (k,), in their order; a row may occur twice."""
        start = self.words.start
        of_words: dict[str, Any] = {name: getattr(self, name).rows(rows) for name in ("words", "site_names")}
        for name in ("is_local", "nearness"):
            of_words[name] = RaggedArray(getattr(self, name), start).of_rows(rows)[0]
        others = (field.name for field in fields(self) if field.name not in of_words)
        return StrikeColumns(**of_words, **{name: getattr(self, name)[rows] for name in others})


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
    return _stated((), text).head


def _stated(own: Sequence[str], text: Sequence[str]) -> KindMentions:
    """Return the kinds that are stated, else those that the text is about, and how it mentions others besides."""
    of_text = _kinds_of_texts(text if len(text) == 1 else text[:-1])
    if not of_text.head and len(text) > 1:
        title = _kinds_of_texts(text[-1:])
        of_text = KindMentions(title.head, *map(or_, of_text[1:], title[1:])) if any(of_text) else title
    if not own:
        return of_text._replace(other=of_text.other & ~of_text.head) if of_text.other & of_text.head else of_text
    stated = kind_bits(own)
    return of_text._replace(head=stated, other=(of_text.head | of_text.other) & ~stated)


def _kinds_of_texts(texts: Sequence[str]) -> KindMentions:
    """Return the kinds that texts are about, of a ship also the site at which it lay, and those mentioned besides."""
    if len(texts) == 1 and not (of_text := mentioned_kinds(texts[0])).other:
        return of_text
    about = besides = landmark = near = 0
    for text in texts:
        of_text = mentioned_kinds(text)
        about |= of_text.head if of_text.head & ~_SHIP else of_text.head | of_text.other
        besides, landmark, near = besides | of_text.other, landmark | of_text.landmark, near | of_text.near
    return KindMentions(about, besides & ~about, landmark, near)


_SHIP = kind_bits(["vessel"])


class _ReadText(NamedTuple):
    """What texts say of a strike, as the columns of these names in ``StrikeColumns``, and ``countries``."""

    kinds: int
    besides: int
    landmark: int
    near: int
    named_kinds: int
    number: int
    types: int
    words: Sequence[int]
    is_local: Sequence[bool]
    nearness: Sequence[int]
    site_names: Sequence[int]
    countries: Set[str]

    @classmethod
    def of(cls, own: Sequence[str], text: Sequence[str], place: Sequence[str], names: NameIndex) -> _ReadText:
        """Read the stated kinds, texts and place of a strike; of words those that names have.

        As with kinds, targets count for the names of sites, and where they are about no site the title. A name that
        only says where the strike was is none. Those in Latin letters, and longer ones in capitals, say nothing:
        headlines print any word so.
        """
        regions = [regions_named(part) for part in text]
        telling = [without_seas(part.rest) for part in regions]
        of_place = _stems_of_place(telling, place)
        stated = _stated(own, text)
        near = _nearness(telling) if stated.landmark | stated.near else {}
        of_text = dict.fromkeys(chain.from_iterable(map(stems, telling)))
        known = [stem for stem in {**of_text, **of_place} if stem in names.code]
        has_cyrillic = not all(map(str.isascii, telling)) and any(map(_HAS_CYRILLIC.search, telling))
        named_kinds, site_names = _names_in(telling, of_place, names) if has_cyrillic else (0, ())
        return cls(
            stated.head,
            stated.other,
            stated.landmark & stated.other,
            stated.near & stated.other,
            named_kinds,
            reduce(or_, map(numbers, text[:-1]), 0),
            types_of_site(text, stated.head),
            [names.code[stem] for stem in known],
            [stem in of_place or _is_form_of(stem, of_place) for stem in known],
            [near.get(stem, 0) if stem in of_text else -1 for stem in known],
            site_names,
            {*chain(*(part.countries for part in regions), *map(host_countries, place))},
        )


def _names_in(text: Sequence[str], of_place: Mapping[str, None], names: NameIndex) -> tuple[int, tuple[int, ...]]:
    """Return the kinds of which a text without regions and seas names all sites, and the codes of the names."""
    sites = [site for part in text[:-1] for site in named_sites(part)] or named_sites(text[-1])
    if not any(site.names for site in sites):
        return 0, ()
    named = unnamed = 0
    codes: dict[int, None] = {}
    for site in sites:
        telling = (name for name in site.names if name[0] >= _CYRILLIC and not _is_shouted(name))
        found = [stem for name in telling for stem in stems(name)]
        if site.names and not found:
            continue  # "порт РФ", "НПЗ Bapco": any, or one that is named elsewhere
        own = [stem for stem in found if stem not in of_place and not _is_form_of(stem, of_place)]
        codes.update(dict.fromkeys(names.code[stem] for stem in own if stem in names.code))
        named, unnamed = (named | site.kinds, unnamed) if own else (named, unnamed | site.kinds)
    return named & ~unnamed, tuple(codes)


def _stems_of_place(text: Sequence[str], place: Sequence[str]) -> dict[str, None]:
    """Return the stems that only say where a strike was, in order: of its place, and of what stands behind "in"."""
    located = chain.from_iterable(map(located_words, text))
    return dict.fromkeys(chain(*map(_stems_of_name, place), *map(stems, located)))


@lru_cache(maxsize=100_000)
def _stems_of_name(place: str) -> tuple[str, ...]:
    """Return the stems of the name of a place without its regions and seas."""
    return stems(without_seas(regions_named(place).rest))


def _is_shouted(name: str) -> bool:
    return len(name) > _MAX_ABBREVIATION and name.isupper()


#: Letters of the longest abbreviation: КТК, УНПЗ.
_MAX_ABBREVIATION = 4
#: The first letter beyond the Latin ones, and texts that have one.
_CYRILLIC = "\u0370"
_HAS_CYRILLIC = re.compile(f"[{_CYRILLIC}-\uffff]")


def _nearness(texts: Sequence[str]) -> dict[str, int]:
    """Return the stems of the names of sites that texts only have near something: 2 for something else, 1 if open."""
    near: dict[str, int] = {}
    plain: set[str] = set()
    for text in texts:
        at = 0
        for found in landmarks(text):
            for stem in stems(text[found.site : found.end]):
                near[stem] = min(near.get(stem, 2), 2 if found.is_sure else 1)
            plain.update(stems(text[at : found.start]))
            at = found.end
        plain.update(stems(text[at:]))
    return {stem: value for stem, value in near.items() if stem not in plain}
