"""A reference that fits several customers: the list from which to choose.

Invariant: the list is a result, on standard output; the sentence on standard error names nobody.
"""

from __future__ import annotations

from crmcore.app.crm import Crm
from crmcore.app.resolve import MOST
from crmcore.cli.terminal import REFUSED, Terminal, counted
from crmcore.errors import AmbiguousReference

LISTED = 20


def list_candidates(crm: Crm, found: AmbiguousReference, terminal: Terminal, *, what: str = "REF") -> int:
    """List the customers that *what* fits, and return how the command ends."""
    count = len(found.candidates)
    views = [crm.customers.view(id) for id in found.candidates[:LISTED]]
    for view in views:
        terminal.text(f"{view.id}  {view.name}, {counted(len(view.members), 'record', 'records')}")
    terminal.result(
        {
            "candidates": [{"id": v.id, "name": v.name, "records": len(v.members)} for v in views],
            "count": count,
        }
    )
    fits = f"{'at least ' if count >= MOST else ''}{count:,} customers"
    listed = "all are listed" if count <= LISTED else f"the first {LISTED} are listed"
    terminal.error(f"{what} fits {fits}, {listed}: name one by its id")
    return REFUSED
