"""The command line: ``strikeatlas``. People read tables, programs read ``--json``; exit codes mean something."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import closing
from datetime import date, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

import typer

import api.cli.import_pause
from api.cli import backup as backup_commands
from api.cli import batch as batch_commands
from api.cli import corrections as corrections_commands
from api.cli import dataset as dataset_commands
from api.cli import dossier as dossier_commands
from api.cli import export as export_commands
from api.cli import judge as judge_commands
from api.cli import load as load_commands
from api.cli import map as map_commands
from api.cli import place as place_commands
from api.cli import reviewer as reviewer_commands
from api.cli import serve as serve_commands
from api.cli import verify as verify_commands
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
from api.exports.errors import ExportError
from api.requests.parameters import BadParameter, Days, days_between
from api.requests.reviewer_tokens import ReviewersError
from api.serializers import attribution as serialize
from api.serializers import country as serialize_country
from api.serializers.load_report import publish_values
from api.server.version_builder import VersionBuilder, cache_of
from api.settings import BASEMAP, PolicyDiffers, Settings, open_layer
from api.terminal import attribution as terminal
from api.terminal.load_report import print_publish_problems, publish_tables
from layers.attribution.country_totals import Relation
from layers.batch.pool import BatchError
from layers.ingest.integrity import check as check_records
from layers.ingest.publishable import check_publishable
from layers.model.messages import Message
from layers.model.problems import ProblemsError, UnknownRecord
from layers.reference import basemap
from layers.reference.basemap import BasemapMissing
from layers.reference.basemap_archive import UnreadableArchive
from layers.reference.gazetteer import GazetteerMissing
from layers.snapshot.snapshot_cache import CachedVersion
from layers.sources import curated
from layers.store.backends import is_path, open_store
from layers.store.open_layer import OPEN
from layers.store.store import NotAStore, StoreError

api.cli.import_pause.end()

#: Domain error to exit code; 0 is success, 2 is wrong usage.
EXIT_CODES: Mapping[type[Exception], int] = MappingProxyType(
    {
        ProblemsError: 1,
        BadParameter: 2,
        PolicyDiffers: 2,
        ReviewersError: 2,
        ExportError: 2,
        UnknownRecord: 3,
        FileNotFoundError: 4,
        FileExistsError: 4,
        BasemapMissing: 4,
        UnreadableArchive: 4,
        GazetteerMissing: 4,
        NotAStore: 4,
        StoreError: 5,
        BatchError: 6,
        OSError: 6,
        MemoryError: 6,
        load_commands.UnconfirmedReplacement: load_commands.UNCONFIRMED,
    }
)

HELP = """Whose energy sites were struck: load, check, ask, serve and export.

