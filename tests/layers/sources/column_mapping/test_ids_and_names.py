"""Ids of rows that have none, and records that rows refer to by name, across rows and files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.model.problems import ProblemsError, ReadResult
from layers.sources.column_mapping.mapped_file import bracketed, listed_owners, named_entity_id, plain_name
from layers.sources.column_mapping.mapped_row import joined_id
from layers.sources.files.source_file import SourceFile
from layers.sources.reader import mapping_file
from tests.layers.english import english
from tests.layers.sources.column_mapping.mapped_files import read
from tests.layers.sources.making_files import file_of

REPORTS = """
table = "strikes"
source.publisher = "P"
columns = {title = "What", when = "Day"}
constants = {place = "P", status = "reported"}
"""
TEXT = "What,Day\nFire,2024-05-03\nBlast,2024-05-04\nFire,2024-05-03\n"


def reports(tmp_path: Path, ids: str, text: str = TEXT) -> ReadResult:
    return reports_of(tmp_path, REPORTS + ids, text)


def reports_of(tmp_path: Path, toml: str, text: str) -> ReadResult:
    return read([file_of(tmp_path / "a.csv", text)], toml)


def ids(reading: ReadResult) -> list[str]:
    return list(reading.records.strikes)


def test_an_id_may_be_the_number_of_the_row_as_a_spreadsheet_has_it(tmp_path: Path) -> None:
    assert ids(reports(tmp_path, "id.row = true")) == ["own/2", "own/3", "own/4"]


def test_numbers_of_rows_have_the_file_where_there_are_several(tmp_path: Path) -> None:
    files = [file_of(tmp_path / name, TEXT) for name in ("a.csv", "b.csv")]
    assert ids(read(files, REPORTS + "id.row = true"))[2:4] == ["own/a-4", "own/b-2"]


@pytest.mark.parametrize("way", ["join", "hash"])
def test_rows_that_are_alike_are_faults_numbered_or_left_out(tmp_path: Path, way: str) -> None:
    given_ids = f'id = {{{way} = ["Day", "What"]'
    refused = reports(tmp_path, given_ids + "}")
    (fault,) = english(refused.problems)
    assert (fault.row, fault.column, fault.expected) == (4, "Day, What", "an id not used at a.csv:2")
    first, second = ids(refused)
    numbered = reports(tmp_path, given_ids + ', repeated = "number"}')
    assert ids(numbered) == [first, second, f"{first}-2"]
    assert numbered.problems == ()
    once = reports(tmp_path, given_ids + ', repeated = "first"}')
    assert ids(once) == [first, second]
    assert (once.rows, sum(once.skipped.values())) == (3, 1)


@pytest.mark.parametrize("first", ["soon", "2024-05-03"])
def test_an_id_is_not_used_twice_where_its_other_row_is_at_fault(tmp_path: Path, first: str) -> None:
    text = f"No,What,Day\n1,Fire,{first}\n1,Blast,2024-05-04\n2,,soon\n2,,soon\n"
    toml = REPORTS.replace("{title", '{id = "No", title')
    faults = [(fault.row, fault.expected) for fault in english(reports_of(tmp_path, toml, text).problems)]
    assert (3, "an id not used at a.csv:2") in faults
    assert (5, "an id not used at a.csv:4") in faults
    left = reports_of(tmp_path, toml + 'id.repeated = "first"', text)
    assert ids(left) == ([] if first == "soon" else ["own/1"])


def test_an_id_of_nothing_is_a_fault(tmp_path: Path) -> None:
    reading = reports(tmp_path, 'id.hash = ["Link"]', "What,Day,Link\nFire,2024-05-03,\n")
    (fault,) = english(reading.problems)
    assert (fault.row, fault.column) == (2, "Link")
    assert fault.expected == "a value in one of the columns that the id is made of"


def test_a_hash_does_not_hang_on_the_order_of_rows_or_columns(tmp_path: Path) -> None:
    turned = "Day,Other,What\n2024-05-04,x,Blast\n2024-05-03,y,Fire\n"
    whole = reports(tmp_path, 'id = {hash = ["Day", "What"], repeated = "first"}')
    assert {*ids(reports(tmp_path, 'id.hash = ["Day", "What"]', turned))} == {*ids(whole)}


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), unique=True, max_size=30))
def test_joined_ids_tell_rows_apart(rows: list[tuple[str, str]]) -> None:
    parts = [row for row in rows if any(row) and "\x1f" not in "".join(row)]
    made = {joined_id("own", row) for row in parts}
    # Eight digits after the words: alike only where the words and the digits are.
    assert len(made) == len(parts)
    assert all(len(key) <= 80 for key in made)


@pytest.mark.parametrize(
    ("toml", "column"),
    [
        ('id = {row = true, hash = ["a"]}', "id"),
        ("id.row = false", "id.row"),
        ("id.hash = []", "id.hash"),
        ('id.join = "a"', "id.join"),
        ("id.name = true", "id.name"),
        ('id = {row = true, repeated = "maybe"}', "id.repeated"),
        ("id.serial = true", "id.serial"),
        ('by_name = ["title"]', "by_name.title"),
        ("by_name = [1]", "by_name"),
        ('blank = {region = "x"}', "blank.region"),
        ('skip = {title = "x"}', "skip.title"),
        ('grammar = {owner = "gem"}', "grammar.owner"),
        ("rows = 3", "rows"),
    ],
)
def test_faults_of_ids_and_names_are_listed(toml: str, column: str) -> None:
    with pytest.raises(ProblemsError) as raised:
        mapping_file.parse("m.toml", REPORTS + toml)
    assert column in {problem.column for problem in raised.value.problems}


# Names.

COMPANIES = """
[[tables]]
table = "entities"
file = "companies.csv"
columns = {id = "No", name = "Name", aliases = "Also"}
constants.type = "legalEntity"
lists.aliases = "|"
"""
HOLDINGS = """
[[tables]]
table = "stakes"
file = "holdings.csv"
by_name = ["owned", "owner"]
id.row = true
columns = {owner = "Who", owned = "What", share = "Share"}
"""
SITES = """
[[tables]]
table = "assets"
file = "sites.csv"
id.join = ["Site"]
columns = {name = "Site", kind = "Kind", owner = "Owners", operator = "Run by"}
grammar.owner = "gem"
"""


def several(tmp_path: Path, tables: str, **texts: str) -> ReadResult:
    files: list[SourceFile] = [file_of(tmp_path / f"{name}.csv", text) for name, text in texts.items()]
    return read(files, f'source.publisher = "P"\n{tables}')


def test_names_are_those_of_any_file_whatever_the_order(tmp_path: Path) -> None:
    companies = "No,Name,Also\n7,ПАО «Верх»,Верх|Verkh\n"
    holdings = 'Who,What,Share\nVERKH,"ООО ""Низ""",51\nNobody else,ПАО "ВЕРХ",49\n'
    first = several(tmp_path, COMPANIES + HOLDINGS, companies=companies, holdings=holdings)
    second = several(tmp_path, HOLDINGS + COMPANIES, holdings=holdings, companies=companies)
    assert first.problems == second.problems == ()
    for reading in (first, second):
        names = {key: entity.name for key, entity in reading.records.entities.items()}
        stakes = reading.records.stakes.values()
        assert [(names[s.owner], names[s.owned]) for s in stakes] == [
            ("ПАО «Верх»", 'ООО "Низ"'),
            ("Nobody else", "ПАО «Верх»"),
        ]
        assert "own/7" in names


