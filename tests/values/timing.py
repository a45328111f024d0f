"""How long a call takes, for laws about hostile sizes."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable


def cpu_seconds(call: Callable[[], object]) -> float:
    """The least processor time of three runs of *call*: other processes and the collector of garbage do not count."""
    best = float("inf")
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(3):
            begin = time.process_time()
            call()
            best = min(best, time.process_time() - begin)
    finally:
        if collecting:
            gc.enable()
    return best
