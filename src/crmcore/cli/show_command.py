"""``crmcore show``: one customer, everything known, where it comes from, and what was judged.

Invariant: it reads only.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from crmcore.app.crm import Crm
from crmcore.cli.stores import existing_store
from crmcore.cli.terminal import DONE, REFUSED, Terminal
from crmcore.errors import AmbiguousReference
from crmcore.identity.judgement import Judgement
from crmcore.serde import dump

LISTED = 10
"""Judgements that are shown in text."""

MOST = 20
"""Customers that are listed where a reference fits several."""


def run_show(options: argparse.Namespace, terminal: Terminal) -> int:
    """Show the customer that ``REF`` means, or list those that it fits."""
    with Crm(existing_store(options.store)) as crm:
        try:
            view = crm.customers.view(options.ref, region=options.region)
        except AmbiguousReference as error:
            return _list(crm, error.candidates, terminal)
        judgements = [j for j in crm.identity.judgements(view.id) if j.live]
        settled = [j for j in judgements if j.verdict != "unsure"]
        terminal.text(view.text())
        for judgement in settled[:LISTED]:
            terminal.text(judgement_line(judgement))
        if len(settled) > LISTED:
            terminal.text(f"  and {len(settled) - LISTED} more judgements (--json lists all)")
        terminal.result({"view": view.to_json(), "judgements": [dump(judgement) for judgement in judgements]})
    return DONE


def _list(crm: Crm, ids: Sequence[str], terminal: Terminal) -> int:
    """The customers that a reference fits, to choose one by its id."""
    views = [crm.customers.view(id) for id in ids[:MOST]]
    more = "" if len(ids) <= MOST else f", the first {MOST} of them"
    terminal.text(f"{len(ids)} customers fit{more}; name one by its id:")
    for view in views:
        count = f"{len(view.members)} record{'s' if len(view.members) != 1 else ''}"
        terminal.text(f"  {view.id}  {view.name}, {count}")
    terminal.result({"candidates": [{"id": v.id, "name": v.name, "records": len(v.members)} for v in views]})
    return REFUSED


def judgement_line(judgement: Judgement) -> str:
    """A judgement in one line."""
    why = f", {judgement.reason}" if judgement.reason else ""
    return f"  {judgement.id}  {judgement.verdict} by {judgement.actor.kind} {judgement.actor.id}{why}"
