"""Levels, candidates and evidence by arrays are those of the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.identity.batch.array_counting import ArrayCounting
from crmcore.identity.batch.arrays import arrays_of
from crmcore.identity.batch.blocking import Blocked, blocked
from crmcore.identity.batch.forms import Forms, blooms, common, errors, may_be_alike, may_share, winkler
from crmcore.identity.batch.grading import PairGrader
from crmcore.identity.batch.near_values import near_pairs
from crmcore.identity.features import Features, features_of_row
from crmcore.identity.model.candidates import Candidates, neighbours
from crmcore.identity.model.counting import Counting
from crmcore.identity.model.encoding import Table, encode
from crmcore.identity.model.patterns import Comparer
from crmcore.identity.model.training import train
from crmcore.identity.name_levels import metrics, word_level
from tests.identity.batch.messy import MIXED
from tests.identity.model.invented import households, people, records
from tests.identity.model.recorded import people as recorded

near = st.text("abcé1", max_size=9)
any_word = st.one_of(
    near, st.sampled_from("olivia lolivia smith smyth smiht christopher christoper ab ba".split())
)


@given(pairs=st.lists(st.tuples(any_word, any_word), min_size=1))
def test_bounds_are_never_too_low(pairs: list[tuple[str, str]]) -> None:
    one, other = Forms.of([a for a, _ in pairs]), Forms.of([b for _, b in pairs])
    alike, edits = metrics()
    shared, wrong, most = common(one, other), errors(one, other), winkler(one, other)
    possible = {least: may_be_alike(one, other, least) for least in (1, 2)}
    for at, (a, b) in enumerate(pairs):
        if a.isascii() and b.isascii():
            assert shared[at] >= sum(min(a.count(letter), b.count(letter)) for letter in set(a))
        assert wrong[at] <= edits(a, b)
        assert a == b or most[at] >= alike(a, b)
        for least, found in possible.items():
            if word_level(a, b) >= least:
                assert found[at]


@given(sets=st.lists(st.lists(any_word, max_size=4), min_size=2))
def test_sets_with_a_word_in_common_may_share_one(sets: list[list[str]]) -> None:
    found = blooms(sets)
    for a, one in enumerate(sets):
        for b, other in enumerate(sets):
            if set(one) & set(other):
                assert may_share(found[[a]], found[[b]])[0]


def whole(rows: list[dict[str, str]]) -> Table:
    return encode([features_of_row(row) for row in rows]).distinct()[0]


def all_pairs(count: int) -> tuple[Any, Any]:
    one, other = np.triu_indices(count)
    return one.astype(np.int32), other.astype(np.int32)


spaced = st.text("ab ", min_size=1, max_size=4)


@settings(deadline=None)
@given(texts=st.lists(spaced, min_size=2, max_size=8))
@pytest.mark.parametrize(
    "role", ["given_name", "family_name", "city", "region", "occupation", "street", "email"]
)
def test_words_and_their_letters_alone_are_graded_alike(role: str, texts: list[str]) -> None:
    table = whole([{role: text, "birth_date": f"1985-04-{at + 10}"} for at, text in enumerate(texts)])
    one, other = all_pairs(len(table.rows))
    comparer = Comparer(table)
    expected = [comparer.pattern(a, b) for a, b in zip(one.tolist(), other.tolist(), strict=True)]
    assert PairGrader(arrays_of(table)).patterns(one, other).tolist() == expected


@settings(deadline=None)
@given(rows=MIXED)
def test_patterns_are_those_of_the_reference(rows: list[dict[str, str]]) -> None:
    table = whole(rows)
    one, other = all_pairs(len(table.rows))
    comparer = Comparer(table)
    expected = [comparer.pattern(a, b) for a, b in zip(one.tolist(), other.tolist(), strict=True)]
    assert PairGrader(arrays_of(table)).patterns(one, other).tolist() == expected


def several(rows: list[dict[str, str]]) -> list[Features]:
    """Records that have the values of two rows each."""
    found: list[Features] = []
    for first, second in zip(rows[::2], rows[1::2], strict=False):
        a, b = features_of_row(first), features_of_row(second)
        if a.kind != b.kind:
            continue
        found.append(
            Features(
                kind=a.kind,
                names=tuple(sorted({*a.names, *b.names})),
                emails=tuple(sorted({*a.emails, *b.emails})),
                phones=tuple(sorted({*a.phones, *b.phones})),
                addresses=tuple(sorted({*a.addresses, *b.addresses})),
                birth_dates=a.birth_dates,
            )
        )
    return found


def joined(records: list[Features]) -> list[Features]:
    """Each record with the e-mails, phones, names and addresses of the next three as well."""
    return [
        Features(
            names=tuple(sorted({name for one in records[at : at + 4] for name in one.names})),
            emails=tuple(sorted({email for one in records[at : at + 4] for email in one.emails})),
            phones=tuple(sorted({phone for one in records[at : at + 4] for phone in one.phones})),
            addresses=tuple(sorted({address for one in records[at : at + 4] for address in one.addresses})),
            birth_dates=records[at].birth_dates,
        )
        for at in range(len(records))
    ]


@settings(deadline=None)
@given(rows=MIXED)
def test_of_several_values_the_best_are_compared(rows: list[dict[str, str]]) -> None:
    table, _ = encode(several(rows)).distinct()
    one, other = all_pairs(len(table.rows))
    comparer = Comparer(table)
    expected = [comparer.pattern(a, b) for a, b in zip(one.tolist(), other.tolist(), strict=True)]
    assert PairGrader(arrays_of(table)).patterns(one, other).tolist() == expected


@settings(deadline=None)
@given(
    rows=MIXED,
    budget=st.sampled_from([None, 0, 3, 10, 30]),
    cap=st.sampled_from([None, None, 1, 2, 3, 5, 100]),
    doubled=st.booleans(),
)
def test_candidates_are_those_of_the_reference(
    rows: list[dict[str, str]], budget: int | None, cap: int | None, doubled: bool
) -> None:
    table = encode(several(rows) if doubled else [features_of_row(row) for row in rows]).distinct()[0]
    expected = Candidates(table, budget, cap=cap)
    count = len(table.rows)
    found = blocked(arrays_of(table).keys(), count, budget, cap=cap)
    pairs = list(zip(found.a.tolist(), found.b.tolist(), strict=True))
    assert pairs == [(i, j) for i in range(count) for j in expected.partners(i)]
    assert (found.cap, found.oversized, found.left_out) == (
        expected.cap,
        expected.oversized,
        expected.left_out,
    )
    assert found.blocks == len(expected.postings)
    same_debtors(found, expected)


def same_debtors(found: Blocked, expected: Candidates) -> None:
    sample, times = expected.debtors()
    assert found.debtors.sample == sample
    assert found.debtors.times.tolist() == times
    assert list(zip(found.debtors.a.tolist(), found.debtors.b.tolist(), strict=True)) == sample.pairs


@pytest.mark.parametrize("budget", [0, 40, 200, 2_000, None])
@pytest.mark.parametrize("seed", [1, 2])
def test_candidates_of_many_are_those_of_the_reference(budget: int | None, seed: int) -> None:
    many = recorded(150, seed=seed)
    table = encode(many if seed == 1 else joined(many)).distinct()[0]
    expected = Candidates(table, budget)
    found = blocked(arrays_of(table).keys(), len(table.rows), budget)
    pairs = list(zip(found.a.tolist(), found.b.tolist(), strict=True))
    assert pairs == [(i, j) for i in range(len(table.rows)) for j in expected.partners(i)]
    assert found.left_out == expected.left_out
    same_debtors(found, expected)


SETS = {
    "people": records(people(40)),
    "households": records(households(120)),
    "recorded": recorded(120),
    "few": records([{key: row[key] for key in ("given_name", "birth_date")} for row in people(40)]),
    "organizations": [
        features_of_row({"org_name": f"{name} {kind}", "city": town, "phone": f"555{n // 2:04}"})
        for n, (name, kind, town) in enumerate(
            (a, b, c) for a in "foster horiba acme lorem ipsum dolor".split() for b in ("center", "school", "ctr")
            for c in ("york", "kiel")
        )
    ],
    "several": several([*people(40, 2), *people(40, 2)]),
}  # fmt: skip


@pytest.mark.parametrize("name", SETS)
def test_the_same_is_learned_to_the_last_bit(name: str) -> None:
    given_records = SETS[name] + SETS[name][:7]
    plain, where = encode(given_records).distinct()
    copies = [0] * len(plain.rows)
    for row in where:
        copies[row] += 1
    reference = Counting(plain, copies, None, None)
    arrays = ArrayCounting(arrays_of(plain), np.array(copies), None, None)
    one, other = train(reference, organizations=False), train(arrays, organizations=False)
    assert one.classes == other.classes
    assert one.dependences == other.dependences
    assert one.frequencies == other.frequencies
    assert reference.together() == arrays.together()
    for at, column in enumerate(plain.columns):
        assert reference.bearers(at) == arrays.bearers(at)
        for kind, known in one.frequencies[at].items():
            unseen = known.unseen
            assert sorted(reference.terms(at, kind, unseen, 0)) == sorted(
                arrays.terms(at, kind, unseen, 0)
            ), column


letters = st.text(st.sampled_from("abcé\U0001f600"), max_size=9)


@settings(deadline=None, max_examples=300)
@given(texts=st.lists(letters, max_size=40), long=st.sets(st.integers(74, 81), max_size=3))
def test_values_one_error_apart_are_those_of_the_reference(texts: list[str], long: set[int]) -> None:
    keys = sorted(
        {f"{kind}:{text}" for text in texts for kind in "ns"} | {"n:" + "a" * size for size in long}
    )
    found = near_pairs(keys)
    assert [(keys[a], keys[b]) for a, b in found.tolist()] == neighbours(keys)


def test_values_that_a_crowd_has_a_rest_in_common_with_are_not_near() -> None:
    keys = sorted(
        f"n:{first}{second}smithson" for first in "abcdefghijklmnop" for second in "abcdefghijklmnop"
    )
    assert len(near_pairs(keys)) == len(neighbours(keys)) > 0
    assert len(near_pairs(sorted({f"n:smithson{chr(0x4E00 + at)}" for at in range(250)}))) == 0
