"""A store that tells somebody of every call: for spans, metrics and slow-call logs.

Invariant: what is told are names, counts and times, never a value, an id or a tenant's name. Telling changes nothing: a
hook that fails costs a warning, not a call.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, Literal, TypeVar

import attrs

from crmcore.errors import StoreError
from crmcore.storage.bulk import ChunkReceipt
from crmcore.storage.protocol import AsyncStore, FeedPage, Hits, Page, Receipt
from crmcore.storage.wrappers.call import Call
from crmcore.storage.wrappers.passing import Passing
from crmcore.values.frozen_map import FrozenMap

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Traced:
    """A call that has ended.

    *asked* and *given* are counts by name: ``ops``, ``keys``, ``refs``, ``parts``, ``streams`` or ``rows`` asked for,
    ``items`` given, and of a receipt ``replayed``, 0 or 1. *outcome* is ``done``, or that of the error, or
    ``broken_off`` for what is no error of a store, such as a cancelled task; *error* is the code of the error. *tenant*
    is a keyed hash, or None. *seconds* is how long it took.
    """

    call: str
    tenant: str | None
    asked: FrozenMap[str, int]
    given: FrozenMap[str, int]
    outcome: Literal["done", "not_applied", "unknown", "broken_off"]
    error: str | None
    seconds: float


class Tracing(Passing):
    """*inner*, with *hook* called after every call but `describe`.

    With *tenant_key*, random bytes that are kept secret, calls of one tenant can be told by a hash; without it they
    cannot. *hook* runs within the call: let it be quick.
    """

    def __init__(
        self,
        inner: AsyncStore,
        hook: Callable[[Traced], object],
        *,
        clock: Callable[[], float] = time.monotonic,
        tenant_key: bytes | None = None,
    ) -> None:
        super().__init__(inner)
        self._hook = hook
        self._clock = clock
        self._tenant_key = tenant_key

    async def around(self, call: Call[T]) -> T:
        began = self._clock()
        try:
            result = await call.through()
        except StoreError as error:
            self._tell(call, began, {}, error.outcome, error.code)
            raise
        except BaseException:
            self._tell(call, began, {}, "broken_off", None)
            raise
        self._tell(call, began, _given(result), "done", None)
        return result

    def _tell(
        self,
        call: Call[Any],
        began: float,
        given: Mapping[str, int],
        outcome: Literal["done", "not_applied", "unknown", "broken_off"],
        error: str | None,
    ) -> None:
        traced = Traced(
            call=call.name,
            tenant=self._hashed(call.tenant),
            asked=FrozenMap(call.counts),
            given=FrozenMap(given),
            outcome=outcome,
            error=error,
            seconds=self._clock() - began,
        )
        try:
            self._hook(traced)
        except Exception as problem:
            warnings.warn(
                f"the hook of Tracing failed with {type(problem).__name__}: repair it, the call went on without it",
                RuntimeWarning,
                stacklevel=2,
            )

    def _hashed(self, tenant: str | None) -> str | None:
        if self._tenant_key is None or tenant is None:
            return None
        # A tenant's name that no store takes is told of too, so it may hold what UTF-8 does not.
        return blake2b(
            tenant.encode("utf-8", "surrogatepass"), key=self._tenant_key, digest_size=8
        ).hexdigest()


def _given(result: object) -> Mapping[str, int]:
    if isinstance(result, (Receipt, ChunkReceipt)):
        return {"replayed": int(result.replayed)}
    if isinstance(result, (Page, FeedPage)):
        return {"items": len(result.items)}
    if isinstance(result, Mapping):
        return {"items": sum(map(_items, result.values()))}
    return {}


def _items(value: object) -> int:
    if isinstance(value, Hits):
        return len(value.refs)
    if value is None:  # a ledger that is too long to skim
        return 0
    return len(value) if isinstance(value, list) else len(value.items) if isinstance(value, Page) else 1
