"""Keys and candidate pairs."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.identity.blocking import NEIGHBOURS, Blocks
from crmcore.identity.features import ROLES, Features, features_of, features_of_row
from crmcore.identity.keys import LONGEST_KEY, MOST_KEYS, blocking_keys
from crmcore.party.party import Person
from tests.identity.rows import ANN, MATCHER, STRANGERS, row


@given(values=st.dictionaries(st.sampled_from(ROLES), st.text(max_size=200)))
@settings(max_examples=100)
def test_keys_are_few_and_short(values: dict[str, str]) -> None:
    keys = blocking_keys(features_of_row(values))
    assert len(keys) <= MOST_KEYS
    assert all(0 < len(key.encode()) <= LONGEST_KEY for key in keys)


def test_a_record_of_many_values_keeps_keys_of_every_kind() -> None:
    party = Person.of("Ann Lee", birth_date="1985-04-12", address="5 Oak St")
    for number in range(9):
        party = (
            party.with_email(f"ann{number}@x.org")
            .with_phone(f"+4420794600{number:02}")
            .renamed(f"Ann Hill{number}")
        )
    keys = blocking_keys(features_of(party))
    assert len(keys) == MOST_KEYS
    assert {key.partition(":")[0] for key in keys} >= {"email", "phone", "name", "born", "door"}


@pytest.mark.parametrize(
    "other",
    [
        {"full_name": "Lee, Ann"},
        {"full_name": "Ann Leigh", "birth_date": "1985-04-12"},
        {"full_name": "Anne Leee"},
        {"email": "ann.lee@x.org"},
        {"email": "ann.lee@elsewhere.example"},
        {"full_name": "Bo Hill", "street": "5 Oak Street"},
    ],
)
def test_records_of_one_customer_share_a_key(other: dict[str, str]) -> None:
    assert blocking_keys(ANN) & blocking_keys(row(**other))


def test_an_empty_record_has_no_keys() -> None:
    assert not blocking_keys(row())


def test_fields_do_not_share_keys() -> None:
    assert not blocking_keys(row(phone="5550132")) & blocking_keys(row(national_id="5550132"))


records = st.lists(st.sampled_from([*STRANGERS, ANN, row(), row(email="ann.lee@x.org")]), max_size=12)


@given(records=records)
@settings(max_examples=100)
def test_every_pair_that_shares_a_key_comes_once(records: list[Features]) -> None:
    expected = {
        (a, b)
        for a, b in combinations(range(len(records)), 2)
        if blocking_keys(records[a]) & blocking_keys(records[b])
    }
    found = list(Blocks.of(records, MATCHER).pairs())
    assert len(found) == len(set(found))
    assert set(found) == expected


def test_a_block_that_is_too_large_is_thinned_and_counted() -> None:
    size = 60
    blocks = Blocks.of([row(email="info@x.org", city=f"town {n}") for n in range(size)], MATCHER, largest=50)
    pairs = set(blocks.pairs())
    assert blocks.oversized == 1
    assert len(pairs) + blocks.left_out == size * (size - 1) // 2
    assert all(b - a <= NEIGHBOURS for a, b in pairs)


def test_a_block_within_the_limit_is_whole() -> None:
    blocks = Blocks.of([row(email="info@x.org", city=f"town {n}") for n in range(50)], MATCHER, largest=50)
    assert (len(set(blocks.pairs())), blocks.oversized, blocks.left_out) == (1225, 0, 0)
