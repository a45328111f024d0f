"""Amounts of money: exact decimals in one currency.

Invariant: nothing is rounded unless `round` is called, whatever the decimal context of the caller; amounts of
different currencies never meet; no float becomes money. The decimals that were written are kept (12.50 stays 12.50).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import Any, Literal

import attrs

from crmcore.errors import CurrencyMismatch, InvalidMoney
from crmcore.values.currency import minor_units
from crmcore.values.frozen_map import FrozenMap, thaw
from crmcore.values.personal import Document

Rounding = Literal[
    "ROUND_HALF_EVEN",
    "ROUND_HALF_UP",
    "ROUND_HALF_DOWN",
    "ROUND_UP",
    "ROUND_DOWN",
    "ROUND_CEILING",
    "ROUND_FLOOR",
    "ROUND_05UP",
]
"""The modes of the module `decimal`, by name."""

WHOLE_DIGITS = 20
DECIMALS = 18

# Wide enough for any product of two amounts; a result that did not fit would be an error, not a rounding.
_EXACT = Context(prec=120, traps=[Inexact])
_NUMBER = re.compile(rf"-?[0-9]{{1,{WHOLE_DIGITS}}}(?:\.[0-9]{{1,{DECIMALS}}})?")


def _amount(value: Decimal | int) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (Decimal, int)):
        raise InvalidMoney("an amount is a Decimal or an int: a float is not exact", reason="type")
    # Asked of the integer first: a huge one would cost much to turn into a decimal.
    if isinstance(value, int) and abs(value) >= 10**WHOLE_DIGITS:
        raise InvalidMoney(f"an amount has at most {WHOLE_DIGITS} digits before the point", reason="range")
    amount = Decimal(value)
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int):
        raise InvalidMoney("an amount is a finite number", reason="not_finite")
    if exponent < -DECIMALS or amount.adjusted() >= WHOLE_DIGITS:
        raise InvalidMoney(
            f"an amount has at most {WHOLE_DIGITS} digits before the point and {DECIMALS} after: round it first",
            reason="range",
        )
    if exponent > 0:
        amount = amount.quantize(Decimal(1), context=_EXACT)
    return amount if amount else amount.copy_abs()


def _currency(instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    minor_units(value)


@attrs.frozen
class Money(Document):
    """An *amount* in a *currency* of ISO 4217.

    >>> Money(Decimal("12.50"), "EUR") + Money.of(3, "EUR")
    Money(amount=Decimal('15.50'), currency='EUR')
    >>> str(Money.parse("12.50 EUR"))
    '12.50 EUR'
    """

    amount: Decimal = attrs.field(converter=_amount, kw_only=False)
    currency: str = attrs.field(validator=_currency, kw_only=False)

    @classmethod
    def of(cls, amount: Decimal | int | str, currency: str) -> Money:
        """Money from a number or from plain digits with a decimal point.

        Raises:
            InvalidMoney: with the *reason* ``"type"`` (a float), ``"malformed"``, ``"separator"`` (a comma or a
                grouping, which mean different things in different places), ``"not_finite"``, ``"range"`` or
                ``"currency"``.

        >>> Money.of("12.50", "EUR").text
        '12.50 EUR'
        """
        return cls(_read(amount) if isinstance(amount, str) else amount, currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing, in that currency.

        >>> Money.zero("EUR").text
        '0 EUR'
        """
        return cls(Decimal(0), currency)

    @classmethod
    def parse(cls, text: str) -> Money:
        """Read ``12.50 EUR`` or ``EUR 12.50``; white space around it is dropped.

        Raises:
            InvalidMoney: as `of` does.

        >>> Money.parse("EUR -3").text
        '-3 EUR'
        """
        if not isinstance(text, str):
            raise InvalidMoney("money is read from a text: give a str", reason="type")
        text = text.strip()
        return _parsed(text) if len(text) <= 64 else _parse(text)

    @property
    def text(self) -> str:
        """The amount in plain digits and the code: the inverse of `parse`.

        >>> Money.of("-0.5", "EUR").text
        '-0.5 EUR'
        """
        return f"{self.amount:f} {self.currency}"

    def __str__(self) -> str:
        return self.text

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __add__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        return Money(_EXACT.add(self.amount, self._same(other)), self.currency)

    def __sub__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        return Money(_EXACT.subtract(self.amount, self._same(other)), self.currency)

    def __neg__(self) -> Money:
        return Money(_EXACT.minus(self.amount), self.currency)

    def __abs__(self) -> Money:
        return Money(_EXACT.abs(self.amount), self.currency)

    def __mul__(self, factor: Decimal | int) -> Money:
        # The factor has the limits of an amount, so that the product of the two is exact.
        return Money(_EXACT.multiply(self.amount, _amount(factor)), self.currency)

    __rmul__ = __mul__

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other) if isinstance(other, Money) else NotImplemented

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other) if isinstance(other, Money) else NotImplemented

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same(other) if isinstance(other, Money) else NotImplemented

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same(other) if isinstance(other, Money) else NotImplemented

    def _same(self, other: Money) -> Decimal:
        if self.currency != other.currency:
            raise CurrencyMismatch(
                "amounts of two currencies do not meet: convert one first", reason="currency"
            )
        return other.amount

    @classmethod
    def sum(cls, amounts: Iterable[Money], currency: str) -> Money:
        """The sum of *amounts*, all of them in *currency*; zero when there are none.

        Raises:
            CurrencyMismatch: if one of them is in another currency.

        >>> Money.sum([Money.of("0.10", "EUR")] * 3, "EUR").text
        '0.30 EUR'
        """
        total = cls.zero(currency)
        for amount in amounts:
            total = total + amount
        return total

    def round(self, *, places: int | None = None, mode: Rounding = ROUND_HALF_EVEN) -> Money:
        """To the decimals of the currency, or to *places*; the only operation that changes an amount.

        Raises:
            InvalidMoney: if the currency has no smallest coin and no *places* are given.

        >>> Money.of("12.345", "EUR").round().text, Money.of("12.345", "EUR").round(mode="ROUND_HALF_UP").text
        ('12.34 EUR', '12.35 EUR')
        """
        decimals = self._decimals() if places is None else places
        if not 0 <= decimals <= DECIMALS:
            raise InvalidMoney(f"places to round to lie between 0 and {DECIMALS}", reason="range")
        context = Context(prec=120, rounding=mode)
        return Money(
            self.amount.quantize(Decimal(1).scaleb(-decimals, context=context), context=context),
            self.currency,
        )

    def allocate(self, weights: Sequence[int | Decimal]) -> tuple[Money, ...]:
        """Shares in proportion to *weights* that sum to exactly this amount.

        A share differs from the exact one by less than the smallest unit: the coin of the currency, or the last
        decimal of the amount where that is finer. What is left over goes to the largest remainders, to the
        earlier of equal ones; a weight of zero gets nothing.

        Raises:
            InvalidMoney: if there are no weights, all are zero, or one is negative, infinite or a float; or if
                the currency has no smallest coin and the amount no decimals that could serve.

        >>> [share.text for share in Money.of("10.00", "EUR").allocate([1, 1, 1])]
        ['3.34 EUR', '3.33 EUR', '3.33 EUR']
        """
        shares = [Fraction(_weight(weight)) for weight in weights]
        total = sum(shares)
        if not total:
            raise InvalidMoney("an amount needs a weight above zero to be allocated to", reason="weights")
        common = lcm(*(share.denominator for share in shares))
        parts = [int(share * common) for share in shares]
        whole = int(total * common)
        scale = max(self._coin(), -self._exponent())
        units = int(self.amount.copy_abs().scaleb(scale, context=_EXACT))
        floors = [divmod(units * part, whole) for part in parts]
        left = units - sum(floor for floor, _ in floors)
        largest = sorted(range(len(parts)), key=lambda index: -floors[index][1])[:left]
        sign = -1 if self.amount < 0 else 1
        counts = [floor for floor, _ in floors]
        for index in largest:
            counts[index] += 1
        return tuple(
            Money(Decimal(sign * count).scaleb(-scale, context=_EXACT), self.currency) for count in counts
        )

    def split(self, parts: int) -> tuple[Money, ...]:
        """As many shares as *parts*, as equal as coins allow, that sum to exactly this amount.

        Raises:
            InvalidMoney: if *parts* is less than one.

        >>> [share.text for share in Money.of("-1.00", "EUR").split(3)]
        ['-0.34 EUR', '-0.33 EUR', '-0.33 EUR']
        """
        if not isinstance(parts, int) or isinstance(parts, bool) or parts < 1:
            raise InvalidMoney("an amount is split into one part or more", reason="weights")
        return self.allocate([1] * parts)

    def _exponent(self) -> int:
        exponent = self.amount.as_tuple().exponent
        assert isinstance(exponent, int)  # for the type checker: amounts are finite
        return exponent

    def _coin(self) -> int:
        decimals = minor_units(self.currency)
        return 0 if decimals is None else decimals

    def _decimals(self) -> int:
        decimals = minor_units(self.currency)
        if decimals is None:
            raise InvalidMoney(
                "this currency has no smallest coin: say how many places to round to", reason="places"
            )
        return decimals

    def to_json(self) -> dict[str, Any]:
        """The JSON object of this money, the amount as text.

        >>> Money.parse("12.50 EUR").to_json()
        {'amount': '12.50', 'currency': 'EUR'}
        """
        return {**thaw(self.unknown), "amount": f"{self.amount:f}", "currency": self.currency}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Money:
        """The inverse of `to_json`.

        Raises:
            InvalidMoney: if *document* has not that shape.

        >>> Money.from_json({"amount": "12.50", "currency": "EUR"}).text
        '12.50 EUR'
        """
        if not isinstance(document, Mapping) or not isinstance(document.get("amount"), str):
            raise InvalidMoney("money is stored as 'amount', a text, and 'currency'", reason="document")
        unknown = {key: value for key, value in document.items() if key not in ("amount", "currency")}
        return cls(_read(document["amount"]), document.get("currency", ""), unknown=FrozenMap(unknown))


def _read(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        if "," in text or "'" in text or text.count(".") > 1:
            raise InvalidMoney(
                "an amount is written without grouping and with a decimal point: 1234.50", reason="separator"
            )
        if re.fullmatch(r"-?[0-9]+(?:\.[0-9]+)?", text):
            raise InvalidMoney(
                f"an amount has at most {WHOLE_DIGITS} digits before the point and {DECIMALS} after",
                reason="range",
            )
        raise InvalidMoney("not an amount: write digits with a decimal point, such as 1234.50")
    return Decimal(text)


def _parse(text: str) -> Money:
    amount, _, currency = text.partition(" ")
    if amount.isalpha():
        amount, currency = currency, amount
    if not currency:
        raise InvalidMoney("money is an amount, a space and a currency: 12.50 EUR")
    return Money(_read(amount.strip()), currency.strip())


_parsed = lru_cache(maxsize=4096)(_parse)


def _weight(weight: Decimal | int) -> Decimal:
    try:
        checked = _amount(weight)
    except InvalidMoney:
        checked = Decimal(-1)
    if checked < 0:
        raise InvalidMoney("weights are whole or decimal numbers that are not negative", reason="weights")
    return checked
