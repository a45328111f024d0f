"""A telephone number.

Invariant: a number is known in E.164 or not at all. A national number is read only with the *region* that the caller
names; none is ever guessed from it. The text is kept as written (cleaned), and the extension apart from the number.
"""

from __future__ import annotations

import re
from functools import lru_cache

import attrs

from crmcore.errors import InvalidPhone
from crmcore.values import validate
from crmcore.values.personal import Document, personal
from crmcore.values.text import digits, kept

_LIMIT = 100

_SCIENTIFIC = re.compile(r"[+-]?\d{1,15}(?:[.,]\d{0,15})?[eE][+-]?\d{1,3}\Z")
_FLOAT = re.compile(r"\+?(\d{5,15})[.,]0{1,6}\Z")
_DATE = re.compile(r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])\Z")
_LABEL = re.compile(
    r"(?:tel(?:ephone|efon|éfono|\b)|phone|ph\b|fon\b|mob(?:ile|il|\b)|cell|fax|[tmpf]\b)\s*[.:]*\s*",
    re.IGNORECASE,
)
_EXTENSION = re.compile(
    r"\s*(?:[,;]?\s*(?:;\s*ext=|ext(?:ension|n)?\b[.:]?|ext(?=\d)|x|#|доб\.?|durchwahl|poste|int\.)\s*|[,;]+\s*(?=\d{1,6}\Z))"
    r"(\d{1,11})\Z",
    re.IGNORECASE,
)
_SEVERAL = re.compile(r"[/;,\n]|\b(?:or|and|oder|und|ou|et|y|o)\b", re.IGNORECASE)
_NUMBER = re.compile(r"[+＋]?[\d\s()\[\].\-/~⁓∼～‐-―−ー－．（）\u200e\u200f]+\Z")
_E164 = re.compile(r"\+[1-9][0-9]{2,14}\Z")

_ADVICE = {
    "no_digits": "the text holds no telephone number: keep it as a note",
    "local_only": "a number without its country code: write it with '+', or name its region",
    "region": "not a region: name it by two letters of ISO 3166, such as 'GB'",
    "spreadsheet_scientific": "a spreadsheet rounded this number (1.23E+10): its digits are lost, ask for it again",
    "spreadsheet_float": "a spreadsheet made this number a decimal one: remove the part after the point",
    "too_short": "too few digits for a telephone number: complete it",
    "too_long": "too many digits for a telephone number: give one number at a time",
    "length": "no number of this country has so many digits: check it",
    "country_code": "no country has this calling code: check the digits after the '+'",
    "short_code": "a short code works only inside one country or company: keep it as a note",
    "vanity": "a number spelled with letters: write it with digits",
    "letters": "the text holds words beside the number: give only the number",
    "several": "the text holds several numbers: give one at a time",
    "extension_only": "an extension without its number: give the number too",
    "date": "the text is a date: give a telephone number",
    "characters": "the text holds characters that no telephone number has: remove them",
}


