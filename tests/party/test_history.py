"""Laws of histories: replaying one gives what stands now, and every difference is in it."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.party import Party, PartyAdded, PartyChanged, PartyEvent, differences, replay
from crmcore.party.party_keys import PARTY
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.source import SYSTEM
from tests.party.strategies import PARTIES, parties


@settings(max_examples=25)
@given(st.lists(parties(), min_size=1, max_size=3))
def test_replaying_a_history_gives_the_last_state(states: list[Party]) -> None:
    bodies = [PARTY.dump(state) for state in states]
    events: list[PartyEvent] = [PartyAdded(party=PARTIES[0], actor=SYSTEM, fields=FrozenMap(bodies[0]))]
    events += [
        PartyChanged(party=PARTIES[0], version=number, actor=SYSTEM, changes=differences(before, after))
        for number, (before, after) in enumerate(itertools.pairwise(bodies), 2)
    ]
    for count, body in enumerate(bodies, 1):
        assert replay(tuple(events[:count])) == body


@settings(max_examples=25)
@given(parties(), parties())
def test_differences_name_exactly_the_fields_that_differ(one: Party, other: Party) -> None:
    before, after = PARTY.dump(one), PARTY.dump(other)
    found = {change.field for change in differences(before, after)}
    assert found == {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert differences(before, before) == ()
