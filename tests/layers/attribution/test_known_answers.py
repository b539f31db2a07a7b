"""Whose assets were whose on a day, as public records tell: every row is computed from the bundled records.

A row names what is owned, the day and the shares in percent to 0.01, a pair where the sources leave a range. ``RU`` is
a country in all, ``RU state`` the part of it that reaches its state, ``-`` what no country is known for; all countries
of the answer are named. Answers that ``test_answers`` holds already (the Caspian pipeline in three years, the Saudi
state in Aramco, Kremenchuk, Khor Mor, Nord Stream, Forcados, TANAP, the loop of Rosneft) are not repeated.
"""

from __future__ import annotations

from datetime import date

import pytest

from layers.ownership.owners import Owners
from layers.ownership.walk import Interval
from layers.snapshot.snapshot import Snapshot

Share = float | tuple[float, float]
Row = tuple[str, str, dict[str, Share]]

#: A share goes on to another country from joint companies, by majorities and to states; other minorities stay.
STAY: list[Row] = [
    # Owners on the day
    ("omv", "2024-02-27", {"AT": 75.1, "AT state": 31.5, "AE": 24.9, "AE state": 24.9}),
    ("omv", "2024-02-28", {"AT": 75.1, "AT state": 31.5, "AE": 24.9, "AE state": 24.9}),
    ("aramco", "2024-07-01", {"SA": 100, "SA state": (97.48, 97.55)}),
    ("a-cto", "2024-11-27", {"DE": 100, "DE state": (69, 70)}),
    ("a-cto", "2025-05-23", {"DE": (50.1, 54.09), "DE state": (46.09, 50.1), "CH": (45.91, 49.9)}),
    ("a-kstovo", "2025-01-29", {"CN": 17, "CN state": 17, "RU": 55.7, "RU holder": 45.1, "-": 27.3}),
    ("a-kstovo", "2025-10-17", {"CN": 17, "CN state": 17, "RU": 55.7, "RU holder": 45.1, "-": 27.3}),
    ("a-for", "2025-03-13", {"NG": 85, "NG state": 55, "FR": 10, "IT": 5}),
    ("a-taw", "2022-09-30", {"NO": 75, "JE": 25}),
    ("a-taw", "2025-07-16", {"NO": 75, "JE": 25}),
    ("bashneft", "2016-09-30", {"RU": 100, "RU state": 75.08}),
    ("bashneft", "2016-11-01", {"RU": 100, "RU state": 25}),
    ("emg", "2011-11-28", {"EG": 87.5, "US": 12.5}),
    ("emg", "2020-06-01", {"EG": 38.5, "TH": 25, "IL": 9.75, "US": 9.75, "-": 17}),
    ("emg", "2022-06-01", {"EG": 38.5, "IT": 25, "IL": 9.75, "US": 9.75, "-": 17}),
    ("a-ia", "2013-01-17", {"GB": 46, "NO": 45.9, "NO state": 30.75, "DZ": 8.1, "DZ state": 8.1}),
    ("a-ia", "2023-03-01", {"IT": (45.89, 46), "NO": 45.9, "DZ": 8.1, "-": (0, 0.11)}),
    # The Trans Adriatic pipeline, as its partners came and went
    ("a-tap", "2013-06-30", {"CH": 42.5, "NO": 42.5, "NO state": 28.48, "DE": 15}),
    ("a-tap", "2013-08-01", {"AZ": 20, "GB": 20, "NO": 20, "NO state": 13.4, "BE": 16, "FR": 10, "DE": 9, "CH": 5}),
    ("a-tap", "2014-10-01", {"AZ": 20, "GB": 20, "NO": 20, "BE": 19, "ES": 16, "CH": 5}),
    ("a-tap", "2016-01-01", {"AZ": 20, "GB": 20, "IT": 20, "BE": 19, "ES": 16, "CH": 5}),
    ("a-tap", "2023-07-24", {"AZ": 20, "GB": 20, "IT": 20, "BE": 19, "ES": 16, "CH": 5}),
    ("a-tap", "2023-07-25", {"AZ": 20, "AZ state": 20, "GB": 20, "IT": 20, "BE": 20, "ES": 20}),
    # Worked answers and the sites of the strikes
    ("a-ns1", "2022-09-26", {"RU": 51, "RU state": 25.62, "DE": 31, "NL": 9, "NL state": 9, "FR": 9, "FR state": 2.13}),
    ("a-ns2", "2022-09-26", {"RU": 100, "RU state": 50.23}),
    ("a-everi", "2022-06-22", {"JE": (50, 50.02), "CA": (49.98, 50)}),
    ("a-burshtyn", "2024-03-22", {"UA": 100, "UA holder": 100}),
    ("a-dniprohes", "2024-03-22", {"UA": 100, "UA state": 100}),
    ("a-trypilska", "2024-04-11", {"UA": 100, "UA state": 78.29}),
    ("a-nsc", "2025-02-14", {"UA": 100, "UA state": 100}),
    ("a-ugs", "2024-03-24", {"UA": 100, "UA state": 100}),
    ("a-amkr", "2022-12-05", {"LU": 95.13, "UA": 4.87}),
    ("a-coke", "2022-03-10", {"CH": 100}),
    ("a-ryazan", "2025-01-24", {"RU": 79.58, "RU state": 44.69, "QA": 20.42, "QA state": 20.42}),
    ("a-novoil", "2025-09-13", {"RU": (88.23, 89.77), "QA": (10.23, 11.77), "QA state": (10.23, 11.77)}),
    ("a-nvtk", "2024-01-21", {"RU": 100, "RU state": 5.02}),
    ("a-prim", "2025-09-12", {"RU": 100, "RU state": 78.55}),
    ("a-yas", "2022-03-20", {"SA": 62.5, "SA state": (61.36, 61.56), "CN": 37.5, "CN state": 37.5}),
    ("a-rt", "2026-03-02", {"SA": 100, "SA state": (97.48, 97.55)}),
    ("a-mus", "2022-01-17", {"AE": 100, "AE state": 100}),
    ("a-hod", "2024-07-20", {"YE": 100, "YE state": 100}),
    ("a-sp", "2025-06-14", {"IR": 100, "IR state": 100}),
    ("a-rl-t1-3", "2026-03-18", {"QA": 100, "QA state": 100}),
    ("a-rl-t4", "2026-03-18", {"QA": 70, "US": 30}),
    ("a-rl-t5", "2026-03-18", {"QA": 65, "US": 18.3, "FR": 16.7}),
    ("a-rl-t6", "2026-03-18", {"QA": 68.5, "US": 30, "JP": 1.5}),
    ("a-rl-t7", "2026-03-18", {"QA": 70, "GB": 30}),
    ("a-rl-s4", "2026-03-18", {"QA": 66, "US": 34}),
    ("a-rl-s6", "2026-03-18", {"QA": 70, "US": 30}),
    ("a-sars", "2014-06-01", {"US": 42, "NL": 20, "IQ": 20, "IQ state": 20, "DK": 18}),
    ("a-sars", "2025-07-15", {"US": 62, "CA": 18, "IQ": 20}),
    ("a-heg", "2025-08-26", {"SD": 100, "SD state": 100}),
    ("a-krc", "2025-01-23", {"SD": 90, "SD state": 90, "CN": 10, "CN state": 10}),
    ("a-okan", "2016-05-04", {"NG": 60, "US": 40}),
    (
        "a-btc",
        "2008-08-05",
        {"GB": 30.1, "AZ": 25, "AZ state": 25, "US": 13.76, "NO": 8.71, "TR": 6.53, "JP": 5.9, "FR": 5, "IT": 5},
    ),
    ("a-scp", "2024-06-01", {"GB": 29.99, "AZ": 21.02, "AZ state": 21.02, "RU": 19.99, "TR": 19, "IR": 10}),
]

