"""The tiles that are timed hold something, at every zoom, and none is asked for twice."""

import pytest

from bench.tiles import FORMATS, TILES, ZOOMS, compare, drawn, ours
from layers.snapshot.snapshot import Snapshot


@pytest.mark.parametrize("name", FORMATS)
def test_every_tile_that_is_timed_holds_something(snapshot: Snapshot, name: str) -> None:
    strikes = snapshot.collections["strikes"]
    tiles = drawn(strikes)
    assert len(tiles) == len(set(tiles)) == TILES
    assert {tile.z for tile in tiles} == set(ZOOMS)
    assert all(size > 0 and ms > 0 for ms, size in ours(strikes, tiles, FORMATS[name]))
    assert set(compare(strikes, tiles[:2])) == {"features", *FORMATS}