def _check_e164(instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not isinstance(value, str) or not _E164.match(value):
        raise InvalidPhone(
            "the normal form of a number is E.164: '+', country code, 3 to 15 digits", reason="e164"
        )


def _check_extension(instance: object, attribute: attrs.Attribute[str | None], value: str | None) -> None:
    if value is not None and not (
        isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12
    ):
        raise InvalidPhone("an extension has 1 to 11 digits", reason="extension")


@attrs.frozen(kw_only=True)
class PhoneNumber(Document):
    """A number as it was written (*text*), in E.164, and its *extension* of up to eleven digits.

    >>> desk = PhoneNumber.parse("+1 907 486 4171 ext. 101")
    >>> desk.e164, desk.extension
    ('+19074864171', '101')
    >>> desk
    PhoneNumber(text=<hidden>, e164=<hidden>, extension=<hidden>)
    """

    text: str = personal(validator=validate.text(limit=_LIMIT, error=InvalidPhone))
    e164: str = personal(validator=_check_e164)
    extension: str | None = personal(default=None, validator=_check_extension)

    @classmethod
    def parse(cls, text: str, region: str | None = None) -> PhoneNumber:
        """Read one number; a national one needs the *region* (ISO 3166, two letters) that it belongs to.

        A number of a possible length is accepted, as directories and test data hold many that no numbering plan
        has issued; `valid` tells them apart.

        Raises:
            InvalidPhone: with a *reason*: ``local_only`` (no region given), ``region``, ``spreadsheet_scientific``,
                ``spreadsheet_float``, ``too_short``, ``too_long``, ``length``, ``country_code``, ``short_code``,
                ``vanity``, ``letters``, ``several``, ``extension_only``, ``no_digits``, ``date``, ``characters``,
                ``empty``, ``surrogate`` or ``type``.

        >>> PhoneNumber.parse("0711 1234567", region="DE").e164
        '+497111234567'
        >>> PhoneNumber.parse("0711 1234567")
        Traceback (most recent call last):
        ...
        crmcore.errors.InvalidPhone: a number without its country code: write it with '+', or name its region
        """
        verdict = _judge(kept(text, error=InvalidPhone, what="a telephone number", limit=_LIMIT), region)
        if isinstance(verdict, str):
            raise InvalidPhone(_ADVICE[verdict], reason=verdict)
        return verdict

    @property
    def key(self) -> str:
        """The form for comparison: E.164 without the extension, since one person's desk is often written both ways.

        >>> PhoneNumber.parse("+1 907 486 4171 x101").key
        '+19074864171'
        """
        return self.e164

    @property
    def country(self) -> str | None:
        """The country whose numbering plan the number is of (ISO 3166); None of one that is of no country.

        >>> PhoneNumber.parse("+49 711 1234567").country, PhoneNumber.parse("+1 416 555 0132").country
        ('DE', 'CA')
        """
        return _country(self.e164)

    @property
    def valid(self) -> bool:
        """Whether the numbering plan that crmcore knows today has issued numbers like this one.

        >>> PhoneNumber.parse("+44 20 7946 0018").valid, PhoneNumber.parse("+1 555 555 0132").valid
        (True, False)
        """
        return _valid(self.e164)


@lru_cache(maxsize=8192)
def _judge(text: str, region: str | None) -> PhoneNumber | str:
    """The number, or the reason why there are none; refusals are remembered too, since files repeat them."""
    if region is not None and (region := _known_region(region)) is None:
        return "region"
    if _SCIENTIFIC.match(text):
        return "spreadsheet_scientific"
    if _FLOAT.match(text):
        return "spreadsheet_float"
    if _DATE.match(text):
        return "date"
    number, extension = _split_extension(text)
    label = _LABEL.match(number)
    number = number[label.end() :] if label else number
    fault = _obvious_fault(number, extension)
    if fault is not None:
        return fault
    e164 = _to_e164(number, region)
    return PhoneNumber(text=text, e164=e164, extension=extension) if e164.startswith("+") else e164


def _known_region(region: object) -> str | None:
    from phonenumbers import SUPPORTED_REGIONS

    upper = region.strip().upper() if isinstance(region, str) else ""
    return upper if upper in SUPPORTED_REGIONS else None


def _split_extension(text: str) -> tuple[str, str | None]:
    match = _EXTENSION.search(text)
    return (text[: match.start()], digits(match[1])) if match else (text, None)


def _obvious_fault(number: str, extension: str | None) -> str | None:
    """The faults that people make, told apart before a lenient parser would read a number into the text."""
    found = digits(number)
    if not found:
        return "extension_only" if extension else "no_digits"
    parts = [len(digits(part)) for part in _SEVERAL.split(number)]
    if sum(size >= 7 for size in parts) > 1:
        return "several"
    if _NUMBER.match(number):
        return None
    letters = sum(char.isalpha() for char in number)
    if letters:
        return "vanity" if letters >= 3 and len(found) <= 7 else "letters"
    return "characters"


_UNREAD = {0: "country_code", 4: "too_long"}
"""The library's error types that are no matter of too few digits."""


def _to_e164(number: str, region: str | None) -> str:
    """The number in E.164, or a reason."""
    found = digits(number)
    if number[0] not in "+＋" and region is None:
        if len(found) > 15:
            return "too_long"
        return "local_only" if len(found) > 4 else "short_code" if len(found) > 2 else "too_short"
    import phonenumbers as library

    try:
        parsed = library.parse(number, region)
    except library.NumberParseException as error:
        return _UNREAD.get(error.error_type, "too_short")
    length = library.is_possible_number_with_reason(parsed)
    if length == library.ValidationResult.IS_POSSIBLE:
        return library.format_number(parsed, library.PhoneNumberFormat.E164)
    if region is not None and library.is_possible_short_number_for_region(parsed, region):
        return "short_code"
    return {
        library.ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "local_only",
        library.ValidationResult.TOO_SHORT: "too_short",
        library.ValidationResult.TOO_LONG: "too_long",
        library.ValidationResult.INVALID_COUNTRY_CODE: "country_code",
    }.get(length, "length")


@lru_cache(maxsize=8192)
def _valid(e164: str) -> bool:
    import phonenumbers as library

    return library.is_valid_number(library.parse(e164))


def phone_digits(text: str) -> str:
    """The digits of a number that could not be read, for weak comparison: what was typed, without its form.

    A spreadsheet's ``.0`` is dropped; a number in scientific notation has lost its digits, so it gives none.

    >>> phone_digits("555-0132"), phone_digits("14155550132.0"), phone_digits("7.73E+016")
    ('5550132', '14155550132', '')
    """
    trimmed = text.strip()
    if len(trimmed) <= _LIMIT:
        if _SCIENTIFIC.match(trimmed):
            return ""
        if match := _FLOAT.match(trimmed):
            return digits(match[1])
    return digits(trimmed)


@lru_cache(maxsize=8192)
def _country(e164: str) -> str | None:
    import phonenumbers as library

    found = library.region_code_for_number(library.parse(e164))
    return found if found is not None and found.isalpha() else None
