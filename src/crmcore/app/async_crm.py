"""`AsyncCrm`: the one object that an asynchronous app holds. `Crm` is its synchronous twin.

Invariant: it holds no state but its store, its clock and who is acting; two of them over one store see the same facts.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import attrs

from crmcore.app.addresses import is_postgres
from crmcore.app.flow import Clock, Flow
from crmcore.app.journal import Journal
from crmcore.app.registry import REGISTRY
from crmcore.errors import IdempotencyMismatch, KeyConflict, StreamConflict, VersionConflict
from crmcore.identity.fallback import FallbackMatcher, MatcherByKind
from crmcore.identity.matcher import PairMatcher
from crmcore.identity.model.learning import Matcher
from crmcore.identity.model.match_model import MatchModel
from crmcore.identity.model.scoring import LearnedMatcher
from crmcore.identity.survivorship import SurvivorshipPolicy
from crmcore.storage.acting import for_actor
from crmcore.storage.erasure import ERASED
from crmcore.storage.lift import lift
from crmcore.storage.memory import MemoryStore
from crmcore.storage.protocol import AsyncStore, Position
from crmcore.values.ids import Id, Ids
from crmcore.values.source import SYSTEM, Actor

if TYPE_CHECKING:
    from crmcore.app.consents import AsyncConsents
    from crmcore.app.customers import AsyncCustomers
    from crmcore.app.identity import AsyncIdentity
    from crmcore.app.imports import AsyncImports
    from crmcore.app.interactions import AsyncInteractions
    from crmcore.app.parties import AsyncParties
    from crmcore.app.preferences import AsyncPreferences
    from crmcore.app.relationships import AsyncRelationships
    from crmcore.app.retaining import AsyncRetention
    from crmcore.app.rights_requests import AsyncRequests
    from crmcore.app.suppressions import AsyncSuppressions
    from crmcore.app.unsubscribes import AsyncUnsubscribes
    from crmcore.consent.pack_reading import Laws
    from crmcore.consent.practice import Practice
    from crmcore.consent.secret_ring import SecretRing


def system_clock() -> datetime:
    """The time of this machine, in UTC."""
    return datetime.now(UTC)


@attrs.frozen(kw_only=True)
class Happened:
    """A domain event as the feed delivers it: the event itself and where it stands."""

    position: Position
    stream: str
    seq: int
    recorded_at: datetime
    event: Any


@attrs.frozen
class Events:
    """A page of domain events. *next* is the position to go on from, also when *items* is empty."""

    items: tuple[Happened, ...]
    next: Position


class _Namespaces:
    """The namespaces over one flow; what `AsyncCrm` and its batches have in common.

    Each is imported when it is first used: an app that only shows customers does not load what reads files.
    """

    _flow: Flow

    @cached_property
    def parties(self) -> AsyncParties:
        """Record parties and change them."""
        from crmcore.app.parties import AsyncParties

        return AsyncParties(self._flow)

    @cached_property
    def relationships(self) -> AsyncRelationships:
        """Relate parties."""
        from crmcore.app.relationships import AsyncRelationships

        return AsyncRelationships(self._flow)

    @cached_property
    def interactions(self) -> AsyncInteractions:
        """Record what was said and done."""
        from crmcore.app.interactions import AsyncInteractions

        return AsyncInteractions(self._flow)

    @cached_property
    def identity(self) -> AsyncIdentity:
        """Say which parties are the same customer."""
        from crmcore.app.identity import AsyncIdentity

        return AsyncIdentity(self._flow)

    @cached_property
    def customers(self) -> AsyncCustomers:
        """See each customer as one."""
        from crmcore.app.customers import AsyncCustomers

        return AsyncCustomers(self._flow)

    @cached_property
    def consent(self) -> AsyncConsents:
        """Ask whether a customer may be contacted."""
        from crmcore.app.consents import AsyncConsents

        return AsyncConsents(self._flow)

    @cached_property
    def preferences(self) -> AsyncPreferences:
        """Keep how people want to be contacted."""
        from crmcore.app.preferences import AsyncPreferences

        return AsyncPreferences(self._flow)

    @cached_property
    def suppression(self) -> AsyncSuppressions:
        """Keep addresses from being used, whoever has them."""
        from crmcore.app.suppressions import AsyncSuppressions

        return AsyncSuppressions(self._flow)

    @cached_property
    def unsubscribe(self) -> AsyncUnsubscribes:
        """Let people leave with one click."""
        from crmcore.app.unsubscribes import AsyncUnsubscribes

        return AsyncUnsubscribes(self._flow)

    @cached_property
    def requests(self) -> AsyncRequests:
        """Answer what people ask about their own data."""
        from crmcore.app.rights_requests import AsyncRequests

        return AsyncRequests(self._flow)

    @cached_property
    def retention(self) -> AsyncRetention:
        """Plan how long customers are kept."""
        from crmcore.app.retaining import AsyncRetention

        return AsyncRetention(self._flow)


class AsyncCrm(_Namespaces):
    """Customers over any `AsyncStore`.

    *tenant* separates the customers of one company from those of another in the same store. *clock*, *matcher* and
    *survivorship* have defaults that suit most apps. *actor* is who is named as the author of what is written, and,
    over a store that notes its readers, as who reads. *practice* is what the company knows of itself, for questions of
    consent (`crmcore.consent.Practice`), and *laws* those by which they are decided, where packs of your own are to be
    asked: ``Laws({**shipped_packs(), pack.id: pack})``.

    A *matcher* that learns (`Matcher`, the default) learns from the people of the store when they are deduplicated for
    the first time, and the store keeps what was learned; single records are matched by it too. Organizations, and
    stores with too few people to learn from, are compared by rules, which see no field that the `Matcher` leaves out. A
    saved `MatchModel` decides on the kinds of customer that it was learned of, rules by its policy on the others, and
    any `PairMatcher` on everything.

    *secrets*, kept apart from the data, are what suppressed addresses and links for unsubscribing are known by.
    """

    def __init__(
        self,
        store: AsyncStore,
        *,
        tenant: str = "default",
        clock: Clock = system_clock,
        ids: Ids | None = None,
        matcher: Matcher | MatchModel | PairMatcher | None = None,
        survivorship: SurvivorshipPolicy | None = None,
        practice: Practice | None = None,
        laws: Laws | None = None,
        actor: Actor = SYSTEM,
        secrets: SecretRing | None = None,
    ) -> None:
        matcher = Matcher() if matcher is None else matcher
        learner = matcher if isinstance(matcher, Matcher) else None
        if isinstance(matcher, Matcher):
            matcher = FallbackMatcher(matcher)
        elif isinstance(matcher, MatchModel):
            rules = FallbackMatcher(Matcher(policy=matcher.policy))
            matcher = MatcherByKind(LearnedMatcher(model=matcher), rules)
        self._flow = Flow(
            store=store if actor is SYSTEM else for_actor(store, actor),
            tenant=tenant,
            clock=clock,
            ids=ids or Ids(lambda: int(clock().timestamp() * 1000)),
            codecs=REGISTRY,
            matcher=matcher,
            learner=learner,
            survivorship=survivorship or SurvivorshipPolicy(),
            practice=practice,
            laws=laws,
            actor=actor,
            secrets=secrets,
        )

    @classmethod
    def open(cls, path: str | Path | None = None, **options: Any) -> AsyncCrm:
        """Customers in an SQLite file, made where there is none, or in memory without *path*.

        *options* are those of the constructor.

        A *path* such as ``"postgresql://db.example.org/crm"`` is a PostgreSQL database: see
        `crmcore.storage.AsyncPostgresStore`, which takes more settings.

        Raises:
            StoreError: if the file is no store of crmcore, is locked, or cannot be reached.
            MissingExtra: for PostgreSQL, if the extra ``postgres`` is not installed.
        """
        if path is None:
            return cls(lift(MemoryStore()), **options)
        if is_postgres(path):
            from crmcore.storage.postgres_async import AsyncPostgresStore

            return cls(AsyncPostgresStore.open(str(path)), **options)
        from crmcore.storage.sqlite_async import AsyncSqliteStore

        return cls(AsyncSqliteStore.open(path), **options)

    @property
    def store(self) -> AsyncStore:
        """The store below."""
        return self._flow.store

    @cached_property
    def imports(self) -> AsyncImports:
        """Take over records from files."""
        from crmcore.app.imports import AsyncImports

        return AsyncImports(self._flow)

    def acting_as(self, actor: Actor, *, purpose: str | None = None) -> AsyncCrm:
        """The same customers, with *actor* as the author of what is written through the object returned.

        Over a store that notes its readers (`crmcore.storage.wrappers.Audited`), also as who reads, for *purpose*.
        """
        store = for_actor(self._flow.store, actor, purpose=purpose)
        return self._over(attrs.evolve(self._flow, actor=actor, store=store))

    def batch(self, *, idem: str | None = None, reason: str | None = None) -> AsyncBatch:
        """Write through several namespaces at once: ``async with crm.batch(reason=...) as b: ...``.

        All is written when the block ends, or nothing when it raises. What is read through the batch has what was
        written through it.

        With *idem* a block that may run again (a retry, a job that was cut off) writes once: the second run writes
        nothing, and each verb returns what the first run made, as it stands now. A verb that the first run was not
        asked for raises `IdempotencyMismatch`; a function given to ``change`` is not compared, nor is it run again.
        What a verb is given comes from outside of the block, or is the same whenever it is read. *idem* is kept as it
        is: a number of a job or a form, and no name or address.

        Without *secrets* nothing is kept of whom a verb was asked about but the ids of their records. It is compared
        with what was written, and how these records were, then, and refused where that tells too little, as when a
        record was erased since, or a part of a name leads to others, too. What an earlier version of crmcore wrote
        under a key may not be known again.
        """
        return AsyncBatch(self._flow, idem=idem, reason=reason)

    async def events(self, after: Position = "", *, limit: int = 500) -> Events:
        """The domain events that were committed after a position, in the order of their commits; no erased ones.

        Raises:
            PositionExpired: if the store no longer reaches back to *after*.
        """
        page = await self._flow.store.changes(self._flow.tenant, after, limit)
        happened: list[Happened] = []
        for change in page.items:
            if change.op != "append" or change.stream is None or change.seq is None:
                continue
            entries = (
                await self._flow.store.ledger(
                    self._flow.tenant, [change.stream], after={change.stream: change.seq - 1}, limit=1
                )
            )[change.stream]
            entry = entries.items[0]
            if entry.schema == ERASED:
                continue
            tag, _, schema = entry.schema.partition("/")
            event = self._flow.codecs[tag].load(entry.body, int(schema))
            happened.append(
                Happened(
                    position=change.position,
                    stream=entry.stream,
                    seq=entry.seq,
                    recorded_at=entry.recorded_at,
                    event=event,
                )
            )
        return Events(tuple(happened), page.next)

    async def close(self) -> None:
        """Close the store."""
        await self._flow.store.close()

    async def __aenter__(self) -> AsyncCrm:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @classmethod
    def _over(cls, flow: Flow) -> AsyncCrm:
        crm = cls.__new__(cls)
        crm._flow = flow
        return crm


class AsyncBatch(_Namespaces):
    """The namespaces, gathering into one batch. Made by `AsyncCrm.batch`."""

    def __init__(self, flow: Flow, *, idem: str | None, reason: str | None) -> None:
        base = attrs.evolve(flow, reason=reason, unit=None, journal=None)
        self._idem = idem
        self._journal = None if idem is None else Journal(idem, flow.secrets)
        self._unit = base.new_unit()
        self._base = base
        self._flow = attrs.evolve(base, unit=self._unit, journal=self._journal)

    async def begin(self) -> None:
        """Look whether the batch was written before. The beginning of the block does this."""
        if self._journal is not None:
            await self._journal.open(self._unit)

    async def end(self, *, write: bool) -> None:
        """Write what was gathered, or give it up; the batch takes no more. The end of the block does this.

        Raises:
            StoreError: if what the batch read was changed meanwhile; nothing was written then: run the block again.
        """
        journal, unit = self._journal, self._unit
        if unit.ended:
            return
        unit.ended = True
        if not write or (journal is not None and journal.replaying):
            return
        # A batch with a key that came to nothing is noted, too: it is to come to nothing whenever it runs again.
        if unit.empty and (journal is None or journal.empty):
            return
        if journal is not None:
            await journal.put(unit)
        try:
            await self._base.write(unit, str(self._base.ids.new(Id)) if self._idem is None else self._idem)
        except (IdempotencyMismatch, VersionConflict, KeyConflict, StreamConflict) as error:
            if journal is None or not await journal.overtaken(self._base.new_unit()):
                if not isinstance(error, IdempotencyMismatch):
                    error.add_note("somebody else was faster, and nothing was written: run the block again")
                raise
        else:
            return
        raise VersionConflict(
            "another run under this idempotency key was faster: run the block again, to get what that one wrote",
            expected=0,
            actual=1,
        )

    async def __aenter__(self) -> AsyncBatch:
        await self.begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.end(write=kind is None)
