"""Laws of postal addresses."""

from __future__ import annotations

import unicodedata
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import InvalidAddress, InvalidValue
from crmcore.serde import dump, load
from crmcore.values.country import COUNTRY_NAMES
from crmcore.values.personal import field_classes
from crmcore.values.postal_address import PostalAddress
from tests.values.strategies import COMPONENTS, HOSTILE, countries, postal_addresses, visible_texts, wordings
from tests.values.timing import cpu_seconds

_DOWNING = {
    "street_address": "10 Downing Street",
    "locality": "London",
    "postal_code": "SW1A 2AA",
    "country": "GB",
}
_BERLIN = {
    "street_address": "Unter den Linden 1",
    "locality": "Berlin",
    "postal_code": "10117",
    "country": "DE",
}


@given(st.lists(wordings() | visible_texts(), min_size=1, max_size=4).map("\n".join))
@settings(max_examples=150)
def test_parsing_the_text_again_gives_the_same_address(text: str) -> None:
    address = PostalAddress.parse(text)
    assert PostalAddress.parse(address.text) == address
    assert hash(PostalAddress.parse(address.text)) == hash(address)


@given(postal_addresses())
@settings(max_examples=150)
def test_json_loses_nothing(address: PostalAddress) -> None:
    assert load(PostalAddress, dump(address)) == address


@given(st.lists(wordings(), min_size=1, max_size=3).map("\n".join))
@settings(max_examples=100)
def test_both_normal_forms_are_one_address(text: str) -> None:
    composed = PostalAddress.parse(unicodedata.normalize("NFC", text))
    decomposed = PostalAddress.parse(unicodedata.normalize("NFD", text))
    assert composed == decomposed
    assert composed.key == decomposed.key


@given(postal_addresses(), st.none() | countries())
@settings(max_examples=250)
def test_formatting_drops_nothing_and_invents_only_the_country(
    address: PostalAddress, origin: str | None
) -> None:
    lines = address.format(origin)
    assert lines
    assert all(line.strip() == line and line for line in lines)
    shown = "\n".join(lines)
    for part in address.lines or address.components.values():
        assert all(piece in shown for piece in part.split("\n"))


@given(postal_addresses(), countries())
@settings(max_examples=200)
def test_the_country_line_is_there_only_across_a_border(address: PostalAddress, origin: str) -> None:
    domestic = address.format()
    if address.country in (None, origin):
        assert address.format(origin) == domestic
    else:
        assert address.country is not None
        assert address.format(origin) == (*domestic, COUNTRY_NAMES[address.country].upper())


@given(st.dictionaries(st.sampled_from(COMPONENTS), wordings(2), min_size=2), countries(), st.data())
@settings(max_examples=150)
def test_a_missing_part_is_never_an_error(parts: dict[str, str], country: str, data: st.DataObject) -> None:
    fewer = dict(parts)
    del fewer[data.draw(st.sampled_from(sorted(parts)))]
    lines = PostalAddress(**fewer, country=country).format()  # type: ignore[arg-type]  # by keyword
    assert not any(line.startswith((",", " ", "-,")) or line.endswith((" ", ", ")) for line in lines)


