"""Where the data of a printed map are from. It imports nothing that draws: commands that draw nothing stay quick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, kw_only=True)
class SheetOrigin:
    """What a sheet says of where it is from: day and history of the data, remarks, and strikes that are retracted."""

    day: date
    history: str
    remarks: Sequence[str] = ()
    retracted: int = 0
