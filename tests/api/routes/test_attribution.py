"""Shape of the answers on the bundled records, and that owners, hosts and other ties are never mixed."""

from __future__ import annotations

from datetime import date
from typing import Any, get_args

import jsonschema
import pytest
from starlette.testclient import TestClient

from api.serializers import attribution as tell
from api.serializers import country as tell_country
from api.terminal import attribution as printing
from api.terminal.console import console
from layers.model.records import RECORD_TYPES, Records
from layers.model.types import RelationKind
from layers.reference.basemap import Basemap
from layers.snapshot.snapshot import Snapshot

Json = dict[str, Any]

DEPOT, ORLIVKA, CPC = "ua-socar-depot-2025-08-08", "ua-orlivka-2025-08-06", "ru-cpc-kropotkinskaya-2025-02-17"
NORD_STREAM, FLEX, UNECHA = "nord-stream-1-2022-09-26", "ua-flex-2025-08-21", "a-unecha"
RELATIONS = set(get_args(RelationKind))

# Key to type; a tuple of types allows each, a list of one shape is a list of such, {...} an object with these keys.
NUMBER, MAYBE = (int, float), (str, type(None))
SHARE = {
    "country": str,
    "name": str,
    "share_min": NUMBER,
    "share_max": NUMBER,
    "state": list,
    "holder": list,
    "company": list,
}
REST = {"country": type(None), "name": str, "share_min": NUMBER, "share_max": NUMBER, "reasons": list}
STEP = {
    "owner": str, "name": str, "country": MAYBE, "type": str, "owned": str, "share_min": NUMBER, "share_max": NUMBER,
    "since": MAYBE, "until": MAYBE, "checked": str, "source": str, "note": MAYBE,
}  # fmt: skip
CHAIN = {
    "share_min": NUMBER, "share_max": NUMBER, "country": MAYBE, "reach": str, "reason": MAYBE,
    "stays_with": (dict, type(None)), "steps": [STEP],
}  # fmt: skip
OWNED = {
    "owners": list, "chains": [CHAIN], "rest": {"share_min": NUMBER, "share_max": NUMBER}, "warnings": [str],
    "control": (dict, type(None)), "control_days": [{"first": MAYBE, "last": MAYBE, "control": (dict, type(None))}],
}  # fmt: skip
TIE = {
    "relation": str, "entity": str, "name": str, "country": MAYBE, "country_name": MAYBE, "asset": str, "since": MAYBE,
    "until": MAYBE, "note": MAYBE, "source": str, "checked": str,
}  # fmt: skip
EVIDENCE = {
    "probability": NUMBER,
    "distance_m": (int, float, type(None)),
    "reasons": [{"name": str, "value": NUMBER, "weight": NUMBER, "detail": str}],
}
SOURCE = {
    "publisher": str,
    "title": MAYBE,
    "url": MAYBE,
    "archive_url": MAYBE,
    "published": MAYBE,
    "language": MAYBE,
    "licence": MAYBE,
}
CLAIM = {"record": str, "field": str, "value": str, "quote": MAYBE, "source": str, "checked": str}
PART = {
    "country": MAYBE, "name": MAYBE, "share_min": NUMBER, "share_max": NUMBER, "sure": bool,
    "holders": [{"entity": str, "name": str, "evidence": str, "head_office_known": bool}],
}  # fmt: skip
PARTY = {
    "entity": MAYBE, "name": MAYBE, "country": MAYBE, "country_name": MAYBE, "headquartered_in": MAYBE, "reach": MAYBE,
    "share_min": NUMBER, "share_max": NUMBER, "sure": bool,
}  # fmt: skip
THREE: dict[str, Any] = {"registration": [PART], "headquarters": [PART], "control": [PARTY]}
READINGS = {"sites_together": int, **THREE, "sites": [{"asset": str, "name": str, "confirmed": bool, **THREE}]}
STRIKE_ANSWER = {
    "headline": str, "headline_parts": [str], "readings": READINGS,
    "strike": dict, "basis": str, "minority": str, "rests_on": str, "decision": (dict, type(None)),
    "host": (dict, type(None)), "host_basis": MAYBE, "owners": list, "related": [TIE], "assets": list,
    "claims": [CLAIM],
    "candidates": [{"asset": str, "name": str, "kind": str, **EVIDENCE}], "none_probability": NUMBER, "sources": dict,
    "candidates_below": {"count": int, "probability": NUMBER}, "corrections": str, "match_answer": str,
    "updated": MAYBE,
}  # fmt: skip
CONDITION = {
    "asset": str, "strike": MAYBE, "status": str, "working_min": (*NUMBER, type(None)),
    "working_max": (*NUMBER, type(None)), "since": str, "until": MAYBE, "source": str, "checked": str, "note": MAYBE,
}  # fmt: skip
HIT = {
    "conditions": [CONDITION],
    "asset": dict,
    "verdict": str,
    "sure": bool,
    "decision": (dict, type(None)),
    "match": (dict, type(None)),
    **OWNED,
}
BRIEF = {"strike": str, "title": str, "when": str, "place": str, "host_country": MAYBE, "status": str}
TIES = (*get_args(RelationKind), "host")
COUNTED = {
    "owner": {"strikes": int, "strikes_sure": int, "hits": int, "assets_min": NUMBER, "assets_max": NUMBER},
    **{tie: {"strikes": int, "strikes_sure": int} for tie in TIES},
}
BOUND = (int, float, type(None))
CAPACITY = {
    "hit": [{"unit": MAYBE, "capacity_min": BOUND, "capacity_max": BOUND, "sites": int, "sites_sure": int,
             "rests_on": [str], "sources": [str]}],
    "lost": [{"cause": str, "unit": MAYBE, "capacity_days_min": BOUND, "capacity_days_max": BOUND,
              "volume_unit": MAYBE, "volume_min": BOUND, "volume_max": BOUND, "sites": int, "sites_sure": int,
              "sources": [str]}],
    "untold": int,
}  # fmt: skip
COUNTRY_ANSWER = {
    "capacity": {"owner": CAPACITY, "host": CAPACITY}, "since": MAYBE, "until": MAYBE, "sources": dict,
    "country": str, "name": str, "basis": str, "minority": str, "relation": MAYBE, "relations": COUNTED,
    "owned": [
        {**BRIEF, **SHARE, "asset": str, "asset_name": str, "rests_on": str, "alternative": bool, "site_sure": bool}
    ],
    "related": [{**BRIEF, **TIE, "asset_name": str}], "hosted": [{**BRIEF, "owners": str}],
    "counts": {"owned": int, "related": int, "hosted": int},
}  # fmt: skip
OWNERS_ANSWER = {
    "conditions": [CONDITION],
    "asset": dict,
    "on": str,
    "basis": str,
    "minority": str,
    **OWNED,
    "related": [TIE],
    "sources": dict,
    "updated": MAYBE,
}


