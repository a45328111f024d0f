"""What somebody wants to do: the request that is decided on.

Invariant: a request says what is in the message, so that a promotion never passes for a service.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import attrs

from crmcore.consent.checking import moment, one_of
from crmcore.consent.data_words import kinds_of_data
from crmcore.consent.told import Told, replaced, word
from crmcore.consent.words import Channel, Purpose
from crmcore.errors import InvalidConsent
from crmcore.values.personal import personal
from crmcore.values.text import storable


@attrs.frozen(kw_only=True)
class Message(Told):
    """What is to be said. None is "not known".

    *similar*: it offers goods or services like those that were bought. *related*: it is about what is between us.
    *offer_of* is whose goods they are. *relates_to_contract*, *profession_related* and *charitable_only* are what
    exemptions hang on. *unsubscribe_burdened*: leaving costs a fee, a login or more than one page.
    *one_click_unsubscribe*: the headers of RFC 8058 are in it, and a press on the button of the mailbox ends it.
    """

    kind: str | None = attrs.field(default=None, validator=word)
    promotion: bool | None = None
    similar: bool | None = None
    related: bool | None = None
    same_kind: bool | None = None
    offer_of: Literal["own", "partner"] | None = None
    relates_to_contract: bool | None = None
    profession_related: bool | None = None
    charitable_only: bool | None = None
    product: str | None = attrs.field(default=None, validator=word)
    sender_identified: bool | None = None
    unsubscribe: bool | None = None
    unsubscribe_burdened: bool | None = None
    one_click_unsubscribe: bool | None = None
    postal_address: bool | None = None
    fax_opt_out_notice: bool | None = None
    first_since_opt_out: bool | None = None
    advertisement_label: bool | None = None

    @classmethod
    def marketing(cls, **facts: Any) -> Message:
        """A message that promotes something. *facts* are further fields; what is left out is not known.

        ``unsubscribe=True`` speaks of a way out that is free and easy, unless *unsubscribe_burdened* says otherwise.

        >>> Message.marketing(unsubscribe=True).unsubscribe_burdened
        False
        """
        if facts.get("unsubscribe"):
            facts.setdefault("unsubscribe_burdened", False)
        return cls(promotion=True, **facts)

    @classmethod
    def service(cls, **facts: Any) -> Message:
        """A message that promotes nothing: a receipt, a reminder, an answer. *facts* are further fields.

        >>> Message.service(kind="receipt").promotion
        False
        """
        return cls(promotion=False, **facts)


@attrs.frozen(kw_only=True)
class Use(Told):
    """What is done with data where the purpose is profiling or passing it on.

    *data* are kinds of data, by the words of `crmcore.consent.data_words`; what the law makes of another word is not
    known. *transfer* is how it is passed on: *share* is for advertising across contexts, *other* none of the ways named
    here.
    """

    transfer: Literal["sale", "share", "service_provider", "joint", "other"] | None = None
    recipient: str | None = attrs.field(default=None, converter=storable)
    contract_in_place: bool | None = None
    data: frozenset[str] = attrs.field(default=frozenset(), converter=kinds_of_data)
    aim: (
        Literal[
            "direct_marketing", "targeted_advertising", "targeted_advertising_at_child", "inference", "other"
        ]
        | None
    ) = None
    solely_automated: bool | None = None
    legal_effect: bool | None = None
    human_review: bool | None = None


@attrs.frozen(kw_only=True)
class Request(Told):
    """May *controller* use *point* for *purpose* through *channel* at the instant *at*?

    *basis* is the legal basis that is relied on, *balanced* that the interests were weighed and written down.
    *hours* ``not_at_issue`` is a statement of whoever asks: the hour was agreed on, or does not matter.

    Three facts of how the controller's mail is sent: *bulk_sender*, 5,000 or more messages a day to the mailboxes of
    one provider; *authentication*, what vouches for the domain in the From line, *dmarc* being SPF and DKIM with a
    DMARC policy with which one of them is aligned; *complaints_high*, that three or more in a thousand are reported
    as spam.
    """

    controller: str = attrs.field(converter=storable)
    channel: Channel = one_of(Channel, "the channel")
    purpose: Purpose = one_of(Purpose, "the purpose")
    at: datetime
    point: str | None = personal(default=None)
    brand: str | None = attrs.field(default=None, converter=storable)
    topic: str | None = attrs.field(default=None, converter=storable)
    message: Message = attrs.field(factory=Message)
    use: Use = attrs.field(factory=Use)
    controller_kind: Literal["business", "charity", "registered_charity", "nonprofit"] | None = None
    exempt_seller: bool | None = None
    unsolicited: bool | None = None
    dialer: Literal["manual", "autodialer", "automated_selection", "prerecorded"] | None = None
    basis: (
        Literal["consent", "contract", "legitimate_interest", "legal_obligation", "vital_interest"] | None
    ) = None
    balanced: bool | None = None
    offered_to_children: bool | None = None
    bulk_sender: bool | None = None
    authentication: Literal["none", "spf_or_dkim", "dmarc"] | None = None
    complaints_high: bool | None = None
    hours: Literal["at_issue", "not_at_issue"] = "at_issue"

    def __attrs_post_init__(self) -> None:
        moment(self.at, "the instant of a request")
        super().__attrs_post_init__()

    def to(self, point: str | None) -> Request:
        """The same request about another contact point."""
        if point is not None and not isinstance(point, str):
            raise InvalidConsent("point of Request is a text or None")
        return replaced(self, point=point)
