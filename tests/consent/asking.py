"""Customers in memory whom a company with settled habits asks, and what it asks."""

from __future__ import annotations

from typing import Any

from crmcore import Crm
from crmcore.app import CrmBatch
from crmcore.consent import Evidence, Form, Message, PointFacts, Practice
from tests.app.houses import Clock, in_memory

YES = Evidence.double_opt_in(notice="newsletter", version="3", given_by="self")
PRACTICE = Practice(
    controller="northwind",
    controller_kind="business",
    exempt_seller=False,
    dialer="manual",
    marketing=Message.marketing(
        kind="newsletter",
        similar=True,
        offer_of="own",
        product="shoes",
        sender_identified=True,
        unsubscribe=True,
        unsubscribe_burdened=False,
        postal_address=True,
        advertisement_label=True,
        first_since_opt_out=True,
    ),
    point=PointFacts(kind="other", line="residential"),
    forms=(
        Form(
            notice="newsletter",
            version="3",
            condition_of_contract=False,
            condition_of_purchase=False,
            disclosed=True,
            unambiguous=True,
        ),
    ),
)


def company(clock: Clock | None = None, **more: Any) -> Crm:
    """Customers in memory, of a company with settled habits."""
    return in_memory(clock=clock or Clock(), **{"practice": PRACTICE, **more})


def asked(crm: Crm | CrmBatch, ref: str, **more: Any) -> Any:
    """The decision on marketing by e-mail in Germany, if nothing else is said."""
    return crm.consent.decide(
        ref,
        **{
            "purpose": "marketing",
            "channel": "email",
            "jurisdictions": ["DE"],
            "offered_to_children": False,
            **more,
        },
    )


__all__ = ["PRACTICE", "YES", "asked", "company"]
