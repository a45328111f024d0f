"""A projection says what the record says: keys, scores and candidates from it are those of the record."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from hashlib import blake2b
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.identity.features import Features, features_of_row
from crmcore.identity.fit import fit_of
from crmcore.identity.model.candidates import Candidates
from crmcore.identity.model.columns import COLUMNS
from crmcore.identity.model.encoding import encode
from crmcore.identity.model.learning import Matcher
from crmcore.identity.model.linkage import VETO
from crmcore.identity.model.policy import UNIT
from crmcore.identity.model.scoring import LearnedMatcher
from crmcore.identity.near_keys import MOST, class_of, single_keys, stored_keys
from crmcore.identity.projection import from_body, project
from crmcore.identity.quick_scoring import QuickScorer
from crmcore.identity.vicinity import Vicinity
from tests.identity.model.invented import households, records

LEARNED = Matcher().learn(records(households())).matcher
WORD = st.sampled_from("emma olivia jacob olvia brandt castro brantd de o'hara 김 ann-marie j".split())
NAME = st.lists(WORD, min_size=0, max_size=2).map(" ".join)


def row(**values: Any) -> st.SearchStrategy[Features]:
    """The features of a row with these fields drawn."""
    return st.fixed_dictionaries(values).map(features_of_row)


RECORD = row(
    given_name=NAME,
    family_name=NAME,
    birth_date=st.sampled_from(["", "1985-04-12", "1985", "1985-12-04", "1990-01-01"]),
    email=st.sampled_from(["", "emma.brandt@x.org", "emma.brandt@y.org", "ebrandt@x.org", "info@x.org"]),
    phone=st.sampled_from(["", "+442079460018", "+442079460019", "020 7946 0018"]),
    street=st.sampled_from(["", "12 Harbour Street", "12b Harbour St", "Flat 3, 9 Mill Lane"]),
    city=st.sampled_from(["", "York", "Kiel"]),
    postcode=st.sampled_from(["", "YO1 7HH", "YO1 8AA"]),
    employer=st.sampled_from(["", "Acme Ltd", "Harbour Bakery"]),
)


def _both(one: Features, other: Features) -> Features:
    """A record with the values of two."""
    joined: dict[str, Any] = {
        name: tuple(sorted({*getattr(one, name), *getattr(other, name)}))
        for name in ("names", "birth_dates", "emails", "phones", "addresses")
    }
    return Features(kind="person", **joined)


RECORDS = st.one_of(RECORD, RECORD, st.builds(_both, RECORD, RECORD))


@settings(max_examples=300)
@given(st.lists(RECORDS, min_size=2, max_size=5))
def test_the_score_of_projections_is_the_score_of_the_records(found: list[Features]) -> None:
    scorer = QuickScorer(LEARNED)
    rows = [scorer.add(project(one)) for one in found]
    for a, b in combinations(range(len(found)), 2):
        match = scorer.match(rows[a], rows[b])
        assert match == LEARNED.compare(found[a], found[b])
        assert match.score == scorer.score(rows[b], rows[a]).score


@settings(max_examples=300)
@given(st.lists(RECORDS, min_size=2, max_size=6))
def test_nobody_worth_a_look_is_given_up_early(found: list[Features]) -> None:
    scorer = QuickScorer(LEARNED)
    least = LEARNED.model.policy.review_at
    rows = [scorer.add(project(one)) for one in found]
    for a, b in combinations(rows, 2):
        if scorer.hopeless(a, b):
            assert scorer.score(a, b).score < least


def test_most_strangers_are_given_up_early() -> None:
    scorer = QuickScorer(LEARNED)
    rows = [scorer.add(project(one)) for one in records(households(60))]
    pairs = list(combinations(rows, 2))
    hopeless = sum(scorer.hopeless(a, b) for a, b in pairs)
    strangers = sum(scorer.score(a, b).score < LEARNED.model.policy.review_at for a, b in pairs)
    assert hopeless > 0.9 * strangers


@given(RECORDS)
def test_a_projection_survives_its_json(one: Features) -> None:
    projection = project(one)
    assert from_body(json.loads(json.dumps(projection.to_body()))) == projection


def one_by_one(of: str, *keys: str) -> str:
    """A key as stores have had it from the first."""
    digest = blake2b("\x1f".join((of, *keys)).encode("utf-8", "replace"), digest_size=9).digest()
    return urlsafe_b64encode(digest).decode()


@given(RECORDS)
def test_the_keys_that_stores_hold_stay_what_they_were(one: Features) -> None:
    projection = project(one)
    parts = [projection.kind, *projection.values]
    for group, options in projection.more:
        parts += [group, *(text for option in options for text in option)]
    of, singles = class_of(projection.kind), single_keys(projection)
    pairs = {
        (a, b)
        for a, b in combinations(sorted(singles), 2)
        if a[0] + b[0] in "nn bn nz ns cn bz bc oz os co".split()
    }
    wanted = {one_by_one("=", *parts), *(one_by_one(of, key) for key in singles)}
    wanted |= {one_by_one(of, *pair) for pair in pairs}
    kept, left_out = stored_keys(projection)
    assert set(kept) <= wanted if not projection.empty else not kept
    assert projection.empty or len(kept) + left_out == len(wanted)


@settings(max_examples=200)
@given(st.lists(RECORDS, min_size=2, max_size=7), st.integers(1, 4))
def test_the_partners_in_a_vicinity_are_those_among_all_records(found: list[Features], cap: int) -> None:
    table, rows = encode(found, COLUMNS).distinct()
    candidates = Candidates(table, cap=cap)
    keys = [single_keys(project(one)) for one in found]
    for at, mine in enumerate(keys):
        holders = {
            str(other): (keys[other], rows[other])
            for other in range(len(found))
            if set(keys[other]) & set(mine)
        }
        partners, unknown = Vicinity(mine, holders, cap=cap).partners()
        assert not unknown
        for other in range(len(found)):
            if rows[other] != rows[at]:
                low, high = sorted((rows[at], rows[other]))
                assert (str(other) in partners) == (high in candidates.partners(low)), (mine, keys[other])


@given(RECORDS)
def test_keys_are_few_and_show_nothing(one: Features) -> None:
    keys, left_out = stored_keys(project(one))
    assert len(keys) <= MOST
    assert len(set(keys)) == len(keys)
    assert left_out >= 0
    text = " ".join(keys)
    assert not any(email in text for email in one.emails)


def test_what_does_not_fit_is_counted_and_the_most_telling_keys_stay() -> None:
    many = Features(
        emails=tuple(f"person{n}@x.org" for n in range(99)),
        phones=tuple(f"+442079460{n:03}" for n in range(100, 199)),
        names=features_of_row({"full_name": "Ann Lee"}).names,
        birth_dates=tuple(f"19{n}-04-12" for n in range(70, 78)),
        identifiers=tuple(f"tax:{n}" for n in range(99)),
    )
    keys, left_out = stored_keys(project(many))
    assert len(keys) == MOST
    assert left_out > 0
    first = stored_keys(project(Features(emails=many.emails)))[0]
    assert set(first[1:9]) <= set(keys)


def test_people_and_organizations_share_no_key() -> None:
    phone = {"phone": "+44 20 7946 0018"}
    person = project(features_of_row({"full_name": "Ann Lee", **phone}))
    shop = project(features_of_row({"org_name": "Lee", **phone}))
    assert class_of(person.kind) != class_of(shop.kind)
    assert not set(stored_keys(person)[0]) & set(stored_keys(shop)[0])


@pytest.mark.parametrize(
    ("scores", "fits"),
    [
        ([4], True),
        ([-1], False),
        ([9, -3, -3], True),
        ([2, -3, -3], False),
        ([40, -64], None),
        ([64, -4], True),
    ],
)
def test_a_record_fits_a_customer_by_the_mean_and_never_across_a_veto(
    scores: list[int], fits: bool | None
) -> None:
    assert VETO == -64 * UNIT
    assert fit_of([score * UNIT for score in scores], 0) is fits


def test_a_scorer_begins_anew_before_it_grows_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crmcore.identity.quick_scoring._MOST_VALUES", 10)
    scorer = QuickScorer(LEARNED)
    for one in records(households(30)):
        scorer.begin()
        scorer.add(project(one))
        assert len(scorer.table.values[0]) < 20
    assert isinstance(scorer.matcher, LearnedMatcher)
