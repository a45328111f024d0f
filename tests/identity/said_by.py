"""Parties, people and judgements for the tests of identity, with ids that are fixed and in order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from crmcore.identity.identity_events import Verdict
from crmcore.identity.judgement import Judgement, Retraction, judge
from crmcore.values.ids import Ids, JudgementId, PartyId
from crmcore.values.source import Actor

ME = Actor(kind="person", id="me")
MODEL = Actor(kind="model", id="rules/1")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

_ids = Ids(lambda: 1_750_000_000_000, lambda bits: 0)
PARTIES = tuple(_ids.new(PartyId) for _ in range(1200))
_JUDGEMENTS = tuple(_ids.new(JudgementId) for _ in range(1200))


def said(number: int, a: int, b: int, verdict: Verdict, *, minutes: int = 0, **facts: Any) -> Judgement:
    """Judgement *number*: a person's verdict on two of `PARTIES`."""
    return judge(
        id=_JUDGEMENTS[number],
        a=PARTIES[a],
        b=PARTIES[b],
        verdict=verdict,
        actor=facts.pop("actor", ME),
        recorded_at=NOON + timedelta(minutes=minutes),
        **facts,
    )


def guessed(
    number: int, a: int, b: int, verdict: Verdict = "same", *, minutes: int = 0, **facts: Any
) -> Judgement:
    """Judgement *number*: a model's verdict on two of `PARTIES`."""
    return said(number, a, b, verdict, minutes=minutes, actor=MODEL, model="rules/1", **facts)


def back(judgement: Judgement) -> Judgement:
    """The judgement, taken back."""
    return judgement.retract(Retraction(actor=ME, at=NOON + timedelta(days=1), reason="looked again"))
