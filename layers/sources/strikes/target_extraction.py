"""What was struck: the codes of attacks and targets in strike files, and the phrase and language of a report's text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from layers.model.asset_kinds import ASSET_KINDS, TABLE
from layers.model.messages import Message
from layers.model.types import AssetKind
from layers.text.kind_mentions import landmarks, mentioned_kinds
from layers.text.place_names import fold, is_common_noun, is_namesake

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


#: Maximum number of words of a target's phrase, and of phrases of one text.
_WORDS_BEFORE, _WORDS_AFTER, _PHRASES = 3, 4, 4
#: Letters of a text that are read.
_LETTERS = 5000
_TOKEN = re.compile(r"«[^«»]{1,60}»|“[^“”]{1,60}”|\"{1,2}[^\"]{1,60}\"{1,2}|[\w'’ʼ-]+|[^\w\s]")
_ADJECTIVE = re.compile(
    r"[\w'’ʼ-]+(?:(?:ськ|цьк|ск)(?:а|у|і|ые|ие|им|ом|ий|ій|ого|ому|ої|ою|их|ими|ая|ую|ой)"
    r"|[нв](?:ий|ого|ому|им|ім|ый|ой|ом|их|ыми|ими|ая|ую|ої|ою|ые|ых))$"
)
_QUOTES = frozenset('«“"')
_DOUBLED = re.compile(r"\"(?:\s*\")+")
_REGION_WORD = re.compile(r"(?:област|обл|район|кра[йюяе]|region|oblast|district|krai)", re.IGNORECASE)
_ENDS_SENTENCE = frozenset(".!?:|;—–-")
_KIN = re.compile(r"завод(?:у|і|а|е|ом)?|станц(?:ія|ії|ію|ією|ия|ии|ию|ией)|station|plant", re.IGNORECASE)
_WHERE = frozenset(["в", "у", "на", "під", "під", "біля", "поблизу", "под", "возле", "около", "in", "at", "near"])
_PIPELINE = (
    "нафтопров", "нефтепров", "трубопров", "нафтогін", "нпс", "перекач", "pipeline", "насосн", "станці", "станц",
)  # fmt: skip


@cache
def _stems() -> Mapping[str, tuple[tuple[tuple[str, ...], tuple[AssetKind, ...]], ...]]:
    """Return the word stems of targets by their first two letters, those of most words first."""
    by_first: dict[str, list[tuple[tuple[str, ...], tuple[AssetKind, ...]]]] = {}
    for stem, kinds in sorted(TARGET_STEMS.items(), key=lambda item: -len(item[0])):
        by_first.setdefault(stem[:2], []).append((tuple(stem.split()), kinds))
    return {start: tuple(stems) for start, stems in by_first.items()}


@lru_cache(maxsize=64)
def targets(text: str) -> tuple[tuple[str, ...], tuple[AssetKind, ...]]:
    """Return the phrases that name a target, as the text prints them, and the asset kinds that its words allow.

    A phrase is the word for a site, adjectives and capitalised words right before it, a name in quotation marks or
    in capitals right after it, and a capitalised place after a preposition: "нафтобазу SOCAR", "Кременчуцький НПЗ",
    "oil depot in Feodosia". Nothing is put into another case or language. A word without any name beside it gives its
    kind and no phrase. Both are empty for a text without such a word.

    A site near which something else was ("positions near the refinery") is no target. Of one that may be what was hit
    or beside it ("explosions near the refinery") the phrase begins with the word for "near", and its kind is not given.
    """
    text = _DOUBLED.sub('"', text[:_LETTERS])
    found = list(_TOKEN.finditer(text))
    tokens = [match[0] for match in found]
    near = landmarks(text)
    phrases: list[str] = []
    kinds: list[AssetKind] = []
    at = 0
    while at < len(tokens) and len(phrases) < _PHRASES:
        match = _stem_at(tokens, at)
        if match is None:
            at += 1
            continue
        length, allowed = match
        start, end = _start(tokens, at), _end(tokens, at + length)
        beside = next((site for site in near if site.site <= found[at].start() < site.end), None)
        if beside is None:
            kinds += allowed
        if (beside is None or not beside.is_sure) and any(
            map(_is_name_part, (*tokens[start:at], *tokens[at + length : end]))
        ):
            before = tokens[start:start] if beside is None else text[beside.start : beside.site].split()
            phrases.append(" ".join((*before, *tokens[start:end])))
        at = end
    return tuple(dict.fromkeys(phrases)), tuple(dict.fromkeys(kinds))


@lru_cache(maxsize=64)
def kinds_only_near(text: str) -> int:
    """Return the kinds of target that a text has near something, and is not about, as a mask by ``TARGET_KINDS``."""
    mentions = mentioned_kinds(_DOUBLED.sub('"', text[:_LETTERS]))
    return (mentions.landmark | mentions.near) & mentions.other


def _stem_at(tokens: list[str], at: int) -> tuple[int, tuple[AssetKind, ...]] | None:
    """Return how many words from a position on are the word for a site, and the kinds of that site."""
    before = tokens[at - 1].casefold()[:5] if at else ""
    if tokens[at].casefold().startswith("порт") and before in ("заліз", "желез"):
        return None  # Залізний Порт is a village in Kherson oblast
    for words, kinds in _stems().get(tokens[at][:2].casefold(), ()):
        here = tokens[at : at + len(words)]
        if len(here) == len(words) and all(map(_begins, here, words)):
            return len(words), kinds
    return None


def _begins(token: str, stem: str) -> bool:
    """Whether a word begins with a stem; an abbreviation (НПЗ, ТЕЦ-5) and a short word must be equal to it."""
    if len(stem) <= 3 and stem.isascii():
        return token.casefold() == stem
    if len(stem) <= 3:
        return token.isupper() and re.split(r"[-\d]", token.casefold())[0] == stem
    return token.casefold() == stem if stem.startswith("порт") else token.casefold().startswith(stem)


def _start(tokens: list[str], at: int) -> int:
    start = at
    while start and at - start < _WORDS_BEFORE and _may_precede(tokens, start - 1):
        start -= 1
    return start


def _may_precede(tokens: list[str], at: int) -> bool:
    """Whether a word is an adjective, or is capitalised without beginning a sentence."""
    begins = at == 0 or tokens[at - 1] in _ENDS_SENTENCE
    return bool(_ADJECTIVE.match(tokens[at])) or (not begins and _is_name(tokens[at]))


def _is_name(token: str) -> bool:
    return token[:1].isupper() and len(token) > 1 and token.casefold() not in _WHERE


def _is_name_part(token: str) -> bool:
    """Whether a word of a phrase is part of a name: in capitals or in quotation marks."""
    return _is_name(token) or token[:1] in _QUOTES


def _end(tokens: list[str], end: int) -> int:
    last = min(len(tokens), end + _WORDS_AFTER)
    # A name may go on with "plant" or "station" in any case, as in "нефтеперекачивающая станция".
    while end < last and (_is_name_part(tokens[end]) or _KIN.fullmatch(tokens[end])):
        end += 1
    if end + 1 < last and tokens[end].casefold() in _WHERE and _is_name(tokens[end + 1]):
        end += 2
        end += end < len(tokens) and bool(_REGION_WORD.match(tokens[end]))
    return end


def language_of(text: str) -> str | None:
    """Return ``uk`` or ``ru`` by the letters that only one of them has; None for no such letters, or both."""
    ukrainian = len(re.findall("[іїєґІЇЄҐ]", text))
    russian = len(re.findall("[ыэъёЫЭЪЁ]", text))
    if ukrainian == russian:
        return None
    return "uk" if ukrainian > russian else "ru"


def is_word_for_a_thing(text: str, name: str) -> bool:
    """Whether a settlement's name in this text is a word for a thing: Port of Tuapse, the pipeline Druzhba."""
    key = fold(name)
    if is_common_noun(key):
        return True
    folded = text.casefold()
    return is_namesake(key) and any(stem in folded for stem in _PIPELINE)
