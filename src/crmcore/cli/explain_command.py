"""``crmcore consent explain``: may this customer be contacted, and why; or all that they may be contacted for.

Invariant: it reads the store only. An answer of any kind is a result, not a failure.
"""

from __future__ import annotations

import argparse
from typing import Any, get_args

import attrs

from crmcore.app.crm import Crm
from crmcore.app.resolve import Membership
from crmcore.cli.outputs import check_outputs, store_files, write
from crmcore.cli.references import list_candidates
from crmcore.cli.stores import existing_store
from crmcore.cli.terminal import DONE, Terminal
from crmcore.cli.value_files import read_value
from crmcore.consent.consent_matrix import message_for
from crmcore.consent.facts import Facts
from crmcore.consent.practice import Practice
from crmcore.consent.request import Message
from crmcore.consent.words import Purpose
from crmcore.errors import AmbiguousReference
from crmcore.serde import dump


def run_consent_explain(options: argparse.Namespace, terminal: Terminal) -> int:
    """Explain one decision about the customer that ``REF`` means, or print the matrix of that customer."""
    for name in ("purpose", "channel"):
        if not options.matrix and len(getattr(options, name)) != 1:
            options.usage_error(f"--{name} is needed, once; with --matrix it may be left out or named again")
    check_outputs([options.html], [*store_files(options.store), options.practice, options.facts])
    practice, facts = read_value(options.practice, Practice), read_value(options.facts, Facts)
    with Crm(existing_store(options.store), practice=practice) as crm:
        try:
            customer = crm.customers.resolve(options.ref)
        except AmbiguousReference as error:
            return list_candidates(crm, error, terminal)
        document, text, page = (_matrix if options.matrix else _decision)(crm, customer, options, facts)
    if options.html is not None:
        write(options.html, page)
    terminal.text(text)
    terminal.result({"customer": str(customer.id), **document})
    return DONE


Shown = tuple[dict[str, Any], str, str]
"""The keys of the document, the text and the page."""


def _decision(crm: Crm, customer: Membership, options: argparse.Namespace, facts: Facts | None) -> Shown:
    purpose, asked = options.purpose[0], {**asked_of(options, facts), "point": options.point}
    found = crm.consent.decide(
        options.ref,
        purpose=purpose,
        channel=options.channel[0],
        message=message_of(purpose, options.kind),
        **asked,
    )
    text = found.explain()
    return {**_whole(found), "explanation": text.splitlines()}, text, found.to_html()


def _matrix(crm: Crm, customer: Membership, options: argparse.Namespace, facts: Facts | None) -> Shown:
    asked = {**asked_of(options, facts), "point": options.point}
    if options.purpose:
        asked["purposes"] = options.purpose
    if options.kind is not None:
        asked["message"] = {one: message_of(one, options.kind) for one in get_args(Purpose)}
    found = crm.consent.matrix(customer.id, channels=options.channel or None, **asked)
    rows = [_whole(row) for row in found.rows]
    return {**_whole(found), "rows": rows}, found.text(), found.to_html()


def message_of(purpose: Purpose, kind: str | None) -> Message:
    """What is known of a message that is of a *kind*."""
    return attrs.evolve(message_for(purpose, None), kind=kind)


def asked_of(options: argparse.Namespace, facts: Facts | None) -> dict[str, Any]:
    """What the words of a command ask for, but for the purpose, the channel and the point."""
    return {
        "controller": options.controller,
        "brand": options.brand,
        "topic": options.topic,
        "facts": facts,
        "jurisdictions": options.jurisdiction,
        "at": options.at,
        "known_at": options.known_at,
    }


def _whole(value: Any) -> dict[str, Any]:
    """*value* as plain JSON, with every key: also those that hold nothing."""
    plain = dump(value)
    return {
        field.name: [_whole(one) for one in getattr(value, field.name)]
        if field.name == "trace"
        else plain.get(field.name, [] if getattr(value, field.name) == () else None)
        for field in attrs.fields(type(value))
        if field.name != "unknown"
    }
