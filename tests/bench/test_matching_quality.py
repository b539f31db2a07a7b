"""Cases that are learnt from keep what belongs to each candidate when some are left out."""

from __future__ import annotations

import numpy as np

from bench.calibration import FITTED, JudgedStrike
from bench.matching_quality import Case, Label, without_the_right
from layers.matching.evidence import Mentions
from tests.layers.matching.test_match import strike


def test_without_its_right_asset_a_case_keeps_what_belongs_to_each_other_candidate() -> None:
    columns = np.arange(4)[:, None] * np.ones(len(FITTED))
    alike = np.array([[0, 2, 0.5], [2, 0, 0.5], [1, 3, 0.2], [3, 1, 0.2]])
    named = Mentions(np.array([1, 2, 4, 8], np.uint64), np.array([1, 2, 4, 8], np.uint64))
    judged = JudgedStrike(columns, np.array([False, True, False, False]), True, 1.0, named, alike)
    case = Case(Label("r", "facts", strike(), frozenset({"b"}), "event"), ("a", "b", "c", "d"), judged)
    less = without_the_right(case)
    assert less.ids == ("a", "c", "d")
    assert less.label.right == frozenset()
    assert not less.judged.right.any()
    assert less.judged.columns[:, 0].tolist() == [0, 2, 3]
    assert less.judged.alike.tolist() == [[0, 1, 0.5], [1, 0, 0.5]]
    assert less.judged.named is not None
    assert less.judged.named.whole.tolist() == [1, 4, 8]
    assert 0 < less.judged.weight < case.judged.weight
