"""Candidates with named reasons, and always "none of these"."""

from __future__ import annotations

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers.decisions import findings
from layers.matching import Weights, fold, match_all, rank
from layers.schema import Asset, Decision, Match, Records, Strike
from layers.snapshot import Snapshot


def strike(**values: object) -> Strike:
    given_values = {
        "id": "s",
        "title": "Strike on a refinery",
        "when": "2025-01-01",
        "place": "Town",
        "geometry": shapely.Point(30, 46),
        "uncertainty_m": 5000,
        "basis": "settlement",
        "place_source": "x",
        "status": "reported",
        "sources": ("x",),
        "checked": "read",
    }
    return Strike.model_validate({**given_values, **values})


def asset(name: str, lon: float = 30.0, kind: str = "refinery", **values: object) -> Asset:
    given_values = {
        "id": name.lower().replace(" ", "-"),
        "name": name,
        "kind": kind,
        "geometry": shapely.Point(lon, 46),
        "uncertainty_m": 1000,
        "basis": "site",
        "place_source": "x",
        "sources": ("x",),
        "checked": "read",
    }
    return Asset.model_validate({**given_values, **values})


def matched(one: Strike, *assets: Asset) -> tuple[Match, ...]:
    known = Records.of({"strikes": {one.id: one}, "assets": {a.id: a for a in assets}})
    return match_all(known)[one.id]


def test_there_is_always_none_of_these() -> None:
    assert [match.asset for match in matched(strike())] == [None]
    assert [match.asset for match in matched(strike(geometry=None, uncertainty_m=None), asset("Alpha"))] == [None]


@given(st.lists(st.floats(29.9, 30.1), max_size=6), st.floats(100, 50_000))
def test_probabilities_add_up_to_1(lons: list[float], uncertainty_m: float) -> None:
    assets = [asset(f"Asset {row}", lon) for row, lon in enumerate(lons)]
    found = matched(strike(uncertainty_m=uncertainty_m), *assets)
    assert sum(match.probability for match in found) == pytest.approx(1)
    assert [m.probability for m in found] == sorted((m.probability for m in found), reverse=True)


def test_a_name_as_printed_beats_a_nearer_asset() -> None:
    near, named = asset("Depot One", 30.0), asset("Kremenchuk oil refinery", 30.05)
    found = matched(strike(targets=("Кременчуцький НПЗ", "Kremenchuk refinery"), uncertainty_m=12_000), near, named)
    assert found[0].asset == named.id
    assert {reason.name for reason in found[0].reasons} >= {"prior", "distance", "name"}


def test_another_kind_counts_against() -> None:
    found = matched(
        strike(target_kinds=("gas-storage",)), asset("Alpha", kind="refinery"), asset("Beta", kind="gas-storage")
    )
    assert [match.asset for match in found if match.asset] == ["beta", "alpha"]
    weights = {match.asset: {r.name: r.weight for r in match.reasons} for match in found if match.asset}
    assert weights["alpha"]["kind"] == Weights().other_kind
    assert weights["beta"]["kind"] == Weights().kind


def test_nearness_to_a_town_centre_alone_proves_nothing() -> None:
    """A report that only names a town must not pick the nearest tank by metres."""
    vague = strike(title="Explosions in Town", uncertainty_m=20_000)
    found = matched(vague, asset("Alpha", 30.0001), asset("Beta", 30.1))
    assert found[0].asset is None


def test_far_assets_are_no_candidates() -> None:
    assert [match.asset for match in matched(strike(), asset("Alpha", 32.0))] == [None]


def test_the_odds_are_the_weights_told() -> None:
    import math

    found = rank(strike(), [(asset("Alpha"), 0.0), (asset("Beta"), 4000.0)], {}, Weights())
    none = next(match for match in found if match.asset is None)
    for match in found:
        if match.asset is not None:
            odds = math.exp(sum(reason.weight for reason in match.reasons))
            assert match.probability / none.probability == pytest.approx(odds)


def test_names_of_any_script_fold_to_latin() -> None:
    assert fold("Нафтобаза «SOCAR»") == "naftobaza socar"
    assert fold("") == ""


def test_the_bundled_strikes_are_mostly_matched_as_people_decided(snapshot: Snapshot) -> None:
    right = [
        strike
        for strike, found in snapshot.findings.items()
        if snapshot.matches[strike][0].asset in {hit.asset for hit in found.hits}
    ]
    assert len(right) >= 0.9 * len(snapshot.findings)


def decide(asset_id: str | None, verdict: str, number: int) -> Decision:
    return Decision.model_validate(
        {
            "id": f"d{number}",
            "strike": "s",
            "asset": asset_id,
            "verdict": verdict,
            "who": "A",
            "when": "2025-01-01",
            "why": "B",
        }
    )


def test_decisions_hold_over_matches_and_the_latest_over_earlier_ones() -> None:
    best = (Match(strike="s", asset="a", probability=0.9), Match(strike="s", asset=None, probability=0.1))
    proposed = findings(["s"], [], {"s": best})["s"]
    assert (proposed.rests_on, proposed.hits[0].verdict) == ("match", "proposed")
    doubtful = findings(["s"], [], {"s": (best[1], best[0].model_copy(update={"probability": 0.4}))})["s"]
    assert (doubtful.rests_on, doubtful.hits) == ("nothing", ())
    confirmed = findings(["s"], [decide("b", "confirmed", 1)], {"s": best})["s"]
    assert (confirmed.rests_on, [hit.asset for hit in confirmed.hits]) == ("decision", ["b"])
    several = findings(["s"], [decide("a", "possible", 1), decide("b", "possible", 2)], {"s": best})["s"]
    assert (several.rests_on, len(several.hits)) == ("alternatives", 2)
    none = findings(["s"], [decide("a", "confirmed", 1), decide(None, "none", 2)], {"s": best})["s"]
    assert (none.rests_on, none.hits) == ("decision", ())
    again = findings(["s"], [decide(None, "none", 1), decide("a", "confirmed", 2)], {"s": best})["s"]
    assert [hit.asset for hit in again.hits] == ["a"]
    mended = findings(["s"], [decide("a", "confirmed", 1), decide("a", "possible", 2)], {"s": best})["s"]
    assert mended.hits[0].verdict == "possible"
