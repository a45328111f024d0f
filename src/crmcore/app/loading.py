"""Loading parties by the million: what `crm.parties.load` does.

Invariant: a load writes what `crm.parties.add` would write for each of its rows, history and feed included, in chunks
that are each there wholly or not at all. Which rows make a chunk follows from the rows alone, so the same input under
the same key finds its chunks again and writes none twice. A row that cannot be stored costs no other row.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import attrs

from crmcore.app.flow import Flow, sent
from crmcore.app.near_index import new_satellites
from crmcore.app.suppressed import suppressed_points
from crmcore.app.unit import MORE, OWNER, ROOM, proven, shares
from crmcore.errors import (
    CapabilityMissing,
    CrmError,
    IdempotencyMismatch,
    InvalidParty,
)
from crmcore.identity.features import Features, features_of
from crmcore.identity.matcher import PairMatcher
from crmcore.party.history import PartyAdded
from crmcore.party.party import Party, PartyRecord
from crmcore.party.party_keys import PARTY, SOURCE, party_keys, party_sorts
from crmcore.party.party_keys import key as text_key
from crmcore.storage.bulk import AsyncBulk, Chunk, ChunkReceipt, NewEntry, NewRecord, Refusal, Row, bulk_of
from crmcore.storage.document import MAX_DEPTH, Json, decode
from crmcore.storage.protocol import Key, Ref, Sort
from crmcore.storage.validate import check_name
from crmcore.values.frozen_map import EMPTY, FrozenMap
from crmcore.values.ids import Id, PartyId
from crmcore.values.moment import moment_instant

MATCH = "match"
"""The namespace of the matcher's blocking keys."""

# Stored chunks are found again by their first row, so another size cannot take up a load that was cut off.
_ROWS = 10_000
_BYTES_PER_ROW = 4_000
_KEPT = 1_000


@attrs.frozen(kw_only=True)
class RefusedRow:
    """A row that was not stored: its number in the input, counted from 1, the *code* of the error and why.

    *holder* is the party that stands for the same record of a source, where that is why.
    """

    row: int
    code: str
    message: str
    holder: PartyId | None = None


@attrs.frozen(kw_only=True)
class LoadReport:
    """What a load did: of *rows*, some were *added*, some were there *already*, from an earlier run, some *refused*.

    *codes* says how many were refused for what, *refusals* are the first thousand of them. *suppressed* rows are there,
    and bring an address that is suppressed; *suppressed_rows* are the numbers of the first thousand of these.
    """

    rows: int = 0
    added: int = 0
    already: int = 0
    refused: int = 0
    codes: FrozenMap[str, int] = EMPTY
    refusals: tuple[RefusedRow, ...] = ()
    suppressed: int = 0
    suppressed_rows: tuple[int, ...] = ()

    def text(self) -> str:
        """The report for people to read, in a few lines.

        >>> print(LoadReport(rows=3, added=2, refused=1, codes=FrozenMap({"source_taken": 1})).text())
        3 rows: 2 added, 0 there already, 1 refused
          source_taken: 1
        """
        head = f"{self.rows} rows: {self.added} added, {self.already} there already, {self.refused} refused"
        told = [f"  {code}: {number}" for code, number in sorted(self.codes.items())]
        if self.suppressed:
            told.append(f"  with an address that is suppressed: {self.suppressed}")
        return "\n".join([head, *told])


LoadProgress = Callable[[LoadReport], None]
"""Called after every chunk with the report so far."""

OnRefused = Callable[[RefusedRow], None]
"""Called for every row that is refused."""


@attrs.frozen
class _Read:
    """A row of the input: the draft and its stored form, or why there is none."""

    draft: Party = attrs.field(repr=False)
    text: Json = attrs.field(repr=False)
    fault: tuple[str, str] | None = None


def index_of(
    party: Party, features: Features | None, matcher: PairMatcher
) -> tuple[frozenset[Key], frozenset[Sort]]:
    """Everything that a party is found by, with its *features* if it is active."""
    keys = party_keys(party)
    if features is not None:
        keys |= {text_key(MATCH, value) for value in matcher.keys(features)}
    return keys, party_sorts(party)


def active_features(party: Party) -> Features | None:
    """What a party is compared by; None of one that was taken back."""
    return features_of(party) if party.standing == "active" else None


async def load_parties(
    flow: Flow,
    drafts: Iterable[Party],
    *,
    idem: str,
    on_progress: LoadProgress | None,
    on_refused: OnRefused | None,
) -> LoadReport:
    """Load *drafts* chunk by chunk."""
    if flow.unit is not None:
        raise CapabilityMissing(
            "a load commits as it goes, so a batch cannot hold one: load outside of the batch, or use add_many(...)"
        )
    bulk = bulk_of(flow.store)
    check_name(idem, "an idempotency key")
    loader = _Loader(flow, bulk, idem)
    report = LoadReport()
    for chunk in _chunks(iter(drafts), flow):
        receipt = await loader.write(report.rows, chunk)
        refused = [*loader.faults(report.rows, chunk), *await loader.refused(report.rows, chunk, receipt)]
        refused.sort(key=lambda row: row.row)
        if on_refused is not None:
            for row in refused:
                on_refused(row)
        report = await _met(
            flow, _with(report, receipt, len(chunk), refused), chunk, {row.row for row in refused}
        )
        if on_progress is not None:
            on_progress(report)
    await loader.end(report.rows)
    return report


