"""Decisions as a review page saves them, without a page; and a store from before there was an order."""

from __future__ import annotations

import json
from typing import Any

from crmcore import Crm
from crmcore.identity import Decisions, Review, ReviewItem
from crmcore.identity.identity_keys import QUEUE, QUEUE_ID
from crmcore.storage.protocol import Batch, Delete, Ref, Rekey
from crmcore.values.instant import to_text
from tests.app.houses import CLERK, START


def decided(review: Review, item: ReviewItem, verdict: str, **more: Any) -> dict[str, Any]:
    """What a page saves of one item."""
    assert item in review.items
    records = [*(record.id for record in item.records), *item.more]
    links = [[link.a, link.b] for link in item.links]
    return {
        "item": item.id,
        "kind": item.kind,
        "records": records,
        "links": links,
        "verdict": verdict,
        **more,
    }


def saved(review: Review, *decisions: dict[str, Any], **page: Any) -> str:
    """What a page saves."""
    made = {"id": review.id, "made_at": to_text(review.made_at), "of": review.of, "name": review.name}
    made |= {"digest": review.digest, **page}
    return json.dumps({"format": "crmcore.decisions/1", "page": made, "decisions": list(decisions)})


def file_of(review: Review, *decisions: dict[str, Any], **page: Any) -> Decisions:
    """The same, read."""
    return Decisions.parse(saved(review, *decisions, **page))


def everything(crm: Crm, verdict: str, **more: Any) -> Decisions:
    """One verdict on all pairs that wait."""
    review = crm.identity.review()
    return file_of(review, *(decided(review, i, verdict, **more) for i in review.items if i.kind == "pair"))


def unordered(crm: Crm) -> None:
    """Make of a store one that was written before there was an order."""
    kinds = crm.store.scan("default", "judgement", limit=1000).items
    ops = [Rekey(ref=r.ref, expect=r.version, keys=r.keys) for r in kinds]
    mark = Delete(ref=Ref("default", QUEUE.tag, QUEUE_ID), expect=1)
    crm.store.apply(Batch(tenant="default", ops=(*ops, mark), idem="old", actor=CLERK, at=START))
