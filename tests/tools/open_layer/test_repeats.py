"""What trackers have twice is one site of the open layer, and what bears one name is told apart."""

from __future__ import annotations

import shapely

from layers.model.records import Asset, Records
from tests.layers.store.test_open_layer import TRACKER, asset, entity, point, records_of, stake
from tools.open_layer import repeats

LINE = {"geometry": shapely.LineString([(51, 25), (52, 26)]), "uncertainty_m": 25e3, "basis": "line-end"}


def plant(key: str, dataset: str, uncertainty_m: float = 500.0, lon: float = 30.0, **values: object) -> Asset:
    place = {**point(lon, 50.0), "uncertainty_m": uncertainty_m}
    return asset(key, **{"name": "Trypilska power station", "kind": "power-plant", **place, **values}).model_copy(
        update={"dataset": dataset}
    )


def unit(key: str, of: str, capacity: float, status: str = "operating", **values: object) -> Asset:
    size = {"capacity": capacity, "capacity_unit": "MW", "status": status}
    return asset(key, kind="power-plant", part_of=of, **point(30.0, 50.0), **size, **values)


def two_trackers(**gas: object) -> Records:
    return records_of(
        TRACKER,
        *map(entity, ("a", "b")),
        plant("coal", "gem/gcpt", status="mothballed"),
        unit("coal/1", "coal", 300.0, "mothballed", commodity="coal"),
        unit("coal/2", "coal", 100.0, commodity="coal"),
        plant("gas", "gem/gogpt", 5000.0, 30.02, **gas),
        unit("gas/1", "gas", 300.0, commodity="natural gas"),
        stake("coal", "a", 100.0),
        stake("coal/2", "a", 100.0),
        stake("gas", "b", 100.0),
        stake("gas/1", "b", 100.0),
    )


def test_a_plant_of_coal_and_gas_is_one_with_the_units_of_both() -> None:
    united = repeats.with_plants_united(two_trackers())
    assert [*united.assets] == ["coal", "coal/1", "coal/2", "gas/1"]
    one = united.assets["coal"]
    assert (one.capacity, one.status, one.commodity) == (400.0, "operating", "coal, natural gas")
    assert (one.uncertainty_m, one.geometry) == (500.0, shapely.Point(30, 50))
    assert one.note == "3 units: 1 mothballed, 2 operating"
    assert {united.assets[key].part_of for key in ("coal/1", "coal/2", "gas/1")} == {"coal"}
    # By capacity of the units that operate: 100 of a's, 300 of b's.
    shares = {
        stake.owner: (stake.share_min, stake.share_max) for stake in united.stakes.values() if stake.owned == "coal"
    }
    assert shares == {"a": (25.0, 25.0), "b": (75.0, 75.0)}
    assert {*united.stakes} == {"coal>a", "coal>b", "coal/2>a", "gas/1>b"}


def test_plants_of_other_names_countries_and_places_stay_apart() -> None:
    for other in ({"name": "Trypilska 2 power station"}, {"host_country": "RU"}, {"geometry": shapely.Point(31, 50)}):
        records = two_trackers(**other)
        assert repeats.with_plants_united(records) == records


def test_units_that_are_named_like_their_site_bear_their_number() -> None:
    records = records_of(
        TRACKER,
        asset("site", name="Muchke Coal Terminal", external_ids={"gem": "T1"}),
        asset("same", name="Muchke Coal Terminal", part_of="site", external_ids={"gem": "T01"}),
        asset("other", name="Muchke Coal Terminal, phase 2", part_of="site", external_ids={"gem": "T02"}),
    )
    told = repeats.with_distinct_unit_names(records).assets
    assert [one.name for one in told.values()] == [
        "Muchke Coal Terminal", "Muchke Coal Terminal, T01", "Muchke Coal Terminal, phase 2",
    ]  # fmt: skip


def test_lines_that_are_another_in_all_but_their_number_are_left_out() -> None:
    line = {"kind": "pipeline", "name": "V to S", "place_source": "tracker", **LINE}
    records = records_of(
        TRACKER,
        *map(entity, ("a", "b")),
        *(asset(key, **line) for key in ("p1", "p2", "p3")),
        asset("p4", **{**line, "status": "operating"}),
        *(stake(owned, owner, 100.0) for owned, owner in (("p1", "a"), ("p2", "a"), ("p3", "b"), ("p4", "a"))),
    )
    left = repeats.without_repeated_lines(records)
    assert [*left.assets] == ["p1", "p3", "p4"]
    assert [*left.stakes] == ["p1>a", "p3>b", "p4>a"]


def test_rows_of_one_number_name_and_place_are_one_plant() -> None:
    def row(key: str, capacity: float | None, **values: object) -> Asset:
        unit = "MW" if capacity is not None else None
        given = {"name": "SHEDGUM", "external_ids": {"gppd": "WRI7"}, **point(49.0, 25.0), **values}
        return asset(key, kind="power-plant", capacity=capacity, capacity_unit=unit, **given)

    rows = (row("a", 10.5, since="2014", status="operating"), row("b", 20.0, since="2010", status="operating"))
    summed = repeats.with_rows_summed(records_of(TRACKER, *rows, row("c", 5.0, name="SHEDGUM 2"))).assets
    assert [*summed] == ["a", "c"]
    one = summed["a"]
    assert (one.capacity, one.since, one.status, one.note) == (
        30.5,
        "2010",
        "operating",
        "The sum of 2 rows of the file",
    )
    assert summed["c"] == row("c", 5.0, name="SHEDGUM 2")
    unknown = repeats.with_rows_summed(records_of(TRACKER, *rows, row("d", None))).assets["a"]
    assert (unknown.capacity, unknown.status) == (None, None)
