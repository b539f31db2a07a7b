"""What users see of a small world, as it was when it was last agreed on: `python -m tests.api.frozen_answers`.

The world is `world.json`, records that no edit of the bundled ones changes. The answers are in `answers.zip`, a text
for each address and command; ``--write`` writes them anew, and without it each that differs is shown as a diff.
"""

from __future__ import annotations

import difflib
import hashlib
import io
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from unittest.mock import patch

import mapbox_vector_tile
import orjson
from starlette.testclient import TestClient
from typer.testing import CliRunner

from api.app import create_app
from api.cli import main
from api.settings import Settings
from api.terminal.console import console
from api.wording.catalogue import text
from layers.model.records import RECORD_TYPES, Records
from layers.reference import basemap
from layers.snapshot.derived_layers import full_rewrite
from layers.sources import curated
from layers.store.backends import create_new
from layers.store.store import Store
from tests.api.private_doors import ASSET, OF_THE_PROCESS, STRIKE, addresses, opened
from tests.conftest import BASEMAP, FEW_COUNTRIES
from tests.few_records import FEW, with_all_they_rest_on

FOLDER = Path(__file__).parents[1] / "data" / "frozen"
ANSWERS, WORLD = FOLDER / "answers.zip", FOLDER / "world.json"
#: When the world was loaded.
AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
_OF_ENTITY = ("socar", "--on", "2026-11-01")
COMMANDS: tuple[tuple[str, ...], ...] = (
    *(("list", name) for name in ("strikes", "assets", "entities", "sources")),
    *(("export", "geojson", name, "--out", "-") for name in ("strikes", "assets", "attributions", "hits", "countries")),
    *(("export", form, "--out", "-") for form in ("geojsonseq", "csv", "kml")),
    ("export", "map", "--format", "svg", "--country", "AZ", "--out", "-"),
    ("export", "page", "--out", "-"),
    *(("country", iso, *more) for iso in ("AZ", "UA", "US") for more in ((), ("--json",))),
    ("capacity", "AZ", "--json"), ("owners", ASSET), ("owners", ASSET, "--json"), ("holdings", *_OF_ENTITY),
    ("holdings", *_OF_ENTITY, "--json"), ("show", STRIKE), ("show", ASSET, "--json"), ("match", "--json"),
    ("match", STRIKE), ("corrections", "--json"), ("duplicates", "--from", "0.1", "--json"), ("judgements", "--json"),
    ("policy", "show", "--json"),
)  # fmt: skip
#: What differs from one run or program to the next: times of an answer, digests, versions, folders.
_MASKS = (
    (r'"timeStamp":\s*"[^"]*"', '"timeStamp": "TIME"'),
    (r"\b(?=[0-9]*[a-f])[0-9a-f]{12,}\b(-[0-9A-Za-z.+-]*)?", "DIGEST"),
    (r"\b[0-9]+(\.[0-9]+)+\+DIGEST", "VERSION"),
    (r"(/tmp|/var)[^\s\"']*", "FOLDER"),
)
#: Shapes and packed data, of which a person compares nothing: coordinates, WKB as Python prints it, base64.
_LONG = re.compile(r"""[-0-9.,\[\]() \n]{500,}|b'(?:[^'\\]|\\.){500,}'|b"(?:[^"\\]|\\.){500,}"|[A-Za-z0-9+/=]{500,}""")


def write_world() -> None:
    """Write the records of the world anew, from the bundled ones."""
    records = with_all_they_rest_on(curated.read().require_clean(), FEW)
    tables = {
        name: [one.model_dump(mode="json", exclude_defaults=True) for one in records.table(name).values()]
        for name in RECORD_TYPES
    }
    WORLD.write_bytes(orjson.dumps(tables))


def world() -> Records:
    """The records of the world."""
    return Records.of(
        {
            name: {row["id"]: RECORD_TYPES[name].model_validate(row) for row in rows}
            for name, rows in orjson.loads(WORLD.read_bytes()).items()
        }
    )


