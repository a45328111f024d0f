"""Laws of `crm.identity` over every engine: judgements join and separate, and taking one back leaves no trace."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from crmcore import Actor, Crm, Organization, Person, Source
from crmcore.app.judging import concerned, put_judgement, settle
from crmcore.app.unit import Unit
from crmcore.errors import ClusterTooLarge, DecidedDifferent, InvalidJudgement, NotFound
from crmcore.identity.identity_events import CustomersMerged, CustomerSplit
from crmcore.identity.judgement import judge
from crmcore.storage import run
from crmcore.values.ids import CustomerId, JudgementId, PartyId
from tests.app.houses import CLERK, START, in_memory
from tests.app.judging import MailboxMatcher

NOBODY = "01977420-dc00-7000-8000-000000000000"
TWIN = Person.of("Ann Björk Lee", email="ann.lee@x.org", phone="+44 20 7946 0018", birth_date="1985-04-12")


def people(crm: Crm, count: int) -> list[PartyId]:
    """Parties, recorded one after the other."""
    return [crm.parties.add(Person.of(f"Person {n}", email=f"p{n}@x.org")).id for n in range(count)]


def cluster(crm: Crm, ref: Any) -> tuple[PartyId, ...]:
    return crm.customers.resolve(ref).members


# --- joining and separating ----------------------------------------------------------------------------


def test_a_merge_joins_and_its_retraction_leaves_no_trace(crm: Crm) -> None:
    a, b, c = people(crm, 3)
    crm.interactions.record("call", direction="inbound", occurred_at=START, with_=b)
    before = {id: crm.customers.view(id).digest for id in (a, b, c)}
    judgement = crm.identity.merge(b, a, reason="same mailbox")
    assert (judgement.pair, judgement.verdict, judgement.actor) == ((a, b), "same", CLERK)
    assert cluster(crm, a) == cluster(crm, b) == cluster(crm, "p1@x.org") == (a, b)
    assert crm.customers.view(b).timeline.count == 1
    taken_back = crm.identity.retract(judgement.id, reason="twins")
    assert taken_back.retracted is not None
    assert {id: crm.customers.view(id).digest for id in (a, b, c)} == before
    assert crm.identity.judgements(a) == (taken_back,)


def test_any_judgement_can_be_taken_back_not_only_the_last(crm: Crm) -> None:
    a, b, c, d = people(crm, 4)
    judgements = [crm.identity.merge(*pair) for pair in ((a, b), (b, c), (c, d))]
    assert cluster(crm, d) == (a, b, c, d)
    crm.identity.retract(judgements[1].id)
    assert (cluster(crm, a), cluster(crm, d)) == ((a, b), (c, d))
    crm.identity.retract(judgements[0].id)
    assert (cluster(crm, a), cluster(crm, b), cluster(crm, c)) == ((a,), (b,), (c, d))


def test_a_judgement_is_taken_back_once(crm: Crm) -> None:
    a, b = people(crm, 2)
    judgement = crm.identity.merge(a, b)
    crm.identity.retract(judgement.id)
    with pytest.raises(InvalidJudgement):
        crm.identity.retract(judgement.id)
    for id in (NOBODY, "nonsense"):
        with pytest.raises(NotFound):
            crm.identity.retract(JudgementId(id))


@pytest.mark.needs("ordered_text")
def test_any_reference_can_be_merged(crm: Crm) -> None:
    a, b = people(crm, 2)
    crm.parties.change(b, lambda p: p.with_source("shop", "1"))
    crm.identity.retract(crm.identity.merge("p0@x.org", Source("shop", "1")).id)
    crm.identity.retract(crm.identity.merge("Person 0", "shop#1").id)
    assert crm.identity.merge(crm.customers.resolve(a).id, b).pair == (a, b)


def test_a_party_is_not_merged_with_itself_or_with_nobody(crm: Crm) -> None:
    a, _ = people(crm, 2)
    with pytest.raises(InvalidJudgement):
        crm.identity.merge(a, "p0@x.org")
    with pytest.raises(InvalidJudgement):
        crm.identity.mark_different(a, a)
    with pytest.raises(NotFound):
        crm.identity.merge(a, "nobody@x.org")
    assert len(crm.events().items) == 2


def test_a_different_separates_what_a_model_joined_and_forbids_joining_it_again(crm: Crm) -> None:
    a, b = [crm.parties.add(TWIN).id for _ in range(2)]
    assert crm.identity.dedupe().merged == 1
    assert cluster(crm, a) == (a, b)
    different = crm.identity.mark_different(a, b, reason="twins")
    assert (cluster(crm, a), cluster(crm, b)) == ((a,), (b,))
    with pytest.raises(DecidedDifferent) as raised:
        crm.identity.merge(a, b)
    assert raised.value.judgement == different.id
    assert crm.identity.matches(a) == ()
    assert crm.identity.dedupe().written == 0
    assert crm.identity.to_review() == ()
    crm.identity.retract(different.id)
    assert cluster(crm, a) == (a, b)


def test_a_different_holds_between_everybody_whom_the_two_are_joined_with(crm: Crm) -> None:
    a, b, c, d = people(crm, 4)
    crm.identity.mark_different(a, b)
    crm.identity.merge(a, c)
    crm.identity.merge(b, d)
    for pair in ((a, b), (c, d), (c, b), (a, d)):
        with pytest.raises(DecidedDifferent):
            crm.identity.merge(*pair)
    assert (cluster(crm, a), cluster(crm, b)) == ((a, c), (b, d))


def test_a_contradiction_between_people_is_shown_on_both_sides_until_it_is_settled(crm: Crm) -> None:
    a, b, c = people(crm, 3)
    same = [crm.identity.merge(a, b), crm.identity.merge(b, c)]
    different = crm.identity.mark_different(a, c)
    assert (cluster(crm, a), cluster(crm, c)) == ((a, b), (c,))
    for id in (a, b, c):
        (conflict,) = crm.customers.view(id).conflicts
        assert all(judgement.id in conflict for judgement in (*same, different))
        assert conflict in crm.customers.view(id).text()
    crm.identity.retract(same[1].id)
    assert [crm.customers.view(id).conflicts for id in (a, b, c)] == [(), (), ()]


# --- ids -----------------------------------------------------------------------------------------------


def test_a_customer_keeps_the_id_of_the_party_recorded_first_and_events_follow_every_other(crm: Crm) -> None:
    a, b, c = people(crm, 3)
    start = crm.events().next
    second = crm.identity.merge(b, c)
    crm.identity.merge(a, c)
    crm.identity.retract(second.id)
    changes = [
        e.event for e in crm.events(start).items if isinstance(e.event, (CustomersMerged, CustomerSplit))
    ]
    merged, again, split = changes
    assert isinstance(merged, CustomersMerged)
    assert isinstance(again, CustomersMerged)
    assert isinstance(split, CustomerSplit)
    assert (merged.into, merged.from_, merged.judgements) == (CustomerId(b), (CustomerId(c),), (second.id,))
    assert (again.into, again.from_) == (CustomerId(a), (CustomerId(b),))
    assert (split.from_, split.into) == (CustomerId(a), (CustomerId(a), CustomerId(b)))


@pytest.mark.needs("large_batches")
def test_a_customer_as_large_as_several_records_of_the_store_is_joined_and_split(crm: Crm) -> None:
    ids = sorted(p.id for p in crm.parties.add_many([Person.of(f"P {n}") for n in range(130)]))
    with crm.batch() as b:
        judgements = [b.identity.merge(one, other) for one, other in itertools.pairwise(ids)]
    assert cluster(crm, ids[77]) == tuple(ids)
    crm.identity.retract(judgements[64].id)
    assert cluster(crm, ids[0]) == tuple(ids[:65])
    assert cluster(crm, ids[-1]) == tuple(ids[65:])
    crm.identity.merge(ids[3], ids[99])
    assert cluster(crm, ids[-1]) == tuple(ids)
    crm.identity.retract(judgements[120].id)
    assert (len(cluster(crm, ids[0])), len(cluster(crm, ids[-1]))) == (121, 9)


def _join_all(crm: Crm, ids: list[PartyId]) -> None:
    """Say of each that it is the same as the first, in one go."""

    async def plan(unit: Unit) -> None:
        around = await concerned(unit, ids)
        said = [
            judge(
                id=unit.ids.new(JudgementId),
                a=ids[0],
                b=id,
                verdict="same",
                actor=unit.actor,
                recorded_at=unit.now,
            )
            for id in ids[1:]
        ]
        for judgement in said:
            await put_judgement(unit, judgement, expect=0)
        await settle(unit, around, said)

    run(crm._twin._flow.commit(plan))


def test_people_join_a_thousand_records_and_no_more() -> None:
    crm = in_memory()
    ids = sorted(p.id for p in crm.parties.add_many([Person.of(f"P {n}") for n in range(1001)]))
    _join_all(crm, ids[:1000])
    assert cluster(crm, ids[500]) == tuple(ids[:1000])
    with pytest.raises(ClusterTooLarge):
        crm.identity.merge(ids[500], ids[1000])
    with crm.batch() as b:
        b.parties.change(ids[0], lambda party: party.with_tag("kept"))
        with pytest.raises(ClusterTooLarge):
            b.identity.merge(ids[500], ids[1000])
    assert crm.parties.get(ids[0]).tags == {"kept"}
    assert crm.identity.judgements(ids[1000]) == ()
    assert cluster(crm, ids[1000]) == (ids[1000],)


def test_a_matcher_joins_a_thousand_records_and_leaves_the_rest() -> None:
    crm = in_memory(matcher=MailboxMatcher())
    crm.parties.add_many([Person.of("Ann Lee", email="ann@x.org")] * 1002)
    report = crm.identity.dedupe()
    sizes = sorted(len(customer.members) for customer in crm.customers.search("ann@x.org"))
    assert sizes == [1, 1, 1000]
    assert (report.merged, report.written) == (999, 999)
    again = crm.identity.dedupe()
    assert (again.merged, again.written) == (0, 0)


# --- the matcher ---------------------------------------------------------------------------------------


def test_matches_advise_and_write_nothing(crm: Crm) -> None:
    ann = crm.parties.add(TWIN)
    crm.parties.add(Person.of("Somebody Else", email="else@y.org"))
    before = crm.store.changes("default").watermark
    (match,) = crm.identity.matches(Person.of("Lee, Ann Björk", email="ANN.LEE@x.org"))
    assert (match.party, match.customer, match.match.verdict) == (ann, CustomerId(ann.id), "same")
    assert "ann.lee@x.org" in match.explain()
    assert "ann.lee@x.org" not in repr(match)
    assert crm.identity.matches(ann.id) == ()
    assert crm.store.changes("default").watermark == before
    with pytest.raises(NotFound):
        crm.identity.matches(PartyId(NOBODY))


def test_those_who_are_settled_are_not_proposed(crm: Crm) -> None:
    a, b, c = [crm.parties.add(TWIN).id for _ in range(3)]
    assert {match.party.id for match in crm.identity.matches(a)} == {b, c}
    crm.identity.merge(a, b)
    assert {match.party.id for match in crm.identity.matches(a)} == {c}
    crm.identity.mark_different(a, c)
    assert crm.identity.matches(a) == ()


def test_a_second_deduplication_writes_nothing(crm: Crm) -> None:
    ids = [crm.parties.add(TWIN).id for _ in range(3)]
    crm.parties.add(Person.of("Ann Björk Lee"))
    crm.parties.add(Organization.of("Acme Ltd", email="info@acme.example", phone="+44 20 7946 0020"))
    crm.parties.add(Organization.of("ACME Limited", email="info@acme.example", phone="+44 20 7946 0020"))
    first = crm.identity.dedupe()
    assert (first.records, first.merged) == (6, 3)
    assert first.written == first.merged + first.review
    assert cluster(crm, ids[2]) == tuple(ids)
    before = crm.store.changes("default").watermark
    second = crm.identity.dedupe()
    assert (second.written, second.merged, second.review) == (0, 0, first.review)
    assert second.customers == first.customers
    assert crm.store.changes("default").watermark == before
    assert {j.actor for j in crm.identity.judgements(ids[0])} == {Actor(kind="model", id="rules/1")}
    assert all(judgement.evidence for judgement in crm.identity.judgements(ids[0]))


def test_a_doubtful_pair_is_to_be_reviewed_until_somebody_or_something_settles_it() -> None:
    crm = in_memory(matcher=MailboxMatcher())
    a, b, c = [crm.parties.add(Person.of(f"P {n}", phone="+44 20 7946 0018")).id for n in range(3)]
    report = crm.identity.dedupe()
    review = crm.identity.to_review()
    assert report.review == len(review) == 3
    assert crm.identity.to_review(limit=1) == review[:1]
    different = crm.identity.mark_different(b, c)
    assert {judgement.pair for judgement in crm.identity.to_review()} == {(a, b), (a, c)}
    assert crm.identity.dedupe().review == 2
    for id in (a, b):
        crm.parties.change(id, lambda party: party.with_email("ann@x.org"))
    later = crm.identity.dedupe()
    assert (later.merged, later.review, cluster(crm, a)) == (1, 0, (a, b))
    assert crm.identity.to_review() == ()
    crm.identity.retract(different.id)
    again = crm.identity.dedupe()
    assert (again.written, again.review) == (0, 1)
    assert [judgement.pair for judgement in crm.identity.to_review()] == [(a, c)]
    crm.identity.merge(a, c)
    assert crm.identity.to_review() == ()
    assert crm.identity.dedupe().review == 0


def test_a_retracted_party_is_compared_with_nobody(crm: Crm) -> None:
    a, b = [crm.parties.add(TWIN).id for _ in range(2)]
    crm.parties.retract(b, reason="a test")
    assert crm.identity.matches(a) == ()
    report = crm.identity.dedupe()
    assert (report.records, report.written) == (1, 0)


def test_a_deduplication_tells_how_far_it_is(crm: Crm) -> None:
    crm.parties.add_many([TWIN, TWIN])
    told: list[tuple[str, int, int]] = []
    crm.identity.dedupe(on_progress=lambda stage, done, total: told.append((stage, done, total)))
    assert {stage for stage, _, _ in told} >= {"reading party", "writing customers"}


@pytest.mark.needs("large_batches")
def test_many_alike_become_one_customer_in_one_run(crm: Crm) -> None:
    crm.parties.add_many([TWIN] * 120)
    report = crm.identity.dedupe()
    assert dict(report.customers) == {"person": 1}
    assert len(cluster(crm, "ann.lee@x.org")) == 120
    assert crm.identity.dedupe().written == 0
    assert "1 people" in report.text()
