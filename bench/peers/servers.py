"""The servers that are compared: how each is started and stopped."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.peers.postgres import Cluster

#: Longest that a server may take until it answers, in seconds.
PATIENCE_S = 3600


@dataclass(frozen=True)
class Running:
    """A server that runs: its group of processes, that of its database, if any, and the seconds until it answered."""

    group: int
    database: int | None
    ready_s: float

    def memory_mb(self) -> float:
        """Resident memory in megabytes, without the database; what processes share is counted for each."""
        pages = sum(int(fields[21]) for _, fields in self._stats() if int(fields[2]) == self.group)
        return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6)

    def cpu_s(self) -> float:
        """Seconds of processor that the processes which live now have taken, those of the database with them."""
        return sum(int(fields[11]) + int(fields[12]) for _, fields in self._stats()) / os.sysconf("SC_CLK_TCK")

    def processes(self) -> Iterator[Path]:
        """The folder of each of its processes in /proc, without those of the database."""
        return (folder for folder, fields in self._stats() if int(fields[2]) == self.group)

    def _stats(self) -> Iterator[tuple[Path, list[str]]]:
        """The folder of each process, and the fields after its name: state, parent, group, ... (proc_pid_stat(5))."""
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[2]) == self.group or int(fields[1]) == self.database:
                    yield stat.parent, fields


@dataclass(frozen=True)
class Server:
    """One server of one process: its command, and what it answers when it is ready."""

    name: str
    port: int
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    ready: str = "/"
    database: Cluster | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def running(self, log: Path) -> Iterator[Running]:
        """Run it until the block ends.

        Raises
        ------
        RuntimeError
            If it ends, or does not answer in time; its log says why.
        """
        started = time.perf_counter()
        with log.open("wb") as file:
            environment = {**os.environ, **self.environment}
            process = subprocess.Popen(self.command, env=environment, stdout=file, stderr=file, start_new_session=True)
            try:
                self._wait(process, log)
                ready_s = round(time.perf_counter() - started, 1)
                yield Running(process.pid, self.database.pid() if self.database else None, ready_s)
            finally:
                # The group of this process alone: gunicorn has children.
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(60)

    def _wait(self, process: subprocess.Popen[bytes], log: Path) -> None:
        last = time.monotonic() + PATIENCE_S
        while time.monotonic() < last:
            if process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {process.returncode}; see {log}")
            try:
                urllib.request.urlopen(self.url + self.ready, timeout=30).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"{self.name} did not answer; see {log}")


def strikeatlas(store: Path, base: Path, port: int = 54401, settings: Sequence[str] = ()) -> Server:
    """Serve by this program, as it is installed but for the log and settings such as ``answers_cached=0``."""
    command = (sys.executable, "-m", "api.cli.main", "serve", "--port", str(port), "--store", str(store))
    stated = [part for setting in settings for part in ("--set", setting)]
    options = ("--basemap", str(base), "--log", "none", "--open-layer", "none")
    return Server("strikeatlas", port, (*command, *options, *stated))


def tipg(folder: Path, cluster: Cluster, port: int = 54402) -> Server:
    """One worker of uvicorn, as installed but for the log."""
    command = (str(folder / "tipg/bin/uvicorn"), "tipg.main:app", "--port", str(port), "--no-access-log")
    environment = {
        "DATABASE_URL": cluster.url,
        "TIPG_TABLE_CONFIG__public_strikes__datetimecol": "day_first",
        "TIPG_TABLE_CONFIG__public_attributions__datetimecol": "day_first",
        # Its collections do not change while they are measured.
        "TIPG_CATALOG_TTL": "0",
    }
    return Server("tipg", port, command, environment, "/healthz", cluster)


def pygeoapi(folder: Path, cluster: Cluster, port: int = 54403) -> Server:
    """One process of gunicorn with four threads."""
    bin_ = folder / "pygeoapi/bin"
    config, document = folder / "pygeoapi.json", folder / "pygeoapi-openapi.json"
    config.write_text(_pygeoapi_config(cluster, port))
    environment = {"PYGEOAPI_CONFIG": str(config), "PYGEOAPI_OPENAPI": str(document)}
    making = [str(bin_ / "pygeoapi"), "openapi", "generate", str(config), "--output-file", str(document)]
    subprocess.run(making, check=True, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    command = (str(bin_ / "gunicorn"), "--workers", "1", "--threads", "4", "--bind", f"127.0.0.1:{port}")
    return Server("pygeoapi", port, (*command, "pygeoapi.flask_app:APP"), environment, "/conformance", cluster)


def _pygeoapi_config(cluster: Cluster, port: int) -> str:
    """Its configuration: YAML, of which JSON is a part."""
    words: dict[str, object] = {"title": "World", "description": "World", "keywords": ["world"]}
    contact = {"name": "x", "address": "x", "city": "x", "stateorprovince": "x", "postalcode": "x", "country": "x"}
    more = {"phone": "x", "fax": "x", "email": "x@example.org", "url": "https://example.org", "hours": "x"}
    return json.dumps(
        {
            "server": {
                "bind": {"host": "127.0.0.1", "port": port},
                "url": f"http://127.0.0.1:{port}",
                "mimetype": "application/json; charset=UTF-8",
                "encoding": "utf-8",
                "languages": ["en-US"],
                "limits": {"default_items": 10, "max_items": 10000, "on_exceed": "throttle"},
                "map": {"url": "https://example.org/{z}/{x}/{y}.png", "attribution": "x"},
            },
            "logging": {"level": "ERROR"},
            "metadata": {
                "identification": {
                    **words,
                    "keywords_type": "theme",
                    "terms_of_service": "x",
                    "url": "https://example.org",
                },
                "license": {"name": "CC-BY 4.0", "url": "https://example.org"},
                "provider": {"name": "x", "url": "https://example.org"},
                "contact": {**contact, **more, "instructions": "x", "role": "pointOfContact", "position": "x"},
            },
            "resources": {name: _resource(name, words, cluster) for name in ("strikes", "assets", "attributions")},
        }
    )


def _resource(name: str, words: dict[str, object], cluster: Cluster) -> dict[str, object]:
    data = {"host": "127.0.0.1", "port": cluster.port, "dbname": "world", "user": "postgres", "password": "x"}
    table = {"data": {**data, "search_path": ["public"]}, "id_field": "id", "table": name, "geom_field": "geom"}
    timed = {} if name == "assets" else {"time_field": "day_first"}
    feature = {"type": "feature", "name": "PostgreSQL", **table, **timed}
    tile = {
        "type": "tile",
        "name": "MVT-postgresql",
        **table,
        "storage_crs": "http://www.opengis.net/def/crs/EPSG/0/4326",
        "options": {"zoom": {"min": 0, "max": 16}},
        "format": {"name": "pbf", "mimetype": "application/vnd.mapbox-vector-tile"},
    }
    spatial = {"bbox": [-180, -90, 180, 90], "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}
    return {
        "type": "collection",
        **words,
        "title": name,
        "links": [],
        "extents": {"spatial": spatial},
        "providers": [feature, tile],
    }
