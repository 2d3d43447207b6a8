"""Words in the guise of other words."""

import pytest

from submissions.lookalikes import disguised_words

# Written as escapes where the eye could not tell.
CASINO = "C\u0430sin\u043e"


def test_it_works():
    assert disguised_words(f"{CASINO} night, {CASINO} bonus") == [CASINO]


@pytest.mark.parametrize(
    "word",
    [
        "\u0410mazon",
        "P\u0430yP\u0430l",
        "B\u0456tc\u043ein",
        "\u0391pple",
        "Netw\u03bfrk",
        "s\u0435x",
        "f\u00eat\u0435",
    ],
)
def test_letters_of_cyrillic_and_greek_among_latin_ones(word):
    assert disguised_words(word) == [word]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Fête de la Musique à Noël",
        "Вечеринка в Le Baron",
        "Вечер поэзии: Ахматова",
        "Ελληνική βραδιά: ρεμπέτικα live",
        "أمسية جاز Jazz شرقي",
        "الـJazz",
        "日本のJazz抹茶",
        "K-pop 랜덤 플레이",
        "Ко\u042fn, \u042fadio, Яko",
        "∆LTER EGO",
        "𝓢𝓾𝓶𝓶𝓮𝓻 𝓟𝓪𝓻𝓽𝔂",
        "ＶＡＰＯＲ",
        "🎉 Party 🎉",
        "Łódź, Þórr, Ştefan, Việt Nam",
        "5 µm",
        "β-test",
        "\ud800",
    ],
)
def test_two_scripts_side_by_side_and_foreign_letters_that_hide_nothing_are_fine(text):
    assert disguised_words(text) == []
