"""What each field of two records says about them being one customer: a level, and what that is worth.

Invariant: evidence is counted in bits, that is, how many times over an accident is ruled out: agreeing on a value that
one customer in 1,024 has is worth 10. A missing value says nothing. City, postcode, region and country are parts of
one field, place, and given and family name of one field, name, so that nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeVar

from crmcore.identity import comparison as how
from crmcore.identity.addresses import AddressForm
from crmcore.identity.comparison import CLOSE, DIFFERENT, FAR, INITIAL, LEVELS, MISSING, ROUGH, SAME
from crmcore.identity.features import Features
from crmcore.identity.names import OrganizationForm, PersonForm
from crmcore.identity.population import Population

V = TypeVar("V")


class Grade(NamedTuple):
    """What a level is worth: *share* of the value's rarity plus *shift* bits; *agrees* is whether it is agreement."""

    share: float
    shift: float
    agrees: bool = True


class Finding(NamedTuple):
    """What one *field* says, worth *bits*, of two *values*."""

    field: str
    level: str
    bits: float
    agrees: bool
    values: tuple[object, object]


_NO = False
GRADES: Mapping[str, Mapping[str, Grade]] = {
    "birth date": {
        "same": Grade(1, 0), "partly": Grade(1, 0), "typo": Grade(1, -5), "near": Grade(0, -1, _NO), "different": Grade(0, -5, _NO),
    },
    "e-mail": {"same": Grade(1, 0), "typo": Grade(1, -5), "local": Grade(1, -3), "different": Grade(0, -1, _NO)},
    "phone": {"same": Grade(1, 0), "typo": Grade(1, -7), "different": Grade(0, -1, _NO)},
    "place": {
        "same": Grade(1, 0), "close": Grade(1, -3), "moved": Grade(1, -3), "different": Grade(0, -3, _NO), "": Grade(0, 0, _NO),
    },
    "identifier": {"same": Grade(1, 0), "typo": Grade(1, -6), "different": Grade(0, -8, _NO), "": Grade(0, 0, _NO)},
    "employer": {"same": Grade(1, 0), "close": Grade(1, -2), "different": Grade(0, -0.5, _NO)},
    "occupation": {"same": Grade(1, 0), "different": Grade(0, -1, _NO)},
}  # fmt: skip
PARTS: Mapping[int, Grade] = {
    SAME: Grade(1, 0), CLOSE: Grade(1, -2), ROUGH: Grade(0.5, -1), INITIAL: Grade(0, 3), MISSING: Grade(0, 0),
    FAR: Grade(0, -3), DIFFERENT: Grade(0, -6),
}  # fmt: skip

_LEAST_RARITY = 0.3
"""Agreement on a value that more than four customers in five have is no agreement."""

_SHARED_BITS = 6.0
_AREA_DIGITS = 9


def _finding(field: str, level: str, rarity: float, values: tuple[object, object]) -> Finding:
    share, shift, agrees = GRADES[field][level]
    bits = share * rarity + shift
    return Finding(field, level, bits, agrees and rarity > _LEAST_RARITY, values)


def findings(a: Features, b: Features, population: Population) -> list[Finding]:
    """What the fields that both records have say, the best of the pairs of values for each."""
    found: list[Finding] = []
    for x, y, judge in (
        (a.names, b.names, person_name), (a.organizations, b.organizations, organization_name), (a.birth_dates, b.birth_dates, birth_date), (a.addresses, b.addresses, place), (a.identifiers, b.identifiers, identifier), (a.employers, b.employers, employer)):
        if x and y:
            found.append(judge(x[0], y[0], population) if len(x) == len(y) == 1 else _best(x, y, judge, population))
    if a.emails and b.emails:
        found.append(_cut(_best(a.emails, b.emails, email, population), a, b))
    if a.phones and b.phones:
        found.append(_cut(_best(a.phones, b.phones, phone, population), a, b))
    if a.occupation and b.occupation:
        found.append(occupation(a.occupation, b.occupation, population))
    return found


def _best(x, y, judge, population):
    return max((judge(one, other, population) for one in x for other in y), key=_bits)


def _bits(finding: Finding) -> float:
    return finding.bits


def _cut(f: Finding, a: Features, b: Features) -> Finding:
    if (a.shared or b.shared) and f.agrees and not (a.shared | b.shared).isdisjoint(f.values):
        return f._replace(bits=min(f.bits, _SHARED_BITS))
    return f


