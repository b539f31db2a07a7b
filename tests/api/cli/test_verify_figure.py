"""A printed figure has a code by which it is built again from history, with its sources and later corrections."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from api.cli.common import open_published
from api.cli.main import app
from api.requests.parameters import BadParameter
from api.serializers.figures import EXAMPLE, FigureCode, FigureSubject, digest_of, figure_content
from layers.corrections.replay import recent_records_at, records_at
from layers.disclosure.policy import parse
from layers.model.messages import Message
from layers.model.problems import UnknownRecord
from layers.model.records import RECORD_TYPES, Records
from layers.store.history_chain import Head
from layers.store.store import ANY, Edit, Store
from tests.conftest import BASEMAP
from tests.store_kinds import NewStore, set_policy

DEPOT, ORLIVKA = "ua-socar-depot-2025-08-08", "ua-orlivka-2025-08-06"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(few_records: Records, new_shared_store: NewStore) -> Store:
    made = new_shared_store()
    made.load(few_records, author="tests", at=START)
    return made


def run(store: Store, *command: str) -> Any:
    where = ["--store", store.name, "--basemap", str(BASEMAP)]
    return CliRunner().invoke(app, [*command, *where])


def change(store: Store, strike: str, **values: Any) -> None:
    changed = store.records().strikes[strike].model_copy(update=values)
    store.write(Edit("strikes", strike, changed, ANY), author="Ann", at=START + timedelta(hours=store.seq()))


def printed(store: Store, tmp_path: Path, *options: str) -> str:
    """The code on a printed map, read from its text."""
    out = tmp_path / "map.svg"
    command = ["export", "map", "--bbox", "28,45,33,48", "--format", "svg", *options, "-o", str(out)]
    assert run(store, *command).exit_code == 0
    text = re.sub(r"<[^>]*>|\s+", " ", out.read_text())
    found = re.search(r"(?:Figure|Abbildung)\s+(map:\S+)", text)
    assert found, text[-2000:]
    return found[1].rstrip(".")


def checked(store: Store, code: str) -> tuple[int, Any]:
    answer = run(store, "verify", code, "--json")
    assert answer.exit_code in (0, 1), answer.output
    return answer.exit_code, orjson.loads(answer.stdout)


def test_a_printed_map_is_built_again_after_later_changes(store: Store, tmp_path: Path) -> None:
    code = printed(store, tmp_path)
    assert f".h{store.head().digits}.20260301." in code
    assert checked(store, code)[1]["corrections"] == []
    change(store, DEPOT, title="Corrected")
    change(store, "ru-cpc-kropotkinskaya-2025-02-17", title="Not on this map")
    exit_code, found = checked(store, code)
    assert (exit_code, found["is_same"], found["rebuilt"]) == (0, True, code)
    assert DEPOT in found["strikes"]
    assert set(store.records().strikes[DEPOT].sources) <= found["sources"].keys()
    (since,) = found["corrections"]
    assert (since["record"], since["changes"][0]["after"]) == (DEPOT, "Corrected")
    shown = run(store, "verify", code).output
    assert f"It is based on {len(found['sources'])} sources:" in shown
    assert "1 correction since:" in shown
    assert printed(store, tmp_path) != code


def test_a_change_of_the_policy_alone_makes_another_code_and_the_old_one_is_verified_as_of_then(
    store: Store, tmp_path: Path
) -> None:
    code = printed(store, tmp_path)
    loaded = store.head()
    policy = parse('[[rounding]]\ntable = "strikes"\nmetres = 20000\ncountries = ["UA", "RU"]')
    set_policy(store, policy, START + timedelta(days=1))
    assert store.head() != loaded
    assert open_published(store.name, BASEMAP)[1].head == store.head()
    later = printed(store, tmp_path)
    assert f".h{store.head().digits}.20260302." in later
    for one in (code, later):
        exit_code, found = checked(store, one)
        assert (exit_code, found["is_same"], found["rebuilt"]) == (0, True, one)
    assert code[-34:] != later[-34:], "what is published is another content"


def test_a_code_has_the_selection_of_its_map(store: Store, tmp_path: Path) -> None:
    options = ("--country", "az", "--relation", "owner", "--datetime", "2025-08-08/..", "--size", "a4", "--lang", "de")
    code = printed(store, tmp_path, *options)
    assert ";datetime=2025-08-08/..;country=AZ;relation=owner.h" in code
    exit_code, found = checked(store, code)
    assert (exit_code, found["is_same"]) == (0, True)
    assert DEPOT in found["strikes"]
    assert ORLIVKA not in found["strikes"]


def test_a_map_of_a_country_frames_what_it_owned(store: Store, tmp_path: Path) -> None:
    out = tmp_path / "map.svg"
    command = ("export", "map", "--country", "az", "--no-table", "--format", "svg", "-o", str(out))
    assert run(store, *command).exit_code == 0
    manifest = orjson.loads(out.with_name("map.svg.manifest.json").read_bytes())
    west, south, east, north = manifest["strikeatlas:export"]["query"]["bbox"]
    point = store.records().strikes[DEPOT].geometry
    assert west < point.x < east
    assert south < point.y < north
    assert max(east - west, north - south) < 10


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Figure"), ("uk", "Рисунок"), ("de", "Abbildung")],
)
def test_the_foot_of_a_map_is_in_its_language(store: Store, language: str, words: str) -> None:
    from api.cli.common import open_published
    from api.cli.export import sheet_origin

    _, version = open_published(store.name, BASEMAP)
    code = FigureCode.of(version.snapshot, FigureSubject.parse("AZ"), store.head())
    assert sheet_origin(version, code, 0, language).remarks[-1] == f"{words} {code}"


def test_a_code_of_other_content_differs(store: Store, tmp_path: Path) -> None:
    code = printed(store, tmp_path)
    wrong = code[:-4] + ("aaaa" if code[-4:] != "aaaa" else "bbbb")
    exit_code, found = checked(store, wrong)
    assert exit_code == 1
    assert not found["is_same"]
    assert found["rebuilt"] == code


@pytest.mark.parametrize("subject", ["AZ", "AZ~headquarters", DEPOT, f"{DEPOT}+{ORLIVKA}~follow"])
def test_countries_and_strikes_have_codes(store: Store, subject: str) -> None:
    snapshot = open_published(store.name, BASEMAP)[1].snapshot
    code = str(FigureCode.of(snapshot, FigureSubject.parse(subject), store.head()))
    assert code.startswith(f"{subject}.h{store.head().hash[:16]}.")
    change(store, DEPOT, damage="another")
    exit_code, found = checked(store, code)
    assert exit_code == 0, found["rebuilt"]
    assert [entry["record"] for entry in found["corrections"]] == [DEPOT]


@pytest.mark.parametrize(
    "text", ["", "AZ", "AZ.s1.20260301", EXAMPLE[:-1], EXAMPLE.replace("-", ""), EXAMPLE.upper(),
             EXAMPLE.replace("h9", "s9"), f"AZ.h{'0' * 16}.20260301.0123456789",
             "AZ.s1.20261301.0123456789", "AZ.s1.20260301.012345678", "map:1,2,3,4;colour=red.s1.20260301.0123456789",
             "~stay.s1.20260301.0123456789", "AZ~other.s1.20260301.0123456789", "map:1,2,3.s1.20260301.0123456789"]
)  # fmt: skip
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(BadParameter):
        FigureCode.parse(text)


boxes = st.tuples(st.floats(-180, 180), st.floats(-90, 0), st.floats(-180, 180), st.floats(0, 90))
subjects = st.one_of(
    st.builds(FigureSubject.of_box, boxes),
    st.builds(
        lambda box, days: FigureSubject.of_box(box, {"datetime": days, "kind": "refinery"}),
        boxes,
        st.sampled_from(["2025-08-08", "../2025-08-08T00:00:00Z"]),
    ),
    st.builds(lambda iso: FigureSubject(country=iso), st.from_regex("[A-Z]{2}", fullmatch=True)),
    st.builds(
        lambda keys, basis, minority: FigureSubject(strikes=tuple(keys), basis=basis, minority=minority),
        st.lists(st.from_regex("[a-z0-9][a-z0-9._/>@-]{0,30}", fullmatch=True), min_size=1, max_size=4),
        st.sampled_from(["registration", "headquarters"]),
        st.sampled_from(["stay", "follow"]),
    ),
)


digests = st.from_regex("[0-9a-f]{64}", fullmatch=True)


@given(subjects, digests, st.dates(date(1000, 1, 1)), digests)
def test_a_code_is_read_as_it_was_written(subject: FigureSubject, head: str, day: date, content: str) -> None:
    code = FigureCode.bound(subject, Head(1, head, None), day, content)
    assert FigureCode.parse(str(code)) == code
    old = FigureCode(subject, f"s{int(head[:9], 16)}", day, content[:10])
    assert FigureCode.parse(str(old)) == old
    assert (code.is_weak, old.is_weak) == (False, True)


def test_a_code_has_more_bits_than_can_be_tried_and_is_bound_to_all_that_it_says() -> None:
    """Two answers, or two stores, of one code are found in 2^70 tries: the digest has 140 bits of a SHA-256."""
    subject, head, day, content = FigureSubject(country="AZ"), Head(1, "1" * 64, None), date(2026, 3, 1), "2" * 64
    code = FigureCode.bound(subject, head, day, content)
    assert len(code.digest.replace("-", "")) * 5 == 140
    others = [
        FigureCode.bound(FigureSubject(country="UA"), head, day, content),
        # The same 16 digits are printed of another history.
        FigureCode.bound(subject, Head(1, "1" * 63 + "2", None), day, content),
        FigureCode.bound(subject, head, date(2026, 3, 2), content),
        FigureCode.bound(subject, head, day, "2" * 63 + "3"),
    ]
    assert len({code.digest, *(one.digest for one in others)}) == 5
    # Every character depends on all: none is as good as fixed.
    drawn = [FigureCode.bound(subject, head, day, f"{n:064x}").digest for n in range(300)]
    assert all(len({one[place] for one in drawn}) == 32 for place in range(34) if place % 5 != 4)


def test_a_code_of_before_is_checked_and_called_weak(store: Store) -> None:
    snapshot = open_published(store.name, BASEMAP)[1].snapshot
    digits = digest_of(figure_content(snapshot, FigureSubject(country="AZ")))[:10]
    code = f"AZ.s{store.seq()}.{snapshot.data_date:%Y%m%d}.{digits}"
    change(store, DEPOT, damage="another")
    exit_code, found = checked(store, code)
    assert (exit_code, found["is_same"], found["is_weak"]) == (0, True, True)
    said = run(store, "verify", code).stdout
    assert "The code is weak: it has 40 bits" in " ".join(said.split())
    assert checked(store, code[:-1] + ("0" if code[-1] != "0" else "1"))[0] == 1


def test_a_code_of_another_store_is_of_no_change_here(store: Store) -> None:
    result = run(store, "verify", EXAMPLE)
    assert isinstance(result.exception, UnknownRecord)
    assert result.exception.fault == Message("record.no-head", {"hash": "9f3c2a7b10d4e5f6"})


@pytest.mark.parametrize("packed", [True, False])
def test_history_replayed_is_the_store(store: Store, monkeypatch: pytest.MonkeyPatch, packed: bool) -> None:
    if packed:
        monkeypatch.setattr("layers.store.reader.MANY", 0)
    versions = [store.records()]
    change(store, DEPOT, title="Corrected")
    versions.append(store.records())
    claim = next(iter(store.records().claims))
    store.write(Edit("claims", claim, None, ANY), author="Ann")
    store.write(Edit("claims", claim, versions[0].claims[claim], None), author="Ann")
    versions += [records_at(store, store.seq() - 1), store.records()]
    last = store.seq()
    for seq, version in zip((last - 3, last - 2, last - 1, last), versions, strict=True):
        for replayed in (records_at(store, seq), recent_records_at(store, seq)):
            for name in RECORD_TYPES:
                assert list(replayed.table(name).items()) == list(version.table(name).items())
    for seq in (-1, last + 1):
        for replay in (records_at, recent_records_at):
            with pytest.raises(UnknownRecord):
                replay(store, seq)


def test_of_a_code_of_a_day_to_come_or_that_is_not_valid_nothing_is_shown(store: Store, tmp_path: Path) -> None:
    code = printed(store, tmp_path)
    wrong = code[:-4] + ("aaaa" if code[-4:] != "aaaa" else "bbbb")
    found = checked(store, wrong)[1]
    assert (found["is_same"], found["strikes"], found["sources"], found["corrections"]) == (False, [], {}, [])
    result = run(store, "verify", code.replace(".20260301.", ".20991231."))
    assert isinstance(result.exception, BadParameter)


def test_a_valid_code_shows_no_strike_that_is_private_now(store: Store, tmp_path: Path) -> None:
    code = printed(store, tmp_path)
    change(store, DEPOT, private=True)
    exit_code, found = checked(store, code)
    assert (exit_code, found["withheld"]) == (0, 1)
    assert DEPOT not in str(found)