def test_a_name_of_two_companies_is_a_fault_that_names_them(tmp_path: Path) -> None:
    reading = several(
        tmp_path,
        COMPANIES + HOLDINGS,
        companies="No,Name,Also\n7,Alpha,\n8,alpha,\n",
        holdings="Who,What,Share\nAlpha,Beta,51\n",
    )
    (fault,) = english(reading.problems)
    assert (fault.file, fault.row, fault.column, fault.value) == ("holdings.csv", 2, "Who", "Alpha")
    assert fault.expected == "a name that one record has; it is that of own/7, own/8"


def test_what_is_held_may_be_an_asset_by_its_name(tmp_path: Path) -> None:
    reading = several(
        tmp_path,
        HOLDINGS + SITES,
        sites="Site,Kind,Owners,Run by\nUpper refinery,refinery,,\n",
        holdings="Who,What,Share\nAlpha,upper  Refinery,51\n",
    )
    assert reading.problems == ()
    (stake,) = reading.records.stakes.values()
    assert stake.owned in reading.records.assets


REGISTER = """
table = "assets"
source.publisher = "Register"
columns = {id = "No", name = "Name", owner = "Owner", owner_country = "Country"}
constants = {kind = "oil-depot", status = "operating"}
"""


def registered(tmp_path: Path, *owners: str) -> ReadResult:
    rows = "".join(f"{number},Depot {number},{owner}\n" for number, owner in enumerate(owners, 1))
    return read([file_of(tmp_path / "a.csv", f"No,Name,Owner,Country\n{rows}")], REGISTER)


