"""Which acts speak of a request, which No stands, and which Yes stands.

Invariant: a Yes never takes back a No that it does not cover, nor one that came at the same instant or later; what
another system asserts takes back none at all. A lift ends restrictions, and no other No.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from itertools import chain

from crmcore.consent.case import Case
from crmcore.consent.event import ConsentEvent, Scope
from crmcore.consent.finding import FOREVER, NO, Finding
from crmcore.consent.grace import Grace, effective
from crmcore.consent.request import Request
from crmcore.values.instant import micros_of

NOES = frozenset({"refuse", "withdraw", "object", "restrict", "invalidate"})
YESES = frozenset({"give", "confirm", "assert_import"})
_LIFTING = frozenset({"lift", "give", "confirm"})

Valid = Callable[[Case, ConsentEvent], Finding]
"""Whether a Yes is one in the eyes of a law."""

MARKETING = frozenset({"marketing", "fundraising", "political"})
MESSAGES = MARKETING | {"service", "transactional", "research"}


def named(event: ConsentEvent) -> str:
    """An act, in words that a reader can look for."""
    return f"{event.kind} of {event.occurred_at:%Y-%m-%d}"


def aim_open(request: Request, purpose: str) -> bool:
    """Whether it is not told what data are used for, so that it may be direct marketing."""
    return purpose == "profiling" and request.use.aim is None


def covers_no(
    scope: Scope, request: Request, purpose: str, channels: Set[str], *, perhaps: bool = False
) -> bool:
    """Whether a No of this *scope* speaks of the request, taken as one for *purpose* through one of *channels*.

    What it leaves open it leaves open for everything. *perhaps*: an aim that is not told counts as direct marketing.
    """
    return (
        (scope.controller is None or scope.controller == request.controller)
        and (not scope.channels or not channels.isdisjoint(scope.channels))
        and (scope.point is None or request.point is None or scope.point == request.point)
        and (scope.brand is None or request.brand is None or scope.brand == request.brand)
        and (not scope.topics or request.topic is None or request.topic in scope.topics)
        and (not scope.purposes or _names(scope, request, purpose, perhaps=perhaps))
    )


def covers_yes(scope: Scope, request: Request, purpose: str) -> bool:
    """Whether a Yes of this *scope* speaks of the request: it names the controller, the channel and the purpose."""
    return (
        scope.controller == request.controller
        and request.channel in scope.channels
        and (scope.point is None or scope.point == request.point)
        and (scope.points is None or request.point is None or request.point in scope.points)
        and (scope.brand is None or scope.brand == request.brand)
        and (not scope.topics or request.topic in scope.topics)
        and _names(scope, request, purpose)
    )


def _names(scope: Scope, request: Request, purpose: str, *, perhaps: bool = False) -> bool:
    if purpose in scope.purposes:
        return True
    serves = purpose == "profiling" and request.use.aim == "direct_marketing"
    serves = serves or (perhaps and aim_open(request, purpose))
    if "direct_marketing" in scope.purposes and (purpose in MARKETING or serves):
        return True
    return "profiling_for_direct_marketing" in scope.purposes and serves


def noes(
    case: Case,
    kinds: Set[str],
    purpose: str,
    channels: Set[str],
    right: str | None = None,
    *,
    perhaps: bool = False,
) -> tuple[tuple[int, ConsentEvent], ...]:
    """Acts of these *kinds* that speak of the request, oldest first, each with its instant; worked out once.

    One that exercises a *right* which the law names says no to what that right is about, and to nothing else. Of any
    other right it is a plain No.
    """
    rights: Set[str] = case.law.rights
    key = (kinds, purpose, channels, right, rights, perhaps)
    found = case.spoken.get(key)
    if found is None:
        found = case.spoken[key] = tuple(
            pair
            for pair in case.acts(kinds)
            if (pair[1].scope.right if pair[1].scope.right in rights else None) == right
            and covers_no(pair[1].scope, case.request, purpose, channels, perhaps=perhaps)
        )
    return found


def standing_no(
    case: Case,
    said: tuple[tuple[int, ConsentEvent], ...],
    grace: tuple[Grace, ...],
    lifting: Lifting,
    lasting: Callable[[ConsentEvent], int] | None = None,
) -> Finding:
    """Whether one of the Noes that were *said* stands: it counts by now, and nothing after it has lifted it.

    *lasting* tells until when one is recent enough, where only those that are count.
    """
    until, found = case.next_event, []
    graced = bool(grace) and case.graced
    for at, event in said:
        since = effective(event, at, case, grace) if graced else at
        ends = FOREVER if lasting is None else lasting(event)
        if since > case.now:
            until = min(until, since)
        elif ends > case.now and not lifting.lifted(at, event):
            found.append(event)
            until = min(until, ends)
    if not found:
        return Finding(False, until)
    if case.brief:
        return Finding(True, until)
    words = ", ".join(named(event) for event in found)
    return Finding(True, until, tuple(event.id for event in found), (), words)


class Lifting:
    """The acts that lift a No to the request, latest first. Each is looked at once, however many Noes there are."""

    def __init__(self, case: Case, purpose: str, lifts: Valid) -> None:
        self._case = case
        self._found: list[tuple[int, ConsentEvent]] = []
        self._rest = self._looked_at(purpose, lifts)

    def lifted(self, at: int, no: ConsentEvent) -> bool:
        """Whether one of them came after *no*, which was said at the instant *at*."""
        for when, event in chain(self._found, self._more()):
            if when <= at:
                return False
            if (event.kind != "lift" or no.kind == "restrict") and may_lift(event, no, self._case):
                return True
        return False

    def _more(self) -> Iterator[tuple[int, ConsentEvent]]:
        for pair in self._rest:
            self._found.append(pair)
            yield pair

    def _looked_at(self, purpose: str, lifts: Valid) -> Iterator[tuple[int, ConsentEvent]]:
        """A *lift* is as wide as a restriction is: what it leaves open it lifts altogether."""
        case = self._case
        for pair in reversed(case.acts(_LIFTING)):
            event = pair[1]
            if event.kind == "lift":
                if covers_no(event.scope, case.request, purpose, case.channel):
                    yield pair
            elif covers_yes(event.scope, case.request, purpose) and lifts(case, event).holds is True:
                yield pair


def may_lift(yes: ConsentEvent, no: ConsentEvent, case: Case) -> bool:
    """Whether both are of one record, or the Yes was recorded after their records had become one customer."""
    if yes.record == no.record:
        return True
    joined = case.facts.joined
    since = [joined.get(record) for record in (yes.record, no.record) if record is not None]
    recorded = yes.recorded_at or yes.occurred_at
    return all(one is not None and recorded >= one for one in since)


def standing_yes(
    case: Case, purpose: str, valid: Valid, grace: tuple[Grace, ...], across: Set[str] = frozenset()
) -> Finding:
    """Whether a Yes stands: it speaks of the request, is valid, has not run out and nothing took it back.

    A No by one of the channels *across* takes it back whatever it was about. Where none stands, *why* names what each
    one lacks.
    """
    until, lacks, unknown = case.next_event, [], None
    taking: _Taking | None = None
    for at, event in reversed(case.acts(YESES)):
        ends = FOREVER if event.valid_until is None else micros_of(event.valid_until)
        lack = _speaks(case, event, purpose, ends)
        if not lack:
            taking = taking or _Taking(case, purpose, grace, across)
            taken, when = taking.back(at, event)
            if taken is not None:
                lack = f"taken back by {taken}"
            else:
                found = valid(case, event)
                if found.holds and _received_by_whom(case, event, purpose):
                    found = Finding(
                        None, found.until, (), ("use.recipient",), "who gets the data is not known"
                    )
                if found.holds is True:
                    return Finding(True, min(until, ends, when, found.until), (event.id, *found.because))
                until = min(until, found.until)
                lack = found.why
                if found.holds is None:
                    until = min(until, ends, when)
                    unknown = unknown or found
        if not case.brief:
            lacks.append(f"{named(event)}: {lack}")
    why = "; ".join(lacks) or "nobody said yes"
    if unknown is not None:
        return Finding(None, until, unknown.because, unknown.missing, why)
    return Finding(False, until, (), (), why)


def _speaks(case: Case, event: ConsentEvent, purpose: str, ends: int) -> str:
    """What a Yes lacks that does not speak of the request now; nothing, if it does."""
    scope, recipient = event.scope, case.request.use.recipient
    if not covers_yes(scope, case.request, purpose):
        return (
            "another"
            if case.brief
            else f"it is about something else ({_elsewhere(scope, case.request, purpose)})"
        )
    if scope.recipients and recipient is not None and recipient not in scope.recipients:
        return "it names other recipients"
    return "it ran out" if ends <= case.now else ""


def _received_by_whom(case: Case, event: ConsentEvent, purpose: str) -> bool:
    """Whether that is a question: data are passed on, nobody says to whom, and the Yes is to some only."""
    to_some = purpose == "third_party_sharing" and bool(event.scope.recipients)
    return to_some and case.request.use.recipient is None


class _Taking:
    """The Noes that may take back a Yes to the request, latest first.

    A restriction only suspends: once it is lifted, what was agreed on before it holds again.
    """

    def __init__(self, case: Case, purpose: str, grace: tuple[Grace, ...], across: Set[str]) -> None:
        found = noes(case, NOES, purpose, case.channel)
        if across:
            others = (noes(case, NOES, about, across) for about in sorted(MESSAGES))
            found = tuple(
                sorted({id(pair[1]): pair for pair in chain(found, *others)}.values(), key=_instant)
            )
        if any(no.kind == "restrict" for _, no in found):
            ended = Lifting(case, purpose, _never)
            found = tuple(pair for pair in found if pair[1].kind != "restrict" or not ended.lifted(*pair))
        self._case = case
        self._noes = [
            (at, effective(no, at, case, grace) if grace and case.graced else at, no)
            for at, no in reversed(found)
        ]
        self._records = {no.record for _, _, no in self._noes}

    def back(self, at: int, yes: ConsentEvent) -> tuple[str | None, int]:
        """The act that took back *yes*, of the instant *at*, or when one that was done will count."""
        case, coming = self._case, FOREVER
        alone = yes.kind != "assert_import" and self._records <= {yes.record}
        for said, since, no in self._noes:
            if said < at and yes.kind != "assert_import":
                if alone:
                    break
                if may_lift(yes, no, case):
                    continue
            if since <= case.now:
                return named(no), coming
            coming = min(coming, since)
        return None, coming


def _never(case: Case, event: ConsentEvent) -> Finding:
    """No Yes lifts a restriction."""
    return NO


def _instant(pair: tuple[int, ConsentEvent]) -> int:
    return pair[0]


def _elsewhere(scope: Scope, request: Request, purpose: str) -> str:
    found = []
    if scope.controller != request.controller:
        found.append("another controller")
    if request.channel not in scope.channels:
        found.append("another channel")
    if not _names(scope, request, purpose):
        found.append("another purpose")
    if (scope.point is not None and scope.point != request.point) or (
        scope.points is not None and request.point is not None and request.point not in scope.points
    ):
        found.append("another contact point")
    return ", ".join(found) or "another brand or topic"
