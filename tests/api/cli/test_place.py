"""``strikeatlas place``: what is added goes into an own gazetteer; the one of the program stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from api import settings
from api.cli import place
from tests.command_runner import Run
from tests.layers.reference.gazetteer_making import line, made, row


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gazetteer that came with the program, in whose place a small one is, and an empty folder to work in."""
    program, work = tmp_path / "program", tmp_path / "work"
    made(program, row(1, "Reni", 28.3, 45.4)).close()
    path = (program / "made.sqlite").rename(program / "gazetteer.sqlite")
    for module in (settings, place):
        monkeypatch.setattr(module, "BUNDLED", program)
    work.mkdir()
    monkeypatch.chdir(work)
    (work / "UA.txt").write_text(line(2, "Orlivka", 28.44, 45.32) + "\n", encoding="utf-8")
    return path


def ids(command: Run, name: str) -> list[int]:
    return [found["id"] for found in command("place", "find", name, "--json").report["candidates"]]


def test_places_are_added_to_an_own_gazetteer(command: Run, bundled: Path) -> None:
    before = bundled.read_bytes()
    assert (ids(command, "Reni"), ids(command, "Orlivka")) == ([1], [])
    assert command("place", "add", "UA.txt", "--json").report["added"] == 1
    assert (ids(command, "Reni"), ids(command, "Orlivka")) == ([1], [2])
    assert command("place", "add", "UA.txt", "--json").report["known"]
    assert command("place", "build").code == 0
    assert (ids(command, "Reni"), ids(command, "Orlivka")) == ([1], [])
    assert bundled.read_bytes() == before


def test_where_none_came_with_the_program_it_is_said(command: Run, bundled: Path) -> None:
    bundled.unlink()
    for arguments in (("add", "UA.txt"), ("build",), ("find", "Reni")):
        refused = command("place", *arguments)
        assert refused.code == 4
        assert "there is no gazetteer" in refused.err
    assert not Path("data").exists()


def test_a_gazetteer_that_is_named_has_to_be_there(command: Run, bundled: Path) -> None:
    assert command("place", "add", "UA.txt", "--gazetteer", "other.sqlite").code == 4
    assert not Path("other.sqlite").exists()


def test_an_own_gazetteer_is_found_from_when_it_is_there(command: Run, bundled: Path) -> None:
    """A server asks at each request."""
    assert settings.gazetteer_path() == bundled
    command("place", "add", "UA.txt")
    assert settings.gazetteer_path() == Path("data/gazetteer.sqlite")
    assert settings.gazetteer_path(bundled) == bundled
