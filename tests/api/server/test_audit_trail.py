"""The audit trail: whole lines of many writers in one chain, each change of it seen, no half line on a full disk."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.server import audit_trail
from api.server.audit_trail import FIRST, TORN, UNCHAINED, AuditTrail, AuditTrailError, read
from tests.full_disk import full_beyond


@pytest.fixture
def trail(tmp_path: Path) -> AuditTrail:
    return AuditTrail(tmp_path / "atlas.gpkg.audit.jsonl")


def test_each_line_has_the_hash_of_the_one_before(trail: AuditTrail) -> None:
    assert read(trail.path) == audit_trail.AuditReport()
    ids = [trail.append("read", who="Ann", records=[f"s-{number}"]) for number in range(5)]
    report = read(trail.path)
    assert [line["id"] for line in report.lines] == ids
    assert report.lines[0]["previous"] == FIRST
    assert (report.faults, report.open, report.is_broken) == ([], [], False)
    assert trail.path.stat().st_mode & 0o777 == 0o600


def test_another_writer_goes_on_from_the_last_line(trail: AuditTrail) -> None:
    other = AuditTrail(trail.path)
    for number in range(6):
        # Longer than what is read of the end at first.
        (trail, other)[number % 2].append("read", who="Ann", records=["x" * 3000 * number])
    report = read(trail.path)
    assert (len(report.lines), report.faults) == (6, [])


def test_a_write_without_an_outcome_is_open(trail: AuditTrail) -> None:
    done, refused, left = (trail.append("write", who="Ann") for _ in range(3))
    trail.append("written", of=done, who="Ann", seq=7)
    trail.append("refused", of=refused, who="Ann", reason="Conflict")
    assert read(trail.path).open == [left]


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_is_changed_but_the_end_is_seen(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    trail = AuditTrail(tmp_path_factory.mktemp("trail") / "audit.jsonl")
    for number in range(4):
        trail.append("read", who="Ann", records=[f"s-{number}"])
    lines = trail.path.read_bytes().splitlines(keepends=True)
    at = data.draw(st.integers(0, 2))
    match data.draw(st.sampled_from(["removed", "doubled", "swapped", "edited"])):
        case "removed":
            del lines[at]
        case "doubled":
            lines.insert(at, lines[at])
        case "swapped":
            lines[at], lines[at + 1] = lines[at + 1], lines[at]
        case "edited":
            byte = data.draw(st.integers(0, len(lines[at]) - 2))
            line = bytearray(lines[at])
            line[byte] ^= data.draw(st.sampled_from([1, 2, 4, 8, 16, 32, 64]))
            lines[at] = bytes(line)
    trail.path.write_bytes(b"".join(lines))
    assert read(trail.path).is_broken


def test_what_a_crash_left_of_a_line_is_named_and_the_chain_goes_on(trail: AuditTrail) -> None:
    trail.append("read", who="Ann")
    with trail.path.open("ab") as file:
        file.write(b'{"id":"0123')
    AuditTrail(trail.path).append("read", who="Ben")
    trail.append("read", who="Ann")
    report = read(trail.path)
    assert [line["who"] for line in report.lines] == ["Ann", "Ben", "Ann"]
    assert (report.faults, report.is_broken) == ([(2, TORN)], False)
    content = trail.path.read_bytes()
    trail.path.write_bytes(content.replace(b'{"id":"0123\n', b'{"id":"0124\n'))
    assert read(trail.path).faults == [(2, TORN), (3, UNCHAINED)]


@pytest.mark.parametrize("line", [b"", b"[]", b"7", b"{}", b'{"id":1,"at":"x"}', b"\xff", b"nonsense"])
def test_a_line_that_is_none_breaks_the_chain(trail: AuditTrail, line: bytes) -> None:
    trail.append("read", who="Ann")
    with trail.path.open("ab") as file:
        file.write(line + b"\n")
    trail.append("read", who="Ann")
    report = read(trail.path)
    assert (report.is_broken, len(report.lines)) == (line != b"", 2)


def test_a_disk_that_fills_leaves_no_half_line(trail: AuditTrail) -> None:
    trail.append("read", who="Ann")
    before = trail.path.read_bytes()
    for more in (0, 1, 50):
        with full_beyond(len(before) + more), pytest.raises(AuditTrailError, match="nothing was done"):
            trail.append("write", who="Ann")
    assert trail.path.read_bytes() == before
    trail.append("read", who="Ann")
    assert read(trail.path).faults == []


def test_a_line_that_is_not_on_disk_is_refused(trail: AuditTrail, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(handle: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(audit_trail.os, "fsync", fail)
    with pytest.raises(AuditTrailError, match="Input/output error"):
        trail.append("write", who="Ann")


def test_a_folder_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AuditTrailError, match="No such file"):
        AuditTrail(tmp_path / "nothing" / "audit.jsonl").append("read", who="Ann")


def _append(path: str, who: str) -> None:
    trail = AuditTrail(Path(path))
    for number in range(25):
        trail.append("read", who=who, records=["s" * (number * 37 % 500)], pid=os.getpid())


def test_lines_of_many_processes_stand_whole_in_one_chain(trail: AuditTrail) -> None:
    context = multiprocessing.get_context("forkserver")
    writers = [context.Process(target=_append, args=(str(trail.path), f"Reviewer {number}")) for number in range(6)]
    for process in writers:
        process.start()
    for process in writers:
        process.join()
    report = read(trail.path)
    assert (len(report.lines), report.faults) == (150, [])
    assert len({line["pid"] for line in report.lines}) == 6
    assert all(json.loads(raw) for raw in trail.path.read_text(encoding="utf-8").splitlines())
