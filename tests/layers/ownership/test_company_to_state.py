"""One curated table says which companies belong to states: it holds all such stakes, each with its source."""

from __future__ import annotations

import tomllib
from pathlib import Path

from layers.model.records import Records
from layers.sources import curated

TABLE = "company-to-state.toml"


def test_no_other_file_holds_a_stake_of_a_state_or_of_its_body(records: Records) -> None:
    places = curated.read().locations
    public = {entity.id for entity in records.entities.values() if entity.type in ("state", "stateBody")}
    for stake in records.stakes.values():
        place = places["stakes", stake.id]
        assert (place.file == TABLE) == (stake.owner in public), f"{stake.id} in {place.file}:{place.row}"


def test_each_row_names_a_source_that_was_seen(records: Records) -> None:
    text = (curated.BUNDLED / TABLE).read_text(encoding="utf-8")
    rows = tomllib.loads(text)
    assert set(rows) == {"stakes"}
    assert len(rows["stakes"]) > 50
    for row in rows["stakes"]:
        assert records.sources[row["source"]].url
        assert row["checked"] in ("read", "excerpt"), row["id"]


def test_the_table_reads_by_country(records: Records) -> None:
    rows = tomllib.loads(Path(curated.BUNDLED / TABLE).read_text(encoding="utf-8"))["stakes"]
    countries = [records.entities[row["owner"]].registered_in for row in rows]
    runs = [country for country, before in zip(countries, [None, *countries], strict=False) if country != before]
    assert len(runs) == len(set(runs))


def test_a_body_that_is_owned_is_owned_by_its_own_state(records: Records) -> None:
    bodies = {entity.id: entity for entity in records.entities.values() if entity.type == "stateBody"}
    ties = [stake for stake in records.stakes.values() if stake.owned in bodies]
    assert len(ties) >= 8
    for tie in ties:
        owner = records.entities[tie.owner]
        assert (owner.type, owner.registered_in) == ("state", bodies[tie.owned].registered_in)