def fits(value: Any, wanted: Any, at: str = "answer") -> None:
    """Require exactly these keys, and these types."""
    if isinstance(wanted, dict):
        assert value.keys() == wanted.keys(), f"{at}: {sorted(value.keys() ^ wanted.keys())}"
        for name, part in wanted.items():
            fits(value[name], part, f"{at}.{name}")
    elif isinstance(wanted, list):
        assert isinstance(value, list), at
        for index, part in enumerate(value):
            fits(part, wanted[0], f"{at}[{index}]")
    else:
        assert isinstance(value, wanted), f"{at}: {value!r}"


def owners_fit(rows: list[Json]) -> None:
    for row in rows:
        fits(row, SHARE if row["country"] else REST)
        assert 0 <= row["share_min"] <= row["share_max"] <= 100.5
        if row["country"]:
            assert all(0 <= low <= high for low, high in (row["state"], row["holder"], row["company"]))
    attributed = [row for row in rows if row["country"]]
    assert attributed == sorted(attributed, key=lambda row: (-row["share_max"], -row["share_min"], row["country"]))


def get(client: TestClient, path: str, **query: str) -> Json:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


def countries(told: Json) -> dict[str | None, tuple[float, float]]:
    return {row["country"]: (row["share_min"], row["share_max"]) for row in told["owners"]}


