"""How common terms are among customers, not among records."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from crmcore.identity.model.encoding import encode
from crmcore.identity.model.frequencies import Frequencies
from tests.identity.model.recorded import columns
from tests.identity.rows import row


def frequencies(names: Sequence[str], weights: Sequence[float] | None = None) -> Frequencies:
    table = encode([row(family_name=name) for name in names], columns("family name"))
    return Frequencies.of(table, None if weights is None else [weights])


COMMON = ["smith"] * 60 + ["jones"] * 20 + [f"{a}{b}man" for a in "bcdfgh" for b in "aeiou"]


def test_a_customer_recorded_twenty_times_counts_once() -> None:
    others = [name for name in COMMON if name != "smith"]
    once = frequencies([*others, "zeller"])
    twenty = frequencies([*others, *["zeller"] * 20], [1.0] * len(others) + [1 / 20] * 20)
    unweighted = frequencies([*others, *["zeller"] * 20])
    for kind, table in once.terms[0].items():
        weighted = twenty.terms[0][kind]
        assert weighted.accident == pytest.approx(table.accident)
        assert weighted.rarer == pytest.approx(table.rarer)
        assert unweighted.terms[0][kind].rarer["zeller"] < table.rarer["zeller"] - 1


def test_what_is_rarer_is_worth_more_and_what_nobody_has_the_most() -> None:
    found = frequencies(COMMON).terms[0]["whole"]
    assert found.rarer["smith"] < found.rarer["jones"] < found.rarer["baman"] <= found.unseen
    assert found.rarer["smith"] < 0 < found.unseen


def test_accidents_are_what_the_terms_add_up_to() -> None:
    found = frequencies(COMMON).terms[0]["whole"]
    share = {text: found.accident * 2.0**-bits for text, bits in found.rarer.items()}
    expected = sum(COMMON.count(text) / len(COMMON) * share[text] for text in share)
    assert found.accident == pytest.approx(expected)


def test_a_column_without_values_is_as_rare_as_it_is_by_nature() -> None:
    table = encode([row(city="York")], columns("family name", "city"))
    found = Frequencies.of(table).terms[0]["whole"]
    assert found.accident == 2.0 ** -columns("family name")[0].rarity
    assert found.rarer == {}


def test_values_that_many_share_make_new_ones_less_rare() -> None:
    unique = frequencies([f"{a}{b}{c}man" for a in "bcdfgh" for b in "aeiou" for c in "klmnp"])
    paired = frequencies([f"{a}{b}{c}man" for a in "bcdfgh" for b in "aeiou" for c in "kl"] * 2)
    assert paired.terms[0]["whole"].accident * 2.0 ** -paired.terms[0]["whole"].unseen > (
        unique.terms[0]["whole"].accident * 2.0 ** -unique.terms[0]["whole"].unseen
    )
