"""`crm.imports`: take over records from files, planned first, then applied exactly or not at all.

Invariant: a plan is applied as it was shown, or refused before the first row that differs. Rows are written in
chunks, each all or nothing; an import that was cut off is finished by applying the same plan again, and a
second import of the same file writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import attrs

from crmcore.app.flow import ATTEMPTS, Flow
from crmcore.app.interactions import record_interaction
from crmcore.app.parties import add_party, change_party
from crmcore.app.relationships import add_relationship, related
from crmcore.app.suppressed import Found, note_met, suppressed_points
from crmcore.app.unit import Unit, load_record
from crmcore.consent.suppression import Occasion
from crmcore.errors import KeyConflict, PlanStale, StreamConflict, VersionConflict
from crmcore.exchange.decide import SeenRecords, Verdict, decide
from crmcore.exchange.facts import Contact, Read, RowFacts
from crmcore.exchange.mapping import ImportOptions, RowKind
from crmcore.exchange.notice import suppressed_rows
from crmcore.exchange.plan import ImportPlan, RowOutcome
from crmcore.exchange.prepare import PlanMaker, prepare
from crmcore.exchange.rejected import planned_table, write_rejected
from crmcore.exchange.rows import read_rows
from crmcore.interaction.interaction import Direction, Interaction, Kind, Participant
from crmcore.interaction.lay import DEDUPE
from crmcore.party.contact_point import ContactPoint
from crmcore.party.party import Organization, Party
from crmcore.party.party_keys import PARTY, source_key
from crmcore.party.relationship import EMPLOYMENT, Relationship
from crmcore.storage.protocol import Key, Limits, Ref
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.ids import PartyId
from crmcore.values.partial_date_text import Order
from crmcore.values.source import Source

Progress = Callable[[str, int, int], None]
"""Called with the stage, how many rows of it are done and how many there are (0: not known yet)."""

Row = tuple[Read, Verdict | None, RowOutcome]
"""A row, the verdict that earlier rows of the file are enough for, and what was planned."""

_ROWS = 200
_FEW = 4
"""So often whole chunks are tried against others who write; then smaller ones, which are read and written faster."""
_OPS_PER_ROW = 12
_ITEMS_PER_ROW = 90  # so that a store of few items a batch gets a row at a time: an employer may come with it
_BYTES_PER_ROW = 7_000
_BYTES_PER_FIELD = 120
_BYTES_PER_CHARACTER = 6


@attrs.frozen(kw_only=True)
class ImportResult:
    """What applying a plan did. *counts* are the plan's; *resumed* rows had been written by an earlier attempt.

    *organizations* are employers that were not known before, *interactions* the dated contacts. *suppressed* are the
    records that got an address which is suppressed; an earlier attempt told of its own.
    """

    rows_in: int
    counts: FrozenMap[str, int]
    resumed: int = 0
    organizations: int = 0
    interactions: int = 0
    chunks: int = 0
    suppressed: tuple[PartyId, ...] = ()


@attrs.define
class _Written:
    """What one chunk wrote; *employers* are those that exist once it is committed."""

    rows: int = 0
    resumed: int = 0
    organizations: int = 0
    interactions: int = 0
    suppressed: list[PartyId] = attrs.field(factory=list[PartyId])
    employers: dict[Source, PartyId] = attrs.field(factory=dict[Source, PartyId])


@attrs.frozen
class AsyncImports:
    """Imports of files."""

    _flow: Flow

    async def plan(
        self,
        path: str | Path,
        *,
        source: str | None = None,
        source_column: str | None = None,
        id_column: str | None = None,
        kind: RowKind | None = None,
        columns: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        region: str | None = None,
        date_order: Order | None = None,
        contact_kind: Kind | None = None,
        contact_direction: Direction = "inbound",
        encoding: str | None = None,
        delimiter: str | None = None,
        on_progress: Progress | None = None,
    ) -> ImportPlan:
        """What importing a CSV file would do. Nothing is written.

        *source* names the system that the file comes from (else the file's name does), or *source_column* the
        column that says it for each row; *id_column* holds the records' ids there. *columns* maps columns to
        fields; what is not said follows from the columns' names and values. *region* is where local telephone
        numbers are dialled, *date_order* how ambiguous dates are written, *contact_kind* what a dated contact
        was.

        Raises:
            UnreadableFile: if the file cannot be read as a table.
            InvalidMapping: if its columns cannot be mapped as it is said.
        """
        options = ImportOptions(
            source=source,
            source_column=source_column,
            id_column=id_column,
            kind=kind,
            columns=_pairs(columns),
            region=region,
            date_order=date_order,
            contact_kind=contact_kind,
            contact_direction=contact_direction,
            encoding=encoding,
            delimiter=delimiter,
        )
        prepared = prepare(path, options)
        now = self._flow.clock()
        maker, seen, unit, done = PlanMaker(prepared), SeenRecords(), self._flow.new_unit(), 0
        total = prepared.profile.rows
        changed = dict[PartyId, Party]()
        suppressed = 0
        for chunk in _chunks(prepared.reads(as_of=now.date()), self._limits):
            verdicts = await _verdicts(unit, chunk, [seen.verdict(read) for read in chunk], changed)
            for read, (verdict, _) in zip(chunk, verdicts, strict=True):
                maker.add(read, verdict)
            suppressed += await self._suppressed(unit, verdicts)
            done += len(chunk)
            if on_progress is not None:
                on_progress("plan", done, max(done, total))
        plan = maker.plan(at=now)
        if suppressed:
            plan = attrs.evolve(plan, notices=(*plan.notices, suppressed_rows(suppressed)))
        return plan

    async def apply(self, plan: ImportPlan, *, on_progress: Progress | None = None) -> ImportResult:
        """Do what a plan says. Applied again after it was cut off, it goes on where it stopped.

        Raises:
            PlanStale: if the file, or a party that stands for one of its records, has changed since; the chunks
                before that row stay written.
        """
        table = planned_table(plan)
        reads = read_rows(table.rows(), plan.column_map, as_of=plan.planned_at.date())
        seen, employers, done = SeenRecords(), dict[Source, PartyId](), 0
        sums = _Written()
        chunks = 0
        for number, chunk in enumerate(_chunks(reads, self._limits)):
            quick = [seen.verdict(read) for read in chunk]
            rows = list(zip(chunk, quick, plan.outcomes[done : done + len(chunk)], strict=True))
            for written in await self._apply(plan, rows, employers, f"import:{plan.digest}:{number}"):
                sums.resumed += written.resumed
                sums.organizations += written.organizations
                sums.interactions += written.interactions
                sums.suppressed += written.suppressed
                chunks += 1 if written.rows else 0
            done += len(chunk)
            if on_progress is not None:
                on_progress("import", done, plan.rows_in)
        return ImportResult(
            rows_in=plan.rows_in,
            counts=plan.counts,
            resumed=sums.resumed,
            organizations=sums.organizations,
            interactions=sums.interactions,
            chunks=chunks,
            suppressed=tuple(dict.fromkeys(sums.suppressed)),
        )

    async def _apply(
        self, plan: ImportPlan, rows: Sequence[Row], employers: dict[Source, PartyId], idem: str
    ) -> list[_Written]:
        """Write *rows* as one batch, or in halves where others keep being faster."""

        async def write(unit: Unit) -> _Written:
            return await _write(self._flow, unit, rows, employers)

        attempts = ATTEMPTS if len(rows) == 1 else _FEW
        reason = f"import of {plan.file}"
        try:
            written = await self._flow.commit(write, idem=idem, reason=reason, attempts=attempts)
        except (VersionConflict, KeyConflict, StreamConflict):
            if len(rows) == 1:
                raise
        else:
            employers.update(written.employers)
            return [written]
        half = len(rows) // 2
        first = await self._apply(plan, rows[:half], employers, f"{idem}.1")
        return [*first, *await self._apply(plan, rows[half:], employers, f"{idem}.2")]

    async def write_rejected(self, plan: ImportPlan, path: str | Path) -> int:
        """Write the rows that a plan rejects to a file that can be corrected and imported; how many there are.

        Raises:
            UnreadableFile: if the file cannot be written.
        """
        return write_rejected(plan, path)

    async def _suppressed(self, unit: Unit, verdicts: Iterable[tuple[Verdict, Party | None]]) -> int:
        """How many rows bring an address that is suppressed."""
        brought = [_brought(*one) for one in verdicts]
        found = await suppressed_points(self._flow, unit, [point for points in brought for point in points])
        return sum(bool(_of(found, points)) for points in brought)

    @property
    def _limits(self) -> Limits:
        return self._flow.store.describe().limits


def _pairs(columns: Mapping[str, str] | Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    if isinstance(columns, Mapping):
        return tuple(cast("Mapping[str, str]", columns).items())
    return tuple(columns)


def _chunks(reads: Iterable[Read], limits: Limits) -> Iterator[list[Read]]:
    """The rows in groups that fit into one batch of the store."""
    most = max(1, min(_ROWS, limits.max_ops // _OPS_PER_ROW, limits.max_items // _ITEMS_PER_ROW))
    chunk: list[Read] = []
    room = limits.max_batch_bytes
    for read in reads:
        size = _size(read)
        if chunk and (len(chunk) == most or size > room):
            yield chunk
            chunk, room = [], limits.max_batch_bytes
        chunk.append(read)
        room -= size
    if chunk:
        yield chunk


def _size(read: Read) -> int:
    """At most how many bytes a row takes in a batch."""
    if not isinstance(read, RowFacts):
        return _BYTES_PER_ROW
    fields = () if read.party.imported is None else read.party.imported.fields
    named = sum(map(len, fields))
    return _BYTES_PER_ROW + _BYTES_PER_FIELD * len(fields) + _BYTES_PER_CHARACTER * (read.size + named)


async def _verdicts(
    unit: Unit, chunk: Sequence[Read], quick: Sequence[Verdict | None], changed: dict[PartyId, Party]
) -> list[tuple[Verdict, Party | None]]:
    """The verdict for each row, and the party that stands for its record now.

    *changed* are the parties of several records as earlier rows leave them, since a plan has written nothing yet.
    """
    asked = (read for read, verdict in zip(chunk, quick, strict=True) if verdict is None)
    standing = await _standing(unit, [read.source for read in asked if isinstance(read, RowFacts)])
    found: list[tuple[Verdict, Party | None]] = []
    for read, verdict in zip(chunk, quick, strict=True):
        if verdict is not None or not isinstance(read, RowFacts):
            assert verdict is not None  # for the type checker: only rows with facts have none
            found.append((verdict, None))
            continue
        existing = standing.get(read.source)
        if existing is None or len(existing.sources) == 1:
            found.append((decide(read, existing), existing))
            continue
        existing = changed.get(existing.id, existing)
        decided = decide(read, existing)
        if decided.party is not None:
            changed[existing.id] = decided.party
        found.append((decided, existing))
    return found


async def _standing(unit: Unit, sources: Iterable[Source]) -> dict[Source, Party]:
    """The parties that stand for records of sources. Who writes one names its version, so they need no check."""
    keys = {source_key(source): source for source in sources}
    hits = await unit.find(keys)
    holders = {keys[key]: refs[0] for key, refs in hits.items() if refs}
    records = await unit.get(list(dict.fromkeys(holders.values())), check=False)
    parties: dict[Ref, Party] = {ref: load_record(PARTY, record) for ref, record in records.items()}
    return {source: parties[ref] for source, ref in holders.items() if ref in parties}


async def _write(
    flow: Flow,
    unit: Unit,
    rows: Sequence[Row],
    employers: dict[Source, PartyId],
) -> _Written:
    """Plan the writes of a chunk, after seeing that it is still as planned."""
    chunk, quick, expected = zip(*rows, strict=True)
    written = _Written()
    todo: list[tuple[RowFacts, Verdict, Party | None]] = []
    for read, planned, (verdict, existing) in zip(
        chunk, expected, await _verdicts(unit, chunk, quick, {}), strict=True
    ):
        if (verdict.outcome, verdict.code) == (planned.outcome, planned.code):
            if verdict.party is not None and isinstance(read, RowFacts):
                todo.append((read, verdict, existing))
        elif verdict.outcome == "unchanged" and planned.outcome in ("created", "updated"):
            written.resumed += 1
        else:
            raise PlanStale(
                f"row {read.number} was planned as {planned.outcome} and would now be {verdict.outcome}: "
                "plan the import again"
            )
    # All look-ups come before the first write, since a unit searches its own writes too.
    contacts = await _new_contacts(unit, [facts.contact for facts, *_ in todo])
    brought = [point for _, verdict, existing in todo for point in _brought(verdict, existing)]
    found = await suppressed_points(flow, unit, brought)
    await _employers(flow, unit, [facts.employer for facts, *_ in todo], employers, written)
    known = {**employers, **written.employers}
    stored = dict[PartyId, Party]()
    for facts, verdict, existing in todo:
        if existing is not None:
            # An earlier row of the chunk may have changed the same party.
            existing = stored.get(existing.id, existing)
        party = await _put(flow, unit, verdict, existing)
        stored[party.id] = party
        met = note_met(unit, [party], _of(found, _brought(verdict, existing)), _occasion(existing))
        written.suppressed += [one.record for one in met]
        if facts.employer is not None:
            await _employ(unit, facts, party, known[facts.employer.sources[0]], new=existing is None)
        if facts.contact is not None and facts.contact.dedupe_key in contacts:
            await record_interaction(unit, _interaction(facts.contact, party.id))
            written.interactions += 1
        written.rows += 1
    return written


def _brought(verdict: Verdict, existing: Party | None) -> list[ContactPoint]:
    """The contact points that a row brings, which the record did not have."""
    if verdict.party is None:
        return []
    known = set() if existing is None else {(point.kind, point.key) for point in existing.contact_points}
    return [point for point in verdict.party.contact_points if (point.kind, point.key) not in known]


def _of(found: Found, points: Iterable[ContactPoint]) -> Found:
    return {name: found[name] for one in points if (name := (one.kind, one.key)) in found}


def _occasion(existing: Party | None) -> Occasion:
    return "created" if existing is None else "changed"


async def _put(flow: Flow, unit: Unit, verdict: Verdict, existing: Party | None) -> Any:
    party: Any = verdict.party
    if existing is None:
        return await add_party(flow, unit, party)
    return await change_party(flow, unit, existing, lambda before: party)


async def _employers(
    flow: Flow,
    unit: Unit,
    wanted: Iterable[Organization | None],
    known: dict[Source, PartyId],
    written: _Written,
) -> None:
    """Find the employers of a chunk, and record those that no earlier row has named."""
    missing: dict[Source, Organization] = {}
    for draft in wanted:
        if draft is not None and draft.sources[0] not in known:
            missing.setdefault(draft.sources[0], draft)
    for source, party in (await _standing(unit, missing)).items():
        written.employers[source] = party.id
    for source, draft in missing.items():
        if source not in written.employers:
            written.employers[source] = (await add_party(flow, unit, draft)).id
            written.organizations += 1


async def _employ(unit: Unit, facts: RowFacts, party: Any, employer: PartyId, *, new: bool) -> None:
    """Relate a person to an employer, once: what somebody took back stays so."""
    if not new:
        for old in (await related(unit, [party.id], retracted=True))[party.id]:
            if old.type == EMPLOYMENT.key and old.to == employer:
                return
    draft = Relationship(
        type=EMPLOYMENT.key, from_=party.id, to=employer, observed_at=facts.observed_at, source=facts.source
    )
    await add_relationship(unit, draft)


async def _new_contacts(unit: Unit, contacts: Iterable[Contact | None]) -> set[str]:
    """The deduplication keys of contacts that are not recorded yet."""
    keys = {Key(DEDUPE, contact.dedupe_key) for contact in contacts if contact is not None}
    return {key.value for key, refs in (await unit.find(keys)).items() if not refs}


def _interaction(contact: Contact, party: PartyId) -> Interaction:
    return Interaction(
        kind=contact.kind,
        direction=contact.direction,
        participants=(Participant(party=party),),
        occurred_at=contact.occurred_at,
        subject=contact.subject,
        sources=(contact.source,),
        dedupe_key=contact.dedupe_key,
    )
