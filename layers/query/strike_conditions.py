"""What a selection of strikes asks for beyond their columns, and the two truths that it has.

The strikes that *may* satisfy all conditions are selected; some of them surely do (`layers.query.strike_truth`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from geo.lonlat import Bools
from layers.attribution.readings import Reading
from layers.collections.collection import Collection
from layers.model.types import RelationKind

Collections = Mapping[str, Collection]
#: What a country or an entity is to a strike; ``related`` is any tie but that of an owner or the host.
TieKind = Literal["owner", "related", "host", RelationKind]
TIE_KINDS: tuple[TieKind, ...] = get_args(TieKind)
Certainty = Literal["sure", "possible"]
CERTAINTIES: tuple[Certainty, ...] = get_args(Certainty)


@dataclass(frozen=True, slots=True)
class StrikeConditions:
    """What a selection of strikes asks for beyond the columns of the strikes.

    Parameters
    ----------
    text
        Words that a title, a place, a region, an attacker or a damage has, in any spelling and case, or for a kind of
        site that was hit.
    country, entity
        Whose sites were hit: a country (ISO 3166-1 alpha-2), and a company, person or state by its id.
    relation, reading
        What they were to it, and what country means; the reading is for owners alone.
    min_share
        The least percent that they owned of one of the sites.
    commodity
        What one of the sites makes, moves or stores.
    assets
        Sites that the selection names: all of them were hit, surely or not.
    certainty
        The strikes alone that surely satisfy all, or that may and may not.
    """

    text: str | None = None
    country: str | None = None
    entity: str | None = None
    relation: TieKind = "owner"
    reading: Reading = "registration"
    min_share: float = 0.0
    commodity: str | None = None
    assets: tuple[str, ...] = ()
    certainty: Certainty | None = None

    @property
    def key(self) -> bytes:
        """Bytes that are equal where conditions are."""
        return repr(self).encode()


class Truth(NamedTuple):
    """The strikes that may satisfy a condition, and those of them that surely do: shape (strikes,) each."""

    may: Bools
    sure: Bools

    @property
    def nbytes(self) -> int:
        """Bytes of both."""
        return self.may.nbytes + self.sure.nbytes

    def both(self, other: Truth) -> Truth:
        """Return what satisfies this condition and another."""
        return Truth(self.may & other.may, self.sure & other.sure)
