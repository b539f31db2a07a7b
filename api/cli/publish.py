"""``strikeatlas publish``: the atlas as files for any web server or object store that answers ranges."""

from __future__ import annotations

import re
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from api.cli.common import STORE, AsJson, BasemapOption, StoreAddress, open_checked, output, progress_bar, warn_of_clock
from api.requests.parameters import BadParameter
from api.settings import BASEMAP, Settings
from api.wording.catalogue import ENGLISH, languages

EPILOG = "Example: strikeatlas publish site --base-url https://atlas.example.org"
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
    policy: Annotated[
        Path | None, typer.Option(help="TOML file of the policy that the store must have; see policy.md.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write pages, map, data and tiles of all that is published as files; again, only what has changed is touched."""
    # Slow to import, and few commands need them.
    from api.publishing.directory import PublishedFolder
    from api.publishing.publish import PublishedAtlas, PublishOrder

    order = PublishOrder(_address(base_url), _languages(language))
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
        f"{folder}: {len(done.files):,} files, {done.size / 1e6:,.1f} MB; {len(done.written):,} {would}written, "
        f"{len(done.removed):,} {would}removed, in {values['seconds']} s"
    )
    output(values, as_json, escape(words))


def _address(text: str) -> str:
    if _ADDRESS.fullmatch(text) is None:
        raise BadParameter("--base-url", text, "an address such as https://atlas.example.org/maps")
    return text.rstrip("/")


def _languages(given: list[str] | None) -> tuple[str, ...]:
    """Return the languages in their usual order.

    Raises
    ------
    BadParameter
        If one has no catalogue, or English, which the folder itself is in, is missing.
    """
    known = languages()
    wanted = given or list(known)
    for one in wanted:
        if one not in known:
            raise BadParameter("--language", one, f"one of {', '.join(known)}")
    if ENGLISH not in wanted:
        raise BadParameter("--language", ", ".join(wanted), f"{ENGLISH} among them: the folder itself is in English")
    return tuple(one for one in known if one in wanted)
