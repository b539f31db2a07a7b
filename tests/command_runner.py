"""Runs commands in this process as the shell would, and captures their output."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from api.cli import main
from api.terminal.console import console, errors


class CommandResult(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def report(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., CommandResult]


def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A function that runs ``strikeatlas`` with its arguments, in a wide terminal."""
    for stream in (console, errors):
        monkeypatch.setattr(stream, "width", 200)

    def ran(*args: object) -> CommandResult:
        monkeypatch.setattr(sys, "argv", ["strikeatlas", *map(str, args)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main.main()
        output = capsys.readouterr()
        assert "Traceback" not in output.out + output.err
        return CommandResult(int(ended.value.code or 0), output.out, output.err)

    return ran
