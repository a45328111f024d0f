"""How judgements and clusters lie on a store.

Invariant: judgements are the truth, clusters are derived from them and can be rebuilt. A party is a member of one
cluster at most: its key in the namespace ``member`` is exclusive, as is that of a contact point, which has one ledger.
What waits for a person stands in the order ``review``, likeliest pairs and weakest links first; that order is derived
as well.
"""

from __future__ import annotations

from typing import Any

from crmcore.identity.customer import Cluster
from crmcore.identity.identity_events import (
    CustomersMerged,
    CustomerSplit,
    JudgementMade,
    JudgementRetracted,
)
from crmcore.identity.judgement import Judgement
from crmcore.identity.review_queue import Place, Queue
from crmcore.party.party_keys import MEMBER
from crmcore.serde import Codec
from crmcore.storage.protocol import Key, Sort
from crmcore.values.ids import Id

JUDGED = "judged"
DECISION = "decision"
REVIEW = "review"

JUDGEMENT: Codec[Judgement] = Codec(tag="judgement", type=Judgement)
CLUSTER: Codec[Cluster] = Codec(tag="cluster", type=Cluster)
QUEUE: Codec[Queue] = Codec(tag="review.queue", type=Queue)
QUEUE_ID = Id("00000000-0000-7000-8000-000000000000")
"""A tenant has one queue, so its record has one id."""

CODECS: tuple[Codec[Any], ...] = (
    JUDGEMENT,
    CLUSTER,
    QUEUE,
    Codec(tag="judgement.made", type=JudgementMade),
    Codec(tag="judgement.retracted", type=JudgementRetracted),
    Codec(tag="customers.merged", type=CustomersMerged),
    Codec(tag="customer.split", type=CustomerSplit),
)


def judgement_keys(judgement: Judgement) -> frozenset[Key]:
    """The two parties that were judged, and the decision that this judgement is a part of."""
    parts = () if judgement.decision is None else (Key(DECISION, judgement.decision),)
    return frozenset({Key(JUDGED, judgement.a), Key(JUDGED, judgement.b), *parts})


def cluster_keys(cluster: Cluster) -> frozenset[Key]:
    """The members, of whom each has one cluster."""
    return frozenset(Key(MEMBER, member) for member in cluster.members)


def review_sorts(judgement: Judgement, place: Place | None) -> frozenset[Sort]:
    """Where a judgement stands in the order of what waits for a person; nowhere without a *place*.

    A doubtful pair is the more urgent the likelier it is, a link the weaker it is.
    """
    if place is None:
        return frozenset()
    return frozenset(
        {Sort(REVIEW, place, score_bytes(-judgement.score if place == "pair" else judgement.score))}
    )


def score_bytes(score: int) -> bytes:
    """A score such that the order of the bytes is that of the scores.

    >>> score_bytes(-1) < score_bytes(0) < score_bytes(1)
    True
    """
    return (min(max(score, -_FARTHEST), _FARTHEST - 1) + _FARTHEST).to_bytes(8, "big")


_FARTHEST = 1 << 63
