"""Suppression: an address is known again without being kept, whoever has it and whoever was erased."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore import Crm, Person
from crmcore.app.consent_asking import entries_at, with_listings
from crmcore.consent import CopiedRegister, SecretRing, ask_registers
from crmcore.consent.address_forms import forms_of, point_of
from crmcore.consent.decision import decide
from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.facts import Facts, PointFacts, Subject
from crmcore.consent.request import Message, Request
from crmcore.consent.suppression import (
    SUPPRESSED,
    Suppression,
    all_keys,
    fingerprint,
    listings,
    new_keys,
)
from crmcore.errors import InvalidConsent
from crmcore.party.contact_point import EmailPoint, PhonePoint, PostalPoint
from crmcore.serde import dump
from crmcore.storage import Erasure, Key, MemoryStore, Ref
from crmcore.storage.lift import run
from crmcore.values.source import SYSTEM

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
OLD = SecretRing({1: b"1" * 32})
BOTH = SecretRing({1: b"1" * 32, 2: b"2" * 32})
OTHER = SecretRing({1: b"x" * 32, 2: b"y" * 32})

names = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)
domains = st.sampled_from(("gmail.com", "googlemail.com", "x.example", "icloud.com", "yandex.ru"))


def asking(at: datetime = NOW, **changes: Any) -> Request:
    said: dict[str, Any] = {"controller": "acme", "channel": "email", "purpose": "marketing", "at": at}
    return Request(**{**said, **changes})


def crm_of(secrets: SecretRing | None = OLD, store: MemoryStore | None = None, at: datetime = NOW) -> Crm:
    return Crm(store or MemoryStore(), secrets=secrets, clock=lambda: at)


@given(names, domains, names, names)
def test_a_plus_tag_never_evades(name: str, domain: str, tag: str, another: str) -> None:
    plain, one, two = (
        EmailPoint.of(f"{text}@{domain}") for text in (name, f"{name}+{tag}", f"{name.upper()}+{another}")
    )
    for entry in (plain, one, two):
        keys = new_keys(entry, "acme", OLD)
        assert all(keys & all_keys(point, "acme", BOTH) for point in (plain, one, two))


@given(names, names)
def test_different_mailboxes_share_no_form(name: str, another: str) -> None:
    one, two = EmailPoint.of(f"{name}@x.example"), EmailPoint.of(f"{another}@x.example")
    assert (not forms_of(one).isdisjoint(forms_of(two))) is (name == another)


def test_dots_are_nothing_where_the_provider_sees_none_and_something_elsewhere() -> None:
    assert not forms_of(EmailPoint.of("a.nn@gmail.com")).isdisjoint(
        forms_of(EmailPoint.of("ann@googlemail.com"))
    )
    assert forms_of(EmailPoint.of("a.nn@x.example")).isdisjoint(forms_of(EmailPoint.of("ann@x.example")))


@pytest.mark.parametrize(
    "text",
    [
        "ann.lee@gmail.com.",
        "ａｎｎ.lee@gmail.com",
        "ann.lee＠gmail.com",
        "ann.lee@ｇmail。com",
        "<ann.lee@gmail.com>",
        "Ann Lee <AnnLee+news@googlemail.com>",
        "mailto:ann.lee@gmail.com",
        "ann\u200b.lee@gmail.com,",
    ],
)
def test_an_address_is_known_though_it_is_not_written_as_one(text: str) -> None:
    known = forms_of(EmailPoint.of("ann.lee@gmail.com"))
    assert forms_of(EmailPoint.of(text)) & known
    assert forms_of(point_of("email", text)) & known


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("+52 1 55 1234 5678", "+52 55 1234 5678"),
        ("0052 1 55 1234 5678", "+52 55 1234 5678"),
        ("0044 20 7946 0018", "+44 20 7946 0018"),
    ],
)
def test_a_number_is_known_by_whatever_it_is_dialled_with(text: str, known: str) -> None:
    assert forms_of(PhonePoint.of(text)) & forms_of(PhonePoint.of(known))
    assert forms_of(point_of("phone", text)) == forms_of(PhonePoint.of(known))


def test_what_is_no_address_shares_no_form_with_one() -> None:
    for odd in (
        "ann@x.example bo@y.example",
        "ann at x.example",
        "@",
        "a@@x.example",
        "2079460018",
        "+",
        "00",
    ):
        for good in ("ann@x.example", "bo@y.example", "x@x.example"):
            assert not forms_of(EmailPoint.of(odd)) & forms_of(EmailPoint.of(good))
        assert not forms_of(PhonePoint.of(odd)) & forms_of(PhonePoint.of("+20 79460018"))


def test_a_number_and_a_postal_address_are_known_however_they_are_written() -> None:
    number = PhonePoint.of("020 7946 0018", region="GB")
    assert forms_of(number) == forms_of(PhonePoint.of("+44 (0)20 7946-0018 ext. 12"))
    house = PostalPoint.of("1 High Street\nLondon")
    assert not forms_of(house).isdisjoint(forms_of(PostalPoint.of("1 HIGH STREET, LONDON")))


@given(names, domains)
def test_other_secrets_match_nothing(name: str, domain: str) -> None:
    point = EmailPoint.of(f"{name}@{domain}")
    assert new_keys(point, None, BOTH).isdisjoint(all_keys(point, None, OTHER))


def test_old_versions_are_looked_up_and_new_entries_take_the_newest() -> None:
    point = EmailPoint.of("ann@x.example")
    assert new_keys(point, "acme", OLD) <= all_keys(point, "acme", BOTH)
    assert {key.value.split(".")[0] for key in new_keys(point, "acme", BOTH)} == {"2"}
    assert new_keys(point, "acme", OLD).isdisjoint(all_keys(point, "acme", SecretRing({2: b"2" * 32})))


def test_an_entry_of_one_controller_is_nothing_to_another_and_one_of_all_is_to_each() -> None:
    point = EmailPoint.of("ann@x.example")
    for told, asking in (("acme", "other"), (None, "other"), ("acme", "default"), ("acme", None)):
        assert new_keys(point, told, OLD) <= all_keys(point, asking, OLD)
    assert new_keys(point, None, OLD).isdisjoint(new_keys(point, "", OLD))
    with crm_of() as crm:
        crm.suppression.add("email", "ann@x.example", reason="objection", controller="acme")
        heard = {
            who: len(crm.suppression.of(point, controller=who)) for who in ("acme", "Acme ", "other", None)
        }
        assert heard == {"acme": 1, "Acme ": 1, "other": 0, None: 1}
        assert not crm.suppression.lift("email", "ann@x.example")
        for told in (None, "default"):
            crm.suppression.add("email", "ann@x.example", reason="objection", controller=told)
        assert len(crm.suppression.of(point, controller="other")) == 2


def test_an_entry_that_is_known_by_the_very_name_is_found_and_lifted() -> None:
    store, point = MemoryStore(), EmailPoint.of("ann@x.example")
    older = frozenset({Key(SUPPRESSED, str(fingerprint("email:ann@x.example", "acme", OLD, 1)))})
    with crm_of(store=store) as crm:
        with patch("crmcore.app.suppressions.new_keys", lambda *_: older):
            crm.suppression.add("email", "ann@x.example", reason="objection", controller="acme")
        assert len(crm.suppression.of(point, controller="acme")) == 1
        assert len(crm.suppression.lift("email", "ann@x.example", controller="acme")) == 1


def test_no_address_can_be_read_from_what_is_stored() -> None:
    store = MemoryStore()
    texts = ["ann.lee+news@gmail.com", "+442079460018"]
    with crm_of(store=store) as crm:
        crm.suppression.add("email", texts[0], reason="objection")
        crm.suppression.add("phone", texts[1], reason="complaint")
        page = store.scan("default", "suppression", limit=10)
        held = json.dumps([[dump(dict(r.body)), sorted(map(str, r.keys)), str(r.sorts)] for r in page.items])
    assert len(page.items) == 2
    forms = {form for text in texts for form in (text, "ann.lee", "annlee", "gmail", "2079460018")}
    assert not [form for form in forms if form in held]
    guessed = [
        hash(form.encode()).hexdigest()
        for hash in (hashlib.sha256, hashlib.sha1, hashlib.md5)
        for text in texts
        for point in (point_of("phone" if text[0] == "+" else "email", text),)
        for form in (text, *forms_of(point), *(one.partition(":")[2] for one in forms_of(point)))
    ]
    assert guessed
    assert not [one for one in guessed if one in held]
    assert "1" * 8 not in repr(OLD)


def erase(store: MemoryStore, id: str) -> None:
    store.erase(
        Erasure(
            tenant="default",
            refs=frozenset(Ref("default", kind, id) for kind in ("party", "features")),
            subjects=frozenset({id}),
            idem="e",
            actor=SYSTEM,
            at=NOW,
        )
    )


def test_erasing_the_person_leaves_the_entry_and_the_address_is_known_when_it_comes_back() -> None:
    store = MemoryStore()
    with crm_of(store=store) as crm:
        ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example", phone="+442079460018"))
        assert len(crm.suppression.add_customer(ann.id, reason="erasure")) == 2
        erase(store, ann.id)
        back = Person.of("A. Lee", email="Ann+again@x.example")
        assert [one.reason for one in crm.suppression.of(*back.contact_points)] == ["erasure"]
        again = crm.parties.add(back)
        message = Message(
            promotion=True, unsubscribe=True, unsubscribe_burdened=False, sender_identified=True
        )
        request = asking(point="ann+again@x.example", message=message, offered_to_children=False)
        listed = crm.suppression.listings(again.contact_points, request)
    yes = ConsentEvent(
        id="g",
        kind="give",
        occurred_at=NOW - timedelta(days=400),
        scope=Scope(controller="acme", channels={"email"}, purposes={"marketing"}, point=request.point),
        evidence=Evidence(kind="double_opt_in", explicit=True, condition_of_contract=False),
    )
    facts = Facts(events=(yes,), subject=Subject(kind="consumer", adult=True), zones=("Europe/Berlin",))
    allowed = decide(request, facts, jurisdictions=["DE"])
    assert allowed.answer == "allow", allowed.missing
    suppressed = Facts(
        events=(yes,), subject=Subject(kind="consumer", adult=True), zones=("Europe/Berlin",), listings=listed
    )
    denied = decide(request, suppressed, jurisdictions=["DE"])
    assert denied.answer == "deny"
    assert denied.rule is not None
    assert "suppressed" in denied.rule


@pytest.mark.parametrize(
    ("reason", "kind", "hours", "shown", "zone", "why"),
    [
        ("erasure", "web_form", 50, "n", None, None),
        (
            "erasure",
            "web_form",
            50,
            None,
            None,
            "its evidence names no notice that was shown and no document",
        ),
        ("erasure", "web_form", 50, " \ufffd", None, "its evidence names no notice that was shown"),
        ("objection", "web_form", 50, None, None, None),
        (
            "objection",
            "web_form",
            49,
            None,
            None,
            "not on a later day than the list has, wherever the person may be",
        ),
        ("objection", "web_form", 24, None, "America/New_York", None),
        ("objection", "web_form", 1, None, "America/New_York", "not on a later day than the list has"),
        ("objection", "number_given", 50, "n", None, "how the consent was given: number_given"),
        ("objection", "web_form", -80, "n", None, ""),
    ],
)
def test_a_yes_counts_for_more_on_a_later_day_and_where_it_is_shown_and_it_is_told_why_not(
    reason: Any, kind: Any, hours: int, shown: str | None, zone: str | None, why: str | None
) -> None:
    since = datetime(2026, 5, 4, 10, tzinfo=UTC)  # it is midnight in the first zone of the world
    zones = () if zone is None else (zone,)
    letter = Message.marketing(sender_identified=True, unsubscribe=True, postal_address=True)
    request = asking(since + timedelta(days=9), message=letter, offered_to_children=False)
    entry = Suppression(kind="email", reason=reason, since=since)
    yes = ConsentEvent(
        id="g",
        kind="give",
        occurred_at=since + timedelta(hours=hours),
        scope=Scope(controller="acme", channels={"email"}, purposes={"marketing"}),
        evidence=Evidence(kind=kind, notice=shown),
    )
    facts = Facts(
        events=(yes,), zones=zones, point=PointFacts(kind="other"), listings=listings([entry], request, zones)
    )
    found = decide(request, facts, jurisdictions=["US"])
    if why is None:
        assert found.answer == "allow"
        return
    on, _, told = found.reasons[1].partition("; give of ")
    assert (found.rule, on) == (
        "us.internal_list",
        "on our own list of those who want nothing, kept as hashes",
    )
    assert why in told
    assert bool(told) == bool(why)


def test_an_entry_holds_for_its_scope_alone() -> None:
    entry = Suppression(
        kind="email",
        reason="objection",
        since=NOW,
        scope=Scope(controller="acme", channels={"email"}, purposes={"direct_marketing"}),
    )
    service = asking(purpose="service", message=Message(promotion=False))
    assert entry.covers(asking())
    assert not entry.covers(service)
    assert not entry.covers(asking(channel="sms"))
    assert entry.covers(asking(purpose="service")), "a message that may be a promotion is one"
    assert not entry.covers(asking(controller="other"))
    with pytest.raises(InvalidConsent):
        Suppression(kind="email", reason="objection", since=NOW, scope=Scope(point="ann@x.example"))
    with pytest.raises(InvalidConsent):
        Suppression(kind="email", reason="ann@x.example", since=NOW)  # type: ignore[arg-type]  # on purpose


@given(
    st.integers(0, 48 * 60), st.sampled_from(("Europe/Berlin", "Pacific/Kiritimati", "America/Los_Angeles"))
)
def test_an_entry_counts_from_the_instant_on_wherever_the_person_is(minutes: int, zone: str) -> None:
    made = NOW + timedelta(minutes=minutes)
    entry = Suppression(kind="email", reason="objection", since=made)
    yes = ConsentEvent(
        id="g",
        kind="give",
        occurred_at=made - timedelta(minutes=1),
        scope=Scope(controller="acme", channels={"email"}, purposes={"marketing"}),
        evidence=Evidence(kind="double_opt_in", explicit=True, condition_of_contract=False),
    )
    for told in ((), (zone,)):
        found = listings([entry], asking(made), told)
        facts = Facts(
            events=(yes,), subject=Subject(kind="consumer", adult=True), zones=(zone,), listings=found
        )
        assert decide(asking(made), facts, jurisdictions=["DE"]).answer == "deny"
    assert listings([entry], asking(made - timedelta(microseconds=1))) == ()


def test_suppressing_twice_is_one_entry_and_lifting_ends_it() -> None:
    store = MemoryStore()
    with crm_of(store=store) as crm:
        first = crm.suppression.add("email", "ann@x.example", reason="objection")
        assert crm.suppression.add("email", "ANN@x.example", reason="objection") == first
        (lifted,) = crm.suppression.lift("email", "ann@x.example")
        assert lifted.until == NOW
        assert not lifted.stands(NOW)
        assert crm.suppression.of(EmailPoint.of("ann@x.example")) == (lifted,)
        assert crm.suppression.listings([EmailPoint.of("ann@x.example")], asking()) == ()
        crm.suppression.add("email", "ann@x.example", reason="objection")
        assert crm.suppression.listings([EmailPoint.of("ann@x.example")], asking())


@pytest.mark.parametrize(
    ("made", "other"),
    [
        ("john@corp.example", "john+other@corp.example"),
        ("john+other@corp.example", "john@corp.example"),
        ("j.ohn@gmail.com", "john@googlemail.com"),
    ],
)
def test_lifting_ends_no_entry_about_another_address(made: str, other: str) -> None:
    with crm_of(BOTH) as crm:
        entry = crm.suppression.add("email", made, reason="objection")
        assert crm.suppression.lift("email", other) == ()
        assert crm.suppression.listings([EmailPoint.of(other)], asking())
        (ended,) = crm.suppression.lift("email", made.upper())
        assert ended.id == entry.id
        assert crm.suppression.listings([EmailPoint.of(other)], asking()) == ()


@pytest.mark.parametrize("made", ["john+other@corp.example", "john@corp.example"])
def test_an_address_that_is_suppressed_for_itself_stays_so_when_another_is_lifted(made: str) -> None:
    with crm_of(BOTH) as crm:
        (kept,) = {"john+other@corp.example", "john@corp.example"} - {made}
        entry = crm.suppression.add("email", made, reason="objection")
        own = crm.suppression.add("email", kept, reason="objection")
        assert own.id != entry.id
        assert crm.suppression.add("email", kept, reason="objection") == own
        assert [one.id for one in crm.suppression.lift("email", made)] == [entry.id]
        assert crm.suppression.listings([EmailPoint.of(kept)], asking())


@pytest.mark.parametrize("raw", ["ann@x.example.", "Ann <ann@x.example>", "ann@x.example"])
def test_what_was_made_of_a_text_with_a_problem_is_lifted_by_that_text(raw: str) -> None:
    with crm_of(BOTH) as crm:
        ann = crm.parties.add(Person.of("Ann Lee", email=raw))
        (entry,) = crm.suppression.add_customer(ann.id, reason="complaint")
        meant = crm.suppression.add("email", raw, reason="complaint")
        assert crm.suppression.lift("email", "ann+tag@x.example") == ()
        assert {one.id for one in crm.suppression.lift("email", raw)} == {entry.id, meant.id}
        assert not any(one.stands(NOW) for one in crm.suppression.of(*ann.contact_points))


def test_an_address_in_wide_letters_is_lifted_by_the_plain_spelling_and_the_other_way_round() -> None:
    for made, lifted in (("ａｎｎ@x.example", "ann@x.example"), ("ann@x.example", "ａｎｎ@x.example")):
        with crm_of(BOTH) as crm:
            entry = crm.suppression.add("email", made, reason="objection")
            assert [one.id for one in crm.suppression.lift("email", lifted)] == [entry.id]


def test_a_number_that_is_dialled_abroad_by_00_is_lifted_as_it_is_written() -> None:
    with crm_of(BOTH) as crm:
        ann = crm.parties.add(Person.of("Ann Lee", phone="0044 20 7946 0018"))
        (entry,) = crm.suppression.add_customer(ann.id, reason="complaint")
        assert [one.id for one in crm.suppression.lift("phone", "0044 20 7946 0018")] == [entry.id]


def test_lifting_ends_the_entries_of_those_who_are_named_alone() -> None:
    with crm_of(OLD) as crm:
        crm.suppression.add("email", "ann@x.example", reason="objection")
        crm.suppression.add("email", "ann@x.example", reason="objection", controller="acme")
        for controller in ("acme", None):
            (ended,) = crm.suppression.lift("email", "ann@x.example", controller=controller)
            assert ended.scope.controller == controller


def test_an_entry_that_begins_earlier_is_one_of_its_own() -> None:
    with crm_of() as crm:
        crm.suppression.add("email", "ann@x.example", reason="objection")
        before = NOW - timedelta(days=2)
        first = crm.suppression.add("email", "ann@x.example", reason="objection", since=before)
        assert first.since == before
        crm.suppression.add("email", "ann@x.example", reason="objection")
        assert len(crm.suppression.of(EmailPoint.of("ann@x.example"))) == 2
        assert crm.suppression.listings([EmailPoint.of("ann@x.example")], asking(at=before))


def test_duplicates_that_are_not_merged_share_an_entry() -> None:
    with crm_of() as crm:
        one = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
        two = crm.parties.add(Person.of("Anne Lee", email="Ann@X.example"))
        crm.suppression.add_customer(one.id, reason="objection")
        assert crm.suppression.listings(two.contact_points, asking())


def test_facts_about_a_record_hold_what_the_list_says_of_the_point_that_is_asked_about() -> None:
    with crm_of() as crm:
        ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example").with_email("ann@y.example"))
        crm.suppression.add("email", "ann@y.example", reason="objection")
        unit = crm._twin._flow.reader()
        answers = []
        for secrets, point in ((OLD, "ann@y.example"), (OLD, "ann@x.example"), (OLD, None), (None, None)):
            request = asking(point=point)
            found = run(entries_at(unit, secrets, ann.contact_points, None, request.controller))
            answers.append(with_listings(Facts(zones=("UTC",)), found, request).listings)
    assert [len(one) for one in answers] == [1, 0, 1, 0]


def test_a_batch_that_is_run_again_suppresses_once() -> None:
    with crm_of() as crm:

        def suppressed() -> Suppression:
            with crm.batch(idem="file of May") as b:
                return b.suppression.add("email", "ann@x.example", reason="import")

        assert suppressed() == suppressed()


def test_what_cannot_be_is_refused_in_a_sentence_without_the_address() -> None:
    with crm_of(None) as crm, pytest.raises(InvalidConsent, match="secrets="):
        crm.suppression.add("email", "ann@x.example", reason="objection")
    with crm_of() as crm:
        for kind, text in (("email", "ann at x"), ("phone", "9897433")):
            with pytest.raises(InvalidConsent) as refused:
                crm.suppression.add(kind, text, reason="objection")  # type: ignore[arg-type]  # of a loop
            assert text not in str(refused.value)
        with pytest.raises(InvalidConsent, match="future"):
            crm.suppression.add("email", "a@x.org", reason="objection", since=NOW + timedelta(days=1))
    for secrets in ({}, {1: b"short"}, {0: b"1" * 32}, {1: b"1" * 32, 2: b"1" * 32}):
        with pytest.raises(InvalidConsent):
            SecretRing(secrets)


def test_a_copy_of_a_register_is_as_old_as_it_is_and_never_half_read() -> None:
    lines = ["+44 20 7946 0018\t2026-01-02", "", "020 7946 0019"]
    tps = CopiedRegister.of("tps", lines, as_of=date(2026, 5, 1), kind="phone", region="GB")
    on = date(2026, 5, 20)

    def found(text: str, day: date = on) -> Facts:
        return ask_registers(Facts(), [tps], point_of("phone", text), day)

    assert found("+442079460018").listings[0].since == date(2026, 1, 2)
    assert found("+442079460019").listings[0].since == date.min
    assert [(one.list, one.on) for one in found("+442079460020").checks] == [("tps", date(2026, 5, 1))]
    assert found("+442079460020", date(2026, 4, 30)) == Facts()
    assert found("+442079460018", date(2026, 4, 30)).listings
    assert ask_registers(Facts(), [tps], EmailPoint.of("a@x.org"), on) == Facts()
    assert ask_registers(Facts(), [tps], PhonePoint.of("7946 0018"), on) == Facts()
    with pytest.raises(InvalidConsent, match="line 2") as refused:
        CopiedRegister.of("tps", ["+442079460018", "call Ann"], as_of=on, kind="phone")
    assert "Ann" not in str(refused.value)
