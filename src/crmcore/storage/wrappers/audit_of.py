"""Finding the audit in a stack of wrappers.

Invariant: what is given back is the wrapper that notes the calls of the stack, not another one like it.
"""

from __future__ import annotations

from crmcore.errors import InvalidValue
from crmcore.storage.lift import Lifted
from crmcore.storage.lower import Lowered
from crmcore.storage.protocol import AsyncStore, Store
from crmcore.storage.wrappers.audited import Audited
from crmcore.storage.wrappers.passing import Passing


def audit_of(store: Store | AsyncStore) -> Audited:
    """The `Audited` in *store*, to seal and anchor: under `Retrying` and any other `Passing`, in either colour.

    Raises:
        InvalidValue: if there is none.

    >>> from datetime import UTC, datetime
    >>> from crmcore.storage import MemoryStore, run
    >>> from crmcore.storage.wrappers import ReadOnly, wrapped
    >>> now = datetime(2026, 3, 1, tzinfo=UTC)
    >>> store = wrapped(MemoryStore(), lambda inner: Audited(inner, bytes(32), clock=lambda: now), ReadOnly)
    >>> run(audit_of(store).anchor()).heads
    ()
    """
    within: Store | AsyncStore = store
    while not isinstance(within, Audited):
        if isinstance(within, Passing):
            within = within.inner
        elif isinstance(within, (Lifted, Lowered)):
            within = within.within
        else:
            raise InvalidValue("there is no audit in this store: put `Audited` around it")
    return within