async def _met(
    flow: Flow, report: LoadReport, chunk: Sequence[_Read], refused: Collection[int]
) -> LoadReport:
    """The report with the rows of its last chunk, but those *refused*, that bring a suppressed address."""
    first = report.rows - len(chunk) + 1
    rows = [(number, read.draft) for number, read in enumerate(chunk, first) if number not in refused]
    points = [point for _, draft in rows for point in draft.contact_points]
    found = await suppressed_points(flow, flow.reader(), points)
    if not found:
        return report
    met = [n for n, draft in rows if any((one.kind, one.key) in found for one in draft.contact_points)]
    kept = report.suppressed_rows + tuple(met[: _KEPT - len(report.suppressed_rows)])
    return attrs.evolve(report, suppressed=report.suppressed + len(met), suppressed_rows=kept)


def _with(report: LoadReport, receipt: ChunkReceipt, rows: int, refused: Sequence[RefusedRow]) -> LoadReport:
    codes = dict(report.codes)
    for row in refused:
        codes[row.code] = codes.get(row.code, 0) + 1
    return attrs.evolve(
        report,
        rows=report.rows + rows,
        added=report.added + (0 if receipt.replayed else receipt.written),
        already=report.already + (receipt.written if receipt.replayed else 0),
        refused=report.refused + len(refused),
        codes=FrozenMap(codes),
        refusals=report.refusals + tuple(refused[: _KEPT - len(report.refusals)]),
    )


def _chunks(drafts: Iterator[Party], flow: Flow) -> Iterator[list[_Read]]:
    """The rows in groups that the store takes at a time; no more of the input is read than that."""
    limits = flow.store.describe().limits
    most = min(_ROWS, limits.max_rows)
    chunk: list[_Read] = []
    room = limits.max_chunk_bytes
    for read in map(_read, drafts):
        size = _size(read.text)
        if chunk and (len(chunk) == most or size > room):
            yield chunk
            chunk, room = [], limits.max_chunk_bytes
        chunk.append(read)
        room -= size
    if chunk:
        yield chunk


def _size(text: str) -> int:
    """More bytes than a row takes: its body stands in it twice, and its keys are made of what the body says."""
    return _BYTES_PER_ROW + 16 * (len(text) if text.isascii() else 4 * len(text))


_NONE = Json("{}")


def _read(draft: Party) -> _Read:
    try:
        if not isinstance(draft, PartyRecord):
            raise InvalidParty("a row is a draft of a party, such as Person.of(...) gives")
        if not draft.is_draft:
            raise InvalidParty("the party is stored already: change it with crm.parties.change(id, ...)")
        proven(PARTY, draft, InvalidParty)
        body = PARTY.dump(draft)
        body.pop("version", None)
        # The history holds it one level deeper.
        return _Read(draft, Json.of(body, levels=MAX_DEPTH - 1))
    except CrmError as error:
        return _Read(draft, _NONE, (error.code, str(error)))


class _Loader:
    """Writes the chunks of one load."""

    def __init__(self, flow: Flow, bulk: AsyncBulk, idem: str) -> None:
        self._flow = flow
        self._bulk = bulk
        self._idem = idem
        self._end = f"load:{idem}:end"
        self._resuming = True

    async def write(self, start: int, chunk: Sequence[_Read]) -> ChunkReceipt:
        """Write the rows of *chunk*, the first of which is number *start* from 0, unless they are there."""
        idem, digest = f"load:{self._idem}:{start}", _digest(chunk)
        try:
            if self._resuming:
                before = await self._bulk.loaded(self._flow.tenant, idem, digest)
                if before is not None:
                    return before
                self._resuming = False  # chunks are written in order: nothing is there beyond the first gap
                if await self._bulk.loaded(self._flow.tenant, self._end, str(start)) is not None:
                    raise self._other(start, len(chunk))
            return await self._send(self._chunk(idem, digest, chunk))
        except IdempotencyMismatch:
            raise self._other(start, len(chunk)) from None

    async def end(self, rows: int) -> None:
        """Note that the input has so many rows; refuse one that ends where an earlier run had more."""
        try:
            if self._resuming:
                await self._bulk.loaded(self._flow.tenant, f"load:{self._idem}:{rows}", "nothing")
            await self._send(self._chunk(self._end, str(rows), ()))
        except IdempotencyMismatch:
            raise self._other(rows, 1) from None

    def _other(self, start: int, rows: int) -> IdempotencyMismatch:
        return IdempotencyMismatch(
            f"another input was loaded under this idempotency key: rows {start + 1} to {start + rows} are not what "
            "they were; give the same input again to finish that load, or another key to load this one"
        )

    async def _send(self, chunk: Chunk) -> ChunkReceipt:
        return await sent(lambda: self._bulk.load(chunk))

    def _chunk(self, idem: str, digest: str, chunk: Sequence[_Read]) -> Chunk:
        flow, now = self._flow, self._flow.clock()
        return Chunk(
            tenant=flow.tenant,
            rows=_Rows(flow, [read for read in chunk if read.fault is None], now),
            idem=idem,
            digest=digest,
            actor=flow.actor,
            reason=flow.reason,
            at=now,
        )

    def faults(self, start: int, chunk: Sequence[_Read]) -> Iterator[RefusedRow]:
        """The rows that were not sent at all."""
        for number, read in enumerate(chunk, start + 1):
            if read.fault is not None:
                yield RefusedRow(row=number, code=read.fault[0], message=read.fault[1])

    async def refused(self, start: int, chunk: Sequence[_Read], receipt: ChunkReceipt) -> list[RefusedRow]:
        """The rows that the store refused, in the words of parties."""
        if not receipt.refused:
            return []
        numbers = [number for number, read in enumerate(chunk, start + 1) if read.fault is None]
        unit = self._flow.new_unit()
        owners: dict[Ref, Ref] = {}
        for refusal in receipt.refused:
            holder = refusal.holder
            if holder is not None and holder not in owners:
                owners[holder] = next(iter(await unit.owners([holder])), holder)
        return [_refused(numbers[refusal.row], refusal, owners) for refusal in receipt.refused]


