"""Of two rulings the stricter holds, and a record is published without what is withheld, saying what that is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from shapely.geometry import Point, box

from layers.disclosure.policy import ALWAYS, Embargo, FieldRule, Policy, Rounding
from layers.disclosure.ruling import PLACE_FIELDS, Ruling, gives_away, rounded, withheld_fields
from layers.model.records import Asset, Claim, Source, Strike

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
FINE, COARSE = (Rounding(table="strikes", metres=metres) for metres in (1_000, 20_000))
PLACE = {"geometry": Point(30.5, 46.5), "uncertainty_m": 300.0, "basis": "site", "place_source": "s"}


def strike(**values: Any) -> Strike:
    stated = {"id": "x", "title": "A", "when": "2026-03-01", "place": "Odesa", "status": "reported", "sources": ("s",)}
    return Strike.model_validate({**stated, "checked": "read", **values})


def test_the_stricter_of_two_rulings_holds() -> None:
    one, other = Ruling(NOW, FINE, ("note",)), Ruling(NOW + DAY, COARSE, ("damage", "note"))
    assert one & other == Ruling(NOW + DAY, COARSE, ("note", "damage"))
    assert other & one == Ruling(NOW + DAY, COARSE, ("damage", "note"))
    assert (one & Ruling(None)).due is None
    assert one & Ruling() == one


@pytest.mark.parametrize(
    ("before", "after", "lifted"),
    [
        (Ruling(NOW + DAY), Ruling(), ("an embargo",)),
        (Ruling(None), Ruling(NOW + DAY), ("an embargo",)),
        (Ruling(NOW + DAY), Ruling(NOW + DAY), ()),
        (Ruling(NOW - DAY), Ruling(), ()),
        (Ruling(NOW + DAY), Ruling(None), ()),
        (Ruling(rounding=COARSE), Ruling(rounding=FINE), ("the rounding of coordinates",)),
        (Ruling(rounding=COARSE), Ruling(), ("the rounding of coordinates",)),
        (Ruling(rounding=FINE), Ruling(rounding=COARSE), ()),
        (Ruling(fields=("note", "damage")), Ruling(fields=("damage",)), ("the withholding of note",)),
    ],
)
def test_what_another_ruling_lifts(before: Ruling, after: Ruling, lifted: tuple[str, ...]) -> None:
    assert before.lifted_by(after, NOW) == lifted


def test_a_place_is_withheld_with_all_that_goes_with_it() -> None:
    shown = Ruling(fields=("geometry", "note")).applied("strikes", strike(note="n", **PLACE))
    assert all(getattr(shown, name) is None for name in (*PLACE_FIELDS, "note"))
    assert withheld_fields(shown) == ("geometry", "note")


def test_a_coarser_place_says_that_it_is_and_is_as_uncertain_as_both_together() -> None:
    whole = strike(**PLACE)
    shown = Ruling(rounding=COARSE).applied("strikes", whole)
    assert isinstance(shown, Strike)
    assert withheld_fields(shown) == ("geometry",)
    assert shown.basis == "rounded"
    assert shown.uncertainty_m == pytest.approx(300 + rounded(PLACE["geometry"], COARSE).moved_m, abs=1)  # type: ignore[arg-type]
    assert Ruling().applied("strikes", whole) is whole


def test_an_area_is_as_uncertain_as_its_corners_are_far() -> None:
    assert rounded(box(30, 46, 31, 47), FINE).moved_m > 50_000


@pytest.mark.parametrize(
    ("field", "withheld", "said"),
    [
        ("killed", ("killed_min",), True),
        ("injured", ("injured_max",), True),
        ("note", ("note",), True),
        ("note", ("damage",), False),
        ("coordinates", ("geometry",), True),
        ("uncertainty_m", ("geometry",), True),
        ("place", ("geometry",), False),
        ("coordinates", ("note",), False),
    ],
)
def test_a_claim_gives_away_what_is_withheld(field: str, withheld: tuple[str, ...], said: bool) -> None:
    claim = Claim(id="c", record="x", field=field, value="v", source="s", checked="read")
    assert gives_away(claim, withheld) is said


def test_a_rule_of_kinds_or_countries_is_about_placed_records_alone() -> None:
    source = Source(id="s", publisher="S")
    assert not Embargo(hours=1, countries=("UA",)).is_about(source)
    assert Embargo(hours=1).is_about(source)


def test_fields_are_withheld_of_the_records_that_a_rule_is_about() -> None:
    rule = FieldRule(table="assets", fields=("capacity", "note"), kinds=("refinery",))
    policy = Policy(withhold=(rule, FieldRule(table="strikes", fields=("damage",))))
    assert not policy.is_open
    refinery = Asset(id="a", name="A", kind="refinery", sources=("s",), checked="read")
    assert policy.withheld("assets", refinery) == ("capacity", "note")
    assert policy.withheld("assets", refinery.model_copy(update={"kind": "office"})) == ()
    assert policy.withheld("strikes", strike()) == ("damage",)


def test_an_embargo_is_of_strikes_alone() -> None:
    ruling = Ruling.of(Policy(embargo=(Embargo(hours=1),)), "strikes", strike())
    assert ruling.due == datetime(2026, 3, 2, 13, tzinfo=UTC)
    assert Ruling.of(Policy(embargo=(Embargo(hours=1),)), "sources", Source(id="s", publisher="S")).due == ALWAYS
