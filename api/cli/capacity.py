"""The command ``capacity``: how much of a country's was hit, and for how long it was lost, site by site."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from api.cli.common import (
    STORE,
    AsJson,
    BasemapOption,
    BasisOption,
    IsoArgument,
    MinorityOption,
    StoreAddress,
    open_snapshot,
    output,
)
from api.requests.parameters import Days, days_between
from api.serializers import country as serialize
from api.settings import BASEMAP
from api.terminal import capacity as terminal

EPILOG = "Example: strikeatlas capacity QA --since 2026-03-01 --until 2026-03-31"
SinceOption = Annotated[
    datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help="First day of the period; open by default.")
]
UntilOption = Annotated[
    datetime | None,
    typer.Option("--until", formats=["%Y-%m-%d"], help="Last day of the period, included; open by default."),
]


def period_of(since: datetime | None, until: datetime | None) -> Days:
    """Return the period of two options.

    Raises
    ------
    BadParameter
        If it ends before it begins.
    """
    return days_between(since.date() if since else None, until.date() if until else None)


def capacity(
    iso: IsoArgument,
    basis: BasisOption = "registration",
    minority: MinorityOption = "stay",
    since: SinceOption = None,
    until: UntilOption = None,
    store: StoreAddress = STORE,
    base: BasemapOption = BASEMAP,
    as_json: AsJson = False,
) -> None:
    """Tell how much capacity of a country was hit and for how many days it was lost, in each unit, with the sites."""
    period = period_of(since, until)
    answer = serialize.capacity_answer(open_snapshot(store, base), iso.upper(), basis, minority, period)
    output(answer, as_json, terminal.country(answer))
