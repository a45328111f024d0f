"""Normal forms of the plain values that records are compared by: e-mails, phones, dates, identifiers, initials.

Invariant: each function is lossy and never fails; a text from which nothing can be compared gives the empty text. Two
spellings of one value give one form, and a form given again is itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from crmcore.errors import InvalidDate
from crmcore.values.partial_date import PartialDate
from crmcore.values.phone import phone_digits
from crmcore.values.text import digits, is_cjk

LONGEST = 160
"""Longer texts are cut before they are compared: no name or address needs more, and hostile ones cost nothing."""

_MEMORY = 1 << 16
"""Distinct texts that are remembered, per function."""

_DOTLESS = frozenset({"gmail.com", "googlemail.com"})
"""Providers that ignore dots in the local part and everything after a plus; nobody else is known to do both."""

_EMAIL_ENDS = " \t<>()[]\"',;:"
_ISO_DATE = re.compile(r"(\d{4})(?:-?(\d{2}))?(?:-?(\d{2}))?\Z")
_NO_YEAR = re.compile(r"--(\d{2})-?(\d{2})\Z")
_SAME_DIGIT = re.compile(r"(\d)\1*\Z")


def email_form(text: str) -> str:
    """The mailbox behind an address: lower case, Gmail's dots and plus tags dropped. Invalid addresses have a form too.

    >>> email_form("Ann.Lee+news@googlemail.com")
    'annlee@gmail.com'
    >>> email_form("ann+news@x.org")
    'ann+news@x.org'
    """
    return _email_form(text[:LONGEST])


@lru_cache(maxsize=_MEMORY)
def _email_form(text: str) -> str:
    bare = "".join(text.casefold().split()).strip(_EMAIL_ENDS).removeprefix("mailto:")
    local, at, domain = bare.rpartition("@")
    if not at:
        return bare if len(bare) > 3 else ""
    if domain in _DOTLESS:
        local = local.partition("+")[0].replace(".", "")
        domain = "gmail.com"
    return f"{local}@{domain}" if local and domain else ""


def phone_form(text: str) -> str:
    """Digits to compare, after a ``+`` when the country is known. Placeholders and fragments give none.

    >>> phone_form("989-7433"), phone_form("+44 20 7946 0018"), phone_form("000 0000")
    ('9897433', '+442079460018', '')
    """
    return _phone_form(text[:LONGEST])


@lru_cache(maxsize=_MEMORY)
def _phone_form(text: str) -> str:
    found = phone_digits(text)
    if len(found) < 6 or _SAME_DIGIT.match(found):
        return ""
    if text.lstrip().startswith("+"):
        return f"+{found}"
    if found.startswith("00") and len(found) > 10:
        return f"+{found[2:]}"
    return found


def date_form(text: str) -> str:
    """A date as ``YYYY-MM-DD``, ``YYYY-MM``, ``YYYY`` or ``--MM-DD``; ISO days that no calendar has are kept.

    A date that could be read two ways is read with the day first. Equal texts stay equal so, and one that another
    source wrote the other way round differs by a swapped day and month, which comparing forgives.

    >>> date_form("19850412"), date_form("1985"), date_form("12.4.1985"), date_form("unknown")
    ('1985-04-12', '1985', '1985-04-12', '')
    """
    return _date_form(text[:LONGEST].strip())


@lru_cache(maxsize=_MEMORY)
def _date_form(stripped: str) -> str:
    if match := _ISO_DATE.match(stripped.partition("T")[0].partition(" ")[0]):
        return "-".join(part for part in match.groups() if part)
    if match := _NO_YEAR.match(stripped):
        return f"--{match[1]}-{match[2]}"
    try:
        return PartialDate.parse(stripped).text
    except InvalidDate as error:
        return _day_first(stripped) if error.reason == "order" else ""


def _day_first(text: str) -> str:
    try:
        return PartialDate.parse(text, order="dmy").text
    except InvalidDate:
        return ""


def identifier_form(scheme: str, text: str) -> str:
    """``scheme:VALUE`` in upper case without punctuation; nothing but zeros, or one sign repeated, is a placeholder.

    >>> identifier_form("national_id", "12-34 a"), identifier_form("national_id", "000000")
    ('national_id:1234A', '')
    """
    value = "".join(char for char in text[:LONGEST].upper() if char.isalnum())
    placeholder = not value.strip("0") or (len(value) > 3 and len(set(value)) == 1)
    return "" if placeholder else f"{scheme[:LONGEST]}:{value}"


def postcode_form(text: str) -> str:
    """A postal code in lower case without spaces; of a US ZIP+4 the first five digits.

    >>> postcode_form("NG33 4RN"), postcode_form("60644-1234")
    ('ng334rn', '60644')
    """
    if not text:
        return ""
    joined = "".join([char for char in text[:LONGEST].casefold() if char.isalnum()])
    plain = digits(joined)
    return plain[:5] if len(plain) == 9 and plain == joined else joined


def letters_joined(words: Iterable[str]) -> list[str]:
    """Letters that stand alone one after the other are one abbreviation: ``B. V.``, ``I B M``."""
    joined: list[str] = []
    letters = False
    for word in words:
        single = len(word) == 1 and word.isalpha() and not is_cjk(word)
        if single and letters:
            joined[-1] += word
        else:
            joined.append(word)
        letters = single
    return joined
