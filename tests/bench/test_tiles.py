"""The tiles that are timed hold something, at every zoom, and none is asked for twice."""

from bench.tiles import TILES, ZOOMS, again, drawn, ours
from layers.snapshot.snapshot import Snapshot


def test_every_tile_that_is_timed_holds_something(snapshot: Snapshot) -> None:
    strikes = snapshot.collections["strikes"]
    tiles = drawn(strikes)
    assert len(tiles) == len(set(tiles)) == TILES
    assert {tile.z for tile in tiles} == set(ZOOMS)
    assert all(size > 0 and ms > 0 for ms, size in ours(strikes, tiles))
    assert set(again(strikes, tiles[:2])) == {"features", "tiles"}
