"""Which way a deduplication goes: over what changed, where the store has a frozen model, or over everything.

Invariant: a model decides only for an app that asked for what it was learned by, and only where every party is known to
be in the index. What a run over everything learned is frozen with the position at which the run began, so that what
changed while it ran is looked at by the next one. A run that left some out freezes nothing, neither model nor position,
and makes the next one compare everything: leaving out speaks of one run.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import attrs

from crmcore.app.asked import Asked
from crmcore.app.deduplication import DedupeReport, Exclude, Progress, dedupe_store
from crmcore.app.feed import here, read_feed
from crmcore.app.flow import Flow
from crmcore.app.frozen import Matching, load_model, load_state, put_state, recipe_of, save_model
from crmcore.app.incremental import NotSeen, Renewed, dedupe_changes, forget, renew, room_of
from crmcore.app.parts import in_parts
from crmcore.app.relationships import related
from crmcore.app.unit import Unit
from crmcore.errors import PositionExpired, VersionConflict
from crmcore.identity.deduplication import Deduplication
from crmcore.identity.fallback import MatcherByKind
from crmcore.identity.model.learning import Matcher
from crmcore.identity.model.match_model import MatchModel
from crmcore.identity.model.scoring import LearnedMatcher
from crmcore.identity.projection import PROJECTED
from crmcore.identity.quick_scoring import QuickScorer, projectable
from crmcore.party.party import Party
from crmcore.party.party_keys import PARTY
from crmcore.party.relationship import EMPLOYMENT
from crmcore.storage.protocol import Position
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
    tell = on_progress or (lambda stage, done, total: None)
    work = None if relearn else await at_work(flow, flow.reader())
    if work is not None and not work.scorer.matcher.suits("person"):
        work = None
    why: tuple[str, ...] = ()
    if work is not None and exclude is None and flow.unit is None:
        try:
            report = await dedupe_changes(flow, work.state, work.scorer, tell)
        except NotSeen as reason:
            why = (f"everything was compared, since {reason}",)
        else:
            if not report.organizations_changed:
                return report
            rest, _ = await dedupe_store(flow, on_progress=on_progress, people=False)
            return report.joined(rest)
    began = _Began(await here(flow), (await load_state(flow.reader())).version)
    left_out: set[PartyId] = set()

    def noted(party: Party) -> str | None:
        reason = exclude(party) if exclude is not None else None
        left_out.update([PartyId(party.id)] if reason is not None else [])
        return reason

    matcher = work.scorer.matcher if work is not None else None
    report, people = await dedupe_store(
        flow, exclude=noted if exclude else None, on_progress=on_progress, frozen=matcher
    )
    if flow.unit is not None or left_out:
        await _remember(flow, people, whole=work is not None and not left_out)
    else:
        await _freeze(flow, report, people, began, tell)
    return attrs.evolve(report, notes=(*why, *report.notes))


@attrs.frozen
class _Began:
    """Where the feed stood, and the version of what the store knows of its matching, when a run began."""

    position: Position
    version: int


async def _remember(flow: Flow, people: Deduplication, *, whole: bool) -> None:
    """Note what a run did that can freeze nothing, since it is in a batch that is not written yet, or left some out.

    Where it compared the *whole* by the frozen model, the next one goes on with blocks as large as it had. Otherwise
    that one compares everything.
    """

    async def plan(unit: Unit) -> None:
        state = await load_state(unit, check=True)
        counts = people.statistics
        new = attrs.evolve(state, whole=False)
        if whole:
            new = attrs.evolve(state, records=counts.records, cap=counts.cap, near=counts.near)
        if state.model and new != state:
            await put_state(unit, new)

    await flow.commit(plan, asked=Asked("identity.dedupe.state"), reason="deduplication")


async def _freeze(
    flow: Flow, report: DedupeReport, people: Deduplication, began: _Began, tell: Progress
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
    renewed = Renewed()
    await reindex(flow, tell=tell, state=state, renewed=renewed)
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
                position=began.position,
                records=people.statistics.records,
                cap=people.statistics.cap,
                near=people.statistics.near,
                whole=state.whole or state.version == began.version,
                index=PROJECTED,
            ),
        )
        try:
            await flow.write(unit, str(flow.ids.new(Id)))
        except VersionConflict:
            continue
        # What was compared as a whole has no past, but for what changed meanwhile.
        since = await _changed_since(flow, began.position)
        if since is not None:
            await forget(flow, {id: version for id, version in renewed.past.items() if id not in since})
        return


async def reindex(
    flow: Flow, *, tell: Progress, state: Matching | None = None, renewed: Renewed | None = None
) -> int:
    """Write the satellites that are missing or out of date; how many parties were looked at. What was found is added to
    *renewed*.

    Given the *state* of a store whose index is complete, only who changed since and the people who work for somebody
    are looked at: what a party is written with does not say for whom it works.
    """
    unit = flow.new_unit()
    renewed = renewed or Renewed()
    complete = state is not None and state.index == PROJECTED and state.position != ""
    changed = await _changed_since(flow, state.position) if complete and state is not None else None
    after: str | None = None
    done = 0

    async def write(chunk: Sequence[PartyId]) -> Renewed:
        async def plan(unit: Unit) -> Renewed:
            return await renew(unit, chunk, know_former=False)

        asked = Asked("identity.reindex", (list(chunk),))
        return await flow.commit(plan, asked=asked, reason="deduplication")

    while True:
        page = await unit.scan(PARTY.tag, after=after, limit=500)
        ids = [PartyId(record.ref.id) for record in page.items]
        if changed is not None:
            ids = sorted({*await _employed(unit, ids), *changed.intersection(ids)})
        room = room_of(flow)
        for start in range(0, len(ids), room):
            await in_parts(write, ids[start : start + room], renewed.add)
        done += len(page.items)
        tell("indexing", done, 0)
        after = page.next
        if after is None:
            return done


async def _changed_since(flow: Flow, position: Position) -> set[PartyId] | None:
    """The people who changed since; None where the feed no longer tells."""
    try:
        return (await read_feed(flow, position)).parties
    except PositionExpired:
        return None


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

    await flow.commit(plan, asked=Asked("identity.reindex"), reason="deduplication")
    return done
