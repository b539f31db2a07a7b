"""A cluster of PostgreSQL for tests: in a folder of its own, on a socket alone, by no user but that of the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from itertools import count
from pathlib import Path

from layers.store.backends import create_new

#: Where Debian's package postgresql-17 has its programs, of which the path has but some.
PROGRAMS = Path("/usr/lib/postgresql/17/bin")
_POSTGIS = Path("/usr/share/postgresql/17/extension/postgis.control")
_PORT = 5432
_TEMPLATE = "with_postgis"


def missing() -> str | None:
    """Why no cluster can be started here; None where one can."""
    if not (PROGRAMS / "initdb").exists() or not _POSTGIS.exists():
        return "needs the packages postgresql-17 and postgresql-17-postgis-3"
    if find_spec("psycopg") is None:
        return "needs psycopg"
    return None


def _command(program: str, *arguments: str | Path) -> list[str]:
    """The command for a program of PostgreSQL, which refuses to run as root."""
    command = [str(PROGRAMS / program), *map(str, arguments)]
    if os.geteuid():
        return command
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]


def run(program: str, *arguments: str | Path) -> None:
    """Run a program of PostgreSQL as the user of the cluster."""
    # Its server goes on in the background, and would hold a pipe open that somebody reads.
    subprocess.run(_command(program, *arguments), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@dataclass(frozen=True)
class Cluster:
    """A cluster in a folder that is its user's; ``user`` may do anything in it."""

    folder: Path
    port: int = _PORT
    user: str = "postgres"

    @property
    def data(self) -> Path:
        """The folder of its files."""
        return self.folder / f"data-{self.port}"

    def start(self) -> None:
        """Start its server; of a power cut tests are not afraid."""
        options = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c port={self.port} -c fsync=off"
        run("pg_ctl", "-D", self.data, "-w", "-l", self.folder / f"log-{self.port}", "-o", options, "start")

    def stop(self) -> None:
        """End its server at once, with whoever is connected."""
        with suppress(subprocess.CalledProcessError):
            run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")

    def kill(self) -> None:
        """Kill its server; the processes of it end when they see that."""
        os.kill(int((self.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def start_again(self) -> None:
        """Start its server after a kill, as soon as the processes of the one before have ended."""
        for _ in range(40):
            try:
                self.start()
                return
            except subprocess.CalledProcessError:
                time.sleep(0.25)
        raise AssertionError("the server does not start again")

    def start_replica(self) -> Cluster:
        """Make a replica beside it, which streams by a slot, and start it; writers wait for it from then on."""
        replica = Cluster(self.folder, self.port + 1)
        run(
            "pg_basebackup", "-h", self.folder, "-p", str(self.port), "-U", self.user, "-D", replica.data,
            "-R", "-X", "stream", "-C", "-S", "reads", "--no-sync", "-c", "fast",
        )  # fmt: skip
        replica.start()
        # As operators set it up who may lose nothing.
        self.execute("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
        return replica

    def promote(self) -> None:
        """Make a replica the primary."""
        run("pg_ctl", "-D", self.data, "-w", "promote")

    def address(self, database: str, user: str | None = None) -> str:
        """The URL of a database."""
        return f"postgresql://{user or self.user}@/{database}?host={self.folder}&port={self.port}"

    def execute(self, database: str, *statements: str) -> None:
        """Run statements, each in its own transaction."""
        import psycopg

        with psycopg.connect(self.address(database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    @cached_property
    def _names(self) -> Iterator[str]:
        return (f"atlas{number}" for number in count(1))

    @cached_property
    def template(self) -> str:
        """A database that has PostGIS, and a copy of which is made in a tenth of a second."""
        self.execute("postgres", f"CREATE DATABASE {_TEMPLATE}")
        self.execute(_TEMPLATE, "CREATE EXTENSION postgis")
        return _TEMPLATE

    def new_database(self, template: str | None = None) -> str:
        """The address of a new database with PostGIS, or of a copy of one to which nobody is connected."""
        name = next(self._names)
        # Copied as files it takes less than by way of the log.
        self.execute("postgres", f"CREATE DATABASE {name} TEMPLATE {template or self.template} STRATEGY file_copy")
        return self.address(name)

    @cached_property
    def _empty_store(self) -> str:
        address = self.new_database()
        create_new(address).close()
        return address.partition("?")[0].rpartition("/")[2]

    def new_store(self) -> str:
        """The address of a new, empty store: a copy of one, as to create its tables takes as long again."""
        address = self.new_database(self._empty_store)
        name = address.partition("?")[0].rpartition("/")[2]
        self.execute(name, "UPDATE strikeatlas SET store_id = gen_random_uuid()")
        return address


@contextmanager
def running(options: Sequence[str] = ()) -> Iterator[Cluster]:
    """Make a cluster and run it."""
    folder = Path(tempfile.mkdtemp(prefix="strikeatlas-pg-"))
    if not os.geteuid():
        shutil.chown(folder, pwd.getpwnam("postgres").pw_uid)
    cluster = Cluster(folder)
    try:
        run(
            "initdb", "-D", cluster.data, "-U", cluster.user, "--no-sync", "--auth=trust", "--encoding=UTF8",
            "--locale=C", *options,
        )  # fmt: skip
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
