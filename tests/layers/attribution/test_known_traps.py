"""Where a quick reading of the sources gives a wrong owner, a wrong place or a wrong sum, the records do not."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from pyproj import Geod
from shapely.ops import nearest_points

from api.wording.catalogue import text
from layers.attribution.attribute import StrikeAttribution, attributions
from layers.model.records import Asset, Records, Strike
from layers.ownership.walk import OwnershipGraph, Walk
from layers.reference.basemap import Basemap
from layers.snapshot.snapshot import Snapshot
from tests.layers.builders import records as made
from tests.layers.builders import worded
from tests.layers.load_builders import load_files

EARTH = Geod(ellps="WGS84")


def owners_in(answer: StrikeAttribution) -> set[str]:
    """Everybody on any chain of owners."""
    paths = [path for hit in answer.hits for path in hit.owners.chains.paths]
    return {step.stake.owner for path in paths for step in path.steps}


def ties(answer: StrikeAttribution) -> dict[str, str]:
    return {tie.entity: tie.relation for hit in answer.hits for tie in hit.relations}


def countries(answer: StrikeAttribution) -> dict[str, float]:
    return {row.country: round(row.share.high, 6) for row in answer.shares}


def test_the_struck_line_of_sinai_was_not_the_one_to_israel(snapshot: Snapshot) -> None:
    answer = snapshot.answer("eg-arish-2011-11-28")
    assert [hit.hit.asset for hit in answer.hits] == ["a-ari"]
    assert countries(answer) == {"EG": 100}
    assert "emg" not in owners_in(answer)
    assert ties(answer)["emg"] == "offtaker"


@pytest.mark.parametrize("lender", ["engie", "omv", "shell", "uniper", "wd"])
def test_who_lent_to_nord_stream_2_does_not_own_it(snapshot: Snapshot, lender: str) -> None:
    answer = snapshot.answer("nord-stream-2-2022-09-26")
    assert ties(answer)[lender] == "lender"
    assert lender not in owners_in(answer)
    assert countries(answer) == {"RU": 100}


def test_who_owns_the_fuel_does_not_own_the_tank(snapshot: Snapshot) -> None:
    answer = snapshot.answer("ye-hodeidah-2024-07-20")
    assert ties(answer) == {"wfp": "cargo-owner"}
    assert countries(answer) == {"YE": 100}
    assert "wfp" not in owners_in(answer)


@pytest.mark.parametrize(
    ("strike", "occupier", "country"),
    [
        ("ua-znpp-2024-04-07", "rosatom", "UA"),
        ("ua-kakhovka-dam-2023-06-06", "russian-forces", "UA"),
        ("ua-feodosia-2024-10-07", "mot", "UA"),
        ("ru-sudzha-2025-03-21", "ukrainian-forces", "RU"),
    ],
)
def test_who_holds_a_site_by_force_does_not_own_it(
    snapshot: Snapshot, strike: str, occupier: str, country: str
) -> None:
    answer = snapshot.answer(strike)
    assert ties(answer)[occupier] == "occupier"
    assert occupier not in owners_in(answer)
    assert countries(answer) == {country: 100}


def test_rosatom_owns_nothing_whatever_a_tracker_prints(snapshot: Snapshot, records: Records) -> None:
    assert "thermal plant" in records.claims["rosatom/owner/1"].value
    assert snapshot.holdings("rosatom", date(2024, 4, 7)) == ()


def test_the_brand_is_an_owner_only_as_far_as_it_holds_shares(snapshot: Snapshot) -> None:
    answer = snapshot.answer("ua-coca-cola-2022-03-10")
    assert ties(answer)["ko"] == "brand"
    assert countries(answer) == {"CH": 100}
    held = {row.id: row.effective for row in snapshot.holdings("ko", date(2022, 3, 10))}
    assert (held["a-coke"].low, held["a-coke"].high) == (21, pytest.approx(23.2))


def test_a_part_that_a_company_owns_of_itself_is_nobodys_loss(snapshot: Snapshot) -> None:
    found = snapshot.owners("rosneft", date(2024, 12, 25), minority="follow")
    assert sum(row.share.low for row in found.shares) == pytest.approx(100)
    assert found.unattributed.high == 0
    held = {row.id: row for row in snapshot.holdings("rn-nci", date(2024, 12, 25))}
    assert held["rosneft"].direct.low == 9.6


def test_who_says_he_left_is_still_on_the_register(snapshot: Snapshot) -> None:
    direct = {row.id: row.direct.low for row in snapshot.holdings("bp-ri", date(2024, 12, 25))}
    assert direct["rosneft"] == 19.75
    assert countries(snapshot.answer("ru-ryazan-2025-01-24")) == {"RU": 79.579646, "QA": 20.420354}
    followed = {row.country: row.share.low for row in snapshot.answer("ru-ryazan-2025-01-24", minority="follow").shares}
    assert followed["GB"] == pytest.approx(21.85, abs=0.005)


@pytest.mark.parametrize("vehicle", ["qh", "qatar-holding"])
def test_a_vehicle_of_a_sovereign_fund_is_followed_to_its_state(snapshot: Snapshot, vehicle: str) -> None:
    (row,) = snapshot.owners(vehicle, date(2025, 1, 24)).shares
    assert (row.country, row.reaches["state"].low) == ("QA", 100)


def test_a_train_of_the_south_is_not_the_train_of_that_number_in_the_north(snapshot: Snapshot) -> None:
    """QatarEnergy names "lines 4 and 6"; its partners in those say that they are the former RasGas trains."""
    answer = snapshot.answer("qa-ras-laffan-2026-03-18")
    assert {hit.hit.asset: hit.hit.verdict for hit in answer.hits} == {
        "a-rl-pearl": "confirmed",
        "a-rl-s4": "confirmed",
        "a-rl-s6": "confirmed",
    }
    assert {"cop", "mitsui", "tte"}.isdisjoint(owners_in(answer))


def test_a_printed_list_over_100_is_reported_and_never_rescaled() -> None:
    """The oil tracker prints Transneft 100 and nine others at the Caspian pipeline: 175.99 in all."""
    known = made(
        [("c", "registeredEntity", "AA"), ("d", "registeredEntity", "BB")],
        [("c", "a", 100, 100), ("d", "a", 75.99, 75.99)],
    )
    ownership = OwnershipGraph(known, None, None)
    walk = Walk(ownership, "a")
    assert worded(ownership.warnings(walk.nodes)) == ("known stakes in a sum to 175.99 %",)
    assert {row.country: round(row.share.low, 4) for row in walk.shares()} == {"AA": 100, "BB": 75.99}
    assert walk.unattributed()[0].high == 0


def test_the_caspian_pipeline_is_not_taken_from_the_list_over_100(snapshot: Snapshot, records: Records) -> None:
    assert "175.99" in records.claims["a-cpc-pipeline/owner/1"].value
    found = snapshot.owners("a-cpc-pipeline", date(2025, 2, 17))
    assert found.warnings == ()
    # Open are whose the 1.75 of Oryx is, and whether the venture of Rosneft and Shell is one of 51 to 49 or of halves.
    assert sum(row.share.low for row in found.shares) + found.unattributed.low == pytest.approx(100 - 1.75 - 0.075)
    assert sum(row.share.high for row in found.shares) + found.unattributed.high == pytest.approx(
        100 + 1.75 + 2 * 0.075
    )
    held = {row.id: row.effective.low for row in snapshot.holdings("transneft", date(2025, 2, 17))}
    assert held["cpc"] == pytest.approx(7)


@pytest.mark.parametrize(
    ("asset", "on", "known", "open_owner"),
    [
        ("a-bc", "2023-10-08", {"EE": (50, 60), "FI": (40, 50)}, "Baltic Connector"),
        ("a-sudzha", "2025-03-21", {"RU": (100, 100)}, "GTSOU"),
    ],
)
def test_an_unknown_share_beside_a_known_one(
    snapshot: Snapshot, records: Records, asset: str, on: str, known: dict[str, tuple[float, float]], open_owner: str
) -> None:
    found = snapshot.owners(asset, date.fromisoformat(on))
    assert {row.country: row.share.rounded() for row in found.shares} == known
    notes = [stake.note or "" for stake in records.stakes.values() if stake.owned == asset]
    notes += [claim.value for claim in records.claims.values() if claim.record == asset]
    assert any(open_owner in note for note in notes)


def test_two_names_for_one_share_count_once(snapshot: Snapshot) -> None:
    day = date(2022, 9, 26)
    assert {row.id: row.effective.low for row in snapshot.holdings("eon", day)}["a-ns1"] == 15.5
    assert {row.id for row in snapshot.holdings("uniper", day)} == {"unipro", "a-shat"}
    fifth = snapshot.owners("gnpoc", date(2014, 6, 1))
    rows = {row.country: row.share.rounded() for row in fifth.shares}
    assert rows == {"CN": (40, 40), "MY": (30, 30), "IN": (25, 25), "SD": (0, 5), "SS": (0, 5)}


@pytest.mark.parametrize(
    ("asset", "lat", "lon", "least_km"),
    [("a-sp", 26.8614, 52.1813, 100), ("a-ia", 28.0331, 9.4627, 35), ("a-abq", None, None, None)],
)
def test_the_point_of_a_field_is_not_the_struck_site(
    records: Records, asset: str, lat: float | None, lon: float | None, least_km: float | None
) -> None:
    site = records.assets[asset]
    assert "gem" not in site.external_ids
    assert "km away" in (site.note or "") or "must not be used" in (site.note or "")
    if lat is not None and least_km is not None and site.geometry is not None and site.uncertainty_m is not None:
        distance = EARTH.inv(site.geometry.x, site.geometry.y, lon, lat)[2]
        assert distance > max(1000 * least_km, site.uncertainty_m)


@pytest.mark.parametrize(
    ("strike", "asset"),
    [
        ("sa-yasref-2022-03-20", "a-yas"),
        ("ru-yanos-2024-01-29", "a-yanos"),
        ("ru-primorsk-2025-09-12", "a-prim"),
        ("ua-burshtyn-2024-03-22", "a-burshtyn"),
        ("nord-stream-1-2022-09-26", "a-ns1"),
        ("nord-stream-2-2022-09-26", "a-ns2"),
        ("sd-heglig-2025-08-26", "a-heg"),
    ],
)
def test_a_strike_on_a_known_site_stands_there_and_not_at_the_next_town(
    records: Records, strike: str, asset: str
) -> None:
    place, site = records.strikes[strike].geometry, records.assets[asset].geometry
    assert place is not None
    assert site is not None
    near, on_it = nearest_points(place, site)
    assert EARTH.inv(near.x, near.y, on_it.x, on_it.y)[2] < 5_000


@pytest.mark.parametrize(("asset", "least_m"), [("a-km", 20_000)])
def test_a_point_that_is_only_near_says_so(records: Records, asset: str, least_m: float) -> None:
    assert (records.assets[asset].uncertainty_m or 0) >= least_m


@pytest.mark.parametrize(
    ("record", "printed"),
    [
        ("a-yanos", "15 million tonnes a DAY"),
        ("a-km", "452 million cubic METRES"),
        ("ru-astrakhan-gpz-2025-02-03", "635 km"),
        ("ru-astrakhan-gpz-2025-02-03", "1,675 km"),
    ],
)
def test_figures_printed_in_a_wrong_unit_stay_claims(records: Records, record: str, printed: str) -> None:
    (claim,) = [claim for claim in records.claims.values() if claim.record == record and printed in claim.value]
    assert claim.source in records.sources
    told: Asset | Strike = records.assets[record] if record in records.assets else records.strikes[record]
    kept = told.model_dump(include={"capacity", "damage", "note", "when_note", "status_note"}, exclude_none=True)
    assert printed.split()[0] not in " ".join(map(str, kept.values()))


@pytest.mark.parametrize(
    "strike",
    [
        "ua-mykolaiv-oil-2022-10-16",
        "ru-kavkazskaya-2025-03-19",
        "ua-allseeds-2025-12-20",
    ],
)
def test_an_owner_that_no_source_settles_is_not_guessed(snapshot: Snapshot, strike: str) -> None:
    answer = snapshot.answer(strike)
    assert answer.unattributed.high == 100
    assert all(row.share.low == 0 for row in answer.shares)
    assert answer.reasons


def test_a_block_whose_contract_ended_is_not_its_former_partners(snapshot: Snapshot) -> None:
    """Block 2B went to the state company in November 2016; the line to the sea is another site."""
    for strike in ("sd-heglig-2025-08-26", "sd-heglig-2025-08-30"):
        answer = snapshot.answer(strike)
        assert countries(answer) == {"SD": 100}
        assert {"cnpc", "petronas", "ongc"}.isdisjoint(owners_in(answer))


def test_a_company_that_a_trust_holds_is_not_surely_of_its_country(snapshot: Snapshot) -> None:
    """The EU names the founder as owner, the company a discretionary trust, and the wife was named beneficiary.

    She is a citizen of Croatia and of Serbia, so that each of the two may have her part.
    """
    answer = snapshot.answer("ru-nevinnomyssk-2025-06-14")
    assert {row.country: row.share.rounded() for row in answer.shares} == dict.fromkeys(
        ("CH", "HR", "RS", "RU"), (0, 100)
    )
    assert answer.unattributed.high == 0
    assert {"firstline", "melnichenko", "melnichenko-a"} <= owners_in(answer)


def test_two_raids_on_one_site_are_two_strikes(snapshot: Snapshot) -> None:
    first, second = (snapshot.answer(f"il-bazan-2025-06-{day}").strike for day in (14, 15))
    assert (first.killed_max, second.killed_min) == (0, 3)
    assert "power-plant" not in first.target_kinds


def test_a_filling_station_is_not_the_depot_of_its_company(snapshot: Snapshot) -> None:
    """It bears the brand; who holds the title to the station no source tells, so that nothing of it is surely owned."""
    answer = snapshot.answer("ua-socar-station-2025-08-18")
    assert [hit.hit.asset for hit in answer.hits] == ["a-socar-azs-odesa"]
    assert set(ties(answer).values()) == {"brand"}
    assert {row.country: row.share.low for row in answer.shares if row.country} == {"AZ": 0}


def test_the_word_of_the_first_hour_stays_beside_the_later_one(records: Records) -> None:
    told = [claim.value for claim in records.claims.values() if claim.record == "ru-kavkazskaya-2025-03-19"]
    assert any("20 m²" in value for value in told)
    assert any("1,700 m²" in value for value in told)


def test_the_refinery_of_haifa_is_followed_no_further_than_its_company(snapshot: Snapshot) -> None:
    """Minorities hold it on the day: its company's country is all that is told, and who is said to control it."""
    (row,) = snapshot.answer("il-bazan-2025-06-15").shares
    assert (row.country, row.reaches["company"].low, row.reaches["state"].high) == ("IL", 100, 0)
    shares = {"ilcorp": (0, 7.3), "ipe": (15.45, 32.15)}
    for holder, share in shares.items():
        held = {row.id: row.effective for row in snapshot.holdings(holder, date(2025, 6, 15))}
        assert held["a-baz"].rounded() == pytest.approx(share)
    assert all(row.id != "a-baz" for row in snapshot.holdings("hagag", date(2025, 6, 15)))
    controller = snapshot.controller("a-baz", date(2025, 6, 15))
    assert controller is not None
    assert controller.entity == "ipe"


