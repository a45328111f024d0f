"""What is noted of the customers whom a plan of retention keeps or erases, so that no earlier plan undoes it.

Invariant: a plan knows what was noted when it was made, and nobody is erased by one that does not know all that is
noted by now: at each of the records, of each request of theirs, and of what they are kept for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence

import attrs

from crmcore.app.erasures_begun import begun_of, customer_note, note_begun
from crmcore.app.resolve import is_id
from crmcore.app.subject_data import asked_of, requests_of
from crmcore.app.unit import Unit
from crmcore.consent.certificate import BEGUN, ErasureBegun, Restriction
from crmcore.consent.disposition import HELD
from crmcore.consent.retention import RetentionPlan, RetentionStep

_SENT = 100
"""So often may a plan be sent and cut off."""


async def noted_of(unit: Unit, step: RetentionStep, members: Iterable[str]) -> frozenset[str]:
    """The digests of the plans that were noted of the customer: of each record, and each request, the last that was
    applied.

    Where they are kept, that is the digest of why, and that of the last plan by which anybody is kept for that.
    """
    ids = {one for one in (step.place, *members) if is_id(one)}
    notes = [await begun_of(unit, customer_note(one)) for one in ids]
    last = [await begun_of(unit, customer_note(why)) for why in _digests(notes)]
    return _digests([*notes, *last, *await begun_by_request(unit, ids)])


def _digests(notes: Iterable[Sequence[ErasureBegun]]) -> frozenset[str]:
    return frozenset(
        digest for note in notes for one in note[:1] for digest in (one.plan_sha256, *one.beside)
    )


async def begun_by_request(unit: Unit, members: Iterable[str]) -> list[list[ErasureBegun]]:
    """What was noted of erasures that somebody asked for with one of the records *members*, told apart since or not."""
    return [await begun_of(unit, one.id) for one in await requests_of(unit, members)]


async def may_be_noted(unit: Unit, steps: Iterable[RetentionStep]) -> frozenset[str]:
    """Of which records of those whom *steps* keep it is to be asked whether that is noted: all at once, since of most
    of them nothing is."""
    ids = {id for step in steps if step.action == "keep" for id in ids_of(step)}
    if not ids:
        return frozenset()
    notes = {unit.ref(BEGUN.tag, customer_note(id)): id for id in ids}
    there = await unit.get(notes, check=False)
    return await asked_of(unit, ids) | {notes[ref] for ref in there}


def ids_of(step: RetentionStep) -> frozenset[str]:
    """The records that a step is about; none if it names something else."""
    return frozenset(one for one in (step.place, *step.members) if is_id(one))


async def to_be_noted(unit: Unit, step: RetentionStep) -> bool:
    """Whether it is noted that *step* keeps a customer: where an erasure of one of the records was begun, as for a
    request, or a hold keeps them of whom anything was noted. Of all others nothing is written.
    """
    ids = ids_of(step)
    if any(await begun_by_request(unit, ids)):
        return True
    if not await unit.get([unit.ref(BEGUN.tag, customer_note(one)) for one in ids], check=False):
        return False
    notes = [begun[0] for one in ids if (begun := await begun_of(unit, customer_note(one)))]
    if step.source == HELD or not all(note.only_kept for note in notes):
        return True
    kept = [await begun_of(unit, customer_note(note.plan_sha256)) for note in notes]
    return not all(kept)


async def note_kept(
    unit: Unit, step: RetentionStep, plan: RetentionPlan, members: Iterable[str], said: Collection[str]
) -> bool:
    """Note that by *plan* a customer is kept, so that no plan that was made before erases them, and which of their
    records are restricted for it, so that they are where a backup is restored.

    Why they are kept is noted at each record, since that may be a customer of its own again, and once for all who are
    kept for that which plan said so last: what is so already is not written again. It is so already of what was *said*
    since somebody began to apply the plan, and whether it is said now is given back.
    """
    ids, held = tuple(map(str, members)), step.source == HELD
    restricted = ids if step.action == "restrict" else ()
    anew = False
    for one in dict.fromkeys([step.place, *ids]):
        noted = [part.plan_sha256 for part in (await begun_of(unit, customer_note(one)))[:1]]
        anew = anew or not {step.kept_for, *step.noted}.issuperset(noted)
        here = restricted if one == step.place else ()
        await note_at(unit, one, step, plan, step.kept_for, held=held, restricted=here)
    anew = anew and step.kept_for not in said
    return await _note_last(unit, step, plan, held=held, anew=anew)


async def _note_last(unit: Unit, step: RetentionStep, plan: RetentionPlan, *, held: bool, anew: bool) -> bool:
    """Note that *plan* is the last by which somebody is kept for what *step* says, be it *held*, and whether whoever is
    kept for that is restricted, unless it was; *anew*: once more.

    What is noted was never noted before: a plan that is sent again late brings none to life of those that were made
    before another one.
    """
    id, mark = customer_note(step.kept_for), f"retention:{plan.digest}"
    before = await begun_of(unit, id)
    if before and before[0].request == mark and not anew:
        return False
    digest = _after(before[0].plan_sha256, plan) if before else plan.digest
    last = ErasureBegun(request=mark, plan_sha256=digest, lines=(), done=True, held=held)
    if step.action == "restrict":
        last = attrs.evolve(last, restricted=(Restriction(mark=restriction_mark(step), members=()),))
    await note_begun(unit, id, [last])
    return True


def _after(noted: str, plan: RetentionPlan) -> str:
    """What is noted when *plan* is the last, after what was *noted* of the one before."""
    return hashlib.sha256(f"{noted}{plan.digest}".encode()).hexdigest()


async def note_at(
    unit: Unit,
    place: str,
    step: RetentionStep,
    plan: RetentionPlan,
    digest: str,
    *,
    held: bool,
    restricted: Collection[str] = (),
) -> None:
    """Note *digest* at a record, whether a hold keeps what is left of whom it was one, and who is *restricted*, beside
    what was noted."""
    begun = await begun_of(unit, customer_note(place))
    mark = mark_of(begun, plan, place)
    first, *rest = begun or [ErasureBegun(request=mark, plan_sha256=digest, lines=(), done=True)]
    noted = [attrs.evolve(first, held=held, restricted=_restricted(first, step, restricted)), *rest]
    now = [attrs.evolve(one, plan_sha256=digest) for one in noted]
    if now != begun:
        await note_begun(unit, customer_note(place), now)


def mark_of(begun: Sequence[ErasureBegun], plan: RetentionPlan, place: str) -> str:
    """The mark of the erasure of a customer that was *begun*, or is by *plan*."""
    return begun[0].request if begun else f"retention:{plan.digest[:16]}:{place}"


async def superseded(
    unit: Unit, members: Iterable[str], step: RetentionStep, plan: RetentionPlan
) -> str | None:
    """Why nobody is erased by a plan that does not know what another one did to the customer. What it did itself it
    knows, be it that it was sent again."""
    if step.action != "delete":
        return None
    noted, known, last = await noted_of(unit, step, members), {*step.noted, plan.digest}, {*step.noted}
    for _ in range(_SENT):
        last = {_after(one, plan) for one in last}
        known |= last
        if noted <= known:
            return None
    return (
        "another plan was applied to this customer, or to others who are kept for the same, since this one was made: "
        "plan again"
    )


def restriction_mark(step: RetentionStep) -> str:
    """How the act is marked by which a customer is restricted."""
    return f"retention:{step.purpose}"


def _restricted(
    first: ErasureBegun, step: RetentionStep, members: Collection[str]
) -> tuple[Restriction, ...]:
    """What was noted of who is restricted, and *members* by now."""
    known = {one.mark: one.members for one in first.restricted}
    if members:
        mark = restriction_mark(step)
        known[mark] = tuple(dict.fromkeys([*known.get(mark, ()), *members]))
    return tuple(Restriction(mark=mark, members=ids) for mark, ids in known.items())
