"""Leaving other people out of texts: whatever the script, next to whatever letters, and however long the words are."""

from __future__ import annotations

import pytest

from crmcore.consent import redaction
from crmcore.consent.redaction import ANOTHER, Redactor, Words

OTHERS = Words(
    names=frozenset({"Bo Hill", "田中太郎", "김철수", "สมชาย", "太郎"}),
    points=frozenset({"bo@x.example", "+44 20 7946 0018"}),
)
OWN = Words(names=frozenset({"Ann Lee", "金太郎"}), points=frozenset({"ann@x.example"}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("昨日田中太郎さんが来た", f"昨日{ANOTHER}さんが来た"),
        ("김철수가 왔다", f"{ANOTHER}가 왔다"),
        ("คุณสมชายมาแล้ว", f"คุณ{ANOTHER}มาแล้ว"),
        ("昨日Bo Hillさんが来た", f"昨日{ANOTHER}さんが来た"),
        ("電話は020-7946-0018です", f"電話は{ANOTHER}です"),
        ("メールはbo@x.exampleへ", ANOTHER),
        # What is the person's own stays, also where the name of another is a piece of it.
        ("金太郎が来た", "金太郎が来た"),
        ("金太郎と太郎が来た", f"金太郎と{ANOTHER}が来た"),
        # In scripts with blanks a name is a word.
        ("Hillary and Bob came", "Hillary and Bob came"),
        ("Hill, Bo", f"{ANOTHER}, {ANOTHER}"),
        ("order 1234567a", "order 1234567a"),
    ],
)
def test_names_and_numbers_of_others_are_left_out_wherever_they_stand(text: str, expected: str) -> None:
    assert Redactor(OWN, OTHERS).of({"body": text}).value["body"] == expected


def test_without_others_nothing_is_left_out() -> None:
    assert Redactor(OWN, Words()).of("金太郎 and Ann Lee came, ann@x.example").count == 0


def test_a_word_of_any_length_is_looked_at_once() -> None:
    """From each of its letters it would be hours."""
    long = "a" * 1_000_000
    assert Redactor(OWN, OTHERS).of(long).value == long
    assert Redactor(OWN, OTHERS).of(f"{long}@x.example {long}").value == f"{ANOTHER} {long}"


def test_where_a_word_ends_is_asked_once_for_all_names_and_not_for_each() -> None:
    """For each it takes a hundred times as long to make the pattern of a few thousand names."""
    names = [f"{first}{last}" for first in ("Bo", "Ed", "太郎") for last in ("", " Hill", " Hillary", " 田")]
    pattern = redaction._pattern(names)
    assert pattern is not None
    for name in names:
        assert pattern.fullmatch(name)
        assert not pattern.search(f"x{name}y".replace("太郎", "Ed").replace("田", "d"))
    found = redaction._pattern(f"Bo Hill{number}" for number in range(100))
    assert found is not None
    assert found.pattern.count(redaction._ENDS) == 1