#: Every known holder is followed to its own country.
FOLLOW: list[Row] = [
    ("a-taw", "2022-09-30", {"NO": 41.3, "GB": 33.7, "JE": 25}),
    ("a-ns1", "2022-09-26", {"RU": 51, "DE": (25.89, 26.77), "LU": (4.23, 5.11), "NL": 9, "FR": 9}),
    ("a-coke", "2022-03-10", {"CH": (53.5, 56), "LU": (23, 23.3), "US": (21, 23.2)}),
    ("a-amkr", "2022-12-05", {"LU": (57.2, 59.55), "IN": (35.58, 37.93), "IN holder": (35.58, 37.93), "UA": 4.87}),
    ("a-nvtk", "2024-01-21", {"RU": 80.6, "RU state": 5.02, "RU holder": 48.25, "FR": 18.12, "US": 1.28}),
    ("a-kstovo", "2025-01-29", {"CN": 17, "RU": 61.55, "-": 21.45}),
    ("rosneft", "2024-12-25", {"RU": 57.73, "RU state": 44.69, "RU company": 13.04, "GB": 21.85, "QA": 20.42}),
    ("viterra", "2026-01-01", {"CH": (70.4, 71.6), "JE": 16.4, "CA": (12, 13.2)}),
]

#: Country of the head office.
HEADQUARTERS: list[Row] = [
    ("a-everi", "2022-06-22", {"CH": (49.9, 49.99), "CA": (49.98, 50), "NL": (0.01, 0.12)}),
    ("a-flex", "2025-08-21", {"US": 100}),
]