@pytest.mark.parametrize(
    ("parts", "origin", "expected"),
    [
        (_BERLIN, None, "Unter den Linden 1|10117 Berlin"),
        (_BERLIN, "DE", "Unter den Linden 1|10117 Berlin"),
        (_BERLIN, "FR", "Unter den Linden 1|10117 Berlin|GERMANY"),
        (_BERLIN, "France", "Unter den Linden 1|10117 Berlin|GERMANY"),
        (_DOWNING, "US", "10 Downing Street|London|SW1A 2AA|UNITED KINGDOM"),
        (
            {"recipient": "Ann Lee", "organization": "Acme", "street_address": "1600 Amphitheatre Pkwy",
             "unit": "Apt 4", "locality": "Mountain View", "administrative_area": "CA",
             "postal_code": "94043", "country": "US"},
            None,
            "Ann Lee|Acme|Apt 4|1600 Amphitheatre Pkwy|Mountain View, CA 94043",
        ),
        ({"locality": "Mountain View", "postal_code": "94043", "country": "US"}, None, "Mountain View 94043"),
        ({"administrative_area": "CA", "postal_code": "94043", "country": "US"}, None, "CA 94043"),
        ({"locality": "Ottawa", "administrative_area": "ON", "postal_code": "K1A 0B1", "country": "CA"}, None,
         "Ottawa ON K1A 0B1"),
        ({"street_address": "12 Main Street", "locality": "Ennis", "administrative_area": "Co. Clare", "country": "IE"},
         None, "12 Main Street|Ennis|Co. Clare"),
        ({"postal_code": "100-8111", "administrative_area": "東京都", "locality": "千代田区",
          "street_address": "千代田1-1", "recipient": "山田太郎様", "country": "JP"}, None,
         "〒100-8111|東京都千代田区|千代田1-1|山田太郎様"),
        ({"street_address": "1-1 Chiyoda", "locality": "Chiyoda-ku", "administrative_area": "Tokyo",
          "postal_code": "100-8111", "recipient": "Yamada Taro", "country": "JP"}, "DE",
         "Yamada Taro|1-1 Chiyoda|Chiyoda-ku, Tokyo 100-8111|JAPAN"),
        ({"street_address": "세종대로 209", "locality": "종로구", "administrative_area": "서울특별시",
          "postal_code": "03171", "country": "KR"}, None, "서울특별시 종로구|세종대로 209|03171"),
        ({"street_address": "8 Finance Street", "locality": "Central", "administrative_area": "Hong Kong",
          "country": "HK"},
         None, "8 Finance Street|Central|Hong Kong"),
        ({"street_address": "Rua A, 5", "dependent_locality": "Vila Nova", "locality": "São Paulo",
          "administrative_area": "SP", "postal_code": "04538-133", "country": "BR"}, None,
         "Rua A, 5|Vila Nova|São Paulo-SP|04538-133"),
        ({"po_box": "1234", "locality": "Dubai", "country": "AE"}, None, "PO Box 1234|Dubai"),
        ({"po_box": "P.O. Box 1234", "locality": "Dubai", "country": "AE"}, None, "P.O. Box 1234|Dubai"),
        ({"po_box": "1234", "locality": "Bonn", "country": "DE", "language": "de"}, None, "Postfach 1234|Bonn"),
        ({"landmark": "200 m south of the church", "locality": "Heredia", "country": "CR"}, None,
         "200 m south of the church|Heredia"),
        ({"recipient": "Cpl Lee", "organization": "3 Rifles", "locality": "BFPO 58", "country": "GB"}, None,
         "Cpl Lee|3 Rifles|BFPO 58"),
        ({"recipient": "Ann", "care_of": "Bob", "locality": "Bonn"}, None, "Ann|c/o Bob|Bonn"),
        ({"recipient": "Ann", "care_of": "c/o Bob", "locality": "Bonn"}, None, "Ann|c/o Bob|Bonn"),
        ({"premise": "Rose Cottage", "unit": "Flat 2", "locality": "Ely", "country": "GB"}, None,
         "Rose Cottage, Flat 2|Ely"),
        ({"street_address": "1 rue X", "postal_code": "75008", "locality": "Paris", "sorting_code": "CEDEX 08",
          "country": "FR"}, None, "1 rue X|75008 Paris CEDEX 08"),
        ({"locality": "Leeds", "sorting_code": "X1", "country": "GB"}, None, "Leeds|X1"),
        ({"street_address": "Line 1\nLine 2", "locality": "Bonn"}, None, "Line 1|Line 2|Bonn"),
        ({"country": "DE"}, None, "GERMANY"),
    ],
)  # fmt: skip
def test_addresses_as_their_countries_write_them(
    parts: dict[str, str], origin: str | None, expected: str
) -> None:
    assert "|".join(PostalAddress.of(**parts).format(origin)) == expected


