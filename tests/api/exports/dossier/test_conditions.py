"""A section tells the capacity of a site that was hit, and how far it worked, with the source of each."""

from __future__ import annotations

import pytest

from api.exports.dossier.sections import CitedSources, SectionWriter
from api.serializers import attribution
from layers.reference.basemap import Basemap
from tests.outage_records import outage_snapshot


@pytest.mark.parametrize(
    ("strike", "capacity", "conditions"),
    [
        (
            "s1",
            "Capacity: 100,000\u00a0bbl/d (2025).",
            ["2 March 2026 to 12 March 2026: offline [1]"],
        ),
        (
            "s2",
            "Capacity: 1,000\u00a0MW.",
            ["21 April 2026 to 11 May 2026: reduced, 40–60\u00a0% of it worked [1]"],
        ),
        (
            "s3",
            "Capacity: 7,300,000\u00a0t/y.",
            ["2 March 2026 to an end that no source tells: offline, 0\u00a0% of it worked [1]"],
        ),
        ("s6", "", ["1 July 2026 to 3 July 2026: offline [1]"]),
    ],
)
def test_a_site_has_its_capacity_and_conditions_beside_it(
    base: Basemap, strike: str, capacity: str, conditions: list[str]
) -> None:
    snapshot = outage_snapshot(base)
    answer = attribution.strike_answer(snapshot, snapshot.answer(strike))
    sources = CitedSources([answer])
    (asset,) = SectionWriter(sources, {"UA": "Ukraine"}).section(1, answer)["assets"]
    assert (asset["capacity"], asset["conditions"]) == (capacity, conditions)
    assert sources.cited()[0]["title"] == "An invented report"