def test_an_owner_is_no_state_by_two_letters_or_where_another_country_is_said(tmp_path: Path) -> None:
    owners = (
        "SE,",
        "Mu,",
        "MAN,Germany",
        "Georgia,",
        "Georgia,United States",
        "Азербайджан,",
        "Ukraine,UA",
        "GS,Korea",
    )
    reading = registered(tmp_path, *owners)
    assert reading.problems == ()
    assert {entity.name: (entity.type, entity.registered_in) for entity in reading.records.entities.values()} == {
        "SE": ("legalEntity", None),
        "Mu": ("legalEntity", None),
        "MAN": ("legalEntity", "DE"),
        "Georgia": ("legalEntity", "US"),
        "Азербайджан": ("state", "AZ"),
        "Ukraine": ("state", "UA"),
        "GS": ("legalEntity", "KR"),
    }


def test_a_country_that_a_later_row_says_is_that_of_the_owner_and_two_are_a_fault(tmp_path: Path) -> None:
    reading = registered(tmp_path, "Alpha,", "Alpha,Germany", "Alpha,Österreich")
    assert [entity.registered_in for entity in reading.records.entities.values()] == ["DE"]
    assert [(fault.row, fault.column, fault.value, fault.expected) for fault in english(reading.problems)] == [
        (4, "Country", "Österreich", "one country for 'Alpha' in all that is loaded together; elsewhere it is DE")
    ]


def test_owners_in_the_notation_of_gem_have_their_shares(tmp_path: Path) -> None:
    reading = several(
        tmp_path,
        SITES,
        sites="Site,Kind,Owners,Run by\nA,refinery,Alpha [60.5%]; Beta [unknown %]; other [10%],Gamma\n"
        'B,refinery,"Alpha - 60%, Delta 40 %",\nC,refinery,Alpha (100%),\nD,refinery,Alpha [90%]; Beta [20%],\n',
    )
    (fault,) = english(reading.problems)
    assert (fault.row, fault.column) == (5, "Owners")
    assert fault.expected == "shares that add up to 100 % at most"
    names = {key: entity.name for key, entity in reading.records.entities.items()}
    sites = {key: asset.name for key, asset in reading.records.assets.items()}
    stakes = {(sites[s.owned], names[s.owner]): (s.share_min, s.share_max) for s in reading.records.stakes.values()}
    assert stakes == {
        ("A", "Alpha"): (60.5, 60.5),
        ("A", "Beta"): (0, 29.5),
        ("B", "Alpha"): (60, 60),
        ("B", "Delta"): (40, 40),
        ("C", "Alpha"): (100, 100),
    }
    assert [names[relation.entity] for relation in reading.records.relations.values()] == ["Gamma"]


def test_files_that_no_table_names_are_read_by_their_columns_or_are_faults(tmp_path: Path) -> None:
    reading = several(tmp_path, COMPANIES + HOLDINGS, faults="Who,What,Share\nAlpha,Beta,51\n", notes="a,b\n1,2\n")
    assert len(reading.records.stakes) == 1
    (fault,) = english(reading.problems)
    assert (fault.file, fault.row) == ("notes.csv", None)
    assert "companies.csv, holdings.csv" in fault.expected


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf")), min_size=1, max_size=40)


@given(NAMES)
def test_a_plain_name_is_its_own_plain_name_and_one_id(name: str) -> None:
    plain = plain_name(name)
    assert plain_name(plain) == plain or not plain.isascii()
    assert named_entity_id("own", name) == named_entity_id("own", f"«{name}» ") or not plain


@given(st.lists(st.tuples(st.sampled_from(["Alpha", "Beta Oil", "ТОВ Низ"]), st.integers(1, 30)), max_size=3))
def test_bracketed_lists_have_the_same_owners(entries: list[tuple[str, int]]) -> None:
    listed = listed_owners("; ".join(f"{name} [{share}%]" for name, share in entries))
    dashed = listed_owners(bracketed(", ".join(f"{name} - {share} %" for name, share in entries)))
    assert listed == dashed
