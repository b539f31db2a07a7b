"""A PostgreSQL cluster in a folder, with PostGIS, that listens to this machine only."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: What a server of this size would be given; all else is as installed.
SETTINGS = {
    "shared_buffers": "1GB",
    "effective_cache_size": "4GB",
    "work_mem": "64MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "4GB",
    "synchronous_commit": "off",
    # Compiling a query of a few milliseconds takes longer than running it.
    "jit": "off",
    # A question that nobody waits for any more is not to slow down the next.
    "statement_timeout": "60s",
}
DATABASE = "world"
USER = "postgres"


class PostgresMissing(Exception):
    """PostgreSQL or PostGIS is not installed."""


@dataclass(frozen=True)
class Cluster:
    """A cluster in ``folder``, listening on ``port`` of this machine."""

    folder: Path
    port: int = 54317

    @property
    def connection(self) -> str:
        return f"host=127.0.0.1 port={self.port} user={USER} dbname={DATABASE}"

    @property
    def url(self) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def make(self) -> None:
        """Create the cluster and its database; existing ones stay."""
        if self.data.exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(self.folder, USER)
        run(program("initdb"), "--pgdata", self.data, "--username", USER, "--auth=trust", "--encoding=UTF8")
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items())
        self.start()
        psql = ["psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1"]
        administering = self.connection.replace(f"dbname={DATABASE}", "dbname=postgres")
        subprocess.run([*psql, administering, "--command", f"CREATE DATABASE {DATABASE}"], check=True)
        subprocess.run([*psql, self.connection, "--command", "CREATE EXTENSION postgis"], check=True)

    def start(self) -> None:
        """Start the cluster, unless it runs."""
        if not self.is_running():
            options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
            log = self.folder / "log"
            run(program("pg_ctl"), "start", "--wait", "--pgdata", self.data, "--log", log, "--options", options)

    def stop(self) -> None:
        """Stop the cluster, if it runs."""
        if self.is_running():
            run(program("pg_ctl"), "stop", "--pgdata", self.data, "--mode=fast")

    def is_running(self) -> bool:
        return not _ended(program("pg_ctl"), "status", "--pgdata", self.data)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the cluster until the block ends; a cluster that ran before goes on."""
        ran = self.is_running()
        self.start()
        try:
            yield
        finally:
            if not ran:
                self.stop()

    def pid(self) -> int:
        """Process that all of the running cluster are children of."""
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def versions(self) -> str:
        """Versions of PostgreSQL and PostGIS."""
        query = "SELECT current_setting('server_version') || ', PostGIS ' || postgis_lib_version()"
        psql = ["psql", "--no-psqlrc", "--tuples-only", "--no-align", self.connection, "--command", query]
        return "PostgreSQL " + subprocess.run(psql, check=True, capture_output=True, text=True).stdout.strip()


def program(name: str) -> Path:
    """A program of the newest PostgreSQL that has PostGIS.

    Raises
    ------
    PostgresMissing
        If there is none.
    """
    programs = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    with_postgis = [path for path in programs if any((path.parents[1] / "lib").glob("postgis-3.so"))]
    if not with_postgis:
        raise PostgresMissing("apt-get install postgresql-17 postgresql-17-postgis-3")
    return with_postgis[-1]


def run(*command: object) -> None:
    """Run a program of PostgreSQL.

    Raises
    ------
    RuntimeError
        If it fails.
    """
    if code := _ended(*command):
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {code}")


def _ended(*command: object) -> int:
    """Run a program of PostgreSQL, which refuses to run as root; gives its exit code."""
    as_user = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
    return subprocess.run([*as_user, *map(str, command)], stdout=subprocess.DEVNULL, cwd="/").returncode
