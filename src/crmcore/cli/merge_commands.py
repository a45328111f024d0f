"""``crmcore merge`` and ``crmcore unmerge``: a person's judgement, and taking any judgement back.

Invariant: both print the id of the judgement that they wrote, and the customers as they stand then.
"""

from __future__ import annotations

import argparse
import shlex

from crmcore.app.crm import Crm
from crmcore.cli.references import list_candidates
from crmcore.cli.stores import existing_store
from crmcore.cli.terminal import DONE, Terminal, counted
from crmcore.errors import AmbiguousReference, ClusterTooLarge, DecidedDifferent, InvalidJudgement, NotFound
from crmcore.identity.judgement import Judgement
from crmcore.serde import dump
from crmcore.values.ids import JudgementId
from crmcore.values.source import Actor


def run_merge(options: argparse.Namespace, terminal: Terminal) -> int:
    """Say that ``A`` and ``B`` are the same customer."""
    with Crm(existing_store(options.store)) as crm:
        for what, ref in (("A", options.a), ("B", options.b)):
            try:
                crm.customers.resolve(ref)
            except AmbiguousReference as error:
                return list_candidates(crm, error, terminal, what=what)
            except NotFound as error:
                raise NotFound(f"{what}: {error}") from None
        judgement = _merge(crm.acting_as(Actor(kind="person", id=options.by)), options)
        terminal.text(f"merged by judgement {judgement.id}")
        store = shlex.quote(str(options.store))
        terminal.text(f"take it back with: crmcore unmerge {judgement.id} --store {store}")
        _customers(crm, judgement, terminal)
    return DONE


def _merge(crm: Crm, options: argparse.Namespace) -> Judgement:
    try:
        return crm.identity.merge(options.a, options.b, reason=options.reason)
    except DecidedDifferent as error:
        raise DecidedDifferent(
            "a person said that these are different customers: "
            f"take that back first, with crmcore unmerge {error.judgement}",
            judgement=error.judgement,
        ) from None
    except ClusterTooLarge:
        raise
    except InvalidJudgement:
        raise InvalidJudgement(
            "A and B are one customer already: to confirm that, name two of its records by their ids"
        ) from None


def run_unmerge(options: argparse.Namespace, terminal: Terminal) -> int:
    """Take a judgement back, and with ``--different`` say that the two are different customers."""
    with Crm(existing_store(options.store)) as crm:
        acting = crm.acting_as(Actor(kind="person", id=options.by))
        with acting.batch(reason=options.reason) as both:  # taken back and marked, or neither
            try:
                judgement = both.identity.retract(JudgementId.parse(options.judgement), reason=options.reason)
            except NotFound:
                raise NotFound(
                    "no judgement of this store has this id: crmcore show REF lists those of a customer"
                ) from None
            different = None
            if options.different:
                different = both.identity.mark_different(judgement.a, judgement.b, reason=options.reason)
        terminal.text(f"took back judgement {judgement.id}")
        if different is not None:
            terminal.text(f"marked as different by judgement {different.id}")
        _customers(crm, judgement, terminal, different)
    return DONE


def _customers(
    crm: Crm, judgement: Judgement, terminal: Terminal, different: Judgement | None = None
) -> None:
    found = {crm.customers.resolve(party).id for party in (judgement.a, judgement.b)}
    views = [crm.customers.view(id) for id in sorted(found)]
    for view in views:
        records = counted(len(view.members), "record", "records")
        terminal.text(f"customer {view.id}: {view.name}, {records}")
    document = {
        "judgement": dump(judgement),
        "customers": [{"id": v.id, "members": list(v.members), "digest": v.digest} for v in views],
    }
    if different is not None:
        document["different"] = dump(different)
    terminal.result(document)
