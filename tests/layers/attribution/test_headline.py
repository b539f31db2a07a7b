"""The headline of a strike: hand-worked cases of three readings side by side, and the bundled strikes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from api.serializers.headline import headline, readings_of
from api.wording.catalogue import text
from layers.attribution.attribute import Attributor
from layers.decisions.hits import Hit, StrikeOutcome
from layers.model.records import Asset, Control, Entity, Records, Relation, Source, Stake, Strike
from layers.model.types import RestsOn
from layers.reference.basemap import Basemap
from layers.snapshot.snapshot import Snapshot

#: Holders of the cases: id, name, type, registration and head office ("-" for none), and marks: ``joint``,
#: ``unverified``.
HOLDERS = """
    state-az | Azerbaijan | state | AZ | -
    state-ru | Russia | state | RU | -
    state-qa | Qatar | state | QA | -
    state-iq | Iraq | state | IQ | -
    krg | Kurdistan Regional Government | stateBody | IQ | -
    socar | SOCAR | registeredEntity | AZ | AZ
    socar-ua | SOCAR Energy Ukraine | registeredEntity | UA | UA
    gazprom | Gazprom | registeredEntity | RU | RU
    transneft | Transneft | registeredEntity | RU | -
    lukoil | Lukoil | registeredEntity | RU | - | unverified
    qe | QatarEnergy | stateBody | QA | QA
    shell | Shell | registeredEntity | GB | GB
    xom | ExxonMobil | registeredEntity | US | US
    hkn | HKN Energy | registeredEntity | KY | US
    hillwood | Hillwood | registeredEntity | US | US
    bunge | Bunge | registeredEntity | CH | US
    bunge-bm | Bunge Limited | registeredEntity | BM | US
    flex | Flex | registeredEntity | SG | US
    genel | Genel Energy | registeredEntity | JE | -
    dno | DNO | registeredEntity | NO | NO
    vehicle-cy | Vehicle Ltd | registeredEntity | CY | -
    eurochem | EuroChem | registeredEntity | CH | CH
    melnichenko | Andrey Melnichenko | person | RU | -
    akhmetov | Rinat Akhmetov | person | UA | -
    metinvest | Metinvest B.V. | registeredEntity | NL | UA
    hbc | Coca-Cola HBC | registeredEntity | CH | CH
    pearl | Pearl Petroleum | registeredEntity | VG | AE | joint
    dana | Dana Gas | registeredEntity | AE | AE
    crescent | Crescent Petroleum | registeredEntity | AE | AE
    mol | MOL | registeredEntity | HU | HU
    nowhere | Some Trading | registeredEntity | - | -
    unnamed | holders without a name | unknownEntity | - | -
    oldco | Old Owner | registeredEntity | DE | DE
    newco | New Owner | registeredEntity | FR | FR
