"""What a request can do next, and what a step makes of it.

Invariant: the table below is all there is; what it does not have is refused with a sentence that says what can be done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from datetime import date, datetime

import attrs

from crmcore.consent.deadline import (
    NO_HOLIDAYS,
    DeadlineRule,
    Stop,
    confirm_by,
    deadline_for,
    end_of,
    last_day_of,
)
from crmcore.consent.propagation import SHA256, answered, excused, must_tell, notified, refuse_open
from crmcore.consent.rights_request import Pause, RightsRequest, RightsStep
from crmcore.consent.rights_words import RequestState, Right, StepKind
from crmcore.errors import InvalidRightsRequest

MOVES: Mapping[StepKind, tuple[frozenset[RequestState], RequestState]] = {
    "check_identity": (frozenset({"received"}), "identity_check"),
    "accept": (frozenset({"received", "identity_check"}), "accepted"),
    "collect": (frozenset({"accepted", "review"}), "collecting"),
    "review": (frozenset({"collecting"}), "review"),
    "respond": (frozenset({"review"}), "responded"),
    "refuse": (frozenset({"received", "identity_check", "accepted", "collecting", "review"}), "refused"),
    "refuse_partly": (frozenset({"review"}), "partially_refused"),
    "close": (frozenset({"responded", "refused", "partially_refused"}), "closed"),
}
"""The steps that lead from state to state: from which, and to which."""

ANSWERED: frozenset[RequestState] = frozenset({"responded", "refused", "partially_refused"})
LIFTED: frozenset[Right] = frozenset({"restriction", "automated_decision_review"})
"""What is asked for until something is settled, and is lifted then, after the person was told."""

_ASKING: frozenset[RequestState] = frozenset({"received", "identity_check"})
_AFTER_THE_END: frozenset[StepKind] = frozenset({"announce", "lift"})
_Beside = Callable[[RightsRequest, RightsStep, DeadlineRule, Set[date]], RightsRequest]


@attrs.frozen(kw_only=True)
class Due:
    """By when what must be done. *day* None: the clock stands still, or the law names no days. *at* is the instant at
    which *day* is over.

    *confirm* is the last day to confirm receipt, where the law asks for that; *at_once* says that the processing stops
    now, whatever time the answer may take.
    """

    day: date | None
    at: datetime | None
    confirm: date | None
    at_once: bool
    rule: DeadlineRule

    def overdue(self, now: datetime) -> bool:
        """Whether the time is over."""
        return self.at is not None and now >= self.at


def due_of(
    request: RightsRequest,
    *,
    holidays: Set[date] = NO_HOLIDAYS,
    rules: Iterable[DeadlineRule] | None = None,
) -> Due:
    """By when *request* must be answered, as it stands; *holidays* are those of the place whose days are counted."""
    rule = deadline_for(request.law, request.right, rules)
    day = _last_day(request, rule, holidays, extended=request.extended)
    return Due(
        day=day,
        at=None if day is None else end_of(day, request.zone),
        confirm=confirm_by(rule, request.received_at, zone=request.zone, holidays=holidays),
        at_once=request.right in rule.at_once,
        rule=rule,
    )


def _last_day(
    request: RightsRequest, rule: DeadlineRule, holidays: Set[date], *, extended: bool
) -> date | None:
    stops = (Stop(start=pause.start, end=pause.end) for pause in request.pauses)
    return last_day_of(
        rule, request.received_at, zone=request.zone, stops=stops, extended=extended, holidays=holidays
    )


def advance(
    request: RightsRequest,
    step: RightsStep,
    *,
    holidays: Set[date] = NO_HOLIDAYS,
    rules: Iterable[DeadlineRule] | None = None,
) -> RightsRequest:
    """What *step* makes of *request*.

    Raises:
        InvalidRightsRequest: if the request cannot take it now.
    """
    if step.at < (request.last_at or request.received_at):
        raise InvalidRightsRequest("a step comes after the one before it: this one is earlier")
    rule = deadline_for(request.law, request.right, rules)
    if step.kind in MOVES:
        after = _moved(request, step, rule)
    elif step.kind in _BESIDE:
        if request.state == "closed" and step.kind not in _AFTER_THE_END:
            raise InvalidRightsRequest("the request is closed: a new one can be received")
        after = _BESIDE[step.kind](request, step, rule, holidays)
    else:
        raise InvalidRightsRequest("a request is received once: that is its first step")
    return attrs.evolve(after, last_at=step.at)


def replay(steps: Iterable[RightsStep], *, rules: Iterable[DeadlineRule] | None = None) -> RightsRequest:
    """The request that its steps make, in their order; holidays play no part any more.

    Raises:
        InvalidRightsRequest: if the first step is not its receipt.
    """
    known = None if rules is None else tuple(rules)
    request: RightsRequest | None = None
    for step in steps:
        if request is None:
            request = step.received
            if request is None:
                raise InvalidRightsRequest("the first step of a request is its receipt")
            request = attrs.evolve(request, id=step.request)
            continue
        # Whether an extension or a stop was in time was asked with the holidays of then.
        timed = _TIMED.get(step.kind)
        after = advance(request, step, rules=known) if timed is None else timed(request, step)
        request = attrs.evolve(after, last_at=step.at)
    if request is None:
        raise InvalidRightsRequest("a request without steps was never received")
    return request


def _moved(request: RightsRequest, step: RightsStep, rule: DeadlineRule) -> RightsRequest:
    begins, end = MOVES[step.kind]
    if request.state not in begins:
        able = ", ".join(kind for kind, (states, _) in MOVES.items() if request.state in states)
        raise InvalidRightsRequest(
            f"a request that is {request.state} cannot {step.kind}: it can {able or 'do nothing more'}"
        )
    if request.clock_stopped and step.kind not in ("check_identity", "refuse"):
        raise InvalidRightsRequest(
            "the clock stands still: resume it first, when what was asked for is there"
        )
    _CHECKS.get(step.kind, _anything)(request, step, rule)
    pauses = request.pauses
    if end in ANSWERED and request.clock_stopped:
        pauses = (*pauses[:-1], attrs.evolve(pauses[-1], end=step.at))
    answered = end in ANSWERED
    return attrs.evolve(
        request,
        state=end,
        pauses=pauses,
        responded_at=step.at if answered else request.responded_at,
        response_sha256=step.sha256 if answered else request.response_sha256,
    )


def _anything(request: RightsRequest, step: RightsStep, rule: DeadlineRule) -> None:
    pass


def _may_accept(request: RightsRequest, step: RightsStep, rule: DeadlineRule) -> None:
    if rule.identity and not request.identity:
        raise InvalidRightsRequest("it is not known who asks: add evidence of identity first")
    if request.requester.kind != "self" and not request.requester.authority:
        raise InvalidRightsRequest(
            f"nothing shows that the {request.requester.kind} may ask: refuse, and ask for their authority"
        )


def _may_respond(request: RightsRequest, step: RightsStep, rule: DeadlineRule) -> None:
    if any(item.decision == "refuse" for item in request.items):
        raise InvalidRightsRequest("an item was refused: refuse partly, or refuse all of it")
    _digest(step)


def _may_refuse(request: RightsRequest, step: RightsStep, rule: DeadlineRule) -> None:
    if not step.reason:
        raise InvalidRightsRequest("a refusal tells the person why, and where to complain: give a reason")


def _may_refuse_partly(request: RightsRequest, step: RightsStep, rule: DeadlineRule) -> None:
    decided = {item.decision for item in request.items}
    if "refuse" not in decided or not decided - {"refuse"}:
        raise InvalidRightsRequest("to refuse partly, decide on items: refuse some of them, and grant others")
    _digest(step)


def _may_close(request: RightsRequest, step: RightsStep, rule: DeadlineRule) -> None:
    refuse_open(request)


def _digest(step: RightsStep) -> None:
    if step.sha256 is None or not SHA256.match(step.sha256):
        raise InvalidRightsRequest("an answer is kept by its digest: give its SHA-256 in hexadecimal digits")


_CHECKS: Mapping[StepKind, Callable[[RightsRequest, RightsStep, DeadlineRule], None]] = {
    "accept": _may_accept,
    "respond": _may_respond,
    "refuse": _may_refuse,
    "refuse_partly": _may_refuse_partly,
    "close": _may_close,
}


# --- beside the states ---------------------------------------------------------------------------------


def _confirmed(
    request: RightsRequest, step: RightsStep, rule: DeadlineRule, holidays: Set[date]
) -> RightsRequest:
    return attrs.evolve(request, confirmed_at=request.confirmed_at or step.at)


def _identified(
    request: RightsRequest, step: RightsStep, rule: DeadlineRule, holidays: Set[date]
) -> RightsRequest:
    if step.evidence is None:
        raise InvalidRightsRequest("evidence of identity says what kind of proof was seen")
    return attrs.evolve(request, identity=(*request.identity, step.evidence))


def _stopped(
    request: RightsRequest, step: RightsStep, rule: DeadlineRule, holidays: Set[date]
) -> RightsRequest:
    _unanswered(request)
    if request.clock_stopped:
        raise InvalidRightsRequest("the clock stands still already")
    if step.cause is None or step.cause not in rule.pauses:
        causes = " or ".join(sorted(rule.pauses)) or "nothing"
        raise InvalidRightsRequest(f"under {rule.law} the clock of this right stops for {causes} only")
    if step.cause == "identity" and request.identity and request.state not in _ASKING:
        raise InvalidRightsRequest(
            "it is known who asks: the clock stops for that only before the request is accepted"
        )
    day = _last_day(request, rule, holidays, extended=request.extended)
    if day is not None and step.at >= end_of(day, request.zone):
        raise InvalidRightsRequest("the time is over: a clock that ran out cannot be stopped")
    return _paused(request, step)


def _paused(request: RightsRequest, step: RightsStep) -> RightsRequest:
    if step.cause is None:
        raise InvalidRightsRequest("a clock stops for a cause")
    return attrs.evolve(request, pauses=(*request.pauses, Pause(cause=step.cause, start=step.at)))


def _resumed(
    request: RightsRequest, step: RightsStep, rule: DeadlineRule, holidays: Set[date]
) -> RightsRequest:
    if not request.clock_stopped:
        raise InvalidRightsRequest("the clock runs already")
    last = attrs.evolve(request.pauses[-1], end=step.at)
    return attrs.evolve(request, pauses=(*request.pauses[:-1], last))


def _extension(
    request: RightsRequest, step: RightsStep, rule: DeadlineRule, holidays: Set[date]
) -> RightsRequest:
    _unanswered(request)
    if rule.extended is None:
        raise InvalidRightsRequest(f"{rule.law} knows no extension for this right")
    if request.extended:
        raise InvalidRightsRequest("the time was extended already, which can be done once")
    if not step.reason:
        raise InvalidRightsRequest("an extension tells the person why: give a reason")
    day = _last_day(request, rule, holidays, extended=False)
    if day is not None and step.at >= end_of(day, request.zone):
        raise InvalidRightsRequest("the first time is over: it can be extended only before it ends")
    return _extended(request, step)


def _extended(request: RightsRequest, step: RightsStep) -> RightsRequest:
    return attrs.evolve(request, extended_at=step.at)


def _decided(
    request: RightsRequest, step: RightsStep, rule: DeadlineRule, holidays: Set[date]
) -> RightsRequest:
    _unanswered(request)
    item = step.item
    if item is None:
        raise InvalidRightsRequest("a decision names the item that it is about")
    if item.decision != "grant" and not item.reason:
        raise InvalidRightsRequest("what is refused or withheld is so for a reason: give it")
    kept = tuple(one for one in request.items if one.item != item.item)
    return attrs.evolve(request, items=(*kept, item))


def _noted(change: Callable[[RightsRequest, RightsStep], RightsRequest]) -> _Beside:
    """What *change* makes of the notices of a request."""

    def noted(
        request: RightsRequest, step: RightsStep, rule: DeadlineRule, holidays: Set[date]
    ) -> RightsRequest:
        return change(request, step)

    return noted


def _announced(
    request: RightsRequest, step: RightsStep, rule: DeadlineRule, holidays: Set[date]
) -> RightsRequest:
    _may_be_lifted(request)
    if not step.reason:
        raise InvalidRightsRequest("the person is told why the restriction will be lifted: give the reason")
    return attrs.evolve(request, announced_at=request.announced_at or step.at)


def _lifted(
    request: RightsRequest, step: RightsStep, rule: DeadlineRule, holidays: Set[date]
) -> RightsRequest:
    _may_be_lifted(request)
    if request.announced_at is None or request.announced_at >= step.at:
        raise InvalidRightsRequest("a restriction is lifted after the person was told: announce it first")
    if request.right == "automated_decision_review" and (step.actor is None or step.actor.kind != "person"):
        raise InvalidRightsRequest("an automated decision is reviewed by a person: act as the one who did")
    return attrs.evolve(request, lifted_at=step.at)


def _may_be_lifted(request: RightsRequest) -> None:
    if request.right not in LIFTED:
        raise InvalidRightsRequest(f"what a request for {request.right} asks for is not lifted again")
    if request.lifted_at is not None:
        raise InvalidRightsRequest("it was lifted already: a new request can be received")


def _unanswered(request: RightsRequest) -> None:
    if request.state in ANSWERED:
        raise InvalidRightsRequest(f"the request is {request.state}: its clock and its items are settled")


_BESIDE: Mapping[StepKind, _Beside] = {
    "confirm_receipt": _confirmed,
    "identify": _identified,
    "stop_clock": _stopped,
    "resume_clock": _resumed,
    "extend": _extension,
    "decide_item": _decided,
    "must_tell": _noted(must_tell),
    "notify": _noted(notified),
    "answer": _noted(answered),
    "excuse": _noted(excused),
    "announce": _announced,
    "lift": _lifted,
}

_TIMED: Mapping[StepKind, Callable[[RightsRequest, RightsStep], RightsRequest]] = {
    "extend": _extended,
    "stop_clock": _paused,
}
