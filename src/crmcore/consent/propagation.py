"""Who else has the data, and what they were told: the notices of a request.

Invariant: a notice is open until there is an answer, or a reason why none is waited for. Who says that it is done
proves it; who refuses says why; and whoever was not told yet has answered nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import attrs

from crmcore.consent.event import ConsentEvent
from crmcore.consent.rights_request import Notice, RequestId, RightsRequest, RightsStep
from crmcore.consent.words import YESES
from crmcore.errors import InvalidRightsRequest

SHA256 = re.compile(r"[0-9a-f]{64}\Z")


@attrs.frozen(kw_only=True)
class OpenNotice:
    """A notice that nobody has answered, of a request; *overdue*: the answer should be there by now."""

    request: RequestId
    notice: Notice
    overdue: bool


def recipients_of(acts: Iterable[ConsentEvent]) -> tuple[str, ...]:
    """Those to whom data were passed on, as far as acts of consent name them.

    >>> from datetime import UTC, datetime
    >>> from crmcore.consent.event import Scope
    >>> may = Scope(controller="us", purposes={"third_party_sharing"}, recipients={"Gamma SA"})
    >>> recipients_of([ConsentEvent(id="1", kind="give", occurred_at=datetime(2026, 5, 4, tzinfo=UTC), scope=may)])
    ('Gamma SA',)
    """
    return tuple(sorted({one for act in acts if act.kind in YESES for one in act.scope.recipients}))


def must_tell(request: RightsRequest, step: RightsStep) -> RightsRequest:
    """Somebody who has the data is to be told; once, also where they were told already."""
    owed = _named(step)
    if any(_same(notice, owed) for notice in request.notices):
        raise InvalidRightsRequest("this recipient stands in the ledger for this already")
    fresh = Notice(processor=owed.processor, what=owed.what, due=owed.due)
    return attrs.evolve(request, notices=(*request.notices, fresh))


def notified(request: RightsRequest, step: RightsStep) -> RightsRequest:
    """Somebody was told: whoever was to be, or somebody else who has the data."""
    said = _named(step)
    fresh = Notice(processor=said.processor, what=said.what, told_at=step.at, due=said.due)
    found = [notice for notice in request.open_notices if _same(notice, said)]
    if not found:
        return attrs.evolve(request, notices=(*request.notices, fresh))
    if found[0].told_at is not None:
        raise InvalidRightsRequest("this processor was told this already, and has not answered yet")
    return _replaced(request, fresh)


def answered(request: RightsRequest, step: RightsStep) -> RightsRequest:
    """Somebody who was told says what came of it."""
    said = step.notice
    if said is None or said.outcome not in ("done", "nothing_held", "refused"):
        raise InvalidRightsRequest("an answer says what came of it: done, nothing_held or refused")
    if said.outcome == "done" and not (said.proof_sha256 and SHA256.match(said.proof_sha256)):
        raise InvalidRightsRequest(
            "whoever says that it is done proves it: give the SHA-256 of their receipt"
        )
    if said.outcome == "refused" and not said.reason:
        raise InvalidRightsRequest("whoever refuses does so for a reason: give it")
    told = next((one for one in request.open_notices if one.told_at and _same(one, said)), None)
    if told is None:
        raise InvalidRightsRequest("no open notice is with this processor for this: tell them first")
    return _replaced(
        request,
        attrs.evolve(
            told,
            answered_at=step.at,
            outcome=said.outcome,
            proof_sha256=said.proof_sha256,
            reason=said.reason,
        ),
    )


def excused(request: RightsRequest, step: RightsStep) -> RightsRequest:
    """No answer of somebody is waited for any more, and it is stated why."""
    said = _named(step)
    if not said.reason:
        raise InvalidRightsRequest(
            "that nobody waits for a proof has a reason, such as that telling them is impossible: give it"
        )
    found = next((one for one in request.open_notices if _same(one, said)), None)
    if found is None:
        raise InvalidRightsRequest(
            "no open notice is with this processor for this: see the request's notices"
        )
    return _replaced(request, attrs.evolve(found, answered_at=step.at, outcome="excused", reason=said.reason))


def refuse_open(request: RightsRequest) -> None:
    """Refuse to call a request done while a notice of it is open.

    Raises:
        InvalidRightsRequest: with how many were not told, or have not answered.
    """
    waiting = sum(notice.told_at is not None for notice in request.open_notices)
    untold = len(request.open_notices) - waiting
    if untold:
        raise InvalidRightsRequest(
            f"{untold} who have the data were not told: the request stays open until they are, or it is said why not"
        )
    if waiting:
        raise InvalidRightsRequest(
            f"{waiting} who were told have not answered: the request stays open until they do"
        )


def _named(step: RightsStep) -> Notice:
    if step.notice is None:
        raise InvalidRightsRequest("a notice names who was told, and what")
    return step.notice


def _replaced(request: RightsRequest, notice: Notice) -> RightsRequest:
    return attrs.evolve(
        request,
        notices=tuple(notice if one.open and _same(one, notice) else one for one in request.notices),
    )


def _same(one: Notice, other: Notice) -> bool:
    return (one.processor, one.what) == (other.processor, other.what)
