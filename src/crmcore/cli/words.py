"""The words that a command is given: what each may be, and one sentence where it cannot.

Invariant: what was typed is never repeated in a message, but for the names of options: it may be a name or an address.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

from crmcore.cli.terminal import USAGE, Terminal
from crmcore.errors import InvalidAddress, InvalidMapping, InvalidSource

_CHOICE = re.compile(r"invalid choice: .* \(choose from (.*)\)\Z", re.DOTALL)
_ARGUMENT = re.compile(r"\Aargument (\S+): ")
_OPTION = re.compile(r"--?[a-z][a-z-]{0,30}")
_UNFIT = re.compile(r"[\x00\ud800-\udfff]")
_MOST_BITS = 1000
_MEMORY = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,3})?)([KMGT]?)i?B?", re.IGNORECASE | re.ASCII)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}


class Parser(argparse.ArgumentParser):
    """A parser that says in one sentence what is wrong."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("allow_abbrev", False)  # an abbreviation would stop working with the next option
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(**options)

    def words(self, arguments: Sequence[str] | None) -> argparse.Namespace:
        """The command and its options."""
        options, rest = self.parse_known_args(arguments)
        if rest:
            named = [found[0] for word in rest if (found := _OPTION.match(word))]
            what = f"there is no option {named[0]}" if named else "there is a word too many"
            options.usage_error(f"{what}; a reference with spaces stands in quotes")
        return options

    def error(self, message: str) -> NoReturn:
        said = _ARGUMENT.sub(r"\1 ", _CHOICE.sub(r"is none of \1", message))
        Terminal().error(f"{said} ({self.prog} --help says more)")
        raise SystemExit(USAGE)


def text(typed: str) -> str:
    """Any text that can be stored."""
    if _UNFIT.search(typed):
        raise argparse.ArgumentTypeError("holds bytes that are no text: check the encoding of your terminal")
    return typed


def path(typed: str) -> Path:
    """The path of a file."""
    if not typed or _UNFIT.search(typed):
        raise argparse.ArgumentTypeError("is no path that can be used: give the file another name")
    return Path(typed)


def source(typed: str) -> str:
    """The name of a system."""
    from crmcore.values.source import Source

    try:
        return Source(typed.strip(), "1").system
    except InvalidSource:
        raise argparse.ArgumentTypeError(
            "is no name of a system: use 1 to 256 printable characters"
        ) from None


def author(typed: str) -> str:
    """The id of a person."""
    from crmcore.values.source import Actor

    try:
        return Actor(kind="person", id=typed).id
    except InvalidSource:
        raise argparse.ArgumentTypeError("is no id of a person: use 1 to 256 printable characters") from None


def region(typed: str) -> str:
    """The two letters of a country."""
    from crmcore.values.country import country_code

    try:
        return country_code(typed)
    except InvalidAddress:
        raise argparse.ArgumentTypeError("is no country: give its two letters, such as US or GB") from None


def instant(typed: str) -> datetime:
    """An instant with its zone."""
    try:
        found = datetime.fromisoformat(typed)
    except ValueError:
        found = None
    if found is None or found.utcoffset() is None or not 1 < found.year < 9999:
        raise argparse.ArgumentTypeError("takes an instant with its zone, such as 2026-05-04T10:00+02:00")
    return found


def jurisdiction(typed: str) -> str:
    """A country, a state of the United States, or the European Union, as packs name them."""
    if not re.fullmatch(r"[A-Za-z]{2}(-[A-Za-z]{2})?", typed):
        raise argparse.ArgumentTypeError(
            "takes the two letters of a country, such as DE, or a state, such as US-CA"
        )
    return typed.upper()


def bits(typed: str) -> int:
    """A decimal number of bits, as an exact number of units of 2^-16."""
    from crmcore.identity.model.policy import UNIT

    try:
        amount = Decimal(typed)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount) > _MOST_BITS:
        raise argparse.ArgumentTypeError(
            f"takes a number of bits from -{_MOST_BITS} to {_MOST_BITS}, such as 3.5"
        )
    return round(Fraction(amount) * UNIT)


def count(typed: str) -> int:
    """How many, from 1."""
    if not re.fullmatch(r"[0-9]{1,6}", typed) or int(typed) < 1:
        raise argparse.ArgumentTypeError("takes a whole number from 1 to 999999")
    return int(typed)


def memory(typed: str) -> int:
    """Bytes, or as many thousand, million or thousand million of them (by 1,024).

    >>> memory("2G") == 2 << 30, memory("512m") == 512 << 20, memory("1.5GB") == 3 << 29
    (True, True, True)
    """
    found = _MEMORY.fullmatch(typed.strip())
    amount = 0 if found is None else int(Fraction(found[1]) * _UNITS[found[2].upper()])
    if not amount:
        raise argparse.ArgumentTypeError("takes bytes, such as 2G or 800M")
    return amount


def delimiter(typed: str) -> str:
    """The character between cells, or what it is called."""
    return _DELIMITERS.get(typed.casefold(), typed)


def pair(typed: str) -> tuple[str, str]:
    """The column and the field of ``COLUMN=FIELD``."""
    from crmcore.exchange.fields import IGNORE
    from crmcore.exchange.mapping import parse_pair

    try:
        column, field = parse_pair(text(typed))
    except InvalidMapping:
        raise argparse.ArgumentTypeError("takes COLUMN=FIELD, such as 'Filed on=contact_date'") from None
    return column, IGNORE if field == "-" else field
