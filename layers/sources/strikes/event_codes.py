"""Meaning of the codes of attacks and targets in strike files: tables, each with its grounds; all weak labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from layers.model.asset_kinds import ASSET_KINDS, TABLE
from layers.model.messages import Message
from layers.model.types import AssetKind

#: Target classes of the derived VIINA tables to the kinds of asset they may mean; a class of none of our kinds
#: (airfields, arsenals) says nothing here.
VIINA_TARGETS: Mapping[str, tuple[AssetKind, ...]] = TABLE.target_classes["viina"]

#: Target classes of VIINA in words, for titles.
VIINA_TITLES: Mapping[str, str] = {
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

#: VIINA's labels of what happened to a weapon. A label is a classifier's guess (its diagnostics give AUC 0.92-0.99).
VIINA_WEAPONS: Mapping[str, str] = {
    "t_uav_b": "drone",
    "t_airstrike_b": "air strike",
    "t_artillery_b": "artillery or rocket",
    "t_ied_b": "explosive charge or mine",
}
#: Labels of which a VIINA report of an attack on a place has at least one.
VIINA_ATTACKS = (*VIINA_WEAPONS, "t_property_b", "t_hospital_b")


class CodedAttack(NamedTuple):
    """The attack that a code of a dataset means: a title for its strikes, and a kind of weapon, empty if not known."""

    title: str
    weapon: str = ""


#: The attack that each ACLED sub-event type means (in files before 2019, event type), or why such events are skipped.
#: An intercepted weapon (Disrupted weapons use) may still do damage where it falls.
ACLED_EVENTS: Mapping[str, CodedAttack | Message] = {
    "air/drone strike": CodedAttack("Air or drone strike", "aircraft or drone"),
    "shelling/artillery/missile attack": CodedAttack("Shelling or missile attack", "artillery, rocket or missile"),
    "remote explosive/landmine/ied": CodedAttack("Explosive charge or mine", "explosive charge or mine"),
    "grenade": CodedAttack("Grenade attack", "grenade"),
    "suicide bomb": CodedAttack("Suicide bombing", "suicide bomb"),
    "chemical weapon": CodedAttack("Chemical attack", "chemical weapon"),
    "remote violence": CodedAttack("Shelling, bombing or air strike"),
    "disrupted weapons use": CodedAttack("Intercepted or failed attack"),
    "looting/property destruction": CodedAttack("Destruction of property"),
    "armed clash": Message("strikes.fighting"),
    "battle-no change of territory": Message("strikes.fighting"),
    "government regains territory": Message("acled.change-of-control"),
    "non-state actor overtakes territory": Message("acled.change-of-control"),
    "battle-government regains territory": Message("acled.change-of-control"),
    "battle-non-state actor overtakes territory": Message("acled.change-of-control"),
    "non-violent transfer of territory": Message("acled.change-of-control"),
    "headquarters or base established": Message("acled.change-of-control"),
    "attack": Message("acled.violence-against-persons"),
    "sexual violence": Message("acled.violence-against-persons"),
    "abduction/forced disappearance": Message("acled.violence-against-persons"),
    "violence against civilians": Message("acled.violence-against-persons"),
    "mob violence": Message("acled.riot"),
    "violent demonstration": Message("acled.riot"),
    "excessive force against protesters": Message("acled.protest"),
    "protest with intervention": Message("acled.protest"),
    "peaceful protest": Message("acled.protest"),
    "riots/protests": Message("acled.protest"),
    "agreement": Message("acled.no-violence"),
    "arrests": Message("acled.no-violence"),
    "change to group/activity": Message("acled.no-violence"),
    "other": Message("acled.no-violence"),
    "strategic development": Message("acled.no-violence"),
}
#: ACLED event types in which actor1 is the attacker; in all others the order of the actors has no meaning.
ACLED_ONE_SIDED = frozenset({"explosions/remote violence", "remote violence"})

#: Groups of the Eyes on Russia map, by their first words (as in a mirror of the map of 2022): the attack they mean, or
#: the reason for skipping. A group that is not listed is skipped and counted by its name.
EYES_GROUPS: Mapping[str, CodedAttack | Message] = {
    "bombing, shelling or explosion": CodedAttack("Bombing, shelling or explosion"),
    "civilian infrastructure damage": CodedAttack("Damage to civilian infrastructure"),
    "military infrastructure damage": CodedAttack("Damage to military infrastructure"),
    "civilian casualty": CodedAttack("Civilian casualties"),
    "munitions": CodedAttack("Munition found"),
    "russian military movements": Message("eyes-on-russia.troop-movements"),
    "russian allies movements/losses": Message("eyes-on-russia.troop-movements"),
    "russian military losses": Message("eyes-on-russia.losses"),
    "ukrainian military losses": Message("eyes-on-russia.losses"),
    "gunfire, fighting, battle": Message("strikes.fighting"),
    "russian firing positions": Message("eyes-on-russia.firing-positions"),
    "other": Message("eyes-on-russia.no-attack"),
}


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


def group_of(text: str) -> CodedAttack | Message | None:
    """Return the row of ``EYES_GROUPS`` for a group, whose name may end in a month, as in "… March 2022"."""
    folded = text.casefold()
    return next((meaning for start, meaning in EYES_GROUPS.items() if folded.startswith(start)), None)
