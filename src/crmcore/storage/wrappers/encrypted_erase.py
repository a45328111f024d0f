"""An erasure as the store below is given it, whose keys go with it, and what remains.

Invariant: the key of a subject is destroyed when the subject itself is erased, never for a single record about it.
"""

from __future__ import annotations

import attrs

from crmcore.storage.erasure import Erasure, ErasureReport, Residual
from crmcore.storage.validate import check_name, heading
from crmcore.storage.wrappers.heading import MOST, seal_heading
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


def what_remains(report: ErasureReport) -> ErasureReport:
    """*report*, with what is left in the place of what the store below reports: bytes, and what can be guessed."""
    return attrs.evolve(report, residual=(*report.residual, BACKUPS, JOURNALS))


BACKUPS = Residual(
    place="backups",
    what=(
        "copies of the data from before have the names of the keys, parts and idempotency keys of what was erased: "
        "whoever has the tenant's root key can test a guess against them, and can read the reasons of batches about "
        f"more than {MOST} subjects, and what was erased without its subject opens with the key of the subject"
    ),
    remedy="drop the backups from before, or keep them where the file of keys is not",
)
JOURNALS = Residual(
    place="journals",
    what=(
        "the journals of batches with an idempotency key have a digest of each call, of one that added no party "
        "under the tenant's root key: whoever has it can test a guess at the whole call"
    ),
    remedy="erase the records of the kind batch by their refs when they are no longer needed",
)
