"""A store that fails when it is told to: for tests of apps, and of what waits troubles out.

Invariant: a fault says the truth about itself. One *before* a call wrote nothing and says so, one *after* it let the
call do its work and says that the outcome is unknown; so whoever treats errors by their outcome loses and doubles
nothing. The same faults come at the same calls whenever the calls are the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from random import Random
from typing import Any, Literal, TypeVar

import attrs

from crmcore.errors import CommitUnknown, StoreClosed, StoreError, StoreTimeout, Unavailable
from crmcore.storage.protocol import AsyncStore
from crmcore.storage.wrappers.call import Call
from crmcore.storage.wrappers.passing import Passing

T = TypeVar("T")

Kind = Literal["before", "after", "hang_before", "hang_after", "delay", "closed"]


@attrs.frozen
class Fault:
    """Something that goes wrong at one call.

    - ``before``: the call is refused with *error* (`Unavailable`, if none is given) and does nothing.
    - ``after``: the call does its work, and then its answer is lost: `CommitUnknown` for one that writes, *error* for
      one that reads.
    - ``hang_before``, ``hang_after``: the same, *seconds* later than the timeout, and as a `StoreTimeout` where no
      *error* is given.
    - ``delay``: the call takes *seconds* longer, and is well.
    - ``closed``: the store is closed within, so this call and all later ones raise `StoreClosed`.
    """

    kind: Kind
    error: StoreError | None = attrs.field(default=None, kw_only=True)
    seconds: float = attrs.field(default=1.0, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.error is not None and self.error.outcome != "not_applied":
            raise ValueError(
                "the error of a fault is one that wrote nothing: for an unknown outcome take the kind `after`"
            )

    @property
    def late(self) -> bool:
        """Whether the call does its work first."""
        return self.kind in ("after", "hang_after")

    @property
    def hangs(self) -> bool:
        """Whether it takes longer than it was given."""
        return self.kind in ("hang_before", "hang_after")


Plan = Callable[[int, str], Fault | None]
"""What goes wrong at a call: its number, from 0, among all calls that may fail, and its name."""

WRITES = frozenset({"apply", "load", "erase"})


def scripted(*faults: Fault | None, calls: Iterable[str] = WRITES) -> Plan:
    """One fault after the other at *calls*, None for a call that is well; after the last one all are well.

    >>> plan = scripted(None, Fault("before"))
    >>> plan(0, "apply"), plan(1, "get"), plan(2, "apply").kind, plan(3, "apply")
    (None, None, 'before', None)
    """
    names = frozenset(calls)
    waiting = list(reversed(faults))

    def plan(number: int, name: str) -> Fault | None:
        return waiting.pop() if name in names and waiting else None

    return plan


def seeded(
    seed: int, chances: Mapping[Kind, float], *, calls: Iterable[str] = WRITES, seconds: float = 1.0
) -> Plan:
    """Faults by chance, the same ones for the same *seed*. *chances* are parts of 1 and together at most 1.

    >>> plan = seeded(7, {"before": 0.5})
    >>> [plan(number, "apply") is None for number in range(6)]
    [True, False, True, True, False, True]
    """
    if sum(chances.values()) > 1 or any(chance < 0 for chance in chances.values()):
        raise ValueError("the chances of faults are parts of 1 and together at most 1")
    names = frozenset(calls)

    def plan(number: int, name: str) -> Fault | None:
        if name not in names:
            return None
        drawn = Random(f"{seed}:{number}:{name}").random()
        for kind, chance in chances.items():
            drawn -= chance
            if drawn < 0:
                return Fault(kind, seconds=seconds)
        return None

    return plan


async def at_once(seconds: float) -> None:
    """A *pause* that does not wait: for tests that count the time by themselves."""


class Faulty(Passing):
    """*inner* with what goes wrong by *plan*. *pause* waits: `asyncio.sleep`, or in tests mostly nothing.

    `describe` and `close` never fail. *met* are the faults that came, with the names of their calls, in order.
    """

    def __init__(
        self, inner: AsyncStore, plan: Plan, *, pause: Callable[[float], Awaitable[object]] = at_once
    ) -> None:
        super().__init__(inner)
        self._plan = plan
        self._pause = pause
        self._number = 0
        self.met: list[tuple[str, Fault]] = []

    async def around(self, call: Call[T]) -> T:
        if call.name == "close":
            return await call.through()
        fault = self._plan(self._number, call.name)
        self._number += 1
        if fault is None:
            return await call.through()
        self.met.append((call.name, fault))
        if fault.kind == "closed":
            await self.inner.close()
            raise StoreClosed("this store is closed: open it again")
        if fault.kind == "delay":
            await self._pause(fault.seconds)
            return await call.through()
        if fault.late:
            with suppress(StoreError):  # a refusal is an answer too, and is lost like any other
                await call.through()
        if fault.hangs:
            await self._pause((call.timeout or 0.0) + fault.seconds)
        raise _trouble(call, fault)


def _trouble(call: Call[Any], fault: Fault) -> StoreError:
    if fault.late and call.writes:
        return CommitUnknown(
            "the answer was lost: ask outcome(), or send the same batch again", idem=call.idem or ""
        )
    if fault.error is not None:
        return fault.error
    if fault.hangs:
        return StoreTimeout("the store took longer than it was given: try again later")
    return Unavailable("the store cannot be reached: try again later")
