"""What is put before a person: doubtful pairs and hardly joined customers, with what their records say.

Invariant: a review holds values of records only because somebody asked for it; its `repr` shows none. An item has the
same id on every page, so that a decision finds it again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import attrs

from crmcore.identity.matcher import Reason
from crmcore.identity.model.policy import UNIT
from crmcore.party.party import Organization, Party, Person
from crmcore.party.party_keys import names_of
from crmcore.render import Html
from crmcore.values.moment import moment_date
from crmcore.values.personal import personal

Kind = Literal["pair", "customer"]
Of = Literal["store", "file"]

NEAR = 3 * UNIT
"""A link of less than three bits beyond the threshold is worth a look: one in nine such may be wrong."""

SHOWN = 12
"""So many records of a customer are put side by side: those of the weak links first."""


@attrs.frozen
class ReviewStep:
    """What one *label* ("city: same") adds to a score, in *points*."""

    label: str
    points: int


@attrs.frozen(kw_only=True)
class ReviewLink:
    """What the matcher says of the records *a* and *b* of an item, which are positions there."""

    a: int
    b: int
    score: int
    steps: tuple[ReviewStep, ...] = ()


@attrs.frozen(kw_only=True)
class ReviewRecord:
    """A record as it is shown: *fields* are names and values. Of its customer there are *others* that are not."""

    id: str = personal()
    fields: tuple[tuple[str, str], ...] = personal(default=())
    others: int = 0


@attrs.frozen(kw_only=True)
class ReviewItem:
    """Two records that may be one customer, or a *customer* that hangs together by weak *links*, weakest first.

    *more* are the ids of its records that are not shown.
    """

    id: str = personal()
    kind: Kind
    records: tuple[ReviewRecord, ...]
    links: tuple[ReviewLink, ...]
    more: tuple[str, ...] = personal(default=())


@attrs.frozen(kw_only=True)
class Review:
    """What waits for a person, made at *made_at* under an *id* of its own.

    *of* tells whether a store or a file was asked, and *name* which one: the tenant, or the name of the file, of which
    *digest* is a fingerprint. *decided_by* names what was unsure. *same_at* and *review_at* are thresholds if known.
    *order* has the names of fields as they should stand; others follow.
    """

    id: str
    made_at: datetime
    of: Of
    name: str
    items: tuple[ReviewItem, ...]
    digest: str = ""
    decided_by: tuple[str, ...] = ()
    same_at: int | None = None
    review_at: int | None = None
    order: tuple[str, ...] = ()

    def html(self) -> Html:
        """A page on which a person decides: one file that needs nothing else. It shows the values of the records.

        Write it to a file as UTF-8. What is decided there is saved by the page as a file of decisions.
        """
        from crmcore.identity.review_page import review_page

        return review_page(self)


def steps_of(reasons: Iterable[Reason]) -> tuple[ReviewStep, ...]:
    """The steps to a score, without values.

    >>> steps_of([Reason("city", "same", 3 * UNIT, True, ("york", "york"))])
    (ReviewStep(label='city: same', points=196608),)
    """
    return tuple(ReviewStep(f"{reason.field}: {reason.level}", reason.points) for reason in reasons)


def ordered(records: Iterable[ReviewRecord]) -> tuple[str, ...]:
    """The names of the fields of parties in the order in which people read: names first, sources last."""
    names = {name for record in records for name, _ in record.fields}
    return tuple(sorted(names, key=lambda name: (_ORDER.get(name, _OTHER), name)))


_OTHER = 6
_ORDER = {
    "name": 0,
    "birth date": 1,
    "occupation": 2,
    "e-mail": 3,
    "phone": 4,
    "address": 5,
    "source": 7,
    "seen": 8,
}


def fields_of(party: Party) -> tuple[tuple[str, str], ...]:
    """What a party says of itself, as names and values.

    >>> from crmcore.party import Person
    >>> fields_of(Person.of("Ann Lee", email="ann@x.org"))
    (('name', 'Ann Lee'), ('e-mail', 'ann@x.org'))
    """
    found = [("name", name) for name in names_of(party)]
    if isinstance(party, Person) and party.birth_date is not None:
        found.append(("birth date", party.birth_date.text))
    if isinstance(party, Person) and party.occupation:
        found.append(("occupation", party.occupation))
    for label, points in (("e-mail", party.emails), ("phone", party.phones), ("address", party.addresses)):
        found += [(label, point.raw.replace("\n", ", ")) for point in points]
    found += [(identifier.scheme, identifier.value) for identifier in party.identifiers]
    found += [("source", f"{source.system} {source.record}") for source in party.sources]
    if party.observed_at is not None:
        found.append(("seen", moment_date(party.observed_at).isoformat()))
    if not isinstance(party, (Person, Organization)) and not found:
        found.append(("name", party.display_name))
    return tuple(found)
