"""``strikeatlas dataset``: the datasets of a store, which of them are private, and the one way to publish these."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import typer
from rich.table import Table

from api.cli.common import STORE, AsJson, StoreAddress, output
from api.requests.change_reason import require_reason
from api.terminal.console import add_row
from layers.model.records import RECORD_TYPES
from layers.store.backends import open_store
from layers.store.store import Store

app = typer.Typer(help="List datasets, and say which may not be published.", no_args_is_help=True)

DatasetId = Annotated[str, typer.Argument(metavar="DATASET", help="The id of a dataset, as `list` has it.")]
Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID", help="Single private records of a public dataset.", show_default="the whole dataset"),
]
Why = Annotated[str, typer.Option(help="Why, such as the licence that forbids it, or the permission obtained.")]
Who = Annotated[str, typer.Option(help="Who decides.")]


@app.command("list", epilog="Example: strikeatlas dataset list --json")
def list_datasets(store: StoreAddress = STORE, as_json: AsJson = False) -> None:
    """List all datasets with their numbers of records and of observations of heat, and which are private, and why."""
    rows = _datasets(open_store(store))
    table = Table("dataset", "records", "heat", "private", "since", "who", "why")
    for row in rows:
        listed = row["private_since"] or {"at": "", "who": "", "why": ""}
        add_row(table, row["dataset"], row["records"], row["heat"], row["private_records"], *listed.values())
    output(rows, as_json, table)


def _datasets(store: Store) -> list[dict[str, Any]]:
    _, records = store.version(packed=True)
    listed, heat = store.privacy().datasets, store.heat_loads()
    counts, private = Counter[str](), Counter[str]()
    for name in RECORD_TYPES:
        for record in records.table(name).values():
            counts[record.dataset] += 1
            private[record.dataset] += record.private
    return [
        {
            "dataset": dataset,
            "records": counts[dataset],
            "heat": heat[dataset][0] if dataset in heat else 0,
            "private_records": private[dataset],
            "private_since": {"at": known.at, "who": known.who, "why": known.why}
            if (known := listed.get(dataset))
            else None,
        }
        for dataset in sorted(counts.keys() | listed.keys())
    ]


@app.command(epilog="Example: strikeatlas dataset withhold viina/events --why 'agreement ended' --who 'A. Editor'")
def withhold(dataset: DatasetId, why: Why, who: Who, store: StoreAddress = STORE, as_json: AsJson = False) -> None:
    """Make a dataset private as a whole: with all records that it has, and all that ever come to it."""
    reason = require_reason("--why", why)
    opened = open_store(store)
    opened.make_private(dataset, author=who, why=reason)
    opened.close()
    said = f"{dataset} is private: no answer, tile or export holds a record of it."
    output({"dataset": dataset, "private": True}, as_json, said)


@app.command(
    epilog="Example: strikeatlas dataset publish timemap/events --why 'licence of 2026-11-02' --who 'A. Editor'"
)
def publish(
    dataset: DatasetId,
    why: Why,
    who: Who,
    ids: Ids = None,
    store: StoreAddress = STORE,
    as_json: AsJson = False,
) -> None:
    """Make a private dataset public, or single private records of a public one. Nothing else makes either public."""
    reason = require_reason("--why", why)
    opened = open_store(store)
    published, staying = opened.publish(dataset, ids or (), author=who, why=reason)
    opened.close()
    why_not = "they cite a private source of another dataset, or describe a strike in the words of a report"
    rest = f"; {staying} stay private: {why_not}" if staying else ""
    said = f"{published} records of {dataset} may be published from now on{rest}."
    output({"dataset": dataset, "published": published, "staying_private": staying}, as_json, said)
