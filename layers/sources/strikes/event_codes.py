"""What the codes of strike files say of an attack and its target: tables, each with its grounds; all weak labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from layers.model.types import AssetKind

#: Target classes of the derived VIINA tables to the kinds of asset they may mean. The classes come of word stems in
#: a headline, so they are wide; a class of none of our kinds (airfields, arsenals, substations) says nothing here.
VIINA_TARGETS: Mapping[str, tuple[AssetKind, ...]] = MappingProxyType(
    {
        "REFINING_PETROCHEM_GAS": ("refinery", "petrochemical-plant", "gas-plant"),
        "FUEL_STORAGE_TERMINAL": ("oil-depot", "oil-terminal"),
        "PIPELINE_PUMPING": ("pipeline", "pump-station"),
        "PORT_EXPORT_LOGISTICS": ("port-terminal", "oil-terminal"),
        "DEFENSE_INDUSTRY": ("factory",),
        "INDUSTRIAL_UNRESOLVED": ("factory",),
        "ENERGY_GRID_SUPPORT": (),
        "STRATEGIC_AIRBASE": (),
        "AMMUNITION_ARSENAL": (),
        "MILITARY_MUNITIONS_STORAGE": (),
        "MILITARY_REPAIR_SHIPYARD": (),
        "RAIL_STRATEGIC_LOGISTICS": (),
        "MILITARY_COMMS_SPACE": (),
    }
)

#: The same classes in words, for titles.
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
#: Labels that make a VIINA report one of an attack on a place; with none of them it is of something else.
VIINA_ATTACKS = (*VIINA_WEAPONS, "t_property_b", "t_hospital_b")

#: ACLED sub-event type (or, in files before 2019, event type) to the weapon and the words of a title; None is skipped
#: for the reason beside it. An intercepted weapon (Disrupted weapons use) may still do damage where it falls.
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
#: ACLED events in which actor1 is the one who attacks; elsewhere the order of the actors says nothing.
ACLED_ONE_SIDED = frozenset({"explosions/remote violence", "remote violence"})

#: Groups of the Eyes on Russia map, by how they begin (as in a mirror of the map of 2022): whether they are loaded, and
#: the words of a title, or why not. Another group is skipped and counted by its name.
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

#: Word stems of a target, as they begin a word in Ukrainian, Russian or English, to the kinds it may be. Several
#: words are joined by a space: each begins one of as many words in a row.
TARGET_STEMS: Mapping[str, tuple[AssetKind, ...]] = MappingProxyType(
    {
        "нафтобаз": ("oil-depot",),
        "нефтебаз": ("oil-depot",),
        "нафтосховищ": ("oil-depot",),
        "нефтехранил": ("oil-depot",),
        "нпз": ("refinery",),
        "нафтопереробн": ("refinery",),
        "нефтеперерабат": ("refinery",),
        "гпз": ("gas-plant",),
        "газопереробн": ("gas-plant",),
        "газоперерабат": ("gas-plant",),
        "нафтопров": ("pipeline",),
        "нефтепров": ("pipeline",),
        "газопров": ("pipeline",),
        "газогін": ("pipeline",),
        "нпс": ("pump-station",),
        "нафтоперекач": ("pump-station",),
        "нефтеперекач": ("pump-station",),
        "компресорн станці": ("compressor-station",),
        "компрессорн станц": ("compressor-station",),
        "нафтов термінал": ("oil-terminal",),
        "нефтян терминал": ("oil-terminal",),
        "газосховищ": ("gas-storage",),
        "газохранилищ": ("gas-storage",),
        "тес": ("power-plant",),
        "тэс": ("power-plant",),
        "тец": ("power-plant",),
        "тэц": ("power-plant",),
        "електростанц": ("power-plant",),
        "электростанц": ("power-plant",),
        "аес": ("nuclear-plant",),
        "аэс": ("nuclear-plant",),
        "гес": ("hydro-plant",),
        "гэс": ("hydro-plant",),
        "порт": ("port-terminal",),
        "порту": ("port-terminal",),
        "порта": ("port-terminal",),
        "порті": ("port-terminal",),
        "порте": ("port-terminal",),
        "підстанц": (),
        "подстанц": (),
        "електропідстанц": (),
        "электроподстанц": (),
        "аеродром": (),
        "аэродром": (),
        "oil refinery": ("refinery",),
        "refinery": ("refinery",),
        "oil depot": ("oil-depot",),
        "fuel depot": ("oil-depot",),
        "oil terminal": ("oil-terminal",),
        "gas pipeline": ("pipeline",),
        "oil pipeline": ("pipeline",),
        "pumping station": ("pump-station",),
        "compressor station": ("compressor-station",),
        "gas processing": ("gas-plant",),
        "nuclear power": ("nuclear-plant",),
        "power plant": ("power-plant",),
        "power station": ("power-plant",),
        "thermal power": ("power-plant",),
        "hydroelectric": ("hydro-plant",),
        "substation": (),
    }
)


def kinds_of_classes(classes: Iterable[str]) -> tuple[AssetKind, ...]:
    """Kinds of asset that VIINA target classes allow, each once; of a class that is not in the table, none."""
    return tuple(dict.fromkeys(kind for name in classes for kind in VIINA_TARGETS.get(name, ())))


def group_of(text: str) -> tuple[bool, str] | None:
    """What the table says of an Eyes on Russia group; groups of a month are called "… March 2022"."""
    folded = text.casefold()
    return next((told for start, told in EYES_GROUPS.items() if folded.startswith(start)), None)
