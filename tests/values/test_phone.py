"""Laws of telephone numbers."""

from __future__ import annotations

import unicodedata
from typing import Any

import attrs
import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import InvalidPhone, InvalidValue
from crmcore.values.personal import field_classes
from crmcore.values.phone import PhoneNumber, phone_digits
from tests.values.strategies import HOSTILE, REGIONS, phone_texts, phones, texts
from tests.values.timing import cpu_seconds


@given(phone_texts())
@settings(max_examples=150, deadline=None)
def test_parsing_the_text_again_gives_the_same_number(pair: tuple[str, str]) -> None:
    text, region = pair
    number = PhoneNumber.parse(text, region)
    again = PhoneNumber.parse(number.text, region)
    assert again == number
    assert hash(again) == hash(number)


@given(phone_texts())
@settings(max_examples=150, deadline=None)
def test_the_normal_form_is_a_number_of_its_own(pair: tuple[str, str]) -> None:
    number = PhoneNumber.parse(*pair)
    assert PhoneNumber.parse(number.e164).e164 == number.e164
    assert PhoneNumber.parse(number.e164).extension is None
    assert number.valid


@given(phone_texts())
@settings(max_examples=150, deadline=None)
def test_number_and_extension_are_what_the_numbering_plan_reads(pair: tuple[str, str]) -> None:
    text, region = pair
    reference = phonenumbers.parse(text, region)
    number = PhoneNumber.parse(text, region)
    assert number.e164 == phonenumbers.format_number(reference, phonenumbers.PhoneNumberFormat.E164)
    assert number.extension == reference.extension


@given(phone_texts(), st.sampled_from(REGIONS))
@settings(max_examples=100, deadline=None)
def test_an_international_number_needs_no_region_and_heeds_none(pair: tuple[str, str], other: str) -> None:
    number = PhoneNumber.parse(*pair)
    international = "+" + number.e164[1:]
    assert PhoneNumber.parse(international).key == PhoneNumber.parse(international, other).key == number.key


@given(phone_texts(), st.sampled_from(["-", ".", " ", "\u00a0", "\u2011", "/ "]))
@settings(max_examples=100, deadline=None)
def test_punctuation_does_not_change_the_number(pair: tuple[str, str], separator: str) -> None:
    number = PhoneNumber.parse(*pair)
    spread = number.e164[:3] + separator + number.e164[3:6] + separator + number.e164[6:]
    assert PhoneNumber.parse(spread).key == number.key


@given(phone_texts())
@settings(max_examples=100, deadline=None)
def test_both_normal_forms_have_one_key(pair: tuple[str, str]) -> None:
    text, region = pair
    wide = text.translate({code: code + 0xFEE0 for code in range(ord("0"), ord("9") + 1)})
    for variant in (unicodedata.normalize("NFD", text), wide):
        assert PhoneNumber.parse(variant, region).key == PhoneNumber.parse(text, region).key


@given(
    texts(max_size=30) | st.from_regex(r"[+0-9 ()x.,/-]{1,25}", fullmatch=True),
    st.none() | st.sampled_from(REGIONS),
)
@settings(max_examples=300, deadline=None)
def test_a_text_is_a_number_or_refused_without_quoting_it(text: str, region: str | None) -> None:
    try:
        number = PhoneNumber.parse(text, region)
    except InvalidPhone as error:
        refused = error
    else:
        assert set(number.e164[1:]) <= set("0123456789")
        assert 4 <= len(number.e164) <= 16
        return
    assert refused.reason != "malformed"
    assert len(phone_digits(text)) < 4 or text.strip() not in str(refused)


@given(st.from_regex(r"[0-9 ()./-]{5,20}", fullmatch=True))
@settings(max_examples=200, deadline=None)
def test_without_a_region_only_a_plus_makes_a_number(text: str) -> None:
    with pytest.raises(InvalidPhone):
        PhoneNumber.parse(text)


@pytest.mark.parametrize(
    ("text", "region", "e164", "extension"),
    [
        ("+1 907 486 4171 ext. 101", None, "+19074864171", "101"),
        ("+1 907 486 4171 Extension 101", None, "+19074864171", "101"),
        ("907-486-4171x101", "US", "+19074864171", "101"),
        ("907-486-4171 ext101", "US", "+19074864171", "101"),
        ("(907) 486-4171 #101", "us", "+19074864171", "101"),
        ("+1 907 486 4171,,101", None, "+19074864171", "101"),
        ("tel:+1-907-486-4171;ext=101", None, "+19074864171", "101"),
        ("+7 495 123-45-67 доб. 12", None, "+74951234567", "12"),
        ("0711 1234567", "DE", "+497111234567", None),
        ("0711/1234567", "DE", "+497111234567", None),
        ("+49 (0)711 1234567", None, "+497111234567", None),
        ("Tel.: 0711 1234567", "DE", "+497111234567", None),
        ("00 44 20 7946 0018", "DE", "+442079460018", None),
        ("020 7946 0018", " gb ", "+442079460018", None),
        ("+39 06 1234567", None, "+39061234567", None),
        ("14155550132", "US", "+14155550132", None),
        ("+800 1234 5678", None, "+80012345678", None),
        ("٠٢٠ ٧٩٤٦ ٠٠١٨", "GB", "+442079460018", None),
        ("＋４４　２０　７９４６　００１８", None, "+442079460018", None),
        ("\u202a+1 907 486 4171\u202c", None, "+19074864171", None),
        ("+1 555 555 0132", None, "+15555550132", None),
    ],
)
def test_numbers_as_people_write_them(
    text: str, region: str | None, e164: str, extension: str | None
) -> None:
    number = PhoneNumber.parse(text, region)
    assert (number.e164, number.extension) == (e164, extension)


