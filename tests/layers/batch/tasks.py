"""Tasks for workers, which import them by their names."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Deadly:
    """Squares a number; the first workers that are given ``number`` end before they answer."""

    folder: Path
    number: int
    deaths: int

    def __call__(self, number: int) -> int:
        if number == self.number and len(list(self.folder.iterdir())) < self.deaths:
            (self.folder / str(os.getpid())).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if number < 0:
            raise ValueError("no root")
        return number * number


@dataclass(frozen=True)
class Endless:
    """Notes the process that it is done by in a folder, and does not end."""

    folder: Path

    def __call__(self, _: int) -> None:
        (self.folder / str(os.getpid())).touch()
        time.sleep(600)
