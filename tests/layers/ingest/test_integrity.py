"""Every fault of a folder of records is named at once, with its place."""

from __future__ import annotations

import pytest

from layers.ingest.integrity import check
from layers.model.problems import ProblemsError
from layers.reference.basemap import Basemap
from layers.sources import curated
from tests.layers.english import english

GOOD = """
[[sources]]
id = "s"
publisher = "S"

[[entities]]
id = "c"
name = "C"
type = "registeredEntity"
registered_in = "UA"
checked = "unverified"

[[entities]]
id = "d"
name = "D"
type = "registeredEntity"
checked = "unverified"

[[assets]]
id = "a"
name = "A"
kind = "refinery"
geometry = "POINT (30.72 46.48)"
uncertainty_m = 5000
basis = "settlement"
place_source = "s"
host_country = "UA"
sources = ["s"]
checked = "read"

[[stakes]]
id = "a>c"
owned = "a"
owner = "c"
share_min = 100
share_max = 100
source = "s"
checked = "read"
"""


def faults(base: Basemap, more: str = "", **swap: str) -> list[tuple[str, str, str]]:
    text = GOOD + more
    for old, new in swap.values():
        text = text.replace(old, new)
    problems = check(curated.parse([("x.toml", text)]), base)
    for problem in problems:
        assert problem.file == "x.toml"
        assert problem.row is None or text.splitlines()[problem.row - 1].startswith("[[")
    return [(problem.record, problem.column, problem.value) for problem in english(problems)]


def stake(owned: str, owner: str, **values: object) -> str:
    told = {
        "id": f"{owned}>{owner}@2",
        "owned": owned,
        "owner": owner,
        "share_min": 100,
        "share_max": 100,
        "source": "s",
    }
    lines = [f"{key} = {value!r}".replace("'", '"') for key, value in {**told, "checked": "read", **values}.items()]
    return "\n[[stakes]]\n" + "\n".join(lines) + "\n"


def test_good_records_have_no_faults(base: Basemap) -> None:
    assert faults(base) == []


def test_the_bundled_records_have_no_faults(base: Basemap) -> None:
    assert [str(problem) for problem in check(curated.read(), base)] == []


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        (stake("a", "nobody", share_max=0, share_min=0), ("stake a>nobody@2", "owner", "nobody")),
        (stake("c", "d", source="unseen"), ("stake c>d@2", "source", "unseen")),
        (stake("c", "d", share_max=120), ("stake c>d@2", "share_max", "120")),
        (stake("c", "d", share_min=-1), ("stake c>d@2", "share_min", "-1")),
        (stake("c", "d", share_min=60, share_max=50), ("stake c>d@2", "record", "")),
        (stake("c", "d", since="yesterday"), ("stake c>d@2", "since", "'yesterday'")),
        (stake("c", "d", colour="red"), ("stake c>d@2", "colour", "'red'")),
        (stake("a", "d", share_min=20), ("stake a>c", "share_min", "120.00")),
        (stake("c", "d") + stake("d", "c"), ("stake c>d@2", "owner", "d")),
        (stake("a", "c", id="again", share_min=0), ("stake again", "since", "None")),
        ("\n[[planets]]\nid = 1\n", ("file", "planets", "[[planets]]")),
        ("\nx = = 1\n", ("file", "syntax", "")),
    ],
)
def test_each_fault_is_named(base: Basemap, more: str, fault: tuple[str, str, str]) -> None:
    found = faults(base, more)
    assert any(told[:2] == fault[:2] and told[2].startswith(fault[2]) for told in found), found


def test_a_coordinate_in_another_country_is_a_fault(base: Basemap) -> None:
    swapped = faults(base, place=("POINT (30.72 46.48)", "POINT (46.48 30.72)"))
    assert [fault[:2] for fault in swapped] == [("asset a", "geometry")]
    assert faults(base, place=("POINT (30.72 46.48)", "POINT (31.2 45.5)")) == []  # off the coast
    assert faults(base, place=("POINT (30.72 46.48)", "POINT (30.72 96.48)"))[0][:2] == ("asset a", "geometry")


def test_a_coordinate_needs_a_basis(base: Basemap) -> None:
    assert faults(base, basis=('basis = "settlement"\n', ""))[0][:2] == ("asset a", "record")


def test_a_record_used_twice_is_a_fault_and_the_first_is_kept(base: Basemap) -> None:
    reading = curated.parse([("x.toml", GOOD + '\n[[sources]]\nid = "s"\npublisher = "T"\n')])
    assert reading.records.sources["s"].publisher == "S"
    assert [(p.column, p.value, p.expected) for p in english(reading.problems)] == [
        ("id", "s", "an id not used at x.toml:2")
    ]
    with pytest.raises(ProblemsError):
        reading.require_clean()


def test_all_faults_come_at_once(base: Basemap) -> None:
    more = stake("c", "d", share_max=120) + stake("a", "nobody") + stake("d", "c", since="13/13/2013")
    assert len({fault[0] for fault in faults(base, more, place=("POINT (30.72 46.48)", "POINT (2 48)"))}) >= 4


def test_a_checked_registration_needs_a_source(base: Basemap) -> None:
    assert ("entity c", "sources", "(none)") in faults(
        base, mark=('registered_in = "UA"\nchecked = "unverified"', 'registered_in = "UA"\nchecked = "read"')
    )


def test_a_folder_without_records_is_an_error(tmp_path: object) -> None:
    with pytest.raises(FileNotFoundError):
        curated.read(tmp_path)  # type: ignore[arg-type]
