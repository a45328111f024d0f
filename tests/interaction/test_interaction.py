"""Laws of interactions as values: who took part, when, and what replaces what."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import FutureInteraction, InvalidDate, InvalidInteraction, NaiveDatetime
from crmcore.interaction import (
    DEDUPE,
    REPLACES,
    TIMELINE,
    Interaction,
    Participant,
    check_new,
    check_not_future,
    corrected,
    interaction_keys,
    interaction_sorts,
    reassigned,
    retraction,
)
from crmcore.interaction.interaction import SKEW
from crmcore.values.instant import from_sort
from crmcore.values.moment import moment_instant
from tests.interaction.strategies import INTERACTIONS, interactions
from tests.party.strategies import PARTIES, moments

ANN, BEN, ACME, _ = PARTIES
NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)


def call(**facts: Any) -> Interaction:
    return Interaction(
        **{
            "kind": "call",
            "direction": "inbound",
            "occurred_at": NOW,
            "participants": (Participant(party=ANN),),
            **facts,
        }
    )


# --- what an interaction must have ---------------------------------------------------------------------


def test_somebody_took_part() -> None:
    with pytest.raises(InvalidInteraction, match="participant"):
        call(participants=())
    with pytest.raises(InvalidInteraction, match="party or an address"):
        Participant()
    with pytest.raises(InvalidInteraction, match="party or an address"):
        Participant(address="")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"occurred_at": datetime(2026, 1, 1)}, NaiveDatetime),
        ({"ended_at": datetime(2026, 5, 1)}, NaiveDatetime),
        ({"recorded_at": datetime(2026, 5, 1)}, NaiveDatetime),
        ({"recorded_at": date(2026, 5, 1)}, NaiveDatetime),
        ({"occurred_at": "2026-01-01"}, InvalidDate),
        ({"kind": "telepathy"}, InvalidInteraction),
        ({"direction": "sideways"}, InvalidInteraction),
        ({"ended_at": NOW - timedelta(seconds=1)}, InvalidInteraction),
        ({"occurred_at": date(2026, 1, 2), "ended_at": date(2026, 1, 1)}, InvalidInteraction),
    ],
)
def test_what_is_no_interaction_is_refused(wrong: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        call(**wrong)


def test_roles_are_a_few_words() -> None:
    with pytest.raises(InvalidInteraction, match="role"):
        Participant(party=ANN, role="bystander")  # type: ignore[arg-type]  # refused at run time too


def test_a_date_stays_a_date() -> None:
    found = call(occurred_at=date(2019, 10, 15))
    assert type(found.occurred_at) is date


@given(moments())
def test_an_instant_is_kept_in_utc_so_that_it_equals_itself_when_read_back(moment: Any) -> None:
    found = call(occurred_at=moment)
    assert moment_instant(found.occurred_at) == (
        moment.astimezone(UTC) if isinstance(moment, datetime) else moment_instant(moment)
    )
    assert getattr(found.occurred_at, "tzinfo", UTC) is UTC


@pytest.mark.parametrize(
    ("occurred", "ended"),
    [
        (datetime(2026, 1, 5, 23, 30, tzinfo=timezone(timedelta(hours=-8))), date(2026, 1, 5)),
        (datetime(2026, 1, 5, 10, tzinfo=UTC), date(2026, 1, 5)),
        (date(2026, 1, 5), datetime(2026, 1, 4, 20, tzinfo=UTC)),  # already the 5th in Auckland
        (date(2026, 1, 5), date(2026, 1, 5)),
        (NOW, NOW),
    ],
)
def test_a_day_and_an_instant_do_not_contradict_each_other_in_some_zone(occurred: Any, ended: Any) -> None:
    assert call(occurred_at=occurred, ended_at=ended).ended_at is not None


def test_an_end_on_an_earlier_day_is_refused_also_as_a_date() -> None:
    with pytest.raises(InvalidInteraction):
        call(occurred_at=datetime(2026, 1, 5, 13, tzinfo=UTC), ended_at=date(2026, 1, 3))
    with pytest.raises(InvalidInteraction):
        call(occurred_at=date(2026, 1, 5), ended_at=datetime(2026, 1, 4, 9, tzinfo=UTC))


# --- the future ----------------------------------------------------------------------------------------


def test_the_future_is_refused_beyond_what_clocks_explain() -> None:
    check_not_future(call(occurred_at=NOW + SKEW), NOW)
    with pytest.raises(FutureInteraction):
        check_not_future(call(occurred_at=NOW + SKEW + timedelta(seconds=1)), NOW)


def test_a_day_is_not_in_the_future_while_it_has_begun_anywhere_on_earth() -> None:
    tomorrow = date(2026, 3, 15)
    check_not_future(call(occurred_at=tomorrow), datetime(2026, 3, 14, 10, tzinfo=UTC))
    with pytest.raises(FutureInteraction):
        check_not_future(call(occurred_at=tomorrow), datetime(2026, 3, 14, 9, 59, tzinfo=UTC))


def test_what_happened_is_not_the_future_in_another_zone() -> None:
    tokyo = NOW.astimezone(ZoneInfo("Asia/Tokyo"))
    check_not_future(call(occurred_at=tokyo), NOW)


# --- corrections ---------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(interactions())
def test_a_correction_names_what_it_replaces_and_where_the_chain_began(old: Interaction) -> None:
    new = corrected(old, reason="wrong", changes={"subject": "right"})
    assert (new.corrects, new.retracts, new.reason, new.subject) == (old.id, None, "wrong", "right")
    assert new.root == (old.root or old.id)
    assert new._id is None
    assert new.recorded_at is None
    before = {name: getattr(old, name) for name in ("corrects", "root", "reason", "subject", "recorded_at")}
    assert attrs.evolve(new, **before, id=old.id) == old


@pytest.mark.parametrize("field", ["id", "corrects", "retracts", "root", "recorded_at"])
def test_a_correction_cannot_set_what_is_ours(field: str) -> None:
    with pytest.raises(InvalidInteraction, match=field):
        corrected(call(id=INTERACTIONS[0]), reason="", changes={field: None})


@pytest.mark.parametrize("field", ["id", "corrects", "retracts", "root"])
def test_a_new_interaction_cannot_claim_a_place_among_recorded_ones(field: str) -> None:
    check_new(call())
    with pytest.raises(InvalidInteraction, match="correct"):
        check_new(call(**{field: INTERACTIONS[1]}))


def test_a_retraction_names_what_it_takes_back() -> None:
    old = call(id=INTERACTIONS[0], corrects=INTERACTIONS[1], root=INTERACTIONS[2], dedupe_key="m-1")
    new = retraction(old, reason="mistake")
    assert (new.retracts, new.corrects, new.root) == (old.id, None, INTERACTIONS[2])


def test_reassigning_puts_one_in_the_place_of_another_and_leaves_the_rest() -> None:
    old = call(
        id=INTERACTIONS[0],
        participants=(
            Participant(party=ANN, role="from"),
            Participant(party=BEN, role="to"),
            Participant(address="x@x.org"),
        ),
    )
    new = reassigned(old, from_=ANN, to=ACME, reason="wrong Ann")
    assert new.participants == (Participant(party=ACME, role="from"), *old.participants[1:])
    with pytest.raises(InvalidInteraction, match="no part"):
        reassigned(old, from_=ACME, to=ANN, reason="")


# --- how it lies on a store ----------------------------------------------------------------------------


@settings(max_examples=40)
@given(interactions())
def test_each_party_has_one_place_in_its_timeline(interaction: Interaction) -> None:
    sorts = interaction_sorts(interaction)
    assert {sort.part for sort in sorts} == set(interaction.parties)
    assert len(sorts) == len(set(interaction.parties))
    assert {sort.namespace for sort in sorts} <= {TIMELINE}
    assert {from_sort(sort.value) for sort in sorts} <= {moment_instant(interaction.occurred_at)}


def test_a_retraction_has_no_place_and_keeps_what_was_taken_back_from_coming_again() -> None:
    old = call(id=INTERACTIONS[0], dedupe_key="m-1")
    taken_back = retraction(old, reason="")
    assert interaction_sorts(taken_back) == frozenset()
    assert {key.namespace for key in interaction_keys(taken_back)} == {DEDUPE, REPLACES}
    assert interaction_keys(old) < interaction_keys(taken_back)


@given(st.text(min_size=1))
def test_any_deduplication_key_fits_into_any_store(text: str) -> None:
    for dedupe_key in (text, text * 513):
        (key,) = interaction_keys(call(dedupe_key=dedupe_key))
        assert key.namespace == DEDUPE
        assert len(key.value.encode()) <= 512


def test_a_replaced_record_can_be_replaced_by_one_only() -> None:
    old = call(id=INTERACTIONS[0])
    one = corrected(old, reason="", changes={"subject": "a"})
    other = retraction(old, reason="")
    assert interaction_keys(one) & interaction_keys(other)
