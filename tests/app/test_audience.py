"""Laws of `crm.consent.audience` over every engine: each customer gets the answer that `decide` gives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from unittest.mock import ANY

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore import Crm, Person, PostalAddress
from crmcore.app.consent_reading import SHORT, HeldRecord, Page, counted_acts
from crmcore.consent import Attempt, Cap, Evidence, Facts, QuietHours, SecretRing, Subject, Wished
from crmcore.consent.act_reading import ActReader
from crmcore.consent.audience import AudienceCount
from crmcore.consent.event import ConsentEvent
from crmcore.consent.reach import Reach
from crmcore.errors import InvalidConsent, InvalidDocument
from crmcore.storage import Batch, Erasure, MemoryStore, Put, Ref, SqliteStore
from crmcore.values.ids import PartyId
from crmcore.values.language import Language
from crmcore.values.source import SYSTEM, Source
from tests.app.houses import START, Clock, options
from tests.consent.asking import PRACTICE, YES, company

ASKED: dict[str, Any] = {"purpose": "marketing", "channel": "email", "offered_to_children": False}
OURS: dict[str, Any] = {"purposes": ["marketing"], "channels": ["email"], "evidence": YES}
ADDRESSES = ("a@x.org", "b@x.org", "c@x.org")


def person(name: str, *addresses: str, country: str | None = "DE", **more: Any) -> Person:
    draft = Person.of(name, **more)
    for address in addresses:
        draft = draft.with_email(address)
    if country is not None:
        draft = draft.with_address(PostalAddress(lines=("A street",), country=country))
    return draft


def held(store: Any) -> Crm:
    """The customers of `company`, in a store."""
    return Crm(store, practice=PRACTICE, **options())


def told(crm: Crm, *refs: Any, **more: Any) -> list[tuple[str, str | None]]:
    """The reference and the answer, or the barrier, of each."""
    return [
        (one.ref, one.barrier if one.decision is None else one.decision.answer)
        for one in crm.consent.audience(refs or None, **{**ASKED, **more})
    ]


def test_everybody_is_told_of_once_and_those_who_were_merged_as_one(crm: Crm) -> None:
    one = crm.parties.add(person("Ann Lee", "a@x.org"))
    other = crm.parties.add(person("Anne Lee", "b@x.org"))
    third = crm.parties.add(person("Bo Ek"))
    crm.identity.merge(one.id, other.id)
    assert [(ref, answer) for ref, answer in told(crm)] == [
        (str(one.id), "deny"),
        (str(third.id), "unreachable"),
    ]


def test_whoever_cannot_be_decided_about_is_named_and_ends_nothing(crm: Crm) -> None:
    ann = crm.parties.add(person("Ann Lee", "a@x.org"))
    crm.parties.add(person("Bo Ek", "b@x.org"))
    crm.parties.add(person("Bo Ekman", "b@x.org", "c@x.org", sources=(Source("shop", "7"),)))
    missing = "018bcfe5-6800-7000-8000-000000000000"
    assert told(crm, "a@x.org", missing, "nobody@x.org", "b@x.org", str(ann.id), "shop#7") == [
        ("a@x.org", "deny"),
        (missing, "not_found"),
        ("nobody@x.org", "not_found"),
        ("b@x.org", "ambiguous"),
        (str(ann.id), "repeated"),
        ("shop#7", "deny"),
    ]


def test_of_several_addresses_the_one_that_may_be_used_is_told() -> None:
    crm = company()
    ann = crm.parties.add(person("Ann Lee", "a@x.org", "b@x.org"))
    crm.consent.record("give", ann.id, point="b@x.org", **OURS)
    (one,) = crm.consent.audience(**ASKED, facts=Facts())
    assert (one.point, one.allowed) == ("b@x.org", True)


def test_whoever_was_taken_back_is_not_among_all(crm: Crm) -> None:
    ann = crm.parties.add(person("Ann Lee", "a@x.org"))
    crm.parties.retract(ann.id, reason="a test")
    assert told(crm) == []


def test_who_is_asked_for_by_nobody_is_nobody(crm: Crm) -> None:
    assert told(crm) == []
    assert list(crm.consent.audience([], **ASKED)) == []


def test_more_customers_than_a_page_holds_are_all_told_of() -> None:
    crm = company()
    crm.parties.load((person(f"P {n}", f"p{n}@x.org") for n in range(1203)), idem="all")
    refs = [one.ref for one in crm.consent.audience(**ASKED)]
    assert len(set(refs)) == len(refs) == 1203
    again = list(crm.consent.audience(refs, **ASKED))
    assert [one.ref for one in again] == refs
    count = AudienceCount.of(again)
    assert (count.total, count.allowed) == (1203, 0)


def test_a_no_that_comes_in_between_counts_for_those_still_to_come() -> None:
    clock = Clock()
    crm = company(clock)
    people = [crm.parties.add(person(f"P {n}", f"p{n}@x.org")) for n in range(600)]
    last = people[-1]
    crm.consent.record("give", last.id, **OURS)
    going = crm.consent.audience(**ASKED, facts=Facts())
    next(going)
    clock.now += timedelta(seconds=1)
    crm.consent.withdraw(last.id, channels=["email"], purposes=["marketing"])
    assert [one.allowed for one in going if one.ref == last.id] == [False]


def test_a_clock_that_goes_back_takes_no_no_away() -> None:
    clock = Clock()
    crm = company(clock)
    people = [crm.parties.add(person(f"P {n}", f"p{n}@x.org")) for n in range(600)]
    crm.consent.record("give", people[-1].id, **OURS)
    clock.now += timedelta(days=3)
    going = crm.consent.audience(**ASKED)
    next(going)
    clock.now -= timedelta(days=2)
    crm.consent.withdraw(people[-1].id, channels=["email"], purposes=["marketing"])
    assert [one.allowed for one in going if one.ref == people[-1].id] == [False]


def test_a_customer_whose_first_record_was_erased_is_still_one_of_all() -> None:
    crm = company()
    one, other = crm.parties.add(person("Ann Lee", "a@x.org")), crm.parties.add(person("Anne Lee", "b@x.org"))
    crm.identity.merge(one.id, other.id)
    crm.consent.record("give", other.id, point="b@x.org", **OURS)
    gone = frozenset({Ref("default", "party", str(one.id))})
    store: Any = crm.store
    store.erase(Erasure(tenant="default", refs=gone, idem="e", at=START, actor=SYSTEM))
    (found,) = crm.consent.audience(**ASKED)
    assert (str(found.customer), found.point) == (str(one.id), "b@x.org")
    assert len(crm.customers.page().items) == 1


def test_a_yes_that_an_act_about_another_address_corrects_is_none() -> None:
    crm = company()
    ann = crm.parties.add(person("Ann Lee", "a@x.org", "b@x.org"))
    mistaken = crm.consent.record("give", ann.id, point="a@x.org", **OURS)
    crm.consent.record("give", ann.id, point="b@x.org", corrects=mistaken.id, **OURS)
    (one,) = crm.consent.audience(["a@x.org"], **ASKED)
    assert (one.point, one.allowed) == ("a@x.org", False)
    assert crm.consent.decide("a@x.org", **ASKED).answer == "deny"


def test_a_call_in_the_night_is_possible_again_when_decide_says_so() -> None:
    crm = company()
    draft = Person.of("Ann Lee").with_address(PostalAddress(lines=("A street",), country="FR"))
    ann = crm.parties.add(draft.with_phone("+33 1 44 55 66 77"))
    crm.consent.record("give", ann.id, point="+33144556677", **{**OURS, "channels": ["voice"]})
    facts = Facts(zones=("Europe/Paris",), holidays=frozenset())
    wanted: dict[str, Any] = {
        **ASKED,
        "channel": "voice",
        "at": datetime(2026, 8, 11, 2, tzinfo=UTC),
        "facts": facts,
    }
    (one,) = crm.consent.audience(**wanted)
    assert one.decision is not None
    assert (
        one.decision.retry_at
        == crm.consent.decide(ann.id, **wanted).retry_at
        == datetime(2026, 8, 11, 8, tzinfo=UTC)
    )


def test_who_is_named_by_an_address_is_asked_about_at_that_one() -> None:
    crm = company()
    ann = crm.parties.add(person("Ann Lee", "a@x.org", "b@x.org"))
    crm.consent.record("give", ann.id, point="a@x.org", **OURS)
    (one,) = crm.consent.audience(["B@x.org "], **ASKED)
    assert (one.point, one.allowed) == ("b@x.org", False)
    (noted,) = crm.consent.audience(["b@x.org"], **{**ASKED, "channel": "in_app"})
    assert (noted.point, noted.decision) == (None, ANY)


def test_long_histories_are_read_once_when_their_customer_is_decided_about(
    crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = crm.parties.add(person("Ann Lee", "a@x.org", country="US"))
    for number in range(SHORT + 2):
        kind: Any = "withdraw" if number % 2 else "give"
        crm.consent.record(kind, ann.id, point="a@x.org", **OURS)
    (one,) = crm.consent.audience(**ASKED)
    alone = crm.consent.decide("a@x.org", **ASKED)
    assert alone.rule == "us.canspam.opted_out"
    assert [one.decision.rule if one.decision else None] == [alone.rule]
    crm.parties.change(ann.id, lambda p: p.with_email("b@x.org"))
    read: list[PartyId] = []

    async def counted(page: Page, id: PartyId, joined: Any) -> tuple[ConsentEvent, ...]:
        read.append(id)
        return await counted_acts(page, id, joined)

    monkeypatch.setattr("crmcore.app.consent_audience.counted_acts", counted)
    crm.consent.withdraw(ann.id, channels=["email"], purposes=["marketing"])
    (one,) = crm.consent.audience(**ASKED)
    assert (one.allowed, read) == (False, [ann.id])


def test_what_a_batch_has_said_is_heard_within_it(tmp_path: Path) -> None:
    with held(SqliteStore(tmp_path / "crm.db")) as crm:
        ann = crm.parties.add(person("Ann Lee", "a@x.org"))
        crm.consent.record("give", ann.id, point="a@x.org", **OURS)
        with crm.batch(idem="b") as batch:
            batch.consent.withdraw(ann.id, channels=["email"], purposes=["marketing"])
            batch.parties.add(person("Bo Ek", "b@x.org"))
            assert told(cast("Any", batch)) == [(str(ann.id), "deny"), (ANY, "deny")]


def test_what_was_erased_of_a_shared_ledger_is_passed_over(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "crm.db")
    with held(store) as crm:
        ann = crm.parties.add(person("Ann Lee", "fam@x.org"))
        bo = crm.parties.add(person("Bo Lee", "fam@x.org"))
        crm.consent.record("give", ann.id, point="fam@x.org", **OURS)
        crm.consent.record("give", bo.id, point="fam@x.org", **OURS)
        gone = frozenset({str(ann.id)})
        store.erase(Erasure(tenant="default", subjects=gone, idem="e", at=START, actor=SYSTEM))
        answers = {one.ref: one.allowed for one in crm.consent.audience(**ASKED)}
        assert answers[str(bo.id)]


def test_a_damaged_record_is_told_of_in_a_sentence(tmp_path: Path) -> None:
    for name, value in (("contact_points", {}), ("standing", 7), ("standing", "zz")):
        store: Any = MemoryStore()
        crm = held(store)
        ann = crm.parties.add(person("Ann Lee", "a@x.org"))
        ref = Ref("default", "party", str(ann.id))
        kept = store.get([ref])[ref]
        put = Put(ref=ref, expect=kept.version, schema=kept.schema, body={**kept.body, name: value})
        store.apply(Batch(tenant="default", ops=(put,), idem=name, actor=SYSTEM, at=START))
        with pytest.raises(InvalidDocument):
            list(crm.consent.audience(**ASKED))


def test_nothing_that_is_held_of_people_is_shown() -> None:
    secret = HeldRecord(Reach("consumer", (), (), None), ({"raw": "7 Secret street"},))
    assert "Secret" not in repr(secret)
    page = Page(None, None, {}, {}, {"s": ["secret"]}, {}, {}, {})  # type: ignore[arg-type]  # looked at, not read
    assert "secret" not in repr(page)


@pytest.mark.parametrize("refs", ["a@x.org", Source("shop", "7"), [None], [7]])
def test_what_is_no_list_of_references_is_refused_in_a_sentence(refs: Any) -> None:
    with pytest.raises(InvalidConsent):
        list(company().consent.audience(refs, **ASKED))


def test_a_suppressed_address_is_told_of_as_one() -> None:
    clock = Clock()
    crm = company(clock, secrets=SecretRing({1: b"0" * 32}))
    ann = crm.parties.add(person("Ann Lee", "Ann.Lee+x@gmail.com", "b@x.org"))
    crm.consent.record("give", ann.id, point="ann.lee+x@gmail.com", **OURS)
    assert [one.allowed for one in crm.consent.audience(**ASKED)] == [True]
    crm.suppression.add("email", "b@x.org", reason="objection")
    clock.now += timedelta(days=2)
    assert [one.allowed for one in crm.consent.audience(**ASKED)] == [True]
    crm.suppression.add("email", "annlee@gmail.com", reason="objection")
    clock.now += timedelta(days=2)
    (one,) = crm.consent.audience(**ASKED)
    assert not one.allowed


@pytest.mark.parametrize("what", ["told", "suppressed", "merged"])
def test_of_whom_something_is_known_alone_is_not_answered_as_who_did_the_same(what: str) -> None:
    clock = Clock()
    crm = company(clock, secrets=SecretRing({1: b"0" * 32}) if what == "suppressed" else None)
    people = [crm.parties.add(person(f"Ann {name}", f"{name}@x.org")) for name in "abcd"]
    for one in people:
        clock.now += timedelta(hours=1)
        crm.consent.record("give", one.id, point=one.contact_points[0].key, **OURS)
    told = {str(people[2].id): Facts(subject=Subject(deceased=True))} if what == "told" else {}
    if what == "suppressed":
        crm.suppression.add("email", "c@x.org", reason="objection")
    if what == "merged":
        other = crm.parties.add(person("Cy"))
        crm.consent.record("object", other.id, purposes=["marketing"])
        crm.identity.merge(people[2].id, other.id)
    clock.now += timedelta(days=2)
    found = [one.allowed for one in crm.consent.audience(**ASKED, facts=told) if one.point is not None]
    assert found == [True, True, False, True]


WISHES = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(
            (
                Wished(channels={"post"}),
                Wished(channels=()),
                Wished(caps=(Cap(most=1, per="week"),)),
                Wished(quiet=(QuietHours(begin="00:00", end="23:59"),)),
                Wished(quiet=(QuietHours(begin="00:00", end="23:59", zone="Europe/Paris"),)),
                Wished(language=Language("fr")),
            )
        ),
        st.sampled_from(((), ("marketing",), ("service",))),
    ),
    max_size=5,
)


@settings(max_examples=15)
@given(WISHES, st.sampled_from((None, Language("de"))), st.booleans(), st.booleans())
def test_each_is_told_of_under_their_wishes_as_preferences_decide_does(
    wishes: list[tuple[int, Wished, tuple[Any, ...]]], language: Language | None, known: bool, split: bool
) -> None:
    clock = Clock()
    crm = company(clock)
    people = [
        crm.parties.add(person("Ann Lee", "a@x.org", zone="Europe/Berlin")),
        crm.parties.add(person("Anne Lee", "a@x.org", "b@x.org", country="FR")),
        crm.parties.add(person("Bo Ek", "c@x.org")),
        crm.parties.add(person("Cy Ek", "d@x.org", country="US")),
    ]
    for one in people:
        crm.consent.record("give", one.id, point=one.contact_points[0].key, **OURS)
    for number, (who, wished, purposes) in enumerate(wishes):
        clock.now += timedelta(hours=7)
        crm.preferences.record(people[who].id, wished, purposes=purposes)
        if number == 1:
            crm.identity.merge(people[0].id, people[1].id)
    told = Facts(
        zones=("Europe/Berlin",) if known else (),
        attempts=(Attempt(at=clock.now - timedelta(days=3), channel="email"),),
    )
    asked = {**ASKED, "language": language, "facts": {str(people[2].id): told} if split else told}
    found = list(crm.preferences.audience(**asked))
    assert len(found) == len({crm.customers.resolve(one.id) for one in people})
    for told_of in found:
        alone = crm.preferences.decide(told_of.customer or "", point=told_of.point, **asked)
        assert told_of.decision is not None
        for name in ("answer", "rule", "missing", "expires_at", "retry_at"):
            assert getattr(told_of.decision, name) == getattr(alone, name), name


def test_a_wish_is_heard_since_it_was_known_and_until_another_takes_its_place() -> None:
    clock = Clock()
    crm = company(clock)
    ann = crm.parties.add(person("Ann Lee", "a@x.org"))
    other = crm.parties.add(person("Anne Lee", "b@x.org"))
    crm.consent.record("give", ann.id, point="a@x.org", **OURS)
    before = clock.now
    clock.now += timedelta(days=1)
    crm.preferences.record(ann.id, Wished(channels={"post"}))

    def heard(**more: Any) -> str | None:
        (one,) = crm.preferences.audience([ann.id], **ASKED, **more)
        return None if one.decision is None else one.decision.rule

    (plain,) = crm.consent.audience([ann.id], **ASKED)
    assert (plain.allowed, heard(), heard(known_at=before)) == (True, "wish.channel", "eu.consent")
    crm.preferences.record(other.id, Wished(channels=()))
    crm.identity.merge(ann.id, other.id)
    assert heard() == "wish.channel"
    clock.now += timedelta(days=1)
    crm.preferences.record(other.id, Wished(channels=()))
    assert heard() == "eu.consent"


def test_what_no_request_can_be_is_refused_before_anybody_is_asked(crm: Crm) -> None:
    with pytest.raises(InvalidConsent):
        list(crm.consent.audience(purpose="spam", channel="email"))  # type: ignore[arg-type]  # that is the point


acts = st.tuples(
    st.sampled_from(
        ("give", "withdraw", "object", "restrict", "lift", "request", "confirm", "assert_import")
    ),
    st.integers(0, 3),
    st.sampled_from((None, "a@x.org", "b@x.org", "c@x.org")),
    st.sampled_from(((), ("email",), ("email", "sms"))),
    st.sampled_from((("marketing",), (), ("marketing", "service"))),
    st.sampled_from((False, False, False, True)),
)
moves = st.one_of(
    st.tuples(st.just("act"), acts),
    st.tuples(st.just("merge"), st.tuples(st.integers(0, 3), st.integers(0, 3))),
    st.tuples(st.just("unmerge"), st.integers(0, 3)),
    st.tuples(st.just("move"), st.tuples(st.integers(0, 3), st.sampled_from(ADDRESSES))),
)


def play(crm: Crm, people: list[Any], move: tuple[str, Any], clock: Clock) -> None:
    """One thing that happens; what cannot be done then is not done."""
    kind, what = move
    clock.now += timedelta(hours=7)
    try:
        if kind == "act":
            act, who, point, channels, purposes, corrects = what
            evidence = YES if act in ("give", "confirm") else None
            if act == "assert_import":
                evidence = Evidence.imported(document="list")
            said = crm.consent.events(people[who].id)
            crm.consent.record(
                act,
                people[who].id,
                point=point,
                channels=channels,
                purposes=purposes,
                evidence=evidence,
                corrects=said[0].id if corrects and said else None,
            )
        elif kind == "merge":
            crm.identity.merge(people[what[0]].id, people[what[1]].id)
        elif kind == "unmerge":
            for one in crm.identity.judgements(people[what].id):
                crm.identity.retract(one.id)
        else:
            who, address = what
            crm.parties.change(people[who].id, lambda party: party.with_email(address))
    except Exception as error:  # only crmcore's own refusals are passed over
        if type(error).__module__ != "crmcore.errors":
            raise


@given(
    st.lists(moves, max_size=12),
    st.sampled_from((None, "sms", "push", "post", "voice")),
    st.booleans(),
    st.sampled_from((40, 40, 1, 0.5)),
)
def test_each_gets_the_answer_that_decide_gives(
    history: list[tuple[str, Any]], channel: str | None, habits: bool, back: float
) -> None:
    clock = Clock()
    crm = company(clock, practice=PRACTICE if habits else None)
    people = [
        crm.parties.add(person("Ann Lee", "a@x.org", birth_date="1984-02-29")),
        crm.parties.add(person("Anne Lee", "a@x.org", "b@x.org", country="FR")),
        crm.parties.add(person("Bo Ek", "c@x.org", country=None)),
        crm.parties.add(person("Cy", country="US").with_phone("+1 415 555 0132")),
    ]
    for move in history:
        play(crm, people, move, clock)
    wanted = {**ASKED, "channel": channel or "email", "at": START + timedelta(days=back), "facts": Facts()}
    for one in crm.consent.audience(**wanted):
        if one.decision is None:
            assert one.barrier == "unreachable"
            continue
        alone = crm.consent.decide(one.customer or "", point=one.point, **wanted)
        for name in ("answer", "rule", "jurisdiction", "missing", "expires_at", "retry_at"):
            assert getattr(one.decision, name) == getattr(alone, name), name


def test_what_many_said_at_one_address_is_read_once(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(12):
        ann = crm.parties.add(person(f"Ann{number} Lee", "all@x.org"))
        crm.consent.record("give", ann.id, point="all@x.org", **OURS)
    reads: list[Any] = []
    read = ActReader.read

    def counted(self: ActReader, body: Any) -> ConsentEvent:
        reads.append(body)
        return read(self, body)

    monkeypatch.setattr(ActReader, "read", counted)
    alone = [answer for _, answer in told(crm)]
    assert len(alone) == 12
    assert len(set(alone)) == 1
    assert len(reads) == 12
