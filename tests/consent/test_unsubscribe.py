"""One-click unsubscribe: a link is whole or nothing, says nothing of anybody, and pressed twice is one act."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore import Crm, Person
from crmcore.consent import (
    SecretRing,
    Ticket,
    is_one_click,
    read_ticket,
    sign_ticket,
    unsubscribe_act,
    unsubscribe_headers,
)
from crmcore.consent.event import ConsentEvent, Scope
from crmcore.consent.request import Request
from crmcore.errors import InvalidConsent
from crmcore.party.contact_point import EmailPoint
from crmcore.storage import MemoryStore
from tests.consent.asking import PRACTICE, YES
from tests.consent.test_suppression import BOTH, NOW, OLD, OTHER, erase

DAY = timedelta(days=1)


def ticket(**changes: Any) -> Ticket:
    said: dict[str, Any] = {
        "point": "0190c3a2-0000-7000-8000-000000000001",
        "controller": "acme",
        "topic": "news",
        "issued_at": NOW,
        "expires_at": NOW + 60 * DAY,
    }
    return Ticket(**{**said, **changes})


TOKEN = sign_ticket(ticket(), OLD)


def refused(token: str, ring: SecretRing = OLD, now: datetime = NOW) -> str:
    with pytest.raises(InvalidConsent) as error:
        read_ticket(token, ring, now)
    assert str(error.value).startswith("this link ")
    return str(error.value)


def test_what_was_signed_is_read_whole_also_when_there_are_newer_secrets() -> None:
    assert read_ticket(TOKEN, OLD, NOW) == ticket()
    assert read_ticket(TOKEN, BOTH, NOW) == ticket()
    assert sign_ticket(ticket(), BOTH).startswith("2.")


@given(st.integers(0, len(TOKEN) - 1), st.sampled_from("AQgw09-_.=~ \x00é"))
def test_a_token_that_differs_in_one_character_is_refused(place: int, char: str) -> None:
    changed = TOKEN[:place] + char + TOKEN[place + 1 :]
    if changed != TOKEN:
        refused(changed)


def test_bits_that_no_byte_needs_are_looked_at_too() -> None:
    for char in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
        if char != TOKEN[-1]:
            refused(TOKEN[:-1] + char)


@given(st.integers(0, len(TOKEN) - 1))
def test_a_token_that_is_cut_or_longer_is_refused(length: int) -> None:
    refused(TOKEN[:length])
    refused(TOKEN[length:] if length else TOKEN + "A")


@given(st.text(max_size=60))
def test_any_text_ends_in_a_sentence_that_does_not_quote_it(text: str) -> None:
    said = refused(f"1.{text}")
    assert len(text) < 8 or text not in said


def test_foreign_tokens_and_those_of_secrets_that_are_gone_are_refused() -> None:
    assert "not whole" in refused(TOKEN, OTHER)
    assert "too old" in refused(TOKEN, SecretRing({2: b"2" * 32}))
    for odd in (None, 7, b"1.x.y", TOKEN * 50):
        refused(odd)  # type: ignore[arg-type]  # on purpose


def test_what_suppression_makes_of_the_same_secret_signs_no_link() -> None:
    version, payload, _ = TOKEN.split(".")
    raw = base64.urlsafe_b64decode(payload + "==")
    mac = OLD.mac(1, "crmcore.suppression/1", raw)
    assert mac is not None
    refused(f"{version}.{payload}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}")


def test_a_link_works_for_sixty_days_at_least_and_to_the_second() -> None:
    last = NOW + 60 * DAY - timedelta(microseconds=1)
    assert read_ticket(TOKEN, OLD, last) == ticket()
    assert "run out" in refused(TOKEN, now=NOW + 60 * DAY)
    with pytest.raises(InvalidConsent, match="60 days"):
        ticket(expires_at=last)
    odd = ticket(issued_at=NOW + timedelta(microseconds=999_999), expires_at=NOW + 61 * DAY)
    assert read_ticket(sign_ticket(odd, OLD), OLD, NOW).topic == "news"


def test_a_ticket_never_names_an_address() -> None:
    for named in (
        {"point": "ann@x.example"},
        {"point": None},
        {"point": None, "known": ("+44 20 7946 0018",)},
    ):
        with pytest.raises(InvalidConsent):
            ticket(**named)


def test_the_record_that_a_link_is_for_is_read_with_the_secrets_alone_and_looks_new_in_each_link() -> None:
    records = ["0190c3a2-0000-7000-8000-0000000000" + end for end in ("01", "02", "fe")]
    said = [
        ticket(records=(record,), point=point, issued_at=NOW - timedelta(seconds=ago))
        for record in records
        for point in records[:2]
        for ago in (0, 1)
    ]
    tokens = [sign_ticket(one, BOTH) for one in said]
    assert [read_ticket(token, BOTH, NOW).records for token in tokens] == [one.records for one in said]
    several = ticket(records=tuple(records[:2]), beside=tuple(records[2:]))
    assert read_ticket(sign_ticket(several, BOTH), BOTH, NOW) == several
    sealed = [json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["r"] for token in tokens]
    assert len({part for one in sealed for part in (one[:20], one[22:])}) == 2 * len(said)
    for odd in ("ann@x.example", "0190C3A2-0000-7000-8000-000000000001", ""):
        with pytest.raises(InvalidConsent):
            ticket(records=(odd,))


def test_pressed_twice_is_one_act_and_after_a_new_yes_it_is_another() -> None:
    first = unsubscribe_act(TOKEN, OLD, NOW, point="ann@x.example", record="r")
    assert first.kind == "withdraw"
    assert (first.scope.topics, first.scope.purposes) == (frozenset({"news"}), frozenset({"marketing"}))
    later = NOW + DAY
    assert unsubscribe_act(TOKEN, OLD, later, point="ann@x.example", record="r", earlier=[first]) == first
    yes = ConsentEvent(id="g", kind="give", occurred_at=later, scope=Scope(controller="acme"))
    again = unsubscribe_act(TOKEN, OLD, later + DAY, earlier=[first, yes])
    assert again.id != first.id
    assert again.occurred_at == later + DAY
    assert unsubscribe_act(TOKEN, OLD, later + 2 * DAY, earlier=[first, yes, again]) == again


def test_only_a_post_that_says_so_acts() -> None:
    form = "List-Unsubscribe=One-Click"
    parts = '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
    assert is_one_click("POST", form)
    assert is_one_click("post", form.encode())
    assert is_one_click("POST", parts)
    assert not any(is_one_click(method, form) for method in ("GET", "HEAD", "OPTIONS", "PUT"))
    assert not any(
        is_one_click("POST", body) for body in ("", "List-Unsubscribe=No", "a=1&" * 5000, "x=One-Click")
    )


def test_headers_name_the_page_and_the_mailbox_and_take_nothing_that_breaks_them() -> None:
    headers = unsubscribe_headers("https://a.example/u?lang=de", "1.x.y", mailto="u@a.example")
    assert headers["List-Unsubscribe"] == (
        "<https://a.example/u?lang=de&token=1.x.y>, <mailto:u@a.example?subject=1.x.y>"
    )
    for url in (
        "http://a.example/u",
        "https://a.example/u\r\nBcc: x",
        "https:///u",
        "https://a.example/>,<",
        "u",
    ):
        with pytest.raises(InvalidConsent):
            unsubscribe_headers(url, "1.x.y")
    with pytest.raises(InvalidConsent):
        unsubscribe_headers("https://a.example/u", "1.x.y", mailto="u@a.example>\r\nBcc: x")


def crm_of(store: MemoryStore, at: datetime = NOW) -> Crm:
    return Crm(store, secrets=OLD, clock=lambda: at)


def test_a_token_of_a_customer_holds_nothing_personal() -> None:
    with crm_of(MemoryStore()) as crm:
        ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
        token = crm.unsubscribe.token(ann.id, topic="news")
    payload = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert set(payload) == {"p", "r", "k", "c", "h", "t", "u", "i", "e"}
    assert not [word for word in ("ann", "lee", "x.example", str(ann.id)) if word in str(payload).lower()]
    assert UUID(ann.id).bytes not in base64.urlsafe_b64decode(payload["r"] + "==")
    assert len(token) < 450


def test_reading_a_link_writes_nothing_and_pressing_it_writes_once() -> None:
    store = MemoryStore()
    with crm_of(store) as crm:
        ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
        token = crm.unsubscribe.token(ann.id, topic="news")
        before = store.changes("default", "", 500).items
        assert crm.unsubscribe.read(token).topic == "news"
        assert store.changes("default", "", 500).items == before
        act = crm.unsubscribe.act(token)
        tomorrow = crm_of(store, NOW + DAY)
        after = store.changes("default", "", 500).items
        assert tomorrow.unsubscribe.act(token) == act
        assert store.changes("default", "", 500).items == after != before
        assert tomorrow.consent.events(ann.id) == (act,)
        own = f"consent:party:{ann.id}"
        assert store.ledger("default", [own])[own].items == ()  # it stands where the address has its ledger
        assert act.scope.point == "ann@x.example"
        assert act.scope.channels == {"email"}


def test_a_link_works_when_the_person_was_erased_or_the_address_has_left() -> None:
    store = MemoryStore()
    with crm_of(store) as crm:
        ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
        token = crm.unsubscribe.token(ann.id, topic="news")
        erase(store, ann.id)
        crm.unsubscribe.act(token)
        crm.unsubscribe.act(token)
        (entry,) = crm.suppression.of(EmailPoint.of("Ann@x.example"), controller="default")
        news = Request(controller="default", channel="email", purpose="marketing", topic="news", at=NOW)
        assert entry.reason == "withdrawal"
        assert entry.covers(news)


def test_a_link_is_taken_again_after_whoever_has_the_address_said_yes_for_themselves() -> None:
    store = MemoryStore()
    with crm_of(store) as crm:
        ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
        token = crm.unsubscribe.token(ann.id)
        first = crm.unsubscribe.act(token)
        later = crm_of(store, NOW + DAY)
        later.consent.record("give", ann.id, purposes=["marketing"], channels=["email"])
        again = crm_of(store, NOW + 2 * DAY).unsubscribe.act(token)
        assert (again.occurred_at, again.id != first.id) == (NOW + 2 * DAY, True)
        assert crm_of(store, NOW + 3 * DAY).unsubscribe.act(token) == again
        assert len(later.consent.events(ann.id)) == 3


@pytest.mark.parametrize("gone", ["erased", "moved"])
def test_a_link_suppresses_an_address_that_is_gone_however_it_is_written(gone: str) -> None:
    store = MemoryStore()
    with crm_of(store) as crm:
        ann = crm.parties.add(Person.of("Ann Lee", email="ann.lee@gmail.com"))
        token = crm.unsubscribe.token(ann.id)
        if gone == "erased":
            erase(store, ann.id)
        else:
            other = Person.of("Ann Lee", email="b@y.example").contact_points
            crm.parties.change(ann.id, lambda party: party.changed(contact_points=other))
        for _ in range(2):
            crm.unsubscribe.act(token)
        for text in ("ann.lee@gmail.com", "AnnLee@gmail.com", "a.n.n.lee+x@googlemail.com"):
            (entry,) = crm.suppression.of(EmailPoint.of(text), controller="default")
            assert entry.reason == "withdrawal"


def test_the_link_of_an_address_suppresses_it_for_itself_where_one_with_a_tag_is_gone_too() -> None:
    store = MemoryStore()
    with crm_of(store) as crm:
        people = [crm.parties.add(Person.of("Jo", email=f"jo{tag}@x.example")).id for tag in ("+a", "")]
        tokens = [crm.unsubscribe.token(one) for one in people]
        for one in people:
            crm.parties.change(one, lambda party: party.changed(contact_points=()))
        for token in (*tokens, *tokens):
            crm.unsubscribe.act(token)
        assert len(crm.suppression.lift("email", "jo+a@x.example", controller="default")) == 1
        (entry,) = crm.suppression.lift("email", "jo@x.example", controller="default")
        assert entry.reason == "withdrawal"


def test_the_link_of_one_topic_is_not_that_of_another() -> None:
    store = MemoryStore()
    with crm_of(store) as crm:
        ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
        tokens = [crm.unsubscribe.token(ann.id, topic=topic) for topic in ("news", "offers")]
        erase(store, ann.id)
        for token in (*tokens, *tokens):
            crm.unsubscribe.act(token)
        entries = crm.suppression.of(EmailPoint.of("ann@x.example"), controller="default")
        assert sorted(topic for entry in entries for topic in entry.scope.topics) == ["news", "offers"]


def test_a_batch_that_is_run_again_takes_the_link_once() -> None:
    with crm_of(MemoryStore()) as crm:
        ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
        token = crm.unsubscribe.token(ann.id)

        def pressed() -> ConsentEvent:
            with crm.batch(idem="webhook 7") as b:
                return b.unsubscribe.act(token)

        assert pressed() == pressed()
        assert len(crm.consent.events(ann.id)) == 1


def test_a_link_is_for_one_point_that_is_theirs() -> None:
    with crm_of(MemoryStore()) as crm:
        ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example").with_email("a@y.example"))
        with pytest.raises(InvalidConsent, match="2 contact points"):
            crm.unsubscribe.token(ann.id)
        assert crm.unsubscribe.token(ann.id, point="a@y.example")
        named = crm.unsubscribe.read(crm.unsubscribe.token("a@y.example"))  # as decisions mean it
        assert named.point == crm.unsubscribe.read(crm.unsubscribe.token(ann.id, point="A@y.example ")).point
        with pytest.raises(InvalidConsent, match="has that contact point"):
            crm.unsubscribe.token(ann.id, point="bo@x.example")
        for channel in ("sms", "post", "push"):
            with pytest.raises(InvalidConsent, match="no contact point for"):
                crm.unsubscribe.token(ann.id, channel=channel)
        with pytest.raises(InvalidConsent, match="60 days"):
            crm.unsubscribe.token(ann.id, point="a@y.example", days=59)
        for days in (10**7, 10**12):
            with pytest.raises(InvalidConsent, match="fewer days"):
                crm.unsubscribe.token(ann.id, point="a@y.example", days=days)


def test_a_link_of_a_crm_without_a_practice_is_heard_by_one_that_has_it() -> None:
    store = MemoryStore()
    with crm_of(store) as page, Crm(store, practice=PRACTICE, clock=lambda: NOW + DAY) as ours:
        ann = page.parties.add(Person.of("Ann Lee", email="ann@x.example"))
        said: Any = {"purposes": ["marketing"], "channels": ["email"]}
        ours.consent.record("give", ann.id, occurred_at=NOW - DAY, evidence=YES, **said)
        asked: Any = {"purpose": "marketing", "channel": "email", "jurisdictions": ["DE"]}
        asked["offered_to_children"] = False
        assert ours.consent.decide(ann.id, **asked).answer == "allow"
        page.unsubscribe.act(page.unsubscribe.token(ann.id))
        assert ours.consent.decide(ann.id, **asked).answer == "deny"
        ours.consent.withdraw(ann.id, **said)
        later = crm_of(store, NOW + 2 * DAY)
        later.consent.record("give", ann.id, evidence=YES, **said)
        answers = [one.allowed for crm in (later, ours) for one in crm.consent.audience(**asked)]
        assert answers == [False, False]