def test_what_a_printed_list_leaves_out_stays_with_the_company(snapshot: Snapshot) -> None:
    """The owners of the Arish-Ashkelon line are printed with 90 in all."""
    paths = snapshot.owners("emg", date(2020, 6, 1)).chains.paths
    (rest,) = [path for path in paths if not path.steps]
    assert (rest.share.low, rest.share.high) == (pytest.approx(10), pytest.approx(10))


def test_partners_in_a_field_nearby_do_not_own_the_plant(snapshot: Snapshot) -> None:
    answer = snapshot.answer("ru-orenburg-2025-10-19")
    assert {entity for entity, tie in ties(answer).items() if tie == "affected"} == {
        "shell",
        "eni",
        "chevron",
        "lukoil",
        "kazmunaygas",
    }
    assert countries(answer) == {"RU": 100}


@pytest.fixture(scope="module")
def loaded(records: Records, base: Basemap, real_data: Path, snapshot: Snapshot) -> Snapshot:
    """The bundled records with the gas pipelines of GEM and the reports of VIINA of 2025, as they are loaded."""
    pipelines = real_data / "gem_ggit_2024_10" / "ggit_map_2024-10-08.csv"
    reports = real_data / "viina_deepstrike_2022_2025" / "VIINA_2025_REBUILD.csv"
    known = load_files(records, base, "gem-tracker", pipelines, dataset="gem-tracker/ggit")
    known = load_files(known, base, "viina", reports, dataset="viina/2025")
    return Snapshot.of(known, base, 1, snapshot.data_date, wording=str)


