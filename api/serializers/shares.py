"""Shares as plain values: by country, how far each reaches, and the part that no country is known for."""

from __future__ import annotations

from typing import Any

from layers.ownership.walk import REACHES, CountryShare, Interval
from layers.snapshot.snapshot import Snapshot

Json = dict[str, Any]


def shares(
    snapshot: Snapshot, found: tuple[CountryShare, ...], unattributed: Interval, reasons: tuple[str, ...]
) -> list[Json]:
    """Each country's share in percent, largest first, and what is unattributed with the reasons."""
    rows = [country_share(snapshot, share) for share in found]
    if unattributed.high > 0:
        rows.append({"country": None, "name": "unattributed", **interval(unattributed), "reasons": list(reasons)})
    return rows


def country_share(snapshot: Snapshot, share: CountryShare) -> Json:
    """One country's share in percent, in all and by how far it reaches."""
    reaches: Json = {reach: list(share.reaches[reach].rounded()) for reach in REACHES}
    return {
        "country": share.country,
        "name": snapshot.country_names.get(share.country, share.country),
        **interval(share.share),
        **reaches,
    }


def interval(share: Interval) -> Json:
    """A share in percent, at least and at most."""
    low, high = share.rounded()
    return {"share_min": low, "share_max": high}
