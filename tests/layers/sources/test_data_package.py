"""Records that are written as a data package and read again are equal; a package that was changed is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, Point

from layers.disclosure.policy import parse
from layers.disclosure.ruling import Ruling
from layers.model.records import RECORD_TYPES, Asset, Claim, Records, Source, Stake, Strike, Weapon
from layers.sources.data_package import FORMAT, TABLE, row_of
from layers.sources.files.limits import FileRefused
from layers.sources.files.source_file import SourceFile
from layers.sources.reader.format import LoadOptions
from layers.sources.registry import recognise
from tests.layers.load_builders import of

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(str.strip)
ID = st.from_regex(r"[a-z0-9][a-z0-9._/>@-]{0,20}", fullmatch=True)
LON, LAT = (st.floats(-end, end).map(lambda degrees: round(degrees, 15)) for end in (180, 90))
PLACE = {"uncertainty_m": 50.0, "basis": "site", "place_source": "s"}


def package(folder: Path, records: Records, **changes: Any) -> SourceFile:
    """Write a package of records; changes are made to the description of its strikes."""
    resources = []
    for table in RECORD_TYPES:
        content = b"[" + b",\n".join(map(row_of, records.table(table).values())) + b"]"
        (folder / f"{table}.json").write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        resource = {"name": table, "path": f"{table}.json", TABLE: table, "hash": f"sha256:{digest}"}
        resources.append({**resource, **(changes if table == "strikes" else {})})
    path = folder / "datapackage.json"
    path.write_bytes(orjson.dumps({"resources": resources}))
    return SourceFile.of(path)


def read(file: SourceFile) -> Records:
    return FORMAT.read([file], LoadOptions("given")).require_clean()


strikes = st.builds(
    Strike,
    id=ID,
    dataset=ID,
    title=TEXT,
    titles=st.dictionaries(st.sampled_from(["uk", "de"]), TEXT),
    when=st.sampled_from(["2026-03-01", "2026-03/2026-04", "2026~", "../2026-03-01"]),
    place=TEXT,
    geometry=st.one_of(st.none(), st.builds(Point, LON, LAT)),
    uncertainty_m=st.just(50.0),
    basis=st.just("site"),
    place_source=st.just("s"),
    weapons=st.lists(st.builds(Weapon, kind=TEXT, count_min=st.integers(0, 9)), max_size=2).map(tuple),
    targets=st.lists(TEXT, max_size=3).map(tuple),
    killed_min=st.one_of(st.none(), st.integers(0, 100)),
    status=st.sampled_from(["draft", "reported"]),
    sources=st.just(("s",)),
    checked=st.just("read"),
)
assets = st.builds(
    Asset,
    id=ID,
    name=TEXT,
    kind=st.sampled_from(["refinery", "pipeline"]),
    aliases=st.lists(TEXT, max_size=2).map(tuple),
    geometry=st.one_of(st.none(), st.lists(st.tuples(LON, LAT), min_size=2, max_size=4, unique=True).map(LineString)),
    uncertainty_m=st.just(50.0),
    basis=st.just("site"),
    place_source=st.just("s"),
    capacity=st.one_of(st.none(), st.floats(0, 1e9)),
    external_ids=st.dictionaries(st.sampled_from(["gem", "osm"]), TEXT),
    sources=st.just(("s",)),
    checked=st.just("excerpt"),
)
stakes = st.builds(
    Stake,
    id=ID,
    owned=ID,
    owner=ID,
    share_min=st.floats(0, 50),
    share_max=st.floats(50, 100),
    source=st.just("s"),
    checked=st.just("read"),
    note=st.one_of(st.none(), TEXT),
)


@given(st.lists(st.one_of(strikes, assets, stakes), max_size=5))
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, given_records: list[Any]) -> None:
    records = of(Source(id="s", publisher="P"), *given_records)
    again = read(package(tmp_path_factory.mktemp("package"), records))
    for table in RECORD_TYPES:
        assert dict(again.table(table)) == dict(records.table(table))


def test_a_package_is_recognised(tmp_path: Path) -> None:
    assert recognise(package(tmp_path, of(Source(id="s", publisher="P")))) is FORMAT


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"path": "../strikes.json"}, "path"),
        ({"path": "/etc/passwd"}, "path"),
        ({"path": "a/../strikes.json"}, "path"),
        ({"path": 3}, "path"),
        ({"hash": f"sha256:{'0' * 64}"}, "hash"),
        ({"hash": None}, "hash"),
        ({"path": "elsewhere.json"}, "path"),
        ({"path": "a/strikes.json"}, "path"),
        ({TABLE: "weapons"}, TABLE),
        ({TABLE: ["strikes"]}, TABLE),
    ],
)
def test_a_package_that_does_not_hold_together_is_refused(tmp_path: Path, change: Any, column: str) -> None:
    with pytest.raises(FileRefused) as refused:
        read(package(tmp_path, of(Source(id="s", publisher="P")), **change))
    assert [problem.column for problem in refused.value.problems] == [column]


def test_every_fault_of_its_rows_is_told(tmp_path: Path) -> None:
    content = b'[3,{"id":"x"},{"id":"Y Y","title":""}]'
    file = package(tmp_path, of(), hash=f"sha256:{hashlib.sha256(content).hexdigest()}")
    (tmp_path / "strikes.json").write_bytes(content)
    result = FORMAT.read([file], LoadOptions("given"))
    assert {problem.row for problem in result.problems} == {1, 2, 3}
    assert result.rows == 3


def test_what_the_publisher_withheld_is_counted(tmp_path: Path) -> None:
    policy = parse('[[withhold]]\ntable = "strikes"\nfields = ["damage"]\n')
    whole = Strike(
        id="x", title="X", when="2026", place="P", damage="secret", status="reported", sources=("s",), checked="read"
    )
    told = Ruling.of(policy, "strikes", whole).applied("strikes", whole)
    result = FORMAT.read([package(tmp_path, Records.of({"strikes": {"x": told}}))], LoadOptions("given"))
    assert result.records.strikes["x"] == whole.model_copy(update={"damage": None})
    assert [(message.code, count) for message, count in result.warnings.items()] == [("package.withheld", 1)]


def test_claims_keep_their_quotes(tmp_path: Path) -> None:
    claim = Claim(id="c", record="x", field="damage", value="v", quote='=1+1 "q"', source="s", checked="read")
    assert read(package(tmp_path, of(claim))).claims["c"] == claim