def test_a_hamlet_that_stands_for_an_oblast_is_no_hit_on_the_pipeline_beside_it(loaded: Snapshot) -> None:
    """VIINA has the depot of SOCAR "in Odesa region" at Bilka, 5 km from a gas pipeline."""
    strike, pipeline = loaded.records.strikes["viina/320976"], loaded.records.assets["gem/p0784"]
    assert (strike.targets, strike.basis, pipeline.kind) == (("нафтобазу SOCAR",), "region", "pipeline")
    (match,) = (one for one in loaded.matches[strike.id] if one.asset == pipeline.id)
    assert match.distance_m is not None
    assert match.distance_m < 6_000
    assert match.probability < 0.001
    answer = loaded.answer(strike.id)
    assert answer.hits == ()
    assert answer.unattributed.low == 100
    likely = [one.asset for one in loaded.matches[strike.id] if one.probability > 0.1]
    assert sorted(filter(None, likely)) == ["a-socar-sintez", "a-socar-svitanok"]


@pytest.mark.parametrize(
    ("strike", "day", "port"),
    [
        ("viina/381553", "2025-11-05~", "Туапсе"),
        ("viina/381554", "2025-11-14~", "Новоросійськ"),
        ("viina/381555", "2025-12-06~", "Темрюк"),
    ],
)
def test_a_hamlet_called_port_is_not_the_port_in_another_country(
    loaded: Snapshot, strike: str, day: str, port: str
) -> None:
    """VIINA has "the port of Tuapse" at a hamlet near Odesa whose name is Port."""
    told = loaded.records.strikes[strike]
    assert (told.when, told.geometry, told.region, told.host_country) == (day, None, None, None)
    assert any(port in target for target in told.targets)
    assert "Port" not in told.place
    # Without a place the name alone speaks, and finds the port that is meant in its own country, if the layer has it.
    named = [match.asset for match in loaded.matches[strike] if match.asset]
    assert {loaded.records.assets[asset].host_country for asset in named} <= {"RU"}
    answer = loaded.answer(strike)
    hits = [owned.hit.asset for owned in answer.hits]
    # A port is the terminal in it, where the layer has one of that town, and not the refinery behind it.
    assert hits == {"Туапсе": ["a-tuapse"], "Темрюк": ["a-temr-port"]}.get(port, [])
    assert ("a-tuapse" in named) == (port == "Туапсе")
    countries = {row.country for row in attributions(loaded.records, [answer], text)}
    # The host country follows from the site, where there is one; no owner of the tanks at Temryuk is known.
    assert countries == {"Туапсе": {"RU", "QA"}, "Темрюк": {"RU", None}}.get(port, {None})
    assert (answer.unattributed.low == 100) == (port != "Туапсе")
