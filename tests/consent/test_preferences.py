"""Wishes: they only ever deny, a statement stands before a guess, and all contacts of a customer count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.consent import Cap, QuietHours, Wish, Wished, under_wishes, weigh
from crmcore.consent.case import instant
from crmcore.consent.decision import RANK, Decision
from crmcore.consent.facts import Attempt
from crmcore.consent.preferences import Verdict
from crmcore.consent.request import Request
from crmcore.consent.wishes import CODECS, in_force
from crmcore.errors import InvalidConsent
from crmcore.values.language import Language

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
NIGHT = QuietHours(begin="22:00", end="07:00")
WEEKLY = Cap(most=2, per="week")


def wish(id: str = "w", at: datetime = NOW - 30 * DAY, **said: Any) -> Wish:
    return Wish(**{"id": id, "record": "one", "said_at": at, **said})


def ask(at: datetime = NOW, **said: Any) -> Request:
    return Request(**{"controller": "acme", "channel": "email", "purpose": "marketing", "at": at, **said})


def contacts(*days: float) -> list[Attempt]:
    return [Attempt(at=NOW - timedelta(days=ago), channel="email") for ago in days]


def test_the_contact_that_is_one_too_many_waits_until_the_oldest_is_a_week_ago() -> None:
    assert weigh(ask(), [wish(caps=(WEEKLY,))], attempts=contacts(1)).answer == "allow"
    full = weigh(ask(), [wish(caps=(WEEKLY,))], attempts=contacts(1, 3, 20))
    assert full.answer == "deny"
    assert full.hits[0].stage == "cap"
    assert weigh(ask(), [wish(caps=(WEEKLY,))], attempts=contacts(1, 3, 5)).expires_at == NOW + 4 * DAY
    free = NOW + 4 * DAY
    assert full.retry_at == free
    assert weigh(ask(free), [wish(caps=(WEEKLY,))], attempts=contacts(1, 3, 20)).answer == "allow"
    assert weigh(ask(free - TICK), [wish(caps=(WEEKLY,))], attempts=contacts(1, 3, 20)).answer == "deny"


def test_a_month_is_one_of_the_calendar() -> None:
    sent = [Attempt(at=datetime(2026, 1, 31, 12, tzinfo=UTC))]
    monthly = [wish(at=datetime(2026, 1, 1, tzinfo=UTC), caps=(Cap(most=1, per="month"),))]
    verdict = weigh(ask(datetime(2026, 2, 1, tzinfo=UTC)), monthly, attempts=sent)
    assert verdict.retry_at == datetime(2026, 2, 28, 12, tzinfo=UTC)


def test_contacts_of_all_records_count_and_one_that_two_tell_of_is_one() -> None:
    one, two = contacts(1), contacts(2)
    assert weigh(ask(), [wish(caps=(WEEKLY,))], attempts=[*one, *two]).answer == "deny"
    assert weigh(ask(), [wish(caps=(WEEKLY,))], attempts=[*one, *one]).answer == "allow"
    calls = [wish(caps=(Cap(most=1, per="day", channels={"voice"}),))]
    assert weigh(ask(), calls, attempts=[Attempt(at=NOW, channel="voice")]).answer == "allow"
    assert weigh(ask(channel="voice"), calls, attempts=[Attempt(at=NOW, channel="voice")]).answer == "deny"
    assert weigh(ask(channel="voice"), calls, attempts=contacts(0.1)).answer == "allow"
    assert weigh(ask(channel="voice"), calls, attempts=[Attempt(at=NOW)]).answer == "deny"


@pytest.mark.parametrize(
    ("clock", "denied"), [("21:59:59", False), ("22:00", True), ("06:59:59", True), ("07:00", False)]
)
def test_quiet_hours_hold_to_the_second_on_the_clock_of_the_person(clock: str, denied: bool) -> None:
    at = datetime.fromisoformat(f"2026-05-04T{clock}").replace(tzinfo=ZoneInfo("Europe/Berlin"))
    verdict = weigh(ask(at), [wish(quiet=(NIGHT,))], zones=["Europe/Berlin"])
    assert (verdict.answer == "deny") is denied


def test_it_is_quiet_where_it_may_be_quiet_and_asked_where_nobody_knows() -> None:
    noon = [wish(quiet=(QuietHours(begin="13:30", end="14:30"),))]
    assert weigh(ask(), noon, zones=["Europe/London"]).answer == "allow"
    assert weigh(ask(), noon, zones=["Europe/London", "Europe/Berlin"]).answer == "deny"
    unknown = weigh(ask(), noon)
    assert (unknown.answer, unknown.missing) == ("need_confirmation", ("facts.zones",))
    theirs = [wish(quiet=(QuietHours(begin="13:30", end="14:30", zone="Europe/Berlin"),))]
    assert weigh(ask(), theirs, zones=["Europe/London"]).answer == "deny"
    assert weigh(ask(hours="not_at_issue"), theirs).answer == "allow"


def test_quiet_days_begin_on_their_day_and_go_on_over_midnight() -> None:
    friday = [wish(quiet=(QuietHours(begin="22:00", end="07:00", days={"fri"}),))]
    answers = [
        weigh(ask(datetime(2026, 5, day, hour, tzinfo=UTC)), friday, zones=["UTC"]).answer
        for day, hour in ((7, 23), (8, 6), (8, 23), (9, 6), (9, 8), (9, 23))
    ]
    assert answers == ["allow", "allow", "deny", "deny", "allow", "allow"]
    always = [wish(quiet=(QuietHours(begin="00:00", end="00:00"),))]
    assert weigh(ask(), always, zones=["UTC"]).retry_at is None


@given(
    st.integers(0, 2 * 24 * 60),
    st.sampled_from(((2026, 3, 28), (2026, 10, 24), (2026, 6, 1))),
    st.sampled_from(("01:30", "02:10", "02:30", "03:00", "22:00")),
    st.sampled_from(("02:20", "02:59", "03:30", "07:00", "23:00")),
)
def test_a_denial_ends_at_the_instant_that_is_named_and_not_before(
    minutes: int, day: tuple[int, int, int], begin: str, end: str
) -> None:
    at = datetime(*day, tzinfo=UTC) + timedelta(minutes=minutes)
    wishes, zones = [wish(at=at - DAY, quiet=(QuietHours(begin=begin, end=end),))], ["Europe/Berlin"]
    found = weigh(ask(at), wishes, zones=zones)
    assert found.expires_at is not None
    assert weigh(ask(found.expires_at - TICK), wishes, zones=zones).answer == found.answer
    assert weigh(ask(found.expires_at), wishes, zones=zones).answer != found.answer
    if found.answer == "deny":
        assert found.retry_at == found.expires_at


def test_hours_and_numbers_together_end_when_neither_stands() -> None:
    both = [wish(caps=(Cap(most=1, per="day"),), quiet=(NIGHT,))]
    sent = [Attempt(at=datetime(2026, 5, 4, 1, tzinfo=UTC))]
    verdict = weigh(ask(), both, attempts=sent, zones=["UTC"])
    assert verdict.retry_at == datetime(2026, 5, 5, 7, tzinfo=UTC)


def test_channels_topics_and_languages_deny_and_no_time_helps() -> None:
    cases: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
        ({"channels": {"sms"}}, {}),
        ({"only_topics": {"news"}}, {"topic": "offers"}),
        ({"only_topics": {"news"}}, {}),
        ({"no_topics": {"offers"}}, {"topic": "offers"}),
        ({"no_topics": {"offers"}}, {}),
    )
    for said, changes in cases:
        verdict = weigh(ask(**changes), [wish(**said)])
        assert (verdict.answer, verdict.hits[0].stage, verdict.retry_at) == ("deny", "policy", None)
    assert weigh(ask(topic="news"), [wish(only_topics={"news"}, no_topics={"offers"})]).answer == "allow"
    german = [wish(language=Language("de"))]
    assert weigh(ask(), german).language == Language("de")
    assert weigh(ask(), german, language=Language("de-AT")).answer == "allow"
    assert weigh(ask(), german, language=Language("fr")).answer == "deny"


def test_a_receipt_comes_whatever_is_wished_unless_it_is_named() -> None:
    wishes = [wish(channels={"sms"}, caps=(Cap(most=1, per="day"),))]
    assert weigh(ask(purpose="transactional"), wishes, attempts=contacts(0)).answer == "allow"
    assert weigh(ask(purpose="service"), wishes).answer == "deny"
    assert (
        weigh(ask(purpose="transactional"), [wish(channels={"sms"}, purposes={"transactional"})]).answer
        == "deny"
    )
    assert weigh(ask(), [wish(channels={"sms"}, controller="other")]).answer == "allow"


def test_what_was_stated_stands_before_what_was_inferred_later() -> None:
    stated = wish("s", channels={"email"})
    inferred = wish("i", NOW - DAY, basis="inferred", channels={"sms"})
    assert weigh(ask(), [inferred]).answer == "deny"
    assert weigh(ask(), [stated, inferred]).answer == "allow"
    assert list(in_force([inferred, stated], "channels", NOW, controller="acme")) == [stated]
    assert list(in_force([inferred, stated], "channels", stated.said_at - TICK, controller="acme")) == []


def test_a_later_wish_replaces_an_earlier_one_and_an_empty_one_ends_it() -> None:
    first, then = wish("a", channels={"sms"}), wish("b", NOW - DAY, channels=())
    assert weigh(ask(), [then, first]).answer == "allow"
    assert weigh(ask(), [then, of_another(first)]).answer == "deny"
    narrow = wish("b", NOW - DAY, channels=(), purposes={"research"})
    assert weigh(ask(), [narrow, first]).answer == "deny"


def of_another(one: Wish) -> Wish:
    return wish(one.id, one.said_at, channels=one.channels, record="two")


def test_a_wish_about_what_a_message_is_taken_for_holds_whatever_it_is_sent_as() -> None:
    receipt = ask(purpose="transactional")
    wishes = [wish(channels={"sms"}), wish("later", NOW - DAY, channels=(), purposes={"transactional"})]
    assert weigh(receipt, wishes).answer == "allow"
    assert weigh(receipt, wishes, taken_for="marketing").answer == "deny"
    assert weigh(ask(), wishes, taken_for="transactional").answer == "deny"


def test_a_later_wish_about_less_replaces_an_earlier_one_there_alone() -> None:
    wishes = [
        wish(channels={"sms"}),
        wish("b", NOW - DAY, channels=(), purposes={"service"}, controller="acme"),
    ]
    answers = [
        weigh(ask(purpose=purpose, controller=controller), wishes).answer
        for purpose, controller in (("service", "acme"), ("marketing", "acme"), ("service", "other"))
    ]
    assert answers == ["allow", "deny", "deny"]


def test_an_answer_about_the_past_lasts_until_the_next_wish() -> None:
    night = wish("b", NOW + DAY, quiet=(QuietHours(begin="00:00", end="00:00"),))
    found = weigh(ask(), [night], zones=["UTC"])
    assert (found.answer, found.expires_at) == ("allow", NOW + DAY)
    none = wish("c", NOW + 2 * DAY, quiet=())
    waiting = weigh(ask(NOW + DAY), [night, none], zones=["UTC"])
    assert (waiting.answer, waiting.retry_at) == ("deny", NOW + 2 * DAY)


def test_hours_in_a_zone_that_there_is_not_are_those_of_where_the_person_is() -> None:
    """As they may stand in a store, of another system."""
    lost = [wish(quiet=(QuietHours(begin="13:30", end="14:30", zone="Mars/Olympus"),))]
    assert weigh(ask(), lost).missing == ("facts.zones",)
    assert weigh(ask(), lost, zones=["Europe/Berlin"]).answer == "deny"
    assert weigh(ask(), lost, zones=["Europe/London"]).answer == "allow"


def test_hours_are_worked_out_once_a_day_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where clocks change, and where the hours of one end when those of the next begin."""
    hours = [f"{n:02d}:00" for n in range(24)]
    many = [
        wish(quiet=[QuietHours(begin=a, end=b) for a, b in zip(hours, [*hours[1:], "00:00"], strict=True)])
    ]
    worked_out: list[Any] = []

    def noted(*of: Any) -> int:
        worked_out.append(of)
        return instant(*of)

    monkeypatch.setattr("crmcore.consent.preferences.instant", noted)
    found = weigh(ask(datetime(2026, 10, 24, 12, tzinfo=UTC)), many, zones=["Europe/Berlin"])
    assert (found.answer, found.retry_at) == ("deny", None)
    assert len(worked_out) <= 24 * 6 * 33  # days


