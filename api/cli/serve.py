"""The commands ``serve``, ``cache`` and ``publish``: run the server, build its snapshot cache, or write its files."""

from __future__ import annotations

import re
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

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
from api.cli.load import create_store
from api.http.request_log import LogFormat
from api.requests.parameters import BadParameter
from api.requests.reviewer_tokens import read_reviewers
from api.server.build_id import build_id
from api.server.live_snapshot import LiveSnapshot, SnapshotNotCached
from api.settings import BASEMAP, REVIEWERS, Settings, open_layer, require_policy, stated_embedders, with_overrides
from api.terminal.console import counted, errors
from api.wording.catalogue import ENGLISH, languages, text
from layers.decisions.hits import PUBLISH_FROM, SHOW_FROM
from layers.model.garbage import collection_paused
from layers.reference import basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.snapshot.disclosure import policy_of
from layers.store.backends import open_store
from layers.store.store import Store

EPILOG = "Example: strikeatlas serve --port 8080 --workers 2"

#: Proxies on this machine.
LOCAL = ("127.0.0.0/8", "::1/128")

CacheInOption = Annotated[
    Path | None, typer.Option("--cache-in", help="Folder of the cache, instead of beside the store.")
]
PolicyOption = Annotated[
    Path | None, typer.Option(help="TOML file of the policy that the store must have; see policy.md.")
]
PublishFromOption = Annotated[
    float, typer.Option(min=0, max=1, help="Probability from which an undecided candidate is published.")
]


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    store: StoreAddress = STORE,
    base: BasemapOption = BASEMAP,
    archive: Annotated[
        Path | None,
        typer.Option(
            "--basemap-tiles",
            metavar="FILE.pmtiles",
            help="PMTiles archive that the map is drawn on, that `make basemap` builds or in the schema of Protomaps.",
            show_default="that beside the base map",
        ),
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option(
            "--open-layer",
            metavar="FILE|bundled|none",
            help="Open data under the records, see open-layer.md.",
            show_default="bundled, or what STRIKEATLAS_OPEN_LAYER names",
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that answer.")] = 1,
    proxied: Annotated[
        bool, typer.Option(help="Trust X-Forwarded-Proto, -Host, -Prefix and -For of a proxy on this machine.")
    ] = False,
    proxy: Annotated[
        list[str] | None, typer.Option(help="Address or network of a proxy elsewhere that is trusted; repeat.")
    ] = None,
    root_path: Annotated[str, typer.Option(help="Path below which a proxy shows this, such as /atlas.")] = "",
    log: Annotated[LogFormat, typer.Option(help="Form of the log on standard error, a line a request.")] = "json",
    grace: Annotated[
        int, typer.Option(min=0, max=3600, help="Seconds that requests at work have to end when it is stopped.")
    ] = 30,
    publish_from: PublishFromOption = PUBLISH_FROM,
    show_from: Annotated[
        float, typer.Option(min=0, max=1, help="Probability from which a candidate is shown at all.")
    ] = SHOW_FROM,
    cache_in: CacheInOption = None,
    reviewers: Annotated[Path, typer.Option(help="The file of reviewers, who may write.")] = REVIEWERS,
    audit: Annotated[
        Path | None,
        typer.Option(
            help="File of who wrote, and who read what is not published.", show_default="STORE.audit.jsonl, beside it"
        ),
    ] = None,
    policy: PolicyOption = None,
    embed_on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ORIGIN", help="Whose pages may show the map, such as https://news.example, or * for all; repeat."
        ),
    ] = None,
    numbers: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=NUMBER", help="Another limit, see operating.md; repeat.")
    ] = None,
    accept_broken_history: AcceptBrokenHistory = False,
) -> None:
    """Serve the map and the API until stopped; where no store is named and none is there, of the bundled records."""
    # Slow to import, and no other command needs them.
    from api.cli.server_process import serve as run
    from api.http.forwarded import require_networks

    proxies = require_networks([*(LOCAL if proxied else ()), *(proxy or ())])
    settings = Settings(
        basemap=base,
        basemap_archive=archive,
        open_layer=layer,
        proxies=proxies,
        root_path=root_path.rstrip("/"),
        grace_s=grace,
        publish_from=publish_from,
        show_from=show_from,
        cache_in=cache_in,
        reviewers=reviewers,
        audit=audit,
        policy_file=policy,
        embedders=stated_embedders(embed_on or ()),
    )
    settings = with_overrides(settings, numbers or ())

    if store == STORE and not Path(store).exists():
        create_store(Path(store), base, "strikeatlas serve", policy_file=policy)
        errors.print(f"Made {escape(store)} with the bundled records.")
    # Once here, not by each worker.
    read_reviewers(reviewers)
    with closing(open_checked(store, accept_broken_history)) as checked:
        require_policy(policy_of(checked), policy)
        if not checked.read_only:
            below = open_layer(layer)
            derive = full_rewrite(basemap.read(base), text, below)
            checked.record_open_layer(below, author="strikeatlas serve", derive=derive)

    def begun(opened: Store) -> None:
        mode = ", read only" if opened.read_only else ""
        errors.print(f"[bold]StrikeAtlas[/] is on http://{host}:{port}/map{mode}  (Ctrl+C stops it)")
        warn_of_clock(opened)

    run(store, settings, host, port, workers, log, begun)


