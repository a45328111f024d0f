"""One call of a store, as a value: what a wrapper that treats all calls alike is given.

Invariant: a call says of itself all that decides how it may be treated: whether it writes, whether it may be sent
again, how long it may take. A wrapper never has to know the names of calls, so it goes on being right when the
protocol gets another part.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, Literal, TypeVar

import attrs

from crmcore.values.frozen_map import FrozenMap

T = TypeVar("T")
R = TypeVar("R")

Repeat = Literal["always", "unwritten", "never"]
"""When a call that failed may be sent again. ``always``: it reads, or is idempotent by its key, so also when it cannot
be told whether it was done. ``unwritten``: only if nothing was written. ``never``: it uses up what it is given."""


@attrs.frozen(kw_only=True)
class Call(Generic[T]):
    """A call on its way to the store within.

    *tenant* is None where a call is of several or of none. *counts* say how much is asked for, by name, such as ``ops``
    or ``keys``. *timeout* is what the caller gave, in seconds, and None for the calls that have none.
    """

    name: str
    send: Callable[[float], Awaitable[T]] = attrs.field(repr=False)
    tenant: str | None = attrs.field(default=None, repr=False)
    counts: Mapping[str, int] = attrs.field(factory=FrozenMap[str, int])
    writes: bool = False
    repeat: Repeat = "always"
    timeout: float | None = None
    idem: str | None = attrs.field(default=None, repr=False)

    def through(self) -> Awaitable[T]:
        """Send it as it came."""
        return self.send(0.0 if self.timeout is None else self.timeout)


Around = Callable[[Call[Any]], Awaitable[Any]]