"""


class Case(NamedTuple):
    """A case of ``headlines.toml``: stakes, sites hit, ties, controls and day of the strike, and the headline."""

    name: str
    stakes: str
    says: str
    hits: str = "A"
    ties: str = ""
    controls: str = ""
    when: str = "2025-06-01"


TABLE = tomllib.loads(Path(__file__).with_name("headlines.toml").read_text(encoding="utf-8"))
CASES = [Case(**case) for case in TABLE["cases"]]
BUNDLED: dict[str, list[str]] = {case["strike"]: case["says"] for case in TABLE["bundled"]}


def plain(sentence: str) -> str:
    """The sentence with spaces that break."""
    return sentence.replace("\u00a0", " ")


def parts(line: str, mark: str = ";") -> list[str]:
    return [part.strip() for part in line.split(mark) if part.strip()]


def holders() -> Iterable[Entity]:
    for line in HOLDERS.strip().splitlines():
        name, words, kind, registered, run, *marks = (part.strip() for part in line.split("|"))
        yield Entity(
            id=name,
            name=words,
            type=kind,  # type: ignore[arg-type]
            registered_in=None if registered == "-" else registered,
            headquartered_in=None if run == "-" else run,
            joint="joint" in marks,
            checked="unverified" if "unverified" in marks else "read",
        )


STAKE = re.compile(r"(\S+)>(\S+) ([\d.]+)(?:-([\d.]+))?(\?)?(?: \[(\S*)/(\S*)\])?")


def stake(line: str) -> Stake:
    found = STAKE.fullmatch(line)
    assert found is not None, line
    owner, owned, low, high, doubt, since, until = found.groups()
    return Stake(
        id=f"{owned.lower()}>{owner}",
        owned=owned.lower(),
        owner=owner,
        share_min=float(low),
        share_max=float(high or low),
        since=since or None,
        until=until or None,
        source="s",
        checked="unverified" if doubt else "read",
    )


def tie(line: str) -> Relation:
    relation, asset, entity = line.split()
    told = {"id": line.replace(" ", "/").lower(), "asset": asset.lower(), "entity": entity, "relation": relation}
    return Relation.model_validate({**told, "source": "s", "checked": "read"})


def control(line: str) -> Control:
    controller, controlled = line.split(">")
    told = {"id": line, "controlled": controlled, "controller": controller, "kind": "declared"}
    return Control.model_validate({**told, "source": "s", "checked": "read"})


def outcome(hits: str) -> StrikeOutcome:
    verdicts = {"?": "possible", "*": "proposed"}
    found = tuple(Hit(hit[0].lower(), verdicts.get(hit[1:], "confirmed"), None) for hit in hits.split())  # type: ignore[arg-type]
    rests_on: RestsOn = "nothing" if not found else "match" if "*" in hits else "decision"
    return StrikeOutcome("x", found, "alternatives" if rests_on == "decision" and "?" in hits else rests_on, None)


@pytest.mark.parametrize("case", CASES, ids=[case.name.replace(" ", "-") for case in CASES])
def test_a_headline_says_all_three_readings(case: Case, base: Basemap) -> None:
    strike = {"id": "x", "title": "X", "when": case.when, "place": "P", "status": "reported", "checked": "read"}
    tables = {
        "sources": [Source(id="s", publisher="S")],
        "entities": list(holders()),
        "assets": [
            Asset(id=name, name=f"Site {name.upper()}", kind="refinery", sources=("s",), checked="read")
            for name in "abc"
        ],
        "strikes": [Strike.model_validate({**strike, "sources": ("s",)})],
        "stakes": [stake(line) for line in parts(case.stakes)],
        "relations": [tie(line) for line in parts(case.ties)],
        "controls": [control(line) for line in parts(case.controls)],
    }
    records = Records.of({name: {row.id: row for row in rows} for name, rows in tables.items()})
    snapshot = Snapshot(records, base, 1, date(2025, 6, 1), wording=text)
    struck = Attributor(records, snapshot.registers).attribute(outcome(case.hits))
    assert plain(headline(snapshot, readings_of(snapshot, struck))) == case.says


@pytest.mark.parametrize("strike", BUNDLED)
def test_the_headlines_of_bundled_strikes(strike: str, snapshot: Snapshot) -> None:
    sentence = plain(headline(snapshot, readings_of(snapshot, snapshot.answer(strike))))
    assert [part for part in BUNDLED[strike] if part not in sentence] == [], sentence


def test_no_headline_of_a_bundled_strike_is_a_place_of_registration_alone(snapshot: Snapshot) -> None:
    """Where a country is named alone its holders are run from there, or are said to have no head office on record.

    Of sites that were only perhaps hit beside others the name alone is told.
    """
    wrong = []
    for strike in snapshot.order:
        readings = readings_of(snapshot, snapshot.answer(strike))
        sentence = headline(snapshot, readings)
        sites = [site.readings for site in readings.sites if site.confirmed] or [readings.together]
        run = [row for site in sites for row in site.headquarters]
        elsewhere = {row.country for row in run} - {row.country for site in sites for row in site.registration}
        unknown = any(not holder.seat_known for row in run for holder in row.holders)
        is_told = sentence.startswith("No country of an owner is known") or "no head office is on record" in sentence
        if (elsewhere and "run from" not in sentence) or (unknown and not is_told):
            wrong.append((strike, sentence))
    assert wrong == []