def test_every_strike_has_an_answer_of_one_shape(client: TestClient, records: Records) -> None:
    of_several = 0
    for strike in records.strikes:
        told = get(client, f"/strikes/{strike}/attribution")
        fits(told, STRIKE_ANSWER)
        more = {"regions", "day_first", "day_last", "n_sources", "n_voices"}
        assert told["strike"].keys() == {*RECORD_TYPES["strikes"].model_fields, *more}
        assert 0 <= told["strike"]["n_voices"] <= told["strike"]["n_sources"] == len(told["strike"]["sources"])
        assert told["rests_on"] in ("decision", "alternatives", "match", "nothing")
        owners_fit(told["owners"])
        assert {tie["relation"] for tie in told["related"]} <= RELATIONS
        for hit in told["assets"]:
            fits(hit, HIT)
            assert hit["asset"].keys() == {*RECORD_TYPES["assets"].model_fields, "group"}
            assert hit["verdict"] in ("confirmed", "possible", "proposed")
            owners_fit(hit["owners"])
        for chain in (chain for hit in told["assets"] for chain in hit["chains"]):
            assert chain["reach"] in ("state", "holder", "company", "unattributed")
        shown = told["none_probability"] + sum(one["probability"] for one in told["candidates"])
        if shown > 1.001:  # a text that names sites side by side: no one of them is a rival of another
            assert sum(one["probability"] > told["none_probability"] for one in told["candidates"]) > 1
            of_several += 1
        else:
            # Nothing is lost; sites side by side that are too unlikely to be shown come on top.
            assert shown + told["candidates_below"]["probability"] >= 1 - 1e-3
    assert of_several < len(records.strikes) / 10


def test_every_source_that_an_answer_cites_is_told_with_it(client: TestClient) -> None:
    for strike in (DEPOT, ORLIVKA, CPC, NORD_STREAM):
        told = get(client, f"/strikes/{strike}/attribution")
        for source in told["sources"].values():
            fits(source, SOURCE)
        cited = {claim["source"] for claim in told["claims"]} | set(told["strike"]["sources"])
        cited |= {step["source"] for hit in told["assets"] for chain in hit["chains"] for step in chain["steps"]}
        cited |= {tie["source"] for tie in told["related"]}
        assert cited <= told["sources"].keys()


def test_chains_begin_at_the_asset_and_hang_together(client: TestClient) -> None:
    (hit,) = get(client, f"/strikes/{CPC}/attribution")["assets"]
    shares = [chain["share_max"] for chain in hit["chains"]]
    assert shares == sorted(shares, reverse=True)
    assert len(shares) > 5
    for chain in hit["chains"]:
        assert chain["steps"][0]["owned"] == hit["asset"]["id"]
        for below, above in zip(chain["steps"], chain["steps"][1:], strict=False):
            assert above["owned"] == below["owner"]


def test_depot_is_owned_by_azerbaijan_and_orlivka_is_not(client: TestClient) -> None:
    depot, orlivka = get(client, f"/strikes/{DEPOT}/attribution"), get(client, f"/strikes/{ORLIVKA}/attribution")
    assert countries(depot) == {"AZ": (100, 100)}
    assert depot["host"]["country"] == "UA"
    assert depot["rests_on"] == "alternatives"
    assert len(depot["assets"]) > 1
    assert countries(orlivka) == {"UA": (100, 100)}
    assert ("supplier", "AZ") in {(tie["relation"], tie["country"]) for tie in orlivka["related"]}


def test_azerbaijan_lists_the_depot_as_owned_and_orlivka_as_supplied_and_adds_nothing(client: TestClient) -> None:
    told = get(client, "/countries/AZ")
    fits(told, COUNTRY_ANSWER)
    owned = {row["strike"] for row in told["owned"]}
    related = {row["strike"] for row in told["related"]}
    assert {DEPOT, "ua-socar-depot-2025-08-18"} <= owned
    assert ORLIVKA in {row["strike"] for row in told["related"] if row["relation"] == "supplier"}
    assert ORLIVKA not in owned
    assert told["counts"] == {"owned": len(owned), "related": len(related), "hosted": len(told["hosted"])}
    assert not any("share_min" in row for row in told["related"])
    assert "total" not in told["counts"]


