"""``strikeatlas backup``, ``copy-store``, ``restore`` and ``upgrade``: copies of a whole store, old and new."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime, time
from typing import Annotated

import typer
from rich.markup import escape

from api.cli.common import STORE, AsJson, BasemapOption, StoreAddress, output, progress_bar, warn_of_clock
from api.cli.load import new_store
from api.requests.parameters import BadParameter
from api.settings import BASEMAP, open_layer
from api.terminal.console import counted
from api.wording.catalogue import text
from layers.model.timestamps import timestamp
from layers.reference import basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.store import upgrade as store_upgrade
from layers.store.backends import is_path, open_store, open_to_read, path_of
from layers.store.backup import back_up
from layers.store.backup import restore as restore_store
from layers.store.store import Store

app = typer.Typer()

_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TO_EXPECTED = "the number of a change, a day such as 2025-08-06, or a time with a zone such as 2025-08-06T04:00Z"

ForceOption = Annotated[bool, typer.Option("--force", help="Replace the file TARGET if there is one.")]


@app.command(epilog="Example: strikeatlas backup data/atlas.gpkg /mnt/backup/atlas.gpkg --json")
def backup(
    paths: Annotated[list[str], typer.Argument(metavar="[STORE] TARGET", help="The store, and the file to write.")],
    force: ForceOption = False,
    store: StoreAddress = STORE,
    as_json: AsJson = False,
) -> None:
    """Copy a store to one file, also while a server writes to it: one whole version, checked, or no file at all."""
    if len(paths) > 2:
        raise BadParameter("TARGET", " ".join(paths[2:]), "one file to write")
    target = path_of(paths[-1])
    opened = open_store(paths[0] if len(paths) == 2 else store)
    warn_of_clock(opened)
    with progress_bar("copying") as bar:
        copy = back_up(
            opened,
            target,
            overwrite=force,
            progress=lambda done, total: bar.update(bar.task_ids[0], completed=done, total=total),
        )
    opened.close()
    people = f"{copy.path}: change {copy.seq} of {copy.at or 'never'}, {copy.bytes:,} bytes\nsha256 {copy.sha256}"
    output({**asdict(copy), "path": str(copy.path)}, as_json, escape(people))


@app.command("copy-store", epilog="Example: strikeatlas copy-store data/atlas.gpkg postgresql://db.example/atlas")
def copy_store(
    source: Annotated[str, typer.Argument(metavar="FROM", help="The store to read.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="A file to write, or a database that holds no records.")],
    base: BasemapOption = BASEMAP,
    as_json: AsJson = False,
) -> None:
    """Copy a store to one of another kind, or the same: history to the last hash, records, and what is private."""
    derive = full_rewrite(basemap.read(base), text, open_layer())
    with closing(open_to_read(source)) as opened, new_store(target) as created, progress_bar("copying") as bar:
        head = created.copy_from(opened, derive, progress=lambda done: bar.advance(bar.task_ids[0], done))
        name = target if is_path(target) else created.name
    values = {"store": name, "seq": head.seq, "hash": head.hash, "at": head.at}
    output(values, as_json, escape(f"{name}: change {head.seq} of {head.at or 'never'}, hash {head.hash}"))


@app.command(epilog="Example: strikeatlas restore backup.gpkg then.gpkg --to 2025-08-06")
def restore(
    source: Annotated[str, typer.Argument(metavar="BACKUP_OR_STORE", help="A backup, or a store; it is only read.")],
    target: Annotated[str, typer.Argument(help="The store to write.")],
    to: Annotated[
        str | None,
        typer.Option(
            metavar="SEQ|TIME", help="The last change that it has, or a day or time (UTC).", show_default="all"
        ),
    ] = None,
    force: ForceOption = False,
    base: BasemapOption = BASEMAP,
    as_json: AsJson = False,
) -> None:
    """Write a store as it was after any change, from the history in another one; what is private now stays so."""
    moment, base_map, path = _moment(to), basemap.read(base), path_of(target)
    opened = Store.open(path_of(source), read_only=True)
    with progress_bar("replaying") as bar:
        restored = restore_store(
            opened,
            path,
            full_rewrite(base_map, text, open_layer()),
            to=moment,
            overwrite=force,
            progress=lambda rows: bar.update(bar.task_ids[0], advance=rows),
        )
    opened.close()
    people = f"{restored.path}: change {restored.seq} of {restored.at or 'never'}"
    if restored.within is not None:
        first, last = restored.within
        people += f"\nChanges {first} to {last} were written together: the store was never as it is here."
    if restored.private:
        people += f"\nPublic then, and private in it as they are now: {counted(restored.private, 'records')}."
    output({**asdict(restored), "path": str(restored.path)}, as_json, escape(people))


def _moment(to: str | None) -> int | datetime | None:
    """The number or the time of the last change; of a day its end, in UTC; raises `BadParameter` if it is neither."""
    if to is None or _NUMBER.fullmatch(to):
        return None if to is None else int(to)
    try:
        moment = datetime.fromisoformat(to)
    except ValueError as error:
        raise BadParameter("--to", to, _TO_EXPECTED) from error
    if _DAY.fullmatch(to):
        return datetime.combine(moment, time.max, UTC)
    if moment.tzinfo is None:
        raise BadParameter("--to", to, _TO_EXPECTED)
    return moment


UPGRADE_EPILOG = "Example: strikeatlas upgrade data/atlas.gpkg"


def upgrade(
    store: Annotated[str, typer.Argument(metavar="STORE", help="The GeoPackage that holds the records.")] = STORE,
    base: BasemapOption = BASEMAP,
    as_json: AsJson = False,
) -> None:
    """Bring a store of an earlier program to this one's tables: a copy beside it first, then all steps or none."""
    done = store_upgrade.upgrade(path_of(store), timestamp(), full_rewrite(basemap.read(base), text, open_layer()))
    values = {"store": store, **asdict(done), "backup": str(done.backup) if done.backup else None}
    output(values, as_json, escape("\n".join(_upgrade_lines(store, done))))


def _upgrade_lines(store: str, done: store_upgrade.Upgrade) -> list[str]:
    if done.backup is None:
        return [f"{store} is of version {done.after} already; nothing was done."]
    lines = [f"{store} is of version {done.after} now; as it was, version {done.before}, it is in {done.backup}."]
    lines += [f"- {title}" for title in done.steps]
    if done.recorded:
        lines.append(f"In the history now, as other programs had edited them: {counted(done.recorded, 'records')}.")
    if done.fault is not None:
        lines.append(f"The layers that follow from the records are as they were, as one is not valid: {done.fault}")
    return lines