#: Who held how much of what in all, on a day; ``None`` is nothing.
HOLDINGS: list[tuple[str, str, str, Share | None]] = [
    ("naftogaz", "a-kremenchuk", "2022-11-05", 43.05),
    ("naftogaz", "a-kremenchuk", "2022-11-06", 43.05),
    ("privat-y", "a-kremenchuk", "2022-11-05", 56.95),
    ("privat-y", "a-kremenchuk", "2022-11-06", None),
    ("mod-ua", "a-kremenchuk", "2022-11-05", None),
    ("mod-ua", "a-kremenchuk", "2022-11-06", 56.95),
    ("state-ua", "a-kremenchuk", "2022-11-06", 100),
    ("mubadala", "a-km", "2022-06-22", 2.49),
    ("mubadala", "a-km", "2024-04-26", None),
    ("adnoc", "a-km", "2022-06-22", None),
    ("adnoc", "a-km", "2024-04-26", 2.49),
    ("oebag", "a-km", "2024-04-26", 3.15),
    ("pif", "aramco", "2019-09-14", None),
    ("pif", "aramco", "2022-03-25", 4),
    ("pif", "aramco", "2023-06-01", 8),
    ("pif", "aramco", "2024-04-01", 16),
    ("pif", "aramco", "2026-03-02", 16),
    ("namsen", "kernel", "2023-05-11", (38, 41.3)),
    ("namsen", "kernel", "2023-07-19", 74.05),
    ("namsen", "kernel", "2023-09-01", 91.61),
    ("namsen", "kernel", "2023-11-23", (92.3, 94.37)),
    ("namsen", "kernel", "2025-07-29", (94.37, 95.06)),
    ("hamburg", "a-cto", "2024-11-27", (69, 70)),
    ("hamburg", "a-cto", "2024-11-28", (46.09, 50.1)),
    ("msc", "a-cto", "2024-11-27", None),
    ("msc", "a-cto", "2024-11-28", (45.91, 49.9)),
    ("glencore", "a-everi", "2022-06-22", (49.9, 49.99)),
    ("cppib", "a-everi", "2022-06-22", (39.99, 40)),
    ("bci", "a-everi", "2022-06-22", (9.99, 10)),
    ("bunge-global", "a-everi", "2024-06-01", None),
    ("bunge-global", "a-everi", "2026-01-01", 100),
    ("cppib", "a-everi", "2026-01-01", (12, 13.2)),
    ("sinopec", "a-kstovo", "2025-10-16", 8.5),
    ("sinopec", "a-kstovo", "2025-10-17", 8.5),
    ("soihl-cy", "a-kstovo", "2025-10-17", None),
    ("soihl-hk", "a-kstovo", "2025-10-16", None),
    ("soihl-hk", "a-kstovo", "2025-10-17", 8.5),
    ("shell", "a-for", "2016-02-14", 30),
    ("shell", "a-for", "2025-03-13", None),
    ("renaissance", "a-for", "2025-03-12", None),
    ("renaissance", "a-for", "2025-03-13", 30),
    ("rakp", "dno", "2022-09-30", 44.94),
    ("rakp", "dno", "2022-11-01", None),
    ("mossavar", "dno", "2022-09-30", None),
    ("mossavar", "dno", "2025-07-16", 11.92),
    ("tnkbp", "slavneft", "2013-02-28", (49.5, 50)),
    ("tnkbp", "slavneft", "2013-04-01", None),
    ("rosneft", "slavneft", "2013-02-28", None),
    ("rosneft", "slavneft", "2013-04-01", (49.5, 50)),
    ("gpn", "slavneft", "2013-02-28", (49.5, 50)),
    ("rosneft", "bashneft", "2016-09-30", None),
    ("rosneft", "bashneft", "2016-11-01", 50.08),
    ("rosneft", "bashneft", "2025-09-13", (50.08, 57.66)),
    ("bashkortostan", "bashneft", "2025-09-13", 25),
    ("ampal", "emg", "2011-11-28", 12.5),
    ("ampal", "emg", "2020-06-01", None),
    ("emed", "emg", "2020-06-01", 39),
    ("ptt", "emg", "2020-06-01", 25),
    ("mgpc", "emg", "2020-06-01", 17),
    ("egpc", "emg", "2020-06-01", 9),
    ("ilcorp", "bazan", "2021-10-31", 33),
    ("ilcorp", "bazan", "2021-12-01", 24),
    ("ilcorp", "bazan", "2025-06-15", (0, 7.3)),
    ("bp", "a-ia", "2013-01-17", 46),
    ("bp", "a-ia", "2023-03-01", None),
    ("eni", "a-ia", "2023-03-01", (45.89, 46)),
    ("wd", "a-ns1", "2022-09-26", 15.5),
    ("basf", "wd", "2022-09-26", (67, 72.7)),
    ("letterone", "wd", "2022-09-26", (27.3, 33)),
    ("bp", "a-cpc-pipeline", "2007-06-01", 6.62),
    ("bp", "a-cpc-pipeline", "2010-01-01", None),
    ("state-om", "a-cpc-pipeline", "2008-10-30", 7),
    ("socar", "a-tanap", "2025-08-08", 31.99),
    ("az-min", "a-tanap", "2025-08-08", 26.01),
    ("state-az", "a-tanap", "2025-08-08", 58),
    ("socar", "a-tap", "2025-08-08", 20),
    ("sonatrach", "a-ia", "2013-01-17", 8.1),
]

