"""The replica of the compose file starts in a volume as the image makes it: its script is run without a container."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from tests import postgres_cluster
from tests.conftest import ROOT
from tests.postgres_cluster import PROGRAMS, Cluster

#: How long is waited for a server that starts: a busy machine is no fault.
_LONGEST_S = 120


def compose() -> Any:
    text = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")
    return pytest.importorskip("yaml").safe_load(text.replace("$$", "$"))


def as_postgres(script: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Run a script as the user of the image, with its programs."""
    user = [] if os.geteuid() else ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    paths = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}"}
    return subprocess.Popen([*user, "bash", "-euc", script], env=paths | dict(environment))


@contextmanager
def replica(primary: Cluster) -> Iterator[Cluster]:
    """Run what the container runs, on sockets in place of names."""
    found = Cluster(primary.folder, primary.port + 1)
    *shell, script = compose()["services"]["replica"]["entrypoint"]
    assert shell == ["bash", "-euc"]
    for name, here in (
        ("--host=primary", f"--host={primary.folder} --port={primary.port}"),
        (
            "exec postgres",
            f"exec postgres -c listen_addresses= -c unix_socket_directories={found.folder} -c port={found.port}",
        ),
    ):
        assert script.count(name) == 1
        script = script.replace(name, here)
    process = as_postgres(script, {"PGDATA": str(found.data), "PGPASSWORD": "secret"})
    try:
        ends = time.monotonic() + _LONGEST_S
        while process.poll() is None and time.monotonic() < ends:
            ready = [str(PROGRAMS / "pg_isready"), "--quiet", f"--host={found.folder}", f"--port={found.port}"]
            if subprocess.run(ready).returncode == 0:
                break
            time.sleep(0.1)
        assert process.poll() is None, "the replica ended"
        yield found
    finally:
        process.terminate()
        process.wait(_LONGEST_S)


def test_the_replica_starts_in_a_new_volume_and_again() -> None:
    if (reason := postgres_cluster.missing()) is not None:
        pytest.skip(reason)
    with postgres_cluster.running() as primary:
        made = {"POSTGRES_USER": primary.user, "POSTGRES_PASSWORD": "secret", "PGDATA": str(primary.data)}
        where = {"PGHOST": str(primary.folder), "PGPORT": str(primary.port)}
        assert as_postgres(compose()["configs"]["replication"]["content"], made | where).wait(_LONGEST_S) == 0
        volume = Cluster(primary.folder, primary.port + 1).data
        volume.mkdir()
        volume.chmod(0o1777)
        if not os.geteuid():
            shutil.chown(volume, pwd.getpwnam("postgres").pw_uid)
        for number in range(2):
            with replica(primary) as found:
                primary.execute("postgres", f"CREATE TABLE t{number} ()")
                assert is_there(found, f"t{number}")


def is_there(cluster: Cluster, table: str) -> bool:
    """Whether a replica comes to have a table."""
    import psycopg

    ends = time.monotonic() + _LONGEST_S
    with psycopg.connect(cluster.address("postgres"), autocommit=True) as connection:
        assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
        while time.monotonic() < ends:
            if connection.execute("SELECT to_regclass(%s) IS NOT NULL", [table]).fetchone() == (True,):
                return True
            time.sleep(0.05)
    return False
