"""``crmcore merge`` and ``crmcore unmerge``: a person's judgement, and taking any judgement back.

Invariant: both print the id of the judgement that they wrote, and the customers as they stand then.
"""

from __future__ import annotations

import argparse

from crmcore.app.crm import Crm
from crmcore.cli.stores import existing_store
from crmcore.cli.terminal import DONE, Terminal
from crmcore.identity.judgement import Judgement
from crmcore.serde import dump
from crmcore.values.ids import JudgementId
from crmcore.values.source import Actor


def run_merge(options: argparse.Namespace, terminal: Terminal) -> int:
    """Say that ``A`` and ``B`` are the same customer."""
    with Crm(existing_store(options.store)) as crm:
        acting = crm.acting_as(Actor(kind="person", id=options.by))
        judgement = acting.identity.merge(options.a, options.b, reason=options.reason)
        terminal.text(f"merged by judgement {judgement.id}")
        terminal.text(f"take it back with: crmcore unmerge {judgement.id} --store {options.store}")
        _customers(crm, judgement, terminal)
    return DONE


def run_unmerge(options: argparse.Namespace, terminal: Terminal) -> int:
    """Take a judgement back, and with ``--different`` say that the two are different customers."""
    with Crm(existing_store(options.store)) as crm:
        acting = crm.acting_as(Actor(kind="person", id=options.by))
        judgement = acting.identity.retract(JudgementId.parse(options.judgement), reason=options.reason)
        terminal.text(f"took back judgement {judgement.id}")
        if options.different:
            judgement = acting.identity.mark_different(judgement.a, judgement.b, reason=options.reason)
            terminal.text(f"marked as different by judgement {judgement.id}")
        _customers(crm, judgement, terminal)
    return DONE


def _customers(crm: Crm, judgement: Judgement, terminal: Terminal) -> None:
    found = {crm.customers.resolve(party).id for party in (judgement.a, judgement.b)}
    views = [crm.customers.view(id) for id in sorted(found)]
    for view in views:
        terminal.text(f"customer {view.id}: {view.name}, {len(view.members)} records")
    terminal.result(
        {
            "judgement": dump(judgement),
            "customers": [{"id": v.id, "members": list(v.members), "digest": v.digest} for v in views],
        }
    )
