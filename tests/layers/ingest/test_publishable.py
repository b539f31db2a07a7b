"""What an editor would not print is found by a rule each, in records that are else fit to print."""

from __future__ import annotations

import pytest

from api.wording.catalogue import text
from layers.ingest.publishable import EventCounts, PublishReport, check_publishable
from layers.model.messages import Argument, Message
from layers.model.records import Records
from layers.reference.place_spellings import exonyms
from layers.sources import curated

GOOD = """
[[sources]]
id = "paper"
publisher = "Daily News"
title = "Depot burns"
published = "2025-08-09"

[[sources]]
id = "later"
publisher = "Weekly"
title = "What burnt"
published = "2025-09-20"
retrieved = "2026-11-01"

[[entities]]
id = "state"
name = "State"
type = "state"
registered_in = "AZ"
checked = "read"
sources = ["paper"]

[[entities]]
id = "oil"
name = "National Oil"
type = "registeredEntity"
registered_in = "AZ"
checked = "read"
sources = ["paper"]

[[assets]]
id = "depot"
name = "Depot"
kind = "oil-depot"
host_country = "UA"
geometry = "POINT (30.7 46.5)"
uncertainty_m = 300
basis = "site"
place_source = "paper"
sources = ["paper"]
checked = "read"

[[stakes]]
id = "depot>oil"
owned = "depot"
owner = "oil"
share_min = 100
share_max = 100
source = "paper"
checked = "read"

[[stakes]]
id = "oil>state"
owned = "oil"
owner = "state"
share_min = 100
share_max = 100
source = "paper"
checked = "excerpt"

[[strikes]]
id = "k"
title = "Depot"
titles = { uk = "Нафтобаза", de = "Öllager" }
when = "2025-08-08"
place = "Odesa"
host_country = "UA"
geometry = "POINT (30.7 46.5)"
uncertainty_m = 300
basis = "site"
place_source = "paper"
status = "reported"
sources = ["paper", "later"]
checked = "read"

[[claims]]
id = "k/damage"
record = "k"
field = "damage"
value = "a tank"
quote = "a tank burnt out"
source = "paper"
checked = "read"

[[decisions]]
id = "k/depot"
strike = "k"
asset = "depot"
verdict = "confirmed"
who = "Ann Bee"
when = "2026-11-01"
why = "The company names its depot."
"""
TOWN = ("uncertainty_m = 300\nbasis = \"site\"\nplace_source = \"paper\"\nstatus",
        "uncertainty_m = 5000\nbasis = \"settlement\"\nplace_source = \"paper\"\nstatus")  # fmt: skip


def report(more: str = "", *swaps: tuple[str, str]) -> PublishReport:
    source = GOOD + more
    for old, new in swaps:
        assert old in source
        source = source.replace(old, new, 1)
    read = curated.parse([("x.toml", source)])
    assert not read.problems
    return check_publishable(read)


def found(more: str = "", *swaps: tuple[str, str]) -> list[tuple[str, str, str]]:
    return [(one.rule, one.problem.record, one.problem.column) for one in report(more, *swaps).problems]


def test_a_strike_that_is_sourced_and_checked_is_fit_to_print() -> None:
    clean = report()
    assert (clean.problems, clean.warnings) == ((), ())
    assert (clean.drafts, clean.others) == (EventCounts(0, 0, 0), EventCounts(1, 1, 1))


@pytest.mark.parametrize(
    ("swap", "problem"),
    [
        (('source = "paper"\nchecked = "excerpt"', 'source = "paper"\nchecked = "unverified"'),
         ("unverified-headline", "stake oil>state", "checked")),
        (('registered_in = "AZ"\nchecked = "read"\nsources = ["paper"]\n\n[[assets]]',
          'registered_in = "AZ"\nchecked = "unverified"\n\n[[assets]]'),
         ("unverified-headline", "entity oil", "checked")),
        (('quote = "a tank burnt out"\n', ""), ("no-quoted-claim", "strike k", "claims")),
        (('record = "k"', 'record = "depot"'), ("no-quoted-claim", "strike k", "claims")),
        (('title = "Depot burns"\n', ""), ("source-without-title-or-date", "source paper", "title")),
        (('published = "2025-08-09"\n', 'retrieved = "2026-11-01"\n'),
         ("source-without-title-or-date", "source paper", "published")),
        (('published = "2025-08-09"\n', 'licence = "CC BY 4.0"\n'),
         ("source-without-title-or-date", "source paper", "published")),
        (TOWN, ("town-centroid", "strike k", "basis")),
    ],
)  # fmt: skip
def test_one_fault_is_named_with_its_record_and_line(swap: tuple[str, str], problem: tuple[str, str, str]) -> None:
    assert found("", swap) == [problem]
    (one,) = report("", swap).problems
    assert (one.problem.file, one.strikes) == ("x.toml", ("k",))
    assert one.problem.row
    assert text(one.problem.expected)


