"""Caps count what stands on the timeline, of all records of the customer, beside what the app tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest

from crmcore import Crm
from crmcore.app import contacts_since
from crmcore.consent import Attempt, Cap, Facts, Wished
from crmcore.interaction import Interaction
from crmcore.storage import MemoryStore
from tests.app.houses import START, Clock, in_memory
from tests.app.test_consents import OURS, person
from tests.app.test_preferences import ASKED, DAY, WEEKLY
from tests.consent.asking import PRACTICE

HOUR = timedelta(hours=1)
TOLD: Any = {"message": PRACTICE.marketing, "facts": Facts(point=PRACTICE.point)}


def capped(crm: Crm, *addresses: str, wished: Wished = WEEKLY) -> list[Any]:
    """The records of one customer who agreed and wished."""
    records = [person(crm, address) for address in addresses]
    for one in records:
        crm.consent.record("give", one.id, **OURS)
    for other in records[1:]:
        crm.identity.merge(records[0].id, other.id)
    crm.preferences.record(records[0].id, wished)
    return [one.id for one in records]


def wrote(crm: Crm, *with_: Any, ago: timedelta = DAY, kind: Any = "email", **more: Any) -> Interaction:
    more = {"direction": "outbound", "occurred_at": START - ago, **more}
    return crm.interactions.record(kind, with_=list(with_), **more)


def heard(crm: Crm, ref: str, **more: Any) -> Any:
    """The decision about one customer, which is that of the audience."""
    found = crm.preferences.decide(ref, **ASKED, **more)
    (member,) = crm.preferences.audience([ref], **ASKED, **more)
    assert member.decision is not None
    assert (member.decision.answer, member.decision.retry_at) == (found.answer, found.retry_at)
    return found


def test_a_cap_counts_the_timelines_of_all_records_as_they_stand(crm: Crm) -> None:
    ann, lee = capped(crm, "ann@x.org", "ann@x.org", wished=Wished(caps=(Cap(most=2, per="week"),)))
    wrote(crm, ann, direction="inbound")
    first = wrote(crm, ann, lee)
    assert heard(crm, ann, **TOLD).answer == "allow"  # one contact, with both of them
    second = wrote(crm, lee, ago=2 * DAY)
    full = heard(crm, ann, **TOLD)
    assert (full.answer, full.rule, full.retry_at) == ("deny", "wish.frequency", START + 5 * DAY)
    assert {str(first.id), str(second.id)} < {because for hit in full.trace for because in hit.because}
    assert crm.consent.decide(ann, **ASKED, **TOLD).answer == "allow"
    second = crm.interactions.correct(second.id, reason="the year before", occurred_at=START - 360 * DAY)
    assert heard(crm, ann, **TOLD).answer == "allow"
    second = crm.interactions.correct(second.id, reason="no", occurred_at=START - 6 * DAY)
    assert heard(crm, ann, **TOLD).retry_at == START + DAY
    crm.interactions.retract(second.id, reason="never sent")
    assert heard(crm, ann, **TOLD).answer == "allow"


def test_what_the_app_tells_and_the_timeline_shows_is_counted_once() -> None:
    crm = in_memory(practice=PRACTICE)
    (ann,) = capped(crm, "ann@x.org", wished=Wished(caps=(Cap(most=2, per="week", channels=("email",)),)))
    wrote(crm, ann)
    wrote(crm, ann, kind="call")
    same = Facts(attempts=(Attempt(at=START - DAY + timedelta(seconds=40), channel="email"),))
    assert heard(crm, ann, facts=same).answer == "allow"
    other = Facts(attempts=(Attempt(at=START - DAY + HOUR, channel="email"),))
    assert heard(crm, ann, facts=other).retry_at == START + 6 * DAY


def test_a_batch_knows_of_the_message_that_it_records() -> None:
    crm = in_memory(practice=PRACTICE)
    (ann,) = capped(crm, "ann@x.org")
    with crm.batch() as b:
        assert b.preferences.decide(ann, **ASKED).answer == "allow"
        soon = START + timedelta(minutes=4)  # by a clock that is fast
        b.interactions.record("email", direction="outbound", occurred_at=soon, with_=ann)
        assert b.preferences.decide(ann, **ASKED).answer == "deny"


def test_an_instant_that_is_asked_about_has_its_own_week_and_knows_what_was_known() -> None:
    clock = Clock()
    crm = in_memory(practice=PRACTICE, clock=clock)
    (ann,) = capped(crm, "ann@x.org")
    clock.now += 20 * DAY
    before = clock.now
    clock.now += HOUR
    sent = wrote(crm, ann, ago=-10 * DAY)
    for days, answer in ((9, "allow"), (10, "deny"), (16, "deny"), (17, "allow")):
        assert heard(crm, ann, at=START + days * DAY).answer == answer
    assert heard(crm, ann, at=START + 9 * DAY).expires_at == START + 10 * DAY
    known = clock.now
    assert heard(crm, ann, at=START + 12 * DAY, known_at=before).answer == "allow"
    clock.now += HOUR
    crm.interactions.correct(sent.id, reason="it came in", direction="inbound")
    assert heard(crm, ann, at=START + 12 * DAY, known_at=known).answer == "deny"
    assert heard(crm, ann, at=START + 12 * DAY).answer == "allow"
    lee = person(crm, "lee@x.org")
    sent, known = wrote(crm, lee.id, ago=-10 * DAY), clock.now
    crm.interactions.reassign(sent.id, from_=lee.id, to=ann, reason="mixed up")
    assert heard(crm, ann, at=START + 12 * DAY, known_at=known).answer == "allow"
    assert heard(crm, ann, at=START + 12 * DAY).answer == "deny"


def test_the_timeline_is_read_of_whom_a_cap_is_about_and_no_further_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crm = in_memory(practice=PRACTICE)
    read: list[Iterable[Any]] = []
    real: Callable[..., Any] = MemoryStore.range

    def noted(self: Any, tenant: Any, namespace: str, *rest: Any, **more: Any) -> Any:
        page = real(self, tenant, namespace, *rest, **more)
        read.extend([page.items] if namespace == "timeline" else [])
        return page

    monkeypatch.setattr(MemoryStore, "range", noted)
    monkeypatch.setattr(contacts_since, "_PAGE", 2)
    wishes = (
        Wished(channels=("email",)),
        Wished(caps=()),
        Wished(caps=(Cap(most=9, per="day", channels=("sms",)),)),
        Wished(caps=(Cap(most=9, per="day"),)),
    )
    for number, wished in enumerate(wishes):
        (ref,) = capped(crm, f"p{number}@x.org", wished=wished)
        for days in range(10):
            wrote(crm, ref, ago=days * DAY)
    crm.preferences.record(ref, Wished(caps=(Cap(most=1, per="month"),)), purposes=["research"])
    assert [one.allowed for one in crm.preferences.audience(**ASKED)] == [True] * 4
    assert [len(list(items)) for items in read] == [2, 1]
    crm.preferences.record(ref, Wished(caps=(Cap(most=3, per="day"),)), purposes=["marketing"])
    assert crm.preferences.decide(ref, **ASKED).answer == "allow"
    crm.preferences.record(ref, Wished(caps=(Cap(most=3, per="week"),)))
    assert crm.preferences.decide(ref, **ASKED).answer == "deny"
