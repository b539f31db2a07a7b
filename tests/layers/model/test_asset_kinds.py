"""The table of asset kinds: what it may hold, what derives from it, and that every group can be drawn and named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest

from layers.model.asset_kinds import ASSET_KINDS, GROUPS, TABLE, AssetKindsError, parse
from layers.model.records import Asset
from layers.model.types import AssetKind, Group, columns
from layers.text.strike_terms import FAMILIES

STATIC = Path(__file__).parents[3] / "static"


def test_types_and_schemas_list_the_kinds_in_the_order_of_the_table() -> None:
    kinds = tuple(ASSET_KINDS)
    assert get_args(AssetKind) == kinds
    assert get_args(Group) == GROUPS
    assert next(column for column in columns(Asset) if column.name == "kind").choices == kinds


def test_every_group_has_a_symbol_a_mark_and_a_name() -> None:
    table = json.loads((STATIC / "style-table.json").read_text(encoding="utf-8"))
    words = json.loads((STATIC / "text.en.json").read_text(encoding="utf-8"))
    assert set(table["group"]) == set(table["mark"]) == {*GROUPS, "none"}
    assert [group for group in (*GROUPS, "none") if f"group{group}" not in words] == []


def test_every_kind_has_words_and_known_families() -> None:
    assert [name for name, target in TABLE.targets.items() if not target.all_words] == []
    assert {family for kind in ASSET_KINDS.values() for family in kind.families} <= set(FAMILIES)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("kinds = ", "no TOML"),
        ("[kinds.mine]\nwrods.en = ['mine']", "kinds.mine.wrods: no such field; a kind has"),
        ("[kinds.mine]\nwords.en = ['coal mine']", "kinds.mine.words.en.0"),
        ("[kinds.mine]\ngroup = 'coal-mine'", "kinds.mine.group"),
        ("[kinds.mine]\nmistaken_for = ['pit']\n[kinds.pit]", "mine.mistaken_for: 'pit' is not further up"),
        ("[kinds.mine]\n[other_targets.mine]\nnote = 'A mine.'", "other_targets.mine is a kind as well"),
        ("[kinds.mine]\n[other_targets.pit]", "other_targets.pit.note: Field required"),
        ("[kinds.mine]\nwords.en = ['coal_mine+pit']", "kinds.mine.words.en.0"),
        ("[kinds.mine]\nosm_tags = ['landuse=mine']", "kinds.mine.osm_tags.0"),
        ("[kinds.a]\nwri_fuels = ['coal']\n[kinds.b]\nwri_fuels = ['coal']", "'coal' belongs to more than one kind"),
        ("[kinds.a]\ngem_asset_types = ['Coal Mine']", "'Coal Mine' has capital letters"),
        ("[kinds.a]\n[vague_words.b]\nkinds = ['c']\nwords.en = ['b']", "vague_words.b: 'c' is no kind"),
        ("[kinds.a]\n[vague_words.a]\nkinds = ['a']\nwords.en = ['b']", "vague_words.a is a target as well"),
        ("[kinds.a]\n[target_classes.viina]\nMINE = ['mine']", "viina.MINE: 'mine' is no kind"),
    ],
)
def test_a_fault_of_the_table_is_named(text: str, fault: str) -> None:
    with pytest.raises(AssetKindsError, match=r"asset_kinds\.toml") as caught:
        parse(text)
    assert fault in str(caught.value)


def test_the_kinds_fit_a_mask_of_64_bits() -> None:
    assert len(TABLE.targets) <= 64


def test_a_code_leads_to_its_kind() -> None:
    table = parse(
        "[kinds.mine]\nosm_tags = ['industrial=mine']\n[kinds.pit]\nmistaken_for = ['mine']\nwords.en = ['=pit']"
    )
    assert table.kinds_by("osm_tags") == {"industrial=mine": "mine"}
    assert table.targets["pit"].all_words == ("=pit",)
