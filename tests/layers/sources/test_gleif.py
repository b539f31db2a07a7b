"""GLEIF: entities of level 1, controls of level 2, check digits, and what is said instead of a control."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.model import edtf
from layers.model.records import Control, Records
from layers.model.types import is_lei
from layers.sources import gleif as reader

DIGITS, LETTERS = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def lei(stem: str) -> str:
    """An LEI with right check digits (ISO/IEC 7064 MOD 97-10), computed apart from the code under test."""
    body = stem.ljust(18, "0")
    number = int("".join(str((DIGITS + LETTERS).index(c)) for c in body) + "00")
    return f"{body}{98 - number % 97:02d}"


CHILD, PARENT, TOP = lei("CHILD"), lei("PARENT"), lei("TOP")


def relation(
    kind: str = "IS_DIRECTLY_CONSOLIDATED_BY", periods: list[dict[str, str]] | None = None, status: str = "ACTIVE"
) -> dict[str, Any]:
    return {
        "Relationship": {
            "StartNode": {"NodeID": CHILD, "NodeIDType": "LEI"},
            "EndNode": {"NodeID": PARENT, "NodeIDType": "LEI"},
            "RelationshipType": kind,
            "RelationshipPeriods": periods or [],
            "RelationshipStatus": status,
        },
        "Registration": {"RegistrationStatus": "PUBLISHED", "LastUpdateDate": "2023-05-18T15:41:20.212Z"},
    }


def period(kind: str, start: str, end: str | None = None) -> dict[str, str]:
    stated = {"StartDate": f"{start}T00:00:00.000Z", "PeriodType": kind}
    return stated | ({"EndDate": f"{end}T00:00:00.000Z"} if end else {})


def read(*records: object) -> Records:
    reading = reader.parse_all([("f.json", json.dumps(records))])
    assert reading.problems == ()
    return reading.records


def only(records: Records) -> Control:
    (control,) = records.controls.values()
    return control


def test_check_digits_of_published_leis() -> None:
    published = ("5493001KJTIIGC8Y1R12", "001GPB6A9XPE8XJICC14", "213800FERQ5LE3H7WJ58")
    assert all(is_lei(text) for text in published)
    assert not any(is_lei(text) for text in ("5493001KJTIIGC8Y1R21", "5493001KJTIIGC8Y1R1", "", "é" * 20))


@given(st.text(DIGITS + LETTERS, min_size=18, max_size=18), st.integers(0, 17), st.data())
def test_a_wrong_letter_or_digit_is_always_found(body: str, at: int, data: st.DataObject) -> None:
    right = lei(body)
    alike = DIGITS if right[at] in DIGITS else LETTERS
    other = data.draw(st.sampled_from([c for c in alike if c != right[at]]))
    assert is_lei(right)
    assert not is_lei(right[:at] + other + right[at + 1 :])


def test_a_relationship_is_a_control_and_never_a_stake() -> None:
    periods = [
        period("ACCOUNTING_PERIOD", "2018-01-01", "2018-12-31"),
        period("RELATIONSHIP_PERIOD", "2018-02-06"),
    ]
    records = read(relation(periods=periods))
    control = only(records)
    assert (control.controlled, control.controller) == (reader.entity_id(CHILD), reader.entity_id(PARENT))
    assert (control.kind, control.since, control.until) == ("consolidation", "2018-02-06", None)
    assert dict(records.stakes) == {}
    assert set(records.entities) == {reader.entity_id(CHILD), reader.entity_id(PARENT)}


def test_the_end_date_is_the_last_day() -> None:
    periods = [period("RELATIONSHIP_PERIOD", "2018-02-06", "2020-12-31")]
    assert only(read(relation(periods=periods))).until == "2021-01-01"


def test_the_last_day_of_the_calendar_is_no_end() -> None:
    control = only(read(relation(periods=[period("RELATIONSHIP_PERIOD", "2018-02-06", "9999-12-31")])))
    assert (control.since, control.until) == ("2018-02-06", None)


def test_a_day_that_no_calendar_has_is_no_day() -> None:
    control = only(read(relation(periods=[period("RELATIONSHIP_PERIOD", "2019-02-30", "2020-02-31")])))
    assert (control.since, control.until) == (None, None)


def test_an_accounting_period_bounds_the_start_and_ends_nothing() -> None:
    control = only(read(relation(periods=[period("ACCOUNTING_PERIOD", "2018-01-01", "2018-12-31")])))
    assert (control.since, control.until) == ("../2018-01-01", None)


def test_an_inactive_relationship_ended_by_its_last_update() -> None:
    until = only(read(relation(periods=[period("RELATIONSHIP_PERIOD", "2018-02-06")], status="INACTIVE"))).until
    assert until is not None
    ended = edtf.parse(until)
    assert (str(ended.earliest), str(ended.latest)) == ("2018-02-06", "2023-05-18")


@pytest.mark.parametrize("kind", ["IS_INTERNATIONAL_BRANCH_OF", "IS_FUND-MANAGED_BY", "IS_SUBFUND_OF"])
def test_other_relationships_are_noted_and_no_control(kind: str) -> None:
    records = read(relation(kind))
    assert dict(records.controls) == {}
    assert kind in (records.entities[reader.entity_id(CHILD)].note or "")


def test_an_exception_is_noted_with_its_reason() -> None:
    exception = {"LEI": CHILD, "ExceptionCategory": "ULTIMATE_ACCOUNTING_CONSOLIDATION_PARENT"}
    records = read({**exception, "ExceptionReason": "NATURAL_PERSONS"})
    note = records.entities[reader.entity_id(CHILD)].note or ""
    assert "no ultimate accounting consolidation parent is reported: NATURAL_PERSONS" in note
    assert dict(records.controls) == {}


def test_level_1_csv_of_the_golden_copy() -> None:
    header = (
        "LEI,Entity.LegalName,Entity.LegalName.xmllang,Entity.OtherEntityNames.OtherEntityName.1,"
        "Entity.OtherEntityNames.OtherEntityName.1.xmllang,Entity.OtherEntityNames.OtherEntityName.1.type,"
        "Entity.LegalJurisdiction,Entity.HeadquartersAddress.Country,Entity.EntityStatus,Entity.EntityCategory"
    )
    row = f'{CHILD},"ПАТ ""Зразок""",uk,"Zrazok, PJSC",en,ALTERNATIVE_LANGUAGE_LEGAL_NAME,UA,PL,INACTIVE,GENERAL'
    reading = reader.parse_all([("lei2.csv", f"\ufeff{header}\n{row}\n")])
    assert reading.problems == ()
    entity = reading.records.entities[reader.entity_id(CHILD)]
    assert (entity.name, entity.names) == ("Zrazok, PJSC", {"uk": 'ПАТ "Зразок"'})
    assert (entity.registered_in, entity.headquartered_in, entity.type) == ("UA", "PL", "registeredEntity")
    assert entity.external_ids == {"lei": CHILD}
    assert "INACTIVE" in (entity.note or "")


