"""What each field of two records says about them being one customer, as reasons with points.

Invariant: a point is a sixteenth of a bit, and bits count how many times over an accident is ruled out: agreeing on a
value that one customer in 1,024 has is worth ten. A missing value says nothing. City, postcode, region and country are
parts of one field, place, and given and family name of one field, name, so that nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from crmcore.identity import comparison
from crmcore.identity.addresses import AddressForm
from crmcore.identity.features import Features
from crmcore.identity.likeness import Level, organization_names, person_names
from crmcore.identity.matcher import Reason
from crmcore.identity.names import OrganizationForm, PersonForm
from crmcore.identity.population import POINTS_A_BIT, Population

V = TypeVar("V")


class Grade(NamedTuple):
    """What a level is worth: a *share* of the value's rarity plus some *points*, and whether it *agrees*."""

    share: float
    points: int
    agrees: bool


def _agrees(*, less: float = 0, share: float = 1) -> Grade:
    return Grade(share, -round(less * POINTS_A_BIT), True)


def _speaks_against(bits: float) -> Grade:
    return Grade(0, -round(bits * POINTS_A_BIT), False)


_SILENT = Grade(0, 0, False)

GRADES: Mapping[str, Mapping[str, Grade]] = {
    "birth date": {
        "same": _agrees(), "year": _agrees(), "typo": _agrees(less=5), "two parts": _agrees(less=9),
        "near": _speaks_against(1), "different": _speaks_against(5),
    },
    "e-mail": {"same": _agrees(), "typo": _agrees(less=5), "local": _agrees(less=3), "different": _speaks_against(1)},
    "phone": {"same": _agrees(), "typo": _agrees(less=7), "different": _speaks_against(1)},
    "place": {
        "same": _agrees(), "close": _agrees(less=3), "elsewhere": _agrees(less=3), "different": _speaks_against(3),
        "unknown": _SILENT,
    },
    "identifier": {
        "same": _agrees(), "typo": _agrees(less=6), "different": _speaks_against(8), "unrelated": _SILENT,
    },
    "employer": {"same": _agrees(), "close": _agrees(less=2), "different": _speaks_against(0.5)},
    "occupation": {"same": _agrees(), "different": _speaks_against(1)},
}  # fmt: skip
"""The rules of the fields. People move, change their jobs and have several mailboxes: there a difference says little.
Nobody has two birthdays, and a number issued once to each is hardly ever different. What is taken off for a typing
error is the number of values that lie one error away: five bits are some thirty dates."""

NAME_GRADES: Mapping[Level, Grade] = {
    Level.SAME: _agrees(), Level.CLOSE: _agrees(less=2), Level.ROUGH: _agrees(share=0.5, less=1),
    Level.INITIAL: Grade(0, 3 * POINTS_A_BIT, True), Level.MISSING: _SILENT,
    Level.FAR: _speaks_against(3), Level.DIFFERENT: _speaks_against(6),
}  # fmt: skip
"""The rules of the parts of a person's name. An initial is one of some ten that are usual: three bits."""

_CROSSED = 1 * POINTS_A_BIT
_GENERATIONS = 6 * POINTS_A_BIT
_LEAST_RARITY = POINTS_A_BIT // 3
"""Agreement on what four customers in five have (0.3 bits) is no agreement."""

_SHARED_POINTS = 6 * POINTS_A_BIT
"""What a contact point is worth at most that is declared to be used by several people: it says "one household"."""

EXCLUSIVE = frozenset({"national_id", "tax_id", "ssn", "passport", "lei", "vat"})
"""Schemes that issue one number to each; of others, such as customer numbers, one customer may have several."""


def reasons(a: Features, b: Features, population: Population) -> list[Reason]:
    """What the fields that both records have say: of several values the pair that agrees best."""
    found: list[Reason] = []
    if a.names and b.names:
        found.append(_best(a.names, b.names, _person_name, population))
    if a.organizations and b.organizations:
        found.append(_best(a.organizations, b.organizations, _organization_name, population))
    if a.birth_dates and b.birth_dates:
        found.append(_best(a.birth_dates, b.birth_dates, _birth_date, population))
    if a.emails and b.emails:
        found.append(_unless_shared(_best(a.emails, b.emails, _email, population), a, b))
    if a.phones and b.phones:
        found.append(_unless_shared(_best(a.phones, b.phones, _phone, population), a, b))
    if a.addresses and b.addresses:
        found.append(_best(a.addresses, b.addresses, _place, population))
    if a.identifiers and b.identifiers:
        found.append(_best(a.identifiers, b.identifiers, _identifier, population))
    if a.employers and b.employers:
        found.append(_best(a.employers, b.employers, _employer, population))
    if a.people and b.people and (common := sorted(set(a.people) & set(b.people))):
        found.append(_people(common, population))
    if a.occupation and b.occupation:
        found.append(_occupation(a.occupation, b.occupation, population))
    return found


def _best(
    ones: tuple[V, ...],
    others: tuple[V, ...],
    judge: Callable[[V, V, Population], Reason],
    population: Population,
) -> Reason:
    if len(ones) == 1 and len(others) == 1:
        return judge(ones[0], others[0], population)
    return max((judge(one, other, population) for one in ones for other in others), key=_rank)


def _rank(reason: Reason) -> tuple[int, bool, str]:
    return reason.points, reason.agrees, reason.level


def _unless_shared(reason: Reason, a: Features, b: Features) -> Reason:
    shared = a.shared | b.shared
    if not shared or not reason.agrees or shared.isdisjoint(reason.values):
        return reason
    return Reason(reason.field, "shared", min(reason.points, _SHARED_POINTS), True, reason.values)