def answers(folder: Path) -> Iterator[tuple[str, str]]:
    """Every address and command with what it gives; ``folder`` is for the store."""
    with patch("secrets.token_bytes", lambda count: b"\1" * count):
        store = create_new(str(folder / "atlas.gpkg"))
        store.load(world(), author="tests", at=AT, derive=full_rewrite(basemap.read(BASEMAP), text))
    yield from _of_addresses(store)
    yield from _of_commands(store)


def _of_addresses(store: Store) -> Iterator[tuple[str, str]]:
    settings = Settings(basemap=FEW_COUNTRIES, follow_every_s=0, embedders=("https://news.example",))
    with TestClient(create_app(store, settings), raise_server_exceptions=False) as client:
        for path, address in addresses():
            if path in OF_THE_PROCESS:
                continue
            answer = client.get(address, headers={"accept-encoding": "identity"})
            kind = answer.headers.get("content-type", "")
            yield address, f"{answer.status_code} {kind}\n{_text(answer.content, kind)}"


def _of_commands(store: Store) -> Iterator[tuple[str, str]]:
    for words in COMMANDS:
        drawn = ("--basemap", str(FEW_COUNTRIES)) if _draws(words) else ()
        with patch.object(console, "_width", 120):
            run = CliRunner().invoke(main.app, [*words, "--store", store.name, *drawn])
        yield " ".join(words), f"exit code {run.exit_code}\n{_masked(run.stdout)}"


def _draws(words: tuple[str, ...]) -> bool:
    return words[0] not in ("judgements", "duplicates", "policy")


def _text(content: bytes, kind: str) -> str:
    """An answer as a text that a person can compare; of what has no text its digest, of a picture its size."""
    if kind.startswith("image/png"):
        return f"{int.from_bytes(content[16:20])} x {int.from_bytes(content[20:24])}"
    if "mapbox-vector-tile" in kind:
        tile = orjson.dumps(mapbox_vector_tile.decode(content), option=orjson.OPT_SORT_KEYS)
        return _masked(tile.decode())
    try:
        return _masked(opened(content).decode())
    except UnicodeDecodeError:
        return hashlib.blake2b(content, digest_size=16).hexdigest()


def _masked(content: str) -> str:
    today = date.today()
    for day in (today.isoformat(), f"{today.day} {today:%B %Y}"):
        content = content.replace(day, "TODAY")
    for pattern, word in _MASKS:
        content = re.sub(pattern, word, content)
    return _LONG.sub(lambda found: f"LONG {hashlib.blake2b(found[0].encode(), digest_size=5).hexdigest()}", content)


def frozen() -> dict[str, str]:
    """The answers that were agreed on."""
    with zipfile.ZipFile(ANSWERS) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """A diff of each answer that is not as it was; of JSON, line by line."""
    for name in sorted({*before, *now}):
        old, new = (_lines(each.get(name, "")) for each in (before, now))
        if old != new:
            yield "\n".join(difflib.unified_diff(old, new, f"{name} (frozen)", name, n=1, lineterm=""))


def _lines(answer: str) -> list[str]:
    head, _, body = answer.partition("\n")
    with suppress(orjson.JSONDecodeError):
        body = orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()
    return [head, *body.splitlines()]


def _packed(now: Mapping[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, answer in now.items():
            archive.writestr(zipfile.ZipInfo(name), answer, zipfile.ZIP_DEFLATED, compresslevel=9)
    return packed.getvalue()


if __name__ == "__main__":
    if "--world" in sys.argv:
        write_world()
    with tempfile.TemporaryDirectory() as made:
        current = dict(answers(Path(made)))
    if "--write" in sys.argv:
        ANSWERS.write_bytes(_packed(current))
    else:
        print("\n\n".join(differences(frozen(), current)) or "no answer differs")
