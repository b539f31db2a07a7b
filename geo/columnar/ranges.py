"""Runs of consecutive row numbers as one array."""

import numpy as np

from geo.lonlat import Ints


def ranges(starts: Ints, sizes: Ints) -> Ints:
    """Give ``start, start + 1, ...`` of every row, end to end."""
    ends = sizes.cumsum()
    index: Ints = (starts - ends + sizes).repeat(sizes)
    index += np.arange(len(index))
    return index
