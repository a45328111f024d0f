"""The Noes that speak of a request, each looked at once, and which of them end by the same acts.

Invariant: of Noes that end by the same acts the last stands if any of them does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from crmcore.consent.case import Case
from crmcore.consent.controllers import told_another
from crmcore.consent.event import ConsentEvent
from crmcore.consent.speaking import covers_no

Pair = tuple[int, ConsentEvent]
"""An act, with its instant in microseconds."""

Apart = tuple[str | None, str | None]

Whose = tuple[tuple[str | None, ...], Apart]
"""The records whose Noes they are, and what sets them apart from others."""

_ALIKE: Apart = (None, None)


class Said:
    """Some Noes, *all* of them oldest first."""

    __slots__ = ("_by_whose", "_last", "all")

    def __init__(self, every: tuple[Pair, ...]) -> None:
        self.all = every
        self._last: Sequence[Pair] | None = every if len(every) < 2 else None
        self._by_whose: Mapping[Whose, Sequence[Pair]] | None = None

    def last(self, case: Case) -> Sequence[Pair]:
        """Of those that end by the same acts the last ones."""
        if self._last is None:
            found: dict[object, Pair] = {}
            for pair in self.all:
                no = pair[1]
                by = (no.via,) if no.kind == "restrict" else None
                found[no.record, no.members, by, no.scope.point, apart(no, case)] = pair
            self._last = tuple(found.values())
        return self._last

    def by_whose(self, case: Case) -> Mapping[Whose, Sequence[Pair]]:
        """Those of the same records that nothing sets apart, latest first."""
        if self._by_whose is None:
            self._by_whose = by_whose(self.all, case)
        return self._by_whose


def by_whose(every: Sequence[Pair], case: Case) -> Mapping[Whose, Sequence[Pair]]:
    """Noes, given oldest first, by the records whose they are and what sets them apart; latest first."""
    found: dict[Whose, list[Pair]] = {}
    for pair in reversed(every):
        no = pair[1]
        found.setdefault((whose_no(no, case), apart(no, case)), []).append(pair)
    return found


def apart(no: ConsentEvent, case: Case) -> Apart:
    """What sets a No apart from those that the same acts lift.

    The id of one that a Yes takes back by name; whom a restriction told, and one that is another's to hear.
    """
    restricts = no.kind == "restrict"
    if case.plain_noes and not restricts:
        return _ALIKE
    whom = no.scope.controller
    alike = not restricts and not told_another(case.contact.controller, whom)
    return no.id if no.id in case.taken_back else None, None if alike else whom


def whose_no(no: ConsentEvent, case: Case) -> tuple[str | None, ...]:
    """The records whose No it is, each of which it is a No of its own: that under which it stands, and of those for
    which it was said, too, the ones that are told of."""
    if not no.members:
        return (no.record,)
    return (no.record, *(one for one in no.members if one != no.record and one in case.joined))


def noes(
    case: Case,
    kinds: Set[str],
    purpose: str,
    channels: Set[str],
    right: str | None = None,
    *,
    named: bool = False,
    perhaps: bool = False,
) -> Said:
    """Acts of these *kinds* that speak of the request; worked out once.

    One that exercises a *right* which the law names says no to what that right is about, and to nothing else. Of any
    other right it is a plain No. *named*: only those that name their purposes.
    """
    rights = case.rights
    key = (kinds, purpose, channels, right, rights, named, perhaps)
    found: Said | None = case.said.get(key)
    if found is None:
        speaking, contact = [], case.contact
        for pair in case.acts(kinds):
            scope = pair[1].scope
            exercised = scope.right if scope.right in rights else None
            if exercised == right and covers_no(scope, contact, purpose, channels, perhaps=perhaps):
                speaking.append(pair)
        if named:
            speaking = [pair for pair in speaking if pair[1].scope.purposes]
        found = case.said[key] = Said(tuple(speaking))
    return found