@pytest.mark.parametrize(
    "wrong",
    [
        {"no_topics": "news"},
        {"only_topics": "news"},
        {"channels": "email"},
        {"caps": WEEKLY},
        {"caps": ["x"]},
        {"caps": [WEEKLY] * 51},
        {"quiet": NIGHT},
        {"quiet": ["22:00"]},
        *(
            {name: [topic]}
            for name in ("no_topics", "only_topics")
            for topic in (1, "", "news\nand more", "\u202e")
        ),
    ],
)
def test_what_is_no_list_of_what_it_should_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidConsent):
        Wished(**wrong)
    if isinstance(next(iter(wrong.values())), str):
        with pytest.raises(InvalidConsent):
            wish(**wrong)


basis = st.sampled_from(("stated", "inferred"))
wishes_of = st.builds(
    lambda number, record, basis, days, what: wish(
        f"w{number}", NOW - timedelta(days=days), record=record, basis=basis, **what
    ),
    st.integers(0, 10_000),
    st.sampled_from(("one", "two", "three")),
    basis,
    st.integers(0, 60),
    st.sampled_from(
        (
            {"channels": ("sms",)},
            {"channels": ("email",)},
            {"channels": ()},
            {"caps": (Cap(most=1, per="week"),)},
            {"caps": ()},
            {"quiet": (QuietHours(begin="11:00", end="13:00"),)},
            {"no_topics": ("offers",)},
        )
    ),
)


