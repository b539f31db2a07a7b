"""Whether a distance with a bound on its error is within reach, or is left to geodesics."""

from __future__ import annotations

import numpy as np

from geo.lonlat import Bools, Floats

#: Relative error up to which distances in a plane are reported (1 cm in a kilometre).
PLANE_ERROR = 1e-5
#: Relative error beyond which the error formula of a plane is itself not to be trusted.
PLANE_LIMIT = 1e-2
#: Geometries nearer than this (metres) touch: it is less than the rounding of a degree.
TOUCH_M = 1e-6
#: Mean radius of the Earth, by which relative errors are told of distances.
MEAN_RADIUS_M = 6_371_008.8


def settle(metres: Floats, blur_m: Floats | float, error: Floats, reach: Floats) -> tuple[Bools, Bools]:
    """Decide which pairs are within reach, where distances in a plane do.

    Parameters
    ----------
    metres, reach
        Distances by a plane and radii, shape (pairs,).
    blur_m
        Metres by which a distance may be off, whatever its length.
    error
        Bound on its relative error besides, shape (pairs,); infinite where there is none.

    Returns
    -------
    Which pairs are surely not within reach, and which surely are and may be reported, both of shape (pairs,).
    """
    with np.errstate(invalid="ignore"):  # 0 times infinity: not decided either way
        slack_m = error * metres + blur_m
        outside = metres - slack_m > reach + TOUCH_M
        inside = (metres + slack_m <= reach) & (error <= PLANE_ERROR)
    return outside, inside
