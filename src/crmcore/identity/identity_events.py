"""What the verbs on identity return: committed with what they write, delivered by the feed.

Invariant: whoever keeps customer ids elsewhere can follow them. After a merge, every id in *from_* leads to *into*;
after a split, the parties of *from_* are found in the customers *into*, one of which may keep its id.
"""

from __future__ import annotations

from typing import Literal

import attrs

from crmcore.values.ids import CustomerId, JudgementId, PartyId
from crmcore.values.personal import Document, personal
from crmcore.values.source import Actor

Verdict = Literal["same", "different", "unsure"]


@attrs.frozen(kw_only=True)
class JudgementMade(Document):
    """A person or a model judged the parties *a* and *b*."""

    type: Literal["judgement.made"] = "judgement.made"
    judgement: JudgementId
    a: PartyId
    b: PartyId
    verdict: Verdict
    actor: Actor
    reason: str | None = personal(default=None)


@attrs.frozen(kw_only=True)
class JudgementRetracted(Document):
    """A judgement was taken back, by *actor*."""

    type: Literal["judgement.retracted"] = "judgement.retracted"
    judgement: JudgementId
    a: PartyId
    b: PartyId
    actor: Actor
    reason: str | None = personal(default=None)


@attrs.frozen(kw_only=True)
class CustomersMerged(Document):
    """The customers *from_* are part of *into* now, because of *judgements*."""

    type: Literal["customers.merged"] = "customers.merged"
    into: CustomerId
    from_: tuple[CustomerId, ...]
    judgements: tuple[JudgementId, ...] = ()


@attrs.frozen(kw_only=True)
class CustomerSplit(Document):
    """What was the customer *from_* is now in the customers *into*."""

    type: Literal["customer.split"] = "customer.split"
    from_: CustomerId
    into: tuple[CustomerId, ...]


CustomerEvent = CustomersMerged | CustomerSplit
IdentityEvent = JudgementMade | JudgementRetracted | CustomersMerged | CustomerSplit
