"""A policy is read whole or refused with every fault, and says of each record what may be published of it, and when."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from layers.disclosure.policy import ALWAYS, OPEN, WITHHOLDABLE, Policy, parse
from layers.model.problems import ProblemsError
from layers.model.records import RECORD_TYPES, REFERENCES, Asset, Strike

STATED = {"title": "A", "place": "Odesa", "status": "reported", "sources": ("s",), "checked": "read"}


def strike(when: str = "2026-03-01", **values: object) -> Strike:
    return Strike(id="s1", when=when, **{**STATED, **values})  # type: ignore[arg-type]


def held_for(hours: float = 72, **rule: object) -> Policy:
    return Policy.model_validate({"embargo": [{"hours": hours, **rule}]})


def test_an_empty_policy_withholds_nothing() -> None:
    assert parse("") == OPEN
    assert OPEN.is_open
    assert OPEN.due(strike()) == ALWAYS
    assert OPEN.coarsest("strikes", strike()) is None
    assert OPEN.withheld("strikes", strike()) == ()


def test_every_fault_of_a_policy_is_named_at_once() -> None:
    text = """
    contacts = "x"
    [[embargo]]
    hours = -1
    kinds = ["castle"]
    [[rounding]]
    table = "strikes"
    [[rounding]]
    table = "stakes"
    decimals = 9
    [[withhold]]
    table = "strikes"
    fields = ["when"]
    [[withhold]]
    table = "stakes"
    fields = ["note"]
    kinds = ["refinery"]
    """
    with pytest.raises(ProblemsError) as refused:
        parse(text)
    assert {(problem.record, problem.column) for problem in refused.value.problems} == {
        ("policy", "contacts"),
        ("embargo 1", "hours"),
        ("embargo 1 kinds 1", "value"),
        ("rounding 1", "value"),
        ("rounding 2", "table"),
        ("rounding 2", "decimals"),
        ("withhold 1", "value"),
        ("withhold 2", "value"),
    }
    assert all(problem.expected for problem in refused.value.problems)


def test_what_is_no_toml_is_refused() -> None:
    with pytest.raises(ProblemsError, match=r"disclosure\.toml"):
        parse("[[embargo")


def test_fields_that_answers_are_computed_from_cannot_be_withheld() -> None:
    for table, fields in WITHHOLDABLE.items():
        columns = RECORD_TYPES[table].model_fields
        assert all(not columns[name].is_required() for name in fields)
        assert not set(fields) & {"id", "dataset", "private", "since", "until", *REFERENCES.get(table, {})}


@pytest.mark.parametrize(
    ("when", "end"),
    [
        ("2026-03-01", datetime(2026, 3, 2, 12, tzinfo=UTC)),
        ("2026-03", datetime(2026, 4, 1, 12, tzinfo=UTC)),
        ("2026-02-27/2026-03-01", datetime(2026, 3, 2, 12, tzinfo=UTC)),
        ("2026-03-01~", datetime(2026, 3, 3, 12, tzinfo=UTC)),
        ("2026-03-01T04:06:00Z", datetime(2026, 3, 1, 4, 6, tzinfo=UTC)),
        ("2026-03-01T04:06:00+02:00", datetime(2026, 3, 1, 2, 6, tzinfo=UTC)),
        ("2026-03-01T04:06:00", datetime(2026, 3, 2, 12, tzinfo=UTC)),
    ],
)
def test_an_embargo_is_counted_from_the_last_moment_that_a_time_may_mean(when: str, end: datetime) -> None:
    due = held_for(1).due(strike(when))
    assert due is not None
    assert (due - end).total_seconds() == 3600


@pytest.mark.parametrize("when", ["2026-03-01/..", "9999-12-31"])
def test_an_event_without_a_known_end_is_not_published(when: str) -> None:
    assert held_for().due(strike(when)) is None


def test_the_longest_of_several_embargoes_holds() -> None:
    policy = Policy.model_validate({"embargo": [{"hours": 1}, {"hours": 48, "countries": ["UA"]}]})
    here, there = policy.due(strike(host_country="UA")), policy.due(strike(host_country="RU"))
    assert here is not None
    assert there is not None
    assert (here - there).total_seconds() == 47 * 3600


def test_a_strike_that_states_no_kind_or_country_may_be_of_any() -> None:
    policy = held_for(kinds=["refinery"], countries=["UA"])
    assert policy.due(strike()) != ALWAYS
    assert policy.due(strike(target_kinds=("refinery",), host_country="UA")) != ALWAYS
    assert policy.due(strike(target_kinds=("pipeline",), host_country="UA")) == ALWAYS
    assert policy.due(strike(target_kinds=("refinery",), host_country="RU")) == ALWAYS
    assert policy.due(strike(target_kinds=("pipeline", "refinery"))) != ALWAYS


def test_the_coarsest_rounding_of_a_table_holds() -> None:
    policy = parse(
        """
        [[rounding]]
        table = "assets"
        decimals = 2
        [[rounding]]
        table = "assets"
        metres = 5000
        kinds = ["refinery"]
        """
    )
    asset = Asset(id="a", name="A", kind="refinery", sources=("s",), checked="read")
    coarse = policy.coarsest("assets", asset)
    assert coarse is not None
    assert coarse.metres == 5000
    fine = policy.coarsest("assets", asset.model_copy(update={"kind": "pipeline"}))
    assert fine is not None
    assert fine.decimals == 2
    assert policy.coarsest("strikes", strike()) is None


def test_equal_policies_have_equal_digests() -> None:
    assert held_for(5).digest == held_for(5).digest != held_for(6).digest
