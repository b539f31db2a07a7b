"""The page that says how complete the layer is counts sites once, and says where each total is printed."""

from __future__ import annotations

import tomllib

import pytest

from layers.model.records import Records
from tests.conftest import ROOT
from tests.layers.store.test_open_layer import TRACKER, asset, entity, records_of, stake
from tools.open_layer import completeness

TOTALS = tomllib.loads((ROOT / "tools" / "open_layer" / "totals.toml").read_text())["totals"]


def rows(records: Records, *totals: dict[str, object]) -> dict[str, list[str]]:
    sections = completeness.markdown(records, totals).split("\n## ")[1:]
    return {part.splitlines()[0].strip("`"): [line for line in part.splitlines()[4:] if line] for part in sections}


def test_sites_are_counted_once_by_kind_and_country() -> None:
    records = records_of(
        TRACKER,
        entity("known", registered_in="AZ"),
        entity("unknown"),
        asset("own").model_copy(update={"dataset": "curated"}),
        asset("open"),
        asset("part", part_of="open"),
        asset("unbuilt", status="cancelled"),
        asset("abroad", host_country="RU"),
        stake("own", "known", 60.0),
        stake("open", "unknown", 100.0),
    )
    total = {"kind": "refinery", "country": "UA", "number": 7, "on": "2013~", "url": "https://example.org/seven"}
    part = {
        "kind": "refinery",
        "country": "BY",
        "number": 2,
        "part": "large",
        "on": "2022",
        "url": "https://example.org/",
    }
    table = rows(records, total, part)
    assert table["refinery"] == [
        "| UA | 2 (1) | 1 | 7, [2013~](https://example.org/seven) |",
        "| BY | 0 (0) | 0 | ≥ 2 (large), [2022](https://example.org/) |",
        "Without a public figure: RU 1 (0), 0.",
    ]
    assert table["oil-depot"] == []


def test_every_total_says_where_it_is_printed() -> None:
    for total in TOTALS:
        assert total["kind"] in completeness.KINDS, total
        assert total["country"] in completeness.COUNTRIES, total
        assert total["url"].startswith("http"), total
        assert total["quote"], total
        assert total["publisher"], total
        assert "number" in total or "capacity_unit" in total, total


@pytest.mark.long
def test_the_page_is_of_the_records_and_the_layer(capsys: pytest.CaptureFixture[str]) -> None:
    completeness.main()
    assert capsys.readouterr().out == (ROOT / "docs" / "completeness.md").read_text(encoding="utf-8")
