"""How far two values of one field agree, as a small integer: 1 is "different", each further level agrees better.

Invariant: symmetric, a function of the two values alone, and blind to how common they are. A missing value has no level
(0 is kept for it), so what only one of two records knows never counts against them.
"""

from __future__ import annotations

from crmcore.identity.addresses import AddressForm
from crmcore.identity.name_levels import edits, metrics, shared_word, word_level


def birth_dates(a: str, b: str) -> int:
    """Dates: 1 different, 2 nearly (two digits), 3 two parts of three, 4 all that both know (a year), 5 one error, 6
    the same day; 0 when one knows the year only and the other the day only. 1 January is what is written by whoever
    knows only the year.

    >>> birth_dates("1985-04-12", "1985-12-04"), birth_dates("1985", "1985-04-12")
    (5, 4)
    """
    heaped_a, heaped_b = a.endswith("-01-01"), b.endswith("-01-01")
    if a == b:
        return 4 if heaped_a or len(a) < 10 else 6
    if len(a) != 10 or len(b) != 10 or a.startswith("--") or b.startswith("--"):
        return _partly_known(a, b)
    if heaped_a and heaped_b:
        return 1  # two years, and other ones
    if a[:4] == b[:4] and (heaped_a or heaped_b):
        return 4
    wrong = [at for at in range(10) if a[at] != b[at]]
    if len(wrong) == 1:
        return 5
    same_year, same_month, same_day = a[:4] == b[:4], a[5:7] == b[5:7], a[8:] == b[8:]
    if same_year and a[5:7] == b[8:] and a[8:] == b[5:7]:
        return 5
    if len(wrong) == 2 and a[wrong[0]] == b[wrong[1]] and a[wrong[1]] == b[wrong[0]]:
        return 5
    if same_month and same_day and abs(_year(a) - _year(b)) == 100:
        return 5
    if same_year + same_month + same_day == 2:
        return 3
    return 2 if len(wrong) == 2 else 1


def _year(text: str) -> int:
    return int(text[:4]) if text[:4].isdecimal() else 0


def _partly_known(a: str, b: str) -> int:
    year_a, year_b = ("" if text.startswith("--") else text[:4] for text in (a, b))
    day_a, day_b = (text[2:] if text.startswith("--") else text[5:] for text in (a, b))
    if year_a and year_b and year_a != year_b:
        return 1
    if not (year_a and year_b) and not (day_a and day_b):
        return 0
    return 4 if day_a.startswith(day_b) or day_b.startswith(day_a) else 1


def emails(a: str, b: str) -> int:
    """E-mails: 1 different, 2 local parts alike, 3 the same local part elsewhere, 4 a typing error, 5 the same.

    >>> emails("ann.lee@holloway.info", "ann.lee@hollowya.info"), emails("annlee@x.org", "ann.lee@gmail.com")
    (4, 3)
    """
    if a == b:
        return 5
    winkler_of, edits_of = metrics()
    local_a, _, domain_a = a.rpartition("@")
    local_b, _, domain_b = b.rpartition("@")
    if winkler_of(a, b, score_cutoff=0.8) or domain_a == domain_b:
        shorter = min(len(a), len(b))
        errors = 1 if shorter < 12 else 2 if shorter < 20 else 3
        if shorter > 7 and edits_of(a, b, score_cutoff=errors) <= errors and _numerals(a) == _numerals(b):
            return 4
    if not local_a or not local_b:
        return 1
    bare_a, bare_b = _letters(local_a), _letters(local_b)
    if bare_a == bare_b and len(bare_a) > 3:
        return 3
    mistyped = min(len(bare_a), len(bare_b)) > 4 and edits_of(bare_a, bare_b, score_cutoff=1) <= 1
    # Mailboxes that differ in a digit are numbered apart by their provider.
    return 2 if mistyped and _numerals(bare_a) == _numerals(bare_b) else 1


