"""An erasure as the store below is given it, whose keys go with it, and what remains.

Invariant: the key of a subject is destroyed when the subject itself is erased, never for a single record about it.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from crmcore.storage.erasure import Erasure, ErasureReport, Residual
from crmcore.storage.protocol import Record, Ref
from crmcore.storage.validate import check_name, heading
from crmcore.storage.wrappers.heading import seal_heading
from crmcore.storage.wrappers.ring import Ring
from crmcore.storage.wrappers.subjects import Subjects


def shredded_by(erasure: Erasure, subjects: Subjects) -> frozenset[str]:
    """The subjects whose keys an erasure destroys."""
    parties = {ref.id for ref in erasure.refs if ref.kind in subjects.themselves}
    return erasure.subjects | parties


def sealed_erasure(ring: Ring, erasure: Erasure) -> Erasure:
    """The same erasure, from an actor and for a reason that the store below cannot read."""
    check_name(erasure.idem, "an idempotency key")
    actor = heading(erasure.actor, erasure.reason)
    # Under the tenant's key: those of whom it tells are about to lose theirs, and who erased them must stay known.
    idem, sealed, reason = seal_heading(ring, (), erasure.idem, actor, erasure.reason, b"")
    return attrs.evolve(erasure, idem=idem, actor=sealed, reason=reason)


def what_remains(
    report: ErasureReport,
    erasure: Erasure,
    gone: frozenset[str],
    there: Mapping[Ref, Record],
    subjects: Subjects,
) -> ErasureReport:
    """*report* without what cannot be read any more, and with what still can. *there* are the records before."""
    shredded = all(
        ref.id in gone or (ref in there and not gone.isdisjoint(subjects.record(ref, there[ref].body)))
        for ref in erasure.refs
    )
    entries = erasure.streams or erasure.entries
    if shredded and not entries:
        return attrs.evolve(report, residual=())  # bytes that nobody has a key to
    older = Residual(
        place="backups",
        what="records and entries that were erased while their subjects were not, readable with the keys of those",
        remedy="drop the backups from before, or erase the subjects themselves",
    )
    return attrs.evolve(report, residual=(*report.residual, older))
