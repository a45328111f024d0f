"""Many records at once: groups that depend on what the records hold and on what people said, and on nothing else."""

from __future__ import annotations

import time
from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import InvalidJudgement
from crmcore.identity.cluster import Link, agglomerate
from crmcore.identity.features import Features
from tests.identity.rows import ANN, STRANGERS, deduped, row, together

FAMILY = [
    row(
        full_name="Olivia Davies", email="davies@x.org", phone="+442079460018", street="5 Oak St", city="York"
    ),
    row(
        full_name="Bernd Davies", email="davies@x.org", phone="+442079460018", street="5 Oak St", city="York"
    ),
    row(full_name="O. Davies", phone="+442079460018", street="5 Oak St", city="York"),
    row(full_name="Davies", email="davies@x.org", street="5 Oak St", city="York"),
    row(full_name="Olvia Davis", email="davies@x.org", city="York", birth_date="1985-04-12"),
    row(full_name="Olivia Davies", birth_date="1985-04-12"),
    row(email="davies@x.org"),
    row(full_name="Bernd Davies"),
]
POOL = [
    *FAMILY,
    *STRANGERS[:4],
    ANN,
    row(full_name="Ann Lee", city="York"),
    row(email="ann.lee@x.org"),
    row(),
]

samples = st.lists(st.sampled_from(range(len(POOL))), max_size=14)


def _partition(records: list[Features], **decided: list[tuple[int, int]]) -> Counter[tuple[Features, ...]]:
    """How often each group of contents occurs, the records of a group in order."""
    groups = deduped(records, **decided).groups
    return Counter(tuple(sorted((records[p] for p in group), key=lambda f: f.order)) for group in groups)


