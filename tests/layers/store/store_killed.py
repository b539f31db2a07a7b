"""Child of the kill test: on each line of stdin, forks a process that loads many strikes and tells how far it is."""

import os
import sys
from pathlib import Path

from shapely import Point

from layers.model.records import Records, Source, Strike
from layers.store.store import Store


def strikes(count: int, title: str) -> Records:
    made = {}
    for i in range(count):
        made[f"k-{i}"] = Strike(
            id=f"k-{i}",
            title=f"{title} {i}",
            when="2025-08-05/2025-08-06",
            place="Орлівка",
            geometry=Point(28 + i % 500 / 500, 45 + i // 500 / 500),
            uncertainty_m=500,
            basis="settlement",
            place_source="s",
            status="reported",
            sources=("s",),
            checked="read",
        )
    return Records.of({"sources": {"s": Source(id="s", publisher="P")}, "strikes": made})


def main(path: Path, count: int) -> None:
    records = strikes(count, "after")
    print("ready", flush=True)
    for _ in sys.stdin:
        child = os.fork()
        if not child:
            Store.open(path).load(records, author="child", progress=lambda done, _: print(done, flush=True))
            os._exit(0)
        print("child", child, flush=True)
        _, status = os.waitpid(child, 0)
        print("status", status, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
