"""What users see is what was agreed on: addresses and commands of a small world, as `answers.zip` has them."""

from __future__ import annotations

from pathlib import Path

from tests.api import frozen_answers


def test_no_answer_differs_from_the_one_that_was_agreed_on(tmp_path: Path) -> None:
    now = dict(frozen_answers.answers(tmp_path))
    changed = [*frozen_answers.differences(frozen_answers.frozen(), now)]
    assert not changed, "\n\n".join(one[:2000] for one in changed[:5])
    assert sum(name.startswith("/") for name in now) > 400
    assert all(answer.startswith("exit code 0") for name, answer in now.items() if not name.startswith("/"))


def test_a_difference_is_shown_by_its_line() -> None:
    before, now = '200 application/json\n{"a": 1, "b": [2]}', '200 application/json\n{"a": 1, "b": [3]}'
    (shown,) = frozen_answers.differences({"/x": before, "/y": "same"}, {"/x": now, "/y": "same"})
    assert {"-    2", "+    3"} <= {*shown.splitlines()}
    (gone,) = frozen_answers.differences({"/x": before}, {})
    assert "-200 application/json" in gone
