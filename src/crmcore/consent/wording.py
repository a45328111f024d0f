"""Facts and registers in words, for people who have to find them out.

Invariant: every fact that a pack can ask of has words of its own; what an app adds is named as it is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SO: Mapping[str, str] = {
    "request.balanced": "the interests were weighed, and it was written down",
    "request.exempt_seller": "the law exempts this seller",
    "request.offered_to_children": "the service is offered to children",
    "request.unsolicited": "nobody asked for the message",
    "request.bulk_sender": "the company sends 5,000 or more messages a day to the mailboxes of one provider",
    "request.complaints_high": "three or more in a thousand of the company's messages are reported as spam",
    "message.promotion": "the message promotes something",
    "message.similar": "the message offers goods like those that were bought",
    "message.related": "the message is about what was bought or agreed on",
    "message.same_kind": "the message offers the same kind of goods as were bought",
    "message.relates_to_contract": "the offer belongs to a contract that is running",
    "message.profession_related": "the message is about the person's profession",
    "message.charitable_only": "the message serves nothing but the charity's own purposes",
    "message.sender_identified": "the message says who sends it",
    "message.unsubscribe": "the message has a free way to say no",
    "message.unsubscribe_burdened": "saying no costs money, a login or more than one page",
    "message.one_click_unsubscribe": "the message can be left with one click in the mailbox itself",
    "message.postal_address": "the message has a postal address of the sender",
    "message.fax_opt_out_notice": "the fax says how to have no more of them",
    "message.first_since_opt_out": "it is the first time since they opted out that they are asked",
    "message.advertisement_label": "the message is labelled as an advertisement",
    "use.contract_in_place": "there is a contract with whoever gets the data",
    "use.solely_automated": "a machine decides alone",
    "use.legal_effect": "the decision has legal effect",
    "use.human_review": "a person reviews the decision if asked",
    "subject.adult": "the person is an adult",
    "subject.deceased": "the person has died",
    "subject.known": "the signal is known to be of this person",
    "subject.presumed_interest": "there are facts that let one presume an interest of theirs",
    "point.device_permission": "the owner of the device permitted notes on it",
    "point.in_directory": "the number stands in a public directory of subscribers",
    "collection.opt_out_offered": "a way to say no was offered when the address was collected",
    "collection.direct": "the address came from the person directly",
    "collection.voluntary": "the person gave the number for this of their own accord",
    "collection.published": "the address is published for all to see",
    "collection.disclosed": "the person handed the address over",
    "collection.refusal_stated": "a statement beside the address says that nothing unsolicited is wanted",
    "collection.relevant_to_role": "the message is about the person's role in business",
    "collection.informed": "the person was told of this use, and could object",
    "collection.notice_at_collection": "the person was told, when the data were collected, what they are for",
    "evidence.condition_of_contract": "the consent was made a condition of a contract",
    "evidence.condition_of_purchase": "the consent was made a condition of buying",
    "evidence.disclosed": "it was clearly said to whom and to what they consent",
    "evidence.explicit": "it was said explicitly",
    "evidence.names_the_number": "the consent names the number",
    "evidence.unambiguous": "the consent is unambiguous",
    "evidence.written": "the consent is in writing",
    "facts.gpc": "the browser sends a Global Privacy Control signal",
    "act.open_ended": "the consent says that it has no end",
}
"""What is so, or not so."""

WHAT: Mapping[str, str] = {
    "request.authentication": "what vouches for the domain that mail is sent from (SPF, DKIM, DMARC)",
    "request.basis": "the legal basis",
    "request.channel": "the channel",
    "request.controller_kind": "what kind of organization asks (a business, a charity, ...)",
    "request.dialer": "how the number is dialled (by hand or by a machine)",
    "request.hours": "whether the hour matters",
    "request.purpose": "the purpose",
    "message.kind": "what kind of message it is",
    "message.offer_of": "whose goods the message offers",
    "message.product": "what the message is about",
    "use.transfer": "how the data are passed on",
    "use.aim": "what the data are used for",
    "use.data": "which data are used",
    "use.recipient": "who gets the data",
    "subject.kind": "what the person is to the law (a consumer, a sole trader, a company, ...)",
    "subject.birth_dates": "the date of birth",
    "subject.restricted_since": "since when the processing is restricted",
    "subject.erased_on": "when the data were erased",
    "point.kind": "what kind of address it is",
    "point.line": "what kind of line it is (residential, mobile, business, fax)",
    "point.holder_since": "since when somebody else has the number",
    "collection.source": "how the address was come by",
    "evidence.kind": "how the consent was given",
    "evidence.given_by": "who gave the consent",
    "evidence.holder": "whose number it was",
    "evidence.confirmed_kind": "what the double opt-in confirmed",
    "evidence.data": "which data the consent speaks of",
    "facts.zones": "in which time zone the person is",
    "facts.holidays": "which days are public holidays there",
    "facts.refused_in_call": "when they said no in a call",
}
"""What has some value."""

REGISTERS: Mapping[str, str] = {
    "*": "any register of those who want nothing",
    "bloctel": "Bloctel",
    "ctps": "the Corporate Telephone Preference Service",
    "directory_asterisk": "the asterisk in the directory",
    "dnc_sg_fax": "Singapore's Do Not Call register for faxes",
    "dnc_sg_text": "Singapore's Do Not Call register for texts",
    "dnc_sg_voice": "Singapore's Do Not Call register for calls",
    "dncl_ca": "Canada's National Do Not Call List",
    "dncr_au": "Australia's Do Not Call Register",
    "ecg_list": "the list under the E-Commerce-Gesetz",
    "fps": "the Fax Preference Service",
    "in_preferences": "India's register of preferences",
    "internal": "our own list of those who want nothing",
    "internal_dnc": "our own list of those who want no calls",
    "internal_hash": "our own list of those who want nothing, kept as hashes",
    "national_dnc": "the National Do Not Call Registry",
    "robinson": "the Lista Robinson",
    "rpo": "the Registro Pubblico delle Opposizioni",
    "tps": "the Telephone Preference Service",
    "usps_prohibitory_order": "the prohibitory orders of the Postal Service",
}
"""Lists and registers by their names in packs."""


def asked(path: str) -> str:
    """What to find out.

    >>> asked("message.unsubscribe")
    'whether the message has a free way to say no'
    >>> asked("check:tps")
    'whether the number is on the Telephone Preference Service, by asking it now'
    """
    if path in SO:
        return f"whether {SO[path]}"
    what, _, name = path.partition(":")
    if what == "check":
        return f"whether the number is on {register(name)}, by asking it now"
    return WHAT.get(path, path)


def found(path: str, value: Any) -> str:
    """What was found instead of what was asked for.

    >>> found("message.unsubscribe", False), found("message.offer_of", "partner")
    ('not so: the message has a free way to say no', 'whose goods the message offers: partner')
    """
    if path in SO:
        return SO[path] if value is True else f"not so: {SO[path]}"
    word = "others" if isinstance(value, frozenset) else str(value)
    return f"{asked(path).partition(' (')[0]}: {word}"


def register(name: str) -> str:
    """A list or register."""
    return REGISTERS.get(name, f"the list {name}")