#: The refinery of Yaroslavl, with Slavneft as its only owner and both halves of it full: the largest its paths allow.
YANOS = [
    (("slavneft", "rosneft", "rosneftegaz", "state-ru"), 20.2),
    (("slavneft", "rosneft", "bp-ri", "bp"), 9.875),
    (("slavneft", "rosneft", "qh", "qia", "state-qa"), 9.23),
    (("slavneft", "rosneft"), 5.895),
]


def interval(share: Share) -> Interval:
    return Interval(*share) if isinstance(share, tuple) else Interval(share, share)


def told(owners: Owners) -> dict[str, Interval]:
    """All countries with their reaches, and the unattributed part."""
    found = {row.country: row.share for row in owners.shares}
    found |= {f"{row.country} {name}": part for row in owners.shares for name, part in row.reaches.items()}
    return found | ({"-": owners.unattributed} if owners.unattributed.high > 0 else {})


def near(share: Interval) -> tuple[object, object]:
    return pytest.approx(share.low, abs=0.01), pytest.approx(share.high, abs=0.01)


def require(owners: Owners, expected: dict[str, Share]) -> None:
    found = told(owners)
    assert {name for name in found if " " not in name} == {name for name in expected if " " not in name}
    for name, share in expected.items():
        assert (found[name].low, found[name].high) == near(interval(share)), name
    assert owners.warnings == ()


@pytest.mark.parametrize(("owned", "on", "expected"), STAY)
def test_owners_by_country(snapshot: Snapshot, owned: str, on: str, expected: dict[str, Share]) -> None:
    require(snapshot.owners(owned, date.fromisoformat(on)), expected)


@pytest.mark.parametrize(("owned", "on", "expected"), FOLLOW)
def test_owners_with_every_holder_followed(snapshot: Snapshot, owned: str, on: str, expected: dict[str, Share]) -> None:
    require(snapshot.owners(owned, date.fromisoformat(on), minority="follow"), expected)


@pytest.mark.parametrize(("owned", "on", "expected"), HEADQUARTERS)
def test_owners_by_head_office(snapshot: Snapshot, owned: str, on: str, expected: dict[str, Share]) -> None:
    require(snapshot.owners(owned, date.fromisoformat(on), basis="headquarters"), expected)


@pytest.mark.parametrize(("owner", "held", "on", "expected"), HOLDINGS)
def test_what_an_owner_held(snapshot: Snapshot, owner: str, held: str, on: str, expected: Share | None) -> None:
    found = {row.id: row.effective for row in snapshot.holdings(owner, date.fromisoformat(on))}
    if expected is None:
        assert held not in found
    else:
        assert (found[held].low, found[held].high) == near(interval(expected))


@pytest.mark.parametrize(("path", "expected"), YANOS)
def test_the_halves_of_the_yaroslavl_refinery(snapshot: Snapshot, path: tuple[str, ...], expected: float) -> None:
    found = {
        tuple(step.stake.owner for step in chain.steps[1:]): chain.share.high
        for chain in snapshot.owners("a-yanos", date(2024, 1, 29)).chains.paths
    }
    assert found[path] == pytest.approx(expected, abs=0.005)


def test_the_gazprom_half_of_the_yaroslavl_refinery(snapshot: Snapshot) -> None:
    paths = snapshot.owners("a-yanos", date(2024, 1, 29)).chains.paths
    half = [chain for chain in paths if "gazprom" in {step.stake.owner for step in chain.steps}]
    assert sum(chain.share.high for chain in half) == pytest.approx(47.84, abs=0.005)
    state = sum(chain.share.high for chain in half if chain.end.reach == "state")
    assert state == pytest.approx(24.03, abs=0.005)
