"""Whom a record or an entry concerns: under whose keys it is sealed, and with whom it can be shredded.

Invariant: the answer depends on the record alone, so that the same batch sent again is sealed alike. A record that no
rule knows concerns itself: it has a key of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Protocol

import attrs

from crmcore.storage.protocol import Body, Ref

Rule = Callable[[Ref, Body], Collection[str]]
"""Of a record and its body, the ids of those whom it concerns; none: nobody in particular."""


class Subjects(Protocol):
    """Who is concerned, as ids. Of nothing but what is given, and always the same."""

    @property
    def themselves(self) -> Collection[str]:
        """The kinds whose records are subjects: erasing such a record destroys the key of its id."""
        ...

    def record(self, ref: Ref, body: Body | None) -> Collection[str]:
        """Whom a record concerns; *body* None: of a record that is not there, as far as its address tells."""
        ...

    def entry(self, stream: str, named: Collection[str], body: Body) -> Collection[str]:
        """Whom an entry of a ledger concerns; *named* are its subjects."""
        ...


def _of_names(*names: str) -> Rule:
    """The ids in these fields of a body, each a text or an array of texts."""

    def rule(ref: Ref, body: Body) -> Collection[str]:
        return [id for name in names for id in _texts(body.get(name))]

    return rule


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, (list, tuple)):
        return [item for item in value if isinstance(item, str)]
    return ()


def _own(ref: Ref, body: Body) -> Collection[str]:
    return (ref.id,)


def _owner(ref: Ref, body: Body) -> Collection[str]:
    return list(_texts(body.get("of"))) or (ref.id,)


def _nobody(ref: Ref, body: Body) -> Collection[str]:
    return ()


_RULES: Mapping[str, Rule] = {
    "party": _own,
    "party.more": _owner,
    "features": _owner,
    "relationship": _of_names("from", "from_", "to"),
    "interaction": _of_names("parties"),
    "judgement": _of_names("a", "b"),
    "cluster": _of_names("members"),
    "review.queue": _nobody,
    "batch": _nobody,
}


@attrs.frozen(kw_only=True)
class CrmSubjects:
    """How crmcore's own records and entries concern parties. *more* are the rules for an app's own kinds.

    Satellites go with their party, what two or more parties share with all of them, the journal of a batch with nobody.

    >>> note = Ref("acme", "note", "…")
    >>> CrmSubjects(more={"note": lambda ref, body: [body["about"]]}).record(note, {"about": "ann"})
    ('ann',)
    """

    more: Mapping[str, Rule] = attrs.field(factory=dict[str, Rule])
    themselves: frozenset[str] = frozenset({"party"})

    def record(self, ref: Ref, body: Body | None) -> tuple[str, ...]:
        rule = self.more.get(ref.kind) or _RULES.get(ref.kind)
        if rule is None or body is None:
            return (ref.id,)
        found = tuple(sorted(set(rule(ref, body))))
        return found or (() if rule is _nobody or ref.kind in self.more else (ref.id,))

    def entry(self, stream: str, named: Collection[str], body: Body) -> tuple[str, ...]:
        return tuple(sorted(set(named)))
