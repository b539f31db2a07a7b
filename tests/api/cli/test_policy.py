"""``strikeatlas policy``: what a store publishes is stated in it, and every command follows it from any folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from layers.store.store import Store
from tests.command_runner import Run
from tests.conftest import BASEMAP
from tests.store_copies import opened_copy

POLICY = '[[rounding]]\ntable = "strikes"\ndecimals = 0\n'
WHY = ("--why", "agreed", "--who", "A. Editor")


@pytest.fixture
def address(few_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    store = opened_copy(few_store, tmp_path / "atlas.gpkg")
    store.close()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    (tmp_path / "policy.toml").write_text(POLICY)
    return store.name


def test_a_policy_is_set_shown_and_followed_from_another_folder(command: Run, address: str) -> None:
    where = ("--store", address)
    assert "All that is not private" in command("policy", "show", *where).out
    exact = command("list", "strikes", *where, "--basemap", BASEMAP, "--json").report
    done = command("policy", "set", "../policy.toml", *WHY, *where, "--json").report
    assert done["policy"]["rounding"] == [{"kinds": [], "countries": [], "table": "strikes", "decimals": 0}]
    assert command("policy", "show", *where, "--json").report == done["policy"]
    rounded = command("list", "strikes", *where, "--basemap", BASEMAP, "--json").report
    assert {row["basis"] for row in rounded if row["uncertainty_m"] is not None} == {"rounded"}
    assert {row["basis"] for row in exact} != {"rounded"}
    again = command("policy", "set", "../policy.toml", *WHY, *where, "--json").report
    assert again["change"] == done["change"], "an equal policy is no change"
    assert command("policy", "set", "none", *WHY, *where).code == 0
    assert command("list", "strikes", *where, "--basemap", BASEMAP, "--json").report == exact
    assert command("verify", address, "--basemap", BASEMAP).code == 0


def test_what_was_cached_before_a_policy_or_a_withheld_dataset_is_removed_at_once(command: Run, address: str) -> None:
    for withholding in (
        ("policy", "set", "../policy.toml", *WHY),
        ("dataset", "withhold", "other/facts", *WHY),
    ):
        command("policy", "set", "none", *WHY, "--store", address)
        cached = Path(f"{address}.cache") / "snapshot"
        cached.mkdir(parents=True)
        (cached / "records.assets.arrow").write_text("an exact place")
        assert command(*withholding, "--store", address).code == 0
        assert not cached.exists()


def test_a_file_with_a_fault_or_none_changes_nothing(command: Run, address: str) -> None:
    Path("faulty.toml").write_text('[[rounding]]\ntable = "strikes"\n')
    for file, code in (("faulty.toml", 1), ("missing.toml", 4)):
        assert command("policy", "set", file, *WHY, "--store", address).code == code
    assert command("policy", "set", "../policy.toml", "--who", "A", "--store", address).code == 2
    assert command("policy", "show", "--store", address, "--json").report["rounding"] == []
