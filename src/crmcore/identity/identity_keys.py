"""How judgements and clusters lie on a store.

Invariant: judgements are the truth, clusters are derived from them and can be rebuilt. A party is a member of one
cluster at most: its key in the namespace ``member`` is exclusive.
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
from crmcore.serde import Codec
from crmcore.storage.protocol import Key

MEMBER = "member"
JUDGED = "judged"
DECISION = "decision"

JUDGEMENT: Codec[Judgement] = Codec(tag="judgement", type=Judgement)
CLUSTER: Codec[Cluster] = Codec(tag="cluster", type=Cluster)
CODECS: tuple[Codec[Any], ...] = (
    JUDGEMENT,
    CLUSTER,
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
