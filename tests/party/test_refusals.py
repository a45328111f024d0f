"""No refusal of the rooms below the app quotes what it refuses, in its message, its cause or its context."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import CrmError
from crmcore.interaction import Interaction, Participant, corrected, reassigned
from crmcore.party import (
    Anonymous,
    EmailPoint,
    Extra,
    Household,
    Organization,
    Person,
    PhonePoint,
    PostalPoint,
    Relationship,
)
from crmcore.values.identifier import Identifier
from crmcore.values.period import Period
from crmcore.values.source import Actor, Source
from tests.party.strategies import PARTIES
from tests.values.strategies import HOSTILE

ANN = Person.of("Ann Lee", email="ann@x.org")
CALL = Interaction(
    kind="call",
    direction="inbound",
    occurred_at=date(2026, 1, 1),
    participants=(Participant(party=PARTIES[0]),),
)
NOW = datetime(2026, 1, 1, tzinfo=UTC)

CALLS: dict[str, Callable[[Any], Any]] = {
    "person name": lambda text: Person.of(text + "\ud800"),
    "birth date": lambda text: Person.of("Ann Lee", birth_date=text),
    "organization name": lambda text: Organization.of(text * 300),
    "household": lambda text: Household(label="", zone=text),
    "anonymous": lambda text: Anonymous(key="", zone=text),
    "tags": lambda text: ANN.changed(tags=text),
    "standing": lambda text: ANN.changed(standing=text),
    "observed": lambda text: ANN.changed(observed={"names": text}),
    "observed at": lambda text: ANN.changed(observed_at=text),
    "field": lambda text: ANN.changed(nickname=text),
    "without": lambda text: ANN.without(text),
    "same address twice": lambda text: ANN.changed(contact_points=(EmailPoint.of(text),) * 2),
    "status": lambda text: EmailPoint.of("ann@x.org", status=text),
    "uses": lambda text: PhonePoint.of("112", uses={text}),
    "rank": lambda text: PostalPoint.of("1 High Street", rank=text),
    "identifier scheme": lambda text: Identifier(f"? {text}", "1"),
    "identifier": lambda text: Identifier("lei", text * 300),
    "source": lambda text: Source(text * 300, text),
    "actor": lambda text: Actor(kind=text, id="1"),
    "extra": lambda text: ANN.with_extra(Extra("size", int), text),
    "relationship": lambda text: Relationship(type=text, from_=PARTIES[0], to=PARTIES[0], note=text),
    "valid": lambda text: Relationship(type="employment", from_=PARTIES[0], to=PARTIES[1], valid=text),
    "period": lambda text: Period(text, None),
    "kind": lambda text: corrected(CALL, reason="", changes={"kind": text}),
    "direction": lambda text: corrected(CALL, reason="", changes={"direction": text}),
    "role": lambda text: Participant(address=text, role=text),
    "occurred": lambda text: corrected(CALL, reason="", changes={"occurred_at": text}),
    "nobody": lambda text: corrected(CALL, reason="", changes={"participants": (), "subject": text}),
    "ours": lambda text: corrected(CALL, reason="", changes={"root": text}),
    "reassigned": lambda text: reassigned(CALL, from_=text, to=PARTIES[1], reason=text),
}


def told(error: BaseException) -> str:
    """Everything that a log would show of an error and of those behind it."""
    texts: list[str] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        found = waiting.pop()
        if found is not None:
            texts += [str(found), repr(found), repr(found.args), *getattr(found, "__notes__", [])]
            texts += [str(item) for item in vars(found).values()]
            waiting += [found.__cause__, found.__context__]
    return "\n".join(texts)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_a_refusal_does_not_quote_what_it_refuses(call: Callable[[Any], Any]) -> None:
    secret = "canary-4711"
    with pytest.raises((CrmError, TypeError, ValueError, AttributeError)) as raised:
        call(secret)
    assert secret not in told(raised.value)


@settings(max_examples=100)
@given(st.sampled_from(sorted(CALLS)), st.sampled_from(HOSTILE))
def test_hostile_texts_are_taken_or_refused_and_never_quoted(name: str, hostile: str) -> None:
    refusal: BaseException | None = None
    try:
        CALLS[name](f"canary-4711{hostile}")
    except (CrmError, TypeError, ValueError, AttributeError) as error:
        refusal = error
    assert refusal is None or "canary-4711" not in told(refusal)
