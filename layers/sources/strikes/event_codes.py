"""Meaning of the codes of attacks and targets in strike files: tables, each with its grounds; all weak labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from layers.model.asset_kinds import ASSET_KINDS, TABLE
from layers.model.types import AssetKind

#: Target classes of the derived VIINA tables to the kinds of asset they may mean; a class of none of our kinds
#: (airfields, arsenals, substations) says nothing here.
VIINA_TARGETS: Mapping[str, tuple[AssetKind, ...]] = TABLE.target_classes["viina"]

#: Target classes of VIINA in words, for titles.
VIINA_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "REFINING_PETROCHEM_GAS": "refinery or gas or petrochemical plant",
        "FUEL_STORAGE_TERMINAL": "fuel depot or terminal",
        "PIPELINE_PUMPING": "pipeline or pumping station",
        "PORT_EXPORT_LOGISTICS": "port",
        "DEFENSE_INDUSTRY": "arms plant",
        "INDUSTRIAL_UNRESOLVED": "plant",
        "ENERGY_GRID_SUPPORT": "substation",
        "STRATEGIC_AIRBASE": "airfield",
        "AMMUNITION_ARSENAL": "ammunition store",
        "MILITARY_MUNITIONS_STORAGE": "ammunition store",
        "MILITARY_REPAIR_SHIPYARD": "shipyard",
        "RAIL_STRATEGIC_LOGISTICS": "railway site",
        "MILITARY_COMMS_SPACE": "communications site",
    }
)

#: VIINA's labels of what happened to a weapon. A label is a classifier's guess (its diagnostics give AUC 0.92-0.99).
VIINA_WEAPONS: Mapping[str, str] = MappingProxyType(
    {
        "t_uav_b": "drone",
        "t_airstrike_b": "air strike",
        "t_artillery_b": "artillery or rocket",
        "t_ied_b": "explosive charge or mine",
    }
)
#: Labels of which a VIINA report of an attack on a place has at least one.
VIINA_ATTACKS = (*VIINA_WEAPONS, "t_property_b", "t_hospital_b")

#: Weapon and title of each ACLED sub-event type (in files before 2019, event type). Events with the weapon None are
#: skipped for the reason beside it. An intercepted weapon (Disrupted weapons use) may still do damage where it falls.
ACLED_EVENTS: Mapping[str, tuple[str | None, str]] = MappingProxyType(
    {
        "air/drone strike": ("aircraft or drone", "Air or drone strike"),
        "shelling/artillery/missile attack": ("artillery, rocket or missile", "Shelling or missile attack"),
        "remote explosive/landmine/ied": ("explosive charge or mine", "Explosive charge or mine"),
        "grenade": ("grenade", "Grenade attack"),
        "suicide bomb": ("suicide bomb", "Suicide bombing"),
        "chemical weapon": ("chemical weapon", "Chemical attack"),
        "remote violence": ("", "Shelling, bombing or air strike"),
        "disrupted weapons use": ("", "Intercepted or failed attack"),
        "looting/property destruction": ("", "Destruction of property"),
        "armed clash": (None, "fighting, not an attack on a place"),
        "battle-no change of territory": (None, "fighting, not an attack on a place"),
        "government regains territory": (None, "a change of control"),
        "non-state actor overtakes territory": (None, "a change of control"),
        "battle-government regains territory": (None, "a change of control"),
        "battle-non-state actor overtakes territory": (None, "a change of control"),
        "non-violent transfer of territory": (None, "a change of control"),
        "headquarters or base established": (None, "a change of control"),
        "attack": (None, "violence against persons"),
        "sexual violence": (None, "violence against persons"),
        "abduction/forced disappearance": (None, "violence against persons"),
        "violence against civilians": (None, "violence against persons"),
        "mob violence": (None, "a riot"),
        "violent demonstration": (None, "a riot"),
        "excessive force against protesters": (None, "a protest"),
        "protest with intervention": (None, "a protest"),
        "peaceful protest": (None, "a protest"),
        "riots/protests": (None, "a protest"),
        "agreement": (None, "a development without violence"),
        "arrests": (None, "a development without violence"),
        "change to group/activity": (None, "a development without violence"),
        "other": (None, "a development without violence"),
        "strategic development": (None, "a development without violence"),
    }
)
#: ACLED event types in which actor1 is the attacker; in all others the order of the actors has no meaning.
ACLED_ONE_SIDED = frozenset({"explosions/remote violence", "remote violence"})

#: Groups of the Eyes on Russia map, by their first words (as in a mirror of the map of 2022): whether they are loaded,
#: and the title or the reason for skipping. A group that is not listed is skipped and counted by its name.
EYES_GROUPS: Mapping[str, tuple[bool, str]] = MappingProxyType(
    {
        "bombing, shelling or explosion": (True, "Bombing, shelling or explosion"),
        "civilian infrastructure damage": (True, "Damage to civilian infrastructure"),
        "military infrastructure damage": (True, "Damage to military infrastructure"),
        "civilian casualty": (True, "Civilian casualties"),
        "munitions": (True, "Munition found"),
        "russian military movements": (False, "troop movements"),
        "russian allies movements/losses": (False, "troop movements"),
        "russian military losses": (False, "losses of equipment"),
        "ukrainian military losses": (False, "losses of equipment"),
        "gunfire, fighting, battle": (False, "fighting, not an attack on a place"),
        "russian firing positions": (False, "firing positions"),
        "other": (False, "no attack"),
    }
)


def _kinds_by_phrase() -> Mapping[str, tuple[AssetKind, ...]]:
    kinds: dict[str, tuple[AssetKind, ...]] = {}
    for name, target in TABLE.targets.items():
        for phrase in target.all_target_phrases:
            kinds[phrase] = (*kinds.get(phrase, ()), *((name,) if name in ASSET_KINDS else ()))
    return kinds


#: Word stems of a target, as they begin a word in Ukrainian, Russian or English, to the kinds it may be. Several
#: words are joined by a space: each begins one of as many words in a row.
TARGET_STEMS = _kinds_by_phrase()


def kinds_of_classes(classes: Iterable[str]) -> tuple[AssetKind, ...]:
    """Return the distinct kinds of asset that VIINA target classes allow; an unknown class allows none."""
    return tuple(dict.fromkeys(kind for name in classes for kind in VIINA_TARGETS.get(name, ())))


def group_of(text: str) -> tuple[bool, str] | None:
    """Return the row of ``EYES_GROUPS`` for a group, whose name may end in a month, as in "… March 2022"."""
    folded = text.casefold()
    return next((meaning for start, meaning in EYES_GROUPS.items() if folded.startswith(start)), None)
