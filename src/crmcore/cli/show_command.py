"""``crmcore show``: one customer, everything known, where it comes from, and what was judged.

Invariant: it reads only.
"""

from __future__ import annotations

import argparse

from crmcore.app.crm import Crm
from crmcore.cli.references import list_candidates
from crmcore.cli.stores import existing_store
from crmcore.cli.terminal import DONE, Terminal
from crmcore.errors import AmbiguousReference
from crmcore.identity.judgement import Judgement
from crmcore.serde import dump

LISTED = 10
"""Judgements that are shown in text."""


def run_show(options: argparse.Namespace, terminal: Terminal) -> int:
    """Show the customer that ``REF`` means, or list those that it fits."""
    with Crm(existing_store(options.store)) as crm:
        try:
            view = crm.customers.view(options.ref, region=options.region)
        except AmbiguousReference as error:
            return list_candidates(crm, error, terminal)
        judgements = [j for j in crm.identity.judgements(view.id) if j.live]
        settled = [j for j in judgements if j.verdict != "unsure"]
        terminal.text(view.text())
        terminal.text(f"  id         {view.id}")
        for judgement in settled[:LISTED]:
            terminal.text(f"  judgement  {judgement_line(judgement)}")
        if len(settled) > LISTED:
            terminal.text(f"             and {len(settled) - LISTED:,} more (--json has all)")
        terminal.result({"view": view.to_json(), "judgements": [dump(judgement) for judgement in judgements]})
    return DONE


def judgement_line(judgement: Judgement) -> str:
    """A judgement in one line: its id, what it says, who says so, and why."""
    seen = ", ".join(f"{item.get('field')} {item.get('level')}" for item in judgement.evidence)
    why = judgement.reason or seen
    said = f"{judgement.id}  {judgement.verdict} by {judgement.actor.kind} {judgement.actor.id}"
    return f"{said}: {why}" if why else said
