"""The tutorial is in step with the program: its commands parse, its files have digests, its verdicts add up."""

from __future__ import annotations

import csv
import re
import shlex
from collections import Counter
from fnmatch import fnmatch
from typing import Any

import pytest
import typer.main
from typer.core import TyperGroup

from api.cli.main import app
from layers.decisions.hits import PUBLISH_FROM
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
LINES = [line for block in BLOCKS for line in block.replace("\\\n", " ").splitlines()]
COMMANDS = [line.strip() for line in LINES if line.strip().startswith("strikeatlas ")]
DIGESTS = (ROOT / "docs" / "tutorial.sha256").read_text(encoding="utf-8")
#: Probability from which matches were published when they were drawn; the page says which it is today.
DRAWN_FROM = 0.75
with (ROOT / "tests" / "labelled" / "drawn_matches.csv").open(encoding="utf-8", newline="") as _file:
    DRAWN = list(csv.DictReader(_file))


def parsed(line: str) -> tuple[str, dict[str, Any]]:
    """Parse a command, and run nothing of it: its name, and its parameters."""
    words = shlex.split(line.split(" > ")[0], comments=True)[1:]
    command, context = typer.main.get_command(app), None
    while isinstance(command, TyperGroup):
        context = command.make_context("strikeatlas", words[:1], parent=context, resilient_parsing=True)
        found = command.get_command(context, words[0])
        assert found is not None, line
        command, words = found, words[1:]
    name = str(command.name)
    return name, command.make_context(name, words, parent=context).params


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_tutorial_parses(line: str) -> None:
    assert parsed(line)[1]


def test_the_way_of_the_tutorial_is_whole() -> None:
    names = {parsed(line)[0] for line in COMMANDS}
    assert {"init", "load", "map", "match", "duplicates", "judge", "serve", "country"} <= names


def test_every_file_that_is_downloaded_is_loaded_and_has_a_digest() -> None:
    downloaded = {line.split(" -o ")[1] for line in LINES if line.startswith("curl -fsSL ")}
    assert downloaded == set(re.findall(r"^[0-9a-f]{64}  (\S+)$", DIGESTS, re.MULTILINE))
    loaded = [word for line in COMMANDS if line.startswith("strikeatlas load ") for word in shlex.split(line)]
    assert {name for name in downloaded if not any(fnmatch(f"data/public/{name}", word) for word in loaded)} == set()


def test_the_fifty_that_were_read_add_up() -> None:
    assert [int(row["number"]) for row in DRAWN] == list(range(1, 51))
    assert len({row["strike"] for row in DRAWN}) == 50
    assert all(float(row["probability"]) >= DRAWN_FROM for row in DRAWN)
    assert f"from {PUBLISH_FROM} on a match is published".capitalize() in PAGE
    verdicts = Counter(re.split(r"[:,]", row["verdict"])[0] for row in DRAWN)
    assert set(verdicts) <= {"right", "wrong", "cannot be told"}
    said = re.search(r"\*\*(\d+) of the fifty are right\*\*, (\d+) are wrong, and (\d+) cannot be decided", PAGE)
    assert said is not None
    assert [int(number) for number in said.groups()] == [
        verdicts[name] for name in ("right", "wrong", "cannot be told")
    ]
