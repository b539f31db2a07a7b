"""A command run in this process as the shell would, and what it said."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from api.cli import main
from api.terminal import attribution


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def told(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Said]


def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Make a function that runs ``strikeatlas`` with the words it is given, in a wide terminal."""
    for console in (attribution.console, attribution.errors):
        monkeypatch.setattr(console, "width", 200)

    def ran(*args: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["strikeatlas", *map(str, args)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main.main()
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return Said(int(ended.value.code or 0), said.out, said.err)

    return ran
