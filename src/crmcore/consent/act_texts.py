"""How long the texts of an act may be.

Invariant: no No is lost by a text that comes with it: what is too long is cut. Of any other act it is refused by name.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any, TypeVar

import attrs

from crmcore.consent.event import ConsentEvent, Evidence
from crmcore.consent.told import replaced
from crmcore.consent.words import NOES
from crmcore.errors import InvalidConsent

LONGEST = 512
"""So many characters has the name of something: of a topic, a notice, a controller."""

LONGEST_OF = {"words": 10_000, "document": 2_000}
MOST = 1_000
"""So many topics, recipients and kinds of data an act names."""

_ROOM = 30_000
"""So many characters have the kinds of data of a No together."""

_CUT = " ..."
T = TypeVar("T")


def bounded(act: ConsentEvent) -> ConsentEvent:
    """*act* with texts that are no longer than they may be.

    What a No is about is left as it is, however long: cut, it would be about something else.

    Raises:
        InvalidConsent: if a text of another act than a No is too long, or it names too many things.
    """
    evidence = act.evidence
    if act.kind in NOES:
        return _cut(act) if evidence is None else attrs.evolve(_cut(act), evidence=_fewer(_cut(evidence)))
    for value in (act, act.scope, evidence):
        for name, one in () if value is None else _texts(value):
            if isinstance(one, frozenset):
                if len(one) > MOST:
                    raise InvalidConsent(f"{name} of an act are {MOST} at most: record several acts")
                if any(len(text) > LONGEST for text in one):
                    raise InvalidConsent(f"{name} of an act are texts of {LONGEST} characters at most each")
            elif len(one) > (limit := LONGEST_OF.get(name, LONGEST)):
                raise InvalidConsent(
                    f"{name} of an act has {limit} characters at most: keep the rest elsewhere"
                )
    return act


def _texts(value: Any) -> list[tuple[str, Any]]:
    """The texts in the fields of *value*, and the sets of texts, but for what this crm fills in."""
    found = [(field.name, getattr(value, field.name)) for field in attrs.fields(type(value))]
    return [
        (name, one)
        for name, one in found
        if name != "points" and (isinstance(one, str) or (isinstance(one, frozenset) and one))
    ]


def _cut(value: T) -> T:
    long = {
        name: one[: LONGEST_OF.get(name, LONGEST) - len(_CUT)] + _CUT
        for name, one in _texts(value)
        if isinstance(one, str) and len(one) > LONGEST_OF.get(name, LONGEST)
    }
    return replaced(value, **long) if long else value


def _fewer(evidence: Evidence) -> Evidence:
    """*evidence* that names no more kinds of data than every store has room for, and no longer ones."""
    if not evidence.data:
        return evidence
    some = sorted(evidence.data)[:MOST]
    cut = [one if len(one) <= LONGEST else one[: LONGEST - len(_CUT)] + _CUT for one in some]
    fits = sum(length <= _ROOM for length in accumulate(map(len, cut)))
    return replaced(evidence, data=frozenset(cut[:fits]))
