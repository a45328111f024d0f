"""``crmcore review``: put before a person what waits in a store, and take over what was decided.

Invariant: a page is written only where it is asked for, since it shows personal data. What is printed shows none.
"""

from __future__ import annotations

import argparse

from crmcore.app.crm import Crm
from crmcore.app.reviewing import ReviewOutcome
from crmcore.cli.decisions_file import read_decisions
from crmcore.cli.outputs import check_outputs, store_files, write
from crmcore.cli.stores import existing_store
from crmcore.cli.terminal import DONE, INCOMPLETE, Terminal, counted
from crmcore.errors import InvalidDecisions
from crmcore.values.source import Actor


def run_page(options: argparse.Namespace, terminal: Terminal) -> int:
    """Write the review page of a store."""
    check_outputs([options.out], store_files(options.store))
    with Crm(existing_store(options.store)) as crm:
        review = crm.identity.review(limit=options.limit)
        write(options.out, review.html())
    pairs = sum(item.kind == "pair" for item in review.items)
    weak = len(review.items) - pairs
    terminal.text(
        f"{counted(pairs, 'pair', 'pairs')} and {counted(weak, 'joined customer', 'joined customers')} to review"
    )
    terminal.text(f"open {options.out} in a browser; it shows personal data")
    terminal.result({"page": review.id, "pairs": pairs, "joined": weak})
    return DONE


def run_apply(options: argparse.Namespace, terminal: Terminal) -> int:
    """Take over the decisions of a file."""
    found = read_decisions(options.decisions)
    if options.by is None and any(decision.by is None for decision in found.decisions):
        raise InvalidDecisions(
            f"{options.decisions.name} does not say of every decision who made it: say who did, with --by ID"
        )
    with Crm(existing_store(options.store)) as crm:
        acting = crm if options.by is None else crm.acting_as(Actor(kind="person", id=options.by))
        outcome = acting.identity.apply_review(found)
    terminal.text(outcome.text())
    for refused in outcome.refused:
        against = f" by {', '.join(refused.judgements)}" if refused.judgements else ""
        terminal.text(f"! {refused.a} and {refused.b}: {refused.why}{against}")
    terminal.result(_document(outcome))
    if not outcome.refused:
        return DONE
    count = counted(len(outcome.refused), "decision was", "decisions were")
    where = "its refused" if terminal.as_json else 'the lines that begin with "!"'
    terminal.error(
        f"{count} not taken over: {where} say why; take back what no longer holds, or make a new page"
    )
    return INCOMPLETE


def _document(outcome: ReviewOutcome) -> dict[str, object]:
    return {
        "written": outcome.written,
        "known": outcome.known,
        "skipped": outcome.skipped,
        "said": dict(outcome.judgements),
        "refused": [
            {
                "item": refused.item,
                "a": refused.a,
                "b": refused.b,
                "why": refused.why,
                "judgements": list(refused.judgements),
            }
            for refused in outcome.refused
        ],
    }