@pytest.mark.parametrize("iso", ["UA", "RU", "HU", "US", "SG", "CH", "AQ", "az"])
def test_every_country_has_an_answer_of_one_shape(client: TestClient, snapshot: Snapshot, iso: str) -> None:
    told = get(client, f"/countries/{iso}")
    fits(told, COUNTRY_ANSWER)
    feature = client.get(f"/collections/countries/items/{iso.upper()}").json()["properties"]
    counts = {f"{name}_strikes": number for name, number in told["counts"].items()}
    assert counts == {name: feature[name] for name in counts}
    owner = told["relations"]["owner"]
    flat = {name: feature[f"owned_{name}"] for name in ("strikes", "strikes_sure", "hits", "assets_min", "assets_max")}
    assert owner == flat
    ties = {tie: feature[f"{tie.replace('-', '_')}_strikes"] for tie in TIES if tie != "host"}
    assert {tie: told["relations"][tie]["strikes"] for tie in ties} == ties
    assert told["relations"]["host"]["strikes"] == len(told["hosted"])


@pytest.mark.parametrize("relation", sorted({*RELATIONS, "owner", "host"}))
def test_strikes_of_one_relation_are_told_alone(client: TestClient, relation: str) -> None:
    whole, told = get(client, "/countries/UA"), get(client, "/countries/UA", relation=relation)
    capacity = {relation: CAPACITY} if relation in ("owner", "host") else {}
    fits(told, COUNTRY_ANSWER | {"relations": {relation: COUNTED[relation]}, "capacity": capacity})
    assert told["relation"] == relation
    assert told["relations"][relation] == whole["relations"][relation]
    assert told["owned"] == (whole["owned"] if relation == "owner" else [])
    assert told["hosted"] == (whole["hosted"] if relation == "host" else [])
    assert told["related"] == [row for row in whole["related"] if row["relation"] == relation]
    listed = {row["strike"] for part in ("owned", "related", "hosted") for row in told[part]}
    assert len(listed) == told["relations"][relation]["strikes"]


def test_countries_are_listed_by_strikes_of_a_relation(client: TestClient) -> None:
    told = get(client, "/countries", basis="headquarters")
    fits(told, {"basis": str, "minority": str, "relation": MAYBE, "countries": list})
    for row in told["countries"]:
        fits(row, {"country": str, "name": str, "relations": COUNTED})
        assert any(count["strikes"] for count in row["relations"].values())
    by_owner = [row["relations"]["owner"]["strikes"] for row in told["countries"]]
    assert by_owner == sorted(by_owner, reverse=True)
    for row in get(client, "/countries")["countries"]:
        assert row == {
            key: get(client, f"/countries/{row['country']}")[key] for key in ("country", "name", "relations")
        }
    suppliers = get(client, "/countries", relation="supplier")["countries"]
    assert "AZ" in {row["country"] for row in suppliers}
    for row in suppliers:
        fits(row, {"country": str, "name": str, "relations": {"supplier": COUNTED["supplier"]}})
        assert row["relations"]["supplier"]["strikes"] > 0


def test_a_country_is_told_in_plain_words(snapshot: Snapshot) -> None:
    told = tell_country.country_answer(snapshot, "RU", "registration", "stay")
    with console.capture() as said:
        console.print(printing.country(told))
    text = " ".join(said.get().split())
    owner = told["relations"]["owner"]
    share = f"{round(owner['assets_min'], 2):g} to {round(owner['assets_max'], 2):g}"
    sure = f"owner in {owner['strikes']} strikes ({owner['strikes_sure']} of them sure); put together, its shares make"
    assert f"{told['name']}: {sure} {share} of the {owner['hits']} sites hit" in text
    assert "never added up" in text
    assert printing.country(tell_country.country_answer(snapshot, "AQ", "registration", "stay")) == (
        "Nothing is known to have been hit."
    )


