"""What caps count: contacts that an app tells of and contacts on the timeline, each once."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.consent import Cap, weigh
from crmcore.consent.decision import RANK
from crmcore.consent.facts import Attempt
from crmcore.consent.preferences import Verdict
from crmcore.interaction import Interaction, Participant
from crmcore.values.ids import InteractionId, PartyId
from crmcore.values.moment import Moment
from tests.consent.test_preferences import DAY, NOW, TICK, ask, wish

MINUTE = timedelta(minutes=1)
ANN = PartyId("p")
KINDS = {"email": "email", "sms": "sms", "post": "letter"}


def talk(at: Moment, kind: Any = "email", direction: Any = "outbound", **more: Any) -> Interaction:
    return Interaction(
        id=InteractionId("i"),
        kind=kind,
        direction=direction,
        participants=(Participant(party=ANN),),
        occurred_at=at,
        **more,
    )


def weighed(
    cap: Cap, attempts: list[Attempt], talks: list[Interaction], at: datetime = NOW, **asked: Any
) -> Verdict:
    return weigh(ask(at, **asked), [wish(caps=(cap,))], attempts=attempts, interactions=talks)


def until(last: datetime, per: str) -> datetime:
    """When a contact counts no more, as the calendar on a wall has it."""
    if per != "month":
        return last + {"day": DAY, "week": 7 * DAY}[per]
    year, month = last.year + last.month // 12, last.month % 12 + 1
    return last.replace(year=year, month=month, day=min(last.day, monthrange(year, month)[1]))


contacts = st.dictionaries(
    st.integers(-150, 6000),  # so many times eleven minutes ago: no two can be taken for one
    st.tuples(
        st.sampled_from(tuple(KINDS)),
        st.integers(-300, 300),
        st.sampled_from(("attempt", "talk", "both")),
    ),
    max_size=8,
)
caps = st.builds(
    Cap,
    most=st.integers(1, 3),
    per=st.sampled_from(("day", "week", "month")),
    channels=st.sampled_from(((), ("email",), ("email", "sms"))),
)


@given(contacts, caps, st.lists(st.integers(0, 60), max_size=2))
def test_each_contact_counts_once_whoever_tells_of_it(
    made: dict[int, tuple[Any, int, str]], cap: Cap, theirs: list[int]
) -> None:
    attempts: list[Attempt] = []
    talks = [talk(NOW - hours * DAY / 24, direction="inbound") for hours in theirs]
    spans: list[tuple[datetime, datetime]] = []
    for ago, (channel, skew, by) in made.items():
        at = other = NOW - ago * 11 * MINUTE
        if by != "talk":
            attempts.append(Attempt(at=at, channel=channel))
        if by != "attempt":
            other = at if by == "talk" else at + timedelta(seconds=skew)
            talks.append(talk(other, KINDS[channel]))
        if not cap.channels or channel in cap.channels:
            spans.append((min(at, other), until(max(at, other), cap.per)))

    def full(at: datetime) -> bool:
        return sum(first <= at < end for first, end in spans) >= cap.most

    verdict = weighed(cap, attempts, talks)
    assert (verdict.answer == "deny") is full(NOW)
    if full(NOW):
        assert verdict.retry_at == min(end for _, end in spans if end > NOW and not full(end))


@given(
    st.lists(st.tuples(st.sampled_from(("email", "sms")), st.integers(-5, 30)), max_size=6),
    st.lists(st.tuples(st.sampled_from(("email", "sms")), st.integers(-5, 30)), max_size=6),
    caps,
)
def test_neither_the_timeline_nor_the_app_takes_away_what_the_other_tells(
    told: list[tuple[Any, int]], stood: list[tuple[Any, int]], cap: Cap
) -> None:
    attempts = [Attempt(at=NOW - minutes * MINUTE, channel=channel) for channel, minutes in told]
    talks = [talk(NOW - minutes * MINUTE, channel) for channel, minutes in stood]
    both = RANK[weighed(cap, attempts, talks).answer]
    assert both <= min(RANK[weighed(cap, attempts, []).answer], RANK[weighed(cap, [], talks).answer])


def test_a_contact_counts_by_each_channel_that_it_may_have_been_by() -> None:
    told: list[tuple[dict[str, Any], set[str]]] = [
        ({"kind": "email"}, {"email"}),
        ({"kind": "letter", "direction": "broadcast"}, {"post"}),
        ({"kind": "letter", "channel": "fax"}, {"fax"}),
        ({"kind": "call"}, {"voice", "automated_call"}),
        ({"kind": "call", "channel": "the shop's line"}, {"voice", "automated_call"}),
        ({"kind": "chat"}, {"push", "in_app"}),
        ({"kind": "visit"}, set()),
        ({"kind": "other"}, {"email", "sms", "voice", "automated_call", "fax", "post", "push", "in_app"}),
    ]
    words = told[-1][1]
    for what, by in told:
        made = [talk(NOW - DAY, **what)]
        found = {
            word
            for word in words
            if weighed(Cap(most=1, per="week", channels=(word,)), [], made, channel=word).answer == "deny"
        }
        assert found == by, what
        assert weighed(Cap(most=1, per="week"), [], made).answer == "deny"
    for direction in ("inbound", "internal"):
        assert weighed(Cap(most=1, per="week"), [], [talk(NOW - DAY, direction=direction)]).answer == "allow"


def test_what_is_told_twice_is_one_contact_by_a_channel_that_it_may_have_been_by() -> None:
    twice = Cap(most=2, per="week")
    pairs: list[tuple[Any, str, str]] = [
        ("email", "email", "allow"),
        (None, "sms", "allow"),
        ("sms", "email", "deny"),
    ]
    for channel, kind, answer in pairs:
        assert (
            weighed(twice, [Attempt(at=NOW - DAY, channel=channel)], [talk(NOW - DAY, kind)]).answer == answer
        )
    told = [Attempt(at=NOW - DAY, channel="email")]
    assert weighed(twice, told, [talk(NOW - DAY), talk(NOW - DAY)]).answer == "deny"
    assert weighed(twice, told, [talk(NOW - DAY - 5 * MINUTE)]).answer == "allow"
    assert weighed(twice, told, [talk(NOW - DAY - 5 * MINUTE - TICK)]).answer == "deny"
    coming = [Attempt(at=NOW + MINUTE, channel="email")]
    once = weighed(Cap(most=1, per="week"), coming, [talk(NOW)])
    assert (once.answer, once.retry_at) == ("deny", NOW + MINUTE + 7 * DAY)


@pytest.mark.parametrize("told", [False, True])
def test_a_contact_on_a_day_counts_from_its_first_instant_anywhere_until_its_last(told: bool) -> None:
    """The 1st of May is somewhere from the 30th of April at 10:00 UTC until the 2nd at 12:00 UTC."""
    first, last = datetime(2026, 4, 30, 10, tzinfo=UTC), datetime(2026, 5, 2, 12, tzinfo=UTC)
    attempts = [Attempt(at=last - DAY)] if told else []
    made = [talk(date(2026, 5, 1))]
    daily = Cap(most=1, per="day")
    begins, ends = (last - DAY, last) if told else (first, last + DAY)
    for at, answer in ((begins - TICK, "allow"), (begins, "deny"), (ends - TICK, "deny"), (ends, "allow")):
        assert weighed(daily, attempts, made, at).answer == answer
    assert weighed(daily, attempts, made, begins - TICK).expires_at == begins
    assert weighed(daily, attempts, made, begins).retry_at == ends


def test_a_contact_on_a_day_was_not_after_it_was_recorded() -> None:
    noon = datetime(2026, 5, 4, 12, tzinfo=UTC)
    for recorded, last in ((noon, noon), (noon + 9 * DAY, noon + DAY)):
        made = [talk(noon.date(), recorded_at=recorded)]
        assert weighed(Cap(most=1, per="week"), [], made).retry_at == last + 7 * DAY