def test_a_holder_whose_country_nobody_states_has_no_registration_to_check() -> None:
    swap = (
        'registered_in = "AZ"\nchecked = "read"\nsources = ["paper"]\n\n[[assets]]',
        'checked = "unverified"\n\n[[assets]]',
    )
    assert found("", swap) == []


def test_of_data_a_day_of_retrieval_is_enough() -> None:
    data = 'retrieved = "2026-11-01"\nlicence = "CC BY 4.0"\n'
    assert found("", ('published = "2025-08-09"\n', data)) == []


@pytest.mark.parametrize(
    "asset",
    [
        ("uncertainty_m = 300\nbasis = \"site\"", "uncertainty_m = 300\nbasis = \"rounded\""),
        ("uncertainty_m = 300\nbasis = \"site\"", "uncertainty_m = 5000\nbasis = \"site\""),
        ("POINT (30.7 46.5)", "LINESTRING (30 46, 31 47)"),
        ('verdict = "confirmed"', 'verdict = "possible"'),
    ],
)  # fmt: skip
def test_the_middle_of_a_town_is_let_be_where_no_decided_site_is_known_better(asset: tuple[str, str]) -> None:
    assert found("", TOWN, asset) == []


STAKE = 'id = "oil>state"\nowned = "oil"\nowner = "state"'


def test_a_holder_named_like_a_state_needs_a_way_to_a_state() -> None:
    off = (STAKE, 'id = "oil>state"\nowned = "depot"\nowner = "state"')
    less = (
        'share_min = 100\nshare_max = 100\nsource = "paper"\nchecked = "read"',
        'share_min = 50\nshare_max = 50\nsource = "paper"\nchecked = "read"',
    )
    part = (
        'share_min = 100\nshare_max = 100\nsource = "paper"\nchecked = "excerpt"',
        'share_min = 50\nshare_max = 50\nsource = "paper"\nchecked = "excerpt"',
    )
    problem = ("state-without-owner", "entity oil", "name")
    assert found("", off, less, part) == [problem]
    assert found("", off, less, part, ('"National Oil"', '"Nationwide Oil"')) == []
    assert found("", off, less, part, ('"National Oil"', '"State Street Oil"')) == []
    control = """
[[controls]]
id = "oil/state"
controlled = "oil"
controller = "state"
kind = "declared"
source = "paper"
checked = "read"
"""
    assert found(control, off, less, part) == []
    held = """
[[entities]]
id = "person"
name = "Person"
type = "person"
checked = "unverified"

[[stakes]]
id = "oil>person"
owned = "oil"
owner = "person"
share_min = 51
share_max = 51
source = "paper"
checked = "read"
"""
    assert found(held, off, less, part) == []
    assert found(held.replace("= 51", "= 50"), off, less, part) == [problem]


def test_a_body_of_a_state_is_of_it_by_its_country_alone() -> None:
    body = ('name = "National Oil"\ntype = "registeredEntity"', 'name = "Ministry of Oil"\ntype = "stateBody"')
    off = (STAKE, 'id = "oil>state"\nowned = "depot"\nowner = "state"')
    half = [
        (checked.join(('share_min = 100\nshare_max = 100\nsource = "paper"\nchecked = "', '"')),
         checked.join(('share_min = 50\nshare_max = 50\nsource = "paper"\nchecked = "', '"')))
        for checked in ("read", "excerpt")
    ]  # fmt: skip
    assert found("", body, off, *half) == []


NOT_LATER = ('published = "2025-09-20"\nretrieved = "2026-11-01"', 'published = "2025-09-06"')


@pytest.mark.parametrize(
    ("swaps", "again"),
    [
        ([NOT_LATER], True),  # nothing says that any source of any record was looked at since
        ([NOT_LATER, ('published = "2025-08-09"', 'published = "2025-08-09"\nretrieved = "2025-09-06"')], True),
        ([NOT_LATER, ('published = "2025-08-09"', 'published = "2025-08-09"\nretrieved = "2025-09-07"')], True),
        ([('sources = ["paper", "later"]', 'sources = ["paper"]')], False),
        ([('sources = ["paper", "later"]', 'sources = ["paper"]'),
          ('quote = "a tank burnt out"\nsource = "paper"', 'quote = "a tank burnt out"\nsource = "later"')], True),
        ([('sources = ["paper", "later"]', 'sources = ["paper"]'),
          ('when = "2025-08-08"', 'when = "2026-10-02"')], False),
        ([('sources = ["paper", "later"]', 'sources = ["paper"]'),
          ('when = "2025-08-08"', 'when = "2026-10-03"')], True),
    ],
)  # fmt: skip
def test_a_strike_is_looked_at_again_after_thirty_days(swaps: list[tuple[str, str]], again: bool) -> None:
    assert found("", *swaps) == ([] if again else [("not-looked-at-again", "strike k", "sources")])


