"""The content of a dossier: each part is there, in each language, and says what the answers say."""

from __future__ import annotations

import re

import pytest

from api.exports.dossier.content import ends_of
from api.exports.dossier.parts import Contents, Facts, Heading, Holders, MapPart, Numbered, Run, Table
from api.exports.dossier.strike_block import decimals_of
from api.exports.errors import ExportError
from api.serializers.attribution import strike_answer
from api.serializers.selection import selection_answer
from api.wording.catalogue import codes, phrase
from layers.attribution.country_totals import country_totals
from layers.snapshot.snapshot import Snapshot
from tests.api.exports.dossier.conftest import DEPOT, ORLIVKA, TAWKE, TITLE, Written


def runs(value: object) -> list[Run]:
    if isinstance(value, Run):
        return [value]
    if isinstance(value, list | tuple):
        return [run for part in value for run in runs(part)]
    names = getattr(value, "__dataclass_fields__", ())
    return [run for name in names for run in runs(getattr(value, name))]


def said(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return " ".join(map(said, value))
    return " ".join(said(getattr(value, name)) for name in getattr(value, "__dataclass_fields__", ()))


def test_a_dossier_has_its_parts_in_order(written: Written) -> None:
    whole = written()
    kinds = [type(part) for part in whole.parts]
    assert kinds[:3] == [Heading, Facts, MapPart]
    assert [part.text for part in whole.parts if isinstance(part, Heading)][:1] == [TITLE]
    facts = next(part for part in whole.parts if isinstance(part, Facts))
    assert len(facts.rows) == 5
    anchors = [part.anchor for part in whole.parts if isinstance(part, Heading) and part.anchor]
    assert anchors == [
        "countries", "capacity", "timeline", "strikes", "strike-1", "strike-2", "strike-3", "method", "corrections",
        "version", "sources",
    ]  # fmt: skip
    assert kinds.count(Contents) == 1
    assert isinstance(whole.parts[-1], Numbered)


def test_every_link_within_leads_to_a_part(written: Written) -> None:
    whole = written()
    anchors = {part.anchor for part in whole.parts if isinstance(part, Heading)}
    sources = next(part for part in whole.parts if isinstance(part, Numbered))
    anchors |= {f"source-{number}" for number in range(1, len(sources.lines) + 1)}
    within = [run.target[1:] for run in runs(whole) if run.target.startswith("#")]
    assert within
    assert set(within) <= anchors
    assert {f"source-{number}" for number in range(1, len(sources.lines) + 1)} <= set(within)


@pytest.mark.parametrize("language", ["en", "uk", "de"])
def test_every_language_says_it_all(written: Written, language: str) -> None:
    whole = written(language=language)
    text = said(whole)
    assert whole.language == language
    for name in ("contents", "countries", "capacity", "timeline", "method", "corrections", "version"):
        assert phrase(f"dossier.{name}", language) in text
    assert len([part for part in whole.parts if isinstance(part, Heading)]) == len(
        [part for part in written().parts if isinstance(part, Heading)]
    )
    assert not re.search(r"dossier\.[a-z]", text)
    assert "None" not in text


def test_each_strike_has_its_ids_place_code_and_sources(written: Written, snapshot: Snapshot) -> None:
    text = said(written(address="https://atlas.example.org"))
    for key in (DEPOT, ORLIVKA, TAWKE):
        answer = strike_answer(snapshot, snapshot.answer(key))
        assert f"https://atlas.example.org/collections/strikes/items/{key}" in text
        assert f"{key}.s412.20261125.abcdefabcd" in text
        assert all(hit["asset"]["id"] in text for hit in answer["assets"])
        cited = [answer["sources"][name] for name in answer["strike"]["sources"]]
        assert all(source["title"] in text for source in cited if source["title"])
        assert all(step["name"] in text for hit in answer["assets"] for c in hit["chains"] for step in c["steps"])
    assert "46.5° N, 30.7° E, within 20 km" in text.replace("\u00a0", " ")


def test_the_foot_has_a_code_that_a_line_holds_and_no_part_of_one(written: Written) -> None:
    end = "h9f3c2a7b10d4e5f6.20261125.abcd-efgh"
    assert written(code=f"map:1.5,2,3,4.{end}").foot.endswith(f" map:1.5,2,3,4.{end}")
    assert written(code=f"strikes:bbox=1.5,2,3,4;{'country=AZ;' * 5}.{end}").foot.endswith(".")


def test_an_address_that_is_not_known_leaves_the_path(written: Written) -> None:
    assert f"/collections/strikes/items/{DEPOT} (at the address of the atlas)" in said(written())


def test_countries_come_with_sure_and_possible_apart(written: Written, snapshot: Snapshot) -> None:
    answers = [snapshot.answer(key) for key in (DEPOT, ORLIVKA, TAWKE)]
    totals = country_totals(snapshot.records.entities, answers)
    table = next(part for part in written().parts if isinstance(part, Table))
    rows = {row[0][0].text: [cell[0].text for cell in row[1:]] for row in table.rows}
    assert len(rows) == len(totals)
    for iso, total in totals.items():
        sure, possible, _, host, _ = rows[snapshot.country_names[iso]]
        assert sure == (str(total.owned.strikes_sure) if total.owned.strikes_sure else "–")
        assert possible == str(total.owned.strikes - total.owned.strikes_sure or "–")
        assert host == str(total.strikes["host"] or "–")


def test_one_strike_has_no_contents_and_no_tables_of_strikes(written: Written) -> None:
    whole = written((DEPOT,), title=None)
    assert not [part for part in whole.parts if isinstance(part, Contents)]
    headings = [part.text for part in whole.parts if isinstance(part, Heading)]
    assert headings[0] == "SOCAR oil depot, Odesa"
    assert phrase("dossier.timeline") not in headings


def test_equal_chains_are_written_once(written: Written, snapshot: Snapshot) -> None:
    again = "ua-socar-depot-2025-08-18"
    alone = [part for part in written((DEPOT,)).parts if isinstance(part, Holders)]
    both = written((DEPOT, again))
    holders = [part for part in both.parts if isinstance(part, Holders)]
    assert len(alone) == 3  # owners by country, and the chains of two possible sites
    assert len(holders) == len(alone) + 1
    assert said(both).count(phrase("dossier.chain-again", number=1)) == 2


def test_corrections_are_listed_with_their_day(written: Written) -> None:
    entry = {"title": "Corrected: A (strikes)", "at": "2026-11-20T10:00:00.000Z", "sentences": ["place: B → C"]}
    text = said(written(corrections=[entry]))
    assert "20 November 2026: " in text
    assert "place: B → C." in text
    assert phrase("dossier.no-corrections") in said(written())


@pytest.mark.parametrize(
    ("when", "ends"),
    [
        ("2026-03-01", ("2026-03-01", "2026-03-01")),
        ("2026-02-28/2026-03-14", ("2026-02-28", "2026-03-14")),
        ("2026-03/..", ("2026-03", "2026-03")),
        ("../2026-03~", ("2026-03~", "2026-03~")),
    ],
)
def test_a_span_of_days_has_ends(when: str, ends: tuple[str, str]) -> None:
    assert ends_of(when) == ends


def test_strikes_reach_to_the_last_day_of_the_one_that_ended_last(written: Written, snapshot: Snapshot) -> None:
    lasting = "kw-power-plants-2026-03"
    later = next(key for key, one in sorted(snapshot.answers().items()) if one.strike.when == "2026-03-02")
    assert snapshot.answer(lasting).strike.when == "2026-02-28/2026-03-14"
    assert "2 recorded strikes, from 28 February 2026 to 14 March 2026." in said(written((lasting, later)))


def test_weapons_and_parts_of_the_day_are_worded_and_notes_stay(written: Written, snapshot: Snapshot) -> None:
    strike = "ua-socar-depot-2025-08-18"
    assert "Shahed-Drohne (mindestens 10)" in said(written((strike,), language="de"))
    assert "night of 17 to 18 August" in said(written((strike,), language="de"))
    night = next(key for key, one in sorted(snapshot.answers().items()) if one.strike.when_note == "early morning")
    assert "(рано-вранці)" in said(written((night,), language="uk"))


def test_a_country_that_attacked_is_named_in_the_language_and_what_is_said_of_others_stays(written: Written) -> None:
    texts = said(written(("ru-cpc-kropotkinskaya-2025-02-17", "ru-cpc-spm2-2025-11-29"), language="uk"))
    assert "Україна" in texts
    assert "Ukraine, says Kazakhstan; Kyiv had not commented" in texts
    assert "Безекіпажний катер" in texts


def test_one_site_that_may_have_been_hit_is_not_called_one_of_several(written: Written) -> None:
    texts = said(written(("ru-cpc-kropotkinskaya-2025-03-24",)))
    assert "whether it was is not settled" in texts
    assert "One of several sites" not in texts


def test_no_strike_is_no_dossier(written: Written) -> None:
    with pytest.raises(ExportError, match="at least one strike"):
        written(())


@pytest.mark.parametrize(
    ("radius_m", "decimals"), [(None, 2), (1_000_000, 0), (20_000, 1), (5_000, 2), (100, 4), (0.0, 5)]
)
def test_coordinates_have_no_more_decimals_than_their_uncertainty_allows(radius_m: float | None, decimals: int) -> None:
    assert decimals_of(radius_m) == decimals


def test_capacity_of_a_country_is_no_more_than_that_of_whole_sites(snapshot: Snapshot) -> None:
    answers = [snapshot.answer(key) for key in snapshot.collections["strikes"].ids[:60]]
    whole = selection_answer(snapshot, answers)
    units = {row["unit"]: row for row in whole["capacity"]["hit"] if row["unit"]}
    assert units
    for country in [row["country"] for row in whole["countries"] if row["owner"]["sure"]][:4]:
        for row in selection_answer(snapshot, answers, country)["capacity"]["hit"]:
            if row["unit"]:
                assert row["capacity_max"] <= units[row["unit"]]["capacity_max"] + 1e-6


def test_every_word_of_dossiers_is_in_three_languages() -> None:
    for code in codes("dossier."):
        assert len({str(phrase(code, tag, **GAPS)) for tag in ("en", "uk", "de")}) >= 2 or code in SAME, code


GAPS = dict.fromkeys(
    ("name", "number", "total", "day", "first", "last", "list", "country", "decision", "alternatives", "match",
     "nothing", "unattributed", "place", "radius", "path", "code", "text", "grid"), "–",
) | {"n": 2, "history": "a", "sure": 1, "possible": 1}  # fmt: skip
#: Signs and words that are alike.
SAME = frozenset({"dossier.west"})
