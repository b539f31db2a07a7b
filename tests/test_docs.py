"""The pages say what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


def test_the_command_line_page_is_its_own_help() -> None:
    command = [sys.executable, "-m", "typer", "api.cli", "utils", "docs", "--name", "strikeatlas"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert (DOCS / "cli.md").read_text(encoding="utf-8").strip() == told.strip(), "run `make docs`"


def test_every_path_of_the_api_is_described(app: FastAPI) -> None:
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    paths = {re.sub(r"\{.*?\}", "{}", path) for path in app.openapi()["paths"]}
    told = re.sub(r"\{.*?\}", "{}", page)
    assert paths
    assert {path for path in paths if path not in told} == set()
    assert all(route.summary for route in app.routes if isinstance(route, APIRoute) and route.include_in_schema)


def test_links_between_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *DOCS.glob("*.md")]:
        for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
