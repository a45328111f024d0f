"""`crm.preferences` over every engine: wishes are kept, count for the whole customer, and only ever deny."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs
import pytest

from crmcore import Crm, Person
from crmcore.consent import Attempt, Cap, Evidence, Facts, Offer, QuietHours, Subject, Topic, Topics, Wished
from crmcore.consent.words import Channel
from crmcore.errors import InvalidConsent, NotFound
from crmcore.storage import MemoryStore
from crmcore.storage.stored import StoredEntry
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.language import Language
from tests.app.houses import START, Clock, in_memory, options
from tests.app.test_bundles import bundle_of, whole
from tests.app.test_consents import OURS, person
from tests.app.test_person_erasure import erased, rows_of
from tests.consent.asking import PRACTICE, YES

DAY = timedelta(days=1)
NIGHT = Wished(quiet=(QuietHours(begin="22:00", end="07:00"),))
WEEKLY = Wished(caps=(Cap(most=1, per="week"),))
ASKED: Any = {
    "purpose": "marketing",
    "channel": "email",
    "jurisdictions": ["DE"],
    "offered_to_children": False,
}
OFFERS = (
    Offer(purpose="marketing", channel="email", topic="news"),
    Offer(purpose="marketing", channel="email", topic="sale"),
)
TOPICS = Topics([Topic(name="news"), Topic(name="fairs", part_of="news"), Topic(name="sale")])


def company() -> Crm:
    return in_memory(practice=attrs.evolve(PRACTICE, topics=TOPICS))


def rules(crm: Crm, ref: str, **more: Any) -> set[str]:
    """The rules that were looked at, wishes among them as far as they are against it."""
    return {hit.rule for hit in crm.preferences.decide(ref, **ASKED, **more).trace}


def test_wishes_of_all_records_are_of_the_customer_and_of_each_again_when_the_merge_is_taken_back(
    crm: Crm,
) -> None:
    one, other = person(crm, "ann@x.org"), person(crm, "lee@x.org")
    first = crm.preferences.record(one.id, NIGHT, said_at=START - 2 * DAY)
    second = crm.preferences.record(other.id, WEEKLY, basis="inferred", said_at=START - DAY)
    merged = crm.identity.merge(one.id, other.id)
    third = crm.preferences.record("lee@x.org", Wished(language=Language("de")))
    fourth = crm.preferences.record(other.id, Wished(no_topics=frozenset({"sale"})))
    assert [wish.record for wish in (first, second, third, fourth)] == [
        str(one.id),
        *[str(other.id)] * 3,
    ]
    assert crm.preferences.of(one.id) == crm.preferences.of(other.id) == (first, second, third, fourth)
    crm.identity.retract(merged.id)
    assert crm.preferences.of(one.id) == (first,)
    assert crm.preferences.of(other.id) == (second, third, fourth)


def test_wishes_deny_what_is_allowed_and_allow_nothing(crm: Crm) -> None:
    told: Any = {**ASKED, "controller": "northwind", "message": PRACTICE.marketing, "at": START + DAY}
    zones = Facts(zones=("Europe/Berlin",), point=PRACTICE.point)
    ann = person(crm, "ann@x.org")
    crm.consent.record("give", "ann@x.org", controller="northwind", **OURS)
    assert crm.preferences.decide(ann.id, facts=zones, **told).answer == "allow"
    crm.preferences.record(ann.id, WEEKLY, controller="northwind")
    sent = attrs.evolve(zones, attempts=(Attempt(at=START - 2 * DAY, channel="email"),))
    for facts in (sent, {str(ann.id): sent}):
        found = crm.preferences.decide(ann.id, facts=facts, **told)
        assert (found.answer, found.rule, found.retry_at) == ("deny", "wish.frequency", START + 5 * DAY)
    assert crm.consent.decide(ann.id, facts=sent, **told).answer == "allow"
    crm.consent.withdraw("ann@x.org", purposes=["marketing"], controller="northwind")
    denied = crm.preferences.decide(ann.id, facts=zones, **told)
    assert (denied.answer, denied.rule) == ("deny", crm.consent.decide(ann.id, facts=zones, **told).rule)


def test_a_wish_of_a_record_that_joined_later_does_not_replace_one_that_was_said_elsewhere(crm: Crm) -> None:
    one, other = person(crm, "ann@x.org"), person(crm, "ann@x.org")
    crm.preferences.record(one.id, Wished(channels=frozenset({"sms"})))
    crm.preferences.record(other.id, Wished(channels=frozenset()))
    crm.identity.merge(one.id, other.id)
    assert "wish.channel" in rules(crm, one.id)
    crm.preferences.record(other.id, Wished(channels=frozenset()))
    assert "wish.channel" not in rules(crm, one.id)


def test_what_is_changed_in_a_centre_is_what_is_read_again(crm: Crm) -> None:
    one, other = person(crm, "ann@x.org"), person(crm, "lee@x.org")
    crm.identity.merge(one.id, other.id)
    points: Any = {"email": "lee@x.org"}
    before = crm.preferences.centre(one.id, OFFERS, points=points)
    assert [choice.state for choice in before.choices] == ["unsaid", "unsaid"]
    after = before.choose("marketing", "email", "news", on=True).wish(quiet=NIGHT.quiet)
    change = crm.preferences.change(one.id, before, after, evidence=Evidence(kind="web_form"))
    read = crm.preferences.centre(one.id, OFFERS, points=points)
    assert [choice.state for choice in read.choices] == ["on", "unsaid"]
    assert read.wishes == after.wishes
    assert change.wish is not None
    assert crm.preferences.of(one.id) == (change.wish,)
    (act,) = crm.consent.events(other.id)
    assert (act, act.record, act.scope.point) == (change.events[0], str(other.id), "lee@x.org")
    nothing = crm.preferences.change(one.id, read, read, evidence=None)
    assert (nothing.events, nothing.wish) == ((), None)
    assert len(crm.consent.events(one.id)) == len(crm.preferences.of(one.id)) == 1


def test_a_line_about_the_person_is_said_of_every_record(crm: Crm) -> None:
    one, other = person(crm, "ann@x.org"), person(crm, "lee@x.org")
    merged = crm.identity.merge(one.id, other.id)
    before = crm.preferences.centre(one.id, OFFERS)
    after = before.choose("marketing", "email", "sale", on=False)
    crm.preferences.change(one.id, before, after, evidence=None)
    crm.identity.retract(merged.id)
    assert [act.kind for act in crm.consent.events(other.id)] == ["withdraw"]


def test_a_centre_shows_the_topics_of_the_practice_and_refuses_others() -> None:
    crm = company()
    ann = person(crm, "ann@x.org")
    shown = crm.preferences.centre(ann.id, OFFERS)
    assert shown.topics == TOPICS
    crm.preferences.change(ann.id, shown, shown.choose("marketing", "email", "news", on=False), evidence=None)
    assert [sorted(act.scope.topics) for act in crm.consent.events(ann.id)] == [["fairs", "news"]]
    crm.preferences.record(ann.id, Wished(no_topics=frozenset({"news"})))
    assert "wish.topic" in rules(crm, ann.id, topic="fairs")
    assert "wish.topic" not in rules(crm, ann.id, topic="sale")
    for wrong in (Wished(no_topics=frozenset({"secret"})), Wished(only_topics=frozenset({"secret"}))):
        with pytest.raises(InvalidConsent, match="the topics are fairs, news, sale"):
            crm.preferences.record(ann.id, wrong)


def test_what_makes_no_sense_is_refused(crm: Crm) -> None:
    ann = person(crm, "ann@x.org")
    with pytest.raises(InvalidConsent, match="future"):
        crm.preferences.record(ann.id, NIGHT, said_at=START + 30 * DAY)
    with pytest.raises(NotFound):
        crm.preferences.record("bo@x.org", NIGHT)
    elsewhere: Any = {"email": "bo@x.org"}
    with pytest.raises(InvalidConsent, match="no record of this customer"):
        crm.preferences.centre(ann.id, OFFERS, points=elsewhere)
    before = attrs.evolve(crm.preferences.centre(ann.id, OFFERS), points=FrozenMap(elsewhere))
    with pytest.raises(InvalidConsent, match="no record of this customer"):
        crm.preferences.change(
            ann.id, before, before.choose("marketing", "email", "news", on=True), evidence=None
        )
    assert crm.preferences.of(ann.id) == ()
    assert crm.consent.events(ann.id) == ()


def test_a_batch_that_is_run_again_records_a_wish_and_a_change_once(crm: Crm) -> None:
    ann = person(crm, "ann@x.org")
    before = crm.preferences.centre(ann.id, OFFERS)
    after = before.choose("marketing", "email", "news", on=True).wish(language=Language("de"))
    runs = []
    for _ in range(2):
        with crm.batch(idem="centre 17") as b:
            wish = b.preferences.record(ann.id, WEEKLY)
            runs.append((wish, b.preferences.change(ann.id, before, after, evidence=None)))
    assert runs[0] == runs[1]
    assert len(crm.preferences.of(ann.id)) == 2
    assert len(crm.consent.events(ann.id)) == 1


def test_wishes_are_given_to_whoever_asks_and_go_with_whoever_is_erased() -> None:
    store = MemoryStore()
    crm = Crm(store, **options())
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    crm.preferences.record(ann.id, Wished(no_topics=frozenset({"canary"})))
    assert "canary" in whole(bundle_of(crm))
    wishes = [
        row for row in rows_of(store) if isinstance(row, StoredEntry) and row.schema == "consent.wish/1"
    ]
    assert [row.subjects for row in wishes] == [(str(ann.id),)]
    erased(crm, str(ann.id))
    assert "canary" not in str([row._asdict() for row in rows_of(store)])


def test_a_yes_of_the_preference_centre_stays_with_the_addresses_that_there_were(crm: Crm) -> None:
    ann = person(crm, "ann@x.org")
    said = {"purpose": "marketing", "channel": "email"}
    shown = crm.preferences.centre(ann.id, [Offer(**said)], controller="northwind")  # type: ignore[arg-type]  # of words
    chosen = shown.choose("marketing", "email", on=True)
    (event,) = crm.preferences.change(ann.id, shown, chosen, evidence=OURS["evidence"]).events
    assert event.scope.point is None
    assert event.scope.points == frozenset({"ann@x.org"})
    told: Any = {**ASKED, "controller": "northwind", "message": PRACTICE.marketing}
    facts = Facts(point=PRACTICE.point)
    assert crm.consent.decide(ann.id, **told, facts=facts).answer == "allow"
    crm.parties.change(ann.id, lambda p: p.without("ann@x.org").with_email("lee@x.org"))
    assert crm.consent.decide(ann.id, **told, facts=facts).answer == "deny"


def test_a_wish_stands_under_the_record_whose_number_was_named_however_it_is_written() -> None:
    crm = company()
    one = crm.parties.add(Person.of("Ann Lee", email="ann@x.org"))
    other = crm.parties.add(Person.of("Ann Lee", phone="+44 20 7946 0018"))
    crm.identity.merge(one.id, other.id)
    assert crm.preferences.record("+44 (0)20 7946-0018", NIGHT).record == str(other.id)


def test_wishes_are_heard_about_what_a_message_is_taken_for() -> None:
    crm = company()
    ann = person(crm, "ann@x.org")
    crm.consent.record("give", "ann@x.org", **OURS)
    crm.preferences.record(ann.id, Wished(channels=frozenset({"post"})))
    told: Any = {**ASKED, "purpose": "transactional", "message": PRACTICE.marketing}
    assert crm.consent.decide(ann.id, **told).answer == "allow"
    assert crm.preferences.decide(ann.id, **told).rule == "wish.channel"


def test_what_was_known_then_is_decided_without_wishes_that_came_later() -> None:
    clock = Clock()
    crm = in_memory(practice=PRACTICE, clock=clock)
    ann = person(crm, "ann@x.org")
    crm.consent.record("give", "ann@x.org", **OURS)
    crm.preferences.record(ann.id, Wished(channels=frozenset({"post"})))
    clock.now += DAY
    then = clock.now
    clock.now += DAY
    crm.preferences.record(ann.id, Wished(channels=frozenset()), said_at=then)
    asked = [
        crm.preferences.decide(ann.id, **ASKED, at=then, known_at=known).answer for known in (None, then)
    ]
    assert asked == ["allow", "deny"]


def test_zones_and_contacts_of_others_are_none_of_the_customer() -> None:
    crm = company()
    one, other = person(crm, "ann@x.org"), person(crm, "lee@x.org")
    crm.consent.record("give", "ann@x.org", **OURS)
    crm.preferences.record(one.id, Wished(quiet=NIGHT.quiet, caps=WEEKLY.caps))
    theirs = Facts(zones=("America/New_York",), attempts=(Attempt(at=START, channel="email"),))
    told: Any = {**ASKED, "point": "ann@x.org", "facts": {str(other.id): theirs}}
    alone = crm.preferences.decide(one.id, **told, at=START + DAY)
    assert (alone.answer, alone.missing) == ("need_confirmation", ("facts.zones",))
    crm.identity.merge(one.id, other.id)
    assert crm.preferences.decide(one.id, **told, at=START + DAY).rule == "wish.frequency"
    later = crm.preferences.decide(one.id, **told, at=START + 10 * DAY)
    assert (later.answer, later.missing) == ("need_confirmation", ("facts.zones",))
    told["facts"][str(one.id)] = Facts(zones=("Europe/Berlin",))
    assert crm.preferences.decide(one.id, **told, at=START + 10 * DAY).answer == "allow"


def test_quiet_hours_go_by_the_zone_that_a_record_has() -> None:
    crm = company()
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.org").changed(zone="Asia/Tokyo"))
    crm.consent.record("give", "ann@x.org", **OURS)
    crm.preferences.record(ann.id, NIGHT)
    at = START.replace(hour=13) + DAY  # 22:00 in Tokyo
    assert crm.preferences.decide(ann.id, **ASKED, at=at).answer == "deny"
    berlin = Facts(zones=("Europe/Berlin",))
    assert crm.preferences.decide(ann.id, **ASKED, at=at, facts=berlin).answer == "allow"
    crm.parties.change(ann.id, lambda p: p.changed(zone="Mars/Olympus"))
    assert crm.preferences.decide(ann.id, **ASKED, at=at).missing == ("facts.zones",)


def test_a_zone_that_there_is_not_is_refused_before_it_is_kept() -> None:
    crm = company()
    ann = person(crm, "ann@x.org")
    lost = (QuietHours(begin="22:00", end="07:00", zone="Mars/Olympus"),)
    with pytest.raises(InvalidConsent, match="IANA"):
        crm.preferences.record(ann.id, Wished(quiet=lost))
    shown = crm.preferences.centre(ann.id, OFFERS)
    with pytest.raises(InvalidConsent, match="IANA"):
        crm.preferences.change(ann.id, shown, shown.wish(quiet=lost), evidence=None)
    assert crm.preferences.of(ann.id) == ()


def test_facts_under_what_is_no_id_are_refused() -> None:
    crm = company()
    ann = person(crm, "ann@x.org")
    dead: Any = {"facts": {"ann@x.org": Facts(subject=Subject(deceased=True))}}
    for ask in (
        lambda: crm.consent.decide(ann.id, **ASKED, **dead),
        lambda: crm.consent.matrix(ann.id, jurisdictions=["DE"], **dead),
        lambda: list(crm.consent.audience(**ASKED, **dead)),
        lambda: crm.preferences.decide(ann.id, **ASKED, **dead),
    ):
        with pytest.raises(InvalidConsent, match="no id"):
            ask()


def test_facts_of_another_type_are_refused() -> None:
    crm = company()
    ann = person(crm, "ann@x.org")
    dead = Facts(subject=Subject(deceased=True))
    wrongs: Any = [({1: dead}, "no id"), ({str(ann.id): 1}, "is Facts"), ([dead], "is Facts")]
    for told, match in wrongs:
        for ask in (
            lambda told=told: crm.consent.decide(ann.id, **ASKED, facts=told),
            lambda told=told: crm.consent.matrix(ann.id, jurisdictions=["DE"], facts=told),
            lambda told=told: list(crm.consent.audience(**ASKED, facts=told)),
            lambda told=told: crm.preferences.decide(ann.id, **ASKED, facts=told),
        ):
            with pytest.raises(InvalidConsent, match=match):
                ask()


def test_a_centre_takes_no_contact_point_that_its_channel_does_not_reach() -> None:
    crm = company()
    ann = person(crm, "ann@x.org")
    wrong: Any
    for wrong in ({"sms": "ann@x.org"}, {"in_app": "ann@x.org"}, {"foo": "ann@x.org"}, {"email": 7}, "email"):
        with pytest.raises(InvalidConsent):
            crm.preferences.centre(ann.id, OFFERS, points=wrong)
    lines = (Offer(purpose="marketing", channel="sms"),)
    wrong = FrozenMap({"sms": "ann@x.org"})
    shown = attrs.evolve(crm.preferences.centre(ann.id, lines), points=wrong)
    off = shown.choose("marketing", "sms", on=False)
    with pytest.raises(InvalidConsent, match="no record of this customer"):
        crm.preferences.change(ann.id, shown, off, evidence=None)


def test_what_not_every_record_with_the_address_agreed_to_is_not_on_and_can_be_agreed_to() -> None:
    clock = Clock()
    crm = in_memory(practice=PRACTICE, clock=clock)
    one, other = person(crm, "ann@x.org"), person(crm, "ann@x.org")
    crm.consent.record("give", one.id, **OURS)
    clock.now += timedelta(hours=1)
    crm.identity.merge(one.id, other.id)
    clock.now += timedelta(hours=1)
    line = (Offer(purpose="marketing", channel="email"),)
    points: Any = {"email": "ann@x.org"}
    for state in ("unsaid", "on"):
        shown = crm.preferences.centre(one.id, line, points=points)
        answered = crm.consent.decide(one.id, **ASKED).answer
        assert (shown.choices[0].state, answered) == (state, "allow" if state == "on" else "deny")
        wanted = shown.choose("marketing", "email", on=True)
        crm.preferences.change(one.id, shown, wanted, evidence=OURS["evidence"])
    assert len(crm.consent.events(one.id)) == 2


def test_what_is_turned_off_at_an_address_that_they_left_meanwhile_is_off_and_a_yes_there_is_refused() -> (
    None
):
    clock = Clock()
    crm = in_memory(practice=PRACTICE, clock=clock)
    ann, line = person(crm, "ann@x.org"), (Offer(purpose="marketing", channel="email"),)
    crm.consent.record("give", ann.id, **OURS, point="ann@x.org")
    shown = crm.preferences.centre(ann.id, line, points={"email": "ann@x.org"})
    crm.parties.change(ann.id, lambda party: party.without("ann@x.org").with_email("new@x.org"))
    person(crm, "ann@x.org")
    off = shown.choose("marketing", "email", on=False)
    (act,) = crm.preferences.change(ann.id, shown, off, evidence=None).events
    assert (act.kind, act.scope.point, act.members) == ("withdraw", None, (str(ann.id),))
    now = crm.preferences.centre(ann.id, line, points={"email": "new@x.org"})
    assert now.choices[0].state == "off"
    assert not crm.consent.events("ann@x.org")
    with pytest.raises(InvalidConsent, match="contact point of the preference centre"):
        crm.preferences.change(ann.id, off, shown, evidence=OURS["evidence"])


def test_what_somebody_else_asked_for_at_an_address_that_they_left_is_pending_for_nobody() -> None:
    clock = Clock()
    crm = in_memory(practice=PRACTICE, clock=clock)
    one, other = person(crm, "office@x.org"), person(crm, "office@x.org")
    about: Any = {**OURS, "point": "office@x.org"}
    line = (Offer(purpose="marketing", channel="email"),)
    states = []
    for asking in (one, other):
        crm.consent.record("request", asking.id, **about)
        clock.now += timedelta(hours=1)
        if asking is one:
            crm.parties.change(one.id, lambda party: party.without("office@x.org").with_email("one@x.org"))
        shown = crm.preferences.centre(other.id, line, points={"email": "office@x.org"})
        states.append(shown.choices[0].state)
    assert states == ["unsaid", "pending"]


def test_a_centre_knows_a_contact_point_however_it_is_written(crm: Crm) -> None:
    ann = person(crm, "ann@x.org")
    crm.consent.withdraw("ann@x.org", purposes=["marketing"], channels=["email"])
    shown = crm.preferences.centre(ann.id, OFFERS, points={"email": " Ann@X.org"})
    assert shown.state("marketing", "email", "sale") == "off"
    wanted = shown.choose("marketing", "email", "sale", on=True)
    change = crm.preferences.change(ann.id, shown, wanted, evidence=Evidence(kind="web_form"))
    assert [act.scope.point for act in change.events] == ["ann@x.org"]


def test_what_was_off_when_they_came_and_is_on_by_now_is_off_when_they_are_done() -> None:
    crm = company()
    ann = person(crm, "ann@x.org")
    points: Any = {"email": "ann@x.org"}
    shown = crm.preferences.centre(ann.id, OFFERS, points=points)
    off = shown.choose("marketing", "email", "sale", on=False)
    crm.preferences.change(ann.id, shown, off, evidence=None)
    seen = crm.preferences.centre(ann.id, OFFERS, points=points)
    on = seen.choose("marketing", "email", "sale", on=True)
    crm.preferences.change(ann.id, seen, on, evidence=OURS["evidence"])  # in another window
    crm.preferences.change(ann.id, seen, seen.choose("marketing", "email", "sale", on=False), evidence=None)
    assert crm.preferences.centre(ann.id, OFFERS, points=points).state("marketing", "email", "sale") == "off"


def test_the_view_says_what_is_wished_after_what_was_agreed_to(crm: Crm) -> None:
    one, other = person(crm, "ann@x.org"), person(crm, "lee@x.org")
    crm.identity.merge(one.id, other.id)
    crm.consent.record("give", "ann@x.org", **OURS)
    crm.preferences.record(
        one.id, Wished(channels=frozenset({"post"}), caps=WEEKLY.caps), said_at=START - 2 * DAY
    )
    crm.preferences.record(one.id, Wished(caps=()), said_at=START - DAY)
    crm.preferences.record(other.id, NIGHT, basis="inferred", purposes=["marketing"], said_at=START)
    assert crm.customers.view(one.id).consent == (
        "2026-03-14 agreed to marketing by e-mail for ann@x.org",
        "2026-03-14 is thought to wish for marketing: quiet from 22:00 to 07:00",
        "2026-03-13 wishes: any number of contacts",
        "2026-03-12 wishes: only by post",
    )


def test_a_wish_is_not_what_came_near_a_permit() -> None:
    crm = company()
    ann = person(crm, "ann@x.org")
    crm.preferences.record(ann.id, Wished(channels=frozenset({"post"})))
    near = crm.preferences.decide(ann.id, **ASKED).explain()
    assert "  Note: They want to be reached by other channels. (stated by the person)" in near
    assert "- They want" not in near


def test_what_is_turned_off_goes_along_with_a_record_that_left_the_address_meanwhile_alone() -> None:
    clock = Clock()
    crm = in_memory(practice=PRACTICE, clock=clock)
    one, other = person(crm, "office@x.org"), person(crm, "office@x.org")
    crm.identity.merge(one.id, other.id)
    clock.now += timedelta(hours=1)
    line = (Offer(purpose="marketing", channel="email"),)
    shown = crm.preferences.centre(other.id, line, points={"email": "office@x.org"})
    crm.parties.change(one.id, lambda party: party.without("office@x.org").with_email("one@x.org"))
    off = shown.choose("marketing", "email", on=False)
    there, along = crm.preferences.change(other.id, shown, off, evidence=None).events
    assert (there.scope.point, there.scope.given_up, there.record) == ("office@x.org", None, other.id)
    assert (along.scope.point, along.scope.given_up, along.record) == ("office@x.org", "email", one.id)
    for address in ("office@x.org", "one@x.org"):
        assert crm.preferences.centre(one.id, line, points={"email": address}).choices[0].state == "off"
    again = shown.choose("marketing", "email", on=False)
    assert len(crm.preferences.change(other.id, shown, again, evidence=None).events) == 2


def test_a_centre_of_nobody_in_particular_tells_what_nobody_was_told_and_records_what_is_chosen() -> None:
    crm = Crm(MemoryStore(), clock=Clock())
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.org")).id
    offer = Offer(purpose="marketing", channel="email")
    everywhere: tuple[dict[Channel, str], ...] = ({}, {"email": "ann@x.org"})
    for points in everywhere:
        crm.consent.record("restrict", ann, purposes=["marketing"], channels=["email"], controller="acme")
        shown = crm.preferences.centre(ann, [offer], points=points)
        assert crm.preferences.centre(ann, [offer], controller="Acme ").choices[0].state == "off"
        (no,) = crm.preferences.change(
            ann, shown, shown.choose("marketing", "email", on=False), evidence=None
        ).events
        assert (no.kind, no.scope.controller) == ("withdraw", "default")
        crm.consent.record("lift", ann, purposes=["marketing"], channels=["email"], controller="acme")
        for asking in ("default", "acme"):
            answered = crm.consent.decide(
                ann, purpose="marketing", channel="email", controller=asking, jurisdictions=["US"]
            )
            assert (answered.answer, answered.rule) == ("deny", "us.canspam.opted_out")
        told = crm.preferences.centre(ann, [offer], points=points)
        assert told.choices[0].state == "off"
        crm.consent.record("give", ann, purposes=["marketing"], channels=["email"], evidence=YES)
