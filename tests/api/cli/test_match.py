"""``strikeatlas match``: what is said of a strike, or that it is undecided."""

from __future__ import annotations

from layers.decisions.hits import NONE_FROM, PUBLISH_FROM, UNSEARCHED
from tests.command_runner import Run
from tests.load_runner import of_all_records

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