BUILD_CACHE_EPILOG = "Example: strikeatlas cache --store data/atlas.gpkg"


def build_cache(
    store: StoreAddress = STORE,
    base: BasemapOption = BASEMAP,
    publish_from: PublishFromOption = PUBLISH_FROM,
    cache_in: CacheInOption = None,
    as_json: AsJson = False,
) -> None:
    """Compute what follows from the records and cache it beside the store, so that a server of it starts at once."""
    opened = open_store(store).mount(open_layer())
    settings = Settings(basemap=base, publish_from=publish_from, cache_from=0, cache_in=cache_in)
    begun = time.monotonic()
    count = opened.count("strikes", "assets")
    with errors.status(f"Finding what follows from {counted(count, 'records')}"), collection_paused():
        atlas = LiveSnapshot(opened, settings, build_id(settings), must_cache=True)
        atlas.rebuild_cache()
        snapshot = atlas.view.snapshot
    opened.close()
    files = snapshot.backing_files
    if files is None or files.metadata("seq") != snapshot.seq:
        raise SnapshotNotCached
    folder = files.folder
    size = sum(file.stat().st_size for file in folder.iterdir())
    result = {
        "folder": str(folder),
        "bytes": size,
        "change": snapshot.seq,
        "seconds": round(time.monotonic() - begun, 1),
    }
    summary = f"{folder}: {size / 1e6:,.0f} MB, as of change {snapshot.seq:,}, in {result['seconds']} s"
    output(result, as_json, escape(summary))


PUBLISH_EPILOG = "Example: strikeatlas publish site --base-url https://atlas.example.org"
#: An address without user, query and fragment; pages name their own by it.
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?(/[A-Za-z0-9._~-]{1,64}){0,16}/?", re.ASCII)


def publish(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write; one that was published is renewed.")],
    base_url: Annotated[
        str, typer.Option("--base-url", metavar="URL", help="Address at which the folder will be on the web.")
    ],
    language: Annotated[
        list[str] | None,
        typer.Option("--language", help="Language of the pages; repeat.", show_default="all that there are"),
    ] = None,
    store: StoreAddress = STORE,
    base: BasemapOption = BASEMAP,
    archive: Annotated[
        Path | None, typer.Option("--basemap-archive", help="PMTiles of the base map, instead of that beside it.")
    ] = None,
    policy: PolicyOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write pages, map, data and tiles of all that is published as files; again, only what has changed is touched."""
    # Slow to import, and few commands need them.
    from api.publishing.directory import PublishedFolder
    from api.publishing.publish import PublishedAtlas, PublishOrder

    if _ADDRESS.fullmatch(base_url) is None:
        raise BadParameter("--base-url", base_url, "an address such as https://atlas.example.org/maps")
    order = PublishOrder(base_url.rstrip("/"), _languages(language))
    PublishedFolder(folder)  # a folder that is something else is refused at once
    settings = Settings(basemap=base, basemap_archive=archive, policy_file=policy)
    begun = time.monotonic()
    with closing(open_checked(store, False)) as opened, progress_bar("publishing") as bar:
        warn_of_clock(opened)
        task = bar.task_ids[0]
        done = PublishedAtlas(opened, settings, order).publish(
            folder, lambda count, total: bar.update(task, completed=count, total=total), dry=dry_run
        )
    values = {
        "folder": str(folder),
        "address": order.base,
        "languages": list(order.languages),
        "files": len(done.files),
        "bytes": done.size,
        "kinds": dict(sorted(done.kinds.items())),
        "written": done.written,
        "removed": done.removed,
        "is_dry_run": dry_run,
        "seconds": round(time.monotonic() - begun, 1),
    }
    would = "would be " if dry_run else ""
    words = (
        f"{folder}: {counted(len(done.files), 'files')}, {done.size / 1e6:,.1f} MB; {len(done.written):,} {would}"
        f"written, {len(done.removed):,} {would}removed, in {values['seconds']} s"
    )
    output(values, as_json, escape(words))


def _languages(given: list[str] | None) -> tuple[str, ...]:
    """Return the languages in their usual order.

    Raises `BadParameter` if one has no catalogue, or English, which the folder itself is in, is missing.
    """
    known = languages()
    wanted = given or list(known)
    for one in wanted:
        if one not in known:
            raise BadParameter("--language", one, f"one of {', '.join(known)}")
    if ENGLISH not in wanted:
        raise BadParameter("--language", ", ".join(wanted), f"{ENGLISH} among them: the folder itself is in English")
    return tuple(one for one in known if one in wanted)
