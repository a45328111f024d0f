"""Laws of batches over every engine: all or nothing, own writes are seen, and one that is run again writes once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import attrs
import pytest

from crmcore import Actor, Crm, Organization, Person, Source
from crmcore.consent import SecretRing
from crmcore.errors import (
    BatchEnded,
    CommitUnknown,
    DecidedDifferent,
    IdempotencyMismatch,
    InvalidParty,
    NoDesignation,
    NotFound,
    RelationshipCycle,
    SourceTaken,
    VersionConflict,
)
from crmcore.storage import MemoryStore
from crmcore.values.ids import CustomerId, PartyId
from tests.app.houses import CLERK, START, in_memory, options
from tests.app.troubled import interrupted, lossy

ANN = Person.of("Ann Lee", email="ann@x.org")
BEN = Person.of("Ben Lee", email="ben@x.org")
DAY = timedelta(days=1)


def said(crm: Crm) -> list[Any]:
    """Every domain event so far."""
    return [happened.event for happened in crm.events(limit=500).items]


def _given_up(batch: Any, *drafts: Person) -> None:
    """A block that writes and then raises."""
    with batch:
        batch.parties.add_many(drafts)
        raise ZeroDivisionError


# --- all or nothing ------------------------------------------------------------------------------------


def test_a_batch_writes_through_all_namespaces_at_once(crm: Crm) -> None:
    before = crm.store.changes("default").watermark
    with crm.batch(reason="took over a client list") as b:
        ann = b.parties.add(ANN)
        acme = b.parties.add(Organization.of("Acme"))
        job = b.relationships.add("employment", ann.id, acme.id)
        call = b.interactions.record("call", direction="inbound", occurred_at=START - DAY, with_=ann.id)
        other = b.parties.add(Person.of("Lee, Ann", email="a@y.org"))
        judgement = b.identity.merge(ann.id, other.id)
        assert crm.store.changes("default").watermark == before
        assert crm.customers.search("ann@x.org") == ()
    assert crm.parties.get(ann.id) == ann
    assert crm.relationships.of(acme.id) == (job,)
    assert crm.interactions.timeline(other.id).items == (call,)
    assert crm.identity.judgements(ann.id) == (judgement,)
    assert set(crm.customers.resolve("a@y.org").members) == {ann.id, other.id}
    changes = crm.store.changes("default").items
    assert len({change.idem for change in changes}) == 1
    assert {(change.actor, change.reason) for change in changes} == {(CLERK, "took over a client list")}


def test_an_exception_discards_everything(crm: Crm) -> None:
    before = crm.store.changes("default").watermark
    with pytest.raises(ZeroDivisionError):
        _given_up(crm.batch(), ANN, BEN)
    assert crm.store.changes("default").watermark == before
    assert crm.customers.page().items == ()


def test_an_empty_batch_writes_nothing(crm: Crm) -> None:
    ann = crm.parties.add(ANN)
    before = crm.store.changes("default").watermark
    with crm.batch() as b:
        assert b.parties.get(ann.id) == ann
        assert b.parties.change(ann.id, lambda party: party) == ann
    with crm.batch(idem="x") as b:
        assert b.parties.get(ann.id) == ann
    assert crm.store.changes("default").watermark == before


def test_a_batch_with_a_key_that_changed_nothing_changes_nothing_when_it_runs_again_either() -> None:
    crm = Crm(MemoryStore(), secrets=SecretRing({1: b"1" * 32}), **options())

    def lifted() -> tuple[Any, ...]:
        with crm.batch(idem="job 1") as b:
            return b.suppression.lift("email", "ann@x.org")

    assert lifted() == ()
    entry = crm.suppression.add("email", "ann@x.org", reason="complaint")
    assert lifted() == ()
    assert crm.suppression.of(*ANN.contact_points) == (entry,)


@pytest.mark.needs("ordered_text")
def test_a_verb_that_fails_and_is_caught_leaves_nothing_behind(crm: Crm) -> None:
    ids = [crm.parties.add(Person.of(f"Person {n}").with_source("s", str(n))).id for n in range(3)]
    crm.identity.mark_different(ids[0], ids[1])
    with crm.batch() as b:
        up = b.relationships.add("reports_to", ids[0], ids[1])
        for error, call in (
            (SourceTaken, lambda: b.parties.add(Person.of("X").with_source("s", "1"))),
            (SourceTaken, lambda: b.parties.add_many([Person.of("Y"), Person.of("X").with_source("s", "1")])),
            (NoDesignation, lambda: b.parties.change(ids[0], lambda p: p.changed(names=(), sources=()))),
            (RelationshipCycle, lambda: b.relationships.add("reports_to", ids[1], ids[0])),
            (DecidedDifferent, lambda: b.identity.merge(ids[0], ids[1])),
            (NotFound, lambda: b.identity.merge(ids[0], "nobody@x.org")),
        ):
            with pytest.raises(error):
                call()
        b.identity.merge(ids[1], ids[2])
    assert crm.relationships.of(ids[0]) == (up,)
    assert len(crm.identity.judgements(ids[1])) == 2
    assert crm.customers.search("X") == crm.customers.search("Y") == ()


def test_a_batch_that_ended_takes_no_more(crm: Crm) -> None:
    with crm.batch() as b:
        ann = b.parties.add(ANN)
        parties = b.parties
    given_up = crm.batch()
    with pytest.raises(ZeroDivisionError):
        _given_up(given_up, BEN)
    for ended in (b, given_up):
        with pytest.raises(BatchEnded):
            ended.parties.add(BEN)
        with pytest.raises(BatchEnded):
            ended.parties.get(ann.id)
        with pytest.raises(BatchEnded):
            ended.customers.view(ann.id)
    with pytest.raises(BatchEnded):
        parties.add(BEN)
    assert len(crm.customers.page().items) == 1


def test_who_was_faster_makes_the_whole_batch_fail() -> None:
    store, shared = MemoryStore(), options()
    other = Crm(store, **shared)
    ann = other.parties.add(ANN)
    crm = Crm(
        interrupted(store, lambda: other.parties.change(ann.id, lambda p: p.with_tag("theirs"))), **shared
    )
    b = crm.batch()
    b.parties.add(BEN)
    b.parties.change(ann.id, lambda p: p.with_tag("ours"))
    with pytest.raises(VersionConflict) as faster, b:
        pass
    assert "run the block again" in faster.value.__notes__[0]
    assert other.parties.find(email="ben@x.org") == ()
    assert other.parties.get(ann.id).tags == {"theirs"}


def test_what_a_batch_only_read_must_not_change_either() -> None:
    store, shared = MemoryStore(), options()
    other = Crm(store, **shared)
    ann = other.parties.add(ANN)
    crm = Crm(
        interrupted(store, lambda: other.parties.change(ann.id, lambda p: p.with_tag("theirs"))), **shared
    )
    with pytest.raises(VersionConflict), crm.batch() as b:
        b.parties.add(Person.of(f"Friend of {b.parties.get(ann.id).display_name}"))
    assert len(other.customers.page().items) == 1


# --- own writes ----------------------------------------------------------------------------------------


@pytest.mark.needs("ordered_text")
def test_a_batch_sees_everything_that_it_wrote(crm: Crm) -> None:
    old = crm.parties.add(Person.of("Zoe Old", email="zoe@x.org"))
    crm.interactions.record("note", direction="internal", occurred_at=START - 5 * DAY, with_=old.id)
    with crm.batch() as b:
        ann = b.parties.add(ANN.with_source("shop", "1"))
        assert b.parties.get(ann.id) == ann
        assert b.parties.find(email="ann@x.org", source=Source("shop", "1")) == (ann,)
        assert b.customers.resolve("Ann Lee").id == b.customers.resolve("shop#1").id == CustomerId(ann.id)
        changed = b.parties.change(ann.id, lambda p: p.with_email("a@y.org").without("ann@x.org"))
        assert changed.version == 1
        assert b.parties.find(email="a@y.org") == (changed,)
        assert b.parties.find(email="ann@x.org") == ()
        assert [event.type for event in b.parties.history(ann.id)] == ["party.added", "party.changed"]
        assert {customer.id for customer in b.customers.page().items} == {
            CustomerId(old.id),
            CustomerId(ann.id),
        }
        call = b.interactions.record("call", direction="inbound", occurred_at=START - DAY, with_=ann.id)
        assert b.interactions.timeline(ann.id).items == (call,)
        judgement = b.identity.merge(ann.id, old.id)
        view = b.customers.view("zoe@x.org")
        assert (view.timeline.count, len(view.members)) == (2, 2)
        right = b.interactions.correct(call.id, reason="typo", subject="x")
        assert b.interactions.timeline(old.id, limit=1).items[0] == right
        assert b.interactions.get(call.id) == call
        b.identity.retract(judgement.id)
        assert b.customers.resolve("zoe@x.org").members == (old.id,)
        again = b.identity.merge(ann.id, old.id)
        assert [found.live for found in b.identity.judgements(old.id)] == [False, True]
        b.parties.retract(ann.id, reason="a test")
        assert b.parties.find(email="a@y.org") == ()
        assert b.customers.search("Ann") == ()
    assert crm.customers.resolve("zoe@x.org").members == tuple(sorted([old.id, ann.id]))
    assert [found.id for found in crm.identity.judgements(old.id)] == [judgement.id, again.id]
    assert crm.interactions.timeline(old.id).items[0] == right
    assert crm.parties.get(ann.id).standing == "retracted"


def test_a_batch_raises_a_version_once_however_often_it_writes(crm: Crm) -> None:
    ann, ben = crm.parties.add(ANN), crm.parties.add(BEN)
    up = crm.relationships.add("reports_to", ann.id, ben.id)
    with crm.batch() as b:
        for number in range(3):
            ann = b.parties.change(ann.id, lambda p, number=number: p.with_tag(str(number)))  # type: ignore[misc]  # a default argument
            up = b.relationships.change(up.id, lambda r, number=number: attrs.evolve(r, title=str(number)))  # type: ignore[misc]  # a default argument
        new = b.parties.change(b.parties.add(Person.of("Cleo")).id, lambda p: p.with_tag("vip"))
        judgement = b.identity.retract(b.identity.merge(ann.id, ben.id).id)
    assert (ann.version, up.version, new.version, judgement.version) == (2, 2, 1, 1)
    assert crm.parties.get(ann.id) == ann
    assert crm.parties.get(new.id) == new
    assert crm.relationships.of(ann.id) == (up,)
    assert crm.identity.judgements(ann.id) == (judgement,)
    assert crm.parties.change(ann.id, lambda p: p.with_tag("later")).version == 3


@pytest.mark.parametrize("limit", [1, 2, 5])
@pytest.mark.parametrize("oldest_first", [False, True])
def test_a_batch_pages_through_what_is_stored_and_what_it_wrote(
    crm: Crm, limit: int, oldest_first: bool
) -> None:
    ann = crm.parties.add(ANN)
    stored = [
        crm.interactions.record("call", direction="inbound", occurred_at=START - n * DAY, with_=ann.id)
        for n in range(1, 8)
    ]
    with crm.batch() as b:
        expected = list(stored)
        expected[3] = b.interactions.correct(stored[3].id, reason="day", occurred_at=START - 100 * DAY)
        b.interactions.retract(stored[5].id, reason="never")
        del expected[5]
        expected += [
            b.interactions.record(
                "note", direction="internal", occurred_at=START - n * DAY - DAY / 2, with_=ann.id
            )
            for n in (0, 2, 4, 50)
        ]
        shown: list[Any] = []
        after: str | None = None
        while True:
            page = b.interactions.timeline(ann.id, limit=limit, after=after, oldest_first=oldest_first)
            shown += page.items
            after = page.next
            if after is None:
                break
        expected.sort(key=lambda found: found.occurred_at, reverse=not oldest_first)
        assert shown == expected
    assert list(crm.interactions.timeline(ann.id, oldest_first=oldest_first).items) == expected


def test_what_a_batch_takes_away_it_can_make_again(crm: Crm) -> None:
    ann, ben = crm.parties.add(ANN).id, crm.parties.add(BEN).id
    first = crm.identity.merge(ann, ben)
    with crm.batch() as b:
        b.identity.retract(first.id)
        assert b.customers.resolve(ann).members == (ann,)
        second = b.identity.merge(ann, ben)
        assert b.customers.resolve(ann).members == (ann, ben)
    assert crm.customers.resolve(ben).members == (ann, ben)
    crm.identity.retract(second.id)
    assert crm.customers.resolve(ben).members == (ben,)


def test_an_event_is_of_what_was_written_and_of_nothing_else(crm: Crm) -> None:
    ann = crm.parties.add(ANN)
    with crm.batch() as b:
        with pytest.raises(InvalidParty):
            b.parties.add_many([BEN, ann])  # the first is good, the second is stored already
        b.parties.change(ann.id, lambda party: party.with_tag("vip"))
    assert [event.type for event in said(crm)] == ["party.added", "party.changed"]
    assert crm.customers.search("ben@x.org") == ()


def test_a_deduplication_within_a_batch_sees_what_the_batch_added(crm: Crm) -> None:
    draft = Person.of("Ann Lee", email="ann@x.org", phone="+44 20 7946 0018", birth_date="1985-04-12")
    with crm.batch() as b:
        b.parties.add(draft)
        b.parties.add(draft)
        assert b.identity.dedupe().merged == 1
        assert len(b.customers.resolve("ann@x.org").members) == 2
    assert len(crm.customers.resolve("ann@x.org").members) == 2


# --- actor and reason ----------------------------------------------------------------------------------


def test_the_reason_of_a_batch_is_that_of_all_its_verbs_unless_one_has_its_own(crm: Crm) -> None:
    boss = Actor(kind="person", id="boss")
    with crm.acting_as(boss).batch(reason="clean-up") as b:
        ann, ben = b.parties.add(ANN), b.parties.add(BEN)
        b.parties.change(ann.id, lambda p: p.with_tag("vip"))
        up = b.relationships.add("reports_to", ann.id, ben.id)
        b.relationships.end(up.id, on=date(2026, 1, 1))
        call = b.interactions.record("call", direction="inbound", occurred_at=START, with_=ann.id)
        judgement = b.identity.merge(ann.id, ben.id)
        b.identity.retract(judgement.id)
        b.identity.mark_different(ann.id, ben.id)
        b.interactions.retract(call.id, reason="nobody called")
    events = [event for event in said(crm) if hasattr(event, "actor")]
    assert len(events) == 10
    assert {event.actor for event in events} == {boss}
    assert [event.reason for event in events if event.type != "interaction.retracted"] == ["clean-up"] * 9
    assert [event.reason for event in events if event.type == "interaction.retracted"] == ["nobody called"]
    assert {judgement.reason for judgement in crm.identity.judgements(ann.id)} == {"clean-up"}
    retraction = crm.identity.judgements(ann.id)[0].retracted
    assert retraction is not None
    assert retraction.reason == "clean-up"


# --- run again -----------------------------------------------------------------------------------------


def take_over(crm: Crm, *, idem: str = "order 4711", name: str = "Ann Lee") -> dict[str, Any]:
    """A job that may run again: it writes through every verb."""
    with crm.batch(idem=idem, reason="take-over") as b:
        ann = b.parties.add(Person.of(name, email="ann@x.org").with_source("shop", "1"))
        more = b.parties.add_many([BEN, Person.of("Cleo")])
        b.parties.change(ann.id, lambda p: p.with_tag("new"))
        acme = b.parties.add(Organization.of("Acme"))
        job = b.relationships.add("employment", ann.id, acme.id, title="Engineer")
        job = b.relationships.end(job.id, on=date(2026, 1, 1))
        call = b.interactions.record("call", direction="inbound", occurred_at=START - DAY, with_=ann.id)
        right = b.interactions.correct(call.id, reason="typo", subject="x")
        judgement = b.identity.merge(ann.id, more[0].id)
        different = b.identity.mark_different(ann.id, more[1].id)
        report = b.identity.dedupe()
    return {
        "ids": [ann.id, *(party.id for party in more), acme.id, job.id, call.id, right.id],
        "judgements": [judgement.id, different.id],
        "written": report.written,
    }


def test_a_batch_that_is_run_again_writes_nothing_and_gives_the_same_ids(crm: Crm) -> None:
    first = take_over(crm)
    before = crm.store.changes("default").watermark
    for _ in range(2):
        again = take_over(crm)
        assert {**again, "written": first["written"]} == first
        assert crm.store.changes("default").watermark == before
    assert len(crm.customers.search("ann@x.org")) == 1


def test_what_a_batch_did_twice_is_given_twice(crm: Crm) -> None:
    def twins() -> list[PartyId]:
        with crm.batch(idem="x") as b:
            return [b.parties.add(ANN).id for _ in range(2)]

    first = twins()
    assert len(set(first)) == 2
    assert twins() == first


def test_a_batch_that_is_run_again_gives_what_stands_now(crm: Crm) -> None:
    def add() -> Any:
        with crm.batch(idem="x") as b:
            return b.parties.add(ANN)

    ann = add()
    changed = crm.parties.change(ann.id, lambda p: p.renamed("Ann Hill"))
    assert add() == changed


def test_a_verb_that_looks_before_it_writes_may_be_left_out_the_second_time(crm: Crm) -> None:
    def upsert() -> PartyId:
        with crm.batch(idem="x") as b:
            found = b.parties.find(email="ann@x.org")
            ann = found[0] if found else b.parties.add(ANN)
            ben = b.parties.add(BEN)
            b.relationships.add("reports_to", ann.id, ben.id)
            return ann.id

    assert upsert() == upsert()
    assert len(crm.customers.page().items) == 2


@pytest.mark.needs("ordered_text")
def test_another_batch_under_the_same_key_is_refused_and_writes_nothing(crm: Crm) -> None:
    take_over(crm)
    before = crm.store.changes("default").watermark
    with pytest.raises(IdempotencyMismatch):
        take_over(crm, name="Somebody Else")
    with pytest.raises(IdempotencyMismatch), crm.batch(idem="order 4711") as b:
        b.parties.retract(crm.customers.resolve("Cleo").members[0], reason="x")
    assert crm.store.changes("default").watermark == before


def test_the_same_batch_under_another_key_is_another_batch(crm: Crm) -> None:
    def add(idem: str | None) -> PartyId:
        with crm.batch(idem=idem) as b:
            return b.parties.add(ANN).id

    assert len({add("a"), add("b"), add(None), add(None), add("a"), add("b")}) == 4


def test_a_batch_that_failed_may_be_run_again_under_its_key(crm: Crm) -> None:
    with pytest.raises(ZeroDivisionError):
        _given_up(crm.batch(idem="x"), ANN)
    with crm.batch(idem="x") as b:
        ben = b.parties.add(BEN)
    assert crm.parties.get(ben.id) == ben
    assert crm.parties.find(email="ann@x.org") == ()


@pytest.mark.parametrize("idem", ["x" * 256, "ключ", "a b/c#d"])
def test_any_text_is_a_key(crm: Crm, idem: str) -> None:
    first = take_over(crm, idem=idem)
    assert take_over(crm, idem=idem)["ids"] == first["ids"]


def test_a_key_is_of_one_tenant() -> None:
    store = MemoryStore()
    one, other = (Crm(store, **options(), tenant=tenant) for tenant in ("one", "other"))
    first, second = take_over(one), take_over(other)
    assert len(one.customers.page().items) == len(other.customers.page().items) == 3
    assert take_over(one)["ids"] == first["ids"]
    assert take_over(other)["ids"] == second["ids"]


@pytest.mark.parametrize("lost", ["q", "a", "qq", "aa", "qa", "qqq", "aaa"])
def test_a_batch_whose_answer_was_lost_is_written_once_also_when_it_is_run_again(lost: str) -> None:
    store, shared = MemoryStore(), options()
    crm = Crm(lossy(store, lost), **shared)
    try:
        first = take_over(crm)["ids"]
    except CommitUnknown:
        first = None
    second = take_over(crm)["ids"]
    assert first in (None, second)
    assert len(Crm(store, **shared).customers.search("ann@x.org")) == 1


def test_of_two_runs_at_a_time_one_is_told_to_run_again_and_then_gives_the_same() -> None:
    store, shared = MemoryStore(), options()
    other = Crm(store, **shared)
    results: list[dict[str, Any]] = []
    crm = Crm(interrupted(store, lambda: results.append(take_over(other))), **shared)
    with pytest.raises(VersionConflict, match="run the block again"):
        take_over(crm)
    assert take_over(crm)["ids"] == results[0]["ids"]
    assert len(other.customers.search("ann@x.org")) == 1


def test_of_two_different_batches_under_one_key_at_a_time_one_is_refused() -> None:
    store, shared = MemoryStore(), options()
    other = Crm(store, **shared)
    crm = Crm(interrupted(store, lambda: take_over(other, name="Somebody Else")), **shared)
    with pytest.raises(VersionConflict, match="run the block again"):
        take_over(crm)
    with pytest.raises(IdempotencyMismatch):
        take_over(crm)
    assert other.customers.search("Ann Lee") == ()


def test_what_a_batch_remembers_shows_nobody() -> None:
    crm = in_memory()
    take_over(crm)
    (record,) = crm.store.scan("default", "batch").items
    text = str(record.body)
    assert not any(word in text for word in ("Ann", "ann@x.org", "Lee", "Engineer"))
    assert attrs.asdict(record)["keys"] == frozenset()
