"""A decision in words.

Invariant: every line says what a person can act on: a rule with its citation, or what to find out; no value of a fact
that is personal is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from crmcore.consent.wording import asked

if TYPE_CHECKING:
    from crmcore.consent.decision import Decision

ANSWERS = {"allow": "Yes", "deny": "No", "need_confirmation": "Not yet"}
CHANNELS = {
    "email": "e-mail",
    "voice": "phone",
    "automated_call": "automated call",
    "sms": "text message",
    "in_app": "a note in the app",
    "push": "a note on the device",
}

NO_PACK = "no pack speaks of "
"""How a reason begins that tells of a place which no pack knows."""


STATED, INFERRED = "stated by the person", "inferred of the person"
"""Whose wish a reason tells of, in place of a citation."""

RECORDED = "the record itself"
"""What a reason goes by which comes of what is recorded of somebody, in place of a citation."""


class Explanation(NamedTuple):
    """The parts of an explanation. *main* is what decides, *more* what stands beside it or came *near*."""

    answer: str
    about: str
    law: str
    notes: tuple[str, ...]
    main: str
    more: tuple[str, ...]
    near: bool
    missing: tuple[str, ...]
    own: tuple[str, ...]
    retry_at: str | None
    expires_at: str | None


def explained(decision: Decision) -> Explanation:
    """What there is to tell of a decision, in words."""
    permitted = decision.rule is not None
    notes = [
        line for line in decision.reasons if line.startswith(NO_PACK) or (not permitted and _of_no_law(line))
    ]
    main, *more = (line for line in decision.reasons if line not in notes)
    if not permitted:
        main = "Nothing permits it." if more else "Nothing permits it, and nothing came near."
    return Explanation(
        answer=f"{ANSWERS[decision.answer]} ({decision.answer})",
        about=about(decision.purpose, decision.channel),
        law=law_of(decision.jurisdiction),
        notes=tuple(notes),
        main=main,
        more=tuple(more),
        near=not permitted,
        missing=tuple(asked(name) for name in decision.missing),
        own=tuple(asked(name) for name in _own(decision)),
        retry_at=None if decision.retry_at is None else moment(decision.retry_at),
        expires_at=None if decision.expires_at is None else moment(decision.expires_at),
    )


def _of_no_law(line: str) -> bool:
    return line.endswith((f"({STATED})", f"({INFERRED})", f"({RECORDED})"))


def in_words(decision: Decision) -> Iterator[str]:
    """The lines of an explanation."""
    told = explained(decision)
    yield f"{told.answer}: {told.about}, by {told.law}"
    yield from (f"  Note: {line}" for line in told.notes)
    yield f"  {told.main}"
    if told.near and told.more:
        yield "  What came near:"
    yield from (f"  - {line}" for line in told.more)
    if told.missing:
        yield "  To be found out:"
        yield from (f"  - {line}" for line in told.missing)
    if told.own:
        yield "  Taken from your own practice:"
        yield from (f"  - {line}" for line in told.own)
    if told.retry_at is not None:
        yield f"  Possible again from {told.retry_at}"
    if told.expires_at is not None:
        yield f"  To be asked again from {told.expires_at}"


def about(purpose: str, channel: str) -> str:
    """What is asked for.

    >>> about("legal_notice", "voice")
    'legal notice by phone'
    """
    return f"{purpose.replace('_', ' ')} by {CHANNELS.get(channel, channel)}"


def law_of(jurisdiction: str) -> str:
    """Whose rules they are. Countries are written in capitals, rules beside the law in small letters."""
    if jurisdiction == "*":
        return "the strict baseline"
    if jurisdiction.islower():
        return f"the rules of {jurisdiction.replace('_', ' ')}"
    return f"the law of {jurisdiction}"


def moment(when: datetime) -> str:
    """An instant, to the second, with its zone."""
    return f"{when:%Y-%m-%d %H:%M:%S %Z}".strip()


def _own(decision: Decision) -> list[str]:
    """The facts from the practice that some rule looked at."""
    looked_at = {name for hit in decision.trace for name in hit.because}
    return [name for name in decision.practice if name in looked_at]
