"""A site that a text names to say where something was is a landmark; an event "near" it leaves open what was hit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.sources.strikes.target_extraction import kinds_only_near, targets
from layers.text.kind_mentions import landmarks, mentioned_kinds
from layers.text.site_terms import kind_bits

#: Headlines of our own wording: the kind of a site, how the text has it, and its name there if it is near something.
HEADLINES = """
target | refinery | Drones hit the Orsk refinery | -
target | refinery | Orsk refinery burns after a night of explosions near the town | -
target | oil-depot | Missile strikes oil depot near Dubno | -
target | oil-depot | Fuel depot 20 km from the border is on fire | -
target | refinery | Refinery west of Orsk attacked again | -
target | substation | Shelling damaged a substation outside Merefa | -
target | refinery | На Орському НПЗ пожежа після атаки дронів | -
target | oil-depot | Ракета влучила в нафтобазу під Дубном | -
target | oil-depot | Під Дубном горить нафтобаза | -
target | oil-depot | Пожежа на нафтобазі неподалік Дубна | -
target | substation | У районі Мерефи пошкоджено підстанцію | -
target | refinery | Під удар потрапив НПЗ в Орську | -
target | refinery | Під прицілом Орський НПЗ: дрони вдарили вночі | -
target | oil-depot | Під час гасіння нафтобази вибухнув резервуар | -
target | oil-depot | Беспилотники поразили нефтебазу недалеко от Дубно | -
target | refinery | Под удар попал Орский НПЗ | -
target | oil-depot | В 25 километрах к западу от Дубно загорелась нефтебаза | -
target | substation | Обстреляна подстанция в районе Мерефы | -
target | oil-depot | Россияне под Дубно ударили по нефтебазе | -
target | refinery | Drohnen treffen die Raffinerie unweit von Orsk | -
landmark | refinery | Fighting goes on not far from the Orsk refinery | Orsk refinery
landmark | refinery | Drone strikes positions near the Orsk refinery | Orsk refinery
landmark | refinery | Troops advance towards the Orsk refinery | Orsk refinery
landmark | refinery | Attacks beaten back west of the Orsk refinery | Orsk refinery
landmark | refinery | Shells fall 3 km from the Orsk refinery | Orsk refinery
landmark | oil-depot | School next to the Dubno oil depot damaged | Dubno oil depot
landmark | nuclear-plant | Drone hits a substation near the Enerhodar nuclear plant | Enerhodar nuclear plant
landmark | refinery | Howitzer destroyed, it was located near the refinery of Orsk | refinery of Orsk
landmark | refinery | Near the Orsk refinery heavy fighting continues | Orsk refinery
landmark | refinery | Атаку відбито з боку Орського НПЗ | Орського НПЗ
landmark | refinery | Тривають бої неподалік від Орського НПЗ | Орського НПЗ
landmark | refinery | Удар по позиціях поблизу Орського НПЗ | Орського НПЗ
landmark | refinery | На підступах до Орського НПЗ точаться бої | Орського НПЗ
landmark | hydro-plant | Склад боєприпасів біля Канівської ГЕС знищено | Канівської ГЕС
landmark | refinery | Обстріл села біля Орського НПЗ | Орського НПЗ
landmark | refinery | Дрон збито в районі Орського НПЗ | Орського НПЗ
landmark | refinery | Бои под Орским НПЗ не прекращаются | Орским НПЗ
landmark | refinery | Артиллерия бьёт по окопам, находящимся недалеко от Орского НПЗ | Орского НПЗ
landmark | refinery | Атаки отбиты к западу от Каменки (Орского НПЗ) | Орского НПЗ
landmark | refinery | Пехота пытается прорваться к Орскому НПЗ | Орскому НПЗ
landmark | refinery | Снаряды легли западнее Орского НПЗ | Орского НПЗ
landmark | hydro-plant | Уничтожен склад боеприпасов в окрестностях Каневской ГЭС | Каневской ГЭС
landmark | power-plant | Вокруг села рядом с Углегорской ТЭС идут бои | Углегорской ТЭС
landmark | refinery | Gefechte unweit der Raffinerie Orsk | Raffinerie Orsk
landmark | refinery | Fighting near Kamianka and the Orsk refinery | Kamianka and the Orsk refinery
landmark | refinery | Тривають бої біля Кам'янки і Орського НПЗ | Кам'янки і Орського НПЗ
landmark | port-terminal | Обстріляно судно, яке прямувало у порт Ізмаїла | порт Ізмаїла
landmark | nuclear-plant | Удар по підстанції, що постачає електроенергію Хмельницькій АЕС | Хмельницькій АЕС
open | refinery | Explosion near the Orsk refinery | Orsk refinery
open | refinery | Smoke seen near the Orsk refinery | Orsk refinery
open | oil-depot | Blasts in the area of the Dubno oil depot | Dubno oil depot
open | refinery | Вибухи пролунали біля Орського НПЗ | Орського НПЗ
open | oil-depot | Пожежа в районі нафтобази в Дубні | нафтобази в Дубні
open | oil-depot | Поблизу нафтобази в Дубні чути вибухи | нафтобази в Дубні
open | refinery | Взрыв возле Орского НПЗ | Орского НПЗ
open | power-plant | Дрон упал около Углегорской ТЭС | Углегорской ТЭС
open | substation | Пожар в районе подстанции в Мерефе | подстанции в Мерефе
open | refinery | Brand in der Nähe der Raffinerie Orsk | Raffinerie Orsk
""".strip().split("\n")


@pytest.mark.parametrize("line", HEADLINES)
def test_a_site_is_a_target_or_a_landmark_or_that_is_open(line: str) -> None:
    standing, kind, text, name = (part.strip() for part in line.split("|"))
    mentions, bit = mentioned_kinds(text), kind_bits([kind])
    standings = {"target": mentions.head, "landmark": mentions.landmark, "open": mentions.near}
    assert [one for one, kinds in standings.items() if kinds & bit] == [standing]
    near = [(text[site.site : site.end], site.is_sure) for site in landmarks(text)]
    assert near == ([] if standing == "target" else [(name, standing == "landmark")])
    assert kinds_only_near(text) & bit == (0 if standing == "target" else bit)


@pytest.mark.parametrize("line", HEADLINES)
def test_a_landmark_is_no_phrase_of_a_target_and_an_open_one_says_that_it_is_near(line: str) -> None:
    standing, kind, text, name = (part.strip() for part in line.split("|"))
    phrases, kinds = targets(text)
    if standing != "target":
        assert kind not in kinds
        assert not any(name in phrase for phrase in phrases if standing == "landmark")
    for phrase in phrases:
        assert not mentioned_kinds(phrase).landmark
        assert bool(mentioned_kinds(phrase).near) == (standing == "open")


def test_a_site_that_is_struck_in_one_sentence_and_a_landmark_in_another_is_a_target() -> None:
    text = "Fighting near the Orsk refinery. The Orsk refinery burns."
    mentions = mentioned_kinds(text)
    assert mentions.head & mentions.landmark == kind_bits(["refinery"])
    assert kinds_only_near(text) == 0
    assert targets(text) == (("Orsk refinery",), ("refinery",))


@given(st.lists(st.sampled_from([*" ".join(HEADLINES).split(), "(", ",", "near", "біля", "в районе"]), max_size=30))
def test_a_landmark_is_a_slice_of_the_text_behind_its_word(words: list[str]) -> None:
    text = " ".join(words)
    end = 0
    for site in landmarks(text):
        assert end <= site.start < site.site < site.end <= len(text)
        end = site.start
    mentions = mentioned_kinds(text)
    assert bool(landmarks(text)) == bool(mentions.landmark | mentions.near)
