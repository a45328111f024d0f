"""Topics: a No to one is a No to all that is part of it, whenever that was added; what is no topic is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore import Person
from crmcore.consent import (
    ConsentEvent,
    Evidence,
    Facts,
    Offer,
    Request,
    Scope,
    Topic,
    Topics,
    Wish,
    Wished,
    centre_changes,
    decide,
    preference_centre,
    weigh,
)
from crmcore.consent.preference_centre import Change, PreferenceCentre
from crmcore.consent.words import NOES, YESES
from crmcore.errors import InvalidConsent, InvalidLanguage
from crmcore.serde import dump, load
from crmcore.values.language import Language
from tests.consent.asking import PRACTICE, YES, asked, company

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NAMES = ("news", "fairs", "shoes", "boots", "sale")


@st.composite
def registries(draw: Any) -> Topics:
    """Topics each of which may be part of an earlier one, some of a brand."""
    found: list[Topic] = []
    for name in NAMES[: draw(st.integers(1, 5))]:
        above = draw(st.sampled_from((None, *(one.name for one in found))))
        brand = draw(st.sampled_from((None, "A", "B"))) if above is None else None
        found.append(Topic(name=name, brand=brand, part_of=above))
    return Topics(draw(st.permutations(found)))


def act(kind: Any, ago: float, *topics: str, **scope: Any) -> ConsentEvent:
    return ConsentEvent(
        id=f"{kind} {ago} {topics}",
        kind=kind,
        occurred_at=NOW - ago * DAY,
        recorded_at=NOW - ago * DAY,
        record="one",
        evidence=Evidence.double_opt_in(notice="newsletter", version="3", given_by="self"),
        scope=Scope(
            controller="northwind", channels={"email"}, purposes={"marketing"}, topics=topics, **scope
        ),
    )


def centre(topics: Topics, events: Any = (), wishes: Any = (), offers: Any = None) -> PreferenceCentre:
    roots = [one.name for one in topics.topics if one.part_of is None]
    lines = [Offer(purpose="marketing", channel="email", topic=name) for name in roots]
    return preference_centre(
        events,
        wishes,
        controller="northwind",
        offers=lines if offers is None else offers,
        at=NOW,
        topics=topics,
    )


def changed(before: PreferenceCentre, after: PreferenceCentre) -> Change:
    numbers = count()
    return centre_changes(
        before,
        after,
        at=NOW,
        new_id=lambda: f"new{next(numbers)}",
        evidence=Evidence(kind="web_form"),
        record="one",
    )


def answer(topics: Topics, events: Any, topic: str) -> str:
    """What a company decides that has these topics."""
    request = Request(
        controller="northwind",
        channel="email",
        purpose="marketing",
        at=NOW,
        topic=topic,
        brand=topics.brand(topic),
        offered_to_children=False,
    )
    practice = attrs.evolve(PRACTICE, topics=topics)
    return decide(request, Facts(events=tuple(events)), jurisdictions=["DE"], practice=practice).answer


@given(registries(), st.data())
def test_a_no_to_a_topic_is_one_to_all_its_parts_also_to_those_that_come_later(
    topics: Topics, data: Any
) -> None:
    name = data.draw(st.sampled_from([one.name for one in topics.topics]))
    later = Topics((*topics.topics, Topic(name="later", part_of=name)))
    yes = act("give", 9, *NAMES, "later")
    no = act("withdraw", 5, name)
    for one in later.topics:
        part = name in later.lineage(one.name)
        assert part == (one.name in later.under(name))
        assert answer(later, [yes], one.name) == "allow"
        assert answer(later, [yes, no], one.name) == ("deny" if part else "allow")
        wished = Wish(id="w", record="one", said_at=NOW - DAY, no_topics=frozenset({name}))
        only = attrs.evolve(wished, no_topics=None, only_topics=frozenset({name}))
        request = Request(
            controller="northwind", channel="email", purpose="marketing", at=NOW, topic=one.name
        )
        assert weigh(request, [wished], topics=later).answer == ("deny" if part else "allow")
        assert weigh(request, [only], topics=later).answer == ("allow" if part else "deny")


@given(registries(), st.lists(st.tuples(st.sampled_from(sorted(NOES | YESES)), st.sampled_from(NAMES))))
def test_no_yes_is_ever_spread(topics: Topics, told: list[tuple[str, str]]) -> None:
    events = [act(kind, number + 1, name) for number, (kind, name) in enumerate(told)]
    for before, after in zip(events, topics.spread(events), strict=True):
        assert after.scope.topics >= before.scope.topics
        if before.kind not in NOES:
            assert after is before
        assert attrs.evolve(after, scope=before.scope) == before


@given(registries(), st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=4))
def test_what_is_chosen_of_topics_is_what_is_read(topics: Topics, chosen: list[tuple[int, bool]]) -> None:
    before = after = centre(topics)
    for number, on in chosen:
        line = before.choices[number % len(before.choices)].offer
        after = after.choose(line.purpose, line.channel, line.topic, on=on)
    events = changed(before, after).events
    assert [one.state for one in centre(topics, events).choices] == [one.state for one in after.choices]
    for event in events:
        (root,) = (one for one in event.scope.topics if len(topics.lineage(one)) == 1)
        assert event.scope.topics == topics.under(root)
        assert event.scope.brand == topics.brand(root)


def test_a_line_of_a_brand_says_nothing_of_another() -> None:
    topics = Topics([Topic(name="news", brand="A"), Topic(name="sale", brand="B")])
    no = act("withdraw", 1, brand="A")
    assert [one.state for one in centre(topics, [act("give", 2, "news", "sale"), no]).choices] == [
        "off",
        "on",
    ]


def test_what_is_no_topic_is_refused_with_those_that_there_are() -> None:
    topics = Topics([Topic(name="news"), Topic(name="sale")])
    shown = centre(topics)
    for write in (
        lambda: shown.choose("marketing", "email", "secret", on=True),
        lambda: shown.state("marketing", "email", "secret"),
        lambda: shown.wish(no_topics=frozenset({"secret"})),
        lambda: shown.wish(only_topics=frozenset({"secret", "news"})),
        lambda: centre(topics, offers=[Offer(purpose="marketing", channel="email", topic="secret")]),
        lambda: changed(
            shown, attrs.evolve(centre(Topics([Topic(name="news"), Topic(name="sale")])), **FORGED)
        ),
    ):
        with pytest.raises(InvalidConsent, match="the topics are news, sale") as found:
            write()
        assert "secret" not in str(found.value)
    with pytest.raises(InvalidConsent, match="no such line"):
        shown.choose("marketing", "sms", "news", on=True)


FORGED: dict[str, Any] = {"wishes": Wished(no_topics=frozenset({"secret"}))}
"""What a form that was tampered with may come back with."""


def test_what_was_recorded_of_a_former_topic_is_read_and_may_stay() -> None:
    topics = Topics([Topic(name="news"), Topic(name="sale")])
    old = load(
        Wish, {"id": "w", "record": "one", "said_at": "2025-01-01T00:00:00Z", "no_topics": ["Former topic"]}
    )
    shown = centre(topics, [act("give", 9, "Former topic", "news")], [old])
    assert shown.wishes.no_topics == frozenset({"Former topic"})
    assert shown.state("marketing", "email", "news") == "on"
    more = shown.wish(no_topics=frozenset({"Former topic", "sale"}))
    wish = changed(shown, more).wish
    assert wish is not None
    assert wish.no_topics == frozenset({"Former topic", "sale"})
    assert shown.words("Former topic") == "Former topic"
    assert load(PreferenceCentre, json.loads(json.dumps(dump(shown)))) == shown


def test_a_company_records_acts_about_its_topics_alone_and_decides_by_them() -> None:
    ours = Topics([Topic(name="news"), Topic(name="fairs", part_of="news")])
    crm = company(practice=attrs.evolve(PRACTICE, topics=ours))
    crm.parties.add(Person.of("Ann Lee", email="ann@x.org"))
    about: Any = {"purposes": ["marketing"], "channels": ["email"]}
    with pytest.raises(InvalidConsent, match="the topics are fairs, news"):
        crm.consent.withdraw("ann@x.org", topics=["secret"], **about)
    assert crm.consent.events("ann@x.org") == ()
    crm.consent.record("give", "ann@x.org", evidence=YES, topics=["news", "fairs"], **about)
    assert asked(crm, "ann@x.org", topic="fairs").answer == "allow"
    crm.consent.withdraw("ann@x.org", topics=["news"], **about)
    assert asked(crm, "ann@x.org", topic="fairs").answer == "deny"
    assert [one.allowed for one in crm.consent.audience(**ASKED, topic="fairs")] == [False]


ASKED: Any = {
    "purpose": "marketing",
    "channel": "email",
    "jurisdictions": ["DE"],
    "offered_to_children": False,
}


def test_a_topic_and_a_part_of_it_are_not_offered_side_by_side() -> None:
    topics = Topics(
        [Topic(name="news"), Topic(name="fairs", part_of="news"), Topic(name="boots", part_of="fairs")]
    )
    for pair in (("news", "fairs"), ("news", "boots"), ("boots", "fairs")):
        with pytest.raises(InvalidConsent, match="overlap"):
            centre(topics, offers=[Offer(purpose="marketing", channel="email", topic=one) for one in pair])
    both = [
        Offer(purpose="marketing", channel="email", topic="news"),
        Offer(purpose="marketing", channel="sms", topic="boots"),
    ]
    assert len(centre(topics, offers=both).choices) == 2


@pytest.mark.parametrize(
    ("tag", "said"),
    [("de", "Neues"), ("de-AT", "Neuigkeiten"), ("de-CH", "Neues"), ("fr", "News"), (None, "News")],
)
def test_people_read_words_of_their_language(tag: str | None, said: str) -> None:
    words = {"en": "News", "de": "Neues", "DE_at": "Neuigkeiten"}
    shown = centre(Topics([Topic(name="news", words=words), Topic(name="sale")]))
    assert shown.words("news", None if tag is None else Language(tag)) == said
    assert shown.words("sale", Language("de")) == "sale"


@pytest.mark.parametrize(
    "wrong",
    [
        [{"name": "news"}, {"name": "news"}],
        [{"name": "news", "part_of": "none"}],
        [{"name": "news", "part_of": "news"}],
        [{"name": "news", "part_of": "sale"}, {"name": "sale", "part_of": "news"}],
        [{"name": "news", "brand": "A"}, {"name": "sale", "part_of": "news", "brand": "B"}],
        [{"name": "news"}, {"name": "sale", "part_of": "news", "brand": "B"}],
        [{"name": ""}],
        [{"name": " "}],
        [{"name": "a\nb"}],
        [{"name": 5}],
    ],
)
def test_topics_that_make_no_tree_are_refused(wrong: list[dict[str, Any]]) -> None:
    with pytest.raises(InvalidConsent):
        Topics([Topic(**one) for one in wrong])
    with pytest.raises(InvalidLanguage):
        Topic(name="news", words={"?": "News"})


def test_a_part_of_a_part_is_of_the_brand_of_the_whole() -> None:
    topics = Topics(
        [
            Topic(name="news", brand="A"),
            Topic(name="fairs", part_of="news"),
            Topic(name="boots", part_of="fairs", brand="A"),
        ]
    )
    assert {topics.brand(one.name) for one in topics.topics} == {"A"}
    assert topics.brand("none") is None


def test_a_long_chain_of_topics_is_gone_through_once() -> None:
    chain = [
        Topic(name=f"t{n}", part_of=f"t{n - 1}" if n else None, brand=None if n else "b") for n in range(3000)
    ]
    ours = Topics(chain[::-1])
    assert (len(ours.under("t0")), len(ours.under("t2999")), ours.brand("t2999")) == (3000, 1, "b")
    for wrong in ("news", ["news"]):
        with pytest.raises(InvalidConsent, match="list of Topic"):
            Topics(wrong)  # type: ignore[arg-type]  # wrong on purpose
