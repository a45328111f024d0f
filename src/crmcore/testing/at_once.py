"""The same store called from several sides at once: by threads where it blocks, by tasks where it does not.

Invariant: all begin together, and each ends in an answer or in an error of the store; what else it raises is raised.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from crmcore.errors import StoreError
from crmcore.storage import AsyncStore
from crmcore.storage.lift import Lifted
from crmcore.testing.history.hammer import pauses, together

Flow = Callable[[], Coroutine[Any, Any, Any]]


async def at_once(store: AsyncStore, flows: Sequence[Flow]) -> list[Any]:
    """What each of *flows* gave, or the `StoreError` that it ended with."""
    flows = [partial(_ended, flow) for flow in flows]
    if isinstance(store, Lifted):
        return together(flows)
    return await asyncio.gather(*(flow() for flow in flows))


async def _ended(flow: Flow) -> Any:
    try:
        return await flow()
    except StoreError as error:
        return error


async def wait(store: AsyncStore, seconds: float) -> None:
    """Let the others go on, in a flow of `at_once`."""
    await (pauses(seconds)() if isinstance(store, Lifted) else asyncio.sleep(seconds))