@pytest.mark.parametrize("path", ["/countries", "/countries/AZ"])
def test_relations_that_there_are_not_are_refused(client: TestClient, path: str) -> None:
    answer = client.get(path, params={"relation": "boss"})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_other_ties_follow_the_basis(client: TestClient) -> None:
    for basis in ("registration", "headquarters"):
        told = get(client, "/strikes/ua-mondelez-2022-03/attribution", basis=basis)
        column = "registered_in" if basis == "registration" else "headquartered_in"
        for tie in told["related"]:
            entity = get(client, f"/records/entities/{tie['entity']}")
            assert tie["country"] == (entity[column] or entity["registered_in"])


def test_country_by_headquarters_is_another_country(client: TestClient) -> None:
    assert countries(get(client, f"/strikes/{FLEX}/attribution")) == {"SG": (100, 100)}
    assert countries(get(client, f"/strikes/{FLEX}/attribution", basis="headquarters")) == {"US": (100, 100)}
    assert FLEX in {row["strike"] for row in get(client, "/countries/US", basis="headquarters")["owned"]}
    assert FLEX not in {row["strike"] for row in get(client, "/countries/SG", basis="headquarters")["owned"]}


def test_minorities_that_are_followed_reach_their_own_country(client: TestClient) -> None:
    stay = get(client, f"/strikes/{NORD_STREAM}/attribution")
    follow = get(client, f"/strikes/{NORD_STREAM}/attribution", minority="follow")
    assert stay["host"] is None
    assert countries(stay).keys() == {"RU", "DE", "NL", "FR"}
    assert "LU" in countries(follow)
    assert (stay["minority"], follow["minority"]) == ("stay", "follow")


def test_owners_of_an_asset_are_those_on_the_day(client: TestClient) -> None:
    now, then = (get(client, "/assets/a-cpc-kropotkinskaya/owners", on=day) for day in ("2025-02-17", "2007-06-01"))
    for told in (now, then):
        fits(told, OWNERS_ANSWER)
        owners_fit(told["owners"])
    assert countries(now)["RU"] == (46.4842, 46.5439)
    assert "OM" not in countries(now)
    assert countries(then)["OM"] == (7, 7)
    assert then["on"] == "2007-06-01"
    assert get(client, "/assets/a-cpc-kropotkinskaya/owners")["on"] == get(client, "/about")["data_date"]


def test_records_are_answered_as_stored_and_fit_their_schema(client: TestClient, records: Records) -> None:
    for table, noun in RECORD_TYPES.items():
        schema = get(client, f"/schemas/{table}")
        assert set(schema["properties"]) == set(noun.model_fields)
        for key, record in list(records.table(table).items())[::20]:
            told = get(client, f"/records/{table}/{key}")
            assert told == record.model_dump(mode="json")
            jsonschema.validate(told, schema)


def test_about_counts_what_is_there(client: TestClient, records: Records) -> None:
    told = get(client, "/about")
    texts = dict.fromkeys(("version", "history", "data_date", "attribution"), str)
    fits(told, {**texts, "records": dict, "embedders": [str]})
    assert told["records"] == {table: len(records.table(table)) for table in RECORD_TYPES}
    assert len(told["history"]) == 64


def test_control_is_told_apart_from_shares(client: TestClient) -> None:
    told = client.get("/assets/a-ns1/owners?on=2022-09-26").json()["control"]
    assert (told["entity"], told["country"], told["reach"]) == ("state-ru", "RU", "state")
    gazprom = next(step for step in told["steps"] if step["controlled"] == "gazprom")
    assert gazprom["share_min"] == pytest.approx(50.23)
    assert client.get("/assets/a-cpc-kropotkinskaya/owners?on=2025-02-17").json()["control"] is None


