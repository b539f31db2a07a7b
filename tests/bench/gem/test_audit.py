"""The audit of GEM's owner and parent columns: counts pinned over the real files, and every verdict on a small one."""

from pathlib import Path

import pytest

from bench.gem.agreement import Agreement, curated_splits, differences, parents, split_of
from bench.gem.audit import Audit, audit, read_columns
from layers.ownership.walk import Interval
from layers.sources import curated
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.owner_grammar import parse_owners

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "gem" / "pipelines-2024-01-31.csv"


def audited(file: Path) -> Audit:
    rows, problems = read_columns(SourceFile.of(file).table())
    return audit(rows, curated_splits(curated.read().records), problems)


def verdicts(found: Agreement) -> dict[str, str]:
    return {row.id: row.verdict for row in found.compared}


@pytest.fixture(scope="module")
def small() -> Audit:
    return audited(SAMPLE)


@pytest.fixture(scope="module")
def gas(real_data: Path) -> Audit:
    return audited(next((real_data / "gem_ggit_2024_10").glob("*.csv")))


@pytest.fixture(scope="module")
def plants(real_data: Path) -> Audit:
    return audited(next((real_data / "gem_gas_oil_plants_2024_08").glob("*.csv")))


def test_rows_are_counted_by_what_they_sum_to(small: Audit) -> None:
    assert small.rows == 10
    assert {name: count for name, count in small.owner.sums.items() if count} == {
        "whole": 7,
        "part-unknown": 1,
        "full-and-unknown": 1,
        "not-given": 1,
    }
    assert [(f.id, f.known) for f in small.parent.findings if f.what == "over"] == [("P9005", 150.0)]
    assert {(f.id, f.what) for f in small.owner.unreadable} == {("P9006", "no-name"), ("P9006", "unreadable-share")}
    assert [problem.row for problem in small.problems] == [10]


def test_every_verdict(small: Audit) -> None:
    assert verdicts(small.agreement) == {
        "P9003": "agree",
        "P9004": "disagree",
        "P9005": "disagree",
        "P9006": "unknown",
        "P9009": "disagree",
    }
    why = {row.id: "; ".join(row.why) for row in small.agreement.compared}
    assert "Brook Plc: ours [70.00%], GEM's [100.00%]" in why["P9004"]
    assert "the parent column sums to 150.00" in why["P9005"]
    assert why["P9006"] == "no row has A; Odd One; Ödd Öne alone"


def test_a_company_that_contradicts_itself_is_listed_with_the_rows(small: Audit) -> None:
    (found,) = small.agreement.contradictions
    assert found.company == "Amber Line Co"
    assert found.splits == (
        ("Ministry of Amber [60.00%]; Brook Plc [40.00%]", ("P9001",)),
        ("Amber Line Co [100.00%]", ("P9010",)),
    )


def test_parents_of_two_levels_are_sums_of_products() -> None:
    owners = parse_owners("A [51%]; B [49%]")
    splits = {"A": split_of(parse_owners("X [50%]; Y [50%]")), "B": split_of(parse_owners("X [100%]"))}
    found = parents(owners, splits)
    assert found["X"].low == pytest.approx(74.5)
    assert found["Y"].high == pytest.approx(25.5)


def test_unknown_shares_make_ranges() -> None:
    owners = parse_owners("A [60%]; B")
    splits = {"A": split_of(parse_owners("X; Y [50%]")), "B": split_of(parse_owners("X [100%]"))}
    found = parents(owners, splits)
    assert (found["X"].low, found["X"].high) == (pytest.approx(0.0), pytest.approx(70.0))
    assert (found["Y"].low, found["Y"].high) == (pytest.approx(30.0), pytest.approx(30.0))


@pytest.mark.parametrize(
    ("ours", "theirs", "names"),
    [
        ("A [50%]; B [50%]", "B [50.4%]; A [49.6%]", ()),
        ("A [50%]; B [50%]", "A [51%]; B [49%]", ("A", "B")),
        ("A [50%]; B", "A [50%]; B [50%]", ()),
        ("A [50%]; B", "A [50%]; C", ("B", "C")),
        ("A [99.7%]; B [0.3%]", "A [100%]", ()),
    ],
)
def test_what_counts_as_the_same(ours: str, theirs: str, names: tuple[str, ...]) -> None:
    assert differences(split_of(parse_owners(ours)), split_of(parse_owners(theirs))) == names


def test_southern_gas_corridor_is_lent_from_the_curated_records() -> None:
    lent = curated_splits(curated.read().records)["Southern Gas Corridor CJSC"]
    assert lent["SOCAR"] == Interval(49.0, 49.0)
    assert lent["Ministry of Economy of Azerbaijan Republic"] == Interval(51.0, 51.0)


def test_what_the_columns_of_the_gas_tracker_sum_to(gas: Audit) -> None:
    kinds = ("whole", "all-unknown", "part-unknown", "full-and-unknown", "under", "over", "not-given")
    assert [gas.owner.sums[kind] for kind in kinds] == [3910, 396, 18, 20, 14, 0, 0]
    assert [gas.parent.sums[kind] for kind in kinds] == [3796, 470, 48, 22, 20, 2, 0]
    assert not gas.problems
    worst = max(gas.parent.findings, key=lambda finding: finding.known)
    assert (worst.known, worst.text) == (150.0, "BASF [100.00%]; Gazprom [50.00%]")
    assert gas.owner.oddities == {"list-in-name": 27, "percent-in-name": 40}


def test_the_gas_trackers_parents_follow_from_its_owners(gas: Audit) -> None:
    found = gas.agreement
    assert (found.single_rows, found.companies, found.companies_known, found.several_known) == (3582, 1066, 1018, 285)
    assert len(found.contradictions) == 13
    assert [len(found.of(verdict)) for verdict in ("agree", "disagree", "unknown")] == [151, 2, 469]
    assert [row.id for row in found.of("disagree")] == ["T066300", "P5132"]


def test_tanap_comes_out(gas: Audit) -> None:
    (tanap,) = (row for row in gas.agreement.compared if row.id == "P0763")
    assert tanap.verdict == "agree"
    assert tanap.ours == (
        "SOCAR [31.99%]; BOTAŞ [30.00%]; Ministry of Economy of Azerbaijan Republic [26.01%]; BP [12.00%]"
    )


def test_the_plants_columns(plants: Audit) -> None:
    kinds = ("whole", "all-unknown", "part-unknown", "full-and-unknown", "under", "over", "not-given")
    assert [plants.owner.sums[kind] for kind in kinds] == [244, 11965, 15, 8, 78, 2, 124]
    assert [plants.parent.sums[kind] for kind in kinds] == [10721, 1230, 185, 8, 190, 2, 100]
    assert (plants.owner.unmarked, plants.parent.oddities["no-name"]) == (11965, 24)
    found = plants.agreement
    assert [len(found.of(verdict)) for verdict in ("agree", "disagree", "unknown")] == [84, 0, 295]
