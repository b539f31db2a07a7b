"""Identity of the running program: its version, and digests of its sources and of settings that shape its answers."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from api.settings import ROOT, Settings


def program_version() -> str:
    """Version of the installed program, or 0 where it is not installed."""
    try:
        return version("strikeatlas")
    except PackageNotFoundError:
        return "0"


def answers_version() -> str:
    """Version of the program, and a digest of the sources that matches and attributions follow from."""
    return f"{program_version()}+{sources('geo', 'layers', 'api/wording').hex()[:16]}"


def build_id(settings: Settings) -> str:
    """Version of the program, and a digest of its sources and of the settings that the bytes of answers depend on.

    A checkout changes more often than its version does, and what it answers with it.
    """
    shaping = (settings.limit_default, settings.limit_max, settings.attribution)
    shown = (settings.publish_from, settings.show_from, settings.embedders)
    digest = hashlib.blake2b(repr((*shaping, *shown)).encode())
    digest.update(sources("api", "layers", "geo"))
    digest.update((settings.static / "style-table.json").read_bytes())
    return f"{program_version()}.{digest.hexdigest()[:8]}"


@cache
def sources(*rings: str) -> bytes:
    """A digest of the sources of rings of the program, as they were when it was first asked for in this process."""
    digest = hashlib.blake2b()
    for ring in rings:
        for file in sorted((ROOT / ring).rglob("*")):
            if file.suffix in (".py", ".html", ".css", ".js", ".toml"):
                digest.update(file.read_bytes())
    return digest.digest()
