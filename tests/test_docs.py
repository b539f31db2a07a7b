"""The pages say what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.server.worker_status import Worker
from api.settings import NUMBERS, Settings
from tests import cli_page

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


def test_the_command_line_page_is_its_own_help() -> None:
    assert (DOCS / "cli.md").read_text(encoding="utf-8") == cli_page.markdown(), "run `make docs`"


def test_every_path_of_the_api_is_described(app: FastAPI) -> None:
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    collections = "|".join(app.state.atlas.view.snapshot.collections)
    paths = {re.sub(rf"\{{.*?\}}|(?<=^/collections/)({collections})\b", "{}", path) for path in app.openapi()["paths"]}
    told = re.sub(r"\{.*?\}", "{}", page)
    assert paths
    assert {path for path in paths if path not in told} == set()
    assert all(route.summary for route in app.routes if isinstance(route, APIRoute) and route.include_in_schema)


def test_every_metric_and_limit_is_described_with_its_default(app: FastAPI) -> None:
    page = (DOCS / "operating.md").read_text(encoding="utf-8")
    worker: Worker = app.state.worker
    for metric in worker.metrics().collect():
        name = f"{metric.name}_total" if metric.type == "counter" else metric.name
        assert f"| `{name}{{" in page or f"| `{name}` |" in page, name
    table = "".join(line for line in page.splitlines(keepends=True) if line.startswith("| `"))
    for name in NUMBERS:
        default = f"{getattr(Settings(), name):g}" if NUMBERS[name] else str(getattr(Settings(), name))
        assert re.search(rf"`{name}`[^|]*\|[^|]*\b{re.escape(default)}\b", table), name


def test_links_between_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *DOCS.glob("*.md")]:
        for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