@given(sample=samples, seed=st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_the_order_of_the_records_does_not_matter(sample: list[int], seed: object) -> None:
    records = [POOL[number] for number in sample]
    shuffled = list(records)
    seed.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis's Random has it
    assert _partition(records) == _partition(shuffled)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_what_people_kept_apart_is_apart_and_what_they_joined_is_together(data: st.DataObject) -> None:
    records = [POOL[number] for number in data.draw(st.permutations(range(len(POOL))))]
    pairs = list(combinations(range(len(records)), 2))
    apart = data.draw(st.lists(st.sampled_from(pairs), max_size=4))
    joined = data.draw(st.lists(st.sampled_from(pairs), max_size=2))
    found = deduped(records, apart=apart, together=joined)
    assert all(found.labels[a] != found.labels[b] for a, b in apart)
    for a, b in joined:
        assert found.labels[a] == found.labels[b] or found.conflicts
    assert not {tuple(sorted((found.labels[p.a], found.labels[p.b]))) for p in found.unsure} & {
        tuple(sorted((found.labels[a], found.labels[b]))) for a, b in apart
    }


@given(sample=samples)
@settings(max_examples=100, deadline=None)
def test_the_links_are_exactly_what_joins_the_groups(sample: list[int]) -> None:
    records = [POOL[number] for number in sample]
    found = deduped(records)
    assert len(found.links) == len(records) - len(found.groups)
    links = [
        Link(link.a, link.b, False, link.match.score, link.match.weak, link.support) for link in found.links
    ]
    assert agglomerate(range(len(records)), links, ()).groups == tuple(sorted(found.groups))
    assert all(link.match.verdict == "same" and link.a < link.b for link in found.links)
    assert [link.match.score for link in found.links] == sorted(
        (link.match.score for link in found.links), reverse=True
    )


@given(sample=samples)
@settings(max_examples=100, deadline=None)
def test_a_pair_to_review_is_the_only_one_of_its_two_groups(sample: list[int]) -> None:
    found = deduped([POOL[number] for number in sample])
    groups = [tuple(sorted((found.labels[pair.a], found.labels[pair.b]))) for pair in found.unsure]
    assert len(groups) == len(set(groups))
    assert all(one != other for one, other in groups)


def test_labels_count_from_zero_in_order_of_appearance() -> None:
    assert deduped([ANN, STRANGERS[0], ANN, row(), STRANGERS[1]]).labels == (0, 1, 0, 2, 3)


def test_a_family_is_as_many_customers_as_it_has_members() -> None:
    found = deduped(FAMILY)
    assert found.labels[0] == found.labels[4] == found.labels[5]
    assert found.labels[1] != found.labels[0]


def test_a_third_record_does_not_join_what_contradicts() -> None:
    groups = together([FAMILY[0], FAMILY[1], FAMILY[3]])
    assert not any({FAMILY[0], FAMILY[1]} <= group for group in groups)


def test_people_outrank_contradictions() -> None:
    found = deduped([FAMILY[0], FAMILY[1], FAMILY[3]], together=[(0, 1)])
    assert found.labels[0] == found.labels[1]


def test_a_contradiction_between_people_is_reported() -> None:
    found = deduped([*STRANGERS[:3]], together=[(0, 1), (1, 2)], apart=[(0, 2)])
    assert found.labels[0] != found.labels[2]
    assert len(found.conflicts) == 1


def test_a_person_may_part_equal_records() -> None:
    found = deduped([ANN, ANN, STRANGERS[0]], apart=[(0, 1)])
    assert found.labels == (0, 1, 2)


@pytest.mark.parametrize("pair", [(0, 0), (0, 9), (-1, 0)])
def test_a_decision_about_nothing_is_refused(pair: tuple[int, int]) -> None:
    with pytest.raises(InvalidJudgement):
        deduped([ANN, STRANGERS[0]], apart=[pair])


def test_empty_records_stand_alone() -> None:
    found = deduped([row(), ANN, row(), row()])
    assert len(set(found.labels)) == 4
    assert not found.unsure


def test_nothing_at_all_is_no_groups() -> None:
    assert deduped([]).labels == ()


def test_equal_lone_names_are_to_review() -> None:
    lone = row(full_name="Ann Lee")
    found = deduped([lone, lone, lone])
    assert len(set(found.labels)) == 3
    assert [(pair.a, pair.b) for pair in found.unsure] == [(0, 1), (0, 2)]


def test_a_switchboard_does_not_make_a_company_one_customer() -> None:
    staff = [
        row(given_name=first, family_name=last, phone="+442079460018", email="info@x.org", employer="Acme")
        for first, last in zip(
            ("Olaf", "Pia", "Uwe", "Wim", "Zoe", "Hal", "Ines", "Karl"),
            ("Brandt", "Castro", "Dvorak", "Egede", "Fabre", "Grieg", "Horn", "Iversen"),
            strict=True,
        )
    ]
    assert len(deduped(staff).groups) == len(staff)


def test_progress_ends_with_everything_done() -> None:
    seen: list[tuple[int, int]] = []
    deduped([*STRANGERS, ANN], on_progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(STRANGERS) + 1, len(STRANGERS) + 1)


def test_what_was_done_is_counted() -> None:
    counts = deduped([ANN, ANN, row(email="ann.lee@x.org"), *STRANGERS]).statistics
    assert (counts.records, counts.distinct, counts.same) == (27, 26, 1)
    assert counts.compared >= counts.same + counts.unsure


@pytest.mark.parametrize(
    "record",
    [ANN, row(full_name="Ann Lee"), row(), row(phone="+442079460018")],
    ids=["full", "name", "empty", "phone"],
)
def test_ten_thousand_equal_records_end_in_time(record: Features) -> None:
    begin = time.process_time()
    found = deduped([record] * 10_000)
    assert len(found.groups) == (1 if record is ANN else 10_000)
    assert time.process_time() - begin < 30


def test_thousands_at_one_mailbox_end_in_time_and_are_counted() -> None:
    begin = time.process_time()
    crowd = [
        row(given_name=f"g{n:04}", family_name=f"f{n * 7919 % 10007:05}", email="info@x.org")
        for n in range(3000)
    ]
    found = deduped(crowd)
    assert found.statistics.left_out > 4_000_000
    assert len(found.groups) > 2900
    assert time.process_time() - begin < 30


def test_a_name_of_ten_megabytes_ends_in_time() -> None:
    begin = time.process_time()
    found = deduped([row(full_name="Ann " * 2_500_000, city="York"), row(full_name="Ann " * 2_500_000), ANN])
    assert len(found.labels) == 3
    assert time.process_time() - begin < 30
