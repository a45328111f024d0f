"""What judgements are, and what they say of one pair."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import InvalidDocument, InvalidJudgement, NaiveDatetime
from crmcore.identity.cluster import Link
from crmcore.identity.identity_events import Verdict
from crmcore.identity.judgement import Judgement, decided, in_doubt, judge, links_of
from crmcore.serde import dump, load
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.ids import CustomerId, PartyId
from crmcore.values.source import Actor
from tests.identity.said_by import ME, MODEL, NOON, PARTIES, back, guessed, said

A, B, C = PARTIES[:3]
VERDICTS: tuple[Verdict, ...] = ("same", "different", "unsure")
verdicts = st.sampled_from(VERDICTS)


def _on_one_pair() -> st.SearchStrategy[list[Judgement]]:
    facts = st.tuples(verdicts, st.booleans(), st.booleans(), st.integers(0, 3), st.integers(0, 9))
    return st.lists(facts, max_size=5).map(
        lambda found: [
            _maybe_back(
                said(n, 0, 1, verdict, minutes=minutes)
                if human
                else guessed(n, 0, 1, verdict, minutes=minutes, score=score),
                gone,
            )
            for n, (verdict, human, gone, minutes, score) in enumerate(found)
        ]
    )


def _maybe_back(judgement: Judgement, gone: bool) -> Judgement:
    return back(judgement) if gone else judgement


def test_a_judgement_names_its_parties_in_order() -> None:
    assert said(0, 1, 0, "same").pair == (A, B)


def test_a_party_is_not_judged_against_itself() -> None:
    with pytest.raises(InvalidJudgement, match="two different parties"):
        said(0, 1, 1, "same")
    with pytest.raises(InvalidJudgement):
        attrs.evolve(said(0, 0, 1, "same"), a=B, b=A)


def test_a_model_is_named_and_nothing_else_is_a_model() -> None:
    with pytest.raises(InvalidJudgement, match="names the model"):
        said(0, 0, 1, "same", actor=MODEL)
    with pytest.raises(InvalidJudgement, match="names the model"):
        said(0, 0, 1, "same", model="rules/1")


def test_a_verdict_is_one_of_three() -> None:
    with pytest.raises(InvalidJudgement, match="verdict"):
        said(0, 0, 1, "maybe")  # type: ignore[arg-type]  # the error is what is tested


def test_a_judgement_has_an_instant() -> None:
    with pytest.raises(NaiveDatetime):
        judge(
            id=said(0, 0, 1, "same").id,
            a=A,
            b=B,
            verdict="same",
            actor=ME,
            recorded_at=datetime(2026, 1, 1),
        )


def test_a_judgement_is_taken_back_once() -> None:
    gone = back(said(0, 0, 1, "same"))
    assert not gone.live
    assert gone.retracted is not None
    assert gone.retracted.actor == ME
    with pytest.raises(InvalidJudgement, match="taken back before"):
        back(gone)


def test_a_judgement_survives_storage_and_hides_what_is_personal() -> None:
    evidence = (FrozenMap({"field": "name", "points": 31, "detail": "ann lee"}),)
    judgement = back(
        guessed(0, 0, 1, score=31, weak=True, support=2, evidence=evidence, reason="Ann said so")
    )
    newer = attrs.evolve(judgement, unknown=FrozenMap({"later": (1,)}))
    assert load(Judgement, dump(newer)) == newer
    assert "ann" not in repr(newer).lower()
    assert "looked again" not in repr(newer)


def test_a_stored_judgement_with_its_parties_turned_is_refused() -> None:
    body = dump(said(0, 0, 1, "same"))
    body["a"], body["b"] = body["b"], body["a"]
    with pytest.raises(InvalidDocument):
        load(Judgement, body)


def _expected(judgements: list[Judgement]) -> str:
    """What the pair is, by the table of authority."""
    live = [j for j in judgements if j.retracted is None]
    human = {j.verdict for j in live if j.model is None}
    for verdict in ("different", "same", "unsure"):
        if verdict in human:
            return {"different": "apart", "same": "human", "unsure": "nothing"}[verdict]
    model = sorted((j.recorded_at, j.id, j.verdict) for j in live)
    return "model" if model and model[-1][2] == "same" else "nothing"


@settings(max_examples=150, deadline=None)
@given(_on_one_pair(), st.randoms(use_true_random=False))
def test_authority_on_a_pair_is_different_then_same_then_the_models_last_word(
    judgements: list[Judgement], random: Random
) -> None:
    random.shuffle(judgements)
    links, apart = links_of(judgements)
    found = "apart" if apart else "nothing" if not links else "human" if links[0].human else "model"
    assert found == _expected(judgements)
    assert len(links) + len(apart) <= 1
    assert bool(decided(judgements)) == any(j.live and j.human for j in judgements)


def test_a_later_same_does_not_unsay_a_different_and_retracting_it_does() -> None:
    different, same = said(0, 0, 1, "different"), said(1, 0, 1, "same", minutes=9)
    assert links_of([different, same]) == ((), ((A, B),))
    assert links_of([back(different), same]) == ((Link(A, B, human=True),), ())


def test_a_model_keeps_nothing_apart() -> None:
    assert links_of([guessed(0, 0, 1, "different"), guessed(1, 1, 2, "unsure")]) == ((), ())


def test_the_support_of_a_weak_link_is_remembered() -> None:
    links, _ = links_of([guessed(0, 0, 1, score=7, weak=True, support=2)])
    assert links == (Link(A, B, score=7, weak=True, support=2),)


def test_a_pair_that_a_person_judged_is_decided_and_one_that_a_model_judged_is_not() -> None:
    judgements = [said(0, 0, 1, "unsure"), guessed(1, 1, 2), back(said(2, 0, 2, "different"))]
    assert decided(judgements) == {(A, B)}


def test_a_program_on_somebodys_behalf_has_a_persons_authority() -> None:
    assert said(0, 0, 1, "same", actor=Actor(kind="system", id="crmcore")).human
    assert not guessed(0, 0, 1).human
    assert said(0, 0, 1, "same").recorded_at == NOON


def doubts(judgements: list[Judgement], *groups: tuple[PartyId, ...]) -> list[tuple[PartyId, PartyId]]:
    customer = {member: CustomerId(group[0]) for group in groups for member in group}
    return [judgement.pair for judgement in in_doubt(judgements, customer.__getitem__)]


def test_two_customers_are_asked_about_once_by_their_likeliest_records() -> None:
    judgements = [guessed(0, 0, 2, "unsure", score=5), guessed(1, 1, 2, "unsure", score=6)]
    assert doubts(judgements, (A,), (B,), (C,)) == [(A, C), (B, C)]
    assert doubts(judgements, (A, B), (C,)) == [(B, C)]
    assert doubts(judgements, (A, B, C)) == []


@pytest.mark.parametrize("verdict", ["same", "different", "unsure"])
def test_what_a_person_said_of_two_records_settles_their_customers(verdict: Any) -> None:
    judgements = [guessed(0, 0, 2, "unsure", score=5), said(1, 1, 2, verdict)]
    assert doubts(judgements, (A, B), (C,)) == []
    assert doubts(judgements, (A,), (B,), (C,)) == [(A, C)]
    assert doubts([judgements[0], back(judgements[1])], (A, B), (C,)) == [(A, C)]


def test_a_matcher_that_is_sure_by_now_is_not_in_doubt() -> None:
    assert doubts([guessed(0, 0, 1, "unsure"), guessed(1, 0, 1, "same", minutes=2)], (A,), (B,)) == []
