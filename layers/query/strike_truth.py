"""Which strikes may satisfy a selection with conditions that other collections decide, and which surely do.

A selection of strikes has two truths at once: the strikes that *may* satisfy all conditions, which are selected, and
those of them that surely do. A strike is sure if it stands (it is no draft and not retracted), surely lies between the
days of the selection, and what it hit surely belonged as the conditions say, whichever of its possible sites that was.
Where sites are selected, it surely hit one of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import product
from typing import ClassVar

import numpy as np

from geo.lonlat import Bools, Ints
from layers.collections.collection import Collection
from layers.collections.feature_types import SPOKEN
from layers.ownership.owners import OwnersByDate
from layers.query.filter import Filter
from layers.query.selection import Selection, row_mask
from layers.query.strike_ties import (
    Collections,
    StrikeConditions,
    Truth,
    listing,
    tie_of_country,
    tie_of_entity,
)
from layers.text.search_terms import search_keys, search_terms, searchable

#: Columns of strikes with their titles and places in further languages.
SPOKEN_COLUMNS = tuple(f"{name}_{language}" for name in ("title", "place") for language in SPOKEN)
#: Columns of strikes that a text is looked for in.
TEXT_COLUMNS = ("title", "place", *SPOKEN_COLUMNS, "region", "attacker", "damage", "id")


@dataclass(frozen=True)
class StrikeFilter(Filter):
    """Rows of strikes that satisfy `StrikeConditions`, and that satisfy another filter.

    ``digest``: of the rows: two versions of the data may share the strikes and differ in whose their sites were.
    """

    digest: bytes
    rows: Bools = field(repr=False, compare=False)
    is_by_row: ClassVar[bool] = False

    def mask(self, collection: Collection) -> Bools:
        """Return the rows; the collection is that of the strikes."""
        return self.rows


def narrowed(
    collections: Collections, registers: OwnersByDate, selection: Selection, conditions: StrikeConditions
) -> Selection:
    """Return the selection of strikes that satisfies the conditions too.

    Parameters
    ----------
    selection
        Of the collection of strikes; the days of it decide what is sure.
    registers
        The owners on any days, for conditions on an entity.
    """
    if replace(conditions, assets=()) == StrikeConditions():
        return selection
    rows = truth_of(collections, registers, selection, conditions)
    wanted = rows.may
    if conditions.certainty is not None:
        wanted = rows.sure if conditions.certainty == "sure" else rows.may & ~rows.sure
    base = b"" if selection.where is None else selection.where.key
    digest = hashlib.sha256(np.packbits(wanted).tobytes()).digest()
    return replace(selection, where=StrikeFilter(conditions.key + b" and " + base, digest, wanted))


def truth_of(
    collections: Collections, registers: OwnersByDate, selection: Selection, conditions: StrikeConditions
) -> Truth:
    """Return which strikes may satisfy a selection and conditions, and which surely do, whatever the certainty."""
    conditions, plain = replace(conditions, certainty=None), replace(selection, order=())
    key = ("truth", plain, conditions, *rests_on(collections, registers))
    truth: Truth = collections["strikes"].query_cache.get_or_compute(
        key, lambda: _truth(collections, registers, plain, conditions)
    )
    return truth


def rests_on(collections: Collections, registers: OwnersByDate) -> tuple[object, ...]:
    """Return what the key of an answer about strikes that other collections decide has to end with.

    Strikes that stay while others change must not answer from what those were.
    """
    return collections["hits"], collections["attributions"], collections["assets"], registers


def _truth(
    collections: Collections, registers: OwnersByDate, selection: Selection, conditions: StrikeConditions
) -> Truth:
    strikes = collections["strikes"]
    chosen = row_mask(strikes, selection)
    result = Truth(chosen, chosen & stands(strikes) & surely_between(strikes, selection.first, selection.last))
    if conditions.text:
        result = result.both(_named(collections, conditions.text))
    for asset in conditions.assets:
        result = result.both(Truth(listing(strikes, "assets", asset), listing(strikes, "assets_sure", asset)))
    if conditions.commodity:
        commodity = conditions.commodity
        carried = _sites_with(collections, "commodity", lambda word: commodity in commodities_of(word)) > 0
        result = result.both(Truth(carried, carried))
    if conditions.country:
        result = result.both(tie_of_country(collections, conditions, conditions.country))
    if conditions.entity:
        result = result.both(tie_of_entity(collections, registers, conditions, conditions.entity))
    return result


def stands(strikes: Collection) -> Bools:
    """Mark the strikes that surely count: neither drafts nor retracted, nor decided to be none."""
    return strikes.values("sure").data


def surely_between(strikes: Collection, first: date | None, last: date | None) -> Bools:
    """Mark the strikes that lie between two days whenever they were; an end that is not known lies anywhere."""
    sure = np.ones(len(strikes), dtype=bool)
    if first is not None:
        days = strikes.values("day_first")
        sure &= days.present & (days.data >= np.datetime64(first))
    if last is not None:
        days = strikes.values("day_last")
        sure &= days.present & (days.data <= np.datetime64(last))
    return sure


def _named(collections: Collections, text: str) -> Truth:
    """Return the strikes that have every word of a text in one of their texts, or hit a site of the kind that it names.

    Strikes surely did where all sites that they may have hit are of that kind.
    """
    strikes = collections["strikes"]
    named = Truth(np.ones(len(strikes), bool), np.ones(len(strikes), bool))
    for term in search_terms(text):
        written = np.ones(len(strikes), bool)
        for part in term.parts:
            written &= _written(strikes, part)
        hit = _of_kinds(collections, term.kinds) if term.kinds else Truth(written, written)
        named = named.both(Truth(written | hit.may, written | hit.sure))
    return named


def _written(strikes: Collection, forms: Sequence[str]) -> Bools:
    """Mark the strikes one of whose texts has one of the forms of a word."""
    having = np.zeros(len(strikes), bool)
    for column, form in product(TEXT_COLUMNS, forms):
        values = strikes.values(column).words.folded("search", searchable)
        having |= np.append(values.containing(form), False)[values.codes]
    return having


def _of_kinds(collections: Collections, kinds: frozenset[str]) -> Truth:
    """Return the strikes one of whose sites is of some kinds, and those all of whose sites are."""
    count = _sites_with(collections, "kind", kinds.__contains__)
    return Truth(count > 0, (count > 0) & (count == collections["strikes"].values("assets").lists.lengths))


def folded_texts(strikes: Collection) -> list[list[str]]:
    """Return the texts of each strike that words are looked for in, as `search_keys` spells them."""
    columns = [strikes.features.columns[name] for name in TEXT_COLUMNS]
    return [[" ".join(search_keys(text)) for text in texts if text] for texts in zip(*columns, strict=True)]


def _sites_with(collections: Collections, column: str, holds: Callable[[str], bool]) -> Ints:
    """Count the sites of each strike whose text in a column satisfies something, shape (strikes,); no text does not."""
    hit, assets = collections["strikes"].values("assets").lists, collections["assets"]
    values = assets.values(column).words
    wanted = np.array([*map(holds, values.words), False])
    having = {assets.ids[row] for row in np.flatnonzero(wanted[values.codes]).tolist()}
    chosen = np.fromiter((word in having for word in hit.words), bool, len(hit.words))
    return np.bincount(hit.rows[np.append(chosen, False)[hit.codes]], minlength=len(collections["strikes"]))


def commodities_of(text: str) -> list[str]:
    """Return the commodities that a column names: ``oil, gas`` are two."""
    return [part.strip() for part in text.split(",")]
