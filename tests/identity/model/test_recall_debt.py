"""The recall debt: what blocks that are too large cost, by a sample that stands for them."""

from __future__ import annotations

from itertools import combinations
from math import comb, sqrt
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.identity import dedupe
from crmcore.identity.batch.fast_scan import FastScan
from crmcore.identity.features import Features
from crmcore.identity.model.candidates import Candidates
from crmcore.identity.model.encoding import encode
from crmcore.identity.model.evidence import CERTAIN
from crmcore.identity.model.recall_debt import (
    PAIRS,
    Block,
    RecallDebt,
    Sample,
    block_of,
    blocks_a_stratum,
    debt,
    sample,
)
from crmcore.identity.model.scoring import LearnedMatcher
from crmcore.identity.model_scan import ModelScan
from tests.identity.model.recorded import people
from tests.identity.model.test_candidates import keys_of, pairs, samples
from tests.identity.rows import row


@given(size=st.integers(2, 70), number=st.integers(0, 2**64 - 1), most=st.sampled_from([PAIRS, 333]))
def test_a_block_is_stood_for_by_different_pairs_of_its_own(size: int, number: int, most: int) -> None:
    members = [7 * at for at in range(size)]
    block = block_of(number, members, most)
    assert block.total == comb(size, 2)
    assert len(set(block.pairs)) == len(block.pairs) == min(block.total, most)
    assert set(block.pairs) <= set(combinations(members, 2))


def test_a_block_of_few_pairs_is_looked_at_whole() -> None:
    assert set(block_of(5, range(6), PAIRS).pairs) == set(combinations(range(6), 2))


@settings(max_examples=50)
@given(blocks=st.lists(st.sets(st.integers(0, 30), min_size=2, max_size=6), max_size=20), data=st.data())
def test_where_nothing_is_left_to_chance_the_debt_is_what_is_owed(
    blocks: list[set[int]], data: st.DataObject
) -> None:
    """Each pair once, in however many blocks it is."""
    found = sample(enumerate(map(sorted, blocks)), records=100)
    times = {pair: found.pairs.count(pair) for pair in found.pairs}
    owing = {pair: data.draw(st.booleans()) for pair in times}
    # A pair is in 20 blocks at most: divided by every number up to that there is no remainder.
    share = CERTAIN // 232792560 * 232792560
    result = debt(found, [share // times[pair] if owing[pair] else 0 for pair in found.pairs])
    assert result.sampled == len(found.pairs)
    assert result.error == 0
    assert result.pairs == pytest.approx(sum(owing.values()) * share / CERTAIN)


def test_drawn_blocks_stand_for_all_of_their_size_and_the_error_says_how_well() -> None:
    chance = Random(5)
    blocks = [range(at * 50, at * 50 + chance.randrange(8, 50)) for at in range(400)]
    owing = {pair for block in blocks for pair in combinations(block, 2) if chance.random() < 0.05}
    estimates: list[RecallDebt] = []
    for _ in range(60):
        found = sample([(chance.getrandbits(64), block) for block in blocks], records=100)
        assert len(found.blocks) == blocks_a_stratum(100) * len(found.strata)
        estimates.append(debt(found, [CERTAIN if pair in owing else 0 for pair in found.pairs]))
    mean = sum(one.pairs for one in estimates) / len(estimates)
    spread = sqrt(sum((one.pairs - mean) ** 2 for one in estimates) / (len(estimates) - 1))
    error = sum(one.error for one in estimates) / len(estimates)
    assert mean == pytest.approx(len(owing), rel=0.03)
    assert spread == pytest.approx(error, rel=0.25)


def test_the_error_within_a_block_is_known_too() -> None:
    pairs = [(0, at) for at in range(1, PAIRS + 1)]
    one = Sample([Block(9, 300, pairs)], {9: 1})
    owed = [CERTAIN, *[0] * (PAIRS - 1)]
    variance = 300 * (300 - PAIRS) * (1 / PAIRS) / PAIRS
    found = debt(one, owed)
    assert (found.pairs, found.sampled) == (300 / PAIRS, PAIRS)
    assert found.error == pytest.approx(sqrt(variance))
    assert debt(Sample([], {}), []) == RecallDebt(pairs=0, error=0, sampled=0)


@settings(max_examples=80, deadline=None)
@given(records=samples, budget=st.integers(0, 40))
def test_a_pair_of_the_sample_is_compared_or_known_to_share_what_too_many_have(
    records: list[Features], budget: int
) -> None:
    table = encode(records)
    found = Candidates(table, budget)
    compared = pairs(found, len(records))
    sampled, times = found.debtors()
    over = {key for key, members in found.postings.items() if len(members) > found.cap}
    keys = [{key for key, _ in mine} for mine in keys_of(table)]
    for (a, b), count in zip(sampled.pairs, times, strict=True):
        assert count == (0 if (a, b) in compared else len(over & keys[a] & keys[b]))
        assert count or (a, b) in compared
    assert sum(sampled.strata.values()) == len(over)


def test_records_of_one_customer_who_share_only_what_is_common_are_owed() -> None:
    """Twelve customers of five records that differ in the city only, and blocks of two at most."""
    crowd = [
        row(full_name=f"{name} Quist", email=f"{name}@x.org", phone=f"+4420794600{at:02}", city=city)
        for at, name in enumerate("ada bea cleo dora enid faye gwen hope iris jane kate lena".split())
        for city in ("York", "Kiel", "Bonn", "Graz", "Bern")
    ]
    learned = dedupe([*crowd, *people(40)]).learned
    assert learned is not None
    assert learned.model is not None
    scans = [
        ModelScan(crowd, LearnedMatcher(model=learned.model), None, {}, None, budget) for budget in (10**9, 0)
    ]
    for scan in scans:
        scan.compare(None)
        scan.group((), ())
    roomy, tight = (scan.debt for scan in scans)
    assert roomy == RecallDebt(pairs=0, error=0, sampled=0)
    assert scans[1].same == []
    assert tight is not None
    # Ten pairs of each, of which none was compared.
    assert abs(tight.pairs - 120) < 2 * tight.error < 120


def test_few_large_blocks_are_stood_for_by_more_pairs() -> None:
    few = sample([(1, range(300)), (2, range(300, 600))], records=600)
    assert [len(block.pairs) for block in few.blocks] == [PAIRS * blocks_a_stratum(600) // 2] * 2


@pytest.mark.parametrize("kept", ["sources", "apart"])
def test_nothing_is_owed_where_two_can_never_be_one(kept: str) -> None:
    crowd = [
        row(full_name=f"{name} Quist", email=f"{name}@x.org", phone=f"+4420794600{at:02}", city=city)
        for at, name in enumerate("ada bea cleo dora enid faye".split())
        for city in ("York", "Kiel", "Bonn", "Graz")
    ]
    learned = dedupe([*crowd, *people(40)]).learned
    assert learned is not None
    assert learned.model is not None
    matcher = LearnedMatcher(model=learned.model)
    said = list(combinations(range(len(crowd)), 2)) if kept == "apart" else []
    for scan in (
        ModelScan(crowd, matcher, None, {}, ["a"] * len(crowd) if kept == "sources" else None, 0),
        FastScan(crowd, matcher, None, {}, ["a"] * len(crowd) if kept == "sources" else None, 0),
    ):
        scan.compare(None)
        scan.group((), said)
        assert scan.debt is not None
        assert scan.debt.sampled > 0
        assert scan.debt.pairs == 0
