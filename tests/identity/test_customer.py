"""Examples of what follows from judgements: ids, events, contradictions, the cap."""

from __future__ import annotations

import pytest

from crmcore.errors import ClusterTooLarge, InvalidJudgement, NotFound
from crmcore.identity.customer import CAP, Cluster, ClusterChanges, Partition, customers, diff
from crmcore.identity.identity_events import CustomersMerged, CustomerSplit
from crmcore.identity.judgement import Judgement
from crmcore.serde import dump, load
from crmcore.values.ids import CustomerId
from tests.identity.said_by import PARTIES, back, guessed, said

A, B, C, D, E = PARTIES[:5]
FIVE = PARTIES[:5]


def _change(before: list[Judgement], after: list[Judgement]) -> ClusterChanges:
    stored = diff([], customers(FIVE, before), before).put
    return diff(stored, customers(FIVE, after), after)


def test_a_customer_has_the_id_of_the_party_recorded_first() -> None:
    partition = customers(FIVE, [said(0, 3, 1, "same")])
    assert partition.groups == ((A,), (B, D), (C,), (E,))
    assert partition.of(D) == CustomerId(B)
    assert isinstance(partition.of(D), CustomerId)


def test_a_former_id_leads_to_the_customer_that_has_its_party() -> None:
    former = customers(FIVE, [said(0, 1, 3, "same")]).of(D)
    assert customers(FIVE, [said(0, 1, 3, "same"), said(1, 0, 3, "same")]).of(former) == CustomerId(A)


def test_an_unknown_party_has_no_customer() -> None:
    with pytest.raises(NotFound):
        customers([A], []).of(B)


def test_judgements_on_other_parties_are_left_out() -> None:
    assert customers([A, C], [said(0, 0, 1, "same"), said(1, 1, 2, "same")]).groups == ((A,), (C,))


def test_a_merge_writes_one_cluster_and_says_which_customer_went_where() -> None:
    first, second = said(0, 0, 1, "same"), said(1, 1, 2, "same")
    changes = _change([first], [first, second])
    assert changes.put == (Cluster(id=CustomerId(A), members=(A, B, C), judgements=(first.id, second.id)),)
    assert changes.delete == ()
    assert changes.events == (
        CustomersMerged(into=CustomerId(A), from_=(CustomerId(C),), judgements=(second.id,)),
    )


def test_joining_two_clusters_deletes_one() -> None:
    before = [said(0, 0, 1, "same"), said(1, 2, 3, "same")]
    join = guessed(2, 1, 3, score=9)
    changes = _change(before, [*before, join])
    assert [cluster.members for cluster in changes.put] == [(A, B, C, D)]
    assert [cluster.id for cluster in changes.delete] == [CustomerId(C)]
    assert changes.events == (
        CustomersMerged(into=CustomerId(A), from_=(CustomerId(C),), judgements=(join.id,)),
    )


def test_taking_a_merge_back_gives_the_former_ids_back() -> None:
    first, second = said(0, 0, 1, "same"), said(1, 1, 2, "same")
    changes = _change([first, second], [back(first), second])
    assert [cluster.id for cluster in changes.put] == [CustomerId(B)]
    assert [cluster.id for cluster in changes.delete] == [CustomerId(A)]
    assert changes.events == (CustomerSplit(from_=CustomerId(A), into=(CustomerId(A), CustomerId(B))),)


def test_a_party_that_changes_customers_is_a_split_and_no_merge() -> None:
    first, other = said(0, 1, 2, "same"), said(1, 0, 2, "same")
    changes = _change([first], [back(first), other])
    assert changes.events == (CustomerSplit(from_=CustomerId(B), into=(CustomerId(A), CustomerId(B))),)


def test_nothing_new_writes_nothing() -> None:
    judgements = [said(0, 0, 1, "same"), said(1, 1, 2, "same")]
    assert _change(judgements, judgements) == ClusterChanges()


