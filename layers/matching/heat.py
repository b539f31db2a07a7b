"""Heat that satellites saw at a candidate on the days of a strike: a named reason beside the others, without weight.

A witness is never proof: fields, flares and steel works burn too. So an observation counts by how unusual it is at that
place. It adds nothing to any probability, as no labelled events with observations are at hand that a weight could be
fitted on; see docs/matching.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.lonlat import Bools, Floats, Ints
from geo.spatial_join.join import pairs_within
from layers.model import edtf
from layers.model.heat import SENSORS, HeatColumns
from layers.model.messages import Message
from layers.model.records import Asset, Match, MatchReason, Strike

#: Days after the last day of a strike in which its fire may be seen: a satellite passes a few times a day, and clouds
#: hide what is under them.
DAYS_AFTER = 2
#: A strike that may have been on any of more days has no witness.
MAX_DAYS = 31
#: Days before a strike that tell how usual heat is at a place.
DAYS_BEFORE = 60
#: Farthest that heat is from a site, in metres; a site that is known less exactly has no witness.
MAX_REACH_M = 2_000.0
#: How far around a place, in degrees of latitude, any heat shows that satellites saw the ground on a day.
WATCHED_DEG = 2.0
#: An observation as likely as this without a strike says nothing.
MAX_CHANCE = 0.5
#: Types that burn always: volcanoes, and what FIRMS calls other static land sources, as flares and steel works.
STATIC_TYPES = (1, 2)

#: Length of a degree of latitude in metres, the shortest there is: boxes are never too small.
_DEGREE_M = 110_500.0
_DAY = 1440
_INT32 = (np.iinfo(np.int32).min, np.iinfo(np.int32).max)
#: Ordinal of 1970-01-01.
_EPOCH = datetime(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Witness:
    """The observation nearest to a site in the days of a strike.

    Attributes
    ----------
    minute, sensor
        As in `HeatColumns`.
    distance_m
        From the site to the middle of the pixel.
    days, watched
        Days with heat at the site, and days on which it was watched, of the `DAYS_BEFORE` before the strike.
    surprise
        Minus the logarithm of the chance of any heat in these days without a strike.
    """

    minute: int
    sensor: int
    distance_m: float
    days: int
    watched: int
    surprise: float


def with_heat(
    matches: Sequence[Match], strike: Strike, assets: Mapping[str, Asset], heat: HeatColumns
) -> tuple[Match, ...]:
    """Return the candidates of a strike, each with the reason ``heat``, of weight 0, if a satellite saw some there."""
    if not len(heat):
        return tuple(matches)
    return tuple(match if match.asset is None else _with_reason(match, strike, assets, heat) for match in matches)


def _with_reason(match: Match, strike: Strike, assets: Mapping[str, Asset], heat: HeatColumns) -> Match:
    assert match.asset is not None
    seen = witness(strike, assets[match.asset], heat)
    if seen is None:
        return match
    at = datetime.fromtimestamp(seen.minute * 60, UTC)
    detail = Message(
        "matching.heat",
        {
            "sensor": SENSORS[seen.sensor],
            "distance_m": seen.distance_m,
            "day": f"{at:%Y-%m-%d}",
            "time": f"{at:%H:%M}",
            "days": seen.days,
            "watched": seen.watched,
        },
    )
    reason = MatchReason(name="heat", value=round(seen.surprise, 3), weight=0.0, detail=detail)
    return match.model_copy(update={"reasons": (*match.reasons, reason)})


def witness(strike: Strike, asset: Asset, heat: HeatColumns) -> Witness | None:
    """Find the observation nearest to a site, from the first day of a strike to `DAYS_AFTER` days after its last.

    Lines have no witness, nor has a site that is known less exactly than `MAX_REACH_M`, nor a strike that may have been
    on more than `MAX_DAYS` days. Days are those of mean solar time at the site, which is near the local time that
    strikes are dated by. An observation of low confidence, or of what always burns, witnesses nothing.

    The chance of heat on a day is (days + 1) / (watched + 2) by the `DAYS_BEFORE` days before (Laplace's rule of
    succession), where a day counts as watched if any heat was seen within `WATCHED_DEG` degrees; that of heat on any of
    k days is 1 - (1 - chance)^k. Where it is more than `MAX_CHANCE`, as at a flare or where nothing is known of the
    days before, there is no witness.
    """
    days, place = _days(strike.when), asset.geometry
    if days is None or place is None or not _is_known_site(asset, place):
        return None
    first, last = days[0], days[1] + DAYS_AFTER
    seen = _on(heat, place, first, last)
    at, distance_m = _near(seen, place, asset.uncertainty_m or 0.0)
    is_witness = (seen.confidence[at] > 0) & ~np.isin(seen.type[at], STATIC_TYPES)
    at, distance_m = at[is_witness], distance_m[is_witness]
    if not len(at):
        return None
    usual, watched = _days_before(heat, place, asset.uncertainty_m or 0.0, first)
    chance = 1 - (1 - (usual + 1) / (watched + 2)) ** (last - first + 1)
    if chance > MAX_CHANCE:
        return None
    nearest = int(np.argmin(distance_m))  # of equally near ones the earliest
    row = int(at[nearest])
    surprise = float(-np.log(chance))
    return Witness(int(seen.minute[row]), int(seen.sensor[row]), float(distance_m[nearest]), usual, watched, surprise)


def _is_known_site(asset: Asset, place: BaseGeometry) -> bool:
    return shapely.get_dimensions(place) != 1 and (asset.uncertainty_m or 0.0) <= MAX_REACH_M


def _days(when: str) -> tuple[int, int] | None:
    """First and last day since 1970 of a strike, None where they are open or too far apart."""
    stated = edtf.parse(when)
    if stated.earliest is None or stated.latest is None:
        return None
    first, last = stated.earliest.toordinal() - _EPOCH, stated.latest.toordinal() - _EPOCH
    return (first, last) if last - first < MAX_DAYS else None


def _ahead(place: BaseGeometry) -> float:
    """Minutes by which mean solar time at a place is ahead of UTC: four for each degree of longitude."""
    west, _, east, _ = shapely.bounds(place)
    return float(2 * (west + east))


def _on(heat: HeatColumns, place: BaseGeometry, first: int, last: int) -> HeatColumns:
    """The observations on days of a place, both included."""
    ends = np.ceil(np.array([first, last + 1]) * _DAY - _ahead(place))
    # A strike may be dated in any year, and as floats the ends would have all minutes copied to floats.
    ends = np.clip(ends, *_INT32).astype(np.int32)
    return heat.rows(slice(*np.searchsorted(heat.minute, ends)))


def _near(heat: HeatColumns, place: BaseGeometry, uncertainty_m: float) -> tuple[Ints, Floats]:
    """Rows of the observations whose pixel may hold a place, ascending, and their distances in metres."""
    rows = np.flatnonzero(_in_box(heat, place, MAX_REACH_M / _DEGREE_M))
    if not len(rows):  # as nearly everywhere
        return rows, np.empty(0)
    pixels = np.asarray(shapely.points(heat.lon[rows], heat.lat[rows]))
    pairs = pairs_within([place], pixels, MAX_REACH_M)
    rows = rows[pairs.right]
    within = pairs.distance_m <= heat.radius_m[rows] + uncertainty_m
    return rows[within], pairs.distance_m[within]


def _in_box(heat: HeatColumns, place: BaseGeometry, margin_deg: float) -> Bools:
    """Which observations lie in the box of a place, widened by degrees of latitude on each side; shape (n,)."""
    west, south, east, north = shapely.bounds(place)
    farthest = min(max(abs(south), abs(north)) + margin_deg, 89.9)
    wide = margin_deg / np.cos(np.radians(farthest))
    # Longitudes count from the western edge on, so that a box may lie across the antimeridian.
    in_lon = (heat.lon - (west - wide)) % 360 <= east - west + 2 * wide
    return np.asarray(in_lon & (heat.lat >= south - margin_deg) & (heat.lat <= north + margin_deg))


def _days_before(heat: HeatColumns, place: BaseGeometry, uncertainty_m: float, first: int) -> tuple[int, int]:
    """Days with heat at a place, and days on which it was watched, of the `DAYS_BEFORE` before a day."""
    before = _on(heat, place, first - DAYS_BEFORE, first - 1)
    days = np.floor((before.minute + _ahead(place)) / _DAY)
    at = _near(before, place, uncertainty_m)[0]
    return len(np.unique(days[at])), len(np.unique(days[_in_box(before, place, WATCHED_DEG)]))
