"""Made-up files of FIRMS in all variants, and observations that make a place watched and unusual heat seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta

_START = "latitude,longitude,{bright},scan,track,acq_date,acq_time,satellite,"
#: Headers by variant: standard processing and the last days of each instrument.
HEADERS: Mapping[str, str] = {
    "viirs-archive": _START.format(bright="bright_ti4") + "instrument,confidence,version,bright_ti5,frp,daynight,type",
    "viirs-nrt": _START.format(bright="bright_ti4") + "confidence,version,bright_ti5,frp,daynight",
    "modis-archive": _START.format(bright="brightness") + "instrument,confidence,version,bright_t31,frp,daynight,type",
    "modis-nrt": _START.format(bright="brightness") + "confidence,version,bright_t31,frp,daynight",
}
#: Cells that differ by variant.
VARIANTS: Mapping[str, Mapping[str, str]] = {
    "viirs-archive": {"satellite": "N20", "instrument": "VIIRS", "confidence": "n", "version": "2", "type": "0"},
    "viirs-nrt": {"satellite": "N", "confidence": "nominal", "version": "2.0NRT"},
    "modis-archive": {"satellite": "Terra", "instrument": "MODIS", "confidence": "63", "version": "61.03", "type": "0"},
    "modis-nrt": {"satellite": "A", "confidence": "63", "version": "6.1NRT"},
}
_COMMON = {
    "latitude": "46.5", "longitude": "30.75", "bright_ti4": "331.2", "brightness": "331.2", "bright_ti5": "290.1",
    "bright_t31": "290.1", "scan": "0.39", "track": "0.36", "acq_date": "2025-08-08", "acq_time": "2341", "frp": "12.6",
    "daynight": "N",
}  # fmt: skip


def row(variant: str = "viirs-archive", **cells: str) -> dict[str, str]:
    """The cells of an observation by column."""
    return {**_COMMON, **VARIANTS[variant], **cells}


def csv_text(variant: str, rows: Iterable[Mapping[str, str]], sign: str = ",") -> str:
    """A file of a variant."""
    names = HEADERS[variant].split(",")
    lines = [sign.join(names), *(sign.join(cells.get(name, "") for name in names) for cells in rows)]
    return "\n".join(lines) + "\n"


def background(lon: float, lat: float, first: date, days: int, every: int = 1) -> Iterator[dict[str, str]]:
    """Yield heat a degree to the south on every n-th day: satellites saw the region then."""
    for number in range(0, days, every):
        day = (first + timedelta(number)).isoformat()
        yield row(latitude=f"{lat - 1:.5f}", longitude=f"{lon:.5f}", acq_date=day, acq_time="1030")
