"""Strikes told twice: what is proposed, what is not, and why; and how well on pairs labelled by hand."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from api.wording.catalogue import text
from layers.model.records import DESCRIPTION, Claim, Records, Source, Strike
from layers.reference.basemap import Basemap
from layers.resolution.linkage import DuplicateProposal
from layers.resolution.strike_blocking import SLAB, SLACK_DAYS, DuplicateColumns, candidates
from layers.resolution.strike_comparison import COMPARISONS
from layers.resolution.strike_duplicates import PROPOSE_FROM, propose_duplicates
from layers.text.report_terms import BUILDING_WORDS
from layers.text.strike_terms import FAMILY_WORDS, SIDES, words
from tests.labelled.strikes import labelled_records
from tests.layers.strike_builders import judged, strike
from tests.layers.strike_builders import records as holding

WEIGHTS = {one.name: one.weight for one in COMPARISONS}
LABELLED = Path(__file__).resolve().parents[2] / "labelled" / "duplicates.csv"


def pairs(found: tuple[DuplicateProposal, ...]) -> set[frozenset[str]]:
    return {frozenset((one.preferred, one.duplicate)) for one in found}


def weights_of(found: DuplicateProposal) -> dict[str, float]:
    return {reason.name: reason.weight for reason in found.reasons}


DEPOT: dict[str, Any] = {"title": "SOCAR oil depot, Odesa", "target_kinds": ("oil-depot",), "targets": ("SOCAR depot",)}
HEADLINE: dict[str, Any] = {"title": "Дрони вдарили по нафтобазі SOCAR", "target_kinds": ("oil-depot", "oil-terminal")}


class TestProposed:
    def test_the_same_night_and_place_in_two_languages_with_reasons(self) -> None:
        (found,) = propose_duplicates(holding(strike("a", **DEPOT), strike("b", at=(30.72, 46.51), **HEADLINE)))
        assert found.score >= PROPOSE_FROM
        assert {"prior", "same-night", "place", "kind", "name"} <= weights_of(found).keys()
        assert found.distance_m == pytest.approx(1890, rel=0.02)
        assert all(text(reason.detail) for reason in found.reasons)

    def test_the_score_is_the_logistic_sum_of_the_weights(self) -> None:
        (found,) = propose_duplicates(holding(strike("a", **DEPOT), strike("b", **HEADLINE)))
        assert found.score == pytest.approx(1 / (1 + np.exp(-sum(weights_of(found).values()))), abs=1e-4)

    def test_the_better_checked_and_surer_strike_is_the_leader(self) -> None:
        (found,) = propose_duplicates(holding(strike("a", **DEPOT), strike("b", **HEADLINE, checked="read")))
        assert (found.preferred, found.duplicate) == ("b", "a")

    @pytest.mark.parametrize("day", ["2025-08-07/2025-08-08", "2025-08-09", "2025-08", "2025-08-08~"])
    def test_a_time_stated_otherwise(self, day: str) -> None:
        assert propose_duplicates(holding(strike("a", **DEPOT), strike("b", day, **DEPOT)))

    def test_a_strike_without_a_place_by_its_name_and_region(self) -> None:
        homeless = strike("b", at=None, place="Odesa oblast", region="Odesa oblast", host_country="UA", **DEPOT)
        (found,) = propose_duplicates(holding(strike("a", region="Odesa", host_country="UA", **DEPOT), homeless))
        assert found.distance_m is None
        assert weights_of(found)["no-place"] < 0

    def test_a_place_that_is_wrong_altogether_is_outweighed_by_the_names(self) -> None:
        station = {"target_kinds": ("pump-station",), "place": "Kropotkinskaya"}
        one = strike("a", title="Kropotkinskaya pump station", **station, at=(40.57, 45.44))
        other = strike("b", title="Атакована НПС «Кропоткинская»", at=(32.26, 48.5), place="Kropyvnytskyi")
        (found,) = propose_duplicates(holding(one, other), 0.4)
        assert weights_of(found)["far"] < 0 < weights_of(found)["place-name"]

    @pytest.mark.parametrize(
        ("place", "radius_m", "is_apart"),
        [("Кременчук", 10_000, False), ("Kremenchuk", 3_000, True), ("Horishni Plavni", 10_000, True)],
    )
    def test_the_centre_of_a_town_is_not_apart_from_a_site_of_its_name(
        self, place: str, radius_m: float, *, is_apart: bool
    ) -> None:
        refinery: dict[str, Any] = {"title": "Kremenchuk refinery", "target_kinds": ("refinery",)}
        site = strike("a", place="Kremenchuk", at=(33.453, 49.172), uncertainty_m=3000, **refinery)
        town = strike("b", place=place, at=(33.41, 49.10), uncertainty_m=radius_m, **refinery)
        (found,) = propose_duplicates(holding(site, town), 0)
        assert ("apart" in weights_of(found)) == is_apart

    def test_across_the_antimeridian(self) -> None:
        found = propose_duplicates(
            holding(strike("a", at=(179.99, 60), **DEPOT), strike("b", at=(-179.99, 60), **DEPOT))
        )
        assert found[0].distance_m == pytest.approx(1115, rel=0.02)


class TestNotProposed:
    def test_a_strike_with_itself_or_alone(self) -> None:
        assert propose_duplicates(holding(strike("a", **DEPOT))) == ()
        assert propose_duplicates(holding()) == ()

    def test_three_days_apart(self) -> None:
        assert propose_duplicates(holding(strike("a", **DEPOT), strike("b", "2025-08-11", **DEPOT)), 0) == ()

    def test_other_targets_of_one_night_in_one_town(self) -> None:
        one = strike(
            "a", dataset="x", targets=("Bunge facility",), title="Bunge facility", target_kinds=("food-plant",)
        )
        other = strike("b", dataset="x", targets=("Everi terminal",), title="Everi", target_kinds=("port-terminal",))
        assert propose_duplicates(holding(one, other)) == ()
        (found,) = propose_duplicates(holding(one, other), 0)
        assert weights_of(found)["other-target"] < -2

    def test_lines_that_differ_in_their_number(self) -> None:
        lines = [
            strike(f"n{number}", targets=(f"Nord Stream {number}",), title="Line", target_kinds=("pipeline",))
            for number in (1, 2)
        ]
        assert propose_duplicates(holding(*lines)) == ()

    def test_two_of_one_data_set_are_less_likely(self) -> None:
        (two,) = propose_duplicates(holding(*(strike(name, **DEPOT) for name in "ab")), 0)
        (one,) = propose_duplicates(holding(*(strike(name, dataset="x", **DEPOT) for name in "ab")), 0)
        assert weights_of(one)["same-dataset"] == WEIGHTS["same-dataset"] < 0
        assert one.score < two.score

    def test_another_kind_or_attacker(self) -> None:
        one = strike("a", **DEPOT, attacker="Russia, says the governor")
        other = strike("b", title="Airfield", attacker="Ukraine", target_kinds=("power-plant",))
        assert propose_duplicates(holding(one, other)) == ()

    def test_a_pair_judged_different_also_over_a_merge(self) -> None:
        held = (strike("a", **DEPOT), strike("b", **HEADLINE), strike("c", **DEPOT))
        assert pairs(propose_duplicates(holding(*held[:2], judged("b", "a", "different")))) == set()
        assert pairs(
            propose_duplicates(holding(*held[:2], judged("b", "a", "different"), judged("a", "b", "undone", 1)))
        )
        led = holding(*held, judged("a", "c"), judged("c", "b", "different"))
        assert pairs(propose_duplicates(led)) == set()

    def test_a_pair_that_is_merged_already(self) -> None:
        assert propose_duplicates(holding(strike("a", **DEPOT), strike("b", **HEADLINE), judged("a", "b"))) == ()


def reported(*titles: str) -> list[Source]:
    return [
        Source(id=f"r{number}", publisher="P", url=f"https://example.org/{number}", title=title)
        for number, title in enumerate(titles)
    ]


LINE: dict[str, Any] = {"target_kinds": ("pump-station",), "at": None, "place": "Russia"}
TANKS: dict[str, Any] = {"target_kinds": ("oil-depot",), "region": "Odesa oblast"}


class TestWords:
    """Readers make a title of their own; what a report is called stands at the source."""

    def test_of_the_headline_of_a_report(self) -> None:
        one = strike("a", title="Zorinskaya pump station", sources=("s",), place_source=None, **LINE)
        told = strike("b", title="Strike on pipeline", sources=("r0",), place_source=None, **LINE)
        other = told.model_copy(update={"id": "c", "sources": ("r1",)})
        held = holding(*reported("НПС «Зоринская» горить", "Горить"), one, told, other)
        names = {
            frozenset((p.preferred, p.duplicate)): weights_of(p).get("name", 0) for p in propose_duplicates(held, 0)
        }
        assert names[frozenset("ab")] > 0.5
        assert names.get(frozenset("ac"), 0) == 0

    def test_not_of_a_page_that_many_strikes_cite(self) -> None:
        one = strike("a", title="Zorinskaya pump station", sources=("s",), place_source=None, **LINE)
        told = [
            strike(f"b{n}", title="Strike on pipeline", sources=("r0",), place_source=None, **LINE) for n in range(4)
        ]
        found = propose_duplicates(holding(*reported("Зоринская: главное за день"), one, *told), 0)
        assert all("name" not in weights_of(p) for p in found)


def described(*told: tuple[Strike, str], **values: Any) -> Records:
    claims = [
        Claim(
            id=f"{one.id}/description-1",
            record=one.id,
            field=DESCRIPTION,
            value=words,
            source="s",
            checked="unverified",
            private=True,
            **values,
        )
        for one, words in told
    ]
    return holding(*(one for one, _ in told), *claims)


HARM: dict[str, Any] = {"dataset": "x", "title": "Civilian harm", "place": "Vyshneva", "basis": "site"}


def harmed(name: str, at: tuple[float, float] = (30.7, 46.5), **values: Any) -> Strike:
    return strike(name, at=at, **{**HARM, "uncertainty_m": 450, **values})


class TestDescriptions:
    """What reports say, in texts that are private, of strikes without a report in common."""

    def test_two_metres_and_the_same_words_of_one_publisher_are_nearly_sure(self) -> None:
        words = "Three storeys of a paint workshop on Lypova street collapsed; two night watchmen were hurt."
        held = described((harmed("a"), words), (harmed("b", (30.70002, 46.50001)), words))
        (found,) = propose_duplicates(held)
        assert found.distance_m == pytest.approx(2, abs=1)
        assert found.score > 0.99
        assert {"spot", "words", "identical"} <= weights_of(found).keys()

    def test_a_few_other_words_are_still_likely(self) -> None:
        held = described(
            (harmed("a"), "A paint workshop on Lypova street collapsed, two night watchmen were hurt."),
            (harmed("b", (30.70002, 46.50001)), "Paint workshop destroyed on Lypova street; watchmen hurt."),
        )
        assert propose_duplicates(held)[0].score > 0.9

    def test_another_object_of_one_day_and_town_is_another_event(self) -> None:
        school = (harmed("a"), "A school in the old town was hit.")
        hotel = (harmed("b", (30.707, 46.5)), "A hotel on the embankment burns.")
        other_school = (hotel[0], "A school on the embankment burns.")
        (apart,), (alike,) = (propose_duplicates(described(school, other), 0) for other in (hotel, other_school))
        assert apart.score < PROPOSE_FROM
        assert "other-object" in weights_of(apart)
        assert "building" in weights_of(alike)
        assert apart.score < alike.score

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Нафтобаза в Луцьку горить", "В Луцке горит нефтебаза"),
            ("Нафтобаза в Луцьку горить", "The oil depot in Lutsk is on fire"),
            ("Вибухи в Миколаєві", "Взрывы в Николаеве"),
            ("Вибухи в Макіївці", "Explosions in Makiivka"),
        ],
    )
    def test_a_town_is_one_in_three_languages_and_another_is_another(self, one: str, other: str) -> None:
        names = ("Lutsk", "Mykolaiv", "Makiivka", "Dubno")
        towns = [strike(f"t{month}", f"2020-0{month}-01", place=name) for month, name in enumerate(names, 1)]
        region: dict[str, Any] = {"basis": "region", "uncertainty_m": 120_000, "target_kinds": ("oil-depot",)}
        a, b = strike("a", place="Volyn (oblast)", **region), strike("b", place="Volyn (oblast)", **region)

        def reasons(words: str) -> dict[str, float]:
            held = described((a, one), (b, words))
            strikes = {**held.strikes, **{town.id: town for town in towns}}
            (found,) = propose_duplicates(
                Records.of({"sources": held.sources, "claims": held.claims, "strikes": strikes}), 0
            )
            return weights_of(found)

        assert "other-place" not in reasons(other)
        assert "other-place" in reasons("Пожежа на нафтобазі в Дубно")

    def test_equal_numbers_of_the_same_thing_are_a_reason(self) -> None:
        held = described(
            (strike("a", **HARM), "Shelling killed 13 people at a stop"),
            (strike("b", **{**HARM, "dataset": "y"}, killed_min=13, killed_max=13), "The mayor on the square"),
        )
        assert weights_of(propose_duplicates(held, 0)[0])["numbers"] == WEIGHTS["numbers"]

    def test_one_report_put_in_two_places_by_one_publisher_is_of_two_events(self) -> None:
        words = "Air strikes hit the aerodromes of Ozerne and Lisne, the ministry said on Tuesday."
        air: dict[str, Any] = {"dataset": "x", "title": "Strike", "target_kinds": ("oil-depot",)}
        here = strike("a", region="Odesa oblast", **air)
        there = strike("b", at=(32.6, 46.6), region="Kherson oblast", **air)
        (found,) = propose_duplicates(described((here, words), (there, words)), 0)
        assert weights_of(found)["one-report"] < 0
        assert found.score < PROPOSE_FROM


class TestTargets:
    def test_a_target_called_by_the_place_of_the_other_is_no_other_one(self) -> None:
        one = strike("a", title="Zoria terminal", targets=("Zoria terminal",), place="Pivdennyi port", **TANKS)
        here = strike("b", title="Strike", targets=("порт Південний",), place="Odesa oblast", **TANKS)
        (found,) = propose_duplicates(holding(one, here), 0)
        assert "other-target" not in weights_of(found)

    def test_a_target_of_another_name_is_another_also_in_the_same_town(self) -> None:
        one = strike("a", title="Zoria", targets=("Zoria terminal in Lisne",), place="Lisne", **TANKS)
        other = strike("b", title="Vyshneva", targets=("Vyshneva terminal",), place="Lisne", **TANKS)
        (found,) = propose_duplicates(holding(one, other), 0)
        assert weights_of(found)["other-target"] == WEIGHTS["other-target"]


def test_a_report_that_two_data_sets_cite_is_a_reason() -> None:
    report = [Source(id=name, publisher="P", url="https://example.org/report") for name in "tu"]
    one, other = (strike(n, sources=(s,), place_source=s) for n, s in (("a", "t"), ("b", "u")))
    (found,) = propose_duplicates(holding(*report, one, other), 0.01)
    assert weights_of(found)["same-source"] == WEIGHTS["same-source"]


days = st.sampled_from(
    ("2025-08-08", "2025-08-09", "2025-08-10", "2025-08-13", "2025-08", "2025-08-07/2025-08-09", "2025~", "../2025")
)
places = st.sampled_from((None, (30.0, 46.0), (30.03, 46.0), (31.5, 46.0), (-170.0, 60.0)))
titles = st.sampled_from(("SOCAR depot", "Нафтобаза SOCAR", "Kremenchuk refinery", "Port of Odesa", "fire"))


@st.composite
def told(draw: st.DrawFn) -> list[Strike]:
    return [
        strike(
            f"{draw(st.sampled_from('ab'))}/{number}",
            draw(days),
            at=draw(places),
            title=draw(titles),
            region=draw(st.sampled_from((None, "Odesa oblast"))),
            host_country=draw(st.sampled_from((None, "UA", "RU"))),
        )
        for number in range(draw(st.integers(0, 7)))
    ]


@given(told(), st.randoms(use_true_random=False))
def test_the_order_of_the_records_changes_nothing(strikes: list[Strike], rng: random.Random) -> None:
    shuffled = rng.sample(strikes, len(strikes))
    assert propose_duplicates(holding(*strikes), 0) == propose_duplicates(holding(*shuffled), 0)


@given(told(), st.randoms(use_true_random=False))
def test_names_of_the_records_change_no_score(strikes: list[Strike], rng: random.Random) -> None:
    names = [f"r{number}" for number in rng.sample(range(100), len(strikes))]
    renamed = dict(zip((s.id for s in strikes), names, strict=True))
    again = [s.model_copy(update={"id": renamed[s.id]}) for s in strikes]
    scores = {
        frozenset((p.preferred, p.duplicate)): (p.score, p.distance_m) for p in propose_duplicates(holding(*again), 0)
    }
    for found in propose_duplicates(holding(*strikes), 0):
        score, metres = scores.pop(frozenset((renamed[found.preferred], renamed[found.duplicate])))
        assert (score, metres) == (pytest.approx(found.score, abs=2e-4), pytest.approx(found.distance_m))
    assert scores == {}


@given(told())
def test_no_strike_is_proposed_with_itself_and_no_pair_twice(strikes: list[Strike]) -> None:
    found = propose_duplicates(holding(*strikes), 0)
    assert all(one.preferred != one.duplicate for one in found)
    assert len(pairs(found)) == len(found)
    assert all(0 <= one.score <= 1 for one in found)


def test_slabs_find_what_one_slab_would() -> None:
    rng = random.Random(5)
    many = [
        strike(
            f"x{row}",
            f"2025-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}" if row % 9 else f"2025-{rng.randint(1, 12):02}",
            at=(30 + rng.random() * 2, 46),
        )
        for row in range(3 * SLAB)
    ]
    table = DuplicateColumns.of(holding(*many))
    found = candidates(table)
    gap = np.maximum(table.first[:, None], table.first) - np.minimum(table.last[:, None], table.last)
    lon = shapely.get_x(table.geometry)
    km = np.abs(lon[:, None] - lon) * np.cos(np.radians(46)) * 111.32
    left, right = np.nonzero(np.triu((gap <= SLACK_DAYS) & (km < 14.9), k=1))
    there = set(zip(found.left.tolist(), found.right.tolist(), strict=True))
    assert set(zip(left.tolist(), right.tolist(), strict=True)) <= there
    assert len(there) < 1.1 * len(left)
    assert len(there) == len(found.left)


# Pairs of real records, labelled by hand.


def labels() -> list[dict[str, str]]:
    with LABELLED.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def scored() -> list[dict[str, str]]:
    with LABELLED.with_name("duplicate_scores.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def pair_of(row: dict[str, str]) -> frozenset[str]:
    return frozenset((row["one"], row["other"]))


def precision_and_recall(same: list[bool], proposed: list[bool]) -> tuple[float, float]:
    right = sum(a and b for a, b in zip(same, proposed, strict=True))
    return right / sum(proposed), right / sum(same)


def test_the_labels_are_pairs_of_two_each_once() -> None:
    held = labels()
    assert len({pair_of(row) for row in held}) == len(held)
    assert all(len(pair_of(row)) == 2 for row in held)
    assert {row["verdict"] for row in held} == {"same", "different", "unknown"}


def test_the_scores_are_those_of_the_decided_labels() -> None:
    decided = {pair_of(row): row["verdict"] for row in labels() if row["verdict"] != "unknown"}
    assert {pair_of(row): row["verdict"] for row in scored()} == decided


@pytest.mark.parametrize(("shared", "least"), [("no", 150), ("yes", 20)])
def test_precise_and_found_without_the_group_of_the_pair(shared: str, least: int) -> None:
    rows = [row for row in scored() if row["shared_address"] == shared]
    assert len(rows) >= least
    same = [row["verdict"] == "same" for row in rows]
    precision, recall = precision_and_recall(same, [float(row["cross_validated"]) >= PROPOSE_FROM for row in rows])
    assert precision >= (0.9 if shared == "no" else 0.85)
    assert recall >= (0.8 if shared == "no" else 0.95)


#: A score stated as 0.01, the least over 0, may be as low; most pairs are less likely, and none of them is asked for.
LEAST = 0.004


@pytest.fixture(scope="module")
def real(real_data: Path, base: Basemap) -> Records:
    return labelled_records(real_data, base)


@pytest.fixture(scope="module")
def found(real: Records) -> dict[frozenset[str], float]:
    return {frozenset((one.preferred, one.duplicate)): one.score for one in propose_duplicates(real, LEAST)}


def test_the_scores_are_what_is_computed_today(found: dict[frozenset[str], float]) -> None:
    """A change is written by `python -m bench.duplicate_weights FOLDER --write`, and read in review."""
    for row in scored():
        assert found.get(pair_of(row), 0) == pytest.approx(float(row["stated"]), abs=0.006), row


def test_bundled_strikes_find_their_counterparts_first(real: Records, found: dict[frozenset[str], float]) -> None:
    same = {pair_of(row) for row in labels() if row["verdict"] == "same"}
    counterparts: dict[str, set[str]] = {}
    for pair in same:
        for name in pair:
            if real.strikes[name].dataset == "curated":
                counterparts.setdefault(name, set()).update(pair - {name})
    first = 0
    for name, others in counterparts.items():
        ranked = sorted((score, *(pair - {name})) for pair, score in found.items() if name in pair)
        first += bool(ranked) and ranked[-1][1] in others
    assert len(counterparts) >= 15
    assert first / len(counterparts) >= 0.85


def test_no_two_bundled_strikes_are_proposed(records: Records) -> None:
    assert propose_duplicates(records) == ()


def test_the_page_has_the_table_of_weights() -> None:
    page = (LABELLED.parents[2] / "docs" / "duplicates.md").read_text(encoding="utf-8")
    for one in COMPARISONS:
        hand = " by hand" if one.by_hand else ""
        assert f"| `{one.name}` | {one.weight:+.1f}{hand} |" in page
    said = " ".join(page.split())
    assert f"A pair is shown from {PROPOSE_FROM}." in said
    assert f"has {len(labels())} pairs" in said


def test_roots_are_spelled_as_words_are_folded() -> None:
    roots = [
        root.lstrip("=")
        for table in (FAMILY_WORDS, SIDES, BUILDING_WORDS)
        for found in table.values()
        for root in found
    ]
    assert [root for root in roots if words(root) != (root,)] == []
