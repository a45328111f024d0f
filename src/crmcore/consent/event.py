"""Consent events: what somebody did about being contacted, with its scope and its evidence.

Invariant: an event is never edited. What follows from it at some instant is worked out anew from all events each time.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Literal

import attrs

from crmcore.consent.checking import moment, names, one_of, some_of, together
from crmcore.consent.told import Told
from crmcore.consent.words import ActKind, ActPurpose, Channel, EvidenceKind, PointKind
from crmcore.values.instant import ensure_aware
from crmcore.values.personal import personal
from crmcore.values.source import Actor
from crmcore.values.text import storable


def _aware(instance: object, attribute: attrs.Attribute[datetime], value: datetime | None) -> None:
    if value is not None:
        ensure_aware(value, attribute.name)


def _moment(instance: object, attribute: attrs.Attribute[datetime], value: datetime) -> None:
    moment(value, attribute.name)


@attrs.frozen(kw_only=True)
class Scope(Told):
    """What an act is about. What a No leaves empty it does not narrow: without channels it is about all of them. A Yes
    is about the channels and the purposes that it names, and without any about none.

    *point* is the normal form of a contact point; an act without one is about the person. A Yes about the person goes
    to the *points* that they had then, and to none that come later; None is all. *recipients* are those to whom data
    may be passed on, by name.

    *given_up* is the kind of *point*, in what a record keeps of a No when it gives that point up: the No speaks of
    those that are left, too, by the ways by which it spoke before.
    """

    controller: str | None = attrs.field(default=None, converter=storable)
    brand: str | None = attrs.field(default=None, converter=storable)
    channels: frozenset[Channel] = attrs.field(
        default=frozenset(), converter=together, validator=some_of(Channel, "channels")
    )
    purposes: frozenset[ActPurpose] = attrs.field(
        default=frozenset(), converter=together, validator=some_of(ActPurpose, "purposes")
    )
    point: str | None = personal(default=None)
    points: frozenset[str] | None = personal(default=None, converter=attrs.converters.optional(together))
    given_up: PointKind | None = None
    topics: frozenset[str] = attrs.field(default=frozenset(), converter=names)
    recipients: frozenset[str] = attrs.field(default=frozenset(), converter=names)
    right: str | None = attrs.field(default=None, converter=storable)


@attrs.frozen(kw_only=True)
class Evidence(Told):
    """How an act can be shown. None is "not known", which no rule takes for a yes.

    *notice*, *notice_version* and *notice_sha256* say what was shown; *document* points at what was kept. *written*,
    *disclosed* (clearly and conspicuously, to whom and what is consented) and *condition_of_purchase* are what written
    consent to automated calls in the United States hangs on. *confirmed_kind* is what kind of contact point a double
    opt-in has confirmed.
    """

    kind: EvidenceKind | None = one_of(EvidenceKind, "the kind of evidence")
    notice: str | None = attrs.field(default=None, converter=storable)
    notice_version: str | None = attrs.field(default=None, converter=storable)
    notice_sha256: str | None = attrs.field(default=None, converter=storable)
    locale: str | None = attrs.field(default=None, converter=storable)
    document: str | None = personal(default=None, converter=storable)
    given_by: str | None = personal(default=None, converter=storable)
    explicit: bool | None = None
    written: bool | None = None
    disclosed: bool | None = None
    condition_of_purchase: bool | None = None
    condition_of_contract: bool | None = None
    names_the_number: bool | None = None
    unambiguous: bool | None = None
    confirmed_kind: str | None = attrs.field(default=None, converter=storable)
    holder: str | None = personal(default=None, converter=storable)
    data: frozenset[str] = attrs.field(default=frozenset(), converter=names)

    @classmethod
    def double_opt_in(cls, *, notice: str, version: str, text: str | None = None, **facts: Any) -> Evidence:
        """A form was filled in, and the address confirmed by a click on what was sent to it.

        Of the *text* that was shown only its hash is kept. *facts* are further fields; what is left out is not known.

        >>> shown = Evidence.double_opt_in(notice="newsletter", version="3", text="Yes, write to me.")
        >>> shown.kind, shown.notice_sha256[:8]
        ('double_opt_in', '37e514c4')
        """
        return cls._of_form("double_opt_in", notice, version, text, facts)

    @classmethod
    def web_form(cls, *, notice: str, version: str, text: str | None = None, **facts: Any) -> Evidence:
        """A box was ticked on a form, and nobody confirmed that the address is that person's."""
        return cls._of_form("web_form", notice, version, text, facts)

    @classmethod
    def signed_paper(cls, *, document: str, **facts: Any) -> Evidence:
        """Paper was signed; *document* is where it is kept."""
        return cls(kind="signed_paper", document=document, written=True, **facts)

    @classmethod
    def recorded_call(cls, *, document: str, **facts: Any) -> Evidence:
        """It was said in a call; *document* is where the recording is kept."""
        return cls(kind="recorded_call", document=document, **facts)

    @classmethod
    def imported(cls, *, document: str | None = None, **facts: Any) -> Evidence:
        """Another system says so, without proof; *document* is the file or the list that it came in."""
        return cls(kind="import_without_proof", document=document, **facts)

    @classmethod
    def _of_form(
        cls, kind: EvidenceKind, notice: str, version: str, text: str | None, facts: dict[str, Any]
    ) -> Evidence:
        digest = None if text is None else hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        return cls(kind=kind, notice=notice, notice_version=version, notice_sha256=digest, **facts)


@attrs.frozen(kw_only=True)
class ConsentEvent(Told):
    """One act, recorded under the party *record*; if it is about the person, of the customer that then had *members*. A
    No about a contact point has *members* if several records of the customer had that point.

    *occurred_at* is when it was done, *recorded_at* when we knew of it: of a No that may be some minutes before, where
    a clock ahead of ours has dated what was recorded already.

    *open_ended* says that it was given for an indefinite time, in so many words; *night* that it covers the hours that
    need a consent of their own, *any_time* all hours. *via* is how a withdrawal came, or the request or duty that a
    restriction comes from: a lift with one ends that restriction alone. *corrects* is the id of an event that this one
    stands for instead, but for a No, which counts beside it. *ledger* is where it was appended.

    *takes_back* are the ids of Noes of others that a Yes takes back, too: those that were said of a contact point by
    records which had it no more when it was recorded, or which had it when its own record gave it up. *alone* says of a
    No about a contact point that it is one of its record, and none of whoever else has the point; where decisions read
    a Yes of others that permits nothing, it says that it lifts the Noes of its own record alone.
    """

    type: Literal["consent.event"] = "consent.event"
    id: str
    kind: ActKind = one_of(ActKind, "an act")
    occurred_at: datetime = attrs.field(validator=_moment)
    recorded_at: datetime | None = attrs.field(default=None, validator=_aware)
    scope: Scope = attrs.field(factory=Scope)
    evidence: Evidence | None = None
    record: str | None = None
    members: tuple[str, ...] = ()
    valid_until: datetime | None = attrs.field(default=None, validator=_aware)
    open_ended: bool | None = None
    night: bool = False
    any_time: bool = False
    via: str | None = personal(default=None, converter=storable)
    words: str | None = personal(default=None, converter=storable)
    actor: Actor | None = None
    corrects: str | None = attrs.field(default=None, converter=storable)
    ledger: str | None = None
    takes_back: tuple[str, ...] = ()
    alone: bool = False