@given(
    st.lists(wishes_of, max_size=8), st.lists(st.floats(0, 20), max_size=3), st.sampled_from((None, "offers"))
)
def test_no_merge_makes_a_wish_go_away(wishes: list[Wish], ago: list[float], topic: str | None) -> None:
    """What is denied of one record alone is denied of the customer, whose records have just become one."""
    sent = contacts(*ago)
    joined = dict.fromkeys(("one", "two", "three"), NOW + TICK)
    together = weigh(ask(topic=topic), wishes, attempts=sent, zones=["UTC"], joined=joined)
    alone = [
        weigh(
            ask(topic=topic), [one for one in wishes if one.record == record], attempts=sent, zones=["UTC"]
        ).answer
        for record in joined
    ]
    assert RANK[together.answer] == min(RANK[answer] for answer in alone)


def test_after_a_merge_a_statement_counts_for_all_records() -> None:
    joined = {"one": NOW - 10 * DAY, "two": NOW - 10 * DAY}
    old, new = wish("a", record="two", channels={"sms"}), wish("b", NOW - DAY, channels={"email"})
    assert weigh(ask(), [old, new], joined=joined).answer == "allow"
    assert weigh(ask(), [old, new], joined={**joined, "two": NOW}).answer == "deny"


def decided(answer: Any, retry_at: datetime | None = None) -> Decision:
    return Decision(
        answer=answer,
        purpose="marketing",
        channel="email",
        jurisdiction="DE",
        rule="law",
        reasons=("the law",),
        retry_at=retry_at,
    )


