"""BODS 0.4: what the examples of others say comes out, what cannot be read is named, and what is written comes back."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.wording.catalogue import text
from layers.model.problems import ReadResult
from layers.model.records import Asset, Control, Entity, Records, Source, Stake
from layers.ownership.walk import OwnershipGraph, Walk
from layers.sources.bods.interests import INTEREST_TYPES
from layers.sources.bods.reader import parse
from layers.sources.bods.statements import ENTITY_TYPES, REASONS, REQUIRED, slug
from layers.sources.bods.writer import dumps, render
from tests.layers.builders import worded
from tests.layers.english import english

EXAMPLES = Path(__file__).resolve().parents[3] / "data" / "bods"
DAY = date(2024, 1, 1)

Statements = list[dict[str, Any]]


def read_example(name: str) -> ReadResult:
    return parse(name, (EXAMPLES / name).read_bytes())


@pytest.fixture
def fixtures(real_data: Path) -> Callable[[str], ReadResult]:
    """Reads a file of bods-v04-fixtures 0.1.1 or of the official examples by the start of its name."""

    def read(name: str) -> ReadResult:
        [file] = (real_data / "bods_v04").glob(f"*/{name}*.json")
        return parse(file.name, file.read_bytes())

    return read


def id_of(records: Records, name: str) -> str:
    [found] = [entity.id for entity in records.entities.values() if entity.name == name]
    return found


def effective(records: Records, owner: str, owned: str, day: date = DAY) -> tuple[float, float]:
    """Share in percent that an owner, by name, has in the end of an entity: it alone gets a country of its own."""
    top = id_of(records, owner)
    entities = {
        key: entity.model_copy(update={"registered_in": "ZZ" if key == top else "YY"})
        for key, entity in records.entities.items()
    }
    alone = Records.of({"entities": entities, "stakes": records.stakes, "sources": records.sources})
    shares = Walk(OwnershipGraph(alone, day, day, minority="follow"), id_of(records, owned)).shares()
    return next((row.share.rounded() for row in shares if row.country == "ZZ"), (0.0, 0.0))


def unattributed(records: Records, owned: str, day: date = DAY) -> tuple[tuple[float, float], tuple[str, ...]]:
    part, reasons = Walk(OwnershipGraph(records, day, day, minority="follow"), id_of(records, owned)).unattributed()
    return part.rounded(), worded(reasons)


# Examples of our own.


def test_an_indirect_stake_and_its_components_count_once() -> None:
    reading = read_example("indirect.json")
    records = reading.require_clean()
    assert set(records.stakes) == {"holding-in-pipe", "owner-in-holding"}
    assert effective(records, "Own Er", "Pipe Company") == (30, 30)
    assert effective(records, "Holding", "Pipe Company") == (30, 30)
    for stake in records.stakes.values():
        assert stake.note is not None
        assert "indirect shareholding of 30 % that record owner-in-pipe declares" in stake.note
    followed = records.stakes["owner-in-holding"]
    assert (followed.share_min, followed.share_max, followed.since) == (50, 50, "2020-01-01")
    assert "No share is stated, only: controlViaCompanyRulesOrArticles." in str(followed.note)
    assert {(c.controller, c.controlled, c.kind) for c in records.controls.values()} == {
        ("owner", "holding", "declared"),
        ("owner", "pipe-co", "declared"),
    }


def test_what_an_entity_and_a_person_are_called_and_where_they_are() -> None:
    records = read_example("indirect.json").require_clean()
    company, owner = records.entities["pipe-co"], records.entities["owner"]
    assert company.external_ids == {
        "lei": "00EXAMPLE00EXAMPLE11",
        "GB-COH": "1",
        "uri": "https://register.example/pipe-co",
    }
    assert (company.aliases, company.registered_in) == (("PipeCo",), "GB")
    assert records.entities["holding"].registered_in == "US"
    assert (owner.type, owner.name, owner.aliases, owner.registered_in) == ("person", "Own Er", ("O. Ther",), "NO")
    source = records.sources[records.stakes["holding-in-pipe"].source]
    assert (source.publisher, source.url, source.published) == (
        "Register of Examples",
        "https://register.example/",
        "2026-02-01",
    )


def test_the_latest_statement_of_a_record_counts_and_a_closed_one_ends() -> None:
    records = read_example("lifecycle.json").require_clean()
    told = {s.id: (s.share_min, s.share_max, s.since, s.until) for s in records.stakes.values()}
    assert told == {
        "seller-in-pipe": (40, 40, "2021-05-01", "2023-03-03"),
        "leaver-in-pipe": (25, 50, "2020-01-01", "2022-06-30"),
    }
    assert effective(records, "Seller", "Pipe Company", date(2023, 3, 2)) == (40, 40)
    assert effective(records, "Seller", "Pipe Company", date(2023, 3, 3)) == (0, 0)


def test_a_reason_for_an_unnamed_owner_is_recorded_and_differs_from_no_data() -> None:
    reading = read_example("unspecified.json")
    records = reading.require_clean()
    party = records.entities["nobody-told/party"]
    assert party.type == "unknownEntity"
    assert party.note == "subjectUnableToConfirmOrIdentifyBeneficialOwner: No answer to two letters."
    assert records.entities["exempt/party"].type == "anonymousEntity"
    assert records.entities["hidden"].note == ("anonymousPerson. interestedPartyExemptFromDisclosure: Under age.")
    part, reasons = unattributed(records, "Pipe Company")
    assert part == (0, 100)
    assert any("subjectUnableToConfirmOrIdentifyBeneficialOwner" in reason for reason in reasons)
    assert unattributed(records, "Silent Company") == ((0, 0), ())
    kinds = {control.id: control.kind for control in records.controls.values()}
    assert kinds == {"hidden-in-listed/1": "majority-of-votes", "hidden-in-listed/2": "rights"}


# The files of others.


def test_fixture_01_direct(fixtures: Callable[[str], ReadResult]) -> None:
    records = fixtures("01-direct").require_clean()
    assert effective(records, "Jane Smith", "Acme Holdings Ltd") == (75, 75)
    assert [(s.share_min, s.since) for s in records.stakes.values()] == [(75, "2010-01-01")]
    assert [control.kind for control in records.controls.values()] == ["majority-of-votes"]


def test_fixture_10_circular(fixtures: Callable[[str], ReadResult]) -> None:
    records = fixtures("10-circular").require_clean()
    assert len(records.stakes) == 2
    for name in ("Alpha Corp Ltd", "Beta Corp Ltd"):
        walk = Walk(OwnershipGraph(records, DAY, DAY), id_of(records, name))
        assert walk.shares() == ()
        assert unattributed(records, name) == ((100, 100), ("closed loop without an outside owner",))


def test_fixture_11_anonymous(fixtures: Callable[[str], ReadResult]) -> None:
    records = fixtures("11-anonymous").require_clean()
    [party] = [entity for entity in records.entities.values() if entity.type == "unknownEntity"]
    assert str(party.note).startswith(
        "subjectUnableToConfirmOrIdentifyBeneficialOwner: The subject entity has reported"
    )
    assert not [entity for entity in records.entities.values() if entity.type == "person"]
    part, reasons = unattributed(records, "Opaque Holdings SA")
    assert part == (0, 100)
    assert any("subjectUnableToConfirmOrIdentifyBeneficialOwner" in reason for reason in reasons)
    silent = Records.of({"entities": records.entities, "sources": records.sources})
    assert unattributed(silent, "Opaque Holdings SA") == ((0, 0), ())


@pytest.mark.parametrize(
    ("file", "owner", "owned", "day", "share"),
    [
        ("indirect-ownership", "Person 1", "Company A", DAY, (30, 30)),
        ("indirect-ownership", "Person 1", "Company B", DAY, (50, 50)),
        ("multiple-indirect-ownership", "Person 1", "Company B", DAY, (20, 100)),
        ("mutilple-indirect-ownership-2", "Person 1", "Company A", DAY, (60, 60)),
        ("mixed-direct", "Person 1", "Company A", date(2018, 6, 1), (50, 50)),
        ("mixed-direct", "Person 1", "Company A", DAY, (100, 100)),
        ("joint-ownership", "Natalie Coleman", "CHRINON LTD", DAY, (50, 50)),
        ("joint-ownership", "Roberto Lopez", "CHRINON LTD", DAY, (50, 50)),
        ("fermcat", "Patrick O'Donohue", "Fermcat Ltd", date(2022, 1, 21), (100, 100)),
        ("fermcat", "Declan Byrne-Amin", "Fermcat Ltd", date(2022, 1, 21), (0, 0)),
        ("tecido", "Maria Esteves", "Tecido Ltd", date(2023, 2, 1), (30, 30)),
        ("tecido", "Maria Esteves", "Tecido Ltd", date(2023, 3, 3), (0, 0)),
        ("tecido", "Shear Trust", "Tecido Ltd", date(2023, 3, 3), (80, 80)),
    ],
)
def test_official_examples(
    fixtures: Callable[[str], ReadResult], file: str, owner: str, owned: str, day: date, share: tuple[float, float]
) -> None:
    assert effective(fixtures(file).require_clean(), owner, owned, day) == share


def test_what_sums_to_over_100_is_reported(fixtures: Callable[[str], ReadResult]) -> None:
    # The publisher changed a share without its startDate, so that 100 is said to hold beside 50 and 50.
    records = fixtures("fermcat").require_clean()
    register = OwnershipGraph(records, date(2020, 1, 1), date(2020, 1, 1))
    assert worded(register.warnings([register.number(id_of(records, "Fermcat Ltd"))])) == (
        "known stakes in ent-93c75c87ab28f889 sum to 150.00 %",
    )


def test_two_unknown_components_bound_each_other(fixtures: Callable[[str], ReadResult]) -> None:
    # 50 x + 50 y = 60 leaves each 20 to 100; the declared 60 is told, and is not added to the components.
    records = fixtures("multiple-indirect-ownership").require_clean()
    assert len(records.stakes) == 4
    assert all("indirect shareholding of 60 %" in str(stake.note) for stake in records.stakes.values())
    assert any("indirect share of 60 %" in str(control.note) for control in records.controls.values())


def test_a_trust_and_a_nomination_are_control(fixtures: Callable[[str], ReadResult]) -> None:
    trust = fixtures("levent").require_clean()
    assert not trust.stakes
    assert {str(c.note).split(",")[0] for c in trust.controls.values()} == {
        "trustee",
        "settlor",
        "beneficiaryOfLegalArrangement",
    }
    assert {c.kind for c in trust.controls.values()} == {"declared"}
    nomination = fixtures("nomination").require_clean()
    assert not nomination.stakes
    company = id_of(nomination, "Los Corazones de Plata")
    silvia = id_of(nomination, "Silvia Teixeira Perez")
    assert [c.kind for c in nomination.controls.values() if (c.controlled, c.controller) == (company, silvia)] == [
        "declared"
    ]


# What cannot be read.

PUBLICATION = {"publicationDate": "2026-01-01", "bodsVersion": "0.4", "publisher": {"name": "Register"}}


def statement(kind: str, record: str, day: str = "2026-01-01", status: str = "new", **details: Any) -> dict[str, Any]:
    return {
        "statementId": f"{record}-{day}-{status}",
        "declarationSubject": "a",
        "statementDate": day,
        "publicationDetails": PUBLICATION,
        "recordId": record,
        "recordType": kind,
        "recordStatus": status,
        "recordDetails": {"isComponent": False, **details},
    }


def company(record: str, **details: Any) -> dict[str, Any]:
    return statement("entity", record, entityType={"type": "registeredEntity"}, name=record.upper(), **details)


def holds(
    record: str,
    owner: Any,
    owned: Any,
    share: Any = None,
    component: bool = False,
    of: tuple[str, ...] = (),
    **more: Any,
) -> dict[str, Any]:
    interest: dict[str, Any] = {"type": "shareholding", "directOrIndirect": "indirect" if of else "direct", **more}
    if share is not None:
        interest["share"] = share if isinstance(share, dict) else {"exact": share}
    details = {"subject": owned, "interestedParty": owner, "interests": [interest], "isComponent": component}
    return statement("relationship", record, **details, **({"componentRecords": list(of)} if of else {}))


def read(*statements: dict[str, Any]) -> ReadResult:
    return parse("file.json", json.dumps(statements))


def faults(reading: ReadResult) -> list[tuple[int | None, str, str]]:
    return [(problem.row, problem.column, problem.value) for problem in english(reading.problems)]


@pytest.mark.parametrize(
    ("path", "value", "column"),
    [
        (("recordId",), None, "recordId"),
        (("recordId",), 7, "recordId"),
        (("recordType",), "ownership", "recordType"),
        (("recordStatus",), "replaced", "recordStatus"),
        (("statementDate",), "yesterday", "statementDate"),
        (("publicationDetails", "bodsVersion"), "0.3", "publicationDetails.bodsVersion"),
        (("recordDetails", "subject"), "nowhere", "recordDetails.subject"),
        (("recordDetails", "subject"), {"reason": "unknown"}, "recordDetails.subject"),
        (("recordDetails", "subject"), "p", "recordDetails.subject"),
        (("recordDetails", "interestedParty"), "nobody", "recordDetails.interestedParty"),
        (("recordDetails", "interestedParty"), {"reason": "shy"}, "recordDetails.interestedParty.reason"),
        (("recordDetails", "interests"), "all", "recordDetails.interests"),
        (("recordDetails", "interests", 0), 50, "recordDetails.interests[0]"),
        (("recordDetails", "interests", 0, "type"), "owns", "recordDetails.interests[0].type"),
        (("recordDetails", "interests", 0, "directOrIndirect"), "both", "recordDetails.interests[0].directOrIndirect"),
        (("recordDetails", "interests", 0, "startDate"), "2026-13-01", "recordDetails.interests[0].startDate"),
        (("recordDetails", "interests", 0, "endDate"), "2019-01-01", "recordDetails.interests[0].endDate"),
        (("recordDetails", "interests", 0, "share", "exact"), 101, "recordDetails.interests[0].share.exact"),
        (("recordDetails", "interests", 0, "share", "exact"), "50", "recordDetails.interests[0].share.exact"),
        (("recordDetails", "interests", 0, "share", "exact"), True, "recordDetails.interests[0].share.exact"),
        (("recordDetails", "interests", 0, "share", "minimum"), 60, "recordDetails.interests[0].share.exact"),
        (("recordDetails", "interests", 0, "share"), 50, "recordDetails.interests[0].share"),
    ],
)
def test_a_fault_is_named_with_its_place(path: tuple[str | int, ...], value: Any, column: str) -> None:
    good = holds("r", "p", "a", 50, startDate="2020-01-01")
    bad = copy.deepcopy(good)
    inner: Any = bad
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    person = statement("person", "p", personType="knownPerson", names=[{"fullName": "P"}])
    assert read(company("a"), person, good).require_clean().stakes["r"].share_min == 50
    found = read(company("a"), person, bad)
    assert (3, column) in [(problem.row, problem.column) for problem in found.problems]
    assert all(problem.expected and problem.file == "file.json" for problem in found.problems)
    assert {"a", "p"} <= set(found.records.entities)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("", "syntax"),
        ("7", "syntax"),
        ("[NaN]", "syntax"),
        ("[1e999]", "syntax"),
        ("[{]", "syntax"),
        ("[" * 100_000 + "]" * 100_000, "syntax"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "syntax"),
        ("[1]", "statement"),
        ("\ud800", "encoding"),
        (b"[\xff]", "syntax"),
    ],
)
def test_what_is_no_array_of_statements_is_one_problem(text: str | bytes, column: str) -> None:
    reading = parse("file.json", text)
    assert [problem.column for problem in english(reading.problems)] == [column]
    assert not reading.records.entities


def test_a_text_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layers.sources.bods.statements.MAX_BYTES", 10)
    assert [problem.column for problem in read(company("a")).problems] == ["size"]


def test_problems_beyond_the_most_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layers.sources.bods.statements.MAX_PROBLEMS", 2)
    assert [problem.value for problem in english(parse("f", "[1,2,3,4,5]").problems)] == ["1", "2", "3 more"]


def test_one_statement_a_line_reads_as_an_array_does() -> None:
    statements = [company("a"), company("b"), holds("r", "b", "a", 50)]
    lines = "\n\n".join(json.dumps(each) for each in statements)
    reading = parse("file.json", lines)
    assert reading.require_clean() == read(*statements).records
    assert reading.locations["stakes", "r"].row == 5
    assert parse("file.json", "[]") == ReadResult(Records.of({}), {}, ())


def test_ids_are_stable_unique_and_hold_the_original() -> None:
    reading = read(company("Ä 1"), company("a 1"), company("a-1"), holds("R", "a 1", "Ä 1", 10))
    records = reading.require_clean()
    assert set(records.entities) == {slug("Ä 1"), slug("a 1"), "a-1"}
    assert slug("Ä 1") == slug("Ä 1") != slug("a 1") != "a-1"
    assert {entity.external_ids.get("bods") for entity in records.entities.values()} == {"Ä 1", "a 1", None}
    assert set(records.stakes) == {slug("R")}


def test_personal_data_that_states_no_ownership_is_not_recorded() -> None:
    private = {
        "identifiers": [{"scheme": "GBR-TAXID", "id": "SECRET"}],
        "birthDate": "1990-06-12",
        "addresses": [{"type": "residence", "address": "SECRET STREET"}],
        "placeOfBirth": {"address": "SECRET TOWN"},
    }
    person = statement("person", "p", personType="knownPerson", names=[{"fullName": "P"}], **private)
    told = str(read(person).require_clean())
    assert "SECRET" not in told
    assert "1990" not in told


def test_of_an_annotation_only_the_fields_are_taken_that_bods_has_no_place_for() -> None:
    values = {"checked": "unverified", "share_min": 99, "owner": "a", "until": 7}
    note = {"statementPointerTarget": "", "motivation": "commenting", "strikeatlas": {"stakes": values}}
    stake = holds("r", "b", "a", 50)
    reading = read(company("a"), company("b"), stake | {"annotations": [note]})
    assert faults(reading) == [(3, "recordDetails.stakes.until", "7")]
    del values["until"]
    good = read(company("a"), company("b"), stake | {"annotations": ["of others", note]}).require_clean().stakes["r"]
    assert (good.checked, good.share_min, good.owner) == ("unverified", 50, "b")


def test_a_record_may_not_change_its_type() -> None:
    person = statement("person", "a", personType="knownPerson", names=[{"fullName": "A"}])
    assert faults(read(company("a"), person)) == [(2, "recordType", "'person'")]


@pytest.mark.parametrize(
    ("share", "interval"),
    [
        (None, (0, 100)),
        ({}, (0, 100)),
        ({"minimum": 25}, (25, 100)),
        ({"exclusiveMinimum": 25, "maximum": 50}, (25, 50)),
        ({"exclusiveMaximum": 5}, (0, 5)),
    ],
)
def test_a_share_is_an_interval(share: Any, interval: tuple[float, float]) -> None:
    stake = read(company("a"), company("b"), holds("r", "b", "a", share)).require_clean().stakes["r"]
    assert (stake.share_min, stake.share_max) == interval
    assert (stake.note == "The share is not stated.") is (not share)


def test_an_indirect_stake_without_components_is_a_stake_that_says_so() -> None:
    reading = read(company("a"), company("b"), holds("r", "b", "a", 30, of=("gone",)))
    stake = reading.require_clean().stakes["r"]
    assert (stake.share_min, stake.share_max, stake.note) == (30, 30, "Indirect; no component of it is in the file.")


def test_components_that_do_not_lead_all_the_way_leave_the_indirect_stake_open() -> None:
    reading = read(
        *map(company, "abc"),
        holds("part", "b", "a", 60, component=True),
        holds("r", "c", "a", 30, of=("b", "part", "x")),
    )
    stakes = reading.require_clean().stakes
    assert (stakes["part"].share_min, stakes["r"].share_min, stakes["r"].share_max) == (60, 0, 30)
    assert "30 % declared" in str(stakes["r"].note)


def test_components_that_are_marked_but_not_listed_count_too() -> None:
    whole = holds("r", "c", "a", 30)
    whole["recordDetails"]["interests"][0]["directOrIndirect"] = "indirect"
    parts = [holds("p", "b", "a", 60, component=True), holds("q", "c", "b", 50, component=True)]
    assert set(read(*map(company, "abc"), *parts, whole).require_clean().stakes) == {"p", "q"}


def test_a_declared_sum_that_its_components_cannot_make_is_a_problem() -> None:
    parts = [holds("p", "b", "a", 40, component=True), holds("q", "c", "b", component=True)]
    reading = read(*map(company, "abc"), *parts, holds("r", "c", "a", 60, of=("p", "q")))
    assert faults(reading) == [(6, "recordDetails.interests[0].share", "'60 %'")]
    assert text(reading.problems[0].expected) == "0 to 40 %, as its components have it"
    assert {s.id: (s.share_min, s.share_max) for s in reading.records.stakes.values()} == {"p": (40, 40), "q": (0, 100)}


def test_components_of_another_time_or_in_a_circle_are_not_narrowed() -> None:
    late = holds("p", "b", "a", 60, component=True, startDate="2025-01-01")
    parts = [late, holds("q", "c", "b", component=True)]
    whole = holds("r", "c", "a", 30, of=("p", "q"), startDate="2020-01-01")
    stakes = read(*map(company, "abc"), *parts, whole).require_clean().stakes
    assert (stakes["q"].share_min, stakes["q"].share_max) == (0, 100)
    loop = [holds("p", "b", "a", 60, component=True), holds("q", "a", "b", 10, component=True)]
    loop.append(holds("s", "c", "b", component=True))
    circled = read(*map(company, "abc"), *loop, holds("r", "c", "a", 30, of=("p", "q", "s")))
    assert set(circled.require_clean().stakes) == {"p", "q", "s"}
    assert (circled.records.stakes["s"].share_min, circled.records.stakes["s"].share_max) == (0, 100)


KEYS = st.sampled_from(
    [
        *("statementId", "recordId", "recordType", "recordStatus", "recordDetails", "statementDate", "annotations"),
        *("subject", "interestedParty", "interests", "share", "exact", "minimum", "type", "entityType", "personType"),
        *("names", "fullName", "nationalities", "jurisdiction", "code", "componentRecords", "strikeatlas", "entities"),
        *("stakes", "sources", "startDate", "directOrIndirect", "reason", "publicationDetails", "publisher", "name"),
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 200)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["a", "b", "2026-01-01", "2026", "0.4", "entity", "person", "relationship", "closed", "", "\x00"])
    | st.sampled_from([*INTEREST_TYPES, *ENTITY_TYPES, *REASONS, "indirect", "knownPerson"])
)
ANY = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5))


@given(
    st.lists(
        st.tuples(
            st.sampled_from([company("a"), company("b"), holds("r", "b", "a", 30, of=("p",)), holds("p", "b", "a", 5)]),
            st.dictionaries(KEYS, ANY, max_size=2),
            st.dictionaries(KEYS, ANY, max_size=3),
        ),
        max_size=5,
    )
)
def test_any_json_gives_records_or_problems_and_no_exception(changes: list[tuple[Any, Any, Any]]) -> None:
    made = [base | outer | {"recordDetails": base["recordDetails"] | inner} for base, outer, inner in changes]
    records = read(*made).records
    for stake in records.stakes.values():
        assert stake.owned in records.entities.keys() | records.assets.keys()
        assert stake.owner in records.entities.keys() | records.assets.keys()


# Writing, and reading it again.

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=8).filter(str.strip)
IDS = st.sampled_from(["a", "b>c", "state-x", "free-float", "c", "d/1", "e"])
NOTES = st.none() | TEXTS | st.sampled_from(["unknown: why", "subjectExemptFromDisclosure", "boardMember: chair"])
DATES = st.sampled_from([None, "2020-05-01", "2020", "2021-06~", "2019-03/2019-05"])
CHECKED = st.sampled_from(["read", "excerpt", "unverified"])
SOURCES = {
    "s": Source(id="s", publisher="S", url="https://s.example/x", published="2021", licence="https://l.example/"),
    "t": Source(id="t", publisher="T", title="Title", retrieved="2022-02-02", language="uk"),
}
NAMES = st.dictionaries(st.sampled_from(["uk", "de"]), TEXTS, max_size=2)
EXTERNAL = st.dictionaries(st.sampled_from(["lei", "gem", "wikidata", "uri", "bods", "GB-COH"]), TEXTS, max_size=3)
SOURCE_IDS = st.lists(st.sampled_from(["s", "t"]), unique=True, max_size=2).map(tuple)


@st.composite
def small_records(draw: st.DrawFn) -> Records:
    entities = {
        key: Entity(
            id=key,
            name=draw(TEXTS),
            names=draw(NAMES),
            aliases=tuple(draw(st.lists(TEXTS, max_size=2))),
            type=draw(st.sampled_from([*ENTITY_TYPES, "person"])),
            registered_in=draw(st.sampled_from([None, "GB", "UA"])),
            headquartered_in=draw(st.sampled_from([None, "NO"])),
            joint=draw(st.booleans()),
            external_ids=draw(EXTERNAL),
            sources=draw(SOURCE_IDS),
            checked=draw(CHECKED),
            note=draw(NOTES),
            dataset="bods",
        )
        for key in draw(st.lists(IDS, unique=True, min_size=1, max_size=4))
    }
    asset = Asset(id="pipe", name=draw(TEXTS), kind="pipeline", sources=("s",), checked="read", dataset="bods")
    companies = [key for key, entity in entities.items() if entity.type != "person"]
    ends = {"owned": st.sampled_from(["pipe", *companies]), "owner": st.sampled_from(list(entities))}
    common: dict[str, Any] = {"since": DATES, "until": DATES, "source": st.sampled_from(["s", "t"]), "checked": CHECKED}
    shares = st.integers(0, 20).map(lambda twentieth: 5.0 * twentieth) | st.just(31.99)
    stakes, controls = {}, {}
    for key in draw(st.lists(IDS, unique=True, max_size=4)):
        low, high = sorted((draw(shares), draw(shares)))
        values = {name: draw(drawn) for name, drawn in {**ends, **common, "note": NOTES}.items()}
        imputed = draw(st.booleans())
        stakes[key] = Stake(id=key, share_min=low, share_max=high, imputed=imputed, dataset="bods", **values)
    for key in draw(st.lists(IDS, unique=True, max_size=3)):
        values = {name: draw(drawn) for name, drawn in {**common, "note": NOTES}.items()}
        kind = draw(st.sampled_from(["declared", "consolidation", "majority-of-votes", "rights"]))
        controls[key] = Control(
            id=key, controlled=draw(ends["owned"]), controller=draw(ends["owner"]), kind=kind, dataset="bods", **values
        )
    tables = {"entities": entities, "assets": {"pipe": asset}, "stakes": stakes, "controls": controls}
    return Records.of({"sources": SOURCES, **tables})


def owners(records: Records) -> dict[str, object]:
    register = OwnershipGraph(records, DAY, DAY)
    held = {stake.owned for stake in records.stakes.values()}
    return {owned: (Walk(register, owned).shares(), Walk(register, owned).unattributed()) for owned in held}


@given(small_records())
def test_what_is_written_is_read_again(records: Records) -> None:
    statements = render(records, "StrikeAtlas", DAY)
    back = parse("own.json", dumps(statements)).require_clean()
    assert back.entities == records.entities
    assert back.stakes == records.stakes
    assert back.controls == records.controls
    assert owners(back) == owners(records)
    for key in back.sources.keys() & SOURCES.keys():
        assert back.sources[key] == SOURCES[key].model_copy(update={"dataset": "bods"})


_REQUIRED_DETAILS = {
    "entity": ("isComponent", "entityType"),
    "person": ("isComponent", "personType"),
    "relationship": ("isComponent", "subject", "interestedParty"),
}


def missing_keys(statement: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys that BODS 0.4 requires of a statement and of its record, and that it lacks."""
    details = statement.get("recordDetails", {})
    wanted = _REQUIRED_DETAILS.get(str(statement.get("recordType")), ())
    missing = [f"recordDetails.{key}" for key in wanted if key not in details]
    return (*(key for key in REQUIRED if key not in statement), *missing)


