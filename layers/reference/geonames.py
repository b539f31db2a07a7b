"""Reads country files of places as GeoNames publishes them."""

from __future__ import annotations

import io
import math
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from layers.model.messages import Argument, Message
from layers.model.problems import Problem, ProblemsError

LICENCE = "GeoNames, CC BY 4.0"

#: The columns of a GeoNames country file (download.geonames.org/export/dump/readme.txt); no header.
COLUMNS = [
    "geonameid",
    "name",
    "asciiname",
    "alternatenames",
    "latitude",
    "longitude",
    "feature_class",
    "feature_code",
    "country_code",
    "cc2",
    "admin1_code",
    "admin2_code",
    "admin3_code",
    "admin4_code",
    "population",
    "elevation",
    "dem",
    "timezone",
    "modification_date",
]
# The longest real line is under 20 kB (a capital's alternate names).
_MAX_LINE = 100_000
# allCountries.txt has 1.7 GB.
_MAX_BYTES = 4_000_000_000
_MAX_PROBLEMS = 1000
_MAX_ROWS = 1_000_000
_TOO_MANY = Message("geonames.at-most-places", {"limit": _MAX_ROWS})

#: Features of a country file that strikes are reported at; all others, such as rivers and farms, are left out. They are
#: all populated places, divisions, ports, refineries, oil and gas fields, power stations and substations, airfields,
#: bases, factories, railway stations, dams and pumping stations; by class and code.
REPORTED_FEATURES = re.compile(
    r"P\..*|A\.ADM[1-4]|L\.(PRT|OILF|GASF|MILB|NVB|INDS)|"
    r"S\.(OIL[RTJ]|PS[HNE]?|PMPO|AIR[PBFH]|MFG\w?|RST[NJ]|DAM|MLTB|NVB|GASF)"
)
_GONE = frozenset({"PPLH", "ADM1H", "ADM2H", "ADM3H", "ADM4H", "PPLCH"})


class GeonamesPlace(NamedTuple):
    """One place: GeoNames id, name, country (ISO 3166-1), admin codes, lon/lat in degrees, people, feature code.

    Population is 0 and the feature code, which has its class before it as in "P.PPL", None where they are not known.
    """

    id: int
    name: str
    country: str
    admin1: str
    admin2: str
    lon: float
    lat: float
    population: int
    feature: str | None
    names: tuple[str, ...]


def read_file(path: Path) -> list[GeonamesPlace]:
    """Read a GeoNames country file such as UA.txt, or a zip archive that holds one.

    Only the features of ``REPORTED_FEATURES`` are taken: populated places, divisions and kinds of sites.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ProblemsError
        With every fault of the file, at most 1000, if it has any, or if it is no such file.
    """
    with _opened(path) as stream:
        return parse(_lines(stream, path.name), path.name)


def parse(lines: Iterable[str], file: str) -> list[GeonamesPlace]:
    """Read the lines of a GeoNames country file, as ``read_file``."""
    rows, problems = [], []
    for number, line in enumerate(lines, 1):
        values = line.rstrip("\r\n").split("\t")
        faults = [Problem(file, number, values[0][:40], *fault) for fault in _faults(values)]
        if faults:
            problems += faults
            if len(problems) >= _MAX_PROBLEMS:
                break
        elif is_reported_at(values[6], values[7]):
            rows.append(_row(values))
            if len(rows) > _MAX_ROWS:
                raise ProblemsError(
                    (Problem(file, number, values[0], "geonameid", Message("geonames.one-more"), _TOO_MANY),)
                )
    if not rows and not problems:
        nothing = Message("value.nothing")
        problems = [Problem(file, None, file, "geonameid", nothing, Message("geonames.country-file"))]
    if problems:
        raise ProblemsError(tuple(problems[:_MAX_PROBLEMS]))
    return rows


def is_reported_at(feature_class: str, code: str) -> bool:
    """Whether a GeoNames feature is a place that strikes are reported at."""
    return code not in _GONE and REPORTED_FEATURES.fullmatch(f"{feature_class}.{code}") is not None


def _is_int(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 12


def _within(limit: float) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            return math.isfinite(float(text)) and abs(float(text)) <= limit
        except ValueError:
            return False

    return check


_CHECKS: tuple[tuple[int, Callable[[str], bool], Message], ...] = (
    (0, _is_int, Message("cell.number")),
    (1, lambda text: 0 < len(text) <= 200 and "\ufffd" not in text, Message("geonames.name")),
    (4, _within(90), Message("geonames.degrees", {"limit": 90})),
    (5, _within(180), Message("geonames.degrees", {"limit": 180})),
    (6, lambda text: len(text) <= 1, Message("geonames.letter")),
    (8, lambda text: not text or (len(text) == 2 and text.isalpha()), Message("geonames.country-code")),
    (14, lambda text: not text or _is_int(text), Message("cell.number")),
)


def _faults(values: list[str]) -> Iterator[tuple[str, Argument, Message]]:
    if len(values) != len(COLUMNS):
        count = Message("geonames.columns", {"count": len(values)})
        yield "geonameid", count, Message("geonames.tab-columns", {"count": len(COLUMNS)})
        return
    for column, is_good, expected in _CHECKS:
        if not is_good(values[column]):
            yield COLUMNS[column], values[column][:80], expected


def _row(values: list[str]) -> GeonamesPlace:
    ascii_name, others = values[2], values[3].split(",")
    return GeonamesPlace(
        id=int(values[0]),
        name=values[1],
        country=values[8].upper(),
        admin1=values[10],
        admin2=values[11],
        lon=float(values[5]),
        lat=float(values[4]),
        population=int(values[14] or 0),
        feature=f"{values[6]}.{values[7]}" if values[7] else None,
        names=tuple(name for name in (ascii_name, *others) if name),
    )


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a text file, or the one text file in a zip archive that is no read-me."""
    if not zipfile.is_zipfile(path):
        with path.open("rb") as stream:
            yield stream
        return
    try:
        # Without a buffer, readline of a member may end within a line, where the member's own buffer ends.
        with (
            zipfile.ZipFile(path) as archive,
            archive.open(_member(archive, path.name)) as member,
            io.BufferedReader(member) as stream,  # type: ignore[type-var]
        ):
            yield stream
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
        raise ProblemsError(
            (Problem(path.name, None, path.name, "archive", str(error), Message("geonames.sound-zip")),)
        ) from error


def _member(archive: zipfile.ZipFile, file: str) -> str:
    texts = [name for name in archive.namelist() if name.endswith(".txt") and "readme" not in name.lower()]
    if len(texts) != 1:
        members = ", ".join(texts[:5]) or Message("value.no-one")
        raise ProblemsError((Problem(file, None, file, "member", members, Message("geonames.one-text-file")),))
    return texts[0]


def _lines(stream: IO[bytes], file: str) -> Iterator[str]:
    """Give the lines as text; the length of each line and of all together is bounded, against decompression bombs."""
    read = 0
    while line := stream.readline(_MAX_LINE):
        read += len(line)
        if (len(line) == _MAX_LINE and not line.endswith(b"\n")) or read > _MAX_BYTES:
            size = Message("geonames.bytes-read", {"count": read})
            expected = Message("geonames.sizes", {"line": _MAX_LINE, "gigabytes": _MAX_BYTES // 10**9})
            raise ProblemsError((Problem(file, None, file, "line", size, expected),))
        yield line.decode("utf-8", "replace")
