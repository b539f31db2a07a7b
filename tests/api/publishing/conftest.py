"""Commands run as the shell would."""

from __future__ import annotations

import pytest

from tests.command_runner import Run, shell


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return shell(capsys, monkeypatch)
