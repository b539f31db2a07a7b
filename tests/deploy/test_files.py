"""The files of deploy/: what runs is no root, is pinned, keeps its store, and is started as the command line is."""

from __future__ import annotations

import configparser
import json
import re
import shlex
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from api.app import create_app
from api.cli.main import app as command_line
from api.settings import Settings
from layers.store.store import Store
from tests.api.asgi import ask
from tests.conftest import BASEMAP

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"


def instructions() -> list[tuple[str, str]]:
    """The instructions of the container file in their order, each with what follows it."""
    lines = (DEPLOY / "Containerfile").read_text(encoding="utf-8").splitlines()
    whole = "\n".join(line for line in lines if line and not line.startswith("#")).replace("\\\n", " ")
    return [(name, " ".join(rest.split())) for name, _, rest in (line.partition(" ") for line in whole.split("\n"))]


def container() -> Mapping[str, Sequence[str]]:
    found = defaultdict[str, list[str]](list)
    for name, rest in instructions():
        found[name].append(rest)
    return found


def service() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment]
    parser.read(DEPLOY / "strikeatlas.service", encoding="utf-8")
    return parser["Service"]


def require_served(arguments: Sequence[str]) -> Mapping[str, object]:
    """The values of a command line of `strikeatlas serve`, which has to know all of its options."""
    name, *options = arguments
    command: Any = typer.main.get_command(command_line)
    found: dict[str, object] = command.commands[name].make_context(name, options).params
    return found


def test_the_container_is_of_a_pinned_base_and_installs_by_hashes() -> None:
    (base,) = container()["FROM"]
    image, _, tag = base.partition(":")
    assert image == "python"
    assert re.fullmatch(r"3\.[0-9]+-slim-[a-z]+", tag)
    locked = [part for run in container()["RUN"] for part in run.split("&&") if "pip install" in part]
    assert ["--require-hashes" in part or "--no-deps" in part for part in locked] == [True, True]
    assert "ADD" not in container()


def test_the_container_is_no_root_and_keeps_its_store_in_a_volume() -> None:
    order = [name for name, _ in instructions()]
    (user,) = container()["USER"]
    assert user not in ("root", "0")
    assert f"useradd --system --home-dir /srv/strikeatlas --create-home {user}" in container()["RUN"][0]
    assert order.index("RUN") < order.index("USER") < order.index("ENTRYPOINT")
    assert container()["VOLUME"] == container()["WORKDIR"] == ["/srv/strikeatlas"]


def test_the_container_serves_where_its_health_is_checked(store: Store) -> None:
    (entry,), (command,), (port,) = (container()[name] for name in ("ENTRYPOINT", "CMD", "EXPOSE"))
    assert json.loads(entry) == ["strikeatlas"]
    served = require_served(json.loads(command))
    assert (served["host"], str(served["port"])) == ("0.0.0.0", port)
    (check,) = container()["HEALTHCHECK"]
    found = re.search(r"http://127\.0\.0\.1:([0-9]+)(/[a-z]+)'", check)
    assert found
    assert found[1] == port
    app = create_app(store, Settings(basemap=BASEMAP, follow_every_s=0))
    assert ask(app, found[2]).status == 200


def test_the_service_is_confined_and_starts_as_the_command_line_is() -> None:
    unit = service()
    program, *arguments = shlex.split(unit["ExecStart"])
    assert program.endswith("/bin/strikeatlas")
    assert require_served(arguments)["proxied"]
    for name in ("DynamicUser", "NoNewPrivileges", "PrivateTmp", "ProtectHome", "RestrictSUIDSGID"):
        assert unit.getboolean(name), name
    assert (unit["ProtectSystem"], unit["CapabilityBoundingSet"]) == ("strict", "")
    assert unit["WorkingDirectory"] == f"/var/lib/{unit['StateDirectory']}"
    # Requests at work end before it is killed.
    assert float(unit["TimeoutStopSec"]) > float(str(require_served(["serve"])["grace"]))
