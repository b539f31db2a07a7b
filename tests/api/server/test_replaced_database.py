"""Another database under a server: an earlier copy, another store, none, one that does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.requests import reviewer_tokens
from api.settings import Settings
from layers.model.records import Records
from layers.store.backends import create_new
from layers.store.store import Store
from tests.api.conftest import feature
from tests.conftest import BASEMAP
from tests.postgres_cluster import Cluster

psycopg = pytest.importorskip("psycopg")

ITEMS = "/collections/strikes/items"


def database_of(address: str) -> str:
    return address.partition("?")[0].rpartition("/")[2]


class Served(NamedTuple):
    client: TestClient
    store: Store
    cluster: Cluster
    #: The database of the store, and a copy of it from before the server wrote to it.
    name: str
    earlier: str
    token: dict[str, str]

    def add(self, title: str) -> Any:
        return self.client.post(ITEMS, json=feature(title=title), headers=self.token)

    def look(self) -> str | None:
        """The fault after a look at the store."""
        self.client.app.state.atlas.look()  # type: ignore[attr-defined]
        fault: str | None = self.health()["fault"]
        return fault

    def health(self) -> Any:
        (worker,) = self.client.get("/health").json()["workers"]
        return worker

    def swap(self, other: str) -> None:
        """Put another database in the place of that of the store, and that in its place."""
        self.cluster.execute(
            "postgres",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ('{self.name}', '{other}')",
            f"ALTER DATABASE {self.name} RENAME TO aside",
            f"ALTER DATABASE {other} RENAME TO {self.name}",
            f"ALTER DATABASE aside RENAME TO {other}",
        )

    def history(self) -> list[tuple[int, str]]:
        """The history of the database that has the name now."""
        with psycopg.connect(self.cluster.address(self.name)) as connection:
            return connection.execute("SELECT seq, hash FROM history ORDER BY seq").fetchall()


@pytest.fixture
def served(few_records: Records, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    address = cluster.new_database()
    store = create_new(address)
    store.load(few_records, author="tests")
    store.close()
    name = database_of(address)
    earlier = database_of(cluster.new_database(name))
    token = {"Authorization": f"Bearer {reviewer_tokens.add_reviewer(tmp_path / 'reviewers.json', 'Ann')}"}
    settings = Settings(basemap=BASEMAP, reviewers=tmp_path / "reviewers.json", follow_every_s=0)
    with TestClient(create_app(store, settings), raise_server_exceptions=False) as client:
        yield Served(client, store, cluster, name, earlier, token)


def refused(answer: Any, title: str = "The store was replaced") -> str:
    assert answer.status_code == 503, answer.text
    assert answer.json()["title"] == title
    detail: str = answer.json()["detail"]
    return detail


@pytest.mark.parametrize("other", ["an earlier copy", "another store", "no store"])
def test_another_database_in_place_of_that_of_the_store_is_neither_served_nor_written_to(
    served: Served, other: str
) -> None:
    client, cluster = served.client, served.cluster
    assert served.add("before the swap").status_code == 201
    assert served.look() is None
    shown = client.get(f"{ITEMS}?limit=1000").json()["features"]
    assert served.health()["behind_s"] == 0
    databases = {
        "an earlier copy": served.earlier,
        "another store": database_of(cluster.new_store()),
        "no store": database_of(cluster.new_database()),
    }
    served.swap(databases[other])
    before = served.history() if other != "no store" else []
    for answer in (served.add("after the swap"), client.get("/corrections")):
        assert served.name not in refused(answer)
    words = "does not go on from what was read" if other == "an earlier copy" else "another store took its place"
    assert words in (served.look() or "")
    assert served.health()["behind_s"] > 0, "what is there is not known since"
    assert client.get(f"{ITEMS}?limit=1000").json()["features"] == shown, "what was read is served on"
    assert 'strikeatlas_data_fault{worker="0"} 1.0' in client.get("/metrics").text
    assert before == (served.history() if other != "no store" else [])
    served.swap(databases[other])
    assert served.look() is None
    assert 'strikeatlas_data_fault{worker="0"} 0.0' in client.get("/metrics").text
    assert served.add("it is back").status_code == 201
    assert served.store.verify() == ()


def test_a_write_after_a_look_refuses_a_copy_from_before_an_acknowledged_write(served: Served) -> None:
    """Also where nothing was read since the write."""
    assert served.add("acknowledged").status_code == 201
    served.swap(served.earlier)
    before = served.history()
    refused(served.add("after the swap"))
    assert served.history() == before


def test_a_later_copy_of_the_store_is_followed(served: Served) -> None:
    later = database_of(served.cluster.new_database(served.earlier))
    served.swap(later)
    assert served.look() is None
    assert served.add("in the copy").status_code == 201
    assert served.look() is None


def test_an_answer_does_not_name_the_address_of_a_database_that_does_not_answer(served: Served) -> None:
    served.cluster.execute(
        "postgres",
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{served.name}'",
        f"ALTER DATABASE {served.name} RENAME TO aside",
    )
    try:
        for answer in (served.client.get("/corrections"), served.add("while it is away")):
            detail = refused(answer, "The store does not answer")
            assert detail == "the database does not answer, or ended the connection"
        assert served.name in (served.look() or ""), "who operates it is"
    finally:
        served.cluster.execute("postgres", f"ALTER DATABASE aside RENAME TO {served.name}")
