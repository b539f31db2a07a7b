"""The archive of the base map: built of small sources, read by us as by PMTiles' own reader, and decoded by another."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from pmtiles.reader import MmapSource, Reader
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from geo.tiles.tile_matrix import Tile
from layers.reference.basemap_archive import BasemapArchive, UnreadableArchive
from tests.tile_at import tile_at
from tests.tools.basemap import made_sources as made

EXTENT = made.EXTENT


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.detailed_archive(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def archive(path: Path) -> BasemapArchive:
    return BasemapArchive(path)


def test_of_a_very_large_archive_it_is_not_told_where_tiles_lie(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layers.reference.basemap_archive._MAX_LISTED", 10)
    assert BasemapArchive(path).tile_boxes == {}


def test_every_tile_is_what_the_reader_of_pmtiles_reads(path: Path, archive: BasemapArchive) -> None:
    with path.open("rb") as file:
        theirs = Reader(MmapSource(file))
        header = theirs.header()
        assert (header["min_zoom"], header["max_zoom"], header["clustered"]) == (0, 8, True)
        assert archive.metadata == theirs.metadata()
        for zoom in range(EXTENT.max_zoom + 1):
            for tile in EXTENT.tiles(zoom):
                assert archive.tile(tile) == theirs.get(*tile)


def test_a_tile_outside_the_archive_is_none(archive: BasemapArchive) -> None:
    assert archive.tile(tile_at(100, 0, 3)) is None
    assert archive.tile(Tile(9, 0, 0)) is None
    assert archive.tile(tile_at(15, 45, 7)) is not None


def written(path: Path, tile_type: TileType = TileType.MVT, compression: Compression = Compression.GZIP) -> Path:
    with path.open("wb") as file:
        writer = Writer(file)
        for zoom in range(3):
            for x in range(1 << zoom):
                writer.write_tile(zxy_to_tileid(zoom, x, 0), f"{zoom}/{x}".encode())
        degrees = dict.fromkeys(("min_lon_e7", "min_lat_e7", "max_lon_e7", "max_lat_e7"), 0)
        centre = {"center_zoom": 0, "center_lon_e7": 0, "center_lat_e7": 0}
        writer.finalize(
            {"tile_type": tile_type, "tile_compression": compression, **degrees, **centre}, {"name": "made"}
        )
    return path


def test_plain_tiles_are_given_gzipped(tmp_path: Path) -> None:
    archive = BasemapArchive(written(tmp_path / "plain.pmtiles", compression=Compression.NONE))
    packed = archive.tile(Tile(2, 3, 0))
    assert packed is not None
    assert gzip.decompress(packed) == b"2/3"
    assert archive.layers == []


def test_a_file_that_is_no_archive_of_vector_tiles_is_refused(tmp_path: Path, path: Path) -> None:
    other = tmp_path / "other.pmtiles"
    other.write_bytes(b"no archive" * 100)
    empty = tmp_path / "empty.pmtiles"
    empty.touch()
    older = tmp_path / "older.pmtiles"
    older.write_bytes(b"PMTiles\x02" + path.read_bytes()[8:])
    pictures = written(tmp_path / "pictures.pmtiles", TileType.PNG)
    brotli = written(tmp_path / "brotli.pmtiles", compression=Compression.BROTLI)
    for file, words in (
        (other, "no PMTiles archive"),
        (empty, "no PMTiles archive"),
        (tmp_path / "none.pmtiles", "no PMTiles archive"),
        (older, "another version than 3"),
        (pictures, "PNG tiles, not vector tiles"),
        (brotli, "expected gzip or none"),
    ):
        with pytest.raises(UnreadableArchive, match=words):
            BasemapArchive(file)


def test_an_archive_that_ends_too_early_says_at_which_tile(tmp_path: Path, path: Path) -> None:
    short = tmp_path / "short.pmtiles"
    short.write_bytes(path.read_bytes()[:-200])
    archive = BasemapArchive(short)
    with pytest.raises(UnreadableArchive, match=r"damaged at tile 8/"):
        list(map(archive.tile, EXTENT.tiles(8)))
