"""Which acts speak of a request, which No stands, and which Yes stands.

Invariant: a Yes never takes back a No that it does not cover, nor one that came at the same instant or later; what
another system asserts takes back none at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from itertools import chain

from crmcore.consent.case import Case
from crmcore.consent.event import ConsentEvent, Scope
from crmcore.consent.finding import FOREVER, Finding
from crmcore.consent.grace import Grace, effective
from crmcore.consent.request import Request
from crmcore.values.instant import micros

NOES = frozenset({"refuse", "withdraw", "object", "restrict", "invalidate"})
YESES = frozenset({"give", "confirm", "assert_import"})

Valid = Callable[[Case, ConsentEvent], Finding]
"""Whether a Yes is one in the eyes of a law."""

MARKETING = frozenset({"marketing", "fundraising", "political"})
MESSAGES = MARKETING | {"service", "transactional", "research"}


def named(event: ConsentEvent) -> str:
    """An act, in words that a reader can look for."""
    return f"{event.kind} of {event.occurred_at:%Y-%m-%d}"


def covers_no(scope: Scope, request: Request, purpose: str, channels: Set[str]) -> bool:
    """Whether a No of this *scope* speaks of the request, taken as one for *purpose* through one of *channels*.

    What it leaves open it leaves open for everything.
    """
    return (
        (scope.controller is None or scope.controller == request.controller)
        and (not scope.channels or not channels.isdisjoint(scope.channels))
        and (scope.point is None or request.point is None or scope.point == request.point)
        and (scope.brand is None or request.brand is None or scope.brand == request.brand)
        and (not scope.topics or request.topic is None or request.topic in scope.topics)
        and (not scope.purposes or _names(scope, request, purpose))
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


def _names(scope: Scope, request: Request, purpose: str) -> bool:
    if purpose in scope.purposes:
        return True
    serves = purpose == "profiling" and request.use.aim == "direct_marketing"
    if "direct_marketing" in scope.purposes and (purpose in MARKETING or serves):
        return True
    return "profiling_for_direct_marketing" in scope.purposes and serves


def noes(
    case: Case,
    kinds: Set[str],
    purpose: str,
    channels: Set[str],
    grace: tuple[Grace, ...],
    right: str | None = None,
) -> Iterator[tuple[ConsentEvent, int]]:
    """Acts of these *kinds* that speak of the request, each with the instant from which it counts.

    One that exercises a named *right* says no to what that right is about, and to nothing else.
    """
    for event in case.events:
        spoken = event.kind in kinds and event.scope.right == right
        if spoken and covers_no(event.scope, case.request, purpose, channels):
            yield event, effective(event, case, grace)


def standing_no(
    case: Case,
    kinds: Set[str],
    purpose: str,
    channels: Set[str],
    grace: tuple[Grace, ...],
    lifts: Valid,
    right: str | None = None,
    lasting: Callable[[ConsentEvent], int] | None = None,
) -> Finding:
    """Whether a No of these *kinds* stands: it counts by now, and nothing after it has lifted it.

    *lasting* tells until when one is recent enough, where only those that are count.
    """
    until, found = case.next_event, []
    for event, since in noes(case, kinds, purpose, channels, grace, right):
        ends = FOREVER if lasting is None else lasting(event)
        if since > case.now:
            until = min(until, since)
        elif ends > case.now and not _lifted(event, case, purpose, lifts):
            found.append(event)
            until = min(until, ends)
    if found:
        words = ", ".join(named(event) for event in found)
        return Finding(True, until, tuple(event.id for event in found), (), words)
    return Finding(False, until)


def _lifted(no: ConsentEvent, case: Case, purpose: str, lifts: Valid) -> bool:
    """A *lift* is as wide as a No is: what it leaves open it lifts altogether."""
    channel = frozenset({case.request.channel})
    for event in case.events:
        if event.occurred_at <= no.occurred_at or not may_lift(event, no, case):
            continue
        if event.kind == "lift":
            if covers_no(event.scope, case.request, purpose, channel):
                return True
        elif (
            event.kind in ("give", "confirm")
            and covers_yes(event.scope, case.request, purpose)
            and lifts(case, event).holds is True
        ):
            return True
    return False


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
    request, until, lacks, unknown = case.request, case.next_event, [], None
    for event in reversed(case.events):
        if event.kind not in YESES:
            continue
        if not covers_yes(event.scope, request, purpose):
            lacks.append(
                f"{named(event)}: it is about something else ({_elsewhere(event.scope, request, purpose)})"
            )
            continue
        if (
            event.scope.recipients
            and request.use.recipient is not None
            and request.use.recipient not in event.scope.recipients
        ):
            lacks.append(f"{named(event)}: it names other recipients")
            continue
        ends = FOREVER if event.valid_until is None else micros(event.valid_until)
        if ends <= case.now:
            lacks.append(f"{named(event)}: it ran out")
            continue
        taken, when = _taken_back(event, case, purpose, grace, across)
        if taken is not None:
            lacks.append(f"{named(event)}: taken back by {taken}")
            continue
        found = valid(case, event)
        if found.holds is True:
            return Finding(True, min(until, ends, when, found.until), (event.id, *found.because))
        until = min(until, found.until)
        lacks.append(f"{named(event)}: {found.why}")
        unknown = unknown or (found if found.holds is None else None)
    why = "; ".join(lacks) or "nobody said yes"
    if unknown is not None:
        return Finding(None, until, unknown.because, unknown.missing, why)
    return Finding(False, until, (), (), why)


def _taken_back(
    yes: ConsentEvent, case: Case, purpose: str, grace: tuple[Grace, ...], across: Set[str]
) -> tuple[str | None, int]:
    """The act that took it back, or when one that was done will count."""
    coming = FOREVER
    found = noes(case, NOES, purpose, frozenset({case.request.channel}), grace)
    if across:
        found = chain(
            found, (pair for about in sorted(MESSAGES) for pair in noes(case, NOES, about, across, grace))
        )
    for event, since in found:
        before = event.occurred_at < yes.occurred_at
        if before and yes.kind != "assert_import" and may_lift(yes, event, case):
            continue
        if since <= case.now:
            return named(event), coming
        coming = min(coming, since)
    return None, coming


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
