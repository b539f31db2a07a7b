"""Sections of dossiers and pages: the chain in layers, every step and the rest of the sum, in the words of the page."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from api.exports import text as translations
from api.exports.dossier.sections import MAX_DEPTH, CitedSources, SectionWriter, tree_of
from api.exports.printed_map.map_strikes import box_around
from api.serializers import attribution
from layers.snapshot.snapshot import Snapshot

Json = dict[str, Any]
CPC, DEPOT, ORLIVKA = "ru-cpc-kropotkinskaya-2025-02-17", "ua-socar-depot-2025-08-08", "ua-orlivka-2025-08-06"
TAWKE = "iq-tawke-peshkabir-2025-07-16"


@pytest.fixture(scope="session")
def answers(snapshot: Snapshot) -> dict[str, Json]:
    return {name: attribution.strike_answer(snapshot, snapshot.answer(name)) for name in (DEPOT, CPC, ORLIVKA, TAWKE)}


def listed(rows: list[Json]) -> Iterator[Json]:
    for row in rows:
        yield row
        yield from listed(row["children"])


def chain(share: tuple[float, float], *steps: tuple[str, float, float], reach: str = "state") -> Json:
    made, owned = [], "a"
    for owner, low, high in steps:
        made.append({"owner": owner, "name": owner.upper(), "country": "AA", "type": "registeredEntity", "owned": owned,
                     "share_min": low, "share_max": high, "since": None, "until": None, "checked": "read",
                     "source": "s", "note": None})  # fmt: skip
        owned = owner
    stays = {"entity": owned, "name": owned.upper()}
    return {"share_min": share[0], "share_max": share[1], "country": "AA", "reach": reach, "reason": None,
            "stays_with": stays, "steps": made}  # fmt: skip


def hit_of(*chains: Json) -> Json:
    return {"asset": {"name": "A"}, "chains": list(chains), "rest": {"share_min": 0, "share_max": 0}, "warnings": []}


def chain_of(hit: Json, countries: dict[str, str] | None = None) -> Json:
    return SectionWriter(CitedSources([]), countries or {}).chain(hit)


def test_every_text_of_the_page_is_read() -> None:
    source = (translations.STATIC / "text.en.json").read_text(encoding="utf-8")
    entries = [line for line in source.splitlines() if re.match(r'^\s+"?[\w #-]+"?: ', line)]
    assert len(translations.texts()) == len(entries) > 50
    assert translations.page_text("holds", share="5 %", owned="X") == "holds 5 % of X"
    assert translations.word("relation", "never-heard") == "never heard"
    assert translations.counted("count", 1) == "1 strike"
    with pytest.raises(KeyError):
        translations.page_text("holds", share="5 %")


def test_texts_come_in_a_language_with_its_plurals_and_signs() -> None:
    said = [translations.counted("count", number, "uk") for number in (1, 2, 5, 11, 21, 1234)]
    assert said == ["1 удар", "2 удари", "5 ударів", "11 ударів", "21 удар", "1\u00a0234 удари"]
    assert translations.counted("count", 1234, "de") == "1.234 Angriffe"
    assert translations.share(31.99, 33.5, language="de") == "31,99–33,5\u00a0%"
    assert translations.word("relation", "never-heard", "uk") == "never heard"
    assert translations.words("commodity", "oil, unheard of", "uk") == "нафта, unheard of"
    owners = translations.with_country_names("RU 47.3, US 0-22.5, unattributed 1.75", {"RU": "Russland"}, "de")
    nobody = translations.page_text("unattributed", "de")
    assert owners == f"Russland\u00a047,3; US\u00a00–22,5; {nobody}\u00a01,75"


@pytest.mark.parametrize(("ends", "said"), [((31.99, 31.99), "31.99"), ((0, 22.5), "0–22.5"), ((100, 100), "100")])
def test_shares_are_written_as_on_the_page(ends: tuple[float, float], said: str) -> None:
    assert translations.share(*ends) == f"{said}\u00a0%"


def test_paths_that_begin_alike_are_one_holder_with_its_part_of_the_whole() -> None:
    root = tree_of([chain((30, 30), ("c", 60, 60), ("d", 50, 50)), chain((24, 30), ("c", 60, 60), ("e", 40, 50))])
    (holder,) = root.children.values()
    assert [node.part for node in holder.children.values()] == [(30, 30), (24, 30)]
    told = chain_of(hit_of(chain((30, 30), ("c", 60, 60), ("d", 50, 50))), {"AA": "Aland"})
    assert told["holders"][0]["held"] == "holds 60\u00a0% of A"
    assert told["holders"][0]["children"][0]["ends"] == ["30\u00a0% counts to Aland: ends at a state"]


SHARES = st.integers(1, 100)
PATHS = st.lists(st.lists(st.tuples(st.sampled_from("cdefg"), SHARES), min_size=1, max_size=5), max_size=6)


@given(PATHS)
def test_no_end_and_no_step_of_any_path_is_lost(drawn: list[list[tuple[str, int]]]) -> None:
    chains = [chain((1, 2), *((name, share, share) for name, share in path)) for path in drawn]
    before = copy.deepcopy(chains)
    rows = list(listed(chain_of(hit_of(*chains))["holders"]))
    assert chains == before
    assert sum(len(row["ends"]) for row in rows) == len(chains)
    starts = {tuple(path[: n + 1]) for path in drawn for n in range(len(path))}
    assert len(rows) == len(starts)
    for row in rows:
        assert sum(width for _, width in row["bar"]) <= max(
            100, sum(width for kind, width in row["bar"] if kind == "state")
        )


def test_layers_go_only_so_deep_and_nothing_is_lost() -> None:
    path = [(f"e{n}", 100.0, 100.0) for n in range(MAX_DEPTH + 8)]
    told = chain_of(hit_of(chain((100, 100), *path)))

    def depth(rows: list[Json]) -> int:
        return 1 + max((depth(row["children"]) for row in rows), default=0) if rows else 0

    assert depth(told["holders"]) == MAX_DEPTH
    assert [row["name"] for row in listed(told["holders"])] == [name.upper() for name, *_ in path]


def test_the_chain_has_each_step_its_source_the_largest_first_and_the_rest(answers: dict[str, Json]) -> None:
    (hit,) = answers[CPC]["assets"]
    sources = CitedSources([answers[CPC]])
    told = SectionWriter(sources, {}).chain(hit)
    (consortium,) = told["holders"]
    through = [(c["steps"][1]["name"], c["share_max"]) for c in hit["chains"] if len(c["steps"]) > 1]
    largest = [max(part for name, part in through if name == row["name"]) for row in consortium["children"]]
    assert largest == sorted(largest, reverse=True)
    assert consortium["children"][0]["name"] == "Russian Federation"
    rest = hit["rest"]
    part = translations.share(rest["share_min"], rest["share_max"])
    assert told["notes"] == [translations.page_text("rest", share=part)]
    steps = [step for c in hit["chains"] for step in c["steps"]]
    rows = list(listed(told["holders"]))
    assert {row["name"] for row in rows} == {step["name"] for step in steps}
    cited = {step["source"] for step in steps}
    assert len(sources.cited()) == len(cited)
    assert {row["source"] for row in rows} == set(range(1, len(cited) + 1))
    transneft = next(row for row in rows if row["name"] == "Transneft")
    assert transneft["dates"].startswith("since ")


def test_a_strike_has_its_whole_section_and_other_ties_stay_apart(answers: dict[str, Json]) -> None:
    orlivka = SectionWriter(CitedSources(list(answers.values())), {"AZ": "Azerbaijan"}).section(1, answers[ORLIVKA])
    assert [row["name"] for row in orlivka["owners"]] == ["Ukraine"]
    assert "SOCAR, Azerbaijan" in {row["who"] for row in orlivka["others"] if row["relation"] == "supplier"}
    depot = SectionWriter(CitedSources(list(answers.values())), {}).section(2, answers[DEPOT])
    assert depot["title"].startswith("2. ")
    assert depot["several"] == "One of these was hit; which one is not settled."
    tawke = SectionWriter(CitedSources(list(answers.values())), {}).section(3, answers[TAWKE])
    assert tawke["several"].startswith("2 sites were hit. These are shares of all together")
    assert [[span["who"] for span in asset["control"]] for asset in depot["assets"]] == [["Azerbaijan, a state"]] * 2


def test_control_that_differs_is_said_with_its_days(answers: dict[str, Json]) -> None:
    told = copy.deepcopy(answers[CPC])
    nobody = {"first": date(2025, 2, 1), "last": date(2025, 2, 9), "control": None}
    told["assets"][0]["control_days"] = [nobody, nobody | {"first": date(2025, 2, 10), "last": None}]
    (asset,) = SectionWriter(CitedSources([told]), {}).section(1, told)["assets"]
    assert asset["differs"] == translations.page_text("controlDiffers")
    assert [span["days"] for span in asset["control"]] == ["1–9 February 2025", "10 February 2025 or later"]


def test_the_extent_has_land_about_the_strikes() -> None:
    assert box_around([shapely.Point(30, 46)]) == pytest.approx((29.25, 45.25, 30.75, 46.75))
    assert box_around([]) == (-180, -60, 180, 75)
