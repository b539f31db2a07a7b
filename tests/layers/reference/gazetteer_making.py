"""Small gazetteers for tests: rows of places, and lines of a GeoNames country file."""

from pathlib import Path

from layers.reference.gazetteer import Gazetteer
from layers.reference.geonames import GeonamesPlace
from tools.gazetteer import build


def row(number: int, name: str, lon: float, lat: float, *names: str, **more: object) -> GeonamesPlace:
    """Make a village of Odesa oblast, unless ``more`` says otherwise."""
    told: dict[str, object] = {"country": "UA", "admin1": "17", "admin2": "", "population": 900, "feature": None}
    return GeonamesPlace(id=number, name=name, lon=lon, lat=lat, names=names, **{**told, **more})  # type: ignore[arg-type]


def made(folder: Path, *rows: GeonamesPlace) -> Gazetteer:
    build(folder / "made.sqlite", rows)
    return Gazetteer.open(folder / "made.sqlite")


def line(number: object, name: str, lon: object, lat: object, names: str = "", **more: object) -> str:
    """Make a line of a country file: a village in the second-level division 5104 of Odesa oblast."""
    told = {"kind": "P", "code": "PPL", "country": "UA", "admin1": "17", "admin2": "5104", "people": "300", **more}
    values = [number, name, name, names, lat, lon, told["kind"], told["code"], told["country"], "", told["admin1"]]
    values += [told["admin2"], "", "", told["people"], "", "10", "Europe/Kyiv", "2026-01-01"]
    return "\t".join(map(str, values))
