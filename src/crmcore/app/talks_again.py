"""What stays of talks for others, where erasures are carried over: the copies that were written beside them.

Invariant: a copy has the id that it has in the store that the erasures come from, so what was noted of it there, or
done to it, is of it here. Nobody who is erased is named in one, but of whom it is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import attrs

from crmcore.app.erasure_places import copy_id, copy_key
from crmcore.app.erasures_whose import CarriedOver, Whose, mark_in
from crmcore.app.flow import Flow
from crmcore.app.interactions import record_interaction
from crmcore.app.subject_erasure import anonymous, via_of
from crmcore.app.unit import Unit, load_record
from crmcore.interaction.interaction import Interaction
from crmcore.interaction.lay import INTERACTION, REPLACES
from crmcore.storage.erasure import Erasure
from crmcore.storage.protocol import Key, Ref
from crmcore.values.ids import InteractionId


async def copied_again(
    flow: Flow, erasures: Iterable[Erasure], people: Iterable[Whose], gone: CarriedOver
) -> None:
    """Write what stays of talks that *erasures* of *people* took from others, one after the other, as that was done.

    Where a copy went itself since, what stayed of that is written.
    """
    whose = {one.mark: one for one in people}
    went: set[str] = set()
    copies: dict[str, Interaction] = {}
    for erasure in erasures:
        refs = [ref for ref in erasure.refs if ref.kind == INTERACTION.tag]
        one = whose.get(mark_in(erasure) or "")
        if one is not None and one.members and refs:  # else nobody knows whom to leave out
            talks = [(ref.id, copies.pop(ref.id)) for ref in refs if ref.id in copies]
            for id, talk in [*talks, *await _standing(flow.reader(), refs)]:
                await _copy(flow, id, talk, one, gone, went, copies)
        went.update(ref.id for ref in refs)


async def _standing(unit: Unit, refs: Collection[Ref]) -> Sequence[tuple[str, Interaction]]:
    """The interactions that are there, and were neither replaced nor are themselves what takes one back."""
    found = [load_record(INTERACTION, record) for record in (await unit.get(refs, check=False)).values()]
    replaced = await unit.find([Key(REPLACES, one.id) for one in found])
    return [(one.id, one) for one in found if one.retracts is None and not replaced[Key(REPLACES, one.id)]]


async def _copy(
    flow: Flow,
    id: str,
    talk: Interaction,
    whose: Whose,
    gone: CarriedOver,
    went: Collection[str],
    copies: dict[str, Interaction],
) -> None:
    """Write what stays of a talk, or hold it among the *copies* if it went as well."""
    via = via_of(whose.mark)
    stands, copy = copy_key(via, id), Ref(flow.tenant, INTERACTION.tag, copy_id(via, id, went))
    out = {*whose.members, *gone.left_out(copy, id)}
    if out.issuperset(talk.parties):
        return
    left = anonymous(talk, out, stands.value)
    if copy in gone.places:
        copies[copy.id] = left
        return

    async def write(unit: Unit) -> None:
        if not (await unit.find([stands], check=True))[stands]:
            await record_interaction(unit, left, InteractionId(copy.id))

    await flow.commit(write)


def for_those_left(unit: Unit, talk: Interaction, whose: Whose, gone: CarriedOver) -> Interaction:
    """A talk that did not go yet, as of those for whom something stays of it."""
    copy = unit.ref(INTERACTION.tag, copy_id(via_of(whose.mark), talk.id, ()))
    out = gone.left_out(copy, talk.id).difference(whose.members)
    return attrs.evolve(talk, participants=tuple(who for who in talk.participants if who.party not in out))
