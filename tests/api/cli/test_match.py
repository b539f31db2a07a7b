"""``strikeatlas match``: what is said of a strike, or that it is undecided."""

from __future__ import annotations

import json
from pathlib import Path

from layers.decisions.hits import NONE_FROM, PUBLISH_FROM, UNSEARCHED
from layers.store.store import Store
from tests.command_runner import Run
from tests.load_runner import load, of_all_records

pytestmark = of_all_records


def test_the_answer_is_the_first_candidate_or_none_of_them(run: Run) -> None:
    every = run("match", "--json").report
    said = {name: [match for match in candidates if match["published"]] for name, candidates in every.items()}
    for name, candidates in every.items():
        best = candidates[0]
        least = NONE_FROM if best["asset"] is None else PUBLISH_FROM
        searched = UNSEARCHED not in {reason["name"] for reason in best["reasons"]}
        assert said[name] == ([best] if searched and best["probability"] >= least else [])
    assert {len(answers) for answers in said.values()} == {0, 1}


def test_the_table_says_which_strikes_are_undecided(run: Run) -> None:
    every = run("match", "--json").report
    undecided = next(name for name, found in every.items() if not any(match["published"] for match in found))
    published = next(name for name, found in every.items() if found[0]["published"] and found[0]["asset"])
    assert "undecided" in run("match", undecided).out
    assert "undecided" not in run("match", published).out


STRIKE = """
[[sources]]
id = "mine/s"
publisher = "A. Editor"

[[strikes]]
id = "mine/1"
title = "{title}"
when = "{when}"
place = "{place}"
region = "{region}"
host_country = "{host_country}"
geometry = "{geometry}"
uncertainty_m = {uncertainty_m}
basis = "{basis}"
place_source = "mine/s"
targets = {targets}
target_kinds = {target_kinds}
status = "reported"
checked = "read"
sources = ["mine/s"]
"""


def test_assets_have_names_and_only_what_is_decided_is_said_to_be(run: Run, own: Store, tmp_path: Path) -> None:
    records = own.records()
    every = run("match", "--json").report
    strike, best = next((name, found[0]) for name, found in every.items() if found[0]["published"])
    assert best["name"] == records.assets[best["asset"]].name
    hits = {one.asset for one in records.where("decisions", "strike", strike) if one.asset}
    told = records.strikes[strike].model_dump(mode="json")
    told |= {name: json.dumps(told[name]) for name in ("targets", "target_kinds")}
    told["geometry"] = records.strikes[strike].geometry.wkt
    (tmp_path / "mine.toml").write_text(STRIKE.format(**told))
    load(run, "curated", tmp_path / "mine.toml")
    rows = [[cell.strip() for cell in line.split("│")] for line in run("match").out.splitlines()]
    (decided,) = [row for row in rows if any(cell.startswith(f"{strike}:") for cell in row)]
    (undecided,) = [row for row in rows if any(cell.startswith("mine/1:") for cell in row)]
    assert any(decided[-2].startswith(f"{asset}: {records.assets[asset].name}"[:20]) for asset in hits)
    assert undecided[-2] == "", "proposed and published, and nobody decided"
    assert undecided[2] != "undecided"