def test_lines_as_written_win_and_keep_their_order() -> None:
    address = PostalAddress(lines=("London", "10 Downing Street"), locality="Leeds", country="GB")
    assert address.format() == ("London", "10 Downing Street")
    assert address.format("FR") == ("London", "10 Downing Street", "UNITED KINGDOM")


@pytest.mark.parametrize("last", ["Deutschland", "GERMANY", "germany", "DE"])
def test_a_country_that_is_written_is_not_written_again(last: str) -> None:
    address = PostalAddress(lines=("Unter den Linden 1", "10117 Berlin", last), country="DE")
    assert address.format("FR") == address.lines


def test_lines_are_split_where_lines_end() -> None:
    assert PostalAddress.parse(" a  b \r\n\r\n c\u2028d\x0be ").lines == ("a b", "c", "d", "e")
    assert PostalAddress(lines=("a\nb", " ", "c")).lines == ("a", "b", "c")


def test_blank_components_are_missing_ones() -> None:
    assert PostalAddress.of(locality="Bonn", street_address=" ", unit="", country=" ") == PostalAddress.of(
        locality="Bonn"
    )


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: PostalAddress(), "empty"),
        (lambda: PostalAddress.of(locality=" "), "empty"),
        (lambda: PostalAddress(lines=("\u200b",)), "empty"),
        (lambda: PostalAddress.of(locality="Bonn", country="Atlantis"), "country"),
        (lambda: PostalAddress.of(locality="Bonn", country=cast(str, 49)), "type"),
        (lambda: PostalAddress(lines=cast(Any, "one text")), "type"),
        (lambda: PostalAddress(lines=cast(Any, (1,))), "type"),
        (lambda: PostalAddress.of(locality=cast(str, 5)), "type"),
        (lambda: PostalAddress.of(locality="x" * 2001), "too_long"),
        (lambda: PostalAddress(lines=("x",) * 31), "too_long"),
        (lambda: PostalAddress(lines=("x" * 1000, "y" * 1000)), "too_long"),
        (lambda: PostalAddress.of(locality="a\ud800"), "surrogate"),
        (lambda: PostalAddress.of(locality="Bonn").format("Atlantis"), "country"),
    ],
)
def test_refusals_say_why(make: object, reason: str) -> None:
    with pytest.raises(InvalidAddress) as caught:
        make()  # type: ignore[operator]  # a function of each case
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("text", "reason"), [(None, "type"), ("", "empty"), (" \n ", "empty"), ("\u200b", "empty")]
)
def test_an_address_without_a_line_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidAddress) as caught:
        PostalAddress.parse(text)
    assert caught.value.reason == reason


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_values_or_refused_as_values(text: str) -> None:
    for make in (PostalAddress.parse, lambda part: PostalAddress.of(street_address=part, locality="Bonn")):
        try:
            "".join(make(text).format("US")).encode()
        except InvalidValue as error:
            str(error).encode()


def test_repr_and_str_show_nothing() -> None:
    address = PostalAddress(lines=("10 Downing Street",), **{**_DOWNING, "street_address": "Secret Lane"})  # type: ignore[arg-type]  # by keyword
    for shown in (repr(address), str(address), f"{address}"):
        assert not {"Downing", "London", "Secret", "SW1A", "GB"} & set(shown.replace("'", " ").split())
    classes = field_classes(PostalAddress)
    assert {classes[name] for name in (*COMPONENTS, "lines", "country")} == {"personal"}


def test_the_same_text_parsed_twice_costs_once() -> None:
    assert PostalAddress.parse("10 Downing Street") is PostalAddress.parse("10 Downing Street")


@pytest.mark.parametrize("unit", ["x", "a\n", "\n", "1, "])
def test_an_enormous_text_ends_at_once(unit: str) -> None:
    text = unit * (10_000_000 // len(unit))

    def attempt() -> None:
        with pytest.raises(InvalidAddress):
            PostalAddress.parse(text)
        with pytest.raises(InvalidAddress):
            PostalAddress.of(street_address=text + "x")

    assert cpu_seconds(attempt) < 0.05
