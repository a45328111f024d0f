"""A value that a person had corrected: no import says it again.

Invariant: what was corrected away is remembered by its digest alone. A row that says it once more, of whatever source
and however often, is as one that says nothing of that field; a row that says something new is looked at as before.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

import attrs

from crmcore.exchange.mark import corrections, values_of
from crmcore.party.party import Household, ImportMark, Organization, Person
from crmcore.values.frozen_map import FrozenMap

R = TypeVar("R", Person, Organization, Household)

_NOT_SAID = frozenset({"id", "imported", "observed", "observed_at", "version"})


def changed_fields(before: R, after: R) -> tuple[str, ...]:
    """The names of the fields in which two states of a record differ.

    >>> ann = Person.of("Ann Lee", email="ann@x.org")
    >>> changed_fields(ann, ann.renamed("Ann Leigh").with_email("a@x.org"))
    ('contact_points', 'names')
    """
    names = sorted(field.alias or field.name for field in attrs.fields(type(before)))
    return tuple(
        name
        for name in names
        if name not in _NOT_SAID and getattr(before, name, None) != getattr(after, name, None)
    )


def corrected(before: R, after: R, at: datetime) -> R:
    """*after*, with what it says otherwise than *before* kept from coming back, and as seen at that instant.

    >>> from datetime import UTC
    >>> ann = Person.of("Ann Lee")
    >>> now = datetime(2026, 5, 4, tzinfo=UTC)
    >>> again = corrected(ann, ann.renamed("Ann Leigh"), now)
    >>> len(again.imported.corrected), again.observed["name"] == now
    (1, True)
    """
    old, new = values_of(before), values_of(after)
    wrong = corrections({name: value for name, value in old.items() if new.get(name) != value})
    mark = after.imported or ImportMark()
    kept = (mark.corrected - corrections(new)) | wrong
    seen = {_SEEN.get(name, name): at for name in changed_fields(before, after)}
    seen |= {point.kind: at for point in after.contact_points if point not in before.contact_points}
    return attrs.evolve(
        after,
        imported=attrs.evolve(mark, corrected=kept) if kept != mark.corrected else after.imported,
        observed=FrozenMap({**after.observed, **seen}),
    )


_SEEN = {"names": "name"}
"""The fields by which survivorship looks for when something was seen, where they have another name."""
