"""How alike two values are, one pair of values at a time, as ordered levels.

Invariant: symmetric, without knowledge of any population, and worked out once per distinct pair of values (bounded
memory). Fuzzy likeness is decided by counts of edits and Jaro-Winkler; a level never depends on which value is first.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from crmcore.identity.addresses import AddressForm
from crmcore.identity.names import OrganizationForm, PersonForm

DIFFERENT, FAR, MISSING, INITIAL, ROUGH, CLOSE, SAME = -2, -1, 0, 1, 2, 3, 4
LEVELS = {
    DIFFERENT: "different",
    FAR: "different, same initial",
    MISSING: "missing",
    INITIAL: "initial",
    ROUGH: "roughly",
    CLOSE: "close",
    SAME: "same",
}
"""Levels of a name's part, weakest first, and how they are called."""

_MEMORY = 1 << 17


def _metrics() -> tuple[object, object]:
    from rapidfuzz.distance import OSA, JaroWinkler

    return OSA.distance, JaroWinkler.similarity


@lru_cache(maxsize=_MEMORY)
def likeness(a: str, b: str) -> int:
    """The level of two words: `SAME`, `CLOSE` (a typing error), `ROUGH` (two or a misheard one) or `DIFFERENT`.

    >>> likeness("olivia", "lolivia") == CLOSE, likeness("john", "jane") == DIFFERENT
    (True, True)
    """
    from rapidfuzz.distance import OSA, JaroWinkler

    if a == b:
        return SAME
    shorter, longer = sorted((len(a), len(b)))
    if shorter < 3:
        return DIFFERENT
    edits = OSA.distance(a, b, score_cutoff=3)
    if edits == 1 and (longer > 3 or shorter < longer):
        return CLOSE
    winkler = JaroWinkler.similarity(a, b)
    if (edits == 2 and shorter >= 5 and winkler >= 0.8) or winkler >= 0.93:
        return CLOSE
    if (edits <= 2 and shorter >= 4 and winkler >= 0.75) or (edits == 3 and shorter >= 6 and winkler >= 0.8) or (winkler >= 0.87 and shorter >= 4):
        return ROUGH
    return DIFFERENT


