"""Names of sites in any script and case, and the kinds and numbers that a text tells of."""

from __future__ import annotations

from layers.text.site_terms import TARGET_KINDS, kinds_mentioned, numbers, stems

SAME = (
    ("Кременчуцького", "Кременчугского", "Kremenchuk", "Kremenchug", "Кременчуці", "Кременчуге"),
    ("Одеський", "Odesa", "Odessa", "Одессе", "Одесского"),
    ("Лисичанського", "Lysychansk", "Лисичанске", "Лисичанську"),
    ("Феодосії", "Feodosia", "Феодосийская", "Феодосійський"),
    ("Запорізькій", "Zaporizhzhia", "Zaporizhzhya", "Запорожской", "Запоріжжя"),
    ("Львов", "Львів", "Lviv", "Львівської"),
    ("Киевской", "Kyiv", "Kiev", "Київська"),
    ("Новокуйбишевський", "Novokuibyshevsk", "Новокуйбышевск"),
    ("Харьков", "Харків", "Kharkiv", "Харківська"),
    ("Ізмаїла", "Izmail", "Измаил"),
    ("Бурштинська", "Burshtyn", "Burshtynska"),
)


def test_inflected_names_of_any_script_have_one_stem() -> None:
    every = [{stems(word) for word in words} for words in SAME]
    assert [len(found) for found in every] == [1] * len(SAME)
    assert len(set.union(*every)) == len(SAME)
    assert stems("") == stems("refinery") == stems("Нафтобаза") == ()


def test_kinds_and_numbers_are_read_in_several_languages() -> None:
    def kinds(text: str) -> set[str]:
        return {kind for bit, kind in enumerate(TARGET_KINDS) if kinds_mentioned(text) >> bit & 1}

    assert kinds("Кременчуцький нафтопереробний завод і ТЕЦ") == {"refinery", "power-plant"}
    assert kinds("нефтебаза") == kinds("fuel storage tanks") == kinds("Öldepot der SOCAR") == {"oil-depot"}
    assert kinds("нафтовий термінал") == {"oil-terminal"}
    assert kinds("damage to houses") == kinds("") == set()
    assert kinds("military airfield") == {"military"}
    assert (numbers("Nord Stream 2"), numbers("330 kV, 2.5 and HPP-1"), numbers("")) == (1 << 2, 1 << 1, 0)
