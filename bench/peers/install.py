"""Install the servers that we are measured beside: `python -m bench.peers.install FOLDER`. No test needs any of it.

PostgreSQL, PostGIS and wrk come from the system's packages (Debian: postgresql-17 postgresql-17-postgis-3 wrk),
pygeoapi, tipg and engines that join from the Python registry into an environment each. A cluster is made in the folder.
What is there is kept.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from pathlib import Path

from rich.console import Console

from bench.peers.postgres import Cluster, PostgresMissing, program

console = Console(stderr=True)

#: Debian's packages. Where there is no 17, take the newest; the runner says which it was.
PACKAGES = ("postgresql-17", "postgresql-17-postgis-3", "wrk")
#: Versions that the figures in docs/speed.md are of.
TIPG = ("tipg==1.6.1", "uvicorn==0.54.0", "uvloop==0.23.0", "httptools")
#: The extension is packed by others than DuckDB; DuckDB loads it only with DuckDB's own signature on it.
JOINS = ("duckdb==1.5.5", "duckdb-extension-spatial==1.5.5", "sedonadb==0.5.0", "geoarrow-pyarrow", "pandas", "pyproj")
PYGEOAPI = ("pygeoapi==0.24.0", "gunicorn==27.0.1", "psycopg2-binary==2.9.13", "geoalchemy2==0.20.0", "flask-cors")


def system() -> None:
    """Install the system packages that are missing, where that is allowed."""
    try:
        program("pg_ctl")
        missing = shutil.which("wrk") is None or shutil.which("psql") is None
    except PostgresMissing:
        missing = True
    if missing and os.geteuid() == 0:
        command = ["apt-get", "install", "--yes", "--no-install-recommends", *PACKAGES]
        subprocess.run(command, check=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    elif missing:
        raise PostgresMissing(f"as root: apt-get install {' '.join(PACKAGES)}")


def environment(folder: Path, python: str, packages: tuple[str, ...]) -> None:
    """Create an environment with packages, or bring an existing one to them."""
    if not (folder / "bin" / "python").exists():
        subprocess.run([python, "-m", "venv", folder], check=True)
    subprocess.run([folder / "bin" / "pip", "install", "--quiet", *packages], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="scratch folder, outside the checkout")
    parser.add_argument("--python", default="python3", help="for tipg")
    parser.add_argument("--python-pygeoapi", default="python3", help="3.12 or newer, which pygeoapi 0.24 needs")
    parser.add_argument("--joins", action="store_true", help="the engines of bench.pairs alone")
    given = parser.parse_args()
    folder = given.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    environment(folder / "joins", given.python, JOINS)
    if given.joins:
        return
    system()
    environment(folder / "tipg", given.python, TIPG)
    environment(folder / "pygeoapi", given.python_pygeoapi, PYGEOAPI)
    cluster = Cluster(folder / "postgres")
    cluster.make()
    cluster.start()
    console.print(f"{cluster.versions()}. Fill it: python -m bench.world FOLDER --postgis '{cluster.connection}'")


if __name__ == "__main__":
    main()
