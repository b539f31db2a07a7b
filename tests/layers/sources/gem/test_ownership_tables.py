"""GEM's entity and ownership tables: types, countries, shares, and what each row loses."""

from itertools import permutations
from pathlib import Path

import pytest

from layers.model.problems import ReadResult
from layers.model.records import RECORD_TYPES, Record, Records
from layers.ownership.walk import OwnershipGraph, Walk
from layers.sources import curated
from layers.sources.files.source_file import SourceFile
from layers.sources.files.tables import RowTable
from layers.sources.gem.ownership_tables import parse

SAMPLES = Path(__file__).resolve().parents[3] / "data" / "gem"
FILES = ("all-entities.csv", "entity-ownership.csv", "asset-ownership.csv")


def texts(names: tuple[str, ...] = FILES) -> list[RowTable]:
    return [SourceFile.of(SAMPLES / name).table() for name in names]


@pytest.fixture(scope="module")
def tables() -> ReadResult:
    return parse(texts())


def test_entities_have_types_countries_names_and_ids(tables: ReadResult) -> None:
    heron = tables.records.entities["gem/e100000000001"]
    assert (heron.name, heron.type, heron.registered_in) == (
        "Heron Pipeline Joint Stock Company",
        "registeredEntity",
        "KZ",
    )
    assert heron.aliases == ("Heron Pipeline", "Чапля", "HPL")
    assert heron.external_ids == {"gem": "E100000000001", "lei": "5493001KJTIIGC8Y1R12"}
    body = tables.records.entities["gem/e100000000003"]
    assert (body.type, body.registered_in, body.headquartered_in) == ("stateBody", "TR", None)


def test_shares_are_known_open_or_imputed(tables: ReadResult) -> None:
    found = {
        (s.owned.removeprefix("gem/"), s.owner.removeprefix("gem/")): (s.share_min, s.share_max, s.imputed)
        for s in tables.records.stakes.values()
    }
    assert found == {
        ("e100000000001", "e100000000003"): (51.0, 51.0, False),
        ("e100000000001", "e100000000009"): (0.0, 40.0, False),
        ("e100000000001", "free-float"): (9.0, 9.0, False),
        ("e100000000009", "e100000000007"): (50.0, 50.0, True),
        ("e100000000009", "e100000000006"): (0.0, 50.0, True),
        ("p9001", "e100000000001"): (80.0, 80.0, False),
        ("p9001", "e100000000009"): (0.0, 20.0, False),
    }


def test_every_loss_is_a_problem_by_file_and_row(tables: ReadResult) -> None:
    assert sorted((problem.file, problem.row, problem.column) for problem in tables.problems) == [
        ("all-entities.csv", 4, "Registration Country"),
        ("all-entities.csv", 6, "name"),
        ("all-entities.csv", 7, "Entity Type"),
        ("asset-ownership.csv", 4, "Asset Type"),
        ("entity-ownership.csv", 7, "row"),
        ("entity-ownership.csv", 8, "Interested Party ID"),
        ("entity-ownership.csv", 9, "% Share of Ownership"),
        ("entity-ownership.csv", 9, "Share Imputed?"),
    ]


@pytest.mark.parametrize("names", list(permutations(FILES)))
def test_the_order_of_the_sheets_does_not_matter(names: tuple[str, ...], tables: ReadResult) -> None:
    other = parse(texts(names)).records
    for table in RECORD_TYPES:
        assert other.table(table) == tables.records.table(table)


def test_a_company_that_only_a_stake_names_is_an_entity_without_a_country(tables: ReadResult) -> None:
    crane = tables.records.entities["gem/e100000000009"]
    assert (crane.name, crane.type, crane.registered_in) == ("Crane Capital", "legalEntity", None)
    assert tables.records.entities["gem/e100000000007"].type == "anonymousEntity"


def test_small_shareholders_stay_with_their_company(tables: ReadResult) -> None:
    floating: dict[str, Record] = {"free-float": curated.read().records.entities["free-float"]}
    mine: dict[str, dict[str, Record]] = {name: dict(tables.records.table(name)) for name in RECORD_TYPES}
    records = Records.of({**mine, "entities": {**mine["entities"], **floating}})
    shares = {share.country: share.share for share in Walk(OwnershipGraph(records, None, None), "gem/p9001").shares()}
    assert shares["TR"].low == pytest.approx(40.8)
    # 80 % of the company's own 9 and of what its unnamed owner may not have, at most 49 %.
    assert (shares["KZ"].low, shares["KZ"].high) == (pytest.approx(0.8 * 49), pytest.approx(0.8 * 49))


def test_another_table_is_a_problem() -> None:
    assert [problem.column for problem in parse([RowTable.of_text("x.csv", "a,b\n1,2\n")]).problems] == ["columns"]


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Coal Plant", "power-plant"),
        ("Oil & Gas Plant", "power-plant"),
        ("Bioenergy Plant", "power-plant"),
        ("Natural Gas Transmission Pipeline", "pipeline"),
        ("Oil or NGL Pipeline", "pipeline"),
        ("Coal Mine", "mine"),
        ("Iron Ore Mine", "mine"),
        ("Cement or Concrete Plant", "factory"),
        ("Iron & Steel Plant", "steelworks"),
    ],
)
def test_the_types_of_assets_of_the_release_of_2026_are_known(words: str, kind: str) -> None:
    header = (SAMPLES / "asset-ownership.csv").read_text(encoding="utf-8").splitlines()[0]
    row = f"{words},L9001,G9001,Heron,E100000000009,Crane Capital,100,"
    reading = parse([RowTable.of_text("asset-ownership.csv", f"{header}\n{row}\n")])
    assert reading.problems == ()
    assert [(asset.id, asset.kind) for asset in reading.records.assets.values()] == [("gem/g9001", kind)]