@given(small_records())
def test_statements_have_what_bods_requires(records: Records) -> None:
    statements = render(records, "StrikeAtlas", DAY)
    known = set()
    for each in statements:
        assert missing_keys(each) == ()
        assert 32 <= len(each["statementId"]) <= 64
        assert each["publicationDetails"]["bodsVersion"] == "0.4"
        assert each["declarationSubject"] in {other["recordId"] for other in statements}
        details = each["recordDetails"]
        if each["recordType"] == "relationship":
            assert {details["subject"], details["interestedParty"]} <= known
            assert all(interest["type"] in INTEREST_TYPES for interest in details["interests"])
        assert each["recordId"] not in known
        known.add(each["recordId"])
    assert len({each["statementId"] for each in statements}) == len(statements)
    assert render(records, "StrikeAtlas", DAY) == statements


def test_the_bundled_records_come_back(records: Records) -> None:
    statements = render(records, "StrikeAtlas", DAY)
    back = parse("own.json", dumps(statements), dataset="curated").require_clean()
    # BODS has no member for which of several nationalities is the effective one.
    alike = {
        key: entity.model_copy(update={"registered_in": None}) if len(entity.nationalities) > 1 else entity
        for key, entity in records.entities.items()
    }
    assert back.entities == alike
    assert back.stakes == records.stakes
    assert back.controls == records.controls


