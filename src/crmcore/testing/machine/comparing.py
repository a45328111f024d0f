"""Everything that can be read of a tenant against the model, and one thing of each kind.

Invariant: two values are the same only if they are of the same types too: 1 is not ``True``.
"""

from __future__ import annotations

import json
from typing import Any

from crmcore.storage import Change, Draft, Entry, Record, Ref
from crmcore.storage.capability import CHANGES
from crmcore.testing.kit import INSTANTS, same
from crmcore.testing.machine.play import KEYS, PARTS, STREAMS, Play
from crmcore.testing.model import Model


def plain(body: Any) -> str:
    """A body as a text that tells all values apart."""
    return json.dumps(body, sort_keys=True)


def exactly(model: Model, at: Ref, there: Record) -> None:
    """A record that was read is the one that the model has."""
    expected = model.live[at]
    same((there.ref, there.version), (at, model.version(at)), "the version")
    same((there.schema, plain(there.body)), (expected["schema"], plain(expected["body"])), "the record")
    same((there.keys, there.sorts), (expected["keys"], expected["sorts"]), "what it carries")


def the_entry(stream: str, seq: int, one: Draft | Entry) -> tuple[Any, ...]:
    return stream, seq, one.occurred_at, one.recorded_at, one.subjects, one.schema, plain(one.body)


def the_change(one: Change) -> tuple[Any, ...]:
    return one.idem, one.op, one.ref or one.stream, one.version or one.seq, one.at, one.actor, one.reason


async def all_reads_agree(play: Play, tenant: str) -> None:
    model = play.model
    everybody = play.everybody(tenant)
    found = await play.ask(lambda store: store.get(everybody))
    same(sorted(found), [one for one in sorted(everybody) if one in model.live], "which records are there")
    for at, there in found.items():
        exactly(model, at, there)
    hits = await play.ask(lambda store: store.find(tenant, KEYS))
    carrying = {key: (tuple(model.found(tenant, key)), None) for key in KEYS}
    same({key: (one.refs, one.next) for key, one in hits.items()}, carrying, "who carries which key")
    page = await play.ask(lambda store: store.range(tenant, INSTANTS, PARTS))
    ordered = model.ordered(tenant, INSTANTS, PARTS)
    same(
        [(sort.value, at.id) for sort, at in page.items],
        [(sort.value, at.id) for sort, at in ordered],
        "the order",
    )
    same(set(page.items), set(ordered), "what is in the order")
    for stream, entries in (await play.ask(lambda store: store.ledger(tenant, STREAMS))).items():
        whole = [
            the_entry(stream, n, one) for n, one in enumerate(model.ledgers.get((tenant, stream), []), 1)
        ]
        same([the_entry(one.stream, one.seq, one) for one in entries.items], whole, "the ledger")
    if play.claims(CHANGES):
        feed = [the_change(one) for one in (await play.ask(lambda store: store.changes(tenant))).items]
        same(feed, model.feeds.get(tenant, []), "the feed")
