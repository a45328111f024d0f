"""Which way a deduplication goes: over what changed, where the store has a frozen model, or over everything.

Invariant: a model decides only for an app that asked for what it was learned by, and only where every party is known to
be in the index. What a run over everything learned is frozen with the position at which the run began, so that what
changed while it ran is looked at by the next one.
"""

from __future__ import annotations

from threading import Lock

import attrs

from crmcore.app.deduplication import DedupeReport, Exclude, Progress, dedupe_store
from crmcore.app.feed import here
from crmcore.app.flow import Flow
from crmcore.app.frozen import Matching, load_model, load_state, put_state, recipe_of, save_model
from crmcore.app.incremental import NotSeen, dedupe_changes, renew, room_of
from crmcore.app.relationships import related
from crmcore.app.unit import Unit
from crmcore.errors import VersionConflict
from crmcore.identity.deduplication import Deduplication
from crmcore.identity.fallback import MatcherByKind
from crmcore.identity.model.candidates import NEAR
from crmcore.identity.model.learning import Matcher
from crmcore.identity.model.match_model import MatchModel
from crmcore.identity.model.scoring import LearnedMatcher
from crmcore.identity.projection import PROJECTED
from crmcore.identity.quick_scoring import QuickScorer, projectable
from crmcore.party.party_keys import PARTY
from crmcore.party.relationship import EMPLOYMENT
from crmcore.values.ids import Id, PartyId

_TRIES = 8


@attrs.frozen
class AtWork:
    """The frozen model of a store, ready to score, and what the store knows of its matching."""

    state: Matching
    scorer: QuickScorer


def _asked(flow: Flow) -> Matcher | MatchModel | None:
    """What the app wants to match by; None if it brought a matcher of its own."""
    if flow.learner is not None:
        return flow.learner
    return flow.matcher.model.model if isinstance(flow.matcher, MatcherByKind) else None


async def at_work(flow: Flow, unit: Unit) -> AtWork | None:
    """The model by which single records and changes are matched; None where there is none for this app."""
    asked = _asked(flow)
    if asked is None:
        return None
    state = await load_state(unit, kept=flow.kept)
    if not state.model or state.index != PROJECTED or state.recipe != flow.kept.recipe(asked):
        return None
    if not flow.kept.known(state.model):
        matcher = await _matcher(flow, unit, asked, state)
        usable = matcher is not None and projectable(matcher)
        flow.kept.put(state.model, QuickScorer(matcher, Lock()) if matcher and usable else None)
    scorer = flow.kept.get(state.model)
    return None if scorer is None else AtWork(state, scorer)


async def _matcher(
    flow: Flow, unit: Unit, asked: Matcher | MatchModel, state: Matching
) -> LearnedMatcher | None:
    if isinstance(asked, MatchModel):
        return flow.matcher.model if isinstance(flow.matcher, MatcherByKind) else None
    model = await load_model(unit, state.model, state.parts)
    return None if model is None else LearnedMatcher(model=model, columns=asked.columns)


async def deduplicate(
    flow: Flow, *, exclude: Exclude | None, relearn: bool, on_progress: Progress | None
) -> DedupeReport:
    """Deduplicate what changed, or everything where that is asked for or has to be."""
    if flow.unit is not None:
        # In a batch that is not written yet nothing can be frozen.
        report, _ = await dedupe_store(flow, exclude=exclude, on_progress=on_progress)
        return report
    tell = on_progress or (lambda stage, done, total: None)
    why: tuple[str, ...] = ()
    work = None
    if exclude is None and not relearn:
        work = await at_work(flow, flow.new_unit())
    if work is not None and work.scorer.matcher.suits("person"):
        try:
            report = await dedupe_changes(flow, work.state, work.scorer, tell)
        except NotSeen as reason:
            why = (f"everything was compared, since {reason}",)
        else:
            if not report.organizations_changed:
                return report
            rest, _ = await dedupe_store(flow, on_progress=on_progress, people=False)
            return report.joined(rest)
    began = await here(flow)
    report, people = await dedupe_store(
        flow, exclude=exclude, on_progress=on_progress, frozen=work.scorer.matcher if work and why else None
    )
    await _freeze(flow, report, people, began, tell)
    return attrs.evolve(report, notes=(*why, *report.notes))


async def _freeze(
    flow: Flow, report: DedupeReport, people: Deduplication, began: str, tell: Progress
) -> None:
    """Remember the model of a run over everything, and where the feed stood when it began."""
    asked = _asked(flow)
    if asked is None:
        return
    state = await load_state(flow.new_unit())
    model = asked if isinstance(asked, MatchModel) else report.model
    known = state.model == people.matcher and state.recipe == recipe_of(asked)
    if model is None and not known:
        return
    parts = state.parts
    if model is not None and not isinstance(asked, MatchModel):

        async def write(unit: Unit) -> None:
            await flow.write(unit, str(flow.ids.new(Id)))

        parts = await save_model(flow.new_unit, write, model)
    await reindex(flow, tell=tell, state=state)
    for _ in range(_TRIES):
        state = await load_state(flow.new_unit())
        unit = flow.new_unit()
        await put_state(
            unit,
            attrs.evolve(
                state,
                model=people.matcher,
                parts=parts,
                recipe=recipe_of(asked),
                position=began,
                records=people.statistics.records,
                cap=people.statistics.cap,
                near=people.statistics.records <= NEAR,
                index=PROJECTED,
            ),
        )
        try:
            await flow.write(unit, str(flow.ids.new(Id)))
        except VersionConflict:
            continue
        return


async def reindex(flow: Flow, *, tell: Progress, state: Matching | None = None) -> int:
    """Write the satellites that are missing or out of date; how many parties were looked at.

    Given the *state* of a store whose index is complete, only the people who work for somebody are looked at: what a
    party is written with does not say for whom it works.
    """
    unit = flow.new_unit()
    complete = state is not None and state.index == PROJECTED
    after: str | None = None
    done = 0
    while True:
        page = await unit.scan(PARTY.tag, after=after, limit=500)
        ids = [PartyId(record.ref.id) for record in page.items]
        if complete:
            ids = await _employed(unit, ids)
        room = room_of(flow)
        for start in range(0, len(ids), room):
            chunk = ids[start : start + room]

            async def plan(unit: Unit, chunk: list[PartyId] = chunk) -> None:
                await renew(unit, chunk, know_former=False)

            await flow.commit(plan, asked=("identity.reindex", chunk), reason="deduplication")
        done += len(page.items)
        tell("indexing", done, 0)
        after = page.next
        if after is None:
            return done


async def _employed(unit: Unit, ids: list[PartyId]) -> list[PartyId]:
    found = await related(unit, ids) if ids else {}
    return [
        id
        for id, jobs in found.items()
        if any(job.type == EMPLOYMENT.key and job.from_ == id for job in jobs)
    ]


async def finish_index(flow: Flow, *, tell: Progress) -> int:
    """`reindex` everything, and note that it was done."""
    done = await reindex(flow, tell=tell)

    async def plan(unit: Unit) -> None:
        state = await load_state(unit, check=True)
        if state.index != PROJECTED:
            await put_state(unit, attrs.evolve(state, index=PROJECTED))

    await flow.commit(plan, asked=("identity.reindex",), reason="deduplication")
    return done
