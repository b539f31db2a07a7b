"""``strikeatlas dataset`` and ``policy``: datasets, which of them are private, and what is published of others."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.markup import escape
from rich.table import Table

from api.cli.common import STORE, AsJson, BasemapOption, StoreAddress, output
from api.requests.parameters import BadParameter
from api.requests.write_headers import require_reason
from api.serializers.policy import RULES, policy_values
from api.server.version_builder import derived_by_load
from api.settings import BASEMAP, Settings, open_layer
from api.terminal.console import add_row, counted
from api.wording.catalogue import text
from layers.disclosure.policy import OPEN, read
from layers.ingest.load_plan import LoadPlan, plan_removal, plan_restoration, planned_changes
from layers.model.messages import Message
from layers.model.problems import ProblemsError, UnknownRecord
from layers.model.records import RECORD_TYPES
from layers.resolution.merge_entities import has_merged
from layers.snapshot.disclosure import policy_of
from layers.snapshot.snapshot_cache import discard, folder_of
from layers.store.backends import open_store
from layers.store.privacy_changes import Published
from layers.store.store import Store

app = typer.Typer(help="List datasets, say which may not be published, and remove them.", no_args_is_help=True)

#: Records that are listed for people; JSON has them all.
_SHOWN = 20

DatasetId = Annotated[str, typer.Argument(metavar="DATASET", help="The id of a dataset, as `list` has it.")]
Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID", help="Single private records of a public dataset.", show_default="the whole dataset"),
]
All = Annotated[
    bool, typer.Option("--all", help="Of a dataset also the records that were private by themselves before it was.")
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
    discard(folder_of(opened))  # which has what was published before
    others = (one for one in opened.records().entities.values() if one.dataset != dataset)
    having = [f"{one.id} ({one.dataset})" for one in others if has_merged(one.note, (dataset,))]
    opened.close()
    said = f"{dataset} is private: no answer, tile or export holds a record of it."
    if having:
        said += f" Names or notes of it are still in {', '.join(having)}: load their datasets again to take these out."
    output({"dataset": dataset, "private": True, "still_in": having}, as_json, said)


@app.command(
    epilog="Example: strikeatlas dataset publish timemap/events --why 'licence of 2026-11-02' --who 'A. Editor'"
)
def publish(
    dataset: DatasetId,
    why: Why,
    who: Who,
    ids: Ids = None,
    everything: All = False,
    store: StoreAddress = STORE,
    as_json: AsJson = False,
) -> None:
    """Make a private dataset public, or single private records of a public one; no load or edit does.

    Of a dataset those records stay private that were so by themselves before it was: name them afterwards.
    """
    reason = require_reason("--why", why)
    if everything and ids:
        raise BadParameter("--all", " ".join(ids), "no ids beside it: it is for the whole dataset")
    with closing(open_store(store)) as opened:
        done = opened.publish(dataset, ids or (), author=who, why=reason, everything=everything)
    output(
        {
            "dataset": dataset,
            "published": done.records,
            "staying_private": done.bound + len(done.before),
            "private_before": done.before,
        },
        as_json,
        escape(_published(dataset, done)),
    )


def _published(dataset: str, done: Published) -> str:
    staying = done.bound + len(done.before)
    of_all = f"{done.records:,} of " if staying else ""
    said = [f"{of_all}{counted(done.records + staying, 'records')} of {dataset} may be published from now on."]
    if done.bound:
        why = "for a private source of another dataset, or as words of a report that describe a strike"
        said.append(f"Still private {why}: {done.bound:,}.")
    if done.before:
        named = ", ".join(done.before[:_SHOWN]) + (", and more in --json" if len(done.before) > _SHOWN else "")
        said.append(
            f"Still private, as they were by themselves before the dataset was: {len(done.before):,} ({named})."
        )
        said.append(f"To publish one of these name it: strikeatlas dataset publish {shlex.quote(dataset)} ID")
    return "\n".join(said)


Yes = Annotated[bool, typer.Option("--yes", help="Do it; without it is only said what would be done.")]
GivenWhy = Annotated[str | None, typer.Option(help="Why, for history and the corrections log; needed with --yes.")]
GivenWho = Annotated[str | None, typer.Option(help="Who decides; needed with --yes.")]


@app.command(epilog="Example: strikeatlas dataset remove csv/mine --yes --why 'loaded by mistake' --who 'A. Editor'")
def remove(
    dataset: DatasetId,
    yes: Yes = False,
    why: GivenWhy = None,
    who: GivenWho = None,
    store: StoreAddress = STORE,
    base: BasemapOption = BASEMAP,
    as_json: AsJson = False,
) -> None:
    """Remove a dataset: all its records but those that others refer to. `dataset restore` puts them back.

    Without --yes it says what would go, and what refers to it. Decisions and judgements are never removed. Heat goes
    with its source and is not in the history: it has to be loaded again.
    """
    with closing(open_store(store)) as opened:
        seq, stored = opened.version()
        if not any(record.dataset == dataset for name in RECORD_TYPES for record in stored.table(name).values()):
            raise UnknownRecord(Message("load.no-dataset", {"id": dataset}))
        plan = plan_removal(stored, dataset)
        changes = planned_changes(stored, plan, (dataset,))
        counts = {name: len(change.removed) for name, change in changes.items() if change.removed}
        heat = opened.heat_loads().get(dataset, (0, ""))[0]
        if yes:
            seq = _written(opened, plan, dataset, base, seq, why, who)
    staying = {key: text(reason) for key, reason in plan.retained.items()}
    answer = {"dataset": dataset, "removed": counts, "heat": heat, "staying": staying, "written": yes, "seq": seq}
    output(answer, as_json, _shown(answer, "removed"))


@app.command(epilog="Example: strikeatlas dataset restore csv/mine --yes --why 'a mistake' --who 'A. Editor'")
def restore(
    dataset: DatasetId,
    yes: Yes = False,
    why: GivenWhy = None,
    who: GivenWho = None,
    store: StoreAddress = STORE,
    base: BasemapOption = BASEMAP,
    as_json: AsJson = False,
) -> None:
    """Put back what a dataset lost last, by `dataset remove` or by a load, as history has it.

    Without --yes it says what would come back. A record whose id another dataset has taken since is a fault.
    """
    with closing(open_store(store)) as opened:
        seq, stored = opened.version()
        plan = plan_restoration(stored, dataset, opened.last_removed(dataset))
        if plan.problems:
            raise ProblemsError(plan.problems)
        counts = {name: len(change.added) for name, change in planned_changes(stored, plan).items() if change.added}
        if not counts:
            raise UnknownRecord(Message("load.none-removed", {"id": dataset}))
        if yes:
            seq = _written(opened, plan, dataset, base, seq, why, who)
    answer = {"dataset": dataset, "restored": counts, "written": yes, "seq": seq}
    output(answer, as_json, _shown(answer, "restored"))


def _written(
    store: Store, plan: LoadPlan, dataset: str, base: Path, seen: int, why: str | None, who: str | None
) -> int:
    """Bring a dataset to what a plan says, in one transaction; return the number of the last change."""
    author, reason = (who or "").strip(), require_reason("--why", why or "")
    if not author:
        raise BadParameter("--who", author, "who decides")
    below = open_layer()
    derive = derived_by_load(store, Settings(basemap=base), below)
    report = store.load(plan.records, author=author, why=reason, seen=seen, derive=derive, emptied=(dataset,))
    store.record_open_layer(below, author=author)
    return report.seq


def _shown(answer: Mapping[str, Any], verb: str) -> Group:
    table = Table("table", verb if answer["written"] else f"would be {verb}")
    for name, count in (*answer[verb].items(), *([("heat", answer["heat"])] if answer.get("heat") else [])):
        add_row(table, name, count)
    staying = answer.get("staying", {})
    stays = Table("stays", "because", title_justify="left", title=f"{len(staying)} stay; all in --json")
    for key, reason in list(staying.items())[:_SHOWN]:
        add_row(stays, key, reason)
    said = "" if answer["written"] else "Nothing was written; --yes with --why and --who does it."
    return Group(table, *([stays] if staying else []), said)


policy_app = typer.Typer(help="Say what a store publishes, when and how exactly; see policy.md.", no_args_is_help=True)


@policy_app.command(epilog="Example: strikeatlas policy show --json")
def show(store: StoreAddress = STORE, as_json: AsJson = False) -> None:
    """Show the policy of a store, by which every command and server publishes it."""
    with closing(open_store(store)) as opened:
        policy = policy_of(opened)
    values = policy_values(policy)
    rules = [f"{name} {rule}" for name in RULES for rule in values[name]]
    said = "\n".join(rules) or "All that is not private is published."
    output(values, as_json, escape(said))


@policy_app.command(
    "set", epilog="Example: strikeatlas policy set policy.toml --why 'agreed on 2026-11-02' --who 'A. Editor'"
)
def set_policy(
    file: Annotated[str, typer.Argument(metavar="FILE|none", help="TOML file of the policy; none publishes all.")],
    why: Annotated[str, typer.Option(help="Why it is so from now on; it stands in the history.")],
    who: Annotated[str, typer.Option(help="Who decides.")],
    store: StoreAddress = STORE,
    as_json: AsJson = False,
) -> None:
    """Give a store another policy, which running servers follow within seconds; pages that were published stay."""
    reason = require_reason("--why", why)
    policy = OPEN if file == "none" else read(Path(file))
    with closing(open_store(store)) as opened:
        opened.set_policy(None if policy == OPEN else policy.model_dump(mode="json"), author=who, why=reason)
        discard(folder_of(opened))  # which has what was published before
        change = opened.seq()
    numbers = ", ".join(f"{len(getattr(policy, name))} {name}" for name in RULES)
    said = f"The policy of {opened.name} has these numbers of rules from change {change} on: {numbers}."
    output({"store": opened.name, "change": change, "policy": policy_values(policy)}, as_json, escape(said))
