"""What `pmtiles verify` of Protomaps (go-pmtiles) holds an archive to: its header against directories and tiles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pmtiles.tile import Entry, deserialize_directory, deserialize_header, tileid_to_zxy

_HEADER_BYTES, _MOST_ROOT_BYTES = 127, 16_384


def pmtiles_faults(path: Path) -> Iterator[str]:
    """Yield what is wrong with an archive."""
    whole = path.read_bytes()
    header = deserialize_header(whole[:_HEADER_BYTES])
    sections = ("root", "metadata", "leaf_directory", "tile_data")
    yield from (f"{name} begins at 0" for name in sections if header[f"{name}_offset"] == 0)
    lengths = sum(header[f"{name}_length"] for name in sections)
    # A writer may fill up the first 16 kB, which hold header and root directory.
    if len(whole) not in (_HEADER_BYTES + lengths, _MOST_ROOT_BYTES + lengths - header["root_length"]):
        yield "the length is not that of its sections"
    if _HEADER_BYTES + header["root_length"] > _MOST_ROOT_BYTES:
        yield "header and root directory are over 16 kB"
    entries = list(_entries(whole, header, header["root_offset"], header["root_length"]))
    end, offsets = 0, set[int]()
    for before, entry in zip([None, *entries], entries, strict=False):
        if before is not None and entry.tile_id < before.tile_id + before.run_length:
            yield f"tile {entry.tile_id} is not after those before it"
        if entry.offset + entry.length > header["tile_data_length"]:
            yield f"tile {entry.tile_id} lies beyond the data"
        if header["clustered"] and entry.offset not in offsets and entry.offset != end:
            yield f"tile {entry.tile_id} is not in the order of an archive that is clustered"
        if entry.offset not in offsets:
            end = entry.offset + entry.length
        offsets.add(entry.offset)
    counts = {
        "addressed_tiles_count": sum(entry.run_length for entry in entries),
        "tile_entries_count": len(entries),
        "tile_contents_count": len(offsets),
    }
    yield from (
        f"{name} is {count}, the header says {header[name]}" for name, count in counts.items() if header[name] != count
    )
    zooms = tileid_to_zxy(entries[0].tile_id)[0], tileid_to_zxy(entries[-1].tile_id + entries[-1].run_length - 1)[0]
    if zooms != (header["min_zoom"], header["max_zoom"]):
        yield f"zooms are {zooms}, the header says {header['min_zoom'], header['max_zoom']}"
    if not header["min_zoom"] <= header["center_zoom"] <= header["max_zoom"]:
        yield "the zoom of the centre is none of the archive"
    for axis, most in (("lon", 1_800_000_000), ("lat", 900_000_000)):
        if not -most <= header[f"min_{axis}_e7"] < header[f"max_{axis}_e7"] <= most:
            yield f"the bounds of {axis} are in no order"


def _entries(whole: bytes, header: dict[str, Any], offset: int, length: int) -> Iterator[Entry]:
    for entry in deserialize_directory(whole[offset : offset + length]):
        if entry.run_length:
            yield entry
        else:
            yield from _entries(whole, header, header["leaf_directory_offset"] + entry.offset, entry.length)