Exit codes: 0 done, 1 the input has faults, 2 wrong usage, 3 no such record, 4 a file is missing or in the way,
5 the store cannot be read or written, 6 the system refused, 7 much would be removed or changed, and nobody agreed.
"""

app = typer.Typer(
    name="strikeatlas",
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
# Modules of commands: one line each. Without a name the commands stand at the top.
app.add_typer(load_commands.app)
app.add_typer(judge_commands.app)
app.add_typer(backup_commands.app)
app.add_typer(batch_commands.app, name="batch")
app.add_typer(place_commands.app, name="place")
app.add_typer(verify_commands.receipt_app, name="receipt")
app.add_typer(reviewer_commands.app, name="reviewer")
app.command(epilog=reviewer_commands.AUDIT_EPILOG)(reviewer_commands.audit)
app.add_typer(dataset_commands.app, name="dataset")
app.add_typer(dataset_commands.policy_app, name="policy")
export_commands.export_command("report", "strikeatlas-dossier", dossier_commands.EXAMPLE)(dossier_commands.dossier)
app.add_typer(export_commands.app, name="export")
app.command("map", epilog=map_commands.EPILOG)(map_commands.map_)
app.command(epilog=judge_commands.MATCH_EPILOG)(judge_commands.match)
app.command(epilog=corrections_commands.EPILOG)(corrections_commands.corrections)
app.command(epilog=serve_commands.PUBLISH_EPILOG)(serve_commands.publish)
app.command("cache", epilog=serve_commands.BUILD_CACHE_EPILOG)(serve_commands.build_cache)
app.command(epilog=serve_commands.EPILOG)(serve_commands.serve)
app.command(epilog=backup_commands.UPGRADE_EPILOG)(backup_commands.upgrade)
app.command(epilog=verify_commands.EPILOG)(verify_commands.verify)

EmptyOption = Annotated[bool, typer.Option("--empty", help="Leave the bundled records out: a store for your own.")]
WhoOption = Annotated[str, typer.Option(help="Who makes the change; kept in the history.")]
Collection = Literal["strikes", "assets", "attributions", "hits", "countries", "entities", "stakes", "sources"]
Tier = Literal["curated", "open"]


@app.command(epilog="Example: strikeatlas init --store data/atlas.gpkg")
def init(
    store: StoreAddress = STORE,
    base: BasemapOption = BASEMAP,
    who: WhoOption = "strikeatlas init",
    empty: EmptyOption = False,
    as_json: AsJson = False,
) -> None:
    """Make a store and load the bundled records into it; a store that is there stays as it is.

    What follows from the records is cached beside it, so that servers and commands start at once.
    """
    settings, loaded = Settings(basemap=base), list[CachedVersion]()
    is_there = is_path(store) and Path(store).exists()
    try:
        create = partial(load_commands.create_store, computed=lambda *both: loaded.append(CachedVersion(*both)))
        report = None if is_there else create(store, base, who, empty=empty)
    except FileExistsError:
        if is_path(store):
            raise
        report = None
    with closing(open_store(store).mount(open_layer())) as opened:
        if report is None:
            output(
                {"store": opened.name, "created": False},
                as_json,
                f"{opened.name} is there already; nothing was changed.",
            )
            return
        ground = basemap.read(base)
        cache = cache_of(opened, ground, settings)
        with cache.exclusive_lock():
            VersionBuilder(opened, ground, settings, "", loaded=next(iter(loaded), None)).write(cache)
        values = {"store": opened.name, "created": True, **load_commands.counts(report)}
        output(values, as_json, terminal.load_report(opened.name, report))


@app.command(epilog="Example: strikeatlas check layers/records --json; strikeatlas check layers/records --publishable")
def check(
    folder: Annotated[
        Path, typer.Argument(help="Folder of *.toml records, or one file.", show_default="the bundled records")
    ] = curated.BUNDLED,
    base: BasemapOption = BASEMAP,
    publishable: Annotated[
        bool, typer.Option("--publishable", help="Name as well what an editor would not print; see editing.md.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Name every fault of a folder of records at once; nothing is written."""
    read = curated.read(folder)
    problems = check_records(read, basemap.read(base))
    if problems:
        raise ProblemsError(problems)
    if not publishable:
        output({"problems": []}, as_json, "No faults.")
        return
    report = check_publishable(read)
    if not as_json:
        print_publish_problems(report)
    values = publish_values(report)
    output(values, as_json, publish_tables(values))
    if report.problems:
        raise typer.Exit(1)


@app.command("list", epilog="Example: strikeatlas list assets --tier curated --json")
def list_(
    collection: Annotated[Collection, typer.Argument(help="What to list.")],
    tier: Annotated[Tier | None, typer.Option(help="Only what the store has (curated) or the open layer.")] = None,
    store: StoreAddress = STORE,
    base: BasemapOption = BASEMAP,
    as_json: AsJson = False,
) -> None:
    """List the records of one collection."""
    snapshot = open_snapshot(store, base)
    if collection in snapshot.collections:
        features = snapshot.collections[collection].features
        rows = [dict(zip(features.columns, values, strict=True)) for values in features.rows(features.columns)]
    else:
        rows = [record.model_dump(mode="json") for record in snapshot.records.table(collection).values()]
    if tier is not None:
        rows = [row for row in rows if row.get("tier", _tier(row.get("dataset", ""))) == tier]
    output(rows, as_json, terminal.table_of(collection, rows))


def _tier(dataset: str) -> Tier:
    return "open" if dataset.startswith(OPEN) else "curated"


