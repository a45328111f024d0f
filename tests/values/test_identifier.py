"""Laws of identifiers."""

from __future__ import annotations

import pickle
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import InvalidIdentifier
from crmcore.values.identifier import Identifier
from crmcore.values.personal import field_classes

VALUES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=80).filter(str.strip)


@given(VALUES)
@settings(max_examples=200)
def test_the_value_is_kept_and_its_key_is_final(value: str) -> None:
    identifier = Identifier("national_id", value)
    assert identifier.value == value
    assert identifier.key
    if len(identifier.key) <= 256:
        assert Identifier("national_id", identifier.key).key == identifier.key
    assert pickle.loads(pickle.dumps(identifier)) == identifier


@given(VALUES)
@settings(max_examples=200)
def test_the_way_of_writing_does_not_change_the_key(value: str) -> None:
    key = Identifier("x", value).key
    if not any(char.isalnum() for char in key):
        return
    for form in ("NFC", "NFD", "NFKC"):
        assert Identifier("x", unicodedata.normalize(form, value)).key == key
    assert Identifier("x", f" {value}- ").key == key
    assert Identifier("x", value.upper()).key == Identifier("x", value.lower()).key == key


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("5493 00KJ TIIG C8Y1 R212", "549300KJTIIGC8Y1R212"),
        ("de 12-34/56.78", "DE12345678"),
        ("ＤＥ１２", "DE12"),
        ("Ä1", "Ä1"),
        ("A\u03081", "Ä1"),
        ("straße 7", "STRASSE7"),
        ("STRAẞE 7", "STRASSE7"),
        ("\u0390", "Ϊ"),
        ("\u0399\u0308\u0301", "Ϊ"),
        ("\u1100-\u1161", "가"),
        ("---", "---"),
        (" *** ", "***"),
    ],
)
def test_golden_keys(value: str, key: str) -> None:
    assert Identifier("x", value).key == key


@pytest.mark.parametrize("scheme", ["", "LEI", "9lei", "lei ", "lei\n", "lei id", "x" * 65, "é", None, 5])
def test_other_schemes_are_refused(scheme: Any) -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        Identifier(scheme, "1")
    assert refusal.value.reason == "scheme"


@pytest.mark.parametrize("value", ["", "  ", "x" * 257, "a\x00b", "a\nb", "\ud800", None, 5, b"1"])
def test_other_values_are_refused_without_being_shown(value: Any) -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        Identifier("national_id", value)
    assert str(refusal.value).startswith("the value of Identifier ")
    if value is not None:
        with pytest.raises(InvalidIdentifier):
            Identifier("national_id", "1", issuer=value)


@given(VALUES)
@settings(max_examples=50)
def test_repr_and_str_hide_the_value(value: str) -> None:
    assert repr(Identifier("lei", value)) == "Identifier(scheme='lei', value=<hidden>, issuer=None)"
    assert field_classes(Identifier)["value"] == "personal"
