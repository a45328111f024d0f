"""What takes back what: a Yes an earlier No, and a No an earlier Yes.

Invariant: a Yes never takes back a No that it does not cover, nor one that came at the same instant or later; what
another system asserts takes back none at all. A lift ends restrictions, and no other No; one that says by what it came
ends what came by that alone. A No of several records ends for each of them by what may lift it for that one. Each act
is looked at once for each record, however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from itertools import chain

from crmcore.consent.case import Case
from crmcore.consent.contact import Contact
from crmcore.consent.controllers import told_another
from crmcore.consent.event import ConsentEvent, Scope
from crmcore.consent.finding import FOREVER, NO, Finding
from crmcore.consent.grace import Grace, effective
from crmcore.consent.noes import Apart, Pair, Whose, apart, by_whose, noes, whose_no
from crmcore.consent.speaking import (
    MESSAGES,
    agreed,
    covers_no,
    covers_yes,
    named,
    received,
)
from crmcore.consent.words import NOES

_VOID = frozenset({"invalidate"})

_First = tuple[Pair | None, int]

Valid = Callable[[Case, ConsentEvent], Finding]
"""Whether a Yes is one in the eyes of a law."""


class Lifting:
    """The acts that lift a No to the request, latest first, each looked at once however many Noes there are.

    A No about a contact point that was given up is lifted by what speaks of the request, and by what spoke of that
    point when it was said.
    """

    def __init__(self, case: Case, purpose: str, lifts: Valid) -> None:
        self._case, self._purpose, self._lifts = case, purpose, lifts
        self._latest: dict[tuple[str | None, bool, str | None, str | None, Apart], int] = {}
        self._looked: dict[str | None, _Looked] = {}

    def lifted(self, at: int, no: ConsentEvent) -> bool:
        """Whether one of them came after *no*, which was said at the instant *at*: for each record whose No it is."""
        if not no.members:
            return self._lifted_for(no.record, at, no)
        return all(self._lifted_for(record, at, no) for record in whose_no(no, self._case))

    def _lifted_for(self, record: str | None, at: int, no: ConsentEvent) -> bool:
        latest = self._last(record, no, None)
        if at < latest or no.kind != "restrict" or no.via is None:
            return at < latest
        return at < self._last(record, no, no.via)

    def ended(self, at: int, no: ConsentEvent, before: int) -> bool:
        """Whether *no*, of the instant *at*, had been lifted *before* an instant by one that permits nothing."""
        return any(
            event.alone and at < when < before and may_lift(event, no, self._case, no.record)
            for when, event in self._looked_at(no)
            if event.kind != "lift"
        )

    def _last(self, record: str | None, no: ConsentEvent, via: str | None) -> int:
        """When the last one was done that may lift a No of that kind, *record* and contact point; of lifts, one that
        names *via*."""
        key = (record, no.kind == "restrict", via, no.scope.point, apart(no, self._case))
        latest = self._latest.get(key)
        if latest is None:
            looked = self._looked_at(no)
            latest = self._latest[key] = next(
                (
                    when
                    for when, event in (looked if via is None else looked.naming(via))
                    if (event.kind != "lift" or (event.via == via and no.kind == "restrict"))
                    and may_lift(event, no, self._case, record)
                ),
                -FOREVER,
            )
        return latest

    def _looked_at(self, no: ConsentEvent) -> _Looked:
        point = self._case.contact.point
        former = (
            None if point is None or no.scope.given_up is None or no.scope.point == point else no.scope.point
        )
        looked = self._looked.get(former)
        if looked is None:
            looked = self._looked[former] = _Looked(_speaking(self._case, self._purpose, self._lifts, former))
        return looked


def _speaking(case: Case, purpose: str, lifts: Valid, former: str | None) -> Iterator[Pair]:
    """Those that speak of the request, or spoke of it at the point *former*, latest first.

    A *lift* is as wide as a restriction is: what it leaves open it lifts altogether. What names those to whom data
    may be passed on lifts nothing for others, nor where nobody tells who gets them. A Yes that turned out to be
    none lifts nothing.
    """
    contact = case.contact
    there = None if former is None else contact._replace(point=former)
    void = max((at for at, _ in noes(case, _VOID, purpose, case.channel).all), default=-FOREVER)
    if there is not None:
        voids = case.acts(_VOID)
        void = max([void, *(at for at, no in voids if covers_no(no.scope, there, purpose, case.channel))])
    for pair in reversed(case.lifting_acts):
        event, scope = pair[1], agreed(case, pair[1])
        if pair[0] <= void and event.kind != "lift":
            continue
        if received(scope, contact, purpose) is not True:
            continue
        speaks = _speaks(case, event, scope, contact, purpose)
        if not speaks and there is not None and _reached(event.scope, former):
            speaks = _speaks(case, event, scope, there, purpose)
        if speaks and (event.kind == "lift" or lifts(case, event).holds is True):
            yield pair


def _speaks(case: Case, event: ConsentEvent, scope: Scope, contact: Contact, purpose: str) -> bool:
    if event.kind == "lift":
        return covers_no(event.scope, contact, purpose, case.channel)
    return covers_yes(scope, contact, purpose)


class _Looked:
    """Acts that are looked at as far as they are asked for, once, latest first."""

    def __init__(self, rest: Iterator[tuple[int, ConsentEvent]]) -> None:
        self._found: list[tuple[int, ConsentEvent]] = []
        self._rest = rest
        self._by_name: dict[str, list[tuple[int, ConsentEvent]]] | None = None

    def __iter__(self) -> Iterator[tuple[int, ConsentEvent]]:
        yield from self._found
        for pair in self._rest:
            self._found.append(pair)
            yield pair

    def naming(self, via: str) -> Sequence[tuple[int, ConsentEvent]]:
        """The lifts that name *via*, latest first."""
        if self._by_name is None:
            self._by_name = {}
            for pair in self:
                if pair[1].kind == "lift" and pair[1].via is not None:
                    self._by_name.setdefault(pair[1].via, []).append(pair)
        return self._by_name.get(via, ())


def _reached(scope: Scope, point: str | None) -> bool:
    """Whether an act of this *scope* was about that contact point, or about a person who had it then."""
    return scope.point == point or (scope.point is None and (scope.points is None or point in scope.points))


def may_end(lift: ConsentEvent, no: ConsentEvent) -> bool:
    """Whether *lift* is about that No: it is a restriction, and the lift names nothing else by which it came."""
    return no.kind == "restrict" and lift.via in (None, no.via)


def _for_whom(act: ConsentEvent, no: ConsentEvent, case: Case) -> bool:
    """Whether *act* is for whom that No told, as far as the request sees: a lift for the very name, or for everybody.

    What somebody was told by name is heard, and not lifted, by who does not say theirs.
    """
    asking, whom = case.contact.controller, no.scope.controller
    if act.kind == "lift" and act.scope.controller != asking:
        return act.scope.controller in (None, whom)
    return act.scope.controller == whom or not told_another(asking, whom)


def may_lift(yes: ConsentEvent, no: ConsentEvent, case: Case, record: str | None) -> bool:
    """Whether *yes* is of the *record*, one of those whose No it is, or was recorded after the two had become one
    customer.

    What was said of another contact point than that of the request lifts only what was said of the same one. A Yes of
    the customer also lifts the Noes of others that it names, and one that is *alone* none but those of its record. A
    lift by whose restriction it was is of each record for which it was said. Both told the same, or the one whom the
    Yes told is asking.
    """
    if not _for_whom(yes, no, case):
        return False
    about = yes.scope.point
    if about not in (None, case.contact.point, no.scope.point):
        return False
    if yes.record == record or (yes.kind == "lift" and yes.record == no.record and record in yes.members):
        return True
    if yes.alone:
        return False
    joined = case.joined
    if no.id in yes.takes_back and yes.record in joined and record not in joined:
        return True
    since = [joined.get(one) for one in (yes.record, record) if one is not None]
    recorded = yes.recorded_at or yes.occurred_at
    return all(one is not None and recorded >= one for one in since)


class Taking:
    """The Noes that may take back a Yes to the request, latest first.

    A restriction only suspends: once it is lifted, what was agreed on before it holds again. A No that somebody had
    taken back by a *valid* Yes of their own, which permits nothing any more, takes back no Yes of others after that.
    """

    def __init__(
        self, case: Case, purpose: str, valid: Valid, graces: tuple[Grace, ...], across: Set[str]
    ) -> None:
        self._case = case
        self._graces = graces if case.graced else ()
        self._alone = case.others_lift and any(yes.alone for _, yes in case.lifting_acts)
        self._ended = Lifting(case, purpose, valid)
        self._noes = _taking_back(case, purpose, across)
        self._all: dict[Whose, _First] = {}
        self._since = {whose: self._firsts(said) for whose, said in self._noes.items()}

    def _firsts(self, said: Sequence[Pair]) -> _Firsts:
        return _Firsts(said, self._case, self._graces)

    def back(self, at: int, yes: ConsentEvent) -> tuple[str | None, int]:
        """The act that took back *yes*, of the instant *at*, or when one that was done will count.

        Of records whose Noes *yes* may lift, those that came before it do not take it back.
        """
        taken: list[Pair] = []
        coming = FOREVER
        for whose, said in self._noes.items():
            lifts = yes.kind != "assert_import" and all(
                may_lift(yes, said[0][1], self._case, record) for record in whose[0]
            )
            first, then = self._since[whose].of(at) if lifts else self._left(whose, at)
            coming = min(coming, then)
            if first is not None:
                taken.append(first)
        return (named(max(taken, key=_instant)[1]) if taken else None), coming

    def _left(self, whose: Whose, at: int) -> _First:
        """Of the Noes of some records those that had not ended when somebody else said yes *at* an instant."""
        if len(whose[0]) > 1:
            later, coming = self._since[whose].of(at)
            before, then = self._over(whose, self._ended.lifted)
            return later or before, min(coming, then)
        if not self._alone:
            return self._over(whose, lambda when, no: False)
        left = [one for one in self._noes[whose] if not self._ended.ended(*one, at)]
        return self._firsts(left).of(-FOREVER)

    def _over(self, whose: Whose, over: Callable[[int, ConsentEvent], bool]) -> _First:
        """Of the Noes of some records those that are not *over*, whatever is said when; worked out once."""
        found = self._all.get(whose)
        if found is None:
            left = [one for one in self._noes[whose] if not over(*one)]
            found = self._all[whose] = self._firsts(left).of(-FOREVER)
        return found


def _taking_back(case: Case, purpose: str, across: Set[str]) -> Mapping[Whose, Sequence[Pair]]:
    """The Noes to a request, or by one of the channels *across*, without restrictions that were lifted."""
    said = noes(case, NOES, purpose, case.channel)
    if not across and "restrict" not in case.kinds:
        return said.by_whose(case)
    others = (noes(case, NOES, about, across).all for about in sorted(MESSAGES)) if across else ()
    found = sorted({id(pair[1]): pair for pair in chain(said.all, *others)}.values(), key=_instant)
    ended = Lifting(case, purpose, _never)
    return by_whose([pair for pair in found if pair[1].kind != "restrict" or not ended.lifted(*pair)], case)


class _Firsts:
    """Of some Noes, latest first: the first that counts by now, and when the first of the others will.

    Asked of Yeses that come latest first, it goes through the Noes once.
    """

    def __init__(self, said: Sequence[Pair], case: Case, graces: tuple[Grace, ...]) -> None:
        self._said, self._case, self._graces, self._seen = said, case, graces, 0
        self._counts: Pair | None = None
        self._coming = FOREVER

    def of(self, begin: int) -> _First:
        """What is so of those that were said from the instant *begin* on."""
        while self._seen < len(self._said) and self._said[self._seen][0] >= begin:
            at, no = one = self._said[self._seen]
            since = effective(no, at, self._case, self._graces) if self._graces else at
            if since > self._case.now:
                self._coming = min(self._coming, since)
            else:
                self._counts = self._counts or one
            self._seen += 1
        return self._counts, self._coming


def _never(case: Case, event: ConsentEvent) -> Finding:
    """No Yes lifts a restriction."""
    return NO


def _instant(pair: tuple[int, ConsentEvent]) -> int:
    return pair[0]