@app.command(epilog="Example: strikeatlas show ru-cpc-kropotkinskaya-2025-02-17 --basis headquarters")
def show(
    record: Annotated[str, typer.Argument(metavar="ID", help="A strike; or an asset or entity, with its owners now.")],
    basis: BasisOption = "registration",
    minority: MinorityOption = "stay",
    store: StoreAddress = STORE,
    base: BasemapOption = BASEMAP,
    as_json: AsJson = False,
) -> None:
    """Tell whose it was: owners by country, other ties, chains, control, claims and sources."""
    snapshot = open_snapshot(store, base)
    if record not in snapshot.records.strikes:
        try:
            owners(record, None, basis, minority, store, base, as_json)
        except UnknownRecord as error:
            raise UnknownRecord(Message("record.none-to-judge", {"id": record})) from error
        return
    answer = serialize.strike_answer(snapshot, snapshot.answer(record, basis, minority))
    answer["updated"] = snapshot.updated(record)
    output(answer, as_json, terminal.strike(answer))


DayOption = Annotated[
    datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="The day; by default the data's.")
]


@app.command(epilog="Example: strikeatlas owners a-cpc-kropotkinskaya --on 2007-06-01")
def owners(
    owned: Annotated[str, typer.Argument(metavar="ID", help="An asset or entity.")],
    on: DayOption = None,
    basis: BasisOption = "registration",
    minority: MinorityOption = "stay",
    store: StoreAddress = STORE,
    base: BasemapOption = BASEMAP,
    as_json: AsJson = False,
) -> None:
    """Tell who owned an asset or entity on a day, by country, with the chains, and who controlled it."""
    snapshot = open_snapshot(store, base)
    day: date = on.date() if on else snapshot.data_date
    owners_on_day = snapshot.owners(owned, day, basis, minority)
    answer = serialize.owners_answer(snapshot, owned, owners_on_day, day, basis, minority)
    answer["updated"] = snapshot.updated(owned)
    output(answer, as_json, terminal.owners(answer))


@app.command(epilog="Example: strikeatlas holdings socar --on 2025-08-08")
def holdings(
    entity: Annotated[str, typer.Argument(metavar="ENTITY", help="The id of an entity.")],
    on: DayOption = None,
    store: StoreAddress = STORE,
    base: BasemapOption = BASEMAP,
    as_json: AsJson = False,
) -> None:
    """Tell what an entity held on a day, directly and through others."""
    snapshot = open_snapshot(store, base)
    answer = serialize.holdings_answer(snapshot, entity, on.date() if on else snapshot.data_date)
    output(answer, as_json, terminal.holdings(answer))


SinceOption = Annotated[
    datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help="First day of the period; open by default.")
]
UntilOption = Annotated[
    datetime | None,
    typer.Option("--until", formats=["%Y-%m-%d"], help="Last day of the period, included; open by default."),
]


def _period(since: datetime | None, until: datetime | None) -> Days:
    """Return the period of two options; raises `BadParameter` if it ends before it begins."""
    return days_between(since.date() if since else None, until.date() if until else None)


@app.command(epilog="Example: strikeatlas country AZ")
def country(
    iso: IsoArgument,
    basis: BasisOption = "registration",
    minority: MinorityOption = "stay",
    relation: Annotated[
        Relation | None, typer.Option(help="Only the strikes on what it was this to: owner, supplier, host, ...")
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    store: StoreAddress = STORE,
    base: BasemapOption = BASEMAP,
    as_json: AsJson = False,
) -> None:
    """Tell what of a country's was hit; what it owned and what it was tied to otherwise are never added."""
    period = _period(since, until)
    snapshot = open_snapshot(store, base)
    answer = serialize_country.country_answer(snapshot, iso.upper(), basis, minority, relation, period)
    output(answer, as_json, terminal.country(answer))


@app.command(epilog="Example: strikeatlas capacity QA --since 2026-03-01 --until 2026-03-31")
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
    period = _period(since, until)
    answer = serialize_country.capacity_answer(open_snapshot(store, base), iso.upper(), basis, minority, period)
    output(answer, as_json, terminal.capacity(answer))


def main() -> None:
    """Run the command line; domain errors end in their exit code, said in one line or a table."""
    try:
        app()
    except tuple(EXIT_CODES) as error:
        code = next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))
        terminal.print_error(error, as_json="--json" in sys.argv)
        sys.exit(code)


if __name__ == "__main__":
    main()
