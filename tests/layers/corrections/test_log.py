"""The log tells each published change from which value to which, and nothing that was not published at the time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.requests.corrections_query import keys_of
from api.wording.catalogue import text
from layers.corrections.concerned import records_of_answer, records_of_asset
from layers.corrections.log import (
    MAX_SINGLE,
    CorrectionEntry,
    CorrectionsLog,
    CorrectionsPage,
    CorrectionsQuery,
    PublishedVersion,
)
from layers.disclosure.policy import OPEN, Policy, parse
from layers.model.records import Claim, Decision, Entity, Record, Records, Source, Stake, Strike
from layers.model.timestamps import timestamp
from layers.reference.basemap import Basemap
from layers.snapshot.disclosure import disclose
from layers.snapshot.snapshot import Snapshot
from layers.store import history_pages
from layers.store.row_mapping import TABLES
from layers.store.store import ANY, Edit, Store
from tests.store_kinds import behind_its_back

DEPOT = "ua-socar-depot-2025-08-08"
START = datetime(2026, 3, 1, tzinfo=UTC)


class Atlas:
    """A store with some of the bundled records, edited an hour after another."""

    def __init__(self, path: Path, records: Records, base: Basemap) -> None:
        self.store, self.base, self.now = Store.create(path / "atlas.gpkg"), base, START
        self._version_of = cache(self._version)
        self.load(records)

    def load(self, records: Records, why: str | None = None) -> None:
        self.store.load(records, author="a load", at=self.tick(), why=why)

    def tick(self) -> datetime:
        self.now += timedelta(hours=1)
        return self.now

    def edit(self, edit: Edit, why: str | None) -> int:
        return self.store.write(edit, author="an editor", at=self.tick(), why=why)

    def add(self, table: str, record: Record, why: str | None = None) -> int:
        return self.edit(Edit(table, record.id, record, None), why)

    def remove(self, table: str, record: str, why: str | None = None) -> int:
        return self.edit(Edit(table, record, None, ANY), why)

    def write(self, table: str, record: Record, why: str | None = None) -> int:
        return self.edit(Edit(table, record.id, record, ANY), why)

    def change(self, table: str, record: str, why: str | None = None, **values: Any) -> int:
        return self.write(table, self.store.records().table(table)[record].model_copy(update=values), why)

    def version(self, policy: Policy = OPEN) -> PublishedVersion:
        return self._version_of(self.store.seq(), policy)

    def _version(self, _seq: int, policy: Policy) -> PublishedVersion:
        seq, stored = self.store.version()
        disclosure = disclose(stored, policy, datetime.now(UTC))
        snapshot = Snapshot.of(disclosure.records, self.base, seq, date(2026, 3, 2), wording=text)
        return PublishedVersion(snapshot, stored, disclosure)

    def page(self, policy: Policy = OPEN, **query: Any) -> CorrectionsPage:
        return CorrectionsLog(self.store).page(self.version(policy), CorrectionsQuery(**query))

    def entries(self, policy: Policy = OPEN, **query: Any) -> tuple[CorrectionEntry, ...]:
        return self.page(policy, **query).entries


@pytest.fixture
def atlas(tmp_path: Path, few_records: Records, base: Basemap) -> Atlas:
    return Atlas(tmp_path, few_records, base)


def digits(atlas: Atlas, seq: int) -> str:
    """How a change is named in public."""
    return atlas.store.head(seq).hash[:32]


def changes(entry: CorrectionEntry) -> dict[str, tuple[Any, Any]]:
    return {change.field: (change.before, change.after) for change in entry.changes}


def strike(key: str = "new", **values: Any) -> Strike:
    stated = {"title": "A new one", "when": "2026-02-01", "place": "Odesa", "host_country": "UA", "status": "reported"}
    return Strike(id=key, dataset="review", **{**stated, "sources": ("24tv-pmi",), "checked": "read", **values})


def test_the_first_load_is_one_entry_with_counts(atlas: Atlas, few_records: Records) -> None:
    (entry,) = atlas.entries()
    assert (entry.kind, entry.role, entry.id, entry.key) == ("addition", "load", f"load-{digits(atlas, 1)}", None)
    counted = {count.table: (count.added, count.changed, count.removed) for count in entry.counts}
    assert counted["strikes"] == (len(few_records.strikes), 0, 0)
    assert {count.dataset for count in entry.counts} == {"curated"}


def test_an_edit_is_told_field_by_field(atlas: Atlas) -> None:
    before = atlas.store.records().strikes[DEPOT]
    seq = atlas.change("strikes", DEPOT, status="verified", killed_max=3)
    entry = atlas.entries()[0]
    assert (entry.seq, entry.kind, entry.key, entry.name) == (seq, "correction", ("strikes", DEPOT), before.title)
    assert changes(entry) == {"status": (before.status, "verified"), "killed_max": (before.killed_max, 3)}
    assert entry.strikes == (DEPOT,)
    assert "owner_countries" in entry.may_follow
    assert entry.why is None
    assert entry.role == "editor"
    assert entry.author is None
    assert {"UA", "AZ"} <= set(entry.countries)


def test_additions_and_retractions_tell_every_stated_field(atlas: Atlas) -> None:
    atlas.add("strikes", strike())
    atlas.remove("strikes", "new")
    retraction, addition, _ = atlas.entries()
    assert (retraction.kind, addition.kind) == ("retraction", "addition")
    assert changes(addition)["title"] == (None, "A new one")
    assert changes(retraction)["title"] == ("A new one", None)
    assert "damage" not in changes(addition)


def test_the_reason_of_a_change_is_told(atlas: Atlas) -> None:
    atlas.add("strikes", strike(), why="a report of the ministry")
    atlas.change("strikes", "new", title="Corrected", why="<b>a typo</b>")
    atlas.remove("strikes", "new", why="it is told twice")
    assert [entry.why for entry in atlas.entries()][:3] == [
        "it is told twice",
        "<b>a typo</b>",
        "a report of the ministry",
    ]


def test_a_load_and_each_correction_of_it_have_its_reason(atlas: Atlas, few_records: Records) -> None:
    added = {f"new-{i}": strike(f"new-{i}").model_copy(update={"dataset": "curated"}) for i in range(30)}
    changed = few_records.strikes[DEPOT].model_copy(update={"title": "Corrected"})
    atlas.load(replace(few_records, strikes={**few_records.strikes, **added, DEPOT: changed}), why="the file of March")
    assert [entry.why for entry in atlas.entries()] == ["the file of March", "the file of March", None]


def test_a_decision_names_its_strike_its_grounds_and_what_may_follow(atlas: Atlas) -> None:
    decision = Decision(
        id="review/1", dataset="review", strike=DEPOT, verdict="none", who="Ann", when="2026-03-01", why="a new picture"
    )
    atlas.store.append("decisions", decision, author="Ann", at=atlas.tick())
    entry = atlas.entries()[0]
    assert (entry.strikes, entry.why) == ((DEPOT,), "a new picture")
    assert {"assets", "owner_countries"} <= set(entry.may_follow)
    assert "Ann" not in str(entry)
    named = atlas.entries(parse('authors = "name"'))[0]
    assert named.author == "Ann"
    assert changes(named)["who"] == (None, "Ann")


def test_a_stake_concerns_the_strikes_on_what_lies_below_it(atlas: Atlas) -> None:
    snapshot = atlas.version().snapshot
    key = next(one for table, one in sorted(records_of_answer(snapshot, DEPOT)) if table == "stakes")
    atlas.change("stakes", key, note="corrected")
    entry = atlas.entries()[0]
    assert DEPOT in entry.strikes
    assert entry.may_follow == ("owners", "owner_countries")


def test_a_reload_sums_up_additions_and_tells_every_correction(atlas: Atlas, few_records: Records) -> None:
    added = {
        f"new-{i}": strike(f"new-{i}", title=f"Title {i}").model_copy(update={"dataset": "curated"}) for i in range(30)
    }
    changed = few_records.strikes[DEPOT].model_copy(update={"title": "Corrected"})
    atlas.load(replace(few_records, strikes={**few_records.strikes, **added, DEPOT: changed}))
    found = atlas.entries()
    assert [entry.kind for entry in found] == ["reload", "correction", "addition"]
    (count,) = found[0].counts
    assert (count.table, count.added, count.changed) == ("strikes", 30, 1)
    assert changes(found[1])["title"] == (few_records.strikes[DEPOT].title, "Corrected")
    assert found[1].role == "load"


def test_a_small_load_is_listed_record_by_record(atlas: Atlas, few_records: Records) -> None:
    added = {f"new-{i}": strike(f"new-{i}").model_copy(update={"dataset": "curated"}) for i in range(3)}
    atlas.load(replace(few_records, strikes={**few_records.strikes, **added}))
    assert [entry.kind for entry in atlas.entries()] == ["addition"] * 4


def walked(atlas: Atlas, **query: Any) -> list[str]:
    found: list[str] = []
    before, seen = None, set[str]()
    while True:
        page = atlas.page(before=before, **query)
        found += [entry.id for entry in page.entries]
        if page.next_before is None:
            return found
        assert page.next_before not in seen
        before = page.next_before
        seen.add(before)


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
def test_pages_together_are_the_whole(atlas: Atlas, few_records: Records, limit: int) -> None:
    added = {f"new-{i}": strike(f"new-{i}").model_copy(update={"dataset": "curated"}) for i in range(MAX_SINGLE + 5)}
    changed = {key: one.model_copy(update={"note": "x"}) for key, one in list(few_records.strikes.items())[-4:]}
    atlas.load(replace(few_records, strikes={**few_records.strikes, **changed, **added}))
    for number in range(5):
        atlas.change("strikes", DEPOT, note=f"note {number}")
    whole = walked(atlas, limit=1000)
    assert walked(atlas, limit=limit) == whole
    assert len(whole) == len(set(whole)) == 5 + 1 + 4 + 1


def test_a_page_looks_at_so_many_changes_at_most(atlas: Atlas, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        atlas.change("strikes", DEPOT, note=f"note {number}")
    whole = walked(atlas, kind="addition")
    monkeypatch.setattr("layers.corrections.log.MAX_SCANNED", 2)
    assert atlas.page(kind="addition").entries == ()
    assert walked(atlas, kind="addition") == whole == [f"load-{digits(atlas, 1)}"]


def test_filters(atlas: Atlas) -> None:
    atlas.change("strikes", DEPOT, note="one")
    morning = atlas.now
    atlas.add("strikes", strike(host_country="GE"))
    atlas.remove("strikes", "new")
    stamp = morning.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def kinds(**query: Any) -> list[str]:
        return [entry.kind for entry in atlas.entries(**query)]

    assert kinds() == ["retraction", "addition", "correction", "addition"]
    assert kinds(kind="correction") == ["correction"]
    assert kinds(kind="retraction") == ["retraction"]
    assert kinds(kind="reload") == []
    assert kinds(country="GE") == ["retraction", "addition"]
    assert kinds(country="AZ") == ["correction"]
    assert kinds(since=stamp) == ["retraction", "addition", "correction"]
    assert kinds(until=stamp) == ["addition"]
    assert kinds(keys=frozenset({("strikes", DEPOT)})) == ["correction", "addition"]


def test_of_a_strike_all_is_told_that_its_answer_rests_or_rested_on(atlas: Atlas) -> None:
    claim = Claim(id="claim-1", record=DEPOT, field="damage", value="fire", source="24tv-pmi", checked="read")
    atlas.add("claims", claim)
    atlas.remove("claims", "claim-1")
    snapshot = atlas.version().snapshot
    keys = records_of_answer(snapshot, DEPOT)
    asset = next(one for table, one in keys if table == "assets")
    atlas.change("assets", asset, note="elsewhere")
    atlas.change("strikes", "ua-orlivka-2025-08-06", note="not of this one")
    told = [(entry.kind, entry.key) for entry in atlas.entries(keys=keys, limit=3)]
    assert told == [
        ("correction", ("assets", asset)),
        ("retraction", ("claims", "claim-1")),
        ("addition", ("claims", "claim-1")),
    ]


def followed(atlas: Atlas, since: int, **of: str) -> list[tuple[str, tuple[str, str]]]:
    """Kind and record of each change after one that the feed of a site or owner tells, oldest first."""
    keys = keys_of(atlas.version().snapshot, **of)
    entries = atlas.entries(keys=keys, followed=next(iter(of.values())), above=since)
    return [(entry.kind, entry.key) for entry in reversed(entries) if entry.key is not None]


def test_a_site_and_an_owner_can_be_followed(atlas: Atlas, few_records: Records) -> None:
    site, owner = "a-socar-sintez", "socar"
    begun = atlas.store.seq()
    decision = Decision(
        id="new-hit", strike="new", asset=site, verdict="confirmed", who="x", when="2026-02-02", why="seen"
    )
    stake = next(one for one in few_records.stakes.values() if one.owner == owner)
    atlas.add("strikes", strike())
    atlas.store.append("decisions", decision, author="an editor", at=atlas.tick())
    atlas.change("assets", site, note="a site")
    atlas.change("entities", owner, note="an owner")
    atlas.change("stakes", stake.id, note="a stake of it")
    atlas.change("assets", "a-abq", note="elsewhere")
    atlas.change("entities", "aramco", note="of another")
    of_site = [
        ("addition", ("strikes", "new")),
        ("addition", ("decisions", "new-hit")),
        ("correction", ("assets", site)),
        ("correction", ("entities", owner)),
    ]
    above = {key for key in records_of_asset(atlas.version().snapshot, site) if key[0] == "stakes"}
    of_stake = [("correction", ("stakes", stake.id))]
    assert followed(atlas, begun, asset=site) == of_site + (of_stake if ("stakes", stake.id) in above else [])
    assert followed(atlas, begun, entity=owner) == of_site + of_stake
    assert followed(atlas, begun, asset=site, entity="aramco") == []


def test_the_log_has_what_is_removed_of_a_site_and_an_owner_too(atlas: Atlas, few_records: Records) -> None:
    site = "a-socar-sintez"
    stake = next(one for one in few_records.stakes.values() if one.owned == site)
    atlas.add("strikes", strike())
    atlas.add("entities", few_records.entities["socar"].model_copy(update={"id": "new-owner"}))
    atlas.add("stakes", stake.model_copy(update={"id": "new-stake", "owner": "new-owner"}))
    begun = atlas.store.seq()
    atlas.remove("stakes", "new-stake")
    atlas.remove("entities", "new-owner")
    assert followed(atlas, begun, asset=site) == [("retraction", ("stakes", "new-stake"))]
    assert followed(atlas, begun, entity="new-owner") == [
        ("retraction", ("stakes", "new-stake")),
        ("retraction", ("entities", "new-owner")),
    ]
    assert followed(atlas, begun, entity="aramco") == []
    assert followed(atlas, begun, asset="nothing-of-this-id") == []


class TestPrivate:
    """Of what is private now nothing is told; of what was, nothing from before it was published."""

    def test_a_private_record_has_no_entry(self, atlas: Atlas) -> None:
        atlas.add("strikes", strike(private=True, title="marker"), why="marker")
        atlas.change("strikes", "new", title="marker too", why="marker")
        assert "marker" not in str(atlas.page())

    def test_a_record_that_became_private_has_none_of_before_either(self, atlas: Atlas) -> None:
        atlas.add("strikes", strike(title="marker"))
        atlas.add(
            "claims", Claim(id="c", record="new", field="place", value="marker", source="24tv-pmi", checked="read")
        )
        assert "marker" in str(atlas.page())
        atlas.change("strikes", "new", private=True)
        assert "marker" not in str(atlas.page())
        assert "'new'" not in str(atlas.page())

    def test_nor_has_it_once_it_is_removed(self, atlas: Atlas) -> None:
        atlas.add("strikes", strike(title="marker"))
        atlas.add(
            "claims", Claim(id="c", record="new", field="place", value="marker", source="24tv-pmi", checked="read")
        )
        atlas.change("strikes", "new", private=True)
        atlas.remove("claims", "c")
        atlas.remove("strikes", "new")
        assert "marker" not in str(atlas.page())
        assert "'new'" not in str(atlas.page())

    def test_what_is_published_later_is_an_addition_without_its_past(self, atlas: Atlas) -> None:
        atlas.add("strikes", strike(private=True, title="marker"))
        atlas.add(
            "claims", Claim(id="c", record="new", field="place", value="marker", source="24tv-pmi", checked="read")
        )
        atlas.change("claims", "c", value="Odesa")
        atlas.change("strikes", "new", title="public")
        atlas.store.publish("review", ["new"], author="Ann", why="agreed", at=atlas.tick())
        atlas.change("strikes", "new", title="public too")
        correction, addition, claim, _ = atlas.entries()
        assert (correction.kind, changes(correction)) == ("correction", {"title": ("public", "public too")})
        assert (addition.kind, changes(addition)["title"]) == ("addition", (None, "public"))
        assert (claim.kind, claim.key, changes(claim)["value"]) == ("addition", ("claims", "c"), (None, "Odesa"))
        assert "marker" not in str(atlas.page())

    def test_a_reason_from_before_a_record_was_public_is_not_told(self, atlas: Atlas) -> None:
        """Nor why it was published: who stated that may have spoken of the source."""
        atlas.add("strikes", strike(private=True), why="marker")
        atlas.change("strikes", "new", title="as published", why="marker")
        atlas.store.publish("review", ["new"], author="Ann", why="marker", at=atlas.tick())
        atlas.change("strikes", "new", title="corrected", why="a typo")
        atlas.change("strikes", DEPOT, note="n", why="another")
        another, correction, addition, _ = atlas.entries()
        assert (another.why, correction.why) == ("another", "a typo")
        assert (addition.kind, changes(addition)["title"]) == ("addition", (None, "as published"))
        assert addition.why is None
        assert "marker" not in str(atlas.page())
        atlas.change("strikes", "new", private=True, why="marker")
        assert "a typo" not in str(atlas.page())

    def test_nor_is_that_of_a_load_of_private_records(self, atlas: Atlas, few_records: Records) -> None:
        added = {f"new-{i}": strike(f"new-{i}", private=True) for i in range(40)}
        changed = {key: one.model_copy(update={"private": True}) for key, one in list(few_records.strikes.items())[:1]}
        atlas.load(replace(few_records, strikes={**few_records.strikes, **added, **changed}), why="marker")
        assert "marker" not in str(atlas.page())

    def test_what_rests_on_a_private_source_is_not_told(self, atlas: Atlas) -> None:
        atlas.add("sources", Source(id="hidden", publisher="marker", private=True))
        atlas.add("entities", Entity(id="holder", name="Holder", type="state", checked="read"))
        asset = next(iter(atlas.store.records().assets))
        stake = Stake(id="st", owned=asset, owner="holder", share_min=1, share_max=2, source="hidden", checked="read")
        atlas.add("stakes", stake)
        atlas.change("stakes", "st", share_max=3.0)
        assert atlas.entries()[0].key == ("entities", "holder")
        atlas.change("stakes", "st", source="24tv-pmi", share_max=4.0)
        published = atlas.entries()[0]
        assert (published.kind, changes(published)["share_max"]) == ("addition", (None, 4.0))
        assert "hidden" not in str(atlas.page())

    def test_what_becomes_public_by_its_source_is_an_entry_of_the_publication(self, atlas: Atlas) -> None:
        atlas.add("sources", Source(id="hidden", dataset="desk", publisher="P", private=True))
        atlas.add("strikes", strike(title="marker", sources=("hidden",)), why="marker")
        atlas.change("strikes", "new", title="as published", why="marker")
        decision = Decision(id="d", strike="new", verdict="none", who="x", when="2026-02-02", why="seen")
        atlas.store.append("decisions", decision, author="Ann", at=atlas.tick())
        had = atlas.store.records().strikes[DEPOT].sources
        atlas.change("strikes", DEPOT, sources=(*had, "hidden"), note="n")
        earlier = {entry.id for entry in atlas.entries()}
        assert len(earlier) == 2
        atlas.store.publish("desk", ["hidden"], author="Ann", why="marker", at=atlas.tick())
        told = {entry.key: entry for entry in atlas.entries(since=timestamp(atlas.now))}
        assert {key: entry.kind for key, entry in told.items()} == {
            ("sources", "hidden"): "addition",
            ("strikes", "new"): "addition",
            ("decisions", "d"): "addition",
            ("strikes", DEPOT): "correction",
        }
        assert changes(told["strikes", "new"])["title"] == (None, "as published")
        assert changes(told["strikes", DEPOT]) == {"sources": ([*had], [*had, "hidden"])}
        assert {entry.at for entry in told.values()} == {timestamp(atlas.now)}
        assert {entry.id for entry in atlas.entries()} == earlier | {entry.id for entry in told.values()}
        assert "marker" not in str(atlas.page())
        atlas.change("strikes", "new", title="corrected")
        assert changes(atlas.entries()[0]) == {"title": ("as published", "corrected")}

    def test_an_entry_has_the_time_from_which_it_was_public_whenever_it_was_written(self, atlas: Atlas) -> None:
        policy = parse('[[embargo]]\nhours = 1\ncountries = ["GE"]')
        atlas.add("strikes", strike(host_country="GE", when=START.date().isoformat()))
        assert atlas.entries(policy)[0].at == timestamp(datetime(2026, 3, 2, 13, tzinfo=UTC))
        assert atlas.entries()[0].at == timestamp(atlas.now)

    def test_a_private_source_is_left_out_of_a_list(self, atlas: Atlas) -> None:
        atlas.add("sources", Source(id="hidden", publisher="marker", private=True))
        before = atlas.store.records().strikes[DEPOT].sources
        atlas.change("strikes", DEPOT, sources=(*before, "hidden"), note="n")
        assert changes(atlas.entries()[0]).keys() == {"note"}
        atlas.change("strikes", DEPOT, sources=before)
        assert "hidden" not in str(atlas.page())

    def test_private_records_of_a_load_are_not_counted(self, atlas: Atlas, few_records: Records) -> None:
        added = {
            f"new-{i}": strike(f"new-{i}", private=i % 2 == 0).model_copy(update={"dataset": "other"})
            for i in range(50)
        }
        atlas.load(replace(few_records, strikes={**few_records.strikes, **added}))
        assert [(c.dataset, c.added) for c in atlas.entries()[0].counts if c.dataset == "other"] == [("other", 25)]
        atlas.change("strikes", "new-1", private=True)
        load = next(entry for entry in atlas.entries() if entry.counts)
        assert [(c.dataset, c.added) for c in load.counts if c.dataset == "other"] == [("other", 24)]


class TestPolicy:
    """The log shows values as the policy lets them be published."""

    def test_an_embargoed_strike_has_no_entry_until_it_is_due(self, atlas: Atlas) -> None:
        policy = parse('[[embargo]]\nhours = 1\ncountries = ["GE"]')
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
        atlas.add("strikes", strike(title="marker", host_country="GE", when=tomorrow), why="marker")
        atlas.change("strikes", "new", title="marker too", why="marker")
        assert "marker" not in str(atlas.page(policy))

    def test_what_changed_before_it_was_due_was_never_published(self, atlas: Atlas) -> None:
        policy = parse('[[embargo]]\nhours = 1\ncountries = ["GE"]')
        day = START.date().isoformat()  # due on the next day at 13:00 UTC
        atlas.add("strikes", strike(title="marker", host_country="GE", when=day), why="marker")
        atlas.change("strikes", "new", title="as published", why="marker")
        atlas.now = START + timedelta(days=2)
        atlas.change("strikes", "new", title="corrected", why="a typo")
        correction, addition, _ = atlas.entries(policy)
        assert (correction.why, addition.why) == ("a typo", None)
        assert changes(correction) == {"title": ("as published", "corrected")}
        assert (addition.kind, changes(addition)["title"]) == ("addition", (None, "as published"))
        assert "marker" not in str(atlas.page(policy))
        assert "marker" in str(atlas.page())

    def test_entries_since_a_time_include_strikes_whose_embargo_ended(self, atlas: Atlas) -> None:
        policy = parse('[[embargo]]\nhours = 1\ncountries = ["GE"]')
        day = START.date().isoformat()  # due on the next day at 13:00 UTC
        atlas.add("strikes", strike(title="first", host_country="GE", when=day))
        said = {"record": "new", "field": "damage", "value": "fire", "source": "24tv-pmi", "checked": "read"}
        atlas.add("claims", Claim(id="c", dataset="review", **said))
        atlas.change("strikes", "new", title="as published")
        atlas.change("strikes", DEPOT, note="another")
        due, later = "2026-03-02T13:00:00.000Z", "2026-03-02T13:00:00.001Z"
        found = atlas.entries(policy, since=due)
        assert [(entry.key, entry.at) for entry in found] == [(("strikes", "new"), due), (("claims", "c"), due)]
        assert changes(found[0])["title"] == (None, "as published")
        assert atlas.entries(policy, since=later) == ()
        assert [entry.id for entry in atlas.entries(policy, since=due, until=later)] == [entry.id for entry in found]
        assert due not in {entry.at for entry in atlas.entries(policy, until=due)}
        first = atlas.page(policy, since=due, limit=1)
        assert first.next_before is not None
        assert first.entries + atlas.entries(policy, since=due, before=first.next_before) == found

    def test_a_source_that_waited_with_an_embargo_is_published_with_it(self, atlas: Atlas) -> None:
        policy = parse('[[embargo]]\nhours = 1\ncountries = ["GE"]')
        for name in ("waits", "waits-too", "seen"):
            atlas.add("sources", Source(id=name, publisher="P"), why="marker")
        day = START.date().isoformat()  # due on the next day at 13:00 UTC
        atlas.add("strikes", strike(host_country="GE", when=day, sources=("waits", "seen")))
        said = {"record": "new", "field": "damage", "value": "fire", "source": "waits-too", "checked": "read"}
        atlas.add("claims", Claim(id="c", dataset="review", **said))
        atlas.add("strikes", strike("other", sources=("seen",)))
        due = "2026-03-02T13:00:00.000Z"
        late = {entry.key: (entry.at, entry.why) for entry in atlas.entries(policy, since=due)}
        assert late == dict.fromkeys(
            [("strikes", "new"), ("claims", "c"), ("sources", "waits"), ("sources", "waits-too")], (due, None)
        )
        assert {entry.why for entry in atlas.entries(policy) if entry.key == ("sources", "seen")} == {"marker"}
        assert {entry.at for entry in atlas.entries() if entry.key == ("sources", "waits")} == {
            "2026-03-01T02:00:00.000Z"
        }

    def test_an_edit_that_ends_an_embargo_is_when_a_strike_was_published(self, atlas: Atlas) -> None:
        policy = parse('[[embargo]]\nhours = 1\ncountries = ["GE"]')
        far = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
        atlas.add("sources", Source(id="waits", publisher="P"), why="marker")
        atlas.add("strikes", strike(title="marker", host_country="GE", when=far, sources=("waits",)), why="marker")
        atlas.change("strikes", "new", title="as published", why="marker")
        said = {"record": "new", "field": "damage", "value": "fire", "source": "24tv-pmi", "checked": "read"}
        atlas.add("claims", Claim(id="c", dataset="review", **said), why="marker")
        assert "'new'" not in str(atlas.page(policy))
        atlas.change("strikes", "new", when="2026-02-01", why="marker")
        ended = timestamp(atlas.now)
        atlas.change("strikes", "new", title="corrected", why="a typo")
        found = atlas.entries(policy, since=ended)
        assert {(entry.key, entry.at) for entry in found} == {
            (("strikes", "new"), timestamp(atlas.now)),
            *((key, ended) for key in (("strikes", "new"), ("claims", "c"), ("sources", "waits"))),
        }
        assert changes(found[0]) == {"title": ("as published", "corrected")}
        assert "marker" not in str(atlas.page(policy))

    def test_a_policy_of_before_that_cannot_be_read_withheld_every_record(self, atlas: Atlas) -> None:
        atlas.change("strikes", DEPOT, note="before", why="marker")
        atlas.store.set_policy({"later": 1}, author="A", why="w", at=atlas.tick())
        atlas.change("strikes", DEPOT, note="meanwhile", why="marker")
        atlas.store.set_policy(None, author="A", why="w", at=atlas.tick())
        ended = timestamp(atlas.now)
        atlas.change("strikes", DEPOT, note="after", why="a typo")
        found = [entry for entry in atlas.entries() if entry.key == ("strikes", DEPOT)]
        assert [(entry.kind, entry.why, entry.at) for entry in found] == [
            ("correction", "a typo", timestamp(atlas.now)),
            ("addition", None, ended),
        ]
        assert "marker" not in str(atlas.page())

    def test_places_are_rounded_and_fields_left_out(self, atlas: Atlas) -> None:
        policy = parse(
            '[[rounding]]\ntable = "strikes"\ndecimals = 1\n[[withhold]]\ntable = "strikes"\nfields = ["damage"]'
        )
        place = {"uncertainty_m": 10.0, "basis": "site", "place_source": "24tv-pmi"}
        records = Strike.model_validate({**strike().model_dump(), "geometry": "POINT (30.7218 46.4836)", **place})
        atlas.add("strikes", records)
        moved = Strike.model_validate(
            {**records.model_dump(), "geometry": "POINT (30.7219 46.4837)", "damage": "marker"}
        )
        atlas.write("strikes", moved)
        addition, _ = atlas.entries(policy)
        assert addition.kind == "addition"
        assert changes(addition)["geometry"] == (None, "POINT (30.7 46.5)")
        assert "marker" not in str(atlas.page(policy))
        assert len(atlas.entries()) == 3

    def test_claims_on_what_is_withheld_are_not_told(self, atlas: Atlas) -> None:
        policy = parse('[[rounding]]\ntable = "strikes"\ndecimals = 1')
        atlas.add(
            "claims", Claim(id="c", record=DEPOT, field="geometry", value="marker", source="24tv-pmi", checked="read")
        )
        assert "marker" not in str(atlas.page(policy))
        atlas.remove("claims", "c")
        assert "marker" not in str(atlas.page(policy))

    def test_nor_once_their_record_is_removed(self, atlas: Atlas) -> None:
        policy = parse('[[rounding]]\ntable = "strikes"\ndecimals = 1')
        atlas.add("strikes", strike())
        claim = Claim(id="c", record="new", field="geometry", value="marker", source="24tv-pmi", checked="read")
        atlas.add("claims", claim)
        atlas.remove("claims", "c")
        atlas.remove("strikes", "new")
        assert "marker" in str(atlas.page())
        assert "marker" not in str(atlas.page(policy))


def test_one_entry_is_read_by_the_digits_of_its_hash(atlas: Atlas) -> None:
    seq, log = atlas.change("strikes", DEPOT, note="n"), CorrectionsLog(atlas.store)
    version, name = atlas.version(), digits(atlas, atlas.store.seq())
    found = log.entry(version, name)
    assert found is not None
    assert found == atlas.entries()[0]
    assert log.entry(version, digits(atlas, 1), is_load=True) == atlas.entries()[-1]
    for other, is_load in ((f"{0:032d}", False), (name, True), (digits(atlas, 2), True)):
        assert log.entry(version, other, is_load) is None
    # Numbers would count what is private.
    for number in (seq, seq + 1, 1, 0, 10**14):
        assert log.entry(version, str(number)) is None


def test_a_change_from_before_there_were_salts_is_found_by_its_number_too(atlas: Atlas) -> None:
    seq, log = atlas.change("strikes", DEPOT, note="n"), CorrectionsLog(atlas.store)
    behind_its_back(atlas.store, f"UPDATE history SET unsalted = 'x' WHERE seq = {seq}")
    assert log.entry(atlas.version(), str(seq)) == atlas.entries()[0]


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_what_is_hidden_moves_no_page(atlas: Atlas, limit: int) -> None:
    """Neither which entries a page has, nor where the next one begins, nor whether there is one."""
    policy = parse('[[withhold]]\ntable = "strikes"\nfields = ["note"]')
    for number in range(4):
        atlas.change("strikes", DEPOT, damage=f"damage {number}")
    query: dict[str, Any] = {"policy": policy, "limit": limit}
    before = [atlas.page(**query)]
    while before[-1].next_before:
        before.append(atlas.page(**query, before=before[-1].next_before))
    for number in range(MAX_SINGLE + 5):
        atlas.change("strikes", DEPOT, note=f"note {number}")
        atlas.add("strikes", strike(f"hidden-{number}").model_copy(update={"private": True}))
    after = [atlas.page(**query)]
    while after[-1].next_before:
        after.append(atlas.page(**query, before=after[-1].next_before))
    assert after == before


NOTES = parse('[[withhold]]\ntable = "strikes"\nfields = ["note"]')
EMBARGO = parse('[[embargo]]\nhours = 87000\ncountries = ["GE"]')
MANY = MAX_SINGLE + 5


def many(**values: Any) -> dict[str, Strike]:
    made = (strike(f"many-{number}", **values) for number in range(MANY))
    return {one.id: one.model_copy(update={"dataset": "curated"}) for one in made}


def with_strikes(records: Records, strikes: dict[str, Strike]) -> Records:
    return replace(records, strikes={**records.strikes, **strikes})


def test_a_load_of_hidden_changes_leaves_the_log_as_it_was(atlas: Atlas, few_records: Records) -> None:
    """Also its counts: of withheld fields, of embargoed records, and of those based on a private source."""
    source = replace(few_records, sources={**few_records.sources, "p": Source(id="p", publisher="P", private=True)})
    for policy, values, records in (
        (NOTES, {}, few_records),
        (EMBARGO, {"host_country": "GE"}, few_records),
        (OPEN, {"sources": ("p",)}, source),
    ):
        atlas.load(with_strikes(records, many(**values)))
        before = [(one.id, one.kind, one.counts) for one in atlas.entries(policy)]
        atlas.load(with_strikes(records, many(**values, note="another")))
        assert [(one.id, one.kind, one.counts) for one in atlas.entries(policy)] == before
    atlas.load(few_records)
    removed = sum(count.removed for count in atlas.entries(EMBARGO)[0].counts if count.table == "strikes")
    assert removed == 0


def test_hidden_rows_beside_public_ones_do_not_make_a_load(atlas: Atlas, few_records: Records) -> None:
    shown, hidden = strike("shown").model_copy(update={"dataset": "curated"}), many(private=True)
    atlas.load(with_strikes(few_records, {"shown": shown, **hidden}), why="read again")
    entry = atlas.entries()[0]
    assert (entry.key, entry.role, entry.why, entry.counts) == (("strikes", "shown"), "editor", "read again", ())


def test_a_dataset_that_is_withheld_later_is_in_no_count(atlas: Atlas, few_records: Records) -> None:
    added = {key: one.model_copy(update={"dataset": "other"}) for key, one in many().items()}
    atlas.store.load(replace(Records.of({}), strikes=added), author="a load", at=atlas.tick())
    assert {count.dataset for count in atlas.entries()[0].counts} == {"other"}
    atlas.store.make_private("other", author="an editor", why="an agreement ended")
    atlas._version_of.cache_clear()
    assert {count.dataset for entry in atlas.entries() for count in entry.counts} == {"curated"}


def test_what_was_merged_from_a_dataset_that_is_private_now_is_no_longer_published(atlas: Atlas) -> None:
    holder = next(iter(atlas.store.records().entities))
    atlas.change("entities", holder, note="One with other/1 (Otherwise).", aliases=("Otherwise",))
    assert "Otherwise" in str(atlas.entries()[0].changes)
    atlas.store.make_private("other", author="an editor", why="an agreement ended")
    atlas._version_of.cache_clear()
    assert "Otherwise" not in str(atlas.entries())


def published_values(atlas: Atlas) -> dict[tuple[str, str], dict[str, Any]]:
    """What is published of each record, as the log has it."""
    records = atlas.version().disclosure.records
    hidden = {"id", "private", "who"}
    return {
        (name, key): {column: value for column, value in TABLES[name].to_dict(record).items() if column not in hidden}
        for name in ("sources", "strikes", "decisions", "claims")
        for key, record in records.table(name).items()
    }


STEPS = ("edit s", "edit t", "cite x", "cite y", "cite both", "decide s", "claim t", "publish x", "publish y", "hide x")


@settings(max_examples=25)
@given(steps=st.lists(st.sampled_from(STEPS), max_size=8))
@example(steps=["edit s", "cite both", "claim t", "publish x", "edit s", "publish y"])
@example(steps=["cite both", "publish y", "edit t", "publish x", "hide x", "edit s", "publish x", "decide s"])
def test_who_polls_with_the_time_of_the_last_change_misses_nothing_and_learns_no_private_time(
    base: Basemap, steps: list[str]
) -> None:
    """Of s, which cites the private source x alone, and of t, which cites public and private ones."""
    with TemporaryDirectory() as folder:
        sources = {key: Source(id=key, dataset="desk", publisher="P", private=key != "p") for key in ("p", "x", "y")}
        strikes = {key: strike(key, sources=cited) for key, cited in (("s", ("x",)), ("t", ("p",)))}
        atlas = Atlas(Path(folder), Records.of({"sources": sources, "strikes": strikes}), base)
        public_times = {timestamp(atlas.now)}
        for number, step in enumerate(steps):
            before = published_values(atlas)
            verb, key = step.split()
            if verb == "edit":
                atlas.change("strikes", key, title=f"title {number}")
            elif verb == "cite":
                atlas.change("strikes", "t", sources=("p", "x", "y") if key == "both" else ("p", key))
            elif verb == "decide":
                one = Decision(id=f"{number}", strike=key, verdict="none", who="x", when="2026-02-02", why="seen")
                atlas.store.append("decisions", one, author="Ann", at=atlas.tick())
            elif verb == "claim":
                atlas.add("claims", Claim(id=f"{number}", record=key, field="a", value="b", source="x", checked="read"))
            elif verb == "hide":
                atlas.change("sources", key, private=True)
            elif not atlas.store.records().sources[key].private:
                continue
            else:
                atlas.store.publish("desk", [key], author="Ann", why="agreed", at=atlas.tick())
            after = published_values(atlas)
            changed = {key for key, values in after.items() if before.get(key) != values}
            if changed or before.keys() - after.keys():
                public_times.add(timestamp(atlas.now))
            if verb != "hide":  # which takes entries away, and adds none
                told = {entry.key: entry for entry in atlas.entries(since=timestamp(atlas.now))}
                assert told.keys() == changed, step
                assert {entry.at for entry in told.values()} <= {timestamp(atlas.now)}
            assert {entry.at for entry in atlas.entries()} <= public_times, step
        atlas.store.close()


def test_the_indexes_are_used(atlas: Atlas) -> None:
    """A page of records, and one of corrections in a history of additions, walk over no other rows."""
    with atlas.store.reading() as connection:
        for query, index in (
            ("SELECT * FROM history WHERE ((noun = 'a' AND record = 'b')) AND seq < 9 ORDER BY seq DESC", "of_record"),
            (
                'SELECT * FROM history WHERE seq < 9 AND seq >= 1 AND "before" IS NOT NULL ORDER BY seq DESC',
                "of_changes",
            ),
            ('SELECT * FROM history WHERE seq < 9 AND seq >= 1 AND "after" IS NULL ORDER BY seq DESC', "of_removals"),
        ):
            plan = " ".join(row[-1] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}"))
            assert f"history_{index}" in plan, plan


@pytest.mark.parametrize("size", [1, 2, 3, 20, 21, 64, 65])
def test_a_transaction_is_found_from_any_of_its_rows(tmp_path: Path, size: int) -> None:
    store = Store.create(tmp_path / "a.gpkg")
    source = Source(id="s", publisher="P", dataset="d")
    bounds = []
    for step in range(3):
        sources = {
            f"s{step}-{i}": source.model_copy(update={"id": f"s{step}-{i}", "dataset": f"d{step}"}) for i in range(size)
        }
        at = START + timedelta(minutes=step)
        store.load(Records.of({"sources": sources}), author="a", at=at)
        bounds.append((step * size + 1, (step + 1) * size))
    with store.reading() as connection:
        for first, last in bounds:
            for seq in {first, last, (first + last) // 2}:
                found = history_pages.transaction(connection, seq)
                assert found is not None
                assert (found.first, found.last, len(found)) == (first, last, size)
        for step in range(3):
            stamp = (START + timedelta(minutes=step)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            assert history_pages.first_since(connection, stamp) == bounds[step][0]
        assert history_pages.first_since(connection, "2027") == 3 * size + 1
        assert history_pages.transaction(connection, 3 * size + 1) is None
