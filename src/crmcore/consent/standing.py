"""Which No stands, and which Yes stands.

Invariant: a No stands until a Yes that may take it back does, and a Yes until a No does.
"""

from __future__ import annotations

from collections.abc import Callable, Set

from crmcore.consent.case import Case
from crmcore.consent.event import ConsentEvent
from crmcore.consent.finding import FOREVER, Finding
from crmcore.consent.grace import Grace, effective
from crmcore.consent.lifting import Lifting, Taking, Valid
from crmcore.consent.noes import Said
from crmcore.consent.speaking import agreed, covers_no, covers_yes, elsewhere, handed_on, named, received
from crmcore.consent.words import NOES, YESES
from crmcore.values.instant import micros_of


def standing_no(
    case: Case,
    said: Said,
    grace: tuple[Grace, ...],
    lifting: Lifting,
    lasting: Callable[[ConsentEvent], int] | None = None,
) -> Finding:
    """Whether one of the Noes that were *said* stands: it counts by now, and nothing after it has lifted it.

    *lasting* tells until when one is recent enough, where only those that are count.
    """
    until, standing = case.next_event, dict[str, ConsentEvent]()
    graced = bool(grace) and case.graced
    if case.brief and lasting is None and not graced:  # one is as good as all of them
        return Finding(any(not lifting.lifted(*one) for one in said.last(case)), until)
    for at, event in said.all:
        since = effective(event, at, case, grace) if graced else at
        ends = FOREVER if lasting is None else lasting(event)
        if since > case.now:
            until = min(until, since)
        elif ends > case.now and not lifting.lifted(at, event):
            standing[event.id] = event
            until = min(until, ends)
    found = list(standing.values())
    if not found:
        return Finding(False, until)
    if case.brief:
        return Finding(True, until)
    words = _latest([named(event) for event in reversed(found[-_TOLD - 1 :])], len(found), ", ")
    return Finding(True, until, tuple(event.id for event in found), (), words)


def standing_yes(
    case: Case, purpose: str, valid: Valid, grace: tuple[Grace, ...], across: Set[str] = frozenset()
) -> Finding:
    """Whether a Yes stands: it speaks of the request, is valid, has not run out and nothing took it back.

    A No by one of the channels *across* takes it back whatever it was about. Where none stands, *why* names what each
    one lacks.
    """
    until, unknown = case.next_event, None
    lacks: list[str] = []
    yeses = case.acts(YESES)
    taking: Taking | None = None
    for at, event in reversed(yeses):
        ends = FOREVER if event.valid_until is None else micros_of(event.valid_until)
        lack = _speaks(case, event, purpose, ends)
        if not lack:
            taking = taking or Taking(case, purpose, valid, grace, across)
            taken, when = taking.back(at, event)
            if taken is not None:
                lack = f"taken back by {taken}"
            else:
                found = valid(case, event)
                if found.holds and received(agreed(case, event), case.contact, purpose) is None:
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
        if not case.brief and len(lacks) < _TOLD:
            lacks.append(f"{named(event)}: {lack}")
    why = "nobody said yes" if case.brief else _latest(lacks, len(yeses), "; ") or "nobody said yes"
    if unknown is not None:
        return Finding(None, until, unknown.because, unknown.missing, why)
    return Finding(False, until, (), (), why)


_TOLD = 5
"""So many acts are told of one by one, the latest first: people read that, and some customers have thousands."""


def _latest(words: list[str], of: int, between: str) -> str:
    told = between.join(words[:_TOLD])
    return told if of <= _TOLD else f"{told}{between}and {of - _TOLD:,} earlier"


def _speaks(case: Case, event: ConsentEvent, purpose: str, ends: int) -> str:
    """What a Yes lacks that does not speak of the request now; nothing, if it does."""
    scope = agreed(case, event)
    if handed_on(scope, case.contact, purpose):
        if _withdrawn_from_them(case, event, purpose):
            return "it was taken back from those to whom it was given"
    elif not covers_yes(scope, case.contact, purpose):
        return (
            "another"
            if case.brief
            else f"it is about something else ({elsewhere(scope, case.contact, purpose)})"
        )
    if received(scope, case.contact, purpose) is False:
        return "it names other recipients"
    return "it ran out" if ends <= case.now else ""


def _withdrawn_from_them(case: Case, yes: ConsentEvent, purpose: str) -> bool:
    """Whether a Yes that was given to somebody else was taken back from them; that ends it for all it names."""
    theirs = case.contact._replace(controller=yes.scope.controller or "")
    return any(
        no.occurred_at >= yes.occurred_at and covers_no(no.scope, theirs, purpose, case.channel)
        for _, no in case.acts(NOES)
    )
