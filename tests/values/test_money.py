"""Laws of money and currencies."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, ROUND_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import CurrencyMismatch, InvalidMoney
from crmcore.values.currency import CURRENT, WITHDRAWN, is_currency, minor_units
from crmcore.values.money import Money, Rounding
from tests.values.strategies import HOSTILE
from tests.values.strategies_time import amounts, moneys

EUROS = moneys("EUR")
WEIGHTS = st.lists(
    st.integers(0, 1000) | st.builds(lambda n: Decimal(n) / 100, st.integers(0, 10**6)),
    min_size=1,
    max_size=9,
).filter(any)


def exact(money: Money) -> Fraction:
    """The oracle: the amount as a ratio of integers, for which no decimal context matters."""
    return Fraction(money.amount)


# --- currencies -----------------------------------------------------------------------------------------------


def test_the_table_has_the_codes_of_the_agency() -> None:
    assert len(CURRENT) == 178
    assert not CURRENT & WITHDRAWN
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in CURRENT | WITHDRAWN)
    by_decimals = {
        decimals: {code for code in CURRENT if minor_units(code) == decimals}
        for decimals in (0, 2, 3, 4, None)
    }
    assert by_decimals[0] == set(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split()
    )
    assert by_decimals[3] == set("BHD IQD JOD KWD LYD OMR TND".split())
    assert by_decimals[4] == {"CLF", "UYW"}
    assert by_decimals[None] == set("XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX".split())
    assert sum(len(codes) for codes in by_decimals.values()) == 178


@pytest.mark.parametrize("code", ["DEM", "HRK", "BGN", "ANG", "ZWL"])
def test_withdrawn_currencies_stay_money(code: str) -> None:
    assert is_currency(code)
    assert Money.of(1, code).round().currency == code


@pytest.mark.parametrize("code", ["eur", "EU", "EURO", "", "ABC", "€", None, 978, ["EUR"], " EUR"])
def test_other_codes_are_refused(code: Any) -> None:
    assert not is_currency(code)
    with pytest.raises(InvalidMoney) as refusal:
        Money(Decimal(1), code)
    assert refusal.value.reason == "currency"


# --- text and JSON --------------------------------------------------------------------------------------------


@given(moneys())
@settings(max_examples=200)
def test_text_json_and_pickle_lose_nothing(money: Money) -> None:
    for copy in (
        Money.parse(money.text),
        Money.parse(str(money)),
        Money.from_json(json.loads(json.dumps(money.to_json()))),
        pickle.loads(pickle.dumps(money)),
        eval(repr(money), {"Money": Money, "Decimal": Decimal}),
    ):
        assert copy == money
        assert hash(copy) == hash(money)
        assert str(copy.amount) == str(money.amount), "the decimals that were written are kept"


def test_keys_of_newer_versions_are_kept() -> None:
    stored = {"amount": "12.50", "currency": "EUR", "tax": {"rate": "0.19"}}
    assert Money.from_json(stored).to_json() == stored


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("12.50 EUR", "12.50 EUR"),
        ("EUR 12.50", "12.50 EUR"),
        (" -0.5 EUR\n", "-0.5 EUR"),
        ("-0.00 EUR", "0.00 EUR"),
        ("007 JPY", "7 JPY"),
    ],
)
def test_what_is_read(text: str, canonical: str) -> None:
    assert Money.parse(text).text == canonical


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1,234.50 EUR", "separator"),
        ("12,50 EUR", "separator"),
        ("1.234.567 EUR", "separator"),
        ("1'234 CHF", "separator"),
        ("12.50", "malformed"),
        ("12.50EUR", "malformed"),
        ("EUR", "malformed"),
        ("EUR EUR", "malformed"),
        (".5 EUR", "malformed"),
        ("5. EUR", "malformed"),
        ("+5 EUR", "malformed"),
        ("1e3 EUR", "malformed"),
        ("NaN EUR", "malformed"),
        ("Infinity EUR", "malformed"),
        ("0x10 EUR", "malformed"),
        ("١٢ EUR", "malformed"),
        ("1_000 EUR", "malformed"),
        ("12.50 euro", "currency"),
        ("12.50 eur", "currency"),
        ("12.50 EUR EUR", "currency"),
        ("$ 5", "malformed"),
        ("1" * 21 + " EUR", "range"),
        ("0." + "1" * 19 + " EUR", "range"),
    ],
)
def test_other_texts_are_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidMoney) as refusal:
        Money.parse(text)
    assert refusal.value.reason == reason
    assert refusal.value.__context__ is None


@pytest.mark.parametrize("text", [*HOSTILE, None, 12.5])
def test_hostile_texts_are_refused(text: Any) -> None:
    with pytest.raises(InvalidMoney):
        Money.parse(text)


@given(st.text(max_size=30) | st.text("0123456789.,- EURUSD'", max_size=20))
@settings(max_examples=150)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        money = Money.parse(text)
    except InvalidMoney:
        return
    assert Money.parse(money.text) == money


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        (12.5, "type"),
        (True, "type"),
        (None, "type"),
        (Fraction(1, 3), "type"),
        (Decimal("NaN"), "not_finite"),
        (Decimal("sNaN"), "not_finite"),
        (Decimal("-Infinity"), "not_finite"),
        (Decimal("1E+999999"), "range"),
        (Decimal("1E-999999"), "range"),
        (Decimal("0E-999999"), "range"),
        (Decimal("0E+999999"), "range"),
        (Decimal(10) ** 20, "range"),
        (10**20, "range"),
        pytest.param(10**100_000, "range", id="enormous"),
    ],
)
def test_what_is_no_amount_is_refused(amount: Any, reason: str) -> None:
    for make in (Money, Money.of):
        with pytest.raises(InvalidMoney) as refusal:
            make(amount, "EUR")
        assert refusal.value.reason == reason


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"amount": 12.5, "currency": "EUR"},
        {"amount": "1e3", "currency": "EUR"},
        {"amount": "1"},
        {"amount": "1", "currency": None},
    ],
)
def test_other_documents_are_refused(document: Any) -> None:
    with pytest.raises(InvalidMoney):
        Money.from_json(document)


def test_exponents_are_written_out() -> None:
    assert Money(Decimal("1E+3"), "EUR").text == "1000 EUR"
    assert str(Money(Decimal("1E+3"), "EUR").amount) == "1000"
    assert Money(Decimal("1E+19"), "EUR").text == "1" + "0" * 19 + " EUR"
    assert Money(Decimal("0E+3"), "EUR").text == "0 EUR"
    assert Money(Decimal("1E-18"), "EUR").text == "0.000000000000000001 EUR"


# --- arithmetic -----------------------------------------------------------------------------------------------


@given(EUROS, EUROS, st.integers(-1000, 1000))
@settings(max_examples=200)
def test_arithmetic_is_that_of_ratios_in_any_decimal_context(one: Money, two: Money, factor: int) -> None:
    with localcontext() as context:
        context.prec = 3
        context.rounding = ROUND_UP
        results = one + two, one - two, -one, abs(one), Money.sum([one, two, one], "EUR")
    a, b = exact(one), exact(two)
    assert [exact(result) for result in results] == [a + b, a - b, -a, abs(a), a + b + a]
    if abs(a * factor) < 10**20:
        assert exact(one * factor) == exact(factor * one) == a * factor


@given(EUROS, EUROS)
@settings(max_examples=100)
def test_order_is_that_of_amounts(one: Money, two: Money) -> None:
    a, b = exact(one), exact(two)
    assert (one < two, one <= two, one > two, one >= two, one == two) == (
        a < b,
        a <= b,
        a > b,
        a >= b,
        a == b,
    )
    assert bool(one) == bool(a)


def test_equal_amounts_are_equal_money_however_written() -> None:
    assert Money.parse("12.5 EUR") == Money.parse("12.50 EUR")
    assert hash(Money.parse("12.5 EUR")) == hash(Money.parse("12.50 EUR"))
    assert Money.parse("12.5 EUR") != Money.parse("12.5 USD")


def test_currencies_never_meet() -> None:
    euro, dollar = Money.of(1, "EUR"), Money.of(1, "USD")
    for meet in (
        lambda: euro + dollar,
        lambda: euro - dollar,
        lambda: euro < dollar,
        lambda: euro <= dollar,
        lambda: euro > dollar,
        lambda: euro >= dollar,
        lambda: Money.sum([euro, dollar], "EUR"),
        lambda: Money.sum([Money.zero("USD")], "EUR"),
    ):
        with pytest.raises(CurrencyMismatch):
            meet()


def test_money_meets_only_money() -> None:
    euro: Any = Money.of(1, "EUR")
    meetings: list[Callable[[], object]] = [
        lambda: euro + 1,
        lambda: euro - 1,
        lambda: 1 + euro,
        lambda: euro < 1,
        lambda: euro <= 1,
        lambda: euro > 1,
        lambda: euro >= 1,
    ]
    for meet in meetings:
        with pytest.raises(TypeError):
            meet()
    for factor in (1.5, euro, "2", True):
        with pytest.raises(InvalidMoney):
            euro * factor
    assert euro != 1


def test_a_product_is_exact_or_refused() -> None:
    assert (Money.parse("0.123456789 EUR") * Decimal("0.123456789")).text == "0.015241578750190521 EUR"
    with pytest.raises(InvalidMoney) as refusal:
        Money.parse("0.1234567891 EUR") * Decimal("0.123456789")
    assert refusal.value.reason == "range"
    with pytest.raises(InvalidMoney):
        Money.of(10**19, "EUR") + Money.of(9 * 10**19, "EUR")


def test_the_sum_of_nothing_is_zero() -> None:
    assert Money.sum([], "EUR") == Money.zero("EUR")
    assert sum([Money.of(1, "EUR")] * 2, Money.zero("EUR")) == Money.of(2, "EUR")


# --- rounding -------------------------------------------------------------------------------------------------


@given(moneys(), st.sampled_from(get_args(Rounding)), st.none() | st.integers(0, 9))
@settings(max_examples=200)
def test_rounding_is_to_the_nearest_coin_or_the_next(
    money: Money, mode: Rounding, places: int | None
) -> None:
    decimals = minor_units(money.currency) if places is None else places
    if decimals is None:
        with pytest.raises(InvalidMoney):
            money.round(mode=mode)
        return
    with localcontext() as context:
        context.prec = 3
        rounded = money.round(mode=mode, places=places)
    coin = Fraction(1, 10**decimals)
    distance = exact(rounded) - exact(money)
    assert exact(rounded) % coin == 0
    assert abs(distance) <= (coin / 2 if "HALF" in mode else coin)
    if mode == "ROUND_CEILING":
        assert 0 <= distance < coin
    assert rounded.round(mode=mode, places=places) == rounded
    assert -rounded.amount.as_tuple().exponent == decimals  # type: ignore[operator] # amounts are finite


@pytest.mark.parametrize(
    ("text", "mode", "rounded"),
    [
        ("2.345 EUR", "ROUND_HALF_EVEN", "2.34 EUR"),
        ("2.345 EUR", "ROUND_HALF_UP", "2.35 EUR"),
        ("-2.345 EUR", "ROUND_HALF_UP", "-2.35 EUR"),
        ("-2.345 EUR", "ROUND_CEILING", "-2.34 EUR"),
        ("2.5 JPY", "ROUND_HALF_EVEN", "2 JPY"),
        ("2.3455 KWD", "ROUND_HALF_EVEN", "2.346 KWD"),
        ("7 EUR", "ROUND_HALF_EVEN", "7.00 EUR"),
        ("-0.001 EUR", "ROUND_HALF_EVEN", "0.00 EUR"),
    ],
)
def test_golden_roundings(text: str, mode: Rounding, rounded: str) -> None:
    assert Money.parse(text).round(mode=mode).text == rounded
    assert Money.parse("2.345 EUR").round() == Money.parse("2.345 EUR").round(mode=ROUND_HALF_EVEN)


def test_rounding_needs_places_where_there_is_no_coin() -> None:
    assert Money.parse("1.23456 XAU").round(places=3).text == "1.235 XAU"
    with pytest.raises(InvalidMoney) as refusal:
        Money.parse("1.23456 XAU").round()
    assert refusal.value.reason == "places"
    for places in (-1, 19):
        with pytest.raises(InvalidMoney):
            Money.of(1, "EUR").round(places=places)


# --- allocation -----------------------------------------------------------------------------------------------


def unit(money: Money) -> Fraction:
    """The smallest unit that an allocation may use."""
    exponent = money.amount.as_tuple().exponent
    assert isinstance(exponent, int)
    return Fraction(1, 10 ** max(minor_units(money.currency) or 0, -exponent))


@given(moneys(), WEIGHTS)
@settings(max_examples=200)
def test_an_allocation_loses_no_cent_and_is_fair(money: Money, weights: list[int | Decimal]) -> None:
    with localcontext() as context:
        context.prec = 3
        shares = money.allocate(weights)
    assert len(shares) == len(weights)
    assert Money.sum(shares, money.currency) == money
    whole = sum(Fraction(weight) for weight in weights)
    for share, weight in zip(shares, weights, strict=True):
        ideal = exact(money) * Fraction(weight) / whole
        assert abs(exact(share) - ideal) < unit(money)
        assert exact(share) % unit(money) == 0
        assert weight or not share


@given(moneys(), WEIGHTS)
@settings(max_examples=100)
def test_what_is_left_goes_to_the_largest_remainders_first(
    money: Money, weights: list[int | Decimal]
) -> None:
    """The oracle hands out the units one by one, each to the share that lacks most."""
    size, whole = unit(money), sum(Fraction(weight) for weight in weights)
    ideals = [abs(exact(money)) / size * Fraction(weight) / whole for weight in weights]
    counts = [ideal.numerator // ideal.denominator for ideal in ideals]
    for _ in range(int(abs(exact(money)) / size) - sum(counts)):
        lacks = [ideal - count for ideal, count in zip(ideals, counts, strict=True)]
        counts[lacks.index(max(lacks))] += 1
    sign = -1 if exact(money) < 0 else 1
    assert [exact(share) for share in money.allocate(weights)] == [sign * count * size for count in counts]


@given(EUROS, WEIGHTS, st.integers(1, 50))
@settings(max_examples=100)
def test_only_the_proportion_of_weights_matters(
    money: Money, weights: list[int | Decimal], factor: int
) -> None:
    assert money.allocate(weights) == money.allocate([weight * factor for weight in weights])
    assert [-share for share in money.allocate(weights)] == list((-money).allocate(weights))


@given(moneys(), st.integers(1, 12))
@settings(max_examples=100)
def test_a_split_is_as_equal_as_coins_allow(money: Money, parts: int) -> None:
    shares = money.split(parts)
    assert len(shares) == parts
    assert Money.sum(shares, money.currency) == money
    sizes = sorted((abs(exact(share)) for share in shares), reverse=True)
    assert sizes == [abs(exact(share)) for share in shares], "the earlier ones get what is left"
    assert sizes[0] - sizes[-1] in (0, unit(money))


@pytest.mark.parametrize(
    ("text", "weights", "shares"),
    [
        ("10.00 EUR", [1, 1, 1], ["3.34", "3.33", "3.33"]),
        ("10 EUR", [1, 1, 1], ["3.34", "3.33", "3.33"]),
        ("10 JPY", [1, 1, 1], ["4", "3", "3"]),
        ("-10.00 EUR", [1, 1, 1], ["-3.34", "-3.33", "-3.33"]),
        ("0.05 EUR", [3, 7], ["0.02", "0.03"]),
        ("0.01 EUR", [0, 1, 1], ["0.00", "0.01", "0.00"]),
        ("10.005 EUR", [1, 1], ["5.003", "5.002"]),
        ("5 XAU", [1, 1], ["3", "2"]),
        ("100.00 EUR", [Decimal("33.3"), Decimal("66.7")], ["33.30", "66.70"]),
    ],
)
def test_golden_allocations(text: str, weights: list[int | Decimal], shares: list[str]) -> None:
    assert [str(share.amount) for share in Money.parse(text).allocate(weights)] == shares


@pytest.mark.parametrize(
    "weights",
    [
        [],
        [0, 0],
        [1, -1],
        [1.5],
        [True],
        [Decimal("NaN")],
        [Decimal("Infinity")],
        [Decimal("1E+99999999")],
        ["1"],
        [None],
    ],
)
def test_weights_that_weigh_nothing_are_refused(weights: list[Any]) -> None:
    with pytest.raises(InvalidMoney) as refusal:
        Money.of(1, "EUR").allocate(weights)
    assert refusal.value.reason == "weights"


@pytest.mark.parametrize("parts", [0, -1, 1.5, True, "2"])
def test_a_split_needs_parts(parts: Any) -> None:
    with pytest.raises(InvalidMoney):
        Money.of(1, "EUR").split(parts)


@given(amounts())
@settings(max_examples=50)
def test_errors_do_not_show_the_amount(amount: Decimal) -> None:
    with pytest.raises(InvalidMoney) as refusal:
        Money(amount, "no such currency")
    assert str(refusal.value) == "not a currency: use a code of ISO 4217 in upper case, such as 'EUR'"