class _Rows(Collection[Row]):
    """Drafts as rows, made one after the other as the store takes them: all at once they would be large."""

    def __init__(self, flow: Flow, reads: Sequence[_Read], now: datetime) -> None:
        self._flow = flow
        self._reads = reads
        self._now = now

    def __len__(self) -> int:
        return len(self._reads)

    def __contains__(self, row: object) -> bool:
        return False  # every row that was ever given out has ids of its own

    def __iter__(self) -> Iterator[Row]:
        flow, now = self._flow, self._now
        # Everything but the party and its fields is the same in every first entry of a history.
        event = flow.codecs["party.added"]
        frame = event.dump(PartyAdded(party=PartyId(""), actor=flow.actor, reason=flow.reason))
        # From the end, since an actor may have fields of any name; the texts after these two are quoted.
        rest, _, tail = Json.of({**frame, "fields": {}}).rpartition('"party":""')
        head, _, middle = rest.rpartition('"fields":{}')
        schema = f"{event.tag}/{event.schema}"
        for read in self._reads:
            id = flow.ids.new(PartyId)
            seen = read.draft.observed_at
            occurred = now if seen is None else moment_instant(seen)
            body = Json(f'{head}"fields":{read.text}{middle}"party":"{id}"{tail}')
            entry = NewEntry(f"party:{id}", occurred, now, (id,), schema, body)
            yield Row(self._records(id, read), (entry,))

    def _records(self, id: PartyId, read: _Read) -> tuple[NewRecord, ...]:
        """The record of a party, what it is compared by, and its satellites where it has more keys than fit on one."""
        features = active_features(read.draft)
        near = () if features is None else new_satellites(id, features)
        keys, sorts = index_of(read.draft, features, self._flow.matcher)
        if len(keys) + len(sorts) <= ROOM:
            return (*near, NewRecord(PARTY.tag, id, PARTY.schema, read.text, keys, sorts))
        own, more = shares(keys, sorts)
        owner = Key(OWNER, f"{PARTY.tag}:{id}")
        body = Json.of({**decode(read.text), OWNER: len(more)})
        return (
            *near,
            NewRecord(PARTY.tag, id, PARTY.schema, body, *_told_apart(own)),
            *(
                NewRecord(
                    PARTY.tag + MORE,
                    self._flow.ids.new(Id, near=id),
                    1,
                    Json.of({"of": id}),
                    *_told_apart([owner, *share]),
                )
                for share in more
            ),
        )


def _refused(number: int, refusal: Refusal, owners: dict[Ref, Ref]) -> RefusedRow:
    if refusal.namespace == SOURCE and refusal.holder is not None:
        return RefusedRow(
            row=number,
            code="source_taken",
            message="another party stands for this record of this source: change that one, or merge the two",
            holder=PartyId(owners[refusal.holder].id),
        )
    return RefusedRow(row=number, code=refusal.code, message=refusal.message)


def _told_apart(items: Iterable[Key | Sort]) -> tuple[tuple[Key, ...], tuple[Sort, ...]]:
    found = tuple(items)
    return (
        tuple(item for item in found if isinstance(item, Key)),
        tuple(item for item in found if isinstance(item, Sort)),
    )


def _digest(chunk: Sequence[_Read]) -> str:
    """What the rows of a chunk say; one that cannot be stored counts as its fault."""
    told = sha256()
    for read in chunk:
        text: Any = read.text if read.fault is None else f"!{read.fault[0]}"
        told.update(f"{len(text)}:{text}".encode("utf-8", "surrogatepass"))
    return told.hexdigest()
