"""``strikeatlas load`` and ``strikeatlas formats``: anyone's files into the store, all or, with a fault, nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli.common import (
    STORE,
    AcceptBrokenHistory,
    AsJson,
    BasemapOption,
    StoreAddress,
    open_checked,
    output,
    progress_bar,
    warn_of_clock,
)
from api.requests.parameters import BadParameter
from api.requests.write_headers import require_reason
from api.serializers import load_report as serialize
from api.server.version_builder import derived_by_load
from api.settings import BASEMAP, GAZETTEER_SHOWN, Settings, gazetteer_path, open_layer, stated_policy
from api.terminal import load_report as terminal
from api.wording.catalogue import text as worded
from api.wording.problems import cell_sentence
from layers.filesystem.atomic_file import replacing
from layers.ingest.doubtful_points import with_doubts
from layers.ingest.integrity import check as check_records
from layers.ingest.load_plan import (
    LoadPlan,
    events_to_confirm,
    plan_load,
    planned_changes,
    probable_duplicates,
    removals_to_confirm,
)
from layers.model import edtf
from layers.model.heat import HeatColumns
from layers.model.messages import Message
from layers.model.problems import Problem, ProblemsError, ReadResult
from layers.model.records import RECORD_TYPES, Records, Source
from layers.reference import basemap
from layers.reference.gazetteer import Gazetteer
from layers.snapshot.derived_layers import Computed, discard, full_rewrite
from layers.sources import curated, firms
from layers.sources.files.source_file import SourceFile
from layers.sources.gem import formats as gem
from layers.sources.reader import rejected_rows as rejected
from layers.sources.reader.mapping_file import ColumnMapping
from layers.sources.reader.mapping_file import read as read_mapping
from layers.sources.reader.record_builder import slug
from layers.sources.registry import FORMATS, Format, LoadOptions, recognise
from layers.store.backends import create_new, is_path, open_store
from layers.store.create import require_free
from layers.store.history_pages import APPENDED
from layers.store.migrations.tables import WRITTEN_BY_HAND
from layers.store.store import LoadReport, StaleVersion, Store

app = typer.Typer()

#: The number of times that a load is compared anew after another writer changed the store.
_TRIES = 5
#: Exit code of a load that would remove much, or make other events of many, to which nobody agreed.
UNCONFIRMED = 7
#: An id that leaves room for those of its sources.
_DATASET = re.compile(r"[a-z0-9][a-z0-9._/>@-]{0,119}")
_GEM = frozenset({"gem-tracker", "gem-tables"})
_FORMAT_HELP = "A name that `strikeatlas formats` lists, or auto: the file says it."
_PARTIAL_HELP = "Load the good rows where others have faults; nothing is removed then."
_APPEND_HELP = "Add to the dataset: what it holds and the files do not have stays, as when mended rows come later."
_REPLACE_HELP = (
    "Replace the dataset by the files, however much is removed or becomes another event or another publisher's; "
    "without it such a load stops."
)
_REJECTED_HELP = "Write the rows with faults here, as they are, to mend them; a folder if there are several files."

FormatArgument = Annotated[str, typer.Argument(metavar="FORMAT", help=_FORMAT_HELP)]
FilesArgument = Annotated[
    list[Path] | None,
    typer.Argument(help="Files to read together, or a folder of them.", show_default="the bundled records"),
]
MappingOption = Annotated[
    Path | None, typer.Option("--mapping", help="What the columns mean: TOML, for csv, geojson, gpkg and json.")
]
RetrievedOption = Annotated[str | None, typer.Option(help="Day on which the files were obtained, such as 2025-11-25.")]
LicenceOption = Annotated[str | None, typer.Option(help="Licence of the data, in place of the format's.")]
GazetteerOption = Annotated[
    Path | None,
    typer.Option("--gazetteer", help="Where places told only by name are looked up.", show_default=GAZETTEER_SHOWN),
]
DatasetOption = Annotated[
    str | None, typer.Option(help="Id of the load; a newer file under the same id updates it. FORMAT/FILE by default.")
]


class UnconfirmedReplacement(Exception):
    """A load would remove much, or make other events of many, and nobody agreed to it; nothing was written."""


@dataclass(frozen=True)
class Task:
    """The files, format and options of a load; ``again`` are those that corrected rows must be loaded with too."""

    fmt: Format
    files: Sequence[SourceFile]
    request: LoadOptions
    partial: bool
    append: bool
    replaces: bool
    dry_run: bool
    rejected: Path | None
    who: str
    why: str | None
    again: tuple[str, ...]


@app.command(epilog="Example: strikeatlas load wri global_power_plant_database.csv --partial --rejected faults.csv")
def load(
    fmt: FormatArgument = "curated",
    files: FilesArgument = None,
    partial: Annotated[bool, typer.Option("--partial", help=_PARTIAL_HELP)] = False,
    append: Annotated[bool, typer.Option("--append", help=_APPEND_HELP)] = False,
    replaces: Annotated[bool, typer.Option("--replace", "--remove", help=_REPLACE_HELP)] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")] = False,
    dataset: DatasetOption = None,
    mapping_file: MappingOption = None,
    rejected_to: Annotated[Path | None, typer.Option("--rejected", help=_REJECTED_HELP)] = None,
    retrieved: RetrievedOption = None,
    licence: LicenceOption = None,
    gazetteer: GazetteerOption = None,
    store: StoreAddress = STORE,
    base: BasemapOption = BASEMAP,
    who: Annotated[str, typer.Option(help="Who makes the change; kept in the history.")] = "strikeatlas load",
    why: Annotated[
        str | None, typer.Option(help="Why, for history and, of what is public, the corrections log.")
    ] = None,
    accept_broken_history: AcceptBrokenHistory = False,
    as_json: AsJson = False,
) -> None:
    """Load files of one format into the store: all or, with any fault, nothing. The same again changes nothing."""
    _require_readable(dataset, retrieved, licence, who)
    reason = None if why is None else require_reason("--why", why)
    columns = read_mapping(mapping_file) if mapping_file else None
    sources = _sources(fmt, files)
    chosen = _chosen(fmt, sources, columns)
    name = dataset or _dataset(chosen, sources, files)
    # Without a gazetteer, a place name gives no point.
    places = Gazetteer.open(gazetteer_path(gazetteer)) if gazetteer or gazetteer_path().exists() else None
    request = LoadOptions(name, retrieved, columns, licence, places)
    again = {"--mapping": mapping_file, "--retrieved": retrieved, "--licence": licence, "--gazetteer": gazetteer}
    given = [text for name, value in again.items() if value is not None for text in (name, str(value))]
    if append:
        reason = APPENDED if reason is None else f"{APPENDED}: {reason}"
    task = Task(chosen, sources, request, partial, append, replaces, dry_run, rejected_to, who, reason, tuple(given))
    with closing(open_checked(store, accept_broken_history)) as opened:
        warn_of_clock(opened)
        report_values, problems = _load(opened, base, task)
    output(report_values, as_json, terminal.load(report_values))
    if problems and (not partial or not _has_records(report_values)):
        if as_json:
            raise typer.Exit(1)
        raise ProblemsError(problems)
    if report_values["to_confirm"] or report_values["events_to_confirm"]:
        if as_json:
            raise typer.Exit(UNCONFIRMED)
        raise UnconfirmedReplacement(
            "nothing was written, as more than a tenth of a dataset would be removed, or what was appended to it, or "
            "more than a tenth of its events would become others: give --replace if that is meant; "
            "--append removes nothing, and --dataset gives files of another origin a dataset of their own"
        )


@app.command(epilog="Example: strikeatlas formats --json")
def formats(as_json: AsJson = False) -> None:
    """List the formats that can be loaded: what each gives, its licence, and how a file of it is recognised."""
    rows = [
        {
            "name": known.name,
            "title": known.title,
            "gives": known.provides,
            "licence": known.licence,
            "private": known.private,
            "known_by": known.signature,
        }
        for known in FORMATS.values()
    ]
    output(rows, as_json, terminal.formats(FORMATS.values()))


def _require_readable(dataset: str | None, retrieved: str | None, licence: str | None, who: str) -> None:
    """Refuse options that would make every record faulty, which cannot be read, with `BadParameter`."""
    if dataset is not None and not _DATASET.fullmatch(dataset):
        raise BadParameter("--dataset", dataset, "an id of small letters, digits and . _ / > @ -, at most 120 in all")
    for name, text in (("--licence", licence), ("--who", who)):
        if text is not None and not 0 < len(text.strip()) <= 2000:
            raise BadParameter(name, text, "a text of at most 2,000 letters")
    try:
        edtf.parse("2025" if retrieved is None else retrieved)
    except edtf.EdtfError as error:
        raise BadParameter("--retrieved", retrieved, "a day such as 2025-11-25") from error


def _sources(fmt: str, files: Sequence[Path] | None) -> list[SourceFile]:
    """The files to read; of a folder those directly in it, in the order of their names."""
    if fmt not in (*FORMATS, "auto"):
        path, hint = Path(fmt), ""
        if path.exists():  # a path in place of the format
            known = "curated" if path.suffix == ".toml" or any(path.glob("*.toml")) else "auto"
            hint = f"; to load what is there: strikeatlas load {known} {fmt}"
        raise BadParameter("FORMAT", fmt, f"auto, or one of {', '.join(FORMATS)}{hint}")
    given = list(files) if files else [curated.BUNDLED] if fmt == "curated" else []
    if not given:
        raise BadParameter("FILES", "", "at least one file")
    pattern = "*.toml" if fmt == "curated" else "[!.]*"
    paths = [path for source in given for path in (_inside(source, pattern) if source.is_dir() else [source])]
    return SourceFile.all_of(paths)


def _inside(folder: Path, pattern: str) -> list[Path]:
    paths = sorted(path for path in folder.glob(pattern) if path.is_file())
    if not paths:
        raise FileNotFoundError(f"no {pattern} in {folder}")
    return paths


def _chosen(fmt: str, files: Sequence[SourceFile], columns: ColumnMapping | None) -> Format:
    if fmt != "auto":
        return FORMATS[fmt]
    by_format = {recognise(file, columns is not None).name: file.name for file in files}
    if set(by_format) == _GEM:
        return gem.GEM
    if len(by_format) > 1:
        listed = ", ".join(f"{file} is {name}" for name, file in by_format.items())
        raise BadParameter("FILES", listed, "files of one format; load the others by themselves")
    return FORMATS[next(iter(by_format))]


def _dataset(fmt: Format, files: Sequence[SourceFile], given: Sequence[Path] | None) -> str:
    """Id of a load: the format, and the name of the first file or of the folder of curated records.

    The bundled records alone are ``curated``: nobody's own files stand for them.
    """
    name = files[0].stem
    if fmt.name == curated.FORMAT.name:
        if not given or all(file.path.resolve().is_relative_to(curated.BUNDLED) for file in files):
            return fmt.name
        name = given[0].resolve().stem
    return f"{fmt.name}/{slug(name)[:60].strip('-') or 'file'}"


def _load(store: Store, base: Path, task: Task) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """The report of a load, and every fault."""
    if task.rejected:
        rejected.require_writable(task.files, task.rejected)
    with progress_bar("reading"):
        reading = task.fmt.read(task.files, task.request)
    # People write these record by record: no load makes them private as a whole.
    if reading.private and task.request.dataset in WRITTEN_BY_HAND:
        raise BadParameter("--dataset", task.request.dataset, "another dataset for files that may not be published")
    reading = _with_missing_records(reading, task)
    is_checked = task.fmt.name == curated.FORMAT.name
    reading = with_doubts(
        reading,
        basemap.read(base),
        task.request.gazetteer,
        task.fmt.theatre,
        today=datetime.now(UTC).date(),
        is_checked=is_checked,
    )
    if not task.dry_run:
        store.record_external_edits()
    for left in reversed(range(_TRIES)):
        try:
            return _loaded(store, base, task, reading)
        except StaleVersion:
            # Somebody else wrote while we compared: what we would bring the store to may undo that.
            if not left:
                raise
    raise AssertionError("unreachable")


def _loaded(store: Store, base: Path, task: Task, reading: ReadResult) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    request = task.request
    with progress_bar("comparing"):
        seq, stored = store.version()
        reading = _checked(task.fmt, reading, base, stored)
        if reading.heat is not None and task.append:
            reading = firms.joined(reading, store.heat(request.dataset))
        arrival = plan_load(stored, reading, request.dataset, task.append, store.privacy(), task.replaces)
        done = planned_changes(stored, arrival)
        known = probable_duplicates(stored, arrival, done)
    report_values = serialize.load_report(task.fmt, request, task.files, reading, arrival, done, known)
    report_values["heat"] = heat = _heat_change(store, reading.heat, request.dataset)
    problems = serialize.all_problems(reading, arrival)
    is_refused = bool(problems) and (not task.partial or not _has_records(report_values))
    if not task.replaces:
        if any(change.removed for change in done.values()):
            report_values["to_confirm"] = removals_to_confirm(stored, done, store.appended())
        others = events_to_confirm(stored, arrival, done)
        report_values["events_to_confirm"] = serialize.events_to_confirm(stored, arrival, others)
    is_refused |= bool(report_values["to_confirm"] or report_values["events_to_confirm"])
    if not task.dry_run and not is_refused:
        licence = f"licence: {report_values['licence']}"
        is_change = heat is not None and heat["is_change"]
        is_change |= any(
            one[kind] for one in report_values["changes"].values() for kind in ("added", "changed", "removed")
        )
        written = {"seq": seq}
        if is_change:
            observed = _heat_with_source(reading, arrival)
            written = counts(_written(store, arrival, base, task.who, task.why, seq, licence, observed))
        report_values["written"] = written
    if task.rejected and problems:
        files = rejected.write(task.files, problems, task.rejected, cell_sentence, request.mapping)
        report_values["rejected_files"] = [str(path) for path in files]
        clean = [file for file in task.files if not rejected.has_rejected_rows(file, problems)]
        report_values["mend"] = serialize.reload_command(task.fmt.name, request.dataset, clean, files, task.again)
    return report_values, problems


def _with_missing_records(reading: ReadResult, task: Task) -> ReadResult:
    """Say that files gave no record, which is a fault: they are of another format, or nothing in them is for us."""
    if reading.heat is not None or any(reading.records.table(name) for name in _counted_tables(task.fmt.name)):
        return reading
    rows, skipped = reading.rows, sum(reading.skipped.values())
    expected = Message("load.some-record", {"rows": rows, "skipped": skipped, "format": task.fmt.name})
    fault = Problem(task.files[0].name, None, "file", "records", Message("value.none"), expected)
    return replace(reading, problems=(*reading.problems, fault))


def _has_records(report_values: dict[str, Any]) -> bool:
    return not {*_counted_tables(report_values["format"]), "heat"}.isdisjoint(report_values["read"])


def _counted_tables(format_name: str) -> set[str]:
    """Return the tables of which a load must have a record: a source alone says nothing, unless a person wrote it."""
    return set(RECORD_TYPES) - (set() if format_name == curated.FORMAT.name else {"sources"})


def _checked(fmt: Format, reading: ReadResult, base: Path, stored: Records) -> ReadResult:
    # A person can mend what is wrong with curated records; those of others are taken as their publisher has them.
    return (
        replace(reading, problems=check_records(reading, basemap.read(base), stored))
        if fmt.name == "curated"
        else reading
    )


def _heat_change(store: Store, heat: HeatColumns | None, dataset: str) -> dict[str, Any] | None:
    """Return how many observations of heat take the place of how many, and whether they are other ones."""
    if heat is None:
        return None
    before = store.heat(dataset)
    return {"observations": len(heat), "before": len(before), "is_change": before.digest() != heat.digest()}


def _heat_with_source(reading: ReadResult, arrival: LoadPlan) -> tuple[Source, HeatColumns] | None:
    """Return the observations of heat with the source that tells of them, as it will be stored."""
    if reading.heat is None:
        return None
    (source,) = reading.records.sources
    return arrival.records.sources[source], reading.heat


def _written(
    store: Store,
    arrival: LoadPlan,
    base: Path,
    who: str,
    why: str | None,
    seen: int,
    why_private: str,
    heat: tuple[Source, HeatColumns] | None = None,
    computed: Computed = discard,
) -> LoadReport:
    below = open_layer()
    with progress_bar("writing") as progress:
        report = store.load(
            arrival.records,
            author=who,
            at=datetime.now(UTC),
            progress=lambda done, total: progress.update(progress.task_ids[0], completed=done, total=total),
            derive=derived_by_load(store, Settings(basemap=base), below, computed),
            seen=seen,
            private=dict.fromkeys(arrival.private, why_private),
            why=why,
            heat=heat,
        )
    store.record_open_layer(below, author=who)
    store.close()  # folds the log into the file, so that it can be copied as it is
    return report


def counts(report: LoadReport) -> dict[str, Any]:
    """Give how many records of each table a load added, changed, removed and left, and the number of the change."""
    kinds = ("added", "changed", "removed", "unchanged")
    return {"seq": report.seq, **{kind: dict(getattr(report, kind)) for kind in kinds}}


def create_store(
    address: str | Path,
    base: Path,
    who: str,
    *,
    empty: bool = False,
    policy_file: Path | None = None,
    computed: Computed = discard,
) -> LoadReport:
    """Make a store where there is none, with the bundled records or empty: as a whole, or not at all.

    In a database the tables come first, and stay empty where the records cannot be loaded; then the same again loads
    them. It has the policy of disclosure that a file states, see `api.settings.stated_policy`.

    Raises `FileExistsError` if something is in the way; `FileNotFoundError` if a policy is named that is not there;
    `ProblemsError` if the policy or the bundled records have faults.
    """
    stated = stated_policy(policy_file)
    with new_store(address) as created:
        created.record_open_layer(open_layer(), author=who)
        if empty:
            derive = full_rewrite(basemap.read(base), worded, open_layer())
            report = created.load(Records.of({}), author=who, at=datetime.now(UTC), derive=derive)
        else:
            report = _load_bundled(created, base, who, computed)
        if stated is not None:
            created.set_policy(stated[1].model_dump(mode="json"), author=who, why="Stated when the store was made.")
        return report


@contextmanager
def new_store(address: str | Path) -> Iterator[Store]:
    """Make an empty store, to be filled; a file is put in place after that, and not at all where it fails.

    The tables of a database are there from then on, and where they are there already and empty they are taken.

    Raises `FileExistsError` if something is in the way.
    """
    if not is_path(address):
        with closing(_new_or_empty(str(address))) as created:
            yield created
        return
    path = Path(address)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Made aside and renamed when it is whole: a set-up that is cut short leaves no empty store to be kept.
    require_free(path)
    with replacing(path, overwrite=False) as fresh, closing(Store.create(fresh)) as created:
        yield created


def _new_or_empty(address: str) -> Store:
    try:
        return create_new(address)
    except FileExistsError:
        opened = open_store(address)
        if opened.seq():
            opened.close()
            raise
        return opened


def _load_bundled(store: Store, base: Path, who: str, computed: Computed = discard) -> LoadReport:
    """Load the bundled records into a new store; raises `ProblemsError` with every fault, and writes nothing then."""
    request = LoadOptions("curated")
    seq, stored = store.version()
    reading = FORMATS["curated"].read(_sources("curated", None), request)
    reading = _checked(FORMATS["curated"], reading, base, stored)
    arrival = plan_load(stored, reading, request.dataset, privacy=store.privacy())
    if problems := serialize.all_problems(reading, arrival):
        raise ProblemsError(problems)
    return _written(store, arrival, base, who, None, seq, "", computed=computed)
