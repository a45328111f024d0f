"""A store for reading only: for reports, for support, for a notebook that must not change anything.

Invariant: no call that writes reaches the store within, `outcome` included, since it fences.
"""

from __future__ import annotations

from typing import TypeVar

import attrs

from crmcore.errors import StoreReadOnly
from crmcore.storage.capability import BACKUP, BULK, ERASER, SCHEMA, TENANTS
from crmcore.storage.protocol import Capability, Description
from crmcore.storage.wrappers.call import Call
from crmcore.storage.wrappers.passing import Passing

T = TypeVar("T")

_WRITE = (BULK, SCHEMA, ERASER, BACKUP, TENANTS)
_REASON = "it is wrapped for reading only"


class ReadOnly(Passing):
    """*inner* without every call that writes: `apply` and `outcome` raise `StoreReadOnly`.

    It claims none of the parts of *inner* that can write (`bulk`, `schema`, `eraser`, `backup`, `tenants`), and its
    description has the capability ``apply`` as unsupported.
    """

    async def around(self, call: Call[T]) -> T:
        if call.writes:
            raise StoreReadOnly(
                f"this store is for reading only, so `{call.name}` is refused: write through another one"
            )
        return await call.through()

    def describe(self) -> Description:
        within = self.inner.describe()
        refused = [_refused(one) if one.name in _WRITE else one for one in within.capabilities]
        apply = Capability(name="apply", support="unsupported", reason=_REASON)
        return attrs.evolve(within, capabilities=(*refused, apply))


def _refused(capability: Capability) -> Capability:
    if capability.support in ("not_implemented", "unsupported"):
        return capability
    return Capability(name=capability.name, support="unsupported", reason=_REASON)