def _numerals(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def phones(a: str, b: str) -> int:
    """Phones: 1 different, 2 one digit wrong, 3 the same, also when one lacks its country or area.

    >>> phones("+442079460018", "02079460018"), phones("+442079460018", "+442079460081")
    (3, 2)
    """
    if a == b:
        return 3
    shorter, longer = sorted((a.lstrip("+0"), b.lstrip("+0")), key=len)
    if len(shorter) >= 7 and longer.endswith(shorter) and not (a[0] == b[0] == "+"):
        return 3
    if len(shorter) < 7:
        return 1
    return 2 if metrics()[1](a[-9:], b[-9:], score_cutoff=1) <= 1 else 1


def streets(a: AddressForm, b: AddressForm) -> int:
    """The streets and numbers of two addresses: 1 different, 2 another number there, or no more than alike, 3 a
    number there that is one error away, 4 the street alone, 5 the door with an error, such as another unit or
    another kind of street, 6 the same door.

    A box at the post office says nothing of a street.

    >>> oak = AddressForm("5", ("oak",), "st")
    >>> [streets(oak, oak._replace(**other)) for other in ({}, {"type": "rd"}, {"street": ("elm",)})]
    [6, 5, 1]
    """
    if _is_box(a) != _is_box(b):
        return 0
    numbers = numbers_alike(a.number, b.number) if a.number and b.number else -1
    if not a.street or not b.street:
        return 0 if numbers < 0 else 2 if numbers == 3 else 1
    street = _streets_alike(a, b)
    if not street:
        return 1
    if numbers == 3:
        return 6 if street == 3 and not _other(a.unit, b.unit) else 5
    if street == 1:
        return 2
    return 4 if numbers < 0 else 3 if numbers else 2


_BOXES = (
    "pobox",
    "postofficebox",
    "postfach",
    "postbus",
    "postboks",
    "box",
    "apartado",
    "casellapostale",
    "boitepostale",
)


def _is_box(door: AddressForm) -> bool:
    return not door.type and says_box("".join(door.street))


def says_box(street: str) -> bool:
    """Whether the joined words of a street, without a type, say a box at the post office."""
    return street.rstrip("0123456789") in _BOXES


def numbers_alike(a: str, b: str) -> int:
    """Two house numbers: 3 the same, more than 0 one error apart, 0 others."""
    return 3 if a == b else word_level(a, b) or (2 if _mistyped(a, b) else 0)


def _streets_alike(a: AddressForm, b: AddressForm) -> int:
    """3 the same, 2 another kind, direction or a typing error, 1 roughly, 0 different."""
    one, other = "".join(a.street), "".join(b.street)
    if one == other:
        return 2 if _other(a.type, b.type) or _other(a.direction, b.direction) else 3
    if one.isdigit() or other.isdigit():
        return 0  # 51st and 52nd Street are two streets, however alike
    return named_alike(" ".join(a.street), " ".join(b.street))


def named_alike(a: str, b: str) -> int:
    """The different names of two streets, as words: 2 a typing error, 1 roughly, 0 different."""
    level = word_level(a.replace(" ", ""), b.replace(" ", ""))
    if level:
        return level
    one, other = set(a.split()), set(b.split())
    return 1 if one <= other or other <= one else 0


def _other(a: str, b: str) -> bool:
    return bool(a and b) and a != b


def _mistyped(a: str, b: str) -> bool:
    """Numbers of one length with one digit wrong or two swapped, or with a letter more."""
    if a.rstrip("abcdef") == b.rstrip("abcdef"):
        return True
    return max(len(a), len(b)) >= 2 and metrics()[1](a, b, score_cutoff=1) <= 1


def postcodes(a: str, b: str) -> int:
    """Postal codes: 1 different, 2 one area, 3 one error, 4 the same.

    >>> postcodes("ng334rn", "ng334nr"), postcodes("60644", "60601")
    (3, 2)
    """
    if a == b:
        return 4
    if metrics()[1](a, b, score_cutoff=1) <= 1:
        return 3
    return 2 if a[:3] == b[:3] else 1


def places(a: str, b: str) -> int:
    """Towns: 1 different, 2 nearly, 3 the same."""
    if a == b:
        return 3
    level = word_level(a.replace(" ", ""), b.replace(" ", ""))
    if level >= 2:
        return 2
    words_a, words_b = a.split(), b.split()
    return 2 if (len(words_a) > 1 or len(words_b) > 1) and shared_word(tuple(words_a), tuple(words_b)) else 1


def categories(a: str, b: str) -> int:
    """Regions, countries, occupations: 1 different, 2 nearly, 3 the same."""
    if a == b:
        return 3
    return 2 if len(a) > 4 and len(b) > 4 and word_level(a, b) >= 2 else 1


def identifiers(a: str, b: str) -> int:
    """Numbers of one scheme: 1 different, 2 two errors, 3 one error, 4 the same; 0 for different schemes.

    >>> identifiers("lei:529900", "lei:529900"), identifiers("lei:529900", "vat:529900")
    (4, 0)
    """
    if a == b:
        return 4
    scheme, _, one = a.rpartition(":")
    other_scheme, _, other = b.rpartition(":")
    if scheme != other_scheme:
        return 0
    if min(len(one), len(other)) < 6:
        return 1
    wrong = edits(one, other, 2)
    return 3 if wrong <= 1 else 2 if wrong == 2 else 1


def alike(a: str, b: str) -> int:
    """Plain values: 1 different, 2 the same."""
    return 2 if a == b else 1
