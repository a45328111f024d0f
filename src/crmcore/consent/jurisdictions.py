"""How jurisdictions are told: by the codes of countries, of their parts, and of the European Union.

Invariant: what is no code is refused with how it is written; a code of which no pack speaks is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Set

from crmcore.errors import InvalidAddress, InvalidConsent
from crmcore.values.country import COUNTRIES, country_code

_PART = re.compile(r"[A-Z0-9]{1,3}")
_WHAT = (
    "jurisdictions are a list of codes: of countries by ISO 3166, such as 'DE', of their parts, such as 'US-CA', "
    "or 'EU'"
)


def codes(told: Iterable[str], known: Set[str]) -> tuple[str, ...]:
    """The jurisdictions that were *told*, those of packs being *known*.

    Raises:
        InvalidConsent: if they are one text, or one of them is no code.

    >>> codes(["DE", "US-CA", "EU", "BT"], {"EU"})
    ('DE', 'US-CA', 'EU', 'BT')
    >>> codes(["uk"], {"EU"})
    Traceback (most recent call last):
    ...
    crmcore.errors.InvalidConsent: a jurisdiction is told by its code: write 'GB'
    """
    if isinstance(told, str | bytes):
        raise InvalidConsent(f"{_WHAT}: put a single one into a list")
    try:
        found = tuple(told)
    except TypeError:
        raise InvalidConsent(_WHAT) from None
    for one in found:
        if not isinstance(one, str):
            raise InvalidConsent(_WHAT)
        if one not in known and one not in COUNTRIES and not _is_part(one):
            meant = _meant(one.strip(), known)
            if meant is None:
                raise InvalidConsent(_WHAT)
            raise InvalidConsent(f"a jurisdiction is told by its code: write '{meant}'")
    return found


def _is_part(name: str) -> bool:
    country, sign, part = name.partition("-")
    return bool(sign) and country in COUNTRIES and _PART.fullmatch(part) is not None


def _meant(name: str, known: Set[str]) -> str | None:
    """The code that is meant by a name, or by a code that is written otherwise."""
    upper = name.upper()
    if upper in known or _is_part(upper):
        return upper
    try:
        return country_code(name)
    except InvalidAddress:
        return None
