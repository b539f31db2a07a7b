"""Tags of OpenStreetMap: the table of kinds, commodities, outputs, names, holders, and what does not run."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.wording.catalogue import text as worded
from layers.model.types import AssetKind
from layers.sources.osm.elements import _INDUSTRIAL, _WANTED
from layers.sources.osm.tags import (
    INDUSTRIAL,
    LIFECYCLE,
    MAN_MADE,
    commodity_of,
    holders,
    kind_of,
    megawatts,
    names_of,
    skip_reason,
    status_tags,
)

LINE = {"man_made": "pipeline"}
PART = {"pipeline": "substation"}


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        (LINE, "pipeline"),
        ({**LINE, "substance": "oil"}, "pipeline"),
        ({**LINE, "pipeline": "gas"}, "pipeline"),
        ({**PART, "substation": "compression"}, "compressor-station"),
        ({**PART, "substation": "compression", "substance": "oil"}, "pump-station"),
        ({**PART, "substation": "pumping"}, "pump-station"),
        ({**PART, "substation": "measurement"}, "metering-station"),
        ({"industrial": "refinery"}, "refinery"),
        ({"industrial": "oil"}, "oil-processing"),
        ({"industrial": "oil_storage"}, "oil-depot"),
        ({"industrial": "petroleum_terminal"}, "oil-terminal"),
        ({"industrial": "fracking"}, "oil-field"),
        ({"industrial": "hydrocarbons"}, "oil-field"),
        ({"industrial": "wellsite"}, "oil-field"),
        ({"industrial": "well_cluster", "substance": "natural_gas"}, "gas-field"),
        ({"industrial": "gas"}, "gas-plant"),
        ({"industrial": "natural_gas"}, "gas-plant"),
        ({"industrial": "gas_storage"}, "gas-storage"),
        ({"industrial": "depot", "substance": "fuel"}, "oil-depot"),
        ({"industrial": "depot", "name": "Нафтобаза Вишнева"}, "oil-depot"),
        ({"man_made": "petroleum_well"}, "oil-field"),
        ({"man_made": "oil_well"}, "oil-field"),
        ({"man_made": "gas_well"}, "gas-field"),
        ({"man_made": "offshore_platform"}, "platform"),
        ({"power": "plant"}, "power-plant"),
        ({"power": "plant", "plant:source": "coal;nuclear"}, "power-plant"),
        ({"power": "plant", "plant:source": "hydro"}, "hydro-plant"),
        ({"power": "plant", "plant:source": "nuclear"}, "nuclear-plant"),
        ({"power": "substation", "substation": "transmission"}, "substation"),
        ({"power": "substation", "substation": "traction", "voltage": "6000"}, "substation"),
        ({"power": "substation", "substation": "distribution", "voltage": "35000;10000"}, "substation"),
        ({"power": "substation", "voltage": "20000"}, "substation"),
        ({"power": "substation", "name": "Vyshneva"}, "substation"),
        ({"power": "substation", "name": "Vyshneva", "voltage": "0"}, "substation"),
    ],
)
def test_kinds(tags: dict[str, str], kind: str) -> None:
    assert kind_of(tags) == kind
    assert kind in get_args(AssetKind)


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({}, "no tag of an energy asset"),
        ({"power": "substation"}, "power=substation without name, voltage and substation=*"),
        ({"power": "substation", "voltage": "yes"}, "power=substation without name, voltage and substation=*"),
        (
            {"power": "substation", "substation": "minor_distribution", "voltage": "35000", "name": "TP 5"},
            "power=substation of a street or workshop: substation=minor_distribution",
        ),
        (
            {"power": "substation", "substation": "industrial", "voltage": "10000;400"},
            "power=substation of a street or workshop: voltage=10000;400",
        ),
        ({"power": "generator", "name": "A", "generator:source": "wind"}, "power=generator"),
        ({"disused:power": "substation", "voltage": "110000"}, "disused:power=substation"),
        ({"man_made": "storage_tank"}, "man_made=storage_tank"),
        ({"industrial": "depot", "name": "Tram depot, Soil Street"}, "industrial=depot"),
        ({"pipeline": "valve"}, "pipeline=valve"),
        ({**LINE, "pipeline": "marker"}, "pipeline=marker"),
        (PART, "pipeline=substation, substation=(none)"),
        ({**PART, "substation": "regulation"}, "pipeline=substation, substation=regulation"),
        ({**PART, "substation": "pumping", "substance": "water"}, "a part of a line of water"),
        ({**LINE, "type": "sewage"}, "a line of sewage"),
    ],
)
def test_what_is_no_asset_and_why(tags: dict[str, str], why: str) -> None:
    assert (kind_of(tags), worded(skip_reason(tags))) == (None, why)


@pytest.mark.parametrize(
    ("substance", "is_asset"),
    [
        ("gas", True), ("oil;water", True), ("heating_oil", True), ("waste_gas", True), ("ammonia", True),
        ("", True), ("hot_water", False), ("wastewater", False), ("heat", False), ("compressed_air", False),
        ("rainwater;sewage", False), ("Steam", False),
    ],
)  # fmt: skip
def test_lines_of_what_is_no_fuel_are_no_assets(substance: str, is_asset: bool) -> None:
    assert (kind_of({**LINE, "substance": substance}) == "pipeline") == is_asset
    assert (kind_of({**LINE, "type": substance}) == "pipeline") == is_asset


def test_the_type_of_a_relation_is_no_substance() -> None:
    assert commodity_of({**LINE, "type": "route", "substance": "oil"}) == "oil"
    assert commodity_of({**LINE, "type": "route"}) is None
    assert commodity_of({**LINE, "type": "gas"}) == "gas"
    assert commodity_of({"industrial": "oil", "type": "multipolygon"}) is None
    assert commodity_of({"power": "plant", "plant:source": "coal"}) == "coal"


@pytest.mark.parametrize("prefix", LIFECYCLE)
def test_what_is_not_there_is_no_asset_by_its_prefix_and_says_so_by_its_tag(prefix: str) -> None:
    for key, value, more in (
        ("power", "plant", ("landuse", "industrial")),
        ("man_made", "pipeline", ("substance", "gas")),
    ):
        tags = {f"{prefix}:{key}": value, more[0]: more[1]}
        assert (kind_of(tags), worded(skip_reason(tags))) == (None, f"{prefix}:{key}={value}")
    assert status_tags({"power": "plant", prefix: "yes"}) == (f"{prefix}=yes",)
    assert status_tags({"power": "plant", prefix: "no"}) == ()


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("2.835 GW", 2835.0), ("500 MW", 500.0), ("196kW", 0.196), ("2850 W", 0.00285), ("10 MWp", 10.0),
        ("1578,6 MW", 1578.6), ("303 МВт", 303.0), ("270 кВт", 0.27), ("30kw", 0.03), ("5 mW", 5.0),
    ],
)  # fmt: skip
def test_outputs_in_megawatts(text: str, output: float) -> None:
    tags = {"plant:output:electricity": text}
    assert megawatts(tags) == pytest.approx(output, abs=1e-9)
    assert status_tags(tags) == ()


@pytest.mark.parametrize("text", ["135 MVA", "3,680 MW", "0", "10 MW;20 MW", "-5 MW", "MW", "٣ MW"])
def test_an_output_that_cannot_be_read_is_reported(text: str) -> None:
    tags = {"plant:output:electricity": text}
    assert (megawatts(tags), status_tags(tags)) == (None, (f"plant:output:electricity={text}",))


def test_the_voltages_of_a_substation_are_in_its_note_and_no_capacity() -> None:
    tags = {"power": "substation", "voltage": "330000;110000"}
    assert (megawatts(tags), status_tags(tags)) == (None, ("voltage=330000;110000",))
    assert status_tags({"power": "plant", "voltage": "330000"}) == ()


def test_an_output_that_is_not_given_is_none() -> None:
    for text in ("", "yes", "no"):
        assert (megawatts({"plant:output:electricity": text}), status_tags({"plant:output:electricity": text})) == (
            None,
            (),
        )


def test_names_by_language() -> None:
    tags = {"name": "Б", "name:en": "A", "name:uk": "Б", "name:sr-Latn": "C", "name:left": "D", "name:etymology": "E"}
    assert names_of(tags) == ("A", {"uk": "Б", "sr-Latn": "C"}, ())
    assert names_of({"name": "Б", "int_name": "A", "old_name": "C;D", "name:en": ""}) == ("A", {}, ("Б", "C", "D"))
    assert names_of({"name": "Б"}) == ("Б", {}, ())
    assert names_of({"name:uk": "Б"}) == ("Б", {"uk": "Б"}, ())
    assert names_of({}) == (None, {}, ())


def test_holders_with_their_items() -> None:
    assert holders({"owner": "A;B", "owner:wikidata": "Q1; Q2"}, "owner") == [("A", "Q1"), ("B", "Q2")]
    assert holders({"owner": "A;B", "owner:wikidata": "Q1"}, "owner") == [("A", ""), ("B", "")]
    assert holders({"operator:wikidata": "Q1"}, "operator") == [("Q1", "Q1")]
    assert holders({"operator": "unknown", "owner": "A"}, "operator") == []


def test_a_pbf_file_is_searched_for_every_tag_that_makes_an_asset() -> None:
    wanted = {*_WANTED, *(("industrial", value) for value in _INDUSTRIAL)}
    assert {("man_made", value) for value in MAN_MADE} <= wanted
    assert {("industrial", value) for value in INDUSTRIAL} | {("industrial", "depot")} <= wanted
    assert {("power", "plant"), ("pipeline", "substation")} <= wanted


KEYS = ["power", "man_made", "industrial", "pipeline", "substance", "substation", "type", "plant:source", "name"]
WORDS = ["plant", "pipeline", "substation", "compression", "refinery", "depot", "gas", "water", "oil", ""]


@given(st.dictionaries(st.sampled_from(KEYS), st.sampled_from(WORDS) | st.text(max_size=9)))
def test_any_tags_are_of_a_kind_or_say_why_not(tags: dict[str, str]) -> None:
    before = dict(tags)
    kind = kind_of(tags)
    assert kind in get_args(AssetKind) if kind else worded(skip_reason(tags))
    assert tags == before
