"""What is published tells nothing of what is hidden: not that it changed, nor by trial what it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path

import orjson
import pytest
import shapely
from shapely import Point
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from layers.disclosure.policy import parse
from layers.model.records import Strike
from layers.store.history_chain import Unlinked, link, unsalted_link
from layers.store.row_mapping import TABLES, to_json, version_of
from layers.store.store import ANY, Edit, Store
from tests.api import private_doors as doors
from tests.api.private_doors import DATASET, KEY, STRIKE, secret
from tests.conftest import FEW_COUNTRIES
from tests.store_copies import opened_copy
from tests.store_kinds import set_policy

POLICY = parse(
    '[[rounding]]\ntable = "strikes"\nmetres = 5000\ncountries = ["UA"]\n'
    '[[withhold]]\ntable = "strikes"\nfields = ["killed_min", "killed_max", "note"]'
)
#: Digits in base 16, as hashes, entity tags and names of changes have them, and in base 32, as codes of figures have.
_DIGITS = re.compile(r"[0-9a-f]{10,64}|[a-z2-7]{4}(?:-[a-z2-7]{4}){6}")
EXACT = Point(30.412, 46.643)


class Atlas:
    """A server of a store with a policy, and what the public is shown by all of its doors."""

    def __init__(self, folder: Path, bundled: Store) -> None:
        self.store = opened_copy(bundled, folder / "atlas.gpkg")
        set_policy(self.store, POLICY)
        self.app = create_app(self.store, Settings(basemap=FEW_COUNTRIES, follow_every_s=0, cache_from=0))
        self.client = TestClient(self.app, raise_server_exceptions=False)

    def public_answers(self, addresses: Iterable[str]) -> dict[str, tuple[int, bytes, dict[str, str]]]:
        self.app.state.atlas.refresh()
        answers = ((address, self.client.get(address)) for address in addresses)
        return {
            address: (answer.status_code, doors.steady(answer.content), doors.validators(answer.headers))
            for address, answer in answers
        }

    def change(self, strike: str, **values: object) -> None:
        was = self.store.records().strikes[strike]
        self.store.write(Edit("strikes", strike, was.model_copy(update=values), ANY), author="Ann", why="for nobody")


@pytest.fixture(scope="module")
def atlas(few_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Atlas]:
    held = Atlas(tmp_path_factory.mktemp("hidden"), few_store)
    with held.client:
        yield held


def test_a_change_that_is_hidden_moves_no_public_byte(atlas: Atlas) -> None:
    addresses = [address for path, address in doors.addresses() if path not in doors.OF_THE_PROCESS]
    atlas.change(STRIKE, note="seen", damage="seen")
    before = atlas.public_answers(addresses)
    health = atlas.client.get("/health").json()["workers"]
    atlas.store.load(secret(), author="tests", private={DATASET: "no licence"})
    place = atlas.store.records().strikes[STRIKE].geometry
    assert place is not None
    atlas.change(STRIKE, killed_min=3, killed_max=4)
    atlas.change(STRIKE, note="seen again")
    atlas.change(STRIKE, geometry=shapely.transform(place, lambda xy: xy + 1e-6))
    atlas.change(KEY, title="A private title")
    atlas.store.write(Edit("strikes", "qqj/2", None, ANY), author="Ann")
    after = atlas.public_answers(addresses)
    assert [address for address in before if before[address] != after[address]] == []
    now = atlas.client.get("/health").json()["workers"]
    assert [(one["history"], one["changed"]) for one in now] == [(one["history"], one["changed"]) for one in health]
    # And a change that is published moves what tells of it.
    atlas.change(STRIKE, damage="a published change")
    telling = ["/about", "/corrections?limit=100", f"/records/strikes/{STRIKE}", "/"]
    assert [address for address, said in atlas.public_answers(telling).items() if said == before[address]] == []


def test_a_server_that_starts_anew_names_the_same_version(atlas: Atlas) -> None:
    settings = Settings(basemap=FEW_COUNTRIES, follow_every_s=0, cache_from=0)
    atlas.app.state.atlas.refresh()
    with TestClient(create_app(atlas.store, settings)) as client:
        assert client.app.state.atlas.view.version == atlas.app.state.atlas.view.version  # type: ignore[attr-defined]


# What an attacker does who knows everything but what is hidden, and tries it.


def published(atlas: Atlas) -> set[str]:
    """All digits that the public is shown, by whichever door, in whichever form."""
    addresses = [
        *(address for _, address in doors.addresses()),
        *(f"/{path}?f={form}" for path in ("about", "corrections") for form in ("json", "html")),
        "/collections/strikes/items/review-1", "/records/strikes/review-1", "/corrections?record=review-1",
        "/strikes/review-1/attribution", "/cite?url=http://testserver/strikes/review-1/attribution",
    ]  # fmt: skip
    texts = [repr(one) for one in atlas.public_answers(addresses).values()]
    return {found for text in texts for found in _DIGITS.findall(text.lower())}


def matches(digest: str, shown: set[str]) -> bool:
    """Whether digits that were shown are a digest, or the beginning of one."""
    return any(digest[:length] in shown for length in (10, 16, 18, 32, 64))


@pytest.mark.parametrize("every", [20, pytest.param(1, marks=pytest.mark.long)])
def test_the_exact_place_and_a_withheld_number_are_not_found_by_trial(atlas: Atlas, every: int) -> None:
    place = {"geometry": EXACT, "uncertainty_m": 300, "basis": "site", "place_source": "24tv-pmi"}
    strike = Strike(
        id="review-1", dataset="review", title="A depot was struck", when="2026-02-01", place="Odesa",
        host_country="UA", status="reported", sources=("24tv-pmi",), checked="read", killed_min=4, killed_max=4,
        **place,
    )  # fmt: skip
    head = atlas.store.head()
    seq = atlas.store.write(Edit("strikes", strike.id, strike, None), author="Ann")
    shown = published(atlas)
    rounded = atlas.client.get("/records/strikes/review-1").json()
    assert (rounded["killed_min"], "geometry" in rounded["withheld"]) == (None, True)
    assert matches(atlas.store.head().hash, shown), "the hash of the change is shown, and no search in it succeeds"
    table = TABLES["strikes"]
    (row,) = [one for one in atlas.store.revisions(seq - 1) if one.record == strike.id]
    # Every point of the cell at the digits that the record has, and every number: the whole space, at the time to the
    # millisecond that the log tells, and at those beside it.
    plain = table.to_dict(strike)
    template = to_json({**plain, "geometry": "POINT(@)", "killed_min": "#", "killed_max": "#"})
    centre = shapely.from_wkt(table.to_dict(published_as(atlas, "review-1"))["geometry"])
    steps = [step / 1000 for step in range(-50, 51)]
    points = [f"{round(centre.x + x, 3):g} {round(centre.y + y, 3):g}" for x, y in product(steps, steps)]
    exact = f"{EXACT.x:g} {EXACT.y:g}"
    assert exact in points
    killed = ["null", *map(str, range(12))]
    times = [row.at, row.at[:-2] + "0Z"]
    found: list[tuple[str, str]] = []
    control: list[tuple[str, str]] = []
    published_then = {unsalted_link(head.hash, seq, unlinked(row.at, to_json(plain)))}
    for point in {exact, *points[::every]}:
        for number in killed:
            after = template.replace("POINT(@)", f"POINT ({point})").replace('"#"', number)
            for at in times:
                candidate = unlinked(at, after)
                tried = unsalted_link(head.hash, seq, candidate)
                if tried in published_then:
                    control.append((point, number))
                if matches(tried, shown) or matches(link(head.hash, seq, candidate, ""), shown):
                    found.append((point, number))
            if matches(version_of(orjson.loads(after), b""), shown):
                found.append((point, number))
    assert {*control} == {(exact, "4")}, "of hashes without a salt the search finds the exact place"
    assert found == []
    atlas.store.write(Edit("strikes", strike.id, None, ANY), author="Ann")


def unlinked(at: str, after: str) -> Unlinked:
    return (at, "Ann", "strikes", "review-1", None, after, None)


def test_neither_the_author_of_a_change_nor_its_reason_is_found_by_trial(atlas: Atlas) -> None:
    head, was = atlas.store.head(), atlas.store.records().strikes[STRIKE]
    changed = was.model_copy(update={"damage": "one tank"})
    seq = atlas.store.write(Edit("strikes", STRIKE, changed, ANY), author="Ben", why="Ann was wrong")
    shown = published(atlas)
    assert "Ben" not in atlas.client.get(f"/corrections?record={STRIKE}").text
    assert matches(atlas.store.head().hash, shown), "the hash of the change is shown, and no search in it succeeds"
    (row,) = [*atlas.store.revisions(seq - 1)]
    table = TABLES["strikes"]
    plain = table.to_dict(changed)
    names = ("Ann", "Ben", "Cleo", "Dan", "Eva", "Fay", "Gus", "another program", "load")
    reasons = (None, "", "Ann was wrong", "a report", "corrected")
    known = unsalted_link(
        head.hash, seq, (row.at, "Ben", "strikes", STRIKE, to_json(table.to_dict(was)), to_json(plain), "Ann was wrong")
    )
    found, control = [], []
    for name, why in product(names, reasons):
        candidate = (row.at, name, "strikes", STRIKE, to_json(table.to_dict(was)), to_json(plain), why)
        if any(
            matches(digest, shown)
            for digest in (unsalted_link(head.hash, seq, candidate), link(head.hash, seq, candidate, ""))
        ):
            found.append((name, why))
        if unsalted_link(head.hash, seq, candidate) == known:
            control.append((name, why))
    assert control == [("Ben", "Ann was wrong")]
    assert found == []


def test_a_guessed_private_source_is_not_confirmed_by_an_entity_tag(atlas: Atlas) -> None:
    """The tag of a strike names it as it is published, whichever private sources it cites."""
    atlas.store.load(secret(), author="tests", private={DATASET: "no licence"})
    was = atlas.store.records().strikes[STRIKE]
    before = atlas.public_answers([f"/collections/strikes/items/{STRIKE}"])
    cited = was.model_copy(update={"sources": (*was.sources, "qqj/src")})
    atlas.store.write(Edit("strikes", STRIKE, cited, ANY), author="Ann")
    assert atlas.public_answers(before) == before
    shown = published(atlas)
    for guess in (was, cited):
        assert not matches(version_of(TABLES["strikes"].to_dict(guess), b""), shown)
    key = atlas.store.version_key()
    assert matches(TABLES["strikes"].version(published_as(atlas, STRIKE), key), shown), "it would be found with the key"


def published_as(atlas: Atlas, strike: str) -> Strike:
    """A strike as the policy lets it be published."""
    shown: Strike = atlas.app.state.atlas.view.disclosure.records.strikes[strike]
    return shown