@lru_cache(maxsize=_MEMORY)
def name_part(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    """The level of two given names or of two family names, each of one or more words.

    >>> name_part(("brent", "s"), ("brent",)) == SAME, name_part(("b",), ("brent",)) == INITIAL
    (True, True)
    """
    if not a or not b:
        return MISSING
    if a == b:
        return SAME
    first, second = a[0], b[0]
    if len(first) == 1 or len(second) == 1:
        if first[0] == second[0]:
            return INITIAL
        return CLOSE if set(a[1:]) & set(b) or set(b[1:]) & set(a) else DIFFERENT
    if first == second:
        return SAME if _rest_agrees(a[1:], b[1:]) else CLOSE
    level = max(likeness("".join(a), "".join(b)), likeness(first, second))
    if level >= CLOSE:
        return level
    if any(len(word) > 2 and word in b for word in a):
        return CLOSE
    if min(len(first), len(second)) >= 3 and (first.startswith(second) or second.startswith(first)):
        return CLOSE
    if level == DIFFERENT and first[0] == second[0]:
        return FAR
    return level


def _rest_agrees(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Whether further given names can be of one person: missing, abbreviated or alike."""
    return all(x[0] == y[0] if len(x) == 1 or len(y) == 1 else likeness(x, y) >= ROUGH for x, y in zip(a, b, strict=False))


class NameLikeness(NamedTuple):
    """The levels of the two parts; *crossed* when given and family name had to change places."""

    given: int
    family: int
    crossed: bool = False
    generation: bool = True


@lru_cache(maxsize=_MEMORY)
def person_names(a: PersonForm, b: PersonForm) -> NameLikeness:
    """How two names of people compare, the usual way round or crossed, whichever fits better.

    >>> person_names(PersonForm(("jinhai",), ("liu",)), PersonForm(("liu",), ("jinhai",))).crossed
    True
    """
    agree = not (a.generation and b.generation and a.generation != b.generation)
    straight = (name_part(a.given, b.given), name_part(a.family, b.family))
    if sum(straight) < 2 * CLOSE:
        across = (name_part(a.given, b.family), name_part(a.family, b.given))
        if min(across) >= ROUGH and sum(across) > sum(straight) or (MISSING in across and max(across) >= CLOSE and sum(across) > sum(straight)):
            return NameLikeness(min(across), max(across), True, agree)
    return NameLikeness(*straight, False, agree)


class DateLikeness(NamedTuple):
    """The level of two dates: "same", "typo", "year" or "different"."""

    level: str


@lru_cache(maxsize=_MEMORY)
def dates(a: str, b: str) -> str:
    """How two dates compare: ``"same"``, ``"partly"`` (what both know agrees), ``"typo"``, ``"near"`` or ``"different"``.

    >>> dates("1985-04-12", "1985-12-04"), dates("1985", "1985-04-12"), dates("1985-04-12", "1958-04-12")
    ('typo', 'partly', 'typo')
    """
    if a == b:
        return "same"
    if len(a) != 10 or len(b) != 10 or a.startswith("--") or b.startswith("--"):
        return "partly" if _compatible(a, b) else "different"
    if a[:4] == b[:4] and (a[4:] == "-01-01" or b[4:] == "-01-01"):
        return "partly"
    wrong = [at for at in range(10) if a[at] != b[at]]
    if len(wrong) == 1:
        return "typo"
    if a[:4] == b[:4] and (a[5:7], a[8:]) == (b[8:], b[5:7]):
        return "typo"
    if len(wrong) == 2 and a[wrong[0]] == b[wrong[1]] and a[wrong[1]] == b[wrong[0]]:
        return "typo"
    if len(wrong) == 2 or a[:4] == b[:4] or a[4:] == b[4:]:
        return "near"
    return "different"


def _compatible(a: str, b: str) -> bool:
    year_a, year_b = ("" if text.startswith("--") else text[:4] for text in (a, b))
    day_a, day_b = (text[2:] if text.startswith("--") else text[5:] for text in (a, b))
    if year_a and year_b and year_a != year_b:
        return False
    return bool((year_a and year_b) or (day_a and day_b)) and (day_a.startswith(day_b) or day_b.startswith(day_a))


@lru_cache(maxsize=_MEMORY)
def emails(a: str, b: str) -> str:
    """``"same"``, ``"typo"``, ``"local"`` (the part before the @ agrees) or ``"different"``."""
    from rapidfuzz.distance import OSA

    if a == b:
        return "same"
    local_a, _, domain_a = a.rpartition("@")
    local_b, _, domain_b = b.rpartition("@")
    shorter = min(len(a), len(b))
    if shorter > 7 and OSA.distance(a, b, score_cutoff=3) <= (1 if shorter < 12 else 2 if shorter < 20 else 3):
        # Numbered mailboxes of one provider differ in a digit and are different people.
        digits_a, digits_b = ("".join(filter(str.isdigit, text)) for text in (a, b))
        return "typo" if digits_a == digits_b else "different"
    if local_a and local_a == local_b and len(local_a) > 4:
        return "local"
    return "different"


@lru_cache(maxsize=_MEMORY)
def phones(a: str, b: str) -> str:
    """``"same"`` (also when one lacks its country or area), ``"typo"`` or ``"different"``."""
    from rapidfuzz.distance import OSA

    if a == b:
        return "same"
    if not (a.startswith("+") and b.startswith("+")):
        plain_a, plain_b = a.lstrip("+0"), b.lstrip("+0")
        shorter, longer = sorted((plain_a, plain_b), key=len)
        if len(shorter) >= 7 and longer.endswith(shorter):
            return "same"
    if abs(len(a) - len(b)) <= 1 and min(len(a), len(b)) >= 7 and OSA.distance(a, b, score_cutoff=1) == 1:
        return "typo"
    return "different"


@lru_cache(maxsize=_MEMORY)
def identifiers(a: str, b: str) -> str:
    """``"same"``, ``"typo"``, ``"different"``, or nothing for two that cannot be compared."""
    from rapidfuzz.distance import OSA

    if a == b:
        return "same"
    scheme_a, _, value_a = a.rpartition(":")
    scheme_b, _, value_b = b.rpartition(":")
    if scheme_a != scheme_b:
        return ""
    return "typo" if min(len(value_a), len(value_b)) >= 6 and OSA.distance(value_a, value_b, score_cutoff=1) == 1 else "different"


@lru_cache(maxsize=_MEMORY)
def places(a: AddressForm, b: AddressForm) -> tuple[str, str]:
    """The finest part of two addresses that agrees, and how; ``("", "different")`` when a finer one differs."""
    door = _doors(a, b)
    if door in ("same", "close"):
        return "door", door
    if door == "different":
        return _coarser(a, b, "moved")
    if a.street and b.street and _streets(a, b) == "same":
        return "street", "same"
    return _coarser(a, b, "same")


def _coarser(a: AddressForm, b: AddressForm, how: str) -> tuple[str, str]:
    told = False
    for part in ("postcode", "city", "region", "country"):
        x, y = getattr(a, part), getattr(b, part)
        if not x or not y:
            continue
        if x == y:
            return part, how
        if part in ("postcode", "city") and likeness(x, y) >= CLOSE and not (part == "postcode" and x.isdigit() and y.isdigit() and told):
            return part, "close" if how == "same" else how
        told = True
        how = "moved"
    return "", "different" if told or how == "moved" else ""


def _streets(a: AddressForm, b: AddressForm) -> str:
    if a.street == b.street:
        if a.direction and b.direction and a.direction != b.direction:
            return "different"
        return "same" if not (a.type and b.type and a.type != b.type) else "close"
    joined_a, joined_b = "".join(a.street), "".join(b.street)
    if joined_a == joined_b:
        return "same"
    whole_a, whole_b = joined_a + a.type, joined_b + b.type
    level = max(likeness(joined_a, joined_b), likeness(whole_a, whole_b))
    if joined_a.isdigit() or joined_b.isdigit():
        return "different"
    if level >= ROUGH:
        return "close"
    if set(a.street) <= set(b.street) or set(b.street) <= set(a.street):
        return "close"
    return "different"


def _doors(a: AddressForm, b: AddressForm) -> str:
    """The level of house number and street together, empty when they cannot be compared."""
    if not (a.street and b.street):
        return ""
    street = _streets(a, b)
    if not (a.number and b.number):
        return "" if street != "different" else "different"
    if a.number == b.number:
        return street
    if street != "different" and likeness(a.number, b.number) >= CLOSE and a.postcode == b.postcode != "":
        return "close"
    return "different"


class WordLikeness(NamedTuple):
    """Words of two names that pair up, those that only nearly do, and those left over on either side."""

    same: tuple[str, ...]
    close: tuple[tuple[str, str], ...]
    left: tuple[str, ...]
    right: tuple[str, ...]


@lru_cache(maxsize=_MEMORY)
def words(a: OrganizationForm, b: OrganizationForm) -> WordLikeness:
    """Pair up the words of two organizations' names, in any order."""
    same = tuple(word for word in a if word in b)
    left = [word for word in a if word not in b]
    right = [word for word in b if word not in a]
    close: list[tuple[str, str]] = []
    ranked = sorted((-likeness(x, y), x, y) for x in left for y in right if likeness(x, y) >= CLOSE)
    for _, x, y in ranked:
        if x in left and y in right:
            left.remove(x)
            right.remove(y)
            close.append((x, y))
    return WordLikeness(same, tuple(close), tuple(left), tuple(right))


@lru_cache(maxsize=_MEMORY)
def employers(a: OrganizationForm, b: OrganizationForm) -> str:
    """``"same"``, ``"close"`` (one is contained in the other) or ``"different"``."""
    if a == b:
        return "same"
    like = words(a, b)
    return "close" if (like.same or like.close) and not (like.left and like.right) else "different"


def _name_level(given: int, family: int, generation: bool) -> str:
    worst, best = sorted((given, family))
    if not generation:
        return "generation"
    if worst == SAME:
        return "same"
    if worst >= INITIAL and best >= CLOSE:
        return "close"
    if worst == MISSING and best >= CLOSE:
        return "part"
    if given == DIFFERENT and family > MISSING:
        return "relatives"
    if (given == DIFFERENT and family < MISSING) or (given < MISSING and family < MISSING):
        return "strangers"
    return "unlike"


NAME_LEVELS = {
    NameLikeness(given, family, crossed, generation): _name_level(given, family, generation)
    for given in LEVELS for family in LEVELS for crossed in (False, True) for generation in (False, True)
}