def test_what_is_in_a_person_or_in_nothing_known_is_not_written() -> None:
    person = Entity(id="p", name="P", type="person", checked="read")
    common: dict[str, Any] = {"owner": "p", "share_min": 1, "share_max": 1, "source": "s", "checked": "read"}
    stakes = {key: Stake(id=key, owned=key, **common) for key in ("p", "gone")}
    statements = render(Records.of({"entities": {"p": person}, "stakes": stakes, "sources": SOURCES}), "P", DAY)
    assert [each["recordType"] for each in statements] == ["person"]
    assert render(Records.of({}), "P", DAY) == []


def test_an_exact_share_and_full_days_are_written_as_such_and_the_rest_is_annotated() -> None:
    entities = {name: Entity(id=name, name=name, type="registeredEntity", checked="read") for name in "abc"}
    common: dict[str, Any] = {"owned": "a", "source": "s", "checked": "excerpt"}
    stakes = {
        "x": Stake(id="x", owner="b", share_min=40, share_max=40, since="2020-05-01", until="2021-06", **common),
        "y": Stake(id="y", owner="c", share_min=10, share_max=20, note="As of its report.", **common),
    }
    statements = render(Records.of({"entities": entities, "stakes": stakes, "sources": SOURCES}), "P", DAY)
    [exact, ranged] = [each for each in statements if each["recordType"] == "relationship"]
    [interest] = exact["recordDetails"]["interests"]
    assert (interest["share"], interest["startDate"], "endDate" in interest) == ({"exact": 40}, "2020-05-01", False)
    assert exact["annotations"][0]["description"] == "checked: excerpt. since 2020-05-01. until 2021-06"
    assert exact["source"] == {"type": ["thirdParty"], "url": "https://s.example/x", "assertedBy": [{"name": "S"}]}
    assert ranged["recordDetails"]["interests"][0]["share"] == {"minimum": 10, "maximum": 20}
    assert ranged["annotations"][0]["description"] == "checked: excerpt. As of its report."
    assert missing_keys({"recordType": "person", "recordDetails": {}})[-1] == "recordDetails.personType"


def test_an_address_in_other_letters_is_written_as_a_uri_and_comes_back_as_it_was() -> None:
    source = SOURCES["s"].model_copy(update={"url": "https://s.example/удар’a?%20b=[1]"})
    entities = {name: Entity(id=name, name=name, type="registeredEntity", checked="read") for name in "ab"}
    stake = Stake(id="x", owned="a", owner="b", share_min=1, share_max=2, source="s", checked="read")
    records = Records.of({"entities": entities, "stakes": {"x": stake}, "sources": {"s": source}})
    statements = render(records, "P", DAY)
    urls = [each["source"]["url"] for each in statements if each["recordType"] == "relationship"]
    assert urls == ["https://s.example/%D1%83%D0%B4%D0%B0%D1%80%E2%80%99a?%20b=[1]"]
    back = parse("own.json", dumps(statements)).require_clean().sources["s"]
    assert back == source.model_copy(update={"dataset": "bods"})
