"""Whom a record or an entry concerns: under whose keys it is sealed, and with whom it can be shredded.

Invariant: the answer depends on the record alone, so that the same batch sent again is sealed alike. A record that no
rule knows concerns itself: it has a key of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Protocol

import attrs

from crmcore.errors import InvalidRecord
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


def _lost(ref: Ref, body: Body) -> Collection[str]:
    """A satellite of a known kind that does not say of which record it is."""
    return ()


def _of_features(ref: Ref, body: Body) -> Collection[str]:
    return list(_texts(body.get("of"))) or (ref.id,)


def _participants(ref: Ref, body: Body) -> Collection[str]:
    """The parties that took part. One of people whom nobody knows has a key of its own."""
    there = body.get("participants")
    if not isinstance(there, (list, tuple)):
        return ()
    known = [id for one in there if isinstance(one, Mapping) for id in _texts(one.get("party"))]
    return known or ([ref.id] if there else [])


def _results(ref: Ref, body: Body) -> Collection[str]:
    """The parties that the calls of a batch came to, and that they were asked about: the journal has ids of both."""
    calls = [call for call in body.get("calls", ()) if isinstance(call, Mapping)]
    waiting: list[Any] = [call.get(name) for call in calls for name in ("result", "whom")]
    found: list[str] = []
    while waiting:
        one = waiting.pop()
        if isinstance(one, (list, tuple)):
            waiting.extend(one)
        elif isinstance(one, Mapping) and isinstance(one.get("record"), str):
            found.append(one["record"])
        elif isinstance(one, str) and one.startswith(_PARTY):
            found.append(one.removeprefix(_PARTY))
    return found


_PARTY = "party:"
_MORE = ".more"


def is_satellite(ref: Ref) -> bool:
    """Whether a record only carries keys that found no room on another one."""
    return ref.kind.endswith(_MORE)


def satellites_of(owner: Ref) -> str:
    """For whom the satellites of a record are sealed that is no subject itself: for the record, which goes with them.

    That is no id, so none of them hangs on somebody who happens to have the id of the record.

    >>> satellites_of(Ref("acme", "cluster", "…"))
    'cluster:…'
    """
    return f"{owner.kind}:{owner.id}"


_RULES: Mapping[str, Rule] = {
    "party": _own,
    "features": _of_features,
    "relationship": _of_names("from_", "to"),
    "interaction": _participants,
    "judgement": _of_names("a", "b"),
    "cluster": _of_names("members"),
    "batch": _results,
}

NOBODYS: Mapping[str, str] = {
    "review.queue": "says that there is an order, and nothing of what waits in it",
    "matching": "how far the records were compared, and with which model",
    "match_model.part": "weights that were learned from many records together, of no one in particular",
}
"""The kinds of crmcore whose records are about nobody, and why. They are sealed under the tenant's key."""

_MAY_BE_NOBODYS = frozenset({"batch"})  # one that wrote no party


@attrs.frozen(kw_only=True)
class CrmSubjects:
    """How crmcore's own records and entries concern parties. *more* are the rules for an app's own kinds.

    Satellites go with the record that they belong to, what two or more parties share with each of them, the journal of
    a batch with the parties that its calls came to or were asked about, and `NOBODYS` with nobody.

    >>> note = Ref("acme", "note", "…")
    >>> CrmSubjects(more={"note": lambda ref, body: [body["about"]]}).record(note, {"about": "ann"})
    ('ann',)
    """

    more: Mapping[str, Rule] = attrs.field(factory=dict[str, Rule])
    themselves: frozenset[str] = frozenset({"party"})

    def record(self, ref: Ref, body: Body | None) -> tuple[str, ...]:
        """Whom a record concerns.

        Raises:
            InvalidRecord: if one of crmcore's own kinds concerns nobody, or a rule of *more* gives a text.
        """
        if body is None:
            return (ref.id,)
        more = self.more.get(ref.kind)
        if more is not None:
            return _given(ref.kind, more(ref, body))
        if ref.kind in NOBODYS:
            return ()
        kind = ref.kind.removesuffix(_MORE)
        if is_satellite(ref) and isinstance(owner := body.get("of"), str):
            return (owner,) if kind in self.themselves else (satellites_of(Ref(ref.tenant, kind, owner)),)
        rule = _RULES.get(ref.kind, _lost if kind in _RULES else _own)
        found = tuple(sorted(set(rule(ref, body))))
        if not found and ref.kind not in _MAY_BE_NOBODYS:
            raise InvalidRecord(
                f"a record of the kind {ref.kind!r} names nobody whom it concerns, so it could not be erased with "
                "anybody: write it in the form that crmcore gives it, or give a rule of your own for it"
            )
        return found

    def entry(self, stream: str, named: Collection[str], body: Body) -> tuple[str, ...]:
        return tuple(sorted(set(named)))


def _given(kind: str, found: Any) -> tuple[str, ...]:
    if isinstance(found, (str, bytes)) or not isinstance(found, Iterable):
        raise InvalidRecord(
            f"the rule for records of the kind {kind!r} gave no collection: put a single id into a list"
        )
    ids = tuple(found)
    if not all(isinstance(id, str) and id for id in ids):
        raise InvalidRecord(
            f"the rule for records of the kind {kind!r} gave something that is not an id: give texts"
        )
    return tuple(sorted(set(ids)))
