"""``strikeatlas reviewer``: who may write, each with a token that is shown once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.common import AsJson, output
from api.requests import reviewer_tokens
from api.settings import REVIEWERS

app = typer.Typer(help="Let people review: add, list and remove reviewers.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The name that their decisions bear.")]
ReviewersPath = Annotated[Path, typer.Option("--reviewers", help="The file of reviewers.")]


@app.command(epilog="Example: strikeatlas reviewer add 'A. Editor'")
def add(name: Name, file: ReviewersPath = REVIEWERS, as_json: AsJson = False) -> None:
    """Add a reviewer and print the token; it is kept nowhere, so give it to them now."""
    token = reviewer_tokens.add(file, name)
    output({"name": name, "token": token}, as_json, f"Token of {name}, shown this once: {token}")


@app.command("list", epilog="Example: strikeatlas reviewer list")
def list_(file: ReviewersPath = REVIEWERS, as_json: AsJson = False) -> None:
    """List who may review."""
    names = [one.name for one in reviewer_tokens.read(file)]
    output(names, as_json, "\n".join(names) or "Nobody may review yet: strikeatlas reviewer add NAME")


@app.command(epilog="Example: strikeatlas reviewer remove 'A. Editor'")
def remove(name: Name, file: ReviewersPath = REVIEWERS, as_json: AsJson = False) -> None:
    """Take a reviewer's token away; what they decided stays."""
    reviewer_tokens.remove(file, name)
    output({"removed": name}, as_json, f"{name} may no longer review.")
