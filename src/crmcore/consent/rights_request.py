"""A request that somebody makes about their own data, from its receipt to its end.

Invariant: a request is what its steps make of it: replaying them gives it again. A step that its state does not allow
is refused, nothing is closed while somebody who was told has not answered, and time never runs backwards.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, get_args

import attrs

from crmcore.consent.rights_words import (
    ItemDecision,
    NoticeOutcome,
    PauseCause,
    RequesterKind,
    RequestState,
    Right,
    RightsLaw,
    StepKind,
)
from crmcore.errors import InvalidRightsRequest
from crmcore.serde import Codec
from crmcore.storage.protocol import Key
from crmcore.values.ids import Id
from crmcore.values.instant import ensure_aware
from crmcore.values.personal import Document, personal
from crmcore.values.source import Actor
from crmcore.values.text import storable


class RequestId(Id):
    """The id of a request about somebody's data."""

    __slots__ = ()
    kind = "request"


def _word(words: Any, what: str) -> Any:
    known = get_args(words)

    def check(instance: object, attribute: object, value: str) -> None:
        if value not in known:
            raise InvalidRightsRequest(f"{what} is one of {', '.join(known)}")

    return check


def _aware(moment: datetime) -> datetime:
    return ensure_aware(moment, "the time of a step")


@attrs.frozen(kw_only=True)
class Requester(Document):
    """Who asks: the person (*self*), an agent or a parent. *authority* is what shows that these may, by reference."""

    kind: RequesterKind = attrs.field(
        default="self", validator=_word(RequesterKind, "the kind of a requester")
    )
    name: str | None = personal(default=None, converter=storable)
    authority: str | None = personal(default=None, converter=storable)


@attrs.frozen(kw_only=True)
class IdentityEvidence(Document):
    """How it is known who asks: what kind of proof, and where it is. The proof itself is not kept here."""

    kind: str = attrs.field(converter=storable)
    document: str | None = personal(default=None, converter=storable)
    at: datetime = attrs.field(converter=_aware)


@attrs.frozen(kw_only=True)
class Pause(Document):
    """The clock stood still, for a cause, from *start* to *end* (None: it still does)."""

    cause: PauseCause
    start: datetime
    end: datetime | None = None


@attrs.frozen(kw_only=True)
class DecidedItem(Document):
    """What was decided on one item that was asked for: one of the bundle, or a kind of data."""

    item: str = attrs.field(converter=storable)
    decision: ItemDecision
    reason: str | None = personal(default=None, converter=storable)


@attrs.frozen(kw_only=True)
class Notice(Document):
    """Somebody else has the data, and is to be told *what* to do, and by when they answer.

    Without *told_at* nobody told them yet. *proof_sha256* is of their answer; *reason* says why they did not do it, or
    why no answer is waited for. *answered_at* is when one of these came.
    """

    processor: str = attrs.field(converter=storable)
    what: str = attrs.field(converter=storable)
    told_at: datetime | None = None
    due: date | None = None
    answered_at: datetime | None = None
    outcome: NoticeOutcome | None = None
    proof_sha256: str | None = attrs.field(default=None, converter=storable)
    reason: str | None = personal(default=None, converter=storable)

    @property
    def open(self) -> bool:
        """Whether the answer is missing."""
        return self.answered_at is None

    def overdue(self, on: date) -> bool:
        """Whether the answer, or the telling, should have been there before that day."""
        return self.open and self.due is not None and self.due < on


@attrs.frozen(kw_only=True)
class RightsRequest(Document):
    """A request as it stands.

    *customer* and *members* are the customer and the records that it had when the request came,
    *anchor* the one of them that the person surely is. *zone* is where days
    are counted. *response_sha256* is the digest of the answer that was given. *announced_at* is when the person was
    told that a restriction will be lifted, *lifted_at* when it was.
    """

    _id: RequestId | None = attrs.field(default=None)
    version: int = 0
    right: Right = attrs.field(validator=_word(Right, "a right"))
    law: RightsLaw = attrs.field(validator=_word(RightsLaw, "the law of a request"))
    received_at: datetime = attrs.field(converter=_aware)
    channel: str = attrs.field(converter=storable)
    zone: str
    requester: Requester = attrs.field(factory=Requester)
    customer: str
    members: tuple[str, ...]
    anchor: str
    scope: str | None = personal(default=None, converter=storable)
    state: RequestState = "received"
    last_at: datetime | None = None
    confirmed_at: datetime | None = None
    identity: tuple[IdentityEvidence, ...] = ()
    pauses: tuple[Pause, ...] = ()
    extended_at: datetime | None = None
    items: tuple[DecidedItem, ...] = ()
    notices: tuple[Notice, ...] = ()
    responded_at: datetime | None = None
    response_sha256: str | None = None
    announced_at: datetime | None = None
    lifted_at: datetime | None = None

    @property
    def id(self) -> RequestId:
        """The id of a stored request."""
        if self._id is None:
            raise InvalidRightsRequest("a draft has no id yet: use what crm.requests.receive(...) returns")
        return self._id

    @property
    def clock_stopped(self) -> bool:
        """Whether the clock stands still."""
        return bool(self.pauses) and self.pauses[-1].end is None

    @property
    def extended(self) -> bool:
        """Whether the time was extended."""
        return self.extended_at is not None

    @property
    def is_open(self) -> bool:
        """Whether something is left to be done."""
        return self.state != "closed"

    @property
    def open_notices(self) -> tuple[Notice, ...]:
        """Those who have not answered, whether they were told or are still to be."""
        return tuple(notice for notice in self.notices if notice.open)


@attrs.frozen(kw_only=True)
class RightsStep(Document):
    """One step of a request, as the ledger keeps it. The fields that a kind of step does not need stay empty."""

    type: Literal["rights.step"] = "rights.step"
    request: RequestId
    kind: StepKind = attrs.field(validator=_word(StepKind, "a step"))
    at: datetime = attrs.field(converter=_aware)
    actor: Actor | None = None
    reason: str | None = personal(default=None, converter=storable)
    received: RightsRequest | None = None
    evidence: IdentityEvidence | None = None
    cause: PauseCause | None = None
    item: DecidedItem | None = None
    notice: Notice | None = None
    sha256: str | None = attrs.field(default=None, converter=storable)


REQUESTED = "rights.party"
RIGHTS_REQUEST: Codec[RightsRequest] = Codec(tag="rights.request", type=RightsRequest)
CODECS: tuple[Codec[Any], ...] = (RIGHTS_REQUEST, Codec(tag="rights.step", type=RightsStep))


def request_keys(request: RightsRequest) -> frozenset[Key]:
    """The records of the person who asks."""
    return frozenset(Key(REQUESTED, member) for member in request.members)


def requests_stream(party: str) -> str:
    """The ledger of the steps of the requests about a party, kept under the customer's first record.

    It is not one of those that are erased with the person: a request is the proof that it was answered.
    """
    return f"requests:{party}"
