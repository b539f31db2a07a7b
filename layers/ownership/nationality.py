"""The countries that a holder's share may count to: one, or of a person of several nationalities any of them."""

from __future__ import annotations

from layers.model.records import Entity


def countries_of_holder(entity: Entity) -> tuple[str, ...]:
    """Return the countries of which exactly one has the shares of a holder, though it may not be known which.

    Of a company, a state or an arrangement it is that of registration. Of a person it is the one nationality, or the
    one that a source calls the effective one (as the International Court of Justice chose in the Nottebohm case, 1955);
    where several are stated and none so, each of them may be it.

    Returns
    -------
    tuple
        ISO 3166-1 alpha-2 codes, ascending; empty where no country is known.
    """
    if entity.registered_in is not None:
        return (entity.registered_in,)
    return tuple(sorted(set(entity.nationalities))) if entity.type == "person" else ()
