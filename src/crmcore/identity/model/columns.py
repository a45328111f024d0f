"""The columns that records are compared by: where their values come from, their levels, and what is known before data.

Invariant: a column says nothing about how common a value is; its *terms* are what is counted to find that out. Columns
of one group describe one thing, such as an address: of a record's several addresses the one that fits best is compared
as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from crmcore.errors import InvalidModel
from crmcore.identity import field_levels, name_levels
from crmcore.identity.addresses import AddressForm
from crmcore.identity.features import Features
from crmcore.identity.latin import latin
from crmcore.identity.name_levels import Weighted, Words
from crmcore.identity.names import PersonForm

MOST_LEVELS = 7
"""A level is three bits of a pattern, and 0 is a missing value."""

Variant = tuple[Any, ...]
"""One value a column of a group, None where there is none."""


@attrs.frozen
class Term:
    """What of a value is counted, under the name of its *kind*: of a birth date the day, or only the year."""

    kind: str
    of: Callable[[Any], str]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Column:
    """One column of the comparison.

    *labels* name the levels from 1, the weakest first; from level *agrees* on the two are held to agree. *usual* is how
    often two records of one customer are at each level, as far as one knows before looking. *rarity* is how seldom two
    customers agree by accident, in bits, and *most* is what agreeing on a value is worth at best.

    *terms* maps levels to what is counted there, since agreeing on what many have is worth less. *keys* are texts that
    records of one customer share, by which pairs are found; with *neighbours* also those one typing error away. The
    first two letters of a key keep the kinds of keys apart.

    *own* says what differs between related customers: for people what each has for themself, for organizations the
    place, by which branches are told apart. A column of an expert's own may take its values from *source*.
    """

    name: str
    group: str
    labels: tuple[str, ...]
    agrees: int
    usual: tuple[float, ...]
    rarity: float
    most: float
    compare: Callable[[Any, Any], int]
    terms: Mapping[int, Term] = attrs.field(factory=dict[int, Term])
    keys: Callable[[Any], tuple[str, ...]] = lambda value: ()
    neighbours: bool = False
    own: frozenset[str] = frozenset()
    source: Callable[[Features], Iterable[Any]] | None = None

    def __attrs_post_init__(self) -> None:
        if not 2 <= self.top <= MOST_LEVELS:
            raise InvalidModel(f"the column {self.name!r} has {self.top} levels: give it 2 to {MOST_LEVELS}")
        if len(self.usual) != self.top or min(self.usual) <= 0 or abs(sum(self.usual) - 1) > 0.01:
            raise InvalidModel(
                f"the usual shares of the column {self.name!r} are one above 0 a level, 1 together"
            )
        if not {self.agrees, *self.terms} <= set(range(1, self.top + 1)):
            raise InvalidModel(f"the column {self.name!r} speaks of a level that it does not have")

    def __repr__(self) -> str:
        return f"Column({self.name!r}, {len(self.labels)} levels)"

    @property
    def top(self) -> int:
        """The best level."""
        return len(self.labels)

    @property
    def full(self) -> frozenset[int]:
        """The levels at which two values agree in what is counted at the best one."""
        best = self.terms.get(self.top)
        return frozenset({self.top, *(level for level, term in self.terms.items() if term == best)})


def _first(words: Words) -> str:
    return words[0] if len(words[0]) > 1 else ""


def _joined(words: Words) -> str:
    return "".join(words)


def _given_keys(words: Words) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f"n:{word}" for word in words if len(word) > 2)) or (f"n:{_joined(words)}",)


def _family_keys(words: Words) -> tuple[str, ...]:
    return tuple(dict.fromkeys((f"n:{_joined(words)}", *(f"n:{word}" for word in words if len(word) > 3))))


def _street_words(address: AddressForm) -> str:
    return _joined(address.street)


def _door(address: AddressForm) -> str:
    return address.door


def _street_keys(address: AddressForm) -> tuple[str, ...]:
    if not address.street:
        return ()
    named = f"s:{_street_words(address)}"
    return (f"d:{address.door}", named) if address.number else (named,)


def _local(address: str) -> str:
    return address.rpartition("@")[0]


def _email_keys(address: str) -> tuple[str, ...]:
    local = _local(address)
    return (f"e:{address}", f"l:{local}") if len(local) > 3 else (f"e:{address}",)


def _one_key(prefix: str) -> Callable[[str], tuple[str, ...]]:
    return lambda text: (f"{prefix}:{text}",)


def _organization(words: Weighted) -> str:
    return " ".join(word for word, _ in words)


_WHOLE = Term("whole", str)
_PEOPLE = frozenset({"person"})
_BOTH = frozenset({"person", "organization"})
_PLACE = frozenset({"organization"})
_ORGANIZATION_LABELS = (
    "different", "in part", "common words in it", "each with more", "in it", "nearly", "same",
)  # fmt: skip
_NEARLY = ("different", "nearly", "same")

COLUMNS: tuple[Column, ...] = (
    Column(
        name="given name", group="name", agrees=4, own=_PEOPLE, compare=name_levels.given_names,
        labels=("different", "initial", "roughly", "short form", "nearly", "same", "same in full"),
        usual=(0.04, 0.03, 0.03, 0.04, 0.09, 0.60, 0.17), rarity=8, most=10,
        terms={6: Term("first", _first), 7: Term("first", _first)}, keys=_given_keys, neighbours=True,
    ),
    Column(
        name="family name", group="name", agrees=3, compare=name_levels.family_names,
        labels=("different", "roughly", "in part", "nearly", "same"),
        usual=(0.04, 0.02, 0.03, 0.09, 0.82), rarity=11, most=13,
        terms={5: Term("whole", _joined)}, keys=_family_keys, neighbours=True,
    ),
    Column(
        name="generation", group="name", agrees=2, own=_PEOPLE, compare=field_levels.alike,
        labels=("different", "same"), usual=(0.03, 0.97), rarity=1, most=3,
    ),
    Column(
        name="birth date", group="born", agrees=5, own=_PEOPLE, compare=field_levels.birth_dates,
        labels=("different", "two digits wrong", "two parts of three", "same year", "one error", "same"),
        usual=(0.03, 0.02, 0.03, 0.05, 0.07, 0.80), rarity=14, most=15,
        terms={6: _WHOLE, 4: Term("year", lambda text: str(text[:4]))}, keys=_one_key("b"), neighbours=True,
    ),
    Column(
        name="e-mail", group="email", agrees=3, compare=field_levels.emails,
        labels=("different", "alike", "same local part", "one error", "same"),
        usual=(0.22, 0.04, 0.04, 0.05, 0.65), rarity=20, most=22,
        terms={5: _WHOLE, 3: Term("local", _local)}, keys=_email_keys, neighbours=True,
    ),
    Column(
        name="phone", group="phone", agrees=2, compare=field_levels.phones,
        labels=("different", "one error", "same"),
        usual=(0.22, 0.05, 0.73), rarity=18, most=20,
        terms={3: Term("number", lambda text: str(text[-9:]))}, keys=lambda text: (f"p:{text[-7:]}",), neighbours=True,
    ),
    Column(
        name="street", group="address", agrees=5, own=_PLACE, compare=field_levels.streets,
        labels=(
            "different", "other number", "number with an error", "same street", "door with an error", "same door",
        ),
        usual=(0.20, 0.05, 0.05, 0.06, 0.07, 0.57), rarity=16, most=18,
        terms={6: Term("door", _door), **dict.fromkeys((2, 3, 4), Term("street", _street_words))},
        keys=_street_keys, neighbours=True,
    ),
    Column(
        name="postcode", group="address", agrees=2, own=_PLACE, compare=field_levels.postcodes,
        labels=("different", "same area", "one error", "same"),
        usual=(0.14, 0.06, 0.06, 0.74), rarity=10, most=12,
        terms={4: _WHOLE, 2: Term("area", lambda text: str(text[:3]))}, keys=_one_key("z"), neighbours=True,
    ),
    Column(
        name="city", group="address", agrees=2, compare=field_levels.places, labels=_NEARLY,
        usual=(0.17, 0.08, 0.75), rarity=7, most=9, terms={3: _WHOLE}, keys=_one_key("c"),
    ),
    Column(
        name="region", group="address", agrees=2, compare=field_levels.categories, labels=_NEARLY,
        usual=(0.08, 0.02, 0.90), rarity=3, most=5, terms={3: _WHOLE}, keys=_one_key("r"),
    ),
    Column(
        name="country", group="address", agrees=2, compare=field_levels.categories, labels=_NEARLY,
        usual=(0.04, 0.01, 0.95), rarity=3, most=5, terms={3: _WHOLE}, keys=_one_key("y"),
    ),
    Column(
        name="identifier", group="identifier", agrees=3, own=_BOTH, compare=field_levels.identifiers,
        labels=("different", "two errors", "one error", "same"),
        usual=(0.04, 0.01, 0.05, 0.90), rarity=24, most=26, terms={4: _WHOLE}, keys=_one_key("i"), neighbours=True,
    ),
    Column(
        name="occupation", group="occupation", agrees=2, compare=field_levels.categories, labels=_NEARLY,
        usual=(0.25, 0.05, 0.70), rarity=5, most=6, terms={3: _WHOLE}, keys=_one_key("j"),
    ),
    Column(
        name="organization name", group="organization", agrees=5, compare=name_levels.organization_names,
        labels=_ORGANIZATION_LABELS, usual=(0.06, 0.06, 0.05, 0.03, 0.12, 0.13, 0.55), rarity=14, most=16,
        terms={7: Term("whole", _organization)}, keys=lambda words: tuple(f"o:{word}" for word, _ in words),
        neighbours=True,
    ),
    Column(
        name="employer", group="employer", agrees=5, compare=name_levels.organization_names,
        labels=_ORGANIZATION_LABELS, usual=(0.30, 0.05, 0.03, 0.03, 0.04, 0.05, 0.50), rarity=8, most=11,
        terms={7: Term("whole", _organization)}, keys=lambda words: (f"w:{_organization(words)}",),
    ),
)  # fmt: skip
"""What crmcore compares. People move, change their jobs and have several mailboxes, so *usual* expects that these
differ; nobody has two birthdays. A year has 366 days, and 80 years have 2^14.8 birthdays."""

WEIGHTED_GROUPS = frozenset({"organization", "employer"})
"""Groups of names whose words are weighed by their rarity before they are compared."""


def variants(record: Features, columns: Iterable[Column] = COLUMNS) -> dict[str, list[Variant]]:
    """The values of *record* by group.

    >>> from crmcore.identity.features import features_of_row
    >>> variants(features_of_row({"full_name": "Ann Lee", "email": "ann@x.org"}))["name"]
    [(('ann',), ('lee',), None)]
    """
    found: dict[str, list[Variant]] = {}
    if record.names:
        found["name"] = [_name(name) for name in record.names]
    if record.addresses:
        found["address"] = [_address(address) for address in record.addresses]
    for group, texts in (
        ("born", record.birth_dates),
        ("email", record.emails),
        ("phone", record.phones),
        ("identifier", record.identifiers),
    ):
        if texts:
            found[group] = [(value,) for value in texts]
    if record.occupation:
        found["occupation"] = [(latin(record.occupation) or None,)]
    if record.organizations:
        found["organization"] = [(_latin_words(form),) for form in record.organizations]
    if record.employers:
        found["employer"] = [(_latin_words(form),) for form in record.employers]
    for column in columns:
        if column.source is not None:
            found[column.group] = [(value,) for value in column.source(record)]
    return {group: options for group, options in found.items() if any(map(_some, options))}


def _some(variant: Variant) -> bool:
    return variant.count(None) < len(variant)


def _latin_words(words: Iterable[str]) -> Words | None:
    return tuple(dict.fromkeys(word for text in words for word in latin(text).split())) or None


def _name(form: PersonForm) -> Variant:
    given = tuple(word for text in form.given for word in latin(text).split())
    family = tuple(word for text in form.family for word in latin(text).split())
    return given or None, family or None, form.generation or None


def _address(form: AddressForm) -> Variant:
    words = tuple(word for text in form.street for word in latin(text).split())
    street = AddressForm(form.number, words, form.type, form.direction, form.unit)
    return (
        street if street.number or street.street else None,
        form.postcode or None,
        latin(form.city) or None,
        latin(form.region) or None,
        latin(form.country) or None,
    )