def test_control_follows_the_basis(client: TestClient) -> None:
    for basis, country in (("registration", "SG"), ("headquarters", "US")):
        (hit,) = get(client, f"/strikes/{FLEX}/attribution", basis=basis)["assets"]
        owners = get(client, "/assets/a-flex/owners", on="2025-08-21", basis=basis)
        assert hit["control"]["country"] == owners["control"]["country"] == country


def test_control_that_differs_over_the_days_of_a_strike_is_told_for_each(records: Records, base: Basemap) -> None:
    flex = next(stake for stake in records.stakes.values() if stake.owned == "a-flex")
    bought = flex.model_copy(update={"id": "bought", "owner": "socar", "since": "2025-08-11"})
    changed = {
        "stakes": {flex.id: flex.model_copy(update={"until": "2025-08-11"}), "bought": bought},
        "strikes": {FLEX: records.strikes[FLEX].model_copy(update={"when": "2025-08"})},
    }
    tables = {name: {**records.table(name), **changed.get(name, {})} for name in RECORD_TYPES}
    snapshot = Snapshot(Records.of(tables), base, 1, date(2026, 11, 25), wording=str)
    told = tell.strike_answer(snapshot, snapshot.answer(FLEX))
    (hit,) = told["assets"]
    spans = [(str(span["first"]), str(span["last"]), span["control"]["country"]) for span in hit["control_days"]]
    assert spans == [("2025-08-01", "2025-08-10", "SG"), ("2025-08-11", "2025-08-31", "AZ")]
    assert hit["control"] is None
    assert countries(told) == {"AZ": (0, 100), "SG": (0, 100), None: (0, 100)}
    with console.capture() as said:
        console.print(printing.strike(told))
    lines = " ".join(said.get().split())
    assert "Control differs over the days" in lines
    assert "10 August 2025 or earlier: Flex Ltd., SG" in lines


def test_holdings_tell_direct_shares_and_shares_in_all(client: TestClient) -> None:
    told = client.get("/entities/socar/holdings?on=2025-08-08").json()
    tanap = next(row for row in told["holdings"] if row["id"] == "a-tanap")
    assert tanap["direct"] == {"min": 0, "max": 0}
    assert tanap["effective"] == {"min": 31.99, "max": 31.99}
    assert client.get("/entities/nobody/holdings").status_code == 404


@pytest.mark.parametrize(("language", "name"), [("uk", "«Транснефть»"), ("en", "Transneft"), ("de", "Transneft")])
def test_holders_are_named_in_the_language_of_the_answer(client: TestClient, language: str, name: str) -> None:
    told = get(client, "/strikes/ru-unecha-2025-08-21/attribution", lang=language)
    assert f"({name}" in told["headline"]
    assert name in {step["name"] for hit in told["assets"] for chain in hit["chains"] for step in chain["steps"]}


def test_the_readings_are_the_answers_by_each_basis(client: TestClient, records: Records) -> None:
    """Of all that was hit, shares by registration and head office are those of the answers with that basis."""
    for strike in records.strikes:
        for basis in ("registration", "headquarters"):
            answer = get(client, f"/strikes/{strike}/attribution", basis=basis)
            owners = [(row["country"], row["share_min"], row["share_max"]) for row in answer["owners"]]
            rows = answer["readings"][basis]
            assert [(row["country"], row["share_min"], row["share_max"]) for row in rows] == owners, strike
            assert sum(row["share_max"] for row in answer["readings"]["control"]) >= 99.9, strike
            assert answer["headline"] == ". ".join(answer["headline_parts"])


def test_a_site_that_nobody_surely_controls_is_said_to_have_no_controller(client: TestClient) -> None:
    readings = get(client, "/strikes/qa-ras-laffan-2026-03-18/attribution")["readings"]
    assert readings["sites_together"] == 3
    by_site = {site["asset"]: [row["entity"] for row in site["control"]] for site in readings["sites"]}
    assert by_site == {"a-rl-pearl": [None], "a-rl-s4": ["state-qa"], "a-rl-s6": ["state-qa"]}
    parts = {row["entity"]: round(row["share_min"], 2) for row in readings["control"]}
    assert parts == {"state-qa": 66.67, None: 33.33}
