"""Words of any script in Latin letters, and how they sound."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.identity.latin import heard, latin, sound
from crmcore.values.text import fold


@given(st.text(max_size=60))
def test_latin_is_ascii_and_given_again_is_itself(text: str) -> None:
    result = latin(text)
    assert result.isascii()
    assert latin(result) == result
    assert result == " ".join(result.split())


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=60))
def test_ascii_is_only_folded(text: str) -> None:
    assert latin(text) == fold(text)


@given(st.text(max_size=40))
def test_a_sound_is_short_and_has_no_vowels_after_the_first_letter(text: str) -> None:
    for word in latin(text).split():
        key = sound(word)
        assert len(key) <= 24
        assert not any(vowel in key[1:] for vowel in "eiouy")
        assert isinstance(heard(word), str)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Владимир Путин", "vladimir putin"),
        ("Γιώργος Παπανδρέου", "giorgos papandreou"),
        ("محمد", "mhmd"),
        ("毛泽东", "maozedong"),
        ("김민준", "gimminjun"),
        ("ヤマダ", "yamada"),
        ("მიხეილ", "mikheil"),
        ("Սերժ", "serzh"),
        ("Łukasz Đorđević", "lukasz dordevic"),
        ("", ""),
    ],
)
def test_scripts_are_spelled_in_latin_letters(text: str, expected: str) -> None:
    assert latin(text) == expected


@pytest.mark.parametrize(
    "words",
    [
        "mohammed muhammad mohamed muhammet",
        "tchaikovsky chaykovskiy tschaikowski czajkowski",
        "gaddafi qadhafi kadafi khadafy gadhafi",
        "yevgeny evgeny evgenii jewgeni",
        "yusuf youssef yousef jusuf",
        "khrushchev chruschtschow khrouchtchev",
        "walid oualid waleed",
        "milosevic miloshevich",
        "chowdhury chaudhary choudhury",
        "steven stephen",
        "philip filip",
        "sarah sara",
    ],
)
def test_spellings_of_one_name_sound_alike(words: str) -> None:
    assert len({sound(word) for word in words.split()}) == 1


@pytest.mark.parametrize("pair", ["smith jones", "anna maria", "hassan salman", "kim lee", "robert rupert"])
def test_different_names_sound_different(pair: str) -> None:
    one, other = pair.split()
    assert heard(one) != heard(other)


@pytest.mark.parametrize(
    "text", ["a" * 20_000, "я" * 20_000, "e\u0301" * 10_000, "漢" * 10_000, "\u200f" * 10_000]
)
def test_long_texts_take_little_time(text: str) -> None:
    start = time.process_time()
    sound(latin(text))
    assert time.process_time() - start < 1.0
