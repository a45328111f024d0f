"""Hypothesis strategies for interactions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

from hypothesis import strategies as st

from crmcore.interaction import Interaction, Participant
from crmcore.interaction.interaction import Direction, Kind, Role
from crmcore.values.ids import Ids, InteractionId
from tests.party.strategies import PARTIES, moments, sources, visible_texts
from tests.values.strategies_time import aware_datetimes

_ids = Ids(lambda: 1_750_000_000_000, lambda bits: 0)
INTERACTIONS = tuple(_ids.new(InteractionId) for _ in range(3))


def participants() -> st.SearchStrategy[Participant]:
    roles: st.SearchStrategy[Any] = st.sampled_from(get_args(Role))
    known = st.builds(
        Participant, party=st.sampled_from(PARTIES), address=st.none() | visible_texts(8), role=roles
    )
    return known | st.builds(Participant, address=visible_texts(8), role=roles)


@st.composite
def interactions(draw: st.DrawFn) -> Interaction:
    """A recorded interaction, corrected, retracted or neither."""
    occurred = draw(moments())
    return Interaction(
        id=INTERACTIONS[0],
        kind=draw(st.sampled_from(get_args(Kind))),
        direction=draw(st.sampled_from(get_args(Direction))),
        participants=draw(st.lists(participants(), min_size=1, max_size=3).map(tuple)),
        occurred_at=occurred,
        ended_at=draw(st.none() | st.just(occurred + timedelta(days=1))),
        recorded_at=draw(aware_datetimes()),
        channel=draw(st.none() | visible_texts(6)),
        automated=draw(st.booleans()),
        thread=draw(st.none() | visible_texts(6)),
        subject=draw(st.none() | visible_texts(12)),
        body=draw(st.none() | visible_texts(12)),
        outcome=draw(st.none() | visible_texts(12)),
        confidential=draw(st.booleans()),
        sources=draw(st.lists(sources(), max_size=2).map(tuple)),
        dedupe_key=draw(st.none() | visible_texts(12)),
        corrects=draw(st.none() | st.just(INTERACTIONS[1])),
        root=draw(st.none() | st.just(INTERACTIONS[2])),
        reason=draw(st.none() | visible_texts(12)),
    )
