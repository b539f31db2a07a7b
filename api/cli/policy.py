"""``strikeatlas policy``: what a store publishes, when and how exactly. It stands in the store, for every door."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from api.cli.common import STORE, AsJson, StoreAddress, output
from api.requests.change_reason import require_reason
from api.serializers.policy import RULES, policy_values
from layers.disclosure.policy import OPEN, read
from layers.snapshot.disclosure import policy_of
from layers.snapshot.snapshot_cache import discard, folder_of
from layers.store.backends import open_store

app = typer.Typer(help="Say what a store publishes, when and how exactly; see policy.md.", no_args_is_help=True)


@app.command(epilog="Example: strikeatlas policy show --json")
def show(store: StoreAddress = STORE, as_json: AsJson = False) -> None:
    """Show the policy of a store, by which every command and server publishes it."""
    with closing(open_store(store)) as opened:
        policy = policy_of(opened)
    values = policy_values(policy)
    rules = [f"{name} {rule}" for name in RULES for rule in values[name]]
    said = "\n".join(rules) or "All that is not private is published."
    output(values, as_json, escape(said))


@app.command("set", epilog="Example: strikeatlas policy set policy.toml --why 'agreed on 2026-11-02' --who 'A. Editor'")
def set_policy(
    file: Annotated[str, typer.Argument(metavar="FILE|none", help="TOML file of the policy; none publishes all.")],
    why: Annotated[str, typer.Option(help="Why it is so from now on; it stands in the history.")],
    who: Annotated[str, typer.Option(help="Who decides.")],
    store: StoreAddress = STORE,
    as_json: AsJson = False,
) -> None:
    """Give a store another policy, which running servers of it follow at once; pages that were published stay."""
    reason = require_reason("--why", why)
    policy = OPEN if file == "none" else read(Path(file))
    with closing(open_store(store)) as opened:
        opened.set_policy(None if policy == OPEN else policy.model_dump(mode="json"), author=who, why=reason)
        discard(folder_of(opened))  # which has what was published before
        change = opened.seq()
    numbers = ", ".join(f"{len(getattr(policy, name))} {name}" for name in RULES)
    said = f"The policy of {opened.name} has these numbers of rules from change {change} on: {numbers}."
    output({"store": opened.name, "change": change, "policy": policy_values(policy)}, as_json, escape(said))
