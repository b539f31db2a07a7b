"""The files of deploy/: what runs is no root, is pinned, keeps its store, and is started as the command line is."""

from __future__ import annotations

import configparser
import json
import re
import shlex
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import typer

from api.app import create_app
from api.cli.main import app as command_line
from api.settings import Settings
from layers.store.store import Store
from tests.api.asgi import ask
from tests.conftest import BASEMAP, ROOT

DEPLOY = ROOT / "deploy"
_STORE = "postgresql:///atlas?host=primary,replica&user=atlas&target_session_attrs=read-write"


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


def service(name: str = "strikeatlas.service") -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment]
    parser.read(DEPLOY / name, encoding="utf-8")
    return parser["Service"]


def compose() -> Any:
    """The services of the compose file and what else stands in it."""
    return pytest.importorskip("yaml").safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


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


@pytest.mark.parametrize("name", ["strikeatlas.service", "strikeatlas@.service", "strikeatlas-proxy.service"])
def test_a_service_is_confined(name: str) -> None:
    unit = service(name)
    for setting in ("DynamicUser", "NoNewPrivileges", "PrivateTmp", "ProtectHome", "RestrictSUIDSGID"):
        assert unit.getboolean(setting), setting
    assert unit["ProtectSystem"] == "strict"
    assert unit["CapabilityBoundingSet"] == unit.get("AmbientCapabilities", "")
    confining = ("Protect", "Restrict", "Private", "SystemCall", "LockPersonality", "UMask")
    found, wanted = ({key: of[key] for key in of if key.startswith(confining)} for of in (unit, service()))
    assert found == wanted
    # Requests at work end before it is killed.
    assert float(unit["TimeoutStopSec"]) > float(str(require_served(["serve"])["grace"]))


@pytest.mark.parametrize("name", ["strikeatlas.service", "strikeatlas@.service"])
def test_a_service_starts_as_the_command_line_is(name: str) -> None:
    unit = service(name)
    program, *arguments = shlex.split(unit["ExecStart"].replace("%i", "8001").replace("${STRIKEATLAS_STORE}", _STORE))
    assert program.endswith("/bin/strikeatlas")
    assert require_served(arguments)["proxied"]
    assert unit["WorkingDirectory"] == f"/var/lib/{unit['StateDirectory']}"


def test_the_workers_of_the_proxy_are_those_that_the_units_start() -> None:
    ports = re.findall(r"^server 127\.0\.0\.1:([0-9]+) ", (DEPLOY / "workers.conf").read_text(), re.MULTILINE)
    unit = (DEPLOY / "strikeatlas@.service").read_text()
    assert [f"strikeatlas@{port}" for port in ports] == re.findall(r"strikeatlas@[0-9]+", unit)
    folders = re.findall(r"/(?:run|var/cache)/([a-z-]+)", (DEPLOY / "nginx.conf").read_text())
    proxy = service("strikeatlas-proxy.service")
    assert set(folders) == {proxy["CacheDirectory"]} == {proxy["RuntimeDirectory"]}


def test_the_containers_start_as_the_command_line_is_and_mount_what_there_is() -> None:
    whole = compose()
    services, trusted = whole["services"], whole["networks"]["default"]["ipam"]["config"][0]["subnet"]
    for name in ("worker-1", "worker-2"):
        served = require_served(services[name]["command"])
        assert (served["host"], served["port"], served["proxy"]) == ("0.0.0.0", 8000, [trusted])
        assert served["store"] == _STORE
    assert require_served(services["store"]["command"])["store"] == _STORE
    assert {"primary", "replica"} <= set(services)
    lines = whole["configs"]["workers"]["content"].splitlines()
    rules = [line.partition(" max_fails")[2] for line in (DEPLOY / "workers.conf").read_text().splitlines()]
    assert [line.partition(" max_fails")[2] for line in lines] == list(filter(None, rules))
    assert re.findall(r"server ([a-z0-9-]+):8000 ", "\n".join(lines)) == ["worker-1", "worker-2"]
    mounted = [volume.partition(":")[0] for volume in services["proxy"]["volumes"]]
    assert [(DEPLOY / one).is_file() for one in mounted if one.startswith("./")] == [True, True]
    named = {volume.partition(":")[0] for one in services.values() for volume in one["volumes"]}
    assert {one for one in named if not one.startswith("./")} == set(whole["volumes"])
