"""How alike words and names are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.identity.likeness import Level, likeness, name_part, organization_names, person_names
from crmcore.identity.names import PersonForm, full_name_form, organization_form

words = st.text("abcdeln", min_size=1, max_size=9)
parts = st.lists(words, max_size=3).map(tuple)
people = st.builds(PersonForm, parts, parts, st.sampled_from(("", "", "jr", "sr")))


@given(a=words, b=words)
@settings(max_examples=200)
def test_likeness_is_symmetric_and_only_equal_words_are_the_same(a: str, b: str) -> None:
    assert likeness(a, b) == likeness(b, a)
    assert (likeness(a, b) == Level.SAME) == (a == b)


@given(a=people, b=people)
@settings(max_examples=200)
def test_names_compare_symmetrically(a: PersonForm, b: PersonForm) -> None:
    one, other = person_names(a, b), person_names(b, a)
    assert one.verdict == other.verdict
    assert one.crossed == other.crossed
    assert sorted((one.given, one.family)) == sorted((other.given, other.family))


@given(a=parts, b=parts)
@settings(max_examples=200)
def test_names_of_organizations_pair_up_symmetrically(a: tuple[str, ...], b: tuple[str, ...]) -> None:
    one, other = organization_names(a, b), organization_names(b, a)
    assert set(one.same) == set(other.same)
    assert set(one.close) == {(x, y) for y, x in other.close}
    assert sorted(one.only_a) == sorted(other.only_b)


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        ("olivia", "olviia", Level.CLOSE),
        ("campbell", "cambell", Level.CLOSE),
        ("stephenson", "sstephensn", Level.CLOSE),
        ("ann", "anne", Level.CLOSE),
        ("meier", "mayer", Level.ROUGH),
        ("ann", "bob", Level.DIFFERENT),
        ("lina", "sica", Level.DIFFERENT),
        ("jose", "rosa", Level.DIFFERENT),
        ("li", "lu", Level.DIFFERENT),
    ],
)
def test_typing_errors_are_forgiven_and_short_words_are_not_guessed(a: str, b: str, level: Level) -> None:
    assert likeness(a, b) == level


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        ("brent", "brent s", Level.SAME),
        ("brent simon", "brent s", Level.SAME),
        ("brent s", "brent j", Level.CLOSE),
        ("b", "brent", Level.INITIAL),
        ("c", "brent", Level.DIFFERENT),
        ("james william", "william", Level.CLOSE),
        ("alexa rose", "alexarose", Level.SAME),
        ("tim", "timothy", Level.CLOSE),
        ("thomas", "tobias", Level.FAR),
        ("thomas", "bernd", Level.DIFFERENT),
        ("", "bernd", Level.MISSING),
    ],
)
def test_given_names_come_short_long_and_in_part(a: str, b: str, level: Level) -> None:
    assert name_part(tuple(a.split()), tuple(b.split())) == level


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        ("Ann Lee", "ANN LEE", "same"),
        ("Jinhai Liu", "Liu Jinhai", "same"),
        ("Ann Mary Lee", "A. Lee", "close"),
        ("Olivia Davies", "Olvia Davis", "close"),
        ("Olivia Davies", "Davies", "part"),
        ("Olivia Davies", "Bernd Davies", "relatives"),
        ("Olivia Davies", "Bernd Koch", "strangers"),
        ("John Lee Sr.", "John Lee Jr.", "generations"),
        ("John Lee", "John Lee Jr.", "same"),
        ("Olivia Davies", "Olivia Koch", "renamed"),
        ("Olivia Davies", "Oscar Davies", "unlike"),
        ("O. Davies", "Olivia D.", "rough"),
        ("Bob Davies", "Robert Davies", "close"),
        ("김민준", "김민준", "same"),
    ],
)
def test_what_two_names_say_of_two_people(a: str, b: str, verdict: str) -> None:
    one, other = full_name_form(a), full_name_form(b)
    assert one is not None
    assert other is not None
    assert person_names(one, other).verdict == verdict


def test_words_pair_up_in_any_order_and_each_once() -> None:
    one = organization_form("Gilchrist Marchman Easter Seals")
    other = organization_form("Easter Seal Society Gilchrist Marchment")
    like = organization_names(one, other)
    assert set(like.same) == {"gilchrist", "easter"}
    assert set(like.close) == {("marchman", "marchment"), ("seals", "seal")}
    assert (like.only_a, like.only_b) == ((), ("society",))
