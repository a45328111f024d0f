"""Reviewing: what is put before a person, and taking over what was decided, once and not against anybody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs
import pytest

from crmcore import Actor, Crm, Organization, Person
from crmcore.errors import InvalidDecisions
from crmcore.identity import Decisions, Matcher, Policy
from crmcore.identity.features import Features
from crmcore.identity.identity_events import JudgementMade
from crmcore.identity.matcher import Match, Reason
from crmcore.identity.model.policy import UNIT
from crmcore.identity.population import Population
from crmcore.storage import MemoryStore
from crmcore.storage.protocol import Batch, Description, Limits, Receipt
from crmcore.values.ids import Ids, PartyId
from crmcore.values.instant import to_text
from tests.app.houses import CLERK, in_memory, options
from tests.app.judging import MailboxMatcher
from tests.app.reviews import decided, everything, file_of, unordered
from tests.app.troubled import interrupted

PHONE = "+44 20 7946 0018"
ADA = Actor(kind="person", id="ada")


@attrs.frozen
class WeakMatcher(MailboxMatcher):
    """Who shares a mailbox is the same, but hardly."""

    def compare(self, a: Features, b: Features, population: Population) -> Match:
        found = super().compare(a, b, population)
        weak = (Reason("e-mail", "same", 70, True, ("a", "a")),)
        return Match("same", 70, weak, weak=True) if found.verdict == "same" else found


def doubtful(crm: Crm, count: int = 2, phone: str = PHONE) -> list[PartyId]:
    ids = [crm.parties.add(Person.of(f"P {n}", phone=phone)).id for n in range(count)]
    crm.identity.dedupe()
    return ids


def weakly_joined(count: int = 2) -> tuple[Crm, list[PartyId]]:
    crm = in_memory(matcher=WeakMatcher())
    ids = [crm.parties.add(Person.of(f"P {n}", email="a@x.org")).id for n in range(count)]
    crm.identity.dedupe()
    return crm, ids


def test_a_doubtful_pair_is_shown_with_what_both_say_and_the_way_to_its_score() -> None:
    crm = in_memory(matcher=MailboxMatcher())
    a, b = doubtful(crm)
    (item,) = crm.identity.review().items
    assert (item.kind, [record.id for record in item.records]) == ("pair", [a, b])
    assert item.records[0].fields == (("name", "P 0"), ("phone", PHONE))
    assert [(step.label, step.points) for step in item.links[0].steps] == [("phone: same", 100)]


def test_a_review_shows_its_values_only_where_that_is_asked_for() -> None:
    crm = in_memory(matcher=MailboxMatcher())
    doubtful(crm)
    review = crm.identity.review()
    assert PHONE not in repr(review) + str(review)
    assert PHONE in review.html()


@pytest.mark.parametrize(("verdict", "customers"), [("same", 1), ("different", 2)])
def test_a_decision_is_a_judgement_of_whoever_made_it_and_the_pair_never_returns(
    crm: Crm, verdict: str, customers: int
) -> None:
    a, b = (crm.parties.add(Person.of(f"P {n}", phone=PHONE)).id for n in range(2))
    crm.identity.dedupe()
    review = crm.identity.review()
    (item,) = review.items
    outcome = crm.identity.apply_review(
        file_of(review, decided(review, item, verdict, by="ada", note="seen"))
    )
    assert (outcome.written, dict(outcome.judgements)) == (1, {verdict: 1})
    judgement = crm.identity.judgements(a)[-1]
    assert (judgement.verdict, judgement.actor, judgement.reason) == (verdict, ADA, "seen")
    assert len({crm.customers.resolve(party).id for party in (a, b)}) == customers
    for _ in range(2):
        assert crm.identity.to_review() == ()
        assert crm.identity.review().items == ()
        crm.identity.dedupe()


def test_taking_decisions_over_twice_changes_nothing() -> None:
    crm = in_memory(matcher=MailboxMatcher())
    doubtful(crm, 3)
    decisions = everything(crm, "same")
    first = crm.identity.apply_review(decisions)
    before = crm.store.changes("default").watermark
    again = crm.identity.apply_review(decisions)
    assert (first.written, first.known) == (3, 0)
    assert (again.written, again.known, again.refused) == (0, 3, ())
    assert crm.store.changes("default").watermark == before


def test_what_was_skipped_is_asked_again() -> None:
    crm = in_memory(matcher=MailboxMatcher())
    doubtful(crm)
    outcome = crm.identity.apply_review(everything(crm, "skip"))
    assert (outcome.written, outcome.skipped, outcome.text()) == (0, 1, "0 taken over, 1 skipped")
    assert len(crm.identity.to_review()) == 1


@pytest.mark.parametrize(("said", "decision"), [("merge", "different"), ("mark_different", "same")])
def test_what_another_person_said_meanwhile_is_reported_and_stands(said: str, decision: str) -> None:
    crm = in_memory(matcher=MailboxMatcher())
    a, b = doubtful(crm)
    decisions = everything(crm, decision, by="ada")
    judgement = getattr(crm.identity, said)(a, b)
    outcome = crm.identity.apply_review(decisions)
    (refused,) = outcome.refused
    assert (outcome.written, refused.why, refused.judgements) == (0, "decided otherwise", (judgement.id,))
    assert len(crm.identity.judgements(a)) == 2


@pytest.mark.parametrize("verdict", ["same", "different"])
def test_what_people_said_by_way_of_other_records_is_not_contradicted(verdict: str) -> None:
    crm = in_memory(matcher=MailboxMatcher())
    a, b = doubtful(crm)
    x = crm.parties.add(Person.of("X")).id
    decisions = everything(crm, verdict)
    crm.identity.merge(a, x)
    if verdict == "same":
        crm.identity.mark_different(x, b)
    else:
        crm.identity.merge(x, b)
    (refused,) = crm.identity.apply_review(decisions).refused
    assert refused.why == "decided otherwise"
    assert refused.judgements
    assert crm.customers.view(a).conflicts == ()


def test_a_decision_that_was_taken_back_since_is_not_made_again() -> None:
    crm = in_memory(matcher=MailboxMatcher())
    a, _ = doubtful(crm)
    decisions = everything(crm, "same")
    crm.identity.apply_review(decisions)
    crm.identity.retract(crm.identity.judgements(a)[-1].id)
    (refused,) = crm.identity.apply_review(decisions).refused
    assert refused.why == "taken back since"
    assert crm.identity.apply_review(everything(crm, "same")).written == 1


@pytest.mark.parametrize("later", [False, True], ids=["on its page", "loaded on a later page"])
def test_a_decision_made_before_it_was_taken_back_is_not_made_again(later: bool) -> None:
    crm = in_memory(matcher=MailboxMatcher())
    a, _ = doubtful(crm)
    review = crm.identity.review()
    at = to_text(review.made_at + timedelta(milliseconds=1))
    one = decided(review, review.items[0], "same", by="ada", at=at)
    crm.identity.apply_review(file_of(review, one))
    (judgement,) = (j for j in crm.identity.judgements(a) if j.human)
    crm.identity.retract(judgement.id)
    if later:
        review = crm.identity.review()
        assert [item.id for item in review.items] == [one["item"]]
    (refused,) = crm.identity.apply_review(file_of(review, one)).refused
    assert (refused.why, refused.judgements) == ("taken back since", (judgement.id,))
    # Whoever decides again, on a page that was made afterwards, is heard, however wrong the clock of the browser is.
    review = crm.identity.review()
    for at in (to_text(review.made_at), "2099-01-01T00:00:00.000Z", ""):
        outcome = crm.identity.apply_review(file_of(review, {**one, "at": at}))
        assert (outcome.refused, outcome.written + outcome.known) == ((), 1)


def test_a_decision_on_a_record_that_is_gone_is_reported_and_the_others_are_taken_over() -> None:
    crm = in_memory(matcher=MailboxMatcher())
    doubtful(crm)
    _, gone = doubtful(crm, 2, "+44 20 7946 0019")
    decisions = everything(crm, "same")
    crm.parties.retract(gone, reason="a test")
    outcome = crm.identity.apply_review(decisions)
    assert outcome.written == 1
    assert [refused.why for refused in outcome.refused] == ["no such record"]


def test_decisions_on_another_store_tenant_or_file_are_refused_whole() -> None:
    crm = in_memory(matcher=MailboxMatcher())
    doubtful(crm)
    review = crm.identity.review()
    one = decided(review, review.items[0], "same")
    strangers = {**one, "records": [Ids(lambda: 1).new(PartyId) for _ in range(2)]}
    for decisions in (
        file_of(review, strangers),
        file_of(review, one, name="t2"),
        file_of(review, one, of="file"),
    ):
        with pytest.raises(InvalidDecisions):
            crm.identity.apply_review(decisions)
    assert len(crm.identity.to_review()) == 1


def test_two_kinds_of_customer_are_not_joined_by_a_file() -> None:
    crm = in_memory(matcher=MailboxMatcher())
    doubtful(crm)
    review = crm.identity.review()
    firm = crm.parties.add(Organization.of("Acme"))
    data = decided(review, review.items[0], "same")
    data["records"][1] = firm.id
    (refused,) = crm.identity.apply_review(file_of(review, data)).refused
    assert refused.why == "cannot be joined"


# --- customers ---------------------------------------------------------------------------------------------


def test_a_customer_joined_by_a_weak_link_is_put_to_review_until_somebody_confirms_it() -> None:
    crm, ids = weakly_joined()
    review = crm.identity.review()
    (item,) = review.items
    assert (item.kind, [record.id for record in item.records]) == ("customer", ids)
    crm.identity.apply_review(file_of(review, decided(review, item, "same")))
    assert crm.identity.review().items == ()
    assert crm.customers.resolve(ids[0]).members == tuple(ids)


def test_a_record_that_is_split_off_stands_alone_and_the_others_stay_together() -> None:
    crm, ids = weakly_joined(3)
    crm.identity.dedupe()
    (customer,) = {crm.customers.resolve(id).members for id in ids}
    assert customer == tuple(ids)
    review = crm.identity.review()
    (item,) = review.items
    crm.identity.apply_review(file_of(review, decided(review, item, "different", apart=[ids[2]])))
    assert [crm.customers.resolve(id).members for id in ids] == [(ids[0], ids[1])] * 2 + [(ids[2],)]
    crm.identity.dedupe()
    assert crm.identity.review().items == ()


def test_a_decision_is_written_whole_or_not_at_all() -> None:
    crm, ids = weakly_joined(3)
    review = crm.identity.review()
    (item,) = review.items
    crm.identity.merge(ids[1], ids[2])  # against the second of the pairs that the decision speaks of
    before = {j.id for j in crm.identity.judgements(ids[0])}
    outcome = crm.identity.apply_review(file_of(review, decided(review, item, "different", apart=[ids[2]])))
    assert (outcome.written, [refused.why for refused in outcome.refused]) == (0, ["decided otherwise"])
    assert {j.id for j in crm.identity.judgements(ids[0])} == before


@pytest.mark.parametrize(("bits", "asked"), [(0, True), (2, True), (3, False), (20, False)])
def test_a_link_that_is_hardly_beyond_the_threshold_is_put_to_review(bits: int, asked: bool) -> None:
    @attrs.frozen
    class Scored(MailboxMatcher):
        def compare(self, a: Features, b: Features, population: Population) -> Match:
            return attrs.evolve(super().compare(a, b, population), score=bits * UNIT)

    for ordered in (True, False):
        crm = in_memory(matcher=Scored())
        for _ in range(2):
            crm.parties.add(Person.of("P", email="a@x.org"))
        crm.identity.dedupe()
        if not ordered:
            unordered(crm)
        assert len(crm.identity.review().items) == asked


def test_the_thresholds_of_a_model_are_on_its_page() -> None:
    careful = Policy(threshold=5 * UNIT)
    assert in_memory(matcher=Matcher(policy=careful)).identity.review().same_at == 5 * UNIT
    assert in_memory(matcher=MailboxMatcher()).identity.review().same_at is None


def test_a_record_that_was_taken_back_is_not_shown_and_nothing_is_said_of_it() -> None:
    crm, ids = weakly_joined(3)
    before = crm.identity.review()
    crm.parties.retract(ids[1], reason="a test")
    (item,) = crm.identity.review().items
    assert [record.id for record in item.records] == [ids[0], ids[2]]
    (shown,) = before.items
    decisions = file_of(before, decided(before, shown, "different", apart=[ids[2]]))
    assert dict(crm.identity.apply_review(decisions).judgements) == {"different": 1}
    assert crm.identity.review().items == ()


def test_what_the_size_of_a_customer_forbids_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crmcore.identity.customer.CAP", 2)
    crm = in_memory(matcher=MailboxMatcher())
    a, b = doubtful(crm)
    crm.identity.merge(a, crm.parties.add(Person.of("X")).id)
    outcome = crm.identity.apply_review(everything(crm, "same"))
    assert [refused.why for refused in outcome.refused] == ["cannot be joined"]
    assert [j.verdict for j in crm.identity.judgements(b)] == ["unsure"]


def test_many_records_of_a_customer_are_named_but_not_all_shown() -> None:
    crm, ids = weakly_joined(20)
    (item,) = crm.identity.review().items
    assert len(item.records) == 12
    assert {*(record.id for record in item.records), *item.more} == set(ids)


def test_the_limit_holds_for_pairs_and_customers_together() -> None:
    crm = in_memory(matcher=WeakMatcher())
    for n in range(4):
        for _ in range(2):
            crm.parties.add(Person.of(f"P {n}", email=f"{n}@x.org"))
        doubtful(crm, 2, f"+44 20 7946 000{n}")
    assert [item.kind for item in crm.identity.review().items] == ["pair"] * 4 + ["customer"] * 4
    assert [item.kind for item in crm.identity.review(limit=5).items] == ["pair"] * 4 + ["customer"]
    assert len(crm.identity.review(limit=3).items) == 3


def test_somebody_who_judges_while_decisions_are_taken_over_is_heard() -> None:
    calm = Crm(MemoryStore(), **options(matcher=MailboxMatcher()))
    a, b = doubtful(calm)
    decisions = everything(calm, "same")
    busy: Any = interrupted(calm.store, lambda: calm.identity.mark_different(a, b))
    crm = Crm(busy, **options(matcher=MailboxMatcher()))
    outcome = crm.identity.apply_review(decisions)
    assert [refused.why for refused in outcome.refused] == ["decided otherwise"]
    assert (outcome.written, dict(outcome.judgements)) == (0, {})


class Narrow:
    """A store that takes no more in a batch than any store must."""

    def __init__(self) -> None:
        self.below = MemoryStore()
        self.largest = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.below, name)

    def describe(self) -> Description:
        return attrs.evolve(self.below.describe(), limits=Limits())

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        self.largest = max(self.largest, len(batch.ops))
        return self.below.apply(batch, timeout=timeout)


def test_decisions_are_taken_over_in_batches_that_any_store_takes() -> None:
    store: Any = Narrow()
    crm = Crm(store, **options(matcher=MailboxMatcher()))
    for number in range(30):
        doubtful(crm, 2, f"+44 20 7946 {number:04}")
    store.largest = 0
    assert crm.identity.apply_review(everything(crm, "same")).written == 30
    assert store.largest <= Limits().max_ops


def test_a_batch_takes_decisions_over_with_all_else_or_not_at_all() -> None:
    crm = in_memory(matcher=MailboxMatcher())
    doubtful(crm)
    decisions: Decisions = everything(crm, "same")
    given_up = crm.batch()
    given_up.__enter__()
    assert given_up.identity.apply_review(decisions).written == 1
    given_up.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
    assert len(crm.identity.to_review()) == 1
    for _ in range(2):
        with crm.batch(idem="once") as batch:
            batch.identity.apply_review(decisions)
    assert crm.identity.to_review() == ()


@pytest.mark.parametrize("in_batch", [False, True], ids=["alone", "in a batch"])
def test_each_decision_is_signed_by_whoever_made_it(in_batch: bool) -> None:
    crm = in_memory(matcher=MailboxMatcher())
    ids = [party for n in range(3) for party in doubtful(crm, 2, f"+44 20 7946 000{n}")]
    review = crm.identity.review()
    named: list[dict[str, Any]] = [{"by": "ada"}, {}, {"by": "bob"}]
    decisions = [decided(review, item, "same", **by) for item, by in zip(review.items, named, strict=True)]
    if in_batch:
        with crm.batch() as batch:
            batch.identity.apply_review(file_of(review, *decisions))
    else:
        crm.identity.apply_review(file_of(review, *decisions))
    people = {j.id: j for id in ids for j in crm.identity.judgements(id) if j.human}
    signed = {frozenset(j.pair): j.actor for j in people.values()}
    actors = [ADA, CLERK, Actor(kind="person", id="bob")]
    expected = {frozenset(d["records"]): actor for d, actor in zip(decisions, actors, strict=True)}
    assert signed == expected
    events = [event.event for event in crm.events(limit=500).items]
    made = {e.judgement: e.actor for e in events if isinstance(e, JudgementMade) and e.judgement in people}
    assert made == {id: judgement.actor for id, judgement in people.items()}


@pytest.mark.parametrize("given", [None, 5, "{}", b"{}", object()], ids=lambda given: type(given).__name__)
def test_what_are_no_decisions_is_refused_in_a_sentence(given: Any) -> None:
    with pytest.raises(InvalidDecisions, match=r"Decisions\.parse"):
        in_memory().identity.apply_review(given)
