"""The head noun decides what a text is about: phrases of both senses in four languages, and names of assets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.model.asset_kinds import TABLE
from layers.text.kind_mentions import mentioned_kinds
from layers.text.site_terms import TARGET_KINDS, VAGUE, kind_bits, kinds_mentioned

#: What each text is about, and what it mentions to say where or whose.
PHRASES = """
Merefa solar plant | power-plant |
Gas trunk lines blown up | pipeline |
Drone hits oil line | pipeline |
Jizan products terminal | oil-depot oil-terminal |
Taman terminal, again | oil-terminal port-terminal |
Rmeilan oil facilities | oil-depot oil-terminal oil-field oil-processing refinery |
Smart Energy gas facility | compressor-station gas-field gas-plant gas-storage |
Fajr Jam gas refinery | gas-plant refinery |
Natogyi off-take station | metering-station |
Taman port, tanker, pier | port-terminal vessel |
Statement of the press office on the fertiliser plant | chemical-plant |
substation of Burshtyn TPP | substation | power-plant
Fire at a substation of the Zaporizhzhia NPP | substation | nuclear-plant
refinery substation hit | substation | refinery
traction substation at railway station | substation | railway
Electrical substation supplying Atlant Aero drone plant | substation | military
nuclear power plant struck | nuclear-plant |
nuclear power plant's training building hit | nuclear-plant |
oil and gas terminal in Baku | oil-terminal |
oil depot at the port | oil-depot | port-terminal
oil depot on fire at port of Feodosia | oil-depot | port-terminal
oil terminal of the port of Primorsk | oil-terminal | port-terminal
a warehouse at the port | warehouse | port-terminal
port elevator burns | port-terminal |
Attack on port: oil depot burns | oil-depot |
bridge to the port | bridge | port-terminal
railway bridge near oil depot | bridge | railway oil-depot
Tanker hit at port of Tuapse | vessel | port-terminal
tanker near Novorossiysk hit | vessel |
Train hit at railway station | railway |
Residential building near power plant destroyed | residential | power-plant
Drones hit residential building | residential |
School next to the substation damaged | school | substation
Port city of Tuapse: refinery on fire | refinery | port-terminal
Two workers injured in attack on refinery | refinery |
smoke from the refinery | refinery |
drones fly over the refinery | refinery |
explosion near Kharkiv damaged substation | substation |
strike on refinery near the airport | refinery | airfield
road near the refinery | | refinery
building near the refinery | | refinery
street near the school | | school
worker of the refinery | | refinery
workers of the refinery and the port | | refinery port-terminal
refinery workers killed in drone strike | | refinery
director of the TPP | | power-plant
5 km from the refinery | | refinery
drone crashed on the road to the airport | | airfield
explosion near the port | | port-terminal
explosions close to the large oil depot | | oil-depot
debris falls in the vicinity of a power station | | power-plant
підстанція ТЕС | substation | power-plant
підстанція Бурштинської ТЕС | substation | power-plant
атака на підстанцію Бурштинської ТЕС | substation | power-plant
на підстанції біля ТЕЦ-5 пожежа | substation | power-plant
насосна станція нафтопроводу «Дружба» | pump-station | pipeline
Резервуар нафтобази | oil-depot |
нафтопереробний завод у Кременчуці | refinery |
атомна електростанція | nuclear-plant |
портовий елеватор | port-terminal |
пожежа на НПЗ | refinery |
дрони вдарили по НПЗ та нафтобазі | refinery oil-depot |
під Харковом пошкоджено підстанцію | substation |
біля Одеси атаковано нафтобазу | oil-depot |
У порту горить нафтобаза | oil-depot | port-terminal
вогонь на нафтобазі у порту | oil-depot | port-terminal
на території порту горить склад | warehouse | port-terminal
склад боєприпасів і пального | military oil-depot |
знищено склад із пальним біля вокзалу | oil-depot | railway
танкер у порту Одеси | vessel | port-terminal
склад боєприпасів біля підстанції | military | substation
міст біля порту | bridge | port-terminal
Залізничний міст | bridge | railway
залізнична станція біля елеватора | railway | port-terminal
лікарня поблизу ТЕЦ | hospital | power-plant
школа поруч із підстанцією | school | substation
житловий будинок навпроти електростанції | residential | power-plant
дорога до порту | | port-terminal
вибух біля нафтобази | | oil-depot
дрон упав біля АЗС | | filling-station
працівник Кременчуцького НПЗ загинув | | refinery
директор Курської АЕС | | nuclear-plant
подстанция Углегорской ТЭС | substation | power-plant
взрыв на подстанции ТЭЦ | substation | power-plant
компрессорная станция газопровода | compressor-station | pipeline
возгорание на территории нефтебазы в порту | oil-depot | port-terminal
пожар на нефтебазе при порте | oil-depot | port-terminal
Атака на порт: горит нефтяной терминал | oil-terminal |
рядом с НПЗ загорелся склад | warehouse | refinery
обломки упали на жилой дом возле нефтебазы | residential | oil-depot
железнодорожный мост у порта | bridge | railway port-terminal
мост возле ТЭЦ | bridge | power-plant
около нефтебазы упал дрон | | oil-depot
в 3 км от АЭС | | nuclear-plant
взрывы в районе порта | | port-terminal
склад в районе порта | warehouse | port-terminal
сотрудник порта ранен | | port-terminal
Umspannwerk des Kraftwerks | substation | power-plant
Angriff auf Raffinerie | refinery |
Tanklager im Hafen | oil-depot | port-terminal
Brücke neben der Raffinerie | bridge | refinery
Schule und Umspannwerk getroffen | school substation |
Wohnhaus neben dem Kraftwerk | residential | power-plant
Bahnhof in der Nähe des Hafens | railway | port-terminal
Brand in der Nähe der Raffinerie | | refinery
Arbeiter der Raffinerie | | refinery
"""


def names(kinds: int) -> set[str]:
    return {kind for bit, kind in enumerate(TARGET_KINDS) if kinds >> bit & 1}


@pytest.mark.parametrize("phrase", PHRASES.strip().split("\n"))
def test_the_head_noun_decides(phrase: str) -> None:
    text, head, other = (part.strip() for part in phrase.split("|"))
    mentions = mentioned_kinds(text)
    assert (names(mentions.head), names(mentions.other)) == (set(head.split()), set(other.split()))


def test_a_mark_ends_what_is_said_of_a_site_and_an_abbreviation_does_not() -> None:
    assert names(mentioned_kinds("Bridge closed. At the port a tanker burns").head) == {"bridge", "vessel"}
    assert names(mentioned_kinds("нафтобаза в м. Одеса біля порту").head) == {"oil-depot"}
    assert mentioned_kinds("") == mentioned_kinds("...") == (0, 0, 0, 0)


WORDS = sorted({word.lstrip("=") for target in TABLE.targets.values() for word in target.all_words})
SMALL = [
    "near",
    "at the",
    "of",
    "and",
    "біля",
    "на",
    "та",
    "возле",
    "von",
    ",",
    ".",
    "fire",
    "удар",
    "worker",
    "road",
    "A",
]


@given(st.lists(st.sampled_from([*WORDS, *SMALL]) | st.text(max_size=5), max_size=12))
def test_a_kind_is_mentioned_in_one_standing_and_by_its_words(words: list[str]) -> None:
    text = " ".join(word.replace("_", " ").replace("+", " ") for word in words)
    head, other, landmark, near = mentioned_kinds(text)
    assert head & other == 0 == (landmark | near) & ~(head | other)
    loose = VAGUE | kind_bits(kind for vague in TABLE.vague_words.values() for kind in vague.kinds)
    assert (head | other) & ~loose & ~kinds_mentioned(text) == 0
    assert (head | other) >> len(TARGET_KINDS) == 0


@given(st.sampled_from(PHRASES.strip().splitlines()), st.text("xyz ,;", max_size=60), st.text("xyz ,;", max_size=60))
def test_words_around_a_clause_do_not_bear_on_it(line: str, before: str, behind: str) -> None:
    text = line.split("|")[0].strip()
    assert mentioned_kinds(f"{before}; {text}; {behind}") == mentioned_kinds(text)
    assert mentioned_kinds(f"{text}{' xyz' * 40}") == mentioned_kinds(text)


def test_a_long_text_is_read_once() -> None:
    text = "oil drone склад завод з виробництва near port of the " * 20_000
    assert "port-terminal" in names(mentioned_kinds(text).other)


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("Strikes on energy facilities in Odesa", {"power-plant", "substation"}),
        ("Атака на енергетичний об'єкт", {"power-plant", "substation"}),
        ("Удар по объекту энергетики", {"power-plant", "substation"}),
        ("Energy infrastructure hit: a substation burns", {"substation"}),
        ("Енергосистема: уражено ГЕС", {"hydro-plant"}),
        ("Пожежа на складі паливно-мастильних матеріалів", {"oil-depot"}),
        ("Горят резервуары с топливом, хранилище ГСМ", {"oil-depot"}),
        ("Tank farm on fire", {"oil-depot"}),
        ("Удар по линейной производственно-диспетчерской станции", {"pump-station"}),
        ("Дрони атакували ЛВДС", {"pump-station"}),
        ("Взрыв на газораспределительной станции", {"metering-station"}),
        ("Уражено теплоцентраль", {"power-plant"}),
        ("Пошкоджено енергоблок", {"power-plant"}),
        ("Горить трансформатор", {"substation"}),
        ("Завод нафтопродуктів", {"refinery"}),
    ],
)
def test_words_of_reports_for_kinds(text: str, stated: set[str]) -> None:
    assert names(kinds_mentioned(text)) == names(mentioned_kinds(text).head) == stated


def test_a_word_of_names_is_none_of_reports() -> None:
    assert kinds_mentioned("ПС ЗСУ збили дрони") == 0
    assert mentioned_kinds("ПС ЗСУ збили дрони") == (0, 0, 0, 0)
