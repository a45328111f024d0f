"""What was said or done between us and a customer, in either direction, and when.

Invariant: an interaction is never rewritten. A correction is a new record that names the one it replaces, a retraction
one that says why; the original stays readable. It keeps the parties under which it was recorded: merging customers
changes what a timeline shows, not what was recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

import attrs

from crmcore.errors import FutureInteraction, InvalidInteraction
from crmcore.values.ids import InteractionId, PartyId
from crmcore.values.instant import ensure_aware
from crmcore.values.moment import Moment, check_moment, moment_instant
from crmcore.values.personal import Document, personal
from crmcore.values.source import Source

Kind = Literal[
    "call",
    "email",
    "meeting",
    "chat",
    "sms",
    "letter",
    "visit",
    "web",
    "social",
    "event",
    "note",
    "filing",
    "other",
]
Direction = Literal["inbound", "outbound", "internal", "broadcast"]
Role = Literal["from", "to", "cc", "organizer", "attendee", "subject", "on_behalf_of"]

SKEW = timedelta(minutes=5)
"""How far ahead of our clock another system's clock may be before its instant counts as the future."""


def _word(allowed: tuple[str, ...], what: str) -> Callable[[Any, Any, str], None]:
    def known(instance: Any, attribute: Any, value: str) -> None:
        if value not in allowed:
            raise InvalidInteraction(f"the {what} of an interaction is one of {', '.join(allowed)}")

    return known


@attrs.frozen(kw_only=True)
class Participant(Document):
    """Somebody who took part: a *party*, an *address* that is not a party's (yet), or both."""

    party: PartyId | None = None
    address: str | None = personal(default=None)
    role: Role = attrs.field(default="subject", validator=_word(get_args(Role), "role"))

    def __attrs_post_init__(self) -> None:
        if self.party is None and not self.address:
            raise InvalidInteraction("a participant is a party or an address: give one of them")


def _occurred(moment: Moment) -> Moment:
    return check_moment(moment, "occurred_at")


def _ended(moment: Moment | None) -> Moment | None:
    return None if moment is None else check_moment(moment, "ended_at")


def _recorded(moment: datetime | None) -> datetime | None:
    return None if moment is None else ensure_aware(moment, "recorded_at")


@attrs.frozen(kw_only=True)
class Interaction(Document):
    """One contact. *occurred_at* is when it happened, *recorded_at* when we learned of it.

    *direction* is as seen from us. *dedupe_key* is what makes it the same in every system that
    reports it (a Message-ID, a call id). *corrects* and *retracts* name the record that this one replaces or takes
    back.
    """

    _id: InteractionId | None = attrs.field(default=None)
    kind: Kind = attrs.field(validator=_word(get_args(Kind), "kind"))
    direction: Direction = attrs.field(validator=_word(get_args(Direction), "direction"))
    participants: tuple[Participant, ...]
    occurred_at: Moment = attrs.field(converter=_occurred)
    ended_at: Moment | None = attrs.field(default=None, converter=_ended)
    recorded_at: datetime | None = attrs.field(default=None, converter=_recorded)
    channel: str | None = None
    automated: bool = False
    thread: str | None = personal(class_="internal", default=None)
    subject: str | None = personal(default=None)
    body: str | None = personal(default=None)
    outcome: str | None = personal(default=None)
    confidential: bool = False
    sources: tuple[Source, ...] = ()
    dedupe_key: str | None = personal(class_="internal", default=None)
    corrects: InteractionId | None = None
    retracts: InteractionId | None = None
    root: InteractionId | None = None
    reason: str | None = personal(default=None)

    def __attrs_post_init__(self) -> None:
        if not self.participants:
            raise InvalidInteraction("an interaction needs somebody it is with or about: name a participant")
        if self.ended_at is not None and _before(self.ended_at, self.occurred_at):
            raise InvalidInteraction(
                "an interaction cannot end before it began: check occurred_at and ended_at"
            )

    @property
    def id(self) -> InteractionId:
        """The id of a recorded interaction."""
        if self._id is None:
            raise InvalidInteraction("a draft has no id yet: use what crm.interactions.record(...) returns")
        return self._id

    @property
    def parties(self) -> tuple[PartyId, ...]:
        """The parties that took part, each once."""
        return tuple(dict.fromkeys(p.party for p in self.participants if p.party is not None))


_DAY = timedelta(hours=36)
_AHEAD = timedelta(hours=14)
"""A day ends up to 36 hours after its place in time order, and began up to 14 before: days are those of some zone."""


def _before(end: Moment, start: Moment) -> bool:
    """Whether *end* surely lies before *start*."""
    one, other = moment_instant(end), moment_instant(start)
    if isinstance(end, datetime) == isinstance(start, datetime):
        return one < other
    return other - one > (_AHEAD if isinstance(end, datetime) else _DAY)


def check_new(draft: Interaction) -> None:
    """Refuse a new interaction that claims a place among the recorded ones."""
    ours = (draft._id, draft.corrects, draft.retracts, draft.root, draft.recorded_at)
    if any(value is not None for value in ours):
        raise InvalidInteraction(
            "a new interaction has no id, corrects, retracts, root or recorded_at: use crm.interactions.correct(...)"
        )


def check_not_future(interaction: Interaction, now: datetime) -> None:
    """Refuse what has not happened yet; a date may be today's anywhere on earth.

    Raises:
        FutureInteraction: if it lies further ahead than clocks and time zones explain.
    """
    moment = interaction.occurred_at
    slack = SKEW if isinstance(moment, datetime) else timedelta(hours=14)
    if moment_instant(moment) > now + slack:
        raise FutureInteraction(
            "the interaction lies in the future: plan it as a task, record it when it happened"
        )


def corrected(old: Interaction, *, reason: str, changes: dict[str, Any]) -> Interaction:
    """The record that replaces *old*."""
    frozen = {"id", "corrects", "retracts", "root", "recorded_at"} & changes.keys()
    if frozen:
        raise InvalidInteraction(
            f"a correction cannot set {', '.join(sorted(frozen))}: these are ours to keep"
        )
    if changes.keys() - attrs.fields_dict(Interaction).keys():
        raise InvalidInteraction("a correction names a field that interactions do not have: see Interaction")
    return attrs.evolve(
        old, id=None, corrects=old.id, root=old.root or old.id, reason=reason, recorded_at=None, **changes
    )


def retraction(old: Interaction, *, reason: str) -> Interaction:
    """The record that takes *old* back."""
    return attrs.evolve(
        old, id=None, corrects=None, retracts=old.id, root=old.root or old.id, reason=reason, recorded_at=None
    )


def reassigned(old: Interaction, *, from_: PartyId, to: PartyId, reason: str) -> Interaction:
    """The record in which *to* takes the place of *from_*.

    Raises:
        InvalidInteraction: if *from_* took no part.
    """
    if from_ not in old.parties:
        raise InvalidInteraction("that party took no part in the interaction: see interaction.parties")
    people = tuple(attrs.evolve(p, party=to) if p.party == from_ else p for p in old.participants)
    return corrected(old, reason=reason, changes={"participants": people})
