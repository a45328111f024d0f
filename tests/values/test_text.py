"""Laws of cleaning and folding text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings

from crmcore.errors import InvalidName, InvalidValue
from crmcore.values.text import clean, digits, fold, kept, required, tokens
from tests.values.strategies import HOSTILE, texts, visible_texts, wordings
from tests.values.timing import cpu_seconds


@given(texts() | wordings())
@settings(max_examples=300)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(texts() | wordings())
@settings(max_examples=300)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(texts() | wordings())
@settings(max_examples=200)
def test_both_normal_forms_fold_and_clean_alike(text: str) -> None:
    composed, decomposed = unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)
    assert fold(composed) == fold(decomposed)
    assert clean(composed) == clean(decomposed)


@given(wordings())
@settings(max_examples=200)
def test_folding_forgets_case(text: str) -> None:
    assert fold(text.upper()) == fold(text) == fold(text.lower())


@given(visible_texts())
@settings(max_examples=200)
def test_folded_text_is_words_with_single_spaces(text: str) -> None:
    folded = fold(text)
    assert folded == " ".join(folded.split())
    categories = {unicodedata.category(char) for char in folded.replace(" ", "")}
    assert not {found for found in categories if found[0] in "PSZ" or found in ("Cc", "Cf", "Cs")}
    assert tokens(text) == tuple(folded.split())


@given(texts())
@settings(max_examples=200)
def test_an_ascii_text_folds_the_same_on_either_path(text: str) -> None:
    ascii_text = text.encode("ascii", "ignore").decode()
    # A Korean word keeps the text off the fast path.
    assert fold(ascii_text + " 가") == f"{fold(ascii_text)} 가".strip()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_never_fail_and_can_be_encoded(text: str) -> None:
    fold(text).encode()
    clean(text).encode()
    digits(text).encode("ascii")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Łukasz O'Brien-Müller", "lukasz obrien muller"),
        ("O’Neill", "oneill"),
        ("Abū ʿAlī ibn Sīnā", "abu ali ibn sina"),
        ("X Æ A-12", "x ae a 12"),
        ("Nguyễn Thị Minh Khai", "nguyen thi minh khai"),
        ("Đặng", "dang"),
        ("Björk Guðmundsdóttir", "bjork gudmundsdottir"),
        ("Þórður", "thordur"),
        ("Straße", "strasse"),
        ("Sørensen & Œuvre", "sorensen oeuvre"),
        ("İstanbul ılıca", "istanbul ilica"),
        ("İlham Əliyev", "ilham aliyev"),
        ("Col·lecció", "colleccio"),
        ("S.p.A.", "spa"),
        ("J.R.R. Tolkien", "jrr tolkien"),
        ("J. R. Tolkien", "j r tolkien"),
        ("U.S.A.", "usa"),
        ("St.Louis", "st louis"),
        ("GmbH & Co.KG", "gmbh co kg"),
        ("a_b", "a b"),
        ("Йод Ёж", "иод еж"),
        ("ΆΣ ᾳ", "ασ αι"),
        ("が ｶﾞ", "が ガ"),
        ("김민준", "김민준"),
        ("毛泽东", "毛泽东"),
        ("हिन्दी", "हिन्दी"),
        ("مُحَمَّد", "مُحَمَّد"),
        ("１２３ ٤٥٦", "123 456"),
        ("مـحـمد", "محمد"),
        ("Acme™", "acme"),
        ("co\u00adop\u200b", "coop"),
        ("\u202eevil", "evil"),
        ("☕", ""),
    ],
)
def test_folding_as_readers_expect(text: str, expected: str) -> None:
    assert fold(text) == unicodedata.normalize("NFC", expected).casefold()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Ann \t Lee\n", "Ann Lee"),
        ("Ann\x00Lee", "AnnLee"),
        ("e\u0301", "é"),
        ("a\u202eb\ufeff", "ab"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("🧑\u200d🚀", "🧑\u200d🚀"),
        ("\ud800x", "\ufffdx"),
    ],
)
def test_cleaning_keeps_what_a_reader_sees(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_digits_of_every_script_are_digits() -> None:
    assert digits("+٤٤ (20) ７９４６-୦୦18") == "442079460018"
    assert digits("²½") == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [(None, "type"), (7, "type"), (b"x", "type"), ("", "empty"), (" \n", "empty"), (" " * 900, "empty"),
     ("abcd", "too_long"), (" " * 9000, "too_long"),
     ("a\ud800", "surrogate")],
)  # fmt: skip
def test_what_is_no_text_is_refused_with_its_reason(text: object, reason: str) -> None:
    with pytest.raises(InvalidName) as caught:
        required(text, error=InvalidName, what="a name", limit=3)
    assert caught.value.reason == reason
    assert isinstance(caught.value, InvalidValue)


def test_a_text_may_not_grow_over_the_limit_or_vanish_by_cleaning() -> None:
    with pytest.raises(InvalidName, match="at most 3"):
        kept("\u0958" * 3, error=InvalidName, what="a name", limit=3)
    with pytest.raises(InvalidName, match="invisible"):
        kept("\u200b\u00ad", error=InvalidName, what="a name", limit=3)


@pytest.mark.parametrize("unit", ["a", "a.", "é", "a\u0301", "がé", "l·l", "' "])
def test_folding_takes_time_linear_in_the_length(unit: str) -> None:
    def seconds(count: int) -> float:
        text = unit * count
        return cpu_seconds(lambda: (fold(text), clean(text)))

    # Eight times the text may take eight times as long; quadratic work would take 64 times.
    assert seconds(80_000) < 24 * max(seconds(10_000), 0.0005)
