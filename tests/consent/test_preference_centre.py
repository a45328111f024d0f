"""A preference centre: read and written in one shape."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.consent import (
    Cap,
    ConsentEvent,
    Evidence,
    Offer,
    QuietHours,
    Request,
    Scope,
    Wish,
    centre_changes,
    preference_centre,
    weigh,
)
from crmcore.consent.preference_centre import Change, PreferenceCentre
from crmcore.errors import InvalidConsent
from crmcore.serde import dump, load
from crmcore.values.language import Language

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
OFFERS = (
    Offer(purpose="marketing", channel="email", topic="news"),
    Offer(purpose="marketing", channel="email", topic="offers"),
    Offer(purpose="marketing", channel="sms", topic="news"),
    Offer(purpose="research", channel="email"),
)
POINTS: Any = {"email": "ann@x.example", "sms": "+442079460018"}
SHOWN = Evidence(kind="web_form")
JOINED = {"one": NOW - timedelta(days=900), "two": NOW - timedelta(days=900)}

acts = st.builds(
    lambda number, kind, days, channels, purposes, topics, record, point, shown: ConsentEvent(
        id=f"e{number}",
        kind=kind,
        occurred_at=NOW - timedelta(days=days),
        scope=Scope(controller="acme", channels=channels, purposes=purposes, topics=topics, point=point),
        record=record,
        evidence=shown,
    ),
    st.integers(0, 10_000),
    st.sampled_from(("give", "confirm", "request", "withdraw", "object", "refuse", "lift", "assert_import")),
    st.integers(1, 60),
    st.sets(st.sampled_from(("email", "sms")), max_size=2),
    st.sets(st.sampled_from(("marketing", "research", "direct_marketing")), max_size=2),
    st.sets(st.sampled_from(("news", "offers")), max_size=1),
    st.sampled_from(("one", "two")),
    st.sampled_from((None, "ann@x.example")),
    st.sampled_from((SHOWN, SHOWN, None)),
)


def centre(events: Any = (), wishes: Any = (), at: datetime = NOW) -> PreferenceCentre:
    return preference_centre(
        events, wishes, controller="acme", offers=OFFERS, at=at, points=POINTS, joined=JOINED
    )


def changed(
    before: PreferenceCentre, after: PreferenceCentre, current: PreferenceCentre | None = None
) -> Change:
    numbers = count()
    return centre_changes(
        before,
        after,
        at=NOW,
        new_id=lambda: f"new{next(numbers)}",
        evidence=SHOWN,
        record="one",
        members=("one", "two"),
        current=current,
    )


@given(st.lists(acts, max_size=8), st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=4))
def test_what_was_chosen_is_what_is_read_and_nothing_else_has_changed(
    events: list[ConsentEvent], chosen: list[tuple[int, bool]]
) -> None:
    before = centre(events)
    after = before
    for number, on in chosen:
        offer = OFFERS[number]
        after = after.choose(offer.purpose, offer.channel, offer.topic, on=on)
    change = changed(before, after)
    read = centre([*events, *change.events])
    assert [one.state for one in read.choices] == [one.state for one in after.choices]
    moved = [a for a, b in zip(after.choices, before.choices, strict=True) if a.state != b.state]
    assert len(change.events) == len(moved)
    assert change.wish is None
    assert changed(read, read) == Change()


def test_a_line_says_which_act_is_behind_it() -> None:
    yes = ConsentEvent(
        id="yes",
        kind="give",
        occurred_at=NOW - timedelta(days=2),
        scope=Scope(controller="acme", channels={"email"}, purposes={"marketing"}),
        record="one",
        evidence=SHOWN,
    )
    no = ConsentEvent(
        id="no",
        kind="object",
        occurred_at=NOW - timedelta(days=1),
        scope=Scope(controller="acme", purposes={"direct_marketing"}),
        record="one",
    )
    assert [(one.state, one.because) for one in centre([yes]).choices] == [
        ("on", ("yes",)),
        ("on", ("yes",)),
        ("unsaid", ()),
        ("unsaid", ()),
    ]
    assert centre([yes, no]).state("marketing", "sms", "news") == "off"
    assert (
        centre([yes, no], at=NOW - timedelta(days=1, seconds=1)).state("marketing", "email", "news") == "on"
    )


def test_wishes_are_read_and_written_in_the_same_shape() -> None:
    stated = Wish(
        id="a",
        record="one",
        said_at=NOW - timedelta(days=3),
        language=Language("de"),
        no_topics=frozenset({"offers"}),
    )
    guess = Wish(
        id="b", record="one", said_at=NOW, basis="inferred", language=Language("fr"), channels={"sms"}
    )
    before = centre((), [stated, guess])
    assert before.wishes.language == Language("de")
    assert before.wishes.channels == frozenset({"sms"})
    after = before.wish(caps=(Cap(most=1, per="week"),), channels=frozenset())
    change = changed(before, after)
    assert change.wish is not None
    assert (change.wish.basis, change.wish.language, change.wish.channels) == ("stated", None, frozenset())
    assert centre((), [stated, guess, change.wish]).wishes == after.wishes
    assert load(PreferenceCentre, json.loads(json.dumps(dump(after)))) == after
    assert "Language" not in repr(before)
    assert "ann@x.example" not in repr(before)


@pytest.mark.parametrize("aspect", ["channels", "caps", "quiet", "only_topics", "no_topics"])
def test_what_is_left_out_is_wished_no_more(aspect: str) -> None:
    some: Any = {
        "channels": {"post"},
        "caps": (Cap(most=1, per="week"),),
        "quiet": (QuietHours(begin="22:00", end="07:00"),),
        "only_topics": {"news"},
        "no_topics": {"offers"},
    }
    stated = Wish(id="a", record="one", said_at=NOW - timedelta(days=3), language=Language("de"), **some)
    before = centre((), [stated])
    nothing: Any = {aspect: None}
    after = before.wish(**nothing)
    for posted in (after, attrs.evolve(before, wishes=attrs.evolve(before.wishes, **nothing))):
        said = changed(before, posted).wish
        assert said is not None
        read = centre((), [stated, said])
        assert read.wishes == after.wishes
        assert not getattr(read.wishes, aspect)
        assert changed(read, read.wish(**nothing)).wish is None
    with pytest.raises(InvalidConsent, match="until another"):
        before.wish(language=None)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(InvalidConsent, match="overlap"):
        preference_centre(
            (), controller="acme", offers=[Offer(purpose="marketing", channel="email"), OFFERS[0]], at=NOW
        )
    with pytest.raises(InvalidConsent, match="no such line"):
        centre().choose("marketing", "voice", on=True)
    with pytest.raises(InvalidConsent, match="wishes"):
        centre().wish(colour="red")
    other = preference_centre((), controller="other", offers=OFFERS, at=NOW)
    with pytest.raises(InvalidConsent, match="another"):
        changed(centre(), other)


def test_what_is_off_where_they_saw_it_is_off_whatever_was_changed_elsewhere() -> None:
    off = centre().choose("marketing", "email", "news", on=False)
    seen = centre(changed(centre(), off).events)
    elsewhere = seen.choose("marketing", "email", "news", on=True)
    (yes,) = changed(seen, elsewhere).events
    yes = attrs.evolve(yes, id="elsewhere", occurred_at=NOW + timedelta(seconds=1))
    current = centre([yes], at=NOW + timedelta(minutes=1))
    assert current.state("marketing", "email", "news") == "on"
    for after in (seen.choose("marketing", "email", "news", on=False), seen):
        (no,) = changed(seen, after, current).events
        assert no.kind == "withdraw"
        assert no.scope.topics == {"news"}
    assert changed(seen, elsewhere, current).events[0].kind == "give"


def test_what_was_on_where_they_saw_it_is_no_yes_where_it_was_taken_back_since() -> None:
    seen = centre().choose("marketing", "email", "news", on=True)
    seen = centre(changed(centre(), seen).events)
    current = seen.choose("marketing", "email", "news", on=False)
    assert changed(seen, seen, current) == Change()
    other = attrs.evolve(current, controller="other")
    with pytest.raises(InvalidConsent, match="another preference centre"):
        changed(seen, seen, other)


@pytest.mark.parametrize(
    ("kind", "evidence", "state"),
    [
        ("give", SHOWN, "on"),
        ("give", None, "unsaid"),
        ("give", Evidence(kind=None, notice="news"), "unsaid"),
        ("give", Evidence(kind="preticked_box"), "unsaid"),
        ("assert_import", Evidence.imported(document="list"), "unsaid"),
        ("assert_import", SHOWN, "unsaid"),
    ],
)
def test_only_what_the_person_said_and_something_shows_is_on(
    kind: Any, evidence: Evidence | None, state: str
) -> None:
    scope = Scope(controller="acme", channels={"email"}, purposes={"research"})
    said = ConsentEvent(
        id="yes", kind=kind, occurred_at=NOW - timedelta(1), scope=scope, record="one", evidence=evidence
    )
    assert centre([said]).state("research", "email") == state
    if state == "unsaid":  # so that they can say it
        (act,) = changed(centre([said]), centre([said]).choose("research", "email", on=True)).events
        assert act.kind == "give"


@pytest.mark.parametrize(
    "wide",
    [
        {"controller": None},
        {"purposes": {"marketing", "transactional"}},
        {"controller": None, "purposes": {"marketing"}},
    ],
)
def test_what_a_centre_shows_of_wishes_is_what_decisions_go_by(wide: dict[str, Any]) -> None:
    night = (QuietHours(begin="00:00", end="23:59", zone="UTC"),)
    said = Wish(
        id="w", record="one", said_at=NOW - timedelta(days=30), quiet=night, **{"controller": "acme", **wide}
    )
    shown = centre(wishes=[said])
    assert shown.wishes.quiet == night
    change = changed(shown, shown.wish(quiet=()))
    assert change.wish is not None
    later = NOW + timedelta(hours=1)
    wishes = [said, change.wish]
    assert centre(wishes=wishes, at=later).wishes.quiet == ()
    ask = Request(controller="acme", channel="email", purpose="marketing", at=later)
    assert weigh(ask, wishes).answer == "allow"
    elsewhere = attrs.evolve(ask, controller="other")
    assert weigh(elsewhere, wishes).answer == weigh(elsewhere, [said]).answer


def test_an_offer_is_made_of_the_words_that_there_are() -> None:
    for wrong in ({"purpose": "advert"}, {"channel": "mail"}):
        with pytest.raises(InvalidConsent, match="is one of"):
            Offer(**{"purpose": "marketing", "channel": "email", **wrong})  # type: ignore[arg-type]  # wrong on purpose