def test_level_2_csv_of_the_golden_copy() -> None:
    header = (
        "Relationship.StartNode.NodeID,Relationship.EndNode.NodeID,Relationship.RelationshipType,"
        "Relationship.RelationshipStatus,Relationship.Period.1.startDate,Relationship.Period.1.endDate,"
        "Relationship.Period.1.periodType,Relationship.Period.2.startDate,Relationship.Period.2.endDate,"
        "Relationship.Period.2.periodType"
    )
    row = f"{CHILD},{PARENT},IS_ULTIMATELY_CONSOLIDATED_BY,ACTIVE,2021-01-01T01:00:00+01:00,2021-12-31T01:00:00+01:00,"
    row += "ACCOUNTING_PERIOD,2017-12-06T01:00:00+01:00,,RELATIONSHIP_PERIOD"
    control = only(reader.parse_all([("rr.csv", f"{header}\n{row}\n")]).require_clean())
    assert (control.since, control.until, control.note) == (
        "2017-12-06",
        None,
        "Ultimate accounting consolidation parent.",
    )


def test_golden_copy_json_wraps_its_values() -> None:
    record = {
        "LEI": {"$": TOP},
        "Entity": {
            "LegalName": {"$": "Top plc", "@xml:lang": "en"},
            "OtherEntityNames": {"OtherEntityName": [{"$": "Old Top", "@type": "PREVIOUS_LEGAL_NAME"}]},
            "LegalJurisdiction": {"$": "GB"},
        },
    }
    reading = reader.parse_all([("l1.json", json.dumps({"records": [record]}))])
    entity = reading.require_clean().entities[reader.entity_id(TOP)]
    assert (entity.name, entity.registered_in, entity.aliases) == ("Top plc", "GB", ("Old Top",))


def test_a_described_entity_takes_the_place_of_one_known_by_its_lei() -> None:
    level_1 = json.dumps([{"LEI": PARENT, "Entity": {"LegalName": "Parent SE", "LegalJurisdiction": "DE"}}])
    reading = reader.parse_all([("rr.json", json.dumps([relation()])), ("lei.json", level_1)])
    assert reading.require_clean().entities[reader.entity_id(PARENT)].name == "Parent SE"


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ('[{"LEI": "5493001KJTIIGC8Y1R13", "Entity": {"LegalName": "X"}}]', "LEI"),
        ('[{"Entity": {"LegalName": "X"}}]', "LEI"),
        (json.dumps([{"LEI": TOP, "Entity": {}}]), "name"),
        (json.dumps([{"LEI": TOP, "Entity": {"LegalName": "X", "LegalJurisdiction": "us"}}]), "registered_in"),
        (
            json.dumps(
                [{"LEI": TOP, "Entity": {"LegalName": "X"}, "Registration": {"RegistrationStatus": "ANNULLED"}}]
            ),
            "RegistrationStatus",
        ),
        ('[{"LEI": ', "syntax"),
        ("[7]", "type"),
        ("name;country\nX;DE\n", "header"),
        ("", "header"),
    ],
)
def test_what_cannot_be_read_is_a_problem(text: str, column: str) -> None:
    reading = reader.parse_all([("f", text)])
    assert [problem.column for problem in reading.problems] == [column]
    assert dict(reading.records.entities) == {}


def test_published_records(real_data: Path) -> None:
    files = sorted((real_data / "gleif_level2_fixtures").glob("*.json"))
    reading = reader.parse_all((file.name, file.read_text(encoding="utf-8")) for file in files)
    records = reading.require_clean()
    named = [entity for entity in records.entities.values() if entity.checked == "read"]
    assert (len(named), len(records.controls), len(records.stakes)) == (13, 2, 0)
    assert {control.since for control in records.controls.values()} == {"2018-02-06"}
