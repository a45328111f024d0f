"""How two dates, e-mails, phones, identifiers or addresses compare, as levels with a name.

Invariant: symmetric, blind to how common the values are, and worked out once for each distinct pair (bounded memory).
What only one of the two knows is never a difference.
"""

from __future__ import annotations

from functools import lru_cache

from crmcore.identity import field_levels
from crmcore.identity.addresses import AddressForm
from crmcore.identity.field_levels import birth_dates
from crmcore.identity.likeness import Level, likeness

_MEMORY = 1 << 17


@lru_cache(maxsize=_MEMORY)
def dates(a: str, b: str) -> str:
    """``"same"``, ``"year"`` (what both know agrees), ``"typo"``, ``"two parts"`` of three agree,
    ``"near"`` (two digits differ) or ``"different"``.

    >>> dates("1985-04-12", "1985-12-04"), dates("1985", "1985-04-12"), dates("1985-04-12", "1979-04-12")
    ('typo', 'year', 'two parts')
    """
    return ("different", "different", "near", "two parts", "year", "typo", "same")[birth_dates(a, b)]


def years_apart(a: str, b: str) -> int:
    """By how many years two dates differ; 0 when one of them has no year.

    >>> years_apart("1955-04-01", "1985"), years_apart("--04-01", "1985")
    (30, 0)
    """
    one, other = a[:4], b[:4]
    return abs(int(one) - int(other)) if one.isdecimal() and other.isdecimal() else 0


@lru_cache(maxsize=_MEMORY)
def emails(a: str, b: str) -> str:
    """``"same"``, ``"typo"``, ``"local"`` (what stands before the @ agrees) or ``"different"``.

    Mailboxes that differ in a digit are numbered apart by their provider, not mistyped.

    >>> emails("ann.lee@holloway.info", "ann.lee@hollowya.info"), emails("ann.lee1@x.org", "ann.lee2@x.org")
    ('typo', 'different')
    """
    level = field_levels.emails(a, b)
    if level == 3:
        local = a.rpartition("@")[0]
        # Rules know how common a local part is in its very spelling only.
        return "local" if len(local) > 4 and local == b.rpartition("@")[0] else "different"
    return ("different", "different", "different", "different", "typo", "same")[level]


@lru_cache(maxsize=_MEMORY)
def phones(a: str, b: str) -> str:
    """``"same"``, also when one lacks its country or area, ``"typo"`` or ``"different"``.

    >>> phones("+442079460018", "02079460018"), phones("+442079460018", "+442079460081")
    ('same', 'typo')
    """
    return ("different", "different", "typo", "same")[field_levels.phones(a, b)]


@lru_cache(maxsize=_MEMORY)
def identifiers(a: str, b: str) -> str:
    """``"same"``, ``"typo"``, ``"different"``, or ``"unrelated"`` for two of different schemes.

    >>> identifiers("lei:529900", "lei:529900"), identifiers("lei:529900", "vat:529900")
    ('same', 'unrelated')
    """
    return ("unrelated", "different", "different", "typo", "same")[field_levels.identifiers(a, b)]


@lru_cache(maxsize=_MEMORY)
def places(a: AddressForm, b: AddressForm) -> tuple[str, str]:
    """How two addresses compare, and the finest part that agrees.

    ``"same"``, ``"close"`` (a typing error), ``"elsewhere"`` (a coarser part agrees while a finer one differs),
    ``"different"``, or ``"unknown"`` when they have no part in common.

    >>> places(AddressForm("5", ("oak",), city="york"), AddressForm("9", ("elm",), city="york"))
    ('elsewhere', 'city')
    """
    level = _doors(a, b)
    if level in ("same", "close"):
        return _in_one_town(a, b, level)
    if level == "unknown" and a.street and b.street and _streets(a, b) == "same":
        return "same", "street"
    moved = level == "different"
    for part in ("postcode", "city", "region", "country"):
        one, other = getattr(a, part), getattr(b, part)
        if not one or not other:
            continue
        if one == other:
            return ("elsewhere" if moved else "same"), part
        if part in ("postcode", "city") and not moved and likeness(one, other) >= Level.CLOSE:
            return "close", part
        moved = True
    return ("different" if moved else "unknown"), ""


def _in_one_town(a: AddressForm, b: AddressForm, level: str) -> tuple[str, str]:
    """The same door counts less when the postcode or the city differs, and not at all when both do."""
    known = [(one, other) for one, other in ((a.postcode, b.postcode), (a.city, b.city)) if one and other]
    wrong = sum(likeness(one, other) < Level.ROUGH for one, other in known)
    if wrong == 2:
        return "different", ""
    return ("close" if wrong and len(known) == 1 else level), "door"


def _doors(a: AddressForm, b: AddressForm) -> str:
    """The level of house number and street together."""
    if not (a.street and b.street):
        return "unknown"
    street = _streets(a, b)
    if not (a.number and b.number):
        return "different" if street == "different" else "unknown"
    if a.number == b.number:
        return street
    mistyped = street != "different" and a.postcode == b.postcode != "" and _mistyped(a.number, b.number)
    return "close" if mistyped else "different"


def _mistyped(one: str, other: str) -> bool:
    """Whether two house numbers are one typing error apart and no neighbours."""
    from rapidfuzz.distance import OSA

    if not (one.isdigit() and other.isdigit()) or min(len(one), len(other)) < 3:
        return False
    return abs(int(one) - int(other)) > 9 and OSA.distance(one, other, score_cutoff=1) == 1


def _streets(a: AddressForm, b: AddressForm) -> str:
    one, other = "".join(a.street), "".join(b.street)
    if one == other:
        if a.direction and b.direction and a.direction != b.direction:
            return "different"
        return "close" if a.type and b.type and a.type != b.type else "same"
    if one.isdigit() or other.isdigit():
        return "different"  # 51st and 52nd Street are two streets, however alike
    if max(likeness(one, other), likeness(one + a.type, other + b.type)) >= Level.ROUGH:
        return "close"
    return "close" if set(a.street) <= set(b.street) or set(b.street) <= set(a.street) else "different"
