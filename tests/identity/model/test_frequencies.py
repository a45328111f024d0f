"""How common terms are among customers, not among records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import pytest

from crmcore.identity.model.evidence import MASS
from crmcore.identity.model.frequencies import Frequency, frequency
from crmcore.identity.model.policy import UNIT
from tests.identity.model.recorded import columns

(FAMILY,) = columns("family name")


def masses(names: Sequence[str], weights: Sequence[float] | None = None) -> Mapping[str, int]:
    """By how many customers each name is borne."""
    found: Counter[str] = Counter()
    for name, weight in zip(names, weights or [1.0] * len(names), strict=True):
        found[name] += round(weight * MASS * 1000)
    return {name: round(mass / 1000) for name, mass in found.items()}


def frequencies(
    names: Sequence[str], weights: Sequence[float] | None = None
) -> tuple[Frequency, dict[str, float]]:
    """What is known of the names, and how much rarer each is than an accident, in bits."""
    borne = masses(names, weights)
    found = frequency(FAMILY, Counter(borne.values()))
    return found, {name: found.points[mass] / UNIT for name, mass in borne.items()}


COMMON = ["smith"] * 60 + ["jones"] * 20 + [f"{a}{b}man" for a in "bcdfgh" for b in "aeiou"]


def test_a_customer_recorded_twenty_times_counts_once() -> None:
    others = [name for name in COMMON if name != "smith"]
    once, rarer = frequencies([*others, "zeller"])
    twenty, weighted = frequencies([*others, *["zeller"] * 20], [1.0] * len(others) + [1 / 20] * 20)
    _, unweighted = frequencies([*others, *["zeller"] * 20])
    assert twenty.accident == pytest.approx(once.accident)
    assert weighted == pytest.approx(rarer)
    assert unweighted["zeller"] < rarer["zeller"] - 1


def test_what_is_rarer_is_worth_more_and_what_nobody_has_the_most() -> None:
    found, rarer = frequencies(COMMON)
    assert rarer["smith"] < rarer["jones"] < rarer["baman"] <= found.unseen / UNIT
    assert rarer["smith"] < 0 < found.unseen


def test_accidents_are_what_the_terms_add_up_to() -> None:
    found, rarer = frequencies(COMMON)
    share = {text: found.accident * 2.0**-bits for text, bits in rarer.items()}
    expected = sum(COMMON.count(text) / len(COMMON) * share[text] for text in share)
    assert found.accident == pytest.approx(expected, rel=1e-4)


def test_a_column_without_values_is_as_rare_as_it_is_by_nature() -> None:
    found = frequency(FAMILY, {})
    assert found.accident == 2.0**-FAMILY.rarity
    assert found.points == {}


def test_values_that_many_share_make_new_ones_less_rare() -> None:
    unique, _ = frequencies([f"{a}{b}{c}man" for a in "bcdfgh" for b in "aeiou" for c in "klmnp"])
    paired, _ = frequencies([f"{a}{b}{c}man" for a in "bcdfgh" for b in "aeiou" for c in "kl"] * 2)
    assert paired.accident * 2.0 ** (-paired.unseen / UNIT) > unique.accident * 2.0 ** (-unique.unseen / UNIT)
