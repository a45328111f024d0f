"""What was said, in lines: the same for the same acts, and no act is hidden behind one on another thing."""

from __future__ import annotations

from random import Random
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st

from crmcore.consent.event import ConsentEvent, Scope
from crmcore.consent.saying import said
from tests.consent.cases import NOW, events


@given(events, st.randoms(use_true_random=False))
def test_no_order_of_acts_changes_the_lines_and_each_thing_has_one(
    acts: list[ConsentEvent], random: Random
) -> None:
    lines = said(acts)
    mixed = [*acts, *acts[:2]]
    random.shuffle(mixed)
    assert said(mixed) == lines
    spoken_of = {attrs.evolve(one.scope, points=None, right=None) for one in acts}
    assert len(lines) == len(spoken_of)
    assert bool(lines) == bool(acts)
    assert [line[:10] for line in lines] == sorted((line[:10] for line in lines), reverse=True)


def test_acts_on_different_things_stand_side_by_side() -> None:
    act = ConsentEvent(id="1", kind="give", occurred_at=NOW, scope=Scope(purposes={"marketing"}))
    narrower: tuple[dict[str, Any], ...] = (
        {"brand": "Acme"},
        {"recipients": {"gamma"}},
        {"topics": {"news"}},
        {"controller": "acme"},
        {"channels": {"email"}},
        {"point": "ann@x.org"},
    )
    for other in narrower:
        narrow = attrs.evolve(act, id="2", scope=attrs.evolve(act.scope, **other))
        assert len(said([act, narrow])) == 2
        assert len(said([act, attrs.evolve(act, id="2")])) == 1
