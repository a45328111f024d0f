"""A decision in words.

Invariant: every line says what a person can act on: a rule with its citation, or what to find out; no value of a fact
that is personal is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

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


def in_words(decision: Decision) -> Iterator[str]:
    """The lines of an explanation."""
    way = CHANNELS.get(decision.channel, decision.channel)
    whose = _whose(decision.jurisdiction)
    yield (
        f"{ANSWERS[decision.answer]} ({decision.answer}): {decision.purpose.replace('_', ' ')} by {way}, by {whose}"
    )
    yield from _why(decision)
    if decision.missing:
        yield "  To be found out:"
        yield from (f"  - {asked(name)}" for name in decision.missing)
    if own := _own(decision):
        yield "  Taken from your own practice:"
        yield from (f"  - {asked(name)}" for name in own)
    if decision.retry_at is not None:
        yield f"  Possible again from {_moment(decision.retry_at)}"
    if decision.expires_at is not None:
        yield f"  To be asked again from {_moment(decision.expires_at)}"


def _why(decision: Decision) -> Iterator[str]:
    yield from (f"  Note: {line}" for line in decision.reasons if line.startswith(NO_PACK))
    main, *more = (line for line in decision.reasons if not line.startswith(NO_PACK))
    if decision.rule is None:
        yield "  Nothing permits it." if more else "  Nothing permits it, and nothing came near."
        if more:
            yield "  What came near:"
            yield from (f"  - {line}" for line in more)
        return
    yield f"  {main}"
    yield from (f"  - {line}" for line in more)


def _whose(jurisdiction: str) -> str:
    """Whose rules decide. Countries are written in capitals, rules beside the law in small letters."""
    if jurisdiction == "*":
        return "the strict baseline"
    if jurisdiction.islower():
        return f"the rules of {jurisdiction.replace('_', ' ')}"
    return f"the law of {jurisdiction}"


def _own(decision: Decision) -> list[str]:
    """The facts from the practice that some rule looked at."""
    looked_at = {name for hit in decision.trace for name in hit.because}
    return [name for name in decision.practice if name in looked_at]


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}".strip()