def _reason(field: str, level: str, rarity: int, values: tuple[object, object], part: str = "") -> Reason:
    share, points, agrees = GRADES[field][level]
    worth = round(share * rarity) + points
    return Reason(
        field, f"{level} {part}" if part else level, worth, agrees and rarity >= _LEAST_RARITY, values
    )


def _person_name(a: PersonForm, b: PersonForm, population: Population) -> Reason:
    like = person_names(a, b)
    points = 0
    if like.crossed:
        points += _part(like.given, ("given", a.given), ("family", b.family), population)
        points += _part(like.family, ("family", a.family), ("given", b.given), population) - _CROSSED
    else:
        points += _part(like.given, ("given", a.given), ("given", b.given), population)
        points += _part(like.family, ("family", a.family), ("family", b.family), population)
    if like.verdict == "generations":
        points -= _GENERATIONS
    return Reason("name", like.verdict, points, like.verdict in ("same", "close", "part"), (a, b))


_Part = tuple[str, tuple[str, ...]]
"""A part of a name: what it is, and its words."""


def _part(level: Level, one: _Part, other: _Part, population: Population) -> int:
    share, points, _ = NAME_GRADES[level]
    return (
        points + round(share * min(_rarity(one, population), _rarity(other, population))) if share else points
    )


def _rarity(part: _Part, population: Population) -> int:
    role, words = part
    return population.rarity(role, words[0] if role == "given" else "".join(words))


_MOST_NAME = 18 * POINTS_A_BIT


def _organization_name(a: OrganizationForm, b: OrganizationForm, population: Population) -> Reason:
    """Words count by their rarity; what matters is how much of the shorter name the longer one explains.

    A list may write the parent before the name of the branch, so one name inside the other still agrees.
    """
    like = organization_names(a, b)
    rarity = population.rarity
    common = sum([rarity("word", word) for word in like.same])
    for x, y in like.close:
        common += max(min(rarity("word", x), rarity("word", y)) - 2 * POINTS_A_BIT, POINTS_A_BIT)
    only_a = sum([rarity("word", word) for word in like.only_a])
    only_b = sum([rarity("word", word) for word in like.only_b])
    least, most = min(only_a, only_b), max(only_a, only_b)
    if not most:
        return Reason("name", "same", min(common, _MOST_NAME), True, (a, b))
    if 10 * common >= 7 * (common + most):
        return Reason("name", "close", min(common, _MOST_NAME) - POINTS_A_BIT, True, (a, b))
    covered = min(common * common // (common + least), _MOST_NAME) if common else 0
    if 10 * common >= 6 * (common + least):
        worth = max(min(covered, 14 * POINTS_A_BIT) - 2 * POINTS_A_BIT, 0)
        return Reason("name", "contained", worth, common >= 5 * POINTS_A_BIT, (a, b))
    if 10 * common >= 3 * (common + least):
        return Reason("name", "partly", min(covered // 2, 6 * POINTS_A_BIT), False, (a, b))
    return Reason("name", "different", -4 * POINTS_A_BIT, False, (a, b))


def _birth_date(a: str, b: str, population: Population) -> Reason:
    level = comparison.dates(a, b)
    nature = "year" if level == "year" else "born"
    one, other = (a[:4], b[:4]) if level == "year" else (a, b)
    return _reason(
        "birth date", level, min(population.rarity(nature, one), population.rarity(nature, other)), (a, b)
    )


def _email(a: str, b: str, population: Population) -> Reason:
    level = comparison.emails(a, b)
    if level == "local":
        return _reason("e-mail", level, population.rarity("local", a.rpartition("@")[0]), (a, b))
    return _reason("e-mail", level, min(population.rarity("email", a), population.rarity("email", b)), (a, b))


def _phone(a: str, b: str, population: Population) -> Reason:
    rarity = min(population.rarity("phone", a[-9:]), population.rarity("phone", b[-9:]))
    return _reason("phone", comparison.phones(a, b), rarity, (a, b))


def _place(a: AddressForm, b: AddressForm, population: Population) -> Reason:
    level, part = comparison.places(a, b)
    if not part:
        return _reason("place", level, 0, (a, b))
    rarity = min(population.rarity(part, a.part(part)), population.rarity(part, b.part(part)))
    return _reason("place", level, rarity, (a, b), part)


def _identifier(a: str, b: str, population: Population) -> Reason:
    level = comparison.identifiers(a, b)
    if level == "different" and a.partition(":")[0].partition("@")[0] not in EXCLUSIVE:
        level = "unrelated"
    rarity = min(population.rarity("identifier", a), population.rarity("identifier", b))
    return _reason("identifier", level, rarity, (a, b))


def _employer(a: OrganizationForm, b: OrganizationForm, population: Population) -> Reason:
    if a == b:
        return _reason("employer", "same", population.rarity("employer", " ".join(a)), (a, b))
    like = organization_names(a, b)
    inside = (like.same or like.close) and not (like.only_a and like.only_b)
    rarity = min(population.rarity("employer", " ".join(a)), population.rarity("employer", " ".join(b)))
    return _reason("employer", "close" if inside else "different", rarity, (a, b))


def _occupation(a: str, b: str, population: Population) -> Reason:
    return _reason(
        "occupation", "same" if a == b else "different", population.rarity("occupation", a), (a, b)
    )


_MOST_PEOPLE = 3
"""Colleagues change their employer together; more than this many say no more than this many."""


def _people(common: list[str], population: Population) -> Reason:
    """The same customers work for both. That they work for different people says nothing, so it is no reason."""
    points = [population.rarity("person", person) for person in common[:_MOST_PEOPLE]]
    return Reason("people", "shared", sum(points), True, (f"{len(common)} people", f"{len(common)} people"))