@given(
    st.sampled_from(("allow", "deny", "need_confirmation")), st.lists(wishes_of, max_size=4), st.booleans()
)
def test_wishes_only_ever_deny(answer: Any, wishes: list[Wish], soon: bool) -> None:
    decision = decided(answer, NOW + DAY if soon and answer == "deny" else None)
    verdict = weigh(ask(), wishes, attempts=contacts(1), zones=["UTC"])
    both = under_wishes(decision, verdict)
    assert RANK[both.answer] == min(RANK[answer], RANK[verdict.answer])
    if verdict.answer == "allow":
        assert (both.answer, both.rule, both.reasons) == (answer, "law", ("the law",))
    if both.answer != answer:
        assert both.rule is not None
        assert both.rule.startswith("wish.")
        assert both.reasons[0].endswith(("stated by the person)", "inferred of the person)"))


def test_a_denial_by_both_ends_at_the_first_instant_at_which_neither_denies() -> None:
    night = [wish(quiet=(NIGHT,))]
    at = datetime(2026, 5, 4, 23, tzinfo=UTC)
    law = {False: decided("allow"), True: decided("deny", datetime(2026, 5, 5, 23, tzinfo=UTC))}

    def both(when: datetime) -> tuple[Decision, Verdict]:
        forbidden = when < datetime(2026, 5, 5, 23, tzinfo=UTC)
        return law[forbidden], weigh(ask(when), night, zones=["UTC"])

    found = under_wishes(*both(at), again=both)
    assert found.retry_at == datetime(2026, 5, 6, 7, tzinfo=UTC)
    assert under_wishes(decided("deny"), both(at)[1], again=both).retry_at is None


def test_a_wish_is_stored_and_read_as_it_was_and_shows_nothing() -> None:
    said = wish(caps=(WEEKLY,), quiet=(NIGHT,), language=Language("de-AT"), no_topics={"clinic"})
    (codec,) = CODECS
    assert codec.load(codec.dump(said)) == said
    assert "clinic" not in repr(said)
    for begin in ("25:00", "ten", "22:00+01:00"):
        with pytest.raises(InvalidConsent):
            QuietHours(begin=begin, end="07:00")
    for odd in (0, -1, True, 1.5):
        with pytest.raises(InvalidConsent):
            Cap(most=odd, per="week")  # type: ignore[arg-type]  # on purpose
    assert weigh(ask(datetime(9998, 12, 31, tzinfo=UTC)), [said], zones=["UTC"]).answer in ("allow", "deny")
