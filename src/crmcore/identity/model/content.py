"""What a value holds as a number: records are ordered and sampled by it, in whatever order they came.

Invariant: the same content has the same number on every machine and in every path. Numbers of different contents are
equal by accident once in 2^64; nothing but an order depends on that.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from crmcore.identity.addresses import AddressForm

WORD = (1 << 64) - 1
BASE = 0x9E3779B97F4A7C15
COLUMN = 0xD1B54A32D192ED03
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB
_SEPARATOR = "\x1f"


def text_of(value: object) -> str:
    """A value as one text; different values of a column have different texts.

    >>> text_of(("ann", "mary")), text_of((("foster", 140),))
    ('ann mary', 'foster')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, AddressForm):
        return _SEPARATOR.join(
            (value.number, " ".join(value.street), value.type, value.direction, value.unit)
        )
    if isinstance(value, tuple):
        return " ".join(part[0] if isinstance(part, tuple) else str(part) for part in value)
    return str(value)


@lru_cache(maxsize=1 << 16)
def number_of(text: str) -> int:
    """The number of a text: of its bytes as digits, mixed."""
    total, place = 0, BASE
    for byte in text.encode("utf-8", "surrogatepass"):
        total += (byte + 1) * place
        place = place * BASE & WORD
    return mix(total & WORD)


def mix(number: int) -> int:
    """A number in which every bit depends on every bit of *number* (the finalizer of SplitMix64; Steele, 2014)."""
    number = ((number ^ number >> 30) * _FIRST) & WORD
    number = ((number ^ number >> 27) * _SECOND) & WORD
    return number ^ number >> 31


def record_number(kind: str, parts: Iterable[tuple[int, int]]) -> int:
    """The number of a record of a *kind* whose columns hold values with these numbers."""
    number = number_of(kind)
    for at, value in parts:
        number = mix(number ^ (value + (at + 1) * COLUMN & WORD))
    return number