def test_of_decisions_an_editor_is_only_warned() -> None:
    warned = report("", ('"Ann Bee"', '"The editors"'), ('"The company names its depot."', '"As reported."'))
    assert [(one.rule, one.problem.column) for one in warned.warnings] == [
        ("anonymous-decision", "who"), ("groundless-decision", "why"),
    ]  # fmt: skip
    assert warned.problems == ()
    for role in ("Ukraine editor", "Ann", "StrikeAtlas duty editor"):
        assert report("", ('"Ann Bee"', f'"{role}"')).warnings == ()


@pytest.mark.parametrize(
    ("titles", "value"),
    [("", Message("value.none")), ('titles = { uk = "Нафтобаза", fr = "Dépôt" }', "fr, uk")],
)
def test_of_a_title_that_is_not_in_every_language_an_editor_is_only_warned(titles: str, value: Argument) -> None:
    untranslated = report("", ('titles = { uk = "Нафтобаза", de = "Öllager" }', titles))
    assert untranslated.problems == ()
    ((rule, problem),) = [(one.rule, one.problem) for one in untranslated.warnings]
    assert (rule, problem.record, problem.column) == ("untranslated-title", "strike k", "titles")
    assert (problem.value, text(problem.expected)) == (value, "the title in uk, de")


def test_every_bundled_strike_has_its_title_and_place_in_ukrainian_and_german(records: Records) -> None:
    wanted = {"uk", "de"}
    assert [
        one.id for one in records.strikes.values() if not (wanted <= one.titles.keys() and wanted <= one.places.keys())
    ] == []


def test_the_places_of_bundled_strikes_are_spelled_as_those_of_the_map(records: Records) -> None:
    spelt = {(one.english, country): one for (_, country), one in exonyms().items()}
    for strike in records.strikes.values():
        known = spelt.get((strike.place, strike.host_country or ""))
        if known is not None:
            assert strike.places["uk"] == known.ukrainian
            assert strike.places["de"] == (known.german or known.english)


def test_a_draft_need_not_be_fit_to_print_and_is_counted_apart() -> None:
    draft = report("", ('status = "reported"', 'status = "draft"'), ('quote = "a tank burnt out"\n', ""))
    assert draft.problems == ()
    assert (draft.drafts, draft.others) == (EventCounts(1, 1, 1), EventCounts(0, 0, 0))


def test_what_did_not_happen_is_no_event() -> None:
    assert report("", ('status = "reported"', 'status = "retracted"')).others == EventCounts(0, 0, 0)
    judged = ('asset = "depot"\nverdict = "confirmed"', 'verdict = "not-a-strike"')
    assert report("", judged).others == EventCounts(0, 0, 0)


def test_events_are_counted_by_voices_and_place() -> None:
    one_voice = ('publisher = "Weekly"', 'publisher = "Weekly"\nsame_report_as = "Daily News"')
    assert report("", one_voice).others == EventCounts(1, 0, 1)
    assert report("", TOWN).others == EventCounts(1, 1, 0)
    assert report("", TOWN, ("POINT (30.7 46.5)", "LINESTRING (30 46, 31 47)")).others == EventCounts(1, 1, 1)


def test_a_strike_on_several_sites_is_located_where_each_of_them_is() -> None:
    second = GOOD[GOOD.index("[[assets]]") : GOOD.index("[[stakes]]")].replace('"depot"', '"tank"')
    second += "\n" + GOOD[GOOD.index("[[decisions]]") :].replace('"k/depot"', '"k/tank"').replace('"depot"', '"tank"')
    assert report(second, TOWN).others == EventCounts(1, 1, 1)
    assert report(second.replace("uncertainty_m = 300", "uncertainty_m = 9000"), TOWN).others == EventCounts(1, 1, 0)


def test_a_record_at_fault_is_named_once_with_all_strikes_that_rest_on_it() -> None:
    i, j = GOOD.index("[[strikes]]"), GOOD.index("[[decisions]]")
    again = GOOD[i:].replace('"k"', '"m"').replace('"k/', '"m/')
    assert j > i
    (one,) = report(
        again, ('source = "paper"\nchecked = "excerpt"', 'source = "paper"\nchecked = "unverified"')
    ).problems
    assert one.strikes == ("k", "m")


def test_the_bundled_records_are_fit_to_print() -> None:
    report = check_publishable(curated.read())
    assert [str(one.problem) for one in report.problems] == []
    events = report.others
    assert (events.events >= 400, events.two_voices >= 250, events.located >= 200) == (True, True, True)