@pytest.mark.parametrize(
    ("text", "region", "reason"),
    [
        ("0711 1234567", None, "local_only"),
        ("555-0132", None, "local_only"),
        ("555-0132", "US", "local_only"),
        ("00 44 20 7946 0018", None, "local_only"),
        ("020 7946 0018", "UK", "region"),
        ("+44 20 7946 0018", "XX", "region"),
        ("+44 20 7946 0018", "", "region"),
        ("7.73E+016", None, "spreadsheet_scientific"),
        ("1.23E+10", "US", "spreadsheet_scientific"),
        ("1,23E+10", None, "spreadsheet_scientific"),
        ("1.23e10", None, "spreadsheet_scientific"),
        ("14155550132.0", "US", "spreadsheet_float"),
        ("14155550132,00", "US", "spreadsheet_float"),
        ("112", None, "short_code"),
        ("112", "GB", "short_code"),
        ("911", "US", "short_code"),
        ("1-800-FLOWERS", "US", "vanity"),
        ("+1 800 FLOWERS", None, "vanity"),
        ("(907) 486-4171 cell", "US", "letters"),
        ("ask Ann, 907-486-4171", "US", "letters"),
        ("+1 907 486 4171 / +1 907 486 4172", None, "several"),
        ("907-486-4171 or 907-486-4172", "US", "several"),
        ("907-486-4171, 907-486-4172", "US", "several"),
        ("x101", None, "extension_only"),
        ("n/a", None, "no_digits"),
        ("-", "US", "no_digits"),
        ("+", "US", "no_digits"),
        ("12", None, "too_short"),
        ("5", "GB", "too_short"),
        ("+44 20 7946 00189999999", None, "too_long"),
        ("1" * 40, None, "too_long"),
        ("1" * 101, None, "too_long"),
        ("+999 123456789", None, "country_code"),
        ("1998-04-12", "DE", "date"),
        ("$12345678", "US", "characters"),
        ("", None, "empty"),
        (" \t", None, "empty"),
        ("\u200b", None, "empty"),
        (None, None, "type"),
        (4155550132, "US", "type"),
        ("+1 907\ud800", None, "surrogate"),
    ],
)
def test_refusals_say_why(text: str, region: str | None, reason: str) -> None:
    for _ in range(2):  # the second time from the cache
        with pytest.raises(InvalidPhone) as caught:
            PhoneNumber.parse(text, region)
        assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(312) 555-0132", "3125550132"),
        ("14155550132.0", "14155550132"),
        ("1,23E+10", ""),
        ("7.73E+016", ""),
        ("٠٢٠-٧٩٤٦", "0207946"),
        ("n/a", ""),
        ("", ""),
    ],
)
def test_digits_of_what_could_not_be_read(text: str, expected: str) -> None:
    assert phone_digits(text) == expected


@given(phones())
@settings(max_examples=50, deadline=None)
def test_rebuilding_from_its_fields_loses_nothing(number: PhoneNumber) -> None:
    assert PhoneNumber(**attrs.asdict(number, recurse=False)) == number


@pytest.mark.parametrize(
    "fields",
    [{"e164": "+0123"}, {"e164": "4155550132"}, {"e164": "+1415555013211111"}, {"e164": "+1415555013\u0662"},
     {"extension": ""}, {"extension": "12a"}, {"extension": "1" * 12}, {"extension": "²"}],
)  # fmt: skip
def test_a_number_made_by_hand_is_checked_too(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidPhone):
        PhoneNumber(**{"text": "x", "e164": "+14155550132", **fields})


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_values_or_refused_as_values(text: str) -> None:
    for region in (None, "US"):
        try:
            PhoneNumber.parse(text, region).key.encode()
        except InvalidValue as error:
            str(error).encode()
    phone_digits(text).encode("ascii")


def test_repr_and_str_show_nothing() -> None:
    number = PhoneNumber.parse("+1 907 486 4171 x101")
    for shown in (repr(number), str(number), f"{number}"):
        assert not any(char.isdigit() for char in shown.replace("e164", ""))
    classes = field_classes(PhoneNumber)
    assert {classes[name] for name in ("text", "e164", "extension")} == {"personal"}


def test_the_same_text_parsed_twice_costs_once() -> None:
    assert PhoneNumber.parse("020 7946 0018", "GB") is PhoneNumber.parse("020 7946 0018", "GB")
    assert PhoneNumber.parse("020 7946 0018", "GB") != PhoneNumber.parse("020 7946 0018", "IT")


@pytest.mark.parametrize(
    "text", ["1" * 10_000_000, "+1 " * 3_000_000, "x" * 10_000_000, "\u200b" * 5_000_000]
)
def test_an_enormous_text_ends_at_once(text: str) -> None:
    def attempt() -> None:
        with pytest.raises(InvalidPhone):
            PhoneNumber.parse(text)

    assert cpu_seconds(attempt) < 0.05


@pytest.mark.parametrize(
    "unit", [" ", "(", "1 ", "ext", "ext. ", "x", ",", ",1", ";ext=", "1 or ", "tel ", "+", "1/", "-"]
)
def test_the_longest_text_is_judged_at_once(unit: str) -> None:
    variants = iter("123")  # a new text each time, past the cache

    def attempt() -> None:
        with pytest.raises(InvalidPhone):
            PhoneNumber.parse(("1" + next(variants) + unit * 100)[:99] + "!", "US")

    PhoneNumber.parse("+442079460018")  # the import is not measured
    assert cpu_seconds(attempt) < 0.02
