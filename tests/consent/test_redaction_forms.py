"""Whatever canonical form a text is in, and whatever unseen stands in it: no name of another can be read in what is
given, and nothing else is changed."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.consent.plain import Plain
from crmcore.consent.redaction import ANOTHER, Redactor, Words

NAMES = (
    *("Jürgen Müller", "Nguyễn Thị Hạnh", "Zacharias Quill", "Γιώργος Παππάς", "Иван Йорк", "ज़ाकिर शर्मा"),
    *("أحمد علي", "דוד כהן", "김철수", "山田太郎", "山田 次郎", "がく 葛城", "สมชาย ใจดี"),
)
REDACTOR = Redactor(
    Words(names=frozenset({"Ann Lee", "金太郎"}), points=frozenset({"ann@x.example"})),
    Words(names=frozenset(NAMES)),
)
FORMS: Any = ("NFC", "NFD")
UNSEEN = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
AROUND = st.text(alphabet=" äé\u0301\u0308xбे가中ー,.!" + UNSEEN, max_size=6)


@given(
    st.sampled_from(NAMES),
    st.sampled_from(FORMS),
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from(UNSEEN)), max_size=3),
    AROUND,
    AROUND,
)
def test_no_name_is_read_in_any_form_and_nothing_else_is_changed(
    name: str, form: Any, unseen: list[tuple[int, str]], before: str, after: str
) -> None:
    said = unicodedata.normalize(form, name)
    for place, char in unseen:
        at = 1 + place % (len(said) - 1)
        said = said[:at] + char + said[at:]
    found = REDACTOR.of(f"{before} {said} {after}")
    assert (found.value, found.count) == (f"{before} {ANOTHER} {after}", 1)


@given(st.text(alphabet="aäe\u0301\u0308\u0323가ᄀ\u1161\u11a8がか\u3099ज़\u093c\u0640أ\u0654\u05b8" + UNSEEN))
def test_all_forms_of_a_text_are_one_plain_text_and_cut_nothing_out_of_it(text: str) -> None:
    plain = Plain.of(text)
    assert {Plain.of(unicodedata.normalize(form, text)).text for form in FORMS} == {plain.text}
    assert Plain.of(plain.text).text == plain.text
    assert plain.without([]) == [text]
    assert len(plain.starts) == len(plain.ends) == len(plain.text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("דָּוִד כֹּהֵן בא", f"{ANOTHER} בא"),
        ("احمد علي، مُحَمَّد", f"{ANOTHER}، مُحَمَّد"),
        ("山田 太郎さんと山田次郎が来た", f"{ANOTHER}さんと{ANOTHER}が来た"),
        ("葛\U000e0100城さん", f"{ANOTHER}さん"),
        ("Quill\u200bZacharias", f"{ANOTHER}\u200b{ANOTHER}"),
        ("z.qu\u00adill@x.example", ANOTHER),
        (
            "Zacharias\u200bQui\u00adll, \u2067Qui\u200bll\u2069\u00adZacharias",
            f"{ANOTHER}, \u2067{ANOTHER}\u2069\u00ad{ANOTHER}",
        ),
        ("Zacharias\u200bQui\u00adl\u2060l\u2060", f"{ANOTHER}\u2060"),
        ("Zachar\u200bias\u200bQuill", f"{ANOTHER}\u200b{ANOTHER}"),
        (
            "an z.quill＠x.example, ｚ@ｘ．ｅｘａｍｐｌｅ, ＡＮＮ＠x.example",
            f"an {ANOTHER}, {ANOTHER}, ＡＮＮ＠x.example",
        ),
        ("Qui\u0301ll kam, Qu\u0331ill, Quillig", f"{ANOTHER} kam, {ANOTHER}, Quillig"),
        # One's own, with a blank and without.
        ("金 太郎が来た", "金 太郎が来た"),
        # What is put to a name may begin with a vowel sign.
        ("शर्माे", f"{ANOTHER}े"),
    ],
)
def test_a_name_is_met_with_points_and_blanks_and_without(text: str, expected: str) -> None:
    assert REDACTOR.of(text).value == expected


def test_letters_with_very_many_marks_take_no_longer_than_they_are() -> None:
    """Put in order by the book they would take minutes."""
    for text in ("a" + "\u0301\u0323" * 50_000, "a" + "\u200b" * 50_000 + "\u0301", "山" + " " * 50_000):
        assert REDACTOR.of(text).value == text
    assert len(Plain.of("a" + "\u0301\u0323" * 50).text) < 32
