"""``crmcore show``: one customer, everything known, where it comes from, and what was judged.

Invariant: it reads only.
"""

from __future__ import annotations

import argparse

from crmcore.app.crm import Crm
from crmcore.cli.stores import existing_store
from crmcore.cli.terminal import DONE, Terminal
from crmcore.identity.judgement import Judgement
from crmcore.serde import dump


def run_show(options: argparse.Namespace, terminal: Terminal) -> int:
    """Show the customer that ``REF`` means."""
    with Crm(existing_store(options.store)) as crm:
        view = crm.customers.view(options.ref, region=options.region)
        judgements = [j for j in crm.identity.judgements(view.id) if j.live]
        terminal.text(view.text())
        for judgement in judgements[:10]:
            terminal.text(judgement_line(judgement))
        if len(judgements) > 10:
            terminal.text(f"  and {len(judgements) - 10} more judgements (--json lists all)")
        terminal.result({"view": view.to_json(), "judgements": [dump(judgement) for judgement in judgements]})
    return DONE


def judgement_line(judgement: Judgement) -> str:
    """A judgement in one line."""
    why = f", {judgement.reason}" if judgement.reason else ""
    return f"  {judgement.id}  {judgement.verdict} by {judgement.actor.kind} {judgement.actor.id}{why}"