def test_a_further_judgement_within_a_customer_is_noted_on_its_cluster() -> None:
    first, more = said(0, 0, 1, "same"), guessed(1, 0, 1, "unsure")
    changes = _change([first], [first, more])
    assert [cluster.judgements for cluster in changes.put] == [(first.id, more.id)]
    assert changes.events == ()


def test_a_cluster_keeps_its_version_when_it_is_written_again() -> None:
    first, second = said(0, 0, 1, "same"), said(1, 1, 2, "same")
    stored = Cluster(id=CustomerId(A), version=4, members=(A, B), judgements=(first.id,))
    changes = diff([stored], customers(FIVE, [first, second]), [first, second])
    assert changes.put[0].version == 4


def test_all_parties_of_a_stored_cluster_must_be_grouped_again() -> None:
    stored = Cluster(id=CustomerId(A), members=(A, B))
    with pytest.raises(InvalidJudgement, match="group all its parties"):
        diff([stored], customers([A], []), [])


def test_a_cluster_survives_storage_and_is_checked() -> None:
    cluster = Cluster(id=CustomerId(A), members=(A, B), judgements=(said(0, 0, 1, "same").id,))
    assert load(Cluster, dump(cluster)) == cluster
    for members in ((A,), (B, A), (A, A), (B, C)):
        with pytest.raises(InvalidJudgement):
            Cluster(id=CustomerId(A), members=members)


def test_a_contradiction_names_every_judgement_of_which_one_has_to_go() -> None:
    chain = [said(0, 0, 1, "same"), said(1, 1, 2, "same"), said(2, 2, 3, "same"), said(3, 2, 4, "same")]
    different = said(4, 0, 3, "different")
    (conflict,) = customers(FIVE, [*chain, different, guessed(5, 1, 4)]).conflicts
    assert set(conflict.judgements) == {chain[0].id, chain[1].id, chain[2].id, different.id}
    assert conflict.apart == (A, D)
    for judgement in conflict.judgements:
        settled = [back(j) if j.id == judgement else j for j in [*chain, different]]
        assert customers(FIVE, settled).conflicts == ()


def test_a_contradiction_may_lead_through_both_ends_of_the_link_that_is_not_heeded() -> None:
    ways = [said(0, 0, 2, "same"), said(1, 1, 3, "same"), said(2, 2, 3, "same"), said(3, 0, 1, "different")]
    (conflict,) = customers(FIVE, ways).conflicts
    assert (conflict.link.a, conflict.link.b) == (C, D)
    assert set(conflict.judgements) == {judgement.id for judgement in ways}


def test_everybody_who_said_it_has_to_take_it_back() -> None:
    twice = [said(0, 0, 1, "same"), said(1, 0, 1, "same", minutes=5)]
    rest = [said(2, 1, 2, "same"), said(3, 0, 2, "different")]
    gone = back(said(4, 1, 2, "same"))
    (conflict,) = customers(FIVE, [*twice, *rest, gone]).conflicts
    assert set(conflict.judgements) == {judgement.id for judgement in [*twice, *rest]}


def test_a_model_never_makes_a_contradiction() -> None:
    partition = customers(FIVE, [guessed(0, 0, 1), guessed(1, 1, 2), said(2, 0, 2, "different")])
    assert partition == Partition(groups=((A, B), (C,), (D,), (E,)), used=partition.used)


def test_a_customer_has_a_largest_size() -> None:
    chain = [said(number, number, number + 1, "same") for number in range(CAP)]
    assert len(customers(PARTIES[:CAP], chain).groups) == 1
    with pytest.raises(ClusterTooLarge):
        customers(PARTIES[: CAP + 1], chain)
    by_model = [guessed(number, number, number + 1) for number in range(CAP)]
    assert sorted(map(len, customers(PARTIES[: CAP + 1], by_model).groups)) == [1, CAP]