def person_name(a: PersonForm, b: PersonForm, population: Population) -> Finding:
    like = how.person_names(a, b)
    rarity = population.rarity
    bits = 0.0
    if like.given:
        x, y = a.given, (b.family if like.crossed else b.given)
        share, shift, _ = PARTS[like.given]
        bits += shift + (share * min(rarity("given", x[0]), rarity("given", y[0])) if share else 0)
    if like.family:
        x, y = a.family, (b.given if like.crossed else b.family)
        share, shift, _ = PARTS[like.family]
        bits += shift + (share * min(rarity("family", "".join(x)), rarity("family", "".join(y))) if share else 0)
    if like.crossed:
        bits -= 1
    level = how.NAME_LEVELS[like]
    if level == "generation":
        bits -= 6
    return Finding("name", level, bits, level in ("same", "close", "part"), (a, b))


def organization_name(a: OrganizationForm, b: OrganizationForm, population: Population) -> Finding:
    like = how.words(a, b) if a < b else how.words(b, a)
    rarity = population.rarity
    common = 0.0
    for word in like.same:
        common += rarity("word", word)
    for x, y in like.close:
        common += max(min(rarity("word", x), rarity("word", y)) - 2, 1)
    left = sum([rarity("word", word) for word in like.left])
    right = sum([rarity("word", word) for word in like.right])
    least, most = (left, right) if left < right else (right, left)
    cover = common / (common + least) if common else 0.0
    if not most:
        level, bits, agrees = "same", min(common, 18.0), True
    elif common and common / (common + most) >= 0.7:
        level, bits, agrees = "close", min(common, 17.0) - 1, True
    elif cover >= 0.6:
        level, bits, agrees = "contained", min(common * cover, 14.0) - 2, common >= 5
    elif cover >= 0.3:
        level, bits, agrees = "partly", min(common * cover / 2, 6.0), False
    else:
        level, bits, agrees = "different", -4.0, False
    return Finding("name", level, bits, agrees, (a, b))


def birth_date(a: str, b: str, population: Population) -> Finding:
    level = how.dates(a, b)
    rarity = 0.0
    if level == "same" and len(a) == 10 and not a.endswith("-01-01"):
        rarity = population.rarity("born", a)
    elif level == "typo":
        rarity = min(population.rarity("born", a), population.rarity("born", b))
    elif level in ("same", "partly"):
        rarity = min(population.rarity("year", a[:4]), population.rarity("year", b[:4]))
        if level == "same":
            rarity = min(rarity + 1, population.rarity("born", a))
    return _finding("birth date", level, rarity, (a, b))


def email(a: str, b: str, population: Population) -> Finding:
    level = how.emails(a, b)
    rarity = 0.0
    if level == "local":
        rarity = population.rarity("local", a.rpartition("@")[0])
    elif level != "different":
        rarity = min(population.rarity("email", a), population.rarity("email", b))
    return _finding("e-mail", level, rarity, (a, b))


def phone(a: str, b: str, population: Population) -> Finding:
    level = how.phones(a, b)
    rarity = 0.0
    if level != "different":
        rarity = min(population.rarity("phone", a[-_AREA_DIGITS:]), population.rarity("phone", b[-_AREA_DIGITS:]))
    return _finding("phone", level, rarity, (a, b))


def place(a: AddressForm, b: AddressForm, population: Population) -> Finding:
    part, level = how.places(a, b)
    if not part:
        return _finding("place", level, 0.0, (a, b))
    if part == "door":
        rarity = min(population.rarity("door", a.door), population.rarity("door", b.door))
    elif part == "street":
        rarity = min(population.rarity("street", " ".join(a.street)), population.rarity("street", " ".join(b.street)))
    else:
        rarity = min(population.rarity(part, getattr(a, part)), population.rarity(part, getattr(b, part)))
    f = _finding("place", level, rarity, (a, b))
    return f._replace(level=f"{level} {part}")


EXCLUSIVE = frozenset({"national_id", "tax_id", "ssn", "passport", "lei", "vat"})


def identifier(a: str, b: str, population: Population) -> Finding:
    level = how.identifiers(a, b)
    if level == "different" and a.rpartition(":")[0] not in EXCLUSIVE:
        level = ""
    rarity = min(population.rarity("identifier", a), population.rarity("identifier", b))
    return _finding("identifier", level, rarity, (a, b))


def employer(a: OrganizationForm, b: OrganizationForm, population: Population) -> Finding:
    level = how.employers(a, b)
    rarity = 0.0
    if level != "different":
        rarity = min(population.rarity("employer", " ".join(a)), population.rarity("employer", " ".join(b)))
    return _finding("employer", level, rarity, (a, b))


def occupation(a: str, b: str, population: Population) -> Finding:
    return _finding("occupation", "same" if a == b else "different", population.rarity("occupation", a), (a, b))
