"""Looking at an audit, link by link.

Invariant: what is reported as whole was not changed by anybody without the key, and reaches as far as each anchor says.
A problem says what kind it is and where, by stream and number, never what an entry holds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import attrs

from crmcore.storage.protocol import AsyncStore, Entry
from crmcore.storage.wrappers.audit_chain import (
    AUDIT_SCHEMA,
    AUDIT_TENANT,
    MOST_SHARDS,
    SEAL_SCHEMA,
    SEALS,
    Anchor,
    anchor_proof,
    audit_key,
    is_whole,
    link_of,
    same,
    shards_of,
    start,
    streams,
)


@attrs.frozen(kw_only=True)
class AuditProblem:
    """What is wrong: a *code*, the *stream* and the number of the entry, 0 if it is the stream as a whole.

    ``changed``: an entry is not what was written there, or one before it is missing or was put elsewhere.
    ``missing``: the numbers have a gap. ``truncated``: an anchor or a seal knows of more entries than there are.
    ``forked``: an anchor or a seal knows of another entry with this number, so the end was cut off and written anew,
    or all was replaced. ``forged_anchor``: an anchor was not made with this key. ``shards``: it says that
    the audit is in another number of shards than the rest of it does, or is in a shard that there should not be.
    """

    code: str
    stream: str
    seq: int = 0


@attrs.frozen(kw_only=True)
class AuditReport:
    """How many *entries* were looked at, and what was wrong. No *problems*: the audit is whole."""

    entries: int
    problems: tuple[AuditProblem, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing was wrong."""
        return not self.problems


async def verify_audit(store: AsyncStore, key: bytes, anchors: Iterable[Anchor] = ()) -> AuditReport:
    """Look at all of the audit in *store*, with the *key* that it was written with and the *anchors* that were kept.

    All shards that an audit can have are looked at, in whatever number it was written. Without anchors nothing shows
    that entries at the end were taken away, or all of them.
    """
    looked = _Looked(audit_key(key))
    every = streams(MOST_SHARDS)
    there = await store.ledger(AUDIT_TENANT, every, limit=1)
    for stream in every:
        if there[stream].items:
            await looked.at_stream(store, stream)
    for stream, count, head in looked.sealed:
        looked.compare(stream, count, head)
    for anchor in anchors:
        if not same(anchor.proof, anchor_proof(key, anchor.at, anchor.shards, anchor.heads)):
            looked.problem("forged_anchor", "")
            continue
        looked.shards.append((anchor.shards, "", 0))
        for stream, count, head in anchor.heads:
            looked.compare(stream, count, head)
    looked.compare_shards()
    return AuditReport(entries=looked.entries, problems=tuple(dict.fromkeys(looked.problems)))


class _Looked:
    def __init__(self, key: bytes) -> None:
        self._key = key
        self._links: dict[str, list[bytes]] = {}
        self.entries = 0
        self.problems: list[AuditProblem] = []
        self.sealed: list[tuple[str, int, str]] = []
        self.shards: list[tuple[int | None, str, int]] = []

    def problem(self, code: str, stream: str, seq: int = 0) -> None:
        self.problems.append(AuditProblem(code=code, stream=stream, seq=seq))

    async def at_stream(self, store: AsyncStore, stream: str) -> None:
        links = self._links[stream] = []
        before = start(self._key, stream)
        schema = SEAL_SCHEMA if stream == SEALS else AUDIT_SCHEMA
        async for entry in _entries(store, stream):
            self.entries += 1
            if entry.seq != len(links) + 1:
                self.problem("missing", stream, len(links) + 1)
                links.extend([b""] * (entry.seq - len(links) - 1))
            if not is_whole(self._key, entry, before) or entry.schema != schema:
                self.problem("changed", stream, entry.seq)
            else:
                self._take(entry)
            before = link_of(entry)  # so that one entry that was changed is one problem
            links.append(before)

    def _take(self, entry: Entry) -> None:
        if entry.seq == 1 or entry.stream == SEALS:
            self.shards.append((shards_of(entry), entry.stream, entry.seq))
        if entry.stream == SEALS:
            heads: Any = entry.body["heads"]
            self.sealed += [(stream, count, head) for stream, count, head in heads]

    def compare_shards(self) -> None:
        """Whether all that say in how many shards the audit is say the same; the last is right, an anchor if any."""
        if not self.shards:
            return
        number = self.shards[-1][0]
        there = streams(number or 0)
        for said, stream, seq in self.shards:
            if said != number or (stream and stream not in there):
                self.problem("shards", stream, seq)

    def compare(self, stream: str, count: int, head: str) -> None:
        """Whether the entry number *count* of a stream is there and has the link *head*."""
        links = self._links.get(stream, [])
        if count > len(links):
            self.problem("truncated", stream, len(links) + 1)
        elif not same(links[count - 1].hex(), head):
            self.problem("forked", stream, count)


async def _entries(store: AsyncStore, stream: str) -> AsyncIterator[Entry]:
    after = 0
    while True:
        page = (await store.ledger(AUDIT_TENANT, [stream], after={stream: after}))[stream]
        for entry in page.items:
            yield entry
            after = entry.seq
        if page.next is None:
            return
