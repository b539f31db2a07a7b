"""What becomes of records of open data before they are the open layer."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely

from layers.model.records import Entity, Records, Stake
from layers.reference.basemap import Basemap
from tests.layers.store.test_open_layer import TRACKER, asset, held, point, records_of, stake, written
from tools.open_layer import archive, pinned, refine
from tools.open_layer.refine import Correction, OwnerRow


def only(records: Records) -> object:
    (one,) = records.assets.values()
    return one.geometry


def test_corners_that_say_nothing_are_left_out_of_a_course() -> None:
    line = shapely.LineString([(30.0, 50.0), (30.1, 50.00001), (30.2, 50.0), (30.2, 51.123456789)])
    place = {"geometry": line, "uncertainty_m": 5e3, "basis": "line-end", "place_source": "tracker"}
    records = records_of(TRACKER, asset("line", kind="pipeline", **place))
    assert only(refine.with_simple_courses(records)) == shapely.LineString([(30, 50), (30.2, 50), (30.2, 51.12346)])


def test_parts_that_are_shorter_than_what_is_rounded_off_are_left_out_but_not_all() -> None:
    short = [(30.0, 50.0), (30.000001, 50.0)]
    place = {"uncertainty_m": 5e3, "basis": "line-end", "place_source": "tracker"}
    both = shapely.MultiLineString([short, [(31.0, 50.0), (32.0, 50.0)]])
    for given, simple in ((both, shapely.LineString([(31, 50), (32, 50)])), (shapely.LineString(short),) * 2):
        records = records_of(TRACKER, asset("line", kind="pipeline", geometry=given, **place))
        assert only(refine.with_simple_courses(records)) == simple


@pytest.mark.parametrize(
    ("lon", "lat", "swapped"),
    [(50.45, 30.52, True), (30.52, 50.45, False), (100.0, 10.0, False)],  # Kyiv; Kyiv; neither way in Ukraine
)
def test_axes_are_put_right_where_the_country_says_so(lon: float, lat: float, swapped: bool, base: Basemap) -> None:
    records = records_of(TRACKER, asset("field", kind="gas-field", **point(lon, lat)))
    put_right = refine.with_axes_put_right(records, base)
    assert only(put_right) == (shapely.Point(lat, lon) if swapped else shapely.Point(lon, lat))
    assert bool(put_right.assets["field"].note) == swapped


def test_interests_in_licences_and_contracts_are_relations_and_no_stakes() -> None:
    field = asset("field", kind="oil-field")
    interest = stake("field", "holder", 51.0).model_copy(update={"dataset": "gem/goget"})
    changed = refine.with_interests(records_of(TRACKER, field, interest, stake("plant", "holder", 49.0)), "gem/goget")
    assert [*changed.stakes] == ["plant>holder"]
    (tie,) = changed.relations.values()
    assert (tie.asset, tie.entity, tie.relation) == ("field", "holder", "licensee")
    assert tie.note == "Interest in a licence or contract, which GEM lists as ownership: 51 %."


def test_the_doubt_of_a_line_is_half_of_its_longest_straight_stretch_and_at_most_30_km() -> None:
    def doubt(*corners: tuple[float, float], uncertainty_m: float, basis: str) -> float | None:
        place = {"uncertainty_m": uncertainty_m, "basis": basis, "place_source": "tracker"}
        line = asset("line", kind="pipeline", geometry=shapely.LineString(corners), **place)
        (one,) = refine.with_doubt_of_straight_stretches(records_of(TRACKER, line)).assets.values()
        return one.uncertainty_m

    # A degree of the equator is 111.3 km.
    assert doubt((0, 0), (0.2, 0), (0.3, 0), uncertainty_m=50e3, basis="line-end") == 11_100
    assert doubt((0, 0), (2, 0), uncertainty_m=25e3, basis="line-end") == 30_000
    assert doubt((0, 0), (0.01, 0), uncertainty_m=2e3, basis="site") == 2_000
    assert doubt((0, 0), (1, 0), uncertainty_m=2e3, basis="site") == 30_000


def test_the_doubt_of_a_point_holds_the_field_that_it_is_of() -> None:
    records = records_of(
        TRACKER,
        asset("alone", kind="gas-field", **point(30.0, 50.0)),
        asset("one", kind="oil-field", **point(31.0, 50.0)),
        asset("other", kind="gas-field", **point(31.0, 50.0)),
        asset("vague", kind="gas-field", **{**point(32.0, 50.0), "uncertainty_m": 40e3}),
        asset("nowhere", kind="gas-field"),
        asset("plant", kind="refinery", **point(31.0, 50.0)),
    )
    doubts = {key: one.uncertainty_m for key, one in refine.with_reach_of_fields(records).assets.items()}
    assert doubts == {"alone": 10e3, "one": 25e3, "other": 25e3, "vague": 40e3, "nowhere": None, "plant": 500.0}


def test_a_correction_cites_its_page_and_says_why() -> None:
    page = {"url": "https://example.org/plant", "publisher": "A company", "language": "en"}
    row = Correction(("plant",), {"geometry": [31.0, 30.5], "aliases": ["Other"]}, page, "The tracker's is the town")
    corrected = refine.with_corrections(records_of(*held()), [row])
    plant, before = corrected.assets["plant"], records_of(*held()).assets["plant"]
    assert (plant.geometry, plant.aliases, plant.note) == (
        shapely.Point(31, 30.5),
        ("Other",),
        "The tracker's is the town",
    )
    assert plant.sources == (*before.sources, plant.place_source)
    assert corrected.sources[plant.place_source or ""].url == page["url"]
    with pytest.raises(KeyError):
        refine.with_corrections(records_of(*held()), [Correction(("gone",), {}, page, "")])


def test_judgements_and_parts_name_sites_that_there_are() -> None:
    records = records_of(*held())
    (judgement,) = refine.judged_assets(
        [{"curated": "a-p", "open": "plant", "why": "One site."}], "part", records, "Ann", "2026"
    )
    assert (judgement.one, judgement.other, judgement.verdict) == ("a-p", "plant", "part")
    parts = refine.with_parts(records, [{"curated": "a-c", "open": key} for key in ("plant", "plant/1")]).assets
    assert (parts["plant"].part_of, parts["plant/1"].part_of) == ("a-c", "plant")
    for pairs in ([{"curated": "a-p", "open": "gone", "why": "."}],):
        with pytest.raises(KeyError):
            list(refine.judged_assets(pairs, "same", records, "Ann", "2026"))
        with pytest.raises(KeyError):
            refine.with_parts(records, pairs)


def test_plants_that_others_have_are_left_out() -> None:
    size = {"capacity": 100.0, "capacity_unit": "MW"}
    known = records_of(
        TRACKER, asset("known", name="Alpha power plant", kind="power-plant", **size, **point(30.0, 50.0))
    )
    oil = {"kind": "power-plant", "commodity": "Oil"}
    plants = records_of(
        TRACKER,
        asset("near", **oil, **point(30.01, 50.0)),
        asset("named", **{**oil, "name": "ALPHA", **size, "capacity": 110.0}, **point(30.5, 50.0)),
        asset("sun", kind="power-plant", commodity="Solar", **point(35.0, 50.0)),
        asset("new", **oil, **point(36.0, 50.0)),
        asset("larger", **{**oil, "name": "Alpha", **size, "capacity": 150.0}, **point(30.5, 50.0)),
        asset("far", **{**oil, "name": "Alpha", **size}, **point(33.0, 50.0)),
        stake("new", "holder", 100.0),
        stake("near", "other", 100.0),
        *(Entity(id=key, dataset="wri", name=key, type="legalEntity", checked="read") for key in ("holder", "other")),
    )
    left = refine.without_plants_of(plants, known)
    assert [*left.assets] == ["new", "larger", "far"]
    assert [*left.entities] == ["holder"]
    assert [*left.stakes] == ["new>holder"]


def test_owners_have_the_country_that_a_page_says_and_no_other() -> None:
    page = {"url": "https://example.org/holder", "publisher": "A register", "title": "Holder", "published": "2024"}
    rows = [
        OwnerRow(id="holder", name="Holder", registered_in="AZ", source=page, quote="of Baku", checked="read"),
        OwnerRow(id="group", name="Group", registered_in="GB"),
        OwnerRow(id="nobody", name="Nobody", registered_in="FR", source=page),
    ]
    records = refine.with_owners(records_of(*held()), rows, "Ann", "2026-12-02")
    holder = records.entities["holder"]
    assert (holder.registered_in, holder.note, holder.checked) == ("AZ", "“of Baku”", "read")
    assert records.sources[holder.sources[-1]].url == page["url"]
    assert records.entities["group"] == records_of(*held()).entities["group"]
    assert "nobody" not in records.entities


def test_owners_that_the_records_have_are_judged_to_be_the_same() -> None:
    records = refine.with_owners(
        records_of(*held()), [OwnerRow(id="holder", name="Holder", curated="socar")], "Ann", "2026-12-02"
    )
    (judgement,) = records.identities.values()
    assert (judgement.one, judgement.other, judgement.verdict) == ("socar", "holder", "same")


def test_an_entity_of_several_origins_has_the_names_and_sources_of_all() -> None:
    one = Entity(id="e", dataset="a", name="E", aliases=("F",), type="legalEntity", checked="read", sources=("s",))
    other = one.model_copy(update={"dataset": "b", "name": "G", "aliases": ("E",), "sources": ("s", "t")})
    joined = refine.as_open(refine.joined([records_of(one), records_of(other)])).entities["e"]
    assert (joined.name, joined.aliases, joined.sources, joined.dataset) == ("E", ("F", "G"), ("s", "t"), "open/a")


def test_differences_name_what_came_what_went_and_what_changed(tmp_path: Path) -> None:
    first = written(tmp_path / "first.zip", *held())
    renamed = [one.model_copy(update={"name": "Other"}) if one.id == "plant" else one for one in held()[1:]]
    without = [one for one in renamed if not isinstance(one, Stake)]
    second = written(tmp_path / "second.zip", TRACKER, *without, asset("new"))
    said = [*archive.differences(first, second)]
    assert said[0] == "assets: 2 before, 3 now; 1 added, 0 removed, 1 changed"
    assert "  + new new" in said
    assert "  ~ plant name: 'plant' -> 'Other'" in said
    assert "stakes: 2 before, 0 now; 0 added, 2 removed, 0 changed" in said
    assert [*archive.differences(first, first)] == []


def test_files_that_are_not_the_pinned_ones_are_all_named(tmp_path: Path) -> None:
    every, routes = pinned.origins()
    with pytest.raises(pinned.ChangedFile) as refused:
        pinned.require_pinned(tmp_path, [*every, *routes])
    assert str(refused.value).count("missing") == len(every) + len(routes)
